"""Restricted means of received dossiers at fixed mix, held against a plain twin (rulebook 7d)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from twin import survival as twin
from twin.survival import Case

from procmon.judge.mix import Compared
from procmon.judge.restricted import Division, Part, Received

FATES = {"result": "n_result", "other": "n_no_result", "pending": "n_pending"}


def counted(cases: Sequence[Case]) -> pa.Table:
    """Step `received` of these dossiers."""
    counts = Counter(cases)
    groups: dict[tuple[Any, ...], dict[str, int]] = {}
    for case, n in counts.items():
        row = groups.setdefault(
            (case.procedure, case.unit, case.is_now, case.month, case.seconds), dict.fromkeys(FATES.values(), 0)
        )
        row[FATES[case.fate]] += n
    names = ("procedure_key", "unit_today", "is_now", "month_no", "working_seconds")
    types = (pa.string(), pa.string(), pa.bool_(), pa.int64(), pa.int64())
    keys = {
        name: pa.array([key[i] for key in groups], kind)
        for i, (name, kind) in enumerate(zip(names, types, strict=True))
    }
    sums = {name: pa.array([row[name] for row in groups.values()], pa.int64()) for name in FATES.values()}
    return pa.table(keys | sums)


def log(seed: int, n_units: int = 6, n: int = 320, longest: int = 40) -> list[Case]:
    """Received dossiers of three procedures, one of them rare; units differ, later months are pending more often."""
    draw = random.Random(seed)
    cases = []
    for _ in range(n):
        unit, month, is_now = draw.randrange(n_units), draw.randint(1, 4), draw.random() < 0.5
        procedure = draw.choices(["a", "b", "rare"], [5, 5, 1])[0]
        seconds = int(draw.random() ** 2 * longest * (1 + unit / 4) * (0.7 if is_now else 1))
        fate = draw.choices(list(FATES), [6, 1, month])[0]
        cases.append(Case(procedure, f"u{unit}", is_now, 24_300 + month + 12 * is_now, seconds, fate))
    return cases


CAPS = {"a": 35, "b": 1000, "rare": 30}
WEIGHTS = {"a": 70, "b": 31, "rare": 9}


def whole(cases: Sequence[Case], caps: Mapping[str, int] = CAPS) -> Division:
    received = Received(counted(cases))
    return Division(received, np.zeros(len(received.units), dtype=np.int64), caps, None)


def near(ours: float | None, theirs: float | None) -> bool:
    return ours is theirs if ours is None or theirs is None else ours == pytest.approx(theirs, rel=1e-9)


def assert_same(found: Compared, expected: twin.Comparison) -> None:
    assert float(found.denominator) == pytest.approx(float(expected.base), rel=1e-9)
    assert float(found.numerator) == pytest.approx(float(expected.now), rel=1e-9)
    assert near(found.lower, expected.lower)
    assert near(found.upper, expected.upper)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("n_units", [1, 4, 6])
def test_ratio_and_interval_at_fixed_mix_equal_the_plain_twin(seed: int, n_units: int) -> None:
    cases = log(seed, n_units)
    division = whole(cases)
    found, expected = division.part(0).compare(WEIGHTS), twin.compared(cases, WEIGHTS, CAPS)
    assert_same(found, expected)
    codes = division.received.procedures
    taus = {code: int(tau) for code, tau in zip(codes, division.tau[0], strict=True) if tau >= 0}
    assert taus == expected.taus
    covered = [case for case in cases if case.procedure in expected.taus]
    assert (found.n_covered_base, found.n_covered_now) == tuple(
        sum(case.is_now is is_now for case in covered) for is_now in (False, True)
    )


@pytest.mark.parametrize("seed", range(4))
def test_some_procedures_and_a_units_own_dossiers_equal_the_plain_twin(seed: int) -> None:
    cases = log(seed, n=700, n_units=3)
    one = {"b": 31}
    assert_same(whole(cases).part(0, ["b"]).compare(one), twin.compared(cases, one, CAPS))
    received = Received(counted(cases))
    places = np.array([0, -1, 0], dtype=np.int64)  # u0 and u2 together, u1 nowhere
    pair = [case for case in cases if case.unit != "u1"]
    division = Division(received, places, CAPS, {0: WEIGHTS})
    assert_same(division.part(0).compare(WEIGHTS), twin.compared(pair, WEIGHTS, CAPS))
    assert [tally.n for tally in division.part(0).tallies] == [
        sum(case.is_now is is_now for case in pair) for is_now in (False, True)
    ]


def test_the_order_of_rows_moves_not_one_digit() -> None:
    table = counted(log(1))
    shuffled = table.take(random.Random(1).sample(range(table.num_rows), table.num_rows))
    found = [
        Division(Received(rows), np.zeros(6, dtype=np.int64), CAPS, None).part(0).compare(WEIGHTS)
        for rows in (table, shuffled)
    ]
    assert found[0] == found[1]


def test_a_procedure_with_fewer_than_ten_on_a_side_is_not_covered() -> None:
    cases = [Case("a", "u", side, 1, seconds, "result") for side in (False, True) for seconds in range(20)]
    cases += [Case("few", "u", side, 1, 5, "result") for side, n in ((False, 50), (True, 9)) for _ in range(n)]
    found = whole(cases, {"a": 100, "few": 100}).part(0).compare({"a": 20, "few": 50})
    assert dict(found.weights) == {"a": 20}
    assert (found.n_base, found.n_covered_base, found.n_now, found.n_covered_now) == (70, 20, 29, 20)


def test_a_procedure_without_a_cap_has_no_tau() -> None:
    cases = [Case("a", "u", side, 1, seconds, "result") for side in (False, True) for seconds in range(20)]
    found = whole(cases, {}).part(0).compare({"a": 20})
    assert (dict(found.weights), found.reduction, found.spread) == ({}, None, None)


@pytest.mark.parametrize("seconds", [0, 7])
def test_without_spread_there_is_no_interval(seconds: int) -> None:
    cases = [Case("a", f"u{i % 6}", side, 1, seconds, "result") for side in (False, True) for i in range(20)]
    found = whole(cases).part(0).compare({"a": 20})
    assert found.spread is None
    assert found.reduction == (Fraction(0) if seconds else None)


def test_all_pending_on_both_sides_is_no_change_and_no_interval() -> None:
    cases = [Case("a", f"u{i % 6}", side, 1, i, "pending") for side in (False, True) for i in range(20)]
    found = whole(cases).part(0).compare({"a": 20})
    assert (found.reduction, found.spread) == (0, None)


def test_nothing_received_is_no_data() -> None:
    part: Part = whole([]).part(0)
    found = part.compare(WEIGHTS)
    assert (found.n_base, found.n_now, found.reduction) == (0, 0, None)
    assert [tally.n for tally in part.tallies] == [0, 0]


def test_old_cases_left_lying_are_a_gain_by_finished_dossiers_and_none_by_received_ones() -> None:
    """Now the slow third is left lying, and stays pending as long as it took before."""
    draw = random.Random(3)
    cases = []
    for i in range(1200):
        is_now, is_slow = i % 2 == 1, i // 2 % 3 == 0
        seconds = draw.randint(5000, 9000) if is_slow else draw.randint(100, 2000)
        fate = "pending" if is_now and is_slow else "result"
        cases.append(Case("a", f"u{i // 2 % 20}", is_now, 1 + i % 12, seconds, fate))
    means = {
        side: float(np.mean([case.seconds for case in cases if case.is_now is side and case.fate == "result"]))
        for side in (False, True)
    }
    found = whole(cases, {"a": 5000}).part(0).compare({"a": 600})
    assert 1 - means[True] / means[False] > 0.2
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < 1 < found.upper
