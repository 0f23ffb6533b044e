"""Commands that ask: show, query, doctor."""

from __future__ import annotations

from datetime import datetime

import click
import pyarrow as pa

from procmon import ask
from procmon.cli import common
from procmon.cli.common import example, now, option, print_table, say, with_output, with_period, with_workspace
from procmon.errors import UsageProblem
from procmon.inputs import find_run
from procmon.measure.dossiers import POLICIES
from procmon.store.workspace import Workspace

MEASURED = ("dossiers", "form-06", "reductions", "targets", "boundaries", "due-soon")
POLICY_VALUES = {
    "supplement": ("pause", "restart", "run"),
    "payment": ("run", "pause"),
    "late_receipt": ("none", "15:00"),
}


@click.command(
    "show",
    epilog=example(
        "procmon show dossiers --workspace procmon-demo --format csv\n"
        "procmon show form-06 --workspace procmon-demo --period 2025-05"
    ),
)
@click.argument("what", type=click.Choice(ask.WHAT), metavar="WHAT")
@option("--as-of", help="As of this instant; a day means its end. Default: the last done run's, else now.")
@with_period
@option("--unit", default="", help="Only what this unit resolves (else received).")
@option("--procedure", default="", help="Only this procedure.")
@option("--field", default="", help="Only this field.")
@option("--rule-set", type=click.Choice(["index_766", "form_06"]), help="Only figures of this rule set.")
@option("--policy", multiple=True, metavar="NAME=VALUE", help="What if: this policy for every procedure.")
@option("--batch", type=int, help="Only what this batch brought.")
@option("--run", type=int, help="From what this run saw; for figures: its figures.")
@with_output
@with_workspace
def show_command(
    workspace: Workspace, what: str, as_of: str | None, period: str | None, from_: datetime | None,
    to: datetime | None, unit: str, procedure: str, field: str, rule_set: str | None, policy: tuple[str, ...],
    batch: int | None, run: int | None, form: str, output: str,
) -> None:  # fmt: skip
    """Show a table, measured now from the lake; needs no run.

    \b
    WHAT is one of: dossiers procedures units form-06 reductions targets boundaries due-soon
    rejects batches runs figures corrections deliveries
    """
    if unit and field:
        raise UsageProblem("--unit and --field both say whose dossiers", remedy="Give one of them.")
    filters = ask.Filters(
        as_of=common.read_instant(as_of, workspace.settings.zone) if as_of else None,
        period=common.chosen_period(period, from_, to),
        unit=unit,
        procedure=procedure,
        field=field,
        rule_set=rule_set or "",
        batch=batch,
        run=run,
        policies=_policies(policy),
    )
    table = ask.show(workspace, what, filters, now=now())
    if what in MEASURED and filters.period is None:
        moment = filters.as_of or ask.default_as_of(workspace, now())
        whose = "" if filters.as_of else ", the last run's" if find_run(workspace) else ", now"
        say(f"as of {moment.isoformat(timespec='seconds')}{whose}")
    print_table(workspace, table, form=form, output=output)


def _policies(given: tuple[str, ...]) -> dict[str, str]:
    policies = {}
    for item in given:
        name, _, value = item.partition("=")
        if value not in POLICY_VALUES.get(name, ()):
            allowed = "; ".join(f"{policy}={'|'.join(POLICY_VALUES[policy])}" for policy in POLICIES)
            raise UsageProblem(f"--policy {item} is not a policy", remedy=f"Write {allowed}.")
        policies[name] = value
    return policies


@click.command(
    "query",
    epilog=example(
        'procmon query --workspace procmon-demo "SELECT outcome, count(*) FROM dossiers GROUP BY 1 ORDER BY 1"'
    ),
)
@click.argument("sql")
@with_output
@with_workspace
def query_command(workspace: Workspace, sql: str, form: str, output: str) -> None:
    """Answer one SELECT over the tables of `show` (with _ for -) and `events`; read-only, limited in time and rows."""
    table, is_cut = ask.query(workspace, sql, now=now())
    print_table(workspace, table, form=form, output=output)
    if is_cut:
        say(f"cut off after {table.num_rows} rows; raise engine.query_rows for more")


@click.command("doctor", epilog=example("procmon doctor --workspace procmon-demo"))
@with_output
@with_workspace
def doctor_command(workspace: Workspace, form: str, output: str) -> None:
    """Say what is missing, stale, unsent or wrong in this workspace, with the remedy; ends 3 if anything is."""
    findings = ask.doctor(workspace, now=now())
    table = pa.table(
        {
            "finding": pa.array([finding.what for finding in findings], pa.string()),
            "remedy": pa.array([finding.remedy for finding in findings], pa.string()),
        }
    )
    if findings or form != "table":
        print_table(workspace, table, form=form, output=output)
    if not findings:
        say("nothing to see to")
        return
    click.get_current_context().exit(3)
