"""No personal data leaves ingest: what is written holds keyed hashes, and nothing of the clear text."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from log_files import KEY, NOW, ZONE, Store, mapping_of, read_here, write_csv
from pyarrow import parquet

from procmon.config import EngineSettings
from procmon.engine import Engine
from procmon.ingest.read import read_file
from procmon.ingest.take import Terms, take
from procmon.store import workspace
from procmon.tables import EVENTS, REJECTS

NAME, PHONE, CITIZEN, CLERK = "Nguyễn Thị Bí Mật", "0912345678", "031088001234", "canbo.mot@haiphong"
SECRETS = [NAME, PHONE, CITIZEN, CLERK]


def row(dossier_id: str = "1", **cells: str) -> dict[str, str]:
    good = {"dossier_id": dossier_id, "status": "received", "occurred_at": "2025-03-03T08:00", "procedure_id": "p"}
    return good | {"applicant_id": CITIZEN, "handler_id": CLERK, "name": NAME, "phone": PHONE} | cells


def hashed(text: str, key: bytes) -> str:
    """HMAC-SHA256, the first 128 bits in hexadecimal."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def clear_text_in(folder: Path) -> list[str]:
    """Which secrets stand in any file below `folder`, in its bytes or in its Parquet columns."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        seen = path.read_bytes()
        if path.suffix == ".parquet":
            seen += repr(parquet.read_table(path).to_pylist()).encode()
        found += [f"{secret} in {path}" for secret in SECRETS if secret.encode() in seen]
    return found


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """The received file's folder, beside what the product writes."""
    folder = tmp_path / "received"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_workspace_never_holds_clear_text(outside: Path, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    log = write_csv(outside / "log.csv", [row(), row("2", status="done"), row("")])
    log.write_bytes(pack(log.read_bytes()) if pack is not bytes else log.read_bytes() + f"{NAME},{PHONE}\n".encode())
    folder = tmp_path / "office"
    office = workspace.create(folder, datetime(2025, 1, 1, tzinfo=UTC))
    with office.scratch() as scratch, Engine(EngineSettings(), scratch=scratch) as engine:
        raw = read_file(log, mapping_of(), scratch=scratch, key=office.key, limits=office.settings.engine)
        assert clear_text_in(folder) == []
        taken = take(engine, raw, mapping_of(), Terms(ZONE, NOW, NOW), batch_id=1, lake_files=[], done=[], live=[])
        office.lake.append(EVENTS, taken.events, "batch-1")
        office.lake.append(REJECTS, taken.rejects, "batch-1")
    assert clear_text_in(folder) == []
    assert (taken.n_stored, taken.n_refused) == (1, taken.n_read - 1)
    stored = pa.concat_tables(parquet.read_table(path) for path in office.lake.files(EVENTS)).to_pylist()
    assert [(event["applicant_id"], event["handler_id"]) for event in stored] == [
        (hashed(CITIZEN, office.key), hashed(CLERK, office.key))
    ]


def test_one_person_has_one_hash_under_one_key(tmp_path: Path) -> None:
    def hash_of(cell: str, key: bytes) -> str | None:
        scratch = tmp_path / f"{cell}{key.hex()[:4]}"
        scratch.mkdir()
        raw = read_here(write_csv(tmp_path / "log.csv", [row(applicant_id=cell)]), scratch, key)
        found: str | None = parquet.read_table(raw.rows)["applicant_id"][0].as_py()
        return found

    other = bytes(32)
    assert hash_of(CITIZEN, KEY) == hash_of(f" {CITIZEN}\t", KEY) == hashed(CITIZEN, KEY)
    assert hash_of(CITIZEN, other) == hashed(CITIZEN, other) != hashed(CITIZEN, KEY)
    assert hash_of("Đ'\"", KEY) == hashed("Đ'\"", KEY)
    assert hash_of("  ", KEY) is None


def test_scratch_is_ours_alone_and_gone_afterwards(tmp_path: Path) -> None:
    office = workspace.create(tmp_path / "office", datetime(2025, 1, 1, tzinfo=UTC))
    with office.scratch() as scratch:
        assert scratch.stat().st_mode & 0o777 == 0o700
        assert scratch.parent.stat().st_mode & 0o777 == 0o700
    assert not scratch.exists()


def test_a_refused_row_shows_no_personal_cell(tmp_path: Path) -> None:
    store = Store(tmp_path)
    taken = store.ingest_rows([row(status="done"), row(applicant_id="x" * 5000), row(handler_id="a\x1bb")])
    assert taken.rejects["column"].to_pylist() == ["status"]
    assert not any(secret in repr(taken.rejects.to_pylist()) for secret in SECRETS)
