"""Checked rows against the lake: what is new, what repeats, what amends (rulebook 1).

Every distinct row (all canonical columns but `recorded_at`) stands in the lake once; a batch that says it again
leaves a reference. So a retracted batch takes along only what no other batch said (docs/decisions/0008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from procmon.engine import Engine
from procmon.errors import StoreError
from procmon.ingest.check import check, rejects
from procmon.ingest.columns import PROBLEMS
from procmon.ingest.events import events_sql, is_row_an_event
from procmon.ingest.mapping import Mapping
from procmon.ingest.parse import unmet_activities
from procmon.ingest.read import RawFile
from procmon.ingest.units import name_units
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
"""Where a row is one event."""

IS_SAME = " AND ".join(f"e.{name} IS NOT DISTINCT FROM s.{name}" for name in SAME)
RECORD_COUNTS = f"""
    WITH records AS (
        SELECT e.n,
            bool_or(s.kind = 'stored' AND e.row_no = s.row_no) AS is_stored,
            bool_or(s.kind = 'amended' AND e.row_no = s.row_no) AS is_amended
        FROM events AS e JOIN sorted_out AS s ON {IS_SAME}
        GROUP BY e.n
    )
    SELECT
        count(*) FILTER (WHERE is_stored) AS stored,
        count(*) FILTER (WHERE is_amended AND NOT is_stored) AS amended,
        count(*) AS n_rows
    FROM records
"""
"""Where a row yields several events it counts once: stored if any is new, else amended if any amends (rulebook 9)."""

EVENTLESS = "SELECT line FROM rows WHERE rule IS NULL AND item = 0 AND n NOT IN (SELECT n FROM events)"


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
    is_held: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What a file is taken under.

    `zone`: the workspace's, for bare times; `exported_at`: when the file was exported, unless it says so itself;
    `latest`: what is said to have happened later has not; `max_refused`: the share of refused rows above which a file
    is held whole; `units`: the registry's, for a mapping whose columns hold names (none: no name is known).
    """

    zone: str
    exported_at: datetime
    latest: datetime
    max_refused: float = 1.0
    units: pa.Table | None = None


def take(
    engine: Engine,
    raw: RawFile,
    mapping: Mapping,
    terms: Terms,
    *,
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
    Raises: InputError where the file as a whole contradicts its mapping; StoreError if that sum does not hold (a bug,
    held before anything is written).
    """
    check(engine, raw, mapping, zone=terms.zone, latest=terms.latest)
    notes = tuple(unmet_activities(engine, mapping))
    events, eventless, problems = events_sql(mapping, terms.exported_at, mapping.timezone or terms.zone), "", PROBLEMS
    if mapping.unit_columns == "names":
        renamed = name_units(engine, events, terms.units, raw=raw, mapping=mapping, zone=terms.zone)
        events, problems, notes = "FROM events", renamed.problems, notes + renamed.notes
        eventless = f"{EVENTLESS} AND n NOT IN (SELECT n FROM misnamed)"
    elif not is_row_an_event(mapping):
        engine.step("events", events)
        events, eventless = "FROM events", EVENTLESS
    refused = rejects(engine, raw, batch_id=batch_id, is_held=False, eventless=eventless, problems=problems)
    if refused.num_rows > terms.max_refused * raw.n_read:
        refused = rejects(engine, raw, batch_id=batch_id, is_held=True, eventless=eventless, problems=problems)
        return Taken(
            EVENTS.schema.empty_table(), refused, raw.n_read, 0, 0, 0, refused.num_rows, is_held=True, notes=notes
        )
    engine.give_files("lake", lake_files, EVENTS.schema)
    engine.give("done", pa.table({"batch_id": pa.array(done, pa.int64())}))
    engine.give("live", pa.table({"batch_id": pa.array(live, pa.int64())}))
    engine.step("distinct_rows", _distinct(events))
    if is_row_an_event(mapping):
        engine.drop("kept")
    engine.step("known", _known())
    engine.step("sorted_out", _sorted_out())
    engine.drop("distinct_rows", "known")
    n = engine.query(COUNTS if is_row_an_event(mapping) else RECORD_COUNTS).to_pylist()[0]
    stored = EVENTS.conform(engine.query(_for_the_lake(batch_id)))
    engine.drop("sorted_out")
    if raw.n_read != n["n_rows"] + refused.num_rows:
        raise StoreError(
            f"{raw.name}: {raw.n_read} rows read, but {n['n_rows']} taken and {refused.num_rows} refused",
            remedy="Nothing was stored. This is a bug: please report it with the file.",
        )
    return Taken(
        events=stored,
        rejects=refused,
        n_read=raw.n_read,
        n_stored=n["stored"],
        n_repeated=n["n_rows"] - n["stored"] - n["amended"],
        n_amended=n["amended"],
        n_refused=refused.num_rows,
        notes=notes,
    )


def _distinct(events: str) -> str:
    """One row for each distinct event, under its earliest `recorded_at`; what a log says needs no export to stand."""
    same = ", ".join(SAME)
    return f"""
        SELECT {same}, min(recorded_at) AS recorded_at, min(row_no) AS row_no, count(*) AS n_rows,
            CASE WHEN count(source) = count(*) THEN max(source) END AS source,
            CASE WHEN count(source) = count(*) THEN max(exported_at) END AS exported_at
        FROM ({events}) GROUP BY {same}
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
    """New rows whole, repeats as references; an earlier `recorded_at` of a repeat is kept with the reference.

    A reference of an export keeps its dossier: a later export of that dossier stands instead.
    """
    is_kept = {"dossier_id": "repeat_of_batch IS NULL OR source IS NOT NULL"}
    whole = ", ".join(
        f"CASE WHEN {is_kept.get(name, 'repeat_of_batch IS NULL')} THEN {name} END AS {name}" for name in SAME
    )
    return f"""
        SELECT {whole},
            CASE WHEN repeat_of_batch IS NULL OR recorded_at < known_recorded_at OR known_recorded_at IS NULL
                THEN recorded_at END AS recorded_at,
            {batch_id} AS batch_id, row_no, source, exported_at, repeat_of_batch, repeat_of_row
        FROM sorted_out
        ORDER BY dossier_id NULLS LAST, row_no NULLS FIRST
    """
