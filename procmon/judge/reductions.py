"""The three reductions, never one: on paper, in time at fixed mix, and on time under both limits (rulebook 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from procmon.config import PolicySettings
from procmon.judge.cells import Axis, Cells, Placed
from procmon.judge.limits import CLASSES, Catalogue, LimitCut, Version, limit_cut, mean_cut
from procmon.judge.mix import Cut, compare, verdict
from procmon.judge.numbers import round9, share
from procmon.judge.question import Question
from procmon.judge.units import Units
from procmon.tables import OLD_LIMITS_ON, REDUCTIONS, UNDETERMINED

ON_TIME = ("n_judged_both", "n_on_time_old", "n_on_time_new", "n_baseline_judged", "n_baseline_on_time")


@dataclass(frozen=True)
class Goal:
    """An actual target as a comparison needs it."""

    name: str
    reduction: float


@dataclass(frozen=True)
class Scope:
    """Some of the question's dossiers: its cells and the procedures whose limits speak for it."""

    kind: str
    id: str
    name: str
    cells: Cells
    on_time: Mapping[str, int]
    procedures: Sequence[str]
    min_n: int
    """Dossiers that a procedure needs on both sides to enter the mix."""

    @cached_property
    def cut(self) -> Cut:
        """Both sides compared at fixed mix; computed once for all who ask."""
        return compare(self.cells, min_n=self.min_n)


Found = tuple[Cells, Placed]
"""A scope's cells, and its on-time counts by procedure and unit: columns ON_TIME."""
Place = Callable[[str], str]
"""Which part a procedure or a unit belongs to; empty for none."""


