"""The tables of a page in long form: every number that it shows in a row of `figures`, found by its key.

The key (figure, rule_set, scope, scope_id, period_from, period_to) is unique over all pages of a run. What is about
the city stands under its own scope (city, level, field, unit, procedure); what is about the dossiers of a centre or a
department under theirs, as in `report --audience department --scope unit:H24.07`: scope `department`, scope_id
`unit:H24.07`, and their parts `department/procedure`, `unit:H24.07/1.001234`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from procmon.judge import times_figures
from procmon.judge.place import Place, Row, share_of
from procmon.judge.question import Question
from procmon.judge.rule_sets import APART, MOVES
from procmon.tables import FIGURES, FORM_06

Shown = Mapping[str, Any]

BOUNDARY_VERDICTS = ("refused_elsewhere", "proven", "announced_only", "online_only", "local_only", "no_data")
BOUNDARY_COUNTS = ("refused_elsewhere", "online", "cross", "undetermined", "returned_elsewhere")
DUE_LISTS = {
    "overdue": ("overdue",),
    "due_1": ("due_1",),
    "due_2": ("due_1", "due_2"),
    "due_3": ("due_1", "due_2", "due_3"),
    "later": ("later",),
    "waiting": ("waiting",),
    "nothing_to_judge_by": ("nothing_to_judge_by",),
}
"""The lists of rulebook 11 and the states that each holds: a list of what is due soon contains the one before."""


def figures(tables: Mapping[str, pa.Table], question: Question) -> pa.Table:
    """Table FIGURES of one question's tables, in their order; `targets` as far as they are given."""
    place = Place(question)
    rows: list[Row] = []
    for row in _rows(tables, "reductions"):
        rows += times_figures.reduction(row, place)
    rows += [times_figures.target(row) for row in _rows(tables, "targets")]
    for row in _rows(tables, "pending_work"):
        rows += times_figures.pending_work(row, place)
    for row in _rows(tables, "open_stock"):
        rows += times_figures.open_stock(row, place)
    rows += times_figures.change(_rows(tables, "change"), place)
    for row in _rows(tables, "way"):
        rows += times_figures.way(row)
    rows += [times_figures.ranking(row, place) for row in _rows(tables, "ranking")]
    for name in ("predecessors", "unit_predecessors"):
        rows += [times_figures.predecessor(row, place) for row in _rows(tables, name)]
    rows += _form_06(_rows(tables, "form_06"), place)
    rows += _on_time(_rows(tables, "on_time"), place)
    rows += _bridge(_rows(tables, "bridge"), place)
    rows += _boundaries(_rows(tables, "boundaries"), place)
    rows += _boundary_shares(_rows(tables, "boundary_shares"), place)
    rows += _parity(_rows(tables, "parity"), place)
    rows += _due_soon(_rows(tables, "due_soon"), place)
    rows += times_figures.trend(_rows(tables, "trend"), place)
    for row in _rows(tables, "quality"):
        if row["unit_of_count"] == "dossiers":  # rows and batches are the ledger's: a file taken twice moves them
            rows.append(place.today() | share_of(f"quality.{row['item']}", row["n"], row["n_of"]))
    return FIGURES.from_rows(rows)


