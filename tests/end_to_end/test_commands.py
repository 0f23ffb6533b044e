"""Every command as people type it, on a part of the sample city."""

from __future__ import annotations

import email
import email.policy
import json
import re
import stat
from pathlib import Path

import pytest

from procmon import ask
from procmon.store.registry import KINDS
from procmon.tables import DOSSIERS, FORM_06, TARGETS
from tests.office import CITY, SAMPLES, city_rows, figures, make_office, procmon, shown, write_log

AS_OF = ("--as-of", "2025-12-31")
MORNING_AFTER = "2026-01-02T08:00:00+07:00"
HOLD_NOTHING = {"PROCMON_POLICIES__MAX_REFUSED": "1"}


@pytest.fixture(scope="module")
def rows():
    return city_rows()


@pytest.fixture(scope="module")
def first_office(tmp_path_factory, rows) -> Path:
    """An office whose log is in, with one run; tests that change something take a copy."""
    workspace = make_office(tmp_path_factory.mktemp("first") / "office", rows)
    procmon("run", *AS_OF, "--workspace", workspace)
    return workspace


@pytest.fixture
def empty(tmp_path) -> Path:
    procmon("init", tmp_path / "empty")
    return tmp_path / "empty"


def mails(workspace: Path) -> list[Path]:
    return sorted((workspace / "outbox").glob("*.eml"))


# --- init, load, mapping --------------------------------------------------------------------------------------


