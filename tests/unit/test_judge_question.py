"""As of which day a comparison sees its baseline (rulebook 7d)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from procmon.config import PolicySettings
from procmon.judge import Question
from procmon.tables import Period

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
YEAR_2024 = (date(2024, 1, 1), date(2025, 1, 1))


def asked(compare: tuple[date, date], baseline: tuple[date, date]) -> Question:
    return Question(
        as_of=datetime(2026, 6, 1, tzinfo=ZONE), zone=ZONE, period=Period(*compare, ""), compare=Period(*compare, ""),
        baseline=Period(*baseline, ""), policies=PolicySettings(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("compare", "baseline", "seen_on"),
    [
        ((date(2025, 1, 1), date(2025, 6, 1)), YEAR_2024, date(2024, 6, 1)),
        ((date(2025, 1, 1), date(2025, 5, 2)), YEAR_2024, date(2024, 6, 1)),  # a month begun is compared whole
        ((date(2025, 1, 1), date(2026, 1, 1)), YEAR_2024, date(2025, 1, 1)),
        ((date(2025, 11, 1), date(2026, 3, 1)), YEAR_2024, date(2025, 1, 1)),  # November and December of the baseline
        ((date(2025, 7, 1), date(2026, 7, 1)), (date(2024, 7, 1), date(2025, 7, 1)), date(2025, 7, 1)),
        ((date(2025, 8, 1), date(2025, 9, 1)), (date(2024, 7, 1), date(2025, 7, 1)), date(2024, 9, 1)),
        ((date(2025, 3, 1), date(2025, 4, 1)), (date(2024, 12, 30), date(2025, 3, 15)), date(2025, 3, 15)),
        ((date(2025, 8, 1), date(2025, 9, 1)), (date(2025, 1, 1), date(2025, 7, 1)), date(2025, 7, 1)),  # none in it
    ],
)
def test_the_baseline_is_seen_when_its_last_compared_month_was_over(
    compare: tuple[date, date], baseline: tuple[date, date], seen_on: date
) -> None:
    question = asked(compare, baseline)
    assert question.baseline_seen_on == seen_on
    assert question.table()["baseline_seen_on"].to_pylist() == [seen_on]


def test_a_baseline_of_part_of_a_year_is_compared_with_its_own_months_only() -> None:
    half_year = asked((date(2025, 1, 1), date(2026, 1, 1)), (date(2024, 1, 1), date(2024, 7, 1)))
    assert half_year.months() == [1, 2, 3, 4, 5, 6]
    over_new_year = asked((date(2025, 11, 1), date(2026, 3, 1)), (date(2024, 1, 1), date(2024, 12, 1)))
    assert over_new_year.months() == [1, 2, 11]
