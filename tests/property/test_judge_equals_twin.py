"""The judge against the plain twin on logs in which every rule meets every other."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from judged import NO_BATCHES, City
from judged_twin import (
    TwinCity,
    assert_boundaries,
    assert_due_soon,
    assert_parity,
    assert_reductions,
    assert_rule_sets,
)
from twin import strategies
from twin.dossiers import CANONICAL

from procmon.config import PolicySettings
from procmon.tables import Period

EXAMPLES = int(os.environ.get("PROCMON_TESTS_EXAMPLES", "15"))
as_often_as_asked = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
GOAL = Fraction(3, 10)


BASELINE = Period(date(2024, 12, 30), date(2025, 3, 15), "")
COMPARED = Period(date(2025, 3, 15), date(2026, 3, 15), "")
SUCCESSIONS = [
    {"old_unit_id": "10525", "new_unit_id": "W2", "effective_on": "2025-07-01", "extent": "whole"},
    {"old_unit_id": "D1", "new_unit_id": "10525", "effective_on": "2025-07-01", "extent": "whole"},
    {"old_unit_id": "C2", "new_unit_id": "CC", "effective_on": "2025-07-01", "extent": "part"},
]


@st.composite
def cities(draw: DrawFn) -> strategies.Case:
    """A few dossiers, each several times at several units, so that procedures have enough on both sides."""
    case = draw(strategies.cases(max_dossiers=7))
    rows = []
    for copy in range(draw(st.integers(1, 4))):
        unit = draw(st.sampled_from(["", *strategies.UNITS]))
        resolved_by = {"resolving_unit_id": unit} if unit else {}
        rows += [row | {"dossier_id": f"{row['dossier_id']}/{copy}"} | resolved_by for row in case.event_rows]
    until = draw(st.sampled_from(["", "2025-05-01"]))
    announced = [{"procedure_id": "1.001", "announced_on": "2025-04-01", "valid_to": until}]
    successions = draw(st.sampled_from([[], SUCCESSIONS]))
    return replace(case, event_rows=rows, registry=case.registry | {"announced": announced, "successions": successions})


@as_often_as_asked
@given(cities())
def test_every_table_equals_the_plain_twin_on_any_log(case: strategies.Case) -> None:
    policies = PolicySettings(min_n_mix=2, min_n_verdict=3, min_coverage=0.3, min_cross=2)
    city = City(case.registry, policies=policies, baseline=BASELINE)
    try:
        city.store.ingest_rows(case.event_rows, CANONICAL)
        question = city.question(case.as_of, COMPARED)
        with city.judge(case.as_of, is_period_end=False) as judge:
            tables = judge.tables(question, batches=NO_BATCHES)
    finally:
        shutil.rmtree(city.store.folder)
    twin = TwinCity(case.event_rows, case.registry, question, is_period_end=False)
    assert_reductions(tables["reductions"], twin, GOAL)
    assert_rule_sets(tables["on_time"], tables["bridge"], twin)
    assert_boundaries(tables["boundaries"], twin)
    assert_parity(tables["parity"], twin)
    assert_due_soon(tables["due_soon"], twin)


