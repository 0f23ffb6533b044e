"""Named periods, the newest closed one of a schedule, and the months that a comparison touches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from procmon.config import PolicySettings
from procmon.errors import UsageProblem
from procmon.inputs import closed_period, read_period
from procmon.judge import NO_BASELINE, Question
from procmon.tables import Period


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "from_", "to"),
    [
        ("2025", "2025-01-01", "2026-01-01"),
        ("2024", "2024-01-01", "2025-01-01"),
        ("2025-Q1", "2025-01-01", "2025-04-01"),
        ("2025-Q4", "2025-10-01", "2026-01-01"),
        ("2025-05", "2025-05-01", "2025-06-01"),
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2025-05/15", "2025-04-15", "2025-05-15"),  # the reporting month ends on the 14th
        ("2025-03/15", "2025-02-15", "2025-03-15"),
        ("2025-01/15", "2024-12-15", "2025-01-15"),
    ],
)
def test_a_period_is_read_by_its_name(text: str, from_: str, to: str) -> None:
    assert read_period(text) == Period(day(from_), day(to), text)


@pytest.mark.parametrize(
    "text", ["", "25", "2025-13", "2025-00", "2025-5", "2025-Q5", "2025-Q0", "2025-05/14", "2025/15", "2025-Q2/15",
             "2025-05-01", "05-2025", "abcd", "9999"],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(UsageProblem, match="is not a period") as problem:
        read_period(text)
    assert "2025-05/15" in problem.value.remedy


@pytest.mark.parametrize(
    ("schedule", "tomorrow", "name", "from_", "to"),
    [
        ("daily", "2025-05-21", "2025-05-20", "2025-05-01", "2025-05-21"),
        ("daily", "2025-06-01", "2025-05-31", "2025-05-01", "2025-06-01"),
        ("daily", "2025-06-02", "2025-06-01", "2025-06-01", "2025-06-02"),
        ("daily", "2026-01-01", "2025-12-31", "2025-12-01", "2026-01-01"),
        ("monthly", "2025-06-01", "2025-05", "2025-05-01", "2025-06-01"),
        ("monthly", "2025-06-30", "2025-05", "2025-05-01", "2025-06-01"),
        ("monthly", "2026-01-01", "2025-12", "2025-12-01", "2026-01-01"),
        ("reporting_month", "2025-05-14", "2025-04/15", "2025-03-15", "2025-04-15"),
        ("reporting_month", "2025-05-15", "2025-05/15", "2025-04-15", "2025-05-15"),
        ("reporting_month", "2025-05-31", "2025-05/15", "2025-04-15", "2025-05-15"),
        ("reporting_month", "2026-01-14", "2025-12/15", "2025-11-15", "2025-12-15"),
        ("reporting_month", "2026-01-15", "2026-01/15", "2025-12-15", "2026-01-15"),
        ("quarterly", "2025-03-31", "2024-Q4", "2024-10-01", "2025-01-01"),
        ("quarterly", "2025-04-01", "2025-Q1", "2025-01-01", "2025-04-01"),
        ("quarterly", "2025-06-30", "2025-Q1", "2025-01-01", "2025-04-01"),
        ("quarterly", "2026-01-01", "2025-Q4", "2025-10-01", "2026-01-01"),
        ("yearly", "2025-12-31", "2024", "2024-01-01", "2025-01-01"),
        ("yearly", "2026-01-01", "2025", "2025-01-01", "2026-01-01"),
    ],
)
def test_the_newest_closed_period_of_a_schedule(schedule: str, tomorrow: str, name: str, from_: str, to: str) -> None:
    assert closed_period(schedule, day(tomorrow)) == Period(day(from_), day(to), name)


@pytest.mark.parametrize("schedule", ["daily", "monthly", "reporting_month", "quarterly", "yearly"])
def test_a_closed_period_has_ended_and_the_next_has_not(schedule: str) -> None:
    previous = None
    for ordinal in range(day("2024-12-01").toordinal(), day("2026-03-01").toordinal()):
        period = closed_period(schedule, date.fromordinal(ordinal))
        assert period.from_ < period.to <= date.fromordinal(ordinal)
        if previous and period != previous:
            assert period.to == date.fromordinal(ordinal)  # it closed on this very night
            assert schedule == "daily" or period.from_ == previous.to
        previous = period


def asked(compare: Period, as_of: str = "2026-01-01T00:00+07:00") -> Question:
    return Question(
        as_of=datetime.fromisoformat(as_of), zone=ZoneInfo("Asia/Ho_Chi_Minh"), period=compare, compare=compare,
        baseline=NO_BASELINE, policies=PolicySettings(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("from_", "to", "months"),
    [
        ("2025-01-01", "2026-01-01", list(range(1, 13))),
        ("2025-01-01", "2025-01-02", [1]),
        ("2025-01-01", "2025-02-01", [1]),
        ("2025-01-01", "2025-02-02", [1, 2]),
        ("2025-04-15", "2025-05-15", [4, 5]),
        ("2025-12-15", "2026-01-15", [1, 12]),
        ("2025-11-01", "2026-03-01", [1, 2, 11, 12]),
        ("2025-02-01", "2026-02-01", list(range(1, 13))),
        ("2025-03-15", "2026-03-15", list(range(1, 13))),
        ("2025-03-31", "2026-02-01", [1, 3, *range(4, 13)]),
        ("2025-01-01", "2027-06-01", list(range(1, 13))),
    ],
)
def test_a_comparison_touches_these_calendar_months(from_: str, to: str, months: list[int]) -> None:
    assert asked(Period(day(from_), day(to))).months() == months


@pytest.mark.parametrize(
    ("as_of", "today"),
    [
        ("2026-01-01T00:00+07:00", "2025-12-31"),  # the end of a period speaks of its last day
        ("2026-01-01T00:00:00.000001+07:00", "2026-01-01"),
        ("2025-12-31T17:00+00:00", "2025-12-31"),  # the same midnight
        ("2025-12-31T16:59+00:00", "2025-12-31"),
        ("2026-01-01T01:30+07:00", "2026-01-01"),
    ],
)
def test_today_is_the_last_local_day_that_was_seen(as_of: str, today: str) -> None:
    question = asked(Period(day("2025-01-01"), day("2026-01-01")), as_of)
    assert question.today == day(today)
    assert question.as_of.astimezone(UTC) == datetime.fromisoformat(as_of)
