"""The child process that alone opens a received file: CSV, plain or gzipped → Parquet, under limits.

`python -m procmon.ingest.child` reads a JSON job from standard input (`Job`), sets limits on memory and processor
time on itself, and leaves three files in the job's folder: `rows.parquet` (the canonical columns as text, personal
ones hashed, numbered in the file's order), `lines.parquet` (the line of each of these rows) and `refused.parquet`
(line and problem of each malformed record). It prints one JSON answer: the columns and counts, or `error` and
`remedy` where the file is refused whole. Nothing else leaves it, and no unpacked or clear copy ever lies on a disk.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from procmon.ingest.columns import COLUMNS, PERSONAL
from procmon.ingest.records import Records, find_records, is_gzip, pieces_of, read_header
from procmon.ingest.rows import RefusedError

ROWS_AT_ONCE = 1 << 17
LONGEST_ROW = 1 << 20

MALFORMED = {
    "MISSING COLUMNS": "missing_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "bad_quotes",
    "INVALID ENCODING": "bad_encoding",
}
"""DuckDB's word for a malformed row → our problem; any other is `unreadable_row`."""

ROWS = pa.schema([("n", pa.int64()), *((name, pa.string()) for name in COLUMNS)])


@dataclass(frozen=True)
class Job:
    """What the parent asks: sizes in bytes, time in processor seconds, `key` (hex) for the hashes."""

    path: str
    folder: str
    key: str
    memory: int
    seconds: int
    size: int


def main() -> None:
    """Read the job, do it, print the answer."""
    job = Job(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds + 5))  # SIGXCPU says why, SIGKILL would not
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = read(job)
    except RefusedError as refused:
        answer = {"error": str(refused), "remedy": refused.remedy}
    except (MemoryError, duckdb.OutOfMemoryException):
        answer = {
            "error": "reading it needs more memory than allowed",
            "remedy": "Split the file, or raise engine.read_memory.",
        }
    json.dump(answer, sys.stdout)


def read(job: Job) -> dict[str, object]:
    """Turn the job's file into the three Parquet files.

    Raises: RefusedError where the file is refused whole.
    """
    path, folder = Path(job.path), Path(job.folder)
    pieces = pieces_of(path, job.size)
    first = next(pieces)
    header = read_header(first)
    records = find_records(itertools.chain([first], pieces))
    connection = duckdb.connect(":memory:")
    connection.execute("SET temp_directory = ''")  # rather out of memory than clear text on a disk
    connection.execute("SET memory_limit = ?", [f"{job.memory // 2 // 2**20}MiB"])
    connection.execute("SET threads = 2")
    connection.execute("SET enable_progress_bar = false")  # standard output is for the answer
    try:
        n_rows = write_rows(connection, path, folder, header, bytes.fromhex(job.key))
        malformed = malformed_records(connection, records)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise RefusedError(
            f"cannot be read as CSV: {str(error).splitlines()[0]}", "Save it as CSV in UTF-8 with commas."
        ) from error
    write_lines(folder, records, malformed, n_rows)
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    return {
        "columns": header,
        "dropped": [name for name in header if name not in COLUMNS],
        "n_rows": n_rows,
        "n_malformed": len(malformed),
        "sha256": digest,
    }


