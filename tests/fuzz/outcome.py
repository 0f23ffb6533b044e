"""What becomes of any bytes and any mapping: rows, or a refusal that is ours. Everything else is a finding."""

from __future__ import annotations

import io
import signal
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from procmon.config import EngineSettings
from procmon.engine import Engine
from procmon.errors import InputError, SettingsError
from procmon.ingest import child
from procmon.ingest.chosen import Chosen
from procmon.ingest.columns import PROBLEMS
from procmon.ingest.csv_file import open_csv
from procmon.ingest.excel_bounds import ExcelLimits
from procmon.ingest.excel_file import open_excel
from procmon.ingest.guess import draft
from procmon.ingest.json_file import read_json
from procmon.ingest.look import ColumnProfile
from procmon.ingest.mapping import Mapping, parse_mapping
from procmon.ingest.rows import Malformed, RefusedError, Wanted
from procmon.ingest.source import Plain, form_of, largest
from procmon.ingest.take import Terms, take
from procmon.ingest.xes_file import read_xes
from tests.log_files import KEY, ZONE, read_here

SECONDS = 20
"""Processor time, far more than any of these small inputs needs."""
SIZE, RATIO, CELLS = 256 << 20, 200, 1_000_000
TERMS = Terms(ZONE, datetime(2027, 1, 1, tzinfo=ZoneInfo(ZONE)), datetime(2060, 1, 1, tzinfo=ZoneInfo(ZONE)))


class Counts(NamedTuple):
    """What a file came to; the records of a reader alone are all `n_read`."""

    n_read: int
    n_stored: int = 0
    n_repeated: int = 0
    n_amended: int = 0
    n_refused: int = 0


class TooSlowError(BaseException):
    """An input took longer than `SECONDS`; no Exception, so that nothing on the way takes it for its own."""


@contextmanager
def in_time(seconds: float = SECONDS) -> Iterator[None]:
    """Raises: TooSlowError; where not even a signal gets through, the limit of `make fuzz` ends the process."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def written(data: bytes, folder: Path) -> Path:
    """The input as a file, which stays where it is if the process dies."""
    path = folder / "input"
    path.write_bytes(data)
    return path


def of_reader(data: bytes, mapping: Mapping | None, folder: Path) -> Counts | RefusedError:
    """The readers alone, as the reading process chooses and calls them; without a mapping as a look does."""
    path = written(data, folder)
    with in_time():
        try:
            return Counts(_read(path, mapping.wanted() if mapping else Wanted(), is_look=mapping is None))
        except RefusedError as refused:
            return _told(refused)


def _read(path: Path, wanted: Wanted, *, is_look: bool) -> int:
    chosen = Chosen(wanted.sources)
    is_known = None if is_look else chosen.is_known
    form = form_of(path)
    if form == "csv":
        csv = open_csv(
            path, delimiter=wanted.delimiter, encoding=wanted.encoding, header_row=wanted.csv_header_row,
            is_known=is_known, size=largest(path, SIZE, RATIO), memory=SIZE,
        )  # fmt: skip
        assert len(csv.records.starts) == len(csv.records.lines) >= 1
        return len(csv.records.starts) - 1
    if form == "excel":
        limits = ExcelLimits(size=SIZE, ratio=RATIO, cells=CELLS)
        sheet = open_excel(
            path, sheet=wanted.sheet, header_row=wanted.excel_header_row, is_known=is_known, limits=limits
        )
        rows = iter(sheet.rows)
    else:
        source = io.BufferedReader(Plain(path, largest(path, SIZE, RATIO)))
        lists = None if is_look else [wanted.elements] if wanted.elements else []
        rows = read_xes(source) if form == "xes" else read_json(source, records=wanted.records, lists=lists)
    n, last = 0, 0
    for row in rows:
        assert row.line >= last
        last = row.line
        if isinstance(row, Malformed):
            assert row.problem in PROBLEMS
        else:
            chosen.values(row.cells)
            "".join(row.cells.values()).encode()  # what Parquet cannot hold, no cell may hold
        n += isinstance(row, Malformed) or not row.part
    return n


def of_mapping(text: bytes) -> Mapping | SettingsError:
    """A mapping's text alone."""
    with in_time():
        try:
            mapping = parse_mapping(text, "mapping.toml")
        except SettingsError as error:
            return _told(error)
        assert mapping.wanted().sources
        assert all(mapping.patterns(source.key) for source in mapping.sources())
        return mapping


def outcome(data: bytes, mapping: Mapping, folder: Path) -> Counts | RefusedError | InputError:
    """The whole way of a file into an empty lake: the reading process's function, here, and `take`.

    What is counted is what was read, row by row, and every refused row has a line, a reason and a remedy.
    """
    path, scratch = written(data, folder), folder / "scratch"
    scratch.mkdir()
    try:
        with in_time(), Engine(EngineSettings(threads=1)) as engine:
            raw = read_here(path, scratch, mapping=mapping)
            if raw.n_read == 0:
                return Counts(0)
            taken = take(engine, raw, mapping, TERMS, batch_id=1, lake_files=[], done=[], live=[])
    except (RefusedError, InputError) as refused:
        return _told(refused)
    finally:
        rmtree(scratch)
    counts = Counts(taken.n_read, taken.n_stored, taken.n_repeated, taken.n_amended, taken.n_refused)
    assert counts.n_read == sum(counts[1:])
    assert taken.rejects.num_rows == counts.n_refused
    assert all(taken.rejects["reason"].to_pylist())
    assert all(taken.rejects["remedy"].to_pylist())
    assert taken.events.num_rows >= counts.n_stored + counts.n_amended
    return counts


def of_look(data: bytes, folder: Path) -> Mapping | RefusedError | SettingsError:
    """What `mapping guess` makes of a file: a draft that is TOML, and a mapping where nothing needed was missing."""
    path = written(data, folder)
    with in_time():
        job = child.Job(
            path=str(path), folder=str(folder), key=KEY.hex(), memory=4 << 30, seconds=600, size=SIZE, ratio=RATIO,
            cells=CELLS, wanted=None,
        )  # fmt: skip
        try:
            seen = child.look(job)
        except RefusedError as refused:
            return _told(refused)
        assert isinstance(seen["columns"], list)
        profiles = [ColumnProfile(**column) for column in seen["columns"]]
        drafted = draft(
            profiles, file="input", format=str(seen["form"]), n_rows=int(str(seen["n_rows"])), sheet=str(seen["sheet"])
        )
    tomllib.loads(drafted.toml)
    return of_mapping(drafted.toml.encode())


Error = TypeVar("Error", RefusedError, InputError, SettingsError)


def _told(error: Error) -> Error:
    """An error that says what and what to do."""
    assert str(error)
    assert error.remedy
    return error
