"""A believable Hải Phòng for demos, tests and benchmarks: `python benchmarks/city.py OUT_DIR --dossiers N`.

Everything is made up but for the units of commune level and the calendar. The model, in short:

* Dossiers are received on working days from November 2023 to the end of 2025, more of them on Mondays, in March and
  December, fewer around Tết, 6 % more each year; popular procedures have most of them.
* Work is lognormal around a share of the procedure's limit of 2024. For what is received in 2025 it takes `ratio` times
  as long: 0.45-0.65 for faster procedures, 1 for unchanged, 1.1-1.3 for slower ones. Communes differ in pace, and so do
  their months. Supplements and payments add pauses; a few dossiers are withdrawn, stopped, refused or reopened.
* Limits are halved on paper in 2025 for most procedures, so unchanged work grows late.
* Before 1 July 2025 units carry their old codes (some commune procedures were the district's); after it procedures of
  some kinds are filed across boundaries, or refused there.
* Simplified: departments keep one name and code throughout, and both old provinces share them; units changed only on
  1 July 2025; every office keeps the usual hours.

`planted.json` says what was planted. `done_2024` and `done_2025` are exact sums of processing time under the
procedures' policies; `ratio` acts by the day of receipt, so work carried over New Year dilutes it a little. All counts
are as of `log_to`, and hold on the calendar written beside the log. The same options give the same bytes.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for `python benchmarks/city.py`

from benchmarks import city_data as data
from benchmarks import city_dossiers as drawn
from benchmarks import city_model as model
from benchmarks.city_truth import Truth

COLUMNS = [
    "dossier_id", "status", "occurred_at", "procedure_id", "unit_id", "due_at", "receiving_unit_id",
    "resolving_unit_id", "returning_unit_id", "applicant_unit_id", "channel", "stage", "applicant_id", "handler_id",
    "reason", "recorded_at",
]  # fmt: skip
PROCEDURE_COLUMNS = (
    "procedure_id,name,field,level,limit_amount,limit_unit,valid_from,valid_to,source,tags,"
    "supplement,payment,late_receipt"
)
CHUNK = 100_000  # dossiers drawn at once; part of the seed, so a constant
DESKS_A_UNIT = 8
SHARE_RECORDED, SHARE_RECORDED_LATE, LATE_DAYS = 0.92, 0.02, (14, 20)
SOURCE_2024, SOURCE_2025 = "Quyết định công bố TTHC (minh họa)", "Quyết định cắt giảm thời hạn 2025 (minh họa)"

DAY_ZERO = "2023-09-01"  # of the table of day names
DAYS = pa.array((np.datetime64(DAY_ZERO) + np.arange(1_600)).astype(str).tolist())
SECONDS = pa.array([f"T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)])


def _pick(names: pa.Array | list[str], positions: np.ndarray, has: np.ndarray | None = None) -> pa.Array:
    """`names` at `positions`, empty where a position is negative or `has` is false."""
    empty = positions < 0 if has is None else (positions < 0) | ~has
    return pa.array(names).take(pa.array(positions, mask=empty))


def _instants(at: np.ndarray, has: np.ndarray, is_bare: np.ndarray, offset: pa.Array) -> pa.Array:
    """ISO instants; a bare day where `is_bare`, empty unless `has`."""
    since = np.where(has, at - model.seconds(DAY_ZERO), 0)
    day = DAYS.take(pa.array(since // 86_400, mask=~has))
    text = pc.binary_join_element_wise(day, SECONDS.take(pa.array(since % 86_400)), offset, "")
    return pc.if_else(pa.array(is_bare), day, text)


def _codes(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _scattered(numbers: np.ndarray, digits: int) -> np.ndarray:
    """Numbers that tell nothing, one to one (the factor is odd and no multiple of five)."""
    return (numbers * 7_654_321 + 1_234_567) % 10**digits


def _dossier_ids(world: model.World, filed: drawn.Filing, first: int) -> pa.Array:
    """Codes like those of the portals: `H24.UNIT-DATE-NUMBER`."""
    numbers = np.arange(first, first + len(filed.place))
    unit = pc.binary_join_element_wise("H24", _pick(world.places.codes, filed.receiving), ".")
    day = DAYS.take(pa.array((filed.received_at - model.seconds(DAY_ZERO)) // 86_400))
    return pc.binary_join_element_wise(unit, pc.replace_substring(day, "-", ""), _codes("", numbers, 7), "-")


def _log_table(
    world: model.World, filed: drawn.Filing, log: drawn.Events, first: int, rng: np.random.Generator
) -> pa.Table:
    """One chunk of the log in the canonical columns; `first` is the number of its first dossier."""
    who, n, unit_ids = log.dossier, len(filed.place), pa.array(world.places.codes)
    is_filed = log.status == drawn.STATUS["submitted"]
    is_received = (log.status == drawn.STATUS["received"]) | (
        (log.status == drawn.STATUS["refused"]) & (filed.refused_for != drawn.NOTHING)[who]
    )
    is_first = is_filed | is_received
    offset = pa.array(["+07:00", ""]).take(pa.array(filed.place[who] % 2))  # half of the sources state it
    yes, never = np.ones(len(who), dtype=bool), np.zeros(len(who), dtype=bool)
    applicant = _scattered(rng.integers(0, world.n_applicants, n), 10)
    handler = _scattered(log.unit * DESKS_A_UNIT + rng.integers(0, DESKS_A_UNIT, len(who)), 8)
    columns = {
        "dossier_id": _dossier_ids(world, filed, first).take(pa.array(who)),
        "status": _pick(model.STATUSES, log.status),
        "occurred_at": _instants(log.at, yes, log.is_at_bare, offset),
        "procedure_id": _pick([p.logged_id for p in world.procedures], filed.procedure[who], is_first),
        "unit_id": _pick(unit_ids, log.unit),
        "due_at": _instants(log.due, log.due >= 0, log.is_due_bare, offset),
        "receiving_unit_id": _pick(unit_ids, filed.receiving[who], is_received),
        "resolving_unit_id": _pick(unit_ids, filed.resolving[who], is_received),
        "returning_unit_id": _pick(unit_ids, filed.receiving[who], is_received),
        "applicant_unit_id": _pick(unit_ids, filed.applicant_unit[who], is_received),
        "channel": _pick(["in_person", "online", "post"], filed.channel[who], is_first),
        "stage": _pick(model.STAGES, log.stage),
        "applicant_id": pc.if_else(pa.array(is_first), _codes("ND", applicant, 10).take(pa.array(who)), None),
        "handler_id": pc.if_else(pa.array(is_filed), None, _codes("CB", handler, 8)),
        "reason": _pick(model.REASONS, log.reason),
        "recorded_at": _instants(_recorded(log.at, rng), rng.random(len(who)) < SHARE_RECORDED, never, offset),
    }
    return pa.table(columns).select(COLUMNS)


def _recorded(at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When each step was entered: minutes later, a few weeks later, never after the log's end."""
    lag = rng.exponential(120, len(at))
    late = rng.random(len(at)) < SHARE_RECORDED_LATE
    lag = np.where(late, rng.uniform(*LATE_DAYS, len(at)) * 86_400, lag)
    return np.minimum(at + lag.astype(np.int64), drawn.END - 1)


