"""A kill at any instant loses nothing that was acknowledged and doubles nothing; the next run finishes the work.

PROCMON_FAULTS says how many kills there are (default 8, `make faults` 200). The instants are random but the same
each time, over the whole length of an undisturbed run on this machine.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.office import NOW, city_rows, copy_of, figures, make_office, procmon, shown, write_log
from tests.smtp_server import MailServer

N = int(os.environ.get("PROCMON_FAULTS", "8"))
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


def run_for(seconds: float | None, *words: str | Path, env: dict[str, str] | None = None) -> float:
    """Start a command and kill it after so many seconds, or let it end; returns how long it lived."""
    process = FORKS.Process(target=main_in, args=([str(word) for word in words], env or {}))
    began = time.monotonic()
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    lived = time.monotonic() - began
    assert seconds is not None or process.exitcode == 0
    process.close()
    return lived


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
    return [shown(office, what, *AS_OF) for what in ("dossiers", "form-06")], counts


def undisturbed(before: Path, folder: Path, *words: str) -> Undisturbed:
    office = copy_of(before, folder / "expected")
    run_for(None, *words, "--workspace", copy_of(before, folder / "warm"))  # the server of forks imports once
    seconds = run_for(None, *words, "--workspace", office)
    return Undisturbed(before, words, seconds, *after(office))


def instant(number: int, seconds: float) -> float:
    return random.Random(number).uniform(0, seconds * 1.02)


# --- ingest ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    return city_rows(2)


@pytest.fixture(scope="module")
def ingest(tmp_path_factory, rows) -> Undisturbed:
    folder = tmp_path_factory.mktemp("ingest")
    log = write_log(folder / "log.csv.gz", [*rows, rows[7], rows[9] | {"status": "done"}])
    assert len(rows) > 20_000
    return undisturbed(make_office(folder / "office", city_rows(100)), folder, "ingest", str(log))


@pytest.mark.parametrize("number", range(N // 2))
def test_a_killed_ingest_is_finished_by_the_next(ingest, tmp_path, number):
    office = copy_of(ingest.before, tmp_path)
    run_for(instant(number, ingest.seconds), *ingest.words, "--workspace", office)
    acknowledged = procmon("show", "batches", "--format", "csv", "--workspace", office).rows
    procmon(*ingest.words, "--workspace", office)
    assert after(office) == (ingest.tables, ingest.counts)
    batches = procmon("show", "batches", "--format", "csv", "--workspace", office).rows
    assert [row for row in acknowledged if row["status"] == "done"] == [
        row for row in batches[: len(acknowledged)] if row["status"] == "done" and row["note"] == ""
    ]
    rejects = procmon("show", "rejects", "--format", "csv", "--workspace", office).rows
    assert len({row["line"] for row in rejects}) == 1


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


@pytest.mark.parametrize("number", range(N // 4))
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


@pytest.mark.parametrize("number", range(N // 4))
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
