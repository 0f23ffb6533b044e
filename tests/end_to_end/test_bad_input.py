"""What is missing, broken or unknown: one clear message with its remedy, the right exit code, nothing half done."""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.office import NOW, SAMPLES, Said, city_rows, environment, make_office, procmon, shown, write_log
from tests.smtp_server import MailServer

AS_OF = ("--as-of", "2025-12-31")


@pytest.fixture(scope="module")
def rows():
    return city_rows(40)


@pytest.fixture(scope="module")
def first_office(tmp_path_factory, rows) -> Path:
    return make_office(tmp_path_factory.mktemp("first") / "office", rows)


def said_well(said: Said, *words: str) -> None:
    """One message and one remedy, naming `words`, and no traceback."""
    lines = said.err.splitlines()
    assert [line.split(": ")[0] for line in lines[-2:]] == ["Error", "Remedy"]
    assert "Traceback" not in said.err
    assert said.out == ""
    for word in words:
        assert word in said.err


# --- the workspace --------------------------------------------------------------------------------------------

COMMANDS = [
    ("load", "units", "u.csv"),
    ("ingest", "l.csv"),
    ("batch", "retract", "1", "--why", "x"),
    ("batch", "restore", "1"),
    ("run",),
    ("baseline", "publish"),
    ("baseline", "show"),
    ("baseline", "diff", "1", "2"),
    ("report", "--audience", "city"),
    ("send",),
    ("schedule", "--once"),
    ("show", "dossiers"),
    ("query", "SELECT 1"),
    ("doctor",),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_missing_workspace_is_named_by_every_command(tmp_path, words):
    said_well(procmon(*words, "--workspace", tmp_path / "none", code=12), str(tmp_path / "none"), "procmon init")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(("revision", "remedy"), [("9999", "newer"), (None, "there is no database")])
def test_a_workspace_of_another_version_is_refused_and_left_as_it_is(office, words, revision, remedy):
    with sqlite3.connect(office / "procmon.db") as database:
        if revision:
            database.execute("UPDATE alembic_version SET version_num = ?", [revision])
        else:
            database.execute("DELETE FROM alembic_version")
    database.close()
    before = (office / "procmon.db").read_bytes()
    said_well(procmon(*words, "--workspace", office, code=12), "procmon.db", remedy)
    assert (office / "procmon.db").read_bytes() == before


def test_a_database_that_is_gone_or_no_database_is_named(office):
    for file in office.glob("procmon.db*"):
        file.unlink()
    said_well(procmon("show", "runs", "--workspace", office, code=12), "procmon.db")
    (office / "procmon.db").write_bytes(b"not a database at all, " * 100)
    said_well(procmon("show", "runs", "--workspace", office, code=12), "procmon.db")


def test_a_lake_that_is_gone_is_named(office):
    shutil.rmtree(office / "lake" / "events")
    said_well(procmon("show", "dossiers", "--workspace", office, code=12), "lake/events")
    said_well(procmon("run", "--workspace", office, code=12), "lake/events")


def test_a_key_that_is_gone_stops_ingest_before_anything_is_stored(office):
    (office / "key").unlink()
    said_well(procmon("ingest", SAMPLES / "bad_line.csv", "--workspace", office, code=12), "key", "backup")
    assert shown(office, "batches").count("\n") == 2


def test_a_place_where_no_workspace_can_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    said_well(procmon("init", tmp_path / "file" / "office", code=12), "office")


def test_a_second_run_is_refused_while_one_is_at_work(office, tmp_path):
    with (office / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711\n")
        lock.flush()
        for words in (("run",), ("ingest", SAMPLES / "bad_line.csv"), ("send",), ("schedule", "--once")):
            said_well(procmon(*words, "--workspace", office, code=14), "4711")
        assert shown(office, "batches").count("\n") == 2  # to look is always possible
    procmon("ingest", SAMPLES / "reopened_dossier.csv", "--workspace", office)


# --- settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mail]\nhost = 'x'\n", ("[mail]", "[smtp]")),
        ("[smtp]\nhots = 'x'\n", ("smtp.hots", "no such setting")),
        ("[smtp]\nport = 'many'\n", ("smtp.port", "settings.md")),
        ("[smtp]\nhost = 'mail.example.vn'\nsecurity = 'none'\n", ("starttls",)),
        ("[smtp\n", ("TOML", "line 1")),
        ("[smtp]\npassword = 'secret-4711'\n", ("smtp.password", "PROCMON_SMTP__PASSWORD")),
        ("[smtp]\npassword_file = '/no/such/file'\n", ("/no/such/file",)),
        ("[workspace]\ntimezone = 'Asia/Hai_Phong'\n", ("workspace.timezone",)),
        ("[workspace]\ndatabase_url = 'mysql://x/y'\n", ("workspace.database_url",)),
        ("[schedule]\nnightly_at = '25:00'\n", ("schedule.nightly_at",)),
        ("workspace = 3\n", ("workspace",)),
    ],
)
def test_a_bad_setting_is_named_with_its_file(office, text, words):
    (office / "procmon.toml").write_text(text)
    said = procmon("run", "--workspace", office, code=10)
    said_well(said, *words)
    assert "secret-4711" not in said.err


