"""Which rows are refused, and with what; and that nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from log_files import COLUMNS, Store, write_csv

from procmon.ingest.columns import PROBLEMS
from procmon.tables import EVENTS, REJECTS

GOOD = dict.fromkeys(COLUMNS, "") | {
    "dossier_id": "H24-1",
    "status": "received",
    "occurred_at": "2025-03-03T08:00",
    "procedure_id": "1.001",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def row(**cells: str) -> dict[str, str]:
    return GOOD | cells


BROKEN_CELLS = [
    ("dossier_id", "", "missing_dossier_id"),
    ("dossier_id", "   ", "missing_dossier_id"),
    ("dossier_id", "x" * 1001, "too_long"),
    ("dossier_id", "a\tb", "control_character"),
    ("status", "", "unknown_status"),
    ("status", "done", "unknown_status"),
    ("status", "Received", "unknown_status"),
    ("occurred_at", "", "missing_instant"),
    ("occurred_at", "25/04/2025", "unreadable_instant"),
    ("occurred_at", "2025-02-30", "unreadable_instant"),
    ("occurred_at", "2025-02-30T08:00", "unreadable_instant"),
    ("occurred_at", "2025-02-03T24:00", "unreadable_instant"),
    ("occurred_at", "2025-02-03T08:00:60", "unreadable_instant"),
    ("occurred_at", "2025-02-03T08:00+15:00", "unreadable_instant"),
    ("occurred_at", "2025-02-03T8:00", "unreadable_instant"),
    ("occurred_at", "2025-02-03T08", "unreadable_instant"),
    ("occurred_at", "2025-02-03 08:00 CH", "unreadable_instant"),
    ("occurred_at", "45678", "unreadable_instant"),
    ("occurred_at", "1999-12-31", "instant_out_of_range"),
    ("occurred_at", "2060-01-01", "instant_out_of_range"),
    ("occurred_at", "1970-01-01T00:00Z", "instant_out_of_range"),
    ("occurred_at", "9999-12-31T23:59", "instant_out_of_range"),
    ("due_at", "soon", "unreadable_instant"),
    ("due_at", "0025-03-03", "instant_out_of_range"),
    ("recorded_at", "2025-13-01", "unreadable_instant"),
    ("recorded_at", "1900-01-01T00:00", "instant_out_of_range"),
    ("channel", "fax", "unknown_channel"),
    *[(name, "x" * 1001, "too_long") for name in ("procedure_id", "unit_id", "applicant_unit_id", "stage", "reason")],
    *[(name, "a\x1bb", "control_character") for name in ("procedure_id", "returning_unit_id", "stage", "reason")],
    ("stage", "a\nb", "control_character"),
]


@pytest.mark.parametrize(("column", "value", "problem"), BROKEN_CELLS)
def test_a_row_is_refused_with_its_cell_and_the_rest_goes_in(
    store: Store, column: str, value: str, problem: str
) -> None:
    taken = store.ingest_rows([row(dossier_id="H24-0"), row(**{column: value}), row(dossier_id="H24-2")])
    reason, remedy = PROBLEMS[problem]
    assert taken.rejects.to_pylist() == [
        {
            "file": "log-1.csv",
            "line": 3,
            "column": column,
            "value": value.strip()[:200],
            "reason": reason,
            "remedy": remedy,
            "batch": 1,
        }
    ]
    assert (taken.n_read, taken.n_stored, taken.n_refused) == (3, 2, 1)


def test_malformed_rows_are_refused_without_their_text(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "it's.csv"
    head = ",".join(COLUMNS).encode() + b"\n"
    good = ",".join(GOOD.values()).encode() + b"\n"
    malformed = [b"Nguyen Van A\n", good[:-1] + b",Nguyen\n", b'"a"b' + good, b"\xff" + good]
    path.write_bytes(head + good + b"".join(malformed) + good)
    taken = store.ingest(path)
    problems = ("missing_columns", "too_many_columns", "bad_quotes", "bad_encoding")
    told = ("file", "line", "column", "value", "reason")
    assert [tuple(bad[name] for name in told) for bad in taken.rejects.to_pylist()] == [
        ("it's.csv", line, "", "", PROBLEMS[problem][0]) for line, problem in enumerate(problems, start=3)
    ]
    assert (taken.n_read, taken.n_stored, taken.n_repeated, taken.n_refused) == (6, 1, 1, 4)


def test_every_problem_has_a_row_that_meets_it() -> None:
    by_bytes = {"missing_columns", "too_many_columns", "bad_quotes", "bad_encoding", "unreadable_row"}
    by_other_forms = {"unreadable_json", "unreadable_xml", "duplicate_key", "too_deep"}
    by_mapping = {"unmapped_status", "unmapped_channel", "missing_activity", "undated_end", "undated_receipt"}
    by_file = {"no_event", "held", "in_the_future", "ambiguous_unit"}
    by_cell = {problem for _, _, problem in BROKEN_CELLS}
    assert by_cell | by_bytes | by_other_forms | by_mapping | by_file == set(PROBLEMS)


def test_the_first_problem_of_a_row_is_told(store: Store) -> None:
    taken = store.ingest_rows([row(status="done", occurred_at="soon", channel="fax")])
    assert taken.rejects["column"].to_pylist() == ["status"]


def test_rejects_stand_in_the_order_of_lines(store: Store) -> None:
    taken = store.ingest_rows([row(status=f"s{n}") for n in range(300)])
    assert taken.rejects["line"].to_pylist() == list(range(2, 302))
    assert taken.rejects.schema == REJECTS.schema


INSTANTS: list[tuple[str, datetime]] = [
    ("2025-03-03T08:00", datetime(2025, 3, 3, 1, tzinfo=UTC)),
    ("2025-03-03 08:00:01", datetime(2025, 3, 3, 1, 0, 1, tzinfo=UTC)),
    ("2025-03-03T08:00:00.5", datetime(2025, 3, 3, 1, 0, 0, 500_000, tzinfo=UTC)),
    ("2025-03-03T08:00:00.123456", datetime(2025, 3, 3, 1, 0, 0, 123_456, tzinfo=UTC)),
    ("2025-03-03T08:00:00.1234567", datetime(2025, 3, 3, 1, 0, 0, 123_456, tzinfo=UTC)),
    ("2025-03-03T01:00Z", datetime(2025, 3, 3, 1, tzinfo=UTC)),
    ("2025-03-03T08:00:00+07:00", datetime(2025, 3, 3, 1, tzinfo=UTC)),
    ("2025-03-03T08:00:00+0700", datetime(2025, 3, 3, 1, tzinfo=UTC)),
    ("2025-03-03 08:00:00.25+07", datetime(2025, 3, 3, 1, 0, 0, 250_000, tzinfo=UTC)),
    ("2025-03-02T19:30:00-05:30", datetime(2025, 3, 3, 1, tzinfo=UTC)),
    ("2000-01-02T12:00", datetime(2000, 1, 2, 5, tzinfo=UTC)),
    ("2059-12-30T12:00", datetime(2059, 12, 30, 5, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "instant"), INSTANTS)
def test_an_instant_is_read_in_the_zone_that_it_states_else_the_offices(
    store: Store, text: str, instant: datetime
) -> None:
    taken = store.ingest_rows([row(occurred_at=text, due_at=text, recorded_at=text)])
    event = taken.events.to_pylist()[0]
    assert (event["occurred_at"], event["due_at"], event["recorded_at"]) == (instant, instant, instant)
    assert (event["occurred_on"], event["due_on"]) == (None, None)


def test_a_bare_day_stays_a_day_and_a_record_of_a_day_is_its_end(store: Store) -> None:
    event = store.ingest_rows(
        [row(occurred_at="2025-03-03", due_at="2024-02-29", recorded_at="2025-03-03")]
    ).events.to_pylist()[0]
    assert (event["occurred_at"], event["occurred_on"]) == (None, date(2025, 3, 3))
    assert (event["due_at"], event["due_on"]) == (None, date(2024, 2, 29))
    assert event["recorded_at"] == datetime(2025, 3, 4, tzinfo=UTC)


def test_events_leave_with_the_columns_of_the_lake(store: Store) -> None:
    cells: Mapping[str, Any] = row(unit_id=" U ", stage="Thẩm định", channel="post", reason="=cmd()")
    event = store.ingest_rows([cells]).events
    assert event.schema == EVENTS.schema
    stored = event.to_pylist()[0]
    assert [stored[name] for name in ("unit_id", "stage", "channel", "reason")] == ["U", "Thẩm định", "post", "=cmd()"]
    assert (stored["batch_id"], stored["row_no"], stored["repeat_of_batch"]) == (1, 2, None)


def test_unknown_procedures_and_units_are_stored(store: Store) -> None:
    assert store.ingest_rows([row(procedure_id="no.such", unit_id="nowhere")]).n_stored == 1


def test_a_log_with_only_a_header_holds_nothing_and_is_no_error(store: Store, tmp_path: Path) -> None:
    taken = store.ingest(write_csv(tmp_path / "empty.csv", [], COLUMNS))
    assert (taken.n_read, taken.n_stored, taken.n_repeated, taken.n_amended, taken.n_refused) == (0, 0, 0, 0, 0)
    assert taken.events == EVENTS.schema.empty_table()
    assert taken.rejects == REJECTS.schema.empty_table()


def test_the_needed_columns_are_enough(store: Store) -> None:
    needed = {name: GOOD[name] for name in ("dossier_id", "status", "occurred_at", "procedure_id")}
    taken = store.ingest_rows([needed])
    assert taken.n_stored == 1
    others = [name for name in taken.events.column_names if name not in (*needed, "batch_id", "row_no")]
    assert all(taken.events[name].null_count == 1 for name in others)


def test_lines_are_numbers(store: Store) -> None:
    assert store.ingest_rows([row()]).rejects.schema.field("line").type == pa.int64()
