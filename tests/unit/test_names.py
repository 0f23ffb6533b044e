"""Names to codes as of a day (rulebook 8): every spelling of tests/names is resolved or refused as marked."""

from __future__ import annotations

import csv
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_files import registry_tables

from procmon.names import UnitNames

FOLDER = Path(__file__).parents[1] / "names"
DATA = Path(__file__).parents[2] / "procmon" / "data"

sys.path.insert(0, str(FOLDER))
import make  # noqa: E402 - the list's maker, beside it


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def units(*given: dict[str, str]) -> pa.Table:
    kind = {"kind": "ward", "parent_unit_id": "", "valid_from": "2025-07-01", "valid_to": ""}
    return registry_tables({"units": [kind | row for row in given]})["units"]


SHIPPED = UnitNames(registry_tables({"units": rows(DATA / "haiphong_units.csv")})["units"])
LISTED = rows(FOLDER / "spellings.csv")
DAY = date(2025, 7, 1)


def outcome(names: UnitNames, spelling: str, on: date) -> str:
    found = names.find(spelling, on)
    return found.unit_id or ("ambiguous" if found.is_ambiguous else "unknown")


def test_every_spelling_is_resolved_or_refused_as_marked() -> None:
    wrong = [
        (row["spelling"], row["on"], row["expected"], found)
        for row in LISTED
        if (found := outcome(SHIPPED, row["spelling"], date.fromisoformat(row["on"]))) != row["expected"]
    ]
    assert wrong == []


def test_dots_only_abbreviate_wherever_they_stand() -> None:
    today = [row for row in rows(DATA / "haiphong_units.csv") if row["kind"] in ("ward", "commune", "special_zone")]
    today = [row for row in today if row["valid_from"] == DAY.isoformat()]
    assert len(today) == 114
    for row in today:
        for spelling in (f"{row['name']}.", f"{row['name'].upper()}.", row["name"].replace(" ", ". ")):
            assert outcome(SHIPPED, spelling, DAY) == outcome(SHIPPED, row["name"], DAY) == row["unit_id"]
    assert outcome(SHIPPED, "P.HỒNG BÀNG.", DAY) == "11311"


def test_the_list_has_every_unit_of_today_and_what_must_be_refused() -> None:
    today = {row["unit_id"] for row in rows(DATA / "haiphong_units.csv") if row["valid_from"] == "2025-07-01"}
    for code in today:
        assert sum(row["expected"] == code and row["on"] == "2025-07-01" for row in LISTED) >= 10
    marked = [row["expected"] for row in LISTED]
    assert len({row["spelling"] for row in LISTED}) >= 600
    assert marked.count("ambiguous") >= 40
    assert marked.count("unknown") >= 300


def test_the_list_is_what_its_maker_makes() -> None:
    assert (FOLDER / "spellings.csv").read_text("utf-8") == make.content()


def test_an_ambiguous_name_gives_its_candidates_by_code() -> None:
    found = SHIPPED.find("Xã Hòa Bình", date(2025, 6, 30))
    assert [unit.unit_id for unit in found.units] == ["10798", "11890"]
    assert [unit.kind for unit in found.units] == ["commune", "commune"]
    assert found.said == (
        "10798 Xã Hòa Bình, Huyện Kim Thành (commune)",
        "11890 Xã Hòa Bình, Huyện Vĩnh Bảo (commune)",
    )


def test_a_name_is_told_for_all_the_days_on_which_it_means_something() -> None:
    eras = [(first, last, found.unit_id) for first, last, found in SHIPPED.ever("Hồng Bàng")]
    assert eras == [(date(2000, 1, 1), DAY, "303"), (DAY, date.max, "11311")]
    assert list(SHIPPED.ever("Hồng Bang")) == []


