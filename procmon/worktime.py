"""Calendars → open time, as a prefix sum.

Each day of a calendar carries the open seconds before its midnight, each minute of its pattern of sessions the
open seconds before it within the day. So every instant has one number, the open seconds since FIRST_DAY, and the
open time between two instants is a difference: an hour costs what a year costs. SQL joins the very tables that
`open_through` reads (docs/decisions/0003).

Source: rulebook 4; public holidays and swapped days from the package `holidays`, under the registry's dated
overrides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import holidays
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from procmon.errors import SettingsError
from procmon.tables import CALENDAR_DAYS, CALENDAR_MINUTES, FIRST_DAY, LAST_DAY, OPEN_HOURS
from procmon.unit_calendars import DEFAULT, Assignments, Override, WeekdayHours, assignments_by_unit, calendar_name

Session = tuple[int, int]
"""A session of a day: [start, end) in seconds from midnight, whole minutes."""

Sessions = tuple[Session, ...]
Numbers = npt.NDArray[np.int64]

USUAL: Sessions = ((7 * 3600 + 1800, 11 * 3600 + 1800), (13 * 3600, 17 * 3600))
USUAL_WEEK = [USUAL] * 5 + [()] * 2
EPOCH = date(1970, 1, 1)
DAY = 86400
MINUTES_A_DAY = 1440
BLOCK = 1 << 14
"""So many intervals at once stay in the processor's cache, which doubles the speed."""

DECIDED = range(2024, 2027)
"""Years whose official days off and swapped days are all shipped, by `holidays` and procmon/data/calendar.csv.

The decision on a year's swaps comes out in the months before it, or, as for 2 January 2026, a week before. A test
fails when this year is not among them (procmon/data/README.md says what to do).
"""


@dataclass(frozen=True)
class Calendars:
    """Every calendar as tables for SQL, and which unit has which.

    `days`, `minutes`, `hours` are the tables CALENDAR_DAYS, CALENDAR_MINUTES and OPEN_HOURS; `units` has
    `unit_id, calendar_id` for the units with a calendar of their own; `version` is a hash of all of it.
    `spliced`: the calendars that are others' days put together, for units that have one calendar after another.
    """

    days: pa.Table
    minutes: pa.Table
    hours: pa.Table
    units: pa.Table
    spliced: Mapping[str, Assignments]
    version: str

    def used(self) -> set[str]:
        """The calendars that a unit has or had, by their own names."""
        names = set(self.units["calendar_id"].to_pylist())
        return {calendar_id for name in names for _, calendar_id in self.assignments(name)}

    def assignments(self, calendar_id: str) -> Assignments:
        """Where a calendar's days come from: several calendars if it is spliced, else itself."""
        return self.spliced.get(calendar_id, ((FIRST_DAY, calendar_id),))


def parse_hours(text: str) -> Sessions:
    """Sessions of `07:30-11:30 13:00-17:00`; empty text is no session.

    Raises: ValueError saying what is wrong, for sessions out of order, overlapping or not in whole minutes.
    """
    sessions: list[Session] = []
    for part in text.split():
        start, dash, end = part.partition("-")
        if not dash:
            raise ValueError(f"'{part}' is not of the form 07:30-11:30")
        sessions.append((_second(start), _second(end)))
    if any(start >= end for start, end in sessions) or any(a[1] > b[0] for a, b in pairwise(sessions)):
        raise ValueError(f"'{text}': sessions must follow one another without overlap")
    return tuple(sessions)


def _second(clock: str) -> int:
    hour, colon, minute = clock.partition(":")
    if not (colon and len(hour) == 2 and len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit()):
        raise ValueError(f"'{clock}' is not a time like 07:30")
    second = int(hour) * 3600 + int(minute) * 60
    if int(minute) > 59 or second > DAY:
        raise ValueError(f"'{clock}' is not a time of the day")
    return second


@cache
def _vietnam() -> tuple[frozenset[date], frozenset[date]]:
    """Public holidays and swapped working days of Vietnam, FIRST_DAY to LAST_DAY."""
    days = holidays.country_holidays("VN", years=range(FIRST_DAY.year, LAST_DAY.year))
    return frozenset(days), frozenset(days.weekend_workdays)


