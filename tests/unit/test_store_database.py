"""The database under registry and ledger, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, func, inspect, select, text
from sqlmodel import col

from procmon.errors import SettingsError, StoreError
from procmon.store import ledger, registry
from procmon.store.database import MIGRATIONS, Base, arrow_type, create, fetch, open_database, writing
from procmon.store.ledger import Batch
from procmon.tables import INSTANT

pytest_plugins = ["postgres"]

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
IN_HAI_PHONG = timezone(timedelta(hours=7))


def a_batch(began_at: datetime = NOW) -> Batch:
    return Batch(file="log.csv", mapping="canonical", began_at=began_at)


@contextmanager
def disposed(engine: Engine) -> Iterator[Engine]:
    yield engine
    engine.dispose()


def set_revision(url: str, revision: str) -> None:
    with disposed(create(url)) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


A_BATCH_OF_THE_FIRST_RELEASE = """
    INSERT INTO batches (file, sha256, mapping, status, began_at, n_read, n_stored, n_repeated, n_amended, n_refused,
        retracted_why, note)
    VALUES ('log.csv', '', 'canonical', 'done', '2025-03-03 00:00:00', 0, 0, 0, 0, 0, '', '')
"""
A_LOAD_OF_THE_FIRST_RELEASE = """
    INSERT INTO loads (kind, file, loaded_at, n_added, n_changed, n_closed, n_left, replaced)
    VALUES ('successions', 'a.csv', '2025-07-01 00:00:00', 1, 0, 0, 0, false)
"""
A_SUCCESSION_OF_THE_FIRST_RELEASE = """
    INSERT INTO successions (load_id, loaded_at, old_unit_id, new_unit_id, effective_on, extent)
    VALUES (1, '2025-07-01 00:00:00', '11383', '11344', '2025-07-01', 'part')
