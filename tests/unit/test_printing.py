"""Values as text: one by one and by the million, the same."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procmon.printing import cell, csv_text
from procmon.tables import BIG, DAY, FLAG, INSTANT, INT, REAL, TEXT

HAIPHONG = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (0.1, "0.1"),
        (2.0, "2.0"),
        (1e-7, "1e-07"),
        (date(2025, 4, 25), "2025-04-25"),
        (datetime(2025, 4, 25, 9, 0, 0, 999_999, UTC), "2025-04-25T16:00:00+07:00"),
        ("Đ, “x”", "Đ, “x”"),
    ],
)
def test_a_value_is_printed_as_the_commands_promise(value: object, text: str) -> None:
    assert cell(value, HAIPHONG) == text


def read(table: pa.Table, zone: ZoneInfo = HAIPHONG) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(csv_text(table, zone)).decode(), newline=""), strict=True))


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(st.characters(codec="utf-8"), max_size=5) | st.sampled_from(['"', ",", "\r\n"]),
            "instant": st.none() | st.datetimes(datetime(1960, 1, 1), datetime(2059, 12, 31), timezones=st.just(UTC)),
            "day": st.none() | st.dates(date(1960, 1, 1), date(2059, 12, 31)),
            "flag": st.none() | st.booleans(),
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "share": st.none() | st.floats(allow_nan=False),
            "squares": st.none() | st.integers(-(10**37), 10**37).map(Decimal),
        }
    ),
    max_size=8,
)
SCHEMA = pa.schema(
    [("text", TEXT), ("instant", INSTANT), ("day", DAY), ("flag", FLAG), ("n", INT), ("share", REAL), ("squares", BIG)]
)


@given(ROWS, st.sampled_from([HAIPHONG, ZoneInfo("UTC"), ZoneInfo("America/St_Johns")]))
def test_the_csv_of_a_table_holds_the_cells_of_its_values(rows: list[dict[str, object]], zone: ZoneInfo) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    assert read(table, zone) == [SCHEMA.names, *([cell(row[name], zone) for name in SCHEMA.names] for row in rows)]


def test_a_table_of_several_pieces_loses_no_line() -> None:
    table = pa.table({"n": range(200_000), "a,b": ['"x"'] * 200_000})
    lines = b"".join(csv_text(table, HAIPHONG)).splitlines()
    assert len(lines) == 200_001
    assert (lines[0], lines[-1]) == (b'n,"a,b"', b'199999,"""x"""')


def test_an_empty_table_is_its_header() -> None:
    assert read(SCHEMA.empty_table()) == [SCHEMA.names]


def test_a_line_of_one_empty_cell_is_not_a_blank_line() -> None:
    assert b"".join(csv_text(pa.table({"a": pa.array([None, "x"], TEXT)}), HAIPHONG)) == b'a\n""\nx\n'
