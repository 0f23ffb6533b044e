"""Units by the names that people write: names to codes as of a day (rulebook 8).

«P. Hồng Bàng», «phường Hồng Bàng» and «PHƯỜNG  HỒNG BÀNG» are one name. A name of several units that day is none's:
all that it may mean are given, and nothing is guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from procmon.text import bare, fold

FOREVER = date.max

KIND_WORDS = {
    "city": ("thành phố",),
    "district": ("quận", "huyện", "thị xã", "thành phố"),
    "commune": ("xã", "thị trấn"),
    "ward": ("phường",),
    "special_zone": ("đặc khu",),
}
"""Kind of unit → the words that its names begin with."""

SHORT = {
    "thành phố": ("tp", "t p"),
    "quận": ("q",),
    "huyện": ("h",),
    "thị xã": ("tx", "t x"),
    "thị trấn": ("tt", "t t"),
    "xã": ("x",),
    "phường": ("p",),
    "đặc khu": ("đk", "đ k"),
}
"""Word → how it is abbreviated, dots left out."""

COMMITTEES = ("ủy ban nhân dân", "ubnd")
CENTRES = (
    "trung tâm phục vụ hành chính công", "trung tâm pvhcc", "tt pvhcc", "ttpvhcc", "bộ phận một cửa",
    "bộ phận tiếp nhận và trả kết quả",
)  # fmt: skip
"""How a unit's office begins whose name is not its own: what follows is the unit that it belongs to."""

WITHIN = re.compile(r"\s*[,;(]\s*|\s+[-–—]\s+")
"""What stands between a unit's name and that of the unit in which it lies."""


@dataclass(frozen=True)
class Unit:
    """A version of a unit; it holds on the days `[valid_from, ends_on)`."""

    unit_id: str
    name: str
    kind: str
    parent_unit_id: str
    valid_from: date
    ends_on: date


@dataclass(frozen=True)
class Named:
    """What a name was found to mean on a day: one unit, several (ambiguous) or none (unknown); ordered by code.

    `said` describes each of them in the same order: code, name, the unit that it lies in, kind.
    """

    units: tuple[Unit, ...]
    said: tuple[str, ...]

    @property
    def unit_id(self) -> str | None:
        """The unit's code; None unless there is exactly one."""
        return self.units[0].unit_id if len(self.units) == 1 else None

    @property
    def is_ambiguous(self) -> bool:
        """Whether several units are meant."""
        return len(self.units) > 1


class UnitNames:
    """The names of the registry's units on every day."""

    def __init__(self, units: pa.Table | None) -> None:
        """`units` is the registry's table of that name (None: no unit); a version ends where the next one begins."""
        self._units = list(versions(units.to_pylist() if units is not None else []))
        self.starts = sorted({day for unit in self._units for day in (unit.valid_from, unit.ends_on)} - {FOREVER})
        """The days on which any unit begins or ends: between two of them a name means the same on every day."""
        self._on: dict[int, _Day] = {}

    def find(self, name: str, on: date) -> Named:
        """What `name` means on a day: a unit's code, its name with or without the word for its kind (which must then
        be right), or that followed by the name of a unit in which it lies, as in «Xã Hòa Bình, huyện Vĩnh Bảo».

        Case, blanks, invisible characters and the place of tone marks do not matter. A name without any mark means all
        that are written so without theirs; one with marks must have the right ones. A people's committee stands for
        its unit; so does a one-stop centre that the registry does not have by its own name.
        """
        return self._day(on).find(name)

    def ever(self, name: str) -> Iterator[tuple[date, date, Named]]:
        """(first day, day after the last, what the name means on these days), where it means anything."""
        for first, last in zip(self.starts, [*self.starts[1:], FOREVER], strict=False):
            found = self.find(name, first)
            if found.units:
                yield first, last, found

    def told(self, name: str, on: date) -> Iterator[str]:
        """What a name means on a day, in sentences: if ambiguous with the candidates, if unknown what it means else."""
        found = self.find(name, on)
        if found.unit_id:
            yield f"on {on} '{name}' means {found.said[0]}"
        elif found.units:
            yield f"on {on} '{name}' is ambiguous: it may mean {' or '.join(found.said)}"
            yield "write the word for its kind before it, or behind it the name of the unit in which it lies"
        else:
            yield f"on {on} '{name}' means no unit"
            for first, last, then in self.ever(name):
                until = "" if last == FOREVER else f" to {last - timedelta(days=1)}"
                yield f"from {first}{until} it means {' or '.join(then.said)}"

    def _day(self, on: date) -> _Day:
        era = bisect_right(self.starts, on)
        if era not in self._on:
            self._on[era] = _Day([unit for unit in self._units if unit.valid_from <= on < unit.ends_on])
        return self._on[era]


