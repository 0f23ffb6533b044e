"""The lake: Delta Lake folders of events, rejects, frozen baselines and derived dossiers.

A commit carries the id of the batch (or baseline) that it brings, so that after a crash the ledger can ask
whether it arrived (design, section 2). Files and folders are synced before a commit counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from procmon.errors import StoreError
from procmon.tables import BASELINE_DOSSIERS, BASELINE_STAGES, BASELINE_STATES, DOSSIERS, EVENTS, REJECTS, Table

NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs"}
KEEP_LOG = {"delta.logRetentionDuration": "interval 36500 days", "delta.enableExpiredLogCleanup": "false"}
"""Old versions stay as long as a recorded run may need them."""

ADDED_LATER = (BASELINE_STATES, BASELINE_STAGES)
"""Tables that a lake of release 0.1 does not have: nothing is in them until the first rows are appended."""

TABLES = {table.name: table for table in (EVENTS, REJECTS, BASELINE_DOSSIERS, DOSSIERS, *ADDED_LATER)}
COMMIT_KEY = "procmon_id"


class Lake:
    """The Delta folders below one local folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> None:
        """Make every table that is not there yet.

        Raises: StoreError on a network file system, where a commit is not atomic, and for a folder whose name
        readers of Parquet would take for a pattern.
        """
        unusable = sorted(set("[]*?{}") & set(str(self.folder.resolve())))
        if unusable:
            raise StoreError(
                f"{self.folder}: a lake cannot lie in a folder whose name has {' '.join(unusable)}",
                remedy="Choose a folder without that character; blanks and Vietnamese letters are fine.",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        kind = file_system(self.folder)
        if kind in NETWORK_FILE_SYSTEMS:
            raise StoreError(
                f"the lake {self.folder} lies on a network file system ({kind}), which can lose commits",
                remedy="Put the workspace, or workspace.lake_url, on a local disk.",
            )
        for table in TABLES.values():
            self._create(table)

    def version(self, table: Table) -> int:
        """The newest version of a table."""
        return self._open(table).version()

    def files(self, table: Table, version: int | None = None) -> list[str]:
        """The Parquet files of a table's version (default: newest)."""
        return [] if self._is_yet_to_come(table) else _paths(self._open(table, version))

    def append(self, table: Table, rows: pa.Table, commit_id: str) -> int:
        """Append rows in one commit that carries `commit_id`; on disk when this returns. Gives the new version.

        A table of an earlier release gets the columns that it lacks, its files stay as they are; a lake of an earlier
        release gets the table.
        """
        if self._is_yet_to_come(table):
            self._create(table)
        return self._write(table, rows, commit_id, "append")

    def replace(self, table: Table, rows: pa.Table, commit_id: str) -> int:
        """Replace all rows of a derived table in one commit that carries `commit_id`."""
        return self._write(table, rows, commit_id, "overwrite")

    def has_commit(self, table: Table, commit_id: str) -> bool:
        """Whether a commit that carries `commit_id` arrived; if so it is on disk when this returns."""
        arrived = any(entry.get(COMMIT_KEY) == commit_id for entry in self._open(table).history())
        if arrived:  # its writer may have been killed before it had synced
            self._sync(table, self.files(table))
        return arrived

    def last_commit(self, table: Table) -> str:
        """The id that the newest commit carries; empty where it carries none."""
        history = self._open(table).history(1)
        return str(history[0].get(COMMIT_KEY, "")) if history else ""

    def vacuum(self, table: Table, *, hours: int) -> None:
        """Delete files of a derived table that no version of the last `hours` needs."""
        self._open(table).vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False)

    def _write(self, table: Table, rows: pa.Table, commit_id: str, mode: Literal["append", "overwrite"]) -> int:
        before = set(self.files(table))
        try:
            write_deltalake(
                str(self._path(table)),
                table.conform(rows),
                mode=mode,
                schema_mode="merge",  # a lake of an earlier release gets the columns that it lacks
                commit_properties=CommitProperties(custom_metadata={COMMIT_KEY: commit_id}),
                writer_properties=WriterProperties(compression="ZSTD"),
            )
        except (DeltaError, OSError) as error:
            raise StoreError(
                f"the lake {self._path(table)} cannot be written: {error}",
                remedy="Free disk space and check the folder's mode; nothing of this batch counts.",
            ) from error
        delta = self._open(table)
        self._sync(table, (path for path in _paths(delta) if path not in before))
        return delta.version()

    def _open(self, table: Table, version: int | None = None) -> DeltaTable:
        try:
            return DeltaTable(str(self._path(table)), version=version)
        except TableNotFoundError as error:
            raise StoreError(
                f"the lake has no table {self._path(table)}", remedy="Make a workspace with `procmon init DIR`."
            ) from error
        except (DeltaError, OSError) as error:
            raise StoreError(
                f"the lake {self._path(table)} cannot be read: {error}", remedy="Restore it from a backup."
            ) from error

    def _create(self, table: Table) -> None:
        if not DeltaTable.is_deltatable(str(self._path(table))):
            DeltaTable.create(str(self._path(table)), schema=table.schema, configuration=KEEP_LOG)
            self._sync(table, [])

    def _is_yet_to_come(self, table: Table) -> bool:
        return table in ADDED_LATER and not DeltaTable.is_deltatable(str(self._path(table)))

    def _path(self, table: Table) -> Path:
        return self.folder / table.name

    def _sync(self, table: Table, files: Iterable[str]) -> None:
        log = self._path(table) / "_delta_log"
        newest = sorted(log.glob("*.json"))[-1:]
        for path in [*map(Path, files), *newest, log, self._path(table), self.folder]:
            sync(path)


def _paths(delta: DeltaTable) -> list[str]:
    """The files of a table as paths: Delta names them as in a URL, `a%20folder` for `a folder`."""
    return [unquote(uri) for uri in delta.file_uris()]


def sync(path: Path) -> None:
    """Make sure that a file or folder is on disk.

    Raises: StoreError if the disk says no; a failed sync is final (docs/decisions/0002).
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        raise StoreError(f"{path}: the disk did not take it: {error}", remedy="Check the disk.") from error
    finally:
        os.close(handle)


def file_system(path: Path) -> str:
    """The kind of file system that `path` lies on, as /proc/mounts names it; empty if it cannot be told."""
    here = str(path.resolve())
    best, kind = "", ""
    try:
        mounts = Path("/proc/mounts").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in mounts:
        point, found = line.split(" ")[1:3]
        inside = here == point or here.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind
