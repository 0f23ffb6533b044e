"""On time under each rule set, side by side, and the bridge from index_766 to the others (rulebook 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from procmon.errors import StoreError
from procmon.judge.numbers import share
from procmon.judge.question import Question
from procmon.judge.units import Units
from procmon.tables import BRIDGE, ON_TIME, RULE_SETS

Row = dict[str, Any]

APART = ("n_without_due_date", "n_stopped", "n_refused", "n_withdrawn")
STEPS = {
    "form_06": (
        "stopped", "refused", "withdrawn", "waiting", "without_due_date", "two_supplements", "pauses", "days",
        "current_due_date",
    ),
    "strict": ("stopped", "refused", "withdrawn", "without_due_date"),
}  # fmt: skip
"""The steps from index_766 to each other rule set, in the order in which they are taken."""
MOVES = ("n_moved", "n_into_on_time", "n_out_of_on_time", "n_into_judged", "n_out_of_judged")
PARTS = {"level": "level", "field": "field", "unit": "unit_told"}
"""The parts that are told too, in order, with their column in step `on_time`."""


def on_time(counted: pa.Table, units: Units, question: Question) -> pa.Table:
    """Table ON_TIME: the question's dossiers, then its levels, fields and units, each under every rule set.

    Args:
        counted: step `on_time`.

    Raises: StoreError if the counts of a row do not add up.
    """
    rows = [_held(row) | _scope(row, units, question) for row in counted.to_pylist()]
    rows = [row for row in rows if row["is_headline"] or row["scope"] != question.headline[0]]
    rows.sort(key=lambda row: (row["place"], row["scope_id"].encode(), RULE_SETS.index(row["rule_set"])))
    return ON_TIME.from_rows([row | {"on_time": share(row["n_on_time"], row["n_judged"])} for row in rows])


def _scope(row: Row, units: Units, question: Question) -> Row:
    """Whose counts a row has; a unit's or field's own page has no row for itself as a part."""
    for place, (scope, column) in enumerate(PARTS.items(), start=1):
        if row[column] is not None:
            part = row[column]
            is_unit = scope == "unit" and part
            return {
                "is_headline": False,
                "place": place,
                "scope": scope,
                "scope_id": units.said(part, question.today) if is_unit else part,
                "name": units.name(part) if is_unit else part,
            }
    scope, scope_id = question.headline
    return {"is_headline": True, "place": 0, "scope": scope, "scope_id": scope_id, "name": ""}


def _held(row: Row) -> Row:
    is_kept = row["n_judged"] == row["n_on_time"] + row["n_late"] and row["n_dossiers"] == row["n_judged"] + sum(
        row[name] for name in APART
    )
    if not is_kept:
        raise StoreError(f"on time: the counts of {row} do not add up", remedy="This is a bug: please report it.")
    return row


def bridge(moves: pa.Table, told: pa.Table, question: Question) -> pa.Table:
    """Table BRIDGE: every step of STEPS between index_766 and the other rule sets, with the counts after it.

    Args:
        moves: step `bridge`.
        told: table ON_TIME, whose first rows speak for all of the question's dossiers.

    Raises: StoreError if the steps do not lead to the other rule set's counts.
    """
    moved = {(row["to_rule_set"], row["step"]): row for row in moves.to_pylist()}
    scope = {"scope": question.headline[0], "scope_id": question.scope_id}
    ends = {row["rule_set"]: row for row in told.slice(0, len(RULE_SETS)).to_pylist()}
    rows: list[Row] = []
    for to_rule_set in STEPS if ends else ():
        rows += [scope | row for row in _waterfall(to_rule_set, moved, ends)]
    return BRIDGE.from_rows(rows)


def _waterfall(to_rule_set: str, moved: Mapping[tuple[str, str], Row], ends: Mapping[str, Row]) -> Iterator[Row]:
    at_start, at_end = ends["index_766"], ends[to_rule_set]
    named = {"from_rule_set": "index_766", "to_rule_set": to_rule_set}
    n_on_time, n_judged = at_start["n_on_time"], at_start["n_judged"]
    yield named | {"step": "start", "n_on_time": n_on_time, "n_judged": n_judged} | dict.fromkeys(MOVES, 0)
    for step in STEPS[to_rule_set]:
        row = moved.get((to_rule_set, step), dict.fromkeys(MOVES, 0))
        n_on_time += row["n_into_on_time"] - row["n_out_of_on_time"]
        n_judged += row["n_into_judged"] - row["n_out_of_judged"]
        counts = {name: row[name] for name in MOVES}
        yield named | {"step": step, "n_on_time": n_on_time, "n_judged": n_judged} | counts
    if (n_on_time, n_judged) != (at_end["n_on_time"], at_end["n_judged"]):
        raise StoreError(
            f"the bridge to {to_rule_set} ends at {n_on_time} of {n_judged} on time, but {to_rule_set} has"
            f" {at_end['n_on_time']} of {at_end['n_judged']}",
            remedy="This is a bug: please report it.",
        )
