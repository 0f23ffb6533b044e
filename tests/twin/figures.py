"""Form 06, the three reductions and the boundary verdicts again, dossier by dossier (rulebook 6 to 8).

Counts, sums, means and quantiles are exact (ints and Fractions); only logarithms, roots and Student's t are
floats. `nine_digits` rounds a figure as the product stores it. Durations are in seconds.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from .clock import ZONE, Row, cut, local, read_day, table
from .dossiers import Dossier, Registry, computed_due, effective_receipt, measure_dossiers, policies_of

BASELINE_DAY = date(2024, 12, 31)
GOT_A_RESULT = ("finished", "returned")


def nine_digits(figure: Fraction | float | None) -> float | None:
    """A ratio, logarithm or bound rounded half-even to 9 significant digits."""
    if figure is None:
        return None
    context = Context(prec=9, rounding=ROUND_HALF_EVEN)
    if isinstance(figure, Fraction):
        return float(context.divide(Decimal(figure.numerator), Decimal(figure.denominator)))
    return float(context.create_decimal(Decimal(figure)))


def quantile(values: Sequence[int], q: Fraction) -> Fraction:
    """Linear interpolation between the order statistics of integers, exact; of no values, an error."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


# ---- form 06

FORM_06_COUNTS = [
    "received",
    "received_online",
    "received_in_person_post",
    "carried_over",
    "resolved",
    "resolved_early",
    "resolved_on_time",
    "resolved_overdue",
    "pending",
    "pending_in_time",
    "pending_overdue",
]


def in_form_06(dossier: Dossier, frm: datetime) -> bool:
    """Whether a dossier measured to the period's end belongs to the period that begins at `frm`."""
    return dossier.received_at is not None and (dossier.ended_at is None or dossier.ended_at >= frm)


def form_06(event_rows: Iterable[Row], registry: Any, frm: datetime, to: datetime) -> list[dict[str, str]]:
    """The cells of `show form-06` for [frm, to), by field and level in the order of their UTF-8 bytes.

    Field and level are those of the procedure's version on the day of receipt, '' where there is none.
    """
    return form_06_of(measure_dossiers(event_rows, registry, to=to), frm)


def form_06_of(dossiers: Iterable[Dossier], frm: datetime) -> list[dict[str, str]]:
    """The same over dossiers measured to the period's end."""
    rows: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for dossier in dossiers:
        if in_form_06(dossier, frm):
            version = dossier.version or {}
            rows[version.get("field", ""), version.get("level", "")].update(_form_06_columns(dossier, frm))
    return [
        {"field": name, "level": level} | {column: str(rows[name, level][column]) for column in FORM_06_COUNTS}
        for name, level in sorted(rows, key=lambda key: [text.encode() for text in key])
    ]


def _form_06_columns(dossier: Dossier, frm: datetime) -> list[str]:
    """The columns in which one dossier counts."""
    assert dossier.received_at is not None
    if dossier.received_at < frm:
        columns = ["received", "carried_over"]
    elif dossier.channel == "online":
        columns = ["received", "received_online"]
    else:
        columns = ["received", "received_in_person_post"]
    of_class = {
        "early": ["resolved", "resolved_early"],
        "on_time": ["resolved", "resolved_on_time"],
        "late": ["resolved", "resolved_overdue"],
        "pending_in_time": ["pending", "pending_in_time"],
        "pending_overdue": ["pending", "pending_overdue"],
    }
    return columns + of_class[dossier.class_06]


def form_06_by(
    dossiers: Iterable[Dossier], frm: datetime, place: Callable[[Dossier], str]
) -> dict[str, dict[str, int]]:
    """The form's counts of columns 3 to 13 by any place, such as the unit, of dossiers measured to the period's end."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for dossier in dossiers:
        if in_form_06(dossier, frm):
            rows[place(dossier)].update(_form_06_columns(dossier, frm))
    return {where: {column: counts[column] for column in FORM_06_COUNTS} for where, counts in rows.items()}


# ---- rule sets and the bridge between them

APART = ("stopped", "refused", "withdrawn")
BRIDGE_STEPS = {
    "strict": [*APART, "without_due_date"],
    "form_06": [*APART, "waiting", "without_due_date", "two_supplements", "pauses", "days", "current_due_date"],
}


def apart_from(dossier: Dossier, rule_set: str) -> str:
    """Why a received dossier is in no share of a rule set; '' if it is in one."""
    if rule_set == "strict" and dossier.outcome in APART:
        return dossier.outcome
    if dossier.judged_due_at is None and (
        rule_set == "strict" or (rule_set == "index_766" and dossier.n_supplements < 2)
    ):
        return "without_due_date"
    return ""


def is_on_time(dossier: Dossier, rule_set: str) -> bool | None:
    """A received dossier's verdict under a rule set; None where it is in no share."""
    if apart_from(dossier, rule_set):
        return None
    if rule_set == "form_06":
        return dossier.class_06 not in ("late", "pending_overdue")
    return dossier.is_on_time_766(dossier.judged_due_at)


