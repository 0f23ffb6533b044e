"""Which calendar a unit has, and since when: a unit that gets another one keeps the hours that it had before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import TypedDict

from procmon.tables import FIRST_DAY

DEFAULT = "default"
THEN = ", from "
"""Stands in the name of several calendars one after another, and so in the name of none."""

Assignments = tuple[tuple[date, str], ...]
"""The calendars of a unit, one after another: from which day on, and which. The first holds from FIRST_DAY on."""


class Override(TypedDict):
    """A row of the registry's `calendar`: a day that is not as the calendar has it."""

    calendar_id: str
    on: date
    open: bool
    hours: str | None


class WeekdayHours(TypedDict):
    """A row of the registry's `opening_hours`: the hours of a weekday (1 = Monday) from a day on."""

    calendar_id: str
    unit_id: str | None
    weekday: int
    hours: str | None
    valid_from: date


def assignments_by_unit(overrides: Sequence[Override], weekly: Sequence[WeekdayHours]) -> dict[str, Assignments]:
    """Unit → its calendars, by unit: each from the day on which a row gives it to the unit; before any, the default.

    Of two given on one day the last by name stands. Until its own first row a calendar is as the default: a unit that
    has it since then has no other.
    """
    dated = [(row["on"], row["calendar_id"]) for row in overrides]
    dated += [(row["valid_from"], row["calendar_id"]) for row in weekly]
    first_row = {calendar_id: day for day, calendar_id in sorted(dated, reverse=True)}
    given: dict[str, dict[date, str]] = {}
    for row in sorted(weekly, key=lambda row: (row["valid_from"], row["calendar_id"].encode())):
        if row["unit_id"]:
            given.setdefault(row["unit_id"], {})[row["valid_from"]] = row["calendar_id"]
    return {unit_id: _from_the_first_day(given[unit_id], first_row) for unit_id in sorted(given)}


def _from_the_first_day(given: dict[date, str], first_row: dict[str, date]) -> Assignments:
    since, first = next(iter(given.items()))
    every = [(FIRST_DAY, first if since == first_row[first] else DEFAULT), *given.items()]
    return tuple(next(same) for _, same in groupby(every, key=lambda row: row[1]))


def calendar_name(assignments: Assignments) -> str:
    """The calendar's own name; where there are several, `A, from 2025-07-01 B`."""
    (_, first), *later = assignments
    return THEN.join([first, *(f"{since} {calendar_id}" for since, calendar_id in later)])
