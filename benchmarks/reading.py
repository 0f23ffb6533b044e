"""Time and memory of a file of a million rows: `python benchmarks/reading.py [OUT_DIR]`, `make bench-reading`.

Each form is written once. A CSV is then read by turns: by DuckDB alone (`read_csv` with every column as text, written
as Parquet) and by procmon (`read_file`, with its process, limits, hashes and line numbers), each in a fresh process
that tells its peak memory; then `take` turns what was read into events. The figures are the medians of the rounds.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import click

ROOT = Path(__file__).parents[1]
ZONE = timezone(timedelta(hours=7))
PROCEDURES = [f"{1 + n % 3}.{100000 + n:06}" for n in range(400)]
UNITS = [str(10500 + n) for n in range(60)]
STATUSES = ("received", "processing", "supplement_requested", "processing", "finished", "returned")
LIST = (
    "STT", "Số hồ sơ", "Mã thủ tục", "Tên thủ tục hành chính", "Chủ hồ sơ", "Số CCCD", "Hình thức nộp",
    "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày trả kết quả", "Trạng thái", "Đơn vị tiếp nhận", "Đơn vị giải quyết",
)  # fmt: skip
LOG = (
    "dossier_id", "status", "occurred_at", "procedure_id", "unit_id", "due_at", "receiving_unit_id", "channel", "stage",
    "applicant_id", "handler_id",
)  # fmt: skip


# ---- the files


def log_rows(n: int) -> Iterator[tuple[str, ...]]:
    """A canonical log, six steps a dossier."""
    rng, first = random.Random(1), datetime(2025, 1, 2, 7, 30, tzinfo=ZONE)
    for number in range(n):
        dossier, step = divmod(number, len(STATUSES))
        if step == 0:
            at = first + timedelta(minutes=rng.randrange(400_000))
            unit, procedure, channel = rng.choice(UNITS), rng.choice(PROCEDURES), rng.choice(("online", "in_person"))
            due, person = (at + timedelta(days=9)).isoformat(), f"{rng.randrange(10**11):012}"
        at += timedelta(minutes=rng.randrange(5, 2000))
        yield (
            f"H24.{unit}-{dossier:08}", STATUSES[step], at.isoformat(), procedure, unit, due if step == 0 else "", unit,
            channel, f"Bước {step + 1}", person, f"cb-{rng.randrange(900):03}",
        )  # fmt: skip


def list_rows(n: int) -> Iterator[tuple[str | int, ...]]:
    """A list, a row a dossier; days and moments as `datetime` would print them in Vietnam."""
    rng, first = random.Random(2), datetime(2025, 1, 2, 7, 30)
    for number in range(1, n + 1):
        received = first + timedelta(minutes=rng.randrange(400_000))
        returned = received + timedelta(minutes=rng.randrange(20, 20_000))
        is_done, unit = number % 7 > 0, rng.choice(UNITS)
        yield (
            number, f"H24.{unit}-{number:08}", rng.choice(PROCEDURES), "Đăng ký biến động", f"Người nộp {number}",
            f"{rng.randrange(10**11):012}", "Trực tuyến" if number % 3 else "Trực tiếp", f"{received:%d/%m/%Y %H:%M}",
            f"{received + timedelta(days=9):%d/%m/%Y}", f"{returned:%d/%m/%Y %H:%M}" if is_done else "",
            "Đã trả kết quả" if is_done else "Đang xử lý", unit, unit,
        )  # fmt: skip


def write_log_csv(path: Path, n: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(LOG) + "\n")
        file.writelines(",".join(row) + "\n" for row in log_rows(n))


def write_list_csv(path: Path, n: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(LIST) + "\n")
        file.writelines(",".join(map(str, row)) + "\n" for row in list_rows(n))


def write_lines(path: Path, n: int) -> None:
    """The canonical log as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(dict(zip(LOG, row, strict=True)), ensure_ascii=False) + "\n" for row in log_rows(n))


def write_xes(path: Path, n: int) -> None:
    """The same log, an event a row."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<log xmlns="http://www.xes-standard.org/">\n')
        last = ""
        for row in log_rows(n):
            dossier, status, at, procedure, unit, *_, handler = row
            if dossier != last:
                file.write(f"{'</trace>' if last else ''}<trace>{_attribute('concept:name', dossier)}")
                file.write(_attribute("procedure_id", procedure) + "\n")
                last = dossier
            file.write(
                f'<event>{_attribute("concept:name", status)}<date key="time:timestamp" value="{at}"/>'
                f"{_attribute('org:group', unit)}{_attribute('org:resource', handler)}</event>\n"
            )
        file.write("</trace></log>\n")


def _attribute(key: str, value: str) -> str:
    return f'<string key="{key}" value="{escape(value)}"/>'


PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Danh sách" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def write_excel(path: Path, n: int) -> None:
    """The list as a workbook, its parts written by hand: a library takes minutes for a million rows."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(
                b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                + _sheet_row(1, LIST).encode()
            )
            for line, row in enumerate(list_rows(n), 2):
                part.write(_sheet_row(line, row).encode())
            part.write(b"</sheetData></worksheet>")


