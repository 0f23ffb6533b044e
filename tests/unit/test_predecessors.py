"""Codes that a merger put behind one procedure (rulebook 7e): one limit, pooled times, and whose is whose."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from judged import NO_BATCHES, YEAR_2024, YEAR_2025, City, midnight

from procmon.judge.limits import Catalogue, limit_cut
from procmon.judge.predecessors import behind, heirs, national_part, predecessors, successor, unit_predecessors
from procmon.tables import PREDECESSORS, UNIT_PREDECESSORS, Period

NEW, WEST, EAST = "1.001234", "1.001234.000.00.00.H23", "1.001234.000.00.00.H24"
BEFORE, MERGED, AFTER = date(2025, 6, 30), date(2025, 7, 1), date(2025, 12, 31)
NEVER = date(9999, 12, 31)
OLD = date(2024, 12, 31)


def catalogue(*versions: tuple[str, str, str, float | None]) -> Catalogue:
    """Versions as (code, from, to or empty, limit in working days)."""
    rows = [
        {
            "procedure_id": code, "name": f"Tên {code}", "field": "", "level": "", "tags": "", "limit_amount": limit,
            "limit_unit": "working_days", "valid_from": date.fromisoformat(first),
            "ends_on": date.fromisoformat(last) if last else NEVER,
        }
        for code, first, last, limit in versions
    ]  # fmt: skip
    return Catalogue(pa.Table.from_pylist(rows))


WEST_ENDS, EAST_ENDS = (WEST, "2020-01-01", "2025-07-01", 8.0), (EAST, "2020-01-01", "2025-07-01", 5.0)
EAST_STAYS, NEW_BEGINS = (EAST, "2020-01-01", "", 5.0), (NEW, "2025-07-01", "", 3.0)


def test_the_national_part_is_the_first_two_groups() -> None:
    assert [national_part(code) for code in (NEW, WEST, "tự-đặt", "")] == [NEW, NEW, "tự-đặt", ""]


def test_a_code_stands_for_itself_while_it_is_in_force() -> None:
    found = catalogue(WEST_ENDS, EAST_ENDS, NEW_BEGINS)
    assert heirs(found, BEFORE) == {}
    assert heirs(found, MERGED) == {WEST: NEW, EAST: NEW}
    assert [successor(found, code, MERGED) for code in (NEW, WEST, EAST)] == [NEW, NEW, NEW]
    assert behind(found, NEW, MERGED) == [NEW, WEST, EAST]
    assert behind(found, NEW, BEFORE) == [NEW]
    assert behind(found, WEST, MERGED) == []


def test_the_code_that_stays_takes_over_the_one_that_ended() -> None:
    found = catalogue(WEST_ENDS, EAST_STAYS)
    assert heirs(found, AFTER) == {WEST: EAST}
    assert behind(found, EAST, AFTER) == [WEST, EAST]


@pytest.mark.parametrize(
    "others",
    [
        [EAST_STAYS, NEW_BEGINS],  # several in force
        [EAST_ENDS],  # none in force
        [("1.001235", "2020-01-01", "", 1.0), ("2.001234.000.00.00.H24", "2020-01-01", "", 1.0)],  # another procedure
    ],
)
def test_a_successor_is_never_guessed(others: list[Any]) -> None:
    found = catalogue(WEST_ENDS, *others)
    assert successor(found, WEST, AFTER) == WEST
    assert heirs(found, AFTER) == {}


def test_nobody_stands_for_a_code_that_has_not_begun_or_is_unknown() -> None:
    found = catalogue((WEST, "2026-01-01", "", 8.0), NEW_BEGINS)
    assert successor(found, WEST, AFTER) == WEST
    assert successor(found, "1.001234.000.00.00.H99", AFTER) == "1.001234.000.00.00.H99"


@pytest.mark.parametrize(
    ("versions", "before", "cut"),
    [
        ([WEST_ENDS, EAST_ENDS, NEW_BEGINS], f"5 working_days ({EAST})", 0.4),
        ([(WEST, "2020-01-01", "2025-07-01", 5.0), EAST_ENDS, NEW_BEGINS], f"5 working_days ({WEST})", 0.4),  # by code
        ([WEST_ENDS, (EAST, "2020-01-01", "2025-07-01", None), NEW_BEGINS], "8 working_days", 0.625),  # one has none
        ([WEST_ENDS, NEW_BEGINS], "8 working_days", 0.625),
        ([(WEST, "2020-01-01", "2024-06-01", 4.0), EAST_ENDS, NEW_BEGINS], "5 working_days", 0.4),  # one ended before
        ([NEW_BEGINS], "", None),
    ],
)
def test_the_shortest_limit_of_2024_stands(versions: list[Any], before: str, cut: float | None) -> None:
    found = limit_cut(catalogue(*versions), NEW, OLD, AFTER)
    assert (found.before, found.now) == (before, "3 working_days")
    assert (None if found.cut is None else float(found.cut)) == cut


# ---- a city with two old provinces

PROCEDURE = {"field": "Đất đai", "level": "commune", "limit_unit": "working_days"}
PROCEDURES = [
    PROCEDURE
    | {"procedure_id": code, "name": f"Tên {code}", "limit_amount": limit, "valid_from": first, "valid_to": last}
    for code, limit, first, last in (
        (WEST, "8", "2020-01-01", "2025-07-01"), (EAST, "5", "2020-01-01", "2025-07-01"), (NEW, "3", "2025-07-01", ""),
        ("2.000001", "9", "2020-01-01", ""),
    )
]  # fmt: skip
UNITS = [{"unit_id": f"U{n}", "name": f"Phường {n}", "kind": "ward", "valid_from": "2000-01-01"} for n in range(6)]
MINUTES_2024 = {WEST: [100 + n for n in range(30)], EAST: [20 + n for n in range(20)], "2.000001": [60, 70] * 6}
MINUTES_2025 = {WEST: [50] * 10 + [52] * 10, EAST: [30] * 5 + [31] * 5, NEW: [25, 26] * 8, "2.000001": [60, 70] * 6}
MONTH_2025 = {WEST: 4, EAST: 5, NEW: 9, "2.000001": 4}


def log() -> Iterator[dict[str, str]]:
    for year, minutes_of in ((2024, MINUTES_2024), (2025, MINUTES_2025)):
        for code, minutes in minutes_of.items():
            month = 4 if year == 2024 else MONTH_2025[code]
            for n, spent in enumerate(minutes):
                for status, hour, minute in (("received", 8, 0), ("finished", 8 + spent // 60, spent % 60)):
                    yield {
                        "dossier_id": f"{year}-{code}-{n}", "procedure_id": code, "status": status,
                        "occurred_at": f"{year}-{month:02}-08T{hour:02}:{minute:02}",
                        "resolving_unit_id": f"U{n % 6}", "stage": "Thẩm định",
                    }  # fmt: skip


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    made = City({"procedures": PROCEDURES, "units": UNITS})
    made.store.ingest_rows(list(log()))
    yield made
    shutil.rmtree(made.store.folder)


def judged(city: City, compared: Period = YEAR_2025) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """(reductions by procedure, whose is whose) as of a period's end."""
    as_of = midnight(compared.to)
    question = city.question(as_of, compared)
    with city.judge(as_of) as judge:
        tables = judge.tables(question, batches=NO_BATCHES)
        listed = predecessors(judge.engine, judge.catalogue, question)
    assert listed.schema == PREDECESSORS.schema
    rows = [row for row in tables["reductions"].to_pylist() if row["scope"] == "procedure"]
    return {row["scope_id"]: row for row in rows}, listed.to_pylist()