"""


def make_first_schema(url: str) -> None:
    """The database as the first release made it, with one batch and one succession."""
    migrations = Config()
    migrations.set_main_option("script_location", str(MIGRATIONS))
    with (
        disposed(create_engine(url.replace("postgresql:", "postgresql+psycopg:"))) as engine,
        engine.begin() as connection,
    ):
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, "0001")
        for row in (
            A_BATCH_OF_THE_FIRST_RELEASE, A_LOAD_OF_THE_FIRST_RELEASE, A_SUCCESSION_OF_THE_FIRST_RELEASE
        ):  # fmt: skip
            connection.execute(text(row))


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(engine: Engine) -> None:
    assert registry.KINDS
    assert ledger.TABLES
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        # Alembic compares no conditions of indexes.
        indexes = {i["name"]: i for name in registry.KINDS for i in inspect(connection).get_indexes(name)}
    for kind in registry.KINDS.values():
        index = indexes[f"uq_{kind.name}_open"]
        assert index["column_names"] == list(kind.key)
        condition = str(index["dialect_options"][f"{engine.dialect.name}_where"])
        assert condition.strip("()") == "closed_load_id IS NULL"


def test_what_was_made_can_be_opened_and_made_again_without_loss(database_url: str) -> None:
    with disposed(create(database_url)) as engine, writing(engine) as session:
        session.add(a_batch())
    with disposed(create(database_url)):
        pass
    with disposed(open_database(database_url)) as engine:
        assert ledger.read_table(engine, "batches")["file"].to_pylist() == ["log.csv"]


def test_sqlite_writes_through_to_the_disk_and_holds_references(tmp_path: Path) -> None:
    with disposed(create(f"sqlite:///{tmp_path}/procmon.db")) as engine, engine.connect() as connection:
        held = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert held == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_sqlite_file_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with disposed(create(f"sqlite:///{tmp_path}/procmon.db")) as engine, writing(engine) as session:
            session.add(a_batch())
            session.flush()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes["procmon.db"] == modes["procmon.db-wal"] == 0o600


def test_the_folder_of_a_workspace_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "Hải Phòng 100 %"
    folder.mkdir()
    with disposed(create(f"sqlite:///{folder}/procmon.db")) as engine:
        assert registry.version(engine) == 0


def test_an_instant_keeps_its_place_in_time_whatever_its_zone(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(a_batch(datetime(2026, 11, 22, 8, 30, 0, 123456, IN_HAI_PHONG)))
    found = ledger.read_table(engine, "batches")
    assert found.schema.field("began_at").type == INSTANT == arrow_type(Base.metadata.tables["batches"].c.began_at.type)
    assert found["began_at"].to_pylist() == [NOW.replace(microsecond=123456)]
    with writing(engine) as session:
        again = session.get_one(Batch, 1)
    assert again.began_at.utcoffset() == timedelta(0)


def test_an_instant_is_compared_as_an_instant(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(a_batch(NOW))
    later = datetime(2026, 11, 22, 8, 31, tzinfo=IN_HAI_PHONG)  # a minute later, though its clock says 8
    assert fetch(engine, select(col(Batch.id)).where(col(Batch.began_at) < later)).num_rows == 1
    assert fetch(engine, select(col(Batch.id)).where(col(Batch.began_at) > later)).num_rows == 0


def test_an_instant_without_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(Exception, match="has no time zone"), writing(engine) as session:
        session.add(a_batch(datetime(2026, 11, 22)))


def test_what_fails_half_way_leaves_nothing(engine: Engine) -> None:
    def write_and_break() -> None:
        with writing(engine) as session:
            session.add(a_batch())
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_break()
    assert ledger.read_table(engine, "batches").num_rows == 0


def test_writers_wait_for_each_other(engine: Engine) -> None:
    """Each reads what it then writes: without waiting, numbers would be given twice or writers be refused."""

    def add_ten() -> None:
        for _ in range(10):
            with writing(engine) as session:
                n_read = session.scalar(select(func.count()).select_from(Batch)) or 0
                session.add(Batch(file="log.csv", mapping="canonical", began_at=NOW, n_read=n_read))

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.read_table(engine, "batches")["n_read"].to_pylist() == list(range(40))


def test_a_workspace_without_database_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database of procmon") as caught:
        open_database(f"sqlite:///{tmp_path}/procmon.db")
    assert "procmon init" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_points_to_init(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="no database of procmon") as caught:
        open_database(postgres_url)
    assert "procmon init" in caught.value.remedy


@pytest.mark.parametrize("door", [create, open_database])
def test_a_database_of_an_earlier_release_is_brought_up_to_date(
    database_url: str, door: Callable[[str], Engine]
) -> None:
    make_first_schema(database_url)
    with disposed(door(database_url)) as engine, writing(engine) as session:
        session.execute(text(A_BATCH_OF_THE_FIRST_RELEASE))  # as its scheduler may, which is still at work
    with disposed(door(database_url)) as engine:
        batches = ledger.read_table(engine, "batches").select(["file", "mapping_digest", "kind", "is_held"])
        assert batches.to_pylist() == [
            {"file": "log.csv", "mapping_digest": "", "kind": "events", "is_held": False} for _ in range(2)
        ]
        successions = registry.read(engine, "successions").to_pylist()
        assert [(row["old_unit_id"], row["extent"], row["weight"]) for row in successions] == [("11383", "part", None)]


def test_a_database_is_brought_up_to_date_once_however_many_open_it(database_url: str) -> None:
    make_first_schema(database_url)

    def open_and_count(_: int) -> int:
        with disposed(open_database(database_url)) as engine:
            return ledger.read_table(engine, "batches").num_rows

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_and_count, range(4))) == [1] * 4


@pytest.mark.parametrize("door", [create, open_database])
def test_a_database_of_a_newer_release_is_left_alone(database_url: str, door: object) -> None:
    set_revision(database_url, "9999")
    with pytest.raises(StoreError, match="schema 9999, which this procmon does not know") as caught:
        door(database_url)  # type: ignore[operator]
    assert "newer procmon" in caught.value.remedy


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "procmon.db").write_text("dossier_id,status\n" * 100)
    with pytest.raises(StoreError, match=r"procmon\.db: the database failed: file is not a database"):
        open_database(f"sqlite:///{tmp_path}/procmon.db")


def test_a_database_in_a_folder_that_is_not_there_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made: No such file"):
        create(f"sqlite:///{tmp_path}/nowhere/procmon.db")


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"the database failed") as caught:
        open_database("postgresql://procmon:geheim@127.0.0.1:1/procmon")
    assert "127.0.0.1:1/procmon" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_full_database_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    with disposed(create(f"sqlite:///{tmp_path}/procmon.db")) as engine:
        with writing(engine) as session:
            session.add(a_batch())
            pages = session.scalar(text("PRAGMA page_count"))

        def overfill() -> None:
            with writing(engine) as session:
                session.execute(text(f"PRAGMA max_page_count = {pages}"))
                session.add(Batch(file="x" * 100_000, mapping="canonical", began_at=NOW))

        with pytest.raises(StoreError, match="database or disk is full"):
            overfill()
        assert ledger.read_table(engine, "batches").num_rows == 1
    with closing(sqlite3.connect(tmp_path / "procmon.db")) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("somewhere", "not a database URL"),
        ("mysql://host/name", "mysql is not a database that procmon works with"),
        ("postgresql+asyncpg://host/name", r"postgresql\+asyncpg is not a database"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_an_example(url: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        create(url)
    assert "sqlite:///" in caught.value.remedy


def test_a_database_that_is_someone_elses_is_left_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE units (id int)")
    with pytest.raises(StoreError, match="tables that are not procmon's, such as units") as caught:
        create(postgres_url)
    assert "a database of its own" in caught.value.remedy


def test_a_server_that_gives_no_rights_is_quoted(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(StoreError, match="permission denied for schema public"):
        create(postgres_url.replace("procmon@", "guest@"))