class Evidence:
    """The integers behind the reductions, as SQL counted them, split by scope."""

    def __init__(
        self,
        question: Question,
        catalogue: Catalogue,
        units: Units,
        *,
        cells: pa.Table,
        on_time: pa.Table,
        baseline_on_time: pa.Table,
        caps: pa.Table,
    ) -> None:
        self.question, self.catalogue, self.units = question, catalogue, units
        self.cells = Cells.of(cells)
        both = pa.concat_tables([on_time, baseline_on_time], promote_options="default")
        self.counts = Placed.read(both, ON_TIME)
        self.caps = {row["procedure_key"]: row["cap_seconds"] for row in caps.to_pylist()}
        self.on_offer = catalogue.on_offer(question.last_day)
        self.seen = _seen(self.cells)
        self._versions: dict[str, Version | None] = {}
        self._limit_cuts: dict[str, LimitCut] = {}
        self._departments: dict[str, str] = {}
        self._told_keys = units.told(question.today)

    @cached_property
    def headline(self) -> Scope:
        """All of the question's dossiers; of limits, those of the city's or field's offer, else of what was seen."""
        kind, scope_id = self.question.headline
        if kind == "city":
            offered = self.on_offer
        elif kind == "field":
            offered = [code for code in self.on_offer if self._field(code) == scope_id]
        else:
            offered = [code for code in self.on_offer if code in self.seen]
        name = scope_id
        if kind in ("unit", "centre"):
            name = self.units.name(self.units.key(scope_id, self.question.today))
        return self._scope(kind, scope_id, name, (self.cells, self.counts), offered)

    @cached_property
    def parts(self) -> list[Scope]:
        """Of the city: each level, field, tag, department (with the units below it) and unit that has dossiers.

        What no unit of the day stands for is the unit UNDETERMINED, what names no unit the unit '': so the units add
        up to the city on both sides.
        """
        if self.question.side != "all":
            return []
        return [
            *self._of_procedures("level", self._level),
            *self._of_procedures("field", self._field),
            *(replace(self.tagged(tag), kind="tag", id=tag, name=tag) for tag in self._tags()),
            *self._of_units("department", self._split("unit", self._department)),
            *self._of_units("unit", self._split("unit", self._told, keeps_empty=True)),
        ]

    def _of_procedures(self, kind: str, place: Place) -> Iterator[Scope]:
        for scope_id, found in self._split("procedure", place).items():
            offered = [code for code in self.on_offer if place(code) == scope_id]
            yield self._scope(kind, scope_id, scope_id, found, offered)

    def _of_units(self, kind: str, split: Mapping[str, Found]) -> Iterator[Scope]:
        for key, found in split.items():
            seen = _seen(found[0])
            offered = [code for code in self.on_offer if code in seen]
            scope_id = self.units.said(key, self.question.today)
            yield self._scope(kind, scope_id, self.units.name(key), found, offered)

    @cached_property
    def procedures(self) -> list[Scope]:
        """Each procedure with dossiers on a side, and for the city each on offer."""
        split = self._split("procedure", str)
        offered = self.on_offer if self.question.side == "all" else []
        scopes = []
        for code in sorted({*split, *offered}):
            version = self.catalogue.known(code, self.question.last_day)
            found = split.get(code) or self._nothing
            scopes.append(self._scope("procedure", code, version.name if version else "", found, [code]))
        return scopes

    def tagged(self, tag: str) -> Scope:
        """The city's dossiers of the procedures that carry `tag` on the period's last day; all for no tag."""
        if not tag:
            return self.headline
        tagged = {code for code in self.catalogue.versions if self._has_tag(code, tag)}
        parts = self._split("procedure", lambda code: "tagged" if code in tagged else "")
        found = parts.get("tagged") or self._nothing
        return self._scope("city", "", "", found, [code for code in self.on_offer if code in tagged])

    def holds(self, part: Scope, code: str) -> bool:
        """Whether a procedure belongs to a part by procedures: a level, field, tag or single procedure."""
        if part.kind == "tag":
            return self._has_tag(code, part.id)
        if part.kind == "procedure":
            return part.id == code
        return part.id == (self._level(code) if part.kind == "level" else self._field(code))

    def home(self, kind: str, unit_key: str) -> str:
        """The `id` of the part by units (kind department or unit) that a unit belongs to; empty for none."""
        key = self._department(unit_key) if kind == "department" else self._told(unit_key)
        return self.units.said(key, self.question.today)

    def limit_cut(self, procedure_id: str) -> LimitCut:
        """A procedure's limit on the period's last day against the old one."""
        if procedure_id not in self._limit_cuts:
            self._limit_cuts[procedure_id] = limit_cut(
                self.catalogue, procedure_id, OLD_LIMITS_ON, self.question.last_day
            )
        return self._limit_cuts[procedure_id]

    def _scope(self, kind: str, scope_id: str, name: str, found: Found, offered: Sequence[str]) -> Scope:
        cells, counts = found
        on_time = dict(zip(ON_TIME, counts.counts.sum(axis=1).tolist(), strict=True))
        return Scope(kind, scope_id, name, cells, on_time, offered, self.question.policies.min_n_mix)

    def _split(self, axis: Axis, place: Place, *, keeps_empty: bool = False) -> dict[str, Found]:
        """Cells and counts by the place of their procedure or unit, in order of places; an empty place is left out."""
        cells, counts = self.cells.split(axis, place), self.counts.split(axis, place)
        no_cells, no_counts = self._nothing
        return {
            name: (cells.get(name, no_cells), counts.get(name, no_counts))
            for name in sorted({*cells, *counts})
            if name or keeps_empty
        }

    @cached_property
    def _nothing(self) -> Found:
        none = np.array([], np.int64)
        return self.cells.take(none), self.counts.take(none)

    def _tags(self) -> list[str]:
        versions = (self.catalogue.on(code, self.question.last_day) for code in self.catalogue.versions)
        return sorted({tag for version in versions if version for tag in version.tags})

    def _told(self, unit_key: str) -> str:
        return self._told_keys.get(unit_key, unit_key)

    def _department(self, unit_key: str) -> str:
        if unit_key not in self._departments:
            self._departments[unit_key] = self.units.department(unit_key, self.question.today)
        return self._departments[unit_key]

    def _has_tag(self, code: str, tag: str) -> bool:
        version = self.catalogue.on(code, self.question.last_day)
        return version is not None and tag in version.tags

    def _field(self, code: str) -> str:
        version = self._known(code)
        return version.field if version else ""

    def _level(self, code: str) -> str:
        version = self._known(code)
        return version.level if version else ""

    def _known(self, code: str) -> Version | None:
        if code not in self._versions:
            self._versions[code] = self.catalogue.known(code, self.question.last_day)
        return self._versions[code]


def _seen(cells: Cells) -> set[str]:
    return {cells.procedures[place] for place in np.unique(cells.procedure).tolist()}


def reductions(evidence: Evidence, quantiles: pa.Table, goal: Goal | None) -> pa.Table:
    """Table REDUCTIONS: the headline, its parts, then each procedure by code."""
    policies = evidence.question.policies
    found = {(row["procedure_key"], row["is_now"]): row for row in quantiles.to_pylist()}
    rows = [
        reduction(scope, evidence, goal, min_n=1, policies=policies)
        for scope in [evidence.headline, *evidence.parts]
    ]
    for scope in evidence.procedures:
        row = reduction(scope, evidence, goal, min_n=policies.min_n_verdict, policies=policies)
        rows.append(row | _of_procedure(scope, evidence, found))
    return REDUCTIONS.from_rows(rows)


