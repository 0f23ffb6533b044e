"""Excel and OpenDocument sheets → source rows, read by calamine.

What calamine may be given is decided first (`excel_bounds.py`).

A formula is its last computed value. Where a workbook holds none, and where the value is an error (#N/A, #REF!),
calamine gives an empty cell and does not tell. Text is never computed: a cell that begins with = is text.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from procmon.ingest.excel_bounds import PIECE, ExcelLimits, check_bounds, damaged, protected, too_large
from procmon.ingest.rows import RefusedError, Row
from procmon.ingest.source import Plain, is_gzip, largest
from procmon.text import fold, fold_name

Value = str | int | float | bool | datetime | date | time | timedelta

LOOKED_AT = 50
"""Rows among which the header is looked for."""


@dataclass(frozen=True)
class Sheet:
    """The sheet that is read: `header` are its column names, `header_row` where they stand, as Excel counts.

    `n_rows` are the rows below the header, blank ones too; `rows` yields the others once, `line` being Excel's row.
    """

    name: str
    header: list[str]
    header_row: int
    n_rows: int
    rows: Iterator[Row]


def open_excel(
    path: Path, *, sheet: str, header_row: int, is_known: Callable[[str], bool] | None, limits: ExcelLimits
) -> Sheet:
    """Open an XLSX, XLSM, XLS or ODS workbook, plain or gzipped.

    Args:
        sheet: its name; empty for the first visible one that has cells.
        header_row: as Excel counts; of a header in two rows the lower. 0: the row among the first 50 that has most
            names for which `is_known` is true; without `is_known` the first that looks like a header.

    Cells are text: numbers in plain digits, moments as ISO 8601 without an offset, to the millisecond, a whole day as
    a bare date, times and durations as HH:MM:SS. Rows below the header that number the columns are left out.

    Raises: RefusedError where the workbook exceeds a limit, is damaged, protected or of another kind, or has no such
        sheet or no header; `rows` raises it too.
    """
    with _plain(path, limits) as source:
        check_bounds(source, limits)
        source.seek(0)
        with _reading():
            book = CalamineWorkbook.from_filelike(source)
    with _reading():
        found = _choose_sheet(book, sheet)
    skipped = max(header_row - 2, 0)  # the row above the header is read for names that stand there
    rows = itertools.islice(_numbered(found), skipped, None)
    head = list(itertools.islice(rows, LOOKED_AT))
    place = _find_header(found.name, head, header_row, is_known)
    names = _names(head, place)
    _check_names(found.name, head[place][0], names)
    below = _below(head, place)
    return Sheet(
        name=found.name,
        header=[name for name in names if name],
        header_row=head[place][0],
        n_rows=(found.end or (0, 0))[0] + 1 - head[place][0],
        rows=_rows(itertools.chain(head[below:], rows), names),
    )


def _plain(path: Path, limits: ExcelLimits) -> BinaryIO:
    """The workbook's own bytes; a gzip is unpacked in memory."""
    if path.stat().st_size > limits.size:
        raise too_large(limits)
    if not is_gzip(path):
        return path.open("rb")
    unpacked = io.BytesIO()
    with Plain(path, largest(path, limits.size, limits.ratio)) as source:
        while piece := source.read(PIECE):
            unpacked.write(piece)
    return unpacked


@contextmanager
def _reading() -> Iterator[None]:
    """Calamine's errors as refusals, without its words: they may quote a cell."""
    try:
        yield
    except PasswordError as error:
        raise protected() from error
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise damaged(type(error).__name__) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's panic: no Exception, and pyo3 gives no class to name
            raise
        raise damaged("its reader gave up") from error


# ---- The sheet and its header ----


def _choose_sheet(book: CalamineWorkbook, wanted: str) -> CalamineSheet:
    if wanted:
        alike = [name for name in book.sheet_names if fold(name) == fold(wanted)]
        if not alike:
            raise RefusedError(
                f"there is no sheet '{wanted}'; there are: {', '.join(book.sheet_names)}",
                "Name one of them in the mapping: excel.sheet.",
            )
        return book.get_sheet_by_name(wanted if wanted in alike else alike[0])
    sheets = [item for item in book.sheets_metadata if item.typ == SheetTypeEnum.WorkSheet]
    visible = [item for item in sheets if item.visible == SheetVisibleEnum.Visible]
    for item in visible or sheets:
        sheet = book.get_sheet_by_name(item.name)
        if sheet.start is not None:
            return sheet
    raise RefusedError(
        f"no sheet has cells; there are: {', '.join(book.sheet_names) or 'none'}",
        "Export it again, or name a hidden sheet in the mapping: excel.sheet.",
    )


Numbered = tuple[int, list[Value]]
"""A row with its number, as Excel counts."""


def _numbered(sheet: CalamineSheet) -> Iterator[Numbered]:
    with _reading():
        yield from enumerate(sheet.iter_rows(), 1)


def _find_header(sheet: str, head: Sequence[Numbered], header_row: int, is_known: Callable[[str], bool] | None) -> int:
    """The place in `head` of the (lower) row of column names."""
    if header_row:
        for place, (line, _) in enumerate(head):
            if line == header_row and any(_names(head, place)):
                return place
        raise _no_header(f"row {header_row} of the sheet '{sheet}' has no column names")
    if is_known:
        counts = [sum(is_known(name) for name in set(_names(head, place)) if name) for place in range(len(head))]
        best = max(counts, default=0)
        found = counts.index(best) if best else None
    else:
        found = _guess_header(head)
    if found is None:
        what = "a known column" if is_known else "columns"
        raise _no_header(f"none of the first {len(head)} rows of the sheet '{sheet}' names {what}")
    while _goes_on(head, found):
        found += 1
    return found