def chunks(world: model.World, dossiers: int, seed: int, truth: Truth) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """Draw the city a chunk at a time: (rows of the log, their instants as local seconds); fills `truth`."""
    received = world.receipts(dossiers, np.random.default_rng([seed, 1]))
    for number, first in enumerate(range(0, dossiers, CHUNK)):
        rng = np.random.default_rng([seed, 2, number])
        filed = drawn.filing(world, received[first : first + CHUNK], rng)
        run = drawn.course(world, filed, rng)
        due = drawn.promise(world, filed, run, rng)
        log = drawn.events(world, filed, run, due)
        truth.add(filed, run, due, log)
        yield _log_table(world, filed, log, first + 1, rng), log.at


@contextlib.contextmanager
def _log_file(path: Path, is_gzip: bool) -> Iterator[IO[bytes]]:
    """An open log with its header written; gzip without name and time, so that bytes repeat."""
    with contextlib.ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("wb"))
        if is_gzip:
            packed = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0)
            file = stack.enter_context(io.BufferedWriter(stack.enter_context(packed)))
        file.write((",".join(COLUMNS) + "\n").encode())
        yield file


def _append(file: IO[bytes], rows: pa.Table) -> None:
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
    arrow_csv.write_csv(rows, file, options)


def _write_log(out: Path, tables: Iterable[tuple[pa.Table, np.ndarray]], *, is_gzip: bool, split: bool) -> None:
    names = ["events-2024.csv", "events-2025.csv"] if split else ["events.csv"]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(_log_file(out / (n + ".gz" * is_gzip), is_gzip)) for n in names]
        for rows, at in tables:
            if not split:
                _append(files[0], rows)
                continue
            for file, mask in zip(files, (at < drawn.NEW_YEAR, at >= drawn.NEW_YEAR), strict=True):
                _append(file, rows.filter(pa.array(mask)))


