"""Every table of the sample city, as the judge makes it, against the plain twin."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from judged import NO_BATCHES, YEAR_2025, City, midnight, registry_of, rows_of
from judged_twin import (
    TwinCity,
    assert_boundaries,
    assert_due_soon,
    assert_form_06,
    assert_parity,
    assert_reductions,
    assert_rule_sets,
    near,
)
from twin.figures import (
    FORM_06_COUNTS,
    Finish,
    form_06,
    form_06_by,
    form_06_of,
    limit_target,
    nine_digits,
    on_offer,
    standing_unit,
)

from procmon.tables import Period

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
GOAL = Fraction(3, 10)


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    return rows_of(SAMPLE / "events.csv.gz")


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City(registry_of(SAMPLE))
    city.store.ingest(SAMPLE / "events.csv.gz")
    yield city
    shutil.rmtree(city.store.folder)


@pytest.fixture(scope="module")
def year(city: City, log: Any) -> tuple[dict[str, Any], TwinCity, Any]:
    """2025 as of its end: our tables, the twin, our targets."""
    as_of = midnight(YEAR_2025.to)
    question = city.question(as_of, YEAR_2025)
    with city.judge(as_of) as judge:
        targets = judge.targets(question, ending=YEAR_2025.to).to_pylist()
        tables = judge.tables(question, batches=NO_BATCHES)
        tables |= {by: judge.form_06_by_unit(question, by) for by in ("unit", "receiving-unit")}
    return tables, TwinCity(log, city.registry_rows, question), targets


def test_every_reduction_of_the_sample_city_equals_the_plain_twin(year: Any) -> None:
    tables, twin, _ = year
    assert len(tables["reductions"]) > 150
    assert_reductions(tables["reductions"], twin, GOAL)


def test_boundaries_and_pending_work_of_the_sample_city_equal_the_plain_twin(year: Any) -> None:
    tables, twin, _ = year
    assert_boundaries(tables["boundaries"], twin)
    assert_parity(tables["parity"], twin)
    assert_due_soon(tables["due_soon"], twin)


@pytest.fixture(scope="module")
def spring(city: City, log: Any, year: Any) -> tuple[dict[str, Any], TwinCity]:
    """20 March to 31 May 2025 as of its end."""
    as_of, part = midnight(date(2025, 6, 1)), Period(date(2025, 3, 20), date(2025, 6, 1), "")
    question = replace(city.question(as_of, part), period=Period(date(2025, 5, 1), date(2025, 6, 1), "2025-05"))
    with city.judge(as_of) as judge:
        tables = judge.tables(question, batches=NO_BATCHES)
    return tables, TwinCity(log, city.registry_rows, question, measured_baseline=year[1].baseline_dossiers)


def test_a_part_year_is_compared_with_the_same_months(spring: Any) -> None:
    tables, twin = spring
    assert twin.months == {3, 4, 5}
    assert len(twin.base) < len(twin.whole_base)
    assert_reductions(tables["reductions"], twin, GOAL)
    assert_boundaries(tables["boundaries"], twin)


def test_form_06_of_a_month_equals_the_plain_twin(spring: Any) -> None:
    tables, twin = spring
    assert_form_06(tables["form_06"], form_06_of(twin.dossiers, midnight(date(2025, 5, 1))))


def test_form_06_of_a_year_equals_the_plain_twin(year: Any) -> None:
    tables, twin, _ = year
    assert_form_06(tables["form_06"], form_06_of(twin.dossiers, midnight(YEAR_2025.from_)))


@pytest.mark.parametrize("by", ["unit", "receiving-unit"])
def test_form_06_by_unit_equals_the_plain_twin(year: Any, by: str) -> None:
    """Whole successions are followed, so that a unit of today has its predecessors' dossiers."""
    tables, twin, _ = year
    unit_of = twin.unit_of if by == "unit" else standing_unit(twin.registry, twin.question.today, is_receiving=True)
    theirs = form_06_by(twin.dossiers, midnight(YEAR_2025.from_), lambda d: unit_of(d) and twin.said(unit_of(d)))
    ours = {row["unit_id"]: {name: row[name] for name in FORM_06_COUNTS} for row in tables[by].to_pylist()}
    assert len(ours) == tables[by].num_rows > 100
    assert ours == theirs


def test_rule_sets_and_bridge_of_a_year_equal_the_plain_twin(year: Any) -> None:
    tables, twin, _ = year
    assert_rule_sets(tables["on_time"], tables["bridge"], twin)
    moved = {row["step"]: row["n_moved"] for row in tables["bridge"].to_pylist() if row["to_rule_set"] == "form_06"}
    assert sum(n > 0 for n in moved.values()) > 5


def test_rule_sets_and_bridge_of_a_month_equal_the_plain_twin(spring: Any) -> None:
    assert_rule_sets(spring[0]["on_time"], spring[0]["bridge"], spring[1])


