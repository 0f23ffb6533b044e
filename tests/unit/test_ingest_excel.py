"""Excel and OpenDocument workbooks: which rows they are, and what is refused before calamine opens it."""

from __future__ import annotations

import gzip
import html
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlwt
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from procmon.ingest.excel_bounds import ExcelLimits
from procmon.ingest.excel_file import Sheet, open_excel
from procmon.ingest.rows import RefusedError

HEADER = ["Mã hồ sơ", "Thủ tục", "Ngày tiếp nhận", "Ngày hẹn trả"]
KNOWN = frozenset(HEADER)
LIST: list[list[object]] = [
    HEADER,
    ["G09-1", 1005129, datetime(2025, 4, 25, 16, 0), date(2025, 5, 6)],
    [None, None, None, None],
    ["G09-2", 45123.5, datetime(2025, 4, 26, 8, 30, 15), None],
]
ROWS = [
    (2, dict(zip(HEADER, ["G09-1", "1005129", "2025-04-25T16:00:00", "2025-05-06"], strict=True))),
    (4, dict(zip(HEADER[:3], ["G09-2", "45123.5", "2025-04-26T08:30:15"], strict=True))),
]

Table_ = Sequence[Sequence[object]]


def xlsx(path: Path, rows: Table_, *, sheet: str = "Data") -> Path:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def xls(path: Path, rows: Table_) -> Path:
    """The same as Excel 97 wrote it."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    styles = {date: xlwt.easyxf(num_format_str="DD/MM/YYYY"), datetime: xlwt.easyxf(num_format_str="DD/MM/YYYY HH:MM")}
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value, styles.get(type(value), xlwt.Style.default_style))
    book.save(str(path))
    return path


MANIFEST = """<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
 manifest:version="1.2"><manifest:file-entry manifest:full-path="/"
 manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"""

ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 office:version="1.2"><office:body><office:spreadsheet><table:table table:name="Data">{rows}
<table:table-row table:number-rows-repeated="{blank}"><table:table-cell table:number-columns-repeated="16384"
/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(path: Path, rows: Table_) -> Path:
    """The same as LibreOffice writes it, with blank cells and rows to the end of the sheet."""
    lines = [
        "<table:table-row>" + "".join(map(ods_cell, row))
        + f'<table:table-cell table:number-columns-repeated="{16384 - len(row)}"/></table:table-row>'
        for row in rows
    ]  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        packed.writestr("META-INF/manifest.xml", MANIFEST)
        packed.writestr("content.xml", ODS.format(rows="".join(lines), blank=1048576 - len(rows)))
    return path


def ods_cell(value: object) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    if isinstance(value, str):
        text = f"<text:p>{html.escape(value)}</text:p>"
        return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def opened(
    path: Path, *, sheet: str = "", header_row: int = 0, known: frozenset[str] | None = KNOWN, **limits: int
) -> Sheet:
    """The workbook, with `known` as the columns of a mapping."""
    is_known = known.__contains__ if known is not None else None
    return open_excel(path, sheet=sheet, header_row=header_row, is_known=is_known, limits=ExcelLimits(**limits))


def found(sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
    """(row, cells) of each row."""
    return [(row.line, row.cells) for row in sheet.rows]


def refusal(path: Path, **options: object) -> str:
    """Why a workbook is refused: opening it or reading its rows."""
    with pytest.raises(RefusedError) as caught:
        found(opened(path, **options))  # type: ignore[arg-type]
    assert caught.value.remedy
    return str(caught.value)


def cells(path: Path, *values: object, number_format: str = "", epoch: datetime | None = None) -> list[str]:
    """What values of one Excel row become."""
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = epoch
    sheet = book.active
    names = [f"Cột {place}" for place in range(len(values))]
    sheet.append([*names, "Cuối"])
    sheet.append([*values, "x"])
    if number_format:
        for cell in sheet[2][:-1]:
            cell.number_format = number_format
    book.save(path)
    [(_, row)] = found(opened(path, header_row=1))
    return [row.get(name, "") for name in names]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "book.xlsx"


# ---- Rows ----


@pytest.mark.parametrize("write", [xlsx, xls, ods])
@pytest.mark.parametrize("known", [KNOWN, None])
def test_the_same_rows_come_from_every_format(
    write: Callable[[Path, Table_], Path], known: frozenset[str] | None, tmp_path: Path
) -> None:
    sheet = opened(write(tmp_path / "book", LIST), known=known)
    assert (sheet.name, sheet.header, sheet.header_row, sheet.n_rows) == ("Data", HEADER, 1, 3)
    assert found(sheet) == ROWS


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_a_gzipped_workbook_is_read_as_it_is(write: Callable[[Path, Table_], Path], tmp_path: Path) -> None:
    path = tmp_path / "book.gz"
    path.write_bytes(gzip.compress(write(tmp_path / "book", LIST).read_bytes()))
    assert found(opened(path)) == ROWS


def test_a_row_keeps_its_number_in_excel_where_rows_and_columns_before_it_are_empty(book: Path) -> None:
    workbook = openpyxl.Workbook()
    for y, row in enumerate(LIST):
        for x, value in enumerate(row):
            workbook.active.cell(y + 7, x + 3, value)
    workbook.save(book)
    sheet = opened(book)
    assert sheet.header_row == 7
    assert found(sheet) == [(line + 6, row) for line, row in ROWS]


def test_a_row_of_blanks_is_no_record_and_one_without_a_known_column_is(book: Path) -> None:
    xlsx(book, [[*HEADER, None], ["G09-1"], [" ", "\t"], [None, None, None, None, "Người lập biểu"], ["Tổng cộng", 1]])
    assert found(opened(book)) == [
        (2, {"Mã hồ sơ": "G09-1"}),
        (4, {}),
        (5, {"Mã hồ sơ": "Tổng cộng", "Thủ tục": "1"}),
    ]


# ---- Cells ----


def test_a_number_is_its_shortest_plain_digits(book: Path) -> None:
    values = [1005129, 45123.5, 1e22, 1e-7, 0.1, -3.0, -0.0, 9007199254740993]
    assert cells(book, *values)[:7] == ["1005129", "45123.5", "1" + "0" * 22, "0.0000001", "0.1", "-3", "0"]
    assert cells(book, True, False) == ["true", "false"]


def test_a_text_is_kept_as_given_even_where_it_looks_like_a_formula(book: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(HEADER)
    for column, text in enumerate(["=1+1", "+84 236", "  dòng 1\ndòng 2 ", "007"], 1):
        workbook.active.cell(2, column, text).data_type = "s"
    workbook.save(book)
    [(_, row)] = found(opened(book))
    assert list(row.values()) == ["=1+1", "+84 236", "  dòng 1\ndòng 2 ", "007"]


def test_a_formula_without_its_value_and_an_error_are_empty_cells(book: Path) -> None:
    assert cells(book, "=1+1", "#N/A", "#REF!") == ["", "", ""]


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
def test_moments_are_right_in_both_of_excels_calendars(epoch: datetime | None, book: Path) -> None:
    moments = [
        datetime(2025, 4, 25, 16, 0),
        date(2025, 4, 25),
        datetime(2025, 4, 25),
        datetime(2024, 2, 29, 23, 59, 59),
    ]
    expected = ["2025-04-25T16:00:00", "2025-04-25", "2025-04-25", "2024-02-29T23:59:59"]
    assert cells(book, *moments, epoch=epoch) == expected


def test_the_noise_of_excels_fractions_is_not_read_as_time(book: Path) -> None:
    sixteen = 45772 + 2 / 3
    noisy = [sixteen - 1.5e-10, sixteen + 1.1e-8, sixteen - 1.1e-8, sixteen + 0.123 / 86400, 45772.9999999999]
    assert cells(book, *noisy, number_format="dd/mm/yyyy hh:mm") == [
        "2025-04-25T16:00:00",
        "2025-04-25T16:00:00",
        "2025-04-25T16:00:00",
        "2025-04-25T16:00:00.123",
        "2025-04-26",
    ]


def test_every_second_of_a_year_of_days_comes_back_as_it_was_written(book: Path) -> None:
    moments = [datetime(2025, 1, 1, 0, 0, 1) + timedelta(seconds=step * 31_607) for step in range(998)]
    assert cells(book, *moments) == [moment.isoformat() for moment in moments]


def test_times_and_durations_are_clock_text(book: Path) -> None:
    assert cells(book, time(8, 30), timedelta(hours=30, minutes=5)) == ["08:30:00", "30:05:00"]


# ---- Sheets ----


def sheets(path: Path, **tables: Table_) -> Path:
    """A workbook with these sheets; one whose name begins with `Ẩn` is hidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("Ẩn") else "visible"
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def test_without_a_name_the_first_visible_sheet_with_cells_is_read(book: Path) -> None:
    sheets(book, Ẩn=[["x", "y"]], Trống=[], Hồ_sơ=LIST, Khác=[["a", "b"]])
    assert opened(book).name == "Hồ_sơ"


