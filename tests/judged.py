"""A city's log judged as the nightly run does it, in small: measured, its baseline frozen, its tables and figures.

Two engines, as in the product: the baseline is measured as of its own end, the period as of its end.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
from log_files import ZONE, Rows, Store, registry_tables
from pyarrow import parquet

from procmon import worktime
from procmon.config import PolicySettings
from procmon.engine import Engine
from procmon.judge import Judge, Question, Side, freeze
from procmon.measure import Asked, measure
from procmon.measure.stretches import NEEDED_STEPS, stretches
from procmon.tables import BASELINE_TABLES, Period

ZONE_INFO = ZoneInfo(ZONE)
YEAR_2024 = Period(date(2024, 1, 1), date(2025, 1, 1), "2024")
YEAR_2025 = Period(date(2025, 1, 1), date(2026, 1, 1), "2025")
NO_BATCHES = dict.fromkeys(
    ("read_rows", "refused_rows", "amended_rows", "repeated_rows", "batches", "retracted_batches"), 0
)
KINDS = ("procedures", "units", "successions", "calendar", "announced", "targets")


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZONE_INFO)


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def registry_of(folder: Path) -> dict[str, list[dict[str, str]]]:
    """The registry beside a generated city's log."""
    return {kind: rows_of(folder / f"{kind}.csv") for kind in KINDS}


@dataclass
class City:
    """A log in a lake and its registry as rows of text."""

    registry_rows: Mapping[str, Rows]
    store: Store = field(default_factory=Store)
    policies: PolicySettings = field(default_factory=PolicySettings)
    baseline: Period = YEAR_2024
    has_baseline: bool = True
    published_on: date = date(2026, 1, 1)

    @contextmanager
    def measured(
        self, as_of: datetime, *, is_period_end: bool = True, keep: Collection[str] = ()
    ) -> Iterator[Engine]:
        """An engine with the dossiers as of an instant."""
        tables = registry_tables(self.registry_rows)
        with Engine(self.store.engine_settings) as engine:
            measure(
                engine,
                Asked(as_of, ZONE, self.policies, is_period_end=is_period_end),
                lake_files=self.store.lake_files,
                done=self.store.done,
                live=self.store.live,
                registry=tables,
                calendars=worktime.build(tables["calendar"], tables["opening_hours"]),
                keep=keep,
            )
            yield engine

    def frozen(self) -> dict[str, list[str]]:
        """The baseline's files by table, frozen once; published on `published_on`."""
        folder = self.store.folder / f"baseline-{self.baseline.from_}-{self.baseline.to}"
        if not folder.exists():
            folder.mkdir()
            found = freeze(self._to_freeze, self.baseline, published_on=self.published_on, scratch=folder, say=str)
            for table, rows in found.tables.items():
                ids = pa.array([1] * rows.num_rows, pa.int64())
                parquet.write_table(rows.add_column(0, "baseline_id", ids), folder / f"{table.name}.parquet")
        return {table.name: [str(folder / f"{table.name}.parquet")] for table in BASELINE_TABLES}

    @contextmanager
    def _to_freeze(self, day: date) -> Iterator[Engine]:
        with self.measured(midnight(day), keep=NEEDED_STEPS) as engine:
            stretches(engine)
            yield engine

    @contextmanager
    def judge(self, as_of: datetime, *, is_period_end: bool = True) -> Iterator[Judge]:
        """The judge of the dossiers as of an instant, against the frozen baseline if there is one."""
        files = self.frozen() if self.has_baseline else {}
        with self.measured(as_of, is_period_end=is_period_end, keep=NEEDED_STEPS) as engine:
            stretches(engine)
            tables = registry_tables(self.registry_rows)
            yield Judge(engine, registry=tables, baseline_files=files, baseline_id=1 if files else None)

    def question(
        self, as_of: datetime, period: Period, *, compare: Period | None = None, side: Side = "all", scope_id: str = ""
    ) -> Question:
        """A question about a period, whose times are compared too."""
        return Question(
            as_of=as_of, zone=ZONE_INFO, period=period, compare=compare or period, baseline=self.baseline,
            policies=self.policies, side=side, scope_id=scope_id,
        )  # fmt: skip
