"""Which units the data can part (rulebook 7c), pair by pair."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .figures import student_t


@dataclass(frozen=True)
class Ratio:
    """A unit's N ÷ D, with the variance of its logarithm and the degrees of freedom behind that."""

    value: float
    variance: float
    freedom: int


def is_certainly_less(one: Ratio, other: Ratio) -> bool:
    """The 95 % interval of the difference of their logarithms lies below 0; the smaller freedom counts."""
    reach = student_t(0.95, min(one.freedom, other.freedom)) * math.sqrt(one.variance + other.variance)
    return math.log(one.value) - math.log(other.value) + reach < 0


def ranks(ratios: Mapping[str, Ratio]) -> dict[str, tuple[int, int]]:
    """Best and worst place of each unit."""
    found = {}
    for unit, own in ratios.items():
        n_better = sum(is_certainly_less(other, own) for other in ratios.values())
        n_worse = sum(is_certainly_less(own, other) for other in ratios.values())
        found[unit] = (1 + n_better, len(ratios) - n_worse)
    return found
