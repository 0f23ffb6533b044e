"""Pending work counts: what the received dossiers say beside the finished ones, scope by scope (rulebook 7d)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pyarrow as pa

from procmon.judge import survival
from procmon.judge.mix import Compared, verdict
from procmon.judge.numbers import round9, share
from procmon.judge.reductions import Evidence, Goal, Scope
from procmon.judge.restricted import Division, Part, Received
from procmon.judge.survival import NEVER, Floats, Ints
from procmon.tables import PENDING_WORK, UNDETERMINED

BY_UNITS = ("department", "unit")
"""The parts whose curves are drawn of their own dossiers; all others share the curves of the question's."""
FAR = Fraction(1, 10)
"""Cuts that differ by more disagree."""
SIDES = ("baseline", "period")

Row = dict[str, object]


def pending_work(evidence: Evidence, received: pa.Table, goal: Goal | None) -> pa.Table:
    """Table PENDING_WORK: the rows of REDUCTIONS, in its order.

    Args:
        received: step `received` (received.sql): the question's received dossiers of both sides, counted by procedure,
            unit, month of receipt, working seconds and fate.
    """
    seen = Received(received)
    whole = Division(seen, np.zeros(len(seen.units), dtype=np.int64), evidence.caps, None)
    rows = [_row(evidence.headline, whole.part(0), evidence, goal)]
    for kind in dict.fromkeys(scope.kind for scope in evidence.parts):
        scopes = [scope for scope in evidence.parts if scope.kind == kind]
        parts = _by_units(scopes, seen, evidence) if kind in BY_UNITS else _by_procedures(scopes, whole, evidence)
        rows += [_row(scope, part, evidence, goal) for scope, part in zip(scopes, parts, strict=True)]
    curves = _of_procedures(whole)
    for scope in evidence.procedures:
        row = _row(scope, whole.part(0, [scope.id]), evidence, goal)
        rows.append(row | curves.get(scope.id, {}))
    if evidence.headline.cut.n_base and not rows[0]["n_received_baseline"]:
        rows = [_without_states(row) for row in rows]
    return PENDING_WORK.from_rows(rows)


def _without_states(row: Row) -> Row:
    """Of a baseline that kept nothing of what was received: unknown, not none."""
    unknown = dict.fromkeys((f"n_{name}_baseline" for name in ("received", "result", "no_result", "pending")), None)
    return row | unknown | {"why": "no_states" if row["why"] == "no_baseline" else row["why"]}


def _by_procedures(scopes: Iterable[Scope], whole: Division, evidence: Evidence) -> list[Part]:
    codes = whole.received.procedures
    return [whole.part(0, [code for code in codes if evidence.holds(scope, code)]) for scope in scopes]


def _by_units(scopes: list[Scope], seen: Received, evidence: Evidence) -> list[Part]:
    """Parts of units or departments: of their own dossiers, also of procedures in which nothing was finished."""
    place = {scope.id: number for number, scope in enumerate(scopes)}
    places = [place.get(evidence.home(scopes[0].kind, unit), NEVER) for unit in seen.units]
    mixes = {number: scope.cut.weights for number, scope in enumerate(scopes)}
    division = Division(seen, np.array(places, dtype=np.int64), evidence.caps, mixes)
    return [division.part(number) for number in range(len(scopes))]


def _row(scope: Scope, part: Part, evidence: Evidence, goal: Goal | None) -> Row:
    restricted = part.compare(scope.cut.weights)
    row: Row = {
        "scope": scope.kind,
        "scope_id": scope.id,
        "name": scope.name,
        "period_from": evidence.question.compare.from_,
        "period_to": evidence.question.compare.to,
        "target": goal.name if goal else "",
        "n_covered_baseline": restricted.n_covered_base,
        "n_covered_period": restricted.n_covered_now,
        "coverage": share(restricted.n_covered_base, restricted.n_base),
        "restricted_baseline_minutes": _minutes(restricted.denominator, restricted.weight),
        "restricted_period_minutes": _minutes(restricted.numerator, restricted.weight),
        "restricted_cut": round9(restricted.reduction),
        "cut_lower": None if restricted.upper is None else round9(1 - restricted.upper),
        "cut_upper": None if restricted.lower is None else round9(1 - restricted.lower),
        "actual_cut": round9(scope.cut.reduction),
        **_judged(scope, restricted, evidence, goal),
    }
    for side, tally in zip(SIDES, part.tallies, strict=True):
        row |= {
            f"n_received_{side}": tally.n,
            f"n_result_{side}": tally.results,
            f"n_no_result_{side}": tally.others,
            f"n_pending_{side}": tally.pending,
        }
    return row


