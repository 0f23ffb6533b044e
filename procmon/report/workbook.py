"""Form 06 as an Excel workbook laid out like the printed form, ready for A4.

Counts are numbers; every text is a text cell, never a formula, whatever it begins with. The same table gives the same
bytes: the file carries the as-of instant, not the hour at which it was written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pyarrow as pa
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

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
"""The first row of counts, as Excel counts: two rows of headings and the columns' numbers stand above."""
WIDTHS = (5, 34, *[10.5] * (LAST - 2))

CENTRED = {"align": "center", "valign": "vcenter", "text_wrap": True}
BOXED = {"border": 1, "border_color": "#808080"}
TOTAL = {"bold": True, "bg_color": "#F3F3F3"}
A4 = 9


def form_06_workbook(form: pa.Table, *, owner: str, period: Period, as_of: datetime, zone: ZoneInfo) -> bytes:
    """The XLSX of table FORM_06 (rows by field under their level) or FORM_06_UNITS (rows by unit), with totals.

    `owner` is who reports, as printed; `as_of` is aware and shown in `zone`.
    """
    is_by_unit = "unit_id" in form.column_names
    rows = (unit_rows if is_by_unit else form_rows)(form.to_pylist())
    written = BytesIO()
    with Workbook(written, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Bieu 06")
        _write_title(book, sheet, words.clean(owner), period, words.instant(as_of, zone))
        _write_heads(book, sheet, "Cơ quan, đơn vị" if is_by_unit else "Lĩnh vực giải quyết")
        for place, row in enumerate(rows, start=FIRST_ROW - 1):
            _write_row(book, sheet, place, row)
        _set_up_print(sheet)
        book.set_properties(
            {
                "author": "procmon",
                "title": "Biểu số 06/VPCP/KSTT",
                "created": as_of.astimezone(UTC).replace(tzinfo=None),
            }
        )
    return written.getvalue()


def _write_title(book: Workbook, sheet: Worksheet, owner: str, period: Period, as_of: str) -> None:
    days = words.span(period.from_, period.to)
    name = words.period_name(period).removeprefix("kỳ báo cáo ")  # the heading says it already
    lines = (
        ("Biểu số 06/VPCP/KSTT", TITLE, f"Đơn vị báo cáo: {owner}"),
        (ISSUED, f"Kỳ báo cáo: {days if name == days else f'{name} ({days})'}", f"Số liệu chốt lúc {as_of}"),
    )
    for row, line in enumerate(lines):
        look = book.add_format({**CENTRED, "valign": "top", "bold": row == 0})
        for text, first, last in zip(line, (1, 3, 11), (2, 10, LAST), strict=True):
            _merged(sheet, text, row, first, row, last, look)
        sheet.set_row(row, 45)
    _merged(sheet, "Đơn vị tính: Số hồ sơ TTHC", 3, 10, 3, LAST, book.add_format({"align": "right"}))


def _write_heads(book: Workbook, sheet: Worksheet, second: str) -> None:
    top = HEAD_ROW - 1
    look, plain = book.add_format({**CENTRED, **BOXED, "bold": True}), book.add_format({**CENTRED, **BOXED})
    _merged(sheet, "STT", top, 1, top + 1, 1, look)
    _merged(sheet, second, top, 2, top + 1, 2, look)
    for text, first, last in GROUPS:
        _merged(sheet, text, top, first, top, last, look)
    for column, text in enumerate(HEADS, start=2):
        sheet.write_string(top + 1, column, text, look)
    for column in range(LAST):
        sheet.write_string(top + 2, column, f"({column + 1})", plain)
    sheet.set_row(top + 1, 60)


def _write_row(book: Workbook, sheet: Worksheet, place: int, row: FormRow) -> None:
    shared = {**BOXED, **(TOTAL if row.is_total else {}), "valign": "top"}
    # quote_prefix: what begins with = or + stays text when somebody edits it.
    number = book.add_format({**shared, "align": "center", "quote_prefix": True})
    name = book.add_format({**shared, "text_wrap": True, "quote_prefix": True})
    count = book.add_format({**shared, "num_format": "#,##0"})
    sheet.write_string(place, 0, words.clean(row.number), number)
    sheet.write_string(place, 1, words.clean(row.name), name)
    for column, n in enumerate(row.counts, start=2):
        sheet.write_number(place, column, n, count)


def _set_up_print(sheet: Worksheet) -> None:
    """A4, landscape, as wide as the paper, the headings on every page."""
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD_ROW - 1, FIRST_ROW - 2)
    sheet.freeze_panes(FIRST_ROW - 1, 2)
    sheet.set_footer("&R&P/&N")


def _merged(sheet: Worksheet, text: str, top: int, first: int, bottom: int, last: int, look: Format) -> None:
    """`text` over the columns `first` to `last` as the form numbers them, from 1; never a formula."""
    if (top, first) != (bottom, last):
        sheet.merge_range(top, first - 1, bottom, last - 1, "", look)
    sheet.write_string(top, first - 1, text, look)
