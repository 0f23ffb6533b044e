"""The rows of a CSV: DuckDB reads the cells, `records.py` has found the lines; both must see the same records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from procmon.ingest.chosen import BLANKS, Chosen
from procmon.ingest.csv_file import Csv
from procmon.ingest.records import Records
from procmon.ingest.rows import RefusedError
from procmon.ingest.written import Aside, Hashes, Tell, open_rows, schema_of, write_lines

ROWS_AT_ONCE = 1 << 17
LONGEST_ROW = 1 << 20

MALFORMED = {
    "MISSING COLUMNS": "missing_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "bad_quotes",
    "INVALID ENCODING": "bad_encoding",
}
"""DuckDB's word for a malformed row → our problem; any other is `unreadable_row`."""


def write_csv(
    connection: duckdb.DuckDBPyConnection, csv: Csv, folder: Path, chosen: Chosen, hashes: Hashes, tell: Tell
) -> tuple[int, int]:
    """Write what the child leaves of a CSV; gives the numbers of rows and of malformed records.

    Raises: RefusedError where DuckDB cannot read it, or sees other records than the bytes show.
    """
    try:
        n_rows = _write_rows(connection, csv, folder, chosen, hashes, tell)
        malformed = malformed_records(connection, csv.records)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise RefusedError(
            f"cannot be read as CSV: {str(error).splitlines()[0]}", "Save it as CSV in UTF-8 with commas."
        ) from error
    _write_lines(folder, csv.records, malformed, n_rows)
    return n_rows, len(malformed)


def scan(connection: duckdb.DuckDBPyConnection, csv: Csv, select: str) -> duckdb.DuckDBPyRelation:
    """A SELECT over the cells c0, c1, … of a CSV; malformed rows go to DuckDB's `reject_errors`."""
    return connection.sql(
        f"SELECT {select} FROM read_csv(?, auto_detect = false, header = true, delim = ?, skip = ?, quote = '\"', "
        "escape = '\"', columns = ?, strict_mode = true, null_padding = false, store_rejects = true, "
        "rejects_limit = 0, max_line_size = ?, encoding = 'utf-8', compression = ?)",
        params=[
            csv.path,
            csv.delimiter,
            csv.skip,
            {f"c{i}": "VARCHAR" for i in range(len(csv.header))},
            LONGEST_ROW,
            csv.compression,
        ],
    )


def _write_rows(
    connection: duckdb.DuckDBPyConnection, csv: Csv, folder: Path, chosen: Chosen, hashes: Hashes, tell: Tell
) -> int:
    """`rows.parquet`: every well-formed row in the file's order, `n` from 0; returns their number."""
    schema = schema_of(source.key for source in chosen.sources)
    reader = scan(connection, csv, ", ".join(_cells(chosen, csv.header))).to_arrow_reader(ROWS_AT_ONCE)
    n, n_all = 0, max(len(csv.records.starts) - 1, 1)
    with open_rows(folder, schema) as writer, Aside() as aside:
        for batch in _batches(reader):
            aside.do(partial(_write, writer, batch, n, chosen, hashes))
            n += batch.num_rows
            tell(n, n / n_all)
    return n


def _write(writer: parquet.ParquetWriter, batch: pa.RecordBatch, first: int, chosen: Chosen, hashes: Hashes) -> None:
    """Write rows, numbered from `first`, personal cells hashed."""
    columns = [pa.array(np.arange(first, first + batch.num_rows)), pa.array(np.zeros(batch.num_rows, np.int32))]
    for source, column in zip(chosen.sources, batch.columns, strict=True):
        columns.append(hashes.of(column) if source.is_personal else column)
    writer.write_batch(pa.record_batch(columns, schema=writer.schema))


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The reader's batches; DuckDB's errors reach us through Arrow as OSError, and become what they were."""
    try:
        yield from reader
    except OSError as error:
        if "Out of Memory" in str(error):
            raise MemoryError from error
        raise duckdb.Error(str(error)) from error


def _cells(chosen: Chosen, header: list[str]) -> list[str]:
    """SQL for each source: trimmed text, NULL where empty or absent."""
    places = {name: trimmed(f"c{place}") for place, name in enumerate(header)}
    found = chosen.found
    return [f"{places.get(found.get(s.key, ''), 'NULL::VARCHAR')} AS {s.key}" for s in chosen.sources]


def trimmed(cell: str) -> str:
    """SQL: the cell without blanks around it, NULL where nothing is left; trim() with a list of signs is slow."""
    is_bare = f"{cell}[1] BETWEEN '!' AND '~' AND {cell}[-1] BETWEEN '!' AND '~'"
    return f"CASE WHEN {cell} = '' THEN NULL WHEN {is_bare} THEN {cell} ELSE nullif(trim({cell}, '{BLANKS}'), '') END"


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


def _write_lines(folder: Path, records: Records, malformed: Mapping[int, str], n_rows: int) -> None:
    """`lines.parquet` and `refused.parquet`; the text of malformed records is not kept, it may hold names.

    Raises: RefusedError if the reader's records are not those that the bytes show: then no line could be trusted.
    """
    if len(records.starts) != 1 + n_rows + len(malformed):
        raise _ambiguous(records, n_rows + len(malformed))
    is_well = np.ones(len(records.starts), np.bool_)
    places = np.fromiter(malformed, np.int64, len(malformed))
    is_well[places] = False
    is_well[0] = False  # the header
    write_lines(folder, records.lines[is_well], records.lines[places], list(malformed.values()))


def _ambiguous(records: Records, n_read: int) -> RefusedError:
    place = f"line {records.odd_quote}: " if records.odd_quote else ""
    return RefusedError(
        f"{place}quotes are ambiguous: {len(records.starts) - 1} records by line ends, {n_read} by quotes",
        'Write quotes only around whole cells, doubled inside: "a ""b"" c".',
    )
