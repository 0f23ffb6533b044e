"""Which targets are judged when, against which baseline; and what a centre returns elsewhere (rulebook 7, 8)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from judged import NO_BATCHES, YEAR_2024, YEAR_2025, City, midnight

from procmon.tables import Period

TARGET = {
    "name": "this", "basis": "actual", "reduction": "0.3", "baseline_from": "2024-01-01", "baseline_to": "2025-01-01",
    "period_from": "2025-01-01", "period_to": "2026-01-01", "tag": "", "source": "",
}  # fmt: skip
TARGETS = [
    TARGET,
    TARGET | {"name": "half", "period_to": "2025-07-01", "reduction": "0.9"},
    TARGET | {"name": "next", "period_from": "2026-01-01", "period_to": "2027-01-01"},
    TARGET | {"name": "other", "baseline_from": "2023-01-01", "baseline_to": "2024-01-01"},
    TARGET | {"name": "paper", "basis": "limit", "baseline_from": "2023-01-01", "baseline_to": "2024-01-01"},
    TARGET | {"name": "tagged", "tag": "business"},
    TARGET | {"name": "nobody", "tag": "green_lane"},
]
UNITS = [
    {"unit_id": "CITY", "name": "Thành phố", "kind": "city", "valid_from": "2000-01-01"},
    {"unit_id": "DEPT", "name": "Sở", "kind": "department", "parent_unit_id": "CITY", "valid_from": "2000-01-01"},
    {"unit_id": "CC", "name": "Trung tâm", "kind": "centre", "parent_unit_id": "CITY", "valid_from": "2000-01-01"},
    {"unit_id": "W1", "name": "Phường 1", "kind": "ward", "parent_unit_id": "CITY", "valid_from": "2000-01-01"},
    {"unit_id": "C1", "name": "Điểm 1", "kind": "centre", "parent_unit_id": "W1", "valid_from": "2000-01-01"},
    {"unit_id": "W2", "name": "Phường 2", "kind": "ward", "parent_unit_id": "CITY", "valid_from": "2000-01-01"},
    {"unit_id": "OLD", "name": "Cũ", "kind": "ward", "valid_from": "2000-01-01", "valid_to": "2025-01-01"},
]
VERSION = {"name": "Một", "field": "Đất đai", "level": "commune", "limit_unit": "working_days"}
PROCEDURES = [
    VERSION | {"procedure_id": "1.001", "limit_amount": "10", "valid_from": "2024-01-01", "tags": "business"},
    VERSION | {"procedure_id": "1.001", "limit_amount": "7", "valid_from": "2025-03-01", "tags": "business"},
]


def log() -> Iterator[dict[str, str]]:
    """Ten finishes in April 2024 after 90 or 110 minutes, ten in April 2025 after half of that, at ten places."""
    for year, minutes in (("2024", (90, 110)), ("2025", (45, 55))):
        for n in range(10):
            spent = minutes[n % 2]
            for status, at in (("received", "08:00"), ("finished", f"{8 + spent // 60:02}:{spent % 60:02}")):
                yield {
                    "dossier_id": f"{year}-{n}", "procedure_id": "1.001", "status": status, "unit_id": f"U{n}",
                    "occurred_at": f"{year}-04-08T{at}", "resolving_unit_id": f"U{n}",
                }  # fmt: skip


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City({"procedures": PROCEDURES, "units": UNITS, "targets": TARGETS})
    city.store.ingest_rows(list(log()))
    yield city
    shutil.rmtree(city.store.folder)


def judged(city: City, to: str, *, ending: str | None) -> dict[str, dict[str, Any]]:
    """The city's row of each target that is told."""
    day = date.fromisoformat(to)
    as_of = midnight(day)
    question = city.question(as_of, Period(date(day.year - (day.month == day.day == 1), 1, 1), day))
    with city.judge(as_of) as judge:
        rows = judge.targets(question, ending=date.fromisoformat(ending) if ending else None).to_pylist()
    return {row["name"]: row for row in rows if row["scope"] == "city"}


def test_targets_that_still_run_are_judged_as_far_as_they_have_run(city: City) -> None:
    found = judged(city, "2025-05-01", ending=None)
    assert set(found) == {row["name"] for row in TARGETS}
    assert (found["this"]["verdict"], found["this"]["reduction"]) == ("met", 0.5)
    assert found["half"]["verdict"] == "missed"
    assert (found["this"]["period_from"], found["this"]["period_to"]) == (date(2025, 1, 1), date(2025, 5, 1))
    assert (found["next"]["verdict"], found["next"]["why"]) == ("no_data", "not_begun")


def test_a_target_that_has_ended_is_judged_on_its_end_and_never_after(city: City) -> None:
    assert set(judged(city, "2025-07-01", ending="2025-07-01")) == {"half"}
    assert "half" not in judged(city, "2025-07-01", ending=None)
    assert "half" in judged(city, "2025-06-30", ending=None)
    assert set(judged(city, "2026-01-01", ending="2026-01-01")) == {row["name"] for row in TARGETS} - {"half", "next"}


def test_a_target_against_another_baseline_than_the_frozen_one_has_no_verdict(city: City) -> None:
    found = judged(city, "2026-01-01", ending="2026-01-01")
    assert (found["other"]["verdict"], found["other"]["why"]) == ("no_data", "no_baseline")
    assert found["other"]["reduction"] is None


def test_a_limit_is_compared_with_that_of_31_december_2024(city: City) -> None:
    found = judged(city, "2026-01-01", ending="2026-01-01")["paper"]
    assert (found["verdict"], found["reduction"], found["n_period"], found["coverage"]) == ("met", 0.3, 1, 1.0)
    assert judged(city, "2025-02-01", ending=None)["paper"]["verdict"] == "missed"


