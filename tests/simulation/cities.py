"""Small made-up cities whose change at fixed mix is planted, and therefore known: 20 units, 20,000 dossiers a year.

A dossier's processing time is its procedure's usual time × its unit's effect × its unit's shock in the week in which it
ends × a lognormal of its own (coefficient of variation 1.1); in 2025 times the procedure's factor beside. All draws
come from one seeded generator.

What is planted. The rulebook's ratio N ÷ D (7a) is of means of capped times, and half the time under one cap is not
half the capped mean. So each procedure is given its *capped* ratio first, and its factor is found from it: given the
units' effects and shares, a base time is a mixture of 20 lognormals of one shape for every procedure, whose 99th
percentile and capped mean have closed forms; the expected capped ratio of a factor follows, and is turned round.
The procedures' ratios differ (sd 0.2 on the log) and are scaled so that, at the base's dossier counts as drawn,
Σ w·E[mean now] ÷ Σ w·E[mean base] is exactly the planted one. Weights are given, as in the rulebook, and the cap is the
population's: that the product has to estimate it from the base is an error of the product's, not of the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

N_UNITS = 20
N_A_YEAR = 20_000
BASE, NOW = 2024, 2025
WEEKS = 52
MIN_N = 5
"""Dossiers that a procedure needs in both years to count in the mix (rulebook 7a)."""

OWN_SD = math.sqrt(math.log(1 + 1.1**2))
"""Of the log of a dossier's own lognormal: coefficient of variation 1.1."""
SHOCK_SD = 0.35
SHOCK_CORRELATION = 0.7
"""Of one unit's shocks in one week of the year, between the two years; other shocks are independent."""
UNIT_EFFECT_SD = 0.25
UNIT_SIZE_SD = 0.5
USUAL_TIME_SD = 0.8
CUT_SD = 0.2

WORKING_DAY = 28_800
CALENDAR_DAYS = 7 / 5
"""Days of the calendar that a working day takes."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Days = NDArray[Any]
"""Days of the calendar, as datetime64[D]."""


@dataclass(frozen=True)
class Dossiers:
    """Columns of equal length; procedures and units are numbered from 0."""

    procedure: Ints
    unit: Ints
    received_on: Days
    ended_on: Days
    """NaT: never."""
    seconds: Ints
    """Processing time, of all that end."""

    def take(self, chosen: NDArray[np.bool_]) -> Dossiers:
        """The chosen ones."""
        columns = (self.procedure, self.unit, self.received_on, self.ended_on, self.seconds)
        return Dossiers(*(column[chosen] for column in columns))

    def as_of(self, day: date) -> Dossiers:
        """As the start of a day finds them: later ones unknown, those not ended pending, with their time so far."""
        known = self.take(self.received_on < np.datetime64(day))
        is_pending = ~(known.ended_on < np.datetime64(day))
        so_far = (np.datetime64(day) - known.received_on).astype(np.int64) / CALENDAR_DAYS * WORKING_DAY
        return replace(
            known,
            ended_on=np.where(is_pending, np.datetime64("NaT"), known.ended_on),
            seconds=np.where(is_pending, so_far.astype(np.int64), known.seconds),
        )


def together(base: Dossiers, now: Dossiers) -> Dossiers:
    """Both of them."""

    def joined(name: str) -> Any:
        return np.concatenate([getattr(base, name), getattr(now, name)])

    return Dossiers(*map(joined, ("procedure", "unit", "received_on", "ended_on", "seconds")))


@dataclass(frozen=True)
class _Offices:
    """What a city has in every year: procedures with popularity and usual times, units with sizes and effects."""

    popularity: Floats
    usual_seconds: Floats
    unit_share: Floats
    unit_effect: Floats
    """On the log."""


def planted_city(seed: int, reduction: float, *, has_shocks: bool) -> Dossiers:
    """Two years of finished dossiers, the second faster by `reduction` at fixed mix, exactly (see above)."""
    rng = np.random.default_rng([seed, has_shocks])
    offices = _offices(rng, usual_days=3)
    counts = [rng.multinomial(N_A_YEAR, offices.popularity) for _ in (BASE, NOW)]
    shocks = _shocks(rng) if has_shocks else (np.zeros((N_UNITS, WEEKS)),) * 2
    factors = _factors(rng, offices, counts, reduction, math.hypot(OWN_SD, SHOCK_SD) if has_shocks else OWN_SD)
    return together(
        _finished(rng, offices, counts[0], BASE, shocks[0]),
        _finished(rng, offices, counts[1], NOW, shocks[1], factors),
    )


def cheaper_mix_city(seed: int) -> Dossiers:
    """Two years at one speed, with shocks: only, quick procedures are asked for more often in the second.

    The tilt is such that the plain mean of the usual times falls by a quarter.
    """
    rng = np.random.default_rng([seed, 2])
    offices = _offices(rng, usual_days=3)
    shocks = _shocks(rng)
    tilted = _tilted(offices.popularity, offices.usual_seconds, 0.75)
    return together(
        _finished(rng, offices, rng.multinomial(N_A_YEAR, offices.popularity), BASE, shocks[0]),
        _finished(rng, offices, rng.multinomial(N_A_YEAR, tilted), NOW, shocks[1]),
    )


def backlog_city(seed: int) -> Dossiers:
    """Four years of receipts of long cases, never faster nor slower.

    On 1 January 2025 the city lays aside what is still pending, for good, and works on what it receives that year: so
    what it finishes in 2025 is what takes less than the rest of the year.
    """
    rng = np.random.default_rng([seed, 3])
    offices = _offices(rng, usual_days=40)
    first, turn, end = (np.datetime64(f"{year}-01-01") for year in (BASE - 2, NOW, NOW + 1))
    n = N_A_YEAR * (NOW + 1 - (BASE - 2))
    procedure = rng.choice(len(offices.popularity), n, p=offices.popularity)
    unit = rng.choice(N_UNITS, n, p=offices.unit_share)
    received_on = first + rng.integers(0, int((end - first).astype(int)), n)
    seconds = _seconds(rng, offices.usual_seconds[procedure], offices.unit_effect[unit])
    ended_on = received_on + (seconds / WORKING_DAY * CALENDAR_DAYS).astype(np.int64)
    is_left = (received_on < turn) & (ended_on >= turn)
    return Dossiers(procedure, unit, received_on, np.where(is_left, np.datetime64("NaT"), ended_on), seconds)


def _offices(rng: Generator, *, usual_days: float) -> _Offices:
    """40 to 80 procedures with Zipf's popularity; `usual_days` is the median of their usual times, in working days."""
    n = int(rng.integers(40, 81))
    popularity = np.arange(1, n + 1) ** -1.2
    unit_size = np.exp(rng.normal(0, UNIT_SIZE_SD, N_UNITS))
    return _Offices(
        popularity / popularity.sum(),
        usual_days * WORKING_DAY * np.exp(rng.normal(0, USUAL_TIME_SD, n)),
        unit_size / unit_size.sum(),
        rng.normal(0, UNIT_EFFECT_SD, N_UNITS),
    )