class _Rules:
    """The dated rules of one calendar: which sessions a day has. `default`: those that stand in where it has none."""

    def __init__(
        self, calendar_id: str, overrides: list[Override], weekly: list[WeekdayHours], default: _Rules | None
    ) -> None:
        self.free, self.swapped = _vietnam()
        self.default = default
        own = {row["on"]: row for row in overrides if row["calendar_id"] == calendar_id}
        self.overrides: dict[date, Override] = (default.overrides if default else {}) | own
        mine = sorted((row for row in weekly if row["calendar_id"] == calendar_id), key=lambda row: row["valid_from"])
        self.weekly = {
            weekday: [(row["valid_from"], parse_hours(row["hours"] or "")) for row in mine if row["weekday"] == weekday]
            for weekday in range(1, 8)
        }

    def week(self, day: date) -> list[Sessions]:
        """The weekly hours in force on `day`, Monday first.

        A calendar of its own that has hours for any weekday by then is closed on those it does not name; before
        that the default's hours stand in, and for the default the built-in ones.
        """
        stated: list[Sessions | None] = []
        for weekday in range(1, 8):
            versions = [hours for valid_from, hours in self.weekly[weekday] if valid_from <= day]
            stated.append(versions[-1] if versions else None)
        if self.default is None:
            return [usual if hours is None else hours for hours, usual in zip(stated, USUAL_WEEK, strict=True)]
        if all(hours is None for hours in stated):
            return self.default.week(day)
        return [hours or () for hours in stated]

    def changes(self) -> set[date]:
        """The days on which the weekly hours change."""
        own = {valid_from for versions in self.weekly.values() for valid_from, _ in versions}
        return own | self.default.changes() if self.default else own

    def special_days(self) -> set[date]:
        """The days that need not be as their weekday is."""
        return {*self.free, *self.swapped, *self.overrides}

    def sessions(self, day: date) -> Sessions:
        """The sessions of `day`."""
        week = self.week(day)
        hours = week[day.weekday()]
        override = self.overrides.get(day)
        if override is not None:
            if not override["open"]:
                return ()
            return parse_hours(override["hours"] or "") or _worked_hours(week, day) or USUAL
        if day in self.swapped:
            return _worked_hours(week, day)
        return () if day in self.free else hours


def _worked_hours(week: list[Sessions], day: date) -> Sessions:
    """The hours of a day off that is worked: from Monday to Friday its own; at a weekend it stands in for one of these,
    so it has their usual ones, however short the calendar's own Saturdays are."""
    return (week[day.weekday()] if day.isoweekday() <= 5 else ()) or usual_hours(week)


def usual_hours(week: list[Sessions]) -> Sessions:
    """The hours of the first weekday, from Monday, that has any."""
    return next((hours for hours in week if hours), ())


def build(calendar: pa.Table, opening_hours: pa.Table) -> Calendars:
    """The tables of every calendar that the registry names, `default` always among them.

    Args:
        calendar: registry table `calendar` (overrides); those of `default` hold for every calendar without its own.
        opening_hours: registry table `opening_hours`.

    Raises: SettingsError for a calendar that is never open.
    """
    overrides: list[Override] = calendar.to_pylist()
    weekly: list[WeekdayHours] = opening_hours.to_pylist()
    named = {row["calendar_id"] for row in overrides} | {row["calendar_id"] for row in weekly} | {DEFAULT}
    patterns: dict[Sessions, int] = {(): 0}
    default = _Rules(DEFAULT, overrides, weekly, None)
    drawn = {
        name: _patterns(default if name == DEFAULT else _Rules(name, overrides, weekly, default), patterns)
        for name in sorted(named)
    }
    assignments = assignments_by_unit(overrides, weekly)
    spliced = {calendar_name(calendars): calendars for calendars in assignments.values() if len(calendars) > 1}
    drawn |= {name: _spliced(spliced[name], drawn) for name in sorted(spliced)}
    all_days = pa.concat_tables([_days(name, *drawn[name], patterns) for name in drawn])
    minutes = pa.concat_tables([_minutes(number, sessions) for sessions, number in patterns.items()])
    hours = _hours(all_days, {number: sessions for sessions, number in patterns.items()})
    units = pa.table(
        {
            "unit_id": pa.array(list(assignments), pa.string()),
            "calendar_id": pa.array([calendar_name(calendars) for calendars in assignments.values()], pa.string()),
        }
    )
    shown = [all_days[name] for name in ("calendar_id", "pattern_id", "opens_second", "closes_second")]
    said = repr([column.to_pylist() for column in (*shown, minutes["is_open"], *units.columns)])
    return Calendars(all_days, minutes, hours, units, spliced, hashlib.sha256(said.encode()).hexdigest()[:12])