def on_time_counts(dossiers: Iterable[Dossier], rule_set: str) -> dict[str, int]:
    """The counts of table `on_time` over dossiers of a period."""
    counts: Counter[str] = Counter()
    for dossier in dossiers:
        said = is_on_time(dossier, rule_set)
        side = {True: "on_time", False: "late", None: apart_from(dossier, rule_set)}[said]
        counts.update(["n_dossiers", f"n_{side}"])
        if said is not None:
            counts.update(["n_judged"] + [f"n_pending_{side}"] * (dossier.outcome == "pending"))
    names = ["n_dossiers", "n_judged", "n_on_time", "n_late", "n_pending_on_time", "n_pending_late"]
    return {name: counts[name] for name in [*names, "n_without_due_date", *(f"n_{end}" for end in APART)]}


def verdict_after(dossier: Dossier, to_rule_set: str, n_steps: int) -> bool | None:
    """A received dossier's verdict once the first steps from index_766 to another rule set are taken."""
    taken = BRIDGE_STEPS[to_rule_set][:n_steps]
    answer = None if to_rule_set == "strict" else True
    due_at = dossier.judged_due_at
    if dossier.outcome in taken:
        return answer
    if "waiting" in taken and dossier.outcome == "pending" and dossier.events[-1].status == "supplement_requested":
        return answer
    if "without_due_date" in taken and (due_at if to_rule_set == "strict" else dossier.current_due_at) is None:
        return answer
    if "two_supplements" not in taken:
        if dossier.n_supplements >= 2:
            return False
        if due_at is None:
            return None
    assert dossier.received_at is not None
    assert due_at is not None
    until = dossier.ended_at or dossier.measured_to
    if "current_due_date" in taken:
        due_at = dossier.current_due_at
        assert due_at is not None
    if "days" in taken:
        return until.date() <= due_at.date()
    if due_at <= dossier.received_at:
        return False
    assert dossier.index_seconds is not None
    spent = dossier.index_seconds
    if "pauses" in taken:
        spent = dossier.calendar.open_seconds(dossier.received_at, until)
    return spent <= dossier.calendar.open_seconds(dossier.received_at, due_at)


def bridge_step(dossier: Dossier, to_rule_set: str) -> tuple[str, bool | None, bool | None] | None:
    """(step, before, after) of the one step in which a dossier moves; None where both ends say the same."""
    steps = BRIDGE_STEPS[to_rule_set]
    said = [verdict_after(dossier, to_rule_set, n) for n in range(len(steps) + 1)]
    if said[0] == said[-1]:
        return None
    last = max(n for n in range(len(steps)) if said[n] != said[n + 1])
    return steps[last], said[0], said[-1]


# ---- 7.1 the limit cut, on paper

WORKING_DAYS = {
    "hours": Fraction(1, 8),
    "working_days": Fraction(1),
    "days": Fraction(5, 7),
    "months": Fraction(22),
}


@dataclass(frozen=True)
class LimitCut:
    """One procedure on offer on the period's last day; limits in working days, `reduction` a fraction."""

    procedure_id: str
    limit_base: Fraction | None
    limit_now: Fraction | None

    @property
    def reduction(self) -> Fraction | None:
        if self.limit_base is None or self.limit_now is None:
            return None
        return 1 - self.limit_now / self.limit_base

    @property
    def kind(self) -> str:
        """The class of 7.1. A limit that was given up counts as a longer one."""
        if self.limit_base is None:
            return "no_limit_2024"
        reduction = self.reduction
        if reduction is None or reduction < 0:
            return "longer"
        if reduction == 0:
            return "unchanged"
        return "half" if reduction >= Fraction(1, 2) else "third" if reduction >= Fraction(3, 10) else "less"


def in_working_days(version: Row | None) -> Fraction | None:
    if not version or not version.get("limit_amount") or not version.get("limit_unit"):
        return None
    return Fraction(version["limit_amount"]) * WORKING_DAYS[version["limit_unit"]]