def test_init_makes_a_workspace_that_only_its_owner_reads(empty):
    assert {path.name for path in empty.iterdir()} >= {"procmon.toml", "procmon.db", "lake", "inbox", "reports", "key"}
    assert [path for path in [empty, *empty.rglob("*")] if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_init_does_not_touch_a_workspace_that_is_there(empty):
    key = (empty / "key").read_text()
    said = procmon("init", empty, code=12)
    assert "workspace already" in said.err
    assert (empty / "key").read_text() == key


def test_an_init_that_was_cut_off_goes_on(empty):
    key = (empty / "key").read_text()
    (empty / "procmon.toml").unlink()  # which is written last
    procmon("init", empty)
    assert (empty / "key").read_text() == key
    procmon("show", "batches", "--workspace", empty)


@pytest.mark.parametrize("kind", list(KINDS))
def test_load_says_what_it_changed_and_the_second_time_nothing(empty, tmp_path, kind):
    file = CITY / f"{kind}.csv"
    if kind == "opening_hours":
        file = tmp_path / "hours.csv"
        file.write_text(
            "calendar_id,unit_id,weekday,hours,valid_from,source\n"
            "som,HP-TT1,6,07:30-11:30,2025-07-01,Thông báo làm sáng thứ Bảy\n"
        )
    first = procmon("load", kind, file, "--workspace", empty).out
    again = procmon("load", kind, file, "--workspace", empty).out
    assert first.startswith(f"{kind}: ")
    assert again.startswith(f"{kind}: 0 added, 0 changed, 0 closed")


def test_load_replace_closes_what_the_file_lacks(office, tmp_path):
    lines = (CITY / "announced.csv").read_text().splitlines(keepends=True)
    fewer = tmp_path / "announced.csv"
    fewer.write_text("".join(lines[:-2]))
    assert ", 2 closed, " in procmon("load", "announced", fewer, "--replace", "--workspace", office).out


def test_a_bad_row_loads_nothing_and_is_named(empty, tmp_path):
    text = (CITY / "units.csv").read_text() + "X1,Đơn vị lạ,village,,2000-01-01,\n"
    bad = tmp_path / "units.csv"
    bad.write_text(text)
    said = procmon("load", "units", bad, "--workspace", empty, code=10)
    assert "village" in said.err
    assert str(text.count("\n")) in said.err
    assert shown(empty, "units").count("\n") == 1


def test_mapping_list_names_what_ingest_takes():
    assert procmon("mapping", "list").out.startswith("canonical ")


# --- ingest ---------------------------------------------------------------------------------------------------


def counts(said: str) -> dict[str, int]:
    """`…: 6 rows read, 2 stored, 1 repeated, 0 amended, 3 refused` → numbers, summed over the lines."""
    found: dict[str, int] = {}
    for line in said.splitlines():
        for part in line.rpartition(": ")[2].removesuffix(" refused").split(", "):
            number, _, word = part.partition(" ")
            found[word or "refused"] = found.get(word or "refused", 0) + int(number)
    return found


def test_what_was_read_is_stored_repeated_amended_or_refused(empty):
    said = procmon("ingest", SAMPLES / "bad_line.csv", "--workspace", empty, env=HOLD_NOTHING)
    assert counts(said.out) == {"rows read": 6, "stored": 2, "repeated": 1, "amended": 0, "refused": 3}
    rejects = procmon("show", "rejects", "--format", "csv", "--workspace", empty).rows
    assert [(row["file"], row["line"], row["column"]) for row in rejects] == [
        ("bad_line.csv", "3", "status"),
        ("bad_line.csv", "4", "occurred_at"),
        ("bad_line.csv", "5", "dossier_id"),
    ]
    assert all(row["reason"] and row["remedy"] for row in rejects)
    assert procmon("show", "rejects", "--batch", "2", "--format", "csv", "--workspace", empty).rows == []


def test_a_dry_run_says_the_same_and_stores_nothing(empty):
    said = procmon("ingest", SAMPLES / "bad_line.csv", "--dry-run", "--workspace", empty, env=HOLD_NOTHING)
    assert "dry run: 6 rows read, 2 stored" in said.out
    assert shown(empty, "batches").count("\n") == 1
    assert shown(empty, "dossiers").count("\n") == 1


def test_a_file_with_too_many_refused_rows_is_held_whole_until_it_is_mended(empty):
    said = procmon("ingest", SAMPLES / "bad_line.csv", "--workspace", empty, code=11)
    assert counts(said.out) == {"rows read": 6, "stored": 0, "repeated": 0, "amended": 0, "refused": 6}
    assert "held: too many of its rows were refused" in said.err
    rejects = procmon("show", "rejects", "--format", "csv", "--workspace", empty).rows
    assert [row["reason"].startswith("the file is held") for row in rejects] == [True, False, False, False, True, True]
    mended = procmon("ingest", SAMPLES / "bad_line.csv", "--workspace", empty, env=HOLD_NOTHING)
    assert "batch 2: 6 rows read, 2 stored, 1 repeated, 0 amended, 3 refused" in mended.out


def test_a_folder_stands_for_its_csv_files_plain_or_gzipped(empty, tmp_path, rows):
    folder = tmp_path / "exports"
    folder.mkdir()
    write_log(folder / "b.csv.gz", rows[:50])
    write_log(folder / "a.csv", rows[50:80])
    (folder / "note.txt").write_text("not a log")
    said = procmon("ingest", folder, "--workspace", empty).out
    assert [line.split(": ")[0].rpartition("/")[2] for line in said.splitlines()] == ["a.csv", "b.csv.gz"]
    assert counts(said)["rows read"] == 80


def test_a_bad_file_does_not_keep_the_good_ones_out(empty, tmp_path):
    no_log = tmp_path / "units.csv"
    no_log.write_text("unit_id,name\nHP,Hải Phòng\n")
    missing, hollow = tmp_path / "missing.csv", tmp_path / "hollow"
    hollow.mkdir()
    good = SAMPLES / "reopened_dossier.csv"
    said = procmon("ingest", no_log, missing, hollow, good, "--workspace", empty)
    assert "column dossier_id" in said.err
    assert f"{missing}: no such file" in said.err
    assert f"{hollow}: no log file in it" in said.err
    assert counts(said.out)["rows read"] == len(good.read_text().splitlines()) - 1
    said = procmon("ingest", no_log, missing, hollow, "--workspace", empty, code=11)
    assert "Remedy: " in said.err


def test_ingest_refuses_a_mapping_that_nobody_knows(empty):
    said = procmon("ingest", SAMPLES / "bad_line.csv", "--mapping", "nobodys", "--workspace", empty, code=2)
    assert "mapping list" in said.err


# --- batches --------------------------------------------------------------------------------------------------


def test_a_retracted_batch_counts_no_more_and_restored_it_gives_the_first_figures(office, tmp_path, rows):
    before = [shown(office, what) for what in ("dossiers", "form-06")]
    more = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[:600]]
    procmon("ingest", write_log(tmp_path / "more.csv", more), "--workspace", office)
    with_more = [shown(office, what) for what in ("dossiers", "form-06")]
    assert with_more[0] != before[0]
    retracted = procmon("batch", "retract", "2", "--why", "a test export", "--workspace", office)
    assert "figures move" in retracted.err
    assert retracted.out.splitlines()[0].split() == ["figure", "scope", "scope_id", "number", "before", "after"]
    assert len(retracted.out.splitlines()) > 1
    assert [shown(office, what) for what in ("dossiers", "form-06")] == before
    batch = procmon("show", "batches", "--format", "csv", "--workspace", office).rows[1]
    assert (batch["retracted_why"], bool(batch["retracted_at"])) == ("a test export", True)
    restored = procmon("batch", "restore", "2", "--workspace", office)
    assert len(restored.out.splitlines()) == len(retracted.out.splitlines())
    assert [shown(office, what) for what in ("dossiers", "form-06")] == with_more


