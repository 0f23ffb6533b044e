"""What lies behind the sample city's verdicts: what made the change, the way to go, the ranking (rulebook 7c, 7f).

Every decomposition of every scope and period is added up with PROCMON_TESTS_CHANGES=all (`make changes`); else a part.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from judged import NO_BATCHES, YEAR_2025, City, midnight, registry_of, rows_of
from judged_twin import TwinCity
from test_judge_change import ALL_BYS
from twin.change import Change, Done, sums
from twin.dossiers import Dossier
from twin.figures import GOT_A_RESULT, fixed_mix, nine_digits, procedure_key, residuals, variance_and_freedom
from twin.ranking import Ratio, ranks
from twin.stretches import stretches as twin_stretches

from procmon.config import PolicySettings
from procmon.judge import Judge, Question
from procmon.judge.ranking import ranking
from procmon.judge.way import way_to_go
from procmon.tables import Period

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
IS_ALL = os.environ.get("PROCMON_TESTS_CHANGES") == "all"
POLICIES = PolicySettings(min_n_verdict=20)
MONTHS = [date(2025, month, 1) for month in range(1, 13)] + [date(2026, 1, 1)]
PERIODS = [
    YEAR_2025,
    *(Period(MONTHS[n], MONTHS[n + 3]) for n in range(0, 12, 3)),
    *(Period(MONTHS[n], MONTHS[n + 1]) for n in range(12)),
]
JULY = date(2025, 7, 16)
TARGET: dict[str, Any] = {
    "name": "t", "basis": "actual", "reduction": 0.3, "tag": "", "baseline_from": date(2024, 1, 1),
    "baseline_to": date(2025, 1, 1), "period_from": date(2025, 1, 1), "period_to": date(2026, 1, 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    return rows_of(SAMPLE / "events.csv.gz")


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City(registry_of(SAMPLE), policies=POLICIES)
    city.store.ingest(SAMPLE / "events.csv.gz")
    yield city
    shutil.rmtree(city.store.folder)


@pytest.fixture(scope="module")
def judge(city: City) -> Iterator[Judge]:
    """As of the end of 2025."""
    with city.judge(midnight(YEAR_2025.to)) as judge:
        yield judge


@pytest.fixture(scope="module")
def year(city: City) -> Question:
    return city.question(midnight(YEAR_2025.to), YEAR_2025)


@pytest.fixture(scope="module")
def twin(city: City, log: Any, year: Question) -> TwinCity:
    return TwinCity(log, city.registry_rows, year)


NO_UNITS = {("unit", ""), ("unit", "undetermined")}
"""What is told by unit so that sums hold, and judged by nobody."""


def changes(judge: Judge, question: Question) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = judge.tables(question, batches=NO_BATCHES, names=["change"])["change"].to_pylist()
    return rows


def scopes(judge: Judge, question: Question) -> list[tuple[str, str]]:
    """Every page there could be: the city, each field, and each unit as who resolves and as who receives."""
    evidence = judge.evidence(question)
    fields = [scope.id for scope in evidence.parts if scope.kind == "field"]
    units = sorted({judge.units.said(unit, question.today) for unit in evidence.cells.units})
    return [("all", ""), *product(["field"], fields), *product(["resolving", "receiving"], units)]


def assert_adds_up(rows: Iterable[dict[str, Any]], cut: Fraction | None) -> None:
    """Within 1e-9, as printed; and what is printed as the total is the cut."""
    parts: dict[str, list[float]] = defaultdict(list)
    totals = {}
    for row in rows:
        if row["term"] == "total":
            totals[row["parted_by"]] = row["contribution"]
        else:
            parts[row["parted_by"]].append(row["contribution"])
            if row["term"] == "fixed_mix":
                assert row["contribution"] == pytest.approx(float(cut or 0), abs=1e-9)
    assert (set(totals) == ALL_BYS) if cut is not None else not totals
    for by, total in totals.items():
        assert sum(parts[by]) == pytest.approx(total, abs=1e-9), by
        if by in ("procedure", "unit", "stage"):
            assert total == pytest.approx(float(cut or 0), abs=1e-9), by


def test_every_decomposition_adds_up_for_every_scope_and_period(city: City, year: Question) -> None:
    """With two dossiers on a side a procedure is in the mix, so that small units and short periods have one too."""
    small = replace(year, policies=PolicySettings(min_n_mix=2))
    n_cuts = 0
    with city.judge(year.as_of) as judge:
        combinations = list(product(scopes(judge, small), PERIODS))
        of_fields = [asked for asked in combinations if asked[0][0] == "field"]
        for (side, scope_id), period in combinations if IS_ALL else [*combinations[::211], *of_fields[::11]]:
            question = replace(small, side=side, scope_id=scope_id, period=period, compare=period)
            rows = changes(judge, question)
            cut = judge.evidence(question).headline.cut.reduction
            assert_adds_up(rows, cut)
            assert {(row["scope"], row["scope_id"]) for row in rows} <= {question.headline}
            n_cuts += cut is not None
    assert len(combinations) > 6000
    assert n_cuts > (300 if IS_ALL else 15)


def test_every_decomposition_of_the_city_adds_up_in_every_period(judge: Judge, year: Question) -> None:
    for period in PERIODS:
        question = replace(year, period=period, compare=period)
        cut = judge.evidence(question).headline.cut.reduction
        assert cut is not None
        assert_adds_up(changes(judge, question), cut)


def told(twin: TwinCity, dossier: Dossier) -> str:
    """The unit that stands for the dossier's; what no unit of the day stands for is one."""
    unit = twin.unit_of(dossier)
    return "undetermined" if twin.said(unit) == "undetermined" else unit


