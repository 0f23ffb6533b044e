"""The child process that alone opens a received file: any form → text rows in Parquet, under limits.

`python -m procmon.ingest.child` reads a JSON job from standard input (`Job`), sets limits on memory and processor
time on itself, and leaves three files in the job's folder: `rows.parquet` (the columns that the mapping reads, as
text under their keys, personal ones hashed; `n` numbers the records in the file's order, `item` the elements of a list
inside one, 0 being the record), `lines.parquet` (the line of each record) and `refused.parquet` (line and problem of
each malformed record). Its output is a line of JSON for each part of the way (`rows`, `share`) and a last one, the
answer: what was found, or `error` and `remedy` where the file is refused whole. Nothing else leaves it, and no unpacked
or clear copy ever lies on a disk.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from procmon.ingest.csv_file import Csv, open_csv
from procmon.ingest.records import Records
from procmon.ingest.rows import Format, Malformed, RefusedError, Row, SourceColumn, Wanted
from procmon.ingest.source import Plain, form_of, largest
from procmon.ingest.text import fold_name

CSV_ROWS_AT_ONCE = 1 << 17
ROWS_AT_ONCE = 1 << 15
LONGEST_ROW = 1 << 20
MOST_NAMES = 2000
LONG_NUMBER = re.compile(r"\d{4}")
"""A year, a code, a telephone: in rows of data nearly always, in column names hardly ever."""
MOST_HASHES = 1 << 20
BLANKS = " \t\u00a0\u200b\ufeff"

MALFORMED = {
    "MISSING COLUMNS": "missing_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "bad_quotes",
    "INVALID ENCODING": "bad_encoding",
}
"""DuckDB's word for a malformed row → our problem; any other is `unreadable_row`."""

Tell = Callable[[int, float], None]
"""Says how far it is: records read so far, share of the file."""


@dataclass(frozen=True)
class Job:
    """What the parent asks: sizes in bytes, time in processor seconds, `key` (hex) for the hashes.

    `wanted`: what is read, as plain values; None: say what the file's columns are like instead.
    """

    path: str
    folder: str
    key: str
    memory: int
    seconds: int
    size: int
    ratio: int
    cells: int
    wanted: dict[str, Any] | None

    @property
    def file(self) -> Path:
        """The received file."""
        return Path(self.path)


def main() -> None:
    """Read the job, do it, print the answer."""
    job = Job(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds + 5))  # SIGXCPU says why, SIGKILL would not
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = look(job) if job.wanted is None else read(job, _wanted(job.wanted), _tell)
    except RefusedError as refused:
        answer = {"error": str(refused), "remedy": refused.remedy}
    except (MemoryError, duckdb.OutOfMemoryException):
        answer = {
            "error": "reading it needs more memory than allowed",
            "remedy": "Split the file, or raise engine.read_memory.",
        }
    print(json.dumps(answer), flush=True)


def _tell(n: int, share: float) -> None:
    print(json.dumps({"rows": n, "share": round(share, 4)}), flush=True)


def _wanted(values: dict[str, Any]) -> Wanted:
    sources = tuple(SourceColumn(key, tuple(names), *flags) for key, names, *flags in values["sources"])
    return Wanted(**{**values, "sources": sources})


def read(job: Job, wanted: Wanted, tell: Tell) -> dict[str, object]:
    """Turn the job's file into the three Parquet files.

    Raises: RefusedError where the file is refused whole.
    """
    form = _form(job, wanted.format)
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(_digest, job.file)
        answer = _read_csv(job, wanted, tell) if form == "csv" else _read_rows(job, wanted, form, tell)
    return {**answer, "sha256": digest.result(), "form": form}


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _form(job: Job, wanted: Format) -> Format:
    if job.file.stat().st_size == 0:
        raise RefusedError("the file is empty", "Export it again; a log has a header and at least one row.")
    found = form_of(job.file)
    if wanted not in ("auto", found):
        raise RefusedError(
            f"the mapping says {wanted}, but the file looks like {found}", f'Choose a mapping with format = "{found}".'
        )
    return found


