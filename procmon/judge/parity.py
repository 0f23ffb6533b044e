"""Parity: are cross-boundary dossiers done as well as local ones? (rulebook 8)

Both sides are compared at the local dossiers' mix of procedures: times as in rulebook 7a and 7b, with local ones as
the base and cross-boundary ones as "now"; shares by their difference with Newcombe's interval. That no difference is
found is never taken for there being none: `equivalent` needs an interval as narrow as the margin.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge.cells import Cells
from procmon.judge.mix import compare
from procmon.judge.numbers import exact_sum, round9
from procmon.tables import PARITY

CITY_MARGIN = 0.10
PROCEDURE_MARGIN = 0.25
SHARE_MARGIN = 0.05
MIN_CROSS = 100
"""Fewer cross-boundary dossiers never have a verdict."""

EQUIVALENCE, DIFFERENCE = 0.90, 0.95
"""Confidence of the interval that must lie within the margin, and of the one that must leave out no difference."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Sides:
    """How many dossiers of one procedure have some property on each side."""

    cross: int
    n_cross: int
    local: int
    n_local: int


@dataclass(frozen=True)
class Interval:
    """An estimated difference with its ends at both confidences, all on the scale of `margin`; 0 is no difference."""

    estimate: float
    lower_90: float
    upper_90: float
    lower_95: float
    upper_95: float


SHARES = {"supplement_share": ("n_supplemented", "n_received"), "refusal_share": ("n_refused", "n_came")}
"""Each share's numerator and denominator among step `parity_counts`: of received dossiers, of all that came."""


def parity(engine: Engine, names: Mapping[str, str], *, min_n: int) -> pa.Table:
    """Table PARITY: the city, then each procedure with cross-boundary dossiers, by code.

    Args:
        names: procedure code → name; min_n: dossiers that a procedure needs on both sides to enter the mix.

    The engine holds step `at_counters` of the city's question, and the measure's `events`.
    """
    engine.steps(sql_text("judge", "parity"))
    cells = Cells.of(engine.query("SELECT * FROM parity_cells"))
    counts = engine.query("SELECT * FROM parity_counts").to_pylist()
    rows = _scope("city", "", cells, counts, min_n=min_n, margin=CITY_MARGIN)
    cells_of, no_cells = cells.split("procedure", str), cells.take(np.array([], np.int64))
    counts_of: dict[str, list[Row]] = defaultdict(list)
    for row in counts:
        counts_of[row["procedure_key"]].append(row)
    for code in sorted(counts_of):
        if any(row["is_now"] for row in counts_of[code]):
            own = cells_of.get(code, no_cells)
            found = _scope("procedure", code, own, counts_of[code], min_n=min_n, margin=PROCEDURE_MARGIN)
            rows += [row | {"name": names.get(code, "")} for row in found]
    return PARITY.from_rows(rows)


def _scope(scope: str, scope_id: str, cells: Cells, counts: Sequence[Row], *, min_n: int, margin: float) -> list[Row]:
    found = [{"measure": "processing_time"} | time_parity(cells, min_n=min_n, margin=margin)]
    for measure, (part, whole) in SHARES.items():
        sides = _sides(counts, part, whole)
        found.append({"measure": measure} | share_parity(sides, min_n=min_n, margin=SHARE_MARGIN))
    steps = _sides(counts, "n_handovers", "n_routed")
    found.append({"measure": "handovers"} | _at_mix(steps, _covered(steps, min_n)))
    return [{"scope": scope, "scope_id": scope_id, "name": ""} | row for row in found]


def _sides(counts: Sequence[Row], part: str, whole: str) -> list[Sides]:
    """By procedure, in the codes' order."""
    of: dict[str, dict[bool, Row]] = defaultdict(dict)
    for row in counts:
        of[row["procedure_key"]][row["is_now"]] = row
    none = {part: 0, whole: 0}
    pairs = ((of[code].get(True, none), of[code].get(False, none)) for code in sorted(of))
    return [Sides(int(cross[part]), int(cross[whole]), int(local[part]), int(local[whole])) for cross, local in pairs]


# ---- times


def time_parity(cells: Cells, *, min_n: int, margin: float) -> Row:
    """A scope's processing times: the ratio of means at the local mix, with its intervals and verdict.

    The side `now` of the cells is the cross-boundary one.
    """
    cut = compare(cells, min_n=min_n)
    row: Row = {
        "n_cross": cut.n_now, "n_local": cut.n_base,
        "n_covered_cross": cut.n_covered_now, "n_covered_local": cut.n_covered_base, "margin": margin,
    }  # fmt: skip
    if cut.weight:
        row["cross_value"] = round9(cut.numerator / cut.weight / 60)
        row["local_value"] = round9(cut.denominator / cut.weight / 60)
    ratio = cut.numerator / cut.denominator if cut.denominator else None
    row["difference"] = round9(ratio)
    found = None
    if ratio is not None and cut.spread is not None:
        ends = [end for level in (EQUIVALENCE, DIFFERENCE) for end in cut.spread.around(float(ratio), level)]
        row |= dict(zip(("lower_90", "upper_90", "lower_95", "upper_95"), map(round9, ends), strict=True))
        found = Interval(math.log(ratio), *map(math.log, ends))
    words = ("slower", "faster")
    return row | judged(found, cut.n_covered_now, math.log1p(margin), words)


