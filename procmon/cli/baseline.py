"""The commands of `procmon baseline`."""

from __future__ import annotations

from datetime import datetime

import click

from procmon import baselines
from procmon.cli.common import example, local, now, option, print_table, say, with_output, with_workspace
from procmon.errors import UsageProblem
from procmon.inputs import find_baseline
from procmon.store.ledger import Baseline
from procmon.store.workspace import Workspace
from procmon.tables import Period

DEFINITION = """\
  what it holds: processing time of the dossiers finished or returned in these days; each procedure's times count up to
  its cap, the 99th percentile of its own (of a merged procedure, of all its predecessors' dossiers pooled)"""


@click.group("baseline", epilog=example("procmon baseline show --workspace procmon-demo"))
def baseline_group() -> None:
    """The frozen baseline that times are compared with."""


@baseline_group.command(
    "publish", epilog=example("procmon baseline publish --from 2024-01-01 --to 2025-01-01 --workspace procmon-demo")
)
@option(
    "--from", "from_", type=click.DateTime(["%Y-%m-%d"]), default="2024-01-01", show_default=True, help="First day."
)
@option(
    "--to", "to", type=click.DateTime(["%Y-%m-%d"]), default="2025-01-01", show_default=True, help="Day after the last."
)
@with_workspace
def baseline_publish(workspace: Workspace, from_: datetime, to: datetime) -> None:
    """Freeze the dossiers finished in a period as the baseline of every run from now on; older ones are kept.

    Where one was published before, it says what moved.
    """
    if from_ >= to:
        raise UsageProblem("--from must lie before --to", remedy="--from 2024-01-01 --to 2025-01-01")
    previous = find_baseline(workspace, None, newest=True)
    baseline = baselines.publish(workspace, Period(from_.date(), to.date()), now=now(), say=say)
    complete = "complete" if baseline.is_complete else "NOT complete: the log begins too late for its slowest dossiers"
    click.echo(
        f"baseline {baseline.id}: {baseline.n_dossiers} dossiers finished from {from_:%Y-%m-%d} to {to:%Y-%m-%d} "
        f"(excluded), {complete}"
    )
    if previous:
        _tell_change(baselines.compare(workspace, previous.id or 0, baseline.id or 0))
        say(f"baseline {previous.id} is kept; see `procmon baseline diff {previous.id} {baseline.id}`")


@baseline_group.command("show", epilog=example("procmon baseline show --workspace procmon-demo --format csv"))
@click.argument("number", metavar="[N]", type=int, required=False)
@with_output
@with_workspace
def baseline_show(workspace: Workspace, number: int | None, form: str, output: str) -> None:
    """Show a baseline (default: the newest): what it is and stands on; by procedure dossiers, mean, cap."""
    baseline, table = baselines.show(workspace, number)
    say(
        f"baseline {baseline.id} of {baseline.baseline_from} to {baseline.baseline_to} (excluded), published "
        f"{local(workspace, baseline.published_at):%Y-%m-%d}, {baseline.n_dossiers} dossiers"
    )
    say(DEFINITION)
    say(f"  {_completeness(baseline)}")
    if not baselines.has_states(workspace, baseline):
        say("  what it received is not kept month by month, so pending work cannot be compared: publish it anew")
    for name, version in baselines.inputs_of(baseline).items():
        say(f"  {name}: {version}")
    print_table(workspace, table, form=form, output=output)


@baseline_group.command("diff", epilog=example("procmon baseline diff 1 1 --workspace procmon-demo"))
@click.argument("before", metavar="N", type=int)
@click.argument("after", metavar="M", type=int)
@with_output
@with_workspace
def baseline_diff(workspace: Workspace, before: int, after: int, form: str, output: str) -> None:
    """Show the procedures in which two baselines differ."""
    change = baselines.compare(workspace, before, after)
    _tell_change(change)
    print_table(workspace, change.procedures, form=form, output=output)


def _completeness(baseline: Baseline) -> str:
    if baseline.log_begins_on is None or baseline.p99_days is None:
        return "complete" if baseline.is_complete else "not complete"
    slowest = f"its first day and its 99th percentile of processing time is {baseline.p99_days:.1f} working days"
    if baseline.is_complete:
        return f"complete: the log begins on {baseline.log_begins_on}, at least that long before {slowest}"
    return (
        f"not complete: the log begins on {baseline.log_begins_on}, not long enough before {slowest}, so its slowest "
        "dossiers may be missing; the comparison of what was received leads (rulebook 7d)"
    )


def _tell_change(change: baselines.Change) -> None:
    before, after = change.before, change.after
    say(f"from baseline {before.id} to {after.id}: {before.n_dossiers} → {after.n_dossiers} dossiers")
    if change.means:
        say(
            f"  capped mean at the mix of baseline {before.id}: {change.means[0]:.1f} → {change.means[1]:.1f} minutes, "
            f"over the {change.n_both} procedures of both"
        )
    say(f"  {change.procedures.num_rows} of {change.n_procedures} procedures moved, {change.n_caps} caps among them")
    for line in change.inputs or ["the same inputs"]:
        say(f"  {line}")
