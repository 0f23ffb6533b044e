"""Where the records of a CSV start, by its bytes alone: the lines that refused rows are reported with.

Text is streamed, plain or gzipped, in pieces of whole lines; a record starts with every line before which an even
number of quotes stands, and a blank line is none. What cannot be told safely refuses the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import numpy.typing as npt

from procmon.ingest.rows import RefusedError
from procmon.ingest.source import Plain

PIECE = 1 << 24
NEWLINE, RETURN, QUOTE = b'\n\r"'
UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Records:
    """The records of a CSV, header included.

    `starts` are byte offsets in the plain text, `lines` as an editor counts from 1; `gaps` is where the record before
    ended, so that only blank lines lie between a gap and its start. `odd_quote` is the first line with a quote
    inside a cell that is not doubled, 0 for none.
    """

    starts: Numbers
    lines: Numbers
    gaps: Numbers
    odd_quote: int


def raw_pieces(path: Path, limit: int) -> Iterator[bytes]:
    """The bytes of a file, unpacked, in pieces that end with a line.

    Raises: RefusedError for a damaged or cut gzip, a plain size above `limit` bytes, an empty file.
    """
    size = 0
    with BufferedReader(Plain(path, limit)) as source:
        while piece := source.read(PIECE):
            piece += source.readline()
            size += len(piece)
            yield piece
    if size == 0:
        raise RefusedError("the file is empty", "Export it again; a log has a header and at least one row.")


def pieces_of(path: Path, limit: int) -> Iterator[bytes]:
    """The same of text in UTF-8.

    Raises: RefusedError as `raw_pieces`, and for UTF-16 or NUL bytes.
    """
    for place, piece in enumerate(raw_pieces(path, limit)):
        if (place == 0 and piece[:2] in UTF_16) or b"\x00" in piece:
            raise not_text()
        yield piece


def not_text() -> RefusedError:
    """The refusal of a file with NUL bytes."""
    return RefusedError(
        "not UTF-8 text (UTF-16 without its mark, or a binary file)",
        'Save it as CSV in UTF-8, or declare csv.encoding = "utf-16-le" in the mapping.',
    )


class _Piece:
    """Some whole lines of the text, the first of them being `first_line`; `inside`: it begins within quotes."""

    def __init__(self, text: bytes, first_line: int, inside: bool, delimiter: bytes) -> None:
        self.padded = np.frombuffer(b"\n" + text + b"\n", np.uint8)
        self.data = self.padded[1:-1]
        self.first_line = first_line
        self.inside = int(inside)
        self.borders = np.zeros(256, np.bool_)
        self.borders[np.frombuffer(delimiter + b'\n\r"', np.uint8)] = True
        self.line_ends = np.flatnonzero(self.data == NEWLINE)
        self.quotes = np.flatnonzero(self.data == QUOTE)

    def ends_inside(self) -> bool:
        """Whether a quote is open at the end."""
        return (len(self.quotes) + self.inside) % 2 == 1

    def is_outside(self, positions: Numbers) -> Flags:
        """Whether each position lies outside quotes."""
        outside: Flags = (np.searchsorted(self.quotes, positions) + self.inside) % 2 == 0
        return outside

    def line_of(self, position: int) -> int:
        """The line of a position."""
        return self.first_line + int(np.searchsorted(self.line_ends, position))

    def byte_at(self, positions: Numbers) -> npt.NDArray[np.uint8]:
        """The byte at each position; a line end just before and just behind the piece."""
        found: npt.NDArray[np.uint8] = self.padded[positions + 1]
        return found

    def line_starts(self) -> tuple[Numbers, Numbers]:
        """(positions, lines) of the lines that start outside quotes."""
        starts = np.concatenate([np.zeros(1, np.int64), self.line_ends + 1])
        starts = starts[starts < len(self.data)]
        lines = self.first_line + np.arange(len(starts))
        outside = self.is_outside(starts)
        return starts[outside], lines[outside]

    def is_blank(self, starts: Numbers) -> Flags:
        """Whether the line at each start is blank."""
        first, second = self.byte_at(starts), self.byte_at(starts + 1)
        blank: Flags = (first == NEWLINE) | ((first == RETURN) & (second == NEWLINE))
        return blank

    def newline(self) -> str:
        """What ends the first record that ends here; empty where none does."""
        ends = self.line_ends[self.is_outside(self.line_ends)][:1]
        if not len(ends):
            return ""
        return "\r\n" if self.byte_at(ends - 1)[0] == RETURN else "\n"

    def other_line_end(self, newline: str) -> int | None:
        """The first line that ends otherwise than by `newline`, outside quotes."""
        returns = np.flatnonzero(self.data == RETURN)
        lone = returns[self.byte_at(returns + 1) != NEWLINE]
        if newline == "\n":
            wrong = returns
        else:
            bare = self.line_ends[self.byte_at(self.line_ends - 1) != RETURN]
            wrong = np.sort(np.concatenate([lone, bare]))
        wrong = wrong[self.is_outside(wrong)][:1]
        return self.line_of(int(wrong[0])) if len(wrong) else None

    def odd_quote(self) -> int:
        """The first line on which a quote opens behind text, or one that closes before text was opened; 0: none."""
        opening, closing = self.quotes[self.inside :: 2], self.quotes[1 - self.inside :: 2]
        odd_opening = np.flatnonzero(~self._is_border(opening - 1))[:1] * 2 + self.inside
        odd_closing = np.flatnonzero(~self._is_border(closing + 1))[:1] * 2 - self.inside
        odd = np.concatenate([odd_opening, np.maximum(odd_closing, 0)])
        return self.line_of(int(self.quotes[odd.min()])) if len(odd) else 0

    def _is_border(self, positions: Numbers) -> Flags:
        """Whether a quote may stand beside each position: a cell's border, or the other half of a doubled quote."""
        border: Flags = self.borders[self.byte_at(positions)]
        return border


def find_records(pieces: Iterable[bytes], delimiter: bytes = b",", *, offset: int = 0, line: int = 1) -> Records:
    """Where the records start, in text that begins with the header at byte `offset`, line `line`.

    Raises: RefusedError, naming the line, for a quote that is never closed, and for line ends of two kinds.
    """
    starts: list[Numbers] = []
    lines: list[Numbers] = []
    blank: list[Flags] = []
    inside, newline = False, ""
    odd_quote = last_quote = 0
    for text in pieces:
        piece = _Piece(text, line, inside, delimiter)
        newline = newline or piece.newline()
        other = piece.other_line_end(newline)
        if other is not None:
            raise RefusedError(
                f"line {other} ends otherwise than the lines before it (LF, CR LF or CR)",
                "Save the file with one kind of line end.",
            )
        at, numbers = piece.line_starts()
        starts.append(at + offset)
        lines.append(numbers)
        blank.append(piece.is_blank(at))
        odd_quote = odd_quote or piece.odd_quote()
        inside = piece.ends_inside()
        last_quote = piece.line_of(int(piece.quotes[-1])) if len(piece.quotes) else last_quote
        offset, line = offset + len(text), line + len(piece.line_ends)
    if inside:
        raise RefusedError(
            f"line {odd_quote or last_quote}: a quote opens and is never closed",
            'Close it, or double it where it is text: "a ""b"" c".',
        )
    every, is_record = np.concatenate(starts), ~np.concatenate(blank)
    after = np.flatnonzero(is_record)[:-1] + 1
    gaps = every[np.concatenate([np.zeros(1, np.int64), after])]
    return Records(every[is_record], np.concatenate(lines)[is_record], gaps, odd_quote)
