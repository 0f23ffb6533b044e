"""Excel and OpenDocument sheets → source rows, read by calamine.

Calamine unpacks what it is given and makes a table of the whole used range, without limits; a few kilobytes can end
the process. So a zip is looked through first, by its directory and then member by member: what passes unpacks to what
it says, has no document type, and its largest sheet has a bounded number of cells.

A formula is its last computed value. Where a workbook holds none, and where the value is an error (#N/A, #REF!),
calamine gives an empty cell and does not tell. Text is never computed: a cell that begins with = is text.
"""

from __future__ import annotations

import io
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Protocol

from lxml import etree
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from procmon.ingest.rows import RefusedError, Row
from procmon.ingest.source import OLE, ZIP, Plain, is_gzip, largest
from procmon.ingest.text import fold, fold_name

Value = str | int | float | bool | datetime | date | time | timedelta

LOOKED_AT = 50
"""Rows among which the header is looked for."""

PIECE = 1 << 20
LONGEST_TAG = 1 << 16
MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14
"""What a sheet of Excel can have."""

LOCAL_HEADER = struct.Struct("<4s22xHH")
ENCRYPTED = 1
BAD_DIRECTORY = (zipfile.BadZipFile, struct.error, NotImplementedError, EOFError, ValueError, OverflowError, OSError)
"""What `zipfile` raises where a directory makes no sense."""

