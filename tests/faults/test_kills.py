"""A kill at any instant loses nothing that was acknowledged and doubles nothing; the next run finishes the work.

PROCMON_FAULTS says how many kills of an ingest there are (default 20, of 20,000 rows; `make faults` 200, of 200,000
rows), and a quarter as many of a run, of each kind. The instants are random but the same each time, over the whole
length of an undisturbed run on this machine.
"""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.office import CITY, NOW, city_rows, copy_of, figures, make_office, procmon, shown, write_log
from tests.smtp_server import MailServer

N = int(os.environ.get("PROCMON_FAULTS", "20"))
N_RUNS = 2 if N <= 20 else N // 4
N_ROWS = 20_000 if N <= 20 else 200_000
SECRET = "NGUYENTHIBIMAT0000"
LATER = "2026-01-01T12:00:00+07:00"
AS_OF = ("--as-of", "2025-12-31")

# Each process is a fork of one that has done nothing but import: real, and without a start of seconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["procmon.cli", "tests.faults.test_kills"])


def main_in(words: list[str], variables: dict[str, str]) -> None:
    """What the process does: one command, in silence."""
    for name in [name for name in os.environ if name.startswith("PROCMON_")]:
        del os.environ[name]
    os.environ.update(variables | {"PROCMON_NOW": NOW})
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    from procmon.cli import main

    main(words)


def run_for(
    seconds: float | None, *words: str | Path, env: dict[str, str] | None = None, whom: str = "command"
) -> float:
    """Start a command and kill it after so many seconds, or let it end; returns how long it lived.

    `whom`: the `command`, its `reader` (the process that reads a file), or `all`; without a reader the command.
    """
    process = FORKS.Process(target=main_in, args=([str(word) for word in words], env or {}))
    began = time.monotonic()
    process.start()
    process.join(seconds)
    if process.is_alive():
        kill(process.pid, whom)
        process.join()
    lived = time.monotonic() - began
    assert seconds is not None or process.exitcode == 0
    process.close()
    return lived


def kill(command: int, whom: str) -> None:
    """Kill what `run_for` says, at once."""
    readers = Path(f"/proc/{command}/task/{command}/children").read_text().split()
    killed = [*readers, command] if whom == "all" else readers if whom == "reader" and readers else [command]
    for number in map(int, killed):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(number, signal.SIGKILL)


@dataclass(frozen=True)
class Undisturbed:
    """An office before a command, the command, and what it leads to when nobody kills it."""

    before: Path
    words: tuple[str, ...]
    seconds: float
    tables: list[str]
    counts: Counter[str]


def after(office: Path) -> tuple[list[str], Counter[str]]:
    """The tables that people see, and the rows that the ledger counts, over all batches that count."""
    batches = procmon("show", "batches", "--format", "csv", "--workspace", office).rows
    counts: Counter[str] = Counter()
    for batch in batches:
        n = {name: int(batch[f"n_{name}"]) for name in ("read", "stored", "repeated", "amended", "refused")}
        assert batch["status"] in ("done", "failed")
        if batch["status"] == "done":
            assert n["read"] == n["stored"] + n["repeated"] + n["amended"] + n["refused"]
            counts.update({name: n[name] for name in ("stored", "amended")})
    dossiers = hashlib.sha256(shown(office, "dossiers", *AS_OF).encode()).hexdigest()
    return [dossiers, shown(office, "form-06", *AS_OF)], counts


def undisturbed(before: Path, folder: Path, *words: str) -> Undisturbed:
    office = copy_of(before, folder / "expected")
    run_for(None, *words, "--workspace", copy_of(before, folder / "warm"))  # the server of forks imports once
    seconds = run_for(None, *words, "--workspace", office)
    return Undisturbed(before, words, seconds, *after(office))


def instant(number: int, seconds: float) -> float:
    return random.Random(number).uniform(0, seconds * 1.02)


# --- ingest ---------------------------------------------------------------------------------------------------


class Log(NamedTuple):
    """A large file: its mapping, and what it says of people, which may stand nowhere."""

    path: Path
    mapping: str
    secret: bytes


