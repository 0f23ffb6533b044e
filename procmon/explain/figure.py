"""A figure explained: what it is, what the run that has it saw, the SQL that counted it, and the dossiers behind it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from procmon import pages
from procmon.engine import Engine, sql_text
from procmon.errors import UsageProblem
from procmon.explain.days import must_agree
from procmon.inputs import closed_period, find_run, measured, read_inputs
from procmon.judge.definitions import MEASURE_SQL, Definition, definition, dossiers_sql
from procmon.judge.figures import DUE_LISTS
from procmon.run import day_after
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import FIGURES

WHOLE = ("city", "centre", "department")
"""Scopes of a page's every dossier; the others are parts of one."""

MOST_ROWS = 40
MOST_DOSSIERS = 1000
OF_PERIOD = ("reductions.actual_cut", "reductions.mean_period_minutes")
"""Figures made of the dossiers finished in the period compared."""

COUNTING_TABLES = ("reductions", "form_06", "on_time", "boundaries", "due_soon", "quality")
"""Tables whose making counts the dossiers behind figures."""

Row = dict[str, Any]


@dataclass(frozen=True)
class FigureTold:
    """Everything that `procmon explain FIGURE` says; `dossiers` are None where they were not asked for.

    `rows` are those of table FIGURES, `n_more` how many more there are; `sql` is file → text; of `n_dossiers` dossiers
    the first MOST_DOSSIERS are listed.
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
    workspace: Workspace, figure: str, *, run_id: int | None, scope: str, scope_id: str, rule_set: str,
    with_dossiers: bool,
) -> FigureTold:  # fmt: skip
    """Explain a figure of a done run (the last one by default).

    Args:
        scope, scope_id: as in table FIGURES; empty: the city's, else every scope that has it. rule_set: empty for all.

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
    rows = _chosen(table, figure, scope, scope_id, rule_set)
    ids = _dossiers(workspace, run, found, rows) if with_dossiers else None
    return FigureTold(
        figure=figure,
        says=found.says,
        section=found.section,
        run=_versions(workspace, run),
        rows=rows[:MOST_ROWS],
        n_more=max(len(rows) - MOST_ROWS, 0),
        sql={f"procmon/judge/sql/{name}.sql": sql_text("judge", name) for name in found.sql},
        then=found.then,
        dossiers=None if ids is None else ids[:MOST_DOSSIERS],
        n_dossiers=None if ids is None else len(ids),
    )


def _chosen(table: pa.Table, figure: str, scope: str, scope_id: str, rule_set: str) -> list[Row]:
    rows = [row for row in table.to_pylist() if row["figure"] == figure and rule_set in ("", row["rule_set"])]
    if scope or scope_id:
        chosen = [row for row in rows if scope in ("", row["scope"]) and scope_id in ("", row["scope_id"])]
    else:
        chosen = [row for row in rows if row["scope"] == "city"] or rows
    if not chosen:
        scopes = ", ".join(sorted({row["scope"] for row in rows}))
        raise UsageProblem(
            f"'{figure}' is not told for scope '{scope}' '{scope_id}' rule set '{rule_set}'",
            remedy=f"Its scopes are {scopes}." if scopes else "See `procmon show figures`.",
        )
    return chosen


def _versions(workspace: Workspace, run: ledger.Run) -> dict[str, str]:
    """What the run saw, as recorded."""
    policies: Mapping[str, object] = json.loads(run.settings)["policies"]
    return {
        "run": str(run.id),
        "as of": run.as_of.astimezone(workspace.settings.zone).isoformat(timespec="seconds"),
        "lake version": str(run.lake_version),
        "batches": run.batches or "none",
        "registry version": str(run.registry_version),
        "calendar version": run.calendar_version,
        "program version": run.program_version,
        "baseline": str(run.baseline_id or "none"),
        "policies": ", ".join(f"{name}={value}" for name, value in policies.items()),
    }


def _dossiers(workspace: Workspace, run: ledger.Run, found: Definition, rows: list[Row]) -> list[str]:
    """The dossiers behind one row, measured again from what the run saw; their number must be the row's.

    Raises: UsageProblem for what is made of no dossiers, StoreError if the number differs.
    """
    row = rows[0]
    table = row["figure"].partition(".")[0]
    counts_none = not found.counted_in and table != "due_soon" and row["figure"] not in OF_PERIOD
    if counts_none or len(rows) > 1 or row["scope"] not in WHOLE:
        raise UsageProblem(
            f"'{row['figure']}' is no one count of dossiers here",
            remedy="It is made of what its SQL says; see `procmon explain` without --dossiers."
            if counts_none
            else f"Name one of {', '.join(sorted({str(r['rule_set']) for r in rows}))} with --rule-set, and a scope of"
            f" {', '.join(WHOLE)}.",
        )
    seen = read_inputs(workspace, run)
    as_of = run.as_of.astimezone(workspace.settings.zone)
    ask = pages.Ask(row["scope"], row["scope_id"] or "", closed_period("daily", day_after(as_of)))
    question = pages.question_of(workspace, seen, as_of, ask)
    with measured(workspace, seen, as_of) as engine:
        judge = pages.judge_of(workspace, seen, engine)
        judge.tables(question, batches=pages.batch_counts(workspace, seen), names=COUNTING_TABLES)
        judge.evidence(question)
        ids = dossiers_behind(engine, row)
    is_of_period = row["figure"] in OF_PERIOD
    must_agree(f"the dossiers of {row['figure']}", len(ids), row["n"] if is_of_period else int(row["numerator"]))
    return ids


def dossiers_behind(engine: Engine, row: Mapping[str, Any]) -> list[str]:
    """The dossiers that a figure counts, by code, in an engine where a judge has made its question's tables.

    `row` is of table FIGURES and about all of the question's dossiers.
    """
    found = definition(row["figure"])
    name = row["figure"].partition(".")[2]
    if row["figure"] in OF_PERIOD:
        sql = "SELECT dossier_id FROM sides WHERE is_now"
    elif found is None or not found.counted_in:
        engine.give("wanted_states", pa.table({"state": list(DUE_LISTS[name])}))
        sql = "SELECT dossier_id FROM due_soon SEMI JOIN wanted_states USING (state)"
    else:
        sql = dossiers_sql(found)
        if found.counted_in == "on_time":
            engine.give("wanted_rule_set", pa.table({"rule_set": [row["rule_set"]]}))
            sql += "\nAND rule_set = (SELECT w.rule_set FROM wanted_rule_set AS w)"
        elif found.counted_in == "boundary_counts":
            sql += "\nAND procedure_key <> ''"
    ids = engine.query(f"SELECT dossier_id FROM ({sql}) ORDER BY dossier_id NULLS FIRST")["dossier_id"]  # noqa: S608
    return [str(dossier_id) for dossier_id in ids.to_pylist()]


def measured_by() -> str:
    """The files that make dossiers of the log, for who wants to read on."""
    return ", ".join(f"procmon/measure/sql/{name}.sql" for name in MEASURE_SQL)
