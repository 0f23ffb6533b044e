"""From a made-up city's dossiers to the product's comparison: through the product's SQL, or summed by numpy.

The product's own way (freeze the baseline, then figured, sides and times in SQL) takes longer than making the city; the
campaigns therefore sum the cells here, and a test holds both to be the same, cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from log_files import registry_tables
from pyarrow import parquet

from procmon.config import EngineSettings, PolicySettings
from procmon.engine import Engine, sql_text
from procmon.engine.duckdb import steps_of
from procmon.judge import Judge, Question, freeze
from procmon.judge.cells import Cell, Cells
from procmon.judge.mix import Compared, Cut, compare
from procmon.judge.restricted import Division, Received
from procmon.tables import DAY, DOSSIERS, INSTANT, INT, TEXT, UNIT_HEIRS, Period
from tests.simulation.cities import N_UNITS, NOW, Days, Dossiers, Ints, together

POLICIES = PolicySettings()
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
YEAR_2024 = Period(date(2024, 1, 1), date(2025, 1, 1), "2024")
YEAR_2025 = Period(date(2025, 1, 1), date(2026, 1, 1), "2025")
FIRST_MONTH_NOW = NOW * 12 + 1
"""January 2025, counted from year 0."""
FIRST_DAY = np.datetime64(YEAR_2024.from_)
NO_STRETCHES = pa.table(
    {
        "dossier_id": pa.array([], TEXT),
        "kind": pa.array([], TEXT),
        "stage": pa.array([], TEXT),
        "open_seconds": pa.array([], INT),
    }
)
QUESTION = Question(
    as_of=datetime(2026, 1, 1, tzinfo=ZONE),
    zone=ZONE,
    period=YEAR_2025,
    compare=YEAR_2025,
    baseline=YEAR_2024,
    policies=POLICIES,
)


def cut_of(cells: list[Cell]) -> Cut:
    """The product's comparison under its default policies."""
    return compare(Cells.of_rows(cells), min_n=POLICIES.min_n_mix)


def caps(dossiers: Dossiers) -> Ints:
    """By procedure: the 99th percentile of the base's finished dossiers, cut to whole seconds; 0 without any."""
    base = (dossiers.ended_on >= FIRST_DAY) & (dossiers.ended_on < np.datetime64(YEAR_2025.from_))
    found = np.zeros(dossiers.procedure.max() + 1, np.int64)
    for procedure in range(len(found)):
        times = np.sort(dossiers.seconds[base & (dossiers.procedure == procedure)])
        if len(times):
            place, part = divmod((len(times) - 1) * 99, 100)
            after = times[min(place + 1, len(times) - 1)]
            found[procedure] = (times[place] * (100 - part) + after * part) // 100
    return found


def summed_cells(dossiers: Dossiers) -> list[Cell]:
    """The cells of 2024 and 2025, summed by numpy in exact integers."""
    cap_of = caps(dossiers)
    finished = dossiers.take((dossiers.ended_on >= FIRST_DAY) & (dossiers.ended_on < np.datetime64(YEAR_2025.to)))
    month = month_numbers(finished.ended_on)
    is_now = month >= FIRST_MONTH_NOW
    cap = cap_of[finished.procedure]
    cap = np.where(is_now & (cap == 0), finished.seconds, cap)
    key = (finished.procedure * N_UNITS + finished.unit) * (FIRST_MONTH_NOW + 12) + month
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    capped = np.minimum(finished.seconds, cap)
    is_above = finished.seconds > cap

    def sums(values: Ints) -> list[int]:
        summed: list[int] = np.add.reduceat(values[order], starts).tolist()
        return summed

    first = order[starts]
    return list(
        map(
            Cell,
            map(procedure_code, finished.procedure[first].tolist()),
            map(unit_code, finished.unit[first].tolist()),
            is_now[first].tolist(),
            month[first].tolist(),
            sums(np.ones_like(month)),
            sums(capped),
            sums(capped * capped),
            sums(finished.seconds),
            sums(is_above.astype(np.int64)),
            sums(finished.seconds * is_above),
        )
    )


