"""What is overdue and due soon, by hand: the edges of the lists, to the second (rulebook 11)."""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest
from judged import NO_BATCHES, YEAR_2025, ZONE_INFO, City

AS_OF = "2025-03-10T07:30:00"  # a Monday, at opening time
PROCEDURES = [
    {
        "procedure_id": code, "name": code, "field": "Đất đai", "level": "commune", "limit_amount": amount,
        "limit_unit": unit, "valid_from": "2024-01-01",
    }
    for code, amount, unit in (("1.001", "", ""), ("1.002", "2", "working_days"))
]  # fmt: skip


def due_soon(*steps: str, procedure_id: str = "1.001", **stated: str) -> tuple[str, int | None, bool]:
    """(state, left_minutes, is_waiting) of one dossier; a step is `status instant`, the first states the rest."""
    rows = []
    for step in steps:
        status, at = step.split()
        row = {"dossier_id": "d", "procedure_id": procedure_id, "status": status, "occurred_at": at, "due_at": ""}
        rows.append(row)
    rows[0] |= stated
    city = City({"procedures": PROCEDURES}, has_baseline=False)
    try:
        city.store.ingest_rows(rows)
        as_of = datetime.fromisoformat(AS_OF).replace(tzinfo=ZONE_INFO)
        with city.judge(as_of, is_period_end=False) as judge:
            (row,) = judge.tables(city.question(as_of, YEAR_2025), batches=NO_BATCHES)["due_soon"].to_pylist()
    finally:
        shutil.rmtree(city.store.folder)
    return row["state"], row["left_minutes"], row["is_waiting"]


@pytest.mark.parametrize(
    ("due_at", "state", "left"),
    [
        ("2025-03-10T07:30:01", "due_1", 0),
        ("2025-03-10T17:00:00", "due_1", 480),
        ("2025-03-11T07:30:01", "due_2", 480),
        ("2025-03-11T17:00:00", "due_2", 960),
        ("2025-03-12T07:30:01", "due_3", 960),
        ("2025-03-12T17:00:00", "due_3", 1440),
        ("2025-03-13T07:30:01", "later", 1440),
        ("2025-03-12", "due_3", 1440),  # a bare day is its closing time
        ("2025-03-10T07:30:00", "overdue", 0),
        ("2025-03-09T12:00:00", "overdue", 0),  # Sunday: no open time has passed since
        ("2025-03-07T16:00:00", "overdue", -60),
    ],
)
def test_a_list_ends_at_the_very_second(due_at: str, state: str, left: int) -> None:
    assert due_soon("received 2025-03-07T08:00", due_at=due_at) == (state, left, False)


@pytest.mark.parametrize("due_at", ["2025-03-07T08:00", "2025-03-06T08:00", "2024-03-06", "2025-03-07T07:59:59.5"])
def test_a_due_date_at_or_before_receipt_is_overdue(due_at: str) -> None:
    state, left, _ = due_soon("received 2025-03-07T08:00", due_at=due_at)
    assert state == "overdue"
    assert left is not None
    assert left <= -450  # at least the open time since Friday 08:00


def test_a_due_date_before_a_receipt_of_the_same_instant_as_asked_is_overdue() -> None:
    assert due_soon(f"received {AS_OF}", due_at="2025-03-08T09:00") == ("overdue", 0, False)


def test_without_a_stated_due_date_the_limit_decides() -> None:
    assert due_soon("received 2025-03-06T08:00", procedure_id="1.002") == ("due_1", 480, False)


def test_without_any_due_date_there_is_nothing_to_judge_by() -> None:
    assert due_soon("received 2025-03-06T08:00") == ("nothing_to_judge_by", None, False)
    assert due_soon("received 2025-03-06T08:00", procedure_id="9.999") == ("nothing_to_judge_by", None, False)


def test_a_dossier_that_waits_for_its_applicant_keeps_its_time() -> None:
    """Asked on Friday at 08:00 after half an hour of 960 minutes; the pause lasts."""
    steps = ("received 2025-03-07T07:30", "supplement_requested 2025-03-07T08:00")
    assert due_soon(*steps, due_at="2025-03-10T17:00") == ("waiting", 930, True)


def test_a_supplement_that_came_gives_its_time_back() -> None:
    steps = ("received 2025-03-07T07:30", "supplement_requested 2025-03-07T08:00", "processing 2025-03-07T11:00")
    assert due_soon(*steps, due_at="2025-03-07T17:00") == ("due_1", 180, False)


def test_a_payment_is_no_pause_of_the_national_index() -> None:
    steps = ("received 2025-03-07T07:30", "payment_requested 2025-03-07T08:00")
    assert due_soon(*steps, due_at="2025-03-10T17:00") == ("due_1", 480, False)


def test_one_that_waits_past_its_due_date_stays_overdue() -> None:
    steps = ("received 2025-03-06T07:30", "processing 2025-03-07T08:00", "supplement_requested 2025-03-07T16:00")
    assert due_soon(*steps, due_at="2025-03-07T11:30") == ("overdue", -180, True)
