"""The shipped facts of Hải Phòng: 114 units since 1 July 2025, what was there before, and what became of it."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from unicodedata import normalize

DATA = Path(__file__).parents[2] / "procmon" / "data"
DAY = "2025-07-01"
COMMUNE_LEVEL = {"commune": ("Xã", "Thị trấn"), "ward": ("Phường",), "special_zone": ("Đặc khu",)}
WORDS = COMMUNE_LEVEL | {"district": ("Quận", "Huyện", "Thị xã", "Thành phố"), "city": ("Thành phố",)}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


UNITS, SUCCESSIONS = rows("haiphong_units.csv"), rows("haiphong_successions.csv")
CITY = next(unit for unit in UNITS if unit["kind"] == "city")
NEW = {unit["unit_id"]: unit for unit in UNITS if unit["valid_from"] == DAY}
OLD = {unit["unit_id"]: unit for unit in UNITS if unit["valid_to"] == DAY}
HEIRS: dict[str, list[dict[str, str]]] = defaultdict(list)
FOREBEARS: dict[str, list[dict[str, str]]] = defaultdict(list)
for row in SUCCESSIONS:
    HEIRS[row["old_unit_id"]].append(row)
    FOREBEARS[row["new_unit_id"]].append(row)


def test_the_city_has_its_114_units_of_today() -> None:
    assert Counter(unit["kind"] for unit in NEW.values()) == {"commune": 67, "ward": 45, "special_zone": 2}
    assert {unit["name"] for unit in NEW.values() if unit["kind"] == "special_zone"} == {
        "Đặc khu Cát Hải", "Đặc khu Bạch Long Vĩ",
    }  # fmt: skip
    assert len({unit["name"] for unit in NEW.values()}) == 114


def test_before_that_day_there_were_374_wards_and_communes_in_27_districts() -> None:
    assert Counter(unit["kind"] for unit in OLD.values()) == {"commune": 249, "ward": 125, "district": 27}


def test_every_row_is_the_city_or_ends_or_begins_on_the_day() -> None:
    assert len(UNITS) == 1 + len(NEW) + len(OLD)
    assert not CITY["valid_to"]
    for unit in UNITS:
        assert not unit["valid_to"] or date.fromisoformat(unit["valid_from"]) < date.fromisoformat(unit["valid_to"])
        assert unit["valid_to"] in ("", DAY)
    keys = [(unit["unit_id"], unit["valid_from"]) for unit in UNITS]
    assert len(set(keys)) == len(keys)


def test_names_are_composed_single_spaced_and_begin_with_the_word_of_their_kind() -> None:
    for unit in UNITS:
        name = unit["name"]
        assert name == normalize("NFC", " ".join(name.split()))
        assert name.startswith(tuple(f"{word} " for word in WORDS[unit["kind"]])), name


def test_three_levels_before_and_two_after() -> None:
    """Old Hải Dương's districts have no parent: their province is no unit of this city."""
    assert all(unit["parent_unit_id"] == CITY["unit_id"] for unit in NEW.values())
    districts = {code: unit for code, unit in OLD.items() if unit["kind"] == "district"}
    assert Counter(unit["parent_unit_id"] for unit in districts.values()) == {CITY["unit_id"]: 15, "": 12}
    communes = [unit for unit in OLD.values() if unit["kind"] in COMMUNE_LEVEL]
    assert all(unit["parent_unit_id"] in districts for unit in communes)
    of_the_city = [u for u in communes if districts[u["parent_unit_id"]]["parent_unit_id"] == CITY["unit_id"]]
    assert (len(of_the_city), len(communes) - len(of_the_city)) == (167, 207)
    # Bạch Long Vĩ had no wards.
    assert set(districts) - {unit["parent_unit_id"] for unit in communes} == {"318"}


def test_successions_lead_from_units_that_end_to_units_that_begin_on_the_day() -> None:
    for row in SUCCESSIONS:
        assert row["effective_on"] == DAY
        assert row["old_unit_id"] in OLD
        assert row["new_unit_id"] in NEW
    keys = [(row["old_unit_id"], row["new_unit_id"]) for row in SUCCESSIONS]
    assert len(set(keys)) == len(keys) == 451


def test_every_old_ward_and_commune_went_somewhere_and_every_new_unit_has_forebears() -> None:
    communes = {code for code, unit in OLD.items() if unit["kind"] in COMMUNE_LEVEL}
    assert set(HEIRS) == communes | {"318"}
    assert set(FOREBEARS) == set(NEW)
    assert [row["old_unit_id"] for row in FOREBEARS["11948"]] == ["318"]
    assert max(map(len, FOREBEARS.values())) == 12


def test_a_unit_with_one_heir_went_whole_and_one_with_several_in_parts() -> None:
    for heirs in HEIRS.values():
        assert {row["extent"] for row in heirs} == ({"whole"} if len(heirs) == 1 else {"part"})
    assert Counter(len(heirs) for code, heirs in HEIRS.items() if code != "318") == {1: 303, 2: 66, 3: 5}


def test_113_of_the_114_codes_were_other_units_codes_95_under_another_name() -> None:
    """So that a code without a day names no unit."""
    again = [code for code in NEW if code in OLD]
    assert len(again) == 113
    assert set(NEW) - set(again) == {"11948"}
    assert sum(NEW[code]["name"] != OLD[code]["name"] for code in again) == 95
    assert (OLD["10525"]["name"], NEW["10525"]["name"]) == ("Phường Trần Hưng Đạo", "Phường Hải Dương")


def test_a_name_that_was_told_two_ways_went_where_the_statistics_table_says() -> None:
    """Vĩnh Bảo's Hòa Bình went whole to Nguyễn Bỉnh Khiêm; its namesakes went elsewhere."""
    assert [(row["new_unit_id"], row["extent"]) for row in HEIRS["11890"]] == [("11911", "whole")]
    assert {row["new_unit_id"] for row in HEIRS["10798"]}.isdisjoint({"11911"})


def test_the_sources_are_named() -> None:
    said = (DATA / "README.md").read_text("utf-8")
    for source in ("National Statistics Office", "1669/NQ-UBTVQH15", "1 July 2025"):
        assert source in said
