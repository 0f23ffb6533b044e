"""Biểu số 06: its identities in every row of every period, by unit, and as a workbook laid out like the form."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pytest
from judged import City, midnight, registry_of
from python_calamine import CalamineWorkbook

from procmon.errors import StoreError
from procmon.inputs import read_period
from procmon.judge import form_06
from procmon.report.form_06 import FORM_COLUMNS, form_lines, form_rows
from procmon.report.workbook import FIRST_ROW, form_06_workbook
from procmon.tables import FORM_06, FORM_06_UNITS, Period
from procmon.text import alphabetical

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
MONTHS = [f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13)]
NAMED = [*MONTHS, *(f"{month}/15" for month in MONTHS), "2024", "2025"]
NAMED += [f"{year}-Q{quarter}" for year in (2024, 2025) for quarter in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City(registry_of(SAMPLE), has_baseline=False)
    city.store.ingest(SAMPLE / "events.csv.gz")
    yield city
    shutil.rmtree(city.store.folder)


def periods_by_end() -> dict[date, list[Period]]:
    """Every named period of the sample city's two years, by its end: one measure serves all that end there."""
    found: dict[date, list[Period]] = {}
    for name in NAMED:
        period = read_period(name)
        found.setdefault(period.to, []).append(period)
    return found


def sums(table: pa.Table) -> dict[str, int]:
    return {name: sum(table[name].to_pylist()) for name in FORM_COLUMNS}


@pytest.mark.parametrize("part", range(4))
def test_the_identities_hold_in_every_row_of_every_named_period(city: City, part: int) -> None:
    ends = sorted(periods_by_end().items())[part::4]
    for end, periods in ends:
        with city.judge(midnight(end)) as judge:
            for period in periods:
                question = city.question(midnight(end), period)
                by_unit, by_receiver = (judge.form_06_by_unit(question, by) for by in ("unit", "receiving-unit"))
                by_field = form_06.by_field(judge.engine)
                assert sums(by_field) == sums(by_unit) == sums(by_receiver)
                for row in [*by_field.to_pylist(), *by_unit.to_pylist(), *by_receiver.to_pylist()]:
                    assert_identities(row)
    assert sum(len(periods) for _, periods in ends) >= 12
    assert by_field.num_rows > 10


def assert_identities(row: dict[str, Any]) -> None:
    three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen = (row[name] for name in FORM_COLUMNS)
    assert three == four + five + six == seven + eleven
    assert seven == eight + nine + ten
    assert eleven == twelve + thirteen
    assert min(row[name] for name in FORM_COLUMNS) >= 0


def line(**counts: int) -> dict[str, Any]:
    return {"field": "Đất đai", "level": "city"} | dict.fromkeys(FORM_COLUMNS, 0) | counts


RIGHT = line(received=9, received_online=2, received_in_person_post=3, carried_over=4, resolved=6, resolved_early=1,
             resolved_on_time=2, resolved_overdue=3, pending=3, pending_in_time=1, pending_overdue=2)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "identity"),
    [
        ("received_online", "3 = 4+5+6"), ("received_in_person_post", "3 = 4+5+6"), ("carried_over", "3 = 4+5+6"),
        ("received", "3 = 4+5+6"), ("resolved", "3 = 7+11"), ("pending", "3 = 7+11"),
        ("resolved_early", "7 = 8+9+10"), ("resolved_on_time", "7 = 8+9+10"), ("resolved_overdue", "7 = 8+9+10"),
        ("pending_in_time", "11 = 12+13"), ("pending_overdue", "11 = 12+13"),
    ],
)  # fmt: skip
def test_a_form_that_breaks_an_identity_is_never_handed_out(column: str, identity: str) -> None:
    right = FORM_06.from_rows([line(), RIGHT])
    assert form_06.held(right) is right
    with pytest.raises(StoreError) as broken:
        form_06.held(FORM_06.from_rows([line(), RIGHT | {column: RIGHT[column] + 1}]))
    assert identity in str(broken.value)
    assert "Đất đai" in str(broken.value)
    assert "bug" in broken.value.remedy


