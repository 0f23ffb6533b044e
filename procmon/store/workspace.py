"""A workspace: one folder with its settings, registry, ledger, lake, key, and the places of files.

    procmon.toml  procmon.db  lake/  inbox/  reports/  outbox/  kept_inputs/  key  .lock  .scratch/
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlmodel import col

from procmon import config
from procmon.config import Settings
from procmon.errors import LockedError, StoreError
from procmon.store import database, ledger, registry
from procmon.store.lake import Lake
from procmon.tables import EVENTS

DATABASE = "procmon.db"
KEY = "key"
SCRATCH = ".scratch"
INBOX, REPORTS, OUTBOX, KEPT = "inbox", "reports", "outbox", "kept_inputs"


@dataclass(frozen=True)
class Workspace:
    """An open workspace; `ledger_db` holds registry and ledger."""

    folder: Path
    settings: Settings
    ledger_db: Engine
    lake: Lake

    @property
    def inbox(self) -> Path:
        """Where files wait to be taken."""
        return self.folder / INBOX

    @property
    def reports(self) -> Path:
        """Where pages are written."""
        return self.folder / REPORTS

    @property
    def outbox(self) -> Path:
        """Where mails are written when no mail server is set."""
        return self.folder / OUTBOX

    @property
    def kept(self) -> Path:
        """Where taken files are kept for `workspace.keep_inputs` days."""
        return self.folder / KEPT

    @property
    def key(self) -> bytes:
        """The key of the identifiers' hashes. Raises: StoreError where it is missing: hashes would not match."""
        try:
            return bytes.fromhex((self.folder / KEY).read_text("ascii").strip())
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{self.folder / KEY}: the key of the identifiers' hashes cannot be read: {error}",
                remedy="Restore it from a backup; a new key would tear applicants apart.",
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one writer; the kernel lets go of it however the process ends.

        Raises: LockedError naming the holder's process.
        """
        handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.read(handle, 32).decode(errors="replace").strip() or "?"
                raise LockedError(
                    f"{self.folder}: another procmon (process {holder}) is at work here",
                    remedy="Wait until it is done.",
                ) from error
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            yield
            os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of mode 700 that is gone afterwards; its name begins with this process's number."""
        (self.folder / SCRATCH).mkdir(mode=0o700, exist_ok=True)
        path = Path(tempfile.mkdtemp(dir=self.folder / SCRATCH, prefix=f"{os.getpid()}-"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def settle(self) -> None:
        """Finish what a killed process left: ask the lake about pending batches, remove its scratch folders.

        Call it under the lock.
        """
        for path in (self.folder / SCRATCH).glob("*-*"):
            if not Path("/proc", path.name.partition("-")[0]).exists():  # else: some process still works there
                shutil.rmtree(path, ignore_errors=True)
        with database.writing(self.ledger_db) as session:
            pending = session.scalars(select(ledger.Batch).where(col(ledger.Batch.status) == "pending")).all()
            for batch in pending:
                arrived = self.lake.has_commit(EVENTS, batch_commit(batch.id or 0))
                batch.status = "done" if arrived else "failed"
                batch.done_at = batch.began_at if arrived else None
                batch.note = "settled after an interruption"
                if arrived:
                    batch.lake_version = self.lake.version(EVENTS)
            runs = session.scalars(select(ledger.Run).where(col(ledger.Run.status) == "running")).all()
            for run in runs:
                run.status, run.error = "failed", "interrupted"


def batch_commit(batch_id: int) -> str:
    """The id that the lake commit of a batch carries."""
    return f"batch-{batch_id}"


def create(folder: Path, now: datetime) -> Workspace:
    """Make an empty workspace in `folder`, seeded with the shipped calendar overrides and targets.

    Raises: StoreError if one stands there already, or the folder cannot be written.
    """
    if (folder / config.SETTINGS_FILE).exists():
        raise StoreError(f"{folder} is a workspace already", remedy="Use it, or choose another folder.")
    try:
        for name in ("", INBOX, REPORTS, OUTBOX):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / KEY).exists():  # else: an init that was cut off goes on
            _write_private(folder / KEY, secrets.token_hex(32) + "\n")
        settings = config.read_settings(folder)
        engine = database.create(_database_url(folder, settings))
        lake = Lake(_lake_folder(folder, settings))
        lake.create()
        registry.seed(engine, now)
        # Last: a folder is a workspace once it has its settings.
        _write_private(folder / config.SETTINGS_FILE, config.commented_toml())
    except OSError as error:
        raise StoreError(
            f"{folder}: a workspace cannot be made here: {error.strerror or error}",
            remedy="Choose a folder that you may write.",
        ) from error
    return Workspace(folder, settings, engine, lake)


def open_workspace(folder: Path) -> Workspace:
    """Open the workspace in `folder`.

    Raises: StoreError where there is none or it is of another version, SettingsError for its settings.
    """
    if not (folder / config.SETTINGS_FILE).is_file():
        raise StoreError(
            f"{folder} is no workspace: it has no {config.SETTINGS_FILE}",
            remedy="Make one with `procmon init DIR`, or name yours with --workspace DIR.",
        )
    settings = config.read_settings(folder)
    engine = database.open_database(_database_url(folder, settings))
    return Workspace(folder, settings, engine, Lake(_lake_folder(folder, settings)))


def _database_url(folder: Path, settings: Settings) -> str:
    return settings.workspace.database_url or f"sqlite:///{(folder / DATABASE).resolve()}"


def _lake_folder(folder: Path, settings: Settings) -> Path:
    return Path(settings.workspace.lake_url) if settings.workspace.lake_url else folder / "lake"


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
