"""The torture folder: files that are each wrong in one way, each with its expected outcome beside it.

Every file goes the way of `procmon ingest`: a real workspace, a real child process. Whatever it is, rows read = stored
+ repeated + amended + refused, each refused row is listed, and the same files again change nothing.
"""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from procmon import intake
from procmon.intake import FileResult
from procmon.store.workspace import Workspace, open_workspace
from tests.office import NOW, Said, figures, procmon, shown
from tests.torture import make

FOLDER = Path(make.__file__).parent
AS_OF = ("--as-of", "2025-12-31")
EXPECTED: dict[str, dict[str, Any]] = {
    path.name.removesuffix(make.EXPECTED): tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob(f"*{make.EXPECTED}"))
}
TAKEN = [name for name, expected in EXPECTED.items() if "rows" in expected]
"""The files that become a batch."""

COUNTS = ("read", "stored", "repeated", "amended", "refused")


@dataclass(frozen=True)
class Office:
    """A workspace, what became of each file, and the rejects and dossiers that it then shows."""

    folder: Path
    files: dict[str, FileResult]
    rejects: list[dict[str, str]]
    dossiers: str
    figures: list[tuple[str, ...]]


def take(workspace: Workspace, names: list[str]) -> dict[str, FileResult]:
    """Take files of the folder in, each under its mapping, as the command does."""
    with workspace.lock():
        workspace.settle()
        found = {}
        for name in names:
            mapping = EXPECTED[name]["mapping"]
            chosen = intake.mapping_of(workspace, str(FOLDER / mapping) if "/" in mapping else mapping)
            [found[name]] = intake.ingest(workspace, [FOLDER / name], chosen, now=datetime.fromisoformat(NOW))
    return found


def night(folder: Path) -> tuple[str, list[tuple[str, ...]]]:
    """The dossiers shown, and the figures of a run."""
    number = procmon("run", *AS_OF, "--no-send", "--workspace", folder).out.rpartition("run ")[2].split()[0]
    return shown(folder, "dossiers", *AS_OF), figures(folder, int(number))


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> list[Office]:
    """Two workspaces with half of the folder each, filled at once: reading is another process's work."""
    folders = [tmp_path_factory.mktemp("torture") / "office" for _ in range(2)]
    for folder in folders:
        procmon("init", folder)
    names = sorted(EXPECTED, key=lambda name: (name not in TAKEN, name))
    with ThreadPoolExecutor(2) as pool:
        files = list(pool.map(take, map(open_workspace, folders), (names[0::2], names[1::2])))
    return [
        Office(
            folder, of_folder, procmon("show", "rejects", "--format", "csv", "--workspace", folder).rows, *night(folder)
        )
        for folder, of_folder in zip(folders, files, strict=True)
    ]


def office_of(offices: list[Office], name: str) -> Office:
    return next(office for office in offices if name in office.files)


def counts(result: FileResult) -> dict[str, int]:
    return {name: getattr(result, f"n_{name}") for name in COUNTS}


# ---- The folder as it is kept ----


def test_the_folder_is_what_its_script_writes_and_nothing_else(tmp_path: Path) -> None:
    make.write(tmp_path)
    kept = {path.name for path in FOLDER.iterdir() if path.is_file() and path.suffix != ".py"}
    assert kept == {path.name for path in tmp_path.iterdir()}
    changed = [
        name for name in kept - set(make.PACKED) if (FOLDER / name).read_bytes() != (tmp_path / name).read_bytes()
    ]
    assert changed == []


def test_the_folder_has_at_least_sixty_files_of_a_few_kilobytes() -> None:
    assert len(EXPECTED) >= 60
    assert max((FOLDER / name).stat().st_size for name in EXPECTED) < 12_000


# ---- What becomes of each ----


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_meets_its_expected_outcome(offices: list[Office], name: str) -> None:
    office, expected = office_of(offices, name), EXPECTED[name]
    found = office.files[name]
    if "refused_whole" in expected:
        assert found.error is not None, f"it was taken: {counts(found)}"
        assert expected["refused_whole"]["message"] in str(found.error)
        assert expected["refused_whole"]["remedy"] in found.error.remedy
        assert name in str(found.error)
        return
    assert found.error is None, found.error
    assert counts(found) == expected["rows"]
    assert found.is_held == expected["held"]
    rejects = [row for row in office.rejects if row["batch"] == str(found.batch_id)]
    said = [(int(row["line"]), row["column"], row["reason"]) for row in rejects]
    wanted = [(row["line"], row["column"], row["reason"]) for row in expected.get("rejects", [])]
    assert [(line, column) for line, column, _ in said] == [(line, column) for line, column, _ in wanted]
    for (line, _, reason), (_, _, part) in zip(said, wanted, strict=True):
        assert part in reason, f"line {line}"
    assert all(row["file"] == name and row["remedy"] for row in rejects)


