"""An office for tests of the commands: a workspace of a part of the sample city, and `procmon` as people type it.

`procmon` runs a command inside this process (a start of Python takes seconds), `spawn` starts a real one. Both know
nothing of this process's PROCMON_ variables, and take the hour from PROCMON_NOW.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from click.testing import CliRunner

from procmon.cli import main

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_logs"
CITY = SAMPLES / "city"
NOW = "2026-01-01T08:00:00+07:00"
"""The morning after the sample city's last day."""

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> Rows:
        """Its output, read as CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))

    def must(self, code: int = 0) -> Said:
        """This, if the command ended with `code`."""
        assert self.code == code, f"ended {self.code} instead of {code}\n{self.out}\n{self.err}"
        return self


def environment(now: str, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with no PROCMON_ variable but the hour and `more`."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("PROCMON_")}
    return clean | {"PROCMON_NOW": now} | dict(more)


def procmon(*words: str | Path, now: str = NOW, env: Mapping[str, str] | None = None, code: int = 0) -> Said:
    """Run a command inside this process; it must end with `code`, and a traceback fails the test."""
    dropped = {name: None for name in os.environ if name.startswith("PROCMON_")}
    runner = CliRunner(env={**dropped, "PROCMON_NOW": now, **(env or {})})
    umask = os.umask(0o077)  # the command sets its own, which is this process's
    try:
        done = runner.invoke(main, [str(word) for word in words], catch_exceptions=False, prog_name="procmon")
    finally:
        os.umask(umask)
    return Said(done.exit_code, done.stdout, done.stderr).must(code)


def spawn(*words: str | Path, now: str = NOW, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a real process; whoever calls waits for it."""
    command = [sys.executable, "-m", "procmon", *map(str, words)]
    return subprocess.Popen(
        command, env=environment(now, env or {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/"
    )


def ended(process: subprocess.Popen[bytes], seconds: float = 120) -> Said:
    """What a real process said, once it has ended."""
    out, err = process.communicate(timeout=seconds)
    return Said(process.returncode, out.decode(), err.decode())


# --- logs and registry ----------------------------------------------------------------------------------------


def city_rows(one_in: int = 8) -> Rows:
    """The events of every n-th dossier of the sample city, chosen by its code."""
    with gzip.open(CITY / "events.csv.gz", "rt", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if crc32(row["dossier_id"].encode()) % one_in == 0]


def write_log(path: Path, rows: Iterable[Mapping[str, str]], columns: Sequence[str] = ()) -> Path:
    """A log file of rows; plain, or gzipped where its name says so."""
    rows, text = list(rows), io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


RECIPIENTS = """\
email,name,audience,scope,schedule,language
lanh-dao@haiphong.example,Lãnh đạo thành phố,city,,daily monthly,vi
giam-doc@haiphong.example,Giám đốc Trung tâm,centre,unit:HP-TT1,daily,vi
"""


def load_city(workspace: Path, recipients: str = RECIPIENTS) -> None:
    """Load the sample city's registry, with few recipients."""
    for kind in ("procedures", "units", "successions", "calendar", "announced", "targets"):
        procmon("load", kind, CITY / f"{kind}.csv", "--workspace", workspace)
    file = workspace.parent / "recipients.csv"
    file.write_text(recipients, encoding="utf-8")
    procmon("load", "recipients", file, "--workspace", workspace)


def make_office(workspace: Path, rows: Rows, *, is_new: bool = True) -> Path:
    """A workspace with the city's registry, `rows` ingested and the baseline of 2024 published."""
    if is_new:
        procmon("init", workspace)
    load_city(workspace)
    log = write_log(workspace.parent / "events.csv", rows)
    procmon("ingest", log, "--workspace", workspace)
    procmon("baseline", "publish", "--workspace", workspace)
    return workspace


def copy_of(workspace: Path, folder: Path) -> Path:
    """A copy of a workspace, to change at will."""
    return Path(shutil.copytree(workspace, folder / "office"))


def shown(workspace: Path, *words: str | Path) -> str:
    """What `procmon show … --format csv` prints."""
    return procmon("show", *words, "--format", "csv", "--workspace", workspace).out


def figures(workspace: Path, run: int) -> list[tuple[str, ...]]:
    """A run's figures without the numbers of row and run."""
    rows = procmon("show", "figures", "--run", str(run), "--format", "csv", "--workspace", workspace).rows
    return [tuple(value for name, value in row.items() if name not in ("id", "run_id")) for row in rows]
