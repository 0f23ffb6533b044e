"""The shipped calendar has the official days of every year that it says it has, and this year's."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest
from log_files import registry_tables

from procmon import worktime
from procmon.store.registry import seed_file
from procmon.worktime import DECIDED, undecided_years

# By the government's letters; days off that fall on a weekend are left out. (days off, Saturdays worked, working days)
OFFICIAL = {
    2024: ("01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03", "05-04", 251),
    2025: ("01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02", "04-26", 250),
    2026: (
        "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
        "01-10 08-22",
        249,
    ),
}
SHIPPED = registry_tables({"calendar": list(csv.DictReader(seed_file("calendar").open(encoding="utf-8")))})
OFFICE = worktime.build(SHIPPED["calendar"], SHIPPED["opening_hours"])
OPEN_DAYS = {row["day"] for row in OFFICE.days.to_pylist() if row["is_open"]}


def days_of(year: int, text: str) -> set[date]:
    return {date.fromisoformat(f"{year}-{day}") for day in text.split()}


@pytest.mark.parametrize("year", OFFICIAL)
def test_every_day_of_a_year_is_open_or_not_as_was_decided(year: int) -> None:
    off, worked, n_working_days = OFFICIAL[year]
    year_long = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    weekdays = {day for day in year_long if day.year == year and day.isoweekday() <= 5}
    opened = {day for day in OPEN_DAYS if day.year == year}
    assert opened == (weekdays - days_of(year, off)) | days_of(year, worked)
    assert len(opened) == n_working_days


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 1, 2), False),  # a Friday off, announced a week before
        (date(2026, 1, 10), True),  # the Saturday worked for it
        (date(2024, 5, 4), True),
        (date(2025, 4, 26), True),
        (date(2026, 8, 22), True),
        (date(2026, 11, 24), False),  # the new Culture Day
    ],
)
def test_the_days_that_are_easily_missed(day: date, is_open: bool) -> None:
    assert (day in OPEN_DAYS) == is_open


def test_the_years_that_are_said_to_be_decided_are_those_checked_here() -> None:
    assert list(DECIDED) == sorted(OFFICIAL)


def test_the_shipped_calendar_has_not_aged() -> None:
    """A year's decision is out by December before it; who ships from February on without it ships wrong due dates."""
    newest_needed = (date.today() - timedelta(days=31)).year
    assert newest_needed in DECIDED, "procmon/data/README.md says how a new year comes in"


def test_what_is_shipped_says_its_source() -> None:
    assert all(row["source"] for row in SHIPPED["calendar"].to_pylist())


# ---- years that nobody has seen to


def undecided(first: date, last: date, *rows: tuple[str, str, str]) -> list[int]:
    loaded = [{"calendar_id": calendar_id, "on": day, "open": is_open} for calendar_id, day, is_open in rows]
    return undecided_years(registry_tables({"calendar": loaded})["calendar"], first, last)


def test_years_that_are_not_shipped_are_undecided() -> None:
    after = DECIDED.stop
    assert undecided(date(2023, 12, 31), date(after + 1, 1, 1)) == [2023, after, after + 1]
    assert undecided(date(2024, 1, 1), date(after - 1, 12, 31)) == []


def test_a_row_of_the_office_that_closes_1_january_decides_a_year_on_the_default_calendar() -> None:
    year = DECIDED.stop
    span = (date(year, 1, 1), date(year, 12, 31))
    assert undecided(*span, ("default", f"{year}-01-01", "no")) == []
    assert undecided(*span, ("default", f"{year + 1}-01-01", "no"), ("own", f"{year}-01-01", "no")) == [year]


@pytest.mark.parametrize("row", [("03-03", "no"), ("01-01", "yes"), ("01-02", "no"), ("12-31", "no")])
def test_any_other_row_of_a_year_decides_nothing(row: tuple[str, str]) -> None:
    year = DECIDED.stop
    day, is_open = row
    assert undecided(date(year, 1, 1), date(year, 12, 31), ("default", f"{year}-{day}", is_open)) == [year]
