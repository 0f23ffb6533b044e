"""The registry: what a file may hold, how a refusal reads, and versions that can be read again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from procmon.errors import RegistryError, UsageProblem
from procmon.store import cells, database, registry
from procmon.store.database import fetch, writing
from procmon.store.registry import KINDS, Load, Loaded
from procmon.tables import FIRST_DAY

pytest_plugins = ["postgres"]

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
SHIPPED = Path(__file__).parents[2] / "procmon" / "data"

GOOD = {  # a file of each kind, from which the tests below go astray one cell at a time
    "procedures": {
        "procedure_id": "1.001193",
        "name": "Đăng ký khai sinh",
        "field": "Hộ tịch",
        "level": "commune",
        "limit_amount": "10",
        "limit_unit": "working_days",
        "valid_from": "2025-07-01",
        "valid_to": "2026-01-01",
        "source": "QĐ 1",
        "tags": "business green_lane",
        "supplement": "restart",
        "payment": "pause",
        "late_receipt": "15:00",
    },
    "units": {
        "unit_id": "11344",
        "name": "Phường Lê Chân",
        "kind": "ward",
        "parent_unit_id": "HP",
        "valid_from": "2025-07-01",
        "valid_to": "",
    },
    "successions": {
        "old_unit_id": "11383",
        "new_unit_id": "11344",
        "effective_on": "2025-07-01",
        "extent": "whole",
        "weight": "1",
    },
    "calendar": {
        "calendar_id": "default",
        "on": "2026-01-10",
        "open": "yes",
        "hours": "07:30-11:30 13:00-17:00",
        "source": "12729/VPCP-KGVX",
    },
    "opening_hours": {
        "calendar_id": "sat",
        "unit_id": "11344",
        "weekday": "6",
        "hours": "07:30-11:30",
        "valid_from": "2025-07-01",
        "source": "",
    },
    "announced": {
        "procedure_id": "1.001193",
        "announced_on": "2025-07-01",
        "valid_to": "",
        "scope": "toàn thành phố",
        "source": "",
    },
    "targets": {
        "name": "nq66-2025",
        "basis": "actual",
        "reduction": "0.3",
        "baseline_from": "2024-01-01",
        "baseline_to": "2025-01-01",
        "period_from": "2025-01-01",
        "period_to": "2026-01-01",
        "tag": "",
        "source": "",
    },
    "recipients": {
        "email": "lanh-dao@haiphong.example",
        "name": "Lãnh đạo",
        "audience": "city",
        "scope": "",
        "schedule": "daily monthly",
        "language": "vi",
    },
}


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = database.create(f"sqlite:///{tmp_path}/procmon.db")
    yield engine
    engine.dispose()


class Desk:
    """Writes registry files and loads them, a minute after the last one."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.now = engine, folder, NOW

    def load(self, kind: str, *rows: dict[str, str], replace: bool = False) -> Loaded:
        """Rows that are `GOOD` but for what they say."""
        full = [GOOD[kind] | row for row in rows]
        return self.load_text(kind, "\n".join([",".join(full[0]), *(",".join(row.values()) for row in full)]), replace)

    def load_text(self, kind: str, content: str | bytes, replace: bool = False) -> Loaded:
        path = self.folder / f"{kind}.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.now += timedelta(minutes=1)
        return registry.load(self.engine, kind, path, replace=replace, now=self.now)

    def rows(self, kind: str, version: int | None = None) -> list[dict[str, Any]]:
        return list(registry.read(self.engine, kind, version=version).to_pylist())


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Desk:
    return Desk(engine, tmp_path)


@pytest.fixture
def sqlite_desk(sqlite: Engine, tmp_path: Path) -> Desk:
    return Desk(sqlite, tmp_path)


# Versions


