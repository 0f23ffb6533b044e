"""Quantiles of Student's t, in closed form but for one continued fraction: the only statistic that SQL lacks."""

from __future__ import annotations

import math
from functools import cache

TINY = 1e-300


@cache
def t_quantile(confidence: float, freedom: int) -> float:
    """The t with P(|T| <= t) = confidence for `freedom` >= 1 degrees, to 12 digits.

    Source: P(|T| > t) = I_x(freedom / 2, 1 / 2) at x = freedom / (freedom + t²) (Abramowitz & Stegun 26.7.1);
    solved by bisection, the incomplete beta by its continued fraction (26.5.8).
    """
    low, high = 0.0, 1.0
    while _outside(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _outside(middle, freedom) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _outside(t: float, freedom: int) -> float:
    """P(|T| > t)."""
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
