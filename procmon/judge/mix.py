"""The actual cut at fixed mix, its interval and its verdict (rulebook 7a, 7b, 7c).

Everything is computed from cells: exact integer sums of capped seconds by procedure, unit, side and month. Floats are
summed in the cells' order, so that the order of rows changes no digit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from procmon.judge.cells import HALF, Cells, Ints
from procmon.judge.numbers import exact_sum
from procmon.judge.student import t_quantile

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
MIN_CLUSTERS = 5

MONTHS = 1 << 20
"""More months than any log has: numbers clusters of unit, side and month."""


@dataclass(frozen=True)
class Side:
    """One procedure on one side, summed over its cells."""

    n: int
    seconds: int
    squares: int
    uncapped: int
    n_capped: int
    capped_seconds: int

    @property
    def mean(self) -> Fraction:
        """Mean of the capped times, seconds."""
        return Fraction(self.seconds, self.n)


@dataclass(frozen=True)
class Spread:
    """How far the logarithm of a ratio may lie from the truth: its variance, with degrees of freedom (rulebook 7b)."""

    variance: float
    freedom: int

    def around(self, ratio: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The interval of a ratio."""
        half = t_quantile(confidence, self.freedom) * math.sqrt(self.variance)
        return ratio * math.exp(-half), ratio * math.exp(half)


@dataclass(frozen=True)
class Compared:
    """Both sides at fixed mix, N ÷ D: what a verdict needs, whatever times were averaged."""

    n_base: int
    n_now: int
    n_covered_base: int
    n_covered_now: int
    numerator: Fraction
    denominator: Fraction
    weights: Mapping[str, int]
    """The mix: each covered procedure's finished dossiers of the baseline."""
    spread: Spread | None

    @property
    def weight(self) -> int:
        """The sum of the weights."""
        return sum(self.weights.values())

    @property
    def interval(self) -> tuple[float, float] | tuple[None, None]:
        """The 95 % interval of the ratio N ÷ D, where there is one."""
        if self.spread is None:
            return None, None
        return self.spread.around(float(self.numerator / self.denominator))

    @property
    def lower(self) -> float | None:
        """The interval's lower end."""
        return self.interval[0]

    @property
    def upper(self) -> float | None:
        """The interval's upper end."""
        return self.interval[1]

    @property
    def reduction(self) -> Fraction | None:
        """C = 1 - N ÷ D; None where D is 0."""
        return 1 - self.numerator / self.denominator if self.denominator else None

    @property
    def coverage(self) -> float | None:
        """Share of the baseline's dossiers that the mix covers."""
        return self.n_covered_base / self.n_base if self.n_base else None


@dataclass(frozen=True)
class Cut(Compared):
    """Finished dossiers compared: capped means, and what the cap hides."""

    seconds_base: int
    seconds_now: int
    covered_seconds_base: int
    covered_seconds_now: int
    uncapped_numerator: Fraction
    uncapped_denominator: Fraction
    n_capped_base: int
    n_capped_now: int
    capped_seconds_base: int
    capped_seconds_now: int


def compare(cells: Cells, *, min_n: int) -> Cut:
    """Compare both sides at the baseline's mix, over the procedures with `min_n` dossiers or more on each.

    A procedure with an empty code is a bag of many: never covered.
    """
    base, now = sum_by_procedure(cells)
    covered = sorted(p for p in base if p and p in now and base[p].n >= min_n and now[p].n >= min_n)
    numerator = exact_sum(base[p].n * now[p].mean for p in covered)
    denominator = Fraction(sum(base[p].seconds for p in covered))
    return Cut(
        n_base=sum(side.n for side in base.values()),
        n_now=sum(side.n for side in now.values()),
        n_covered_base=sum(base[p].n for p in covered),
        n_covered_now=sum(now[p].n for p in covered),
        seconds_base=sum(side.uncapped for side in base.values()),
        seconds_now=sum(side.uncapped for side in now.values()),
        covered_seconds_base=sum(base[p].uncapped for p in covered),
        covered_seconds_now=sum(now[p].uncapped for p in covered),
        numerator=numerator,
        denominator=denominator,
        weights={p: base[p].n for p in covered},
        uncapped_numerator=exact_sum(Fraction(base[p].n * now[p].uncapped, now[p].n) for p in covered),
        uncapped_denominator=Fraction(sum(base[p].uncapped for p in covered)),
        n_capped_base=sum(base[p].n_capped for p in covered),
        n_capped_now=sum(now[p].n_capped for p in covered),
        capped_seconds_base=sum(base[p].capped_seconds for p in covered),
        capped_seconds_now=sum(now[p].capped_seconds for p in covered),
        spread=_spread_of_means(cells, base, now, covered, numerator, denominator),
    )