def dones(twin: TwinCity, dossiers: Iterable[Dossier], period: Period) -> list[Done]:
    """The finished dossiers of a side with their pauses and stages."""
    found = []
    for dossier in dossiers:
        ended_on = dossier.ended_at.date() if dossier.ended_at else period.to
        if dossier.outcome in GOT_A_RESULT and period.from_ <= ended_on < period.to and dossier.received_at:
            stages: dict[str, int] = defaultdict(int)
            for stretch in twin_stretches(dossier):
                if stretch.kind == "working":
                    stages[stretch.stage] += stretch.open_seconds
            seconds, paused = dossier.working_seconds, dossier.paused_seconds
            assert seconds is not None
            assert paused is not None
            found.append(Done(procedure_key(dossier), told(twin, dossier), seconds, paused, stages))
    return found


def test_each_part_of_the_citys_and_a_fields_change_equals_the_plain_twin(
    judge: Judge, year: Question, twin: TwinCity
) -> None:
    base = dones(twin, twin.baseline_dossiers, year.baseline)
    now = dones(twin, twin.dossiers, year.compare)
    for side, scope_id in (("all", ""), ("field", "Đất đai"), ("resolving", "H24.04")):
        place = twin.place({"all": "city", "field": "field", "resolving": "unit"}[side])
        own = [[d for d in part if place(d.procedure, d.unit) == scope_id] for part in (base, now)]
        theirs = Change(*own, twin.caps, POLICIES.min_n_mix).parts()
        rows = changes(judge, replace(year, side=side, scope_id=scope_id))  # type: ignore[arg-type]
        for by in ALL_BYS:
            added, total = sums(theirs, by)
            assert added == total
        expected = {
            (by, twin.said(part) if by == "unit" else part, term): value
            for (by, part, term), value in theirs.items()
        }
        assert {(row["parted_by"], row["part_id"], row["term"]) for row in rows} == set(expected)
        for row in rows:
            exact = expected[row["parted_by"], row["part_id"], row["term"]]
            assert row["contribution"] == pytest.approx(float(exact), abs=1e-11), row


def test_units_that_closed_and_units_that_opened_are_among_the_citys(judge: Judge, year: Question) -> None:
    """The districts that closed, and wards that were parted, are the one unit that nobody stands for."""
    rows = [row for row in changes(judge, year) if row["parted_by"] == "unit" and row["term"] == "moved"]
    (closed,) = (row for row in rows if row["part_id"] == "undetermined")
    assert closed["n_baseline"] > closed["n_period"] > 0
    assert closed["contribution"] != 0
    assert sum(row["n_baseline"] == 0 and row["n_period"] > 0 and row["contribution"] != 0 for row in rows) >= 3
    names = {row["part_id"]: row["name"] for row in rows}
    assert names["H24.04"] == "Sở Tài chính"


