"""A period's tables are as of its end: whatever arrives afterwards, of whatever came later, they stay to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office import city_rows, copy_of, make_office, procmon, shown, write_log

TABLES = ("dossiers", "form-06", "on-time", "bridge", "reductions")
PERIODS = {  # the first day after it → how people ask for it
    "2025-05-15": (("--period", "2025-05/15"),),
    "2025-07-01": (("--period", "2025-Q2"), ("--from", "2025-06-20", "--to", "2025-07-01")),
    "2026-01-01": (("--period", "2025"),),
}


@pytest.fixture(scope="module")
def rows():
    return city_rows(16)


def arriving(rows, first: str, after: str):
    """The events of local days [first, after), as a night's files would bring them."""
    return [row for row in rows if first <= row["occurred_at"][:10] < after]


def tables(workspace: Path, *ends: str) -> dict[tuple[str, ...], str]:
    return {(what, *words): shown(workspace, what, *words) for end in ends for words in PERIODS[end] for what in TABLES}


@pytest.fixture(scope="module")
def grown(tmp_path_factory, rows) -> Path:
    """An office that got the whole log at once."""
    return make_office(tmp_path_factory.mktemp("whole") / "office", rows)


def test_a_periods_tables_are_those_that_its_last_evening_showed(grown, tmp_path, rows):
    office = make_office(tmp_path / "office", arriving(rows, "2000", "2025-05-15"))
    first = tables(office, "2025-05-15")
    for name, days in (("june", ("2025-05-15", "2025-07-01")), ("rest", ("2025-07-01", "2100"))):
        log = write_log(tmp_path / f"{name}.csv", arriving(rows, *days))
        procmon("ingest", log, "--workspace", office)
        if name == "june":
            second = tables(office, "2025-05-15", "2025-07-01")
    whole = tables(grown, *PERIODS)
    assert {key: whole[key] for key in first} == first
    assert {key: whole[key] for key in second} == second
    assert tables(office, *PERIODS) == whole
    assert [key for key, text in whole.items() if text.count("\n") < 4] == []


def test_a_period_is_never_seen_from_after_its_end(grown):
    for what in TABLES:
        asked = shown(grown, what, "--period", "2025-05/15")
        assert shown(grown, what, "--period", "2025-05/15", "--as-of", "2025-12-31") == asked
        assert shown(grown, what, "--from", "2025-04-15", "--to", "2025-05-15") == asked


def test_a_period_that_still_runs_is_seen_from_now(grown):
    now = "2025-05-02T09:00:00+07:00"
    there = [("show", what, "--format", "csv", "--workspace", grown) for what in ("form-06", "on-time")]
    for words in there:
        running = procmon(*words, "--period", "2025-05/15", now=now).out
        assert running == procmon(*words, "--period", "2025-05/15", "--as-of", now).out
        assert running != procmon(*words, "--period", "2025-05/15").out


def test_late_arrivals_move_the_period_and_are_listed_as_corrections(grown, tmp_path, rows):
    """Events of April that come in January 2026 belong to April, and correct what the last run said of the year."""
    office = copy_of(grown, tmp_path)
    procmon("run", "--as-of", "2025-12-31", "--workspace", office)
    before = shown(office, "form-06", "--period", "2025-04")
    april = arriving(rows, "2025-04-01", "2025-05-01")
    of_april = [row | {"dossier_id": f"L-{row['dossier_id']}"} for row in april]
    log = write_log(tmp_path / "late.csv", of_april)
    procmon("ingest", log, "--workspace", office)
    after = shown(office, "form-06", "--period", "2025-04")
    assert after != before
    said = procmon("run", "--as-of", "2025-12-31", "--workspace", office).out
    corrections = procmon("show", "corrections", "--run", "2", "--format", "csv", "--workspace", office).rows
    assert f"{len(corrections)} corrections" in said
    assert {row["batches"] for row in corrections} == {"2"}
    assert {row["previous_run_id"] for row in corrections} == {"1"}
    moved = {row["figure"]: row for row in corrections if row["scope"] == "city"}
    assert (moved["reductions.actual_cut"]["period_from"], moved["reductions.actual_cut"]["period_to"]) == (
        "2025-01-01",
        "2026-01-01",
    )
    assert "form_06.received" not in moved  # December has no more dossiers than before