def test_an_empty_form_breaks_nothing() -> None:
    assert form_06.held(FORM_06.from_rows([])).num_rows == 0


# ---- the workbook

AS_OF = datetime(2025, 5, 31, 17, 0, tzinfo=UTC)
FORM = [
    RIGHT | {"field": "Đất đai", "level": "city"},
    RIGHT | {"field": '=HYPERLINK("http://x.example","Hộ tịch")', "level": "commune", "received": 12345},
    RIGHT | {"field": "+1+1", "level": "commune"},
    RIGHT | {"field": "#N/A", "level": "commune"},
    RIGHT | {"field": "2025", "level": "commune"},
    RIGHT | {"field": "Xây\x07 dựng", "level": "city"},
    RIGHT | {"field": "", "level": ""},
]


def workbook(table: pa.Table, owner: str = "Thành phố Hải Phòng") -> bytes:
    return form_06_workbook(
        table, owner=owner, period=read_period("2025-05"), as_of=AS_OF, zone=ZoneInfo("Asia/Ho_Chi_Minh")
    )


def printed(content: bytes) -> list[list[object]]:
    """The rows below the headings, as another reader sees them."""
    return CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()[FIRST_ROW - 1 :]


def test_the_workbook_holds_the_table_cell_for_cell(city: City) -> None:
    period = read_period("2025-05")
    with city.judge(midnight(period.to)) as judge:
        judge.form_06_by_unit(city.question(midnight(period.to), period), "unit")
        table = form_06.by_field(judge.engine)
    rows = printed(workbook(table))
    expected: list[list[object]] = []
    for letter, name, level in (("A", "Cấp thành phố", "city"), ("B", "Cấp xã", "commune"), ("C", "Chưa rõ cấp", "")):
        own = [row for row in table.to_pylist() if row["level"] == level]
        own.sort(key=lambda row: alphabetical(row["field"] or ""))
        total: Counter[str] = Counter()
        for row in own:
            total.update({column: row[column] for column in FORM_COLUMNS})
        expected.append([letter, name, *(total[column] for column in FORM_COLUMNS)])
        for place, row in enumerate(own, start=1):
            name = row["field"] or "Chưa rõ lĩnh vực"
            expected.append([str(place), name, *(row[column] for column in FORM_COLUMNS)])
    expected.append(["", "Tổng cộng", *sums(table).values()])
    assert table.num_rows > 20
    assert rows == expected


def test_the_workbook_says_what_the_page_says() -> None:
    rows = printed(workbook(FORM_06.from_rows(FORM)))
    said = [
        [line_.number, line_.name, *(int(count.replace(".", "")) for count in line_.counts)]
        for line_ in form_lines([row | {"field": row["field"].replace("\x07", "")} for row in FORM])
    ]
    assert rows == said


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("2025-05/15", "Kỳ báo cáo: tháng 05/2025 (từ 15/04/2025 đến hết 14/05/2025)"),
        ("2025-Q2", "Kỳ báo cáo: quý II/2025 (từ 01/04/2025 đến hết 30/06/2025)"),
    ],
)
def test_the_workbook_names_its_period_once(period: str, said: str) -> None:
    table = FORM_06.from_rows(FORM)
    content = form_06_workbook(
        table, owner="Thành phố", period=read_period(period), as_of=AS_OF, zone=ZoneInfo("Asia/Ho_Chi_Minh")
    )
    head = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert said in [cell for row in head for cell in row]


