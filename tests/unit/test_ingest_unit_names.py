"""Columns of units that hold names: ingest stores the code of the unit of that name on the day of the event."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from log_files import Store, read_here, registry_tables

from procmon.engine import Engine
from procmon.ingest.columns import PROBLEMS
from procmon.ingest.mapping import Mapping, parse_mapping, read_mapping
from procmon.ingest.take import Taken, Terms, take

DATA = Path(__file__).parents[2] / "procmon" / "data"
ROLES = ("unit_id", "receiving_unit_id", "resolving_unit_id", "returning_unit_id", "applicant_unit_id")

EVENTS = parse_mapping(
    b"""
name = "events-with-names"
unit_columns = "names"
units = { "Counter 1" = "11311" }
[columns]
dossier_id = "dossier"
procedure_id = "procedure"
occurred_at = "when"
status = "status"
unit_id = "holder"
receiving_unit_id = "receiver"
resolving_unit_id = "resolver"
returning_unit_id = "returner"
applicant_unit_id = "lives in"
""",
    "test",
)
DOSSIERS = parse_mapping(
    b"""
name = "list-with-names"
kind = "dossiers"
unit_columns = "names"
[columns]
dossier_id = "dossier"
procedure_id = "procedure"
received_at = "received"
finished_at = "finished"
receiving_unit_id = "receiver"
unit_id = "holder"
""",
    "test",
)


def shipped_units() -> pa.Table:
    with (DATA / "haiphong_units.csv").open(encoding="utf-8", newline="") as file:
        return registry_tables({"units": list(csv.DictReader(file))})["units"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def taken(
    store: Store,
    rows: list[dict[str, str]],
    mapping: Mapping = EVENTS,
    *,
    units: pa.Table | None = None,
    held: float = 1,
) -> Taken:
    path = store.folder / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return read(store, path, mapping, units=units, held=held)


def read(store: Store, path: Path, mapping: Mapping, *, units: pa.Table | None = None, held: float = 1) -> Taken:
    terms = Terms("Asia/Ho_Chi_Minh", store.latest, store.latest, held, shipped_units() if units is None else units)
    with Engine(store.engine_settings) as engine:
        raw = read_here(path, store.folder, mapping=mapping)
        return take(engine, raw, mapping, terms, batch_id=1, lake_files=[], done=[], live=[])


def step(when: str = "2025-08-01T08:00", status: str = "received", **units: str) -> dict[str, str]:
    cells = dict.fromkeys(("holder", "receiver", "resolver", "returner", "lives in"), "") | units
    return {"dossier": "1", "procedure": "p", "when": when, "status": status} | cells


def said(result: Taken, *columns: str) -> list[tuple[Any, ...]]:
    rows = result.events.sort_by([("row_no", "ascending")]).to_pylist()
    return [tuple(row[column] for column in columns) for row in rows]


def counts(result: Taken) -> tuple[int, int, int, int, int]:
    numbers = (result.n_read, result.n_stored, result.n_repeated, result.n_amended, result.n_refused)
    assert numbers[0] == sum(numbers[1:])
    return numbers


def test_every_role_is_stored_by_its_code(store: Store) -> None:
    names = {
        "holder": "UBND P. Hồng Bàng", "receiver": "ĐK Cát Hải", "resolver": "TP. Hải Phòng", "returner": "xa Cat Hai",
        "lives in": "Phường Thuỷ Nguyên",
    }  # fmt: skip
    result = taken(store, [step(**names)])
    assert said(result, *ROLES) == [("11311", "11914", "HP", "xa Cat Hai", "11560")]
    assert result.notes == ("no unit has these names on the day of the event, they stay as they are: xa Cat Hai",)


@pytest.mark.parametrize(
    ("when", "code"),
    [("2025-06-30T23:59:59", "303"), ("2025-06-30", "303"), ("2025-07-01T00:00", "11311"), ("2025-07-01", "11311"),
     ("2025-06-30T16:59:59Z", "303"), ("2025-06-30T17:00Z", "11311")],
)  # fmt: skip
def test_the_day_of_the_event_in_the_offices_zone_decides(store: Store, when: str, code: str) -> None:
    assert said(taken(store, [step(when, holder="Hồng Bàng")]), "unit_id") == [(code,)]


def test_codes_among_the_names_and_labels_of_the_mapping_stay(store: Store) -> None:
    result = taken(store, [step(holder="10507"), step(holder="Counter 1"), step(holder="K01")])
    assert said(result, "unit_id") == [("10507",), ("11311",), ("K01",)]


def test_an_ambiguous_name_refuses_its_row_with_the_candidates_and_the_rest_goes_in(store: Store) -> None:
    result = taken(
        store, [step(), step("2025-03-03T08:00", resolver="xã Hoà Bình"), step("2025-08-02", resolver="xã Hoà Bình")]
    )
    reason, remedy = PROBLEMS["ambiguous_unit"]
    candidates = "10798 Xã Hòa Bình, Huyện Kim Thành (commune) or 11890 Xã Hòa Bình, Huyện Vĩnh Bảo (commune)"
    assert result.rejects.to_pylist() == [
        {
            "file": "log.csv", "line": 3, "column": "resolver", "value": "xã Hoà Bình", "reason": reason,
            "remedy": f"{remedy} It may be {candidates}.", "batch": 1,
        }
    ]  # fmt: skip
    assert counts(result) == (3, 2, 0, 0, 1)
    assert said(result, "resolving_unit_id") == [(None,), ("xã Hoà Bình",)]


def test_the_district_behind_the_name_decides(store: Store) -> None:
    result = taken(store, [step("2025-03-03T08:00", resolver="Xã Hòa Bình, H. Vĩnh Bảo")])
    assert said(result, "resolving_unit_id") == [("11890",)]


def test_names_that_mean_the_same_are_one_event(store: Store) -> None:
    result = taken(store, [step(holder="P. Hồng Bàng"), step(holder="phường HỒNG BÀNG"), step(holder="11311")])
    assert counts(result) == (3, 1, 2, 0, 0)


def test_a_file_with_too_many_ambiguous_names_is_held(store: Store) -> None:
    old = "2025-03-03T08:00"
    result = taken(store, [step(old, holder="An Dương"), step(old), step(old, "finished")], held=0.2)
    assert (result.is_held, result.n_refused, result.events.num_rows) == (True, 3, 0)
    assert sorted(row["line"] for row in result.rejects.to_pylist()) == [2, 3, 4]


def test_without_units_names_stay_and_that_is_said(store: Store) -> None:
    result = taken(store, [step(holder="P. Hồng Bàng")], units=shipped_units().slice(0, 0))
    assert said(result, "unit_id") == [("P. Hồng Bàng",)]
    assert "no units are loaded" in result.notes[0]


def test_without_the_setting_names_stay_as_they_are(store: Store) -> None:
    codes = EVENTS.model_copy(update={"unit_columns": "codes"})
    assert said(taken(store, [step(holder="P. Hồng Bàng")], codes), "unit_id") == [("P. Hồng Bàng",)]


# ---- a row a dossier


def dossier(received: str, finished: str = "", **units: str) -> dict[str, str]:
    return {
        "dossier": "1",
        "procedure": "p",
        "received": received,
        "finished": finished,
        "receiver": "",
        "holder": "",
    } | units


def test_each_event_of_a_row_has_the_unit_of_its_own_day(store: Store) -> None:
    """«Hồng Bàng» was a district when the dossier came, and is a ward when it is finished."""
    result = taken(store, [dossier("2025-06-27", "2025-07-03", receiver="Hồng Bàng", holder="Hồng Bàng")], DOSSIERS)
    assert said(result, "status", "unit_id", "receiving_unit_id") == [
        ("received", "303", "303"),
        ("finished", "11311", "11311"),
    ]
    assert result.events["occurred_on"].to_pylist() == [date(2025, 6, 27), date(2025, 7, 3)]


def test_a_row_stays_out_whole_if_a_name_is_ambiguous_on_one_of_its_days(store: Store) -> None:
    rows = [
        dossier("2025-06-27", "2025-07-03", receiver="An Dương") | {"dossier": "1"},
        dossier("2025-07-02", "2025-07-03", receiver="An Dương") | {"dossier": "2"},
    ]
    result = taken(store, rows, DOSSIERS)
    assert counts(result) == (2, 1, 0, 0, 1)
    told = result.rejects.to_pylist()[0]
    assert (told["line"], told["column"], told["value"]) == (2, "receiver", "An Dương")
    assert set(said(result, "dossier_id", "receiving_unit_id")) == {("2", "11581")}


def test_the_portals_messages_are_told_apart(store: Store) -> None:
    """A dossier's message and its progress have columns of their own for units."""
    mapping = read_mapping("dvcqg", Path()).model_copy(update={"unit_columns": "names"})
    messages = [
        {
            "MaHoSo": "1",
            "MaTTHC": "p",
            "NgayTiepNhan": "20250301080000",
            "TrangThaiHoSo": "2",
            "DonViXuLy": "P. An Dương",
        },
        {"MaHoSo": "1", "TrangThai": "4", "ThoiDiemXuLy": "20250302080000", "PhongBanXuLy": "An Dương"},
        {"MaHoSo": "1", "TrangThai": "4", "ThoiDiemXuLy": "20250303080000", "PhongBanXuLy": "Phòng Tư pháp"},
    ]
    path = store.folder / "portal.jsonl"
    path.write_text("".join(json.dumps(message, ensure_ascii=False) + "\n" for message in messages), "utf-8")
    result = read(store, path, mapping)
    told = result.rejects.to_pylist()
    assert [(row["line"], row["column"], row["value"]) for row in told] == [(2, "PhongBanXuLy", "An Dương")]
    assert said(result, "status", "unit_id", "resolving_unit_id") == [
        ("received", None, "11401"),
        ("processing", "Phòng Tư pháp", None),
    ]