def on_offer(registry: Any, day: date, tag: str = "") -> list[str]:
    """Codes of the registry's procedures valid on a day (and then carrying the tag), by their bytes."""
    known = Registry(registry)
    return [
        code
        for code in sorted(known.procedures, key=str.encode)
        if (version := known.procedure_on(code, day)) and (not tag or tag in version.get("tags", "").split())
    ]


def limit_cuts(registry: Any, last_day: date, baseline_day: date = BASELINE_DAY, tag: str = "") -> list[LimitCut]:
    """One cut for each procedure on offer on the period's last day."""
    known = Registry(registry)
    return [
        LimitCut(
            code,
            in_working_days(known.procedure_on(code, baseline_day)),
            in_working_days(known.procedure_on(code, last_day)),
        )
        for code in on_offer(registry, last_day, tag)
    ]


def limit_cut_shares(cuts: Sequence[LimitCut]) -> dict[str, tuple[int, Fraction | None]]:
    """Count by class, and the share over all classes but `no_limit_2024` (which has none)."""
    counts = Counter(cut_.kind for cut_ in cuts)
    n_of = len(cuts) - counts["no_limit_2024"]
    kinds = ["half", "third", "less", "unchanged", "longer"]
    shares: dict[str, tuple[int, Fraction | None]] = {
        kind: (counts[kind], Fraction(counts[kind], n_of) if n_of else None) for kind in kinds
    }
    return shares | {"no_limit_2024": (counts["no_limit_2024"], None)}


@dataclass(frozen=True)
class TargetFigure:
    """A row of `show targets` as exact values; `lower` and `upper` bound the reduction."""

    reduction: Fraction | None
    lower: float | None
    upper: float | None
    coverage: Fraction | None
    n_baseline: int
    n_period: int
    verdict: str


def limit_target(
    registry: Any, target: Fraction, last_day: date, baseline_day: date = BASELINE_DAY, tag: str = ""
) -> TargetFigure:
    """A target on paper: the plain mean of the cuts of procedures with a limit on both days."""
    cuts = limit_cuts(registry, last_day, baseline_day, tag)
    reductions = [cut_.reduction for cut_ in cuts if cut_.reduction is not None]
    n, coverage = len(reductions), Fraction(len(reductions), len(cuts)) if cuts else None
    if not reductions:
        return TargetFigure(None, None, None, coverage, 0, 0, "no_data")
    mean = sum(reductions, Fraction()) / n
    return TargetFigure(mean, None, None, coverage, n, n, "met" if mean >= target else "missed")


# ---- 7.2 the actual cut: 7a


@dataclass(frozen=True)
class Finish:
    """A dossier that got its result in a period."""

    procedure_id: str  # the registry's code, else the dossier's own
    unit_id: str
    month: tuple[int, int]  # of the end
    seconds: int  # processing time, uncapped


def finishes(
    event_rows: Iterable[Row],
    registry: Any,
    frm: datetime,
    to: datetime,
    as_of: datetime | None = None,
    unit_of: Callable[[Dossier], str] = lambda dossier: dossier.unit_id,
) -> list[Finish]:
    """The dossiers of 7.2 with their end in [frm, to), as of the period's end, or of `as_of` if that is before.

    `unit_of` says which unit a dossier counts for (default: the code as stated).
    """
    if as_of is not None and as_of < to:
        dossiers = measure_dossiers(event_rows, registry, as_of=as_of)
    else:
        dossiers = measure_dossiers(event_rows, registry, to=to)
    return finished_in(dossiers, frm, to, unit_of)


def finished_in(
    dossiers: Iterable[Dossier], frm: datetime, to: datetime, unit_of: Callable[[Dossier], str]
) -> list[Finish]:
    """The dossiers of 7.2 with their end in [frm, to), of dossiers already measured."""
    return [
        Finish(procedure_key(d), unit_of(d), (d.ended_at.year, d.ended_at.month), d.working_seconds)
        for d in dossiers
        if d.outcome in GOT_A_RESULT and d.ended_at and frm <= d.ended_at < to and d.working_seconds is not None
    ]


def standing_unit(registry: Any, today: date, *, is_receiving: bool = False) -> Callable[[Dossier], str]:
    """The unit a dossier counts for as (code, date), written `code@valid_from`, or `code@` where it is unknown.

    That is who resolves it, else received it; with `is_receiving` who received it.

    A unit taken over whole by `today` is the one that took it over; a split one stays itself. Without any unit: ''.
    """
    stands_for = standing_code(registry, today)

    def unit_of(dossier: Dossier) -> str:
        for code, day in (dossier.receiving,) if is_receiving else (dossier.resolving, dossier.receiving):
            if code and day is not None:
                return stands_for(code, day)
        return ""

    return unit_of