def test_an_empty_registry_is_version_0(desk: Desk) -> None:
    assert registry.version(desk.engine) == 0
    for kind in KINDS:
        assert registry.read(desk.engine, kind).num_rows == 0
        assert registry.read(desk.engine, kind, version=0).num_rows == 0


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    for kind in KINDS:
        assert desk.load(kind, {}) == Loaded(added=1, changed=0, closed=0, left=0)
        before, version = desk.rows(kind), registry.version(desk.engine)
        assert desk.load(kind, {}) == Loaded(added=0, changed=0, closed=0, left=1)
        assert desk.load(kind, {}, replace=True) == Loaded(added=0, changed=0, closed=0, left=1)
        assert (desk.rows(kind), registry.version(desk.engine)) == (before, version)


def test_a_changed_row_stands_beside_the_one_it_was(desk: Desk) -> None:
    desk.load("units", {}, {"unit_id": "11359", "name": "Phường An Biên"})
    first = registry.version(desk.engine)
    assert desk.load("units", {"name": "Phường Hồng Bàng"}) == Loaded(added=0, changed=1, closed=0, left=1)
    second = registry.version(desk.engine)
    assert second > first
    names = {version: [row["name"] for row in desk.rows("units", version)] for version in (0, first, second, None)}
    new = ["Phường Hồng Bàng", "Phường An Biên"]
    assert names == {0: [], first: ["Phường Lê Chân", "Phường An Biên"], second: new, None: new}


def test_closed_rows_say_when_and_by_which_load(desk: Desk) -> None:
    desk.load("units", {})
    desk.load("units", {"name": "Phường Hồng Bàng"})
    units = registry.Unit
    kept = select(col(units.load_id), col(units.closed_load_id), col(units.loaded_at), col(units.closed_at))
    first, second = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    assert [tuple(row.values()) for row in fetch(desk.engine, kept.order_by(col(units.id))).to_pylist()] == [
        (1, 2, first, second),
        (2, None, second, None),
    ]


def test_rows_absent_from_the_file_stay(desk: Desk) -> None:
    desk.load("units", {})
    assert desk.load("units", {"unit_id": "11359"}) == Loaded(added=1, changed=0, closed=0, left=1)
    assert [row["unit_id"] for row in desk.rows("units")] == ["11344", "11359"]


def test_replace_closes_rows_absent_from_the_file_and_deletes_none(desk: Desk) -> None:
    desk.load("units", {}, {"unit_id": "11359"}, {"unit_id": "11362"})
    first = registry.version(desk.engine)
    done = desk.load("units", {"unit_id": "11359"}, {"unit_id": "11362", "name": "New"}, {"unit_id": "1"}, replace=True)
    assert done == Loaded(added=1, changed=1, closed=1, left=1)
    assert [row["unit_id"] for row in desk.rows("units")] == ["1", "11359", "11362"]
    assert [row["unit_id"] for row in desk.rows("units", first)] == ["11344", "11359", "11362"]


def test_a_closed_row_may_come_back(desk: Desk) -> None:
    desk.load("units", {})
    desk.load("units", {"unit_id": "11359"}, replace=True)
    assert desk.load("units", {}) == Loaded(added=1, changed=0, closed=0, left=1)
    assert [len(desk.rows("units", version)) for version in (1, 2, 3)] == [1, 1, 2]


def test_a_load_records_what_it_did(desk: Desk) -> None:
    desk.load("units", {}, {"unit_id": "11359"})
    desk.load("units", {"name": "New"}, replace=True)
    counts = [col(Load.n_added), col(Load.n_changed), col(Load.n_closed), col(Load.n_left)]
    found = fetch(
        desk.engine, select(col(Load.kind), col(Load.file), *counts, col(Load.replaced)).order_by(col(Load.id))
    )
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("units", "units.csv", 2, 0, 0, 0, False),
        ("units", "units.csv", 0, 1, 1, 0, True),
    ]


def test_a_version_of_one_kind_is_not_moved_by_another(desk: Desk) -> None:
    desk.load("units", {})
    desk.load("targets", {})
    assert desk.rows("units", 1) == desk.rows("units", 2) == desk.rows("units")
    assert (desk.rows("targets", 1), len(desk.rows("targets", 2))) == ([], 1)


