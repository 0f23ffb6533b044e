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

from procmon.judge.numbers import share
from procmon.judge.question import Question
from procmon.judge.rule_sets import APART, MOVES
from procmon.tables import FIGURES, FORM_06

Row = dict[str, object]
Shown = Mapping[str, Any]

LIMIT_COUNTS = ("n_limit_50", "n_limit_30", "n_limit_less", "n_limit_unchanged", "n_limit_longer", "n_no_limit")
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
        rows += _reduction(row, place)
    rows += [_target(row) for row in _rows(tables, "targets")]
    rows += _form_06(_rows(tables, "form_06"), place)
    rows += _on_time(_rows(tables, "on_time"), place)
    rows += _bridge(_rows(tables, "bridge"), place)
    rows += _boundaries(_rows(tables, "boundaries"), place)
    rows += _due_soon(_rows(tables, "due_soon"), place)
    rows += _trend(_rows(tables, "trend"), place)
    for row in _rows(tables, "quality"):
        if row["unit_of_count"] == "dossiers":  # rows and batches are the ledger's: a file taken twice moves them
            rows.append(place.today() | _share(f"quality.{row['item']}", row["n"], row["n_of"]))
    return FIGURES.from_rows(rows)


class Place:
    """Whose dossiers a page's figures are about, as scope and scope_id, and over which days."""

    def __init__(self, question: Question) -> None:
        self.question = question
        kind, self.scope_id = question.headline
        self.scope = {"unit": "department", "field": "department"}.get(kind, kind)
        if self.scope != "city":
            self.scope_id = f"{'unit' if kind == 'centre' else kind}:{self.scope_id}"

    def part(self, kind: str, part_id: str) -> Row:
        """Scope of a part: the city's parts need no more than their own name."""
        if self.scope == "city":
            return {"scope": kind, "scope_id": part_id}
        return {"scope": f"{self.scope}/{kind}", "scope_id": f"{self.scope_id}/{part_id}"}

    def whole(self) -> Row:
        """Scope of all of the page's dossiers."""
        return {"scope": self.scope, "scope_id": self.scope_id}

    def today(self) -> Row:
        """All of the page's dossiers, as of the instant asked."""
        return self.whole() | self.as_of()

    def as_of(self) -> Row:
        """Figures of an instant have no first day."""
        return {"period_to": self.question.today}

    def days(self, *, compared: bool) -> Row:
        """The period of form 06, or the one whose times are compared."""
        period = self.question.compare if compared else self.question.period
        return {"period_from": period.from_, "period_to": period.to}