def test_rows_read_are_stored_repeated_amended_or_refused_and_all_refused_are_listed(offices: list[Office]) -> None:
    n_batches = 0
    for office in offices:
        batches = procmon("show", "batches", "--format", "csv", "--workspace", office.folder).rows
        for batch in (batch for batch in batches if batch["status"] == "done"):
            n = {name: int(batch[f"n_{name}"]) for name in COUNTS}
            assert n["read"] == n["stored"] + n["repeated"] + n["amended"] + n["refused"], batch
            listed = [row for row in office.rejects if row["batch"] == batch["id"]]
            assert len(listed) == len({row["line"] for row in listed}) == n["refused"], batch
            n_batches += 1
    assert n_batches == len(TAKEN)


def test_text_is_the_same_whatever_its_encoding(offices: list[Office]) -> None:
    stages = {}
    for name in ("csv-bom.csv", "csv-utf16-le.csv", "csv-utf16-be.csv", "csv-1258-declared.csv"):
        office = office_of(offices, name)
        tag = make.CASES[name].name.removeprefix("csv-").removeprefix("utf16-").removesuffix(".csv").split("-")[0]
        sql = f"SELECT DISTINCT stage FROM events WHERE starts_with(dossier_id, '{tag}-')"
        stages[name] = [
            row["stage"] for row in procmon("query", sql, "--format", "csv", "--workspace", office.folder).rows
        ]
    assert set(map(tuple, stages.values())) == {("Cộng hòa xã hội chủ nghĩa Việt Nam",)}, stages


def test_no_dossier_comes_from_a_file_that_was_refused_or_held(offices: list[Office]) -> None:
    for office in offices:
        n_stored = sum(found.n_stored + found.n_amended for found in office.files.values())
        assert (n_stored > 0) == (len(office.dossiers.splitlines()) > 1)
        for name in ("held", "three", "xa-", "v-1"):
            assert f"\n{name}-" not in office.dossiers


# Last, as it adds batches.
def test_the_same_files_again_change_nothing(offices: list[Office]) -> None:
    with ThreadPoolExecutor(2) as pool:
        workspaces = [open_workspace(office.folder) for office in offices]
        again = list(pool.map(take, workspaces, [[*filter(TAKEN.__contains__, office.files)] for office in offices]))
    for office, files in zip(offices, again, strict=True):
        for name, found in files.items():
            first = office.files[name]
            assert (found.error, found.is_held) == (None, first.is_held), name
            assert (found.n_stored, found.n_amended) == (0, 0), name
            assert (found.n_read, found.n_refused) == (first.n_read, first.n_refused)
            assert found.n_repeated == found.n_read - found.n_refused
            assert (found.batch_id == first.batch_id) == found.is_held, "a held file is not recorded anew"
        assert night(office.folder) == (office.dossiers, office.figures)


# ---- Files that are too large to keep, and names that cannot be kept ----


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "office"
    procmon("init", folder)
    return folder


def ingest(workspace: Path, *files: Path, code: int = 0, mapping: str = "canonical", **settings: str) -> Said:
    variables = {f"PROCMON_ENGINE__{name.upper()}": value for name, value in settings.items()}
    words = ("ingest", *files, "--mapping", mapping, "--workspace", workspace)
    return procmon(*words, env=variables, code=code)


def _wide_cell() -> bytes:
    return make.log("wide", 5, column="stage", cell="x" * (1 << 20)).encode()


def _columns() -> bytes:
    return ",".join([*make.HEADER, *(f"c{n}" for n in range(20_000))]).encode() + b"\n" + b"," * 20_005 + b"\n"


def _bomb() -> bytes:
    block = gzip.compress(make.log("bomb").encode() + b"\n" * (8 << 20), mtime=0)
    return block * 64  # 512 MiB from 512 KiB


