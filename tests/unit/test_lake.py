"""The lake: commits that carry an id, versions that stay, files that any engine reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet

from procmon.config import EngineSettings
from procmon.engine import Engine
from procmon.errors import StoreError
from procmon.store.lake import Lake, file_system
from procmon.tables import BASELINE_DOSSIERS, BASELINE_STAGES, BASELINE_STATES, DOSSIERS, EVENTS, REJECTS, Table


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "hồ 100% dữ liệu")  # Delta names its files as in a URL
    made.create()
    return made


def events(*dossier_ids: str) -> pa.Table:
    rows = [
        {"dossier_id": name, "status": "received", "batch_id": 1, "row_no": n} for n, name in enumerate(dossier_ids)
    ]
    return EVENTS.from_rows(rows)


def stored(lake: Lake, version: int | None = None) -> list[str]:
    files = lake.files(EVENTS, version)
    return sorted(name for path in files for name in parquet.read_table(path)["dossier_id"].to_pylist())


@pytest.mark.parametrize("name", ["a[b]", "a*", "a?"])
def test_a_folder_that_reads_as_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="whose name has") as refused:
        Lake(tmp_path / name / "lake").create()
    assert "Choose a folder" in refused.value.remedy
    assert not (tmp_path / name).exists()


def test_a_new_lake_is_empty(lake: Lake) -> None:
    assert (lake.version(EVENTS), lake.files(EVENTS), lake.last_commit(EVENTS)) == (0, [], "")


def test_rows_are_appended_under_an_id(lake: Lake) -> None:
    assert lake.append(EVENTS, events("a", "b"), "batch-1") == 1
    assert lake.append(EVENTS, events("c"), "batch-2") == 2
    assert stored(lake) == ["a", "b", "c"]
    assert lake.has_commit(EVENTS, "batch-1")
    assert not lake.has_commit(EVENTS, "batch-3")
    assert not lake.has_commit(REJECTS, "batch-1")
    assert lake.last_commit(EVENTS) == "batch-2"


def test_an_old_version_can_be_read_again(lake: Lake) -> None:
    first = lake.append(EVENTS, events("a"), "batch-1")
    lake.append(EVENTS, events("b"), "batch-2")
    assert stored(lake, first) == ["a"]


def test_a_derived_table_is_replaced_and_its_old_files_can_go(lake: Lake) -> None:
    rows = DOSSIERS.from_rows([{"dossier_id": "1"}])
    lake.replace(DOSSIERS, rows, "run-1")
    old = lake.files(DOSSIERS)
    lake.replace(DOSSIERS, rows, "run-2")
    assert [parquet.read_table(path).num_rows for path in lake.files(DOSSIERS)] == [1]
    assert all(Path(path).exists() for path in old)
    lake.vacuum(DOSSIERS, hours=0)
    assert not any(Path(path).exists() for path in old)
    assert [parquet.read_table(path).num_rows for path in lake.files(DOSSIERS)] == [1]


def test_a_batch_without_rows_is_a_commit_all_the_same(lake: Lake) -> None:
    lake.append(EVENTS, EVENTS.schema.empty_table(), "batch-1")
    assert lake.has_commit(EVENTS, "batch-1")
    assert stored(lake) == []


def test_making_it_again_changes_nothing(lake: Lake) -> None:
    lake.append(EVENTS, events("a"), "batch-1")
    lake.create()
    assert stored(lake) == ["a"]


def test_a_lake_of_an_earlier_release_is_read_and_appended_to(tmp_path: Path) -> None:
    old_columns = EVENTS.names[: EVENTS.names.index("source")]
    lake = Lake(tmp_path)
    DeltaTable.create(str(tmp_path / "events"), schema=pa.schema([EVENTS.schema.field(name) for name in old_columns]))
    lake.create()
    old_rows = Table("events", "", tuple(column for column in EVENTS.columns if column.name in old_columns))
    first = lake.append(old_rows, events("a"), "batch-1")
    second = lake.append(EVENTS, EVENTS.from_rows([{"dossier_id": "b", "source": "list"}]), "batch-2")
    third = lake.append(EVENTS, events("c"), "batch-3")

    def read(version: int) -> list[tuple[object, object]]:
        with Engine(EngineSettings(threads=1)) as engine:
            engine.give_files("lake", lake.files(EVENTS, version), EVENTS.schema)
            rows = EVENTS.conform(engine.query("SELECT * FROM lake ORDER BY dossier_id NULLS FIRST"))
        return [(row["dossier_id"], row["source"]) for row in rows.to_pylist()]

    assert read(first) == [("a", None)]
    assert read(second) == [("a", None), ("b", "list")]
    assert read(third) == [("a", None), ("b", "list"), ("c", None)]


def test_a_table_that_lacks_a_column_is_a_bug_and_not_stored(lake: Lake) -> None:
    with pytest.raises(KeyError):
        lake.append(EVENTS, pa.table({"dossier_id": ["a"]}), "batch-1")
    assert lake.version(EVENTS) == 0


def test_a_missing_lake_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the lake has no table") as refused:
        Lake(tmp_path / "nowhere").version(EVENTS)
    assert "procmon init" in refused.value.remedy


def test_a_torn_log_is_named(lake: Lake) -> None:
    log = lake.folder / "events" / "_delta_log" / f"{0:020}.json"
    log.write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match=r"lake .*events cannot be read") as refused:
        lake.files(EVENTS)
    assert "backup" in refused.value.remedy


def test_the_kind_of_file_system_is_known_here(tmp_path: Path) -> None:
    assert file_system(tmp_path)
    assert file_system(Path("/proc/self")) == "proc"


@pytest.mark.parametrize("table", [BASELINE_STATES, BASELINE_STAGES])
def test_a_lake_of_an_earlier_release_has_nothing_in_later_tables_until_rows_come(tmp_path: Path, table: Table) -> None:
    lake = Lake(tmp_path / "lake")
    lake.create()
    shutil.rmtree(lake.folder / table.name)
    assert lake.files(table) == []
    assert lake.append(table, table.from_rows([{"baseline_id": 1}]), "baseline-1") == 1
    assert [parquet.read_table(path)["baseline_id"].to_pylist() for path in lake.files(table)] == [[1]]
    assert lake.has_commit(table, "baseline-1")


def test_a_table_that_every_lake_has_is_missed(lake: Lake) -> None:
    shutil.rmtree(lake.folder / EVENTS.name)
    with pytest.raises(StoreError, match="has no table"):
        lake.files(EVENTS)


def test_a_baseline_of_an_earlier_release_has_no_paused_time(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.create()
    shutil.rmtree(lake.folder / BASELINE_DOSSIERS.name)
    earlier = pa.schema([field for field in BASELINE_DOSSIERS.schema if field.name != "paused_seconds"])
    DeltaTable.create(str(lake.folder / BASELINE_DOSSIERS.name), schema=earlier)
    first = pa.table({"baseline_id": [1], "dossier_id": ["a"]})
    write_deltalake(str(lake.folder / BASELINE_DOSSIERS.name), first, mode="append", schema_mode="merge")
    rows = BASELINE_DOSSIERS.from_rows([{"baseline_id": 2, "dossier_id": "b", "paused_seconds": 7}])
    lake.append(BASELINE_DOSSIERS, rows, "baseline-2")
    with Engine(EngineSettings()) as engine:
        engine.give_files("rows", lake.files(BASELINE_DOSSIERS), BASELINE_DOSSIERS.schema)
        found = engine.query("SELECT dossier_id, paused_seconds FROM rows ORDER BY dossier_id").to_pylist()
    assert found == [{"dossier_id": "a", "paused_seconds": None}, {"dossier_id": "b", "paused_seconds": 7}]
