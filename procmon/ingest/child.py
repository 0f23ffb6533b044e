"""The child process that alone opens a received file: CSV, plain or gzipped → Parquet, under limits.

`python -m procmon.ingest.child` reads a JSON job from standard input (`Job`), sets limits on memory and processor
time on itself, and leaves `rows.parquet` (line, canonical columns as text, personal ones hashed) and
`refused.parquet` (line, problem) in the job's folder. It prints one JSON answer: the columns and
counts, or `error` and `remedy` where the file is refused whole. Nothing else leaves it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import resource
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from procmon.ingest.columns import COLUMNS, PERSONAL, REQUIRED

CHUNK = 1 << 24
HEADER_LIMIT = 1 << 16
ROW_LIMIT = 1 << 20
NEWLINE, QUOTE = 0x0A, 0x22

MALFORMED = {
    "MISSING COLUMNS": "missing_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "bad_quotes",
    "INVALID ENCODING": "bad_encoding",
}
"""DuckDB's word for a malformed row → our problem; any other is `unreadable_row`."""


@dataclass(frozen=True)
class Job:
    """What the parent asks: sizes in bytes, time in processor seconds, `key` (hex) for the hashes."""

    path: str
    folder: str
    key: str
    memory: int
    seconds: int
    size: int


class Refused(Exception):
    """The file as a whole cannot be taken; what it says and its remedy are for the user."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True)
class Records:
    """Where the records of a CSV start (header included): byte offsets, and lines as an editor counts."""

    starts: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]


def main() -> None:
    """Read the job, do it, print the answer."""
    job = Job(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = read(job)
    except Refused as refused:
        answer = {"error": str(refused), "remedy": refused.remedy}
    except MemoryError:
        answer = {
            "error": "reading it needs more memory than allowed",
            "remedy": "Split the file, or raise engine.read_memory.",
        }
    json.dump(answer, sys.stdout)


def read(job: Job) -> dict[str, object]:
    """Turn the job's file into the two Parquet files; raises Refused."""
    folder = Path(job.folder)
    plain, digest = unpacked(Path(job.path), folder, job.size)
    header = read_header(plain)
    records = find_records(plain)
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{job.memory // 2 // 2**20}MiB'")
    connection.execute("SET temp_directory = ?", [str(folder)])
    connection.execute("SET threads = 2")
    try:
        load(connection, plain, header)
    except duckdb.Error as error:
        raise Refused(
            f"cannot be read as CSV: {str(error).splitlines()[0]}", "Save it as CSV in UTF-8 with commas."
        ) from error
    malformed = malformed_rows(connection, plain)
    n_rows, refused = number_rows(connection, records, malformed)
    write_rows(connection, folder, header, bytes.fromhex(job.key))
    write_refused(folder, refused)
    return {
        "columns": header,
        "dropped": [name for name in header if name not in COLUMNS],
        "n_rows": n_rows,
        "n_malformed": len(refused),
        "sha256": digest,
    }


def unpacked(path: Path, folder: Path, limit: int) -> tuple[Path, str]:
    """The plain file (unpacked into `folder` if it is gzipped) and the sha256 of the file as received.

    Raises: Refused for a damaged or cut gzip, a size above `limit`, NUL bytes or UTF-16.
    """
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    with path.open("rb") as source:
        is_gzip = source.read(2) == b"\x1f\x8b"
    plain = folder / "plain.csv" if is_gzip else path
    size = 0
    try:
        with gzip.open(path) if is_gzip else path.open("rb") as source:  # type: ignore[attr-defined]
            target = plain.open("wb") if is_gzip else None
            while chunk := source.read(CHUNK):
                size += len(chunk)
                check_chunk(chunk, size, limit)
                if target:
                    target.write(chunk)
            if target:
                target.close()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"the gzip is damaged or cut off: {error}", "Copy it again from where it came.") from error
    if size == 0:
        raise Refused("the file is empty", "Export it again; a log has a header and at least one row.")
    return plain, digest.hexdigest()


