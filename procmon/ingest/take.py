"""Checked rows against the lake: what is new, what repeats, what amends (rulebook 1).

Every distinct row (all canonical columns but `recorded_at`) stands in the lake once; a batch that says it again
leaves a reference. So a retracted batch takes along only what no other batch said (docs/decisions/0008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from procmon.engine import Engine
from procmon.errors import StoreError
from procmon.ingest.check import check
from procmon.ingest.read import RawFile
from procmon.tables import EVENT_COLUMNS, EVENTS

SAME = tuple(name for name, _, _ in EVENT_COLUMNS if name != "recorded_at")
"""A row equal in all of these is a repeat."""

AMENDS = ("dossier_id", "status", "occurred_at", "occurred_on", "unit_id", "stage", "due_at", "due_on")
"""A row equal in these, but not in all, is an amendment."""


COUNTS = """
    SELECT
        count(*) FILTER (WHERE kind = 'stored') AS stored,
        count(*) FILTER (WHERE kind = 'amended') AS amended,
        CAST(coalesce(sum(n_rows), 0) AS BIGINT) AS n_rows
    FROM sorted_out
"""


@dataclass(frozen=True)
class Taken:
    """One file's rows: what goes to the lake, what was refused, and the counts of its batch."""

    events: pa.Table
    rejects: pa.Table
    n_read: int
    n_stored: int
    n_repeated: int
    n_amended: int
    n_refused: int


def take(
    engine: Engine,
    raw: RawFile,
    *,
    zone: str,
    batch_id: int,
    lake_files: Sequence[str],
    done: Sequence[int],
    live: Sequence[int],
) -> Taken:
    """Decide each row of a file that was read.

    Args:
        lake_files: the Parquet files of the lake's events.
        done: the batches that the ledger lists as done; rows of others do not exist.
        live: those of them that are not retracted.

    Returns: events (table EVENTS), rejects (table REJECTS) and counts; read = stored + repeated + amended + refused.
    Raises: StoreError if that sum does not hold (a bug, held before anything is written).
    """
    rejects = check(engine, raw, zone=zone, batch_id=batch_id)
    engine.give_files("lake", lake_files, EVENTS.schema)
    engine.give("done", pa.table({"batch_id": pa.array(done, pa.int64())}))
    engine.give("live", pa.table({"batch_id": pa.array(live, pa.int64())}))
    engine.step("distinct_rows", _distinct())
    engine.drop("checked")
    engine.step("known", _known())
    engine.step("sorted_out", _sorted_out())
    engine.drop("distinct_rows", "known")
    n = engine.query(COUNTS).to_pylist()[0]
    events = EVENTS.conform(engine.query(_for_the_lake(batch_id)))
    engine.drop("sorted_out")
    if raw.n_read != n["n_rows"] + rejects.num_rows:
        raise StoreError(
            f"{raw.name}: {raw.n_read} rows read, but {n['n_rows']} taken and {rejects.num_rows} refused",
            remedy="Nothing was stored. This is a bug: please report it with the file.",
        )
    return Taken(
        events=events,
        rejects=rejects,
        n_read=raw.n_read,
        n_stored=n["stored"],
        n_repeated=n["n_rows"] - n["stored"] - n["amended"],
        n_amended=n["amended"],
        n_refused=rejects.num_rows,
    )


def _distinct() -> str:
    """One row for each distinct row of the file that can be taken, under its earliest `recorded_at`."""
    same = ", ".join(SAME)
    return f"""
        SELECT {same}, min(recorded_at) AS recorded_at, min(row_no) AS row_no, count(*) AS n_rows
        FROM checked WHERE rule IS NULL GROUP BY {same}
    """


def _known() -> str:
    """The lake's rows of the file's dossiers, with whether a live batch says them."""
    return """
        SELECT l.*, l.batch_id IN (SELECT batch_id FROM live) OR s.batch_id IS NOT NULL AS is_live
        FROM lake AS l
        LEFT JOIN (
            SELECT DISTINCT repeat_of_batch AS batch_id, repeat_of_row AS row_no FROM lake
            WHERE repeat_of_batch IS NOT NULL AND batch_id IN (SELECT batch_id FROM live)
        ) AS s ON s.batch_id = l.batch_id AND s.row_no = l.row_no
        WHERE l.repeat_of_batch IS NULL
            AND l.batch_id IN (SELECT batch_id FROM done)
            AND l.dossier_id IN (SELECT d.dossier_id FROM distinct_rows AS d)
    """


def _equal(columns: Sequence[str]) -> str:
    return " AND ".join(f"d.{name} IS NOT DISTINCT FROM k.{name}" for name in columns)


def _sorted_out() -> str:
    """Each distinct row as stored, amended or repeated, with the lake's row that it repeats."""
    amends = ", ".join(AMENDS)
    return f"""
        WITH compared AS (
            SELECT d.*, k.batch_id AS repeat_of_batch, k.row_no AS repeat_of_row,
                k.recorded_at AS known_recorded_at, coalesce(k.is_live, false) AS is_repeat
            FROM distinct_rows AS d LEFT JOIN known AS k ON {_equal(SAME)}
        ),
        live_keys AS (SELECT DISTINCT {amends} FROM known WHERE is_live),
        placed AS (
            SELECT d.*, k.dossier_id IS NOT NULL AS amends_known,
                row_number() OVER (
                    PARTITION BY {", ".join(f"d.{name}" for name in AMENDS)}, d.is_repeat
                    ORDER BY d.row_no NULLS FIRST
                ) AS place
            FROM compared AS d LEFT JOIN live_keys AS k ON {_equal(AMENDS)}
        )
        SELECT *, CASE WHEN is_repeat THEN 'repeated' WHEN amends_known OR place > 1 THEN 'amended' ELSE 'stored' END
            AS kind
        FROM placed
    """


def _for_the_lake(batch_id: int) -> str:
    """New rows whole, repeats as references; an earlier `recorded_at` of a repeat is kept with the reference."""
    whole = ", ".join(f"CASE WHEN repeat_of_batch IS NULL THEN {name} END AS {name}" for name in SAME)
    return f"""
        SELECT {whole},
            CASE WHEN repeat_of_batch IS NULL OR recorded_at < known_recorded_at OR known_recorded_at IS NULL
                THEN recorded_at END AS recorded_at,
            {batch_id} AS batch_id, row_no, repeat_of_batch, repeat_of_row
        FROM sorted_out
        ORDER BY dossier_id NULLS LAST, row_no NULLS FIRST
    """
