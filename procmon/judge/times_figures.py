"""Reductions, targets and what lies behind them in long form: rows of table FIGURES (see figures.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from procmon.judge.place import Place, Row, share_of

Shown = Mapping[str, Any]

LIMIT_COUNTS = ("n_limit_50", "n_limit_30", "n_limit_less", "n_limit_unchanged", "n_limit_longer", "n_no_limit")
FATES = ("n_result", "n_no_result", "n_pending")
SIDES = ("baseline", "period")
CURVES = (
    "km_median_{}_minutes", "half_with_result_{}_minutes", "median_if_none_withdrawn_{}_minutes",
    "share_with_result_{}", "share_without_result_{}",
)  # fmt: skip
PART_SCOPES = {"procedure": "procedure", "unit": "unit", "stage": "stage"}
"""Decompositions whose parts are figures; of the others, which `show change` has, only the totals are."""


def reduction(row: Shown, place: Place) -> Iterator[Row]:
    """A row of REDUCTIONS; of a procedure without dossiers the limit alone."""
    base = place.of(row) | place.days(compared=True)
    is_procedure = row["scope"] == "procedure"
    yield base | {"figure": "reductions.limit_cut", "value": row["limit_cut"], "verdict": row["limit_class"]}
    if not is_procedure:
        n = sum(row[name] for name in LIMIT_COUNTS) - row["n_no_limit"]
        for name in LIMIT_COUNTS:
            counted = {"figure": f"reductions.{name}", "numerator": row[name], "n": row[name]}
            yield base | (counted if name == "n_no_limit" else share_of(f"reductions.{name}", row[name], n))
    if is_procedure and not row["n_baseline"] and not row["n_period"]:
        return
    behind: Row = {"n": row["n_period"], "n_baseline": row["n_baseline"]}
    yield (
        base
        | behind
        | {
            "figure": "reductions.actual_cut",
            "numerator": row["numerator_seconds"],
            "denominator": row["denominator_seconds"],
            "value": row["actual_cut"],
            "lower": row["cut_lower"],
            "upper": row["cut_upper"],
            "verdict": row["verdict"],
        }
    )
    yield base | share_of("reductions.coverage", row["n_covered_baseline"], row["n_baseline"])
    for name in ("mean", "median", "p90") if is_procedure else ("mean",):
        for side, n in (("period", "n_period"), ("baseline", "n_baseline")):
            column = f"{name}_{side}_minutes"
            yield base | {"figure": f"reductions.{column}", "value": row[column], "n": row[n]}
    for side, n in (("period", "n_covered_period"), ("baseline", "n_covered_baseline")):
        yield base | share_of(f"reductions.n_capped_{side}", row[f"n_capped_{side}"], row[n])
    for name, of in (
        ("n_on_time_old", "n_judged_both"), ("n_on_time_new", "n_judged_both"),
        ("n_baseline_on_time", "n_baseline_judged"),
    ):  # fmt: skip
        yield base | share_of(f"reductions.{name}", row[name], row[of]) | {"rule_set": "index_766"}


def target(row: Shown) -> Row:
    """A row of TARGETS."""
    same = ("scope", "scope_id", "period_from", "period_to", "lower", "upper", "n_baseline", "verdict")
    found: Row = {name: row[name] for name in same}
    return found | {"figure": f"targets.{row['name']}", "value": row["reduction"], "n": row["n_period"]}


def pending_work(row: Shown, place: Place) -> Iterator[Row]:
    """A row of PENDING_WORK; of a procedure nothing unless both sides have enough to draw its curves."""
    base = place.of(row) | place.days(compared=True)
    is_procedure = row["scope"] == "procedure"
    if is_procedure and row["tau_minutes"] is None:
        return
    yield base | {
        "figure": "pending_work.restricted_cut",
        "numerator": row["restricted_period_minutes"],
        "denominator": row["restricted_baseline_minutes"],
        "value": row["restricted_cut"],
        "lower": row["cut_lower"],
        "upper": row["cut_upper"],
        "n": row["n_received_period"],
        "n_baseline": row["n_received_baseline"],
        "verdict": row["verdict"],
    }
    yield base | {"figure": "pending_work.agreement", "verdict": row["agreement"]}
    for side in SIDES:
        n = row[f"n_received_{side}"]
        for name in FATES:
            yield base | share_of(f"pending_work.{name}_{side}", row[f"{name}_{side}"], n)
        for column in (curve.format(side) for curve in CURVES if is_procedure):
            yield base | {"figure": f"pending_work.{column}", "value": row[column], "n": n}


def open_stock(row: Shown, place: Place) -> Iterator[Row]:
    """A month's end of OPEN_STOCK."""
    base = place.whole() | {"period_to": row["month_end_on"]}
    n = row["n_open"]
    yield base | {"figure": "open_stock.n_open", "numerator": n, "n": n}
    for name in ("n_over_30", "n_over_90", "n_over_180"):
        yield base | share_of(f"open_stock.{name}", row[name], n)
    for name in ("median_age_days", "p90_age_days"):
        yield base | {"figure": f"open_stock.{name}", "value": row[name], "n": n}


