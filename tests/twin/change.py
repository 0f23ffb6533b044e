"""Rulebook 7f again, one dossier at a time, in fractions: what made the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

Parts = dict[tuple[str, str, str], Fraction]
"""(by, part, term) → contribution; the term `total` is worked out apart from the parts."""


@dataclass(frozen=True)
class Done:
    """A dossier that got its result: its processing and paused time, and the working time of its stages, in seconds."""

    procedure: str
    unit: str
    seconds: int
    paused: int = 0
    stages: Mapping[str, int] = field(default_factory=dict)


def mean(values: Sequence[Fraction]) -> Fraction:
    """Of nothing: 0, as no dossier spent any."""
    return sum(values, Fraction()) / len(values) if values else Fraction()


class Change:
    """Both sides of a scope, with the caps; `min_n` dossiers on each side bring a procedure into the mix."""

    def __init__(self, base: Sequence[Done], now: Sequence[Done], caps: Mapping[str, int], min_n: int) -> None:
        self.sides = (base, now)
        self.found: dict[tuple[int, str, str | None], list[Done]] = defaultdict(list)
        for n, side in enumerate(self.sides):
            for done in side:
                self.found[n, done.procedure, None].append(done)
                self.found[n, done.procedure, done.unit].append(done)
        self.caps = caps
        codes = sorted({done.procedure for done in base} & {done.procedure for done in now} - {""})
        self.mix = [code for code in codes if all(len(self.of(n, code)) >= min_n for n in (0, 1))]
        self.weights = {code: len(self.of(0, code)) for code in self.mix}
        self.denominator = self.at_fixed_mix(0, self.capped)

    def of(self, side: int, code: str, unit: str | None = None) -> list[Done]:
        return self.found.get((side, code, unit), [])

    def capped(self, done: Done) -> Fraction:
        return Fraction(min(done.seconds, self.caps.get(done.procedure, done.seconds)))

    def in_stage(self, done: Done, stage: str) -> Fraction:
        spent = Fraction(done.stages.get(stage, 0))
        return spent * self.capped(done) / done.seconds if done.seconds else spent

    def at_fixed_mix(self, side: int, time: Callable[[Done], Fraction]) -> Fraction:
        return sum((w * mean([time(d) for d in self.of(side, code)]) for code, w in self.weights.items()), Fraction())

    def saved(self, code: str, time: Callable[[Done], Fraction]) -> Fraction:
        was, is_now = (mean([time(d) for d in self.of(side, code)]) for side in (0, 1))
        return self.weights[code] * (was - is_now)

    def parts(self) -> Parts:
        """Every decomposition; nothing where there is no cut."""
        if not self.denominator:
            return {}
        return {
            **self.by_procedure("procedure", self.capped, self.denominator),
            **self.by_mix(),
            **self.by_unit(),
            **self.by_stage(),
            **self.by_procedure("paused", lambda done: Fraction(done.paused), self.denominator),
            **self.by_procedure("with_pauses", self.whole, self.at_fixed_mix(0, self.whole)),
        }

    def whole(self, done: Done) -> Fraction:
        return self.capped(done) + done.paused

    def total(self, time: Callable[[Done], Fraction], against: Fraction) -> Fraction:
        return (self.at_fixed_mix(0, time) - self.at_fixed_mix(1, time)) / against

    def by_procedure(self, by: str, time: Callable[[Done], Fraction], against: Fraction) -> Parts:
        parts: Parts = {(by, code, "pace"): self.saved(code, time) / against for code in self.mix}
        return parts | {(by, "", "total"): self.total(time, against)}

    def by_mix(self) -> Parts:
        covered = [[d for d in side if d.procedure in self.weights] for side in self.sides]
        all_means = [mean([self.capped(d) for d in side]) for side in self.sides]
        m0, m1 = (mean([self.capped(d) for d in side]) for side in covered)
        usual = self.at_fixed_mix(1, self.capped) / sum(self.weights.values())
        parts: Parts = {
            ("mix", "", "total"): 1 - all_means[1] / all_means[0],
            ("mix", "", "uncovered"): m1 / m0 - all_means[1] / all_means[0],
            ("mix", "", "fixed_mix"): self.total(self.capped, self.denominator),
        }
        for code in self.mix:
            shares = [Fraction(len(self.of(n, code)), len(covered[n])) for n in (0, 1)]
            own = mean([self.capped(d) for d in self.of(1, code)])
            parts["mix", code, "mix"] = (shares[0] - shares[1]) * (own - usual) / m0
        return parts

    def by_unit(self) -> Parts:
        units = {d.unit for side in self.sides for d in side if d.procedure in self.weights}
        parts: Parts = {("unit", unit, term): Fraction() for unit in units for term in ("pace", "moved")}
        for code, weight in self.weights.items():
            middle = sum((mean([self.capped(d) for d in self.of(n, code)]) for n in (0, 1)), Fraction()) / 2
            for unit in units:
                pace, moved = self.of_unit(code, unit, middle)
                parts["unit", unit, "pace"] += weight / self.denominator * pace
                parts["unit", unit, "moved"] += weight / self.denominator * moved
        return parts | {("unit", "", "total"): self.total(self.capped, self.denominator)}

    def of_unit(self, code: str, unit: str, middle: Fraction) -> tuple[Fraction, Fraction]:
        """Faster or slower, and work moved, of one procedure at one unit."""
        own = [self.of(n, code, unit) for n in (0, 1)]
        s0, s1 = (Fraction(len(own[n]), len(self.of(n, code))) for n in (0, 1))
        m0, m1 = (mean([self.capped(d) for d in side]) for side in own)
        if not own[0]:
            return Fraction(), -s1 * (m1 - middle)
        if not own[1]:
            return Fraction(), s0 * (m0 - middle)
        return (s0 + s1) / 2 * (m0 - m1), (s0 - s1) * ((m0 + m1) / 2 - middle)

    def by_stage(self) -> Parts:
        stages = {stage for side in self.sides for d in side if d.procedure in self.weights for stage in d.stages}
        parts: Parts = {("stage", "", "total"): self.total(self.capped, self.denominator)}
        for stage in stages:
            saved = sum((self.saved(code, lambda d, s=stage: self.in_stage(d, s)) for code in self.mix), Fraction())  # type: ignore[misc]
            parts["stage", stage, "pace"] = saved / self.denominator
        return parts


def sums(parts: Parts, by: str) -> tuple[Fraction, Fraction]:
    """What the parts of a decomposition add up to, and the total they should."""
    own = {key: value for key, value in parts.items() if key[0] == by}
    added = sum((value for (_, _, term), value in own.items() if term != "total"), Fraction())
    return added, own[by, "", "total"]


def bys(parts: Collection[tuple[str, str, str]]) -> set[str]:
    return {by for by, _, _ in parts}