def _rows(tables: Mapping[str, pa.Table], name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables[name].to_pylist()
    return rows


def _share(figure: str, part: int, whole: int) -> Row:
    return {"figure": figure, "numerator": part, "denominator": whole, "value": share(part, whole), "n": whole}


def _reduction(row: Shown, place: Place) -> Iterator[Row]:
    """Of a procedure without dossiers the limit alone."""
    is_headline = (row["scope"], row["scope_id"]) == place.question.headline
    base = place.whole() if is_headline else place.part(row["scope"], row["scope_id"])
    base |= place.days(compared=True)
    is_procedure = row["scope"] == "procedure"
    yield base | {"figure": "reductions.limit_cut", "value": row["limit_cut"], "verdict": row["limit_class"]}
    if not is_procedure:
        n = sum(row[name] for name in LIMIT_COUNTS) - row["n_no_limit"]
        for name in LIMIT_COUNTS:
            counted = {"figure": f"reductions.{name}", "numerator": row[name], "n": row[name]}
            yield base | (counted if name == "n_no_limit" else _share(f"reductions.{name}", row[name], n))
    if is_procedure and not row["n_baseline"] and not row["n_period"]:
        return
    behind: Row = {"n": row["n_period"], "n_baseline": row["n_baseline"]}
    yield base | behind | {
        "figure": "reductions.actual_cut",
        "numerator": row["numerator_seconds"],
        "denominator": row["denominator_seconds"],
        "value": row["actual_cut"],
        "lower": row["cut_lower"],
        "upper": row["cut_upper"],
        "verdict": row["verdict"],
    }
    yield base | _share("reductions.coverage", row["n_covered_baseline"], row["n_baseline"])
    for name in ("mean", "median", "p90") if is_procedure else ("mean",):
        for side, n in (("period", "n_period"), ("baseline", "n_baseline")):
            column = f"{name}_{side}_minutes"
            yield base | {"figure": f"reductions.{column}", "value": row[column], "n": row[n]}
    for side, n in (("period", "n_covered_period"), ("baseline", "n_covered_baseline")):
        yield base | _share(f"reductions.n_capped_{side}", row[f"n_capped_{side}"], row[n])
    for name, of in (
        ("n_on_time_old", "n_judged_both"), ("n_on_time_new", "n_judged_both"),
        ("n_baseline_on_time", "n_baseline_judged"),
    ):  # fmt: skip
        yield base | _share(f"reductions.{name}", row[name], row[of]) | {"rule_set": "index_766"}


def _target(row: Shown) -> Row:
    same = ("scope", "scope_id", "period_from", "period_to", "lower", "upper", "n_baseline", "verdict")
    found: Row = {name: row[name] for name in same}
    return found | {"figure": f"targets.{row['name']}", "value": row["reduction"], "n": row["n_period"]}


def _form_06(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """Each row of the form, and their total."""
    total: Counter[str] = Counter()
    days = place.days(compared=False) | {"rule_set": "form_06"}
    for row in rows:
        counts = {column: row[column] for column in FORM_06.names[2:]}
        total.update(counts)
        part = place.part("field/level", f"{row['field']}/{row['level']}")
        for column, n in counts.items():
            yield part | days | _share(f"form_06.{column}", n, counts["received"])
    for column in FORM_06.names[2:]:
        yield place.whole() | days | _share(f"form_06.{column}", total[column], total["received"])


def _on_time(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """The share of each row under its rule set; of all dossiers the other counts as well."""
    for row in rows:
        is_headline = (row["scope"], row["scope_id"]) == place.question.headline
        base = place.whole() if is_headline else place.part(row["scope"], row["scope_id"])
        base |= place.days(compared=False) | {"rule_set": row["rule_set"]}
        yield base | _share("on_time.n_on_time", row["n_on_time"], row["n_judged"])
        if is_headline:
            for name in ("n_late", "n_pending_on_time", "n_pending_late"):
                yield base | _share(f"on_time.{name}", row[name], row["n_judged"])
            for name in APART:
                yield base | _share(f"on_time.{name}", row[name], row["n_dossiers"])


def _bridge(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """What each step moves, and where it leads: on time out of the judged; of all dossiers only."""
    for row in rows:
        base = place.whole() | place.days(compared=False) | {"rule_set": row["to_rule_set"]}
        name = f"bridge.{row['step']}"
        yield base | _share(f"{name}.n_on_time", row["n_on_time"], row["n_judged"])
        for move in MOVES:
            yield base | {"figure": f"{name}.{move}", "numerator": row[move], "n": row[move]}


def _boundaries(rows: list[dict[str, Any]], place: Place) -> Iterator[Row]:
    """Shares of the procedures on offer, sums over all dossiers, and each procedure's evidence."""
    offered = [row for row in rows if row["is_on_offer"]]
    verdicts = Counter(row["verdict"] for row in offered)
    for name in BOUNDARY_VERDICTS:
        yield place.today() | _share(f"boundaries.{name}", verdicts[name], len(offered))
    announced = sum(row["is_announced"] for row in offered)
    yield place.today() | _share("boundaries.announced", announced, len(offered))
    n_dossiers = sum(row["n_dossiers"] for row in rows)
    for name in BOUNDARY_COUNTS:
        n = sum(row[f"n_{name}"] for row in rows)
        yield place.today() | _share(f"boundaries.n_{name}", n, n_dossiers)
    for row in rows:
        base = place.part("procedure", row["procedure_id"]) | place.as_of()
        n = row["n_dossiers"]
        yield base | _share("boundaries.n_cross_finished", row["n_cross_finished"], n) | {"verdict": row["verdict"]}
        if n:
            yield base | _share("boundaries.n_receiving_units", row["n_receiving_units"], row["n_units_that_could"])
            for name in BOUNDARY_COUNTS:
                yield base | _share(f"boundaries.n_{name}", row[f"n_{name}"], n)


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
        yield base | _share(f"due_soon.{name}", n, states.total()) | {"rule_set": "index_766"}


def _trend(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """Each point; its period is the one compared, since the set of procedures is that period's."""
    for row in rows:
        base = place.part(row["step"], row["starts_on"].isoformat()) | place.days(compared=True)
        yield base | {"figure": "trend.ratio", "value": row["ratio"], "n": row["n"]}
        yield base | {"figure": "trend.mean_minutes", "value": row["mean_minutes"], "n": row["n"]}
