"""Boundaries in numbers: each procedure's verdict, shares of what is on offer, roles, refusals, flows (rulebook 8)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge.numbers import share
from procmon.judge.question import Question
from procmon.judge.units import Units
from procmon.tables import (
    BOUNDARIES,
    BOUNDARY_REFUSALS,
    BOUNDARY_SHARES,
    DAY,
    FLOWS,
    INSTANT,
    ROLES,
)

MONTHS = 12
"""So many months' ends are told of beside the as-of instant, for the city."""

SHARE_COUNTS = tuple(name for name in BOUNDARY_SHARES.names if name.startswith("n_"))
ROLE_NAMES = ("receiving", "resolving", "applicant")

Row = dict[str, Any]


def boundaries(engine: Engine, question: Question) -> dict[str, pa.Table]:
    """Tables BOUNDARIES, BOUNDARY_SHARES, BOUNDARY_REFUSALS and ROLES of what came to a counter (counters.sql)."""
    engine.give("boundary_months", month_ends(question))
    engine.steps(sql_text("judge", "boundaries"))
    judged = BOUNDARIES.conform(engine.query("SELECT * FROM boundaries_judged ORDER BY procedure_id NULLS FIRST"))
    names = dict(zip(judged["procedure_id"].to_pylist(), judged["name"].to_pylist(), strict=True))
    refused = engine.query(
        "SELECT * FROM boundary_refusals ORDER BY procedure_id NULLS FIRST, n DESC NULLS LAST, reason NULLS FIRST"
    ).to_pylist()
    return {
        "boundaries": judged,
        "boundary_shares": _shares(engine.query("SELECT * FROM offered_verdicts").to_pylist(), question),
        "boundary_refusals": BOUNDARY_REFUSALS.from_rows(
            [row | {"name": names.get(row["procedure_id"], "")} for row in refused]
        ),
        "roles": _roles(engine.query("SELECT * FROM roles_stated").to_pylist()[0]),
    }


def month_ends(question: Question) -> pa.Table:
    """Table `boundary_months`: the last MONTHS whole months' ends up to the as-of instant; of the city's question only.

    Its columns are `day` (the month's last), `until` (the midnight after) and `window_at`.
    """
    days: list[date] = []
    first = question.as_of.astimezone(question.zone).date().replace(day=1)
    while question.side == "all" and len(days) < MONTHS:
        days.append(first - timedelta(days=1))
        first = days[-1].replace(day=1)
    untils = [datetime.combine(day + timedelta(days=1), time.min, tzinfo=question.zone) for day in days]
    window = timedelta(days=question.policies.boundary_days)
    return pa.table({
        "day": pa.array(days, DAY),
        "until": pa.array(untils, INSTANT),
        "window_at": pa.array([until - window for until in untils], INSTANT),
    })  # fmt: skip


def _shares(offered: Iterable[Row], question: Question) -> pa.Table:
    """The question's own row, then for the city each level, field and month."""
    scope, scope_id = question.headline
    now = [row for row in offered if row["is_now"]]
    window_from = question.window_at.astimezone(question.zone).date()
    rows = [_share(scope, scope_id, question.today, window_from, now)]
    if question.side == "all":
        for part in ("level", "field"):
            rows += [_share(part, key, question.today, window_from, own) for key, own in _split(now, part)]
        then = [row for row in offered if not row["is_now"]]
        for day, own in _split(then, "day"):
            since = day + timedelta(days=1 - question.policies.boundary_days)
            rows.append(_share("month", f"{day:%Y-%m}", day, since, own))
    return BOUNDARY_SHARES.from_rows(rows)


def _split(rows: Iterable[Row], column: str) -> list[tuple[Any, list[Row]]]:
    """The rows by a column, in its order; an empty one is left out."""
    parts: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row[column]].append(row)
    return [(key, parts[key]) for key in sorted(parts) if key]


def _share(scope: str, scope_id: str, day: date, window_from: date, rows: Collection[Row]) -> Row:
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: row[name] for name in SHARE_COUNTS})
    counts = {name: total[name] for name in SHARE_COUNTS}
    n_evident = counts["n_on_offer"] if counts["n_told"] else 0
    return {
        "scope": scope, "scope_id": scope_id, "as_of_on": day, **counts,
        "announced": share(counts["n_announced"], counts["n_on_offer"]),
        "proven": share(counts["n_proven"], n_evident),
        "refused_elsewhere": share(counts["n_refused_elsewhere"], n_evident),
        "window_from": window_from, "data_from": next((row["data_from"] for row in rows), None),
    }  # fmt: skip


def _roles(counted: Mapping[str, int]) -> pa.Table:
    rows: list[Row] = [
        {
            "role": role,
            "n_dossiers": counted["n_dossiers"],
            "n_missing": counted[f"n_missing_{role}"],
            "n_unknown": counted[f"n_unknown_{role}"],
            "unanswerable": "cross_boundary",
            "n_unanswerable": counted[f"n_for_want_of_{role}"],
        }
        for role in ROLE_NAMES
    ]
    rows.append({
        "role": "returning",
        "n_dossiers": counted["n_finished"],
        "n_missing": counted["n_missing_returning"],
        "n_unknown": counted["n_unknown_returning"],
        "unanswerable": "returned_elsewhere",
        "n_unanswerable": counted["n_missing_returning"] + counted["n_unknown_returning"],
    })  # fmt: skip
    return ROLES.from_rows(rows)


def flows(engine: Engine, units: Units, question: Question) -> pa.Table:
    """Table FLOWS of what came to a counter (counters.sql), most dossiers first, then by code."""
    engine.steps(sql_text("judge", "flows"))
    rows = []
    for counted in engine.query("SELECT * FROM flows").to_pylist():
        row = dict(counted) | {"direction": ""}
        for role in ROLE_NAMES:
            key = row.pop(f"{role}_told")
            row[f"{role}_unit_id"] = units.said(key, question.today)
            row[f"{role}_name"] = units.name(key)
        rows.append(row)
    rows.sort(
        key=lambda row: (
            -row["n"],
            *(row[f"{role}_unit_id"].encode() for role in ROLE_NAMES),
            str(row["is_cross_boundary"]),
        )
    )
    return FLOWS.from_rows(rows)


def flows_of(table: pa.Table, home: Collection[str]) -> pa.Table:
    """The rows of table FLOWS in which a unit has a role, each with its direction.

    `home` are the codes of the unit and of those that share its territory (`Units.home`).
    """
    rows = []
    for row in table.to_pylist():
        is_here = row["receiving_unit_id"] in home
        if is_here or row["resolving_unit_id"] in home or row["applicant_unit_id"] in home:
            direction = "for_others" if is_here else "by_others"
            rows.append(row | {"direction": direction if row["is_cross_boundary"] else ""})
    return FLOWS.from_rows(rows)