@pytest.mark.parametrize("words", [("retract", "7", "--why", "x"), ("restore", "1"), ("retract", "1")])
def test_a_batch_command_that_makes_no_sense_is_refused(office, words):
    procmon("batch", *words, "--workspace", office, code=2)


# --- run ------------------------------------------------------------------------------------------------------


def test_a_run_writes_pages_and_mails_and_is_recorded(first_office):
    assert {path.name for path in (first_office / "reports" / "run-000001").iterdir()} == {
        "city.html",
        "centre-unit_3a_HP-TT1.html",
    }
    assert len(mails(first_office)) == 3
    [run] = procmon("show", "runs", "--format", "csv", "--workspace", first_office).rows
    assert (run["status"], run["as_of"]) == ("done", "2026-01-01T00:00:00+07:00")
    deliveries = procmon("show", "deliveries", "--format", "csv", "--workspace", first_office).rows
    assert sorted((row["schedule"], row["period"], row["status"]) for row in deliveries) == [
        ("daily", "2025-12-31", "written"),
        ("daily", "2025-12-31", "written"),
        ("monthly", "2025-12", "written"),
    ]


def test_no_send_queues_and_send_delivers(office):
    for path in mails(office):
        path.unlink()
    words = ("run", "--as-of", "2025-12-30", "--no-send", "--workspace", office)
    assert "mails:" not in procmon(*words).out
    assert mails(office) == []
    assert procmon("send", "--dry-run", "--workspace", office).out.splitlines() == [str(path) for path in mails(office)]
    waiting = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows[3:]
    assert {row["status"] for row in waiting} == {"queued"}
    assert procmon("send", "--workspace", office).out == "3 written\n"  # two of the day, and November's
    assert procmon("send", "--workspace", office).out == "nothing was due\n"


def test_a_run_repeats_to_the_digit_whatever_came_after_it(office, tmp_path, rows):
    more = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[:300]]
    procmon("ingest", write_log(tmp_path / "more.csv", more), SAMPLES / "bad_line.csv", "--workspace", office)
    all_bad = write_log(tmp_path / "bad.csv", [rows[0] | {"status": "done"}])
    procmon("ingest", all_bad, "--workspace", office, code=11)
    procmon("batch", "retract", "1", "--why", "a test", "--workspace", office)
    procmon("load", "announced", "--replace", tmp_announced(tmp_path), "--workspace", office)
    said = procmon("run", "--repeat", "1", "--workspace", office).out
    assert said == f"run 1 repeated: {len(figures(office, 1))} figures, 0 differ\n"
    assert len(procmon("show", "runs", "--format", "csv", "--workspace", office).rows) == 1
    procmon("run", "--repeat", "9", "--workspace", office, code=2)


def tmp_announced(folder: Path) -> Path:
    file = folder / "announced.csv"
    file.write_text((CITY / "announced.csv").read_text().splitlines()[0] + "\n")
    return file


def test_fail_on_ends_with_3_where_it_finds_something(office, tmp_path, rows):
    run = ("run", *AS_OF, "--no-send", "--workspace", office)
    procmon(*run, "--fail-on", "rejects")
    assert "--fail-on: missed found" in procmon(*run, "--fail-on", "missed", "--fail-on", "rejects", code=3).err
    write_log(office / "inbox" / "bad.csv", [rows[0] | {"status": "done"}, rows[1]])
    said = procmon(*run, "--fail-on", "rejects", "--fail-on", "overdue", code=3)
    assert "--fail-on: rejects, overdue found" in said.err


def test_what_a_late_batch_changed_is_listed_as_corrections(office, tmp_path, rows):
    more = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[-600:]]
    write_log(office / "inbox" / "late.csv", more)
    said = procmon("run", *AS_OF, "--workspace", office).out
    n = int(said.partition("00+07:00: ")[2].partition(" corrections")[0])
    assert n > 0
    sql = "SELECT DISTINCT batches FROM corrections"
    assert procmon("query", sql, "--format", "csv", "--workspace", office).out == "batches\n2\n"


