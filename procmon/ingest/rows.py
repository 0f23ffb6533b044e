"""What a reader of a received file yields: its records as text, in the file's order."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One record, or one element of a list inside a record.

    `line` is the line, sheet row or record number, from 1; `part` is empty for the record itself, for an element the
    list's name; `cells` are source column → text, empty cells left out. An element repeats its record's cells.
    """

    line: int
    part: str
    cells: dict[str, str]


class Malformed(NamedTuple):
    """A record that cannot be read: its place and the problem's code (`columns.PROBLEMS`)."""

    line: int
    problem: str


class RefusedError(Exception):
    """The file as a whole cannot be taken; what it says and its remedy are for the user."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy
