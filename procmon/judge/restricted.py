"""Restricted means of the received dossiers at fixed mix, with their interval (rulebook 7d).

Received dossiers are held as numpy arrays; curves are drawn for every procedure and side of a *division* at once: the
question's dossiers as one place, or each unit's or department's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procmon.judge import survival
from procmon.judge.cells import integers, numbered
from procmon.judge.mix import Compared, Spread, spread
from procmon.judge.numbers import exact_sum
from procmon.judge.survival import NEVER, Floats, Ints

Flags = NDArray[np.bool_]

MIN_AT_RISK = 10
FATES = ("n_result", "n_no_result", "n_pending")


class Tally(NamedTuple):
    """Received dossiers by what has become of them."""

    results: int
    others: int
    pending: int

    @property
    def n(self) -> int:
        """All of them."""
        return sum(self)


class Received:
    """The received dossiers of both sides: rows in a total order, and the *cells* that they fall into.

    A row is dossiers of one cell with the same working seconds; a cell is one procedure, unit, side and month of
    receipt. Sides are numbered 0 (baseline) and 1 (now).
    """

    def __init__(self, received: pa.Table) -> None:
        """`received` is step `received`: counts by procedure, unit, side, month and working seconds, in any order."""
        self.procedures, procedure = numbered(received["procedure_key"])
        self.units, unit = numbered(received["unit_today"])
        self.months, month = np.unique(integers(received["month_no"]), return_inverse=True)
        side, seconds = integers(received["is_now"]), integers(received["working_seconds"])
        cell_key = ((procedure * len(self.units) + unit) * 2 + side) * len(self.months) + month
        order = np.argsort(cell_key * (int(seconds.max(initial=0)) + 1) + seconds)
        cell_key = cell_key[order]
        first = np.flatnonzero(np.diff(cell_key, prepend=-1))
        self.cell = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(order))))
        self.seconds = seconds[order]
        self.counts = np.stack([integers(received[name])[order] for name in FATES])
        """By fate and row."""
        self.cell_procedure, self.cell_unit, self.cell_side, self.cell_month = (
            values[order][first] for values in (procedure, unit, side, month)
        )
        self.cell_counts = np.add.reduceat(self.counts, first, axis=1) if len(first) else self.counts
        self._number = {code: number for number, code in enumerate(self.procedures)}

    def numbers(self, codes: Iterable[str]) -> Ints:
        """The numbers of these procedures, as far as any of their dossiers were received."""
        return np.array([self._number[code] for code in codes if code in self._number], dtype=np.int64)


class Division:
    """Restricted means, and what they are made of, for each place and procedure on both sides.

    Arrays by place, procedure and side have these three axes; those of cells are in the order of `Received`'s.
    """

    def __init__(
        self,
        received: Received,
        place_of_unit: Ints,
        caps: Mapping[str, int],
        mixes: Mapping[int, Iterable[str]] | None,
    ) -> None:
        """
        Args:
            place_of_unit: by unit its place, numbered from 0 without a gap; NEVER for none.
            caps: seconds by procedure.
            mixes: by place the procedures whose curves are wanted; None: every curve.
        """
        self.received = received
        n_places = max(int(place_of_unit.max(initial=0)), *(mixes or ()), 0) + 1  # some places received nothing
        shape = (n_places, len(received.procedures), 2)
        self.place = place_of_unit[received.cell_unit]
        inside = np.flatnonzero(self.place != NEVER)
        group_of_cell = np.full(len(self.place), NEVER)
        group_of_cell[inside] = np.ravel_multi_index(
            (self.place[inside], received.cell_procedure[inside], received.cell_side[inside]), shape
        )
        pair = group_of_cell // 2  # a place and procedure; NEVER // 2 is NEVER
        self._order = np.argsort(pair, kind="stable")
        self._ordered = pair[self._order]
        n = np.zeros(math.prod(shape), dtype=np.int64)
        np.add.at(n, group_of_cell[inside], received.cell_counts.sum(axis=0)[inside])
        self.n = n.reshape(shape)
        wanted = self.n > 0
        if mixes is not None:
            wanted &= (_chosen(received, mixes, shape[:2]) & (self.n >= MIN_AT_RISK).all(axis=2))[:, :, np.newaxis]
        self.groups = np.flatnonzero(wanted)
        """The groups that have a curve, as numbers into an array of `shape`; `curves` has them in this order."""
        number = np.full(n.size, NEVER)
        number[self.groups] = np.arange(len(self.groups))
        group_of_row = np.where(group_of_cell == NEVER, NEVER, number[group_of_cell])[received.cell]
        rows = np.flatnonzero(group_of_row != NEVER)
        self.tau = np.full(shape[:2], NEVER)
        self.mean, self.squares = np.zeros(shape), np.zeros(shape)
        self.deviation = np.zeros(len(self.place))
        """By cell: the sum of its dossiers' deviations, of which pseudo-values less means consist."""
        self.curves: survival.Steps | None = None
        if len(rows):
            self._draw(group_of_row[rows], rows, caps)

    def _draw(self, group: Ints, rows: Ints, caps: Mapping[str, int]) -> None:
        received = self.received
        counts = received.counts[:, rows]
        at, step_of_row = survival.steps(group, received.seconds[rows], *counts)
        self.curves = at
        longest = np.full(self.n.size, NEVER)
        longest[self.groups] = at.longest(MIN_AT_RISK)
        cap = np.array([caps.get(code, NEVER) for code in received.procedures], dtype=np.int64)
        self.tau = np.minimum(longest.reshape(self.n.shape).min(axis=2), cap)
        found = survival.restricted(at, self.tau_of_groups())
        self.mean.flat[self.groups], self.squares.flat[self.groups] = found.mean, found.squares
        moved = counts[:2].sum(axis=0) * found.of_ended[step_of_row] + counts[2] * found.of_pending[step_of_row]
        self.deviation += np.bincount(received.cell[rows], weights=moved, minlength=len(self.deviation))

    def part(self, place: int, codes: Iterable[str] | None = None) -> Part:
        """A place's dossiers, or those of some procedures there."""
        n = len(self.received.procedures)
        if codes is None:
            ranges = [(place * n, place * n + n)]
        else:
            ranges = [(place * n + number, place * n + number + 1) for number in self.received.numbers(codes).tolist()]
        edges = np.searchsorted(self._ordered, np.array(ranges, dtype=np.int64).reshape(-1, 2)).tolist()
        cells = [self._order[start:stop] for start, stop in edges]
        return Part(self, place, np.concatenate([self._order[:0], *cells]))

    def tau_of_groups(self) -> Ints:
        """τ of each curve; 0 where there is none."""
        taus: Ints = np.maximum(np.repeat(self.tau.ravel(), 2)[self.groups], 0)
        return taus


