"""What the reading process writes: text rows, their lines, malformed records; personal cells as keyed hashes only."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

MOST_HASHES = 1 << 20

Tell = Callable[[int, float], None]
"""Says how far it is: records read so far, share of the file."""

Lines = Sequence[int] | npt.NDArray[np.int64]


def schema_of(keys: Iterable[str]) -> pa.Schema:
    """The schema of `rows.parquet`: record, element of its list (0: the record itself), a text for each key."""
    return pa.schema([("n", pa.int64()), ("item", pa.int32()), *((key, pa.string()) for key in keys)])


def open_rows(folder: Path, schema: pa.Schema) -> parquet.ParquetWriter:
    """The writer of `rows.parquet`; use as a context manager."""
    return parquet.ParquetWriter(folder / "rows.parquet", schema, compression="lz4")


def write_lines(folder: Path, lines: Lines, refused: Lines, problems: Sequence[str]) -> None:
    """`lines.parquet` of the rows in order, `refused.parquet` of malformed records with their problems."""
    table = pa.table({"n": pa.array(np.arange(len(lines))), "line": pa.array(lines, pa.int64())})
    parquet.write_table(table, folder / "lines.parquet", compression="zstd")
    of_refused = {"line": pa.array(refused, pa.int64()), "problem": pa.array(problems, pa.string())}
    parquet.write_table(pa.table(of_refused), folder / "refused.parquet")


class Hashes:
    """Keyed hashes of personal cells: HMAC-SHA256 (RFC 2104), cut to 128 bits; one person is met again and again."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, str] = {}

    def one(self, text: str | None) -> str | None:
        """The hash of one cell, NULL where it is empty."""
        if text is None:
            return None
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= MOST_HASHES:
                self._known.clear()
            found = self._known[text] = hmac.digest(self._key, text.encode(), "sha256").hex()[:32]
        return found

    def of(self, column: pa.Array) -> pa.Array:
        """The hashes of a column."""
        coded = column.dictionary_encode()
        hashed = pa.array([self.one(text) for text in coded.dictionary.to_pylist()], pa.string())
        return pa.DictionaryArray.from_arrays(coded.indices, hashed).dictionary_decode()


class Aside:
    """Does one thing at a time beside the main thread: rows are hashed and packed while the next are read."""

    def __enter__(self) -> Aside:
        self._pool = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        if self._last:
            self._last.result()

    def do(self, what: Callable[[], None]) -> None:
        """Do it once the last is done; raises what the last raised."""
        if self._last:
            self._last.result()
        self._last = self._pool.submit(what)
