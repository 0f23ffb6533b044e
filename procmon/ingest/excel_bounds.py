"""What a workbook would unpack to, looked at before anything opens it.

Calamine unpacks what it is given and makes a table of the whole used range, without limits; a few kilobytes can end
the process. So a zip is looked through first, by its directory and then member by member: what passes unpacks to what
it says, has no document type, and its largest sheet has a bounded number of cells.
"""

from __future__ import annotations

import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from lxml import etree

from procmon.ingest.rows import RefusedError
from procmon.ingest.source import OLE, ZIP

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


def check_bounds(source: BinaryIO, limits: ExcelLimits) -> None:
    """Look through a workbook's bytes. Raises: RefusedError for what calamine may not be given."""
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
        raise protected()
    for begin in re.finditer(re.escape(WORKSHEET), data):
        for kind, content in itertools.islice(_records(data, begin.start()), 100):
            if kind == DIMENSIONS and len(content) >= 12:
                first_row, last_row, first_column, last_column = struct.unpack("<LLHH", content[:12])
                if not (first_row <= last_row <= 1 << 16 and first_column <= last_column <= 1 << 8):
                    raise damaged("it has cells where no sheet has any")
                _check_area("a sheet", last_row * last_column, limits)


def _records(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of the records of an XLS from a place on, as far as they lie in one stretch."""
    while start + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, start)
        yield kind, data[start + 4 : start + 4 + size]
        start += 4 + size


def damaged(detail: str) -> RefusedError:
    """The refusal of a workbook that cannot be read."""
    return RefusedError(f"the workbook is damaged or cut off: {detail}", f"{COPY_AGAIN} Or: {SAVE_AGAIN}")


def protected() -> RefusedError:
    """The refusal of a workbook that a password shuts."""
    return RefusedError("protected by a password", "Open it in Excel, take the password off, and save it again.")


def too_large(limits: ExcelLimits) -> RefusedError:
    """The refusal of a workbook above `limits.size`."""
    return RefusedError(
        f"unpacked it is larger than {limits.size // 2**20} MiB", "Split the file, or raise engine.read_size."
    )


# ---- What a zip would unpack to ----


def _check_zip(source: BinaryIO, limits: ExcelLimits) -> None:
    """Look through a workbook's zip: the directory first, then each member as it unpacks."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries, end = archive.infolist(), archive.start_dir
    except BAD_DIRECTORY as error:
        raise damaged("its directory cannot be read") from error
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
        raise too_large(limits)
    for entry in entries:
        name = entry.orig_filename
        if "\0" in name or name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or name[1:2] == ":":
            raise RefusedError(f"the workbook has a part that leaves its folder: {name[:80]!a}", SAVE_AGAIN)
        if entry.flag_bits & ENCRYPTED:
            raise protected()
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
            raise damaged(f"{entry.filename[:80]!a} is not where it should be")
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
        raise damaged(f"{name} is not what it was when it was packed")


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
        raise damaged("'content.xml' is no whole XML") from error


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
            raise damaged(f"{entry.filename[:80]!a} cannot be unpacked") from error


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
            raise damaged("it has cells where no sheet has any")
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
