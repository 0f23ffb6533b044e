"""Ratios as they are stored: half-even to 9 significant digits, from exact integers (rulebook 6)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

NINE_DIGITS = Context(prec=9, rounding=ROUND_HALF_EVEN)


def round9(value: float | Fraction | None) -> float | None:
    """The figure as it is stored; None stays None. A Fraction is rounded once, from its exact value."""
    if value is None:
        return None
    if isinstance(value, Fraction):
        return float(NINE_DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator)))
    return float(NINE_DIGITS.create_decimal(Decimal(value)))


def share(part: int, whole: int) -> float | None:
    """part ÷ whole as it is stored; None of nothing."""
    return round9(Fraction(part, whole)) if whole else None


def exact_sum(parts: Iterable[Fraction]) -> Fraction:
    """The sum, by halves: so that the long denominators of thousands of parts meet only a few times."""
    rest = list(parts)
    while len(rest) > 1:
        rest = [sum(rest[i : i + 2], Fraction()) for i in range(0, len(rest), 2)]
    return rest[0] if rest else Fraction()