def test_a_tag_keeps_the_procedures_that_carry_it(city: City) -> None:
    found = judged(city, "2026-01-01", ending="2026-01-01")
    assert found["tagged"]["n_period"] == 10
    assert (found["nobody"]["verdict"], found["nobody"]["n_period"]) == ("no_data", 0)


def test_the_page_shows_the_target_in_force_on_the_periods_last_day(city: City) -> None:
    as_of = midnight(date(2026, 1, 1))
    with city.judge(as_of) as judge:
        names = {
            str(period.to): (goal.name if (goal := judge.goal(city.question(as_of, period))) else None)
            for period in (YEAR_2025, Period(date(2025, 1, 1), date(2025, 7, 1)), YEAR_2024)
        }
    assert names == {"2026-01-01": "this", "2025-07-01": "half", "2025-01-01": None}


def test_a_target_that_does_not_hold_all_of_the_period_gives_way_to_one_that_does(city: City) -> None:
    row = {"basis": "actual", "tag": "", "baseline_from": "2024-01-01", "baseline_to": "2025-01-01", "reduction": "0.5"}
    half = row | {"name": "a half-year's", "period_from": "2025-07-01", "period_to": "2026-01-01"}
    other = City(city.registry_rows | {"targets": [*TARGETS, half]}, city.store)
    as_of = midnight(date(2026, 1, 1))
    with other.judge(as_of) as judge:
        wanted = {"whole": YEAR_2025, "second half": Period(date(2025, 8, 1), date(2026, 1, 1))}
        found = {name: judge.goal(other.question(as_of, period)) for name, period in wanted.items()}
    assert {name: goal.name if goal else "" for name, goal in found.items()} == {
        "whole": "this", "second half": "a half-year's",
    }  # fmt: skip


def test_a_baseline_of_part_of_a_year_is_held_against_the_same_months_only() -> None:
    """The year's dossiers were all finished in April; a baseline of the second half has nothing to say of them."""
    city = City({"procedures": PROCEDURES, "units": UNITS, "targets": TARGETS})
    city.baseline = Period(date(2024, 1, 1), date(2024, 4, 1))
    city.store.ingest_rows([*log(), *early()])
    as_of = midnight(date(2026, 1, 1))
    with city.judge(as_of) as judge:
        cut = judge.evidence(city.question(as_of, YEAR_2025)).headline.cut
    shutil.rmtree(city.store.folder)
    assert (cut.n_base, cut.n_now) == (1, 0)


def early() -> Iterator[dict[str, str]]:
    for status, at in (("received", "08:00"), ("finished", "09:00")):
        yield {
            "dossier_id": "early", "procedure_id": "1.001", "status": status, "unit_id": "U1",
            "occurred_at": f"2024-02-06T{at}", "resolving_unit_id": "U1",
        }  # fmt: skip


def boundary(last: str = "finished", reason: str = "", **roles: str) -> dict[str, Any]:
    """The row of boundaries of one dossier, received on 8 April 2025 and ended an hour later."""
    rows = [
        {"dossier_id": "d", "procedure_id": "1.001", "status": status, "occurred_at": f"2025-04-08T{at}", "reason": why}
        | roles
        for status, at, why in (("received", "08:00", ""), (last, "09:00", reason))
    ]
    city = City({"procedures": PROCEDURES, "units": UNITS}, has_baseline=False)
    try:
        city.store.ingest_rows(rows)
        as_of = midnight(YEAR_2025.to)
        with city.judge(as_of) as judge:
            (row,) = judge.tables(city.question(as_of, YEAR_2025), batches=NO_BATCHES)["boundaries"].to_pylist()
    finally:
        shutil.rmtree(city.store.folder)
    found: dict[str, Any] = row
    return found


@pytest.mark.parametrize(
    ("last", "reason", "resolving", "verdict"),
    [
        ("refused", "not_competent", "W2", "refused_elsewhere"),
        ("refused", "thiếu giấy tờ", "W2", "local_only"),
        ("refused", "", "W2", "local_only"),
        ("refused", "not_competent", "W1", "local_only"),  # refused where it belongs
        ("withdrawn", "not_competent", "W2", "local_only"),
    ],
)
def test_only_a_cross_boundary_refusal_for_lack_of_competence_says_refused_elsewhere(
    last: str, reason: str, resolving: str, verdict: str
) -> None:
    roles = {"receiving_unit_id": "W1", "resolving_unit_id": resolving, "applicant_unit_id": "W1"}
    assert boundary(last, reason, **roles)["verdict"] == verdict


@pytest.mark.parametrize(
    ("resolving", "returning", "elsewhere"),
    [
        ("W1", "W2", 1),
        ("W1", "W1", 0),
        ("W1", "C1", 0),  # the ward's own centre
        ("DEPT", "CC", 0),  # the city's centre for a department: the normal way
        ("DEPT", "W1", 1),
        ("W1", "CC", 1),
        ("W1", "XX", 0),  # nobody knows the unit: never guessed
        ("W1", "", 0),
    ],
)
def test_a_result_is_returned_elsewhere_where_the_territory_differs(
    resolving: str, returning: str, elsewhere: int
) -> None:
    roles = {"receiving_unit_id": "W1", "resolving_unit_id": resolving, "returning_unit_id": returning}
    row = boundary(**roles)
    assert (row["n_returned_elsewhere"], row["n_units_that_could"]) == (elsewhere, 4)