def test_a_named_sheet_is_read_however_its_name_is_typed_and_hidden(book: Path) -> None:
    sheets(book, Đầu=[["a", "b"]], Ẩn_hòa=LIST)
    assert opened(book, sheet="ẩn_HOÀ ").name == "Ẩn_hòa"


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(book: Path) -> None:
    sheets(book, Một=LIST, Hai=LIST)
    assert refusal(book, sheet="Ba") == "there is no sheet 'Ba'; there are: Một, Hai"


def test_a_workbook_without_any_cell_is_refused(book: Path) -> None:
    assert refusal(xlsx(book, [])) == "no sheet has cells; there are: Data"


# ---- The header ----

TITLES: list[list[object]] = [
    ["UBND THÀNH PHỐ", None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    ["Trung tâm Phục vụ hành chính công", None, "Độc lập - Tự do - Hạnh phúc"],
    [],
    ["DANH SÁCH HỒ SƠ ĐÃ TIẾP NHẬN"],
    ["Từ ngày 01/04/2025 đến ngày 30/04/2025"],
]
WIDE = [["STT", *HEADER, "Trạng thái"], [1, *LIST[1], "Đã trả"], [2, *LIST[3], "Đang xử lý"]]


@pytest.mark.parametrize("known", [KNOWN, None])
def test_titles_above_the_header_are_passed_over(known: frozenset[str] | None, book: Path) -> None:
    sheet = opened(xlsx(book, [*TITLES, *WIDE]), known=known)
    assert (sheet.header_row, sheet.header) == (6, WIDE[0])
    assert [line for line, _ in found(sheet)] == [7, 8]


@pytest.mark.parametrize("known", [KNOWN, None])
@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 3, 4, 5, 6],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
        ["A", "B", 1, 2, 3, 4],
        ["[1]", "[2]", "(3)", "(4)=(2)+(3)", "(5)", 6],
    ],
)
def test_a_row_that_numbers_the_columns_is_no_record(
    numbers: list[object], known: frozenset[str] | None, book: Path
) -> None:
    sheet = opened(xlsx(book, [*TITLES, WIDE[0], numbers, *WIDE[1:]]), known=known)
    assert sheet.header_row == 6
    assert [line for line, _ in found(sheet)] == [8, 9]