def _write_csv(path: Path, header: str, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _procedure_rows(world: model.World) -> Iterator[list[object]]:
    """One row a version: the limit of 2024 and, where it was cut, the one of 2025."""
    for p in world.procedures:
        if not p.is_known:
            continue
        name = p.template.name + (f" (trường hợp {p.case + 1})" if p.case else "")
        tags = " ".join(tag for flag, tag in (("b", "business"), ("g", "green_lane")) if p.has(flag))
        policies = ["restart" * p.has("r"), "pause" * p.has("p"), "15:00" * p.has("l")]
        head = [p.procedure_id, name, p.template.field, p.template.level]
        is_cut = p.limit != p.cut_limit
        yield [*head, *p.limit, "2023-01-01", p.cut_on if is_cut else "", SOURCE_2024, tags, *policies]
        if is_cut:
            yield [*head, *p.cut_limit, p.cut_on, "", SOURCE_2025, tags, *policies]


def _write_registry(out: Path, world: model.World) -> None:
    """The files of the registry, as `procmon load KIND FILE` takes them."""
    units = model.facts("haiphong_units.csv")
    own = [(code, name, "department", data.CITY, "2000-01-01", "") for code, name in data.DEPARTMENTS.items()]
    own += [(code, name, "centre", data.CITY, since, "") for code, name, since in data.CENTRES]
    announced = [p.procedure_id for p in world.procedures if p.is_known and p.is_announced]
    tables = {
        "procedures": (PROCEDURE_COLUMNS, _procedure_rows(world)),
        "units": (",".join(units[0]), [*(u.values() for u in units), *own]),
        "calendar": ("calendar_id,on,open,hours,source", data.CALENDAR),
        "announced": (
            "procedure_id,announced_on,valid_to,scope,source",
            [(code, "2025-07-01", "", "toàn thành phố", "Danh mục phi địa giới (minh họa)") for code in announced],
        ),
        "targets": ("name,basis,reduction,baseline_from,baseline_to,period_from,period_to,tag,source", data.TARGETS),
        "recipients": ("email,name,audience,scope,schedule,language", data.RECIPIENTS),
    }
    for kind, (header, rows) in tables.items():
        _write_csv(out / f"{kind}.csv", header, rows)
    (out / "successions.csv").write_bytes((model.FACTS / "haiphong_successions.csv").read_bytes())


def generate(
    out: Path, *, dossiers: int, seed: int = 1, is_gzip: bool = False, split_years: bool = False
) -> dict[str, object]:
    """Write a city of `dossiers` dossiers into the folder `out`, made if absent.

    Writes the registry's files, the event log (`events.csv`, or with `split_years` `events-2024.csv` for all before
    2025 and `events-2025.csv`; each with `.gz` appended if `is_gzip`) and `planted.json`.

    Returns: what `planted.json` says.
    """
    out.mkdir(parents=True, exist_ok=True)
    world = model.World(dossiers, seed)
    truth = Truth(world)
    _write_registry(out, world)
    _write_log(out, chunks(world, dossiers, seed, truth), is_gzip=is_gzip, split=split_years)
    planted = {"seed": seed, "dossiers": dossiers, "log_from": model.LOG_FROM, "log_to": model.LOG_TO}
    planted |= truth.planted()
    (out / "planted.json").write_text(json.dumps(planted, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return planted


@click.command(help=(__doc__ or "").split("\n")[0])
@click.argument("out_dir", type=click.Path(file_okay=False, path_type=Path))
@click.option("--dossiers", type=click.IntRange(min=100), default=3_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--gzip", "is_gzip", is_flag=True, help="Write the log as .csv.gz.")
@click.option("--split-years", is_flag=True, help="One log up to the end of 2024, one for 2025.")
def main(out_dir: Path, dossiers: int, seed: int, is_gzip: bool, split_years: bool) -> None:
    planted = generate(out_dir, dossiers=dossiers, seed=seed, is_gzip=is_gzip, split_years=split_years)
    events = planted["events"]
    assert isinstance(events, dict)
    click.echo(f"{out_dir}: {dossiers} dossiers, {sum(events.values())} events", err=True)


if __name__ == "__main__":
    main()
