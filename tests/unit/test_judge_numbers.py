"""Student's t against the tables and the plain twin; figures rounded once, half-even, to nine digits."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin.figures import nine_digits, student_t

from procmon.judge.numbers import exact_sum, round9, share
from procmon.judge.student import t_quantile

# Two-sided; from the printed tables, to their digits.
TABLE = {
    0.90: {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 10: 1.812, 20: 1.725, 30: 1.697, 60: 1.671, 120: 1.658},
    0.95: {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980},
    0.99: {1: 63.657, 2: 9.925, 3: 5.841, 4: 4.604, 5: 4.032, 10: 3.169, 20: 2.845, 30: 2.750, 60: 2.660, 120: 2.617},
}


@pytest.mark.parametrize("confidence", TABLE)
def test_students_t_is_that_of_the_tables(confidence: float) -> None:
    found = {freedom: round(t_quantile(confidence, freedom), 3) for freedom in TABLE[confidence]}
    assert found == TABLE[confidence]


def test_students_t_of_one_and_two_degrees_is_the_closed_form_to_twelve_digits() -> None:
    assert math.isclose(t_quantile(0.95, 1), math.tan(math.pi * 0.475), rel_tol=1e-12)
    assert math.isclose(t_quantile(0.95, 2), 0.95 * math.sqrt(2 / (1 - 0.95**2)), rel_tol=1e-12)


def test_students_t_equals_the_plain_twin_for_every_freedom_a_city_can_have() -> None:
    for freedom in [*range(1, 40), *range(40, 2001, 49), 2000]:
        assert math.isclose(t_quantile(0.95, freedom), student_t(0.95, freedom), rel_tol=1e-11), freedom


def test_students_t_falls_with_freedom_towards_the_normal_law() -> None:
    found = [t_quantile(0.95, freedom) for freedom in [*range(1, 30), *range(30, 2001, 10)]]
    assert all(one > other for one, other in itertools.pairwise(found))
    assert 1.959963984540 < found[-1] < 1.9612


@pytest.mark.parametrize(
    ("exact", "stored"),
    [
        (Fraction(2, 3), 0.666666667),
        (Fraction(1000000005, 10**10), 0.1),  # a tie, to even: a float of it would not be one
        (Fraction(1000000015, 10**10), 0.100000002),
        (Fraction(-1, 3), -0.333333333),
        (Fraction(10**30 + 1, 10**29), 10.0),
        (Fraction(0), 0.0),
    ],
)
def test_a_fraction_is_rounded_once_half_even_to_nine_digits(exact: Fraction, stored: float) -> None:
    assert round9(exact) == stored == nine_digits(exact)


def test_nothing_stays_nothing_and_a_share_of_nothing_is_none() -> None:
    assert round9(None) is None
    assert share(0, 0) is None
    assert share(1, 8) == 0.125


@given(st.lists(st.fractions(max_denominator=10**6), max_size=40))
def test_a_sum_by_halves_is_the_sum_whatever_the_order(parts: list[Fraction]) -> None:
    shuffled = random.Random(1).sample(parts, len(parts))
    assert exact_sum(parts) == exact_sum(shuffled) == sum(parts, Fraction())
