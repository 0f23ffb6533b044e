"""Commands that ask: show, query, doctor."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import click
import pyarrow as pa

from procmon import ask, doctor
from procmon.cli import common
from procmon.cli.common import example, now, option, print_table, say, with_output, with_period, with_workspace
from procmon.errors import UsageProblem
from procmon.inputs import find_run
from procmon.measure.dossiers import POLICIES
from procmon.store.workspace import Workspace
from procmon.tables import RULE_SETS

BY = ("field", "unit", "receiving-unit")
POLICY_VALUES = {
    "supplement": ("pause", "restart", "run"),
    "payment": ("run", "pause"),
    "late_receipt": ("none", "15:00"),
}


@click.command(
    "show",
    epilog=example(
        "procmon show dossiers --workspace procmon-demo --format csv\n"
        "procmon show form-06 --workspace procmon-demo --period 2025-05\n"
        "procmon show form-06 --workspace procmon-demo --period 2025-05 --format xlsx --output form-06.xlsx\n"
        "procmon show on-time --workspace procmon-demo --period 2025-05/15 --rule-set strict\n"
        'procmon show units --workspace procmon-demo --name "P. Hồng Bàng" --on 2025-07-01'
    ),
)
@click.argument("what", type=click.Choice(ask.WHAT), metavar="WHAT")
@option("--as-of", help="As of this instant; a day means its end. Default: the last done run's, else now.")
@with_period
@option("--unit", default="", help="Only what this unit resolves (else received).")
@option("--procedure", default="", help="Only this procedure.")
@option("--field", default="", help="Only this field.")
@option("--by", type=click.Choice(BY), help="Rows of form-06: by field and level (default), or by unit.")
@option("--rule-set", type=click.Choice(RULE_SETS), help="Only this rule set: of on-time, bridge and figures.")
@option("--policy", multiple=True, metavar="NAME=VALUE", help="What if: this policy for every procedure.")
@option("--name", help="units: only what this name means, with the candidates where it is ambiguous.")
@option("--on", type=click.DateTime(["%Y-%m-%d"]), help="units --name: on this day. Default: today.")
@option("--batch", type=int, help="Only what this batch brought.")
@option("--run", type=int, help="From what this run saw; for figures: its figures.")
@partial(with_output, forms=(*common.FORMATS, "xlsx"))
@with_workspace
def show_command(
    workspace: Workspace, what: str, as_of: str | None, period: str | None, from_: datetime | None,
    to: datetime | None, unit: str, procedure: str, field: str, by: str | None, rule_set: str | None,
    policy: tuple[str, ...], name: str | None, on: datetime | None, batch: int | None, run: int | None, form: str,
    output: str,
) -> None:  # fmt: skip
    """Show a table, measured now from the lake; needs no run.

    \b
    WHAT is one of: dossiers procedures units form-06 on-time bridge reductions pending-work open-stock
    change ranking predecessors unit-predecessors undetermined-units targets way boundaries
    boundary-shares boundary-refusals roles parity flows due-soon rejects batches runs figures corrections
    deliveries
    """
    if by and what != "form-06":
        raise UsageProblem(f"--by is for form-06, not for {what}", remedy="Leave it out.")
    if form == "xlsx" and what != "form-06":
        raise UsageProblem(f"{what} is no workbook: only form-06 is", remedy="--format csv opens in Excel too.")
    if form == "xlsx" and output == "-":
        raise UsageProblem("a workbook needs a file", remedy="--format xlsx --output form-06.xlsx")
    if unit and field:
        raise UsageProblem("--unit and --field both say whose dossiers", remedy="Give one of them.")
    if (name is not None and what != "units") or (on and name is None):
        raise UsageProblem("--name is for units, and --on for --name", remedy="procmon show units --name TEXT --on DAY")
    if name is not None:
        day = on.date() if on else now().astimezone(workspace.settings.zone).date()
        units, sentences = ask.name_of_unit(workspace, name, day)
        print_table(workspace, units, form=form, output=output)
        say("\n".join(sentences))
        return
    filters = ask.Filters(
        as_of=common.read_instant(as_of, workspace.settings.zone) if as_of else None,
        is_day=common.is_day(as_of),
        period=common.chosen_period(period, from_, to),
        unit=unit,
        procedure=procedure,
        field=field,
        rule_set=rule_set or "",
        batch=batch,
        run=run,
        policies=read_policies(policy),
        by=by or "field",
    )
    if form == "xlsx":
        common.write([ask.form_06_workbook(workspace, filters, now=now())], output)
        return
    table = ask.show(workspace, what, filters, now=now())
    if what in ask.MEASURED:
        say(said_moment(workspace, filters))
    print_table(workspace, table, form=form, output=output)


def said_moment(workspace: Workspace, filters: ask.Filters) -> str:
    """As of when a measured table is, and why then."""
    moment, is_period_end = ask.moment_of(workspace, filters, now=now())
    if filters.period is not None:
        whose = ", the period's end" if is_period_end else "; the period still runs"
    elif filters.as_of:
        whose = ""
    elif filters.run is not None:
        whose = f", run {filters.run}'s"
    else:
        whose = ", the last run's" if find_run(workspace) else ", now"
    return f"as of {moment.isoformat(timespec='seconds')}{whose}"


def read_policies(given: tuple[str, ...]) -> dict[str, str]:
    """The policies of --policy NAME=VALUE, by name. Raises: UsageProblem for any other."""
    policies = {}
    for item in given:
        name, _, value = item.partition("=")
        if value not in POLICY_VALUES.get(name, ()):
            allowed = "; ".join(f"{policy}={'|'.join(POLICY_VALUES[policy])}" for policy in POLICIES)
            raise UsageProblem(f"--policy {item} is not a policy", remedy=f"Write {allowed}.")
        if name in policies:
            raise UsageProblem(f"--policy {name} is given twice", remedy="Give each policy once.")
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
    findings = doctor.doctor(workspace, now=now())
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
