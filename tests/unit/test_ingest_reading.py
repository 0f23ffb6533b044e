"""Received files as bytes: which records there are, on which lines, and which files are refused whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from log_files import KEY, mapping_of, read_here
from pyarrow import parquet

from procmon.config import EngineSettings
from procmon.errors import InputError
from procmon.ingest.read import RawFile, read_file
from procmon.ingest.records import PIECE, find_records
from procmon.ingest.rows import RefusedError

HEADER = b"dossier_id,status,occurred_at,procedure_id\n"
ROW = b"a,received,2025-01-02,1\n"

Read = Callable[..., RawFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads bytes as a file, in this process."""

    def read_bytes(text: bytes, **options: int) -> RawFile:
        path = tmp_path / "log.csv"
        path.write_bytes(text)
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        return read_here(path, scratch, **options)  # type: ignore[arg-type]

    return read_bytes


def lines(raw: RawFile) -> list[int]:
    """The lines of the well-formed rows, in order."""
    found: list[int] = parquet.read_table(raw.lines).sort_by("n")["line"].to_pylist()
    return found


def malformed(raw: RawFile) -> list[tuple[int, str]]:
    """(line, problem) of the malformed records."""
    return [(row["line"], row["problem"]) for row in parquet.read_table(raw.refused).to_pylist()]


def column(raw: RawFile, name: str) -> list[str | None]:
    """A column of the well-formed rows, in order."""
    found: list[str | None] = parquet.read_table(raw.rows).sort_by("n")[name].to_pylist()
    return found


# ---- lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEADER + ROW + ROW, [2, 3]),
        ((HEADER + ROW + ROW)[:-1], [2, 3]),
        ((HEADER + ROW + ROW).replace(b"\n", b"\r\n"), [2, 3]),
        (b"\xef\xbb\xbf" + HEADER + ROW, [2]),
        (HEADER + b"\n\n" + ROW + b"\n" + ROW + b"\n\n", [4, 6]),
        ((HEADER + b"\n" + ROW).replace(b"\n", b"\r\n"), [3]),
        (HEADER + b'"a\nb\n\nc",received,2025-01-02,1\n' + ROW, [2, 6]),
        ((HEADER + b'"a\nb",received,2025-01-02,1\n' + ROW).replace(b"\n", b"\r\n"), [2, 4]),
        (HEADER.replace(b"\n", b"\r\n") + b'"a\nb",received,2025-01-02,1\r\n', [2]),
        (HEADER + b'"a ""b""",received,2025-01-02,1\n"""",x,y,z\n' + ROW, [2, 3, 4]),
        (b'"dossier_id","status","occurred_at","procedure_id"\n' + ROW, [2]),
        (HEADER, []),
        (HEADER[:-1], []),
    ],
)
def test_rows_are_counted_by_the_lines_of_an_editor(read: Read, text: bytes, expected: list[int]) -> None:
    raw = read(text)
    assert lines(raw) == expected
    assert raw.n_read == len(expected)


MALFORMED = (
    HEADER
    + ROW
    + b"\n\n1,2\n"
    + ROW
    + b'1,"x\ny",3,4\n1,2,3,4,5\n8,\xff,1,1\n   \n'
    + ROW
    + b'"a"b,1,1,1\n'
    + b"1\n" * 2
)


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_malformed_rows_are_named_by_line_and_the_rest_goes_in(read: Read, packed: Callable[[bytes], bytes]) -> None:
    raw = read(packed(MALFORMED))
    assert lines(raw) == [2, 6, 7, 12]
    assert malformed(raw) == [
        (5, "missing_columns"),
        (9, "too_many_columns"),
        (10, "bad_encoding"),
        (11, "missing_columns"),
        (13, "bad_quotes"),
        (14, "missing_columns"),
        (15, "missing_columns"),
    ]
    assert raw.n_read == 11


def test_a_row_beyond_a_megabyte_is_refused_and_the_next_is_read(read: Read) -> None:
    raw = read(HEADER + b"1," + b"x" * (3 << 20) + b",3,4\n" + ROW)
    assert (lines(raw), malformed(raw)) == ([3], [(2, "unreadable_row")])


