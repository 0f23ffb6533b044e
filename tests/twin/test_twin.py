"""The twin held against the rulebook's hand-checked cases, and small ones worked out by hand."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import strategies
from .clock import Calendar, Calendars, read_moment
from .dossiers import COLUMNS, Registry, differs, measure_dossiers, show_dossiers, territory

SWAP_OF_2026 = [
    {"calendar_id": "default", "on": "2026-01-02", "open": "no", "hours": "", "source": "12729/VPCP-KGVX"},
    {"calendar_id": "default", "on": "2026-01-10", "open": "yes", "hours": "", "source": "12729/VPCP-KGVX"},
]


def at(text: str) -> datetime:
    moment = read_moment(text)
    assert isinstance(moment, datetime)
    return moment


def log(*steps: str, dossier_id: str = "H1", **attributes: str) -> list[dict[str, str]]:
    """Rows from lines like 'received 2025-04-25T16:00 unit_id=W1'; the attributes go to the first one."""
    rows = []
    for step in steps:
        status, occurred_at, *stated = step.split()
        row = {"dossier_id": dossier_id, "status": status, "occurred_at": occurred_at}
        rows.append(row | dict(part.split("=") for part in stated))
    rows[0] |= {"procedure_id": "1.001"} | attributes
    return rows


def procedure(amount: str = "", unit: str = "", **policies: str) -> dict[str, Any]:
    """A registry with one procedure, 1.001."""
    row = {"procedure_id": "1.001", "valid_from": "2020-01-01", "limit_amount": amount, "limit_unit": unit}
    return {"procedures": [row | policies], "calendar": SWAP_OF_2026}


def only(rows: list[dict[str, str]], registry: Any = None, as_of: str = "2026-06-01T00:00") -> dict[str, str]:
    (cells,) = show_dossiers(rows, registry or {}, as_of=at(as_of))
    return cells


# ---- the rulebook's own cases


def test_a_worked_saturday_counts_in_open_time() -> None:
    rows = log("received 2025-04-25T16:00", "finished 2025-04-28T08:00")
    assert only(rows)["working_minutes"] == "570"


@pytest.mark.parametrize(
    ("received_at", "amount", "unit", "due_at"),
    [
        ("2026-01-06T09:00", "4", "working_days", "2026-01-10T17:00:00+07:00"),
        ("2025-01-22T16:30", "3", "working_days", "2025-02-03T17:00:00+07:00"),
        ("2025-04-29T16:30", "8", "hours", "2025-05-05T16:30:00+07:00"),
        ("2025-01-31T09:00", "1", "months", "2025-02-28T17:00:00+07:00"),
        ("2025-04-24T16:00", "9", "hours", "2025-04-25T17:00:00+07:00"),  # not the next opening
        ("2025-04-24T16:00", "3", "days", "2025-04-28T17:00:00+07:00"),  # Sunday moves to Monday
        ("2025-12-15T09:00", "1", "months", "2026-01-15T17:00:00+07:00"),
        ("2026-01-01T09:00", "1", "working_days", "2026-01-05T17:00:00+07:00"),  # 2 January is swapped away
    ],
)
def test_a_due_date_follows_from_the_limit(received_at: str, amount: str, unit: str, due_at: str) -> None:
    assert only(log(f"received {received_at}"), procedure(amount, unit))["computed_due_at"] == due_at


# ---- events, order, bare days


def test_an_amendment_adds_to_its_event_and_counts_once() -> None:
    rows = log(
        "received 2025-03-03T08:00",
        "supplement_requested 2025-03-03T09:00",
        "supplement_requested 2025-03-03T02:00Z resolving_unit_id=W2",
    )
    cells = only(rows)
    assert (cells["n_supplements"], cells["resolving_unit_id"]) == ("1", "W2")


def test_two_requests_of_different_stages_count_twice() -> None:
    rows = log("received 2025-03-03T08:00", *[f"supplement_requested 2025-03-03T09:00 stage={s}" for s in "ab"])
    assert (only(rows)["n_supplements"], only(rows)["on_time_766"]) == ("2", "false")


def test_a_bare_day_of_receipt_opens_and_a_bare_end_closes() -> None:
    cells = only(log("received 2025-03-03", "finished 2025-03-04"))
    assert (cells["received_at"], cells["ended_at"]) == ("2025-03-03T07:30:00+07:00", "2025-03-04T17:00:00+07:00")
    assert cells["working_minutes"] == "960"


def test_a_bare_day_off_takes_the_usual_hours_and_costs_nothing() -> None:
    cells = only(log("received 2025-03-08", "finished 2025-03-09"))
    assert (cells["received_at"], cells["ended_at"]) == ("2025-03-08T07:30:00+07:00", "2025-03-09T17:00:00+07:00")
    assert cells["working_minutes"] == "0"


def test_a_bare_day_is_never_before_the_receipt_of_that_day() -> None:
    cells = only(log("submitted 2025-03-03", "received 2025-03-03T18:00", "finished 2025-03-03"))
    assert (cells["ended_at"], cells["reception_minutes"]) == ("2025-03-03T18:00:00+07:00", "")


def test_events_of_one_instant_stand_in_the_order_of_status() -> None:
    cells = only(log("finished 2025-03-03T08:00", "processing 2025-03-03T08:00", "received 2025-03-03T08:00"))
    assert (cells["outcome"], cells["is_reopened"]) == ("finished", "false")


# ---- ends


def test_finished_stands_before_an_earlier_return() -> None:
    cells = only(log("received 2025-03-03T08:00", "returned 2025-03-03T09:00", "finished 2025-03-03T10:00"))
    assert (cells["outcome"], cells["ended_at"]) == ("finished", "2025-03-03T10:00:00+07:00")
    assert cells["return_minutes"] == ""


def test_work_after_an_end_reopens_and_hides_it() -> None:
    rows = log("received 2025-03-03T08:00", "finished 2025-03-03T10:00", "processing 2025-03-04T08:00")
    assert (only(rows)["outcome"], only(rows)["is_reopened"]) == ("pending", "true")
    earlier = only(rows, as_of="2025-03-03T10:00")
    assert (earlier["outcome"], earlier["is_reopened"]) == ("finished", "false")


def test_a_period_does_not_see_what_occurs_at_its_end() -> None:
    rows = log("received 2025-03-03T08:00", "finished 2025-03-03T10:00")
    (cells,) = show_dossiers(rows, {}, to=at("2025-03-03T10:00"))
    assert (cells["outcome"], cells["working_minutes"]) == ("pending", "120")
    assert only(rows, as_of="2025-03-03T10:00")["outcome"] == "finished"


def test_a_dossier_never_received_has_no_minutes() -> None:
    cells = only(log("submitted 2025-03-03T08:00", "refused 2025-03-03T09:00 unit_id=W1"))
    assert (cells["outcome"], cells["receiving_unit_id"]) == ("refused", "W1")
    assert [cells[c] for c in COLUMNS if c.endswith("_minutes")] == [""] * 5
    assert (cells["n_supplements"], cells["is_reopened"], cells["on_time_766"]) == ("0", "false", "")


def test_seconds_are_summed_before_minutes_are_cut() -> None:
    rows = log(
        "received 2025-03-03T08:00:00.900",
        "supplement_requested 2025-03-03T08:00:30",
        "processing 2025-03-03T08:01:00.100",
        "finished 2025-03-03T08:01:30.999999",
    )
    assert (only(rows)["working_minutes"], only(rows)["paused_minutes"]) == ("1", "0")


# ---- policies

STORY = (
    "received 2025-03-03T08:00",  # Monday
    "supplement_requested 2025-03-03T09:00",
    "processing 2025-03-03T10:00",
    "payment_requested 2025-03-03T10:30",
    "processing 2025-03-03T11:00",
    "finished 2025-03-03T14:00",
)


@pytest.mark.parametrize(
    ("policies", "working", "paused"),
    [
        ({}, "210", "60"),
        ({"supplement": "run"}, "270", "0"),
        ({"supplement": "restart"}, "150", "0"),
        ({"supplement": "restart", "payment": "pause"}, "120", "30"),
        ({"payment": "pause"}, "180", "90"),
    ],
)
def test_the_policies_of_a_procedure_say_what_stops_the_clock(
    policies: dict[str, str], working: str, paused: str
) -> None:
    cells = only(log(*STORY), procedure(**policies))
    assert (cells["working_minutes"], cells["paused_minutes"], cells["elapsed_minutes"]) == (working, paused, "360")


def test_an_open_request_restarts_from_nothing() -> None:
    rows = log("received 2025-03-03T08:00", "supplement_requested 2025-03-03T09:00")
    cells = only(rows, procedure(supplement="restart"), as_of="2025-03-04T09:00")
    assert (cells["working_minutes"], cells["paused_minutes"]) == ("0", "0")
    cells = only(rows, procedure(), as_of="2025-03-04T09:00")
    assert (cells["working_minutes"], cells["paused_minutes"]) == ("60", "480")


@pytest.mark.parametrize(
    ("received_at", "working", "due_on"),
    [
        ("2025-03-03T15:00", "600", "2025-03-04"),
        ("2025-03-03T15:00:00.000001", "480", "2025-03-05"),
        ("2025-03-02T09:00", "960", "2025-03-04"),  # a Sunday counts from Monday's opening
    ],
)
def test_a_late_receipt_counts_from_the_next_opening(received_at: str, working: str, due_on: str) -> None:
    rows = log(f"received {received_at}", "finished 2025-03-04T17:00")
    cells = only(rows, procedure("1", "working_days", late_receipt="15:00"))
    assert (cells["working_minutes"], cells["computed_due_at"][:10]) == (working, due_on)


def test_the_version_of_the_day_of_receipt_gives_the_limit() -> None:
    old = {"procedure_id": "1.001", "valid_from": "2024-01-01", "limit_amount": "5", "limit_unit": "days"}
    new = old | {"valid_from": "2025-07-01", "valid_to": "2025-08-01", "limit_amount": "1"}
    for received, due in [("2025-06-30T09:00", "2025-07-07"), ("2025-07-01T09:00", "2025-07-02"), ("2025-08-01", "")]:
        assert only(log(f"received {received}"), {"procedures": [old, new]})["computed_due_at"][:10] == due


def test_a_full_code_in_the_registry_hides_its_national_part() -> None:
    national = {"procedure_id": "1.001", "valid_from": "2024-01-01", "limit_amount": "5", "limit_unit": "days"}
    full = national | {"procedure_id": "1.001.000.H24", "valid_from": "2026-01-01"}
    rows = log("received 2025-03-03T09:00", procedure_id="1.001.000.H24")
    assert only(rows, {"procedures": [national]})["computed_due_at"] == "2025-03-10T17:00:00+07:00"
    assert only(rows, {"procedures": [national, full]})["computed_due_at"] == ""


# ---- due dates and rule sets


def test_a_bare_due_day_off_moves_and_differs_from_the_same_instant() -> None:
    rows = log(
        "received 2025-03-03T08:00 due_at=2025-03-08",
        "processing 2025-03-04T08:00 due_at=2025-03-10T17:00",
        "processing 2025-03-05T08:00 due_at=2025-03-10T10:00Z",
    )
    cells = only(rows)
    assert cells["first_due_at"] == cells["current_due_at"] == "2025-03-10T17:00:00+07:00"
    assert cells["n_due_moves"] == "1"


@pytest.mark.parametrize(
    ("ended_at", "on_time", "class_06"),
    [
        ("2025-03-05T16:00", "true", "early"),
        ("2025-03-06T11:00", "true", "on_time"),
        ("2025-03-06T11:00:00.5", "true", "on_time"),
        ("2025-03-06T11:00:01", "false", "on_time"),
        ("2025-03-07T07:00", "false", "late"),
    ],
)
def test_the_index_counts_seconds_and_form_06_days(ended_at: str, on_time: str, class_06: str) -> None:
    cells = only(log("received 2025-03-03T08:00 due_at=2025-03-06T11:00", f"finished {ended_at}"))
    assert (cells["on_time_766"], cells["class_06"]) == (on_time, class_06)


def test_an_end_out_of_hours_costs_nothing() -> None:
    rows = log("received 2025-03-03T08:00 due_at=2025-03-06", "finished 2025-03-07T07:00")
    assert (only(rows)["on_time_766"], only(rows)["class_06"]) == ("true", "late")


def test_a_due_date_at_receipt_is_late() -> None:
    assert only(log("received 2025-03-03T08:00 due_at=2025-03-03T08:00"))["on_time_766"] == "false"


def test_form_06_keeps_the_official_habits() -> None:
    received = "received 2025-03-03T08:00 due_at=2025-03-04"
    for last, expected in [
        ("refused", "on_time"),
        ("withdrawn", "on_time"),
        ("stopped", "pending_in_time"),
        ("supplement_requested", "pending_in_time"),
        ("processing", "pending_overdue"),
    ]:
        assert only(log(received, f"{last} 2025-03-10T08:00"))["class_06"] == expected
    assert only(log("received 2025-03-03T08:00"))["class_06"] == "pending_in_time"
    assert only(log("received 2025-03-03T08:00", "returned 2025-03-10T08:00"))["class_06"] == "on_time"


# ---- calendars


def own_hours(calendar_id: str, unit_id: str, hours: dict[int, str], since: str = "2020-01-01") -> list[dict[str, str]]:
    return [
        {
            "calendar_id": calendar_id,
            "unit_id": unit_id,
            "weekday": str(weekday),
            "hours": text,
            "valid_from": since,
            "source": "",
        }
        for weekday, text in hours.items()
    ]


def test_a_unit_keeps_its_own_hours() -> None:
    registry = {"opening_hours": own_hours("sat", "W1", {6: "08:00-10:00"})}
    rows = log("received 2025-03-07T16:00 resolving_unit_id=W1", "finished 2025-03-10T08:00")
    assert only(rows, registry)["working_minutes"] == "120"  # closed on every other weekday
    assert only(log("received 2025-03-07T16:00", "finished 2025-03-10T08:00"), registry)["working_minutes"] == "90"


def test_hours_change_on_their_day_and_begin_with_the_default() -> None:
    registry = {
        "opening_hours": own_hours("x", "W1", {1: "08:00-10:00"}, "2025-03-10")
        + own_hours("x", "", {1: "08:00-09:00"}, "2025-03-17")
    }
    calendar = Calendars(registry).of_unit("W1")
    lengths = [calendar.open_seconds(at(f"{d}T00:00"), at(f"{d}T23:59")) for d in MONDAYS]
    assert lengths == [8 * 3600, 2 * 3600, 3600]
    assert calendar.hours(date(2025, 3, 7))
    assert not calendar.hours(date(2025, 3, 14))


MONDAYS = ["2025-03-03", "2025-03-10", "2025-03-17"]


def test_an_override_of_the_default_reaches_every_calendar_but_its_own_row_wins() -> None:
    overrides = [
        {"calendar_id": "default", "on": "2025-03-03", "open": "no"},
        {"calendar_id": "default", "on": "2025-03-04", "open": "no"},
        {"calendar_id": "x", "on": "2025-03-04", "open": "yes", "hours": "08:00-09:00"},
        {"calendar_id": "x", "on": "2025-05-01", "open": "yes", "hours": ""},
    ]
    calendar = Calendar("x", {"calendar": overrides})
    assert [calendar.is_open(date(2025, 3, day)) for day in (3, 4)] == [False, True]
    assert calendar.hours(date(2025, 5, 1)) == [(450, 690), (780, 1020)]


# ---- boundaries

UNITS = [
    {"unit_id": unit, "kind": kind, "parent_unit_id": parent, "valid_from": since, "valid_to": until}
    for unit, kind, parent, since, until in [
        ("CITY", "city", "", "2020-01-01", ""),
        ("DEPT", "department", "CITY", "2020-01-01", ""),
        ("CC", "centre", "CITY", "2020-01-01", ""),
        ("W1", "ward", "CITY", "2025-07-01", ""),
        ("W2", "commune", "CITY", "2025-07-01", ""),
        ("C1", "centre", "W1", "2025-07-01", ""),
        ("D1", "district", "CITY", "2020-01-01", "2025-07-01"),
    ]
]


@pytest.mark.parametrize(
    ("receiving", "resolving", "applicant", "expected"),
    [
        ("W1", "W1", "W1", "false"),
        ("C1", "W1", "W1", "false"),
        ("W1", "W2", "", "true"),
        ("W1", "W1", "W2", "true"),
        ("W1", "W1", "", ""),
        ("W1", "", "W2", "true"),
        ("W1", "", "W1", ""),
        ("CC", "DEPT", "W2", "false"),
        ("CC", "DEPT", "", "false"),
        ("W1", "DEPT", "W1", "true"),
        ("CC", "W1", "W1", "true"),
        ("", "W1", "W1", ""),
        ("Z", "Z", "Z", "false"),
        ("Z", "Z", "W1", ""),
        ("Z", "W1", "W1", ""),
        ("W1", "Z", "W1", ""),
        ("D1", "D1", "D1", "false"),  # both unknown after 1 July 2025
    ],
)
def test_a_dossier_crosses_a_boundary_only_where_it_can_be_told(
    receiving: str, resolving: str, applicant: str, expected: str
) -> None:
    roles = f"receiving_unit_id={receiving} resolving_unit_id={resolving} applicant_unit_id={applicant}"
    assert only(log(f"received 2025-07-07T08:00 {roles}"), {"units": UNITS})["is_cross_boundary"] == expected
    online = only(log(f"received 2025-07-07T08:00 channel=online {roles}"), {"units": UNITS})
    assert online["is_cross_boundary"] == "false"
    assert only(log(f"submitted 2025-07-07T08:00 {roles}"), {"units": UNITS})["is_cross_boundary"] == ""


def test_a_code_used_again_is_another_territory() -> None:
    ward = {"unit_id": "10525", "kind": "ward", "valid_from": "2020-01-01"}
    registry = Registry({"units": [ward, ward | {"valid_from": "2025-07-01"}]})
    before, after = (territory(registry, "10525", date(2025, month, 15)) for month in (6, 7))
    assert differs(registry, before, after) is True


# ---- laws that hold for every log


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.cases(), st.randoms())
def test_neither_the_order_of_rows_nor_a_repeat_changes_a_cell(case: strategies.Case, random: Any) -> None:
    again = [*case.event_rows, *random.sample(case.event_rows, len(case.event_rows) // 2)]
    random.shuffle(again)
    assert show_dossiers(again, case.registry, as_of=case.as_of) == show_dossiers(
        case.event_rows, case.registry, as_of=case.as_of
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.cases())
def test_working_and_paused_time_add_up_to_open_time(case: strategies.Case) -> None:
    for dossier in measure_dossiers(case.event_rows, case.registry, as_of=case.as_of):
        policies = dossier.version or {}
        if dossier.received_at is None:
            continue
        assert dossier.working_seconds is not None
        assert dossier.paused_seconds is not None
        assert dossier.working_seconds >= 0
        assert dossier.paused_seconds >= 0
        if policies.get("supplement") != "restart" and policies.get("late_receipt") in (None, "", "none"):
            until = dossier.ended_at or case.as_of
            assert dossier.working_seconds + dossier.paused_seconds == dossier.calendar.open_seconds(
                dossier.received_at, until
            )
