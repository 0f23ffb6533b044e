"""A received CSV made ready for DuckDB: which encoding, which delimiter, which line is the header.

A file in UTF-8 is read where it lies, plain or gzipped. Any other is written over into a file in memory, since no clear
copy of a received file may lie on a disk. The sign that a file begins with decides its encoding, then whether it is
UTF-8, then what the mapping declares; what none of them explains is refused, never guessed.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
import unicodedata
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from procmon.ingest import legacy
from procmon.ingest.records import Records, find_records, not_text, pieces_of, raw_pieces
from procmon.ingest.rows import RefusedError
from procmon.ingest.source import is_gzip

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MOST_COLUMNS = 2000
HEAD_SIZE = 1 << 20
HEAD_RECORDS, HEADER_RECORDS = 200, 50
"""Records looked at for the delimiter, and for the header."""

UTF_8_MARK = codecs.BOM_UTF8
WIDE_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
OLD_FONTS = {"tcvn3": "tcvn3", "tcvn": "tcvn3", "abc": "tcvn3", "vni": "vni", "vniwindows": "vni"}
UNICODE_REMEDY = "Convert it to Unicode, e.g. with UniKey's toolkit (Ctrl+Shift+F6), and save it as CSV in UTF-8."
UTF_8_REMEDY = "Save it as CSV in UTF-8"

Known = Callable[[str], bool]


@dataclass(frozen=True)
class Csv:
    """A CSV that DuckDB can open; a file in memory goes when this goes."""

    path: str
    """What read_csv opens."""
    compression: str
    """`gzip` or `none`."""
    delimiter: str
    header: list[str]
    """Column names, trimmed; a nameless column is empty."""
    skip: int
    """Physical lines before the header."""
    records: Records
    """Header first; offsets in the unpacked text at `path`, lines of the received file."""
    size: int
    """Bytes of the unpacked text at `path`."""
    held: object = None
    """The file in memory, where there is one."""


def open_csv(
    path: Path,
    *,
    delimiter: str = "",
    encoding: str = "",
    header_row: int = 0,
    is_known: Known | None,
    size: int,
    memory: int | None = None,
) -> Csv:
    """Find how a CSV is written. `header_row` is a physical line from 1; `is_known` tells the name of a mapped column.

    Where no record has a known name, the first that looks like a header is given, for the caller to say what is
    missing. `size` limits the plain text, `memory` what a file in memory holds, both in bytes.

    Raises: RefusedError where the file is refused whole; MemoryError above `memory`.
    """
    limit = size if memory is None else memory
    codec = _codec(path, encoding, size)
    source = _Source(path, "gzip" if is_gzip(path) else "none")
    if codec != "utf-8":
        source = _in_memory(_decoded(raw_pieces(path, size), codec), limit)
        _codec(source.path, "", size)  # an old font's letters may hide in any encoding
    first = next(pieces_of(source.path, size))
    layout = _layout(first, delimiter, header_row, is_known)
    line = layout.header.line
    start = _line_start(first, line)
    header, n_lines = _names(first[start:], layout)
    skip = line - 1
    end = _line_start(first, line + n_lines)
    if not _is_plain(first[:start], first[start:end]):
        above = b"header" + (b"\r\n" if first[:end].endswith(b"\r\n") else b"\n")
        source = _in_memory(chain([above], _from(end, pieces_of(source.path, size))), limit)
        start, skip = 0, 0
    text = _Counted(pieces_of(source.path, size))
    records = find_records(_from(start, text), layout.delimiter.encode(), offset=start, line=line + n_lines - 1)
    records.lines[0] = line
    return Csv(str(source.path), source.compression, layout.delimiter, header, skip, records, text.size, source.memory)


# ---- encoding


class _Sample:
    """The first lines with letters outside ASCII, and how many lines it took to find them."""

    SIZE, LONGEST_LINE = 1 << 18, 1 << 14
    FOREIGN = re.compile(rb"[\x80-\xff]")

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.lines: list[bytes] = []
        self.n_lines = 0
        size = 0
        for piece in pieces:
            end = 0
            while size < self.SIZE and not piece.isascii() and (found := self.FOREIGN.search(piece, end)):
                start = max(end, piece.rfind(b"\n", end, found.start()) + 1, found.start() - self.LONGEST_LINE)
                end = (piece.find(b"\n", found.start()) + 1) or len(piece)
                self.lines.append(piece[start : min(end, found.start() + self.LONGEST_LINE)])
                size += len(self.lines[-1])
            if size >= self.SIZE:
                self.n_lines += piece.count(b"\n", 0, end)
                break
            self.n_lines += piece.count(b"\n")
        self.text = b"".join(self.lines)

    def bad_lines(self) -> int:
        """How many lines are not UTF-8."""
        return sum("\ufffd" in line.decode("utf-8", "replace") for line in self.lines)


def _codec(path: Path, declared: str, size: int) -> str:
    """The codec of a file's text.

    A byte that is wrong in UTF-8 refuses its row, and is DuckDB's to find; here only a file whose letters are mostly
    not UTF-8 is held to be in another encoding.

    Raises: RefusedError where that is neither declared nor safe to read.
    """
    font = OLD_FONTS.get(re.sub(r"[\s_-]", "", declared.lower()), "")
    codec = "utf-8" if font else _lookup(declared or "utf-8")
    first = next(raw_pieces(path, size))
    if wide := WIDE_MARKS.get(first[:2]):
        return wide
    if b"\x00" in first:
        if codec.startswith(("utf-16", "utf-32")):
            return codec
        raise not_text()
    sample = _Sample(raw_pieces(path, size))
    is_utf8 = legacy.is_utf8(sample.text)
    likely = legacy.suspect(sample.text) or ("" if is_utf8 else font)
    if likely in legacy.FONTS:
        raise RefusedError(f"its letters are in {legacy.ENCODINGS[likely]}, not in Unicode", UNICODE_REMEDY)
    if is_utf8 and likely:
        raise RefusedError(
            "its letters are double-encoded UTF-8: read in another encoding and saved again",
            "Export it again from where it came, as UTF-8.",
        )
    if is_utf8:
        return "utf-8"
    if codec != "utf-8" and not first.startswith(UTF_8_MARK):
        return codec
    n_bad = sample.bad_lines()
    if likely or (n_bad >= 3 and n_bad > 0.05 * sample.n_lines):
        says = f"not UTF-8 text; it reads as {legacy.ENCODINGS[likely]}" if likely else "not UTF-8 text"
        value = likely or "…"
        raise RefusedError(says, f'{UTF_8_REMEDY}, or declare csv.encoding = "{value}" in the mapping.')
    return "utf-8"


def _lookup(declared: str) -> str:
    """The name Python has for a declared text encoding. Raises: RefusedError for an unknown one."""
    try:
        b"a".decode(declared, "ignore")
        name = codecs.lookup(declared).name
    except (LookupError, UnicodeError) as error:
        raise RefusedError(
            f'csv.encoding = "{declared}" is not known', "Declare utf-8, utf-16-le, utf-16-be or windows-1258."
        ) from error
    return "utf-8" if name in ("ascii", "utf-8-sig") else name


def _decoded(pieces: Iterable[bytes], codec: str) -> Iterator[bytes]:
    """The text in UTF-8. Windows-1258 writes tones apart from their letters; they are put together (NFC).

    Raises: RefusedError for a byte that the encoding does not know, and for NUL.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    for piece in chain(pieces, [b""]):
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(codec, "replace")
            raise RefusedError(
                f"line {line + before.count(chr(10))}: not {codec} text: {error.reason}",
                f"{UTF_8_REMEDY}, or mend csv.encoding in the mapping.",
            ) from error
        if line == 1:
            text = text.removeprefix("\ufeff")
        line += text.count("\n")
        yield (unicodedata.normalize("NFC", text) if codec == "cp1258" else text).encode()


