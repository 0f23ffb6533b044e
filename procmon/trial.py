"""Mappings tried out: which there are, a draft for a file, a dry run with a preview. Nothing here needs a workspace;
only names of units are unknown without one."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from procmon.config import SETTINGS_FILE, Settings
from procmon.engine import Engine
from procmon.errors import ProcmonError
from procmon.ingest.guess import Draft, draft
from procmon.ingest.look import ColumnProfile
from procmon.ingest.mapping import read_mapping, shipped
from procmon.ingest.read import look_at, read_file
from procmon.ingest.take import Taken, take
from procmon.intake import MAPPINGS, Watch, notes, terms_of, units_for
from procmon.store.workspace import open_workspace
from procmon.tables import EVENTS


@dataclass(frozen=True)
class Known:
    """A mapping that can be named: `place` is its file, empty for a shipped one."""

    name: str
    kind: str
    title: str
    place: str


def mappings(folder: Path) -> Iterator[Known]:
    """The shipped mappings, and those of the workspace `folder`."""
    for name in shipped():
        mapping = read_mapping(name, folder / "nowhere")
        yield Known(name, mapping.kind, mapping.title, "")
    for path in sorted((folder / MAPPINGS).glob("*.toml")):
        try:
            mapping = read_mapping(str(path), folder)
            yield Known(path.stem, mapping.kind, mapping.title, str(path))
        except ProcmonError as error:
            yield Known(path.stem, "-", f"cannot be taken: {error}", str(path))


def guess(file: Path, settings: Settings) -> Draft:
    """A draft of a mapping for a file. Raises: InputError where the file cannot be read."""
    with tempfile.TemporaryDirectory(prefix="procmon-") as scratch:
        seen = look_at(file, scratch=Path(scratch), limits=settings.engine)
    profiles = [ColumnProfile(**column) for column in seen["columns"]]
    return draft(profiles, file=file.name, format=seen["form"], n_rows=seen["n_rows"], sheet=seen["sheet"])


@dataclass(frozen=True)
class Trial:
    """A file read under a mapping, nothing of it stored."""

    taken: Taken
    notes: tuple[str, ...]

    def preview(self, n: int) -> pa.Table:
        """The first events, without the columns that none of them has."""
        events = self.taken.events.sort_by("row_no").select([*EVENTS.names[: EVENTS.names.index("batch_id")]])
        filled = [name for name in events.column_names if events[name].null_count < events.num_rows]
        return events.select(filled or ["dossier_id"]).slice(0, n)

    def rejects(self, n: int) -> pa.Table:
        """The first refused rows."""
        return self.taken.rejects.drop_columns(["batch"]).slice(0, n)


def try_out(
    file: Path, mapping: str, folder: Path, settings: Settings, *, now: datetime, exported_at: datetime | None,
    watch: Watch | None = None,
) -> Trial:  # fmt: skip
    """Read a file under the mapping that `mapping` names; `folder` is where a workspace's own mappings lie.

    Raises: InputError where the file is refused whole, UsageProblem and SettingsError for the mapping.
    """
    chosen = read_mapping(mapping, folder / MAPPINGS)
    with tempfile.TemporaryDirectory(prefix="procmon-") as name:
        scratch = Path(name)
        raw = read_file(
            file, chosen, scratch=scratch, key=secrets.token_bytes(32), limits=settings.engine,
            tell=partial(watch, file) if watch else None,
        )  # fmt: skip
        units = units_for(open_workspace(folder), chosen) if (folder / SETTINGS_FILE).exists() else None
        terms = terms_of(settings, now=now, exported_at=exported_at, units=units)
        with Engine(settings.engine, scratch) as engine:
            taken = take(engine, raw, chosen, terms, batch_id=0, lake_files=[], done=[], live=[])
    said = notes(raw, chosen, None if exported_at else now.astimezone(settings.zone))
    return Trial(taken, (*said, *taken.notes))
