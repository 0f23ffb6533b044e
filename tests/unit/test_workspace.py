"""A workspace: made whole, opened, locked by one, settled after a kill."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from procmon.errors import LockedError, StoreError
from procmon.store import database, ledger, registry, workspace
from procmon.store.workspace import Workspace, batch_commit, open_workspace
from procmon.tables import EVENTS

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def office(tmp_path: Path) -> Workspace:
    return workspace.create(tmp_path / "office", NOW)


def test_a_new_workspace_has_its_places_its_key_and_its_seeds(office: Workspace) -> None:
    for folder in (office.folder, office.inbox, office.reports, office.outbox):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (office.folder / "key").stat().st_mode & 0o777 == 0o600
    assert len(office.key) == 32
    assert registry.read(office.ledger_db, "calendar").num_rows > 0
    assert office.lake.version(EVENTS) == 0


def test_it_opens_again_as_it_was(office: Workspace) -> None:
    again = open_workspace(office.folder)
    assert again.key == office.key
    assert registry.read(again.ledger_db, "targets").equals(registry.read(office.ledger_db, "targets"))


def test_two_workspaces_have_two_keys(office: Workspace, tmp_path: Path) -> None:
    assert workspace.create(tmp_path / "other", NOW).key != office.key


def test_a_workspace_is_not_made_twice(office: Workspace) -> None:
    with pytest.raises(StoreError, match="is a workspace already"):
        workspace.create(office.folder, NOW)


def test_a_folder_that_is_none_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"it has no procmon\.toml") as refused:
        open_workspace(tmp_path)
    assert "procmon init" in refused.value.remedy


@pytest.mark.parametrize("damage", [lambda key: key.unlink(), lambda key: key.write_text("not hex")])
def test_a_lost_key_is_said_and_not_made_anew(office: Workspace, damage: object) -> None:
    damage(office.folder / "key")  # type: ignore[operator]
    with pytest.raises(StoreError, match="key of the identifiers' hashes cannot be read") as refused:
        _ = office.key
    assert "backup" in refused.value.remedy


HOLD = """
import sys, time
from pathlib import Path
from procmon.store.workspace import open_workspace
with open_workspace(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_holds_it_and_a_killed_one_lets_go(office: Workspace) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(office.folder)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {other.pid}") as refused, office.lock():
            pass
        assert refused.value.exit_code == 14
        other.kill()
        other.wait()
    with office.lock():
        pass
    with office.lock():
        pass


def test_scratch_is_gone_afterwards_also_after_an_error(office: Workspace) -> None:
    left: list[Path] = []

    def fail() -> None:
        with office.scratch() as folder:
            left.append(folder)
            (folder / "rows.parquet").write_bytes(b"x")
            raise ValueError("in the middle of it")

    with pytest.raises(ValueError, match="in the middle"):
        fail()
    assert not left[0].exists()


def pending_batch(office: Workspace) -> int:
    with database.writing(office.ledger_db) as session:
        batch = ledger.Batch(file="log.csv", mapping="canonical", began_at=NOW)
        session.add(batch)
        session.flush()
        assert batch.id
        return batch.id


def status_of(office: Workspace, batch_id: int) -> tuple[str, int | None]:
    with database.writing(office.ledger_db) as session:
        batch = session.scalars(select(ledger.Batch).where(ledger.Batch.id == batch_id)).one()
        return batch.status, batch.lake_version


def test_a_pending_batch_that_reached_the_lake_is_done(office: Workspace) -> None:
    batch = pending_batch(office)
    version = office.lake.append(EVENTS, EVENTS.schema.empty_table(), batch_commit(batch))
    office.settle()
    assert status_of(office, batch) == ("done", version)


def test_a_pending_batch_that_did_not_is_taken_back(office: Workspace) -> None:
    batch = pending_batch(office)
    office.settle()
    assert status_of(office, batch) == ("failed", None)


def test_a_killed_process_leaves_no_scratch_behind(office: Workspace) -> None:
    left = office.folder / ".scratch" / "4194999-left"  # above the highest process number
    left.mkdir(parents=True)
    with office.scratch() as mine:
        office.settle()
        assert mine.exists()
    assert not left.exists()
