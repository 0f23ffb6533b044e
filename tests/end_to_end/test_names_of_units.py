"""Names of units as people meet them: asked for on a day, and in a log's columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office import CITY, procmon

HOLD_NOTHING = {"PROCMON_POLICIES__MAX_REFUSED": "1"}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    procmon("init", tmp_path / "office")
    return tmp_path / "office"


@pytest.fixture
def office(empty: Path) -> Path:
    procmon("load", "units", CITY / "units.csv", "--workspace", empty)
    return empty


def names_of(office: Path, name: str, on: str) -> tuple[list[str], str]:
    said = procmon("show", "units", "--name", name, "--on", on, "--format", "csv", "--workspace", office)
    return [row["unit_id"] for row in said.rows], said.err


def test_a_name_is_told_as_of_a_day(office: Path) -> None:
    assert names_of(office, "P. Hồng Bàng", "2025-07-01")[0] == ["11311"]
    codes, said = names_of(office, "Hồng Bàng", "2025-06-30")
    assert codes == ["303"]
    assert said == "on 2025-06-30 'Hồng Bàng' means 303 Quận Hồng Bàng, Thành phố Hải Phòng (district)\n"
    codes, said = names_of(office, "Xã Hoà Bình", "2025-06-30")
    assert codes == ["10798", "11890"]
    assert "is ambiguous: it may mean 10798 Xã Hòa Bình, Huyện Kim Thành (commune) or 11890 Xã Hòa Bình" in said
    codes, said = names_of(office, "P. Hồng Bàng", "2025-06-30")
    assert codes == []
    assert "means no unit\nfrom 2025-07-01 it means 11311 Phường Hồng Bàng" in said


def test_a_name_is_told_of_units_only(office: Path) -> None:
    for words in (("dossiers", "--name", "Hồng Bàng"), ("units", "--on", "2025-07-01")):
        assert "show units --name" in procmon("show", *words, "--workspace", office, code=2).err


NAMED = """
name = "named"
unit_columns = "names"
[columns]
dossier_id = "dossier"
procedure_id = "procedure"
occurred_at = "when"
status = "status"
receiving_unit_id = "receiver"
"""


def test_a_log_of_names_goes_in_by_codes_and_what_is_ambiguous_is_refused_aloud(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "named.toml").write_text(NAMED, "utf-8")
    rows = [
        "dossier,procedure,when,status,receiver",
        "1,p,2025-06-30,received,q. hồng bàng",
        "2,p,2025-07-01,received,Hong Bang",
        "3,p,2025-06-30,received,An Dương",
        "4,p,2025-06-30,received,Quầy 1",
    ]
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n", "utf-8")
    words = (tmp_path / "log.csv", "--mapping", tmp_path / "named.toml", "--workspace", empty)
    assert "no units are loaded" in procmon("mapping", "check", *words, env=HOLD_NOTHING).err
    procmon("load", "units", CITY / "units.csv", "--workspace", empty)
    assert "Quầy 1" in procmon("mapping", "check", *words, env=HOLD_NOTHING).err
    said = procmon("ingest", *words, env=HOLD_NOTHING)
    assert "4 rows read, 3 stored, 0 repeated, 0 amended, 1 refused" in said.out
    assert "no unit has these names on the day of the event, they stay as they are: Quầy 1" in said.err
    units = procmon(
        "query", "SELECT dossier_id, receiving_unit_id FROM events ORDER BY 1", "--format", "csv", "--workspace", empty
    )
    assert [tuple(row.values()) for row in units.rows] == [("1", "303"), ("2", "11311"), ("4", "Quầy 1")]
    told = procmon("show", "rejects", "--format", "csv", "--workspace", empty).rows
    assert [(row["line"], row["column"], row["value"]) for row in told] == [("4", "receiver", "An Dương")]
    assert "11401 Phường An Dương, Quận Lê Chân (ward) or 312 Quận An Dương" in told[0]["remedy"]


def test_doctor_misses_the_weights_that_a_policy_asks_for(office: Path, tmp_path: Path) -> None:
    asked = {"PROCMON_POLICIES__SPLIT_UNITS": "weights"}

    def found(env: dict[str, str]) -> bool:
        said = procmon("doctor", "--format", "csv", "--workspace", office, env=env, code=3).out
        return "policies.split_units is weights" in said

    assert not found({})
    assert found(asked)
    heirs = "old_unit_id,new_unit_id,effective_on,extent,weight\n10663,10804,2025-07-01,part,1\n"
    (tmp_path / "successions.csv").write_text(heirs, "utf-8")
    procmon("load", "successions", tmp_path / "successions.csv", "--workspace", office)
    assert not found(asked)
