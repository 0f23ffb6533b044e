"""A calendar day by day: which sessions counted, which days are closed, and why; in lines whose seconds add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib.metadata import version
from itertools import groupby, pairwise
from typing import Any, TypeVar

import holidays
import pyarrow as pa

from procmon.engine import Engine
from procmon.errors import StoreError
from procmon.tables import FIRST_DAY, LAST_DAY

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

    def __init__(self, engine: Engine, calendar_id: str, registry: Mapping[str, pa.Table]) -> None:
        self.calendar_id = calendar_id
        engine.give("wanted_calendar", pa.table({"calendar_id": [calendar_id]}))
        rows = engine.query(DAYS).to_pylist()
        self.of: dict[date, dict[str, Any]] = {row["day"]: row for row in rows}
        minutes = engine.query("SELECT pattern_id, minute FROM calendar_minutes WHERE is_open = 1").to_pylist()
        by_pattern = groupby(sorted((m["pattern_id"], m["minute"]) for m in minutes), key=lambda pair: pair[0])
        self.patterns = {pattern: _runs([minute for _, minute in pairs]) for pattern, pairs in by_pattern}
        overrides = [row for row in registry["calendar"].to_pylist() if row["calendar_id"] in ("default", calendar_id)]
        overrides.sort(key=lambda row: bool(row["calendar_id"] != "default"))  # the calendar's own stand last
        self.overrides = {row["on"]: row for row in overrides}

    def sessions(self, day: date) -> Sessions:
        """The sessions of a day, in seconds from midnight."""
        return self.patterns.get(self.of[day]["pattern_id"], ())

    def is_open(self, day: date) -> bool:
        """Whether a day has any session."""
        return bool(self.of[day]["is_open"])

    def why(self, day: date) -> str:
        """Why a day is closed, or open although its weekday or a holiday would have it closed; empty for neither."""
        override = self.overrides.get(day)
        if override is not None:
            said = override["source"] or "no source given"
            return f"{'opened' if override['open'] else 'closed'} by the registry's calendar: {said}"
        package = f"package holidays {version('holidays')}"
        if day in _vietnam().weekend_workdays:
            return f"made-up working day ({package})"
        if day in _vietnam():
            return f"holiday: {_vietnam()[day]} ({package})"
        if self.is_open(day):
            return ""
        return "weekend" if day.weekday() >= 5 else f"{day:%A}s are closed in calendar {self.calendar_id}"

    def lines(self, since: datetime, until: datetime, counts_from: datetime, why_not: str) -> list[Line]:
        """Open time of [since, until) by days, merged; of the time before `counts_from` nothing counts.

        All three are local wall-clock instants without offset. `why_not` is what is said of time that does not count.
        """
        since, until = since.replace(microsecond=0), until.replace(microsecond=0)
        last = max((until - timedelta(seconds=1)).date(), since.date())
        days = (since.date() + timedelta(days=n) for n in range((last - since.date()).days + 1))
        return told(self._line(day, since, until, counts_from, why_not) for day in days)

    def _line(self, day: date, since: datetime, until: datetime, counts_from: datetime, why_not: str) -> Line:
        if not self.is_open(day):
            return Line(day, day, "", self.why(day), 0)
        all_of_day = self.sessions(day)
        seen = _clipped(all_of_day, _second(since, day), _second(until, day))
        counted = _clipped(seen, _second(counts_from, day), 86400)
        if counted != seen:
            return Line(day, day, hours(counted), why_not, _length(counted))
        why = self.why(day) if seen else "outside opening hours"
        return Line(day, day, hours(seen), why, _length(seen))


@cache
def _vietnam() -> holidays.HolidayBase:
    """Public holidays and swapped working days, by their English names."""
    return holidays.country_holidays("VN", years=range(FIRST_DAY.year, LAST_DAY.year), language="en_US")


def _runs(minutes: Sequence[int]) -> Sessions:
    """Minutes in ascending order as runs, in seconds."""
    starts = [minutes[0], *(b for a, b in pairwise(minutes) if b != a + 1)]
    ends = [*(a for a, b in pairwise(minutes) if b != a + 1), minutes[-1]]
    return tuple((start * 60, (end + 1) * 60) for start, end in zip(starts, ends, strict=True))


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
        if lines and (lines[-1].sessions, lines[-1].why) == (day.sessions, day.why):
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
        closed = [day for day in days if not day.is_open]
        why = "; ".join(f"{n} × {reason}" for reason, n in _counts(day.why for day in closed))
        yield Line(
            days[0].first,
            days[-1].last,
            " + ".join(f"{n} × {amount(seconds)}" for seconds, n in _counts(day.seconds for day in opened)),
            f"no time on {_days(len(closed))}: {why}" if closed else "",
            sum(day.seconds for day in opened),
        )
    yield lines[-1]


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


def hours(sessions: Sessions) -> str:
    """Sessions as people write them: `07:30–11:30 13:00–17:00`."""
    return " ".join(f"{clock(start)}–{clock(end)}" for start, end in sessions)


def clock(second: int) -> str:
    """The time of a second of the day, to the minute where it is a whole one."""
    hour, minute, rest = second // 3600, second // 60 % 60, second % 60
    return f"{hour:02}:{minute:02}" + (f":{rest:02}" if rest else "")


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