def rejects_of(page: Path) -> list[list[str]]:
    """The rows of the page's table of files."""
    table = page.read_text(encoding="utf-8").partition("Các tệp đã nhận")[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(<td.*?)</tr>", table)
    return [re.findall(r">([^<]+)</td>", row) for row in rows]


def test_the_city_s_page_counts_refused_rows_by_reason(office, rows):
    page = office / "reports" / "run-000001" / "city.html"
    assert "không có dòng nào bị từ chối" in page.read_text(encoding="utf-8")
    bad = [rows[0] | {"dossier_id": ""}, rows[1] | {"status": "done"}, rows[2] | {"status": "gone"}]
    new = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[:20]]
    write_log(office / "inbox" / "night.csv", [*bad, *new])
    procmon("run", *AS_OF, "--no-send", "--workspace", office, now=MORNING_AFTER)
    [first, second] = procmon("show", "batches", "--format", "csv", "--workspace", office).rows
    n = f"{int(first['n_read']) + 23:,}".replace(",", ".")
    shown_rows = rejects_of(office / "reports" / "run-000002" / "city.html")
    assert shown_rows[:2] == [["Tệp đã nhận (mỗi lần nhận là một lô)", "1", "2"], ["Dòng đã đọc", "23", n]]
    assert shown_rows[5:] == [
        ["Dòng bị từ chối", "3", "3"],
        ["– vì trạng thái không thuộc mười trạng thái", "2", "2"],
        ["– vì mã hồ sơ để trống", "1", "1"],
    ]
    words = ("report", "--audience", "city", "--run", "1", "--output", "-", "--workspace", office)
    assert procmon(*words).out == page.read_text(encoding="utf-8")
    procmon("batch", "retract", second["id"], "--why", "a test", "--workspace", office)
    assert "Các tệp đã nhận" in procmon("report", "--audience", "city", "--output", "-", "--workspace", office).out
    assert "– vì mã hồ sơ" not in procmon("report", "--audience", "city", "--output", "-", "--workspace", office).out


# --- baselines ------------------------------------------------------------------------------------------------


def test_a_baseline_is_published_shown_and_compared(office):
    shown_first = procmon("baseline", "show", "--format", "csv", "--workspace", office)
    assert "baseline 1 of 2024-01-01 to 2025-01-01 (excluded)" in shown_first.err
    assert sum(int(row["n_dossiers"]) for row in shown_first.rows) > 100
    said = procmon("baseline", "publish", "--from", "2024-01-01", "--to", "2024-07-01", "--workspace", office).out
    assert said.startswith("baseline 2: ")
    moved = procmon("baseline", "diff", "1", "2", "--format", "csv", "--workspace", office).rows
    assert moved
    assert all(row["n_dossiers_before"] != row["n_dossiers_after"] for row in moved)
    assert procmon("baseline", "diff", "1", "1", "--format", "csv", "--workspace", office).rows == []
    procmon("baseline", "show", "9", "--workspace", office, code=2)


def test_a_frozen_baseline_stays_when_its_dossiers_change(office):
    before = procmon("baseline", "show", "--format", "csv", "--workspace", office).out
    procmon("batch", "retract", "1", "--why", "a test", "--workspace", office)
    assert procmon("baseline", "show", "--format", "csv", "--workspace", office).out == before
    assert "stands on batches that are retracted: 1" in procmon("doctor", "--workspace", office, code=3).out


def test_a_baseline_of_a_time_without_dossiers_is_refused(empty):
    said = procmon("baseline", "publish", "--workspace", empty, code=2)
    assert "procmon ingest" in said.err
    procmon("baseline", "show", "--workspace", empty, code=2)


# --- report ---------------------------------------------------------------------------------------------------

PAGES = [
    ("city",),
    ("city", "--period", "2025-05/15"),
    ("centre", "--scope", "unit:HP-TT1", "--period", "2025-Q4"),
    ("department", "--scope", "unit:H24.07", "--from", "2025-11-01", "--to", "2025-12-01"),
    ("department", "--scope", "field:Đất đai", "--period", "2025"),
]


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_report_writes_a_page_for_each_audience_and_period(first_office, words):
    page = procmon("report", "--audience", *words, "--output", "-", "--workspace", first_office).out
    assert page.startswith("<!doctype html>")
    assert '<html lang="vi">' in page


