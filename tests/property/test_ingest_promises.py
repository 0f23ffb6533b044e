"""What ingest promises of any file: no row lost, no line wrong, and no figure moved by how rows came."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_files import ZONE, Store, read_here
from pyarrow import parquet
from twin import strategies
from twin.dossiers import CANONICAL

from procmon.ingest.rows import RefusedError
from procmon.printing import csv_text
from procmon.tables import DOSSIERS

EXAMPLES = int(os.environ.get("PROCMON_TESTS_EXAMPLES", "60"))
as_often_as_asked = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
less_often = settings(as_often_as_asked, max_examples=max(EXAMPLES // 6, 1))  # each takes many batches in


@contextmanager
def new_store() -> Iterator[Store]:
    store = Store()
    try:
        yield store
    finally:
        shutil.rmtree(store.folder)


@contextmanager
def new_folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="procmon-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# ---- bytes

HEADER = b"dossier_id,status,occurred_at,procedure_id"
WELL = [
    b"a,b,c,d",
    b",,,",
    b'"a","b",c,d',
    b'"a ""b""",,,"x, y"',
    b'"two\nlines",b,c,d',
    b'"three\n\r\nlines",b,c,d',
    b" a , b,c,d",
    b"a,b,c,d,,,",  # nothing but empty cells beyond the header: a spreadsheet's habit
]
MALFORMED = {
    b"a": "missing_columns",
    b"a,b,c": "missing_columns",
    b"   ": "missing_columns",
    b"a,b,c,d,e": "too_many_columns",
    b"a,b,c,d,,e": "too_many_columns",
    b'"a"b,b,c,d': "bad_quotes",
    b"\xff,b,c,d": "bad_encoding",
    b'"two\n\xc3",b,c,d': "bad_encoding",
}  # fmt: skip


@as_often_as_asked
@given(
    st.lists(st.sampled_from([*WELL, *MALFORMED, b"", b""]), max_size=30),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
)
def test_every_record_is_a_row_or_a_problem_on_its_own_line(records: list[bytes], newline: bytes, ends: bool) -> None:
    text, line = HEADER + newline, 2
    rows, problems = [], []
    for record in records:
        if record in MALFORMED:
            problems.append((line, MALFORMED[record]))
        elif record:
            rows.append(line)
        text += record + newline
        line += record.count(b"\n") + 1
    with new_folder() as folder:
        (folder / "log.csv").write_bytes(text if ends else text.removesuffix(newline))
        if [problem for _, problem in problems].count("bad_encoding") > 2:
            with pytest.raises(RefusedError, match="not UTF-8"):  # no file with bad bytes here and there
                read_here(folder / "log.csv", folder)
            return
        raw = read_here(folder / "log.csv", folder)
        assert parquet.read_table(raw.lines).sort_by("n")["line"].to_pylist() == rows
        found = [(row["line"], row["problem"]) for row in parquet.read_table(raw.refused).to_pylist()]
    assert sorted(found) == problems
    assert raw.n_read == len(rows) + len(problems)


@as_often_as_asked
@given(
    st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r", b" ", b"\xff", b"\x00", b"\xef\xbb\xbf"]), max_size=60)
)
def test_any_bytes_are_read_or_refused_and_never_lost(signs: list[bytes]) -> None:
    with new_folder() as folder:
        (folder / "log.csv").write_bytes(HEADER + b"\n" + b"".join(signs))
        try:
            raw = read_here(folder / "log.csv", folder)
        except RefusedError:
            return
        lines = parquet.read_table(raw.lines)["line"].to_pylist()
        problems = parquet.read_table(raw.refused)["line"].to_pylist()
        assert raw.n_read == len(lines) + len(problems) == len({*lines, *problems})
        assert parquet.read_metadata(raw.rows).num_rows == len(lines)


# ---- rows


def printed(store: Store, case: strategies.Case) -> bytes:
    """The bytes of `show dossiers --format csv`."""
    dossiers = store.dossiers(case.registry, case.as_of).select(DOSSIERS.shown_names)
    return b"".join(csv_text(dossiers, ZoneInfo(ZONE)))


@less_often
@given(strategies.cases(), st.randoms(use_true_random=False))
def test_the_same_log_shuffled_split_and_taken_twice_prints_the_same_bytes(
    case: strategies.Case, chance: random.Random
) -> None:
    with new_store() as whole:
        whole.ingest_rows(case.event_rows, CANONICAL)
        expected = printed(whole, case)
    shuffled = chance.sample(case.event_rows, len(case.event_rows))
    with new_store() as split:
        taken = [split.ingest_rows(shuffled[n::5], CANONICAL) for n in range(5)]
        assert printed(split, case) == expected
        again = split.ingest_rows(shuffled, CANONICAL)
        assert printed(split, case) == expected
    assert sum(batch.n_read for batch in taken) == sum(
        batch.n_stored + batch.n_repeated + batch.n_amended for batch in taken
    )
    assert (again.n_repeated, again.n_read) == (len(shuffled), len(shuffled))


@less_often
@given(strategies.cases(), st.data())
def test_the_figures_are_those_of_what_live_batches_said(case: strategies.Case, data: st.DataObject) -> None:
    """Whatever was retracted and restored, and whenever: before the next batch came or after."""
    rows = st.sampled_from(case.event_rows)
    batches = data.draw(st.lists(st.lists(rows, max_size=8), min_size=1, max_size=4))
    with new_store() as store:
        for n, batch in enumerate(batches, start=1):
            store.ingest_rows(batch, CANONICAL)
            store.live[:] = data.draw(st.lists(st.sampled_from(store.done), unique=True), label=f"live after {n}")
        told = printed(store, case)
        live = [row for n, batch in enumerate(batches, start=1) if n in store.live for row in batch]
    with new_store() as union:
        union.ingest_rows(live, CANONICAL)
        assert told == printed(union, case)
