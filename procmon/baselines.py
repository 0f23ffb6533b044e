"""Frozen baselines: published, looked at, compared (rulebook 7e)."""

from __future__ import annotations

import json
from datetime import date, datetime

import pyarrow as pa

from procmon import __version__
from procmon.errors import UsageProblem
from procmon.inputs import Inputs, engine_of, find_baseline, measured, midnight, read_inputs
from procmon.judge import freeze
from procmon.store import ledger
from procmon.store.database import writing
from procmon.store.workspace import Workspace
from procmon.tables import BASELINE_DOSSIERS, Period

BY_PROCEDURE = """
    SELECT procedure_key AS procedure_id, count(*) AS n_dossiers, sum(least(working_seconds, cap_seconds)) AS seconds,
        max(cap_seconds) AS cap_seconds
    FROM frozen WHERE baseline_id = (SELECT c.baseline_id FROM chosen AS c)
    GROUP BY procedure_key ORDER BY procedure_key NULLS FIRST
"""


def publish(workspace: Workspace, period: Period, *, now: datetime) -> ledger.Baseline:
    """Freeze the finished dossiers of a period as the baseline of every run from now on (rulebook 7e).

    Raises: UsageProblem where no dossier was finished in the period.
    """
    with workspace.lock():
        workspace.settle()
        seen = read_inputs(workspace)
        with measured(workspace, seen, midnight(workspace, period.to), is_period_end=True) as engine:
            rows = freeze(engine, period)
            if rows.num_rows == 0:
                raise UsageProblem(
                    f"no dossier was finished from {period.from_} to {period.to} (excluded)",
                    remedy="Ingest the log of that time first: `procmon ingest FILE`.",
                )
            log = engine.query(
                "SELECT min(received_on) AS first, quantile_disc(working_seconds, 0.99) FILTER (WHERE outcome IN "
                "('finished', 'returned') AND ended_on >= (SELECT first FROM frozen_period)) AS p99 FROM dossiers"
            ).to_pylist()[0]
            run_in = _open_seconds(seen, log["first"], period.from_)
        baseline = _new_baseline(workspace, seen, period, now)
        ids = pa.array([baseline.id] * rows.num_rows, pa.int64())
        workspace.lake.append(BASELINE_DOSSIERS, rows.add_column(0, "baseline_id", ids), f"baseline-{baseline.id}")
        baseline.status, baseline.n_dossiers = "done", rows.num_rows
        baseline.log_begins_on, baseline.p99_days = log["first"], int(log["p99"]) / 28800
        baseline.is_complete = run_in >= log["p99"]
        with writing(workspace.ledger_db) as session:
            session.add(baseline)
    return baseline


def _new_baseline(workspace: Workspace, seen: Inputs, period: Period, now: datetime) -> ledger.Baseline:
    baseline = ledger.Baseline(
        published_at=now,
        baseline_from=period.from_,
        baseline_to=period.to,
        lake_version=seen.lake_version,
        batches=ledger.format_batches(seen.live),
        registry_version=seen.registry_version,
        calendar_version=seen.calendars.version,
        program_version=__version__,
        settings=json.dumps({"policies": seen.policies.model_dump()}),
    )
    with writing(workspace.ledger_db) as session:
        session.add(baseline)
    return baseline


def _open_seconds(seen: Inputs, first: date, last: date) -> int:
    """Open time between two midnights on the default calendar."""
    days = {
        row["day"]: row["open_before"]
        for row in seen.calendars.days.to_pylist()
        if row["calendar_id"] == "default" and row["day"] in (first, last)
    }
    return int(days[last] - days[first]) if first < last else 0


def show(workspace: Workspace, number: int | None) -> tuple[ledger.Baseline, pa.Table]:
    """A baseline (default: the newest) and its procedures: n, capped mean and cap in minutes.

    Raises: UsageProblem where there is no such baseline.
    """
    baseline = find_baseline(workspace, number, newest=number is None)
    if baseline is None:
        raise UsageProblem(
            "no baseline is published" if number is None else f"there is no baseline {number}",
            remedy="Publish one with `procmon baseline publish`.",
        )
    with engine_of(workspace) as engine:
        engine.give_files("frozen", workspace.lake.files(BASELINE_DOSSIERS), BASELINE_DOSSIERS.schema)
        engine.give("chosen", pa.table({"baseline_id": pa.array([baseline.id], pa.int64())}))
        rows = engine.query(BY_PROCEDURE).to_pylist()
    return baseline, pa.table(
        {
            "procedure_id": pa.array([row["procedure_id"] for row in rows], pa.string()),
            "n_dossiers": pa.array([row["n_dossiers"] for row in rows], pa.int64()),
            "mean_minutes": pa.array(
                [round(int(row["seconds"]) / row["n_dossiers"] / 60, 3) for row in rows], pa.float64()
            ),
            "cap_minutes": pa.array([round(row["cap_seconds"] / 60, 3) for row in rows], pa.float64()),
        }
    )


def diff(workspace: Workspace, before: int, after: int) -> pa.Table:
    """The procedures in which two baselines differ, with both sides' figures; empty where a side lacks one."""
    sides = [{row["procedure_id"]: row for row in show(workspace, number)[1].to_pylist()} for number in (before, after)]
    moved = [code for code in sorted({*sides[0], *sides[1]}) if sides[0].get(code) != sides[1].get(code)]
    columns: dict[str, pa.Array] = {"procedure_id": pa.array(moved, pa.string())}
    for name, kind in (("n_dossiers", pa.int64()), ("mean_minutes", pa.float64()), ("cap_minutes", pa.float64())):
        for side, when in zip(sides, ("before", "after"), strict=True):
            columns[f"{name}_{when}"] = pa.array([side.get(code, {}).get(name) for code in moved], kind)
    return pa.table(columns)
