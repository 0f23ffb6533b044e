"""`show on-time`, `show bridge` and the forms of form 06, as people ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from procmon.report.form_06 import FORM_COLUMNS
from procmon.report.workbook import FIRST_ROW
from procmon.tables import FORM_06_UNITS, RULE_SETS
from tests.office import Rows, city_rows, make_office, procmon

MAY = ("--period", "2025-05")


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Path:
    return make_office(tmp_path_factory.mktemp("forms") / "office", city_rows())


def rows_of(office: Path, *words: str) -> Rows:
    return procmon("show", *words, "--format", "csv", "--workspace", office).rows


def summed(rows: Rows, column: str) -> int:
    return sum(int(row[column]) for row in rows)


def test_each_rule_set_can_be_asked_for_alone(office):
    every = rows_of(office, "on-time", *MAY)
    for rule_set in RULE_SETS:
        own = rows_of(office, "on-time", *MAY, "--rule-set", rule_set)
        assert own == [row for row in every if row["rule_set"] == rule_set]
        assert own[0]["scope"] == "city"
    bridge = rows_of(office, "bridge", *MAY)
    assert rows_of(office, "bridge", *MAY, "--rule-set", "strict") == [
        row for row in bridge if row["to_rule_set"] == "strict"
    ]
    away = procmon("show", "bridge", *MAY, "--rule-set", "index_766", "--workspace", office, code=2)
    assert "leads away from index_766" in away.err


def test_on_time_is_told_over_the_dossiers_of_form_06(office):
    form = rows_of(office, "form-06", *MAY)
    city = {row["rule_set"]: row for row in rows_of(office, "on-time", *MAY) if row["scope"] == "city"}
    assert {int(row["n_dossiers"]) for row in city.values()} == {summed(form, "received")}
    in_time = ("resolved_early", "resolved_on_time", "pending_in_time")
    assert int(city["form_06"]["n_on_time"]) == sum(summed(form, column) for column in in_time)
    assert int(city["form_06"]["n_late"]) == summed(form, "resolved_overdue") + summed(form, "pending_overdue")
    dossiers = rows_of(office, "dossiers", *MAY)
    on_time_766 = [row["on_time_766"] for row in dossiers if row["received_at"]]
    assert int(city["index_766"]["n_on_time"]) == on_time_766.count("true")
    assert int(city["index_766"]["n_late"]) == on_time_766.count("false")
    apart = ("stopped", "refused", "withdrawn")
    judged = [row for row in dossiers if row["judged_due_at"] and row["outcome"] not in apart]
    assert int(city["strict"]["n_judged"]) == len(judged)
    assert int(city["strict"]["n_on_time"]) == sum(row["on_time_766"] == "true" for row in judged)


def test_form_06_by_unit_adds_up_to_the_form(office):
    form = rows_of(office, "form-06", *MAY)
    for by in ("unit", "receiving-unit"):
        units = rows_of(office, "form-06", *MAY, "--by", by)
        assert list(units[0]) == FORM_06_UNITS.names
        assert [summed(units, column) for column in FORM_COLUMNS] == [summed(form, column) for column in FORM_COLUMNS]
    unit = max(rows_of(office, "form-06", *MAY, "--by", "unit"), key=lambda row: int(row["received"]))
    own = rows_of(office, "form-06", *MAY, "--unit", unit["unit_id"])
    assert [summed(own, column) for column in FORM_COLUMNS] == [int(unit[column]) for column in FORM_COLUMNS]
    assert rows_of(office, "form-06", *MAY, "--by", "field") == form


def sheet(path: Path) -> list[list[object]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


def test_the_form_as_a_workbook_says_what_the_table_says(office, tmp_path):
    file = tmp_path / "bieu-06.xlsx"
    words = ("show", "form-06", *MAY, "--format", "xlsx", "--output", file, "--workspace", office)
    said = procmon(*words)
    assert said.out == ""
    first = file.read_bytes()
    cells = sheet(file)
    form = rows_of(office, "form-06", *MAY)
    told = {(row["field"] or "Chưa rõ lĩnh vực", *(int(row[column]) for column in FORM_COLUMNS)) for row in form}
    assert told <= {tuple(row[1:]) for row in cells[FIRST_ROW - 1 :]}
    assert cells[-1][1:] == ["Tổng cộng", *(summed(form, column) for column in FORM_COLUMNS)]
    assert "Kỳ báo cáo: tháng 05/2025 (từ 01/05/2025 đến hết 31/05/2025)" in cells[1]
    assert "Số liệu chốt lúc 01/06/2025 00:00" in cells[1]
    procmon(*words, now="2026-02-03T04:05:06+07:00")
    assert file.read_bytes() == first


def test_the_workbook_of_a_unit_names_it(office, tmp_path):
    file = tmp_path / "unit.xlsx"
    procmon("show", "form-06", *MAY, "--unit", "H24.18", "--format", "xlsx", "--output", file, "--workspace", office)
    assert "Văn phòng Đăng ký đất đai" in " ".join(map(str, sheet(file)[0]))
    procmon("show", "form-06", *MAY, "--by", "unit", "--format", "xlsx", "--output", file, "--workspace", office)
    units = rows_of(office, "form-06", *MAY, "--by", "unit")
    assert [row[2:] for row in sheet(file)[FIRST_ROW - 1 : -1]] == [
        [int(unit[column]) for column in FORM_COLUMNS] for unit in units
    ]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("dossiers", "--format", "xlsx", "--output", "x.xlsx"), "--format csv opens in Excel too."),
        (("on-time", "--format", "xlsx", "--output", "x.xlsx"), "--format csv opens in Excel too."),
        (("form-06", "--format", "xlsx"), "--format xlsx --output form-06.xlsx"),
        (("on-time", "--by", "unit"), "Leave it out."),
    ],
)
def test_what_makes_no_workbook_or_no_rows_by_unit_is_refused_with_the_remedy(office, words, remedy):
    assert f"Remedy: {remedy}" in procmon("show", *words, "--workspace", office, code=2).err


def test_people_can_ask_sql_about_both(office):
    said = procmon(
        "query", "SELECT b.step FROM bridge AS b JOIN on_time AS o ON o.rule_set = b.to_rule_set AND o.scope = 'city' "
        "WHERE b.step = 'start' ORDER BY b.to_rule_set", "--format", "csv", "--workspace", office,
    )  # fmt: skip
    assert [row["step"] for row in said.rows] == ["start", "start"]
