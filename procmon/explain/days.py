"""A calendar day by day: which sessions counted, which days are closed, and why; in lines whose seconds add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from importlib.metadata import version
from itertools import groupby, pairwise
from typing import Any, TypeVar

import holidays
import pyarrow as pa
import pyarrow.compute as pc

from procmon import worktime
from procmon.engine import Engine
from procmon.errors import SettingsError, StoreError
from procmon.inputs import Inputs
from procmon.tables import FIRST_DAY, LAST_DAY
from procmon.unit_calendars import DEFAULT
from procmon.worktime import Calendars

NO_SOURCE = "no source given"
BUG = "This is a bug in procmon: please report it, with the dossier's events."
MOST_LINES = 14
"""A stretch with more lines than this is told by month."""

Sessions = tuple[tuple[int, int], ...]
Value = TypeVar("Value", int, str)


DAYS = """
    SELECT d.day, d.pattern_id, d.is_open, d.opens_second, d.closes_second
    FROM calendar_days AS d SEMI JOIN wanted_calendar USING (calendar_id)
"""


@dataclass(frozen=True)
class Line:
    """Days in a row that cost the same: `sessions` of each that counted, and `why` no other time of them did.

    `seconds` is the open time of all of them. A line by month has its days' sum instead of sessions.
    """

    first: date
    last: date
    sessions: str
    why: str
    seconds: int

    @property
    def n_days(self) -> int:
        """How many days it tells of."""
        return (self.last - self.first).days + 1

    @property
    def is_open(self) -> bool:
        """Whether any of its time counted."""
        return self.seconds > 0


class Days:
    """One calendar as the clock joined it (`calendar_days`, `calendar_minutes`), with the reasons of its days."""

    def __init__(self, engine: Engine, calendar_id: str, seen: Inputs) -> None:
        self.registry = seen.registry
        self.assignments = seen.calendars.assignments(calendar_id)
        engine.give("wanted_calendar", pa.table({"calendar_id": [calendar_id]}))
        rows = engine.query(DAYS).to_pylist()
        self.of: dict[date, dict[str, Any]] = {row["day"]: row for row in rows}
        minutes = engine.query("SELECT pattern_id, minute FROM calendar_minutes WHERE is_open = 1").to_pylist()
        by_pattern = groupby(sorted((m["pattern_id"], m["minute"]) for m in minutes), key=lambda pair: pair[0])
        self.patterns = {pattern: _runs([minute for _, minute in pairs]) for pattern, pairs in by_pattern}
        self.overrides = {(row["calendar_id"], row["on"]): row for row in seen.registry["calendar"].to_pylist()}

    def sessions(self, day: date) -> Sessions:
        """The sessions of a day, in seconds from midnight."""
        return self.patterns.get(self.of[day]["pattern_id"], ())

    def is_open(self, day: date) -> bool:
        """Whether a day has any session."""
        return bool(self.of[day]["is_open"])

    def why(self, day: date) -> str:
        """Why a day is closed, or open at other hours than its weekday usually is; empty for neither."""
        calendar_id = next(name for since, name in reversed(self.assignments) if since <= day)
        override = self.overrides.get((calendar_id, day)) or self.overrides.get((DEFAULT, day))
        if override is not None and not override["open"]:
            return f"closed by the registry's calendar: {override['source'] or NO_SOURCE}"
        if override is not None and self.sessions(day) != (usual := self._usual(calendar_id, day)):
            return f"{_opened(self.sessions(day), usual)}: {override['source'] or NO_SOURCE}"
        package = f"package holidays {version('holidays')}"
        if day in _vietnam().weekend_workdays:
            return f"made-up working day ({package})"
        if day in _vietnam():
            return f"holiday: {_vietnam()[day]} ({package})"
        if self.is_open(day):
            return ""
        return "weekend" if day.weekday() >= 5 else f"{day:%A}s are closed in calendar {calendar_id}"

    def why_not(self, day: date) -> str:
        """Why none of the time asked about on a day is open."""
        why = self.why(day)
        if not self.is_open(day):
            return why
        return f"outside opening hours: {why}" if why else "outside opening hours"

    def _usual(self, calendar_id: str, day: date) -> Sessions:
        """A day's sessions if no override spoke of it; of a made-up working day none, as its weekday is closed."""
        if self._without_overrides is None or day in _vietnam().weekend_workdays:
            return ()
        days, minutes = self._without_overrides.days, self._without_overrides.minutes
        of_day = days.filter(pc.equal(days["day"], pa.scalar(day)))
        known = dict(zip(of_day["calendar_id"].to_pylist(), of_day["pattern_id"].to_pylist(), strict=True))
        pattern = known.get(calendar_id, known[DEFAULT])  # one that has nothing but overrides is else as the default
        is_open = pc.and_(pc.equal(minutes["pattern_id"], pattern), pc.equal(minutes["is_open"], 1))
        return _runs(minutes.filter(is_open)["minute"].to_pylist())

    @cached_property
    def _without_overrides(self) -> Calendars | None:
        """The calendars as their weekly hours and the holidays have them; None where one is never open by those."""
        try:
            return worktime.build(self.registry["calendar"].slice(0, 0), self.registry["opening_hours"])
        except SettingsError:
            return None

    def lines(self, since: datetime, until: datetime, counts_from: datetime, why_not: str) -> list[Line]:
        """Open time of [since, until) by days, merged; of the time before `counts_from` nothing counts.

        All three are local wall-clock instants without offset. `why_not` is what is said of time that does not count.
        """
        since, until = since.replace(microsecond=0), until.replace(microsecond=0)
        if since == until:
            return [Line(since.date(), since.date(), "", "no time: it begins and ends in the same second", 0)]
        last = max((until - timedelta(seconds=1)).date(), since.date())
        days = (since.date() + timedelta(days=n) for n in range((last - since.date()).days + 1))
        return told(self._line(day, since, until, counts_from, why_not) for day in days)

    def _line(self, day: date, since: datetime, until: datetime, counts_from: datetime, why_not: str) -> Line:
        seen = _clipped(self.sessions(day), _second(since, day), _second(until, day))
        counted = _clipped(seen, _second(counts_from, day), 86400)
        if counted != seen:
            return Line(day, day, hours(counted), why_not, _length(counted))
        why = self.why(day) if seen else self.why_not(day)
        return Line(day, day, hours(seen), why, _length(seen))


