"""The registry: procedures, units, successions, calendars, announced list, targets, recipients, in versions.

A load never overwrites: a row that changed is closed and stands anew, so that every version can be read again.
The registry's *version* is the number of the newest load (0: none); a version's rows are those loaded up to it
and not closed by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Double, Engine, Index, Table, Text, func, insert, or_, select, text, update
from sqlmodel import Field, Session, col

from procmon import tables
from procmon.errors import UsageProblem
from procmon.store import cells
from procmon.store.cells import Problem
from procmon.store.database import Base, UtcTime, fetch, writing

SEEDS = {"calendar": "calendar.csv", "targets": "targets.csv"}
"""Kind → file of `procmon/data/` that a new workspace starts with."""


class Load(Base, table=True):
    """One load that changed something: the registry's version is the newest one's id."""

    __tablename__ = "loads"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(sa_type=Text)
    file: str = Field(sa_type=Text)
    loaded_at: datetime = Field(sa_type=UtcTime)
    n_added: int = 0
    n_changed: int = 0
    n_closed: int = 0
    n_left: int = 0
    replaced: bool = False


class RegistryRow(Base):
    """What every row of the registry carries: the load that brought it and the load that closed it, if any."""

    id: int | None = Field(default=None, primary_key=True)
    load_id: int = Field(foreign_key="loads.id")
    closed_load_id: int | None = Field(default=None, foreign_key="loads.id")
    loaded_at: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


def _one_open(name: str, *key: str) -> tuple[Index]:
    """At most one open row a key, held by the database itself."""
    is_open = text("closed_load_id IS NULL")
    return (Index(f"uq_{name}_open", *key, unique=True, sqlite_where=is_open, postgresql_where=is_open),)


class Procedure(RegistryRow, table=True):
    """A version of a procedure, which is on offer while one is valid. `limit_amount` is a decimal as text."""

    __tablename__ = "procedures"
    __table_args__ = _one_open("procedures", "procedure_id", "valid_from")

    procedure_id: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    level: str = Field(sa_type=Text)
    limit_amount: str = Field(default="", sa_type=Text)
    limit_unit: str = Field(default="", sa_type=Text)
    valid_from: date
    valid_to: date | None = None
    source: str = Field(default="", sa_type=Text)
    tags: str = Field(default="", sa_type=Text)
    supplement: str = Field(default="", sa_type=Text)
    payment: str = Field(default="", sa_type=Text)
    late_receipt: str = Field(default="", sa_type=Text)


class Unit(RegistryRow, table=True):
    """A version of a unit."""

    __tablename__ = "units"
    __table_args__ = _one_open("units", "unit_id", "valid_from")

    unit_id: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    parent_unit_id: str = Field(default="", sa_type=Text)
    valid_from: date
    valid_to: date | None = None


class Succession(RegistryRow, table=True):
    """An old unit went, whole or in part, into a new one; weights, where there are any, sum to 1 for an old unit."""

    __tablename__ = "successions"
    __table_args__ = _one_open("successions", "old_unit_id", "new_unit_id", "effective_on")

    old_unit_id: str = Field(sa_type=Text)
    new_unit_id: str = Field(sa_type=Text)
    effective_on: date
    extent: str = Field(sa_type=Text)
    weight: float | None = Field(default=None, sa_type=Double)


class CalendarOverride(RegistryRow, table=True):
    """A day that is not as the calendar has it; of a unit's calendar, it holds while the unit has that calendar."""

    __tablename__ = "calendar"
    __table_args__ = _one_open("calendar", "calendar_id", "on")

    calendar_id: str = Field(sa_type=Text)
    on: date
    open: bool
    hours: str = Field(default="", sa_type=Text)
    source: str = Field(default="", sa_type=Text)


