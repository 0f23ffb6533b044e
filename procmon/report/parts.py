"""What a page is made of: plain values with every text and number already as it will be read.

Templates lay these out and charts draw them; neither adds, divides or decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a second line under it, and its tone (good, bad, open, none) where it is a verdict."""

    text: str
    below: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Head:
    """One column's heading; numbers are set to the right."""

    text: str
    is_number: bool = False


@dataclass(frozen=True)
class Grid:
    """A table with its title, the sentence said where it has no rows, and a sentence under it."""

    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    foot: str = ""


@dataclass(frozen=True)
class FormLine:
    """One line of form 06: columns 1 and 2, then columns 3 to 13; `is_total` for a level or the whole."""

    number: str
    name: str
    counts: tuple[str, ...]
    is_total: bool


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, charts (by name), tables, sentences after them."""

    key: str
    title: str
    lead: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    form: tuple[FormLine, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A headline figure: what it is and how it is printed, everywhere in the same words."""

    label: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """A verdict in words, with its tone for the eye."""

    text: str
    tone: str


@dataclass(frozen=True)
class Card:
    """One headline: which thing it is (`what`), its figures, verdicts, and the counts behind them."""

    title: str
    what: str
    figures: tuple[Figure, ...]
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrendPoint:
    """One point of the trend: its label, ratio to the baseline (empty: not enough) and dossiers."""

    label: str
    ratio: float | None
    n: int
    is_baseline: bool


@dataclass(frozen=True)
class CutDot:
    """One procedure's actual cut with its interval, fractions."""

    label: str
    cut: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Drawing:
    """What the charts draw: the trend and its target lines, limit classes (label, n), cuts by procedure."""

    trend: tuple[TrendPoint, ...]
    targets: tuple[float, ...]
    classes: tuple[tuple[str, int], ...]
    cuts: tuple[CutDot, ...]


@dataclass(frozen=True)
class Report:
    """One page, ready to be laid out; `mail_grids` are the short tables of the mail."""

    audience: str
    title: str
    owner: str
    period: str
    period_days: str
    as_of: str
    program: str
    subject_gist: str
    quality: str
    warnings: tuple[str, ...]
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    method: tuple[Figure, ...]
    mail_grids: tuple[Grid, ...]
    drawing: Drawing

    @property
    def headlines(self) -> Mapping[str, str]:
        """Label → printed text of every headline figure."""
        return {figure.label: figure.text for card in self.cards for figure in card.figures}