def change(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """Every total of CHANGE, and the parts that one unit, stage or procedure has."""
    for row in rows:
        is_part = row["term"] in ("pace", "moved", "mix")
        if is_part and row["parted_by"] not in PART_SCOPES:
            continue
        base = place.part(PART_SCOPES[row["parted_by"]], row["part_id"]) if is_part else place.whole()
        yield (
            base
            | place.days(compared=True)
            | {
                "figure": f"change.{row['parted_by']}.{row['term']}",
                "value": row["contribution"],
                "n": row["n_period"],
                "n_baseline": row["n_baseline"],
            }
        )


def way(row: Shown) -> Iterator[Row]:
    """A row of WAY: the gap, and what the rest would need; `n_baseline` are the baseline's dossiers that weigh."""
    base = {name: row[name] for name in ("scope", "scope_id", "period_from", "period_to")}
    yield base | {"figure": f"way.{row['name']}.gap_days", "value": row["gap_days"], "n_baseline": row["n_done"]}
    yield base | {
        "figure": f"way.{row['name']}.needed_mean_minutes",
        "value": row["needed_mean_minutes"],
        "n_baseline": row["n_rest"],
        "verdict": row["why"],
    }


def ranking(row: Shown, place: Place) -> Row:
    """A row of RANKING: the places that a unit may have, from and to."""
    return (
        place.part("unit", row["unit_id"])
        | place.days(compared=True)
        | {
            "figure": "ranking.place",
            "lower": row["rank_from"],
            "upper": row["rank_to"],
            "n": row["n_period"],
            "n_baseline": row["n_baseline"],
            "verdict": row["why"],
        }
    )


def predecessor(row: Shown, place: Place) -> Row:
    """A row of PREDECESSORS or UNIT_PREDECESSORS: a code's or an old unit's own mean."""
    is_unit = "unit_id" in row
    kind = "unit_predecessor" if is_unit else "predecessor"
    whose, own = ("unit_id", "predecessor_key") if is_unit else ("procedure_id", "predecessor_id")
    return place.part(kind, f"{row[whose]}/{row[own]}") | place.days(compared=True) | {
        "figure": f"{kind}s.mean_minutes",
        "value": row["mean_minutes"],
        "n_baseline": row["n_baseline"],
    }


def trend(rows: Iterable[Shown], place: Place) -> Iterator[Row]:
    """Each point; its period is the one compared, since the set of procedures is that period's."""
    for row in rows:
        base = place.part(row["step"], row["starts_on"].isoformat()) | place.days(compared=True)
        yield base | {"figure": "trend.ratio", "value": row["ratio"], "n": row["n"]}
        yield base | {"figure": "trend.mean_minutes", "value": row["mean_minutes"], "n": row["n"]}