def standing_code(registry: Any, today: date) -> Callable[[str, date], str]:
    """The same for a code and the day that states it."""
    known = Registry(registry)

    def key(code: str, day: date) -> str:
        return f"{code}@{(known.unit_on(code, day) or {}).get('valid_from', '')}"

    takers: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in table(registry, "successions"):
        on = read_day(row["effective_on"])
        if on <= today:
            old, new = key(row["old_unit_id"], on - timedelta(days=1)), key(row["new_unit_id"], on)
            takers[old].append((new, row["extent"]))

    def follow(unit: str) -> str:
        passed = {unit}
        while len(takers[unit]) == 1 and takers[unit][0][1] == "whole" and takers[unit][0][0] not in passed:
            unit = takers[unit][0][0]
            passed.add(unit)
        return unit

    return lambda code, day: follow(key(code, day))


def procedure_key(dossier: Dossier) -> str:
    return dossier.registered_id or dossier.procedure_id


@dataclass(frozen=True)
class Sample:
    """One procedure's finishes of both sides, and its cap: the baseline's 99th percentile, whole seconds."""

    procedure_id: str
    base: list[Finish]
    now: list[Finish]
    cap: int

    def y(self, finish: Finish) -> int:
        return min(finish.seconds, self.cap)

    def mean(self, side: Sequence[Finish]) -> Fraction:
        return Fraction(sum(self.y(finish) for finish in side), len(side))

    @property
    def weight(self) -> int:
        return len(self.base)


def caps_of(base: Sequence[Finish]) -> dict[str, int]:
    """Each procedure's cap, frozen with its baseline."""
    seconds: dict[str, list[int]] = defaultdict(list)
    for finish in base:
        seconds[finish.procedure_id].append(finish.seconds)
    return {code: math.floor(quantile(values, Fraction(99, 100))) for code, values in seconds.items()}


def samples(base: Sequence[Finish], now: Sequence[Finish], caps: Mapping[str, int] | None = None) -> list[Sample]:
    """Every procedure of the baseline, with its finishes of both sides, by code.

    `caps` are those of the whole baseline, where `base` is only a part of it.
    """
    caps = caps_of(base) if caps is None else caps
    by_code: dict[str, tuple[list[Finish], list[Finish]]] = defaultdict(lambda: ([], []))
    for n, side in enumerate((base, now)):
        for finish in side:
            by_code[finish.procedure_id][n].append(finish)
    return [Sample(code, *by_code[code], caps[code]) for code in sorted(by_code, key=str.encode) if by_code[code][0]]


@dataclass(frozen=True)
class Description:
    """What stands beside a procedure's mean: capped mean, uncapped median and 90th percentile, and the cap's work."""

    n: int
    mean: Fraction
    median: Fraction
    p90: Fraction
    n_above_cap: int
    seconds_above_cap: int


def describe(sample: Sample, side: Sequence[Finish]) -> Description:
    seconds = [finish.seconds for finish in side]
    above = [value - sample.cap for value in seconds if value > sample.cap]
    return Description(
        len(side),
        sample.mean(side),
        quantile(seconds, Fraction(1, 2)),
        quantile(seconds, Fraction(9, 10)),
        len(above),
        sum(above),
    )


@dataclass(frozen=True)
class ActualCut:
    """The actual cut at fixed mix (7a to 7c). `ratio_*` are of N ÷ D; a reduction is 1 less that."""

    reduction: Fraction | None  # C
    uncapped_reduction: Fraction | None
    ratio_lower: float | None
    ratio_upper: float | None
    coverage: Fraction | None  # of baseline dossiers; the one that decides
    coverages: dict[str, Fraction | None]  # of base and now, dossiers and seconds
    n_baseline: int  # covered dossiers
    n_period: int
    covered: list[Sample] = field(repr=False)
    verdict: str = "no_data"

    @property
    def figure(self) -> TargetFigure:
        return TargetFigure(
            self.reduction,
            None if self.ratio_upper is None else 1 - self.ratio_upper,
            None if self.ratio_lower is None else 1 - self.ratio_lower,
            self.coverage,
            self.n_baseline,
            self.n_period,
            self.verdict,
        )


