"""The dossiers behind a figure: those that the very step counted which the figure is of, of a page or of a part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from procmon import pages
from procmon.errors import UsageProblem
from procmon.explain.days import must_agree
from procmon.inputs import Inputs, is_end_of, measured, nightly_period, read_inputs
from procmon.judge import Judge, Question
from procmon.judge.definitions import definition, dossiers_sql
from procmon.judge.figures import DUE_LISTS
from procmon.judge.reductions import Scope
from procmon.pages import Ask
from procmon.run import asks_of_tonight
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import TEXT

COUNTING_TABLES = (
    "reductions", "pending_work", "open_stock", "form_06", "on_time", "bridge", "boundaries", "due_soon", "quality",
)  # fmt: skip
"""Tables whose making counts the dossiers behind figures."""

COVERED = ("reductions.coverage", "reductions.n_capped_period", "reductions.n_capped_baseline")
"""Figures of the procedures in the fixed mix alone."""

OPTIONS = {"rule_set": "--rule-set", "scope": "--scope", "scope_id": "--scope-id", "period_to": "--period-to"}
MOST_NAMED = 6

Row = Mapping[str, Any]
Part = tuple[str, str]
"""Kind and id of a part of a page's dossiers, such as `level` and `city`; both empty: all of them."""


def dossiers_of(workspace: Workspace, run: ledger.Run, rows: Sequence[Row]) -> list[str]:
    """The dossiers behind the one row of FIGURES, measured again from what the run saw; as many as it counts.

    Raises: UsageProblem for a figure that no step counts dossiers of, for one that is not known and for several rows,
    StoreError if the number differs.
    """
    row = rows[0]
    if not counts_dossiers(row["figure"]):
        raise UsageProblem(
            f"no step of the SQL counts the dossiers of '{row['figure']}' by themselves, so none can be listed",
            remedy=f"`procmon explain {row['figure']}` shows what it is made of.",
        )
    if len(rows) > 1:
        raise UsageProblem(
            f"'{row['figure']}' is told {len(rows)} times here, and dossiers are listed of one",
            remedy=f"Name {' and '.join(_choices(rows))}.",
        )
    n = n_behind(row)
    if n is None:
        raise UsageProblem(
            f"'{row['figure']}' is not known here, so nobody can say which dossiers it is of",
            remedy=f"`procmon explain {row['figure']}` shows where it is told.",
        )
    seen = read_inputs(workspace, run)
    as_of = run.as_of.astimezone(workspace.settings.zone)
    ask, part = page_of(row, asks_of_tonight(seen, as_of))
    with measured(workspace, seen, as_of, is_period_end=is_end_of(workspace, nightly_period(as_of), as_of)) as engine:
        judge = pages.judge_of(workspace, seen, engine)
        question = pages.question_of(workspace, seen, as_of, ask)
        count(workspace, seen, judge, question, [row["figure"].partition(".")[0]])
        ids = dossiers_behind(judge, question, row, part)
    must_agree(f"the dossiers of {row['figure']}", len(ids), n)
    return ids


def _choices(rows: Iterable[Row]) -> Iterable[str]:
    """The options that tell the rows apart, each with what it may be."""
    for column, option in OPTIONS.items():
        values = sorted({str(row[column] or "''") for row in rows})
        if len(values) > 1:
            more = ", …" if len(values) > MOST_NAMED else ""
            yield f"{option} (one of {', '.join(values[:MOST_NAMED])}{more})"


def counts_dossiers(figure: str) -> bool:
    """Whether a step counts the dossiers that a figure counts or is made of."""
    found = definition(figure)
    return figure.startswith("due_soon.") or bool(found and found.counted_in)


def n_behind(row: Row) -> int | None:
    """How many dossiers a row of FIGURES is of: a count's numerator; the `n` of what is made of them; None: unknown."""
    found = definition(row["figure"])
    n = row["numerator"] if found is None or found.column or not found.counted_in else row["n"]
    return None if n is None else int(n)