def _chosen(received: Received, mixes: Mapping[int, Iterable[str]], shape: tuple[int, int]) -> Flags:
    found = np.zeros(shape, dtype=bool)
    for place, codes in mixes.items():
        found[place, received.numbers(codes)] = True
    return found


@dataclass(frozen=True)
class Part:
    """The dossiers of a scope: cells (their numbers) of one place of a division."""

    division: Division
    place: int
    cells: Ints

    @cached_property
    def tallies(self) -> tuple[Tally, Tally]:
        """Its received dossiers of the baseline and of the period."""
        received = self.division.received
        side = received.cell_side[self.cells]
        base, now = (received.cell_counts[:, self.cells[side == number]].sum(axis=1).tolist() for number in (0, 1))
        return Tally(*base), Tally(*now)

    def compare(self, weights: Mapping[str, int]) -> Compared:
        """Restricted means at the mix of `weights`, as far as its procedures have a τ."""
        division, received = self.division, self.division.received
        mix = {code: n for code, n in weights.items() if len(at := received.numbers([code])) and self._has_tau(at[0])}
        numbers = received.numbers(mix)
        weight = list(mix.values())
        means, n = division.mean[self.place, numbers], division.n[self.place, numbers]
        denominator, numerator = (
            exact_sum(Fraction(w) * Fraction(mean) for w, mean in zip(weight, means[:, side].tolist(), strict=True))
            for side in (0, 1)
        )
        return Compared(
            n_base=self.tallies[0].n,
            n_now=self.tallies[1].n,
            n_covered_base=int(n[:, 0].sum()),
            n_covered_now=int(n[:, 1].sum()),
            numerator=numerator,
            denominator=denominator,
            weights=mix,
            spread=self._spread(numbers, np.array(weight, dtype=np.float64), (float(denominator), float(numerator))),
        )

    def _has_tau(self, procedure: int) -> bool:
        return bool(self.division.tau[self.place, procedure] != NEVER)

    def _spread(self, procedures: Ints, weights: Floats, totals: tuple[float, float]) -> Spread | None:
        """The spread of 7b, with z = ±w·(pseudo-value - mean) ÷ (n·S) · √(n ÷ (n - 1))."""
        if not (totals[0] and totals[1]):
            return None
        division, received = self.division, self.division.received
        n = division.n[self.place, procedures]
        sign_and_total = np.array([-totals[0], totals[1]])
        of_mix = weights[:, np.newaxis] / (n * sign_and_total) * np.sqrt(n / (n - 1))
        factor = np.zeros(division.n.shape[1:])
        factor[procedures] = of_mix
        squares = of_mix**2 * division.squares[self.place, procedures]
        of_cell = factor[received.cell_procedure[self.cells], received.cell_side[self.cells]]
        cells = self.cells[of_cell != 0]
        z = of_cell[of_cell != 0] * division.deviation[cells]
        return spread(
            {bool(side): squares[:, side].tolist() for side in (0, 1)},
            z, received.cell_unit[cells], received.cell_side[cells], received.cell_month[cells],
        )  # fmt: skip
