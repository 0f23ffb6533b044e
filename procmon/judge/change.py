"""What made the change at fixed mix: by procedure, mix, unit, stage and pause, each summing exactly (rulebook 7f).

SQL sums whole seconds by procedure, unit and stage; from there on each formula is one line over arrays. An elementary
operation on floats is the same on every machine, and sums are taken in a fixed order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge.numbers import round9
from procmon.judge.reductions import Evidence
from procmon.tables import CHANGE

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

TOTAL, PACE, MOVED, MIX, UNCOVERED, FIXED_MIX = "total", "pace", "moved", "mix", "uncovered", "fixed_mix"


@dataclass(frozen=True)
class Part:
    """A row of table CHANGE before it is named and rounded: what one part adds to the change; times in seconds."""

    by: str
    part_id: str
    term: str
    contribution: float
    seconds: float | None
    n_baseline: int
    n_period: int
    mean_baseline: float | None = None
    mean_period: float | None = None


@dataclass(frozen=True)
class Times:
    """Some time of the dossiers of procedures, by side: how many dossiers, and the sum of their seconds.

    `codes` are in order; mean0, mean1 and what rests on them are of procedures with dossiers on both sides.
    """

    codes: npt.NDArray[np.object_]
    n0: Floats
    n1: Floats
    sum0: Floats
    sum1: Floats

    def of(self, chosen: Flags) -> Times:
        """Those of the chosen procedures."""
        return Times(self.codes[chosen], *(column[chosen] for column in (self.n0, self.n1, self.sum0, self.sum1)))

    def plus(self, other: Times) -> Times:
        """This time of a dossier and the other one added up."""
        return Times(self.codes, self.n0, self.n1, self.sum0 + other.sum0, self.sum1 + other.sum1)

    @property
    def mean0(self) -> Floats:
        """The baseline's mean of each procedure."""
        return self.sum0 / self.n0

    @property
    def mean1(self) -> Floats:
        """The period's mean of each procedure."""
        return self.sum1 / self.n1

    @property
    def by_side(self) -> tuple[list[int], list[int], Floats, Floats]:
        """Of each procedure: dossiers of baseline and period, means of baseline and period."""
        return self.n0.astype(int).tolist(), self.n1.astype(int).tolist(), self.mean0, self.mean1

    @property
    def numbers(self) -> tuple[int, int]:
        """Dossiers of the baseline (Σw, at fixed mix) and of the period."""
        return int(math.fsum(self.n0)), int(math.fsum(self.n1))

    @property
    def denominator(self) -> float:
        """D = Σ w · mean of the baseline."""
        return math.fsum(self.sum0)

    @property
    def numerator(self) -> float:
        """N = Σ w · mean of the period."""
        return math.fsum(self.n0 * self.mean1)

    @property
    def fixed_means(self) -> tuple[float, float]:
        """The means at fixed mix: D ÷ Σw and N ÷ Σw."""
        return self.denominator / self.numbers[0], self.numerator / self.numbers[0]

    @property
    def plain_means(self) -> tuple[float | None, float | None]:
        """The means over all dossiers of a side, whatever their mix; None of none."""
        n0, n1 = self.numbers
        return math.fsum(self.sum0) / n0 if n0 else None, math.fsum(self.sum1) / n1 if n1 else None

    @property
    def plain_cut(self) -> float:
        """1 - M1 ÷ M0, which a cheaper mix of cases moves as well."""
        n0, n1 = self.numbers
        return 1 - math.fsum(self.sum1) * n0 / (math.fsum(self.sum0) * n1)


def change(engine: Engine, evidence: Evidence) -> pa.Table:
    """Table CHANGE for all of a question's dossiers (`evidence.headline`); empty where they have no cut.

    The engine's `sides`, `baseline_stages` and `compared_months` must be those of the same question, and `stretches`
    those of the dossiers measured there.
    """
    engine.steps(sql_text("judge", "change"))
    units = engine.query("SELECT * FROM change_units ORDER BY procedure_key NULLS FIRST, unit_told NULLS FIRST")
    stages = engine.query(
        "SELECT * FROM change_stages ORDER BY procedure_key NULLS FIRST, stage NULLS FIRST, is_now NULLS FIRST, "
        "capped_from_seconds NULLS FIRST, cap_seconds NULLS FIRST"
    )
    scope, scope_id = evidence.question.headline
    named = _namer(evidence)
    parts = decompose(units, stages, evidence.headline.cut.weights)
    return CHANGE.from_rows([{"scope": scope, "scope_id": scope_id, **named(part), **_figures(part)} for part in parts])


