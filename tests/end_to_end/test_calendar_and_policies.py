"""A calendar that is edited without a release, policies by procedure and date, and both named wherever they count."""

from __future__ import annotations

from pathlib import Path

import pytest

from procmon.worktime import DECIDED
from tests.office import Rows, figures, procmon, write_log

PROCEDURES = """\
procedure_id,name,field,level,limit_amount,limit_unit,valid_from,supplement
1.001,Cấp phép,Xây dựng,city,10,working_days,2024-01-01,
1.001,Cấp phép,Xây dựng,city,10,working_days,2025-04-01,restart
"""
UNITS = "unit_id,name,kind\nHP,Thành phố,city\nTT1,Trung tâm,centre\n"
SATURDAY = "sang-t7,TT1,6,07:30-11:30,2025-01-01,Thông báo\n"
WEEK = "".join(f"sang-t7,TT1,{weekday},07:30-11:30 13:00-17:00,2025-01-01,Thông báo\n" for weekday in range(1, 6))
HOURS = "calendar_id,unit_id,weekday,hours,valid_from,source\n"
CALENDAR = "calendar_id,on,open,hours,source\n"

LOG = """\
march 2025-03-03T08:00 received HP
march 2025-03-03T09:00 supplement_requested HP
march 2025-03-04T08:00 processing HP
march 2025-03-04T09:00 finished HP
april 2025-04-08T08:00 received HP
april 2025-04-08T09:00 supplement_requested HP
april 2025-04-09T08:00 processing HP
april 2025-04-09T09:00 finished HP
saturday 2025-03-07T16:00 received TT1
saturday 2025-03-10T08:00 finished TT1
"""
WHEN = ("--as-of", "2025-06-30")


def rows() -> Rows:
    names = ("dossier_id", "occurred_at", "status", "unit_id")
    return [dict(zip(names, line.split(), strict=True)) | {"procedure_id": "1.001"} for line in LOG.splitlines()]


def load(workspace: Path, kind: str, text: str, *words: str) -> str:
    file = workspace.parent / f"{kind}.csv"
    file.write_text(text, encoding="utf-8")
    return procmon("load", kind, file, *words, "--workspace", workspace).out


@pytest.fixture(scope="module")
def first_office(tmp_path_factory) -> Path:
    """An office with three dossiers and one run."""
    workspace = tmp_path_factory.mktemp("first") / "office"
    procmon("init", workspace)
    load(workspace, "procedures", PROCEDURES)
    load(workspace, "units", UNITS)
    procmon("ingest", write_log(workspace.parent / "log.csv", rows()), "--workspace", workspace)
    procmon("run", *WHEN, "--workspace", workspace)
    return workspace


def minutes(workspace: Path, *words: str) -> dict[str, tuple[str, str]]:
    """(working, paused) minutes of each dossier."""
    shown = procmon("show", "dossiers", *WHEN, *words, "--format", "csv", "--workspace", workspace).rows
    return {row["dossier_id"]: (row["working_minutes"], row["paused_minutes"]) for row in shown}


def calendar_versions(workspace: Path) -> list[str]:
    runs = procmon("show", "runs", "--format", "csv", "--workspace", workspace).rows
    return [row["calendar_version"] for row in sorted(runs, key=lambda row: int(row["id"]))]


def page(workspace: Path, run: int) -> str:
    words = ("--audience", "city", "--run", str(run), "--output", "-")
    return procmon("report", *words, "--workspace", workspace).out


# --- policies -------------------------------------------------------------------------------------------------


def test_a_policy_is_the_procedures_own_on_the_day_of_receipt(first_office):
    of = minutes(first_office)
    assert (of["march"], of["april"]) == (("120", "420"), ("60", "0"))


def test_a_page_names_the_policies_in_force_and_how_many_procedures_have_their_own(first_office):
    assert "supplement=" not in page(first_office, 1)  # it says so in words
    assert "riêng 1 TTHC: yêu cầu bổ sung: tính lại từ đầu" in page(first_office, 1)