# ---- where the text lies


class _Memory:
    """An anonymous file in memory, which goes with this object."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("csv")
        weakref.finalize(self, os.close, self.fd)


class _Source(NamedTuple):
    """The text in UTF-8, as DuckDB opens it."""

    path: Path
    compression: str
    memory: _Memory | None = None


def _in_memory(pieces: Iterable[bytes], limit: int) -> _Source:
    """The pieces as a file in memory. Raises: MemoryError above `limit` bytes."""
    memory = _Memory()
    size = 0
    with open(memory.fd, "wb", closefd=False) as file:
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise MemoryError
            file.write(piece)
    return _Source(Path(f"/proc/self/fd/{memory.fd}"), "none", memory)


class _Counted:
    """Pieces, and their size in bytes once they are read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.size += len(piece)
            yield piece


def _from(start: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces from byte `start` of the first one."""
    for place, piece in enumerate(pieces):
        yield piece[start:] if place == 0 and start else piece


def _line_start(text: bytes, line: int) -> int:
    """The byte offset of a physical line, behind the sign of UTF-8; the text's end where it has no such line."""
    start = len(UTF_8_MARK) if text.startswith(UTF_8_MARK) else 0
    for _ in range(line - 1):
        start = (text.find(b"\n", start) + 1) or len(text)
    return start


def _is_plain(preamble: bytes, header: bytes) -> bool:
    """Whether DuckDB skips the preamble as we do, and takes the header for one line.

    It takes the first line end that it sees, be it in quotes, for the file's, and a quote behind the sign of UTF-8 for
    text.
    """
    above = preamble + header
    ending = b"\r\n" if header.endswith(b"\r\n") else b"\n"
    n_lines = above.count(b"\n")
    return (
        b'"' not in preamble
        and header.count(b"\n") <= 1
        and above.count(ending) == n_lines
        and above.count(b"\r") == n_lines * (ending != b"\n")
    )


# ---- layout


class _Record(NamedTuple):
    """A record at the head of a file, and its line."""

    line: int
    cells: list[str]

    def n_known(self, is_known: Known | None) -> int:
        return sum(map(is_known, filter(None, map(str.strip, self.cells)))) if is_known else 0


class _Layout(NamedTuple):
    """The head of a file as one delimiter divides it; `share` of its records have `width` cells, no other as many."""

    delimiter: str
    header: _Record
    n_known: int
    width: int
    share: float


def _layout(first: bytes, delimiter: str, header_row: int, is_known: Known | None) -> _Layout:
    """The delimiter and the header. Raises: RefusedError where they cannot be told."""
    head = first[:HEAD_SIZE].removeprefix(UTF_8_MARK)
    if b"\n" not in head and b"\r" in head:
        raise RefusedError("its lines end with CR alone, as on old Macintoshes", "Save it as CSV with LF or CR LF.")
    lines = head.decode("utf-8", "replace").split("\n")
    line = 1
    if excel := re.fullmatch(r'"?sep=([^"\r\n])"?\r?', lines[0]):
        delimiter, line = delimiter or excel[1], 2
    if delimiter and (len(delimiter) > 1 or not delimiter.isascii() or delimiter in '"\r\n'):
        raise RefusedError(f"{delimiter!r} is no delimiter", 'Declare one sign in the mapping: csv.delimiter = ";".')
    line = header_row or line
    found = [
        layout
        for candidate in ([delimiter] if delimiter else DELIMITERS)
        if (layout := _divided(lines[line - 1 :], line, candidate, bool(header_row), is_known))
    ]
    if not found or (header_row and found[0].header.line != header_row):
        if header_row:
            raise RefusedError(f"line {header_row} is blank, or not there", "Mend csv.header_row in the mapping.")
        raise RefusedError("no record at its head can be read as CSV", "Open it in an editor and mend its first lines.")
    return _clearest(found)


def _clearest(found: Sequence[_Layout]) -> _Layout:
    """The layout with the most known names; without any, the one that divides the most records evenly."""
    best = max(found, key=lambda layout: (layout.n_known, layout.share if layout.width > 1 else 0))
    if best.n_known or len(found) == 1:
        return best
    wide = [layout for layout in found if layout.width > 1]
    if not wide:
        return found[0]
    even = [layout for layout in wide if layout.share == best.share >= 0.5]
    if len(even) != 1:
        raise RefusedError(
            f"no one delimiter divides it evenly; tried {', '.join(DELIMITERS.values())}",
            'State it in the mapping: csv.delimiter = ";".',
        )
    return even[0]


def _divided(lines: list[str], line: int, delimiter: str, is_first: bool, is_known: Known | None) -> _Layout | None:
    """The lines, the first of them being `line`, under a delimiter; None where there is no record."""
    records = list(islice(_head_records(lines, line, delimiter), HEAD_RECORDS))
    if not records:
        return None
    widths = Counter(len(record.cells) for record in records)
    width = max(widths, key=lambda width: (widths[width], width))
    header = records[0] if is_first else _header(records[:HEADER_RECORDS], width, is_known)
    return _Layout(delimiter, header, header.n_known(is_known), width, widths[width] / len(records))


def _head_records(lines: list[str], line: int, delimiter: str) -> Iterator[_Record]:
    """The records at the head, blank lines left out, up to one that cannot be read."""
    reader = csv.reader((text + "\n" for text in lines), delimiter=delimiter)
    start = line
    try:
        for cells in reader:
            if cells:
                yield _Record(start, cells)
            start = line + reader.line_num
    except csv.Error:
        return


def _header(records: Sequence[_Record], width: int, is_known: Known | None) -> _Record:
    """The record with most known names; without any, the first of the usual width that is more than half filled.

    A spreadsheet pads the title above a list with empty cells.
    """
    best = max(records, key=lambda record: record.n_known(is_known))
    if best.n_known(is_known):
        return best
    usual = [record for record in records if len(record.cells) == width] or list(records)
    filled = [record for record in usual if 2 * sum(map(bool, map(str.strip, record.cells))) > width]
    return (filled or usual)[0]


def _names(text: bytes, layout: _Layout) -> tuple[list[str], int]:
    """(column names, physical lines) of the header, read strictly from the text that begins with it.

    Raises: RefusedError where they cannot be read, are too many, or one stands twice.
    """
    line = layout.header.line
    if b"\n" not in text[:HEAD_SIZE] and len(text) > HEAD_SIZE:
        raise RefusedError(f"line {line}: the header is longer than 1 MiB", "Export the needed columns only.")
    lines = (one.decode() + "\n" for one in text[:HEAD_SIZE].split(b"\n"))
    try:
        reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
        names = [name.strip() for name in next(reader)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RefusedError(f"line {line}: the header cannot be read: {error}", f"{UTF_8_REMEDY}.") from error
    if len(names) > MOST_COLUMNS:
        raise RefusedError(
            f"line {line}: too many columns: {len(names):,}, at most {MOST_COLUMNS:,}", "Export the needed ones only."
        )
    twice = sorted({name for name, n in Counter(names).items() if name and n > 1})
    if twice:
        raise RefusedError(f"line {line}: column {', '.join(twice)} stands twice", "Give each column one name.")
    return names, reader.line_num
