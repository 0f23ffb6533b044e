"""Events that follow closely on one another: which are one, which are two, and which is first (rulebook 1 to 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from log_files import Store

from procmon.tables import STATUSES

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


@pytest.mark.parametrize(("due", "later"), [("2025-03-10", "2025-03-11"), ("2025-03-10T10:00", "2025-03-10T11:00")])
def test_two_requests_at_one_instant_with_other_due_dates_are_two(due: str, later: str) -> None:
    told = measured("received 2025-03-03T08:00", f"supplement_requested 2025-03-03T09:00 {due}",
                    f"supplement_requested 2025-03-03T09:00 {later}",
                    f"processing 2025-03-04T09:00 {later}")  # fmt: skip
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


def test_a_request_at_the_instant_of_receipt_is_one_of_the_dossiers_requests() -> None:
    told = measured("received 2025-03-03T08:00", "supplement_requested 2025-03-03T08:00")
    assert told["n_supplements"] == 1


def test_a_limit_is_in_force_on_the_very_day_on_which_it_begins() -> None:
    version = {"procedure_id": "1.001", "name": "", "field": "", "level": "", "limit_unit": "working_days"}
    versions = [
        version | {"limit_amount": "5", "valid_from": "2025-01-01"},
        version | {"limit_amount": "1", "valid_from": "2025-03-03"},
    ]
    store = Store()
    store.ingest_rows(
        [{"dossier_id": "1", "procedure_id": "1.001", "status": "received", "occurred_at": "2025-03-03T08:00"}]
    )
    (dossier,) = store.dossiers({"procedures": versions}, AS_OF).to_pylist()
    assert dossier["computed_due_at"] == datetime(2025, 3, 4, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "amount", "on_time"),
    [("2025-03-04", "10", False), ("2025-03-20", "1", True), ("", "10", True), ("", "1", False)],
)
def test_the_index_judges_by_the_stated_due_date_where_there_is_one(stated: str, amount: str, on_time: bool) -> None:
    """Each of three due dates has its place on the clock: stated, by the limit of the day, by the one of 2024."""
    version = {"procedure_id": "1.001", "name": "", "field": "", "level": "", "limit_unit": "working_days"}
    limits = [
        version | {"limit_amount": "5", "valid_from": "", "valid_to": "2025-01-01"},
        version | {"limit_amount": amount, "valid_from": "2025-01-01", "valid_to": ""},
    ]
    same = {"dossier_id": "1", "procedure_id": "1.001"}
    store = Store()
    store.ingest_rows([
        same | {"status": "received", "occurred_at": "2025-03-03T07:30", "due_at": stated},
        same | {"status": "finished", "occurred_at": "2025-03-06T07:30", "due_at": ""},
    ])  # fmt: skip
    (dossier,) = store.dossiers({"procedures": limits}, AS_OF).to_pylist()
    assert dossier["on_time_766"] is on_time
    day = 8 * 3600
    by_limit, by_statement = (1 + int(amount)) * day, {"": None, "2025-03-04": 2 * day, "2025-03-20": 14 * day}[stated]
    assert dossier["open_seconds_to_computed_due"] == by_limit
    assert dossier["open_seconds_to_due"] == (by_statement or by_limit)
    assert dossier["open_seconds_to_old_due"] == 6 * day


@pytest.mark.parametrize(("second", "on_time"), [(20, True), (30, True), (40, False)])
def test_a_due_instant_counts_to_its_second(second: int, on_time: bool) -> None:
    told = measured("received 2025-03-03T08:00 2025-03-06T10:00:30", f"finished 2025-03-06T10:00:{second}")
    assert told["on_time_766"] is on_time


def test_a_reopened_dossier_ended_when_it_ended_again() -> None:
    told = measured("received 2025-03-03T08:00", "finished 2025-03-04T08:00", "processing 2025-03-05T08:00",
                    "finished 2025-03-06T08:00")  # fmt: skip
    assert (told["ended_at"], told["is_reopened"]) == (datetime(2025, 3, 6, 1, 0, tzinfo=UTC), True)
    assert (str(told["ended_on"]), told["working_minutes"]) == ("2025-03-06", 3 * 480)
    assert not measured("received 2025-03-03T08:00", "finished 2025-03-04T08:00")["is_reopened"]


def test_a_reopened_dossiers_result_is_handed_over_after_its_last_end() -> None:
    first = "received 2025-03-03T08:00", "finished 2025-03-04T08:00", "returned 2025-03-05T08:00"
    again = "processing 2025-03-06T08:00", "finished 2025-03-07T08:00", "returned 2025-03-10T08:00"
    told = measured(*first, *again)
    assert told["is_reopened"]
    assert told["return_minutes"] == 480


def test_a_return_that_is_the_end_itself_is_none_after_it() -> None:
    steps = "received 2025-03-03T08:00", "returned 2025-03-04T08:00"
    assert (measured(*steps)["outcome"], measured(*steps)["return_minutes"]) == ("returned", None)
    assert measured(*steps, "returned 2025-03-04T09:00")["return_minutes"] == 60


def test_reception_runs_from_the_first_submission_to_the_receipt() -> None:
    """Filed twice at the counter; a submission at or after the receipt is none, and does not hide one before it."""
    first = "submitted 2025-03-03T08:00", "submitted 2025-03-03T09:00"
    assert measured(*first, "received 2025-03-03T10:00")["reception_minutes"] == 120
    assert measured(first[0], "received 2025-03-03T10:00", "submitted 2025-03-03T11:00")["reception_minutes"] == 120
    assert measured("received 2025-03-03T08:00", "processing 2025-03-03T09:00")["reception_minutes"] is None
    assert measured("submitted 2025-03-03T08:00", "received 2025-03-03T08:00")["reception_minutes"] is None


def test_the_last_event_and_the_usual_channel() -> None:
    told = measured("received 2025-03-03T08:00", "processing 2025-03-04T08:00")
    assert (told["last_event_at"], told["channel"]) == (datetime(2025, 3, 4, 1, 0, tzinfo=UTC), "in_person")


@pytest.mark.parametrize(
    ("last", "class_06"),
    [("supplement_requested", "pending_in_time"), ("processing", "pending_overdue"), ("stopped", "pending_in_time")],
)
def test_who_waits_for_the_applicant_is_not_overdue_by_form_06(last: str, class_06: str) -> None:
    assert measured("received 2025-03-03T08:00 2025-03-05", f"{last} 2025-03-04T08:00")["class_06"] == class_06


@pytest.mark.parametrize(("due", "class_06"), [("2025-08-01", "pending_in_time"), ("2025-07-31", "pending_overdue")])
def test_what_is_due_on_the_day_of_the_as_of_is_in_time_by_form_06(due: str, class_06: str) -> None:
    assert measured(f"received 2025-03-03T08:00 {due}")["class_06"] == class_06


@pytest.mark.parametrize(("day", "class_06"), [("04", "early"), ("05", "on_time"), ("06", "late")])
def test_form_06_classes_what_ended_by_its_day(day: str, class_06: str) -> None:
    told = measured("received 2025-03-03T08:00 2025-03-05T10:00", f"finished 2025-03-{day}T16:00")
    assert told["class_06"] == class_06


RESTARTED = [
    (("received 2025-03-03T08:00", "supplement_requested 2025-03-03T09:00", "processing 2025-03-03T10:00",
      "finished 2025-03-03T11:00"), (3600, 7200, 3600)),
    (("received 2025-03-03T08:00", "supplement_requested 2025-03-03T09:00", "stopped 2025-03-03T11:00"),
     (0, 10800, 7200)),
    (("received 2025-03-03T08:00", "finished 2025-03-03T11:00"), (10800, 0, 0)),
    (("received 2025-03-03T15:30", "supplement_requested 2025-03-03T15:40", "finished 2025-03-03T16:00"), (0, 0, 1200)),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "seconds"), RESTARTED)
def test_what_a_restart_discards_is_the_time_up_to_the_last_resumption(
    steps: tuple[str, ...], seconds: tuple[int, int, int]
) -> None:
    """After a late receipt nothing ran yet that could be discarded, nor less than nothing."""
    store = Store()
    store.ingest_rows([
        {"dossier_id": "1", "procedure_id": "1.001", "status": step.split(" ")[0], "occurred_at": step.split(" ")[1]}
        for step in steps
    ])  # fmt: skip
    forced = {"supplement": "restart", "late_receipt": "15:00"}
    (dossier,) = store.dossiers({}, AS_OF, forced=forced).to_pylist()
    assert tuple(dossier[f"{name}_seconds"] for name in ("working", "discarded", "waited")) == seconds


@pytest.mark.parametrize(
    ("received", "due"),
    [("07:30:01", (1, 30, 1)), ("10:30:00", (4, 30, 0)), ("10:30:01", (6, 0, 1)), ("10:30:02", (6, 0, 2))],
)
def test_an_hour_that_ends_with_the_first_second_of_a_session_ends_there(
    received: str, due: tuple[int, int, int]
) -> None:
    """The session in which the limit ends is found by its last second, not by the one before."""
    limit = {"procedure_id": "1.001", "name": "", "field": "", "level": "", "limit_unit": "hours", "limit_amount": "1"}
    store = Store()
    step = {"status": "received", "occurred_at": f"2025-03-03T{received}"}
    store.ingest_rows([{"dossier_id": "1", "procedure_id": "1.001"} | step])
    (dossier,) = store.dossiers({"procedures": [limit]}, AS_OF).to_pylist()
    assert dossier["computed_due_at"] == datetime(2025, 3, 3, *due, tzinfo=UTC)


@pytest.mark.parametrize(("limit", "due"), [("3.5", (4, 0)), ("3", (3, 30)), ("4", (6, 30)), ("4.5", (7, 0))])
def test_a_limit_that_ends_with_a_session_of_half_hours_is_due_then_and_once(limit: str, due: tuple[int, int]) -> None:
    """The hour of open time in which it ends lies in both sessions of the day."""
    day = {"calendar_id": "default", "on": "2025-03-03", "open": "yes", "hours": "07:30-11:00 13:00-17:00"}
    version = {"procedure_id": "1.001", "name": "", "field": "", "level": "", "limit_unit": "hours"}
    store = Store()
    store.ingest_rows(
        [{"dossier_id": "1", "procedure_id": "1.001", "status": "received", "occurred_at": "2025-03-03T07:30"}]
    )
    registry = {"procedures": [version | {"limit_amount": limit}], "calendar": [day]}
    (dossier,) = store.dossiers(registry, AS_OF).to_pylist()
    assert dossier["computed_due_at"] == datetime(2025, 3, 3, *due, tzinfo=UTC)


# ---- the total order of events: each column decides before the next one (rulebook 1)

COLUMNS = (
    "unit_id", "stage", "due_at", "procedure_id", "receiving_unit_id", "resolving_unit_id", "returning_unit_id",
    "applicant_unit_id", "channel",
)  # fmt: skip
VALUES = {"due_at": ("2025-03-10T10:00", "2025-03-10T11:00"), "channel": ("online", "post")}
SHOWN = {"unit_id": "holding_unit_id", "due_at": "first_due_at"}


def told_by(*events: dict[str, str]) -> dict[str, Any]:
    """One dossier of events that happen at one instant."""
    names = sorted({name for event in events for name in event})
    same = {"dossier_id": "1", "procedure_id": "1.001", "status": "processing", "occurred_at": "2025-03-03T09:00"}
    store = Store()
    store.ingest_rows([dict.fromkeys(names, "") | same | event for event in events])
    (dossier,) = store.dossiers({}, AS_OF).to_pylist()
    return dossier


@pytest.mark.parametrize(("column", "after"), list(pairwise(COLUMNS)))
def test_a_column_decides_which_event_is_first_before_the_next_one_does(column: str, after: str) -> None:
    (low, high), (low_after, high_after) = (VALUES.get(name, ("A", "B")) for name in (column, after))
    first, second = {column: low, after: high_after}, {column: high, after: low_after}
    for events in ((first, second), (second, first)):
        told = told_by(*events)
        if column == "unit_id":
            assert told["holding_unit_id"] == high  # the last one
        elif column == "stage":
            assert told["first_due_at"] == datetime(2025, 3, 10, 4, 0, tzinfo=UTC)  # its due date is the later one
        elif column == "due_at":
            assert told["first_due_at"] == datetime(2025, 3, 10, 3, 0, tzinfo=UTC)
        else:
            assert told[column] == low


def test_an_event_known_by_its_day_stands_before_one_of_that_very_instant() -> None:
    for order in (1, -1):
        events = [
            {"occurred_at": "2025-03-03", "procedure_id": "B"},
            {"occurred_at": "2025-03-03T17:00", "procedure_id": "A"},
        ]
        assert told_by(*events[::order])["procedure_id"] == "B"


@pytest.mark.parametrize("column", ["applicant_id", "handler_id"])
def test_who_applies_and_who_did_the_step_decide_before_the_reason_does(column: str) -> None:
    """Only their hashes are known: so whoever comes first, in both stories it is the same one, with another reason."""
    reasons = set()
    for pair in (("a", "z"), ("z", "a")):
        events = ({"status": "refused", column: who, "reason": why} for who, why in zip(("P", "Q"), pair, strict=True))
        reasons.add(told_by(*events)["refusal_reason"])
    assert reasons == {"a", "z"}


@pytest.mark.parametrize(("column", "after"), [("channel", "applicant_id"), ("applicant_id", "handler_id")])
def test_a_column_decides_before_an_identifier_of_which_only_the_hash_is_known(column: str, after: str) -> None:
    """Crosswise in two stories: the same one comes first in both, with the same reason."""
    reasons = set()
    for others in (("P", "Q"), ("Q", "P")):
        events = (
            {"status": "refused", column: own, after: other, "reason": why}
            for own, other, why in zip(VALUES["channel"], others, ("a", "z"), strict=True)
        )
        reasons.add(told_by(*events)["refusal_reason"])
    assert len(reasons) == 1


def test_the_reason_of_a_refusal_is_the_first_that_its_row_or_an_amendment_of_it_gives() -> None:
    told = told_by(
        {"status": "refused", "channel": "in_person"},
        {"status": "refused", "channel": "online", "reason": "z"},
        {"status": "refused", "channel": "post", "reason": "a"},
        {"status": "refused", "occurred_at": "2025-03-04T08:00", "reason": "b"},
    )
    assert told["refusal_reason"] == "z"


def test_a_refusal_without_a_reason_does_not_borrow_that_of_a_later_one() -> None:
    told = told_by({"status": "refused"}, {"status": "refused", "occurred_at": "2025-03-04T08:00", "reason": "b"})
    assert (told["outcome"], told["refusal_reason"]) == ("refused", None)


def test_a_result_handed_over_twice_was_handed_over_the_first_time() -> None:
    told = measured("received 2025-03-03T08:00", "finished 2025-03-03T09:00", "returned 2025-03-03T10:00",
                    "returned 2025-03-04T10:00")  # fmt: skip
    assert told["return_minutes"] == 60


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(STATUSES)))
def test_at_one_instant_statuses_stand_in_the_order_of_their_national_codes(earlier: str, later: str) -> None:
    """Whatever unit states them (rulebook 2)."""
    told = told_by({"status": later, "unit_id": "A"}, {"status": earlier, "unit_id": "B"})
    assert told["last_status"] == later


ENDS = ("finished", "returned", "stopped", "withdrawn", "refused")


@pytest.mark.parametrize(("outcome", "other"), list(pairwise(ENDS)))
def test_of_two_ends_the_stronger_is_the_outcome_though_it_came_later(outcome: str, other: str) -> None:
    told = measured("received 2025-03-03T08:00", f"{other} 2025-03-03T10:00", f"{outcome} 2025-03-03T11:00")
    assert told["outcome"] == outcome
