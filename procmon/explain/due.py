"""How a limit becomes a due date, day by day (rulebook 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from procmon.explain.days import MOST_LINES, Days, amount, clock, hours, span
from procmon.worktime import Session


@dataclass(frozen=True)
class DueLine:
    """What days in a row are to a term."""

    first: date
    last: date
    says: str


@dataclass(frozen=True)
class Term:
    """A limit and the day it begins with: `starts_at` is the local instant from which it counts."""

    amount: float
    unit: str
    starts_at: datetime

    @property
    def words(self) -> str:
        """Such as `10 working days`, `1 month`."""
        unit = self.unit.replace("_", " ")
        return f"{self.amount:g} {unit.removesuffix('s') if self.amount == 1 else unit}"


def derive(days: Days, term: Term) -> tuple[list[DueLine], datetime]:
    """The lines of a term, and the local instant at which it ends."""
    if term.unit == "hours":
        return _hours(days, term)
    if term.unit == "working_days":
        return _working_days(days, term)
    return _calendar_days(days, term)


def _first_line(day: date) -> DueLine:
    return DueLine(day, day, "day of receipt: does not count")


def _closing(days: Days, day: date) -> datetime:
    return _at(day, int(days.of[day]["closes_second"]))


def _at(day: date, second: int) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(seconds=second)


def _hours(days: Days, term: Term) -> tuple[list[DueLine], datetime]:
    left = total = round(term.amount * 3600)
    day, lines, due = term.starts_at.date(), [], term.starts_at
    while left > 0:
        counted: list[Session] = []
        for start, end in days.sessions(day):
            start = max(start, int((term.starts_at - _at(day, 0)).total_seconds()))
            end = min(end, start + left)
            if start < end:
                counted.append((start, end))
                left -= end - start
                due = _at(day, end)
        said = f"{hours(tuple(counted))}: {amount(total - left)} of {amount(total)}" if counted else ""
        lines.append(DueLine(day, day, said + _because(days, day) if said else days.why_not(day)))
        day += timedelta(days=1)
    ends = DueLine(due.date(), due.date(), f"{amount(total)} have passed at {clock(_seconds(due))}: due")
    return [*_merged(lines), ends], due


def _because(days: Days, day: date) -> str:
    """What makes an open day's hours others than usual, to follow what is said of it."""
    why = days.why(day)
    return f", {why}" if why else ""


def _seconds(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


@dataclass(frozen=True)
class _Counted:
    day: date
    number: int  # of the working day; 0: closed
    why: str


def _working_days(days: Days, term: Term) -> tuple[list[DueLine], datetime]:
    counted: list[_Counted] = []
    day, number = term.starts_at.date(), 0
    while number < int(term.amount):
        day += timedelta(days=1)
        number += days.is_open(day)
        counted.append(_Counted(day, number if days.is_open(day) else 0, days.why(day)))
    runs = [list(run) for _, run in groupby(counted, key=lambda one: (bool(one.number), one.why))]
    if len(runs) > MOST_LINES:
        runs = [list(run) for _, run in groupby(counted, key=lambda one: (one.day.year, one.day.month))]
    ends = f"day {number} is the last: due at closing time, {clock(int(days.of[day]['closes_second']))}"
    lines = [DueLine(run[0].day, run[-1].day, _said(run)) for run in runs]
    return [_first_line(term.starts_at.date()), *lines, DueLine(day, day, ends)], _closing(days, day)


def _said(run: list[_Counted]) -> str:
    opened = [one for one in run if one.number]
    closed = [one.why for one in run if not one.number]
    parts = []
    if opened:
        first, last = opened[0].number, opened[-1].number
        parts.append(f"day {first}" if first == last else f"days {first} to {last}")
        if len({one.why for one in opened}) == 1:
            parts[0] += f", {opened[0].why}" if opened[0].why else ""
        else:  # told by month
            parts += [f"{span(one.day, one.day)}: {one.why}" for one in opened if one.why]
    if closed:
        whys = [f"{closed.count(why)} × {why}" if opened else why for why in dict.fromkeys(closed)]
        parts.append("no working day: " + "; ".join(whys))
    return "; ".join(parts)


def _calendar_days(days: Days, term: Term) -> tuple[list[DueLine], datetime]:
    begins = term.starts_at.date()
    last = begins + timedelta(days=int(term.amount)) if term.unit == "days" else _months_on(begins, int(term.amount))
    lines = [_first_line(begins), DueLine(last, last, f"{term.words} on: the term's last day")]
    due = last
    while not days.is_open(due):
        lines.append(DueLine(due, due, f"closed, so the term goes on: {days.why(due)}"))
        due += timedelta(days=1)
    closes = clock(int(days.of[due]["closes_second"]))
    lines.append(DueLine(due, due, f"due at closing time, {closes}{_because(days, due)}"))
    return list(_merged(lines)), _closing(days, due)


def _months_on(day: date, months: int) -> date:
    """The day of the same number, or the month's last."""
    number = day.year * 12 + day.month - 1 + months
    after = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    last = after - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def _merged(lines: list[DueLine]) -> Iterator[DueLine]:
    """Lines that say the same of days in a row, as one."""
    for says, run in groupby(lines, key=lambda line: line.says):
        of_run = list(run)
        yield DueLine(of_run[0].first, of_run[-1].last, says)