def summed_received(dossiers: Dossiers) -> pa.Table:
    """The table `received` (received.sql): each year's receipts as of its own end, summed by numpy."""
    sides = []
    for year in (YEAR_2024, YEAR_2025):
        known = dossiers.as_of(year.to)
        sides.append(known.take(known.received_on >= np.datetime64(year.from_)))
    both = together(*sides)
    month = month_numbers(both.received_on)
    axes = (both.procedure, both.unit, month, np.isnat(both.ended_on).astype(np.int64), both.seconds)
    shape = tuple(int(axis.max()) + 1 for axis in axes)
    keys, counts = np.unique(np.ravel_multi_index(axes, shape), return_counts=True)
    procedure, unit, month, is_pending, seconds = np.unravel_index(keys, shape)
    return pa.table(
        {
            "procedure_key": pa.array(list(map(procedure_code, procedure.tolist())), TEXT),
            "unit_today": pa.array(list(map(unit_code, unit.tolist())), TEXT),
            "is_now": pa.array(month >= FIRST_MONTH_NOW),
            "month_no": pa.array(month, INT),
            "working_seconds": pa.array(seconds, INT),
            "n_result": pa.array(counts * (1 - is_pending), INT),
            "n_no_result": pa.array(np.zeros_like(counts), INT),
            "n_pending": pa.array(counts * is_pending, INT),
        }
    )


def restricted_of(dossiers: Dossiers, cut: Cut) -> Compared:
    """The product's restricted means of the received, at the mix of the finished ones' comparison."""
    received = Received(summed_received(dossiers))
    of_procedure = {procedure_code(number): int(cap) for number, cap in enumerate(caps(dossiers)) if cap}
    city = Division(received, np.zeros(len(received.units), np.int64), of_procedure, None).part(0)
    return city.compare(cut.weights)


def month_numbers(days: Days) -> Ints:
    """Months counted from year 0, as the product's SQL does."""
    return days.astype("datetime64[M]").astype(np.int64) + 1970 * 12 + 1


def procedure_code(number: int) -> str:
    return f"P{number:02}"


def unit_code(number: int) -> str:
    return f"U{number:02}@"


@contextmanager
def judge_of(dossiers: Dossiers, folder: Path) -> Iterator[Judge]:
    """The product's judge of a city at the end of 2025, with 2024 as its baseline, frozen in `folder`."""

    @contextmanager
    def measured_at(day: date) -> Iterator[Engine]:
        with Engine(EngineSettings(threads=1)) as engine:
            engine.give("dossiers", as_measured(dossiers, day))
            engine.give("stretches", NO_STRETCHES)
            engine.give("procedures", registry["procedures"])
            engine.give("units", registry["units"])
            engine.steps(sql_text("measure", "units"))
            engine.give("unit_heirs", UNIT_HEIRS.from_rows([]))
            engine.step("procedure_versions", dict(steps_of(sql_text("measure", "dossiers")))["procedure_versions"])
            yield engine

    registry = registry_tables({})
    frozen = freeze(measured_at, YEAR_2024, published_on=YEAR_2025.to, scratch=folder, say=str)
    files = {}
    for table, rows in frozen.tables.items():
        files[table.name] = [str(folder / f"{table.name}.parquet")]
        parquet.write_table(rows.add_column(0, "baseline_id", pa.array([1] * rows.num_rows, INT)), *files[table.name])
    with measured_at(YEAR_2025.to) as engine:
        yield Judge(engine, registry=registry, baseline_files=files, baseline_id=1)


def as_measured(city: Dossiers, day: date) -> pa.Table:
    """Table DOSSIERS as of the start of a day: the columns that the comparison reads; the others stay empty."""
    numbers = np.flatnonzero(city.received_on < np.datetime64(day))
    dossiers = city.as_of(day)
    n = len(numbers)
    at_noon = dossiers.received_on.astype("datetime64[us]") + np.timedelta64(5, "h")
    procedure = pa.array(list(map(procedure_code, dossiers.procedure.tolist())), TEXT)
    unit = pa.array(list(map(unit_code, dossiers.unit.tolist())), TEXT)
    known = {
        "dossier_id": pa.array([f"D{number:06}" for number in numbers.tolist()], TEXT),
        "procedure_id": procedure,
        "outcome": pa.array(np.where(np.isnat(dossiers.ended_on), "pending", "finished").tolist(), TEXT),
        "received_at": pa.array(at_noon).cast(INSTANT),
        "received_on": pa.array(dossiers.received_on).cast(DAY),
        "ended_on": pa.array(dossiers.ended_on).cast(DAY),
        "working_seconds": pa.array(dossiers.seconds, INT),
        "receiving_unit_key": unit,
        "resolving_unit_key": unit,
        "n_supplements": pa.array(np.zeros(n, np.int64), INT),
        "paused_seconds": pa.array(np.zeros(n, np.int64), INT),
    }
    empty = {name: pa.nulls(n, DOSSIERS.schema.field(name).type) for name in DOSSIERS.names}
    return DOSSIERS.conform(pa.table(empty | known))
