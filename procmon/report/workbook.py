"""Form 06 as an Excel workbook laid out like the printed form, ready for A4.

Counts are numbers; every text is a text cell, never a formula, whatever it begins with. The same table gives the same
bytes: the file carries the as-of instant, not the hour at which it was written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

import pyarrow as pa
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.packaging.core import DocumentProperties
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import tostring

from procmon.report import words
from procmon.report.form_06 import ISSUED, FormRow, form_rows, unit_rows
from procmon.tables import Period

LAST = 13
TITLE = "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI CƠ QUAN, ĐƠN VỊ TRỰC TIẾP GIẢI QUYẾT TTHC"
GROUPS = (("Số hồ sơ tiếp nhận", 3, 6), ("Số hồ sơ đã giải quyết", 7, 10), ("Số hồ sơ đang giải quyết", 11, 13))
HEADS = (
    "Tổng số (3)=(4)+(5)+(6)=(7)+(11)", "Trực tuyến", "Trực tiếp, dịch vụ bưu chính", "Từ kỳ trước",
    "Tổng số (7)=(8)+(9)+(10)", "Trước hạn", "Đúng hạn", "Quá hạn",
    "Tổng số (11)=(12)+(13)", "Trong hạn", "Quá hạn",
)  # fmt: skip
HEAD_ROW = 5
FIRST_ROW = HEAD_ROW + 3
"""The first row of counts: two rows of headings and the columns' numbers stand above."""
WIDTHS = (5, 34, *[10.5] * (LAST - 2))
LINE = Side(style="thin", color="808080")
BORDER = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
SHADE = PatternFill("solid", start_color="F3F3F3")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def form_06_workbook(form: pa.Table, *, owner: str, period: Period, as_of: datetime, zone: ZoneInfo) -> bytes:
    """The XLSX of table FORM_06 (rows by field under their level) or FORM_06_UNITS (rows by unit), with totals.

    `owner` is who reports, as printed; `as_of` is aware and shown in `zone`.
    """
    is_by_unit = "unit_id" in form.column_names
    rows = (unit_rows if is_by_unit else form_rows)(form.to_pylist())
    book = Workbook()
    sheet = book.active
    sheet.title = "Bieu 06"
    _write_title(sheet, words.clean(owner), period, words.instant(as_of, zone))
    _write_heads(sheet, "Cơ quan, đơn vị" if is_by_unit else "Lĩnh vực giải quyết")
    for place, row in enumerate(rows, start=FIRST_ROW):
        _write_row(sheet, place, row)
    _set_up_print(sheet)
    book.properties.creator = "procmon"
    book.properties.title = "Biểu số 06/VPCP/KSTT"
    book.properties.created = book.properties.modified = as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return _repeatable(book)


def _write_title(sheet: Worksheet, owner: str, period: Period, as_of: str) -> None:
    days = words.span(period.from_, period.to)
    name = words.period_name(period)
    for row, (left, middle, right) in enumerate(
        (
            ("Biểu số 06/VPCP/KSTT", TITLE, f"Đơn vị báo cáo: {owner}"),
            (ISSUED, f"Kỳ báo cáo: {days if name == days else f'{name} ({days})'}", f"Số liệu chốt lúc {as_of}"),
        ),
        start=1,
    ):
        for text, first, last in ((left, 1, 2), (middle, 3, 10), (right, 11, LAST)):
            cell = _merged(sheet, text, row, first, row, last)
            cell.font = Font(bold=row == 1)
            cell.alignment = Alignment(horizontal="center", vertical="top", wrap_text=True)
        sheet.row_dimensions[row].height = 45
    _merged(sheet, "Đơn vị tính: Số hồ sơ TTHC", 4, 10, 4, LAST).alignment = Alignment(horizontal="right")


def _write_heads(sheet: Worksheet, second: str) -> None:
    _merged(sheet, "STT", HEAD_ROW, 1, HEAD_ROW + 1, 1)
    _merged(sheet, second, HEAD_ROW, 2, HEAD_ROW + 1, 2)
    for text, first, last in GROUPS:
        _merged(sheet, text, HEAD_ROW, first, HEAD_ROW, last)
    for column, text in enumerate(HEADS, start=3):
        _text(sheet.cell(HEAD_ROW + 1, column), text)
    for column in range(1, LAST + 1):
        _text(sheet.cell(HEAD_ROW + 2, column), f"({column})")
    for row in range(HEAD_ROW, FIRST_ROW):
        for column in range(1, LAST + 1):
            cell = sheet.cell(row, column)
            cell.border, cell.font = BORDER, Font(bold=row < FIRST_ROW - 1)
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    sheet.row_dimensions[HEAD_ROW + 1].height = 60


def _write_row(sheet: Worksheet, place: int, row: FormRow) -> None:
    _text(sheet.cell(place, 1), row.number).alignment = Alignment(horizontal="center", vertical="top")
    _text(sheet.cell(place, 2), row.name).alignment = Alignment(vertical="top", wrap_text=True)
    for column, n in enumerate(row.counts, start=3):
        sheet.cell(place, column, n).number_format = "#,##0"
    for column in range(1, LAST + 1):
        cell = sheet.cell(place, column)
        cell.border = BORDER
        if row.is_total:
            cell.font, cell.fill = Font(bold=True), SHADE


def _set_up_print(sheet: Worksheet) -> None:
    """A4, landscape, as wide as the paper, the headings on every page."""
    for column, width in enumerate(WIDTHS):
        sheet.column_dimensions["ABCDEFGHIJKLM"[column]].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{HEAD_ROW}:{FIRST_ROW - 1}"
    sheet.freeze_panes = f"C{FIRST_ROW}"
    sheet.oddFooter.right.text = "&P/&N"


def _merged(sheet: Worksheet, text: str, top: int, left: int, bottom: int, right: int) -> Cell:
    sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
    return _text(sheet.cell(top, left), text)


def _text(cell: Cell, text: str) -> Cell:
    """The cell, holding `text` as text: without this openpyxl takes `=…` for a formula and `#N/A` for an error."""
    cell.value = words.clean(text)
    if text:
        cell.data_type = "s"
        cell.quotePrefix = True  # and stays text when somebody edits it
    return cell


def _repeatable(book: Workbook) -> bytes:
    """The workbook's bytes, with the hours of writing that openpyxl puts in taken out."""
    properties: DocumentProperties = book.properties
    modified = properties.modified
    written, found = BytesIO(), BytesIO()
    book.save(written)
    properties.modified = modified
    with ZipFile(written) as old, ZipFile(found, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = tostring(properties.to_tree()) if name == "docProps/core.xml" else old.read(name)
            new.writestr(ZipInfo(name, ZIP_TIME), content, ZIP_DEFLATED)
    return found.getvalue()
