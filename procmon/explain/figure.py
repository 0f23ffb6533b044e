"""A figure explained: what it is, what the run that has it saw, the SQL that counted it, and the dossiers behind it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from procmon.engine import sql_text
from procmon.errors import UsageProblem
from procmon.explain.behind import dossiers_of
from procmon.inputs import find_run
from procmon.judge.definitions import MEASURE_SQL, definition
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import FIGURES

MOST_ROWS = 40

Row = dict[str, Any]


@dataclass(frozen=True)
class FigureTold:
    """Everything that `procmon explain FIGURE` says; `dossiers` are None where they were not asked for.

    `rows` are those of table FIGURES, `n_more` how many more there are; `sql` is file → text.
    """

    figure: str
    says: str
    section: str
    run: dict[str, str]
    rows: list[Row]
    n_more: int
    sql: dict[str, str]
    then: str
    dossiers: list[str] | None
    n_dossiers: int | None


def explain_figure(
    workspace: Workspace, figure: str, *, run_id: int | None, scope: str | None, scope_id: str | None, rule_set: str,
    period_to: date | None, with_dossiers: bool,
) -> FigureTold:  # fmt: skip
    """Explain a figure of a done run (the last one by default).

    Args:
        scope, scope_id: as in table FIGURES; None: the city's, else every scope that has it. rule_set: empty for all.
        period_to: as in table FIGURES; None: every one.

    Raises: UsageProblem for a figure that the run does not have, and for dossiers of what counts none.
    """
    run = find_run(workspace, run_id)
    if run is None:
        raise UsageProblem("there has been no run, so there are no figures", remedy="procmon run")
    table = ledger.read_table(workspace.ledger_db, "figures", run_id=run.id).select(FIGURES.names)
    found = definition(figure)
    known = sorted(set(table["figure"].to_pylist()))
    if found is None or figure not in known:
        near = difflib.get_close_matches(figure, known, 3, cutoff=0.4)
        raise UsageProblem(
            f"run {run.id} has no figure '{figure}'",
            remedy=f"Did you mean {', '.join(near)}?" if near else "See `procmon show figures`.",
        )
    rows = _chosen(table, figure, scope, scope_id, rule_set, period_to)
    ids = dossiers_of(workspace, run, rows) if with_dossiers else None
    return FigureTold(
        figure=figure,
        says=found.says,
        section=found.section,
        run=_versions(workspace, run),
        rows=rows[:MOST_ROWS],
        n_more=max(len(rows) - MOST_ROWS, 0),
        sql={f"procmon/judge/sql/{name}.sql": sql_text("judge", name) for name in found.sql},
        then=found.then,
        dossiers=ids,
        n_dossiers=None if ids is None else len(ids),
    )


def _chosen(
    table: pa.Table, figure: str, scope: str | None, scope_id: str | None, rule_set: str, period_to: date | None
) -> list[Row]:  # fmt: skip
    rows = [
        row
        for row in table.to_pylist()
        if row["figure"] == figure and rule_set in ("", row["rule_set"]) and period_to in (None, row["period_to"])
    ]
    chosen = [row for row in rows if scope in (None, row["scope"]) and scope_id in (None, row["scope_id"] or "")]
    if scope is None and scope_id is None:
        chosen = [row for row in rows if row["scope"] == "city"] or rows
    if not chosen:
        scopes = ", ".join(sorted({row["scope"] for row in rows}))
        raise UsageProblem(
            f"'{figure}' is not told for scope '{scope or ''}' '{scope_id or ''}' rule set '{rule_set}'"
            f"{f' period_to {period_to}' if period_to else ''}",
            remedy=f"Its scopes are {scopes}." if scopes else f"`procmon explain {figure}` shows where it is told.",
        )
    return chosen


def _versions(workspace: Workspace, run: ledger.Run) -> dict[str, str]:
    """What the run saw, as recorded."""
    policies: Mapping[str, object] = json.loads(run.settings)["policies"]
    return {
        "run": str(run.id),
        "as of": run.as_of.astimezone(workspace.settings.zone).isoformat(),
        "lake version": str(run.lake_version),
        "batches": run.batches or "none",
        "registry version": str(run.registry_version),
        "calendar version": run.calendar_version,
        "program version": run.program_version,
        "baseline": str(run.baseline_id or "none"),
        "policies": ", ".join(f"{name}={value}" for name, value in policies.items()),
    }


def measured_by() -> str:
    """The files that make dossiers of the log, for who wants to read on."""
    return ", ".join(f"procmon/measure/sql/{name}.sql" for name in MEASURE_SQL)
