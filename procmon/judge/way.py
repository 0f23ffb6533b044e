"""Way to go: how far an actual target is that is not met, and what the rest of its period would need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from procmon.judge.cells import Cells
from procmon.judge.mix import Cut, verdict
from procmon.judge.numbers import round9
from procmon.judge.question import Question
from procmon.judge.reductions import Evidence, Scope
from procmon.judge.targets import Row, has_its_baseline, scopes_of
from procmon.tables import Period

DAY_SECONDS = 28800
"""A working day of every table: 480 minutes (rulebook 4)."""


def way_to_go(target: Mapping[str, Any], asked: Question, evidence_of: Callable[[Question], Evidence]) -> list[Row]:
    """Rows of table WAY for one target: each scope of `judge_target` that is missed or inconclusive.

    `asked` is as for `judge_target`; only whole months count as done. The weights of the months to come are the
    baseline's.
    """
    if target["basis"] != "actual" or not has_its_baseline(target, asked):
        return []
    done = Period(asked.compare.from_, asked.compare.to.replace(day=1))
    if done.to <= done.from_:
        return []
    asked = replace(asked, compare=done)
    evidence = evidence_of(asked)
    unmet = [(scope, found) for scope in scopes_of(target, evidence) if (found := _verdict(target, scope, evidence))]
    if not unmet or done.to >= target["period_to"]:
        return [_frame(target, done, scope, found) | {"n_rest": 0, "why": "period_over"} for scope, found in unmet]
    rest = evidence_of(replace(asked, compare=Period(done.to, target["period_to"])))
    to_come = _months_to_come(done.to, target["period_to"])
    cells = {(scope.kind, scope.id): scope.cells for scope in [rest.tagged(target["tag"] or ""), *rest.parts]}
    nothing = rest.cells.take(np.array([], np.int64))
    rows = []
    for scope, found in unmet:
        n, seconds = _rest(scope, cells.get((scope.kind, scope.id), nothing), to_come)
        rows.append(_frame(target, done, scope, found) | _needed(scope.cut, _kept(target), n, seconds))
    return rows


def _months_to_come(first: date, to: date) -> Counter[int]:
    """How often each calendar month is to come."""
    n = (to.year - first.year) * 12 + to.month - first.month
    return Counter((first.month - 1 + i) % 12 + 1 for i in range(n))


def _verdict(target: Mapping[str, Any], scope: Scope, evidence: Evidence) -> str:
    """The verdict where it says that the target is not met, else nothing."""
    min_coverage = evidence.question.policies.min_coverage
    found, _ = verdict(scope.cut, target["reduction"], min_n=1, min_coverage=min_coverage)
    return found if found in ("missed", "inconclusive") else ""


def _kept(target: Mapping[str, Any]) -> Fraction:
    """1 - target, as people write it: 0.7 is seven tenths."""
    return 1 - Fraction(str(target["reduction"]))


def _frame(target: Mapping[str, Any], done: Period, scope: Scope, found: str) -> Row:
    cut = scope.cut
    baseline, period = cut.denominator / cut.weight, cut.numerator / cut.weight
    goal = _kept(target) * baseline
    return {
        "name": target["name"],
        "scope": scope.kind,
        "scope_id": scope.id,
        "verdict": found,
        "reduction": round9(cut.reduction),
        "target": target["reduction"],
        "mean_baseline_minutes": round9(baseline / 60),
        "mean_period_minutes": round9(period / 60),
        "target_mean_minutes": round9(goal / 60),
        "gap_days": round9((period - goal) / DAY_SECONDS),
        "n_done": cut.weight,
        "period_from": done.from_,
        "period_to": done.to,
    }


def _rest(scope: Scope, cells: Cells, to_come: Mapping[int, int]) -> tuple[int, int]:
    """Dossiers and capped seconds of the baseline in the months to come, of the procedures in the scope's mix."""
    in_mix = np.array([procedure in scope.cut.weights for procedure in cells.procedures], bool)
    times = np.array([to_come.get((month - 1) % 12 + 1, 0) for month in cells.month.tolist()], np.int64)
    times[(cells.side != 0) | ~in_mix[cells.procedure]] = 0
    return int((cells.n * times).sum()), int((cells.seconds * times).sum())


def _needed(cut: Cut, kept: Fraction, n: int, seconds: int) -> Row:
    """What the rest must take on the mean, so that done and rest together keep that part of the baseline's time."""
    if not n:
        return {"n_rest": 0, "why": "nothing_to_come"}
    allowed = kept * (cut.denominator + seconds)
    row: Row = {"n_rest": n, "whole_target_mean_minutes": round9(allowed / (cut.weight + n) / 60)}
    needed = (allowed - cut.numerator) / n
    if needed < 0:
        return row | {"why": "out_of_reach"}
    return row | {"needed_mean_minutes": round9(needed / 60), "why": ""}
