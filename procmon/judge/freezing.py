"""What `baseline publish` freezes: a period's finished dossiers, its received ones month by month, its stages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from procmon.engine import Engine, sql_text
from procmon.judge.limits import Catalogue
from procmon.judge.predecessors import heirs, heirs_table
from procmon.tables import BASELINE_DOSSIERS, BASELINE_STAGES, BASELINE_STATES, DAY, Period, Table

MeasuredAt = Callable[[date], AbstractContextManager[Engine]]
"""An engine with the dossiers as of the start of a day; at the baseline's end with their `stretches` (rulebook 10)."""

STATES = pa.schema([field for field in BASELINE_STATES.schema if field.name not in ("baseline_id", "seen_to")])
"""What one month's end saw anew."""

CLOSED_STATES = """
    SELECT *, coalesce(
        lead(seen_from) OVER (PARTITION BY dossier_id ORDER BY seen_from NULLS FIRST), DATE '9999-12-31'
    ) AS seen_to
    FROM earlier_states ORDER BY dossier_id NULLS FIRST, seen_from NULLS FIRST
"""


@dataclass(frozen=True)
class Frozen:
    """A baseline's tables, all but their first column, the baseline's number.

    `log_begins_on` is the first receipt in the log, None without any; `p99_seconds` the 99th percentile of the
    finished dossiers' processing times, None of none.
    """

    dossiers: pa.Table
    states: pa.Table
    stages: pa.Table
    log_begins_on: date | None
    p99_seconds: int | None

    @property
    def tables(self) -> dict[Table, pa.Table]:
        """The rows by the table that they belong to."""
        return {BASELINE_DOSSIERS: self.dossiers, BASELINE_STATES: self.states, BASELINE_STAGES: self.stages}


def freeze(
    measured_at: MeasuredAt, baseline: Period, *, published_on: date, scratch: Path, say: Callable[[str], None]
) -> Frozen:
    """What a baseline keeps of its period (rulebook 7a, 7d, 7e, 7f); measured once for each month's end.

    Args:
        published_on: codes that one procedure stands for on that day have one cap, that of their dossiers pooled.
        scratch: a folder for what the months saw, so that memory holds one of them at a time.
        say: where progress is said.

    The cap is the 99th percentile over the whole period. What is held in memory at the end: the rows that are kept.
    """
    ends = month_ends(baseline)
    files: list[str] = []
    for n, end in enumerate(ends, 1):
        say(f"measuring as of {end} ({n} of {len(ends)})")
        with measured_at(end) as engine:
            engine.give("frozen_period", pa.table({"first": [baseline.from_], "last": [baseline.to]}))
            files.append(str(scratch / f"states-{end}.parquet"))
            parquet.write_table(_changed_states(engine, end, files[:-1]), files[-1])
            if end == baseline.to:
                engine.drop("frozen_received", "last_states", "changed_states")
                return _frozen(engine, files, published_on)
    raise ValueError(f"a baseline of no days: {baseline}")


def month_ends(baseline: Period) -> list[date]:
    """The days after each month's end within a period, then its own end."""
    first = baseline.from_.year * 12 + baseline.from_.month
    last = baseline.to.year * 12 + baseline.to.month - 1
    ends = [date(number // 12, number % 12 + 1, 1) for number in range(first, last + 1)]
    return [*(end for end in ends if end < baseline.to), baseline.to]


def _changed_states(engine: Engine, end: date, earlier: list[str]) -> pa.Table:
    engine.give_files("earlier_states", earlier, STATES)
    engine.give("seen", pa.table({"seen_from": pa.array([end], DAY)}))
    engine.steps(sql_text("judge", "baseline_states"))
    return engine.query("SELECT * FROM changed_states").select(STATES.names).cast(STATES)


def _frozen(engine: Engine, files: list[str], published_on: date) -> Frozen:
    """Everything that is kept, in an engine as of the baseline's end."""
    catalogue = Catalogue(engine.query("SELECT * FROM procedure_versions"))
    engine.give("frozen_heirs", heirs_table(heirs(catalogue, published_on)))
    engine.steps(sql_text("judge", "baseline"))
    engine.give_files("earlier_states", files, STATES)
    log = engine.query(
        "SELECT (SELECT min(d.received_on) FROM dossiers AS d) AS first, "
        "(SELECT quantile_disc(f.working_seconds, 0.99) FROM frozen AS f) AS p99"
    ).to_pylist()[0]
    return Frozen(
        _kept(
            engine,
            BASELINE_DOSSIERS,
            "SELECT * FROM frozen ORDER BY procedure_key NULLS FIRST, dossier_id NULLS FIRST",
        ),
        _kept(engine, BASELINE_STATES, CLOSED_STATES),
        _kept(engine, BASELINE_STAGES, "SELECT * FROM frozen_stages ORDER BY ALL NULLS FIRST"),
        log["first"],
        log["p99"],
    )


def _kept(engine: Engine, table: Table, select: str) -> pa.Table:
    schema = table.schema.remove(0)
    return engine.query(select).select(schema.names).cast(schema)
