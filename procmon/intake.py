"""Files into the lake, one batch a file; a wrong batch out of it, and back (design, section 2).

A batch is `pending` in the ledger, then one lake commit carries its id, then it is `done`. What a killed process
left pending is settled at the next start by asking the lake (`Workspace.settle`).
"""

from __future__ import annotations

import glob
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa
from sqlmodel import Session

from procmon.config import Settings
from procmon.engine import Engine
from procmon.errors import InputError, ProcmonError, UsageProblem
from procmon.ingest.mapping import Mapping, read_mapping
from procmon.ingest.read import RawFile, read_file
from procmon.ingest.take import Taken, Terms, take
from procmon.store import ledger, registry
from procmon.store.database import writing
from procmon.store.workspace import Workspace, batch_commit
from procmon.tables import EVENTS, REJECTS

CANONICAL = "canonical"
MAPPINGS = "mappings"
"""The folder of a workspace for its own mappings."""
ENDINGS = tuple(
    ending + packed
    for ending in (
        ".csv",
        ".tsv",
        ".txt",
        ".xlsx",
        ".xlsm",
        ".xlsb",
        ".xls",
        ".ods",
        ".json",
        ".jsonl",
        ".ndjson",
        ".xes",
    )
    for packed in ("", ".gz")
)

Watch = Callable[[Path, int, float], None]
"""Hears how far the reading of a file is: the file, records read so far, share of the file."""


@dataclass(frozen=True)
class FileResult:
    """What became of one file: its batch and counts, or the error for which it was refused whole.

    `is_held`: too many of its rows were refused, so that nothing of it was stored; `notes` are for a person to hear.
    """

    path: Path
    batch_id: int | None = None
    n_read: int = 0
    n_stored: int = 0
    n_repeated: int = 0
    n_amended: int = 0
    n_refused: int = 0
    is_held: bool = False
    notes: tuple[str, ...] = ()
    error: ProcmonError | None = None


class Waiting(NamedTuple):
    """A file in the inbox and the name of the mapping that it waits for."""

    path: Path
    mapping: str


def waiting_files(workspace: Workspace) -> list[Waiting]:
    """The files in inbox/, by name: those of a folder are read by the mapping of its name, others as canonical logs.

    Hidden files are not files for us.
    """
    waiting = []
    for path in sorted(workspace.inbox.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            inside = sorted(p for p in path.iterdir() if not p.name.startswith(".") and not p.is_dir())
            waiting += [Waiting(p, path.name) for p in inside]
        else:
            waiting.append(Waiting(path, CANONICAL))
    return waiting


def listed(paths: Sequence[Path]) -> list[Path]:
    """The files that paths name: a folder stands for the log files in it, or for itself where it has none; a pattern
    that the shell left alone for the files that it finds."""
    files: list[Path] = []
    for path in paths:
        found: list[Path] = []
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.name.lower().endswith(ENDINGS) and p.is_file())
        elif not path.exists() and glob.has_magic(str(path)):
            found = sorted(Path(name) for name in glob.glob(str(path)))  # noqa: PTH207 - the pattern may be absolute
        files += found or [path]
    return files


def mapping_of(workspace: Workspace, name: str) -> Mapping:
    """The mapping that `name` says: a file, one of the workspace's mappings/, or a shipped one.

    Raises: UsageProblem where there is none, SettingsError where it cannot be taken.
    """
    return read_mapping(name, workspace.folder / MAPPINGS)


def ingest(
    workspace: Workspace, paths: Sequence[Path], mapping: Mapping, *, now: datetime,
    exported_at: datetime | None = None, is_dry_run: bool = False, watch: Watch | None = None,
) -> list[FileResult]:  # fmt: skip
    """Take files one by one, each whole or not at all; a refused file does not keep the next one out.

    Call it under the workspace's lock.
    """
    return [_ingest_one(workspace, path, mapping, now, exported_at, is_dry_run, watch) for path in paths]