@given(
    st.text() | st.sampled_from([row["spelling"] for row in LISTED]).map(lambda name: name[::-1]) | st.just("P." * 900)
)
def test_any_text_is_a_unit_ambiguous_or_unknown(text: str) -> None:
    found = SHIPPED.find(text, DAY)
    assert (found.unit_id is None) == (len(found.units) != 1)
    assert len(found.said) == len(found.units)


def test_without_units_no_name_is_known() -> None:
    assert outcome(UnitNames(None), "Phường A", DAY) == "unknown"
    assert list(UnitNames(None).ever("Phường A")) == []


def test_a_version_ends_where_the_next_begins() -> None:
    names = UnitNames(
        units({"unit_id": "1", "name": "Phường Cũ", "valid_from": "2020-01-01"}, {"unit_id": "1", "name": "Phường Mới"})
    )
    assert outcome(names, "Phường Cũ", date(2019, 12, 31)) == "unknown"
    assert outcome(names, "Phường Cũ", date(2025, 6, 30)) == "1"
    assert outcome(names, "Phường Cũ", DAY) == "unknown"
    assert outcome(names, "Phường Mới", DAY) == "1"


@pytest.mark.parametrize(
    ("kind", "spelling", "expected"),
    [
        ("ward", "Phường Bến", "1"), ("ward", "Bến", "1"), ("ward", "Xã Bến", "unknown"),
        ("commune", "Xã Bến", "1"), ("commune", "Thị trấn Bến", "1"), ("commune", "Phường Bến", "unknown"),
        ("district", "Quận Bến", "1"), ("district", "TX. Bến", "1"), ("department", "Bến", "1"),
        ("department", "Phường Bến", "unknown"),
    ],
)  # fmt: skip
def test_a_registry_name_without_its_kinds_word_goes_by_each(kind: str, spelling: str, expected: str) -> None:
    assert outcome(UnitNames(units({"unit_id": "1", "name": "Bến", "kind": kind})), spelling, DAY) == expected


def test_a_department_with_a_comma_in_its_name_is_found() -> None:
    names = UnitNames(units({"unit_id": "SVH", "name": "Sở Văn hóa, Thể thao và Du lịch", "kind": "department"}))
    assert outcome(names, "SỞ VĂN HOÁ, THỂ THAO VÀ DU LỊCH", DAY) == "SVH"


def test_a_centre_of_its_own_goes_before_the_unit_that_it_belongs_to() -> None:
    ward = {"unit_id": "1", "name": "Phường Bến"}
    centre = {"unit_id": "C1", "name": "Trung tâm Phục vụ hành chính công phường Bến", "kind": "centre"}
    names = UnitNames(units(ward, centre | {"parent_unit_id": "1"}))
    for spelling in ("TTPVHCC P. Bến", "Trung tâm phục vụ hành chính công phường Bến", "tt pvhcc Bến"):
        assert outcome(names, spelling, DAY) == "C1"
    assert outcome(names, "Phường Bến", DAY) == "1"
    assert outcome(names, "UBND phường Bến", DAY) == "1"
    assert outcome(UnitNames(units(ward)), "TTPVHCC P. Bến", DAY) == "1"


def test_right_marks_go_before_no_marks() -> None:
    names = UnitNames(units({"unit_id": "1", "name": "Phường An Quang"}, {"unit_id": "2", "name": "Phường An Quảng"}))
    assert outcome(names, "Phường An Quang", DAY) == "1"
    assert outcome(names, "Phường An Quảng", DAY) == "2"
    assert outcome(names, "P. An Quang", DAY) == "ambiguous"  # typed without marks, or in need of none


def test_units_that_lie_in_each_other_end() -> None:
    names = UnitNames(
        units(
            {"unit_id": "1", "name": "Phường A", "parent_unit_id": "2"},
            {"unit_id": "2", "name": "Phường B", "parent_unit_id": "1"},
        )
    )
    assert outcome(names, "Phường A, Phường B", DAY) == "1"
    assert outcome(names, "Phường A, Phường C", DAY) == "unknown"
