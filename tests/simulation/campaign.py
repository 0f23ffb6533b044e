"""Many made-up cities, each judged by the product against what was planted in it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import median, stdev

from procmon.judge.mix import Compared, Cut, verdict
from tests.simulation.cities import Dossiers, planted_city
from tests.simulation.judging import POLICIES, cut_of, summed_cells

N_CITIES = int(os.environ.get("PROCMON_TESTS_CITIES", "200"))


@dataclass(frozen=True)
class Campaign:
    """What the product found in cities that were all given the same change."""

    reduction: float
    cuts: tuple[Cut, ...]

    @property
    def n_inside(self) -> int:
        """Cities whose interval holds the planted change."""
        return sum(is_inside(cut, self.reduction) for cut in self.cuts)

    @cached_property
    def errors(self) -> list[float]:
        """ln(N ÷ D) less the planted one."""
        return [math.log(cut.numerator / cut.denominator) - math.log(1 - self.reduction) for cut in self.cuts]

    @property
    def half_width(self) -> float:
        """The median half-width of the intervals, on the log."""
        return median(math.log(cut.upper / cut.lower) / 2 for cut in self.cuts if cut.upper and cut.lower)

    @property
    def width_ratio(self) -> float:
        """The median half-width over that which the errors' spread calls for."""
        return self.half_width / (1.96 * stdev(self.errors))

    def n_verdicts(self, said: str, target: float) -> int:
        """Cities with this verdict against a target."""
        judged = (verdict(cut, target, min_n=1, min_coverage=POLICIES.min_coverage)[0] for cut in self.cuts)
        return sum(found == said for found in judged)


def is_inside(cut: Compared, reduction: float) -> bool:
    """Whether the interval holds this reduction."""
    return cut.lower is not None and cut.upper is not None and cut.lower <= 1 - reduction <= cut.upper


def cuts_of(city: Callable[[int], Dossiers], seeds: Iterable[int]) -> tuple[Cut, ...]:
    """The product's comparison of each city."""
    return tuple(cut_of(summed_cells(city(seed))) for seed in seeds)


def planted_campaign(reduction: float, *, has_shocks: bool, first_seed: int = 0) -> Campaign:
    """`N_CITIES` cities with one planted change."""
    seeds = range(first_seed, first_seed + N_CITIES)
    return Campaign(reduction, cuts_of(lambda seed: planted_city(seed, reduction, has_shocks=has_shocks), seeds))
