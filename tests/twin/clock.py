"""The calendar of rulebook 4 and the terms of rulebook 5, one day at a time.

Instants are aware datetimes in Vietnam's time (+07:00), days are dates, hours are minutes since midnight.
Every duration is in whole seconds, between instants cut to their whole second.
"""

import calendar as month_lengths
from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from functools import cache
from typing import Any

import holidays

ZONE = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh has kept this offset since 1975
DEFAULT = "default"
YEARS = range(2010, 2041)
FARTHEST_OPENING = 400  # days; a calendar that is closed for longer is a mistake in the test

Row = Mapping[str, str]
Hours = list[tuple[int, int]]
Moment = datetime | date

OFFICE_HOURS: Hours = [(7 * 60 + 30, 11 * 60 + 30), (13 * 60, 17 * 60)]


# ---- reading text


def read_moment(text: str) -> Moment | None:
    """An instant in local time, a bare day, or None for an empty cell."""
    if not text:
        return None
    if len(text) == len("2025-04-25"):
        return date.fromisoformat(text)
    return local(datetime.fromisoformat(text))


def local(instant: datetime) -> datetime:
    """The same instant by the local clock; without an offset it is local already."""
    return instant.replace(tzinfo=ZONE) if instant.tzinfo is None else instant.astimezone(ZONE)


def is_bare(moment: Moment | None) -> bool:
    """Whether a moment is a day without an hour. (A datetime is a date too, so `isinstance` misleads.)"""
    return moment is not None and not isinstance(moment, datetime)


def stored(moment: Moment | None) -> str:
    """The text by which moments are told apart and put in order: UTC to the microsecond, or the bare day."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return moment.isoformat() if moment else ""


def read_day(text: str, empty: date = date.min) -> date:
    return date.fromisoformat(text) if text else empty


def read_hours(text: str) -> Hours:
    """'07:30-11:30 13:00-17:00' as minutes since midnight."""
    return sorted(tuple(_minutes(end) for end in part.split("-")) for part in text.split())  # type: ignore[misc]


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def cut(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def table(registry: Any, name: str) -> Sequence[Row]:
    """The rows of one registry table, from a mapping or an object; a missing table is an empty one."""
    rows = registry.get(name) if isinstance(registry, Mapping) else getattr(registry, name, None)
    return rows or []


@cache
def public_holidays() -> tuple[frozenset[date], frozenset[date]]:
    """Vietnam's days off, and the Saturdays worked in their place, as the package knows them."""
    package = holidays.country_holidays("VN", years=YEARS)
    return frozenset(package), frozenset(package.weekend_workdays)


# ---- calendars