def large_log(folder: Path) -> Log:
    """The sample city's events again and again under other codes, a repeat, and a refused row."""
    base = [row | {"applicant_id": SECRET} for row in city_rows(1)]
    copies = -(-N_ROWS // len(base))
    rows = [row | {"dossier_id": f"{row['dossier_id']}-{copy}"} for copy in range(copies) for row in base][:N_ROWS]
    rows[-2:] = [rows[7], rows[9] | {"status": "done"}]
    return Log(write_log(folder / "log.csv.gz", rows), "canonical", SECRET.encode())


def large_list(folder: Path) -> Log:
    """A list of as many dossiers, with the names of people, a repeat, and a refused row."""
    rng, first = random.Random(3), datetime(2025, 1, 6)
    with (CITY / "procedures.csv").open(encoding="utf-8") as file:
        procedures = sorted({row["procedure_id"] for row in csv.DictReader(file)})
    rows = []
    for number in range(N_ROWS - 2):
        received = first + timedelta(days=rng.randrange(330), minutes=450 + rng.randrange(540))
        done = received + timedelta(minutes=rng.randrange(10, 20_000))
        rows.append(
            {
                "Số hồ sơ": f"H24.{number:07}", "Chủ hồ sơ": SECRET, "Mã thủ tục": rng.choice(procedures),
                "Ngày tiếp nhận": f"{received:%d/%m/%Y %H:%M}", "Ngày hẹn trả": f"{received + timedelta(9):%d/%m/%Y}",
                "Ngày trả": f"{done:%d/%m/%Y %H:%M}" if number % 9 else "",
                "Trạng thái": "Đã trả kết quả" if number % 9 else "Đang xử lý",
                "Đơn vị tiếp nhận": f"HP-TT{number % 3}",
            }
        )  # fmt: skip
    rows += [rows[7], rows[9] | {"Số hồ sơ": "H24.X", "Trạng thái": "Chờ"}]
    return Log(write_log(folder / "list.csv", rows), "danh-sach-ho-so", SECRET.encode())


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Path:
    return make_office(tmp_path_factory.mktemp("ingest") / "office", city_rows(100))


@pytest.fixture(scope="module")
def ingests(tmp_path_factory, office) -> list[tuple[Log, Undisturbed]]:
    """Both large files, and what an undisturbed ingest of each leads to."""
    found = []
    for make in (large_log, large_list):
        folder = tmp_path_factory.mktemp(make.__name__)
        log = make(folder)
        words = ("ingest", str(log.path), "--mapping", log.mapping)
        found.append((log, undisturbed(office, folder, *words)))
    return found


@pytest.mark.parametrize("number", range(N))
def test_a_killed_ingest_is_finished_by_the_next(ingests, tmp_path, number):
    """Killed are both processes (twice in four), the command alone, or the process that reads alone."""
    log, expected = ingests[number % 2]
    office = copy_of(expected.before, tmp_path)
    whom = ("all", "all", "command", "reader")[number // 2 % 4]
    run_for(instant(number, expected.seconds), *expected.words, "--workspace", office, whom=whom)
    assert_nobody_in(office, log.secret)
    acknowledged = procmon("show", "batches", "--format", "csv", "--workspace", office).rows
    procmon(*expected.words, "--workspace", office)
    assert after(office) == (expected.tables, expected.counts)
    batches = procmon("show", "batches", "--format", "csv", "--workspace", office).rows
    assert [row for row in acknowledged if row["status"] == "done"] == [
        row for row in batches[: len(acknowledged)] if row["status"] == "done" and row["note"] == ""
    ]
    rejects = procmon("show", "rejects", "--format", "csv", "--workspace", office).rows
    assert len({row["line"] for row in rejects}) == 1
    assert list((office / "scratch").glob("*")) == []
    assert_nobody_in(office, log.secret)


def assert_nobody_in(office: Path, secret: bytes) -> None:
    """No file of a workspace, torn or whole, says what the log said of people."""
    assert [path for path in office.rglob("*") if path.is_file() and secret in path.read_bytes()] == []


# --- run ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("run")
    rows = city_rows(40)
    office = make_office(folder / "office", rows)
    write_log(office / "inbox" / "night.csv", [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows[-300:]])
    return undisturbed(office, folder, "run", *AS_OF)


@pytest.fixture(scope="module")
def night_figures(night, tmp_path_factory):
    office = copy_of(night.before, tmp_path_factory.mktemp("figures"))
    procmon(*night.words, "--no-send", "--workspace", office)
    return figures(office, 1)


def assert_finished(office: Path, night: Undisturbed, night_figures: list[tuple[str, ...]]) -> list[dict[str, str]]:
    """The figures are those of an undisturbed run, the inbox is empty; returns the deliveries."""
    assert after(office) == (night.tables, night.counts)
    runs = procmon("show", "runs", "--format", "csv", "--workspace", office).rows
    assert {run["status"] for run in runs} <= {"done", "failed"}
    for run in runs:
        if run["status"] == "done":
            assert figures(office, int(run["id"])) == night_figures
    assert runs[-1]["status"] == "done"
    assert list((office / "inbox").iterdir()) == []
    deliveries = procmon("show", "deliveries", "--format", "csv", "--workspace", office).rows
    assert len(deliveries) == 3
    return deliveries


@pytest.mark.parametrize("number", range(N_RUNS))
def test_a_killed_run_is_finished_by_the_next_and_writes_each_mail_once(night, night_figures, tmp_path, number):
    office = copy_of(night.before, tmp_path)
    run_for(instant(1000 + number, night.seconds), *night.words, "--workspace", office)
    procmon(*night.words, "--workspace", office)
    deliveries = assert_finished(office, night, night_figures)
    assert {row["status"] for row in deliveries} == {"written"}
    assert sorted(path.name for path in (office / "outbox").glob("*.eml")) == sorted(row["reply"] for row in deliveries)


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with MailServer() as started:
        yield started


@pytest.mark.parametrize("number", range(N_RUNS))
def test_a_killed_run_loses_no_mail_and_sends_none_more_than_twice(night, night_figures, server, tmp_path, number):
    office = copy_of(night.before, tmp_path)
    smtp = {
        "PROCMON_SMTP__HOST": "localhost",
        "PROCMON_SMTP__PORT": str(server.port),
        "PROCMON_SMTP__SECURITY": "none",
        "PROCMON_SMTP__SENDER": "procmon@haiphong.example",
    }
    server.script.mails.clear()
    run_for(instant(2000 + number, night.seconds), *night.words, "--workspace", office, env=smtp)
    procmon(*night.words, "--workspace", office, env=smtp, now=LATER)
    deliveries = assert_finished(office, night, night_figures)
    assert {row["status"] for row in deliveries} == {"sent"}
    taken = Counter(mail.mime for mail in server.script.mails)  # a second copy has the same bytes
    assert len(taken) == 3
    assert sum(taken.values()) <= 4