# ---- shares


def share_parity(sides: Sequence[Sides], *, min_n: int, margin: float) -> Row:
    """A scope's shares: the difference at the local mix, with its intervals and verdict."""
    covered = _covered(sides, min_n)
    row = _at_mix(sides, covered) | {"margin": margin}
    if not covered:
        return row | judged(None, 0, margin, ("higher", "lower"))
    ends = [end for level in (EQUIVALENCE, DIFFERENCE) for end in newcombe(covered, level)]
    row |= dict(zip(("lower_90", "upper_90", "lower_95", "upper_95"), map(round9, ends), strict=True))
    found = Interval(row["difference"], *ends)
    return row | judged(found, row["n_covered_cross"], margin, ("higher", "lower"))


def newcombe(covered: Sequence[Sides], confidence: float) -> tuple[float, float]:
    """The interval of Σ λ (cross share - local share), λ the procedures' shares of the local dossiers.

    Of one procedure it is Newcombe's method 10, square and add, over Wilson's score intervals (Statistics in Medicine
    1998, 17:873-890). Of several, the same recovery of variances from Wilson's limits for a linear function of
    proportions (Zou, Huang, Zhang, Computational Statistics & Data Analysis 2009, 53:1080-1085).
    """
    weight = sum(side.n_local for side in covered)
    estimate, below, above = [], [], []
    for side in covered:
        part = side.n_local / weight
        cross, local = side.cross / side.n_cross, side.local / side.n_local
        cross_ends = wilson(side.cross, side.n_cross, confidence)
        local_ends = wilson(side.local, side.n_local, confidence)
        estimate.append(part * (cross - local))
        below += [(part * (cross - cross_ends[0])) ** 2, (part * (local_ends[1] - local)) ** 2]
        above += [(part * (cross_ends[1] - cross)) ** 2, (part * (local - local_ends[0])) ** 2]
    middle = math.fsum(estimate)
    return middle - math.sqrt(math.fsum(below)), middle + math.sqrt(math.fsum(above))


def wilson(part: int, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle, half = 2 * part + z * z, z * math.sqrt(z * z + 4 * part * (n - part) / n)
    return max((middle - half) / (2 * (n + z * z)), 0.0), min((middle + half) / (2 * (n + z * z)), 1.0)


def _covered(sides: Sequence[Sides], min_n: int) -> list[Sides]:
    return [side for side in sides if side.n_cross >= min_n and side.n_local >= min_n]


def _at_mix(sides: Sequence[Sides], covered: Sequence[Sides]) -> Row:
    """Means (or shares) of both sides at the local mix."""
    row: Row = {
        "n_cross": sum(side.n_cross for side in sides),
        "n_local": sum(side.n_local for side in sides),
        "n_covered_cross": sum(side.n_cross for side in covered),
        "n_covered_local": sum(side.n_local for side in covered),
        "verdict": "",
        "why": "",
    }
    if covered:
        weight = row["n_covered_local"]
        cross = exact_sum(Fraction(side.n_local * side.cross, side.n_cross) for side in covered) / weight
        local = Fraction(sum(side.local for side in covered), weight)
        row |= {"cross_value": round9(cross), "local_value": round9(local), "difference": round9(cross - local)}
    return row


# ---- verdicts


def judged(found: Interval | None, n_cross: int, margin: float, words: tuple[str, str]) -> Row:
    """`verdict`, `why` and `n_needed` of a difference; `words` call one above 0 and one below.

    `n_needed` is n · (half-width of the 90 % interval ÷ margin)², at least MIN_CROSS: as many cross-boundary dossiers
    would make the interval as narrow as the margin, if they spread as those seen and local ones grew alike. Without an
    interval nobody can tell: it is MIN_CROSS while there are fewer, else left out.
    """
    half = None if found is None else max(found.upper_90 - found.estimate, found.estimate - found.lower_90)
    needed = MIN_CROSS if half is None else max(MIN_CROSS, math.ceil(n_cross * (half / margin) ** 2))
    if n_cross < MIN_CROSS:
        return {"verdict": "not_shown", "why": "few_dossiers", "n_needed": needed}
    if found is None:
        return {"verdict": "not_shown", "why": "no_interval"}
    if -margin <= found.lower_90 and found.upper_90 <= margin:
        return {"verdict": "equivalent", "why": ""}
    if found.lower_95 > 0:
        return {"verdict": words[0], "why": ""}
    if found.upper_95 < 0:
        return {"verdict": words[1], "why": ""}
    why = "wide_interval" if needed > n_cross else "near_margin"
    return {"verdict": "not_shown", "why": why, "n_needed": needed}