def check_chunk(chunk: bytes, size: int, limit: int) -> None:
    """Refuse what is too large or no UTF-8 text at all."""
    if size > limit:
        raise Refused(
            f"unpacked it is larger than {limit // 2**20} MiB", "Split the file, or raise engine.read_size."
        )
    if chunk[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in chunk:
        raise Refused("not UTF-8 text (UTF-16, or a binary file)", "Save it as CSV in UTF-8.")


def read_header(path: Path) -> list[str]:
    """The column names of the first line; raises Refused where a needed one is missing or one stands twice."""
    with path.open("rb") as source:
        line = source.readline(HEADER_LIMIT)
    try:
        text = line.decode("utf-8-sig")
        header = [name.strip() for name in next(csv.reader([text], strict=True), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"line 1: the header cannot be read: {error}", "Save it as CSV in UTF-8.") from error
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        found = ", ".join(header[:20]) or "nothing"
        raise Refused(
            f"line 1: column {', '.join(missing)} is missing; found: {found}",
            f"The canonical columns are {', '.join(COLUMNS)}, separated by commas.",
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise Refused(f"line 1: column {', '.join(twice)} stands twice", "Give each column one name.")
    return header


def find_records(path: Path) -> Records:
    """Where records start: after a line end that lies outside quotes; blank lines are none.

    Raises: Refused for a quote that is never closed, naming the line where the last one opened.
    """
    starts, lines = [np.zeros(1, np.int64)], [np.ones(1, np.int64)]
    offset, n_lines, inside, opened_on = 0, 0, 0, 1
    data = np.memmap(path, np.uint8, mode="r")
    for begin in range(0, len(data), CHUNK):
        chunk = data[begin : begin + CHUNK]
        newline = chunk == NEWLINE
        quote = chunk == QUOTE
        if inside or quote.any():
            parity = (np.cumsum(quote, dtype=np.int64) + inside) & 1
            ends = np.flatnonzero(newline & (parity == 0))
            last = np.flatnonzero(quote)[-1:]
            inside = int(parity[-1])
            if inside and len(last):
                opened_on = n_lines + 1 + int(np.count_nonzero(newline[: last[0]]))
        else:
            ends = np.flatnonzero(newline)
        line_of = n_lines + np.cumsum(newline, dtype=np.int64)
        starts.append(ends + begin + 1)
        lines.append(line_of[ends] + 1)
        n_lines = int(line_of[-1])
        offset = begin + len(chunk)
    if inside:
        raise Refused(
            f"line {opened_on}: a quote opens and is never closed", 'Close it, or double it where it is text: "".'
        )
    start, line = np.concatenate(starts), np.concatenate(lines)
    first = data[np.minimum(start, offset - 1)]
    second = data[np.minimum(start + 1, offset - 1)]
    blank = (start >= offset) | (first == NEWLINE) | ((first == 0x0D) & (second == NEWLINE))
    return Records(start[~blank], line[~blank])


def load(connection: duckdb.DuckDBPyConnection, path: Path, header: list[str]) -> None:
    """Read every cell as text into the table `raw`, malformed rows into DuckDB's `reject_errors`."""
    columns = {f"c{i}": "VARCHAR" for i in range(len(header))}
    connection.execute(
        "CREATE TABLE raw AS SELECT row_number() OVER () AS n, * FROM read_csv(?, auto_detect = false, header = true, "
        "delim = ',', quote = '\"', escape = '\"', columns = ?, strict_mode = true, null_padding = false, "
        f"store_rejects = true, rejects_limit = 0, max_line_size = {ROW_LIMIT}, encoding = 'utf-8')",
        [str(path), columns],
    )


def malformed_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[int, str]:
    """Byte offset of each malformed record → its problem."""
    found: dict[int, str] = {}
    rows = connection.execute(
        "SELECT line_byte_position, error_type FROM reject_errors ORDER BY 1 NULLS FIRST, 2 NULLS FIRST"
    ).fetchall()
    with path.open("rb") as source:
        for position, kind in rows:
            # DuckDB counts blank lines before a malformed record as its own.
            source.seek(position)
            head = source.read(ROW_LIMIT)
            start = position + len(head) - len(head.lstrip(b"\r\n"))
            found.setdefault(start, MALFORMED.get(kind, "unreadable_row"))
    return found


def number_rows(
    connection: duckdb.DuckDBPyConnection, records: Records, malformed: dict[int, str]
) -> tuple[int, list[tuple[int, str]]]:
    """Give each well-read row its line (table `numbered`); returns their number and (line, problem) of the others.

    Raises: Refused if the reader's records are not those that the bytes show: then no line could be trusted.
    """
    is_bad = np.isin(records.starts, np.fromiter(malformed, np.int64, len(malformed)))
    well = ~is_bad
    well[0] = False  # the header
    lines = records.lines[well]
    n_rows = int(connection.execute("SELECT count(*) FROM raw").fetchall()[0][0])
    if len(lines) != n_rows or int(is_bad.sum()) != len(malformed):
        raise Refused(
            f"its quotes are ambiguous: {len(lines)} well-formed records by its line ends, {n_rows} by its quotes",
            'Write quotes only around whole cells, doubled inside: "a ""b"" c".',
        )
    numbers = pa.table({"n": np.arange(1, n_rows + 1), "line": lines})
    connection.register("numbered", numbers)
    bad = zip(records.starts[is_bad].tolist(), records.lines[is_bad].tolist(), strict=True)
    return n_rows, [(line, malformed[start]) for start, line in bad]


def write_rows(connection: duckdb.DuckDBPyConnection, folder: Path, header: list[str], key: bytes) -> None:
    """`rows.parquet`: the line and every canonical column as trimmed text, empty as NULL, personal ones hashed."""
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
    connection.execute(
        f"COPY (SELECT line, {', '.join(cells)} FROM raw JOIN numbered USING (n)) "
        f"TO '{_quoted(folder / 'rows.parquet')}' (FORMAT parquet)"
    )


def write_refused(folder: Path, malformed: list[tuple[int, str]]) -> None:
    """`refused.parquet`: the malformed records; their text is not kept, it may hold names."""
    rows = pa.table(
        {
            "line": pa.array([line for line, _ in malformed], pa.int64()),
            "problem": pa.array([problem for _, problem in malformed], pa.string()),
        }
    )
    parquet.write_table(rows, folder / "refused.parquet")


def _blob(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


if __name__ == "__main__":
    main()
