"""A log written as files and brought to the measure as the product does it, in small; used by property and unit tests.

Files are read by the reading process's own function, without the process: it is the same code, and saves half a
second a file. What the process adds (limits, death) has its own tests.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyarrow import parquet

from procmon import worktime
from procmon.config import EngineSettings, PolicySettings
from procmon.engine import Engine
from procmon.ingest import child
from procmon.ingest.mapping import Mapping, read_mapping
from procmon.ingest.read import RawFile, raw_file
from procmon.ingest.take import Taken, Terms, take
from procmon.measure import Asked, measure
from procmon.measure.dossiers import shown
from procmon.printing import cell
from procmon.store import registry
from procmon.tables import DOSSIERS

ZONE = "Asia/Ho_Chi_Minh"
KEY = bytes(range(32))

Rows = Sequence[Dict[str, str]]

NOW = datetime(2027, 1, 1, tzinfo=ZoneInfo(ZONE))
"""Later than anything in a test's log."""


def write_csv(path: Path, rows: Rows, columns: Iterable[str] | None = None) -> Path:
    """A log as a canonical CSV file."""
    names = list(columns or rows[0])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def mapping_of(name: str = "canonical") -> Mapping:
    """A shipped mapping, or the one of a TOML file."""
    return read_mapping(name, Path())


COLUMNS = [source.key for source in mapping_of().sources()]
"""The columns of a canonical log."""


def read_here(
    path: Path, scratch: Path, key: bytes = KEY, size: int = 1 << 30, mapping: Mapping | None = None
) -> RawFile:
    """What `read_file` gives, read in this process. Raises: RefusedError."""
    chosen = mapping or mapping_of()
    job = child.Job(
        path=str(path), folder=str(scratch), key=key.hex(), memory=4 << 30, seconds=600, size=size, ratio=200,
        cells=1_000_000, wanted=None,
    )  # fmt: skip
    return raw_file(path, scratch, child.read(job, chosen.wanted(), lambda n, share: None))


def registry_tables(rows_of: Dict[str, Rows]) -> dict[str, pa.Table]:
    """Registry rows as text → the tables that `registry.read` gives."""
    return {kind: _registry_table(kind, rows_of.get(kind, ())) for kind in registry.KINDS}


def _registry_table(kind: str, rows: Rows) -> pa.Table:
    read = {
        "weekday": (pa.int64(), int),
        "limit_amount": (pa.float64(), float),
        "reduction": (pa.float64(), float),
        "weight": (pa.float64(), float),
        "open": (pa.bool_(), lambda text: text == "yes"),
    }
    columns = {}
    for column in registry.KINDS[kind].columns:
        is_day = column.name.endswith(("_from", "_to", "_on")) or column.name == "on"
        type_, parse = (pa.date32(), date.fromisoformat) if is_day else read.get(column.name, (pa.string(), str))
        cells = [row.get(column.name, "") for row in rows]
        columns[column.name] = pa.array([parse(text) if text else None for text in cells], type_)
    return pa.table(columns)


@dataclass
class Store:
    """A lake of one Parquet file a batch, and the batches that count."""

    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="procmon-test-")))
    done: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    latest: datetime = datetime(2060, 1, 1, tzinfo=ZoneInfo(ZONE))
    engine_settings: EngineSettings = field(default_factory=lambda: EngineSettings(threads=1))

    @property
    def lake_files(self) -> list[str]:
        return [str(self.folder / f"{batch}.parquet") for batch in self.done]

    def ingest(
        self, path: Path, key: bytes = KEY, *, mapping: Mapping | None = None, exported_at: datetime = NOW
    ) -> Taken:
        """Take a file in as the next batch."""
        batch = len(self.done) + 1
        scratch = Path(mkdtemp(dir=self.folder))
        taken = self.take(read_here(path, scratch, key, mapping=mapping), batch, mapping, exported_at)
        parquet.write_table(taken.events, self.folder / f"{batch}.parquet")
        self.done.append(batch)
        self.live.append(batch)
        return taken

    def take(
        self, raw: RawFile, batch: int, mapping: Mapping | None = None, exported_at: datetime = NOW
    ) -> Taken:
        with Engine(self.engine_settings) as engine:
            return take(
                engine, raw, mapping or mapping_of(), Terms(ZONE, exported_at, latest=self.latest), batch_id=batch,
                lake_files=self.lake_files, done=self.done, live=self.live,
            )  # fmt: skip

    def ingest_rows(self, rows: Rows, columns: Iterable[str] | None = None) -> Taken:
        """Take rows in as the next batch, by a file of them."""
        return self.ingest(write_csv(self.folder / f"log-{len(self.done) + 1}.csv", rows, columns))

    def take_rows(self, rows: Rows, batch: int) -> Taken:
        """What a batch of rows would bring, without bringing it."""
        return self.take(read_here(write_csv(self.folder / "log.csv", rows), Path(mkdtemp(dir=self.folder))), batch)

    def dossiers(
        self,
        registry_rows: Dict[str, Rows],
        as_of: datetime,
        *,
        is_period_end: bool = False,
        policies: PolicySettings | None = None,
        forced: Dict[str, str] | None = None,
    ) -> pa.Table:
        """The measured dossiers."""
        tables = registry_tables(registry_rows)
        with Engine(self.engine_settings) as engine:
            measure(
                engine,
                Asked(as_of, ZONE, policies or PolicySettings(), is_period_end=is_period_end, forced=forced or {}),
                lake_files=self.lake_files,
                done=self.done,
                live=self.live,
                registry=tables,
                calendars=worktime.build(tables["calendar"], tables["opening_hours"]),
            )
            return shown(engine)


def cells(dossiers: pa.Table) -> list[dict[str, str]]:
    """What `show dossiers` prints."""
    zone = ZoneInfo(ZONE)
    rows = dossiers.select(DOSSIERS.shown_names).to_pylist()
    return [{name: cell(value, zone) for name, value in row.items()} for row in rows]