def test_the_citys_procedures_stand_with_their_weights_and_means(judge: Judge, year: Question, twin: TwinCity) -> None:
    rows = {row["part_id"]: row for row in changes(judge, year) if row["parted_by"] == "procedure"}
    found = {sample.procedure_id: sample for sample in twin.cut_of("city", "", Fraction(3, 10)).covered}
    assert set(rows) == {"", *found}
    for code, sample in found.items():
        assert (rows[code]["n_baseline"], rows[code]["n_period"]) == (sample.weight, len(sample.now))
        assert rows[code]["mean_baseline_minutes"] == nine_digits(sample.mean(sample.base) / 60)
        assert rows[code]["mean_period_minutes"] == nine_digits(sample.mean(sample.now) / 60)
        assert rows[code]["name"] == twin.version(code).get("name", "")
    given = [row["contribution"] for row in list(rows.values())[1:]]
    assert given == sorted(given, reverse=True)


# ---- the way to go


def test_the_way_to_go_of_every_scope_equals_the_plain_twin(city: City, log: Any, twin: TwinCity) -> None:
    """The target of 2025 as of the middle of July: the rest is July to December, as 2024 had it."""
    asked = city.question(midnight(JULY), Period(date(2025, 1, 1), JULY))
    with city.judge(midnight(JULY)) as judge:
        rows = way_to_go(TARGET, asked, judge.evidence)
        parts = [(part.kind, part.id) for part in judge.evidence(asked).parts]
        scopes = [("city", ""), *(part for part in parts if part not in NO_UNITS)]
        for_two_years = way_to_go(TARGET | {"period_to": date(2027, 1, 1)}, asked, judge.evidence)
    whole_months = replace(asked, compare=Period(date(2025, 1, 1), date(2025, 7, 1)))
    half = TwinCity(log, city.registry_rows, whole_months, measured_baseline=twin.baseline_dossiers)
    unmet = [s for s in scopes if half.cut_of(*s, Fraction(3, 10)).verdict in ("missed", "inconclusive")]
    assert [(row["scope"], row["scope_id"]) for row in rows] == unmet
    assert {row["scope"] for row in rows} == {"city", "level", "field", "tag", "department", "unit"}
    assert {row["why"] for row in rows} >= {"", "out_of_reach"}
    for row in rows:
        assert_way(row, half)
    mix = {sample.procedure_id for sample in half.cut_of("city", "", Fraction(3, 10)).covered}
    n_year = sum(finish.procedure_id in mix for finish in half.whole_base)
    assert for_two_years[0]["n_rest"] == rows[0]["n_rest"] + n_year


def assert_way(row: Any, twin: TwinCity) -> None:
    kind, scope_id, kept = row["scope"], row["scope_id"], Fraction(7, 10)
    cut = twin.cut_of(kind, scope_id, Fraction(3, 10))
    n_now, n_base = fixed_mix(cut.covered)
    weight = sum(sample.weight for sample in cut.covered)
    mix = {sample.procedure_id for sample in cut.covered}
    rest = [f for f in twin.whole_base if f.month[1] not in twin.months and f.procedure_id in mix]
    if kind in ("department", "unit"):
        rest = [f for f in rest if twin.place(kind)(f.procedure_id, f.unit_id) == scope_id]
    assert (row["verdict"], row["reduction"]) == (cut.verdict, nine_digits(cut.reduction))
    assert row["mean_baseline_minutes"] == nine_digits(n_base / weight / 60)
    assert row["mean_period_minutes"] == nine_digits(n_now / weight / 60)
    assert row["target_mean_minutes"] == nine_digits(kept * n_base / weight / 60)
    assert row["gap_days"] == nine_digits((n_now - kept * n_base) / weight / 28800)
    assert (row["n_done"], row["n_rest"]) == (weight, len(rest))
    allowed = kept * (n_base + sum(min(f.seconds, twin.caps[f.procedure_id]) for f in rest))
    if not rest:
        assert row["why"] == "nothing_to_come"
        return
    assert row["whole_target_mean_minutes"] == nine_digits(allowed / (weight + len(rest)) / 60)
    needed = (allowed - n_now) / len(rest)
    assert row["why"] == ("out_of_reach" if needed < 0 else "")
    assert row.get("needed_mean_minutes") == (None if needed < 0 else nine_digits(needed / 60))


def test_when_the_period_is_over_only_the_gap_is_told(judge: Judge, year: Question) -> None:
    rows = way_to_go(TARGET, year, judge.evidence)
    assert {row["why"] for row in rows} == {"period_over"}
    assert rows[0]["scope"] == "city"
    assert rows[0]["gap_days"] > 0
    assert not any("needed_mean_minutes" in row for row in rows)


