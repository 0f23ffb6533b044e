"""What each figure is, in a sentence, where the rulebook defines it, and which SQL counts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from procmon.engine import sql_text
from procmon.engine.duckdb import steps_of

MEASURE_SQL = ("log", "events", "facts", "units", "dossiers")
"""The files of procmon/measure/sql behind every figure, in order: the log → one row a dossier."""


@dataclass(frozen=True)
class Definition:
    """A figure in words, and where it comes from.

    `sql` names files of procmon/judge/sql in order; `then` is what Python does with what they count. `counted_in` is
    the step that counts the dossiers behind it, empty where none does; in it `column` is their count, empty where the
    figure is made of all of them; `side`, where the step has both sides, is `period` or `baseline`.
    """

    says: str
    section: str
    sql: tuple[str, ...]
    then: str = "shares are divided last, and kept to 9 significant digits (judge/numbers.py)"
    counted_in: str = ""
    column: str = ""
    side: str = ""


@dataclass(frozen=True)
class _Family:
    section: str
    sql: tuple[str, ...]
    then: str
    counted_in: str
    figures: dict[str, str]


SHARE = Definition.then
IN_PERIOD = "dossiers received by the end of the period and not ended before it"
RECEIVED = "dossiers received, or refused at reception, in the boundary window"
MIX = "the fixed mix of procedures with enough dossiers in the period and the baseline"
AT_RISK = "curves and restricted means are drawn in judge/survival.py, and put at fixed mix in judge/restricted.py"
AT_LOCAL_MIX = "ratios, differences, intervals and verdicts are computed from these sums in judge/parity.py"
AT_MIX = "means, cut and interval are computed from these sums in judge/mix.py"

FAMILIES = {
    "reductions": _Family("7.1", ("figured", "sides", "times"), "limits are compared in judge/limits.py", "", {
        "limit_cut": "1 less the limit on the period's last day divided by that of 31 December 2024, in working days;"
        " over a scope the plain mean of its procedures",
        "n_limit_50": "Procedures whose limit was cut by 50 % or more, of those with a limit in 2024",
        "n_limit_30": "Procedures whose limit was cut by 30 % up to 50 %, of those with a limit in 2024",
        "n_limit_less": "Procedures whose limit was cut by less than 30 %, of those with a limit in 2024",
        "n_limit_unchanged": "Procedures whose limit is as it was, of those with a limit in 2024",
        "n_limit_longer": "Procedures whose limit was made longer or given up, of those with a limit in 2024",
        "n_no_limit": "Procedures without a limit on 31 December 2024",
    }),
    "reductions in time": _Family("7.2, 7a to 7c", ("figured", "sides", "times", "spread"), AT_MIX, "cells", {
        "actual_cut": f"The cut of processing time, 1 - N / D: capped means against the baseline's, at {MIX}",
        "coverage": "Share of the baseline's dossiers in procedures with enough dossiers on both sides",
        "mean_period_minutes": f"Mean processing time of the period in minutes, capped, at {MIX}",
        "mean_baseline_minutes": f"Mean processing time of the baseline in minutes, capped, at {MIX}",
        "median_period_minutes": "Median processing time of a procedure's dossiers finished in the period, minutes",
        "median_baseline_minutes": "Median processing time of a procedure's baseline dossiers, minutes",
        "p90_period_minutes": "90th percentile of a procedure's processing times in the period, minutes",
        "p90_baseline_minutes": "90th percentile of a procedure's processing times in the baseline, minutes",
        "n_capped_period": "Covered dossiers of the period whose processing time is above their procedure's cap",
        "n_capped_baseline": "Covered dossiers of the baseline whose processing time is above their procedure's cap",
    }),
    "pending_work": _Family("7d", ("figured", "received"), AT_RISK, "", {
        "agreement": "Whether the cut of finished dossiers and the restricted cut say the same: `disagree` where their"
        " verdicts differ or they lie more than 10 points apart",
    }),
    "pending_work received": _Family("7d", ("figured", "received"), AT_RISK, "received", {
        "restricted_cut": "The cut of the restricted mean of the dossiers received, pending ones censored at their own"
        " period's end, at the headline's fixed mix",
        **{
            name.format(side): says.format(whose)
            for side, whose in (("period", "received in the period"), ("baseline", "the baseline received"))
            for name, says in {
                "n_result_{}": "Dossiers {} that had a result by their own period's end",
                "n_no_result_{}": "Dossiers {} that were stopped, refused or withdrawn by their own period's end",
                "n_pending_{}": "Dossiers {} that were not ended by their own period's end",
                "km_median_{}_minutes": "Kaplan-Meier median of the processing time of the dossiers {}, any end",
                "half_with_result_{}_minutes": "When half of the dossiers {} had a result (Aalen-Johansen), minutes",
                "median_if_none_withdrawn_{}_minutes": "Median of the dossiers {} if nobody had withdrawn or been"
                " stopped",
                "share_with_result_{}": "Share of the dossiers {} that had a result by the restriction's end",
                "share_without_result_{}": "Share of the dossiers {} stopped, refused or withdrawn by then",
            }.items()
        },
    }),
    "open_stock": _Family("7d", ("figured", "stock"), SHARE, "open_stock", {
        "n_open": "Dossiers received by the month's end and not ended by it",
        "n_over_30": "Of the open stock at the month's end: received more than 30 days before",
        "n_over_90": "Of the open stock at the month's end: received more than 90 days before",
        "n_over_180": "Of the open stock at the month's end: received more than 180 days before",
        "median_age_days": "Median of the days since receipt of the open stock at the month's end",
        "p90_age_days": "90th percentile of the days since receipt of the open stock at the month's end",
    }),
    "ranking": _Family("7c", ("figured", "sides", "times"), "pairs are parted in judge/ranking.py", "", {
        "place": "The best place (lower) and the worst place (upper) that a unit may have by its cut at fixed mix; two"
        " units are ties unless the 95 % interval of the difference of their log ratios excludes 0",
    }),
    "predecessors": _Family("7e", ("figured", "predecessors"), "means are divided in judge/predecessors.py", "", {
        "mean_minutes": "Mean processing time of a predecessor's own baseline dossiers; never what is compared with",
    }),
    "unit_predecessors": _Family("7e", ("figured", "predecessors"), "means are divided in judge/predecessors.py", "", {
        "mean_minutes": "Mean processing time of the baseline dossiers of an old unit that was taken over whole",
    }),
    "reductions on time": _Family("7.3", ("figured", "times"), SHARE, "on_time_cells", {
        "n_on_time_old": "Dossiers on time by the limit of 31 December 2024, of those with a due date by it and by the"
        " limit at receipt",
        "n_on_time_new": "Dossiers on time by the limit in force at receipt, of those with a due date by it and by the"
        " limit of 31 December 2024",
    }),
    "reductions before": _Family("7.3", ("figured", "times"), SHARE, "baseline_on_time_cells", {
        "n_baseline_on_time": "Baseline dossiers on time by their computed due date, of those that have one",
    }),
    "form_06": _Family("6", ("figured", "form_06"), SHARE, "form_06", {
        "received": "Form 06 column 3: " + IN_PERIOD,
        "received_online": "Form 06 column 4: of column 3, received online in the period",
        "received_in_person_post": "Form 06 column 5: of column 3, received in person or by post in the period",
        "carried_over": "Form 06 column 6: of column 3, received before the period",
        "resolved": "Form 06 column 7: of column 3, resolved",
        "resolved_early": "Form 06 column 8: of column 3, resolved before the current due day",
        "resolved_on_time": "Form 06 column 9: of column 3, resolved on the current due day, without one, refused or"
        " withdrawn",
        "resolved_overdue": "Form 06 column 10: of column 3, resolved after the current due day",
        "pending": "Form 06 column 11: of column 3, being processed",
        "pending_in_time": "Form 06 column 12: of column 3, being processed in time, waiting for papers or stopped",
        "pending_overdue": "Form 06 column 13: of column 3, being processed past the current due day",
    }),
    "on_time": _Family("6", ("figured", "form_06", "rule_sets"), SHARE, "on_time", {
        "n_on_time": f"Share on time under the rule set, of those that it judges among the {IN_PERIOD}",
        "n_late": f"Share late under the rule set, of those that it judges among the {IN_PERIOD}",
        "n_pending_on_time": "Of those judged under the rule set: on time so far and still pending",
        "n_pending_late": "Of those judged under the rule set: late already and still pending",
        "n_without_due_date": "Apart from the rule set's share: dossiers with nothing to judge by",
        "n_stopped": "Apart from the rule set's share: stopped dossiers",
        "n_refused": "Apart from the rule set's share: refused dossiers",
        "n_withdrawn": "Apart from the rule set's share: withdrawn dossiers",
    }),
    "boundaries": _Family("8", ("figured", "counters", "boundaries"), SHARE, "", {
        "refused_elsewhere": "Share of the procedures on offer that a counter elsewhere refused for lack of competence",
        "proven": "Share of the procedures on offer that enough finished cross-boundary dossiers prove",
        "announced_only": "Share of the procedures on offer that are announced, not refused elsewhere and not proven",
        "online_only": "Share of the procedures on offer with online dossiers only",
        "local_only": "Share of the procedures on offer that are not announced, not refused elsewhere and not proven"
        " by the dossiers they have",
        "no_data": "Share of the procedures on offer without a dossier that could tell",
        "announced": "Share of the procedures on offer that stand in the announced list",
        "announced_not_proven": "Share of the procedures on offer that are announced and not proven",
        "proven_not_announced": "Share of the procedures on offer that are proven and not announced",
        "n_cross_finished": "A procedure's finished cross-boundary dossiers in the window, of all its dossiers there",
        "n_receiving_units": "Units that received a procedure's finished cross-boundary dossiers, of those that could",
    }),
    "boundaries counted": _Family("8", ("figured", "counters", "boundaries"), SHARE, "boundary_counts", {
        "n_refused_elsewhere": f"Cross-boundary refusals for lack of competence, of the {RECEIVED}",
        "n_online": f"Online dossiers, of the {RECEIVED}",
        "n_cross": f"Cross-boundary dossiers, of the {RECEIVED}",
        "n_undetermined": f"Dossiers of which it cannot be told whether they cross a boundary, of the {RECEIVED}",
        "n_returned_elsewhere": f"Results returned in another territory than the resolving unit's, of the {RECEIVED}",
    }),
    "parity": _Family("8", ("figured", "counters", "parity"), AT_LOCAL_MIX, "", {
        "processing_time": "Mean processing time of cross-boundary dossiers divided by that of local ones, at the local"
        " ones' mix of procedures",
        "supplement_share": "Share of received dossiers with a supplement request: cross-boundary less local, at the"
        " local mix",
        "refusal_share": "Share of refused dossiers: cross-boundary less local, at the local mix",
        "handovers": "Mean changes of the holding unit of a finished dossier: cross-boundary less local, at the local"
        " mix",
    }),
    "due_soon": _Family("11", ("figured", "due_soon"), SHARE, "", {
        "overdue": "Pending dossiers with no open time left to their judged due date",
        "due_1": "Pending dossiers due within 1 working day (480 open minutes)",
        "due_2": "Pending dossiers due within 2 working days, those due within 1 among them",
        "due_3": "Pending dossiers due within 3 working days, those due within 2 among them",
        "later": "Pending dossiers due later than in 3 working days",
        "waiting": "Pending dossiers in a supplement pause that have time left",
        "nothing_to_judge_by": "Pending dossiers without a stated or computed due date",
    }),
    "trend": _Family("7a", ("figured", "sides", "spread"), "the points are computed in judge/trend.py", "", {
        "ratio": "N / D of the point's month or quarter, over one set of procedures for all points",
        "mean_minutes": "Mean processing time of the point's month or quarter at fixed mix, minutes",
    }),
    "quality": _Family("1, 3, 5, 8", ("figured", "quality"), SHARE, "quality_counts", {
        "dossiers": "Dossiers with an event seen",
        "not_received": "Dossiers neither received nor ended",
        "ended_without_receipt": "Dossiers that ended, other than refused, without having been received",
        "without_due_date_stated": "Received dossiers without a stated due date",
        "without_any_due_date": "Received dossiers without a stated or computed due date",
        "bare_days": "Dossiers with an event known by its day only",
        "unknown_procedure": "Dossiers of a procedure that the registry does not know",
        "unknown_unit": "Dossiers whose receiving or resolving unit the registry does not know on that day",
        "without_receiving_unit": "Dossiers without a receiving unit",
        "without_resolving_unit": "Dossiers without a resolving unit",
        "without_applicant_unit": "Dossiers that do not say where the applicant lives",
        "boundary_undetermined": "Dossiers of which it cannot be told whether they cross a boundary",
        "reopened": "Dossiers whose work resumed after an end",
        "pending": "Received dossiers without an end",
    }),
}  # fmt: skip

BRIDGE_STEPS = {
    "start": "index_766, where the bridge begins",
    "stopped": "what the rule set lays down for stopped dossiers",
    "refused": "what the rule set lays down for refused dossiers",
    "withdrawn": "what the rule set lays down for withdrawn dossiers",
    "waiting": "dossiers that wait for papers count as in time",
    "without_due_date": "what the rule set lays down for dossiers without a due date",
    "two_supplements": "two supplement requests are not late by themselves",
    "pauses": "supplement pauses are not subtracted",
    "days": "days are compared, not minutes",
    "current_due_date": "the current due date is judged, not the first",
}
BRIDGE_COUNTS = {
    "n_on_time": "Dossiers on time after this step from index_766 to the rule set",
    "n_moved": "Dossiers whose verdict this step moves",
    "n_into_on_time": "Dossiers that this step makes on time",
    "n_out_of_on_time": "Dossiers that this step makes no longer on time",
    "n_into_judged": "Dossiers that this step brings into the share",
    "n_out_of_judged": "Dossiers that this step takes out of the share",
}


CHANGES = {
    "procedure": "the actual cut, by procedure",
    "unit": "the actual cut, by unit",
    "stage": "the actual cut, by stage, without pauses",
    "mix": "the way from the cut of the plain mean over all dossiers to the actual cut",
    "paused": "the change of paused time at fixed mix, as a fraction of the baseline's processing time",
    "with_pauses": "the cut of processing and paused time together, by procedure",
}
TERMS = {
    "total": "what the parts add up to",
    "pace": "faster or slower",
    "moved": "work moved between units",
    "mix": "the share of a procedure's dossiers changed",
    "uncovered": "dossiers outside the mix",
    "fixed_mix": "the actual cut, where it ends",
}
WAYS = {
    "gap_days": "Working days by which the mean at fixed mix is above what the target '{}' allows",
    "needed_mean_minutes": "Mean that the rest of the period would need for the target '{}', if it brings as many"
    " dossiers as the same months of the baseline, minutes",
}


def definition(figure: str) -> Definition | None:
    """What a figure of table FIGURES is; None for a name that is none."""
    table, _, name = figure.partition(".")
    if table == "targets" and name:
        return Definition(
            f"The reduction found for the target '{name}', with its interval and verdict: the plain mean of the limits'"
            " cuts where its basis is `limit`, the cut of processing time at fixed mix where it is `actual`",
            "7, 7b, 7c", ("figured", "sides", "times"), "judged in judge/targets.py",
        )  # fmt: skip
    if table == "change":
        by, _, term = name.partition(".")
        if by not in CHANGES or term not in TERMS:
            return None
        says = f"Of {CHANGES[by]}: {TERMS[term]}"
        return Definition(says, "7f", ("figured", "sides", "change"), "decomposed in judge/change.py")
    if table == "way":
        target, _, column = name.rpartition(".")
        if column not in WAYS:
            return None
        return Definition(WAYS[column].format(target), "7", ("figured", "sides", "times"), "told by judge/way.py")
    if table == "bridge":
        step, _, count = name.partition(".")
        if step not in BRIDGE_STEPS or count not in BRIDGE_COUNTS:
            return None
        says = f"{BRIDGE_COUNTS[count]}: {BRIDGE_STEPS[step]}"
        then, is_moved = "steps are added up in judge/rule_sets.py", count != "n_on_time"
        of_step = ("bridge", count) if is_moved else ()
        return Definition(says, "6", ("figured", "form_06", "rule_sets"), then, *of_step)
    for family_name, family in FAMILIES.items():
        if family_name.partition(" ")[0] == table and name in family.figures:
            found = Definition(family.figures[name], family.section, family.sql, family.then, family.counted_in)
            count = "n_baseline" if name == "coverage" else name
            return replace(found, column=_column(found, count), side=_side(found, count))
    return None


COUNTED = re.compile(
    r"count\((\*|[\w.]+)\)(?:\s+FILTER\s*\(\s*WHERE\s+((?:(?!\bFILTER\b).)*?)\))?\s+AS\s+(\w+)", re.DOTALL
)
SIDE = re.compile(r"_(period|baseline)(?=_|$)")
FROM_PART = re.compile(r"^FROM\b.*?(?=^GROUP BY\b|\Z)", re.DOTALL | re.MULTILINE)


def dossiers_sql(found: Definition) -> str:
    """The SELECT of the dossiers behind a figure, made of the very step that counts them.

    Raises: KeyError for a definition without such a step.
    """
    source = FROM_PART.search(_step(found))
    of_step = source.group().rstrip() if source else ""
    joined = "AND" if re.search(r"^WHERE\b", of_step, re.MULTILINE) else "WHERE"
    condition = _conditions(found)[found.column] if found.column else _not_null("dossier_id")
    sql = f"SELECT dossier_id\n{of_step}\n{joined} ({' '.join(condition.split())})"
    return f"{sql}\nAND {'' if found.side == 'period' else 'NOT '}is_now" if found.side else sql


def _column(found: Definition, name: str) -> str:
    """The count that a figure is, by its name with or without the side; empty for none."""
    if not found.counted_in:
        return ""
    counts = _conditions(found)
    return next((column for column in (name, SIDE.sub("", name)) if column in counts), "")


def _side(found: Definition, name: str) -> str:
    """The side that a figure's name says, else the period; empty where the step does not tell sides apart."""
    if not found.counted_in or "is_now" not in _step(found):
        return ""
    side = SIDE.search(name)
    return side[1] if side else "period"


def _conditions(found: Definition) -> dict[str, str]:
    """Each count of a definition's step → what holds for those that it counts."""
    return {name: condition or _not_null(what) for what, condition, name in COUNTED.findall(_step(found))}


def _not_null(what: str) -> str:
    return "true" if what == "*" else f"{what} IS NOT NULL"


@cache
def _step(found: Definition) -> str:
    return dict(_steps(found))[found.counted_in]


def _steps(found: Definition) -> Iterator[tuple[str, str]]:
    for name in found.sql:
        yield from steps_of(sql_text("judge", name))