def test_nothing_of_a_file_with_a_bad_row_is_loaded(desk: Desk) -> None:
    with pytest.raises(RegistryError):
        desk.load("units", {}, {"unit_id": "11359", "kind": "village"})
    assert registry.version(desk.engine) == 0
    assert desk.rows("units") == []


def test_two_loads_at_once_take_their_turns(desk: Desk) -> None:
    path = desk.folder / "units.csv"
    path.write_text(",".join(GOOD["units"]) + "\n" + ",".join(GOOD["units"].values()), encoding="utf-8")
    done: list[Loaded] = []

    def load() -> None:
        done.append(registry.load(desk.engine, "units", path, replace=False, now=NOW))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.added for one in done) == [0, 0, 0, 1]
    assert registry.version(desk.engine) == 1


def test_the_database_itself_holds_one_open_row_a_key(desk: Desk) -> None:
    desk.load("units", {})

    def double() -> None:
        with writing(desk.engine) as session:
            row = session.execute(select(KINDS["units"].table)).mappings().one()
            session.execute(insert(KINDS["units"].table), [{**row, "id": 99}])

    with pytest.raises(IntegrityError):
        double()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["X", "Y"]), min_size=1), st.booleans()),
        max_size=6,
    )
)
def test_every_version_reads_as_it_was(
    sqlite: Engine, tmp_path: Path, loads: list[tuple[dict[str, str], bool]]
) -> None:
    with writing(sqlite) as session:
        session.execute(text("DELETE FROM units"))
    desk, model, seen = Desk(sqlite, tmp_path), dict[str, str](), {}
    for names, replace in loads:
        desk.load("units", *({"unit_id": unit, "name": name} for unit, name in names.items()), replace=replace)
        model = dict(names) if replace else model | names
        seen[registry.version(sqlite)] = model
    for version, expected in seen.items():
        found = desk.rows("units", version)
        assert {row["unit_id"]: row["name"] for row in found} == expected
        assert [row["unit_id"] for row in found] == sorted(expected)


# Reading


def test_every_kind_is_read_with_the_columns_of_its_file_and_their_types(desk: Desk) -> None:
    of_type = {
        pa.date32(): "valid_from valid_to effective_on on announced_on baseline_from baseline_to period_from period_to",
        pa.float64(): "limit_amount reduction weight",
        pa.int64(): "weekday",
        pa.bool_(): "open",
    }
    types = {name: kind for kind, names in of_type.items() for name in names.split()}
    for kind, row in GOOD.items():
        expected = pa.schema([(name, types.get(name, pa.string())) for name in row])
        assert registry.read(desk.engine, kind).schema.equals(expected)
        desk.load(kind, {})
        assert registry.read(desk.engine, kind).schema.equals(expected)
        assert list(row) == KINDS[kind].names


def test_what_is_empty_is_null(desk: Desk) -> None:
    desk.load_text("procedures", "procedure_id,name,field,level\n1.001193,Đăng ký khai sinh,Hộ tịch,commune\n")
    row = desk.rows("procedures")[0]
    assert row == dict.fromkeys(GOOD["procedures"]) | {
        "procedure_id": "1.001193",
        "name": "Đăng ký khai sinh",
        "field": "Hộ tịch",
        "level": "commune",
        "valid_from": FIRST_DAY,
    }


def test_a_row_without_valid_from_has_always_held(desk: Desk) -> None:
    desk.load("units", {"valid_from": ""})
    assert desk.rows("units")[0]["valid_from"] == FIRST_DAY
    assert desk.load("units", {"valid_from": "2000-01-01"}).left == 1


def test_rows_are_ordered_by_key_in_bytes(desk: Desk) -> None:
    codes = ["b", "B", "ă", "a", "10", "9"]
    desk.load("units", *({"unit_id": code} for code in codes), {"unit_id": "a", "valid_from": "2020-01-01"})
    found = [(row["unit_id"], row["valid_from"].year) for row in desk.rows("units")]
    assert found == [("10", 2025), ("9", 2025), ("B", 2025), ("a", 2020), ("a", 2025), ("b", 2025), ("ă", 2025)]