class Calendar:
    """One calendar: its own rows of the registry over the default's, over what is built in."""

    def __init__(self, calendar_id: str, registry: Any) -> None:
        self.calendar_id = calendar_id
        self.default = self if calendar_id == DEFAULT else Calendar(DEFAULT, registry)
        self._hours_rows = [
            row for row in table(registry, "opening_hours") if row["calendar_id"] == calendar_id and row["weekday"]
        ]
        self._overrides = {
            read_day(row["on"]): row for row in table(registry, "calendar") if row["calendar_id"] == calendar_id
        }
        self._sessions: dict[date, list[tuple[datetime, datetime]]] = {}

    # -- hours of a day

    def weekday_hours(self, weekday: int, on: date) -> Hours:
        """Hours of a weekday (1 = Monday) by the rows in force on that date; empty: closed."""
        in_force = [row for row in self._hours_rows if read_day(row.get("valid_from", "")) <= on]
        of_weekday = [row for row in in_force if int(row["weekday"]) == weekday]
        if of_weekday:
            return read_hours(max(of_weekday, key=lambda row: read_day(row.get("valid_from", "")))["hours"])
        if self.calendar_id == DEFAULT:
            return OFFICE_HOURS if weekday <= 5 else []
        return [] if in_force else self.default.weekday_hours(weekday, on)

    def usual_hours(self, on: date) -> Hours:
        """Hours of the first weekday from Monday that is open at all."""
        for weekday in range(1, 8):
            if hours := self.weekday_hours(weekday, on):
                return hours
        return []

    def hours(self, on: date) -> Hours:
        """Hours of one day, after days off, swapped days and the office's own overrides."""
        override = self._overrides.get(on) or self.default._overrides.get(on)
        days_off, worked_instead = public_holidays()
        if override is not None and override["open"] == "no":
            return []
        if override is not None:
            return read_hours(override.get("hours", "")) or self._hours_when_made_open(on) or OFFICE_HOURS
        if on in days_off:
            return []
        if on in worked_instead:
            return self._hours_when_made_open(on)
        return self.weekday_hours(on.isoweekday(), on)

    def _hours_when_made_open(self, on: date) -> Hours:
        """A Saturday or Sunday stands in for a working day, whatever it is otherwise."""
        is_weekend = on.isoweekday() in (6, 7)
        return self.usual_hours(on) if is_weekend else self.weekday_hours(on.isoweekday(), on) or self.usual_hours(on)

    def sessions(self, on: date) -> list[tuple[datetime, datetime]]:
        """When the office is open on a day, as half-open stretches."""
        if on not in self._sessions:
            self._sessions[on] = [(_at(on, opens), _at(on, closes)) for opens, closes in self.hours(on)]
        return self._sessions[on]

    def is_open(self, on: date) -> bool:
        return bool(self.sessions(on))

    def opening(self, on: date) -> datetime:
        """First opening of a day; on a day off, as on a usual day."""
        return _at(on, (self.hours(on) or self.usual_hours(on) or OFFICE_HOURS)[0][0])

    def closing(self, on: date) -> datetime:
        """Last closing of a day; on a day off, as on a usual day."""
        return _at(on, (self.hours(on) or self.usual_hours(on) or OFFICE_HOURS)[-1][1])

    # -- days

    def this_or_next_working_day(self, on: date) -> date:
        for days in range(FARTHEST_OPENING):
            if self.is_open(on + timedelta(days=days)):
                return on + timedelta(days=days)
        raise ValueError(f"calendar {self.calendar_id} stays closed after {on}")

    def next_working_day(self, on: date) -> date:
        return self.this_or_next_working_day(on + timedelta(days=1))

    # -- durations

    def open_seconds(self, start: datetime, end: datetime) -> int:
        """Open time in [start, end), in whole seconds; 0 where end is not after start."""
        start, end = cut(start), cut(end)
        seconds, on = 0, start.date()
        while on <= end.date():
            for opens, closes in self.sessions(on):
                overlap = min(closes, end) - max(opens, start)
                seconds += max(0, int(overlap.total_seconds()))
            on += timedelta(days=1)
        return seconds

    def after_open_seconds(self, start: datetime, seconds: Fraction) -> datetime:
        """The earliest instant by which that many open seconds have passed since `start`."""
        start = reached = cut(start)
        left, on = seconds, start.date()
        while left > 0:
            for opens, closes in self.sessions(on):
                opens = max(opens, start)
                if closes > opens and left > 0:
                    step = min(left, Fraction(int((closes - opens).total_seconds())))
                    reached = opens + timedelta(microseconds=int(step * 1_000_000))
                    left -= step
            on = self.next_working_day(on)
        return reached

    # -- terms

    def due_from_day(self, on: date) -> datetime:
        """A due date stated as a bare day: its closing time, or the next working day's."""
        return self.closing(self.this_or_next_working_day(on))

    def due_by_limit(self, received: datetime, amount: str, unit: str) -> datetime:
        """When a term that began with this receipt ends (rulebook 5)."""
        if unit == "hours":
            return self.after_open_seconds(received, Fraction(amount) * 3600)
        if unit == "working_days":
            return self.closing(self._nth_working_day_after(received.date(), int(amount)))
        if unit == "days":
            return self.due_from_day(received.date() + timedelta(days=int(amount)))
        if unit == "months":
            return self.due_from_day(months_later(received.date(), int(amount)))
        raise ValueError(f"unknown unit of a limit: {unit}")

    def _nth_working_day_after(self, on: date, n: int) -> date:
        for _ in range(n):
            on = self.next_working_day(on)
        return on