class OpeningHours(RegistryRow, table=True):
    """The hours of a weekday from a day on; but for `default`, a calendar is closed on weekdays it does not name."""

    __tablename__ = "opening_hours"
    __table_args__ = _one_open("opening_hours", "calendar_id", "unit_id", "weekday", "valid_from")

    calendar_id: str = Field(sa_type=Text)
    unit_id: str = Field(default="", sa_type=Text)
    weekday: int
    hours: str = Field(default="", sa_type=Text)
    valid_from: date
    source: str = Field(default="", sa_type=Text)


class Announced(RegistryRow, table=True):
    """A procedure announced as done at any counter."""

    __tablename__ = "announced"
    __table_args__ = _one_open("announced", "procedure_id", "announced_on")

    procedure_id: str = Field(sa_type=Text)
    announced_on: date
    valid_to: date | None = None
    scope: str = Field(default="", sa_type=Text)
    source: str = Field(default="", sa_type=Text)


class Target(RegistryRow, table=True):
    """A reduction that was promised, for a period against a baseline."""

    __tablename__ = "targets"
    __table_args__ = _one_open("targets", "name")

    name: str = Field(sa_type=Text)
    basis: str = Field(sa_type=Text)
    reduction: float = Field(sa_type=Double)
    baseline_from: date
    baseline_to: date
    period_from: date
    period_to: date
    tag: str = Field(default="", sa_type=Text)
    source: str = Field(default="", sa_type=Text)


class Recipient(RegistryRow, table=True):
    """Someone who gets pages by mail."""

    __tablename__ = "recipients"
    __table_args__ = _one_open("recipients", "email", "audience", "scope")

    email: str = Field(sa_type=Text)
    name: str = Field(default="", sa_type=Text)
    audience: str = Field(sa_type=Text)
    scope: str = Field(default="", sa_type=Text)
    schedule: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)


@dataclass(frozen=True)
class Column:
    """A column of a registry file. `parse` makes its value of a cell that is not empty, or raises ValueError saying
    what is expected; an empty cell, or an absent column, is `empty`, unless the column is `needed`."""

    name: str
    parse: cells.Parser
    meaning: str
    needed: bool = False
    empty: object = ""


@dataclass(frozen=True)
class Kind:
    """A kind of registry file: its table, columns in order, key, what must hold within a row, and among all rows that
    stand once a file is loaded."""

    name: str
    model: type[RegistryRow]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    check: cells.RowCheck = cells.fits
    check_all: cells.RowsCheck = cells.fit_together

    @property
    def table(self) -> Table:
        """The kind's table in the database; its name is the kind's."""
        return Base.metadata.tables[self.name]

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]


@dataclass(frozen=True)
class Loaded:
    """What a load did, in rows; `left` are the open ones that stay as they were."""

    added: int
    changed: int
    closed: int
    left: int


_VALID_FROM = Column(
    "valid_from", cells.day, "first day on which the row holds; empty: long before any log", empty=tables.FIRST_DAY
)
_VALID_TO = Column("valid_to", cells.day, "day after its last; empty: still valid", empty=None)
_SOURCE = Column("source", cells.words, "decision or letter that says so")