def test_values_are_kept_in_one_form(desk: Desk) -> None:
    desk.load("procedures", {"limit_amount": "08.50", "limit_unit": "hours", "tags": "business  green_lane business"})
    procedure = desk.rows("procedures")[0]
    assert (procedure["limit_amount"], procedure["tags"]) == (8.5, "business green_lane")
    desk.load(
        "recipients",
        {
            "email": "A.B@HaiPhong.Example",
            "audience": "department",
            "scope": normalize("NFD", "field: Đất đai"),
            "schedule": "daily daily",
        },
    )
    recipient = desk.rows("recipients")[0]
    assert recipient["email"] == "A.B@haiphong.example"
    assert (recipient["scope"], recipient["schedule"]) == ("field:Đất đai", "daily")  # composed, as in procedures
    assert desk.load("procedures", {"limit_amount": "8.5", "limit_unit": "hours"}).left == 1


# Files


def test_a_file_as_spreadsheets_write_it_is_taken(desk: Desk) -> None:
    rows = '\ufeffunit_id , name,kind\r\n 11344 ,"Phường ""Lê Chân"", quận cũ",ward\r\n,,\r\n\r\n'
    assert desk.load_text("units", rows).added == 1
    assert desk.rows("units")[0]["name"] == 'Phường "Lê Chân", quận cũ'
    assert desk.rows("units")[0]["unit_id"] == "11344"


def test_a_file_with_a_header_only_loads_nothing(sqlite_desk: Desk) -> None:
    assert sqlite_desk.load_text("units", "unit_id,name,kind\n") == Loaded(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "said", "remedy"),
    [
        (b"", "units.csv: the file is empty", "header"),
        (b"\n\n", "units.csv: the file is empty", "header"),
        ("unit_id,name,kind\n1,Phường,ward".encode("utf-16"), "line 1: the file is not UTF-8", "CSV UTF-8"),
        ("unit_id,name,kind\n1,Phường,ward".encode("cp1258", "replace") + b"\xfd", "line 2: the file is not UTF-8", ""),
        (b"unit_id;name;kind\n1;A;ward", "line 1: the cells are not separated by commas", "semicolons"),
        (b"unit_id,name,type\n", "line 1: columns unknown: type; missing: kind", "The columns are unit_id, name, kind"),
        (b"unit_id,name,kind,name\n", "line 1: columns there twice: name", "needed are unit_id, name, kind"),
        (b"unit_id,name,kind,\n", r"columns unknown: \(empty\)", "The columns are"),
        (b'unit_id,name,kind\n1,"A"x,ward\n', "line 2: not valid CSV", "quotes"),
        (b'unit_id,name,kind\n1,"A,ward\n', "line 2: not valid CSV", "quotes"),
        (b"unit_id,name,kind\n1,A\n", "line 2: 2 cells where the header has 3", "Mend"),
        (b"unit_id,name,kind\n1,A,ward,x\n", "line 2: 4 cells where the header has 3", "Mend"),
    ],
)
def test_a_file_that_is_no_table_of_the_kind_is_refused(
    sqlite_desk: Desk, content: bytes, said: str, remedy: str
) -> None:
    with pytest.raises(RegistryError, match=said) as caught:
        sqlite_desk.load_text("units", content)
    assert "units.csv" in str(caught.value)
    assert remedy in caught.value.remedy


def test_a_file_that_is_not_there_is_named(sqlite: Engine, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"none\.csv: cannot be read: No such file"):
        registry.load(sqlite, "units", tmp_path / "none.csv", replace=False, now=NOW)