def actual_cut(
    base: Sequence[Finish],
    now: Sequence[Finish],
    target: Fraction,
    *,
    min_n_mix: int = 5,
    min_coverage: Fraction = Fraction(60, 100),
    procedures: set[str] | None = None,
    caps: Mapping[str, int] | None = None,
) -> ActualCut:
    """The cut of `now` against `base`, over the given procedures (default: all)."""
    if procedures is not None:
        base = [finish for finish in base if finish.procedure_id in procedures]
        now = [finish for finish in now if finish.procedure_id in procedures]
    covered = [
        sample
        for sample in samples(base, now, caps)
        if sample.procedure_id and len(sample.base) >= min_n_mix and len(sample.now) >= min_n_mix
    ]
    coverages = {
        "base_dossiers": _share(sum(len(s.base) for s in covered), len(base)),
        "base_seconds": _share(_seconds(f for s in covered for f in s.base), _seconds(base)),
        "now_dossiers": _share(sum(len(s.now) for s in covered), len(now)),
        "now_seconds": _share(_seconds(f for s in covered for f in s.now), _seconds(now)),
    }
    numerator, denominator = fixed_mix(covered)
    lower, upper = ratio_interval(covered)
    coverage = coverages["base_dossiers"]
    is_covered = coverage is not None and coverage >= min_coverage
    return ActualCut(
        reduction=1 - numerator / denominator if denominator else None,
        uncapped_reduction=_uncapped_reduction(covered),
        ratio_lower=lower,
        ratio_upper=upper,
        coverage=coverage,
        coverages=coverages,
        n_baseline=sum(len(s.base) for s in covered),
        n_period=sum(len(s.now) for s in covered),
        covered=covered,
        verdict=verdict_of(lower, upper, target) if is_covered else "no_data",
    )


def procedure_cut(
    base: Sequence[Finish], now: Sequence[Finish], target: Fraction, procedure_id: str, min_n_verdict: int = 100
) -> ActualCut:
    """One procedure's own cut, with a verdict from `min_n_verdict` dossiers on both sides."""
    return actual_cut(base, now, target, min_n_mix=min_n_verdict, procedures={procedure_id})


def fixed_mix(covered: Sequence[Sample]) -> tuple[Fraction, Fraction]:
    """N and D of 7a."""
    return (
        sum((s.weight * s.mean(s.now) for s in covered), Fraction()),
        sum((s.weight * s.mean(s.base) for s in covered), Fraction()),
    )


def _uncapped_reduction(covered: Sequence[Sample]) -> Fraction | None:
    now = sum((Fraction(s.weight * _seconds(s.now), len(s.now)) for s in covered), Fraction())
    base = sum(_seconds(s.base) for s in covered)
    return 1 - now / base if base else None


def _seconds(side: Iterable[Finish]) -> int:
    return sum(finish.seconds for finish in side)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


# ---- 7b the interval, 7c the verdict


@dataclass(frozen=True)
class Residual:
    """One dossier's z."""

    z: float
    unit_id: str
    side: str
    month: tuple[int, int]


def residuals(covered: Sequence[Sample]) -> list[Residual]:
    """z of 7b for each covered dossier."""
    numerator, denominator = fixed_mix(covered)
    found = []
    for sample in covered:
        for side, finished, total, sign in (
            ("now", sample.now, numerator, 1),
            ("base", sample.base, denominator, -1),
        ):
            n, total_y = len(finished), sum(sample.y(finish) for finish in finished)
            scale = float(Fraction(sign * sample.weight) / (n * total)) * math.sqrt(n / (n - 1)) if n > 1 else 0.0
            for finish in finished:
                off = (sample.y(finish) * n - total_y) / n  # y − mean, by one rounded division
                found.append(Residual(scale * off, finish.unit_id, side, finish.month))
    return found


def variance_and_freedom(found: Sequence[Residual]) -> tuple[float, int]:
    """V of L = ln(N ÷ D), and the degrees of freedom of its Student's t."""
    plain = math.fsum(r.z**2 for r in found)
    n_units = len({r.unit_id for r in found})
    if n_units >= 5:
        by_unit = _totals(found, lambda r: r.unit_id)
        return max(plain, n_units / (n_units - 1) * math.fsum(z**2 for z in by_unit.values())), n_units - 1
    by_month: list[float] = []
    freedom = 0
    for unit_side in sorted({(r.unit_id, r.side) for r in found}):
        own = [r for r in found if (r.unit_id, r.side) == unit_side]
        totals = list(_totals(own, lambda r: r.month).values())
        n_months = len(totals)
        if n_months > 1:
            mean = math.fsum(totals) / n_months
            by_month.append(n_months / (n_months - 1) * math.fsum((c - mean) ** 2 for c in totals))
            freedom += n_months - 1
    return max(plain, math.fsum(by_month)), freedom