def test_report_names_the_file_that_it_wrote(office, tmp_path):
    said = procmon("report", "--audience", "city", "--period", "2025-05/15", "--workspace", office).out
    assert said == f"{office}/reports/2025-05-15-city.html\n"
    assert Path(said.strip()).is_file()
    procmon("report", "--audience", "city", "--output", tmp_path / "page.html", "--workspace", office)
    assert (tmp_path / "page.html").is_file()


def test_a_report_of_an_old_run_is_what_that_run_saw(office, tmp_path, rows):
    words = ("report", "--audience", "city", "--run", "1", "--output", "-", "--workspace", office)
    before = procmon(*words).out
    more = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[:600]]
    procmon("ingest", write_log(tmp_path / "more.csv", more), "--workspace", office)
    assert procmon(*words).out == before
    assert before == (office / "reports" / "run-000001" / "city.html").read_text()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--audience", "mayor"),
        ("--audience", "centre"),
        ("--audience", "city", "--scope", "unit:HP-TT1"),
        ("--audience", "city", "--period", "2025-13"),
        ("--audience", "city", "--from", "2025-01-01"),
        ("--audience", "city", "--period", "2025", "--from", "2025-01-01", "--to", "2025-02-01"),
        ("--audience", "city", "--as-of", "yesterday"),
        ("--audience", "city", "--run", "9"),
        ("--audience", "city", "--output", "/no/such/folder/page.html"),
    ],
    ids=" ".join,
)
def test_a_report_that_makes_no_sense_is_refused(first_office, words):
    procmon("report", *words, "--workspace", first_office, code=2)


# --- send -----------------------------------------------------------------------------------------------------


def test_a_test_mail_without_a_server_is_a_file(office):
    said = procmon("send", "--test", "toi@haiphong.example", "--workspace", office).out.strip()
    mail = email.message_from_bytes(Path(said).read_bytes(), policy=email.policy.default)
    assert mail["To"] == "toi@haiphong.example"
    deliveries = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows
    assert len(deliveries) == 3


def test_a_test_mail_goes_only_where_mails_may_go(office):
    allowed = {"PROCMON_SMTP__ALLOWED_DOMAINS": '["haiphong.gov.vn"]'}
    said = procmon("send", "--test", "toi@gmail.com", "--workspace", office, env=allowed, code=10)
    assert "gmail.com" in said.err


# --- schedule -------------------------------------------------------------------------------------------------


def tick(workspace: Path, now: str) -> list[str]:
    return procmon("schedule", "--once", "--workspace", workspace, now=now).out.splitlines()


def test_a_night_is_due_once_and_mails_go_out_in_the_morning(office):
    assert tick(office, "2026-01-02T01:29:00+07:00") == ["nothing was due"]
    first = tick(office, "2026-01-02T01:31:00+07:00")
    assert [line.split()[0] for line in first] == ["run"]
    n = len(mails(office))
    assert tick(office, "2026-01-02T01:32:00+07:00") == ["nothing was due"]
    assert tick(office, "2026-01-02T06:59:00+07:00") == ["nothing was due"]
    assert tick(office, "2026-01-02T07:00:00+07:00") == ["2 mails written"]
    assert len(mails(office)) == n + 2
    assert tick(office, "2026-01-02T07:01:00+07:00") == ["nothing was due"]
    run = procmon("show", "runs", "--format", "csv", "--workspace", office).rows[-1]
    assert run["as_of"] == "2026-01-02T00:00:00+07:00"


def test_a_month_is_mailed_once_and_only_when_it_is_over(office):
    def monthly() -> list[str]:
        rows = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows
        return [row["period"] for row in rows if row["schedule"] == "monthly"]

    for now in ("2026-01-31T01:30:00+07:00", "2026-01-31T23:00:00+07:00"):
        tick(office, now)
        assert monthly() == ["2025-12"]
    for now in ("2026-02-01T01:30:00+07:00", "2026-02-01T07:00:00+07:00", "2026-02-02T07:00:00+07:00"):
        tick(office, now)
        assert monthly() == ["2025-12", "2026-01"]


