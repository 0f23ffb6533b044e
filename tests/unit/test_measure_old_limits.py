"""The due date under the limit of 31 December 2024, which the on-time rate is told under as well (rulebook 7.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from log_files import Store

DAY = 8 * 3600


@cache
def measured() -> dict[str, dict[str, object]]:
    """Dossiers received on Monday 3 March 2025 at 07:30, one of each procedure below."""
    versions = {
        "changed-that-day": [("2020-01-01", "", "10"), ("2024-12-31", "", "5"), ("2025-02-01", "", "3")],
        "changed-next-day": [("2020-01-01", "", "10"), ("2025-01-01", "", "3")],
        "ended-before-that-day": [("2020-01-01", "2024-12-31", "10"), ("2025-02-01", "", "3")],
        "ended-after-that-day": [("2020-01-01", "2025-01-01", "10"), ("2025-02-01", "", "3")],
        "begun-later": [("2025-01-01", "", "3")],
        "without-a-limit-then": [("2020-01-01", "", ""), ("2025-01-01", "", "3")],
    }
    procedures = [
        {"procedure_id": name, "valid_from": since, "valid_to": to, "limit_amount": days, "limit_unit": "working_days"}
        for name, rows in versions.items()
        for since, to, days in rows
    ]
    store = Store()
    store.ingest_rows(
        [
            {"dossier_id": name, "procedure_id": name, "status": "received", "occurred_at": "2025-03-03T07:30"}
            for name in versions
        ]
    )
    rows = store.dossiers({"procedures": procedures}, datetime(2025, 6, 1, tzinfo=UTC)).to_pylist()
    return {row["dossier_id"]: row for row in rows}


@pytest.mark.parametrize(
    ("name", "old_days"),
    [
        ("changed-that-day", 5),
        ("changed-next-day", 10),
        ("ended-before-that-day", None),
        ("ended-after-that-day", 10),
        ("begun-later", None),
        ("without-a-limit-then", None),
    ],
)
def test_the_old_limit_is_the_one_in_force_on_its_day(name: str, old_days: int | None) -> None:
    dossier = measured()[name]
    assert dossier["open_seconds_to_old_due"] == (None if old_days is None else (old_days + 1) * DAY)
    assert dossier["open_seconds_to_computed_due"] == (3 + 1) * DAY