def _attribute() -> bytes:
    return make.xes("v").replace("Sign", "x" * (12 << 20), 1).encode()


def _depth() -> bytes:
    return b"<log>" + b"<trace>" * (1 << 20)


def _json_depth() -> bytes:
    return b'{"a":' * (1 << 20)


LARGE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "columns.csv": ("canonical", _columns, "too many columns: 20,006, at most 2,000"),
    "bomb.csv.gz": ("canonical", _bomb, "unpacked it is larger than"),
    "bomb.jsonl.gz": ("dvcqg", lambda: gzip.compress(b" " * (128 << 20)), ""),
    "attribute.xes": ("xes", _attribute, "without the end of an event"),
    "depth.xes": ("xes", _depth, ""),
    "depth.json": ("dvcqg", _json_depth, "cannot be read as JSON"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_file_that_unpacks_or_unfolds_without_end_is_refused_within_little_memory(
    empty: Path, tmp_path: Path, name: str
) -> None:
    mapping, content, message = LARGE[name]
    (tmp_path / name).write_bytes(content())
    said = ingest(empty, tmp_path / name, mapping=mapping, code=11, read_memory="2048").err
    assert f"{name}: " in said
    assert message in said
    assert "Traceback" not in said


def test_a_cell_of_a_megabyte_costs_its_row_only(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_bytes(_wide_cell())
    said = ingest(empty, tmp_path / "wide.csv", read_memory="2048")
    assert "10 rows read, 9 stored, 0 repeated, 0 amended, 1 refused" in said.out


def test_an_external_entity_is_not_opened_and_its_text_stands_nowhere(empty: Path, tmp_path: Path) -> None:
    canary = "kanarienvogel-4711"
    (tmp_path / "canary.txt").write_text(canary)
    link = f"file://{tmp_path}/canary.txt"
    xes = make.DTD.format(f'[<!ENTITY x SYSTEM "{link}">]') + make.xes("v").replace("Sign", "&x;")
    (tmp_path / "external.xes").write_text(xes)
    parts = make.workbook([make.NAMES, *make.list_rows("xxe")])
    sheet = parts[make.SHEET].replace(b"?>\n", f'?>\n<!DOCTYPE x [<!ENTITY x SYSTEM "{link}">]>'.encode())
    parts[make.SHEET] = sheet.replace(b"xxe-3", b"&x;")
    (tmp_path / "external.xlsx").write_bytes(make.zipped(parts))
    for name, mapping in (("external.xes", "xes"), ("external.xlsx", make.LIST)):
        said = ingest(empty, tmp_path / name, mapping=mapping, code=11)
        assert "document type" in said.err
        assert canary not in said.out + said.err
    assert [path for path in empty.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()] == []


ODD_NAMES = [
    "\u202egpj.csv",
    "x" * 200 + ".csv",
    "a\nb.csv",
    "\x1b[31mred.csv",
    "'; DROP TABLE events; --.csv",
    "-rf.csv",
]


def test_a_file_is_taken_whatever_its_name_and_nothing_is_written_elsewhere(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "received").mkdir()
    files = [tmp_path / "received" / name for name in ODD_NAMES]
    for number, file in enumerate(files):
        file.write_text(make.log(f"name-{number}", 5, column="status", cell="?"), encoding="utf-8")
    before = sorted(path for path in tmp_path.rglob("*"))
    said = ingest(empty, *files)
    assert said.out.count("10 rows read, 9 stored") == len(ODD_NAMES)
    assert sorted(path for path in tmp_path.rglob("*")) == before
    rejects = procmon("show", "rejects", "--format", "json", "--workspace", empty).out
    assert {row["file"] for row in json.loads(rejects)} >= set(ODD_NAMES)
    table = procmon("show", "rejects", "--workspace", empty).out
    assert not any(sign in table for sign in "\u202e\x1b")


def test_one_bad_file_does_not_keep_the_next_one_out(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(make.log("next"), encoding="utf-8")
    said = ingest(empty, FOLDER / "csv-quote-unclosed.csv", FOLDER / "xlsx-sparse.xlsx", tmp_path / "good.csv")
    assert "good.csv: batch" in said.out
    assert said.err.count("csv-quote-unclosed.csv: ") == said.err.count("xlsx-sparse.xlsx: ") == 1