def test_a_run_by_day_mails_only_days_that_are_over(office):
    procmon("run", "--workspace", office, now="2026-01-05T15:00:00+07:00")
    daily = [
        row["period"]
        for row in procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows
        if row["schedule"] == "daily"
    ]
    assert daily == ["2025-12-31"] * 2 + ["2026-01-04"] * 2
    tick(office, "2026-01-06T07:30:00+07:00")
    rows = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows
    assert [row["period"] for row in rows if row["schedule"] == "daily"][4:] == ["2026-01-05"] * 2


def test_a_machine_that_was_off_catches_up_once(office):
    assert tick(office, "2026-01-09T10:00:00+07:00") == ["run 2", "2 mails written"]
    assert tick(office, "2026-01-09T10:01:00+07:00") == ["nothing was due"]
    daily = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows[-1]
    assert daily["period"] == "2026-01-08"


# --- show -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("what", ask.WHAT)
def test_every_table_is_shown_in_every_form(first_office, what, form):
    out = procmon("show", what, "--format", form, "--workspace", first_office).out
    if form == "json":
        rows = json.loads(out)
        assert isinstance(rows, list)
    else:
        assert out.splitlines()[0]
    if form == "csv" and what in ("dossiers", "form-06", "targets"):
        table = {"dossiers": DOSSIERS, "form-06": FORM_06, "targets": TARGETS}[what]
        assert out.splitlines()[0].split(",")[: len(table.shown_names)] == table.shown_names


def test_output_goes_to_the_file_that_is_named(first_office, tmp_path):
    file = tmp_path / "dossiers.csv"
    said = procmon("show", "dossiers", "--format", "csv", "--output", file, "--workspace", first_office)
    assert said.out == ""
    assert file.read_text() == shown(first_office, "dossiers")


def test_filters_keep_the_rows_that_they_name(first_office):
    every = procmon("show", "dossiers", "--format", "csv", "--workspace", first_office).rows

    def kept(*words: str) -> list[dict[str, str]]:
        return procmon("show", "dossiers", *words, "--format", "csv", "--workspace", first_office).rows

    procedure = every[0]["procedure_id"]
    of_procedure = [row for row in every if row["procedure_id"].startswith(procedure)]
    assert kept("--procedure", procedure) == of_procedure
    unit = next(row["resolving_unit_id"] for row in every if row["resolving_unit_id"])
    assert kept("--unit", unit) == [r for r in every if (r["resolving_unit_id"] or r["receiving_unit_id"]) == unit]
    of_field = kept("--field", "Đất đai")
    assert 0 < len(of_field) < len(every)
    assert kept("--batch", "1") == every
    assert kept("--batch", "7") == []
    of_may = kept("--period", "2025-05")
    assert of_may == kept("--from", "2025-05-01", "--to", "2025-06-01")
    assert 0 < len(of_may) < len(every)
    assert len(kept("--as-of", "2024-06-30")) < len(every)
    run_through = kept("--policy", "supplement=run")
    assert [row["paused_minutes"] for row in run_through] != [row["paused_minutes"] for row in every]
    assert kept("--run", "1") == every


def test_figures_are_filtered_by_rule_set_and_run(first_office):
    rows = procmon("show", "figures", "--rule-set", "form_06", "--format", "csv", "--workspace", first_office).rows
    assert rows
    assert {row["rule_set"] for row in rows} == {"form_06"}
    assert procmon("show", "figures", "--run", "1", "--format", "csv", "--workspace", first_office).rows


@pytest.mark.parametrize(
    "words",
    [
        ("everything",),
        ("dossiers", "--policy", "supplement=never"),
        ("dossiers", "--unit", "A", "--field", "B"),
        ("dossiers", "--as-of", "soon"),
        ("dossiers", "--period", "2025-Q5"),
        ("dossiers", "--from", "2025-02-01", "--to", "2025-01-01"),
        ("dossiers", "--run", "9"),
        ("dossiers", "--batch", "one"),
        ("dossiers", "--format", "xml"),
    ],
    ids=" ".join,
)
def test_a_show_that_makes_no_sense_is_refused(first_office, words):
    procmon("show", *words, "--workspace", first_office, code=2)


NOT_TAKEN = [
    ("open-stock", "--procedure"), ("ranking", "--procedure"), ("unit-predecessors", "--procedure"),
    ("way", "--procedure"), ("targets", "--procedure"), ("form-06", "--procedure"), ("on-time", "--procedure"),
    ("units", "--procedure"), ("targets", "--batch"), ("batches", "--batch"), ("form-06", "--batch"),
    ("reductions", "--rule-set"), ("dossiers", "--rule-set"), ("runs", "--rule-set"), ("rejects", "--unit"),
    ("procedures", "--unit"), ("figures", "--unit"), ("units", "--field"), ("parity", "--field"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "option"), NOT_TAKEN, ids=" ".join)
