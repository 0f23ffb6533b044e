"""The made-up city is what it says, and so are the short stories beside it."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from twin.clock import ZONE
from twin.dossiers import Dossier, measure_dossiers, show_dossiers

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
LOG_TO = datetime(2026, 1, 1, tzinfo=ZONE)
ROLES = ("receiving_unit_id", "resolving_unit_id", "returning_unit_id", "applicant_unit_id", "unit_id")
TRUTH = {True: "true", False: "false", None: "empty"}


def make(out: Path, *options: str) -> Path:
    command = [sys.executable, str(ROOT / "benchmarks" / "city.py"), str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    return out


def rows(path: Path) -> list[dict[str, str]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(content.decode().splitlines()))


def registry(folder: Path) -> dict[str, Any]:
    return {kind: rows(folder / f"{kind}.csv") for kind in ("procedures", "units", "successions", "calendar")}


@pytest.fixture(scope="module")
def planted() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / "city" / "planted.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    return rows(SAMPLES / "city" / "events.csv.gz")


@pytest.fixture(scope="module")
def measured(log: list[dict[str, str]]) -> list[Dossier]:
    """The sample measured by the plain twin, which shares nothing with the generator."""
    return measure_dossiers(log, registry(SAMPLES / "city"), to=LOG_TO)


def counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))


def test_the_same_options_give_the_same_bytes_and_another_seed_another_city(tmp_path: Path) -> None:
    options = ["--dossiers", "300", "--gzip", "--seed"]
    one, again = (make(tmp_path / name, *options, "5") for name in ("one", "again"))
    other = make(tmp_path / "other", *options, "6")
    names = sorted(path.name for path in one.iterdir())
    assert {name: (one / name).read_bytes() for name in names} == {
        path.name: path.read_bytes() for path in again.iterdir()
    }
    assert (one / "events.csv.gz").read_bytes() != (other / "events.csv.gz").read_bytes()


def test_the_sample_is_what_its_readme_says_how_to_make(tmp_path: Path) -> None:
    made = make(tmp_path, "--dossiers", "8000", "--seed", "1")
    assert "city.py sample_logs/city --dossiers 8000 --seed 1" in (SAMPLES / "README.md").read_text("utf-8")
    assert (made / "events.csv").read_bytes() == gzip.decompress((SAMPLES / "city/events.csv.gz").read_bytes())
    for path in (SAMPLES / "city").glob("[!e]*"):
        assert (made / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_log_split_by_year_holds_the_same_rows(tmp_path: Path) -> None:
    whole, split = make(tmp_path / "a", "--dossiers", "300"), make(tmp_path / "b", "--dossiers", "300", "--split-years")
    early, late = rows(split / "events-2024.csv"), rows(split / "events-2025.csv")
    assert max(row["occurred_at"] for row in early) < "2025-01-01" <= min(row["occurred_at"] for row in late)
    assert early + late == rows(whole / "events.csv")


def test_the_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 3_000_000


def test_the_log_has_the_dossiers_asked_for_and_ends_when_it_says(
    log: list[dict[str, str]], planted: dict[str, Any]
) -> None:
    assert len({row["dossier_id"] for row in log}) == planted["dossiers"] == 8_000
    assert counted(row["status"] for row in log) == planted["events"]
    for column in ("occurred_at", "recorded_at"):
        assert max(row[column] for row in log) < planted["log_to"]


def test_every_unit_exists_on_the_day_on_which_it_is_named(log: list[dict[str, str]]) -> None:
    spans = defaultdict(list)
    for unit in rows(SAMPLES / "city" / "units.csv"):
        spans[unit["unit_id"]].append((unit["valid_from"], unit["valid_to"] or "9999"))
    named = {(row[role], row["occurred_at"][:10]) for row in log for role in ROLES if row[role]}
    strangers = [(unit, day) for unit, day in named if not any(a <= day < b for a, b in spans[unit])]
    assert strangers == []
    assert len({unit for unit, day in named if day < "2025-07-01"}) > 200


def test_unknown_procedures_are_those_planted(log: list[dict[str, str]], planted: dict[str, Any]) -> None:
    known = {row["procedure_id"] for row in rows(SAMPLES / "city" / "procedures.csv")}
    used = {(row["dossier_id"], row["procedure_id"]) for row in log if row["procedure_id"]}
    unknown = [code for _, code in used if code not in known and ".".join(code.split(".")[:2]) not in known]
    assert counted(unknown) == planted["unknown_procedures"]
    assert len(planted["unknown_procedures"]) == 2


def test_a_plain_measurement_finds_what_was_planted(measured: list[Dossier], planted: dict[str, Any]) -> None:
    received = [dossier for dossier in measured if dossier.received_at]
    assert counted(d.outcome for d in measured) == planted["outcomes"]
    assert counted(d.n_supplements for d in received) == planted["n_supplements"]
    assert counted(d.n_due_moves for d in received) == planted["n_due_moves"]
    assert counted(TRUTH[d.is_on_time_766(d.judged_due_at)] for d in received) == planted["on_time_766"]
    assert sum(d.is_reopened for d in measured) == planted["dossiers_that_are"]["reopened"]
    assert sum(d.is_cross_boundary is True for d in measured) == planted["dossiers_that_are"]["crossing"]


def test_processing_times_are_exactly_those_planted(measured: list[Dossier], planted: dict[str, Any]) -> None:
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for dossier in measured:
        if dossier.ended_at and dossier.received_at and dossier.outcome in ("finished", "returned"):
            assert dossier.working_seconds is not None
            found[dossier.registered_id, dossier.ended_at.year].append(dossier.working_seconds)
    for code, truth in planted["procedures"].items():
        for year in (2024, 2025):
            seconds = found[code, year]
            assert {"n": len(seconds), "working_seconds": sum(seconds)} == truth[f"done_{year}"], (code, year)


def test_boundary_verdicts_are_those_planted(measured: list[Dossier], planted: dict[str, Any]) -> None:
    recent: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in measured:
        came_at = dossier.received_at or (dossier.is_refused_at_reception and dossier.ended_at)
        if came_at and came_at >= datetime(2025, 1, 1, tzinfo=ZONE):
            recent[dossier.registered_id].append(dossier)
    assert {code: verdict(recent[code], truth["is_announced"]) for code, truth in planted["procedures"].items()} == {
        code: truth["boundary"] for code, truth in planted["procedures"].items()
    }
    assert len(planted["boundaries"]) == 6  # the sample shows each of them


def verdict(dossiers: list[Dossier], is_announced: bool) -> str:
    crossing = [d for d in dossiers if d.is_cross_boundary]
    done = [d for d in crossing if d.outcome in ("finished", "returned")]
    if any(d.outcome == "refused" and d.events[-1].texts["reason"] == "not_competent" for d in crossing):
        return "refused_elsewhere"
    if len(done) >= 5 and len({d.receiving[0] for d in done}) >= 2:
        return "proven"
    if is_announced:
        return "announced_only"
    if dossiers and all(d.channel == "online" for d in dossiers):
        return "online_only"
    return "local_only" if any(d.is_cross_boundary is not None for d in dossiers) else "no_data"


STORIES = {
    "PAUSE-1": "working_minutes=1440 paused_minutes=120 elapsed_minutes=11640 "
    "computed_due_at=2025-05-08T17:00:00+07:00",
    "PAUSE-2": "working_minutes=1350 paused_minutes=0",
    "SWAP-1": "working_minutes=570",
    "SWAP-2": "working_minutes=2280 computed_due_at=2026-01-10T17:00:00+07:00 on_time_766=true",
    "SWAP-3": "working_minutes=90",
    "REOPENED-1": "is_reopened=true ended_at=2025-03-07T11:00:00+07:00 working_minutes=2100 on_time_766=false "
    "return_minutes=90",
    "BAD-1": "outcome=finished working_minutes=600",
}


@pytest.mark.parametrize("name", ["pause_over_a_holiday", "swapped_saturday", "reopened_dossier", "bad_line"])
def test_a_story_has_the_figures_its_readme_tells(name: str) -> None:
    tables = {"procedures": rows(SAMPLES / "procedures.csv"), "calendar": rows(SAMPLES / "city" / "calendar.csv")}
    told_rows = rows(SAMPLES / f"{name}.csv")
    readable = told_rows[:1] + told_rows[4:] if name == "bad_line" else told_rows
    shown = show_dossiers(readable, tables, to=datetime(2026, 2, 1, tzinfo=ZONE))
    assert shown
    for cells in shown:
        told = dict(part.split("=") for part in STORIES[cells["dossier_id"]].split())
        assert {column: cells[column] for column in told} == told
