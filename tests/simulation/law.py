"""How few of n cities may still pass: the bounds of the full campaign of 1,000, carried over to fewer by their laws.

A program whose true share of successes is p shows X of n, X ~ Binomial(n, p), the cities being drawn independently. The
full campaign asks for `low` of 1,000 at least. A program with p = low ÷ 1,000 is just right; with n cities it is failed
wrongly with P(X < b), and b is the largest whole number for which that is under 1 in 10,000, as is then every better
program. "At most" is the same of the failures. With 1,000 cities or more the share itself is asked for.

The median half-width h over 1.96 × the standard deviation s of the errors: for about normal errors ln s has the
standard error √(1 ÷ 2n); ln h that of a median, √(π ÷ 2) × sd(ln half-width) ÷ √n, where the half-width is a multiple
of √V, V has 19 degrees of freedom, and so sd(ln half-width) is about √(1 ÷ (2 · 19)). The bounds move outwards by 3.72
standard errors: 1 in 10,000 of the normal law.
"""

from __future__ import annotations

import math

FULL = 1_000
CHANCE = 1e-4
NORMAL_QUANTILE = 3.72
DEGREES = 19


def at_least(low: int, n: int) -> int:
    """The fewest successes of n cities that stand for `low` of 1,000."""
    if n >= FULL:
        return math.ceil(low * n / FULL)
    below, bound = 0.0, 0
    while (below := below + _binomial(bound, n, low / FULL)) <= CHANCE:
        bound += 1
    return bound


def at_most(high: int, n: int) -> int:
    """The most successes of n cities that stand for `high` of 1,000."""
    return n - at_least(FULL - high, n)


def ratio_bounds(low: float, high: float, n: int) -> tuple[float, float]:
    """The bounds of the median half-width over 1.96 standard deviations that stand for those with 1,000 cities."""
    if n >= FULL:
        return low, high
    room = math.exp(NORMAL_QUANTILE * math.sqrt((1 / 2 + math.pi / 2 / (2 * DEGREES)) / n))
    return low / room, high * room


def _binomial(k: int, n: int, p: float) -> float:
    """P(X = k)."""
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)
