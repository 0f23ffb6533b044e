"""The actual cut at fixed mix, its interval and its verdict (rulebook 7a, 7b, 7c).

Everything is computed from cells: exact integer sums of capped seconds by procedure, unit, side and month.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from procmon.judge.numbers import exact_sum
from procmon.judge.student import t_quantile

CONFIDENCE = 0.95
MIN_CLUSTERS = 5

Cluster = tuple[str, bool, int]
"""Whose shocks move together: unit, side (is it now), month counted from year 0."""


class Cell(NamedTuple):
    """Finished dossiers of one procedure, unit, side and month: sums of y = min(time, cap), in seconds."""

    procedure: str
    unit: str
    is_now: bool
    month: int
    n: int
    seconds: int
    squares: int
    uncapped: int
    n_capped: int
    capped_seconds: int


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
class Cut:
    """A comparison at fixed mix."""

    n_base: int
    n_now: int
    n_covered_base: int
    n_covered_now: int
    seconds_base: int
    seconds_now: int
    covered_seconds_base: int
    covered_seconds_now: int
    numerator: Fraction
    denominator: Fraction
    weight: int
    uncapped_numerator: Fraction
    uncapped_denominator: Fraction
    n_capped_base: int
    n_capped_now: int
    capped_seconds_base: int
    capped_seconds_now: int
    spread: Spread | None

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


def compare(cells: Sequence[Cell], *, min_n: int) -> Cut:
    """Compare both sides at the baseline's mix, over the procedures with `min_n` dossiers or more on each.

    A procedure with an empty code is a bag of many: never covered.
    """
    base, now = sum_by_procedure(c for c in cells if not c.is_now), sum_by_procedure(c for c in cells if c.is_now)
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
        weight=sum(base[p].n for p in covered),
        uncapped_numerator=exact_sum(Fraction(base[p].n * now[p].uncapped, now[p].n) for p in covered),
        uncapped_denominator=Fraction(sum(base[p].uncapped for p in covered)),
        n_capped_base=sum(base[p].n_capped for p in covered),
        n_capped_now=sum(now[p].n_capped for p in covered),
        capped_seconds_base=sum(base[p].capped_seconds for p in covered),
        capped_seconds_now=sum(now[p].capped_seconds for p in covered),
        spread=_spread_of_means(cells, base, now, covered, numerator, denominator),
    )


def sum_by_procedure(cells: Iterable[Cell]) -> dict[str, Side]:
    """Each procedure's cells summed; the sums are integers, so their order does not matter."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for cell in cells:
        total = sums[cell.procedure]
        total[0] += cell.n
        total[1] += cell.seconds
        total[2] += cell.squares
        total[3] += cell.uncapped
        total[4] += cell.n_capped
        total[5] += cell.capped_seconds
    return {procedure: Side(*total) for procedure, total in sums.items()}


def spread(squares: Mapping[bool, Sequence[float]], sums: Mapping[Cluster, float]) -> Spread | None:
    """The larger of the naive variance and the one robust against shocks by unit or month (rulebook 7b).

    Args:
        squares: by side, parts of the sum of z² over dossiers.
        sums: the sum of z by (unit, side, month).

    Floats are summed by fsum, so that their order changes nothing.
    Returns: None without variance on a side, or without a degree of freedom.
    """
    if not (any(squares[False]) and any(squares[True])):
        return None
    naive = math.fsum([*squares[False], *squares[True]])
    variance, freedom = _clustered(sums)
    return Spread(max(naive, variance), freedom) if freedom else None


def _spread_of_means(
    cells: Iterable[Cell],
    base: dict[str, Side],
    now: dict[str, Side],
    covered: Sequence[str],
    numerator: Fraction,
    denominator: Fraction,
) -> Spread | None:
    """The spread of ln(N ÷ D).

    z of a dossier is factor · (y - mean), the factor the same for a procedure and side; so sums of z over a cell
    need its n and its sum of y only, and Σ z² the procedure's sum of squares. Each float comes from exact integers by
    one division (which Python rounds right).
    """
    if not covered or not denominator or not numerator:
        return None
    factors: dict[tuple[str, bool], float] = {}
    squares: dict[bool, list[float]] = {False: [], True: []}
    for procedure in covered:
        weight = base[procedure].n
        for is_now, side, total in ((False, base[procedure], denominator), (True, now[procedure], numerator)):
            sign = 1 if is_now else -1
            factor = sign * weight / (side.n * float(total)) * math.sqrt(side.n / (side.n - 1))
            factors[procedure, is_now] = factor
            deviations = (side.n * side.squares - side.seconds**2) / side.n
            squares[is_now].append(factor * factor * deviations)
    parts: dict[Cluster, list[float]] = defaultdict(list)
    for cell in cells:
        key = cell.procedure, cell.is_now
        if key in factors:
            side = (now if cell.is_now else base)[cell.procedure]
            deviation = (cell.seconds * side.n - cell.n * side.seconds) / side.n
            parts[cell.unit, cell.is_now, cell.month].append(factors[key] * deviation)
    return spread(squares, {key: math.fsum(values) for key, values in parts.items()})


def _clustered(sums: Mapping[Cluster, float]) -> tuple[float, int]:
    """V_unit with G - 1 degrees, or with fewer than five units V_month with Σ (M - 1)."""
    by_unit: dict[str, list[float]] = defaultdict(list)
    by_month: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for (unit, is_now, _), total in sorted(sums.items()):
        by_unit[unit].append(total)
        by_month[unit, is_now].append(total)
    n_units = len(by_unit)
    if n_units >= MIN_CLUSTERS:
        totals = (math.fsum(values) for values in by_unit.values())
        return n_units / (n_units - 1) * math.fsum(total * total for total in totals), n_units - 1
    variance, freedom = [], 0
    for values in by_month.values():
        m = len(values)
        if m > 1:
            centre = math.fsum(values) / m
            variance.append(m / (m - 1) * math.fsum((value - centre) ** 2 for value in values))
            freedom += m - 1
    return math.fsum(variance), freedom


def verdict(cut: Cut, target: float, *, min_n: int, min_coverage: float) -> tuple[str, str]:
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
