"""Frozen baselines, to look at and to compare."""

from __future__ import annotations

import pyarrow as pa

from procmon.errors import UsageProblem
from procmon.inputs import engine_of, find_baseline
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import BASELINE_DOSSIERS

BY_PROCEDURE = """
    SELECT procedure_key AS procedure_id, count(*) AS n_dossiers, sum(least(working_seconds, cap_seconds)) AS seconds,
        max(cap_seconds) AS cap_seconds
    FROM frozen WHERE baseline_id = (SELECT c.baseline_id FROM chosen AS c)
    GROUP BY procedure_key ORDER BY procedure_key NULLS FIRST
"""


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
