"""What a page compares: a period as far as it has run."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from procmon.pages import seen_of
from procmon.tables import Period

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
YEAR = Period(date(2025, 1, 1), date(2026, 1, 1), "2025")


@pytest.mark.parametrize(
    ("as_of", "to"),
    [
        (datetime(2025, 6, 10, 15, 0), date(2025, 6, 11)),
        (datetime(2025, 6, 11), date(2025, 6, 11)),  # midnight has seen nothing of the 11th
        (datetime(2025, 6, 11, 0, 0, 0, 1), date(2025, 6, 12)),
        (datetime(2026, 1, 1), date(2026, 1, 1)),
        (datetime(2026, 8, 1), date(2026, 1, 1)),
        (datetime(2025, 1, 1), date(2026, 1, 1)),  # not begun: nothing of it can be compared, and it stays whole
    ],
)
def test_a_period_that_runs_is_compared_as_far_as_it_has_run(as_of: datetime, to: date) -> None:
    assert seen_of(YEAR, as_of.replace(tzinfo=ZONE)) == Period(YEAR.from_, to, "2025")
