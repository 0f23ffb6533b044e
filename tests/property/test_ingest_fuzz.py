"""Whatever bytes come, under whatever mapping: rows or a refusal that says what to do; no crash, no hang, no row lost.

PROCMON_FUZZ says how many inputs there are (default 2,000; `make fuzz` 100,000 here and as many guided by coverage).
`tests/fuzz/outcome.py` says what may become of an input.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procmon.config import EngineSettings
from procmon.errors import InputError, SettingsError
from procmon.ingest.mapping import (
    NEEDED,
    Activities,
    Columns,
    CsvFormat,
    ExcelFormat,
    JsonFormat,
    Mapping,
    Supplements,
)
from procmon.ingest.read import read_file
from procmon.ingest.rows import RefusedError
from tests.fuzz.inputs import ANYWHERE, FORMS, KINDS, WORDS, Change, Recipe, mappings, parts_of, seeds, toml, zipped
from tests.fuzz.outcome import in_time, of_look, of_mapping, of_reader, outcome
from tests.log_files import KEY, mapping_of

N = int(os.environ.get("PROCMON_FUZZ", "2000"))
N_CHILDREN = min(500, max(40, N // 200))


def often(share: float) -> settings:
    """That share of all inputs; `N_CHILDREN` come beside them."""
    return settings(
        max_examples=max(round(N * share), 1), deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder, in memory where there is one, that is left behind with the input that ended the process."""
    memory = Path("/dev/shm")
    made = Path(mkdtemp(prefix="procmon-fuzz-", dir=memory if os.access(memory, os.W_OK) else None))
    yield made
    rmtree(made)


# ---- files


def changes(form: str) -> st.SearchStrategy[list[Change]]:
    words = st.sampled_from([*ANYWHERE, *WORDS.get(form, ()), *WORDS.get(form, ())]) | st.binary(max_size=8)
    place = st.integers(0, 1 << 16)
    change = st.builds(Change, st.sampled_from(KINDS), place, place, st.integers(0, 255), words)
    return st.lists(change, max_size=6)


def files(form: str) -> st.SearchStrategy[Recipe]:
    inside = st.none() | st.integers(0, 15) if form == "excel" else st.none()
    seldom = st.sampled_from([False] * 7 + [True])
    return st.builds(Recipe, st.sampled_from(seeds(form)), changes(form), inside, seldom, st.booleans())


READERS = {"csv": 0.2, "excel": 0.15, "json": 0.2, "xes": 0.2}
"""Form → share of all inputs that go through its reader alone; what it takes, it would write."""


@pytest.mark.parametrize("form", FORMS)
def test_a_reader_yields_rows_or_refuses(form: str, folder: Path) -> None:
    @often(READERS[form])
    @given(files(form), st.sampled_from([*mappings(form), None]))
    def check(file: Recipe, mapping: Mapping | None) -> None:
        of_reader(file.bytes(), mapping, folder)

    check()


@pytest.mark.parametrize("form", FORMS)
def test_every_row_of_a_file_is_stored_repeated_amended_or_refused(form: str, folder: Path) -> None:
    @often(0.02)
    @given(files(form), st.sampled_from(mappings(form)))
    def check(file: Recipe, mapping: Mapping) -> None:
        outcome(file.bytes(), mapping, folder)

    check()


@pytest.mark.parametrize("form", FORMS)
def test_a_draft_is_a_mapping_or_says_what_is_missing(form: str, folder: Path) -> None:
    @often(0.01)
    @given(files(form))
    def check(file: Recipe) -> None:
        of_look(file.bytes(), folder)

    check()


def test_the_reading_process_answers_or_is_outlived(tmp_path: Path) -> None:
    """Each in a process of its own; only an old workbook (XLS) may end it, and is refused for that."""
    limits = EngineSettings(read_memory=4096, read_seconds=20, read_wall_seconds=60, read_size=64, read_cells=1_000_000)

    @settings(often(1), max_examples=N_CHILDREN)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from([*FORMS, "xls"]))
        file, mapping = data.draw(files(form)).bytes(), data.draw(st.sampled_from(mappings(form)))
        (tmp_path / "input").write_bytes(file)
        try:
            raw = read_file(tmp_path / "input", mapping, scratch=tmp_path, key=KEY, limits=limits)
        except InputError as error:
            said = f"{error} {error.remedy}"
        else:
            said = ""
            assert raw.rows.is_file()
        is_dead = any(word in said for word in ("reading process", "took longer", "more memory"))
        assert not is_dead or form == "xls", said

    check()


# ---- mappings

