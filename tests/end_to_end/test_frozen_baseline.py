"""A published baseline does not move, whatever comes later; `doctor` says what did, and publishing anew what it did."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.office import CITY, Rows, city_rows, copy_of, make_office, procmon, shown, write_log

AS_OF = ("--as-of", "2025-12-31")
ENDS = {"finished", "returned", "withdrawn", "stopped", "refused"}
OF_THE_BASELINE = ("reductions.", "targets.", "trend.")
"""Figures that a baseline's dossiers enter into."""


def more_of_2024(rows: Rows, copies: int) -> Rows:
    """The dossiers that began and ended within 2024, each so often again and its work two months later.

    The last event is an end, and before November: the year 2025 sees nothing of them.
    """
    of: dict[str, Rows] = defaultdict(list)
    for row in rows:
        of[row["dossier_id"]].append(row)
    found = []
    for events in of.values():
        days = [row["occurred_at"][:10] for row in events]
        if min(days) >= "2024-01-01" and max(days) < "2024-10-01" and events[-1]["status"] in ENDS:
            found += [
                (later(row) if row["status"] in ENDS else row) | {"dossier_id": f"X{copy}-{row['dossier_id']}"}
                for copy in range(copies)
                for row in events
            ]
    return found


def later(row: Mapping[str, str]) -> dict[str, str]:
    """The event two months later."""
    at = row["occurred_at"]
    month = int(at[5:7]) + 2
    return dict(row) | {"occurred_at": f"{at[:5]}{month:02}-{min(int(at[8:10]), 28):02}{at[10:]}"}


def figures(workspace: Path, run: int) -> list[tuple[str, ...]]:
    rows = procmon("show", "figures", "--run", str(run), "--format", "csv", "--workspace", workspace).rows
    found = [
        tuple(value for name, value in row.items() if name not in ("id", "run_id"))
        for row in rows
        if row["figure"].startswith(OF_THE_BASELINE)
    ]
    assert len(found) > 500
    return found


def doctor(workspace: Path, env: Mapping[str, str] | None = None) -> str:
    """What the doctor says of the baseline's inputs."""
    said = procmon("doctor", "--workspace", workspace, env=env, code=3).out
    return "\n".join(line for line in said.splitlines() if "inputs moved" in line)


@pytest.fixture(scope="module")
def first_office(tmp_path_factory) -> Path:
    """A workspace with the baseline of 2024 published and a run as of the end of 2025."""
    workspace = make_office(tmp_path_factory.mktemp("frozen") / "office", city_rows(12))
    procmon("run", *AS_OF, "--workspace", workspace)
    return workspace


@pytest.fixture(scope="module")
def grown(first_office, tmp_path_factory) -> tuple[Path, int]:
    """The same after thousands of events of 2024 more, and another run; with the number of these events."""
    workspace = copy_of(first_office, tmp_path_factory.mktemp("grown"))
    rows = more_of_2024(city_rows(12), 6)
    procmon("ingest", write_log(workspace.parent / "more.csv", rows), "--workspace", workspace)
    procmon("run", *AS_OF, "--workspace", workspace)
    return workspace, len(rows)


def test_the_verdicts_of_the_next_run_do_not_move(first_office, grown):
    workspace, n_events = grown
    assert n_events > 3000
    assert figures(workspace, 2) == figures(workspace, 1)
    for what in ("targets", "reductions"):
        assert shown(workspace, what, *AS_OF) == shown(first_office, what, *AS_OF)
    assert shown(workspace, "dossiers", *AS_OF) != shown(first_office, "dossiers", *AS_OF)  # they did come in


def test_the_baseline_shows_what_it_showed(first_office, grown):
    words = ("baseline", "show", "--format", "csv", "--workspace")
    assert procmon(*words, grown[0]).out == procmon(*words, first_office).out


def test_the_doctor_says_that_the_inputs_moved(first_office, grown):
    workspace, n_events = grown
    procmon("doctor", "--workspace", first_office)
    said = doctor(workspace)
    assert f"{n_events} events from before 2025-01-01 came with batches that count only since: 2" in said
    everything = procmon("doctor", "--workspace", workspace, code=3).out
    assert "`procmon baseline publish` takes them in and says what moves; or leave it as it is" in everything