def test_an_unknown_kind_is_answered_with_the_kinds(sqlite: Engine) -> None:
    with pytest.raises(UsageProblem, match="holidays is not a kind of registry file") as caught:
        registry.load(sqlite, "holidays", Path("x.csv"), replace=False, now=NOW)
    assert all(kind in caught.value.remedy for kind in GOOD)
    with pytest.raises(UsageProblem):
        registry.read(sqlite, "holidays")


# Cells

BAD_CELLS = [
    ("procedures", {"procedure_id": ""}, "column procedure_id, '': it may not be empty"),
    ("procedures", {"procedure_id": '"1\n2"'}, "column procedure_id, '1\\n2': it may hold no line break"),
    ("procedures", {"name": "a\x00"}, "column name, 'a\\x00': it may hold no line break"),
    ("procedures", {"level": "xã"}, "column level, 'xã': expected one of city, commune"),
    ("procedures", {"limit_amount": "0"}, "column limit_amount, '0': expected a positive number"),
    ("procedures", {"limit_amount": "-3"}, "column limit_amount, '-3': expected a positive number"),
    ("procedures", {"limit_amount": "ten"}, "column limit_amount, 'ten': expected a positive number"),
    ("procedures", {"limit_amount": '"1,5"'}, "column limit_amount, '1,5': expected a positive number with a point"),
    ("procedures", {"limit_amount": "1e3"}, "column limit_amount, '1e3': expected a positive number"),
    ("procedures", {"limit_amount": "NaN"}, "column limit_amount, 'NaN': expected a positive number"),
    ("procedures", {"limit_amount": "1.5"}, "column limit_amount, '1.5': expected a whole number of working_days"),
    ("procedures", {"limit_amount": "1.125", "limit_unit": "hours"}, "at most 2 decimals"),
    ("procedures", {"limit_amount": "121", "limit_unit": "months"}, "column limit_amount, '121': expected at most 120"),
    ("procedures", {"limit_amount": ""}, "column limit_amount, '': expected a value, as limit_unit is working_days"),
    ("procedures", {"limit_unit": ""}, "column limit_unit, '': expected a value, as limit_amount is 10"),
    ("procedures", {"limit_unit": "weeks"}, "column limit_unit, 'weeks': expected one of hours, working_days, days,"),
    ("procedures", {"valid_from": "1/7/2025"}, "column valid_from, '1/7/2025': expected a day as YYYY-MM-DD"),
    ("procedures", {"valid_from": "20250701"}, "column valid_from, '20250701': expected a day as YYYY-MM-DD"),
    ("procedures", {"valid_from": "2025-02-29"}, "column valid_from, '2025-02-29': expected a day as YYYY-MM-DD"),
    ("procedures", {"valid_to": "2025-07-01"}, "column valid_to, '2025-07-01': expected a day after valid_from"),
    ("procedures", {"supplement": "stop"}, "column supplement, 'stop': expected one of pause, restart, run"),
    ("procedures", {"payment": "restart"}, "column payment, 'restart': expected one of run, pause"),
    ("procedures", {"late_receipt": "16:00"}, "column late_receipt, '16:00': expected one of none, 15:00"),
    ("units", {"kind": "village"}, "column kind, 'village': expected one of city, department, commune"),
    ("units", {"parent_unit_id": "11344"}, "column parent_unit_id, '11344': expected another unit than itself"),
    ("units", {"valid_to": "2025-06-30"}, "column valid_to, '2025-06-30': expected a day after valid_from, 2025-07-01"),
    ("successions", {"extent": "half"}, "column extent, 'half': expected one of whole, part"),
    ("successions", {"effective_on": ""}, "column effective_on, '': it may not be empty"),
    *[
        ("successions", {"weight": weight}, f"column weight, '{weight}': expected a share from 0 to 1, such as 0.4")
        for weight in ("-0.1", "1.1", "2", "1e0", "40%", "nan", "½")
    ],
    ("successions", {"weight": "0.4"}, "column weight, '0.4': expected weights of the successors of 11383 on 2025"),
    ("calendar", {"on": "1999-12-31"}, "column on, '1999-12-31': expected a day from 2000-01-01 to 2059-12-31"),
    ("calendar", {"on": "2060-01-01"}, "column on, '2060-01-01': expected a day from 2000-01-01 to 2059-12-31"),
    ("calendar", {"open": "maybe"}, "column open, 'maybe': expected yes or no"),
    ("calendar", {"open": "no"}, "column hours, '07:30-11:30 13:00-17:00': expected an empty cell, as open is no"),
    ("calendar", {"hours": "7:30-11:30"}, "column hours, '7:30-11:30': expected sessions such as"),
    ("calendar", {"hours": "07:30-11:30:30"}, "expected sessions such as 07:30-11:30 13:00-17:00, in whole minutes"),
    ("calendar", {"hours": "13:00-17:00 07:30-11:30"}, "expected sessions in order, not overlapping; 07:30-11:30"),
    ("calendar", {"hours": "07:30-11:30 11:00-17:00"}, "expected sessions in order, not overlapping; 11:00-17:00"),
    ("calendar", {"hours": "11:30-07:30"}, "expected sessions that end after they begin; 11:30-07:30 does not"),
    ("calendar", {"hours": "07:30-07:30"}, "expected sessions that end after they begin"),
    ("calendar", {"hours": "20:00-24:01"}, "expected hours up to 24:00; 20:00-24:01 ends later"),
    ("calendar", {"calendar_id": '"A, from 2025-07-01 B"'}, "expected a name without ', from ', which joins"),
    ("opening_hours", {"calendar_id": '"A, from B"'}, "column calendar_id, 'A, from B': expected a name without"),
    ("opening_hours", {"weekday": "0"}, "column weekday, '0': expected a weekday from 1 (Monday) to 7 (Sunday)"),
    ("opening_hours", {"weekday": "8"}, "column weekday, '8': expected a weekday from 1 (Monday) to 7 (Sunday)"),
    ("opening_hours", {"weekday": "Mon"}, "column weekday, 'Mon': expected a weekday"),
    ("announced", {"valid_to": "2025-07-01"}, "column valid_to, '2025-07-01': expected a day after announced_on"),
    ("targets", {"basis": "paper"}, "column basis, 'paper': expected one of limit, actual"),
    ("targets", {"reduction": "30%"}, "column reduction, '30%': expected a fraction between 0 and 1, such as 0.3"),
    ("targets", {"reduction": "30"}, "column reduction, '30': expected a fraction between 0 and 1"),
    ("targets", {"reduction": "0.0"}, "column reduction, '0.0': expected a fraction between 0 and 1"),
    ("targets", {"baseline_to": "2024-01-01"}, "column baseline_to, '2024-01-01': expected a day after baseline_from"),
    ("targets", {"period_to": "2024-06-01"}, "column period_to, '2024-06-01': expected a day after period_from"),
    ("targets", {"period_from": "2024-12-01"}, "column period_from, '2024-12-01': expected baseline_to, 2025-01-01,"),
    ("targets", {"tag": "two words"}, "column tag, 'two words': expected one word"),
    ("recipients", {"email": "lanh-dao"}, "column email, 'lanh-dao': expected a mail address"),
    ("recipients", {"email": "a b@haiphong.example"}, "column email, 'a b@haiphong.example': expected a mail address"),
    ("recipients", {"email": "A <a@haiphong.example>"}, "expected a mail address"),
    ("recipients", {"email": "a@b@haiphong.example"}, "expected a mail address"),
    ("recipients", {"email": "a..b@haiphong.example"}, "expected a mail address"),
    ("recipients", {"email": '"a@x.vn\nBcc: b@x.vn"'}, "column email, 'a@x.vn\\nBcc: b@x.vn': it may hold no line"),
    ("recipients", {"scope": "unit:H24"}, "column scope, 'unit:H24': expected an empty scope for the audience city"),
    (
        "recipients",
        {"audience": "centre", "scope": "field:Đất đai"},
        "column scope, 'field:Đất đai': expected unit:CODE for the audience centre",
    ),
    ("recipients", {"audience": "press"}, "column audience, 'press': expected one of city, centre, department"),
    ("recipients", {"scope": "11344"}, "column scope, '11344': expected unit:CODE or field:NAME"),
    ("recipients", {"scope": "unit:"}, "column scope, 'unit:': expected unit:CODE or field:NAME"),
    ("recipients", {"schedule": "weekly"}, "column schedule, 'weekly': expected one or more of daily, monthly,"),
    ("recipients", {"language": "en"}, "column language, 'en': expected vi"),
]