def _spliced(assignments: Assignments, drawn: Mapping[str, tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    """What `_patterns` gives, put together from that of several calendars."""
    pattern, usual = (column.copy() for column in drawn[assignments[0][1]])
    for since, calendar_id in assignments[1:]:
        days = slice(max((since - FIRST_DAY).days, 0), None)
        pattern[days], usual[days] = (column[days] for column in drawn[calendar_id])
    return pattern, usual


def _days(calendar_id: str, pattern: Numbers, usual: Numbers, patterns: dict[Sessions, int]) -> pa.Table:
    """CALENDAR_DAYS of one calendar from what `_patterns` gives; `patterns` numbers the sessions of a day."""
    n = len(pattern)
    is_open = pattern > 0
    if not is_open.any():
        raise SettingsError(
            f"calendar '{calendar_id}' is never open",
            remedy="Load opening_hours with at least one session a week for it.",
        )
    shown = np.where(is_open, pattern, usual)
    opens = np.array([sessions[0][0] if sessions else 0 for sessions in patterns], np.int64)[shown]
    closes = np.array([sessions[-1][1] if sessions else 0 for sessions in patterns], np.int64)[shown]
    length = np.array([sum(end - start for start, end in sessions) for sessions in patterns], np.int64)
    open_seconds = length[pattern]
    before = np.concatenate([[0], np.cumsum(open_seconds)[:-1]])
    return CALENDAR_DAYS.conform(
        pa.table(
            {
                "calendar_id": pa.array([calendar_id] * n, pa.string()),
                "day": _dates(np.arange(n)),
                "open_before": before,
                "pattern_id": pattern,
                "is_open": is_open,
                "opens_second": opens,
                "closes_second": closes,
                "working_days_through": np.cumsum(is_open),
                "next_open_day": _dates(_next_open(is_open, 0)),
                "following_open_day": _dates(_next_open(is_open, 1)),
            }
        )
    )


def _patterns(rules: _Rules, patterns: dict[Sessions, int]) -> tuple[Numbers, Numbers]:
    """For each day the number of its sessions, and of the usual ones at that time: by weekday, then day by day.

    `patterns` numbers the sessions, and grows.
    """
    n = (LAST_DAY - FIRST_DAY).days
    weekdays = (np.arange(n) + FIRST_DAY.weekday()) % 7
    pattern, usual = np.zeros(n, np.int64), np.zeros(n, np.int64)

    def number(sessions: Sessions) -> int:
        return patterns.setdefault(sessions, len(patterns))

    changes = sorted(day for day in rules.changes() if FIRST_DAY < day < LAST_DAY)
    for start, end in pairwise([FIRST_DAY, *changes, LAST_DAY]):
        week = rules.week(start)
        span = slice((start - FIRST_DAY).days, (end - FIRST_DAY).days)
        pattern[span] = np.array([number(sessions) for sessions in week])[weekdays[span]]
        usual[span] = number(usual_hours(week) or USUAL)
    for day in sorted(rules.special_days()):
        if FIRST_DAY <= day < LAST_DAY:
            pattern[(day - FIRST_DAY).days] = number(rules.sessions(day))
    return pattern, usual


def _dates(numbers: Numbers) -> pa.Array:
    return pa.array((numbers + (FIRST_DAY - EPOCH).days).astype(np.int32), pa.int32()).cast(pa.date32())


def _next_open(is_open: npt.NDArray[np.bool_], after: int) -> Numbers:
    """For each day the first open one at least `after` days later; the last day where none follows."""
    n = len(is_open)
    opened = np.flatnonzero(is_open)
    at = np.searchsorted(opened, np.arange(n) + after)
    return np.where(at < len(opened), opened[np.minimum(at, len(opened) - 1)], n - 1)


def _minutes(number: int, sessions: Sessions) -> pa.Table:
    is_open = np.zeros(MINUTES_A_DAY, np.int64)
    for start, end in sessions:
        is_open[start // 60 : end // 60] = 1
    before = np.concatenate([[0], np.cumsum(is_open * 60)[:-1]])
    return CALENDAR_MINUTES.conform(
        pa.table(
            {
                "pattern_id": np.full(MINUTES_A_DAY, number, np.int64),
                "minute": np.arange(MINUTES_A_DAY, dtype=np.int64),
                "open_before": before,
                "is_open": is_open,
            }
        )
    )


def _hours(days: pa.Table, sessions_of: dict[int, Sessions]) -> pa.Table:
    """OPEN_HOURS of all calendars: each session once for every full hour of open time that it touches."""
    patterns = days["pattern_id"].to_numpy()
    before = days["open_before"].to_numpy()
    parts: list[pa.Table] = []
    for number, sessions in sessions_of.items():
        at = np.flatnonzero(patterns == number)
        passed = 0
        for start, end in sessions:
            open_from = before[at] + passed
            open_to = open_from + (end - start)
            first, last = open_from // 3600, (open_to - 1) // 3600
            repeats = last - first + 1
            row = np.repeat(np.arange(len(at)), repeats)
            step = np.arange(len(row)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
            chosen = days.select(["calendar_id", "day"]).take(pa.array(at[row]))
            parts.append(
                OPEN_HOURS.conform(
                    pa.table(
                        {
                            "calendar_id": chosen["calendar_id"],
                            "hour_no": first[row] + step,
                            "day": chosen["day"],
                            "starts_second": np.full(len(row), start, np.int64),
                            "open_from": open_from[row],
                            "open_to": open_to[row],
                        }
                    )
                )
            )
            passed += end - start
    return pa.concat_tables(parts)


def undecided_years(calendar: pa.Table, first: date, last: date) -> list[int]:
    """The years from `first` through `last` whose official days nobody has seen to.

    A year is seen to by DECIDED, or by the office: a row of its registry (table `calendar`) closes 1 January on the
    default calendar. Any other row of the year may be of a day on which the power failed.
    """
    rows: list[Override] = calendar.to_pylist()
    closed = {row["on"] for row in rows if row["calendar_id"] == DEFAULT and not row["open"]}
    years = range(first.year, last.year + 1)
    return [year for year in years if year not in DECIDED and date(year, 1, 1) not in closed]


def closed_all_week(calendars: Calendars, today: date) -> list[str]:
    """The calendars that are closed from Monday to Friday in all of the five weeks from `today` on."""
    weekdays = [day for day in (today + timedelta(days=n) for n in range(35)) if day.isoweekday() <= 5]
    soon = calendars.days.filter(pa.compute.is_in(calendars.days["day"], pa.array(weekdays, pa.date32())))
    told = {*soon.filter(soon["is_open"])["calendar_id"].to_pylist(), *calendars.spliced}
    return [name for name in soon["calendar_id"].unique().to_pylist() if name not in told]


class Clock:
    """One calendar as arrays: open time for many instants, or between many pairs of them, at once.

    Instants are local wall-clock seconds since 1970, from FIRST_DAY to before LAST_DAY; others raise IndexError.
    """

    def __init__(self, calendars: Calendars, calendar_id: str = DEFAULT) -> None:
        days = calendars.days.filter(pa.compute.equal(calendars.days["calendar_id"], calendar_id))
        self.before: Numbers = days["open_before"].to_numpy()
        self.pattern: Numbers = days["pattern_id"].to_numpy()
        self.minute_before: Numbers = calendars.minutes["open_before"].to_numpy()
        self.minute_open: Numbers = calendars.minutes["is_open"].to_numpy()
        self.first = (FIRST_DAY - EPOCH).days * DAY

    def open_through(self, local_seconds: Numbers) -> Numbers:
        """Open seconds from FIRST_DAY to each instant."""
        second = local_seconds - self.first
        if len(second) and not 0 <= second.min() <= second.max() < len(self.before) * DAY:
            raise IndexError(f"an instant lies outside the calendar's days, {FIRST_DAY} to before {LAST_DAY}")
        unsigned = second.astype(np.uint32)  # 32 bits divide several times faster
        day = (unsigned // np.uint32(DAY)).astype(np.intp)
        minute = (unsigned // np.uint32(60)).astype(np.intp)
        at = (self.pattern.take(day) - day) * MINUTES_A_DAY + minute
        opened: Numbers = self.before.take(day) + self.minute_before.take(at)
        opened += self.minute_open.take(at) * (second - minute * 60)
        return opened

    def open_seconds(self, starts: Numbers, ends: Numbers) -> Numbers:
        """Open seconds from each start to its end, negative where it ends before it starts."""
        opened = np.empty(len(starts), np.int64)
        for first in range(0, len(starts), BLOCK):
            block = slice(first, first + BLOCK)
            opened[block] = self.open_through(ends[block]) - self.open_through(starts[block])
        return opened