class Chosen:
    """Which of the file's columns is read under which key: of a key's names, the first that the file has."""

    def __init__(self, sources: Sequence[SourceColumn], names: Iterable[str] = ()) -> None:
        self.sources = sources
        self.names: dict[str, None] = {}
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._found: dict[str, tuple[int, str]] = {}
        self._wanted: dict[str, list[tuple[int, int]]] = {}
        for place, source in enumerate(sources):
            for rank, name in enumerate(source.names):
                self._wanted.setdefault(fold_name(name), []).append((place, rank))
        for name in names:
            self.see(name)

    def is_known(self, name: str) -> bool:
        """Whether the mapping reads a column of this name."""
        return fold_name(name) in self._wanted

    def see(self, name: str) -> list[tuple[int, int]]:
        """(place among the sources, rank among its names) of a column of the file."""
        places = self._places.get(name)
        if places is None:
            places = self._wanted.get(fold_name(name), [])
            self._places[name] = places if len(self._places) < MOST_NAMES else []
            self.names[name] = None
            for place, rank in places:
                key = self.sources[place].key
                self._found[key] = min(self._found.get(key, (rank, name)), (rank, name))
        return places

    @property
    def found(self) -> dict[str, str]:
        """Key → the file's name of the column."""
        return {key: name for key, (_, name) in self._found.items()}

    def values(self, cells: Dict[str, str]) -> list[str | None]:
        """The text of each source in one record."""
        values: list[str | None] = [None] * len(self.sources)
        ranks = [MOST_NAMES] * len(self.sources)
        for name, text in cells.items():
            for place, rank in self._places.get(name) or self.see(name):
                if rank < ranks[place] and (clean := _clean(text)):
                    values[place], ranks[place] = clean, rank
        return values

    def check(self, where: str) -> None:
        """Raises: RefusedError where a column that the mapping needs is not in the file."""
        missing = [s for s in self.sources if s.is_needed and s.key not in self._found]
        if not missing:
            return
        wanted = ", ".join(s.key if s.names == (s.key,) else f"{s.key} ({' or '.join(s.names[:4])})" for s in missing)
        found = ", ".join(sorted(filter(None, self.names), key=_is_of_log)[:20]) or "nothing"
        if not self._found and any(map(LONG_NUMBER.search, self.names)):
            found = "what looks like a row of data; has it no header?"  # which may name people
        raise RefusedError(
            f"{where}: column {wanted} is missing; found: {found}",
            "Choose another mapping (`procmon mapping list`), name the file's column in it, or draft one: "
            "`procmon mapping guess FILE`.",
        )

    def summary(self) -> dict[str, object]:
        """What the answer says of columns."""
        used = set(self.found.values())
        left = [name for name in self.names if name and name not in used]
        return {"found": self.found, "dropped": sorted(left, key=_is_of_log)}


def _is_of_log(name: str) -> bool:
    """Of an XES log's own attributes there may be dozens: they are named last."""
    return name.startswith("log:")


def _clean(text: str) -> str:
    """A cell without blanks around it; line breaks inside are blanks of a wide column."""
    text = text.strip(BLANKS + "\r\n")
    return " ".join(text.split()) if "\n" in text or "\r" in text or "\t" in text else text


# ---- CSV: DuckDB reads the cells, our own pass over the bytes finds the lines ----


def _open_csv(job: Job, wanted: Wanted, chosen: Chosen | None) -> Csv:
    return open_csv(
        job.file,
        delimiter=wanted.delimiter,
        encoding=wanted.encoding,
        header_row=wanted.csv_header_row,
        is_known=chosen.is_known if chosen else None,
        size=largest(job.file, job.size, job.ratio),
        memory=job.memory // 4,
    )


def _read_csv(job: Job, wanted: Wanted, tell: Tell) -> dict[str, object]:
    chosen = Chosen(wanted.sources)
    csv = _open_csv(job, wanted, chosen)
    for name in csv.header:
        chosen.see(name)
    chosen.check(f"line {csv.records.lines[0]}")
    connection = _connect(job)
    folder = Path(job.folder)
    try:
        n_rows = _write_csv_rows(connection, csv, folder, chosen, Hashes(bytes.fromhex(job.key)), tell)
        malformed = malformed_records(connection, csv.records)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise RefusedError(
            f"cannot be read as CSV: {str(error).splitlines()[0]}", "Save it as CSV in UTF-8 with commas."
        ) from error
    _write_csv_lines(folder, csv.records, malformed, n_rows)
    return {**chosen.summary(), "n_rows": n_rows, "n_malformed": len(malformed)}


