"""How long the verdicts of a city's year take once measured: `python benchmarks/verdicts.py WORKSPACE`.

The workspace has the log of two years and a published baseline, such as that of `make bench`. `--twice` doubles the
measured dossiers and the baseline, each copy a minute slower: 2.4 million dossiers make a log of 4.8 million.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for `python benchmarks/verdicts.py`

from procmon import pages
from procmon.engine import Engine
from procmon.inputs import measured, midnight, read_inputs, read_period
from procmon.judge import Judge
from procmon.pages import Ask
from procmon.store.workspace import open_workspace
from procmon.tables import BASELINE_TABLES

TABLES = (
    "reductions", "pending_work", "open_stock", "change", "ranking", "predecessors", "unit_predecessors", "trend",
)  # fmt: skip
SLOWER = "dossier_id || '-b' AS dossier_id"


def double(engine: Engine) -> None:
    """Every dossier and its stretches once more, under another code."""
    for table, changed in (("dossiers", f"{SLOWER}, working_seconds + 60 AS working_seconds"), ("stretches", SLOWER)):
        engine.step("twice", f"SELECT * FROM {table} UNION ALL SELECT * REPLACE ({changed}) FROM {table}")
        engine.step(table, "SELECT * FROM twice")
    engine.drop("twice")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--period", default="2025", help="The year that is compared.")
@click.option("--twice", is_flag=True, help="Twice as many dossiers on both sides.")
def main(folder: Path, period: str, twice: bool) -> None:
    """Time each table of the verdicts for the whole city."""
    workspace = open_workspace(folder)
    seen, year = read_inputs(workspace), read_period(period)
    if seen.baseline is None:
        raise click.ClickException(f"{folder} has no baseline: procmon baseline publish --workspace {folder}")
    at = midnight(workspace, year.to)
    click.echo("measuring", err=True)
    with measured(workspace, seen, at, is_period_end=True, with_stretches=True) as engine:
        if twice:
            double(engine)
        files = {table.name: list(workspace.lake.files(table)) * (1 + twice) for table in BASELINE_TABLES}
        began = time.perf_counter()
        judge = Judge(engine, registry=seen.registry, baseline_files=files, baseline_id=seen.baseline.id)
        question = pages.question_of(workspace, seen, at, Ask("city", "", year))
        batches = pages.batch_counts(workspace, seen)
        for name in TABLES:
            start = time.perf_counter()
            judge.tables(question, batches=batches, names=[name])
            click.echo(f"{name}: {time.perf_counter() - start:.1f} s")
        pages.promised(judge, question, ending=year.to)
        evidence = judge.evidence(question)
        cut = evidence.headline.cut
        click.echo(
            f"in all {time.perf_counter() - began:.1f} s: {cut.n_base:,} finished dossiers of the baseline and"
            f" {cut.n_now:,} of the period, {len(evidence.parts)} scopes, {len(evidence.procedures)} procedures"
        )


if __name__ == "__main__":
    main()