def _namer(evidence: Evidence) -> Callable[[Part], dict[str, str]]:
    """What a part is called."""
    question, units = evidence.question, evidence.units

    def named(part: Part) -> dict[str, str]:
        part_id, name = part.part_id, part.part_id
        if part.by == "unit":
            part_id, name = units.said(part_id, question.today), units.name(part_id)
        elif part.by != "stage":
            version = evidence.catalogue.known(part_id, question.last_day)
            name = version.name if version else ""
        return {"parted_by": part.by, "part_id": part_id, "name": name, "term": part.term}

    return named


def _figures(part: Part) -> dict[str, object]:
    """The contributions to one sum are rounded to one place, the twelfth, so that they still add up to it."""
    return {
        "contribution": round(float(part.contribution), 12) + 0.0,  # never -0.0
        "minutes": _minutes(part.seconds),
        "n_baseline": part.n_baseline,
        "n_period": part.n_period,
        "mean_baseline_minutes": _minutes(part.mean_baseline),
        "mean_period_minutes": _minutes(part.mean_period),
    }


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round9(float(seconds) / 60)


def decompose(units: pa.Table, stages: pa.Table, mix: Collection[str]) -> list[Part]:
    """Every decomposition of one scope; none where no procedure is in the mix, or those that are took no time.

    Args:
        units, stages: the steps `change_units` and `change_stages`, in order.
        mix: the covered procedures, with dossiers on both sides.
    """
    codes, place = _places(units["procedure_key"])

    def times(name: str) -> Times:
        columns = ("n_baseline", "n_period", f"{name}_baseline", f"{name}_period")
        return Times(codes, *(_sums(place, _floats(units[column]), len(codes)) for column in columns))

    everything, pauses = times("seconds"), times("paused")
    is_covered = np.array([code in mix for code in codes], bool)
    covered, paused = everything.of(is_covered), pauses.of(is_covered)
    if not covered.denominator:
        return []
    parts = [
        *by_procedure("procedure", covered, covered),
        *by_mix(everything, is_covered),
        *by_unit(covered, units),
        *by_stage(covered, stages),
    ]
    if not _floats(units["n_pauses_unknown"]).any():
        both = covered.plus(paused)
        parts += [*by_procedure("paused", paused, covered), *by_procedure("with_pauses", both, both)]
    return parts


def by_procedure(by: str, times: Times, against: Times) -> list[Part]:
    """c_p = w_p(m0_p - m1_p) ÷ D, the largest first; D is that of the times `against`."""
    saved = times.sum0 - times.n0 * times.mean1
    per_dossier = saved / times.numbers[0]
    rows = zip(times.codes, saved / against.denominator, per_dossier, *times.by_side, strict=True)
    parts = [Part(by, code, PACE, gave, seconds, *sides) for code, gave, seconds, *sides in rows]
    return [_total(by, times, against), *_largest_first(parts)]


def by_mix(everything: Times, is_covered: Flags) -> list[Part]:
    """From the change of the plain mean over all dossiers to C: what is not covered, then each procedure's mix.

    Mix: (s0_p - s1_p)(m1_p - N ÷ Σw) ÷ M0. Fractions only: from line to line they are of means over other dossiers.
    """
    covered = everything.of(is_covered)
    n0, n1 = covered.numbers
    fixed0, fixed1 = covered.fixed_means
    mixed = (covered.n0 / n0 - covered.n1 / n1) * (covered.mean1 - fixed1) / fixed0
    rows = zip(covered.codes, mixed, *covered.by_side, strict=True)
    parts = [Part("mix", code, MIX, gave, None, *sides) for code, gave, *sides in rows]
    rest = everything.of(~is_covered)
    uncovered = everything.plain_cut - covered.plain_cut
    return [
        Part("mix", "", TOTAL, everything.plain_cut, None, *everything.numbers, *everything.plain_means),
        Part("mix", "", UNCOVERED, uncovered, None, *rest.numbers, *rest.plain_means),
        Part("mix", "", FIXED_MIX, _total("", covered, covered).contribution, None, n0, n1, fixed0, fixed1),
        *_largest_first(parts),
    ]


