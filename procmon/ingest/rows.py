"""What a reader of a received file yields: its records as text, in the file's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Format = Literal["auto", "csv", "excel", "json", "xes"]


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


class SourceColumn(NamedTuple):
    """A column that is read from a file: `key` is its name from here on, `names` what the file may call it."""

    key: str
    names: tuple[str, ...]
    is_personal: bool = False
    is_needed: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is read from a file, and how it is written: the part of a mapping that the reading process needs.

    `records` is the member of a JSON file that lists the records, `elements` a list inside them whose elements are
    read too; `delimiter`, `encoding` are of a CSV, `sheet` of an Excel file; `header_row` counts from 1, 0: find it.
    """

    sources: tuple[SourceColumn, ...] = ()
    format: Format = "auto"
    delimiter: str = ""
    encoding: str = ""
    csv_header_row: int = 0
    sheet: str = ""
    excel_header_row: int = 0
    records: str = ""
    elements: str = ""
