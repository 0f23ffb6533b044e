"""Registry files as text: reading the CSV, what a cell may hold, what must hold within a row, how problems are told.

A parser takes a cell that is not empty, without outer spaces, and raises ValueError saying what is expected; the
loop that calls it adds file, line, column and cell.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from procmon.errors import RegistryError
from procmon.tables import FIRST_DAY, LAST_DAY
from procmon.unit_calendars import THEN

Parser = Callable[[str], object]
Row = Mapping[str, Any]

SCHEDULES = ("daily", "monthly", "reporting_month", "quarterly", "yearly")
MOST_PROBLEMS = 20
LONGEST_SHOWN = 80
LONGEST_LIMITS = {"hours": 20_000, "working_days": 2_500, "days": 3_650, "months": 120}
"""Ten years: a longer limit is a slip of the pen, and would leave the days that calendars cover."""

WEIGHTS_OFF = 0.001
"""How far weights of one old unit may be from 1 in sum: thirds are written with a few decimals."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SESSION = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row: the column and its cell, and what is expected; no column: the row as a whole."""

    column: str
    cell: str
    expected: str
    line: int = 0

    def on(self, line: int) -> Problem:
        """The same problem, on its line."""
        return replace(self, line=line)

    def __str__(self) -> str:
        if not self.column:
            return f"line {self.line}: {self.expected}"
        cell = self.cell if len(self.cell) <= LONGEST_SHOWN else self.cell[:LONGEST_SHOWN] + "…"
        return f"line {self.line}, column {self.column}, {cell!r}: {self.expected}"


RowCheck = Callable[[Row], Iterator[Problem]]
RowsCheck = Callable[[Sequence[Row]], Iterator[tuple[Row, Problem]]]


# The file


def read_csv(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header of a UTF-8 CSV file, and its records, each with the line on which it begins, as an editor counts.

    Lines without any cell filled are skipped. Raises: RegistryError, also while the records are taken.
    """
    records = _records(path, _decoded(path))
    _, header = next(records, (0, None))
    if header is None:
        raise RegistryError(f"{path}: the file is empty", remedy="Its first line must be the header.")
    return [name.strip() for name in header], records


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}", remedy="Check name and mode.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RegistryError(
            f"{path}, line {line}: the file is not UTF-8", remedy='Save it as "CSV UTF-8" and load it again.'
        ) from error


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RegistryError(
                f"{path}, line {line}: not valid CSV: {error}", remedy="Check the quotes of that line."
            ) from error
        if any(cell.strip() for cell in record):
            yield line, record


def check_header(path: Path, header: Sequence[str], known: Sequence[str], needed: Sequence[str]) -> None:
    """Whether the columns are the kind's. Raises: RegistryError naming all that are wrong."""
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise RegistryError(
            f"{path}, line 1: the cells are not separated by commas",
            remedy="Save the file as CSV with commas; a spreadsheet may use semicolons by its language.",
        )
    unknown = [name or "(empty)" for name in dict.fromkeys(header) if name not in known]
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    missing = [name for name in needed if name not in header]
    wrong = [
        f"{what}: {', '.join(names)}"
        for what, names in (("unknown", unknown), ("there twice", twice), ("missing", missing))
        if names
    ]
    if wrong:
        raise RegistryError(
            f"{path}, line 1: columns {'; '.join(wrong)}",
            remedy=f"The columns are {', '.join(known)}; needed are {', '.join(needed)}.",
        )


def refused(path: Path, problems: Sequence[Problem]) -> RegistryError:
    """The problems of a file, in the order of its lines, as one error; at most `MOST_PROBLEMS` are told."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    told = [f"  {problem}" for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        told.append(f"  … and {len(problems) - MOST_PROBLEMS} more")
    return RegistryError(
        "\n".join([f"{path}: {count}, nothing was loaded:", *told]),
        remedy="Mend these cells and load the file again.",
    )


# The cell


def cleaned(cell: str) -> str:
    """A cell without outer spaces. Raises: ValueError for line breaks and other control characters."""
    if any(unicodedata.category(sign) == "Cc" for sign in cell):
        raise ValueError("it may hold no line break, tab or other control character")
    return cell.strip()


def words(cell: str) -> str:
    """Text that people read, in Unicode's composed form, so that equal words are equal text."""
    return unicodedata.normalize("NFC", cell)


def code(cell: str) -> str:
    """An opaque code, as it is."""
    return cell


def one_of(*choices: str) -> Parser:
    """A parser for one of a few words."""

    def parse(cell: str) -> str:
        if cell not in choices:
            raise ValueError(f"expected {choices[0]}" if len(choices) == 1 else f"expected one of {', '.join(choices)}")
        return cell

    return parse


def day(cell: str) -> date:
    """A day as YYYY-MM-DD."""
    try:
        if _DAY.fullmatch(cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise ValueError("expected a day as YYYY-MM-DD, such as 2025-07-01")


def calendar_day(cell: str) -> date:
    """A day that calendars cover."""
    found = day(cell)
    if not FIRST_DAY <= found < LAST_DAY:
        raise ValueError(f"expected a day from {FIRST_DAY} to {LAST_DAY - timedelta(days=1)}")
    return found


def calendar(cell: str) -> str:
    """A calendar's name."""
    if THEN in cell:
        raise ValueError(f"expected a name without '{THEN}', which joins the calendars of a unit that has had several")
    return cell


def yes_no(cell: str) -> bool:
    """Yes or no."""
    if cell not in ("yes", "no"):
        raise ValueError("expected yes or no")
    return cell == "yes"


def weekday(cell: str) -> int:
    """A weekday, 1 = Monday."""
    if not re.fullmatch(r"[1-7]", cell):
        raise ValueError("expected a weekday from 1 (Monday) to 7 (Sunday)")
    return int(cell)


def hours(cell: str) -> str:
    """Sessions of a day in ascending order, as text with single spaces: `07:30-11:30 13:00-17:00`."""
    sessions = cell.split()
    before = 0
    for session in sessions:
        times = _SESSION.fullmatch(session)
        if not times:
            raise ValueError("expected sessions such as 07:30-11:30 13:00-17:00, in whole minutes up to 24:00")
        h1, m1, h2, m2 = (int(part) for part in times.groups())
        starts, ends = h1 * 60 + m1, h2 * 60 + m2
        if ends > 24 * 60:
            raise ValueError(f"expected hours up to 24:00; {session} ends later")
        if ends <= starts:
            raise ValueError(f"expected sessions that end after they begin; {session} does not")
        if starts < before:
            raise ValueError(f"expected sessions in order, not overlapping; {session} begins before the last one ends")
        before = ends
    return " ".join(sessions)


def amount(cell: str) -> str:
    """A positive number of at most two decimals, as its shortest decimal text."""
    try:
        number = Decimal(cell) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", cell) else Decimal(0)
    except InvalidOperation:
        number = Decimal(0)
    if number <= 0 or number != round(number, 2):
        raise ValueError("expected a positive number with a point and at most 2 decimals, such as 10 or 1.5")
    return f"{number.normalize():f}"


def fraction(cell: str) -> float:
    """A fraction between 0 and 1, both excluded."""
    if not re.fullmatch(r"0?\.\d{1,9}", cell) or not 0 < float(cell) < 1:
        raise ValueError("expected a fraction between 0 and 1, such as 0.3 for 30 %")
    return float(cell)


def share(cell: str) -> float:
    """A share from 0 to 1, both included."""
    if not re.fullmatch(r"[01]|[01]?\.\d{1,9}", cell) or float(cell) > 1:
        raise ValueError("expected a share from 0 to 1, such as 0.4")
    return float(cell)


def tags(cell: str) -> str:
    """Words, each once, separated by single spaces."""
    return " ".join(dict.fromkeys(words(cell).split()))


def tag(cell: str) -> str:
    """One word."""
    if len(cell.split()) != 1:
        raise ValueError("expected one word, such as business")
    return words(cell)


def email(cell: str) -> str:
    """A mail address; its domain in small letters."""
    local, _, domain = cell.rpartition("@")
    if not _EMAIL.fullmatch(cell) or ".." in cell or local.startswith(".") or local.endswith("."):
        raise ValueError("expected a mail address such as ten.ho@haiphong.example")
    return f"{local}@{domain.lower()}"


def scope(cell: str) -> str:
    """`unit:CODE` or `field:NAME`."""
    what, _, which = words(cell).partition(":")
    if what not in ("unit", "field") or not which.strip():
        raise ValueError("expected unit:CODE or field:NAME, such as unit:11344, or an empty cell")
    return f"{what}:{which.strip()}"


def schedules(cell: str) -> str:
    """Schedules, each once, separated by single spaces."""
    found = list(dict.fromkeys(cell.split()))
    if not set(found) <= set(SCHEDULES):
        raise ValueError(f"expected one or more of {', '.join(SCHEDULES)}, separated by spaces")
    return " ".join(found)


# The row


def fits(_row: Row) -> Iterator[Problem]:
    """A row whose cells do not hang together: nothing can be wrong."""
    yield from ()


def procedure_fits(row: Row) -> Iterator[Problem]:
    """A limit is an amount with its unit, whole but for hours; the version ends after it begins."""
    yield from _in_order(row, "valid_from", "valid_to")
    number, unit = row["limit_amount"], row["limit_unit"]
    if bool(number) != bool(unit):
        empty, filled = ("limit_amount", "limit_unit") if unit else ("limit_unit", "limit_amount")
        yield Problem(empty, "", f"expected a value, as {filled} is {row[filled]}; or leave both empty: no limit")
    elif number and unit != "hours" and "." in number:
        yield Problem("limit_amount", number, f"expected a whole number of {unit}")
    elif number and Decimal(number) > LONGEST_LIMITS[unit]:
        yield Problem("limit_amount", number, f"expected at most {LONGEST_LIMITS[unit]} {unit}")


def fit_together(_rows: Sequence[Row]) -> Iterator[tuple[Row, Problem]]:
    """Rows that do not hang together: nothing can be wrong."""
    yield from ()


def weights_fit(rows: Sequence[Row]) -> Iterator[tuple[Row, Problem]]:
    """The successors of an old unit have weights that sum to 1, to a thousandth, or none has one."""
    groups: dict[tuple[str, date], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["old_unit_id"], row["effective_on"]), []).append(row)
    for (old, on), heirs in groups.items():
        weights = [row["weight"] for row in heirs if row["weight"] is not None]
        if not weights:
            continue
        wrong = ""
        if len(weights) < len(heirs):
            wrong = f"expected a weight for each successor of {old} on {on}, or for none of them"
        elif abs(sum(weights) - 1) > WEIGHTS_OFF + 1e-9:
            total = f"{sum(weights):.6g}"
            wrong = f"expected weights of the successors of {old} on {on} that sum to 1; these sum to {total}"
        if wrong:
            yield from ((row, Problem("weight", _told(row["weight"]), wrong)) for row in heirs)


def _told(weight: float | None) -> str:
    return "" if weight is None else f"{weight:g}"


def unit_fits(row: Row) -> Iterator[Problem]:
    """The version ends after it begins, and no unit is its own parent."""
    yield from _in_order(row, "valid_from", "valid_to")
    if row["parent_unit_id"] == row["unit_id"]:
        yield Problem("parent_unit_id", row["parent_unit_id"], "expected another unit than itself")


def override_fits(row: Row) -> Iterator[Problem]:
    """A day off has no hours."""
    if row["hours"] and not row["open"]:
        yield Problem("hours", row["hours"], "expected an empty cell, as open is no")


def announced_fits(row: Row) -> Iterator[Problem]:
    """The announcement ends after it begins."""
    yield from _in_order(row, "announced_on", "valid_to")


def target_fits(row: Row) -> Iterator[Problem]:
    """Baseline and period end after they begin, and the period does not begin before the baseline ends."""
    wrong = [*_in_order(row, "baseline_from", "baseline_to"), *_in_order(row, "period_from", "period_to")]
    if not wrong and row["period_from"] < row["baseline_to"]:
        wrong = [
            Problem("period_from", f"{row['period_from']}", f"expected baseline_to, {row['baseline_to']}, or later")
        ]
    yield from wrong


def recipient_fits(row: Row) -> Iterator[Problem]:
    """A city's page has no scope, a centre's a unit, a department's a unit or a field."""
    allowed = {"city": ("",), "centre": ("unit",), "department": ("unit", "field")}[str(row["audience"])]
    if str(row["scope"] or "").partition(":")[0] not in allowed:
        wanted = " or ".join(
            {"": "an empty scope", "unit": "unit:CODE", "field": "field:NAME"}[kind] for kind in allowed
        )
        yield Problem("scope", str(row["scope"] or ""), f"expected {wanted} for the audience {row['audience']}")


def _in_order(row: Row, starts: str, ends: str) -> Iterator[Problem]:
    if row[ends] is not None and row[ends] <= row[starts]:
        yield Problem(ends, f"{row[ends]}", f"expected a day after {starts}, {row[starts]}; the end is excluded")