@pytest.mark.parametrize("known", [KNOWN, None])
def test_a_header_in_two_rows_takes_the_names_above_where_it_is_blank(known: frozenset[str] | None, book: Path) -> None:
    heads = [["Mã hồ sơ", "Thủ tục", "Thời gian", None], [None, None, "Ngày tiếp nhận", "Ngày hẹn trả"]]
    sheet = opened(xlsx(book, [["DANH SÁCH"], [], *heads, *LIST[1:]]), known=known)
    assert (sheet.header_row, sheet.header) == (4, HEADER)
    assert found(sheet) == [(line + 3, row) for line, row in ROWS]


def test_group_heads_over_unknown_names_belong_to_the_header(book: Path) -> None:
    heads = [["Mã hồ sơ", "Người nộp", None, "Thủ tục"], [None, "Họ tên", "Địa chỉ", None]]
    sheet = opened(xlsx(book, [*heads, ["G09-1", "a", "b", "c"]]))
    assert (sheet.header_row, sheet.header) == (2, ["Mã hồ sơ", "Họ tên", "Địa chỉ", "Thủ tục"])


def test_the_named_header_row_counts_as_excel_does(book: Path) -> None:
    rows = [["a", "b"]] * 80 + [["Mã", "Ngày\n  nhận"], ["1", "2"]]
    sheet = opened(xlsx(book, rows), header_row=81)
    assert (sheet.header, sheet.header_row, sheet.n_rows) == (["Mã", "Ngày nhận"], 81, 1)
    assert found(sheet) == [(82, {"Mã": "1", "Ngày nhận": "2"})]