def _connect(job: Job) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET temp_directory = ''")  # rather out of memory than clear text on a disk
    connection.execute("SET memory_limit = ?", [f"{job.memory // 2 // 2**20}MiB"])
    connection.execute("SET threads = 2")
    connection.execute("SET enable_progress_bar = false")  # standard output is for the answer
    return connection


def _scan(connection: duckdb.DuckDBPyConnection, csv: Csv, select: str) -> duckdb.DuckDBPyRelation:
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


def _write_csv_rows(
    connection: duckdb.DuckDBPyConnection, csv: Csv, folder: Path, chosen: Chosen, hashes: Hashes, tell: Tell
) -> int:
    """`rows.parquet`: every well-formed row in the file's order, `n` from 0; returns their number."""
    schema = _schema(source.key for source in chosen.sources)
    reader = _scan(connection, csv, ", ".join(_cells(chosen, csv.header))).to_arrow_reader(CSV_ROWS_AT_ONCE)
    n, n_all = 0, max(len(csv.records.starts) - 1, 1)
    with parquet.ParquetWriter(folder / "rows.parquet", schema, compression="lz4") as writer, _Aside() as aside:
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


class _Aside:
    """Does one thing at a time beside the main thread: rows are hashed and packed while the next are read."""

    def __enter__(self) -> _Aside:
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


def _schema(keys: Iterable[str]) -> pa.Schema:
    return pa.schema([("n", pa.int64()), ("item", pa.int32()), *((key, pa.string()) for key in keys)])


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
    places = {name: _trimmed(f"c{place}") for place, name in enumerate(header)}
    found = chosen.found
    return [f"{places.get(found.get(s.key, ''), 'NULL::VARCHAR')} AS {s.key}" for s in chosen.sources]


def _trimmed(cell: str) -> str:
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


def _write_csv_lines(folder: Path, records: Records, malformed: Dict[int, str], n_rows: int) -> None:
    """`lines.parquet` and `refused.parquet`; the text of malformed records is not kept, it may hold names.

    Raises: RefusedError if the reader's records are not those that the bytes show: then no line could be trusted.
    """
    if len(records.starts) != 1 + n_rows + len(malformed):
        raise _ambiguous(records, n_rows + len(malformed))
    is_well = np.ones(len(records.starts), np.bool_)
    places = np.fromiter(malformed, np.int64, len(malformed))
    is_well[places] = False
    is_well[0] = False  # the header
    _write_lines(folder, records.lines[is_well], records.lines[places], list(malformed.values()))


def _write_lines(folder: Path, lines: Any, refused: Any, problems: list[str]) -> None:
    table = pa.table({"n": pa.array(np.arange(len(lines))), "line": pa.array(lines, pa.int64())})
    parquet.write_table(table, folder / "lines.parquet", compression="zstd")
    of_refused = {"line": pa.array(refused, pa.int64()), "problem": pa.array(problems, pa.string())}
    parquet.write_table(pa.table(of_refused), folder / "refused.parquet")


def _ambiguous(records: Records, n_read: int) -> RefusedError:
    place = f"line {records.odd_quote}: " if records.odd_quote else ""
    return RefusedError(
        f"{place}quotes are ambiguous: {len(records.starts) - 1} records by line ends, {n_read} by quotes",
        'Write quotes only around whole cells, doubled inside: "a ""b"" c".',
    )


# ---- Excel, JSON, XES: readers that yield records ----


@dataclass
class Opened:
    """A file whose records come one by one: `names` are its columns where they are known at once."""

    rows: Iterable[Row | Malformed]
    names: list[str]
    where: str
    share: Callable[[int], float]
    sheet: str = ""