def by_unit(covered: Times, units: pa.Table) -> list[Part]:
    """c_pu summed over procedures, in two terms for each unit; the units that gave most first.

    c_pu = (w_p ÷ D)·[s̄(m0 - m1) + (s0 - s1)(m̄ - r_p)]. A unit without dossiers of the procedure on a side has
    there the share 0, so that what remains of the formula is work moved: s0(m0 - r_p) or -s1(m1 - r_p).
    """
    place, chosen = _find(covered.codes, units["procedure_key"])
    n0, n1, sum0, sum1 = (
        _floats(units[name])[chosen] for name in ("n_baseline", "n_period", "seconds_baseline", "seconds_period")
    )
    share0, share1 = n0 / covered.n0[place], n1 / covered.n1[place]
    mean0, mean1 = sum0 / np.maximum(n0, 1), sum1 / np.maximum(n1, 1)
    middle = ((covered.mean0 + covered.mean1) / 2)[place]
    is_on_both = (n0 > 0) & (n1 > 0)
    pace = np.where(is_on_both, (share0 + share1) / 2 * (mean0 - mean1), 0)
    moved = np.where(
        is_on_both,
        (share0 - share1) * ((mean0 + mean1) / 2 - middle),
        share0 * (mean0 - middle) - share1 * (mean1 - middle),
    )
    names, unit = _places(units["unit_told"].filter(pa.array(chosen)))
    weights = covered.n0[place]
    paces, moves, n0s, n1s = (_sums(unit, column, len(names)) for column in (weights * pace, weights * moved, n0, n1))
    order = sorted(range(len(names)), key=lambda n: (-(paces[n] + moves[n]), names[n]))
    n, d = covered.numbers[0], covered.denominator
    parts = [
        Part("unit", names[i], term, saved[i] / d, saved[i] / n, int(n0s[i]), int(n1s[i]))
        for i in order
        for term, saved in ((PACE, paces), (MOVED, moves))
    ]
    return [_total("unit", covered, covered), *parts]


def by_stage(covered: Times, stages: pa.Table) -> list[Part]:
    """c_pk summed over procedures; a capped dossier's stages are scaled by cap ÷ time. The means are at fixed mix.

    Nothing where the baseline was frozen without its stages.
    """
    place, chosen = _find(covered.codes, stages["procedure_key"])
    own, cap, seconds = (_floats(stages[name])[chosen] for name in ("capped_from_seconds", "cap_seconds", "seconds"))
    counted = np.where(np.isnan(own), seconds, seconds * cap / own)
    names, stage = _places(stages["stage"].filter(pa.array(chosen)))
    is_now = stages["is_now"].to_numpy()[chosen]
    weight = np.where(is_now, covered.n0[place] / covered.n1[place], 1)
    sum0, sum1 = (_sums(stage, np.where(is_now == side, counted * weight, 0), len(names)) for side in (False, True))
    if not sum0.any():
        return []
    n0, n1 = covered.numbers
    saved = sum0 - sum1
    rows = zip(names, saved / covered.denominator, saved / n0, sum0 / n0, sum1 / n0, strict=True)
    parts = [Part("stage", name, PACE, gave, seconds, n0, n1, *means) for name, gave, seconds, *means in rows]
    return [_total("stage", covered, covered), *_largest_first(parts)]


def _total(by: str, times: Times, against: Times) -> Part:
    """What the parts of a decomposition of N and D add up to: (D - N) ÷ D, D being that of the times `against`."""
    saved = times.denominator - times.numerator
    contribution, seconds = saved / against.denominator, saved / times.numbers[0]
    return Part(by, "", TOTAL, contribution, seconds, *times.numbers, *times.fixed_means)


def _largest_first(parts: list[Part]) -> list[Part]:
    return sorted(sorted(parts, key=attrgetter("part_id")), key=attrgetter("contribution"), reverse=True)


def _places(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.object_], Places]:
    """The distinct texts of a column, in order, and of each row the place of its text among them."""
    texts = column.to_pylist()
    distinct = sorted(set(texts))
    place = {text: n for n, text in enumerate(distinct)}
    return np.array(distinct, object), np.array([place[text] for text in texts], np.intp)


def _find(codes: npt.NDArray[np.object_], column: pa.ChunkedArray) -> tuple[Places, Flags]:
    """Which rows of a column hold one of the codes, and of each such row the place of its code."""
    known = {code: n for n, code in enumerate(codes)}
    place = np.array([known.get(text, -1) for text in column.to_pylist()], np.intp)
    chosen = place >= 0
    return place[chosen], chosen


def _sums(place: Places, values: Floats, n_places: int) -> Floats:
    """The values summed by place, one after the other in their order."""
    return np.bincount(place, values, n_places).astype(np.float64)


def _floats(column: pa.ChunkedArray) -> Floats:
    """Whole seconds and counts, which floats hold exactly up to 2^53; NaN where empty."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