@cache
def _vietnam() -> holidays.HolidayBase:
    """Public holidays and swapped working days, by their English names."""
    return holidays.country_holidays("VN", years=range(FIRST_DAY.year, LAST_DAY.year), language="en_US")


def _runs(minutes: Sequence[int]) -> Sessions:
    """Minutes in ascending order as runs, in seconds."""
    if not minutes:
        return ()
    starts = [minutes[0], *(b for a, b in pairwise(minutes) if b != a + 1)]
    ends = [*(a for a, b in pairwise(minutes) if b != a + 1), minutes[-1]]
    return tuple((start * 60, (end + 1) * 60) for start, end in zip(starts, ends, strict=True))


def _opened(sessions: Sessions, usual: Sessions) -> str:
    """What the registry's calendar made of a day on which it is not open as usual."""
    more = _length(sessions) - _length(usual)
    what = "opened" if more > 0 else "part closed" if more < 0 else "open at other hours"
    return f"{what} by the registry's calendar, {hours(sessions)} instead of {hours(usual) or 'closed'}"


def _second(moment: datetime, day: date) -> int:
    """How far into a day an instant lies, in seconds; outside of it, its nearer end."""
    passed = moment - datetime.combine(day, datetime.min.time())
    return min(max(int(passed.total_seconds()), 0), 86400)


def _clipped(sessions: Sessions, since: int, until: int) -> Sessions:
    cut = ((max(start, since), min(end, until)) for start, end in sessions)
    return tuple((start, end) for start, end in cut if start < end)


def _length(sessions: Sessions) -> int:
    return sum(end - start for start, end in sessions)


def told(days: Iterable[Line]) -> list[Line]:
    """Days as lines: equal ones in a row merged; where they are many, full days of a month told together."""
    merged = _merged(days)
    return merged if len(merged) <= MOST_LINES else list(_by_month(merged))


