"""Rulebook 7d in fractions, plainly: a curve, its medians, its restricted mean, and that mean without each dossier.

A dossier is (seconds, fate); fates are `result`, `other` and `pending`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from twin.figures import student_t

Seen = tuple[int, str]
RESULT = frozenset({"result"})
ENDS = frozenset({"result", "other"})
HALF = Fraction(1, 2)


def times_of(seen: Sequence[Seen]) -> list[int]:
    return sorted({seconds for seconds, _ in seen})


def n_at_risk(seen: Sequence[Seen], at: int) -> int:
    return sum(seconds >= at for seconds, _ in seen)


def n_ended(seen: Sequence[Seen], at: int, fates: Collection[str]) -> int:
    return sum(seconds == at and fate in fates for seconds, fate in seen)


def kaplan_meier(seen: Sequence[Seen], ends: Collection[str] = ENDS) -> dict[int, Fraction]:
    """S at each time; whoever leaves without one of these ends is censored."""
    still_open, curve = Fraction(1), {}
    for at in times_of(seen):
        still_open *= 1 - Fraction(n_ended(seen, at, ends), n_at_risk(seen, at))
        curve[at] = still_open
    return curve


def aalen_johansen(seen: Sequence[Seen], fates: Collection[str] = RESULT) -> dict[int, Fraction]:
    """The share that has ended so, at each time."""
    open_before, share, curve = Fraction(1), Fraction(0), {}
    open_after = kaplan_meier(seen)
    for at in times_of(seen):
        share += open_before * Fraction(n_ended(seen, at, fates), n_at_risk(seen, at))
        open_before = open_after[at]
        curve[at] = share
    return curve


def median(seen: Sequence[Seen], ends: Collection[str] = ENDS) -> int | None:
    return next((at for at, still_open in kaplan_meier(seen, ends).items() if still_open <= HALF), None)


def half_with_result(seen: Sequence[Seen]) -> int | None:
    return next((at for at, share in aalen_johansen(seen).items() if share >= HALF), None)


def share_at(seen: Sequence[Seen], tau: int, fates: Collection[str]) -> Fraction:
    return max((share for at, share in aalen_johansen(seen, fates).items() if at <= tau), default=Fraction(0))


def longest(seen: Sequence[Seen], least: int = 10) -> int | None:
    """The longest time with so many still at risk."""
    return max((at for at in times_of(seen) if n_at_risk(seen, at) >= least), default=None)


def restricted_mean(seen: Sequence[Seen], tau: int) -> Fraction:
    """The area under S up to τ."""
    area, since, height = Fraction(0), 0, Fraction(1)
    for at, still_open in kaplan_meier(seen).items():
        if at >= tau:
            break
        area += height * (at - since)
        since, height = at, still_open
    return area + height * (tau - since)


def deviations(seen: Sequence[Seen], tau: int) -> list[Fraction]:
    """Each dossier's pseudo-value less the mean, by leaving it out."""
    n, whole = len(seen), restricted_mean(seen, tau)
    left_out = [restricted_mean([*seen[:i], *seen[i + 1 :]], tau) for i in range(n)]
    return [n * whole - (n - 1) * without - whole for without in left_out]


@dataclass(frozen=True)
class Case:
    """A received dossier."""

    procedure: str
    unit: str
    is_now: bool
    month: int
    seconds: int
    fate: str


@dataclass(frozen=True)
class Comparison:
    """Restricted means at fixed mix: numerator, denominator, interval of the ratio, dossiers covered on either side."""

    now: Fraction
    base: Fraction
    lower: float | None
    upper: float | None
    taus: Mapping[str, int]

    @property
    def cut(self) -> Fraction | None:
        return 1 - self.now / self.base if self.base else None


def compared(cases: Sequence[Case], weights: Mapping[str, int], caps: Mapping[str, int]) -> Comparison:
    """The restricted means of these dossiers, with weights of procedures given."""
    sides = {
        (code, is_now): [case for case in cases if case.procedure == code and case.is_now is is_now]
        for code in weights
        for is_now in (False, True)
    }
    taus = {}
    for code in sorted(weights):
        ends = [longest([(case.seconds, case.fate) for case in sides[code, is_now]]) for is_now in (False, True)]
        known = [end for end in ends if end is not None]
        if len(known) == 2:
            taus[code] = min(caps[code], *known)
    totals = {
        is_now: sum((weights[code] * _mean(sides[code, is_now], tau) for code, tau in taus.items()), Fraction(0))
        for is_now in (False, True)
    }
    now, base = totals[True], totals[False]
    if not now or not base:
        return Comparison(now, base, None, None, taus)
    zs: list[tuple[Case, float]] = []
    for code, tau in taus.items():
        for is_now in (False, True):
            own = sides[code, is_now]
            n, sign = len(own), 1 if is_now else -1
            scale = float(sign * weights[code] / (n * totals[is_now])) * math.sqrt(n / (n - 1))
            found = deviations([(case.seconds, case.fate) for case in own], tau)
            zs += [(case, scale * float(off)) for case, off in zip(own, found, strict=True)]
    if not all(any(z for case, z in zs if case.is_now is is_now) for is_now in (False, True)):
        return Comparison(now, base, None, None, taus)
    variance, freedom = _variance(zs)
    if not freedom:
        return Comparison(now, base, None, None, taus)
    reach = student_t(0.95, freedom) * math.sqrt(variance)
    ratio = math.log(now / base)
    return Comparison(now, base, math.exp(ratio - reach), math.exp(ratio + reach), taus)


def _mean(cases: Sequence[Case], tau: int) -> Fraction:
    return restricted_mean([(case.seconds, case.fate) for case in cases], tau)


def _variance(zs: Sequence[tuple[Case, float]]) -> tuple[float, int]:
    plain = sum(z * z for _, z in zs)
    units = {case.unit for case, _ in zs}
    if len(units) >= 5:
        sums = [sum(z for case, z in zs if case.unit == unit) for unit in units]
        return max(plain, len(units) / (len(units) - 1) * sum(total * total for total in sums)), len(units) - 1
    by_month, freedom = 0.0, 0
    for unit, is_now in {(case.unit, case.is_now) for case, _ in zs}:
        own = [(case.month, z) for case, z in zs if (case.unit, case.is_now) == (unit, is_now)]
        months = {month for month, _ in own}
        sums = [sum(z for m, z in own if m == month) for month in months]
        if len(months) > 1:
            centre = sum(sums) / len(sums)
            by_month += len(sums) / (len(sums) - 1) * sum((total - centre) ** 2 for total in sums)
            freedom += len(months) - 1
    return max(plain, by_month), freedom
