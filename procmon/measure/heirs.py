"""Units in time: which units stand for one that was taken over, along the registry's successions (rulebook 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import pyarrow as pa

from procmon.tables import UNIT_HEIRS

END = date(9999, 12, 31)

Row = Mapping[str, Any]


class Taking(NamedTuple):
    """A unit takes over another from `since` on, whole or in part; `weight` as loaded, None where none is."""

    heir: str
    since: date
    extent: str
    weight: float | None


class Heir(NamedTuple):
    """A unit that stands for another: for all of it, or for `share` of it (None where nobody has weighed the parts).

    `since`: the last day on which anything of the other went its way.
    """

    unit_key: str
    since: date
    is_whole: bool
    share: Fraction | None


def unit_heirs(versions: pa.Table, successions: pa.Table) -> pa.Table:
    """Table UNIT_HEIRS: of each unit that was taken over, the units that stand for it, by days.

    Args:
        versions: step `unit_versions`; successions: the registry's, with a `weight` or without.

    A unit is taken over whole where one unit only takes it over, with extent `whole`, and so on to the last.
    """
    takings = _takings(versions, successions)
    days = sorted({taking.since for of_unit in takings.values() for taking in of_unit})
    rows: list[dict[str, object]] = []
    for day, until in pairwise([*days, END]):
        by_then = {old: [t for t in of_unit if t.since <= day] for old, of_unit in takings.items()}
        for old in sorted(old for old, of_unit in by_then.items() if of_unit):
            for heir in _together(_heirs(old, by_then, frozenset({old}))):
                share = None if heir.share is None else float(heir.share)
                rows.append({
                    "unit_key": old, "heir_key": heir.unit_key, "from_on": day, "to_on": until,
                    "since": heir.since, "is_whole": heir.is_whole, "share": share,
                })  # fmt: skip
    return UNIT_HEIRS.from_rows(rows)


def _takings(versions: pa.Table, successions: pa.Table) -> dict[str, list[Taking]]:
    """Who takes over each unit: an old code means the unit of the day before, a new one that of the day itself."""
    known: dict[str, list[Row]] = defaultdict(list)
    for version in versions.to_pylist():
        known[version["unit_id"]].append(version)

    def key(code: str, day: date) -> str:
        valid = (v for v in known.get(code, ()) if v["valid_from"] <= day < v["ends_on"])
        return next((str(v["unit_key"]) for v in valid), f"{code}@")

    takings: dict[str, list[Taking]] = defaultdict(list)
    for row in successions.to_pylist():
        since = row["effective_on"]
        old = key(row["old_unit_id"], since - timedelta(days=1))
        takings[old].append(Taking(key(row["new_unit_id"], since), since, row["extent"], row.get("weight")))
    return takings


def _heirs(unit: str, takings: Mapping[str, Sequence[Taking]], passed: frozenset[str]) -> Iterator[Heir]:
    """The units at the ends of a unit's successions; one that comes back to a unit passed ends before it."""
    taken = takings[unit]
    is_whole = len(taken) == 1 and taken[0].extent == "whole"
    weights = [None if taking.weight is None else Fraction(taking.weight) for taking in taken]
    total = sum((weight for weight in weights if weight is not None), Fraction())
    for taking, weight in zip(taken, weights, strict=True):
        share = Fraction(1) if is_whole else weight / total if weight is not None and None not in weights else None
        if taking.heir == unit or all(after.heir in passed for after in takings.get(taking.heir, ())):
            yield Heir(taking.heir, taking.since, is_whole, share)
        elif taking.heir not in passed:
            for heir in _heirs(taking.heir, takings, passed | {taking.heir}):
                both = None if share is None or heir.share is None else share * heir.share
                yield Heir(heir.unit_key, taking.since, is_whole and heir.is_whole, both)


def _together(heirs: Iterator[Heir]) -> list[Heir]:
    """Each heir once, by key: what reaches it by several ways adds up."""
    found: dict[str, list[Heir]] = defaultdict(list)
    for heir in heirs:
        found[heir.unit_key].append(heir)
    return [_added(found[key]) for key in sorted(found)]


def _added(same: Sequence[Heir]) -> Heir:
    shares = [heir.share for heir in same if heir.share is not None]
    share = sum(shares, Fraction()) if len(shares) == len(same) else None
    since = max(heir.since for heir in same)
    return Heir(same[0].unit_key, since, len(same) == 1 and same[0].is_whole, share)
