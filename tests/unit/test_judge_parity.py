"""Parity says `equivalent` only where it is shown, and says so where it should (rulebook 8).

The design of the made-up cities stands in tests/parity_cities.py. PROCMON_TESTS_SEEDS=1000 asks as often as the issue
of parity does; a right program fails here by chance less than once in 10,000 times, by the binomial law.
"""

from __future__ import annotations

import math
import os
from collections import Counter

import parity_cities
import pytest

from procmon.judge.cells import Cells
from procmon.judge.parity import Interval, Sides, judged, newcombe, share_parity, time_parity, wilson

SEEDS = int(os.environ.get("PROCMON_TESTS_SEEDS", "200"))
CHANCE = 1e-4


def most(p: float) -> int:
    """The least k with P(more than k of SEEDS) < CHANCE, each happening with probability p."""
    tail, k = 1.0, -1
    while tail >= CHANCE:
        k += 1
        log_p = math.lgamma(SEEDS + 1) - math.lgamma(k + 1) - math.lgamma(SEEDS - k + 1)
        tail -= math.exp(log_p + k * math.log(p) + (SEEDS - k) * math.log1p(-p))
    return k


def said(*, n_cross: int, n_local: int, ratio: float, margin: float = 0.10) -> Counter[str]:
    """How often each verdict is given."""
    found: Counter[str] = Counter()
    for seed in range(SEEDS):
        cells = parity_cities.cells(seed, n_cross=n_cross, n_local=n_local, ratio=ratio)
        found[time_parity(cells, min_n=5, margin=margin)["verdict"]] += 1
    assert found.total() == SEEDS
    return found


@pytest.mark.parametrize("ratio", [1.1, 1 / 1.1])
def test_a_truth_at_the_margin_is_called_equivalent_no_more_often_than_its_test_allows(ratio: float) -> None:
    """By its two one-sided tests at 5 % each, a truth at one margin passes with at most 5 %."""
    assert said(n_cross=3000, n_local=30_000, ratio=ratio)["equivalent"] <= most(0.05)


def test_equal_paths_are_called_equivalent() -> None:
    """97.8 % of 1,000 seeds were; a program that reaches 97 % passes."""
    assert said(n_cross=3000, n_local=30_000, ratio=1.0)["equivalent"] >= SEEDS - most(0.03)


def test_thirty_dossiers_show_nothing() -> None:
    assert said(n_cross=30, n_local=30_000, ratio=1.0) == {"not_shown": SEEDS}


def test_half_as_long_again_is_called_slower() -> None:
    assert said(n_cross=1000, n_local=30_000, ratio=1.5)["slower"] >= SEEDS - most(0.005)


# ---- shares


def test_one_procedures_interval_is_newcombes() -> None:
    """Newcombe 1998, table II: 56/70 against 48/80 by method 10; and 9/10 against 3/10."""
    lower, upper = newcombe([Sides(56, 70, 48, 80)], 0.95)
    assert (round(lower, 4), round(upper, 4)) == (0.0524, 0.3339)
    lower, upper = newcombe([Sides(9, 10, 3, 10)], 0.95)
    assert (round(lower, 4), round(upper, 4)) == (0.1705, 0.8090)


@pytest.mark.parametrize(("part", "n"), [(0, 10), (10, 10), (3, 10), (1, 1000)])
def test_wilsons_limits_solve_their_equation(part: int, n: int) -> None:
    z, p = 1.959963984540054, part / n
    for limit in wilson(part, n, 0.95):
        assert (p - limit) ** 2 == pytest.approx(z * z * limit * (1 - limit) / n, abs=1e-12)
        assert 0 <= limit <= 1


def test_the_shares_of_procedures_are_weighted_as_the_local_ones() -> None:
    """Two procedures that differ by nothing within, though the plain shares differ a lot."""
    row = share_parity([Sides(90, 900, 10, 100), Sides(50, 100, 450, 900)], min_n=5, margin=0.05)
    assert (row["cross_value"], row["local_value"], row["difference"]) == (0.46, 0.46, 0.0)
    assert row["n_cross"] == row["n_local"] == 1000
    single = share_parity([Sides(90, 900, 10, 100)], min_n=5, margin=0.05)
    assert single["lower_95"] < 0 < single["upper_95"]


def test_a_procedure_with_few_dossiers_on_a_side_stays_out() -> None:
    row = share_parity([Sides(20, 200, 30, 300), Sides(4, 4, 0, 300), Sides(100, 200, 4, 4)], min_n=5, margin=0.05)
    assert (row["n_cross"], row["n_covered_cross"], row["n_covered_local"]) == (404, 200, 300)
    assert row["difference"] == 0


@pytest.mark.parametrize(
    ("sides", "verdict"),
    [
        (Sides(300, 3000, 3000, 30_000), "equivalent"),
        (Sides(600, 3000, 3000, 30_000), "higher"),
        (Sides(30, 3000, 3000, 30_000), "lower"),
        (Sides(33, 3000, 300, 30_000), "equivalent"),
        (Sides(12, 110, 1000, 10_000), "not_shown"),
        (Sides(0, 99, 0, 10_000), "not_shown"),
    ],
)
def test_a_share_is_judged_by_five_points(sides: Sides, verdict: str) -> None:
    assert share_parity([sides], min_n=5, margin=0.05)["verdict"] == verdict


# ---- verdicts


def interval(estimate: float, half_90: float) -> Interval:
    half_95 = half_90 * 1.2
    return Interval(estimate, estimate - half_90, estimate + half_90, estimate - half_95, estimate + half_95)


@pytest.mark.parametrize(
    ("estimate", "half", "n", "verdict", "why", "n_needed"),
    [
        (0.00, 0.10, 100, "equivalent", "", None),  # just within
        (0.02, 0.01, 100, "equivalent", "", None),  # a difference, but a small one
        (0.20, 0.10, 100, "slower", "", None),
        (-0.20, 0.10, 100, "faster", "", None),
        (0.00, 0.20, 100, "not_shown", "wide_interval", 400),  # half as wide needs four times as many
        (0.05, 0.12, 200, "not_shown", "wide_interval", 288),
        (0.07, 0.06, 100, "not_shown", "near_margin", 100),
        (0.00, 0.01, 99, "not_shown", "few_dossiers", 100),
        (0.00, 0.20, 50, "not_shown", "few_dossiers", 200),
    ],
)
def test_a_verdict_needs_its_interval(
    estimate: float, half: float, n: int, verdict: str, why: str, n_needed: int | None
) -> None:
    found = judged(interval(estimate, half), n, 0.1, ("slower", "faster"))
    assert (found["verdict"], found["why"], found.get("n_needed")) == (verdict, why, n_needed)


def test_without_an_interval_nothing_is_shown() -> None:
    enough = judged(None, 500, 0.1, ("slower", "faster"))
    assert (enough["verdict"], enough["why"], enough.get("n_needed")) == ("not_shown", "no_interval", None)
    few = judged(None, 99, 0.1, ("slower", "faster"))
    assert (few["verdict"], few["why"], few.get("n_needed")) == ("not_shown", "few_dossiers", 100)
    assert time_parity(Cells.of_rows([]), min_n=5, margin=0.1)["verdict"] == "not_shown"
