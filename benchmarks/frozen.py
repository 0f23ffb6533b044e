"""A baseline published, then two million events of 2024 more: `python benchmarks/frozen.py OUT_DIR`.

Makes a city, publishes its baseline, does a run; copies dossiers that began and ended within 2024 until they are
`--events` events or more, ingests them, and does the run again. What the baseline's dossiers enter into (reductions,
targets, trend) must be equal to the digit, and `doctor` must say how many events came since. Ends with 1 where not.
Times are said of each step; the workspace is left in OUT_DIR to look at.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for `python benchmarks/frozen.py`

from benchmarks.city import generate

NOW = "2026-01-01T08:00:00+07:00"
AS_OF = ("--as-of", "2025-12-31")
KINDS = ("procedures", "units", "successions", "calendar", "announced", "targets")
OF_THE_BASELINE = ("reductions.", "targets.", "trend.")

# The 2025 side of a run must see nothing of them, so they end well before the year does.
MORE = """
COPY (
    WITH log AS (FROM read_csv('{log}', all_varchar = true)),
    within AS (
        SELECT dossier_id, count(*) AS n
        FROM log
        GROUP BY dossier_id
        HAVING min(occurred_at) >= '2024-01-01' AND max(occurred_at) < '2024-12-01'
            AND max_by(status, occurred_at) IN ('finished', 'returned', 'withdrawn', 'stopped', 'refused')
    )
    SELECT l.* REPLACE ('X' || c.copy || '-' || l.dossier_id AS dossier_id)
    FROM range(1 + {events} // (SELECT sum(n)::BIGINT FROM within)) AS c (copy)
    CROSS JOIN log AS l
    SEMI JOIN within ON within.dossier_id = l.dossier_id
) TO '{more}' (HEADER)
"""


def procmon(workspace: Path, *words: str | Path, codes: tuple[int, ...] = (0,)) -> str:
    """What a command prints; says how long it took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "procmon", *map(str, words), "--workspace", str(workspace)]
    done = subprocess.run(
        command, env=os.environ | {"PROCMON_NOW": NOW}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(command)} ended {done.returncode}")
    click.echo(f"{time.monotonic() - began:7.1f} s  procmon {' '.join(map(str, words))[:70]}", err=True)
    return done.stdout


def verdicts(workspace: Path, run: int) -> tuple[list[list[str]], str]:
    """A run's figures that the baseline enters into, and the targets as shown."""
    text = procmon(workspace, "show", "figures", "--run", str(run), "--format", "csv")
    rows = csv.DictReader(io.StringIO(text))
    told = [
        [value for name, value in row.items() if name not in ("id", "run_id")]
        for row in rows
        if row["figure"].startswith(OF_THE_BASELINE)
    ]
    return told, procmon(workspace, "show", "targets", *AS_OF, "--format", "csv")


def more_of_2024(log: Path, more: Path, events: int) -> int:
    """Write `events` events of copied dossiers or some more, as each is copied whole; returns how many."""
    duckdb.sql(MORE.format(log=log, more=more, events=events))
    return int(duckdb.sql(f"SELECT count(*) FROM read_csv('{more}', all_varchar = true)").fetchall()[0][0])


@click.command(help=(__doc__ or "").split("\n")[0])
@click.argument("out_dir", type=click.Path(file_okay=False, path_type=Path))
@click.option("--dossiers", type=click.IntRange(min=1_000), default=200_000, show_default=True)
@click.option("--events", type=click.IntRange(min=1_000), default=2_000_000, show_default=True)
def main(out_dir: Path, dossiers: int, events: int) -> None:
    city, workspace = out_dir / "city", out_dir / "office"
    generate(city, dossiers=dossiers)
    subprocess.run([sys.executable, "-m", "procmon", "init", str(workspace)], check=True, stdout=subprocess.DEVNULL)
    for kind in KINDS:
        procmon(workspace, "load", kind, city / f"{kind}.csv")
    procmon(workspace, "ingest", city / "events.csv")
    click.echo(procmon(workspace, "baseline", "publish"), nl=False)
    procmon(workspace, "run", *AS_OF, "--no-send")
    before = verdicts(workspace, 1)
    n = more_of_2024(city / "events.csv", out_dir / "more.csv", events)
    procmon(workspace, "ingest", out_dir / "more.csv")
    procmon(workspace, "run", *AS_OF, "--no-send")
    after = verdicts(workspace, 2)
    said = procmon(workspace, "doctor", codes=(3,))
    is_told = f"{n} events from before 2025-01-01 came with batches that count only since: 2" in said
    click.echo(f"{n} events of 2024 came; {len(before[0])} figures: {'equal' if before == after else 'NOT EQUAL'}")
    click.echo(f"doctor: {'says so' if is_told else 'SAYS NOTHING OF IT'}")
    click.echo(procmon(workspace, "baseline", "publish"), nl=False)
    sys.exit(0 if before == after and is_told else 1)


if __name__ == "__main__":
    main()