@pytest.mark.parametrize(("kind", "bad", "said"), BAD_CELLS, ids=lambda value: str(value)[:40])
def test_a_cell_that_cannot_be_taken_is_named_with_what_is_expected(
    sqlite_desk: Desk, kind: str, bad: dict[str, str], said: str
) -> None:
    with pytest.raises(RegistryError) as caught:
        sqlite_desk.load(kind, bad)
    message = str(caught.value)
    assert message.startswith(f"{sqlite_desk.folder / kind}.csv: 1 problem, nothing was loaded:\n  line 2, column ")
    assert said in message
    assert caught.value.remedy
    assert caught.value.exit_code == 10


def heirs(*weights: str, old: str = "11383") -> list[dict[str, str]]:
    """The successors 0, 1, … of an old unit with their weights."""
    return [
        {"old_unit_id": old, "new_unit_id": str(number), "extent": "part", "weight": weight}
        for number, weight in enumerate(weights)
    ]


@pytest.mark.parametrize(
    "weights", [("0.4", "0.6"), ("0", "1"), (".5", "0.25", "0.25"), ("0.333", "0.333", "0.333"), ("", "", ""), ("1",)]
)
def test_weights_of_an_old_unit_that_sum_to_one_are_kept(desk: Desk, weights: tuple[str, ...]) -> None:
    desk.load("successions", *heirs(*weights))
    assert [row["weight"] for row in desk.rows("successions")] == [float(text) if text else None for text in weights]
    assert registry.read(desk.engine, "successions")["weight"].type == pa.float64()


