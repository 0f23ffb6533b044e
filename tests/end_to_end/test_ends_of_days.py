"""A run of a day that is over sees that day and no more, says what moved since, and can be asked again as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office import Said, copy_of, procmon, shown, write_log

PROCEDURES = """\
procedure_id,name,field,level,limit_amount,limit_unit,supplement,valid_from,valid_to
P,Thủ tục P,Đất đai,commune,3,working_days,restart,2024-01-01,2025-03-10
P,Thủ tục P,Đất đai,commune,3,working_days,run,2025-03-10,
"""
LOG = [  # dossier, status, when, due date
    ("M1", "received", "2025-03-26T00:00:00", ""),
    ("M1", "finished", "2025-04-01T00:00:00", ""),  # a day that some software writes as midnight
    ("M2", "received", "2025-03-26T08:00:00", "2025-03-31"),
    ("M3", "received", "2025-04-01T00:00:00", "2025-04-03"),
    ("M4", "received", "2025-03-03T09:00:00", "2025-03-31"),
    ("M4", "stopped", "2025-03-31T17:00:00", ""),
]
FORM_06 = ("received", "resolved", "pending")
LAST_OF_MARCH, LAST_OF_APRIL = "2025-03-31", "2025-04-30"


def log_rows(events: list[tuple[str, str, str, str]]) -> list[dict[str, str]]:
    names = ("dossier_id", "status", "occurred_at", "due_at")
    return [{"procedure_id": "P", "unit_id": "U"} | dict(zip(names, event, strict=True)) for event in events]


@pytest.fixture(scope="module")
def first_office(tmp_path_factory) -> Path:
    """Runs 1 and 2: of the last day of March and of April."""
    folder = tmp_path_factory.mktemp("ends")
    workspace = folder / "office"
    procmon("init", workspace)
    (folder / "procedures.csv").write_text(PROCEDURES, encoding="utf-8")
    procmon("load", "procedures", folder / "procedures.csv", "--workspace", workspace)
    procmon("ingest", write_log(folder / "log.csv", log_rows(LOG)), "--workspace", workspace)
    for day in (LAST_OF_MARCH, LAST_OF_APRIL):
        procmon("run", "--as-of", day, "--no-send", "--workspace", workspace)
    return workspace


@pytest.fixture
def office(first_office, tmp_path) -> Path:
    return copy_of(first_office, tmp_path)


def of_run(workspace: Path, run: int) -> dict[str, int]:
    """A run's form 06 of its month, for the city."""
    rows = procmon("show", "figures", "--run", str(run), "--format", "csv", "--workspace", workspace).rows
    return {
        name: int(float(row["numerator"]))
        for row in rows
        for name in FORM_06
        if row["figure"] == f"form_06.{name}" and row["scope"] == "city"
    }


def of_table(workspace: Path, *words: str) -> dict[str, int]:
    rows = procmon("show", "form-06", *words, "--format", "csv", "--workspace", workspace).rows
    return {name: sum(int(row[name]) for row in rows) for name in FORM_06}


def test_what_happens_at_midnight_belongs_to_the_next_day_however_one_asks(first_office):
    march = of_run(first_office, 1)
    assert march == {"received": 3, "resolved": 0, "pending": 3}
    for words in (("--period", "2025-03"), ("--as-of", LAST_OF_MARCH), ("--run", "1")):
        assert of_table(first_office, *words) == march, words
    april = of_run(first_office, 2)
    assert (april["resolved"], of_table(first_office, "--period", "2025-04")) == (1, april)
    behind = ("explain", "form_06.pending", "--run", "1", "--dossiers", "--workspace", first_office)
    assert {code for code in ("M1", "M2", "M3", "M4") if code in procmon(*behind).out.split()} == {"M1", "M2", "M4"}


def test_a_day_is_over_at_midnight_for_its_dossiers_too(first_office):
    for words in (("--as-of", LAST_OF_MARCH), ("--run", "1"), ("--period", "2025-03")):
        said = procmon("show", "dossiers", *words, "--format", "csv", "--workspace", first_office)
        assert {row["dossier_id"]: row["outcome"] for row in said.rows} == {
            "M1": "pending", "M2": "pending", "M4": "stopped",
        }, words  # fmt: skip
    explained = procmon("explain", "--dossier", "M1", "--as-of", LAST_OF_MARCH, "--workspace", first_office).out
    assert "outcome    pending" in explained


def test_explain_tells_a_dossier_as_the_run_saw_it(first_office):
    explain = ("explain", "--dossier", "M1", "--workspace", first_office)
    of_run = procmon(*explain, "--run", "1").out
    assert "outcome    pending" in of_run
    assert "not seen: at the as-of instant" in of_run
    assert "outcome    finished" in procmon(*explain, "--as-of", "2025-04-01T00:00").out


