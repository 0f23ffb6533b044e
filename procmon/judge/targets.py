"""Loaded targets, each judged for its own period (rulebook 7.1 to 7c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procmon.judge.limits import limit_cut, mean_cut
from procmon.judge.mix import compare, verdict
from procmon.judge.question import Question
from procmon.judge.reductions import Evidence, Scope, round9
from procmon.tables import OLD_LIMITS_ON

Row = dict[str, object]


def judge_target(target: Mapping[str, Any], evidence: Evidence) -> list[Row]:
    """Rows of table TARGETS for one target: the city (or its tag), then for a target without tag its parts.

    `evidence` compares the target's own period, as far as it has run.
    """
    scopes: Sequence[Scope] = [evidence.tagged(target["tag"] or "")]
    if not target["tag"]:
        scopes = [*scopes, *evidence.parts()]
    judge = _limit if target["basis"] == "limit" else _actual
    return [_frame(target, evidence.question, scope) | judge(target, scope, evidence) for scope in scopes]


def not_begun(target: Mapping[str, Any]) -> Row:
    """The row of a target whose period has not begun."""
    return {
        "name": target["name"],
        "scope": "city",
        "scope_id": "",
        "basis": target["basis"],
        "target": target["reduction"],
        "verdict": "no_data",
        "why": "not_begun",
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
    cuts = [limit_cut(evidence.catalogue, code, OLD_LIMITS_ON, evidence.question.last_day) for code in scope.procedures]
    mean, n = mean_cut(cuts)
    found: Row = {"n_baseline": n, "n_period": n, "coverage": round9(n / len(cuts)) if cuts else None}
    if mean is None:
        return found | {"verdict": "no_data", "why": "no_limits"}
    is_met = float(mean) >= target["reduction"]
    return found | {"reduction": round9(mean), "verdict": "met" if is_met else "missed", "why": ""}


def _actual(target: Mapping[str, Any], scope: Scope, evidence: Evidence) -> Row:
    policies = evidence.question.policies
    cut = compare(scope.cells, min_n=policies.min_n_mix)
    found, why = verdict(cut, target["reduction"], min_n=1, min_coverage=policies.min_coverage)
    return {
        "reduction": None if cut.ratio is None else round9(1 - cut.numerator / cut.denominator),
        "lower": None if cut.upper is None else round9(1 - cut.upper),
        "upper": None if cut.lower is None else round9(1 - cut.lower),
        "coverage": round9(cut.coverage),
        "n_baseline": cut.n_base,
        "n_period": cut.n_now,
        "verdict": found,
        "why": why,
    }