@pytest.mark.parametrize("row", [2, 5, 2_000_000])
def test_a_named_header_row_without_names_is_refused(row: int, book: Path) -> None:
    said = refusal(xlsx(book, [HEADER, [], ["G09"]]), header_row=row)
    assert said == f"row {row} of the sheet 'Data' has no column names"


@pytest.mark.parametrize("known", [KNOWN, None])
def test_a_sheet_without_a_header_is_refused_without_its_words(known: frozenset[str] | None, book: Path) -> None:
    said = refusal(xlsx(book, [["Nguyễn Văn A", 1], ["Trần Thị B", 2]]), known=known)
    assert said.startswith("none of the first 2 rows of the sheet 'Data' names ")


def test_a_column_that_stands_twice_is_refused(book: Path) -> None:
    said = refusal(xlsx(book, [["Mã hồ sơ", "Ghi chú", "Ghi  chú *", "Thủ tục"], ["a", "b", "c", "d"]]))
    assert said == "sheet 'Data', row 1: column Ghi chú, Ghi chú * stands twice"


# ---- What is refused before calamine opens it ----

ONE = 'office:value-type="float" office:value="1"'
PARTS = ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "_rels/.rels")
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def repacked(path: Path, change: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None) -> Path:
    """The workbook with its parts changed, and some more."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(name, data))
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def as_it_is(name: str, data: bytes) -> bytes:
    return data


def with_sheet(path: Path, body: str) -> Path:
    """A workbook whose sheet has this body."""
    sheet = f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{body}</sheetData></worksheet>'.encode()
    return repacked(xlsx(path, LIST), lambda name, data: sheet if name == PARTS[0] else data)


def directory_changed(path: Path, name: str, offset: int, value: bytes) -> Path:
    """The workbook with some bytes of a part's entry in the directory changed."""
    data = bytearray(path.read_bytes())
    at = data.rfind(name.encode()) - 46 + offset
    assert data[at - offset : at - offset + 4] == b"PK\x01\x02"
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def test_a_part_that_unpacks_to_far_more_than_its_size_is_refused(book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/media/bomb.xml": b"<a>" + b" " * (2 << 20) + b"</a>"})
    assert refusal(path) == "'xl/media/bomb.xml' unpacks to more than 200 times its size"
    assert found(opened(path, ratio=5000)) == ROWS


def test_a_workbook_that_unpacks_to_more_than_the_limit_is_refused(book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/a.xml": b" " * (1 << 20)})
    assert refusal(path, size=1 << 20) == "unpacked it is larger than 1 MiB"


def test_a_gzip_that_unpacks_to_more_than_the_limit_is_refused(book: Path) -> None:
    book.write_bytes(gzip.compress(b"PK\x03\x04" + bytes(3 << 20)))
    assert refusal(book, size=1 << 20) == "unpacked it is larger than 1 MiB"


def test_a_workbook_of_thousands_of_parts_is_refused(book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {f"xl/{n}.xml": b"" for n in range(2000)})
    assert refusal(path).startswith("the workbook has 20")


@pytest.mark.parametrize("name", ["../a.xml", "/etc/a.xml", "xl\\..\\a.xml", "C:/a.xml", "xl/a.xml\0.png"])
def test_a_part_that_would_leave_its_folder_is_refused(name: str, book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {name.replace("\0", "~"): b""})
    path.write_bytes(path.read_bytes().replace(name.replace("\0", "~").encode(), name.encode()))
    assert refusal(path).startswith("the workbook has a part that leaves its folder: ")


def test_parts_that_share_their_bytes_are_refused(book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/a.xml": b"one", "xl/b.xml": b"one"})
    with zipfile.ZipFile(path) as archive:
        first = archive.getinfo("xl/a.xml").header_offset
    directory_changed(path, "xl/b.xml", 42, struct.pack("<L", first))
    assert refusal(path) == "'xl/b.xml' overlaps another part of the workbook"


def test_a_part_that_reaches_into_the_directory_is_refused(book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/z.xml": b"one"})
    directory_changed(path, "xl/z.xml", 20, struct.pack("<LL", 5000, 5000))
    assert refusal(path) == "'xl/z.xml' overlaps the directory of the workbook"


def test_a_part_that_says_less_than_it_unpacks_to_is_refused(book: Path) -> None:
    data = b"<a>" + b"x" * 100_000 + b"</a>"
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/z.xml": data})
    directory_changed(path, "xl/z.xml", 24, struct.pack("<L", 10))
    directory_changed(path, "xl/z.xml", 16, struct.pack("<L", zlib.crc32(data[:10])))  # as zipfile would read it
    with zipfile.ZipFile(path) as archive:
        assert archive.read("xl/z.xml") == data[:10]
    assert refusal(path) == "'xl/z.xml' unpacks to more than it says"


def test_a_part_that_says_more_than_it_unpacks_to_is_refused(book: Path) -> None:
    path = directory_changed(xlsx(book, LIST), PARTS[0], 24, struct.pack("<L", 100_000))
    assert "is not what it was when it was packed" in refusal(path)


def test_an_encrypted_part_is_refused(book: Path) -> None:
    path = directory_changed(xlsx(book, LIST), PARTS[0], 8, struct.pack("<H", 1))
    assert refusal(path) == "protected by a password"


def test_a_part_packed_by_another_method_is_refused(book: Path) -> None:
    path = directory_changed(xlsx(book, LIST), PARTS[0], 10, struct.pack("<H", 12))
    assert refusal(path).endswith("is packed in a way that Excel does not use")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("code", ["utf-8", "utf-16", "utf-16-be"])
def test_a_document_type_in_any_part_is_refused(part: str, code: str, book: Path) -> None:
    kind = '<?xml version="1.0"?><!-- x --><!DOCTYPE a [<!ENTITY b "c">]>'

    def change(name: str, data: bytes) -> bytes:
        text = data.decode().partition("?>")[2] if data.startswith(b"<?xml") else data.decode()
        return (kind + text).encode(code) if name == part else data

    assert refusal(repacked(xlsx(book, LIST), change)) == f"'{part}' has a document type, which no workbook needs"


@pytest.mark.parametrize("length", [(1 << 20) - 5, (1 << 20) - 200, 1 << 16, 3 << 20])
def test_a_document_type_is_found_wherever_pieces_end(length: int, book: Path) -> None:
    comment = b"<!--" + b"-x" * (length // 2) + b"-->"
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/a.xml": comment + b"<!DOCTYPE a><a/>"})
    assert "has a document type" in refusal(path, ratio=10_000)


@pytest.mark.parametrize(
    "last", ['r="XFD1048576"', "r = 'XFD1048576'", 't="n"\n r="xfd1048576"', 's="1" r="XFD1048576" t="n"']
)
def test_a_sheet_of_two_cells_far_apart_is_refused(last: str, book: Path) -> None:
    path = with_sheet(book, f'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c {last}><v>1</v></c></row>')
    said = "has 17,179,869,184 cells up to the last that is filled, more than 50,000,000"
    assert refusal(path) == f"'xl/worksheets/sheet1.xml' {said}"


def test_a_far_cell_is_found_wherever_pieces_end(book: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    for pad in range((1 << 20) - 300, (1 << 20), 7):
        path = with_sheet(book, f'<row r="1"><c r="A1"><v>1</v></c></row><!--{"x" * pad}-->{far}')
        assert "17,179,869,184 cells" in refusal(path, ratio=10_000)


def test_far_cells_and_rows_that_hold_a_style_only_do_not_count(book: Path) -> None:
    body = '<row r="1"><c r="A1" t="str"><v>Mã hồ sơ</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    path = with_sheet(book, f'{body}<row r="1048576" s="1"><c r="XFD1048576" s="1"/><c r="XFC1048576" s="1" /></row>')
    assert found(opened(path)) == [(2, {"Mã hồ sơ": "1"})]


def test_a_colour_is_no_far_cell(book: Path) -> None:
    path = repacked(xlsx(book, LIST), as_it_is, {"xl/theme/theme2.xml": b'<a:sysClr val="window" lastClr="EEECE1"/>'})
    assert found(opened(path)) == ROWS


@pytest.mark.parametrize("reference", ["A99999999999", "A1048577", "XFE1", "ABCDEFGHIJ5", f"A{'9' * 5000}"])
def test_a_cell_where_no_sheet_has_any_is_refused(reference: str, book: Path) -> None:
    path = with_sheet(book, f'<row r="1"><c r="{reference}"><v>1</v></c></row>')
    assert "cells where no sheet has any" in refusal(path)


@pytest.mark.parametrize(
    ("row", "cell", "after"),
    [
        ("", f"{ONE} table:number-columns-repeated='1000000000'", ""),
        ('table:number-rows-repeated="2000000000"', ONE, ""),
        ("", 'table:number-columns-repeated="100000000"', f"<table:table-cell {ONE}/>"),
    ],
)
def test_an_opendocument_sheet_of_few_cells_repeated_is_refused(
    row: str, cell: str, after: str, tmp_path: Path
) -> None:
    bomb = f"<table:table-row {row}><table:table-cell {cell}/>{after}</table:table-row></table:table>".encode()
    path = repacked(ods(tmp_path / "book.ods", LIST), lambda _, data: data.replace(b"</table:table>", bomb))
    assert "that is filled, more than 50,000,000" in refusal(path)


def test_a_workbook_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    for write in (xlsx, ods):
        whole = write(tmp_path / "whole", LIST).read_bytes()
        for share in range(16):
            path = tmp_path / "cut"
            path.write_bytes(whole[: len(whole) * share // 16])
            assert refusal(path)


def test_a_gzip_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(xlsx(tmp_path / "whole", LIST).read_bytes())
    for share in range(16):
        path = tmp_path / "cut"
        path.write_bytes(whole[: len(whole) * share // 16])
        assert refusal(path)


def test_a_changed_byte_in_a_part_is_refused(book: Path) -> None:
    xlsx(book, LIST)
    with zipfile.ZipFile(book) as archive:
        entry = archive.getinfo(PARTS[0])
    data = bytearray(book.read_bytes())
    data[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0x55
    book.write_bytes(data)
    assert refusal(book).startswith("the workbook is damaged or cut off: ")


def test_a_workbook_protected_by_a_password_is_refused(book: Path) -> None:
    name = "EncryptedPackage".encode("utf-16-le")
    book.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + name + bytes(512))
    assert refusal(book) == "protected by a password"


def test_an_old_workbook_protected_by_a_password_is_refused(tmp_path: Path) -> None:
    path = xls(tmp_path / "book.xls", LIST)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x09\x08\x10\x00") + 20  # behind the record that begins the workbook
    length = struct.unpack_from("<H", data, at + 2)[0]
    struct.pack_into("<HH", data, at, 0x2F, length)
    path.write_bytes(data)
    assert refusal(path) == "protected by a password"


@pytest.mark.parametrize(("place", "value"), [(4, 0xFFFFFFFF), (4, 0x10001), (0, 0xFFFF), (8, 0xFFFF0000)])
def test_an_old_workbook_that_says_it_is_larger_than_a_sheet_can_be_is_refused(
    place: int, value: int, tmp_path: Path
) -> None:
    path = xls(tmp_path / "book.xls", LIST)
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"\x00\x02\x0e\x00") + 4 + place, value)
    path.write_bytes(data)
    assert "cells where no sheet has any" in refusal(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "not an Excel or OpenDocument file"),
        (b"\xef\xbb\xbf <html><table>", "not an Excel file but a web page or XML with its name"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "the workbook is damaged or cut off: CalamineError"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, said: str, book: Path) -> None:
    book.write_bytes(content)
    assert refusal(book) == said


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("xl/workbook.bin", "a binary workbook (.xlsb), which is not read"),
        ("word/document.xml", "a zip that holds no workbook"),
    ],
)
def test_a_zip_of_another_kind_is_refused(part: str, said: str, book: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(part, b"<a/>")
    book.write_bytes(packed.getvalue())
    assert refusal(book) == said


def test_a_workbook_at_which_the_reader_panics_is_refused(tmp_path: Path) -> None:
    path = xls(tmp_path / "book.xls", LIST)
    data = bytearray(path.read_bytes())
    data[0x202] = 1  # the length of the first record
    path.write_bytes(data)
    assert refusal(path) == "the workbook is damaged or cut off: its reader gave up"


def test_a_damaged_part_that_is_packed_whole_is_refused_without_its_words(book: Path) -> None:
    path = with_sheet(book, '<row r="1"><c r="A1" t="s"><v>99999</v></c></row>')
    assert refusal(path) == "the workbook is damaged or cut off: CalamineError"