def test_by_unit_each_unit_has_a_row_under_its_name() -> None:
    counts = {name: RIGHT[name] for name in FORM_COLUMNS}
    named = (("H24.1", "Sở Xây dựng"), ("H24.2", ""), ("", ""))
    units = [{"unit_id": code, "name": name} | counts for code, name in named]
    rows = printed(workbook(FORM_06_UNITS.from_rows(units)))
    assert [row[:3] for row in rows] == [
        ["1", "Sở Xây dựng", 9], ["2", "H24.2", 9], ["3", "Chưa rõ đơn vị", 9], ["", "Tổng cộng", 27],
    ]  # fmt: skip


def sheet_of(content: bytes) -> Any:
    return openpyxl.load_workbook(BytesIO(content)).active


def test_no_text_becomes_a_formula_a_number_or_an_error() -> None:
    sheet = sheet_of(workbook(FORM_06.from_rows(FORM), owner="=cmd|' /C calc'!A0"))
    kinds = {cell.coordinate: cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert set(kinds.values()) == {"s", "n"}
    names = [sheet.cell(row, 2).value for row in range(FIRST_ROW, sheet.max_row + 1)]
    assert '=HYPERLINK("http://x.example","Hộ tịch")' in names
    assert {"+1+1", "#N/A", "2025"} <= set(names)
    assert all(sheet.cell(row, 2).data_type == "s" for row in range(FIRST_ROW, sheet.max_row + 1))
    assert all(sheet.cell(row, 2).quotePrefix for row in range(FIRST_ROW, sheet.max_row + 1))
    assert sheet["K1"].value == "Đơn vị báo cáo: =cmd|' /C calc'!A0"


def test_counts_are_numbers_and_levels_are_bold() -> None:
    sheet = sheet_of(workbook(FORM_06.from_rows(FORM)))
    for row in sheet.iter_rows(min_row=FIRST_ROW, min_col=3, max_col=13):
        assert all(isinstance(cell.value, int) and cell.number_format == "#,##0" for cell in row)
    bold = [row for row in range(FIRST_ROW, sheet.max_row + 1) if sheet.cell(row, 2).font.bold]
    assert [sheet.cell(row, 2).value for row in bold] == [
        "Cấp thành phố", "Cấp xã", "Chưa rõ cấp", "Tổng cộng",
    ]  # fmt: skip


def test_the_workbook_is_laid_out_like_the_form() -> None:
    sheet = sheet_of(workbook(FORM_06.from_rows(FORM)))
    assert sheet["A1"].value == "Biểu số 06/VPCP/KSTT"
    assert sheet["A2"].value == "Ban hành theo Thông tư số 01/2020/TT-VPCP ngày 21/10/2020"
    assert str(sheet["C1"].value).startswith("TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC")
    assert sheet["C2"].value == "Kỳ báo cáo: tháng 05/2025 (từ 01/05/2025 đến hết 31/05/2025)"
    assert sheet["K2"].value == "Số liệu chốt lúc 01/06/2025 00:00"
    assert sheet["J4"].value == "Đơn vị tính: Số hồ sơ TTHC"
    merged = {str(area) for area in sheet.merged_cells.ranges}
    assert {"A5:A6", "B5:B6", "C5:F5", "G5:J5", "K5:M5"} <= merged
    assert [cell.value for cell in sheet[7]] == [f"({n})" for n in range(1, 14)]
    assert [sheet["C5"].value, sheet["G5"].value, sheet["K5"].value] == [
        "Số hồ sơ tiếp nhận", "Số hồ sơ đã giải quyết", "Số hồ sơ đang giải quyết",
    ]  # fmt: skip
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$5:$7"


def test_the_same_table_gives_the_same_bytes_whenever_it_is_written() -> None:
    content = workbook(FORM_06.from_rows(FORM))
    assert workbook(FORM_06.from_rows(FORM)) == content
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2025-05-31T17:00:00Z" in archive.read("docProps/core.xml")


def test_a_period_without_dossiers_is_an_empty_form() -> None:
    assert form_rows([]) == ()
    assert printed(workbook(FORM_06.from_rows([]))) == []