def _sheet_row(line: int, row: tuple[str | int, ...]) -> str:
    cells = "".join(
        f'<c r="{chr(65 + place)}{line}"><v>{value}</v></c>'
        if isinstance(value, int)
        else f'<c r="{chr(65 + place)}{line}" t="inlineStr"><is><t>{value}</t></is></c>'
        for place, value in enumerate(row)
        if value != ""
    )
    return f'<row r="{line}">{cells}</row>'


FILES: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "log.csv": ("canonical", write_log_csv),
    "list.csv": ("danh-sach-ho-so", write_list_csv),
    "list.xlsx": ("danh-sach-ho-so", write_excel),
    "log.jsonl": ("canonical", write_lines),
    "log.xes": ("xes", write_xes),
}
"""File → the mapping it is read under, and what writes it."""


# ---- what is measured, each in a fresh process


def bare(path: Path, folder: Path) -> dict[str, float]:
    """DuckDB alone: every column as text → Parquet."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    began = time.perf_counter()
    connection.execute(f"COPY (FROM read_csv('{path}', all_varchar = true)) TO '{folder}/rows.parquet'")
    return {"bare": time.perf_counter() - began, "bare_memory": _peak(resource.RUSAGE_SELF)}


def read_and_take(path: Path, folder: Path, mapping: str) -> dict[str, float]:
    """procmon's reading process, and `take` in this one."""
    from procmon.config import EngineSettings
    from procmon.engine import Engine
    from procmon.ingest.mapping import read_mapping
    from procmon.ingest.read import read_file
    from procmon.ingest.take import Terms, take

    chosen, limits = read_mapping(mapping, folder), EngineSettings()
    began = time.perf_counter()
    raw = read_file(path, chosen, scratch=folder, key=bytes(32), limits=limits)
    read, read_memory = time.perf_counter() - began, _peak(resource.RUSAGE_CHILDREN)
    now = datetime(2027, 1, 1, tzinfo=ZONE)
    began = time.perf_counter()
    with Engine(limits, folder) as engine:
        taken = take(
            engine, raw, chosen, Terms("Asia/Ho_Chi_Minh", now, now), batch_id=1, lake_files=[], done=[], live=[]
        )
    took = time.perf_counter() - began
    return {
        "read": read, "read_memory": read_memory, "take": took, "take_memory": _peak(resource.RUSAGE_SELF),
        "rows": taken.n_read, "refused": taken.n_refused,
    }  # fmt: skip


def _peak(of: int) -> float:
    """Peak resident memory in MiB."""
    return resource.getrusage(of).ru_maxrss / 1024


def measured(what: str, path: Path, mapping: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    with TemporaryDirectory(dir=path.parent) as folder:
        words = [sys.executable, __file__, "--measure", what, "--file", str(path), "--mapping", mapping, folder]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def row_of(path: Path, mapping: str, rounds: int) -> str:
    """A line of the table: DuckDB and procmon by turns."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for what in ("bare", "read") if path.suffix == ".csv" else ("read",):
            for name, value in measured(what, path, mapping).items():
                found.setdefault(name, []).append(value)
    m = {name: median(values) for name, values in found.items()}
    is_compared = "bare" in found
    ratios = [ours / theirs for ours, theirs in zip(found["read"], found["bare"], strict=True)] if is_compared else []
    cells = [
        f"`{path.name}`", f"{path.stat().st_size / 2**20:,.0f}",
        f"{m['bare']:.2f}" if is_compared else "", f"{m['read']:.2f}",
        f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "",
        f"{m['rows'] / m['read']:,.0f}", f"{m['bare_memory']:,.0f}" if is_compared else "", f"{m['read_memory']:,.0f}",
        f"{m['take']:.2f}", f"{m['take_memory']:,.0f}", f"{m['refused']:.0f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


HEADER = (
    "file", "MiB", "DuckDB alone, s", "read, s", "read ÷ DuckDB", "rows/s read", "DuckDB, MiB", "reading process, MiB",
    "take, s", "taking process, MiB", "refused",
)  # fmt: skip


@click.command(help=(__doc__ or "").split("\n")[0])
@click.argument("out_dir", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "benchmarks/out/reading")
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(FILES)), help="these files alone")
@click.option("--measure", type=click.Choice(["bare", "read"]), hidden=True)
@click.option("--file", type=click.Path(path_type=Path), hidden=True)
@click.option("--mapping", default="", hidden=True)
def main(out_dir: Path, rows: int, rounds: int, only: tuple[str, ...], measure: str, file: Path, mapping: str) -> None:
    if measure:
        print(json.dumps(bare(file, out_dir) if measure == "bare" else read_and_take(file, out_dir, mapping)))
        return
    out_dir.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}", flush=True)
    for name, (chosen, write) in FILES.items():
        if only and name not in only:
            continue
        path = out_dir / f"{rows}-{name}"
        if not path.exists():
            write(path.with_name(f".{path.name}"), rows)
            path.with_name(f".{path.name}").rename(path)
        print(row_of(path, chosen, rounds), flush=True)


if __name__ == "__main__":
    main()
