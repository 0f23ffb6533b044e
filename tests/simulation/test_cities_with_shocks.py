"""Cities whose units have good and bad weeks: interval and verdict hold what they promise (rulebook 7b, 7c)."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import pytest

from tests.simulation.campaign import N_CITIES, Campaign, planted_campaign
from tests.simulation.law import at_least, at_most, ratio_bounds

TARGET = 0.3
BEYOND = 2.5
"""Median half-widths between the truth and the target where the verdict must be right."""


@pytest.fixture(scope="module")
def at_target() -> Campaign:
    """The truth is the target."""
    return planted_campaign(TARGET, has_shocks=True)


def test_the_planted_change_is_inside_its_interval_as_often_as_promised(at_target: Campaign) -> None:
    error, spread = fmean(at_target.errors), stdev(at_target.errors)
    print(f"inside: {at_target.n_inside} of {N_CITIES}; mean error of the log ratio {error:+.4f}, sd {spread:.4f}")
    assert at_least(900, N_CITIES) <= at_target.n_inside <= at_most(985, N_CITIES)


def test_the_interval_is_as_wide_as_the_errors_call_for(at_target: Campaign) -> None:
    print(f"median half-width {at_target.half_width:.4f}, {at_target.width_ratio:.3f} times what the errors call for")
    low, high = ratio_bounds(0.85, 1.25, N_CITIES)
    assert low <= at_target.width_ratio <= high


@pytest.mark.parametrize("verdict", ["met", "missed"])
def test_a_truth_at_the_target_is_rarely_told_apart_from_it(at_target: Campaign, verdict: str) -> None:
    n = at_target.n_verdicts(verdict, TARGET)
    print(f"{verdict} at the target: {n} of {N_CITIES}")
    assert n <= at_most(55, N_CITIES)


@pytest.mark.parametrize(("verdict", "sign"), [("met", -1), ("missed", 1)])
def test_a_truth_well_beyond_the_target_gets_the_right_verdict(at_target: Campaign, verdict: str, sign: int) -> None:
    reduction = 1 - (1 - TARGET) * math.exp(sign * BEYOND * at_target.half_width)
    n = planted_campaign(reduction, has_shocks=True, first_seed=10_000).n_verdicts(verdict, TARGET)
    print(f"{verdict} where the truth is {reduction:.1%}: {n} of {N_CITIES}")
    assert n >= at_least(950, N_CITIES)
