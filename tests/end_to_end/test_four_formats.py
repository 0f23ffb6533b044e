"""The same 5,000 dossiers as a canonical log, an Excel list, the portal's messages and an XES log.

What a form has no place for is written down in tests/formats.py (`LOST`); all else in `show dossiers` is the same.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from tests import formats
from tests.formats import Dossier
from tests.office import CITY, copy_of, load_city, procmon

N = 5_000
NOW = "2026-03-01T08:00:00+07:00"
AS_OF = ("--as-of", "2026-03-31")
"""After everything that happened, and after the exports."""

FORMS = ("csv", "xlsx", "jsonl", "xes")
COUNTS = re.compile(
    r"(?P<read>\d+) rows read, (?P<stored>\d+) stored, (?P<repeated>\d+) repeated, (?P<amended>\d+) amended, "
    r"(?P<refused>\d+) refused"
)


@dataclass(frozen=True)
class Office:
    """A workspace that took the dossiers in one form: what ingest counted, and what it then shows."""

    workspace: Path
    file: Path
    mapping: str
    counts: dict[str, int]
    shown: dict[str, dict[str, str]]

    def ingest(self) -> dict[str, int]:
        """Take the file in once more."""
        return ingest(self.workspace, self.file, self.mapping)


def ingest(workspace: Path, file: Path, mapping: str) -> dict[str, int]:
    said = procmon("ingest", file, "--mapping", mapping, "--workspace", workspace, now=NOW).out
    found = COUNTS.search(said)
    assert found, said
    return {name: int(n) for name, n in found.groupdict().items()}


def shown(workspace: Path) -> dict[str, dict[str, str]]:
    said = procmon("show", "dossiers", *AS_OF, "--format", "csv", "--workspace", workspace, now=NOW)
    return {row["dossier_id"]: row for row in said.rows}


@pytest.fixture(scope="module")
def unit_names() -> dict[str, str]:
    """Code → name of some units of today, no two with one name."""
    with (CITY / "units.csv").open(encoding="utf-8") as file:
        today = [row for row in csv.DictReader(file) if not row["valid_to"] and row["kind"] != "city"]
    n_named = Counter(row["name"] for row in today)
    return {row["unit_id"]: row["name"] for row in today if n_named[row["name"]] == 1}


@pytest.fixture(scope="module")
def dossiers(unit_names: dict[str, str]) -> list[Dossier]:
    with (CITY / "procedures.csv").open(encoding="utf-8") as file:
        procedures = sorted({row["procedure_id"] for row in csv.DictReader(file)})
    return formats.draw(N, procedures=[*procedures, "9.999999"], units=sorted(unit_names))


@pytest.fixture(scope="module")
def offices(
    tmp_path_factory: pytest.TempPathFactory, dossiers: list[Dossier], unit_names: dict[str, str]
) -> dict[str, Office]:
    folder = tmp_path_factory.mktemp("formats")
    (folder / "empty").mkdir()
    procmon("init", folder / "empty" / "office", now=NOW)
    load_city(folder / "empty" / "office")
    paths = {
        "csv": formats.write_csv(folder / "log.csv", dossiers),
        "xlsx": formats.write_excel(folder / "list.xlsx", dossiers, unit_names),
        "jsonl": formats.write_portal(folder / "messages.jsonl", dossiers, unit_names),
        "xes": formats.write_xes(folder / "log.xes", dossiers),
    }
    mappings = {
        "csv": "canonical",
        "xlsx": with_units(folder, "danh-sach-ho-so", unit_names),
        "jsonl": with_units(folder, "dvcqg", unit_names),
        "xes": str(folder / "permits.toml"),
    }
    (folder / "permits.toml").write_text(formats.XES_MAPPING, encoding="utf-8")
    offices = {}
    for form in FORMS:
        (folder / form).mkdir()
        workspace = copy_of(folder / "empty" / "office", folder / form)
        counts = ingest(workspace, paths[form], mappings[form])
        offices[form] = Office(workspace, paths[form], mappings[form], counts, shown(workspace))
    return offices


def with_units(folder: Path, name: str, unit_names: dict[str, str]) -> str:
    """A copy of a shipped mapping with the codes of the units that the file names; the copy's path."""
    path = folder / f"{name}.toml"
    shipped = files("procmon.ingest").joinpath("mappings", f"{name}.toml").read_text(encoding="utf-8")
    # A TOML string is written as a JSON one is.
    units = "".join(f"{json.dumps(unit_name)} = {json.dumps(code)}\n" for code, unit_name in unit_names.items())
    path.write_text(f"{shipped}\n[units]\n{units}", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("form", FORMS[1:])
def test_every_form_shows_what_the_canonical_log_shows(
    offices: dict[str, Office], dossiers: list[Dossier], form: str
) -> None:
    canonical, other = offices["csv"].shown, offices[form].shown
    carried = [dossier for dossier in dossiers if formats.is_carried(form, dossier)]
    assert set(other) == {dossier.dossier_id for dossier in carried}
    differing = {
        (dossier.dossier_id, column): (cell, other[dossier.dossier_id][column])
        for dossier in carried
        for column, cell in canonical[dossier.dossier_id].items()
        if column not in formats.lost_columns(form, dossier) and cell != other[dossier.dossier_id][column]
    }
    assert differing == {}


@pytest.mark.parametrize("form", FORMS[1:])
def test_nothing_is_called_lost_that_is_never_lost(
    offices: dict[str, Office], dossiers: list[Dossier], form: str
) -> None:
    canonical, other = offices["csv"].shown, offices[form].shown
    for lost in formats.LOST[form]:
        for column in lost.columns:
            assert any(
                canonical[d.dossier_id][column] != other[d.dossier_id][column]
                for d in dossiers
                if lost.where(d) and formats.is_carried(form, d)
            ), f"{form}: {column}"


def test_the_log_shows_dossiers_of_every_kind(offices: dict[str, Office]) -> None:
    rows = offices["csv"].shown.values()
    assert len(rows) == N
    outcomes = Counter(row["outcome"] for row in rows)
    assert set(outcomes) == {"not_received", "pending", "refused", "withdrawn", "stopped", "finished", "returned"}
    assert min(outcomes.values()) > 50
    for column in ("n_supplements", "n_due_moves", "class_06", "on_time_766", "is_reopened", "channel"):
        assert all(n > 10 for n in Counter(row[column] for row in rows).values()), column


def test_all_rows_are_counted_and_only_messages_without_a_date_are_refused(
    offices: dict[str, Office], dossiers: list[Dossier]
) -> None:
    for form, office in offices.items():
        n = office.counts
        assert n["read"] == n["stored"] + n["repeated"] + n["amended"] + n["refused"], form
        undated = sum(map(formats.is_submitted_only, dossiers)) if form == "jsonl" else 0
        assert (n["refused"], n["repeated"], n["amended"]) == (undated, 0, 0), form
    assert offices["xlsx"].counts["read"] == N
    assert offices["csv"].counts["read"] == sum(len(dossier.steps()) for dossier in dossiers)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_file_again_is_all_repeated_and_changes_no_figure(offices: dict[str, Office], form: str) -> None:
    office = offices[form]
    first, again = office.counts, office.ingest()
    assert again == {
        "read": first["read"], "stored": 0, "repeated": first["stored"], "amended": 0, "refused": first["refused"]
    }  # fmt: skip
    assert shown(office.workspace) == office.shown