def _rows(tables: Mapping[str, pa.Table], name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables[name].to_pylist()
    return rows


def _form_06(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """Each row of the form, and their total."""
    total: Counter[str] = Counter()
    days = place.days(compared=False) | {"rule_set": "form_06"}
    for row in rows:
        counts = {column: row[column] for column in FORM_06.names[2:]}
        total.update(counts)
        part = place.part("field/level", f"{row['field']}/{row['level']}")
        for column, n in counts.items():
            yield part | days | share_of(f"form_06.{column}", n, counts["received"])
    for column in FORM_06.names[2:]:
        yield place.whole() | days | share_of(f"form_06.{column}", total[column], total["received"])


def _on_time(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """The share of each row under its rule set; of all dossiers the other counts as well."""
    for row in rows:
        is_headline = (row["scope"], row["scope_id"]) == place.question.headline
        base = place.of(row) | place.days(compared=False) | {"rule_set": row["rule_set"]}
        yield base | share_of("on_time.n_on_time", row["n_on_time"], row["n_judged"])
        if is_headline:
            for name in ("n_late", "n_pending_on_time", "n_pending_late"):
                yield base | share_of(f"on_time.{name}", row[name], row["n_judged"])
            for name in APART:
                yield base | share_of(f"on_time.{name}", row[name], row["n_dossiers"])


def _bridge(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """What each step moves, and where it leads: on time out of the judged; of all dossiers only."""
    for row in rows:
        base = place.whole() | place.days(compared=False) | {"rule_set": row["to_rule_set"]}
        name = f"bridge.{row['step']}"
        yield base | share_of(f"{name}.n_on_time", row["n_on_time"], row["n_judged"])
        for move in MOVES:
            yield base | {"figure": f"{name}.{move}", "numerator": row[move], "n": row[move]}


def _boundaries(rows: list[dict[str, Any]], place: Place) -> Iterator[Row]:
    """Shares of the procedures on offer, sums over all dossiers, and each procedure's evidence."""
    offered = [row for row in rows if row["is_on_offer"]]
    verdicts = Counter(row["verdict"] for row in offered)
    for name in BOUNDARY_VERDICTS:
        yield place.today() | share_of(f"boundaries.{name}", verdicts[name], len(offered))
    announced = sum(row["is_announced"] for row in offered)
    yield place.today() | share_of("boundaries.announced", announced, len(offered))
    n_dossiers = sum(row["n_dossiers"] for row in rows)
    for name in BOUNDARY_COUNTS:
        n = sum(row[f"n_{name}"] for row in rows)
        yield place.today() | share_of(f"boundaries.n_{name}", n, n_dossiers)
    for row in rows:
        base = place.part("procedure", row["procedure_id"]) | place.as_of()
        n = row["n_dossiers"]
        yield base | share_of("boundaries.n_cross_finished", row["n_cross_finished"], n) | {"verdict": row["verdict"]}
        if n:
            yield base | share_of("boundaries.n_receiving_units", row["n_receiving_units"], row["n_units_that_could"])
            for name in BOUNDARY_COUNTS:
                yield base | share_of(f"boundaries.n_{name}", row[f"n_{name}"], n)


def _boundary_shares(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """The difference between list and practice, and the same shares by level and field; the months are not kept."""
    for row in rows:
        is_headline = (row["scope"], row["scope_id"]) == place.question.headline
        if row["scope"] == "month":
            continue
        base = place.whole() if is_headline else place.part(row["scope"], row["scope_id"])
        base |= place.as_of()
        for name in ("announced_not_proven", "proven_not_announced"):
            yield base | share_of(f"boundaries.{name}", row[f"n_{name}"], row["n_on_offer"])
        if not is_headline:
            for name in (*BOUNDARY_VERDICTS, "announced"):
                yield base | share_of(f"boundaries.{name}", row[f"n_{name}"], row["n_on_offer"])


def _parity(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """Each comparison with its 95 % interval; `n` are the cross-boundary dossiers, `n_baseline` the local ones."""
    for row in rows:
        base = place.whole() if row["scope"] == "city" else place.part(row["scope"], row["scope_id"])
        yield base | place.as_of() | {
            "figure": f"parity.{row['measure']}",
            "numerator": row["cross_value"],
            "denominator": row["local_value"],
            "value": row["difference"],
            "lower": row["lower_95"],
            "upper": row["upper_95"],
            "n": row["n_covered_cross"],
            "n_baseline": row["n_covered_local"],
            "verdict": row["verdict"],
        }


def _due_soon(rows: list[dict[str, Any]], place: Place) -> Iterator[Row]:
    """The lists' lengths, of all pending dossiers and of each holding unit's."""
    yield from _due_lists(Counter(row["state"] for row in rows), place.today())
    by_holder: dict[str, Counter[str]] = {}
    for row in rows:
        by_holder.setdefault(row["holding_unit_id"] or "", Counter())[row["state"]] += 1
    for unit, states in sorted(by_holder.items()):
        yield from _due_lists(states, place.part("holding_unit", unit) | place.as_of())


def _due_lists(states: Counter[str], base: Row) -> Iterator[Row]:
    for name, held in DUE_LISTS.items():
        n = sum(states[state] for state in held)
        yield base | share_of(f"due_soon.{name}", n, states.total()) | {"rule_set": "index_766"}
