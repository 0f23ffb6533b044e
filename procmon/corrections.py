"""Figures compared, run with run: what differs, to the digit (rulebook 6, running again)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from procmon.inputs import done_runs, nightly_period
from procmon.store import ledger
from procmon.store.workspace import Workspace

SAME_FIGURE = ("figure", "rule_set", "scope", "scope_id", "period_from", "period_to")
TOLD = ("value", "numerator", "denominator", "n", "n_baseline", "lower", "upper", "verdict")
"""The numbers of a figure; the first that differs tells the difference."""

Row = dict[str, Any]
Key = tuple[object, ...]

NO_FIGURE: Row = {**dict.fromkeys(TOLD), "verdict": ""}


class Difference(NamedTuple):
    """A figure of which `number` (one of TOLD) differs; a verdict is no number, and tells nothing before and after."""

    row: Row
    number: str
    before: float | None
    after: float | None


def corrections(workspace: Workspace, run: ledger.Run, found: pa.Table) -> list[ledger.Correction]:
    """What differs from the last run that told the same figure of the same days, with the batches between the two.

    A figure that came or went is told where the last run of the same nightly period asked the same.
    """
    runs, zone = done_runs(workspace), workspace.settings.zone
    period = nightly_period(run.as_of.astimezone(zone))
    same = next((earlier for earlier in runs if nightly_period(earlier.as_of.astimezone(zone)) == period), None)
    before: dict[Key, Row] = {}
    told_by: dict[Key, ledger.Run] = {}
    for earlier in filter(None, [same, *runs[:1]]):  # the newest last: what both told, it told later
        rows = _by_key(ledger.read_table(workspace.ledger_db, "figures", run_id=earlier.id))
        before |= rows
        told_by |= dict.fromkeys(rows, earlier)
    after = _by_key(found)
    asked = {_question(row) for key, row in before.items() if told_by[key] is same}
    asked_twice = asked & {_question(row) for row in after.values()}
    corrected = []
    for key, difference in differing(before, after):
        since = told_by.get(key, same)
        is_in_both = key in before and key in after
        if since and (is_in_both or (since is same and _question(difference.row) in asked_twice)):
            corrected.append(_correction(run, since, difference))
    return corrected


def differences(before: pa.Table, after: pa.Table) -> list[Difference]:
    """The figures that differ, those that have come or gone too; both are tables FIGURES."""
    return [difference for _, difference in differing(_by_key(before), _by_key(after))]


def differing(before: Mapping[Key, Row], after: Mapping[Key, Row]) -> Iterator[tuple[Key, Difference]]:
    """The differences, by key."""
    for key, row in {**before, **after}.items():
        was, now = before.get(key, NO_FIGURE), after.get(key, NO_FIGURE)
        number = next((name for name in TOLD if was[name] != now[name]), "")
        if number == "verdict":
            yield key, Difference(row, number, None, None)
        elif number:
            yield key, Difference(row, number, was[number], now[number])
        elif key not in before or key not in after:
            yield key, Difference(row, TOLD[0], None, None)


def _correction(run: ledger.Run, earlier: ledger.Run, difference: Difference) -> ledger.Correction:
    batches = set(ledger.parse_batches(run.batches)) ^ set(ledger.parse_batches(earlier.batches))
    row = difference.row
    return ledger.Correction(
        run_id=run.id or 0,
        previous_run_id=earlier.id or 0,
        figure=str(row["figure"]),
        rule_set=str(row["rule_set"] or ""),
        scope=str(row["scope"] or ""),
        scope_id=str(row["scope_id"] or ""),
        period_from=row["period_from"],
        period_to=row["period_to"],
        number=difference.number,
        before=difference.before,
        after=difference.after,
        batches=ledger.format_batches(batches),
    )


def _question(row: Row) -> Key:
    """What a figure answers: whose page, and over which days (judge/figures.py says how scopes are written)."""
    audience = str(row["scope"] or "").partition("/")[0]
    whose = str(row["scope_id"] or "").partition("/")[0] if audience in ("centre", "department") else ""
    return audience if whose else "city", whose, row["period_from"], row["period_to"]


def _by_key(figures: pa.Table) -> dict[Key, Row]:
    return {tuple(row[name] for name in SAME_FIGURE): row for row in figures.to_pylist()}
