"""The command that explains: a dossier's minutes, or a run's figure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from procmon import explain
from procmon.ask import Filters, moment_of
from procmon.cli import common
from procmon.cli.common import example, now, option, with_workspace
from procmon.cli.questions import read_policies
from procmon.errors import UsageProblem
from procmon.inputs import find_run, read_inputs
from procmon.store.workspace import Workspace
from procmon.tables import RULE_SETS


@click.command(
    "explain",
    epilog=example(
        "procmon explain --dossier H24.10696-20250117-0004368 --workspace procmon-demo\n"
        "procmon explain on_time.n_on_time --workspace procmon-demo"
    ),
)
@click.argument("figure", metavar="[FIGURE]", required=False)
@option("--dossier", metavar="ID", help="Explain this dossier: events, open time, due date, verdicts.")
@option("--as-of", help="A dossier as of this instant; a day means its end. Default: the last done run's, else now.")
@option("--policy", multiple=True, metavar="NAME=VALUE", help="A dossier under this policy: what if.")
@option("--rule-set", type=click.Choice(RULE_SETS), help="Only the verdict, or the figure, of this rule set.")
@option("--run", type=int, metavar="N", help="What run N saw. Default: a figure of the last done run.")
@option("--scope", help="A figure's scope, such as city, field or procedure. Default: city.")
@option("--scope-id", help="Which one; '' is the unit, field or level that is not known.")
@option("--period-to", type=click.DateTime(["%Y-%m-%d"]), help="A figure's `period_to`, where it is told of many.")
@option("--dossiers", is_flag=True, help="List the dossiers that a figure counts or is made of.")
@option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form.")
@option("--output", type=click.Path(dir_okay=False), default="-", help="File to write; - is stdout.")
@with_workspace
def explain_command(
    workspace: Workspace, figure: str | None, dossier: str | None, as_of: str | None, policy: tuple[str, ...],
    rule_set: str | None, run: int | None, scope: str | None, scope_id: str | None, period_to: datetime | None,
    dossiers: bool, form: str, output: str,
) -> None:  # fmt: skip
    """Say how FIGURE (a name of `show figures`) came about, or where each minute of a dossier is from."""
    if (figure is None) == (dossier is None):
        raise UsageProblem("explain either a figure or a dossier", remedy="procmon explain --dossier ID")
    if dossier is not None:
        of_figures = {"--scope": scope, "--scope-id": scope_id, "--period-to": period_to, "--dossiers": dossiers}
        _refuse(of_figures, "a figure", "Leave them out.")
        told: Any = _dossier(workspace, dossier, as_of, policy, rule_set, run)
        text = explain.dossier_text(told) if form == "table" else ""
    else:
        _refuse({"--as-of": as_of, "--policy": policy}, "a dossier: a figure is a run's", "Name its --run.")
        told = explain.explain_figure(
            workspace, figure or "", run_id=run, scope=scope, scope_id=scope_id, rule_set=rule_set or "",
            period_to=period_to.date() if period_to else None, with_dossiers=dossiers,
        )  # fmt: skip
        text = explain.figure_text(told) if form == "table" else ""
    if form == "json":
        plain = _plain(dataclasses.asdict(told), workspace.settings.zone)
        text = json.dumps(plain, ensure_ascii=False, indent=1) + "\n"
    common.write([text.encode()], output)


def _refuse(options: Mapping[str, object], what_for: str, remedy: str) -> None:
    """Raises: UsageProblem naming those of the options that were given."""
    given = [name for name, value in options.items() if value not in (None, (), False)]
    if given:
        raise UsageProblem(f"{', '.join(given)}: only for {what_for}", remedy=remedy)


def _dossier(
    workspace: Workspace, dossier: str, as_of: str | None, policy: tuple[str, ...], rule_set: str | None,
    run_id: int | None,
) -> Any:  # fmt: skip
    run = find_run(workspace, run_id) if run_id is not None else None
    named = common.read_instant(as_of, workspace.settings.zone) if as_of else None
    moment, is_period_end = moment_of(workspace, Filters(named, common.is_day(as_of), run=run_id), now=now())
    seen = read_inputs(workspace, run, forced=read_policies(policy))
    told = explain.explain_dossier(workspace, seen, dossier, as_of=moment, is_period_end=is_period_end)
    kept = [verdict for verdict in told.verdicts if rule_set in (None, verdict.rule_set)]
    return dataclasses.replace(told, verdicts=kept)


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """Values as JSON has them: instants and days as text, instants to their last digit."""
    if isinstance(value, dict):
        return {name: _plain(one, zone) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, zone) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return str(value) if isinstance(value, date) else value