def _totals(found: Iterable[Residual], key: Callable[[Residual], Any]) -> dict[Any, float]:
    groups: dict[Any, list[float]] = defaultdict(list)
    for residual in found:
        groups[key(residual)].append(residual.z)
    return {group: math.fsum(zs) for group, zs in groups.items()}


def variance_and_freedom_from_sums(covered: Sequence[Sample]) -> tuple[float, int]:
    """The same by another way: no dossier's z, only counts and sums by procedure, side, unit and month.

    A group's Σ z is sign · w · √(n ÷ (n − 1)) · (Σ y − k·mean) ÷ (n·S) with k of its dossiers, and a side's
    Σ z² is w²·(Σ y² − (Σ y)² ÷ n) ÷ (n·(n − 1)·S²).
    """
    plain: list[float] = []
    cells: dict[tuple[str, str, tuple[int, int]], float] = defaultdict(float)
    for sample in covered:
        for side, finished, total in zip(("now", "base"), (sample.now, sample.base), fixed_mix(covered), strict=True):
            n, scale = len(finished), float(Fraction(sample.weight) / (len(finished) * total))
            ys = [sample.y(finish) for finish in finished]
            if n > 1:
                square = sum(y * y for y in ys) - Fraction(sum(ys) ** 2, n)
                plain.append(scale**2 * float(square) * n / (n - 1))
                for unit_id, month in sorted({(f.unit_id, f.month) for f in finished}):
                    own = [sample.y(f) for f in finished if (f.unit_id, f.month) == (unit_id, month)]
                    off = float(sum(own) - len(own) * sample.mean(finished))
                    sign = 1 if side == "now" else -1
                    cells[unit_id, side, month] += sign * scale * math.sqrt(n / (n - 1)) * off
            else:
                cells[finished[0].unit_id, side, finished[0].month] += 0.0
    units = {unit_id for unit_id, _, _ in cells}
    if len(units) >= 5:
        totals = [math.fsum(z for key, z in cells.items() if key[0] == unit_id) for unit_id in units]
        return max(math.fsum(plain), len(units) / (len(units) - 1) * math.fsum(z * z for z in totals)), len(units) - 1
    by_month, freedom = 0.0, 0
    for unit_side in {key[:2] for key in cells}:
        totals = [z for key, z in cells.items() if key[:2] == unit_side]
        if len(totals) > 1:
            spread = math.fsum(z * z for z in totals) - math.fsum(totals) ** 2 / len(totals)
            by_month += len(totals) / (len(totals) - 1) * spread
            freedom += len(totals) - 1
    return max(math.fsum(plain), by_month), freedom


def ratio_interval(covered: Sequence[Sample], level: Fraction = Fraction(95, 100)) -> tuple[float | None, float | None]:
    """The interval of N ÷ D, or (None, None) where there is none."""
    numerator, denominator = fixed_mix(covered)
    if not denominator or not _varies(covered, "base") or not _varies(covered, "now"):
        return None, None
    variance, freedom = variance_and_freedom(residuals(covered))
    if freedom < 1:
        return None, None
    center = math.log(numerator / denominator)
    reach = student_t(float(level), freedom) * math.sqrt(variance)
    return math.exp(center - reach), math.exp(center + reach)


def _varies(covered: Sequence[Sample], side: str) -> bool:
    """Whether any dossier of a side differs from its procedure's mean (told without rounding)."""
    return any(len({s.y(finish) for finish in getattr(s, side)}) > 1 for s in covered)


def verdict_of(lower: float | None, upper: float | None, target: Fraction) -> str:
    if lower is None or upper is None:
        return "no_data"
    if upper <= 1 - target:
        return "met"
    return "missed" if lower > 1 - target else "inconclusive"


@cache
def student_t(level: float, freedom: int) -> float:
    """The t beyond which, on both sides together, 1 − level of Student's distribution lies."""
    low, high = 0.0, 1.0
    while _tail(high, freedom) > 1 - level:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, freedom) > 1 - level else (low, middle)
    return (low + high) / 2


def _tail(t: float, freedom: int) -> float:
    """P(|T| > t)."""
    return incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # Evaluated from far out inwards: 1 + d1·x / (1 + d2·x / (1 + …)).
    fraction = 1.0
    for m in range(400, 0, -1):
        half = m // 2
        if m % 2:
            d = -(a + half) * (a + b + half) / ((a + m - 1) * (a + m))
        else:
            d = half * (b - half) / ((a + m - 1) * (a + m))
        fraction = 1 + d * x / fraction
    return front / (a * fraction)