def test_successions_without_the_column_have_no_weight(desk: Desk) -> None:
    desk.load_text("successions", "old_unit_id,new_unit_id,effective_on,extent\n1,2,2025-07-01,whole\n")
    assert [row["weight"] for row in desk.rows("successions")] == [None]


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (("0.4", "0.5"), "expected weights of the successors of 11383 on 2025-07-01 that sum to 1; these sum to 0.9"),
        (("0.6", "0.402"), "these sum to 1.002"),
        (("1", ""), "line 3, column weight, '': expected a weight for each successor of 11383 on 2025-07-01, or for"),
    ],
)
def test_weights_that_do_not_share_out_an_old_unit_are_refused(
    sqlite_desk: Desk, weights: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RegistryError) as caught:
        sqlite_desk.load("successions", *heirs("0.5", "0.5", old="other"), *heirs(*weights))
    assert said in str(caught.value).replace("line 5", "line 3")
    assert sqlite_desk.rows("successions") == []


def test_weights_are_summed_with_those_that_stand_already(sqlite_desk: Desk) -> None:
    sqlite_desk.load("successions", *heirs("0.4", "0.6"))
    with pytest.raises(RegistryError, match=r"sum to 1\.4"):
        sqlite_desk.load("successions", heirs("0.4", "1")[1])
    sqlite_desk.load("successions", *heirs("0.3", "0.7"))
    sqlite_desk.load("successions", heirs("0.3", "1")[1], replace=True)
    assert [row["weight"] for row in sqlite_desk.rows("successions")] == [1]


def test_a_key_that_stands_twice_is_named_with_both_lines(sqlite_desk: Desk) -> None:
    with pytest.raises(RegistryError) as caught:
        sqlite_desk.load("units", {}, {"unit_id": "11359"}, {"name": "Another"})
    assert (
        "line 4, column unit_id, '11344': line 2 has the same key already (unit_id 11344, valid_from 2025-07-01)"
        in str(caught.value)
    )