def _merged(days: Iterable[Line]) -> list[Line]:
    lines: list[Line] = []
    for day in days:
        is_next = bool(lines) and lines[-1].last + timedelta(days=1) == day.first
        if is_next and (lines[-1].sessions, lines[-1].why) == (day.sessions, day.why):
            lines[-1] = replace(lines[-1], last=day.last, seconds=lines[-1].seconds + day.seconds)
        else:
            lines.append(day)
    return lines


def _by_month(lines: Sequence[Line]) -> Iterator[Line]:
    """One line for each month, but for the first and the last line, which may be part of a day."""
    inner = [day for line in lines[1:-1] for day in _single_days(line)]
    yield lines[0]
    for _, of_month in groupby(inner, key=lambda day: (day.first.year, day.first.month)):
        days = list(of_month)
        opened = [day for day in days if day.is_open]
        said = " + ".join(f"{n} × {amount(seconds)}" for seconds, n in _counts(day.seconds for day in opened))
        yield Line(days[0].first, days[-1].last, said, _why_of(days), sum(day.seconds for day in opened))
    yield lines[-1]


def _why_of(days: Sequence[Line]) -> str:
    """The reasons of a month's closed days, counted, and of its days open at other hours than usual, by name."""
    closed = [day for day in days if not day.is_open]
    parts = [f"{n} × {reason}" for reason, n in _counts(day.why for day in closed)]
    said = [f"no time on {_days(len(closed))}: {'; '.join(parts)}"] if closed else []
    unusual = _merged(day for day in days if day.is_open and day.why)
    named = [f"{span(line.first, line.last)}: {amount(line.seconds)}, {line.why}" for line in unusual]
    return "; ".join([*said, *named])


def _single_days(line: Line) -> Iterator[Line]:
    for n in range(line.n_days):
        day = line.first + timedelta(days=n)
        yield replace(line, first=day, last=day, seconds=line.seconds // line.n_days)


def _counts(values: Iterable[Value]) -> list[tuple[Value, int]]:
    counted: dict[Value, int] = {}
    for value in values:
        counted[value] = counted.get(value, 0) + 1
    return list(counted.items())


def _days(n: int) -> str:
    return f"{n} day{'' if n == 1 else 's'}"


def span(first: date, last: date) -> str:
    """Days in a row: `Wed 22 Jan 2025`, or `Sat 25 to Sun 26 Jan 2025`."""
    if first == last:
        return f"{first:%a %d %b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%a %d} to {last:%a %d %b %Y}"
    return f"{first:%a %d %b} to {last:%a %d %b %Y}"


def hours(sessions: Sessions) -> str:
    """Sessions as people write them: `07:30–11:30 13:00–17:00`."""
    return " ".join(f"{clock(start)}–{clock(end)}" for start, end in sessions)


def clock(second: int) -> str:
    """The time of a second of the day, to the minute where it is a whole one."""
    hour, minute, rest = second // 3600, second // 60 % 60, second % 60
    return f"{hour:02}:{minute:02}" + (f":{rest:02}" if rest else "")


def time_of(moment: datetime) -> str:
    """An instant's time: `15:00`, with seconds and their fraction where they are not zero: `15:00:00.5`."""
    fraction = f".{moment:%f}".rstrip("0") if moment.microsecond else ""
    seconds = f":{moment:%S}" if moment.second or fraction else ""
    return f"{moment:%H:%M}{seconds}{fraction}"


def amount(seconds: int) -> str:
    """Seconds in minutes: `480 min`, `28 min 30 s`, `-5 min`."""
    minutes, rest = divmod(abs(seconds), 60)
    said = f"{minutes:,} min" + (f" {rest} s" if rest else "")
    return f"-{said}" if seconds < 0 else said


def must_agree(what: str, found: object, measured: object) -> None:
    """Refuse to explain what the explanation does not add up to. Raises: StoreError."""
    if found != measured:
        raise StoreError(
            f"the explanation does not add up: {what} comes to {found}, but was measured as {measured}", remedy=BUG
        )
