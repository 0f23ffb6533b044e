"""Boundaries through the commands: a log that names one unit only, and the tables as CSV."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from tests.office import CITY, city_rows, copy_of, make_office, procmon, shown

PROCEDURE = "1.014408"


def message(n: int) -> dict[str, object]:
    """A dossier as the portal tells it: one unit, DonViXuLy."""
    day = 1 + n % 20
    return {
        "MaTTHC": PROCEDURE, "KenhThucHien": "1", "DonViXuLy": "10507", "MaHoSo": f"H24.10507-2025-{n:04}",
        "TrangThaiHoSo": "9", "NgayTiepNhan": f"202510{day:02}081500", "NgayHenTra": f"202511{day:02}170000",
        "NgayKetThucXuLy": f"202510{day + 2:02}150000",
    }  # fmt: skip


@pytest.fixture(scope="module")
def one_unit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose log names one unit a dossier, after a run; nothing is announced."""
    workspace = tmp_path_factory.mktemp("one-unit") / "office"
    procmon("init", workspace)
    for kind in ("procedures", "units", "successions", "calendar", "targets"):
        procmon("load", kind, CITY / f"{kind}.csv", "--workspace", workspace)
    recipients = workspace.parent / "recipients.csv"
    recipients.write_text(
        "email,name,audience,scope,schedule,language\na@office.example,A,city,,daily,vi\n"
        "b@office.example,B,centre,unit:10507,daily,vi\n",
        encoding="utf-8",
    )
    procmon("load", "recipients", recipients, "--workspace", workspace)
    log = workspace.parent / "dvcqg.jsonl"
    log.write_text("".join(json.dumps(message(n)) + "\n" for n in range(40)), encoding="utf-8")
    procmon("ingest", log, "--mapping", "dvcqg", "--workspace", workspace, now="2025-12-01T08:00:00+07:00")
    procmon("run", "--no-send", "--as-of", "2025-11-30", "--workspace", workspace, now="2025-12-01T08:00:00+07:00")
    return workspace


def rows_of(workspace: Path, what: str) -> list[dict[str, str]]:
    return procmon("show", what, "--format", "csv", "--workspace", workspace).rows


def test_a_log_with_one_unit_name_proves_nothing_and_says_why(one_unit: Path) -> None:
    rows = {row["procedure_id"]: row for row in rows_of(one_unit, "boundaries")}
    row = rows[PROCEDURE]
    assert (row["verdict"], row["why"]) == ("no_data", "without_receiving_unit")
    assert row["n_undetermined"] == row["n_dossiers"] == "40"
    assert {row["why"] for code, row in rows.items() if code != PROCEDURE} == {"no_dossiers"}


def test_it_says_which_role_is_missing_and_what_that_leaves_open(one_unit: Path) -> None:
    roles = {row["role"]: row for row in rows_of(one_unit, "roles")}
    assert (roles["receiving"]["n_missing"], roles["receiving"]["n_unanswerable"]) == ("40", "40")
    assert (roles["resolving"]["n_missing"], roles["applicant"]["n_missing"]) == ("0", "40")
    assert roles["returning"]["n_unanswerable"] == "40"
    parity = rows_of(one_unit, "parity")
    assert [row["verdict"] for row in parity] == ["not_shown", "not_shown", "not_shown", ""]
    (flow,) = rows_of(one_unit, "flows")
    assert (flow["receiving_unit_id"], flow["is_cross_boundary"], flow["n"]) == ("", "", "40")
    assert flow["resolving_unit_id"] == "10507"


def test_its_pages_are_whole(one_unit: Path) -> None:
    for name in ("city.html", "centre-unit_3a_10507.html"):
        (page,) = (one_unit / "reports").rglob(name)
        text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))).split())
        for said in ("Không phụ thuộc vào địa giới hành chính", "Tiếp nhận và giải quyết trong kỳ", "Lần chạy"):
            assert said in text, (name, said)
    (page,) = (one_unit / "reports").rglob("city.html")
    text = page.read_text(encoding="utf-8")
    assert "dữ liệu không ghi đơn vị tiếp nhận" in text
    assert "hồ sơ có ngoài địa giới hay không: 40 hồ sơ" in text


# ---- the tables of boundaries, of the sample city


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_office(tmp_path_factory.mktemp("boundaries") / "office", city_rows(4))


def test_flows_come_as_csv_for_the_city_and_for_a_unit(office: Path) -> None:
    flows = rows_of(office, "flows")
    of_unit = procmon("show", "flows", "--unit", "H24.07", "--format", "csv", "--workspace", office).rows
    assert 0 < len(of_unit) < len(flows)
    assert all("H24.07" in row.values() for row in of_unit)
    assert sum(int(row["n"]) for row in of_unit) == sum(
        int(row["n"]) for row in flows if "H24.07" in (row["receiving_unit_id"], row["resolving_unit_id"])
    )


def test_every_boundary_table_answers_sql(office: Path) -> None:
    for name in ("boundary_shares", "boundary_refusals", "roles", "parity", "flows", "undetermined_units"):
        said = procmon("query", f"SELECT count(*) AS n FROM {name}", "--format", "csv", "--workspace", office).rows
        assert int(said[0]["n"]) == len(rows_of(office, name.replace("_", "-"))) > 0


def test_split_units_are_shared_out_by_weights_where_the_office_says_so(office: Path, tmp_path: Path) -> None:
    workspace = copy_of(office, tmp_path)
    rows = (CITY / "successions.csv").read_text(encoding="utf-8").splitlines()
    weighed = tmp_path / "successions.csv"
    head, *rest = [row.split(",")[:4] for row in rows]
    olds = [cells[0] for cells in rest]
    parts = {1: ["1"], 2: ["0.75", "0.25"], 3: ["0.5", "0.3", "0.2"]}
    lines = [",".join([*head, "weight"])]
    for n, cells in enumerate(rest):
        weight = parts[olds.count(cells[0])][olds[:n].count(cells[0])]
        lines.append(",".join([*cells, "" if cells[3] == "whole" else weight]))
    weighed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    procmon("load", "successions", weighed, "--workspace", workspace)
    before = shown(workspace, "reductions")
    assert {row["share"] for row in rows_of(workspace, "undetermined-units")} == {""}
    settings = workspace / "procmon.toml"
    text = settings.read_text(encoding="utf-8").replace("[policies]", '[policies]\nsplit_units = "weights"', 1)
    settings.write_text(text, encoding="utf-8")
    split = [row for row in rows_of(workspace, "undetermined-units") if row["why"] == "split"]
    by_unit: dict[str, list[dict[str, str]]] = {}
    for row in split:
        by_unit.setdefault(row["unit_key"], []).append(row)
    for own in by_unit.values():
        assert sum(float(row["share"]) for row in own) == pytest.approx(1)
        assert sum(float(row["n_period_shared"]) for row in own) == pytest.approx(int(own[0]["n_period"]))
    assert shown(workspace, "reductions") == before  # expected, not counted: in no other table