def write_rows(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path, header: list[str], key: bytes) -> int:
    """`rows.parquet`: every well-formed row in the file's order, `n` from 0; returns their number.

    A cell is trimmed text, NULL where empty; personal ones are hashed before they reach any table. Malformed rows
    go to DuckDB's `reject_errors`.
    """
    reader = connection.sql(
        f"SELECT {', '.join(_cells(header, key))} FROM read_csv(?, auto_detect = false, header = true, "
        "delim = ',', quote = '\"', escape = '\"', columns = ?, strict_mode = true, "
        "null_padding = false, store_rejects = true, rejects_limit = 0, max_line_size = ?, encoding = 'utf-8', "
        "compression = ?)",
        params=[
            str(path),
            {f"c{i}": "VARCHAR" for i in range(len(header))},
            LONGEST_ROW,
            "gzip" if is_gzip(path) else "none",
        ],
    ).to_arrow_reader(ROWS_AT_ONCE)
    n = 0
    with parquet.ParquetWriter(folder / "rows.parquet", ROWS, compression="zstd") as writer:
        for batch in _batches(reader):
            numbers = pa.array(np.arange(n, n + batch.num_rows))
            writer.write_batch(pa.record_batch([numbers, *batch.columns], schema=ROWS))
            n += batch.num_rows
    return n


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The reader's batches; DuckDB's errors reach us through Arrow as OSError, and become what they were."""
    try:
        yield from reader
    except OSError as error:
        if "Out of Memory" in str(error):
            raise MemoryError from error
        raise duckdb.Error(str(error)) from error


def _cells(header: list[str], key: bytes) -> list[str]:
    """An SQL expression for each canonical column."""
    inner, outer = (bytes(b ^ pad for b in key.ljust(64, b"\0")) for pad in (0x36, 0x5C))
    cells = []
    for name in COLUMNS:
        if name not in header:
            cells.append(f"NULL::VARCHAR AS {name}")
            continue
        cell = f"nullif(trim(c{header.index(name)}, ' \t'), '')"
        if name in PERSONAL:  # HMAC-SHA256 (RFC 2104), cut to 128 bits
            cell = f"left(sha256({_blob(outer)} || unhex(sha256({_blob(inner)} || encode({cell})))), 32)"
        cells.append(f"{cell} AS {name}")
    return cells


def _blob(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"


def malformed_records(connection: duckdb.DuckDBPyConnection, records: Records) -> dict[int, str]:
    """Place in `records` of each malformed one → its problem.

    Raises: RefusedError where DuckDB saw a record start within one of ours.
    """
    found: dict[int, str] = {}
    errors = connection.execute(
        "SELECT line_byte_position - 1, error_type FROM reject_errors ORDER BY 1 NULLS FIRST, 2 NULLS FIRST"
    ).fetchall()
    for position, kind in errors:
        # DuckDB counts blank lines before a malformed record as its own, and of CR LF the LF.
        place = int(np.searchsorted(records.starts, position))
        if place == len(records.starts) or position < records.gaps[place] - 1:
            raise _ambiguous(records, len(errors))
        found.setdefault(place, MALFORMED.get(kind, "unreadable_row"))
    return found


def write_lines(folder: Path, records: Records, malformed: Mapping[int, str], n_rows: int) -> None:
    """`lines.parquet` and `refused.parquet`; the text of malformed records is not kept, it may hold names.

    Raises: RefusedError if the reader's records are not those that the bytes show: then no line could be trusted.
    """
    if len(records.starts) != 1 + n_rows + len(malformed):
        raise _ambiguous(records, n_rows + len(malformed))
    is_well = np.ones(len(records.starts), np.bool_)
    places = np.fromiter(malformed, np.int64, len(malformed))
    is_well[places] = False
    is_well[0] = False  # the header
    lines = pa.table({"n": pa.array(np.arange(n_rows)), "line": records.lines[is_well]})
    parquet.write_table(lines, folder / "lines.parquet", compression="zstd")
    refused = {"line": records.lines[places], "problem": pa.array(malformed.values(), pa.string())}
    parquet.write_table(pa.table(refused), folder / "refused.parquet")


def _ambiguous(records: Records, n_read: int) -> RefusedError:
    place = f"line {records.odd_quote}: " if records.odd_quote else ""
    return RefusedError(
        f"{place}quotes are ambiguous: {len(records.starts) - 1} records by line ends, {n_read} by quotes",
        'Write quotes only around whole cells, doubled inside: "a ""b"" c".',
    )


if __name__ == "__main__":
    main()