def p99(values: list[int]) -> float:
    """Linear interpolation, in minutes."""
    ordered, place = sorted(values), (len(values) - 1) * 0.99
    low = int(place)
    return ordered[low] + (place - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])


def test_dossiers_of_all_predecessors_are_pooled_on_both_sides(city: City) -> None:
    rows, _ = judged(city)
    assert set(rows) == {NEW, "2.000001"}
    pooled = MINUTES_2024[WEST] + MINUTES_2024[EAST]
    cap = p99(pooled)
    assert rows[NEW]["n_baseline"] == 50
    assert rows[NEW]["n_period"] == 20 + 10 + 16
    assert rows[NEW]["cap_minutes"] == pytest.approx(cap, abs=1 / 60)
    assert rows[NEW]["mean_baseline_minutes"] == pytest.approx(sum(min(m, cap) for m in pooled) / 50, abs=0.01)
    assert rows[NEW]["limit_before"] == f"5 working_days ({EAST})"
    assert rows["2.000001"]["n_baseline"] == rows["2.000001"]["n_period"] == 12


def test_each_predecessor_is_listed_with_its_own_limit_and_mean(city: City) -> None:
    _, listed = judged(city)
    cap = p99(MINUTES_2024[WEST] + MINUTES_2024[EAST])
    west = sum(min(m, cap) for m in MINUTES_2024[WEST]) / 30
    told = ("predecessor_id", "name", "limit_before", "is_shortest", "n_baseline", "is_fastest")
    assert [tuple(row[name] for name in told) for row in listed] == [
        (WEST, f"Tên {WEST}", "8 working_days", False, 30, False),
        (EAST, f"Tên {EAST}", "5 working_days", True, 20, True),
    ]
    assert {row["procedure_id"] for row in listed} == {NEW}
    assert [row["mean_minutes"] for row in listed] == [pytest.approx(west, abs=0.01), 29.5]