def _open_rows(job: Job, form: Format, wanted: Wanted, chosen: Chosen | None) -> Opened:
    if form == "excel":
        from procmon.ingest.excel_bounds import ExcelLimits  # here, as each form needs its own library
        from procmon.ingest.excel_file import open_excel

        limits = ExcelLimits(size=job.size, ratio=job.ratio, cells=job.cells)
        sheet = open_excel(
            job.file,
            sheet=wanted.sheet,
            header_row=wanted.excel_header_row,
            is_known=chosen.is_known if chosen else None,
            limits=limits,
        )
        where = f"sheet '{sheet.name}', row {sheet.header_row}"
        return Opened(sheet.rows, sheet.header, where, lambda n: n / max(sheet.n_rows, 1), sheet.name)
    source = Plain(job.file, largest(job.file, job.size, job.ratio))
    if form == "xes":
        from procmon.ingest.xes_file import read_xes

        return Opened(read_xes(io.BufferedReader(source)), [], "the log", lambda _: source.share())
    from procmon.ingest.json_file import read_json

    lists = [wanted.elements] if wanted.elements else []
    rows = read_json(io.BufferedReader(source), records=wanted.records, lists=lists if chosen else None)
    return Opened(rows, [], "the records", lambda _: source.share())


def _read_rows(job: Job, wanted: Wanted, form: Format, tell: Tell) -> dict[str, object]:
    chosen = Chosen(wanted.sources)
    opened = _open_rows(job, form, wanted, chosen)
    for name in opened.names:
        chosen.see(name)
    if opened.names:
        chosen.check(opened.where)
    folder, hashes = Path(job.folder), Hashes(bytes.fromhex(job.key))
    personal = [place for place, source in enumerate(chosen.sources) if source.is_personal]
    schema = _schema(source.key for source in chosen.sources)
    lines: list[int] = []
    malformed: list[Malformed] = []
    with parquet.ParquetWriter(folder / "rows.parquet", schema, compression="lz4") as writer:
        held: list[list[object]] = []
        item = 0
        for row in opened.rows:
            if isinstance(row, Malformed):
                malformed.append(row)
                continue
            item = item + 1 if row.part else 0
            if item == 0:
                lines.append(row.line)
            values = chosen.values(row.cells)
            for place in personal:
                values[place] = hashes.one(values[place])
            held.append([len(lines) - 1, item, *values])
            if len(held) == ROWS_AT_ONCE:
                writer.write_batch(_batch(held, schema))
                held = []
                tell(len(lines), opened.share(len(lines)))
        if held:
            writer.write_batch(_batch(held, schema))
    if lines:
        chosen.check(opened.where)
    _write_lines(folder, lines, [row.line for row in malformed], [row.problem for row in malformed])
    return {**chosen.summary(), "n_rows": len(lines), "n_malformed": len(malformed)}


def _batch(rows: list[list[object]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


# ---- A look at a file that has no mapping yet ----


def look(job: Job) -> dict[str, object]:
    """What the columns of a file are like, for a draft of its mapping; no personal text leaves.

    Raises: RefusedError where the file is refused whole.
    """
    from procmon.ingest.look import profile

    form = _form(job, "auto")
    connection = _connect(job)
    sheet = ""
    if form == "csv":
        csv = _open_csv(job, Wanted(), None)
        names = csv.header
        cells = ", ".join(f"{_trimmed(f'c{i}')} AS c{i}" for i in range(len(names)))
        _scan(connection, csv, cells).create("looked_at")
    else:
        opened = _open_rows(job, form, Wanted(), None)
        sheet = opened.sheet
        chosen = Chosen([], opened.names)
        rows = [row.cells for row in opened.rows if isinstance(row, Row)]
        for cells_of_row in rows:
            for name in cells_of_row:
                chosen.see(name)
        names = list(chosen.names)
        columns = {
            f"c{i}": pa.array([_clean(r[name]) or None if name in r else None for r in rows], pa.string())
            for i, name in enumerate(names)
        }
        connection.register("given", pa.table(columns))
        connection.execute("CREATE TABLE looked_at AS FROM given").fetchall()
    n_rows = connection.execute("SELECT count(*) FROM looked_at").fetchall()[0][0]
    profiles = profile(connection, "looked_at", names)
    return {"form": form, "sheet": sheet, "n_rows": n_rows, "columns": [asdict(column) for column in profiles]}


if __name__ == "__main__":
    main()