TEXTS = st.sampled_from(
    [
        "", " ", "dossier_id", "status", "occurred_at", "procedure_id", "Số hồ sơ", "Mã thủ tục", "Ngày tiếp nhận",
        "MaHoSo", "case:concept:name", "concept:name", "time:timestamp", "NgayTiepNhan", "Trạng thái", "Họ và tên",
        "số điện thoại", "received", "finished", "Đang xử lý", "in_person", "4", "iso", "excel", "dd/MM/yyyy HH:mm",
        "MM/dd/yyyy", "yyyyMMddHHmmss", "dd/MM/yy", "'", "''; DROP", "\\", "\0", "\u0301", "x" * 300,
        "Asia/Ho_Chi_Minh", "UTC", "../x", "utf-16-le", "rot13", "windows-1258", "idna", "undefined", "unicode_escape",
        "TCVN3", ";", "\n", "é", "data", "body.items", "Sheet1", "DanhSachHoSoBoSung",
        "DanhSachHoSoBoSung[].NgayBoSung", "events", "dossiers", "dvcqg", "csv", "json", "auto", "all",
    ]
)  # fmt: skip
VALUES = TEXTS | st.lists(TEXTS, max_size=3) | st.sampled_from([0, 1, 2, -1, 10**30, True, 1.5]) | st.text(max_size=5)
ROLES = list(Columns.model_fields)
ENTRIES = (
    *(f"columns/{name}" for name in ROLES),
    *(f"progress/{name}" for name in ROLES),
    *(f"supplements/{name}" for name in Supplements.model_fields),
    *(f"activities/{name}" for name in Activities.model_fields),
    *(f"csv/{name}" for name in CsvFormat.model_fields),
    *(f"excel/{name}" for name in ExcelFormat.model_fields),
    *(f"json/{name}" for name in JsonFormat.model_fields),
    *(f"dates/{name}" for name in ("all", *ROLES, "progress_occurred_at", "supplement_requested_at")),
    *(f"constants/{name}" for name in ROLES),
    *("kind", "format", "timezone", "title", "statuses", "columns", "dates", "json", "other"),
)
LABELS = ("statuses", "channels", "units", "procedures")


@st.composite
def entries(draw: st.DrawFn) -> dict[str, object]:
    """Entries of a mapping, taken or not: name, kind and what the kind needs, then whatever."""
    kind = draw(st.sampled_from(list(NEEDED)))
    found: dict[str, object] = {"name": "m", "kind": kind}
    found |= {f"columns/{role}": draw(TEXTS) for role in NEEDED[kind]}
    if kind == "events":
        found[f"columns/{draw(st.sampled_from(['status', 'activity']))}"] = draw(TEXTS)
    found |= draw(st.dictionaries(st.sampled_from(ENTRIES), VALUES, max_size=5))
    for place in draw(st.lists(st.sampled_from(LABELS), max_size=2)):
        found[f"{place}/{draw(TEXTS).replace('/', '-')}"] = draw(TEXTS)
    return found


def texts_of_mappings() -> st.SearchStrategy[bytes]:
    """Entries as TOML, or the shipped texts with changes."""
    changed = st.builds(Recipe, st.sampled_from(seeds("mapping")), changes("mapping"))
    return entries().map(lambda found: toml(found).encode()) | changed.map(Recipe.bytes)


@often(0.1)
@given(texts_of_mappings())
def test_a_mapping_is_taken_or_refused(text: bytes) -> None:
    of_mapping(text)


@often(0.03)
@given(entries(), st.data())
def test_any_mapping_reads_any_file(folder: Path, found: dict[str, object], data: st.DataObject) -> None:
    mapping = of_mapping(toml(found).encode())
    if not isinstance(mapping, Mapping):
        mapping = data.draw(st.sampled_from([mapping_ for form in FORMS for mapping_ in mappings(form)]))
    file = data.draw(st.sampled_from(FORMS).flatmap(files))
    outcome(file.bytes(), mapping, folder)


# ---- what was found, and mended

MARKS = ("\u0300" * 30_000 + "\u0323" * 30_000).encode()
"""Composed in order (NFC), they take time by their square: minutes, in the process that has no limits."""


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        (b"dossier_id,status,occurred_at,procedure_id\nA" + MARKS + b",received,2025-03-03,1.000001\n", "canonical"),
        ("Số hồ sơ,Mã thủ tục,Ngày tiếp nhận,Trạng thái\na,b,03/03/2025,".encode() + MARKS, "danh-sach-ho-so"),
        (b"dossier_id,status,occurred_at,procedure_id," + b"\xb8\xb5\xb6" * 5000, "canonical"),
    ],
)
def test_letters_with_thousands_of_marks_take_no_time(text: bytes, mapping: str, folder: Path) -> None:
    with in_time(5):
        outcome(text, mapping_of(mapping), folder)


def test_a_list_that_ends_within_its_table_is_refused(folder: Path) -> None:
    """Calamine waited for the table's end for ever."""
    book = next(parts for seed in seeds("excel") if "content.xml" in (parts := parts_of(seed)))
    for text in (b'<table:table table:name="a">', book["content.xml"].partition(b"</table:table>")[0]):
        with in_time(5):
            assert isinstance(of_reader(zipped({**book, "content.xml": text}), None, folder), RefusedError)


@pytest.mark.parametrize("text", [b"a = " + b"[" * 5000, b"a = " + b"1" * 5000])
def test_a_mapping_is_refused_for_what_its_parser_chokes_on(text: bytes) -> None:
    assert isinstance(of_mapping(text), SettingsError)