def test_a_password_file_that_others_can_read_is_refused(office, tmp_path):
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o644)
    (office / "procmon.toml").write_text(f"[smtp]\npassword_file = '{tmp_path}/password'\n")
    said_well(procmon("send", "--workspace", office, code=10), "chmod 600")


@pytest.mark.parametrize("variable", ["PROCMON_SMTP__PORT", "PROCMON_SMTP__HOTS", "PROCMON_SMTP__ALLOWED_DOMAINS"])
def test_a_bad_variable_is_said_like_a_bad_setting(office, variable):
    said_well(procmon("run", "--workspace", office, env={variable: "x"}, code=10), "smtp")


# --- files ----------------------------------------------------------------------------------------------------


BAD_FILES = {
    "nothing.csv": (b"", "the file is empty"),
    "header.csv": (b"dossier_id,status,occurred_at,procedure_id\n", "no row"),
    "columns.csv": (b"dossier,status,occurred_at,procedure_id\nA,received,2025-01-01,1.1\n", "dossier_id is missing"),
    "twice.csv": (b"dossier_id,status,status,occurred_at,procedure_id\nA,received,x,2025-01-01,1.1\n", "twice"),
    "utf16.csv": ("dossier_id,status,occurred_at\n".encode("utf-16"), "procedure_id"),
    "quote.csv": (b'dossier_id,status,occurred_at,procedure_id\n"A,received,2025-01-01,1.1\n', "quote"),
    "cut.csv.gz": (gzip.compress(b"dossier_id,status,occurred_at\n" * 1000)[:-20], "gzip"),
    "workbook.csv": (b"PK\x03\x04\x00\x00\x00\x00", "workbook"),
}


@pytest.mark.parametrize("name", list(BAD_FILES))
def test_a_file_that_cannot_be_taken_is_refused_whole(office, tmp_path, name):
    content, reason = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    said_well(procmon("ingest", tmp_path / name, "--workspace", office, code=11), name, reason)
    assert shown(office, "batches").count("\n") == 2


def test_a_refused_file_stays_in_the_inbox_and_the_others_go_in(office, rows):
    for name in ("columns.csv", "cut.csv.gz"):
        (office / "inbox" / name).write_bytes(BAD_FILES[name][0])
    write_log(office / "inbox" / "good.csv", [rows[0] | {"dossier_id": "GOOD"}])
    said = procmon("run", *AS_OF, "--no-send", "--fail-on", "rejects", "--workspace", office, code=3)
    assert "good.csv: batch 2: 1 rows read, 1 stored" in said.out
    for name in ("columns.csv", "cut.csv.gz"):
        assert BAD_FILES[name][1] in said.err
        assert (office / "inbox" / name).read_bytes() == BAD_FILES[name][0]
    assert not (office / "inbox" / "good.csv").exists()