def versions(rows: Sequence[Mapping[str, Any]]) -> Iterator[Unit]:
    """The registry's rows of units with the day on which each version ends, newest first."""
    later: dict[str, date] = {}
    for row in sorted(rows, key=lambda row: row["valid_from"] or date.min, reverse=True):
        starts = row["valid_from"] or date.min
        ends = min(row["valid_to"] or FOREVER, later.get(row["unit_id"], FOREVER))
        later[row["unit_id"]] = starts
        yield Unit(row["unit_id"], row["name"] or "", row["kind"] or "", row["parent_unit_id"] or "", starts, ends)


class _Day:
    """The units of one day."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._of_code = {unit.unit_id: unit for unit in units}
        self._names, self._centres = _Names(), _Names()
        for unit in units:
            self._names.add(unit, _key(unit.name), KIND_WORDS.get(unit.kind, ()))
            whose = _after(_key(unit.name), CENTRES) if unit.kind == "centre" else ""
            if whose:
                self._centres.add(unit, whose, tuple(SHORT))

    def find(self, name: str) -> Named:
        found = self._meant(name)
        if not found:
            first, *within = [part for part in WITHIN.split(name.rstrip(" ).")) if part] or [""]
            found = [unit for unit in self._meant(first) if within and self._lies_in(unit, within)]
        units = sorted({unit.unit_id: unit for unit in found}.values(), key=lambda unit: unit.unit_id)
        return Named(tuple(units), tuple(map(self._said, units)))

    def _meant(self, name: str) -> list[Unit]:
        if name.strip() in self._of_code:
            return [self._of_code[name.strip()]]
        text = _key(name)
        found = self._names.bearing(text)
        if not found and (whose := _after(text, CENTRES)):
            found = self._centres.bearing(whose) or self._names.bearing(whose)
        if not found and (whose := _after(text, COMMITTEES)):
            found = self._names.bearing(whose)
        return found

    def _lies_in(self, unit: Unit, within: Sequence[str]) -> bool:
        """Whether the unit lies in one of each of the names."""
        above = {upper.unit_id for upper in self._above(unit)}
        return all(above & {upper.unit_id for upper in self._meant(name)} for name in within)

    def _above(self, unit: Unit) -> Iterator[Unit]:
        seen = {unit.unit_id}
        while (parent := self._of_code.get(unit.parent_unit_id)) and parent.unit_id not in seen:
            seen.add(parent.unit_id)
            yield parent
            unit = parent

    def _said(self, unit: Unit) -> str:
        within = "".join(f", {upper.name}" for upper in list(self._above(unit))[:1])
        return f"{unit.unit_id} {unit.name}{within} ({unit.kind})"


class _Names:
    """Names without the word for the unit's kind → units with the words that may stand before it."""

    def __init__(self) -> None:
        self._exact: dict[str, list[tuple[tuple[str, ...], Unit]]] = {}
        self._bare: dict[str, list[tuple[tuple[str, ...], Unit]]] = {}

    def add(self, unit: Unit, name: str, words: tuple[str, ...]) -> None:
        """Take a unit's folded name. One that does not say which of the kind's words is its own goes by each."""
        own, rest = next(((word, rest) for word, rest in _readings(name) if word in words), ("", name))
        taken = ((own,) if own else words, unit)
        self._exact.setdefault(rest, []).append(taken)
        self._bare.setdefault(bare(rest), []).append(taken)

    def bearing(self, text: str) -> list[Unit]:
        """The units of which `text` is the folded name; one written without any mark may be any that reads alike."""
        readings = [("", text), *_readings(text)]
        exact = [] if text.isascii() else _those(self._exact, readings)
        return exact or _those(self._bare, [(word, rest) for word, rest in readings if rest.isascii()])


def _those(names: dict[str, list[tuple[tuple[str, ...], Unit]]], readings: Iterable[tuple[str, str]]) -> list[Unit]:
    return [unit for word, rest in readings for words, unit in names.get(rest, ()) if not word or word in words]


def _key(name: str) -> str:
    """A name as it is compared; dots only abbreviate, and go first: folding puts a word's tone mark at its end."""
    return fold(name.replace(".", " "))


def _spellings(words: Iterable[str]) -> set[str]:
    return {spelling for word in words for spelling in (_key(word), bare(word))}


SPELLINGS = {word: _spellings((word, *short)) for word, short in SHORT.items()}


def _readings(text: str) -> list[tuple[str, str]]:
    """(word of a kind, name) for each way to read a folded text as beginning with one: «quan toan» may be «Quán
    Toan» or «quận Toan»."""
    return [
        (word, text.removeprefix(spelling).lstrip())
        for word, spellings in SPELLINGS.items()
        for spelling in sorted(spellings)
        if text.startswith(f"{spelling} ")
    ]


def _after(text: str, offices: Sequence[str]) -> str:
    """What follows the words for an office at the start of a folded text; empty where there are none."""
    starts = sorted(_spellings(offices), key=len, reverse=True)
    found = next((start for start in starts if text.startswith(f"{start} ")), None)
    return text.removeprefix(found).lstrip(" -–—:") if found else ""
