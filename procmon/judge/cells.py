"""Counts and sums by procedure and unit as arrays: exact integers, parted by scope without a loop (rulebook 7a, 7b)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

HALF = 1 << 31
"""Sums of squares outgrow 64 bits: they are held as multiples of this and what is left."""


Axis = Literal["procedure", "unit"]


def numbered(texts: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """The distinct texts in order, and each row's place among them."""
    coded = texts.combine_chunks().dictionary_encode()
    found = coded.dictionary.to_pylist()
    ordered = sorted(found)
    place = {text: number for number, text in enumerate(ordered)}
    rank = np.array([place[text] for text in found], np.int64)
    return ordered, rank[coded.indices.to_numpy(zero_copy_only=False)]


def integers(column: pa.ChunkedArray) -> Ints:
    """A column of whole numbers or flags; an empty cell counts nothing."""
    found: Ints = column.cast(pa.int64()).fill_null(0).to_numpy()
    return found


@dataclass(frozen=True)
class Placed:
    """Rows of a procedure and a unit each, as places among names that are in order; counts by column and row."""

    procedures: Sequence[str]
    units: Sequence[str]
    procedure: Ints
    unit: Ints
    counts: Ints

    @classmethod
    def read(cls, table: pa.Table, columns: Iterable[str]) -> Self:
        """A table with `procedure_key`, `unit_today` and these columns of whole numbers."""
        procedures, procedure = numbered(table["procedure_key"])
        units, unit = numbered(table["unit_today"])
        return cls(procedures, units, procedure, unit, np.stack([integers(table[name]) for name in columns]))

    def take(self, rows: Ints) -> Self:
        """These rows, in this order."""
        return type(self)(self.procedures, self.units, self.procedure[rows], self.unit[rows], self.counts[:, rows])

    def split(self, axis: Axis, place: Callable[[str], str]) -> dict[str, Self]:
        """The rows by the place that their procedure or unit has, in order of places, each with its rows in order."""
        names = self.procedures if axis == "procedure" else self.units
        numbers = self.procedure if axis == "procedure" else self.unit
        places, of_name = numbered(pa.chunked_array([[place(name) for name in names]], pa.string()))
        of_row = of_name[numbers] if len(names) else numbers
        order = np.argsort(of_row, kind="stable")
        edges = np.searchsorted(of_row[order], np.arange(len(places) + 1)).tolist()
        return {name: self.take(order[edges[n] : edges[n + 1]]) for n, name in enumerate(places)}


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


class Cells(Placed):
    """Finished dossiers by procedure, side, unit and month, in this order; sums are of y = min(time, cap), seconds.

    Sides are numbered 0 (baseline) and 1 (now), months from year 0.
    """

    COLUMNS = (
        "is_now", "month_no", "n", "seconds", "squares_high", "squares_low", "uncapped_seconds", "n_capped",
        "capped_seconds",
    )  # fmt: skip

    @classmethod
    def of(cls, table: pa.Table) -> Cells:
        """Step `cells` (times.sql), in any order."""
        cells = cls.read(table, cls.COLUMNS)
        return cells.take(np.lexsort((cells.month, cells.unit, cells.side, cells.procedure)))

    @classmethod
    def of_rows(cls, rows: Iterable[Cell]) -> Cells:
        """Cells one by one, in any order."""
        table = [
            (c.procedure, c.unit, int(c.is_now), c.month, c.n, c.seconds, c.squares // HALF, c.squares % HALF, *c[7:])
            for c in rows
        ]
        columns = list(zip(*table, strict=True)) or [()] * (2 + len(cls.COLUMNS))
        texts = {"procedure_key": columns[0], "unit_today": columns[1]}
        counts = dict(zip(cls.COLUMNS, columns[2:], strict=True))
        return cls.of(
            pa.table(
                {name: pa.array(values, pa.string()) for name, values in texts.items()}
                | {name: pa.array(values, pa.int64()) for name, values in counts.items()}
            )
        )

    @property
    def side(self) -> Ints:
        """0: baseline, 1: now."""
        column: Ints = self.counts[0]
        return column

    @property
    def month(self) -> Ints:
        """Months of finish, from year 0."""
        column: Ints = self.counts[1]
        return column

    @property
    def n(self) -> Ints:
        """Dossiers."""
        column: Ints = self.counts[2]
        return column

    @property
    def seconds(self) -> Ints:
        """Their seconds, each dossier's up to its cap."""
        column: Ints = self.counts[3]
        return column