def test_publishing_anew_keeps_the_old_one_and_says_what_moved(grown, tmp_path):
    workspace = copy_of(grown[0], tmp_path)
    before = procmon("baseline", "show", "--format", "csv", "--workspace", workspace)
    published = procmon("baseline", "publish", "--workspace", workspace)
    after = procmon("baseline", "show", "--format", "csv", "--workspace", workspace)
    n = [sum(int(row["n_dossiers"]) for row in said.rows) for said in (before, after)]
    assert published.out.startswith(f"baseline 2: {n[1]} dossiers finished from 2024-01-01 to 2025-01-01")
    assert f"from baseline 1 to 2: {n[0]} → {n[1]} dossiers" in published.err
    assert "batches added: 2" in published.err
    assert "baseline 1 is kept" in published.err
    moved = procmon("baseline", "diff", "1", "2", "--format", "csv", "--workspace", workspace)
    of = [{row["procedure_id"]: row for row in said.rows} for said in (before, after)]
    differing = {code for code in of[0].keys() | of[1].keys() if of[0].get(code) != of[1].get(code)}
    assert {row["procedure_id"] for row in moved.rows} == differing
    caps = sum(of[0][code]["cap_minutes"] != of[1][code]["cap_minutes"] for code in of[0].keys() & of[1].keys())
    for said in (published, moved):
        assert f"{len(differing)} of {len(of[0].keys() | of[1].keys())} procedures moved, {caps} caps" in said.err
        means = [
            sum(int(of[0][code]["n_dossiers"]) * float(side[code]["mean_minutes"]) for code in of[0]) / n[0]
            for side in of
        ]
        assert f"capped mean at the mix of baseline 1: {means[0]:.1f} → {means[1]:.1f} minutes" in said.err
    assert procmon("baseline", "show", "1", "--format", "csv", "--workspace", workspace).out == before.out
    assert doctor(workspace) == ""
    assert shown(workspace, "targets", *AS_OF) != shown(grown[0], "targets", *AS_OF)
    assert "0 differ" in procmon("run", "--repeat", "1", "--workspace", workspace).out


def test_a_baseline_says_what_it_is_and_stands_on(first_office):
    said = procmon("baseline", "show", "--format", "csv", "--workspace", first_office).err
    assert "baseline 1 of 2024-01-01 to 2025-01-01 (excluded), published 2026-01-01" in said
    assert "99th percentile of its own" in said
    assert "  complete: the log begins on 2023-11-" in said
    for word in ("batches: 1", "lake: ", "registry: ", "calendar: ", "policies: supplement=pause", "program: "):
        assert f"  {word}" in said
    assert "pending work cannot be compared" not in said


def test_a_baseline_that_began_with_its_log_says_why_it_is_not_complete(office):
    said = procmon("baseline", "publish", "--from", "2023-11-01", "--to", "2024-06-01", "--workspace", office).out
    assert "NOT complete" in said
    shown_now = procmon("baseline", "show", "--workspace", office).err
    assert "not complete: the log begins on 2023-11-" in shown_now
    assert "the comparison of what was received leads" in shown_now


def test_progress_is_said_month_by_month(office):
    said = procmon("baseline", "publish", "--from", "2024-05-01", "--to", "2024-07-15", "--workspace", office)
    assert [line for line in said.err.splitlines() if line.startswith("measuring")] == [
        "measuring as of 2024-06-01 (1 of 3)",
        "measuring as of 2024-07-01 (2 of 3)",
        "measuring as of 2024-07-15 (3 of 3)",
    ]


@pytest.mark.parametrize(
    ("days", "now", "said"),
    [
        (("2024-01-01", "2025-01-01"), "2024-12-31T23:59:00+07:00", "today is 2024-12-31: its last days are to come"),
        (("2030-01-01", "2031-01-01"), "2026-01-01T08:00:00+07:00", "`--to 2026-01-01` or earlier"),
        (("2021-01-01", "2022-01-01"), "2026-01-01T08:00:00+07:00", "no dossier was finished from 2021-01-01"),
    ],
)
def test_a_time_that_is_not_over_or_saw_no_end_is_refused_before_it_is_measured(first_office, days, now, said):
    words = ("baseline", "publish", "--from", days[0], "--to", days[1], "--workspace", first_office)
    refused = procmon(*words, now=now, code=2)
    assert said in refused.err
    assert "measuring" not in refused.err
    assert len(list((first_office / "lake" / "baseline_dossiers").glob("*.parquet"))) == 1


