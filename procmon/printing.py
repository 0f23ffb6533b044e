"""Values as people and programs read them in a plain text: what `show --format csv` prints.

Instants are ISO 8601 with the office's offset, cut to the second; days ISO 8601; booleans `true` and `false`; what is
empty is nothing. Numbers are their shortest text. `cell` says it for one value, `csv_text` for millions of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache, reduce
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

ROWS_AT_ONCE = 1 << 18
NEED_QUOTES = (",", '"', "\r", "\n")


def cell(value: object, zone: ZoneInfo) -> str:
    """The text of one value; a datetime must be aware."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(microsecond=0).isoformat()
    return str(value)


def csv_text(table: pa.Table, zone: ZoneInfo) -> Iterator[bytes]:
    """The CSV of a table in UTF-8, header first, in pieces of whole lines that end in LF.

    Cells are those of `cell`, in quotes only where they hold a comma, a quote or a line end.
    """
    yield (",".join(_quoted(pa.array(table.column_names, pa.string())).to_pylist()) + "\n").encode()
    for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
        cells = [_texts(column, zone).fill_null("") for column in batch.columns]
        if len(cells) == 1:  # a line of one empty cell would be a blank line
            cells = [pc.if_else(pc.equal(cells[0], ""), '""', cells[0])]
        yield pc.binary_join_element_wise(*cells[:-1], _ended(cells[-1]), ",").buffers()[2].to_pybytes()


def _texts(column: pa.Array, zone: ZoneInfo) -> pa.Array:
    """The cells of a column as a CSV has them."""
    if pa.types.is_timestamp(column.type):
        return _instants(column.cast(pa.timestamp("us")), zone)
    if pa.types.is_floating(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    texts = column.cast(pa.string())
    return _quoted(texts) if pa.types.is_string(column.type) else texts


def _instants(utc: pa.Array, zone: ZoneInfo) -> pa.Array:
    """Instants as text; the zone is asked once for each quarter of an hour, as offsets change at no other time."""
    seconds = pc.floor_temporal(utc, unit="second").cast(pa.timestamp("s"))
    quarters = pc.floor_temporal(seconds, 15, unit="minute").dictionary_encode()
    offsets = [_offset(quarter, zone) for quarter in quarters.dictionary.to_pylist()]
    shift = pa.array([seconds for seconds, _ in offsets], pa.int64()).take(quarters.indices)
    told = pa.array([text for _, text in offsets], pa.string()).take(quarters.indices)
    clock = pc.add(seconds.cast(pa.int64()), shift).cast(pa.timestamp("s")).cast(pa.string())
    return pc.binary_join_element_wise(pc.utf8_replace_slice(clock, 10, 11, "T"), told, "")


@lru_cache(maxsize=1 << 18)
def _offset(utc: datetime, zone: ZoneInfo) -> tuple[int, str]:
    """The zone's offset at an instant, in seconds and as text."""
    local = utc.replace(tzinfo=UTC).astimezone(zone)
    return round((local.utcoffset() or timedelta()).total_seconds()), local.isoformat()[19:]


def _quoted(texts: pa.Array) -> pa.Array:
    """The texts, in quotes where they need them."""
    needs_quotes = reduce(pc.or_, [pc.match_substring(texts, sign) for sign in NEED_QUOTES])
    if not pc.any(needs_quotes).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needs_quotes, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


def _ended(cells: pa.Array) -> pa.Array:
    """The last cells of lines, with the line end."""
    return pc.binary_join_element_wise(cells, pa.scalar("\n"), "")