def _no_header(message: str) -> RefusedError:
    return RefusedError(message, "Name the row of the column names in the mapping: excel.header_row.")


def _guess_header(head: Sequence[Numbered]) -> int | None:
    """The first row of distinct texts that is about as wide as the list is, and as the row below it."""
    widest = max((_n_filled(values) for _, values in head), default=0)
    for place, (_, values) in enumerate(head):
        filled = [_name(value) for value in values if _is_filled(value)]
        if len(filled) < 2 or len(filled) * 2 < widest or not _is_wording(values):
            continue
        if len({fold_name(name) for name in filled}) < len(filled):
            continue
        next_row = next((below for _, below in head[_below(head, place) :] if _n_filled(below)), values)
        if _n_filled(next_row) * 2 >= len(filled):
            return place
    return None


def _goes_on(head: Sequence[Numbered], place: int) -> bool:
    """Whether the row below is the header's second: names under group heads, blank under names merged downwards."""
    if place + 1 == len(head) or not _is_wording(head[place + 1][1]):
        return False
    pairs = [tuple(map(_is_filled, pair)) for pair in zip(head[place][1], head[place + 1][1], strict=True)]
    groups = {after for pair, after in zip(pairs, [*pairs[1:], ()], strict=True) if pair == (True, True)}
    return (True, False) in pairs and (False, True) in pairs and groups <= {(False, True)}


def _names(head: Sequence[Numbered], place: int) -> list[str]:
    """The column names in a row; where a cell is blank, that of the row above. Empty for a row without any."""
    own = [_name(value) for value in head[place][1]]
    if place == 0 or not any(own):
        return own
    return [name or _name(above) for name, above in zip(own, head[place - 1][1], strict=True)]


def _check_names(sheet: str, line: int, names: Sequence[str]) -> None:
    """Refuse a column that stands twice."""
    folded = [fold_name(name) for name in names]
    twice = dict.fromkeys(name for name in names if name and folded.count(fold_name(name)) > 1)
    if twice:
        raise RefusedError(
            f"sheet '{sheet}', row {line}: column {', '.join(twice)} stands twice", "Give each column one name."
        )


def _below(head: Sequence[Numbered], place: int) -> int:
    """The place of the first row below the header, behind the row (1) (2) (3) that numbers the columns."""
    for below in range(place + 1, len(head)):
        if _n_filled(head[below][1]):
            return below + 1 if _numbers_columns(head[below][1]) else place + 1
    return place + 1


def _numbers_columns(values: Sequence[Value]) -> bool:
    """Whether a row is A B 1 2 3, (1) (2) (3), or with sums (1) (2) (3)=(1)+(2)."""
    texts = [_text(value).strip() for value in values if _is_filled(value)]
    numbers = [text for text in texts if not re.fullmatch(r"[(\[]?[A-Z][)\]]?", text)]
    found = [re.fullmatch(r"[(\[]?(\d{1,3})[)\]]?(\s*=[\s\d()+*/:%-]*)?", text) for text in numbers]
    return len(numbers) > 2 and [item and int(item[1]) for item in found] == list(range(1, len(numbers) + 1))


def _is_wording(values: Sequence[Value]) -> bool:
    """Whether every filled cell is text with a letter in it."""
    return all(
        isinstance(value, str) and any(map(str.isalpha, value)) for value in values if _is_filled(value)
    ) and any(map(_is_filled, values))


def _is_filled(value: Value) -> bool:
    return not isinstance(value, str) or bool(value and not value.isspace())


def _n_filled(values: Sequence[Value]) -> int:
    return sum(map(_is_filled, values))


def _name(value: Value) -> str:
    return " ".join(_text(value).split())


# ---- Rows and cells ----


def _rows(numbered: Iterator[Numbered], names: Sequence[str]) -> Iterator[Row]:
    columns = [(place, name) for place, name in enumerate(names) if name]
    for line, values in numbered:
        cells = {name: _text(values[place]) for place, name in columns if _is_filled(values[place])}
        if cells or any(map(_is_filled, values)):
            yield Row(line, "", cells)


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _digits(value)
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case time():
            return _duration(datetime.combine(date.min, value) - datetime.min)
        case timedelta():
            return _duration(value)


def _digits(number: float) -> str:
    """The shortest digits that are this number, never an exponent."""
    if isinstance(number, int) or (number.is_integer() and abs(number) < 1e15):
        return str(int(number))
    return format(Decimal(repr(number)), "f").removesuffix(".0")


def _moment(moment: datetime) -> str:
    midnight = datetime.combine(moment.date(), time.min)
    with suppress(OverflowError):  # the last millisecond of the year 9999
        moment = midnight + _settled(moment - midnight)
    if moment.time() == time.min:
        return moment.date().isoformat()
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _duration(length: timedelta) -> str:
    sign, length = ("-", -length) if length < timedelta(0) else ("", length)
    seconds, rest = divmod(_settled(length), timedelta(seconds=1))
    clock = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}.{rest // timedelta(milliseconds=1):03}" if rest else clock


def _settled(length: timedelta) -> timedelta:
    """To the millisecond, and to the second where that is one away: what is less is noise of Excel's fractions."""
    milliseconds = round(length / timedelta(milliseconds=1))
    second = round(milliseconds, -3)
    return timedelta(milliseconds=second if abs(milliseconds - second) <= 1 else milliseconds)
