"""Events that follow closely on one another: which are one, which are two, and which is first (rulebook 1 to 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from log_files import Store

AS_OF = datetime(2025, 8, 1, tzinfo=UTC)


def measured(*steps: str) -> dict[str, Any]:
    """One dossier told as `status occurred_at [due_at]`, in one file."""
    rows = []
    for step in steps:
        status, occurred_at, *due = step.split(" ")
        rows.append(
            {
                "dossier_id": "1", "procedure_id": "1.001", "status": status, "occurred_at": occurred_at,
                "due_at": due[0] if due else "", "unit_id": "W",
            }
        )  # fmt: skip
    store = Store()
    store.ingest_rows(rows)
    (dossier,) = store.dossiers({}, AS_OF).to_pylist()
    return dossier


def test_two_requests_one_after_the_other_are_two() -> None:
    told = measured("received 2025-03-03T08:00", "supplement_requested 2025-03-03T09:00",
                    "supplement_requested 2025-03-03T10:00")  # fmt: skip
    assert told["n_supplements"] == 2


def test_two_requests_at_one_instant_with_other_due_days_are_two() -> None:
    told = measured("received 2025-03-03T08:00", "supplement_requested 2025-03-03T09:00 2025-03-10",
                    "supplement_requested 2025-03-03T09:00 2025-03-11",
                    "processing 2025-03-04T09:00 2025-03-11")  # fmt: skip
    assert told["n_supplements"] == 2


def test_two_requests_at_one_instant_with_the_same_due_day_are_one() -> None:
    told = measured("received 2025-03-03T08:00", "supplement_requested 2025-03-03T09:00 2025-03-10",
                    "supplement_requested 2025-03-03T09:00 2025-03-10")  # fmt: skip
    assert told["n_supplements"] == 1


def test_a_request_for_papers_after_the_end_opens_the_dossier_again() -> None:
    told = measured("received 2025-03-03T08:00", "finished 2025-03-03T09:00", "supplement_requested 2025-03-04T09:00")
    assert (told["outcome"], told["is_reopened"]) == ("pending", True)


def test_an_end_known_by_its_day_is_held_against_the_first_receipt_of_that_day() -> None:
    """The first is known by its day only, so at opening time; a later one after hours moves nothing."""
    told = measured("received 2025-03-03", "received 2025-03-03T18:00", "processing 2025-03-03T07:40",
                    "finished 2025-03-03")  # fmt: skip
    assert told["received_at"] == datetime(2025, 3, 3, 0, 30, tzinfo=UTC)
    assert told["outcome"] == "pending"  # the second receipt, at 18:00, comes after the closing time of the end


def test_an_end_known_by_its_day_is_never_before_a_receipt_after_hours() -> None:
    told = measured("received 2025-03-03T18:00", "finished 2025-03-03")
    assert told["ended_at"] == told["received_at"]
