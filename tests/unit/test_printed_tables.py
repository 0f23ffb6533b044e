"""Tables on the command line: any columns a query may give, and nothing that steers a terminal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pyarrow as pa

from procmon.cli.common import plain_table

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_two_columns_of_one_name_are_both_printed() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert plain_table(table, ZONE) == "a  a\n1  2\n"


def test_a_cell_cannot_steer_the_terminal() -> None:
    table = pa.table({"stage": ["\x1b[31mđỏ"]})
    assert plain_table(table, ZONE) == "stage\n�[31mđỏ\n"


def test_a_table_without_rows_has_its_header() -> None:
    assert plain_table(pa.table({"stage": pa.array([], pa.string())}), ZONE) == "stage\n"