def test_a_baseline_may_end_with_yesterday(office):
    words = ("baseline", "publish", "--from", "2024-12-01", "--to", "2025-01-01", "--workspace", office)
    assert procmon(*words, now="2025-01-01T00:00:00+07:00").out.startswith("baseline 2: ")


# --- other inputs ---------------------------------------------------------------------------------------------


def load(workspace: Path, kind: str, columns: str, *rows: str) -> None:
    file = workspace.parent / f"{kind}.csv"
    file.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    procmon("load", kind, file, "--workspace", workspace)


def one_procedure() -> dict[str, str]:
    with (CITY / "procedures.csv").open(encoding="utf-8") as file:
        return next(iter(csv.DictReader(file)))


def test_a_limit_of_2024_that_changed_is_said_and_one_of_2026_is_not(office):
    first = one_procedure()
    later_limit = first | {"limit_amount": "2", "valid_from": "2026-01-01", "valid_to": ""}
    load(office, "procedures", ",".join(first), ",".join(later_limit.values()))
    procmon("doctor", "--workspace", office)
    load(office, "procedures", ",".join(first), ",".join((first | {"limit_amount": "6"}).values()))
    assert "1 procedures differ before 2025-01-01" in doctor(office)


def test_a_day_off_in_2024_is_said_and_one_in_2026_is_not(office):
    columns = "calendar_id,on,open,hours,source"
    load(office, "calendar", columns, "default,2026-08-12,no,,a test")
    procmon("doctor", "--workspace", office)
    load(office, "calendar", columns, "default,2024-08-12,no,,a test")
    assert ": calendar " in doctor(office)


def test_another_policy_is_said(office):
    assert "policy supplement: pause → restart" in doctor(office, {"PROCMON_POLICIES__SUPPLEMENT": "restart"})


def test_a_page_measured_under_another_policy_than_its_baseline_warns(office):
    asked = ("report", "--audience", "city", "--period", "2025", "--workspace", office, "--output", "-")
    warning = "Cảnh báo: kỳ gốc được công bố theo cách tính giờ khác"
    assert warning not in procmon(*asked).out
    assert warning in procmon(*asked, env={"PROCMON_POLICIES__SUPPLEMENT": "restart"}).out


def test_events_after_the_baseline_are_nothing_to_tell(office):
    rows = [
        row | {"dossier_id": f"N-{row['dossier_id']}"} for row in city_rows(96) if row["occurred_at"] >= "2025-02-01"
    ]
    procmon("ingest", write_log(office.parent / "new.csv", rows), "--workspace", office)
    procmon("doctor", "--workspace", office)


def test_a_baseline_of_an_earlier_release_still_opens_and_says_what_it_lacks(office):
    targets = shown(office, "targets", *AS_OF)
    for table in ("baseline_states", "baseline_stages"):
        shutil.rmtree(office / "lake" / table)
    said = procmon("baseline", "show", "--workspace", office).err
    assert "not kept month by month, so pending work cannot be compared: publish it anew" in said
    assert "did not keep what it received month by month" in procmon("doctor", "--workspace", office, code=3).out
    city = shown(office, "pending-work", "--period", "2025").splitlines()
    row = dict(zip(city[0].split(","), city[1].split(","), strict=True))
    assert (row["n_received_baseline"], row["why"]) == ("", "no_states")  # unknown, not none
    assert int(row["n_received_period"]) > 0
    before = [row.split(",")[:12] for row in targets.splitlines()]
    assert [row.split(",")[:12] for row in shown(office, "targets", *AS_OF).splitlines()] == before
    procmon("baseline", "publish", "--workspace", office)
    assert "not kept month by month" not in procmon("baseline", "show", "--workspace", office).err