# ---- 7.3 on-time rates under two limits


@dataclass(frozen=True)
class OnTimeRates:
    """On-time dossiers by item 2.1's rule, under the limit of the baseline day and under that of receipt."""

    n: int  # dossiers that have both due dates
    n_on_time_old: int
    n_on_time_new: int


def on_time_rates(
    event_rows: Iterable[Row], registry: Any, frm: datetime, to: datetime, baseline_day: date = BASELINE_DAY
) -> OnTimeRates:
    """Over the dossiers of the period's form 06, as of its end; the policies are those of the day of receipt."""
    return on_time_rates_of(measure_dossiers(event_rows, registry, to=to), registry, frm, baseline_day)


def on_time_rates_of(
    dossiers: Iterable[Dossier], registry: Any, frm: datetime, baseline_day: date = BASELINE_DAY
) -> OnTimeRates:
    """The same over dossiers measured to the period's end."""
    known = Registry(registry)
    old_and_new = []
    for dossier in dossiers:
        if in_form_06(dossier, frm) and dossier.received_at is not None:
            starts_at = effective_receipt(
                dossier.received_at, policies_of(dossier.version).late_receipt, dossier.calendar
            )
            old_version = known.procedure_on(dossier.procedure_id, baseline_day)
            old_due = computed_due(old_version, starts_at, dossier.calendar)
            if old_due is not None and dossier.computed_due_at is not None:
                old_and_new.append((dossier.is_on_time_766(old_due), dossier.is_on_time_766(dossier.computed_due_at)))
    return OnTimeRates(
        len(old_and_new), sum(old is True for old, _ in old_and_new), sum(new is True for _, new in old_and_new)
    )


# ---- 8 boundaries, without parity


@dataclass(frozen=True)
class BoundaryFigure:
    """One procedure's verdict; `is_on_offer` on the as-of day."""

    procedure_id: str
    verdict: str
    is_announced: bool
    is_on_offer: bool
    n_cross_finished: int  # cross-boundary, with outcome finished or returned
    n_receiving_units: int  # distinct receiving units among those, as they stand on the as-of day
    n_refused_elsewhere: int
    first_proven_on: date | None
    n_cross_refused: int


def boundaries(
    event_rows: Iterable[Row],
    registry: Any,
    as_of: datetime,
    *,
    days: int = 365,
    min_cross: int = 5,
    min_units: int = 2,
) -> list[BoundaryFigure]:
    """A verdict for each procedure on offer on the as-of day or found among the dossiers, by code."""
    return boundaries_of(
        measure_dossiers(event_rows, registry, as_of=as_of),
        registry,
        local(as_of).date(),
        as_of - timedelta(days=days),
        min_cross=min_cross,
        min_units=min_units,
    )


def boundaries_of(
    dossiers: Iterable[Dossier], registry: Any, today: date, since: datetime, *, min_cross: int, min_units: int
) -> list[BoundaryFigure]:
    """The same over measured dossiers; a receiving unit is what stands for it today, if that can be told."""
    counters = counters_today(registry, today)
    dossiers_of: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in dossiers:
        came_at = dossier.ended_at if dossier.is_refused_at_reception else dossier.received_at
        if came_at is not None and came_at >= since:
            dossiers_of[procedure_key(dossier)].append(dossier)
    offered = set(on_offer(registry, today))
    figures = []
    for code in sorted(offered | set(dossiers_of), key=str.encode):
        own = dossiers_of.get(code, [])
        finished = [d for d in own if d.is_cross_boundary and d.outcome in GOT_A_RESULT]
        n_units = len(counters(finished))
        n_refused = sum(is_refused_elsewhere(d) for d in own)
        is_announced = is_announced_on(registry, code, today)
        if n_refused:
            verdict = "refused_elsewhere"
        elif len(finished) >= min_cross and n_units >= min_units:
            verdict = "proven"
        elif is_announced:
            verdict = "announced_only"
        elif own and all(d.channel == "online" for d in own):
            verdict = "online_only"
        elif any(d.is_cross_boundary is not None for d in own):
            verdict = "local_only"
        else:
            verdict = "no_data"
        figures.append(
            BoundaryFigure(
                code, verdict, is_announced, code in offered, len(finished), n_units, n_refused,
                first_proven_on(counters, finished, min_cross, min_units),
                sum(bool(d.is_cross_boundary) and d.outcome == "refused" for d in own),
            )
        )  # fmt: skip
    return figures