def reduction(
    scope: Scope, evidence: Evidence, goal: Goal | None, *, min_n: int, policies: PolicySettings
) -> dict[str, object]:
    """One scope's row: time at fixed mix, limits on paper, on time under both limits."""
    cut = scope.cut
    cuts = [evidence.limit_cut(code) for code in scope.procedures]
    return {
        "scope": scope.kind,
        "scope_id": scope.id,
        "name": scope.name,
        "period_from": evidence.question.compare.from_,
        "period_to": evidence.question.compare.to,
        **(_judged(cut, goal, min_n, policies) if scope.id != UNDETERMINED else _undetermined(goal)),
        **_times(cut),
        **_limits(cuts),
        **scope.on_time,
    }


def _judged(cut: Cut, goal: Goal | None, min_n: int, policies: PolicySettings) -> dict[str, object]:
    if goal is None:
        return {"target": "", "verdict": "no_target", "why": ""}
    found, why = verdict(cut, goal.reduction, min_n=min_n, min_coverage=policies.min_coverage)
    return {"target": goal.name, "target_reduction": goal.reduction, "verdict": found, "why": why}


def _undetermined(goal: Goal | None) -> dict[str, object]:
    """What no unit stands for is counted, and judged by nobody."""
    found: dict[str, object] = {"target": ""}
    if goal:
        found = {"target": goal.name, "target_reduction": goal.reduction}
    return found | {"verdict": "no_data", "why": UNDETERMINED}


def _times(cut: Cut) -> dict[str, object]:
    return {
        "n_baseline": cut.n_base,
        "n_period": cut.n_now,
        "n_covered_baseline": cut.n_covered_base,
        "n_covered_period": cut.n_covered_now,
        "coverage": share(cut.n_covered_base, cut.n_base),
        "coverage_period": share(cut.n_covered_now, cut.n_now),
        "coverage_minutes_baseline": share(cut.covered_seconds_base, cut.seconds_base),
        "coverage_minutes_period": share(cut.covered_seconds_now, cut.seconds_now),
        "numerator_seconds": round9(cut.numerator) if cut.weight else None,
        "denominator_seconds": round9(cut.denominator) if cut.weight else None,
        "actual_cut": round9(cut.reduction),
        "cut_lower": None if cut.upper is None else round9(1 - cut.upper),
        "cut_upper": None if cut.lower is None else round9(1 - cut.lower),
        "mean_baseline_minutes": _minutes(cut.denominator, cut.weight),
        "mean_period_minutes": _minutes(cut.numerator, cut.weight),
        "n_capped_baseline": cut.n_capped_base,
        "n_capped_period": cut.n_capped_now,
        "capped_minutes_baseline": round9(Fraction(cut.capped_seconds_base, 60)),
        "capped_minutes_period": round9(Fraction(cut.capped_seconds_now, 60)),
        "uncapped_ratio": (
            round9(cut.uncapped_numerator / cut.uncapped_denominator) if cut.uncapped_denominator else None
        ),
    }


def _minutes(seconds: Fraction | int, n: int) -> float | None:
    return round9(Fraction(seconds) / n / 60) if n else None


def _limits(cuts: Sequence[LimitCut]) -> dict[str, object]:
    mean, _ = mean_cut(cuts)
    names = ("n_limit_50", "n_limit_30", "n_limit_less", "n_limit_unchanged", "n_limit_longer", "n_no_limit")
    counts = {name: sum(cut.cut_class == kind for cut in cuts) for name, kind in zip(names, CLASSES, strict=True)}
    return {"limit_cut": round9(mean), **counts}


def _of_procedure(
    scope: Scope, evidence: Evidence, quantiles: Mapping[tuple[str, bool], Mapping[str, Any]]
) -> dict[str, object]:
    """What only a single procedure has: its own means (below the mix's minimum too), quantiles, cap and limits."""
    paper = evidence.limit_cut(scope.id)
    row: dict[str, object] = {
        "limit_before": paper.before,
        "limit_now": paper.now,
        "limit_class": paper.cut_class,
        "limit_cut": round9(paper.cut),
        "cap_minutes": _minutes(evidence.caps[scope.id], 1) if scope.id in evidence.caps else None,
    }
    for side, is_now in (("baseline", False), ("period", True)):
        cells = scope.cells.take(np.flatnonzero(scope.cells.side == is_now))
        row[f"mean_{side}_minutes"] = _minutes(int(cells.seconds.sum()), int(cells.n.sum()))
        found = quantiles.get((scope.id, is_now))
        for name in ("median", "p90"):
            row[f"{name}_{side}_minutes"] = round9(Fraction(int(found[f"{name}_hundredths"]), 6000)) if found else None
    return row
