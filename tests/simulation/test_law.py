"""The bounds for fewer cities are those that the binomial law gives (law.py)."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from tests.simulation.law import at_least, at_most, ratio_bounds


def chance_below(bound: int, n: int, p: Fraction) -> Fraction:
    return sum((comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(bound)), Fraction())


@pytest.mark.parametrize("low", [900, 932, 950, 985])
@pytest.mark.parametrize("n", [40, 200])
def test_a_just_right_program_fails_once_in_ten_thousand_and_no_lower_bound_is_needed(low: int, n: int) -> None:
    bound, p = at_least(low, n), Fraction(low, 1000)
    assert chance_below(bound, n, p) <= Fraction(1, 10_000) < chance_below(bound + 1, n, p)


def test_the_bounds_of_failures_are_those_of_successes_turned_round() -> None:
    assert at_most(55, 200) == 200 - at_least(945, 200)


def test_the_full_campaign_keeps_its_own_bounds() -> None:
    assert (at_least(900, 1000), at_most(985, 1000), ratio_bounds(0.85, 1.25, 1000)) == (900, 985, (0.85, 1.25))


def test_the_ratio_of_widths_is_given_more_room_with_fewer_cities() -> None:
    low, high = ratio_bounds(0.85, 1.25, 200)
    assert low == pytest.approx(0.85 / 1.2136, abs=1e-3)
    assert high == pytest.approx(1.25 * 1.2136, abs=2e-3)