def _judged(scope: Scope, restricted: Compared, evidence: Evidence, goal: Goal | None) -> Row:
    """Both verdicts and whether they agree; that there is enough to judge by does not hang on there being a target."""
    if scope.id == UNDETERMINED:  # what no unit stands for is counted, and judged by nobody
        return {"verdict": "no_data", "why": UNDETERMINED, "actual_verdict": "no_data", "agreement": ""}
    policies = evidence.question.policies
    min_n = policies.min_n_verdict if scope.kind == "procedure" else 1
    target = goal.reduction if goal else 0.0
    (actual, lacking), (found, why) = (
        verdict(cut, target, min_n=min_n, min_coverage=policies.min_coverage) for cut in (scope.cut, restricted)
    )
    if goal is None:
        actual = found = "no_target"
    agreement = "" if lacking or why else _agreement((actual, scope.cut), (found, restricted))
    if why and actual == "met":
        agreement = "disagree"  # what finished looks fast, and nothing can be said of the rest
    return {"verdict": found, "why": why, "actual_verdict": actual, "agreement": agreement}


def _agreement(one: tuple[str, Compared], other: tuple[str, Compared]) -> str:
    (verdict_of_one, a), (verdict_of_other, b) = one, other
    is_far = a.reduction is None or b.reduction is None or abs(a.reduction - b.reduction) > FAR
    return "disagree" if is_far or verdict_of_one != verdict_of_other else "agree"


def _minutes(seconds: Fraction, n: int) -> float | None:
    return round9(seconds / n / 60) if n else None


def _of_procedures(whole: Division) -> dict[str, Row]:
    """What is told of single procedures only: τ, medians, and the shares that had ended by τ."""
    at = whole.curves
    if at is None:
        return {}
    still_open, if_none_left = survival.survival(at, at.ends), survival.survival(at, at.results)
    with_result = survival.share_ended(at, still_open, at.results)
    times = {
        "km_median": survival.median_time(at, still_open, at.ends),
        "half_with_result": survival.half_time(at, with_result),
        "median_if_none_withdrawn": survival.median_time(at, if_none_left, at.results),
    }
    last = at.last_where(at.time <= at.of_groups(whole.tau_of_groups()))
    shares = {
        "share_with_result": _at(last, with_result),
        "share_without_result": _at(last, survival.share_ended(at, still_open, at.others)),
    }
    codes = whole.received.procedures
    taus = whole.tau[0].tolist()
    rows: dict[str, Row] = {
        code: {"tau_minutes": None if tau == NEVER else round9(Fraction(tau, 60))}
        for code, tau in zip(codes, taus, strict=True)
    }
    for curve, group in enumerate(whole.groups.tolist()):
        procedure, side = group // 2, SIDES[group % 2]
        row = rows[codes[procedure]]
        for name, of_curves in times.items():
            time = int(of_curves[curve])
            row[f"{name}_{side}_minutes"] = None if time == NEVER else round9(Fraction(time, 60))
        if taus[procedure] != NEVER:
            row |= {f"{name}_{side}": round9(float(of_curves[curve])) for name, of_curves in shares.items()}
    return rows


def _at(last: Ints, values: Floats) -> Floats:
    """By group the value at its step `last`; 0 before its first."""
    return np.where(last == NEVER, 0.0, values[last])
