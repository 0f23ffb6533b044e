"""Processing time against the baseline over time, one set of procedures for all points (rulebook 7a)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pyarrow as pa

from procmon.judge.numbers import exact_sum, round9, share
from procmon.judge.question import Question
from procmon.tables import TREND


def trend(question: Question, cells: pa.Table) -> pa.Table:
    """Table TREND: months if the procedures with enough dossiers in each cover the mix, else quarters, else nothing.

    Args:
        cells: step `trend_cells`: capped seconds by procedure and month; `is_baseline` for the frozen ones.
    """
    for step, months in (("month", 1), ("quarter", 3)):
        rows = _points(question, cells, step, months)
        if rows:
            return TREND.from_rows(rows)
    return TREND.from_rows([])


def _points(question: Question, cells: pa.Table, step: str, months: int) -> list[dict[str, object]]:
    wanted = _starts(question, months)
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    base: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in cells.to_pylist():
        month = row["month_no"] - 1  # months counted from 0: year * 12 + (month - 1)
        point = sums[row["procedure_key"], month - month % months]
        for total in (point, base[row["procedure_key"]]) if row["is_baseline"] else (point,):
            total[0] += row["n"]
            total[1] += int(row["seconds"])
    least = question.policies.min_n_mix
    chosen = sorted(p for p in base if p and all(sums[p, start][0] >= least for start in wanted))
    n_base = sum(n for n, _ in base.values())
    n_chosen = sum(base[p][0] for p in chosen)
    if not chosen or not wanted or n_chosen / n_base < question.policies.min_coverage:
        return []
    denominator = sum(base[p][1] for p in chosen)
    points: list[dict[str, object]] = []
    for start in wanted:
        numerator = exact_sum(Fraction(base[p][0] * sums[p, start][1], sums[p, start][0]) for p in chosen)
        points.append(
            {
                "starts_on": _day(start),
                "ends_on": _day(start + months),
                "step": step,
                "ratio": round9(numerator / denominator) if denominator else None,
                "mean_minutes": round9(numerator / n_chosen / 60),
                "n": sum(sums[p, start][0] for p in chosen),
                "n_procedures": len(chosen),
                "coverage": share(n_chosen, n_base),
                "is_baseline": _day(start) < question.baseline.to,
            }
        )
    return points


def _starts(question: Question, months: int) -> list[int]:
    """The whole months or quarters from the baseline's first day to the compared period's end."""
    first = question.baseline.from_.year * 12 + question.baseline.from_.month - 1
    first += -first % months
    starts = []
    while _day(first + months) <= max(question.compare.to, question.baseline.to) and _day(
        first + months
    ) <= question.today + timedelta(days=1):
        starts.append(first)
        first += months
    return starts


def _day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)