def test_an_instant_that_somebody_names_sees_what_happened_at_it(first_office):
    at = procmon(
        "show", "dossiers", "--as-of", "2025-04-01T00:00", "--format", "csv", "--workspace", first_office
    ).rows
    assert {row["dossier_id"]: row["outcome"] for row in at}["M1"] == "finished"


def test_the_tables_of_a_run_are_as_of_that_run(first_office):
    said = procmon("show", "on-time", "--run", "1", "--format", "csv", "--workspace", first_office)
    assert "as of 2025-04-01T00:00:00+07:00, run 1's" in said.err
    shown_late = {row["rule_set"]: float(row["n_late"]) for row in said.rows if row["scope"] == "city"}
    rows = procmon("show", "figures", "--run", "1", "--format", "csv", "--workspace", first_office).rows
    late = {row["rule_set"]: float(row["numerator"]) for row in rows if row["figure"] == "on_time.n_late"}
    assert shown_late == late
    assert sum(late.values()) > 0
    assert shown(first_office, "dossiers", "--run", "1") != shown(first_office, "dossiers")


def test_the_first_run_of_a_new_month_corrects_nothing(office):
    """Nothing was brought; another month's page has other figures, which neither came nor went."""
    assert "0 corrections" in procmon("run", "--as-of", "2025-05-01", "--no-send", "--workspace", office).out
    assert "0 corrections" in procmon("run", "--as-of", "2025-05-02", "--no-send", "--workspace", office).out


def test_a_month_run_again_is_held_against_its_own_last_run(office, tmp_path):
    late = log_rows([("L1", "received", "2025-03-27T08:00:00", ""), ("L1", "finished", "2025-03-28T09:00:00", "")])
    procmon("ingest", write_log(tmp_path / "late.csv", late), "--workspace", office)
    procmon("run", "--as-of", LAST_OF_MARCH, "--no-send", "--workspace", office)
    rows = procmon("show", "corrections", "--run", "3", "--format", "csv", "--workspace", office).rows
    of_city = {row["figure"]: row for row in rows if row["scope"] == "city"}
    assert {row["previous_run_id"] for row in rows if row["period_to"] == "2025-04-01"} == {"1"}
    moved = of_city["form_06.received"]
    assert (moved["number"], moved["before"], moved["after"], moved["batches"]) == ("numerator", "3.0", "4.0", "2")


def test_the_page_names_every_policy_by_which_a_dossier_of_its_was_timed(office):
    """M4 was received while the procedure's clock restarted, the others while it ran through."""
    page = (office / "reports" / "run-000001" / "city.html").read_text(encoding="utf-8")
    named = page.partition("Chính sách tính giờ")[2].partition("</tr>")[0]
    assert named.count("riêng 1 TTHC") == 2


def refused(said: Said, *words: str) -> None:
    assert said.err.splitlines()[-1].startswith("Remedy: ")
    for word in words:
        assert word in said.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("show", "reductions", "--policy", "supplement=restart"), "--policy"),
        (("show", "targets", "--policy", "supplement=restart"), "--policy"),
        (("show", "bridge", "--rule-set", "index_766"), "form_06"),
        (("show", "batches", "--as-of", "2025-01-01"), "--as-of"),
        (("show", "procedures", "--period", "2025"), "--period"),
        (("show", "figures", "--policy", "supplement=restart"), "--policy"),
        (("show", "dossiers", "--policy", "supplement=run", "--policy", "supplement=pause"), "twice"),
        (("show", "form-06", "--period", "2026-12", "--as-of", "2025-12-31"), "has not begun"),
        (("show", "dossiers", "--as-of", "9999-12-31"), "9999-12-31"),
        (("show", "dossiers", "--as-of", "9999-12-31T23:00"), "9999-12-31T23:00"),
        (("show", "dossiers", "--as-of", "0001-01-01T00:00"), "0001-01-01T00:00"),
        (("report", "--audience", "city", "--period", "2036-12"), "has not begun"),
        (("run", "--repeat", "1", "--as-of", "2025-01-01"), "--repeat"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_would_be_ignored_or_mean_nothing_is_refused(first_office, words, named):
    refused(procmon(*words, "--workspace", first_office, code=2), named)


def test_a_day_means_its_end_however_it_is_written(first_office):
    asked = shown(first_office, "dossiers", "--as-of", LAST_OF_MARCH)
    assert shown(first_office, "dossiers", "--as-of", LAST_OF_MARCH.replace("-", "")) == asked