DOCTYPE = tuple(word.encode(code) for word in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le"))
"""In UTF-16 of the other byte order these bytes stand as well, one place later."""

PROTECTED = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le"))
    + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
"""Of OLE2 files: an encrypted XLSX, and an XLS that begins with the record FilePass, which calamine reads over."""

WORKSHEET = b"\x09\x08\x10\x00\x00\x06\x10\x00"
DIMENSIONS = 0x0200
"""Of an XLS: how a sheet begins, and the record soon after it that says how far it reaches."""

SAVE_AGAIN = "Open it in Excel or LibreOffice, save it as .xlsx and send that."
COPY_AGAIN = "Copy it again from where it came."


@dataclass(frozen=True)
class ExcelLimits:
    """What a workbook may unpack to.

    `size` bytes in all; `ratio` times its packed size each part above 1 MiB; `entries` parts; `cells` in the used
    range of a sheet.
    """

    size: int = 512 << 20
    ratio: int = 200
    entries: int = 2000
    cells: int = 50_000_000


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
        _check(source, limits)
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
        raise _too_large(limits)
    if not is_gzip(path):
        return path.open("rb")
    unpacked = io.BytesIO()
    with Plain(path, largest(path, limits.size, limits.ratio)) as source:
        while piece := source.read(PIECE):
            unpacked.write(piece)
    return unpacked


def _check(source: BinaryIO, limits: ExcelLimits) -> None:
    """Refuse what calamine may not be given."""
    source.seek(0)
    head = source.read(64)
    if head.startswith(ZIP):
        _check_zip(source, limits)
    elif head.startswith(OLE):
        _check_ole(source.read(), limits)
    elif not head:
        raise RefusedError("the file is empty", "Export it again; a list has a header and at least one row.")
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise RefusedError("not an Excel file but a web page or XML with its name", SAVE_AGAIN)
    else:
        raise RefusedError("not an Excel or OpenDocument file", SAVE_AGAIN)


def _check_ole(data: bytes, limits: ExcelLimits) -> None:
    """Refuse an XLS that is encrypted, or says that a sheet is larger than one can be: calamine believes it."""
    if PROTECTED.search(data):
        raise _protected()
    for begin in re.finditer(re.escape(WORKSHEET), data):
        for kind, content in itertools.islice(_records(data, begin.start()), 100):
            if kind == DIMENSIONS and len(content) >= 12:
                first_row, last_row, first_column, last_column = struct.unpack("<LLHH", content[:12])
                if not (first_row <= last_row <= 1 << 16 and first_column <= last_column <= 1 << 8):
                    raise _damaged("it has cells where no sheet has any")
                _check_area("a sheet", last_row * last_column, limits)


def _records(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of the records of an XLS from a place on, as far as they lie in one stretch."""
    while start + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, start)
        yield kind, data[start + 4 : start + 4 + size]
        start += 4 + size


@contextmanager
def _reading() -> Iterator[None]:
    """Calamine's errors as refusals, without its words: they may quote a cell."""
    try:
        yield
    except PasswordError as error:
        raise _protected() from error
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise _damaged(type(error).__name__) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's panic: no Exception, and pyo3 gives no class to name
            raise
        raise _damaged("its reader gave up") from error


def _damaged(detail: str) -> RefusedError:
    return RefusedError(f"the workbook is damaged or cut off: {detail}", f"{COPY_AGAIN} Or: {SAVE_AGAIN}")


def _protected() -> RefusedError:
    return RefusedError("protected by a password", "Open it in Excel, take the password off, and save it again.")


def _too_large(limits: ExcelLimits) -> RefusedError:
    return RefusedError(
        f"unpacked it is larger than {limits.size // 2**20} MiB", "Split the file, or raise engine.read_size."
    )


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


# ---- What a zip would unpack to ----


def _check_zip(source: BinaryIO, limits: ExcelLimits) -> None:
    """Look through a workbook's zip: the directory first, then each member as it unpacks."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries, end = archive.infolist(), archive.start_dir
    except BAD_DIRECTORY as error:
        raise _damaged("its directory cannot be read") from error
    _check_directory(entries, limits)
    new_extent = _kind_of(entries)
    for entry, start in _places(source, entries, end):
        _check_member(source, entry, start, new_extent(), limits)
        if new_extent is _OpenDocumentExtent and entry.filename == "content.xml":
            _check_whole(_unpacked(source, entry, start))


def _check_directory(entries: Sequence[zipfile.ZipInfo], limits: ExcelLimits) -> None:
    if len(entries) > limits.entries:
        raise RefusedError(f"the workbook has {len(entries)} parts, more than {limits.entries}", SAVE_AGAIN)
    if sum(entry.file_size for entry in entries) > limits.size:
        raise _too_large(limits)
    for entry in entries:
        name = entry.orig_filename
        if "\0" in name or name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or name[1:2] == ":":
            raise RefusedError(f"the workbook has a part that leaves its folder: {name[:80]!a}", SAVE_AGAIN)
        if entry.flag_bits & ENCRYPTED:
            raise _protected()
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RefusedError(f"{name[:80]!a} is packed in a way that Excel does not use", SAVE_AGAIN)
        if entry.file_size > 1 << 20 and entry.file_size > limits.ratio * entry.compress_size:
            raise RefusedError(
                f"{name[:80]!a} unpacks to more than {limits.ratio} times its size",
                f"{SAVE_AGAIN} Where it is right as it is, raise engine.read_ratio.",
            )


def _kind_of(entries: Sequence[zipfile.ZipInfo]) -> Callable[[], _Extent]:
    """How the cells of a workbook's kind are bounded."""
    names = {entry.filename.replace("\\", "/").casefold() for entry in entries}
    if "xl/workbook.bin" in names:
        raise RefusedError("a binary workbook (.xlsb), which is not read", SAVE_AGAIN)
    if "xl/workbook.xml" in names:
        return _ExcelExtent
    if "content.xml" in names:
        return _OpenDocumentExtent
    raise RefusedError("a zip that holds no workbook", "Unpack it, and give the file inside.")


def _places(source: BinaryIO, entries: Sequence[zipfile.ZipInfo], end: int) -> Iterator[tuple[zipfile.ZipInfo, int]]:
    """The entries in the file's order, each with where its data start; refuses those that share bytes."""
    after = 0
    for entry in sorted(entries, key=lambda item: item.header_offset):
        if entry.header_offset < after:
            raise RefusedError(f"{entry.filename[:80]!a} overlaps another part of the workbook", SAVE_AGAIN)
        source.seek(entry.header_offset)
        header = source.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or not header.startswith(ZIP):
            raise _damaged(f"{entry.filename[:80]!a} is not where it should be")
        _, name_size, extra_size = LOCAL_HEADER.unpack(header)
        start = entry.header_offset + LOCAL_HEADER.size + name_size + extra_size
        after = start + entry.compress_size
        if after > end:
            raise RefusedError(f"{entry.filename[:80]!a} overlaps the directory of the workbook", SAVE_AGAIN)
        yield entry, start


def _check_member(source: BinaryIO, entry: zipfile.ZipInfo, start: int, extent: _Extent, limits: ExcelLimits) -> None:
    """Unpack a member as far as it says, keeping nothing; refuse one that says less, or holds what it may not."""
    name = f"{entry.filename[:80]!a}"
    size = crc = 0
    rest = b""
    for piece in _unpacked(source, entry, start):
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        if size > entry.file_size:
            raise RefusedError(f"{name} unpacks to more than it says", SAVE_AGAIN)
        text = rest + piece
        if any(mark in text for mark in DOCTYPE):
            raise RefusedError(f"{name} has a document type, which no workbook needs", SAVE_AGAIN)
        cut = text.rfind(b"<")
        cut = cut if len(text) - cut <= LONGEST_TAG else len(text) - 64
        extent.see(text[:cut])
        rest = text[max(cut, 0) :]
        _check_area(name, extent.area, limits)
    extent.see(rest)
    _check_area(name, extent.area, limits)
    if size != entry.file_size or crc != entry.CRC:
        raise _damaged(f"{name} is not what it was when it was packed")


class _Nothing:
    """What a parser builds that only checks."""

    def close(self) -> None:
        """Give nothing."""


def _check_whole(pieces: Iterator[bytes]) -> None:
    """Refuse a content.xml that ends within a table: calamine would wait for its end for ever."""
    parser = etree.XMLParser(target=_Nothing(), resolve_entities=False, no_network=True)
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _damaged("'content.xml' is no whole XML") from error


def _check_area(name: str, area: int, limits: ExcelLimits) -> None:
    if area > limits.cells:
        raise RefusedError(
            f"{name} has {area:,} cells up to the last that is filled, more than {limits.cells:,}",
            "Delete the rows and columns behind the list, or raise engine.read_cells.",
        )


def _unpacked(source: BinaryIO, entry: zipfile.ZipInfo, start: int) -> Iterator[bytes]:
    """A member's plain bytes in pieces. Not by `zipfile`, which stops where the directory says and not at the end."""
    source.seek(start)
    left = entry.compress_size
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    while left and (packed := source.read(min(PIECE, left))):
        left -= len(packed)
        if entry.compress_type == zipfile.ZIP_STORED:
            yield packed
            continue
        try:
            is_full = True
            while packed or is_full:
                piece = inflate.decompress(packed, PIECE)
                packed = inflate.unconsumed_tail
                is_full = len(piece) == PIECE
                yield piece
        except zlib.error as error:
            raise _damaged(f"{entry.filename[:80]!a} cannot be unpacked") from error


class _Extent(Protocol):
    """How far the cells of a sheet reach, by its XML: `area` is rows × columns from A1."""

    area: int

    def see(self, text: bytes) -> None:
        """Take in the next piece of the member, which ends with a whole tag."""


class _ExcelExtent:
    """Bounded by the references of cells; those that hold a style and no value do not count."""

    REFERENCE = re.compile(rb"""r(?<=\sr)[\s=]+["']([A-Za-z]++)([0-9]++)["'](?!(?: s="\w*")? ?/>)""")
    """Begun with a letter and not with the blank before it: so it is found three times as fast."""

    def __init__(self) -> None:
        self._rows = self._columns = self.area = 0

    def see(self, text: bytes) -> None:
        found = self.REFERENCE.findall(text)
        if not found:
            return
        self._rows = max(self._rows, *(int(digits[:9]) for _, digits in found))
        self._columns = max(self._columns, *map(_column_number, {letters for letters, _ in found}))
        if self._rows > MOST_ROWS or self._columns > MOST_COLUMNS:
            raise _damaged("it has cells where no sheet has any")
        self.area = self._rows * self._columns


def _column_number(letters: bytes) -> int:
    """A → 1, Z → 26, AA → 27, XFD → 16384."""
    number = 0
    for letter in letters[:4].upper():
        number = number * 26 + letter - ord("A") + 1
    return number


class _OpenDocumentExtent:
    """Bounded by counting rows and cells with their repeats, up to the last with a value."""

    TAG = re.compile(
        rb"""<table:(table|table-row|table-cell|covered-table-cell)"""
        rb"""((?:\s+[^\s<>="']+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/?)>"""
    )
    REPEATS = re.compile(rb"""table:number-(?:rows|columns)-repeated\s*=\s*["']\s*\+?([0-9]+)""")

    def __init__(self) -> None:
        self._row = self._column = self._columns = self.area = 0

    def see(self, text: bytes) -> None:
        for kind, attributes, closed in self.TAG.findall(text):
            repeats = self.REPEATS.search(attributes) if b"repeated" in attributes else None
            n = int(repeats[1][:10]) if repeats else 1
            if kind == b"table":
                self._row = self._column = self._columns = 0
            elif kind == b"table-row":
                self._row += n
                self._column = 0
            else:
                self._column += n
                if not closed or b"office:" in attributes:
                    self._columns = max(self._columns, self._column)
                    self.area = max(self.area, self._row * self._columns)
