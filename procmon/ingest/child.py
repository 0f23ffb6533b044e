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
import io
import json
import resource
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from procmon.ingest.chosen import Chosen, clean
from procmon.ingest.csv_file import Csv, open_csv
from procmon.ingest.csv_rows import scan, trimmed, write_csv
from procmon.ingest.rows import Format, Malformed, RefusedError, Row, SourceColumn, Wanted
from procmon.ingest.source import Plain, form_of, largest
from procmon.ingest.written import Hashes, Tell, open_rows, schema_of, write_lines

ROWS_AT_ONCE = 1 << 15


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
    hashes = Hashes(bytes.fromhex(job.key))
    n_rows, n_malformed = write_csv(_connect(job), csv, Path(job.folder), chosen, hashes, tell)
    return {**chosen.summary(), "n_rows": n_rows, "n_malformed": n_malformed}


def _connect(job: Job) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET temp_directory = ''")  # rather out of memory than clear text on a disk
    connection.execute("SET memory_limit = ?", [f"{job.memory // 2 // 2**20}MiB"])
    connection.execute("SET threads = 2")
    connection.execute("SET enable_progress_bar = false")  # standard output is for the answer
    return connection


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
    schema = schema_of(source.key for source in chosen.sources)
    lines: list[int] = []
    malformed: list[Malformed] = []
    with open_rows(folder, schema) as writer:
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
    write_lines(folder, lines, [row.line for row in malformed], [row.problem for row in malformed])
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
        cells = ", ".join(f"{trimmed(f'c{i}')} AS c{i}" for i in range(len(names)))
        scan(connection, csv, cells).create("looked_at")
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
            f"c{i}": pa.array([clean(r.get(name, "")) or None for r in rows], pa.string())
            for i, name in enumerate(names)
        }
        connection.register("given", pa.table(columns))
        connection.execute("CREATE TABLE looked_at AS FROM given").fetchall()
    n_rows = connection.execute("SELECT count(*) FROM looked_at").fetchall()[0][0]
    profiles = profile(connection, "looked_at", names)
    return {"form": form, "sheet": sheet, "n_rows": n_rows, "columns": [asdict(column) for column in profiles]}


if __name__ == "__main__":
    main()