class UnitCalendar(Calendar):
    """What a unit keeps to: on each day the calendar that it had been given last by then, the default before any."""

    def __init__(self, calendars: "Calendars", rows: Sequence[Row]) -> None:
        self._calendars = calendars
        self._given = [(read_day(row.get("valid_from", "")), row["calendar_id"]) for row in sorted(rows, key=_age)]
        self._sessions = {}
        self.calendar_id = self._name()

    def _name(self) -> str:
        """The calendars one after another, each with the day since when; the first has no such day.

        A calendar without a row before the unit got it was as the default until then, and needs no other's name.
        """
        since = self._given[0][0]
        first = self._on(since).calendar_id
        named = DEFAULT if self._calendars.has_row_before(first, since) else first
        last = named
        for day in sorted({day for day, _ in self._given}):
            calendar_id = self._on(day).calendar_id
            if calendar_id != last:
                named, last = f"{named}, from {day} {calendar_id}", calendar_id
        return named

    def _on(self, day: date) -> Calendar:
        calendar_id = DEFAULT
        for since, given in self._given:
            if since <= day:
                calendar_id = given
        return self._calendars[calendar_id]

    def usual_hours(self, on: date) -> Hours:
        return self._on(on).usual_hours(on)

    def hours(self, on: date) -> Hours:
        return self._on(on).hours(on)


class Calendars:
    """All calendars of a registry, by unit and by id."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._by_id: dict[str, Calendar] = {}
        self._of_unit: dict[str, Calendar] = {}

    def __getitem__(self, calendar_id: str) -> Calendar:
        if calendar_id not in self._by_id:
            self._by_id[calendar_id] = Calendar(calendar_id, self._registry)
        return self._by_id[calendar_id]

    def has_row_before(self, calendar_id: str, day: date) -> bool:
        """Whether a row of the registry says something of a calendar for a day before `day`."""
        days = [read_day(row["on"]) for row in table(self._registry, "calendar") if row["calendar_id"] == calendar_id]
        for row in table(self._registry, "opening_hours"):
            if row["calendar_id"] == calendar_id:
                days.append(read_day(row.get("valid_from", "")))
        return any(of_row < day for of_row in days)

    def of_unit(self, unit_id: str) -> Calendar:
        """What a unit keeps to; without its own, the default."""
        rows = [row for row in table(self._registry, "opening_hours") if row.get("unit_id") == unit_id and unit_id]
        if rows and unit_id not in self._of_unit:
            self._of_unit[unit_id] = UnitCalendar(self, rows)
        return self._of_unit.get(unit_id, self[DEFAULT])


class Minutes:
    """Every minute from the day `first` to before `last`, looked at one after another.

    Instants are whole seconds since the midnight of `first`.
    """

    def __init__(self, calendar: Calendar, first: date, last: date) -> None:
        self.is_open = bytearray()
        self.open_before = array("q")  # open seconds before each minute
        passed, on = 0, first
        while on < last:
            hours = calendar.hours(on)
            for minute in range(24 * 60):
                is_open = False
                for opens, closes in hours:
                    if opens <= minute < closes:
                        is_open = True
                self.is_open.append(is_open)
                self.open_before.append(passed)
                if is_open:
                    passed += 60
            on += timedelta(days=1)

    def open_through(self, instant: int) -> int:
        """Open seconds before an instant."""
        minute = instant // 60
        return self.open_before[minute] + (instant % 60 if self.is_open[minute] else 0)

    def walk(self, start: int, end: int) -> int:
        """Open seconds from start to end, by a step for every minute that begins between them."""
        seconds = 0
        while start < end:
            stop = min(end, start - start % 60 + 60)
            if self.is_open[start // 60]:
                seconds += stop - start
            start = stop
        return seconds


def months_later(on: date, months: int) -> date:
    """The day of the same number, or the month's last day if it has none."""
    month = on.month - 1 + months
    year, month = on.year + month // 12, month % 12 + 1
    return date(year, month, min(on.day, month_lengths.monthrange(year, month)[1]))


def _age(row: Row) -> tuple[date, bytes]:
    return read_day(row.get("valid_from", "")), row["calendar_id"].encode()


def _at(on: date, minutes: int) -> datetime:
    return datetime.combine(on, time(), ZONE) + timedelta(minutes=minutes)