def test_lines_are_right_beyond_the_first_piece(read: Read) -> None:
    rows = b"".join(b'"%d\n",received,2025-01-02,1\n' % n for n in range(PIECE // 25))
    assert len(rows) > PIECE
    raw = read(HEADER + rows + b"1,2\n" + ROW)
    n = PIECE // 25
    assert lines(raw) == [*range(2, 2 * n + 2, 2), 2 * n + 3]
    assert malformed(raw) == [(2 * n + 2, "missing_columns")]
    assert column(raw, "dossier_id")[:2] == ["0\n", "1\n"]


def test_a_quote_may_stand_open_between_two_pieces() -> None:
    pieces = [b'h\n"a\n', b"b\n", b'c"\nd\n']
    assert find_records(pieces).lines.tolist() == [1, 2, 5]


def test_cells_are_trimmed_and_empty_ones_are_none(read: Read) -> None:
    raw = read(HEADER + b' a\t,"  received",,"  "\n')
    assert [column(raw, name) for name in ("dossier_id", "status", "occurred_at", "procedure_id", "stage")] == [
        ["a"], ["received"], [None], [None], [None],
    ]  # fmt: skip


# ---- columns


def test_unknown_columns_are_dropped_and_listed(read: Read) -> None:
    raw = read(b"name,dossier_id, status ,occurred_at,procedure_id,phone\nB\xc3\xac,1,received,2025-01-02,p,090\n")
    assert raw.dropped == ("name", "phone")
    assert set(raw.found) == {"dossier_id", "status", "occurred_at", "procedure_id"}
    assert column(raw, "procedure_id") == ["p"]
    assert b"090" not in raw.rows.read_bytes()


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        (b"", "the file is empty", "Export it again"),
        (b"dossier_id,status\n", "line 1: column procedure_id, occurred_at is missing; found: dossier_id,", "mapping"),
        (b"a;b\n1;2\n", "column dossier_id, procedure_id, status, occurred_at is missing; found: a, b", "guess"),
        (HEADER[:-1] + b",stage,stage\n", "line 1: column stage stands twice", "Give each column one name."),
        (b"\xffdossier_id\n", "line 1: the header cannot be read", "UTF-8"),
        (HEADER + b"1,\x00,3,4\n", "not UTF-8 text", "UTF-8"),
        ((HEADER + ROW).replace(b"\n", b"\r"), "its lines end with CR alone", "LF or CR LF"),
        (HEADER + ROW + ROW.replace(b"\n", b"\r\n"), "line 3 ends otherwise than the lines before it", "one kind"),
        ((HEADER + ROW).replace(b"\n", b"\r\n") + ROW, "line 3 ends otherwise than the lines before it", "one kind"),
        (HEADER + ROW + b"a,b\rc,d,e\n", "line 3 ends otherwise than the lines before it", "one kind"),
        (gzip.compress(HEADER + ROW * 100, mtime=0)[:-6], "the gzip is damaged or cut off", "Copy it again"),
        (gzip.compress(HEADER + ROW, mtime=0) + b"rest", "the gzip is damaged or cut off", "Copy it again"),
        (gzip.compress(b"", mtime=0), "the file is empty", "Export it again"),
        (HEADER + b'1,2",3,4\n' + ROW + b'1,2",3,4\n', "line 2: quotes are ambiguous", "doubled inside"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_trusted_is_refused_whole(read: Read, text: bytes, says: str, remedy: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(text)
    assert says in str(refused.value)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("k", [1, 2, 50, 99, 100])
@pytest.mark.parametrize("others", [ROW, b'5,"a, b",3,4\n', b'"6","x\ny",3,4\n'], ids=["bare", "quoted", "long"])
def test_a_quote_that_is_never_closed_is_named_by_its_line(read: Read, k: int, others: bytes) -> None:
    rows = [others] * 100
    rows[k - 1] = b'1,"2,3,4\n'
    line = 2 + b"".join(rows[: k - 1]).count(b"\n")
    with pytest.raises(RefusedError, match=f"line {line}: a quote opens and is never closed"):
        read(HEADER + b"".join(rows))


def test_a_bomb_is_refused_at_the_limit(read: Read) -> None:
    bomb = gzip.compress(HEADER + ROW * (100 << 10))
    assert len(bomb) < 20_000
    with pytest.raises(RefusedError, match="unpacked it is larger than 1 MiB") as refused:
        read(bomb, size=1 << 20)
    assert "engine.read_size" in refused.value.remedy


def test_a_gzip_of_several_members_is_one_file(read: Read) -> None:
    assert lines(read(gzip.compress(HEADER + ROW[:5], mtime=0) + gzip.compress(ROW[5:] + ROW))) == [2, 3]


# ---- the process


LIMITS = EngineSettings()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_bytes(HEADER + ROW)
    return path


def test_the_process_leaves_what_the_file_says(log: Path, scratch: Path) -> None:
    raw = read_file(log, mapping_of(), scratch=scratch, key=KEY, limits=LIMITS)
    assert (raw.name, raw.n_read, lines(raw)) == ("log.csv", 1, [2])
    assert raw.sha256 == hashlib.sha256(log.read_bytes()).hexdigest()
    assert sorted(path.name for path in scratch.iterdir()) == ["lines.parquet", "refused.parquet", "rows.parquet"]


def test_a_name_may_hold_anything(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "sổ 'a' [1] %s *.csv"
    path.write_bytes(HEADER + ROW)
    assert read_file(path, mapping_of(), scratch=scratch, key=KEY, limits=LIMITS).n_read == 1


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path, scratch: Path) -> None:
    for path, says in ((tmp_path / "no.csv", "no such file"), (tmp_path, "not a file")):
        with pytest.raises(InputError, match=says) as refused:
            read_file(path, mapping_of(), scratch=scratch, key=KEY, limits=LIMITS)
        assert str(path) in str(refused.value)
        assert refused.value.exit_code == 11


def test_a_refusal_names_the_file_and_the_remedy(log: Path, scratch: Path) -> None:
    log.write_bytes(b"a,b\n")
    with pytest.raises(InputError, match="is missing; found: a, b") as refused:
        read_file(log, mapping_of(), scratch=scratch, key=KEY, limits=LIMITS)
    assert str(refused.value).startswith(f"{log}: line 1: ")
    assert "procmon mapping guess FILE" in refused.value.remedy


READ_AS_ANOTHER = """
import json, os, sys
from pathlib import Path
from procmon.config import EngineSettings
from procmon.errors import InputError
from procmon.ingest.mapping import read_mapping
from procmon.ingest.read import read_file
path, canonical = Path(sys.argv[1]), read_mapping("canonical", Path())
if os.getuid() == 0:
    os.setuid(65534)  # root may read everything
try:
    read_file(path, canonical, scratch=path.parent, key=b"", limits=EngineSettings())
except InputError as error:
    print(json.dumps([str(error), error.remedy]))
"""


def test_a_file_that_may_not_be_read_is_refused(log: Path) -> None:
    log.chmod(0)
    for folder in (log.parent, *log.parent.parents):
        if folder.is_relative_to(Path(tempfile.gettempdir())) and folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    done = subprocess.run([sys.executable, "-c", READ_AS_ANOTHER, str(log)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [f"{log}: cannot be read: permission denied", f"chmod u+r {log}"]


@pytest.fixture
def long_log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "long.csv"
    path.write_bytes(HEADER + ROW * (6 << 20))
    yield path
    path.unlink()


def test_a_process_over_its_time_dies_alone(long_log: Path, log: Path, scratch: Path) -> None:
    with pytest.raises(InputError, match=r"took longer than engine\.read_seconds") as refused:
        read_file(long_log, mapping_of(), scratch=scratch, key=KEY, limits=EngineSettings(read_seconds=1))
    assert str(long_log) in str(refused.value)
    assert read_file(log, mapping_of(), scratch=scratch, key=KEY, limits=LIMITS).n_read == 1


def test_a_process_over_its_memory_dies_alone(long_log: Path, log: Path, scratch: Path) -> None:
    tight = LIMITS.model_copy(update={"read_memory": 512})
    with pytest.raises(InputError, match=r"memory|ended by|failed") as refused:
        read_file(long_log, mapping_of(), scratch=scratch, key=KEY, limits=tight)
    assert str(long_log) in str(refused.value)
    assert read_file(log, mapping_of(), scratch=scratch, key=KEY, limits=LIMITS).n_read == 1
