"""The tables of a run in long form: every figure a row of `figures`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from procmon.judge.question import Question
from procmon.tables import FIGURES, FORM_06

Row = dict[str, object]


def figures(tables: Mapping[str, pa.Table], question: Question) -> pa.Table:
    """Table FIGURES of one question's tables, in their order."""
    kind, scope_id = question.headline
    here: Row = {"scope": kind, "scope_id": scope_id}
    rows: list[Row] = []
    for row in tables["reductions"].to_pylist():
        rows += _reduction(row, here)
    rows += [_target(row) for row in tables["targets"].to_pylist()]
    rows += _form_06(tables["form_06"], question, here)
    rows += _boundaries(tables["boundaries"], question, here)
    rows += _due_soon(tables["due_soon"], question, here)
    rows += [_quality(row, question, here) for row in tables["quality"].to_pylist()]
    return FIGURES.from_rows(rows)


def _reduction(row: Mapping[str, Any], here: Row) -> list[Row]:
    # A procedure's or part's row says whose dossiers it is of: the city's, or those of the page's scope.
    name = "" if here["scope"] == "city" else f"{here['scope']}:{here['scope_id']}/"
    scope_id = row["scope_id"] if row["scope"] == here["scope"] else f"{name}{row['scope_id']}"
    base: Row = {
        "scope": row["scope"],
        "scope_id": scope_id,
        "period_from": row["period_from"],
        "period_to": row["period_to"],
    }
    actual = base | {
        "figure": "reductions.actual_cut",
        "numerator": row["numerator_seconds"],
        "denominator": row["denominator_seconds"],
        "value": row["actual_cut"],
        "lower": row["cut_lower"],
        "upper": row["cut_upper"],
        "n": row["n_period"],
        "n_baseline": row["n_baseline"],
        "verdict": row["verdict"],
    }
    limit = base | {"figure": "reductions.limit_cut", "value": row["limit_cut"], "verdict": row["limit_class"]}
    on_time = [
        base | _share(f"reductions.{name}", row[name], row["n_judged_both"]) | {"rule_set": "index_766"}
        for name in ("n_on_time_old", "n_on_time_new")
    ]
    return [actual, limit, *on_time]


def _share(figure: str, part: int, whole: int) -> Row:
    value = float(f"{part / whole:.9g}") if whole else None
    return {"figure": figure, "numerator": part, "denominator": whole, "value": value, "n": whole}


def _target(row: Mapping[str, Any]) -> Row:
    return {
        "figure": f"targets.{row['name']}",
        "scope": row["scope"],
        "scope_id": row["scope_id"],
        "period_from": row["period_from"],
        "period_to": row["period_to"],
        "value": row["reduction"],
        "lower": row["lower"],
        "upper": row["upper"],
        "n": row["n_period"],
        "n_baseline": row["n_baseline"],
        "verdict": row["verdict"],
    }


def _form_06(table: pa.Table, question: Question, here: Row) -> list[Row]:
    rows = []
    for row in table.to_pylist():
        for column in FORM_06.names[2:]:
            whole = row["received"]
            rows.append(
                here
                | _share(f"form_06.{column}", row[column], whole)
                | {
                    "rule_set": "form_06",
                    "scope_id": f"{here['scope_id']}/{row['field']}/{row['level']}".lstrip("/"),
                    "scope": f"{here['scope']}/field/level",
                    "period_from": question.period.from_,
                    "period_to": question.period.to,
                }
            )
    return rows


def _boundaries(table: pa.Table, question: Question, here: Row) -> list[Row]:
    offered = [row for row in table.to_pylist() if row["is_on_offer"]]
    days: Row = {"period_to": question.today}
    rows = []
    for name in ("refused_elsewhere", "proven", "announced_only", "online_only", "local_only", "no_data"):
        n = sum(row["verdict"] == name for row in offered)
        rows.append(here | days | _share(f"boundaries.{name}", n, len(offered)))
    announced = sum(row["is_announced"] for row in offered)
    rows.append(here | days | _share("boundaries.announced", announced, len(offered)))
    for row in table.to_pylist():
        rows.append(
            days
            | {
                "figure": "boundaries.verdict",
                "scope": "procedure",
                "scope_id": row["procedure_id"],
                "numerator": row["n_cross_finished"],
                "denominator": row["n_dossiers"],
                "n": row["n_dossiers"],
                "verdict": row["verdict"],
            }
            | ({} if here["scope"] == "city" else {"scope": f"{here['scope']}:{here['scope_id']}/procedure"})
        )
    return rows


def _due_soon(table: pa.Table, question: Question, here: Row) -> list[Row]:
    states = table["state"].to_pylist()
    names = ("overdue", "due_1", "due_2", "due_3", "later", "waiting", "nothing_to_judge_by")
    return [
        here
        | {"period_to": question.today, "rule_set": "index_766"}
        | _share(f"due_soon.{name}", states.count(name), len(states))
        for name in names
    ]


def _quality(row: Mapping[str, Any], question: Question, here: Row) -> Row:
    return here | {"period_to": question.today} | _share(f"quality.{row['item']}", row["n"], row["n_of"])
