"""The log in the lake: which of its rows count, and how many dossiers a later export took over (rulebook 1)."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.tables import EVENTS


def give_log(engine: Engine, *, lake_files: Sequence[str], done: Sequence[int], live: Sequence[int]) -> None:
    """Make the table `live_rows` in the engine: the rows that count, without what says so.

    Args:
        lake_files: Parquet files of the lake's events, of this release or an earlier one.
        done: the batches that the ledger lists; live: those of them that are not retracted.

    `lake` (tables.EVENTS, all of it) stays in the engine beside it.
    """
    engine.give_files("lake", lake_files, EVENTS.schema)
    engine.give("done", _batches(done))
    engine.give("live", _batches(live))
    engine.steps(sql_text("measure", "log"))
    engine.drop("latest_exports", "log_batches", "said_rows")


def superseded(engine: Engine, *, lake_files: Sequence[str], live: Sequence[int]) -> dict[int, int]:
    """Live batch → its dossiers of which the same source has a later live export; a batch without any is left out."""
    engine.give_files("lake", lake_files, EVENTS.schema)
    engine.give("live", _batches(live))
    return {row["batch_id"]: row["n_superseded"] for row in engine.query(SUPERSEDED).to_pylist()}


SUPERSEDED = """
    WITH exports AS (
        SELECT l.batch_id, l.dossier_id, l.source, max(l.exported_at) AS exported_at
        FROM lake AS l
        WHERE l.source IS NOT NULL AND l.batch_id IN (SELECT v.batch_id FROM live AS v)
        GROUP BY l.batch_id, l.dossier_id, l.source
    ),
    compared AS (
        SELECT *, max(exported_at) OVER (PARTITION BY dossier_id, source) AS latest FROM exports
    )
    SELECT batch_id, count(*) AS n_superseded FROM compared WHERE exported_at < latest GROUP BY batch_id
"""


def _batches(numbers: Sequence[int]) -> pa.Table:
    return pa.table({"batch_id": pa.array(numbers, pa.int64())})
