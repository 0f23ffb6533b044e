"""Loaded targets, each judged for its own period (rulebook 7.1 to 7c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from procmon.judge.limits import mean_cut
from procmon.judge.mix import verdict
from procmon.judge.numbers import round9, share
from procmon.judge.question import Question
from procmon.judge.reductions import Evidence, Scope
from procmon.tables import UNDETERMINED

Row = dict[str, object]


def judge_target(
    target: Mapping[str, Any], asked: Question, evidence_of: Callable[[Question], Evidence]
) -> list[Row]:
    """Rows of table TARGETS for one target: the city (or its tag), then for a target without tag its parts.

    `asked` is about the city and compares the target's own period, as far as it has run.
    """
    if not has_its_baseline(target, asked):
        return [without_verdict(target, "no_baseline")]
    evidence = evidence_of(asked)
    judge = _limit if target["basis"] == "limit" else _actual
    return [_frame(target, asked, scope) | judge(target, scope, evidence) for scope in scopes_of(target, evidence)]


def scopes_of(target: Mapping[str, Any], evidence: Evidence) -> list[Scope]:
    """Whom a target is told for: the city's dossiers (of its tag), and without a tag each part of the city."""
    whole = evidence.tagged(target["tag"] or "")
    return [whole] if target["tag"] else [whole, *filter(is_judged, evidence.parts)]


def is_judged(part: Scope) -> bool:
    """A unit is if it is one of the day and finished dossiers in the period."""
    return part.kind != "unit" or (part.id not in ("", UNDETERMINED) and bool(part.cells.side.any()))


def has_its_baseline(target: Mapping[str, Any], question: Question) -> bool:
    """Whether an actual target speaks of the baseline that is frozen; limits are compared with a day's."""
    baseline = question.baseline
    return target["basis"] == "limit" or (target["baseline_from"], target["baseline_to"]) == (
        baseline.from_,
        baseline.to,
    )


def without_verdict(target: Mapping[str, Any], why: str) -> Row:
    """The one row of a target that cannot be judged."""
    return {
        "name": target["name"],
        "scope": "city",
        "scope_id": "",
        "basis": target["basis"],
        "target": target["reduction"],
        "verdict": "no_data",
        "why": why,
        "n_baseline": 0,
        "n_period": 0,
        "period_from": target["period_from"],
        "period_to": target["period_to"],
    }


def _frame(target: Mapping[str, Any], question: Question, scope: Scope) -> Row:
    return {
        "name": target["name"],
        "scope": scope.kind,
        "scope_id": scope.id,
        "basis": target["basis"],
        "target": target["reduction"],
        "period_from": question.compare.from_,
        "period_to": question.compare.to,
    }


def _limit(target: Mapping[str, Any], scope: Scope, evidence: Evidence) -> Row:
    cuts = [evidence.limit_cut(code) for code in scope.procedures]
    mean, n = mean_cut(cuts)
    found: Row = {"n_baseline": n, "n_period": n, "coverage": share(n, len(cuts))}
    if mean is None:
        return found | {"verdict": "no_data", "why": "no_limits"}
    is_met = float(mean) >= target["reduction"]
    return found | {"reduction": round9(mean), "verdict": "met" if is_met else "missed", "why": ""}


def _actual(target: Mapping[str, Any], scope: Scope, evidence: Evidence) -> Row:
    """As for limits, n is of what the reduction rests on: the covered dossiers."""
    cut = scope.cut
    found, why = verdict(cut, target["reduction"], min_n=1, min_coverage=evidence.question.policies.min_coverage)
    return {
        "reduction": round9(cut.reduction),
        "lower": None if cut.upper is None else round9(1 - cut.upper),
        "upper": None if cut.lower is None else round9(1 - cut.lower),
        "coverage": share(cut.n_covered_base, cut.n_base),
        "n_baseline": cut.n_covered_base,
        "n_period": cut.n_covered_now,
        "verdict": found,
        "why": why,
    }