def first_proven_on(
    counters: Callable[[Iterable[Dossier]], set[str]], finished: Sequence[Dossier], min_cross: int, min_units: int
) -> date | None:
    """The first day by whose end the finished cross-boundary dossiers prove a procedure."""
    for day in sorted({d.ended_at.date() for d in finished if d.ended_at}):
        by_then = [d for d in finished if d.ended_at and d.ended_at.date() <= day]
        if len(by_then) >= min_cross and len(counters(by_then)) >= min_units:
            return day
    return None


def counters_today(registry: Any, today: date) -> Callable[[Iterable[Dossier]], set[str]]:
    """The units of today that received dossiers; one that was split or is gone says nothing of how many they were."""
    known, unit_of = Registry(registry), standing_unit(registry, today, is_receiving=True)

    def stands(unit: str) -> bool:
        code, _, since = unit.rpartition("@")
        return not since or (known.unit_on(code, today) or {}).get("valid_from") == since

    return lambda dossiers: {unit for unit in map(unit_of, dossiers) if stands(unit)}


def is_refused_elsewhere(dossier: Dossier) -> bool:
    """A cross-boundary dossier whose end is a refusal for lack of competence."""
    end = dossier.end
    return (
        bool(dossier.is_cross_boundary)
        and end is not None
        and end.status == "refused"
        and end.texts["reason"] == "not_competent"
    )


def is_announced_on(registry: Any, code: str, day: date) -> bool:
    known = Registry(registry)
    return any(
        (known.registered_id(row["procedure_id"]) or row["procedure_id"]) == code
        and read_day(row["announced_on"]) <= day < read_day(row.get("valid_to", ""), empty=date.max)
        for row in table(registry, "announced")
    )


# ---- 11 due soon, without the chance of being late

WORKING_DAY = 480 * 60


@dataclass(frozen=True)
class Pending:
    """A pending dossier's place in the lists: its state, and the seconds left (negative: overdue by)."""

    dossier_id: str
    state: str
    left_seconds: int | None


def due_soon(dossiers: Iterable[Dossier]) -> list[Pending]:
    """Every pending dossier, by dossier_id; a list `due_k` holds those that no shorter list has."""
    found = []
    for dossier in sorted(dossiers, key=lambda d: d.dossier_id.encode()):
        if dossier.outcome == "pending":
            left = _left_seconds(dossier)
            is_waiting = dossier.events[-1].status == "supplement_requested"
            if left is None:
                state = "nothing_to_judge_by"
            elif left <= 0:
                state = "overdue"
            elif is_waiting:
                state = "waiting"
            else:
                days = -(-left // WORKING_DAY)
                state = f"due_{days}" if days <= 3 else "later"
            found.append(Pending(dossier.dossier_id, state, left))
    return found


def _left_seconds(dossier: Dossier) -> int | None:
    """Open time from receipt to the judged due date less the time spent; a due date before receipt leaves none."""
    due_at = dossier.judged_due_at
    if due_at is None:
        return None
    assert dossier.received_at is not None
    assert dossier.index_seconds is not None
    if due_at < dossier.received_at:
        return -dossier.calendar.open_seconds(due_at, dossier.received_at) - dossier.index_seconds
    return dossier.calendar.open_seconds(dossier.received_at, due_at) - dossier.index_seconds


# ---- targets


def target_figure(event_rows: Sequence[Row], registry: Any, target: Row, as_of: datetime | None = None) -> TargetFigure:
    """A row of the registry's `targets`, for the whole city.

    A tag keeps the procedures that carry it on the period's last day, on both sides.
    """
    wanted = Fraction(target["reduction"])
    period_from, period_to = read_day(target["period_from"]), read_day(target["period_to"])
    last_day, tag = period_to - timedelta(days=1), target.get("tag", "")
    if target["basis"] == "limit":
        return limit_target(registry, wanted, last_day, tag=tag)
    base = finishes(event_rows, registry, midnight(target["baseline_from"]), midnight(target["baseline_to"]), as_of)
    now = finishes(event_rows, registry, midnight(period_from.isoformat()), midnight(period_to.isoformat()), as_of)
    procedures = set(on_offer(registry, last_day, tag)) if tag else None
    return actual_cut(base, now, wanted, procedures=procedures).figure


def midnight(day: str) -> datetime:
    """The local midnight at which a day begins."""
    return cut(datetime.fromisoformat(day)).replace(tzinfo=ZONE)
