"""The database of registry and ledger: SQLite in the workspace, or PostgreSQL by URL.

`create` makes it, `open_database` opens one and migrates what an earlier release made, `writing` is the one door
for changes, `fetch` the one from rows to Arrow. Instants go in aware and come out in UTC on both.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    URL,
    Boolean,
    Connection,
    Date,
    DateTime,
    Dialect,
    Double,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import registry
from sqlalchemy.sql import Select
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Session, SQLModel

from procmon import tables
from procmon.errors import SettingsError, StoreError

logger = logging.getLogger(__name__)

BUSY_SECONDS = 30
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_WRITERS = text("SELECT pg_advisory_xact_lock(7766766)")  # PostgreSQL's; any number of our own
INSUFFICIENT_PRIVILEGE = "42501"  # PostgreSQL's code

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """What the tables of registry and ledger share: metadata of their own, with constraints that have names."""


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware in, UTC out. SQLite, which knows no time zones, holds it as text in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone: an instant must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def create(url: str) -> Engine:
    """The database at `url`, made if it is not there; one that stands already is opened, its rows left as they are.

    A SQLite file is made with mode 600. Raises: SettingsError for a URL that cannot be used, StoreError where the
    database cannot be made or is of a newer release.
    """
    place = _parsed(url)
    _make_file(place)
    engine = _engine(place)
    with _said_for(place):
        with engine.execution_options(writes=True).begin() as connection:
            if not MigrationContext.configure(connection).get_current_heads():
                _refuse_strangers(connection, place)
                command.upgrade(_alembic(connection), "head")
        _bring_up_to_date(engine, place)
    return engine


def open_database(url: str) -> Engine:
    """The database at `url`, which must stand; one that an earlier release made is brought to this schema.

    Raises: SettingsError for a URL that cannot be used, StoreError (with the remedy) where the database is
    missing, cannot be opened, or is of a newer release.
    """
    place = _parsed(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").is_file():
        raise _missing(place)
    engine = _engine(place)
    with _said_for(place):
        _bring_up_to_date(engine, place)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session for changes: all of them are committed at its end, or none.

    One writer at a time, on both databases: what the session reads stays true until it commits. Keep it short,
    as others wait for it up to 30 seconds. Objects may be read after it.
    Raises: StoreError where the database refuses or is full.
    """
    with (
        _said_for(engine.url),
        Session(engine.execution_options(writes=True), expire_on_commit=False) as session,
        session.begin(),
    ):
        if engine.dialect.name == "postgresql":
            session.execute(text(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'"))
            session.execute(LOCK_WRITERS)
        yield session


def fetch(engine: Engine, statement: Select[Any]) -> pa.Table:
    """The rows of `statement` as an Arrow table, by the types of its columns (`arrow_type`)."""
    with _said_for(engine.url), engine.connect() as connection:
        rows = connection.execute(statement).all()
    columns = list(statement.selected_columns)
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [pa.array(cells, arrow_type(c.type)) for c, cells in zip(columns, values, strict=True)]
    return pa.table(arrays, names=[column.name for column in columns])


def arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    """The Arrow type in which a database column leaves the store; text where nothing else is said."""
    pairs: list[tuple[type, pa.DataType]] = [
        (UtcTime, tables.INSTANT),
        (Boolean, tables.FLAG),
        (Integer, tables.INT),
        (Double, tables.REAL),
        (Date, tables.DAY),
    ]
    return next((arrow for sql, arrow in pairs if isinstance(kind, sql)), tables.TEXT)


def _parsed(url: str) -> URL:
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "workspace.database_url: this is not a database URL",
            remedy="Write it like sqlite:////srv/procmon/procmon.db or postgresql://user@host/name.",
        ) from error
    if place.drivername in ("postgresql", "postgres"):
        place = place.set(drivername="postgresql+psycopg")
    if place.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise SettingsError(
            f"workspace.database_url: {place.drivername} is not a database that procmon works with",
            remedy="Use sqlite:///FILE or postgresql://user@host/name.",
        )
    if place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:"):
        raise SettingsError(
            "workspace.database_url: a SQLite database needs a file",
            remedy="Write it like sqlite:////srv/procmon/procmon.db.",
        )
    return place


def _make_file(place: URL) -> None:
    """An empty SQLite file of mode 600; its WAL takes the mode over."""
    if place.get_backend_name() != "sqlite":
        return
    path = Path(place.database or "")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(
            f"{path}: the database cannot be made: {error.strerror}", remedy="Check the folder and its mode."
        ) from error


def _engine(place: URL) -> Engine:
    if place.get_backend_name() == "sqlite":
        engine = create_engine(place, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(place, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_SECONDS})
    except ModuleNotFoundError as error:
        raise SettingsError(
            "workspace.database_url: the driver for PostgreSQL is not installed",
            remedy="Install it: pip install 'procmon[postgres]'.",
        ) from error


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: `_begin_sqlite` does
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":  # as on a file system without shared memory
        raise sqlite3.OperationalError(f"journal mode is {mode}, not WAL, on this file system")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later is refused at once if another wrote in between: writers
    # therefore take the lock from the start, and wait for it.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _alembic(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _bring_up_to_date(engine: Engine, place: URL) -> None:
    """Migrate what an earlier release made, all or nothing; a database of this release's schema is left alone."""
    with engine.connect() as connection:
        if _is_current(connection, place):
            return
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(LOCK_WRITERS)
        if not _is_current(connection, place):  # else: another process was faster
            command.upgrade(_alembic(connection), "head")


def _is_current(connection: Connection, place: URL) -> bool:
    """Whether the database has this release's schema; if not, a migration leads there.

    Raises: StoreError where there is no schema of procmon, or a newer release's.
    """
    scripts = ScriptDirectory.from_config(_alembic())
    found = MigrationContext.configure(connection).get_current_heads()
    if not found:
        raise _missing(place)
    if not set(found) <= {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"{_shown(place)}: the database has schema {', '.join(found)}, which this procmon does not know",
            remedy="It was made by a newer procmon: install that version, or restore a backup of this one.",
        )
    return set(found) == set(scripts.get_heads())


def _refuse_strangers(connection: Connection, place: URL) -> None:
    found = inspect(connection).get_table_names()
    if found:
        raise StoreError(
            f"{_shown(place)}: the database holds tables that are not procmon's, such as {min(found)}",
            remedy="Give procmon a database of its own, and name it in workspace.database_url.",
        )


def _missing(place: URL) -> StoreError:
    return StoreError(
        f"{_shown(place)}: there is no database of procmon",
        remedy="Make the workspace with procmon init DIR, or name another one with --workspace DIR.",
    )


def _shown(place: URL) -> str:
    """A place as messages name it: never with its password."""
    if place.get_backend_name() == "sqlite":
        return place.database or ""
    return place.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


@contextmanager
def _said_for(place: URL) -> Iterator[None]:
    """What the database cannot do, said as a StoreError; a statement that is wrong stays a bug."""
    try:
        yield
    except DBAPIError as error:
        if not _is_trouble(error):
            raise
        said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no connection"
        logger.debug("database error", exc_info=True)
        raise StoreError(
            f"{_shown(place)}: the database failed: {said}",
            remedy="Check that it is there, may be read and written, has room, and is not held by another program.",
        ) from error


def _is_trouble(error: DBAPIError) -> bool:
    """Whether the world failed, and not our SQL."""
    if isinstance(error, OperationalError):
        return "no such" not in str(error.orig)  # a table or column that is missing from SQLite
    is_no_sqlite_file = type(error.orig) is sqlite3.DatabaseError
    return is_no_sqlite_file or getattr(error.orig, "sqlstate", "") == INSUFFICIENT_PRIVILEGE
