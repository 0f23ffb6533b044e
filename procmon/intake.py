"""Files into the lake, one batch a file; a wrong batch out of it, and back (design, section 2).

A batch is `pending` in the ledger, then one lake commit carries its id, then it is `done`. What a killed process
left pending is settled at the next start by asking the lake (`Workspace.settle`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlmodel import Session

from procmon.engine import Engine
from procmon.errors import InputError, UsageProblem
from procmon.ingest import Taken, read_file, take
from procmon.store import ledger
from procmon.store.database import writing
from procmon.store.workspace import Workspace, batch_commit
from procmon.tables import EVENTS, REJECTS

CANONICAL = "canonical"
ENDINGS = (".csv", ".csv.gz")


@dataclass(frozen=True)
class FileResult:
    """What became of one file: its batch and counts, or the error for which it was refused whole."""

    path: Path
    batch_id: int | None = None
    n_read: int = 0
    n_stored: int = 0
    n_repeated: int = 0
    n_amended: int = 0
    n_refused: int = 0
    dropped: tuple[str, ...] = ()
    error: InputError | None = None


def waiting_files(workspace: Workspace) -> list[Path]:
    """The files in inbox/, by name; hidden ones and folders are not files for us."""
    return sorted(p for p in workspace.inbox.iterdir() if p.is_file() and not p.name.startswith("."))


def listed(paths: Sequence[Path]) -> list[Path]:
    """The files that paths name: a folder stands for the CSV files in it, or for itself where it has none."""
    files: list[Path] = []
    for path in paths:
        found = sorted(p for p in path.iterdir() if p.name.endswith(ENDINGS)) if path.is_dir() else []
        files += found or [path]
    return files


def ingest(
    workspace: Workspace, paths: Sequence[Path], *, now: datetime, exported_at: datetime | None = None,
    is_dry_run: bool = False,
) -> list[FileResult]:  # fmt: skip
    """Take files one by one, each whole or not at all; a refused file does not keep the next one out.

    Call it under the workspace's lock.
    """
    return [_ingest_one(workspace, path, now, exported_at, is_dry_run) for path in paths]


def _ingest_one(
    workspace: Workspace, path: Path, now: datetime, exported_at: datetime | None, is_dry_run: bool
) -> FileResult:
    settings = workspace.settings
    if path.is_dir():
        return FileResult(path, error=InputError(f"{path}: no .csv or .csv.gz file in it", remedy="Name the files."))
    with workspace.scratch() as scratch:
        try:
            raw = read_file(path, scratch=scratch, key=workspace.key, limits=settings.engine)
        except InputError as error:
            return FileResult(path, error=error)
        if raw.n_read == 0:
            return FileResult(path, error=InputError(f"{path}: no row below its header", remedy="Export it again."))
        batch = ledger.Batch(
            file=path.name, sha256=raw.sha256, mapping=CANONICAL, began_at=now, exported_at=exported_at
        )
        if not is_dry_run:
            with writing(workspace.ledger_db) as session:
                session.add(batch)
        with Engine(settings.engine, scratch) as engine:
            taken = take(
                engine,
                raw,
                zone=settings.workspace.timezone,
                batch_id=batch.id or 0,
                lake_files=workspace.lake.files(EVENTS),
                done=ledger.done_batches(workspace.ledger_db),
                live=ledger.live_batches(workspace.ledger_db),
            )
        if not is_dry_run:
            _store(workspace, batch, taken, now)
    return FileResult(
        path, batch.id, taken.n_read, taken.n_stored, taken.n_repeated, taken.n_amended, taken.n_refused, raw.dropped
    )


def _store(workspace: Workspace, batch: ledger.Batch, taken: Taken, now: datetime) -> None:
    """The protocol: counts while pending, rejects, the one commit of events, done."""
    batch.n_read, batch.n_stored, batch.n_repeated = taken.n_read, taken.n_stored, taken.n_repeated
    batch.n_amended, batch.n_refused = taken.n_amended, taken.n_refused
    with writing(workspace.ledger_db) as session:
        session.add(batch)
    commit = batch_commit(batch.id or 0)
    if taken.rejects.num_rows:
        workspace.lake.append(REJECTS, taken.rejects, commit)
    # Also without a row: a batch is known to have arrived, and to a run, by its own commit.
    batch.lake_version = workspace.lake.append(EVENTS, taken.events, commit)
    batch.status, batch.done_at = "done", now
    with writing(workspace.ledger_db) as session:
        session.add(batch)


def take_inbox(workspace: Workspace, *, now: datetime) -> list[FileResult]:
    """Take every file of inbox/; one that became a batch leaves it, a refused one stays with its reason said."""
    results = []
    for path in waiting_files(workspace):
        results += ingest(workspace, [path], now=now)
        if results[-1].error is None:
            _put_away(workspace, path)
    _forget_old(workspace, now)
    return results


def _put_away(workspace: Workspace, path: Path) -> None:
    """Delete a taken file, or keep it in a folder that only its owner can read."""
    if not workspace.settings.workspace.keep_inputs:
        path.unlink()
        return
    workspace.kept.mkdir(mode=0o700, exist_ok=True)
    workspace.kept.chmod(0o700)
    target = workspace.kept / path.name
    number = 1
    while target.exists():
        number += 1
        target = workspace.kept / f"{number}-{path.name}"
    shutil.move(path, target)
    target.touch()


def _forget_old(workspace: Workspace, now: datetime) -> None:
    """Delete kept files that are older than `workspace.keep_inputs` days."""
    if not workspace.kept.is_dir():
        return
    oldest = (now - timedelta(days=workspace.settings.workspace.keep_inputs)).timestamp()
    for path in workspace.kept.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink()


def retract(workspace: Workspace, number: int, *, why: str, now: datetime) -> None:
    """A wrong batch counts no more from now on; old runs still repeat.

    Raises: UsageProblem where it is no done batch, or is retracted already.
    """
    _change(workspace, number, "retracted", why, now)


def restore(workspace: Workspace, number: int, *, now: datetime) -> None:
    """A retracted batch counts again. Raises: UsageProblem where it is not retracted."""
    _change(workspace, number, "restored", "", now)


def _change(workspace: Workspace, number: int, what: Literal["retracted", "restored"], why: str, now: datetime) -> None:
    with writing(workspace.ledger_db) as session:
        batch = _done_batch(session, number)
        is_retracted = batch.retracted_at is not None
        if is_retracted == (what == "retracted"):
            raise UsageProblem(f"batch {number} is {'already' if is_retracted else 'not'} retracted")
        batch.retracted_at = now if what == "retracted" else None
        batch.retracted_why = why
        session.add(ledger.BatchChange(batch_id=number, changed_at=now, what=what, why=why))


def _done_batch(session: Session, number: int) -> ledger.Batch:
    batch = session.get(ledger.Batch, number)
    if batch is None or batch.status != "done":
        raise UsageProblem(f"there is no batch {number}", remedy="See `procmon show batches`.")
    return batch