def sum_by_procedure(cells: Cells) -> tuple[dict[str, Side], dict[str, Side]]:
    """Each procedure's cells summed: of the baseline, and of now."""
    key = cells.procedure * 2 + cells.side
    first = np.flatnonzero(np.diff(key, prepend=-1))
    sides: tuple[dict[str, Side], dict[str, Side]] = ({}, {})
    if len(first):
        sums = np.add.reduceat(cells.counts[2:], first, axis=1).T.tolist()
        for place, (n, seconds, high, low, *others) in zip(key[first].tolist(), sums, strict=True):
            sides[place % 2][cells.procedures[place // 2]] = Side(n, seconds, high * HALF + low, *others)
    return sides


def spread(squares: Mapping[bool, Sequence[float]], z: Floats, unit: Ints, side: Ints, month: Ints) -> Spread | None:
    """The larger of the naive variance and the one robust against shocks by unit or month (rulebook 7b).

    Args:
        squares: by side, parts of the sum of z² over dossiers.
        z: sums of z, each over dossiers of one unit, side and month, which are numbered.

    Returns: None without variance on a side, or without a degree of freedom.
    """
    if not (any(squares[False]) and any(squares[True])):
        return None
    naive = math.fsum([*squares[False], *squares[True]])
    variance, freedom = _clustered(z, unit, side, month)
    return Spread(max(naive, variance), freedom) if freedom else None


def _spread_of_means(
    cells: Cells,
    base: dict[str, Side],
    now: dict[str, Side],
    covered: Sequence[str],
    numerator: Fraction,
    denominator: Fraction,
) -> Spread | None:
    """The spread of ln(N ÷ D).

    z of a dossier is factor · (y - mean), the factor the same for a procedure and side; so sums of z over a cell
    need its n and its sum of y only, and Σ z² the procedure's sum of squares.
    """
    if not covered or not denominator or not numerator:
        return None
    factors, means = np.zeros((len(cells.procedures), 2)), np.zeros((len(cells.procedures), 2))
    squares: dict[bool, list[float]] = {False: [], True: []}
    place = {procedure: number for number, procedure in enumerate(cells.procedures)}
    for procedure in covered:
        weight, at = base[procedure].n, place[procedure]
        for is_now, side, total in ((False, base[procedure], denominator), (True, now[procedure], numerator)):
            sign = 1 if is_now else -1
            factor = sign * weight / (side.n * float(total)) * math.sqrt(side.n / (side.n - 1))
            factors[at, int(is_now)], means[at, int(is_now)] = factor, side.seconds / side.n
            deviations = (side.n * side.squares - side.seconds**2) / side.n
            squares[is_now].append(factor * factor * deviations)
    factor_of_cell = factors[cells.procedure, cells.side]
    is_covered = factor_of_cell != 0
    z = factor_of_cell * (cells.seconds - cells.n * means[cells.procedure, cells.side])
    return spread(squares, *(of_cell[is_covered] for of_cell in (z, cells.unit, cells.side, cells.month)))


def _clustered(z: Floats, unit: Ints, side: Ints, month: Ints) -> tuple[float, int]:
    """V_unit with G - 1 degrees, or with fewer than five units V_month with Σ (M - 1)."""
    units, of_unit = np.unique(unit, return_inverse=True)
    n_units = len(units)
    if n_units >= MIN_CLUSTERS:
        totals = np.bincount(of_unit, z).tolist()
        return n_units / (n_units - 1) * math.fsum(total * total for total in totals), n_units - 1
    clusters, of_cluster = np.unique((of_unit * 2 + side) * MONTHS + month, return_inverse=True)
    by_month: dict[int, list[float]] = defaultdict(list)
    for cluster, total in zip(clusters.tolist(), np.bincount(of_cluster, z).tolist(), strict=True):
        by_month[cluster // MONTHS].append(total)
    variance, freedom = [], 0
    for values in by_month.values():
        m = len(values)
        if m > 1:
            centre = math.fsum(values) / m
            variance.append(m / (m - 1) * math.fsum((value - centre) ** 2 for value in values))
            freedom += m - 1
    return math.fsum(variance), freedom


def verdict(cut: Compared, target: float, *, min_n: int, min_coverage: float) -> tuple[str, str]:
    """(verdict, why there is none) of a cut against a target, a fraction (rulebook 7c).

    `min_n` is what both sides need: 1 for a scope at fixed mix, `min_n_verdict` for one procedure.
    """
    if cut.n_base == 0:
        return "no_data", "no_baseline"
    if min(cut.n_base, cut.n_now) < min_n or cut.n_covered_now == 0:
        return "no_data", "few_dossiers"
    if (cut.coverage or 0) < min_coverage:
        return "no_data", "coverage"
    if cut.lower is None or cut.upper is None:
        return "no_data", "no_interval"
    if cut.upper <= 1 - target:
        return "met", ""
    return ("missed", "") if cut.lower > 1 - target else ("inconclusive", "")