def test_form_06_of_a_reporting_month_equals_the_plain_twin(city: City, log: Any) -> None:
    as_of, period = midnight(date(2025, 5, 15)), Period(date(2025, 4, 15), date(2025, 5, 15), "2025-05/15")
    with city.judge(as_of) as judge:
        table = judge.tables(city.question(as_of, period), batches=NO_BATCHES)["form_06"]
    assert_form_06(table, form_06(log, city.registry_rows, midnight(period.from_), as_of))


def test_every_target_of_the_sample_city_equals_the_plain_twin(year: Any, city: City) -> None:
    _, twin, rows = year
    targets = {row["name"]: row for row in city.registry_rows["targets"] if row["period_to"] == "2026-01-01"}
    assert {row["name"] for row in rows} == set(targets)
    for row in rows:
        target = targets[row["name"]]
        wanted = Fraction(target["reduction"])
        if target["basis"] == "limit" and row["scope"] == "city":
            theirs = limit_target(twin.registry, wanted, twin.question.last_day, tag=target["tag"])
        elif target["basis"] == "limit":
            assert_limit_part(row, twin, wanted)
            continue
        elif target["tag"]:
            theirs = twin.cut_of("tag", target["tag"], wanted).figure
        else:
            theirs = twin.cut_of(row["scope"], row["scope_id"], wanted).figure
        assert row["reduction"] == nine_digits(theirs.reduction), row
        assert near(row["lower"], theirs.lower)
        assert near(row["upper"], theirs.upper)
        assert row["coverage"] == nine_digits(theirs.coverage)
        assert (row["n_baseline"], row["n_period"]) == (theirs.n_baseline, theirs.n_period)
        assert row["verdict"] == theirs.verdict


def assert_limit_part(row: Any, twin: TwinCity, wanted: Fraction) -> None:
    """A part's limits: its own procedures', for a unit those it had finished dossiers of."""
    if row["scope"] == "tag":
        codes = set(on_offer(twin.registry, twin.question.last_day, row["scope_id"]))
    elif row["scope"] in ("department", "unit"):
        codes = {finish.procedure_id for side in twin.sides(row["scope"], row["scope_id"]) for finish in side}
    else:
        codes = {code for code in twin.limit_cuts if twin.place(row["scope"])(code, "") == row["scope_id"]}
    cuts = [cut for code, cut in twin.limit_cuts.items() if code in codes]
    known = [cut.reduction for cut in cuts if cut.reduction is not None]
    mean = sum(known, Fraction()) / len(known) if known else None
    assert row["reduction"] == nine_digits(mean)
    assert (row["n_baseline"], row["n_period"]) == (len(known), len(known))
    assert row["coverage"] == (nine_digits(Fraction(len(known), len(cuts))) if cuts else None)
    assert row["verdict"] == ("no_data" if mean is None else "met" if mean >= wanted else "missed")


def test_the_trend_keeps_one_set_of_procedures_for_all_its_points(year: Any) -> None:
    """Too few procedures have five finishes in every month of two years, so the points are quarters."""
    tables, twin, _ = year
    assert steady(twin, months=1)[1] < 0.6
    chosen, coverage = steady(twin, months=3)
    weights = {code: sum(finish.procedure_id == code for finish in twin.whole_base) for code in chosen}
    base = sum(min(f.seconds, twin.caps[f.procedure_id]) for f in twin.whole_base if f.procedure_id in chosen)
    points = tables["trend"].to_pylist()
    assert [str(row["starts_on"]) for row in points] == [f"{y}-{m:02}-01" for y in (2024, 2025) for m in (1, 4, 7, 10)]
    for row in points:
        first = (row["starts_on"].year, row["starts_on"].month)
        told, n = Fraction(), 0
        for code in chosen:
            side = [f for f in finished(twin) if f.procedure_id == code and start_of(f.month, 3) == first]
            told += Fraction(weights[code] * sum(min(f.seconds, twin.caps[code]) for f in side), len(side))
            n += len(side)
        assert row["ratio"] == nine_digits(told / base)
        assert row["mean_minutes"] == nine_digits(told / sum(weights.values()) / 60)
        assert (row["n"], row["n_procedures"], row["step"]) == (n, len(chosen), "quarter")
        assert row["coverage"] == nine_digits(coverage)
        assert row["is_baseline"] == (first[0] == 2024)


def finished(twin: TwinCity) -> list[Finish]:
    return [*twin.whole_base, *twin.now]


def start_of(month: tuple[int, int], months: int) -> tuple[int, int]:
    """The first month of the month's or quarter's point."""
    return month[0], month[1] - (month[1] - 1) % months


def steady(twin: TwinCity, months: int) -> tuple[set[str], Fraction]:
    """The procedures with five finishes in every point of the two years, and their share of the baseline's dossiers."""
    n = Counter((f.procedure_id, start_of(f.month, months)) for f in finished(twin))
    starts = [(year, month) for year in (2024, 2025) for month in range(1, 13, months)]
    chosen = {code for code in twin.caps if all(n[code, start] >= 5 for start in starts)}
    return chosen, Fraction(sum(f.procedure_id in chosen for f in twin.whole_base), len(twin.whole_base))