_KINDS = (
    Kind(
        "procedures",
        Procedure,
        ("procedure_id", "valid_from"),
        (
            Column("procedure_id", cells.code, "procedure code", needed=True),
            Column("name", cells.words, "its name", needed=True),
            Column("field", cells.words, "its field (lĩnh vực)", needed=True),
            Column("level", cells.one_of("city", "commune"), "level that resolves it", needed=True),
            Column("limit_amount", cells.amount, "limit, a positive number; empty: no limit"),
            Column("limit_unit", cells.one_of(*tables.LIMIT_UNITS), "unit of the limit"),
            _VALID_FROM,
            _VALID_TO,
            _SOURCE,
            Column("tags", cells.tags, "words separated by spaces, such as business, green_lane"),
            Column("supplement", cells.one_of("pause", "restart", "run"), "policy; empty: as the settings say"),
            Column("payment", cells.one_of("run", "pause"), "policy; empty: as the settings say"),
            Column("late_receipt", cells.one_of("none", "15:00"), "policy; empty: as the settings say"),
        ),
        cells.procedure_fits,
    ),
    Kind(
        "units",
        Unit,
        ("unit_id", "valid_from"),
        (
            Column("unit_id", cells.code, "unit code", needed=True),
            Column("name", cells.words, "its name", needed=True),
            Column("kind", cells.one_of(*tables.UNIT_KINDS), "what it is", needed=True),
            Column("parent_unit_id", cells.code, "unit it belongs to; empty: none"),
            _VALID_FROM,
            _VALID_TO,
        ),
        cells.unit_fits,
    ),
    Kind(
        "successions",
        Succession,
        ("old_unit_id", "new_unit_id", "effective_on"),
        (
            Column("old_unit_id", cells.code, "unit before", needed=True),
            Column("new_unit_id", cells.code, "unit after", needed=True),
            Column("effective_on", cells.day, "first day of the new unit", needed=True),
            Column("extent", cells.one_of("whole", "part"), "whether all of the old unit went there", needed=True),
            Column(
                "weight",
                cells.share,
                "share of the old unit, by people or dossiers, that went there (policies.split_units); empty: unknown",
                empty=None,
            ),
        ),
        check_all=cells.weights_fit,
    ),
    Kind(
        "calendar",
        CalendarOverride,
        ("calendar_id", "on"),
        (
            Column("calendar_id", cells.calendar, "calendar: default, or one of opening_hours", needed=True),
            Column("on", cells.calendar_day, "the day", needed=True),
            Column("open", cells.yes_no, "yes: worked; no: off", needed=True),
            Column(
                "hours",
                cells.hours,
                "sessions such as 07:30-11:30 13:00-17:00; empty: that weekday's, at a weekend those of the first"
                " weekday that is open, as it stands in for a working day",
            ),
            _SOURCE,
        ),
        cells.override_fits,
    ),
    Kind(
        "opening_hours",
        OpeningHours,
        ("calendar_id", "unit_id", "weekday", "valid_from"),
        (
            Column("calendar_id", cells.calendar, "calendar", needed=True),
            Column(
                "unit_id",
                cells.code,
                "unit that has this calendar from `valid_from` on, and until then the one that it had, or the default;"
                " empty: none in particular",
            ),
            Column("weekday", cells.weekday, "1 = Monday … 7 = Sunday", needed=True),
            Column("hours", cells.hours, "sessions such as 07:30-11:30 13:00-17:00; empty, or no such row: closed"),
            _VALID_FROM,
            _SOURCE,
        ),
    ),
    Kind(
        "announced",
        Announced,
        ("procedure_id", "announced_on"),
        (
            Column("procedure_id", cells.code, "procedure code", needed=True),
            Column("announced_on", cells.day, "day from which it is announced", needed=True),
            _VALID_TO,
            Column("scope", cells.words, "where, in the announcement's words; empty: everywhere in the city"),
            _SOURCE,
        ),
        cells.announced_fits,
    ),
    Kind(
        "targets",
        Target,
        ("name",),
        (
            Column("name", cells.code, "name of the target", needed=True),
            Column("basis", cells.one_of("limit", "actual"), "limits on paper or processing time", needed=True),
            Column("reduction", cells.fraction, "reduction promised, as a fraction such as 0.3", needed=True),
            Column("baseline_from", cells.day, "first day of the baseline", needed=True),
            Column("baseline_to", cells.day, "day after its last", needed=True),
            Column("period_from", cells.day, "first day of the period", needed=True),
            Column("period_to", cells.day, "day after its last", needed=True),
            Column("tag", cells.tag, "only procedures with this tag; empty: all"),
            _SOURCE,
        ),
        cells.target_fits,
    ),
    Kind(
        "recipients",
        Recipient,
        ("email", "audience", "scope"),
        (
            Column("email", cells.email, "mail address", needed=True),
            Column("name", cells.words, "who that is"),
            Column("audience", cells.one_of("city", "centre", "department"), "whose page", needed=True),
            Column("scope", cells.scope, "unit:CODE or field:NAME; empty: everything"),
            Column("schedule", cells.schedules, f"when: {' '.join(cells.SCHEDULES)}", needed=True),
            Column("language", cells.one_of("vi"), "language of the page; empty: vi", empty="vi"),
        ),
        cells.recipient_fits,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
"""What `procmon load KIND FILE` takes."""


def version(engine: Engine) -> int:
    """The registry's version now: the newest load's id, 0 where nothing was loaded."""
    newest = fetch(engine, select(func.coalesce(func.max(col(Load.id)), 0).label("version")))
    return int(newest["version"][0].as_py())


def read(engine: Engine, kind: str, *, version: int | None = None) -> pa.Table:
    """The rows of `kind` open in `version` (none: the newest), ordered by key, with the columns of its file.

    Days are date32, `weekday` int64, `limit_amount`, `reduction` and `weight` float64, `open` bool, all else text;
    what is empty is null. Raises: UsageProblem for a kind that is not known.
    """
    known = _kind(kind)
    rows = known.table.columns
    statement = select(*(rows[name] for name in known.names))
    if version is None:
        statement = statement.where(rows.closed_load_id.is_(None))
    else:
        still_open = or_(rows.closed_load_id.is_(None), rows.closed_load_id > version)
        statement = statement.where(rows.load_id <= version, still_open)
    # Sorted here, by UTF-8 bytes: a database sorts text by its own locale.
    found = fetch(engine, statement).sort_by([(name, "ascending") for name in known.key])
    return _with_nulls(found)


def _with_nulls(rows: pa.Table) -> pa.Table:
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            filled = pc.if_else(pc.equal(rows[place], ""), pa.scalar(None, pa.string()), rows[place])
            if field.name == "limit_amount":
                filled = filled.cast(pa.float64())
            rows = rows.set_column(place, field.name, filled)
    return rows


def load(engine: Engine, kind: str, path: Path, *, replace: bool, now: datetime) -> Loaded:
    """Take the registry file at `path` whole, or nothing of it; `replace` closes the rows that it does not have.

    Rows are found again by the kind's key. A load that changes nothing makes no new version. Raises: UsageProblem
    for a kind that is not known; RegistryError naming file, line, column, value and what is expected for up to 20
    problems; StoreError where the database fails.
    """
    known = _kind(kind)
    rows, lines = _checked(known, path)
    with writing(engine) as session:
        standing = [] if replace else _standing(session, known)
        after = {_key(known, row): row for row in (*standing, *rows)}
        problems = [
            problem.on(lines[_key(known, row)])
            for row, problem in known.check_all(list(after.values()))
            if _key(known, row) in lines
        ]
        if problems:
            raise cells.refused(path, problems)
        return _store(session, known, rows, Load(kind=kind, file=path.name, loaded_at=now, replaced=replace))


def seed(engine: Engine, now: datetime) -> None:
    """Load what a new workspace starts with (`SEEDS`)."""
    for kind in SEEDS:
        load(engine, kind, seed_file(kind), replace=False, now=now)


def seed_file(kind: str) -> Path:
    """The shipped file of a kind of SEEDS."""
    return Path(str(files("procmon"))) / "data" / SEEDS[kind]


def unloaded(engine: Engine, kind: str) -> list[dict[str, Any]]:
    """The rows shipped for `kind` (one of SEEDS) whose key the registry does not have: a newer release ships more."""
    known = _kind(kind)
    shipped, _ = _checked(known, seed_file(kind))
    with Session(engine) as session:
        standing = {_key(known, row) for row in _standing(session, known)}
    return [row for row in shipped if _key(known, row) not in standing]


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise UsageProblem(f"{name} is not a kind of registry file", remedy=f"The kinds are {', '.join(KINDS)}.")
    return KINDS[name]


def _checked(kind: Kind, path: Path) -> tuple[list[dict[str, Any]], dict[tuple[Any, ...], int]]:
    """The file's rows as values, and key → line; RegistryError where anything in it is wrong."""
    header, records = cells.read_csv(path)
    needed = [column.name for column in kind.columns if column.needed]
    cells.check_header(path, header, kind.names, needed)
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    lines: dict[tuple[Any, ...], int] = {}
    for line, record in records:
        row, wrong = _row(kind, header, record)
        if not wrong:
            key = tuple(row[name] for name in kind.key)
            if key in lines:
                wrong = [_repeated(kind, row, lines[key])]
            lines.setdefault(key, line)
        rows.append(row)
        problems += [problem.on(line) for problem in wrong]
    if problems:
        raise cells.refused(path, problems)
    return rows, lines


def _row(kind: Kind, header: Sequence[str], record: Sequence[str]) -> tuple[dict[str, Any], list[Problem]]:
    if len(record) != len(header):
        return {}, [Problem("", "", f"{len(record)} cells where the header has {len(header)}; quote cells with commas")]
    texts = dict(zip(header, record, strict=True))
    row: dict[str, Any] = {}
    problems = []
    for column in kind.columns:
        try:
            row[column.name] = _value(column, texts.get(column.name, ""))
        except ValueError as error:
            problems.append(Problem(column.name, texts.get(column.name, ""), str(error)))
    return row, problems or list(kind.check(row))


def _value(column: Column, cell: str) -> object:
    cleaned = cells.cleaned(cell)
    if cleaned:
        return column.parse(cleaned)
    if column.needed:
        raise ValueError("it may not be empty")
    return column.empty


def _repeated(kind: Kind, row: Mapping[str, Any], line: int) -> Problem:
    first, *others = kind.key
    also = "".join(f", {name} {row[name] or '(empty)'}" for name in others)
    return Problem(first, f"{row[first]}", f"line {line} has the same key already ({first} {row[first]}{also})")


def _store(session: Session, kind: Kind, rows: Sequence[dict[str, Any]], load: Load) -> Loaded:
    """Close what changed (and, on replace, what is absent), add what is new, under one new load."""
    standing = {_key(kind, row): row for row in _standing(session, kind)}
    fresh = {_key(kind, row): row for row in rows}
    added = [row for key, row in fresh.items() if key not in standing]
    changed = [row for key, row in fresh.items() if key in standing and not _same(kind, row, standing[key])]
    absent = [row for key, row in standing.items() if load.replaced and key not in fresh]
    done = Loaded(len(added), len(changed), len(absent), len(standing) - len(changed) - len(absent))
    if not (added or changed or absent):
        return done
    load.n_added, load.n_changed, load.n_closed, load.n_left = done.added, done.changed, done.closed, done.left
    session.add(load)
    session.flush()
    old = [standing[_key(kind, row)]["id"] for row in changed] + [row["id"] for row in absent]
    _close(session, kind, old, load)
    if added or changed:
        stamp = {"load_id": load.id, "loaded_at": load.loaded_at}
        session.execute(insert(kind.table), [{**row, **stamp} for row in [*added, *changed]])
    return done


def _standing(session: Session, kind: Kind) -> Iterator[dict[str, Any]]:
    rows = kind.table.columns
    statement = select(rows.id, *(rows[name] for name in kind.names)).where(rows.closed_load_id.is_(None))
    yield from (dict(row) for row in session.execute(statement).mappings())


def _close(session: Session, kind: Kind, ids: Sequence[int], load: Load) -> None:
    rows = kind.table.columns
    for start in range(0, len(ids), 500):
        some = update(kind.table).where(rows.id.in_(ids[start : start + 500]))
        session.execute(some.values(closed_load_id=load.id, closed_at=load.loaded_at))


def _key(kind: Kind, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in kind.key)


def _same(kind: Kind, row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(row[name] == other[name] for name in kind.names)