def test_a_month_that_runs_is_still_to_come(judge: Judge, year: Question, twin: TwinCity) -> None:
    asked = replace(year, compare=Period(date(2025, 1, 1), date(2025, 12, 20)))
    city = way_to_go(TARGET, asked, judge.evidence)[0]
    assert (city["period_from"], city["period_to"]) == (date(2025, 1, 1), date(2025, 12, 1))
    december = sum(finish.month[1] == 12 for finish in twin.whole_base)
    assert 0 < city["n_rest"] <= december
    assert city["why"] in ("", "out_of_reach")


def test_before_a_whole_month_has_passed_there_is_no_way_to_tell(judge: Judge, year: Question) -> None:
    asked = replace(year, compare=Period(date(2025, 1, 1), date(2025, 1, 20)))
    assert way_to_go(TARGET, asked, judge.evidence) == []


def test_only_an_actual_target_against_this_baseline_has_a_way_and_one_of_a_tag_is_the_citys(
    judge: Judge, year: Question
) -> None:
    assert way_to_go(TARGET | {"basis": "limit"}, year, judge.evidence) == []
    assert way_to_go(TARGET | {"baseline_from": date(2023, 1, 1)}, year, judge.evidence) == []
    modest = way_to_go(TARGET | {"reduction": 0.1}, year, judge.evidence)
    assert "city" not in {row["scope"] for row in modest}  # met: 19 % of 10 %
    tagged = way_to_go(TARGET | {"tag": "business"}, year, judge.evidence)
    assert [(row["scope"], row["verdict"]) for row in tagged] == [("city", "missed")]


# ---- the ranking


def test_the_ranking_of_the_citys_units_equals_the_plain_twin(judge: Judge, year: Question, twin: TwinCity) -> None:
    rows = {row["unit_id"]: row for row in ranking(judge.evidence(year)).to_pylist()}
    parts = [part for part in judge.evidence(year).parts if part.kind == "unit" and part.cells.side.any()]
    assert set(rows) == {part.id for part in parts if ("unit", part.id) not in NO_UNITS}
    ratios: dict[str, Ratio] = {}
    for unit_id, row in rows.items():
        cut = twin.cut_of("unit", unit_id, Fraction(0))
        assert row["actual_cut"] == nine_digits(cut.reduction)
        assert (row["n_baseline"], row["n_period"]) == (cut.n_baseline, cut.n_period)
        if min(cut.n_baseline, cut.n_period) < POLICIES.min_n_verdict:
            assert row["why"] == "few_dossiers"
        elif (cut.coverage or 0) < Fraction(6, 10):
            assert row["why"] == "coverage"
        else:
            assert row["why"] == ""
            now, base = fixed_mix(cut.covered)
            ratios[unit_id] = Ratio(float(now / base), *variance_and_freedom(residuals(cut.covered)))
    assert len(ratios) > 8
    assert {unit: (rows[unit]["rank_from"], rows[unit]["rank_to"]) for unit in ratios} == ranks(ratios)
    assert {row["rank_from"] for unit, row in rows.items() if unit not in ratios} == {None}
    assert {row["why"] for row in rows.values()} == {"", "few_dossiers", "coverage"}


def test_a_single_unit_with_enough_dossiers_is_listed_and_ranked_by_nobody(judge: Judge, year: Question) -> None:
    evidence = copy(judge.evidence(year))
    cuts = [part.cut for part in evidence.parts if part.kind == "unit" and (part.kind, part.id) not in NO_UNITS]
    most = max(min(cut.n_covered_base, cut.n_covered_now) for cut in cuts)
    evidence.question = replace(year, policies=PolicySettings(min_n_verdict=most))
    rows = ranking(evidence).to_pylist()
    assert [row["rank_from"] for row in rows if row["why"] == "alone"] == [None]
    assert "" not in {row["why"] for row in rows}


def test_the_ranked_stand_first_by_best_place_and_the_rest_by_code(judge: Judge, year: Question) -> None:
    rows = ranking(judge.evidence(year)).to_pylist()
    ranked = [row for row in rows if not row["why"]]
    assert rows[: len(ranked)] == ranked == sorted(ranked, key=lambda row: (row["rank_from"], -row["actual_cut"]))
    listed = [row["unit_id"] for row in rows[len(ranked) :]]
    assert listed
    assert all(row["rank_from"] <= row["rank_to"] <= len(ranked) for row in ranked)