@pytest.mark.parametrize(
    ("policy", "of_march", "of_april"),
    [
        ("restart", ("60", "0"), ("60", "0")),
        ("pause", ("120", "420"), ("120", "420")),
        ("run", ("540", "0"), ("540", "0")),
    ],
)
def test_what_if_answers_under_another_policy(first_office, policy, of_march, of_april):
    of = minutes(first_office, "--policy", f"supplement={policy}")
    assert (of["march"], of["april"]) == (of_march, of_april)


def test_what_if_touches_nothing_that_is_stored(office):
    def stored() -> dict[str, bytes]:
        files = sorted(path for path in office.rglob("*") if path.is_file() and path.stem != "procmon")
        return {str(path): path.read_bytes() for path in files}

    before, kept = stored(), (figures(office, 1), minutes(office))
    minutes(office, "--policy", "supplement=restart")
    assert stored() == before
    assert (figures(office, 1), minutes(office)) == kept


# --- the calendar ---------------------------------------------------------------------------------------------


def test_a_day_is_closed_without_a_release_and_the_old_run_keeps_its_own_calendar(office):
    load(office, "calendar", CALENDAR + "default,2025-03-03,no,,Bão\ndefault,2025-04-09,yes,08:30-10:00,Mất điện\n")
    assert minutes(office)["march"] == ("60", "30")
    assert minutes(office)["april"] == ("30", "0")
    procmon("run", *WHEN, "--workspace", office)
    first, second = calendar_versions(office)
    assert first != second
    for run, version in ((1, first), (2, second)):
        assert f"phiên bản {version}," in page(office, run)
    assert minutes(office, "--run", "1")["march"] == ("120", "420")


def test_a_unit_opens_on_saturday_mornings(office):
    assert minutes(office)["saturday"] == ("90", "0")
    load(office, "opening_hours", HOURS + WEEK + SATURDAY)
    assert minutes(office)["saturday"] == (str(90 + 240), "0")
    assert minutes(office)["march"] == ("120", "420")  # another unit's


ANOTHER = "".join(f"tuan-moi,TT1,{weekday},08:00-11:00,2025-04-01,Thông báo\n" for weekday in range(1, 6))


def test_a_unit_that_gets_another_calendar_keeps_its_past_and_explain_says_from_which_day(office):
    load(office, "opening_hours", HOURS + WEEK + SATURDAY)
    load(office, "opening_hours", HOURS + ANOTHER)
    assert minutes(office)["saturday"] == (str(90 + 240), "0")
    told = procmon("explain", "--dossier", "saturday", *WHEN, "--workspace", office).out
    assert "default, from 2025-01-01 sang-t7" not in told  # until its own first row it is as the default
    assert "sang-t7, from 2025-04-01 tuan-moi (of unit TT1)" in told


def test_explain_names_the_row_of_the_calendar_that_the_unit_had_that_day(office):
    load(office, "opening_hours", HOURS + WEEK + SATURDAY + ANOTHER)
    days = "tuan-moi,2025-03-08,no,,Chưa có\nsang-t7,2025-03-08,yes,08:00-09:00,Mất điện\n"
    load(office, "calendar", CALENDAR + days)
    assert minutes(office)["saturday"] == (str(90 + 60), "0")
    told = procmon("explain", "--dossier", "saturday", *WHEN, "--workspace", office).out
    assert "Mất điện" in told
    assert "Chưa có" not in told


# --- doctor ---------------------------------------------------------------------------------------------------

LACKED = DECIDED.stop
"""The first year whose official days are not shipped."""


def findings(workspace: Path, today: str) -> list[str]:
    now = f"{today}T08:00:00+07:00"
    said = procmon("doctor", "--format", "csv", "--workspace", workspace, now=now, code=3)
    return [row["finding"] for row in said.rows if "calendar" in row["finding"]]


