"""Biểu số 06/VPCP/KSTT: the official form, and in short for the mail."""

from __future__ import annotations

from dataclasses import dataclass

from procmon.report import boundary_words, words
from procmon.report.grids import cells, heads
from procmon.report.headlines import Row, Rows, total
from procmon.report.parts import FormLine, Grid, Section
from procmon.tables import UNDETERMINED
from procmon.text import alphabetical

FORM_COLUMNS = (
    "received",
    "received_online",
    "received_in_person_post",
    "carried_over",
    "resolved",
    "resolved_early",
    "resolved_on_time",
    "resolved_overdue",
    "pending",
    "pending_in_time",
    "pending_overdue",
)


ISSUED = "Ban hành theo Thông tư số 01/2020/TT-VPCP ngày 21/10/2020"


def form_section(form_06: Rows) -> Section:
    """Biểu số 06/VPCP/KSTT with its 13 columns, by level and field."""
    return Section(
        "bieu-06",
        "Biểu số 06/VPCP/KSTT",
        (
            "Tình hình, kết quả giải quyết TTHC tại cơ quan, đơn vị trực tiếp giải quyết TTHC (ban hành theo Thông tư"
            " số 01/2020/TT-VPCP ngày 21/10/2020). Đơn vị tính: số hồ sơ TTHC.",
        ),
        form=form_lines(form_06),
        notes=(
            "Cột 9 gồm cả hồ sơ không có ngày hẹn trả, bị từ chối, rút; cột 12 gồm cả hồ sơ chờ bổ sung và dừng giải"
            " quyết, theo cách tính của biểu.",
        ),
    )


@dataclass(frozen=True)
class FormRow:
    """One row of form 06: columns 1 and 2, then the counts of columns 3 to 13; `is_total` for a level or the whole."""

    number: str
    name: str
    counts: tuple[int, ...]
    is_total: bool


def form_rows(form_06: Rows) -> tuple[FormRow, ...]:
    """Each level with its fields under it, then the whole; nothing of nothing. Reads table FORM_06."""
    if not form_06:
        return ()
    found: list[FormRow] = []
    levels = [level for level in words.LEVELS if any((row["level"] or "") == level for row in form_06)]
    for letter, level in zip("ABC", levels, strict=False):
        of_level = (row for row in form_06 if (row["level"] or "") == level)
        rows = sorted(of_level, key=lambda row: alphabetical(row["field"] or ""))
        found.append(form_row(letter, words.LEVELS[level], rows, is_total=True))
        for place, row in enumerate(rows, start=1):
            found.append(form_row(str(place), row["field"] or "Chưa rõ lĩnh vực", [row], is_total=False))
    return (*found, form_row("", "Tổng cộng", form_06, is_total=True))


def unit_name(row: Row) -> str:
    """A unit by name, else code; an old one that no unit of the day stands for, or none, in words."""
    if row["unit_id"] == UNDETERMINED:
        return boundary_words.UNDETERMINED
    return row["name"] or row["unit_id"] or "Chưa rõ đơn vị"


def unit_rows(form_06_units: Rows) -> tuple[FormRow, ...]:
    """Each unit, then the whole; nothing of nothing. Reads table FORM_06_UNITS."""
    if not form_06_units:
        return ()
    found = [
        form_row(str(place), unit_name(row), [row], is_total=False)
        for place, row in enumerate(form_06_units, start=1)
    ]
    return (*found, form_row("", "Tổng cộng", form_06_units, is_total=True))


def form_row(number: str, name: str, rows: Rows, *, is_total: bool) -> FormRow:
    """Columns 3 to 13 added up over rows."""
    return FormRow(number, name, tuple(total(rows, column) for column in FORM_COLUMNS), is_total)


def form_lines(form_06: Rows) -> tuple[FormLine, ...]:
    """The form's rows as the page prints them."""
    return tuple(
        FormLine(row.number, row.name, tuple(map(words.count, row.counts)), row.is_total) for row in form_rows(form_06)
    )


def form_grid(form_06: Rows) -> Grid:
    """Form 06 in short, for the mail: one line a level."""
    short = ("received", "resolved", "resolved_overdue", "pending", "pending_overdue")
    places = [FORM_COLUMNS.index(column) for column in short]
    return Grid(
        "Biểu số 06/VPCP/KSTT, rút gọn",
        heads("Cấp", "#Tiếp nhận (3)", "#Đã giải quyết (7)", "#Quá hạn (10)", "#Đang giải quyết (11)", "#Quá hạn (13)"),
        tuple(
            cells(line.name, *(line.counts[place] for place in places)) for line in form_lines(form_06) if line.is_total
        ),
        "Không có hồ sơ nào trong kỳ.",
    )