def terms_of(
    settings: Settings, *, now: datetime, exported_at: datetime | None, units: pa.Table | None = None
) -> Terms:
    """What a file is taken under in a workspace; `units` is the registry's table."""
    return Terms(
        zone=settings.workspace.timezone,
        exported_at=exported_at or now,
        latest=now + timedelta(hours=settings.policies.future_hours),
        max_refused=settings.policies.max_refused,
        units=units,
    )


def units_for(workspace: Workspace, mapping: Mapping) -> pa.Table | None:
    """The registry's units, where a mapping's columns hold their names."""
    return registry.read(workspace.ledger_db, "units") if mapping.unit_columns == "names" else None


def _ingest_one(
    workspace: Workspace, path: Path, mapping: Mapping, now: datetime, exported_at: datetime | None, is_dry_run: bool,
    watch: Watch | None,
) -> FileResult:  # fmt: skip
    settings, database = workspace.settings, workspace.ledger_db
    try:
        if path.is_dir():
            raise InputError(f"{path}: no log file in it", remedy="Name the files.")
        with workspace.scratch() as scratch:
            raw = read_file(
                path, mapping, scratch=scratch, key=workspace.key, limits=settings.engine,
                tell=partial(watch, path) if watch else None,
            )  # fmt: skip
            same = ledger.exported_before(database, raw.sha256, mapping.name) if mapping.is_snapshot else None
            moment = exported_at or same or now
            said = _notes(workspace, raw, mapping, None if exported_at else moment)
            held = ledger.held_batch(database, raw.sha256, mapping.digest)
            if is_dry_run or held:
                taken = _take(workspace, raw, mapping, scratch, held.id or 0 if held else 0, now, moment)
                if is_dry_run or taken.is_held:
                    return _result(path, None if is_dry_run or not held else held.id, taken, said)
            batch = ledger.Batch(
                file=path.name, sha256=raw.sha256, mapping=mapping.name, mapping_digest=mapping.digest,
                kind=mapping.kind, began_at=now, exported_at=moment if mapping.is_snapshot else exported_at,
            )  # fmt: skip
            with writing(database) as session:
                session.add(batch)
            try:
                taken = _take(workspace, raw, mapping, scratch, batch.id or 0, now, moment)
            except InputError as error:
                _give_up(workspace, batch, error)
                raise
            _store(workspace, batch, taken, now)
        return _result(path, batch.id, taken, said)
    except InputError as error:
        return FileResult(path, error=error)


def _notes(workspace: Workspace, raw: RawFile, mapping: Mapping, assumed: datetime | None) -> list[str]:
    said = notes(raw, mapping, assumed.astimezone(workspace.settings.zone) if assumed else None)
    if otherwise := ledger.taken_otherwise(workspace.ledger_db, raw.sha256, mapping.digest):
        said.append(
            "this file went in before under another wording of its mapping, and what it said then still counts: "
            f"`procmon batch retract {otherwise}` takes that back"
        )
    return said


def _result(path: Path, batch_id: int | None, taken: Taken, said: list[str]) -> FileResult:
    said = [*said, *taken.notes]
    return FileResult(
        path, batch_id, taken.n_read, taken.n_stored, taken.n_repeated, taken.n_amended, taken.n_refused,
        taken.is_held, tuple(said),
    )  # fmt: skip


def _take(
    workspace: Workspace, raw: RawFile, mapping: Mapping, scratch: Path, batch_id: int, now: datetime, moment: datetime
) -> Taken:
    with Engine(workspace.settings.engine, scratch) as engine:
        return take(
            engine,
            raw,
            mapping,
            terms_of(workspace.settings, now=now, exported_at=moment, units=units_for(workspace, mapping)),
            batch_id=batch_id,
            lake_files=workspace.lake.files(EVENTS),
            done=ledger.done_batches(workspace.ledger_db),
            live=ledger.live_batches(workspace.ledger_db),
        )