def test_a_filter_that_a_table_cannot_take_is_refused_and_named(first_office, what, option):
    value = {"--batch": "1", "--rule-set": "strict"}.get(option, "X")
    said = procmon("show", what, option, value, "--workspace", first_office, code=2).err
    assert f"{option} is not for {what}" in said
    assert "Remedy: Leave it out." in said


@pytest.mark.parametrize("what", ["targets", "way"])
def test_what_is_promised_is_told_of_the_unit_or_field_asked_for(first_office, what):
    def rows(*words: str) -> list[dict[str, str]]:
        words = (*words, "--as-of", "2025-09-30")
        return procmon("show", what, *words, "--format", "csv", "--workspace", first_office).rows

    every = rows()
    for option, kinds in (("--unit", {"unit", "department"}), ("--field", {"field"})):
        part = next(row["scope_id"] for row in every if row["scope"] in kinds)
        own = [row for row in every if row["scope"] in kinds and row["scope_id"] == part]
        assert rows(option, part) == own
        assert len(own) < len(every)


@pytest.mark.parametrize("what", ["reductions", "change", "parity"])
def test_a_table_with_parts_is_told_of_the_procedure_asked_for(first_office, what):
    key = "part_id" if what == "change" else "scope_id"
    every = procmon("show", what, "--format", "csv", "--workspace", first_office).rows
    kinds = [row["parted_by" if what == "change" else "scope"] for row in every]
    procedure = next(row[key] for row, kind in zip(every, kinds, strict=True) if kind == "procedure" and row[key])
    rows = procmon("show", what, "--procedure", procedure, "--format", "csv", "--workspace", first_office).rows
    assert {row[key] for row in rows} == {procedure}
    said = procmon("show", what, "--procedure", "9.999999", "--workspace", first_office, code=2)
    assert "--procedure 9.999999" in said.err


def test_the_open_stock_has_no_row_of_months_to_come_nor_of_those_before_the_log(first_office, empty):
    def months(*words: str | Path) -> list[str]:
        return [row["month_end_on"] for row in procmon("show", "open-stock", *words, "--format", "csv").rows]

    here = ("--workspace", first_office)
    assert months("--period", "2025", "--as-of", "2025-03-15", *here)[-1] == "2025-02-28"
    assert months("--period", "2025", "--as-of", "2025-03-31", *here)[-1] == "2025-03-31"
    assert months("--as-of", "2024-02-29", *here) == ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"]
    assert months("--workspace", empty) == []


# --- query ----------------------------------------------------------------------------------------------------


def test_a_query_answers_in_a_table(first_office):
    sql = "SELECT outcome, count(*) FROM dossiers GROUP BY 1 ORDER BY 1"
    said = procmon("query", sql, "--workspace", first_office).out.splitlines()
    assert said[0].split() == ["outcome", "count_star()"]
    every = procmon("show", "dossiers", "--format", "csv", "--workspace", first_office).rows
    outcomes = [row["outcome"] for row in every]
    assert [line.split() for line in said[1:]] == [[name, str(outcomes.count(name))] for name in sorted(set(outcomes))]


@pytest.mark.parametrize("name", [what.replace("-", "_") for what in ask.WHAT] + ["events"])
def test_a_query_sees_the_tables_of_show_and_the_events(first_office, name):
    [row] = procmon("query", f"SELECT count(*) AS n FROM {name}", "--format", "csv", "--workspace", first_office).rows
    assert int(row["n"]) >= 0


HOSTILE = [
    "DELETE FROM dossiers",
    "UPDATE dossiers SET outcome = 'finished'",
    "INSERT INTO dossiers SELECT * FROM dossiers",
    "DROP TABLE dossiers",
    "CREATE TABLE mine AS SELECT 1",
    "ALTER TABLE dossiers ADD COLUMN x INTEGER",
    "TRUNCATE dossiers",
    "COPY dossiers TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "EXPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/out.db'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CALL pragma_version()",
    "SELECT 1; DELETE FROM dossiers",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('{workspace}/key')",
    "SELECT * FROM '{workspace}/procmon.toml'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sqlite_scan('{workspace}/procmon.db', 'runs')",
    "WITH gone AS (DELETE FROM dossiers RETURNING *) SELECT * FROM gone",
    "SELECT * FROM nowhere",
    "SELECT",
    "",
    "SELECT count(*) FROM dossiers) TO '{folder}/out.csv' --",
]