def test_a_file_without_leave_to_read_is_refused_with_the_remedy(office, tmp_path):
    file = tmp_path / "closed.csv"
    file.write_text("x")
    file.chmod(0)
    for words, code in ((("ingest", file), 11), (("load", "units", file), 10)):
        command = [sys.executable, "-m", "procmon", *words, "--workspace", office]
        if os.geteuid() == 0:  # who may read everything, unless it is taken from him
            command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        done = subprocess.run(command, env=environment(NOW, {}), capture_output=True, text=True, check=False, cwd="/")
        said_well(Said(done.returncode, done.stdout, done.stderr).must(code), str(file))


def test_a_registry_file_that_is_missing_or_has_a_wrong_column_is_named(office, tmp_path):
    said_well(procmon("load", "units", tmp_path / "none.csv", "--workspace", office, code=10), "none.csv")
    before = shown(office, "units")
    (tmp_path / "units.csv").write_text("unit,name\nX,Y\n")
    said_well(procmon("load", "units", tmp_path / "units.csv", "--workspace", office, code=10), "units.csv", "unit_id")
    assert shown(office, "units") == before


def test_kept_inputs_lie_in_a_closed_folder_until_their_days_are_over(office, rows):
    kept = {"PROCMON_WORKSPACE__KEEP_INPUTS": "3"}
    for number in (1, 2):
        log = write_log(office / "inbox" / "night.csv", [rows[0] | {"dossier_id": f"K{number}"}])
        os.utime(log, (0, 0))  # how old the export is does not count
        procmon("run", *AS_OF, "--no-send", "--workspace", office, env=kept)
    folder = office / "kept_inputs"
    assert sorted(path.name for path in folder.iterdir()) == ["2-night.csv", "night.csv"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list((office / "inbox").iterdir()) == []
    procmon("run", *AS_OF, "--no-send", "--workspace", office, env=kept, now="2100-01-01T08:00:00+07:00")
    assert list(folder.iterdir()) == []


# --- unknown things -------------------------------------------------------------------------------------------


def counted(office: Path) -> dict[str, int]:
    """A run's counts of data quality, now."""
    procmon("run", *AS_OF, "--no-send", "--workspace", office)
    sql = "SELECT figure, CAST(numerator AS INTEGER) AS n FROM figures WHERE figure LIKE 'quality.%' AND scope = 'city'"
    rows = procmon("query", sql, "--format", "csv", "--workspace", office).rows
    return {row["figure"].removeprefix("quality."): int(row["n"]) for row in rows}


def test_dossiers_of_an_unknown_procedure_or_unit_are_measured_and_counted(office, tmp_path):
    before = counted(office)
    common = {"dossier_id": "U1", "procedure_id": "9.999999", "receiving_unit_id": "NOWHERE"}
    log = write_log(
        tmp_path / "unknown.csv",
        [
            common | {"status": "received", "occurred_at": "2025-12-01T08:00"},
            common | {"status": "finished", "occurred_at": "2025-12-01T10:00"},
        ],
    )
    assert "2 rows read, 2 stored" in procmon("ingest", log, "--workspace", office).out
    assert len(shown(office, "dossiers", "--unit", "NOWHERE", *AS_OF).splitlines()) == 2
    [dossier] = procmon("show", "dossiers", "--batch", "2", "--format", "csv", "--workspace", office, *AS_OF).rows
    assert (dossier["procedure_id"], dossier["receiving_unit_id"]) == ("9.999999", "NOWHERE")
    assert (dossier["working_minutes"], dossier["computed_due_at"], dossier["on_time_766"]) == ("120", "", "")
    after = counted(office)
    for item in ("unknown_procedure", "unknown_unit", "without_any_due_date"):
        assert after[item] == before[item] + 1


@pytest.mark.parametrize(
    "words",
    [
        ("dossiers", "--unit", "NOWHERE"), ("boundaries", "--unit", "NOWHERE"), ("units", "--unit", "NOWHERE"),
        ("form-06", "--field", "NOWHERE"), ("dossiers", "--procedure", "NOWHERE"),
        ("figures", "--procedure", "NOWHERE"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_mistyped_code_is_not_answered_by_an_empty_table(office, words):
    said_well(procmon("show", *words, "--workspace", office, code=2), words[1], "NOWHERE", "procmon show")


def test_a_table_without_rows_of_a_known_unit_is_empty(office):
    assert len(shown(office, "dossiers", "--unit", "10507", "--as-of", "2020-01-01").splitlines()) == 1


def test_without_a_baseline_a_run_works_and_says_so(tmp_path, rows):
    office = tmp_path / "office"
    procmon("init", office)
    write_log(office / "inbox" / "log.csv", rows)
    said = procmon("run", *AS_OF, "--workspace", office).out
    assert "Thời gian giải quyết thực tế, cùng cơ cấu TTHC: không đủ dữ liệu" in said
    page = (office / "reports" / "run-000001" / "city.html").read_text()
    assert "chưa công bố" in page.lower()
    assert "procmon baseline publish" in procmon("doctor", "--workspace", office, code=3).out


# --- no mail server -------------------------------------------------------------------------------------------


def test_mails_wait_until_the_server_is_there_and_then_go_once(office):
    with MailServer() as server:
        port = server.port  # where nobody listens any more
    smtp = {
        "PROCMON_SMTP__HOST": "localhost",
        "PROCMON_SMTP__PORT": str(port),
        "PROCMON_SMTP__SECURITY": "none",
        "PROCMON_SMTP__SENDER": "procmon@haiphong.example",
        "PROCMON_SMTP__TIMEOUT": "5",
    }
    said = procmon("run", *AS_OF, "--workspace", office, env=smtp, code=13)
    assert "Error: 3 mails were not delivered by localhost: no mail was handed over: " in said.err
    assert "refused" in said.err
    assert "Remedy: " in said.err
    assert "run 1 as of" in said.out
    waiting = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows
    assert {row["status"] for row in waiting} == {"deferred"}
    with MailServer() as server:
        smtp["PROCMON_SMTP__PORT"] = str(server.port)
        too_soon = procmon("send", "--workspace", office, env=smtp, code=13)
        assert "3 mails were not delivered" in too_soon.err
        later = "2026-01-01T09:00:00+07:00"
        assert procmon("send", "--workspace", office, env=smtp, now=later).out == "3 sent\n"
        assert procmon("send", "--workspace", office, env=smtp, now=later).out == "nothing was due\n"
        procmon("run", *AS_OF, "--workspace", office, env=smtp, now=later)
        assert len(server.script.mails) == 3


def test_a_refused_mail_ends_13_and_is_offered_again_only_when_asked(office):
    with MailServer() as server:
        smtp = {
            "PROCMON_SMTP__HOST": "localhost",
            "PROCMON_SMTP__PORT": str(server.port),
            "PROCMON_SMTP__SECURITY": "none",
            "PROCMON_SMTP__SENDER": "procmon@haiphong.example",
        }
        server.script.replies["giam-doc@haiphong.example"] = "550 no such mailbox"
        said = procmon("run", *AS_OF, "--workspace", office, env=smtp, code=13)
        assert "1 mails were not delivered by localhost: 550 no such mailbox" in said.err
        assert "550 no such mailbox" in procmon("doctor", "--workspace", office, code=3).out
        assert procmon("send", "--workspace", office, env=smtp).out == "nothing was due\n"
        del server.script.replies["giam-doc@haiphong.example"]
        assert procmon("send", "--retry-failed", "--workspace", office, env=smtp).out == "1 sent\n"
        recipients = [mail.recipient for mail in server.script.mails]
        assert sorted(recipients) == ["giam-doc@haiphong.example"] + ["lanh-dao@haiphong.example"] * 2
