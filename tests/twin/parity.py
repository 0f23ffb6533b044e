"""Cross-boundary dossiers against local ones again, dossier by dossier (rulebook 8, last part).

Times go through the twin of the actual cut, local dossiers as its baseline; shares through Wilson's limits as the roots
of their own equation, squared and added.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import Any

from .dossiers import Dossier
from .figures import GOT_A_RESULT, ActualCut, Finish, actual_cut, procedure_key, standing_code

Z = {90: 1.6448536269514722, 95: 1.959963984540054}


@dataclass(frozen=True)
class ShareFigure:
    """A mean or share of both sides at the local mix, and the difference's interval by confidence."""

    cross: Fraction
    local: Fraction
    n_cross: int
    n_local: int
    ends: dict[int, tuple[float, float]]


def compared(dossiers: Iterable[Dossier], since: datetime) -> tuple[list[Dossier], list[Dossier]]:
    """The window's dossiers not filed online: cross-boundary, local."""
    sides: tuple[list[Dossier], list[Dossier]] = ([], [])
    for dossier in dossiers:
        came_at = dossier.ended_at if dossier.is_refused_at_reception else dossier.received_at
        if came_at is None or came_at < since or dossier.channel == "online" or not procedure_key(dossier):
            continue
        if dossier.is_cross_boundary is not None:
            sides[not dossier.is_cross_boundary].append(dossier)
    return sides


def time_ratio(
    cross: Sequence[Dossier],
    local: Sequence[Dossier],
    unit_of: Callable[[Dossier], str],
    caps: Mapping[str, int],
    n: int,
) -> ActualCut:
    """The twin's cut of cross-boundary times against local ones; its reduction is 1 less the ratio."""
    sides = [
        [
            Finish(procedure_key(d), unit_of(d), (d.ended_at.year, d.ended_at.month), d.working_seconds)
            for d in side
            if d.outcome in GOT_A_RESULT and d.ended_at is not None and d.working_seconds is not None
        ]
        for side in (local, cross)
    ]
    longest: dict[str, int] = defaultdict(int)
    for finish in (*sides[0], *sides[1]):
        longest[finish.procedure_id] = max(longest[finish.procedure_id], finish.seconds)
    return actual_cut(*sides, Fraction(0), min_n_mix=n, caps={**longest, **caps})


def at_mix(
    cross: Sequence[Dossier], local: Sequence[Dossier], value: Callable[[Dossier], int | None], n: int
) -> ShareFigure | None:
    """Both sides' means of a value (None: not asked of that dossier), procedures weighted as the local ones."""
    of: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, side in enumerate((cross, local)):
        for dossier in side:
            found = value(dossier)
            if found is not None:
                of[procedure_key(dossier)][place].append(found)
    covered = [(ones, others) for ones, others in of.values() if min(len(ones), len(others)) >= n]
    weight = sum(len(others) for _, others in covered)
    if not covered:
        return None
    ends = {}
    for confidence, z in Z.items():
        if all(x in (0, 1) for sides in covered for side in sides for x in side):
            ends[confidence] = _interval(covered, weight, z)
    return ShareFigure(
        sum((Fraction(len(others) * sum(ones), len(ones)) for ones, others in covered), Fraction()) / weight,
        Fraction(sum(sum(others) for _, others in covered), weight),
        sum(len(ones) for ones, _ in covered),
        weight,
        ends,
    )


def _interval(covered: Sequence[tuple[list[int], list[int]]], weight: int, z: float) -> tuple[float, float]:
    middle = below = above = 0.0
    for ones, others in covered:
        part = len(others) / weight
        p, q = sum(ones) / len(ones), sum(others) / len(others)
        (p_low, p_high), (q_low, q_high) = score_limits(p, len(ones), z), score_limits(q, len(others), z)
        middle += part * (p - q)
        below += part**2 * ((p - p_low) ** 2 + (q_high - q) ** 2)
        above += part**2 * ((p_high - p) ** 2 + (q - q_low) ** 2)
    return middle - sqrt(below), middle + sqrt(above)


def score_limits(p: float, n: int, z: float) -> tuple[float, float]:
    """The two t with (p - t)² = z² t (1 - t) ÷ n."""
    a, b, c = 1 + z * z / n, -(2 * p + z * z / n), p * p
    root = sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def has_supplement(dossier: Dossier) -> int | None:
    return None if dossier.received_at is None else int(dossier.n_supplements > 0)


def is_refused(dossier: Dossier) -> int | None:
    return int(dossier.outcome == "refused")


def handovers(dossier: Dossier, holder: Callable[[str, date], str]) -> int | None:
    """Changes of the holding unit, of a received dossier that got its result and says who held it."""
    units = [holder(event.unit_id, event.day) for event in dossier.events if event.unit_id]
    if dossier.received_at is None or dossier.outcome not in GOT_A_RESULT or not units:
        return None
    return sum(one != other for one, other in pairwise(units))


def measures(registry: Any, today: date) -> dict[str, Callable[[Dossier], int | None]]:
    """What is compared beside the times; a holding unit is the one that stands for it today."""
    holder = standing_code(registry, today)
    return {
        "supplement_share": has_supplement,
        "refusal_share": is_refused,
        "handovers": lambda dossier: handovers(dossier, holder),
    }