def contents(workspace: Path) -> dict[Path, bytes]:
    """Every file, but for those that SQLite makes for its readers."""
    return {
        path: path.read_bytes()
        for path in workspace.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_query_changes_nothing_and_reads_no_file(first_office, tmp_path, sql):
    text = sql.format(folder=tmp_path, workspace=first_office)
    before = contents(first_office)
    said = procmon("query", text, "--workspace", first_office, code=2)
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert list(tmp_path.iterdir()) == []
    assert contents(first_office) == before


def test_a_query_that_takes_too_long_is_stopped(first_office):
    said = procmon(
        "query",
        "SELECT sum(a.range * b.range % 7) FROM range(1000000) AS a, range(1000000) AS b",
        "--workspace",
        first_office,
        env={"PROCMON_ENGINE__QUERY_SECONDS": "0.3"},
        code=2,
    )
    assert "engine.query_seconds" in said.err


def test_a_long_answer_is_cut_and_says_so(first_office):
    said = procmon(
        "query", "SELECT * FROM range(50)", "--format", "csv", "--workspace", first_office,
        env={"PROCMON_ENGINE__QUERY_ROWS": "20"},
    )  # fmt: skip
    assert len(said.rows) == 20
    assert "engine.query_rows" in said.err


# --- doctor ---------------------------------------------------------------------------------------------------


def test_doctor_ends_3_with_what_is_wrong_and_0_when_nothing_is(first_office, empty):
    said = procmon("doctor", "--format", "csv", "--workspace", empty, code=3)
    assert "there has been no run" in [row["finding"] for row in said.rows]
    assert all(row["remedy"] for row in said.rows)
    said = procmon("doctor", "--workspace", first_office)
    assert (said.out, said.err) == ("", "nothing to see to\n")


def test_doctor_says_when_the_log_begins_too_late_for_its_baseline(office):
    procmon("baseline", "publish", "--from", "2023-11-15", "--to", "2025-01-01", "--workspace", office)
    assert "baseline 2 is not complete" in procmon("doctor", "--workspace", office, code=3).out


def test_doctor_names_units_that_ended_without_a_succession(office, tmp_path):
    kept = (CITY / "successions.csv").read_text("utf-8").replace("10507,10507,2025-07-01,whole\n", "")
    (tmp_path / "successions.csv").write_text(kept, encoding="utf-8")
    procmon("load", "successions", tmp_path / "successions.csv", "--replace", "--workspace", office)
    said = procmon("doctor", "--format", "csv", "--workspace", office, code=3)
    (found,) = [row for row in said.rows if "without a succession" in row["finding"]]
    assert "units: 1 ended without a succession, such as 10507 " in found["finding"]
    assert "`10507,10507,2025-07-01,whole`" in found["remedy"]


def test_doctor_names_announced_codes_of_no_procedure(office, tmp_path):
    listed = "procedure_id,announced_on\n1.029312.000.00.00.H24,2025-07-01\n1.029312,2025-07-01\n9.000001,2025-07-01\n"
    (tmp_path / "announced.csv").write_text(listed, encoding="utf-8")
    procmon("load", "announced", tmp_path / "announced.csv", "--workspace", office)
    said = procmon("doctor", "--workspace", office, code=3).out
    assert "announced: 1 codes match no procedure of the registry, such as 9.000001" in said


def test_doctor_finds_what_waits_and_what_is_open_to_others(office):
    (office / "key").chmod(0o644)
    (office / "inbox" / "old.csv").write_text("x")
    findings = procmon("doctor", "--workspace", office, now="2030-01-01T08:00:00+07:00", code=3).out
    assert "others can read the key" in findings
    assert "inbox/old.csv has waited" in findings
    assert "the last run began" in findings


# --- options as variables -------------------------------------------------------------------------------------


def test_the_workspace_and_the_form_may_come_from_the_environment(first_office):
    told = {"PROCMON_WORKSPACE": str(first_office), "PROCMON_FORMAT": "csv", "PROCMON_AS_OF": "2025-12-31"}
    assert procmon("show", "dossiers", env=told).out == shown(first_office, "dossiers", *AS_OF)