def test_before_the_merger_each_code_stands_for_itself(city: City) -> None:
    rows, listed = judged(city, Period(date(2025, 1, 1), MERGED, "2025-H1"))
    assert set(rows) == {WEST, EAST, "2.000001"}
    assert (rows[WEST]["n_baseline"], rows[EAST]["n_baseline"]) == (30, 20)
    assert rows[EAST]["limit_before"] == "5 working_days"
    assert rows[WEST]["cap_minutes"] == rows[EAST]["cap_minutes"]  # one, as frozen after the merger
    assert listed == []


def test_of_codes_merged_after_publication_the_largest_cap_stands(city: City) -> None:
    early = City(city.registry_rows, city.store, baseline=Period(YEAR_2024.from_, date(2024, 12, 31), ""))
    early.published_on = BEFORE
    before, _ = judged(early, Period(date(2025, 1, 1), MERGED, "2025-H1"))
    assert before[WEST]["cap_minutes"] == pytest.approx(p99(MINUTES_2024[WEST]), abs=1 / 60)
    assert before[EAST]["cap_minutes"] == pytest.approx(p99(MINUTES_2024[EAST]), abs=1 / 60)
    after, _ = judged(early)
    assert after[NEW]["cap_minutes"] == before[WEST]["cap_minutes"]
    with early.judge(midnight(YEAR_2025.to)) as judge:
        table = judge.tables(early.question(midnight(YEAR_2025.to), YEAR_2025), batches=NO_BATCHES, names=["change"])
    stages = [row for row in table["change"].to_pylist() if row["parted_by"] == "stage"]
    [total] = (row["contribution"] for row in stages if row["term"] == "total")
    # The slowest dossier of the East was above its own cap, and is below the one that stands since.
    assert sum(row["contribution"] for row in stages if row["term"] != "total") == pytest.approx(total, abs=1e-9)


def test_states_and_stages_are_pooled_alike(city: City) -> None:
    as_of = midnight(YEAR_2025.to)
    with city.judge(as_of) as judge:
        judge.evidence(city.question(as_of, YEAR_2025))
        states = judge.engine.query("SELECT procedure_key, outcome FROM baseline_states").to_pylist()
        stages = judge.engine.query("SELECT * FROM baseline_stages").to_pylist()
        caps = {
            row["procedure_key"]: row["cap_seconds"] for row in judge.engine.query("SELECT * FROM caps").to_pylist()
        }
    assert [row["procedure_key"] for row in states].count(NEW) == 50
    of_new = [row for row in stages if row["procedure_key"] == NEW]
    assert sum(row["seconds"] for row in of_new) == 60 * sum(MINUTES_2024[WEST] + MINUTES_2024[EAST])
    assert {row["cap_seconds"] for row in of_new} == {caps[NEW]}
    above = [m * 60 for m in MINUTES_2024[WEST] if m * 60 > caps[NEW]]
    assert sorted(row["capped_from_seconds"] for row in of_new if row["capped_from_seconds"]) == sorted(above)


def test_each_old_unit_is_listed_under_the_one_that_took_it_over(city: City) -> None:
    """U0 and U1 became U0, which took its code anew; U2 was split and stays itself."""
    whole = {"new_unit_id": "U0", "effective_on": "2025-07-01", "extent": "whole"}
    successions = [
        whole | {"old_unit_id": "U0"},
        whole | {"old_unit_id": "U1"},
        {"old_unit_id": "U2", "new_unit_id": "U3", "effective_on": "2025-07-01", "extent": "part"},
    ]
    units = [
        UNITS[0] | {"valid_to": "2025-07-01"}, UNITS[0] | {"name": "Phường mới", "valid_from": "2025-07-01"}, *UNITS[1:]
    ]  # fmt: skip
    merged = City({"procedures": PROCEDURES, "units": units, "successions": successions}, city.store)
    merged.baseline = Period(YEAR_2024.from_, date(2024, 12, 30), "")
    as_of = midnight(YEAR_2025.to)
    question = merged.question(as_of, YEAR_2025)
    with merged.judge(as_of) as judge:
        judge.evidence(question)
        listed = unit_predecessors(judge.engine, judge.units, question)
    assert listed.schema == UNIT_PREDECESSORS.schema
    told = ("unit_id", "name", "predecessor_key", "predecessor_name", "n_baseline")
    of = [[m for minutes in MINUTES_2024.values() for m in minutes[n::6]] for n in (0, 1)]
    assert [tuple(row[name] for name in told) for row in listed.to_pylist()] == [
        ("U0", "Phường mới", "U0@2000-01-01", "Phường 0", len(of[0])),
        ("U0", "Phường mới", "U1@2000-01-01", "Phường 1", len(of[1])),
    ]
    assert listed["mean_minutes"].to_pylist() == [pytest.approx(sum(mine) / len(mine), abs=0.1) for mine in of]