def _shocks(rng: Generator) -> tuple[Floats, Floats]:
    """By unit and week of the year, on the log: of the base year and of the year now."""
    base, fresh = rng.normal(0, SHOCK_SD, (2, N_UNITS, WEEKS))
    return base, SHOCK_CORRELATION * base + math.sqrt(1 - SHOCK_CORRELATION**2) * fresh


def _finished(
    rng: Generator, offices: _Offices, counts: Ints, year: int, shocks: Floats, factors: Floats | float = 1.0
) -> Dossiers:
    """One year's finished dossiers, `counts` of each procedure, spread evenly over its first 52 weeks."""
    procedure = np.repeat(np.arange(len(counts)), counts)
    n = len(procedure)
    unit = rng.choice(N_UNITS, n, p=offices.unit_share)
    day = rng.integers(0, WEEKS * 7, n)
    usual = (offices.usual_seconds * factors)[procedure]
    seconds = _seconds(rng, usual, offices.unit_effect[unit] + shocks[unit, day // 7])
    ended_on = np.datetime64(f"{year}-01-01") + day
    taken = (seconds / WORKING_DAY * CALENDAR_DAYS).astype(np.int64)
    return Dossiers(procedure, unit, ended_on - taken, ended_on, seconds)


def _seconds(rng: Generator, usual: Floats, effect: Floats) -> Ints:
    own = rng.normal(0, OWN_SD, len(usual))
    return np.rint(usual * np.exp(effect + own)).astype(np.int64)


def _tilted(popularity: Floats, usual: Floats, ratio: float) -> Floats:
    """The popularity × usual ** -tilt whose mean usual time is `ratio` times the old one, by bisection."""
    low, high = 0.0, 20.0
    for _ in range(60):
        tilt = (low + high) / 2
        tilted = popularity * (usual / usual.max()) ** -tilt
        tilted /= tilted.sum()
        low, high = (tilt, high) if tilted @ usual > ratio * (popularity @ usual) else (low, tilt)
    return tilted


def _factors(rng: Generator, offices: _Offices, counts: list[Ints], reduction: float, sd: float) -> Floats:
    """By procedure: the factor on all its times that gives it its capped ratio. `sd` is that of a unit's log times."""
    ratio = np.exp(rng.normal(0, CUT_SD, len(offices.popularity)))
    weight = counts[0] * offices.usual_seconds * (np.minimum(*counts) >= MIN_N)
    ratio *= (1 - reduction) * weight.sum() / (weight @ ratio)
    # From factor to ratio is a smooth rising curve; 400 points of it give the factor to 1e-5.
    factors = np.geomspace(0.05, 5, 400)
    log_ratios = np.log(_capped_ratios(factors, offices, sd))
    return np.exp(np.interp(np.log(ratio), log_ratios, np.log(factors)))


def _capped_ratios(factors: Floats, offices: _Offices, sd: float) -> Floats:
    """E[min(factor · Y, cap)] ÷ E[min(Y, cap)] by factor: Y of median 1 × unit effect, cap its 99th percentile."""
    share, centre = offices.unit_share, offices.unit_effect
    low, high = -10.0, 20.0
    for _ in range(60):
        log_cap = (low + high) / 2
        low, high = (low, log_cap) if share @ _normal((log_cap - centre) / sd) > 0.99 else (log_cap, high)
    mean = np.exp(centre + sd * sd / 2)
    room = log_cap - np.log(np.append(factors, 1.0))[:, None] - centre
    capped = (mean * _normal(room / sd - sd)) @ share * np.append(factors, 1.0)
    capped += math.exp(log_cap) * (_normal(-room / sd) @ share)
    return capped[:-1] / capped[-1]


def _normal(x: Floats) -> Floats:
    """The normal distribution function; numpy has none."""
    return np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2
