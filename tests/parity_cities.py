"""Made-up cells of cross-boundary and local dossiers, for asking the parity test many times what it says.

The design: 24 units and 6 procedures of their own mean times; every dossier draws its unit, procedure and month at
random and its time from a gamma law of coefficient of variation 1.1, cross-boundary ones times `ratio`; without a cap.
Cross-boundary dossiers have another mix of procedures than local ones, so that plain means would differ.
"""

from __future__ import annotations

import numpy as np

from procmon.judge.cells import Cell, Cells

N_UNITS = 24
MEAN_HOURS = np.array([4.0, 8.0, 16.0, 24.0, 40.0, 80.0])
LOCAL_MIX = np.array([0.30, 0.25, 0.20, 0.15, 0.07, 0.03])
CROSS_MIX = LOCAL_MIX[::-1] * 0.5 + LOCAL_MIX * 0.5
VARIATION = 1.1


def cells(seed: int, *, n_cross: int, n_local: int, ratio: float) -> Cells:
    """Cells as SQL would count them; `is_now` for the cross-boundary side."""
    rng = np.random.default_rng(seed)
    sides = [(False, n_local, LOCAL_MIX, 1.0), (True, n_cross, CROSS_MIX, ratio)]
    return Cells.of_rows(
        cell for is_cross, n, mix, times in sides for cell in _side(rng, n, mix, times, is_cross=is_cross)
    )


def _side(rng: np.random.Generator, n: int, mix: np.ndarray, times: float, *, is_cross: bool) -> list[Cell]:
    procedure = rng.choice(len(mix), size=n, p=mix / mix.sum())
    unit, month = rng.integers(0, N_UNITS, n), rng.integers(1, 13, n)
    shape = 1 / VARIATION**2
    seconds = np.rint(rng.gamma(shape, MEAN_HOURS[procedure] * 3600 * times / shape)).astype(np.int64)
    place = (procedure * N_UNITS + unit) * 12 + month - 1
    size = len(mix) * N_UNITS * 12
    counts = np.bincount(place, minlength=size)
    sums, squares = np.zeros(size, np.int64), np.zeros(size, object)
    np.add.at(sums, place, seconds)
    np.add.at(squares, place, seconds.astype(object) ** 2)
    return [
        Cell(f"1.{p // (N_UNITS * 12)}", f"W{p // 12 % N_UNITS}", is_cross, 2025 * 12 + p % 12 + 1, int(counts[p]),
             int(sums[p]), int(squares[p]), int(sums[p]), 0, 0)
        for p in np.flatnonzero(counts).tolist()
    ]  # fmt: skip
