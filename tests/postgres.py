"""Databases for tests: a private PostgreSQL cluster on loopback, and each store test on SQLite and on that.

A test module says `pytest_plugins = ["postgres"]` and takes `postgres_url`, `database_url` or `engine`. PostgreSQL
refuses to run as root, so root starts it as another user; where it is not installed, the tests are skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from procmon.store import database

PROGRAMS = Path("/usr/lib/postgresql")
OPTIONS = (
    "-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c timezone=Asia/Ho_Chi_Minh"
    " -c fsync=off -c full_page_writes=off"
)
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the server of a cluster of our own, without a database's name."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if not found:
        pytest.skip(f"PostgreSQL is not installed: no {PROGRAMS}/*/bin/initdb")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="procmon-postgres-"))  # not pytest's, which is closed to other users
    user = _owner(folder)
    data, log, port = folder / "data", folder / "log", _free_port()
    options = OPTIONS.format(port=port, folder=folder)
    try:
        _run(user, programs / "initdb", "-D", data, "-U", "procmon", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        _run(user, programs / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        yield f"postgresql://procmon@127.0.0.1:{port}"
    finally:
        if (data / "postmaster.pid").exists():
            _run(user, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _owner(folder: Path) -> str | None:
    """Who runs the server: as root the user that then owns `folder`, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in known), None)
    if user is None or not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser with a user postgres or nobody")
    shutil.chown(folder, user)
    return user


def _run(user: str | None, *words: Path | str) -> None:
    as_user = ["runuser", "-u", user, "--"] if user else []
    # Files, not pipes: the server keeps what it inherits open, and a pipe would never end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [*as_user, *map(str, words)], stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", check=False
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a new, empty database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield f"{postgres_server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a place for a new database, of either make."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/procmon.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A new database of procmon, of either make."""
    made = database.create(database_url)
    yield made
    made.dispose()