def page_of(row: Row, asks: Iterable[Ask]) -> tuple[Ask, Part]:
    """The page of a run (`asks`) on which a row of FIGURES stands, and the part of its dossiers (judge/place.py)."""
    scope, scope_id = row["scope"], row["scope_id"] or ""
    audience, _, kind = scope.partition("/")
    of_audience = [ask for ask in asks if ask.audience == audience and ask.scope]
    found = [ask for ask in of_audience if scope_id == ask.scope or (kind and scope_id.startswith(f"{ask.scope}/"))]
    if found:
        ask = max(found, key=lambda ask: len(ask.scope))
        return ask, (kind, scope_id[len(ask.scope) + 1 :])
    city = next(ask for ask in asks if ask.audience == "city")
    return city, ("", "") if scope == "city" else (scope, scope_id)


def count(
    workspace: Workspace, seen: Inputs, judge: Judge, question: Question, tables: Collection[str] = COUNTING_TABLES
) -> None:
    """Let a judge make what the figures of a question's `tables` were counted from, in its engine."""
    judge.tables(question, batches=pages.batch_counts(workspace, seen), names=tables)
    judge.evidence(question)


def dossiers_behind(judge: Judge, question: Question, row: Row, part: Part) -> list[str]:
    """The dossiers of a part that a row of FIGURES counts, by code, once the question is counted (`count`)."""
    engine, found = judge.engine, definition(row["figure"])
    table, _, name = row["figure"].partition(".")
    wanted: dict[str, Sequence[str]] = {}
    if found is None or not found.counted_in:
        sql = "SELECT dossier_id FROM due_soon WHERE true"
        wanted["state"] = DUE_LISTS[name]
    else:
        sql = dossiers_sql(found)
    if table == "on_time":
        wanted["rule_set"] = [row["rule_set"]]
    elif table == "bridge":
        wanted |= {"to_rule_set": [row["rule_set"]], "step": [name.partition(".")[0]]}
    elif table == "open_stock":
        wanted["CAST(m.month_end_on AS VARCHAR)"] = [str(row["period_to"])]
    wanted |= _of_part(judge, question, table, part)
    if row["figure"] in COVERED:
        wanted["procedure_key"] = list(_scope(judge, question, part).cut.weights)
    for n, (column, values) in enumerate(wanted.items()):
        engine.give(f"wanted_{n}", pa.table({"value": pa.array(values, TEXT)}))
        sql += f"\nAND {column} IN (SELECT w.value FROM wanted_{n} AS w)"  # noqa: S608 - our own columns
    ids = engine.query(f"SELECT dossier_id FROM ({sql}) ORDER BY dossier_id NULLS FIRST")["dossier_id"]  # noqa: S608
    return [str(dossier_id) for dossier_id in ids.to_pylist()]


def _of_part(judge: Judge, question: Question, table: str, part: Part) -> dict[str, Sequence[str]]:
    """Columns of the step that counts a table's dossiers → the values that those of a part have there.

    Form 06 and on_time go by field and level at receipt, reductions by those of the compared period's last day.
    """
    kind, part_id = part
    if not kind:
        return {}
    if kind == "field/level":
        field, _, level = part_id.rpartition("/")
        return {"field": [field], "level": [level]}
    if kind == "holding_unit":
        return {"coalesce(holding_unit_id, '')": [part_id]}
    if kind == "procedure":
        return {"procedure_key": [part_id]}
    evidence = judge.evidence(question)
    if kind in ("unit", "department"):
        column = "unit_told" if table == "on_time" else "unit_today"
        return {column: [key for key in _figured(judge, column) if evidence.home(kind, key) == part_id]}
    if table == "on_time":
        return {kind: [part_id]}
    scope = _scope(judge, question, part)
    return {"procedure_key": [code for code in _figured(judge, "procedure_key") if evidence.holds(scope, code)]}


def _scope(judge: Judge, question: Question, part: Part) -> Scope:
    """The part of a question's dossiers, as reductions have it."""
    evidence = judge.evidence(question)
    scopes = [*evidence.parts, *evidence.procedures]
    return next((scope for scope in scopes if (scope.kind, scope.id) == part), evidence.headline)


def _figured(judge: Judge, column: str) -> list[str]:
    """What the dossiers of the question have in a column; of `told` units those of the period alone."""
    tables = ["figured"] if column == "unit_told" else ["figured", "baseline_places"]
    values = " UNION ".join(f'SELECT "{column}" AS value FROM {table}' for table in tables)  # noqa: S608
    rows = judge.engine.query(f"SELECT value FROM ({values}) ORDER BY 1 NULLS FIRST")  # noqa: S608
    return [str(value) for value in rows["value"].to_pylist()]