def _give_up(workspace: Workspace, batch: ledger.Batch, error: InputError) -> None:
    """The file contradicts its mapping: nothing of the batch came."""
    batch.status, batch.note = "failed", str(error)
    with writing(workspace.ledger_db) as session:
        session.add(batch)


def notes(raw: RawFile, mapping: Mapping, assumed: datetime | None) -> list[str]:
    """What a person should hear of a file: columns left out, columns not there, and the export's instant if assumed."""
    said = []
    if raw.dropped:
        more = f" and {len(raw.dropped) - 20} more" if len(raw.dropped) > 20 else ""
        said.append(f"columns that the mapping does not read were dropped: {', '.join(raw.dropped[:20])}{more}")
    absent = [source.key for source in mapping.sources() if source.key not in raw.found]
    if absent and mapping.name != CANONICAL:
        said.append(f"not in the file, so left empty: {', '.join(absent)}")
    if mapping.is_snapshot and assumed and "exported_at" not in raw.found:
        said.append(f"taken as exported at {assumed.isoformat(timespec='seconds')}; else say --exported-at")
    return said


def _store(workspace: Workspace, batch: ledger.Batch, taken: Taken, now: datetime) -> None:
    """The protocol: counts while pending, rejects, the one commit of events, done."""
    batch.n_read, batch.n_stored, batch.n_repeated = taken.n_read, taken.n_stored, taken.n_repeated
    batch.n_amended, batch.n_refused, batch.is_held = taken.n_amended, taken.n_refused, taken.is_held
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


def take_inbox(workspace: Workspace, *, now: datetime, watch: Watch | None = None) -> list[FileResult]:
    """Take every file of inbox/; one that became a batch leaves it, a refused or held one stays with its reason said.

    A file that is still being written waits for the next time; a link is not followed, it could lead anywhere.
    """
    results = []
    waiting = waiting_files(workspace)
    unsettled = _unsettled(workspace, [file.path for file in waiting])
    for file in waiting:
        try:
            _check_waiting(file, is_settled=file.path not in unsettled)
            mapping = mapping_of(workspace, file.mapping)
        except ProcmonError as error:
            said = str(error) if str(file.path) in str(error) else f"{file.path}: {error}"
            results.append(FileResult(file.path, error=InputError(said, remedy=error.remedy)))
            continue
        results += ingest(workspace, [file.path], mapping, now=now, watch=watch)
        if results[-1].error is None and not results[-1].is_held:
            _put_away(workspace, file.path)
    _forget_old(workspace, now)
    return results


def _check_waiting(file: Waiting, *, is_settled: bool) -> None:
    """Raises: InputError for a file that is not taken as it stands in the inbox."""
    if file.path.is_symlink() or not file.path.is_file():
        raise InputError(
            f"{file.path}: a link or no file, which the inbox does not take", remedy="Copy the file there."
        )
    if not is_settled:
        raise InputError(
            f"{file.path}: it is still being written", remedy="Nothing to do: the next run takes it once it is whole."
        )


def _unsettled(workspace: Workspace, paths: Sequence[Path]) -> set[Path]:
    """The files that are still being written: of those just changed, which change within `engine.settle_seconds`.

    What is just changed goes by the file system's own clock, as a new folder shows it.
    """
    seconds = workspace.settings.engine.settle_seconds
    with workspace.scratch() as scratch:
        here = scratch.stat().st_mtime
    fresh = {path: _state(path) for path in paths if _state(path)[1] > here - seconds}
    if fresh and seconds:
        time.sleep(seconds)
    return {path for path, state in fresh.items() if _state(path) != state}


def _state(path: Path) -> tuple[int, float]:
    found = path.lstat() if path.is_symlink() or path.exists() else None
    return (found.st_size, found.st_mtime) if found else (-1, 0.0)


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
