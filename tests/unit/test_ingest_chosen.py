"""Which columns are read: the mapped ones, wherever in the file they first stand."""

from __future__ import annotations

import pytest

from procmon.ingest.chosen import MOST_NAMES, Chosen
from procmon.ingest.rows import RefusedError, SourceColumn

SOURCES = [
    SourceColumn("dossier_id", ("Số hồ sơ", "Mã hồ sơ"), is_needed=True),
    SourceColumn("due_at", ("Ngày hẹn trả",)),
]


def test_a_mapped_column_is_read_however_many_others_came_before_it() -> None:
    chosen = Chosen(SOURCES)
    for n in range(3 * MOST_NAMES):
        assert chosen.values({f"other {n}": "x", "Số hồ sơ": "1"}) == ["1", None]
    assert chosen.values({"Ngày hẹn trả": "2025-05-06"}) == [None, "2025-05-06"]
    assert chosen.found == {"dossier_id": "Số hồ sơ", "due_at": "Ngày hẹn trả"}


def test_of_columns_that_nobody_reads_no_more_than_some_names_are_kept() -> None:
    chosen = Chosen(SOURCES, (f"other {n}" for n in range(3 * MOST_NAMES)))
    assert len(chosen.names) == MOST_NAMES


def test_of_a_columns_names_the_first_that_the_record_fills_is_read() -> None:
    chosen = Chosen(SOURCES)
    assert chosen.values({"Mã hồ sơ": "second", "SỐ HỒ SƠ": "first"})[0] == "first"
    assert chosen.values({"Mã hồ sơ": "second", "Số hồ sơ": " "})[0] == "second"


def test_a_needed_column_that_never_came_is_named() -> None:
    chosen = Chosen(SOURCES, ["log:source", "case:id"])
    with pytest.raises(RefusedError, match=r"\(Số hồ sơ or Mã hồ sơ\) is missing; found: case:id, log:source"):
        chosen.check("the log")