def days_lack(year: int) -> str:
    return f"the calendar does not have the official days off and swapped working days of {year}"


def test_doctor_asks_for_next_years_days_60_days_before_it(office):
    assert findings(office, f"{LACKED - 1}-11-01") == []
    assert findings(office, f"{LACKED - 1}-11-02") == [days_lack(LACKED)]
    assert findings(office, f"{LACKED}-03-01") == [days_lack(LACKED)]
    load(office, "calendar", CALENDAR + f"default,{LACKED}-03-03,no,,Mất điện\n")
    assert findings(office, f"{LACKED}-03-01") == [days_lack(LACKED)]
    load(office, "calendar", CALENDAR + f"default,{LACKED}-01-01,no,,Công văn về việc hoán đổi ngày làm việc\n")
    assert findings(office, f"{LACKED}-03-01") == []


def test_doctor_names_years_of_the_baseline_that_the_calendar_does_not_cover(office):
    words = ("--from", "2022-12-01", "--to", "2025-04-01")
    procmon("baseline", "publish", *words, "--workspace", office)
    assert findings(office, "2025-06-30") == [days_lack(2022), days_lack(2023)]


def test_doctor_says_when_a_newer_release_ships_days_that_are_not_loaded(office):
    load(office, "calendar", CALENDAR + "default,2026-01-02,no,,Công văn\n", "--replace")
    (finding,) = findings(office, "2026-01-05")
    assert finding == "the registry lacks 1 days of the calendar that is shipped, such as 2026-01-10"


def test_doctor_says_when_a_calendar_names_saturday_and_forgets_the_week(office):
    load(office, "opening_hours", HOURS + SATURDAY)
    assert findings(office, "2025-06-30") == ["calendar sang-t7 is closed from Monday to Friday"]
    load(office, "opening_hours", HOURS + WEEK)
    assert findings(office, "2025-06-30") == []


def test_doctor_names_calendars_and_units_that_are_likely_mistyped(office):
    load(office, "calendar", CALENDAR + "defualt,2025-03-03,no,,Bão\nsang-t7,2025-03-03,no,,Bão\n")
    lost = "calendar {} has single days but no opening hours, so no unit has them"
    assert findings(office, "2025-06-30") == [lost.format("defualt"), lost.format("sang-t7")]
    load(office, "opening_hours", HOURS + WEEK + SATURDAY)
    assert findings(office, "2025-06-30") == [lost.format("defualt")]
    load(office, "calendar", CALENDAR + "sang-t7,2025-03-03,no,,Bão\n", "--replace")
    load(office, "opening_hours", HOURS + WEEK.replace("sang-t7,TT1", "zz,NOUNIT") + WEEK.replace("sang-t7,TT1", "yy,"))
    assert findings(office, "2025-06-30") == [
        "the registry lacks 2 days of the calendar that is shipped, such as 2026-01-02",
        "calendar yy is no unit's",
        "opening_hours: calendar zz is given to unit NOUNIT, which the registry does not know",
    ]


def test_doctor_asks_for_no_unit_of_a_calendar_while_none_is_loaded(tmp_path):
    workspace = tmp_path / "office"
    procmon("init", workspace)
    load(workspace, "opening_hours", HOURS + WEEK)
    assert findings(workspace, "2025-06-30") == []


def test_a_calendar_from_a_day_after_the_baseline_moves_no_input_of_it(office):
    procmon("baseline", "publish", "--from", "2024-01-01", "--to", "2025-04-01", "--workspace", office)
    load(office, "opening_hours", HOURS + ANOTHER)
    assert findings(office, "2025-06-30") == []
    load(office, "opening_hours", HOURS + ANOTHER.replace("2025-04-01", "2025-03-31"))
    (moved,) = findings(office, "2025-06-30")
    assert "inputs moved since it was published: calendar" in moved
