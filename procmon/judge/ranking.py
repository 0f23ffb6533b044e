"""Units compared fairly: at fixed mix, each against its own baseline, ties shown as ties (rulebook 7c)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from procmon.config import PolicySettings
from procmon.judge.mix import CONFIDENCE, Cut
from procmon.judge.numbers import round9, share
from procmon.judge.reductions import Evidence, Scope
from procmon.judge.student import t_quantile
from procmon.judge.targets import Row, is_judged
from procmon.tables import RANKING


def ranking(evidence: Evidence) -> pa.Table:
    """Table RANKING of the city's units: those ranked by best place, cut and code, then those only listed, by code.

    What no unit of the day stands for is no unit to compare.
    """
    policies = evidence.question.policies
    told = [scope for scope in evidence.parts if scope.kind == "unit" and is_judged(scope)]
    units = [(scope, unranked(scope.cut, policies)) for scope in told]
    if sum(not why for _, why in units) == 1:
        units = [(scope, why or "alone") for scope, why in units]
    ranked = [scope for scope, why in units if not why]
    rows = [_told(scope, "") | place for scope, place in zip(ranked, places([s.cut for s in ranked]), strict=True)]
    rows.sort(key=_order)
    return RANKING.from_rows([*rows, *(_told(scope, why) for scope, why in units if why)])


def unranked(cut: Cut, policies: PolicySettings) -> str:
    """Why a unit is listed, not ranked: few_dossiers, coverage, no_interval; empty where it is ranked."""
    if min(cut.n_covered_base, cut.n_covered_now) < policies.min_n_verdict:
        return "few_dossiers"
    if (cut.coverage or 0) < policies.min_coverage:
        return "coverage"
    return "" if cut.spread else "no_interval"


def places(cuts: list[Cut]) -> list[Row]:
    """The places of cuts that have a spread, as far as the data can part them.

    A pair is parted where the 95 % interval of the difference of their ln(N ÷ D) excludes 0: the variances added, and
    Student's t with the smaller of both degrees of freedom, which never makes the interval too short.
    """
    better = is_parted_by_less(cuts)
    n_better, n_worse = better.sum(axis=0).tolist(), better.sum(axis=1).tolist()
    n = len(cuts)
    return [
        {
            "rank_from": 1 + above,
            "rank_to": n - below,
            "n_better": above,
            "n_worse": below,
            "n_tied": n - 1 - above - below,
        }
        for above, below in zip(n_better, n_worse, strict=True)
    ]


def is_parted_by_less(cuts: list[Cut]) -> npt.NDArray[np.bool_]:
    """[i, j]: the ratio of cut i is certainly less than that of cut j."""
    spreads = [cut.spread for cut in cuts if cut.spread]
    logs = np.array([math.log(cut.numerator / cut.denominator) for cut in cuts])
    variances = np.array([spread.variance for spread in spreads])
    freedoms = np.array([spread.freedom for spread in spreads], int)
    smaller = np.minimum.outer(freedoms, freedoms)
    distinct, place = np.unique(smaller, return_inverse=True)
    reach = np.array([t_quantile(CONFIDENCE, int(freedom)) for freedom in distinct])[place.reshape(smaller.shape)]
    parted: npt.NDArray[np.bool_] = np.subtract.outer(logs, logs) < -reach * np.sqrt(np.add.outer(variances, variances))
    return parted


def _told(scope: Scope, why: str) -> Row:
    cut = scope.cut
    return {
        "unit_id": scope.id,
        "name": scope.name,
        "actual_cut": round9(cut.reduction),
        "lower": None if cut.upper is None else round9(1 - cut.upper),
        "upper": None if cut.lower is None else round9(1 - cut.lower),
        "n_baseline": cut.n_covered_base,
        "n_period": cut.n_covered_now,
        "coverage": share(cut.n_covered_base, cut.n_base),
        "why": why,
    }


def _order(row: Row) -> tuple[int, float, str]:
    return int(str(row["rank_from"])), -float(str(row["actual_cut"])), str(row["unit_id"])
