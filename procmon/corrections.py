"""Figures compared, run with run: what differs, to the digit (rulebook 6, running again)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from procmon.inputs import find_run
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import FIGURES

SAME_FIGURE = ("figure", "rule_set", "scope", "scope_id", "period_from", "period_to")
COMPARED = ("numerator", "denominator", "value", "lower", "upper", "n", "n_baseline", "verdict")
NO_FIGURE: Mapping[str, None] = dict.fromkeys(COMPARED)


def corrections(workspace: Workspace, run: ledger.Run, found: pa.Table) -> list[ledger.Correction]:
    """What differs from the last run on pages and periods that both have, with the batches between the two."""
    last = find_run(workspace)
    if last is None:
        return []
    before = ledger.read_table(workspace.ledger_db, "figures", run_id=last.id).select(FIGURES.names)
    asked_twice = _questions(before) & _questions(found)
    moved = set(ledger.parse_batches(run.batches)) ^ set(ledger.parse_batches(last.batches))
    return [
        ledger.Correction(
            run_id=run.id or 0,
            previous_run_id=last.id or 0,
            figure=str(key["figure"]),
            rule_set=str(key["rule_set"] or ""),
            scope=str(key["scope"] or ""),
            scope_id=str(key["scope_id"] or ""),
            period_from=key["period_from"],
            period_to=key["period_to"],
            before=old,
            after=new,
            batches=ledger.format_batches(moved),
        )
        for key, old, new in differences(before, found)
        if _question(key) in asked_twice
    ]


def _questions(figures: pa.Table) -> set[tuple[object, ...]]:
    return {_question(row) for row in figures.to_pylist()}


def _question(row: Mapping[str, Any]) -> tuple[object, ...]:
    """What a figure answers: whose page, and over which days (judge/figures.py says how scopes are written)."""
    audience = str(row["scope"] or "").partition("/")[0]
    whose = str(row["scope_id"] or "").partition("/")[0] if audience in ("centre", "department") else ""
    return audience if whose else "city", whose, row["period_from"], row["period_to"]


def differences(before: pa.Table, after: pa.Table) -> list[tuple[dict[str, Any], float | None, float | None]]:
    """The figures that differ, those that have come or gone too, with their values (else numerators)."""
    old, new = ({_key(row): row for row in table.to_pylist()} for table in (before, after))
    differing = []
    for key, row in (old | new).items():
        was, now = old.get(key, NO_FIGURE), new.get(key, NO_FIGURE)
        if any(was[name] != now[name] for name in COMPARED):
            shown_as = "value" if was["value"] != now["value"] else "numerator"
            differing.append((row, was[shown_as], now[shown_as]))
    return differing


def _key(row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in SAME_FIGURE)