def test_lines_are_counted_as_an_editor_does(sqlite_desk: Desk) -> None:
    with pytest.raises(RegistryError, match="line 6, column kind, 'village'"):
        sqlite_desk.load_text("units", "\nunit_id,name,kind\n1,A,ward\n\n2,B,ward\n3,C,village\n")
    with pytest.raises(RegistryError) as caught:
        sqlite_desk.load_text("units", 'unit_id,name,kind\n1,"A\nB\nC",ward\n3,C,village\n')
    assert [line.split(",")[0] for line in str(caught.value).splitlines()[1:]] == ["  line 2", "  line 5"]


def test_at_most_twenty_problems_are_told(sqlite_desk: Desk) -> None:
    rows = [{"unit_id": str(number), "kind": "village"} for number in range(25)]
    with pytest.raises(RegistryError) as caught:
        sqlite_desk.load("units", *rows)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("units.csv: 25 problems, nothing was loaded:")
    assert (len(lines), lines[-1]) == (22, "  … and 5 more")


def test_all_problems_of_a_row_are_told(sqlite_desk: Desk) -> None:
    with pytest.raises(RegistryError, match="2 problems"):
        sqlite_desk.load("units", {"kind": "village", "valid_from": "today"})


def test_a_long_cell_is_told_in_short(sqlite_desk: Desk) -> None:
    with pytest.raises(RegistryError) as caught:
        sqlite_desk.load("units", {"kind": "x" * 5000})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("07:30-11:30  13:00-17:00", "07:30-11:30 13:00-17:00"),
        ("00:00-24:00", "00:00-24:00"),
        ("07:30-11:30 11:30-12:00", "07:30-11:30 11:30-12:00"),
    ],
)
def test_hours_are_kept_with_single_spaces(cell: str, kept: str) -> None:
    assert cells.hours(cell) == kept


@given(st.text(max_size=12))
def test_a_parser_answers_or_says_what_it_expects(cell: str) -> None:
    for kind in KINDS.values():
        for column in kind.columns:
            if not cell.strip():
                continue
            try:
                column.parse(cell.strip())
            except ValueError as error:
                assert str(error).startswith("expected ")  # noqa: PT017 - either outcome is right


@given(st.decimals(min_value="0.01", max_value=9999, places=2))
def test_amounts_keep_their_value(number: Any) -> None:
    assert float(cells.amount(str(number))) == float(number)
    assert cells.amount(cells.amount(str(number))) == cells.amount(str(number))


# What ships


def test_a_new_workspace_knows_the_swap_of_january_2026_and_the_targets(engine: Engine) -> None:
    registry.seed(engine, NOW)
    days = registry.read(engine, "calendar").to_pylist()
    assert [(day["on"], day["open"]) for day in days] == [(date(2026, 1, 2), False), (date(2026, 1, 10), True)]
    assert all("12729/VPCP-KGVX" in day["source"] for day in days)
    targets = registry.read(engine, "targets").to_pylist()
    assert [(row["name"], row["basis"], row["reduction"]) for row in targets] == [
        ("city-limit-50", "limit", 0.5),
        ("nq66-2025", "actual", 0.3),
        ("nq66-2026", "actual", 0.5),
    ]
    assert all(row["source"] for row in targets)
    version = registry.version(engine)
    registry.seed(engine, NOW)
    assert registry.version(engine) == version


@pytest.mark.parametrize("kind", ["units", "successions"])
def test_the_shipped_units_of_hai_phong_load(sqlite: Engine, kind: str) -> None:
    done = registry.load(sqlite, kind, SHIPPED / f"haiphong_{kind}.csv", replace=False, now=NOW)
    assert done.added > 400


def test_every_column_explains_itself() -> None:
    for name, kind in KINDS.items():
        assert kind.table.name == kind.name == name
        assert all(column.meaning for column in kind.columns)
        assert set(kind.key) <= set(kind.names)
