"""The judge's tables held against the plain twin, scope by scope; used on the sample city and on hypothesis' logs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import pyarrow as pa
from twin import parity
from twin.dossiers import Dossier, Registry, measure_dossiers
from twin.figures import (
    BRIDGE_STEPS,
    GOT_A_RESULT,
    ActualCut,
    Finish,
    LimitCut,
    actual_cut,
    boundaries_of,
    bridge_step,
    caps_of,
    describe,
    due_soon,
    finished_in,
    in_form_06,
    limit_cut_shares,
    limit_cuts,
    nine_digits,
    on_offer,
    on_time_counts,
    on_time_rates_of,
    procedure_key,
    samples,
    standing_unit,
    verdict_of,
)

from procmon.judge import Question
from procmon.tables import PARITY_MEASURES

Row = Mapping[str, Any]
CLASS_NAMES = {"half": "50", "third": "30"}
COUNT_NAMES = {
    "half": "n_limit_50", "third": "n_limit_30", "less": "n_limit_less", "unchanged": "n_limit_unchanged",
    "longer": "n_limit_longer", "no_limit_2024": "n_no_limit",
}  # fmt: skip


def first_of(day: date, zone: Any) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


@dataclass
class TwinCity:
    """The twin's answer to one question about a log: both sides, as of their own ends."""

    event_rows: Sequence[Mapping[str, str]]
    registry: Mapping[str, Any]
    question: Question
    is_period_end: bool = True
    measured_baseline: list[Dossier] | None = None

    @cached_property
    def dossiers(self) -> list[Dossier]:
        instant = "to" if self.is_period_end else "as_of"
        return measure_dossiers(self.event_rows, self.registry, **{instant: self.question.as_of})

    @cached_property
    def baseline_dossiers(self) -> list[Dossier]:
        if self.measured_baseline is not None:
            return self.measured_baseline
        end = first_of(self.question.baseline.to, self.question.zone)
        return measure_dossiers(self.event_rows, self.registry, to=end)

    @cached_property
    def unit_of(self) -> Callable[[Dossier], str]:
        return standing_unit(self.registry, self.question.today)

    def _finished(self, dossiers: Iterable[Dossier], frm: date, to: date) -> list[Finish]:
        zone = self.question.zone
        return finished_in(dossiers, first_of(frm, zone), first_of(to, zone), self.unit_of)

    @cached_property
    def whole_base(self) -> list[Finish]:
        baseline = self.question.baseline
        return self._finished(self.baseline_dossiers, baseline.from_, baseline.to)

    @cached_property
    def months(self) -> set[int]:
        """The calendar months that both the period and the baseline have a day of."""

        def touched(first: date, to: date) -> set[int]:
            return {(first + timedelta(days=n)).month for n in range((to - first).days)}

        asked = self.question
        return touched(asked.compare.from_, asked.compare.to) & touched(asked.baseline.from_, asked.baseline.to)

    @cached_property
    def base(self) -> list[Finish]:
        return [finish for finish in self.whole_base if finish.month[1] in self.months]

    @cached_property
    def now(self) -> list[Finish]:
        finished = self._finished(self.dossiers, self.question.compare.from_, self.question.compare.to)
        return [finish for finish in finished if finish.month[1] in self.months]

    @cached_property
    def caps(self) -> dict[str, int]:
        return caps_of(self.whole_base)

    @cached_property
    def limit_cuts(self) -> dict[str, LimitCut]:
        """By procedure on offer."""
        return {cut.procedure_id: cut for cut in limit_cuts(self.registry, self.question.last_day)}

    @cached_property
    def known(self) -> Registry:
        return Registry(self.registry)

    def version(self, code: str) -> Mapping[str, str]:
        """The version in force on the period's last day, else the newest."""
        newest = sorted(self.known.procedures.get(code, [{}]), key=lambda row: row.get("valid_from", ""))[-1]
        return self.known.procedure_on(code, self.question.last_day) or newest if code in self.known.procedures else {}

    def said(self, key: str) -> str:
        """How figures call a unit: by its code while the code means it, and `undetermined` once the unit is no more."""
        if "@" not in key:
            return key  # none stated, or what has been called so
        code, since = key.rsplit("@", 1)
        today = self.known.unit_on(code, self.question.today) or {}
        if today.get("valid_from", "") == since:
            return code
        return "undetermined" if since else key

    def department(self, key: str) -> str:
        """The department that a unit belongs to, by climbing from parent to parent."""
        code, _, since = key.rpartition("@")
        row = next((r for r in self.known.units.get(code, []) if r["valid_from"] == since), None)
        for _ in range(9):
            if row and row["kind"] == "department":
                return self.said(f"{row['unit_id']}@{row['valid_from']}")
            row = self.known.unit_on(row["parent_unit_id"], self.question.today) if row else None
        return ""

    def place(self, kind: str) -> Callable[[str, str], str]:
        """The scope_id of a procedure and unit."""
        places: dict[str, Callable[[str, str], str]] = {
            "city": lambda code, unit: "",
            "level": lambda code, unit: self.version(code).get("level", ""),
            "field": lambda code, unit: self.version(code).get("field", ""),
            "unit": lambda code, unit: self.said(unit),
            "department": lambda code, unit: self.department(unit),
            "procedure": lambda code, unit: code,
        }
        return places[kind]

    @cached_property
    def _cuts(self) -> dict[tuple[str, str], ActualCut]:
        return {}

    def sides(self, kind: str, scope_id: str) -> tuple[list[Finish], list[Finish]]:
        """The finished dossiers of a scope: baseline, period."""
        if kind == "tag":
            tagged = set(on_offer(self.registry, self.question.last_day, scope_id))
            base, now = ([f for f in side if f.procedure_id in tagged] for side in self.sides("city", ""))
            return base, now
        if kind not in self._split:
            self._split[kind] = (split(self.base, self.place(kind)), split(self.now, self.place(kind)))
        base, now = self._split[kind]
        return base.get(scope_id, []), now.get(scope_id, [])

    @cached_property
    def _split(self) -> dict[str, tuple[dict[str, list[Finish]], dict[str, list[Finish]]]]:
        return {}

    def cut_of(self, kind: str, scope_id: str, target: Fraction) -> ActualCut:
        """A scope's cut; the interval is worked out once for all targets."""
        if (kind, scope_id) not in self._cuts:
            self._cuts[kind, scope_id] = self.cut(*self.sides(kind, scope_id), target)
        found = self._cuts[kind, scope_id]
        if found.verdict == "no_data":
            return found
        return replace(found, verdict=verdict_of(found.ratio_lower, found.ratio_upper, target))

    def cut(self, base: Sequence[Finish], now: Sequence[Finish], target: Fraction) -> ActualCut:
        policies = self.question.policies
        return actual_cut(
            base, now, target, min_n_mix=policies.min_n_mix, min_coverage=Fraction(str(policies.min_coverage)),
            caps=self.caps,
        )  # fmt: skip


def split(finished: Sequence[Finish], place: Callable[[str, str], str]) -> dict[str, list[Finish]]:
    parts: dict[str, list[Finish]] = defaultdict(list)
    for finish in finished:
        parts[place(finish.procedure_id, finish.unit_id)].append(finish)
    return parts


def near(ours: float | None, theirs: float | None) -> bool:
    """Equal but for the last digits of logarithms, roots and Student's t."""
    if ours is None or theirs is None:
        return ours is theirs
    return math.isclose(ours, theirs, rel_tol=1e-7, abs_tol=2e-9)


def assert_form_06(table: pa.Table, theirs: list[dict[str, str]]) -> None:
    """Cell for cell, and the form's own identities."""
    ours = table.to_pylist()
    assert [{name: str(value) for name, value in row.items()} for row in ours] == theirs
    for row in ours:
        assert row["received"] == row["received_online"] + row["received_in_person_post"] + row["carried_over"]
        assert row["received"] == row["resolved"] + row["pending"]
        assert row["resolved"] == row["resolved_early"] + row["resolved_on_time"] + row["resolved_overdue"]
        assert row["pending"] == row["pending_in_time"] + row["pending_overdue"]


def assert_rule_sets(on_time: pa.Table, bridge: pa.Table, twin: TwinCity) -> None:
    """Every row of both tables, that none is missing, and that the bridge's steps add up."""
    frm = first_of(twin.question.period.from_, twin.question.zone)
    of_period = [dossier for dossier in twin.dossiers if in_form_06(dossier, frm)]
    parts: dict[tuple[str, str], list[Dossier]] = defaultdict(list)
    for dossier in of_period:
        version, unit = dossier.version or {}, twin.unit_of(dossier)
        parts["city", ""].append(dossier)
        parts["level", version.get("level", "")].append(dossier)
        parts["field", version.get("field", "")].append(dossier)
        parts["unit", twin.said(unit) if unit else ""].append(dossier)
    ours = {(row["scope"], row["scope_id"], row["rule_set"]): row for row in on_time.to_pylist()}
    assert len(ours) == on_time.num_rows
    assert set(ours) == {(*part, rule_set) for part in parts for rule_set in ("index_766", "form_06", "strict")}
    for (scope, scope_id, rule_set), row in ours.items():
        theirs = on_time_counts(parts[scope, scope_id], rule_set)
        assert {name: row[name] for name in theirs} == theirs, row
        n = theirs["n_judged"]
        assert row["on_time"] == nine_digits(Fraction(theirs["n_on_time"], n) if n else None)
    for to_rule_set, steps in BRIDGE_STEPS.items():
        rows = [row for row in bridge.to_pylist() if row["to_rule_set"] == to_rule_set]
        assert [row["step"] for row in rows] == (["start", *steps] if of_period else [])
        assert_waterfall(rows, of_period, to_rule_set)
        if of_period:
            for row, rule_set in ((rows[0], "index_766"), (rows[-1], to_rule_set)):
                end = ours["city", "", rule_set]
                assert (row["n_on_time"], row["n_judged"]) == (end["n_on_time"], end["n_judged"])


def assert_waterfall(rows: Sequence[Row], dossiers: Iterable[Dossier], to_rule_set: str) -> None:
    moves = [move for dossier in dossiers if (move := bridge_step(dossier, to_rule_set))]
    assert sum(row["n_moved"] for row in rows) == len(moves)
    for before, row in pairwise(rows):
        own = [(was, now) for step, was, now in moves if step == row["step"]]
        into, out = sum(now is True for _, now in own), sum(was is True for was, _ in own)
        judged, unjudged = sum(was is None for was, _ in own), sum(now is None for _, now in own)
        assert row["n_moved"] == len(own), row
        assert (row["n_into_on_time"], row["n_out_of_on_time"]) == (into, out), row
        assert (row["n_into_judged"], row["n_out_of_judged"]) == (judged, unjudged), row
        assert row["n_on_time"] == before["n_on_time"] + into - out
        assert row["n_judged"] == before["n_judged"] + judged - unjudged


def assert_reductions(table: pa.Table, twin: TwinCity, target: Fraction) -> None:
    """Every row of the city's table, and that none is missing."""
    rows = table.to_pylist()
    for kind in ("city", "level", "field", "department", "unit", "procedure"):
        ours = {row["scope_id"]: row for row in rows if row["scope"] == kind}
        place = twin.place(kind)
        finished = [*twin.base, *twin.now]
        expected = {place(finish.procedure_id, finish.unit_id) for finish in finished}
        if kind == "unit":
            assert_adds_up(list(ours.values()), rows[0])
        else:
            expected -= {""}
        assert expected <= set(ours)
        for scope_id, row in ours.items():
            base, now = twin.sides(kind, scope_id)
            cut = twin.cut_of(kind, scope_id, target)
            assert_times(row, cut, base, now, twin)
            if kind == "unit" and scope_id == "undetermined":
                assert (row["verdict"], row["why"]) == ("no_data", "undetermined")
            elif row["verdict"] != "no_target":
                least = twin.question.policies.min_n_verdict if kind == "procedure" else 1
                is_few = min(len(base), len(now)) < least
                assert row["verdict"] == ("no_data" if is_few else cut.verdict), row
        assert_on_time(ours, twin, place)
    assert_procedures({row["scope_id"]: row for row in rows if row["scope"] == "procedure"}, twin)
    assert_limits(rows, twin)


def assert_adds_up(units: Sequence[Row], city: Row) -> None:
    """The units' dossiers are the city's, on both sides."""
    for name in ("n_baseline", "n_period", "n_judged_both", "n_baseline_judged"):
        assert sum(row[name] for row in units) == city[name], name


def assert_times(row: Row, cut: ActualCut, base: Sequence[Finish], now: Sequence[Finish], twin: TwinCity) -> None:
    assert (row["n_baseline"], row["n_period"]) == (len(base), len(now)), row
    assert (row["n_covered_baseline"], row["n_covered_period"]) == (cut.n_baseline, cut.n_period)
    assert row["actual_cut"] == nine_digits(cut.reduction)
    assert near(row["cut_lower"], cut.figure.lower), row
    assert near(row["cut_upper"], cut.figure.upper), row
    assert row["coverage"] == nine_digits(cut.coverages["base_dossiers"])
    assert row["coverage_period"] == nine_digits(cut.coverages["now_dossiers"])
    assert row["coverage_minutes_baseline"] == nine_digits(cut.coverages["base_seconds"])
    assert row["coverage_minutes_period"] == nine_digits(cut.coverages["now_seconds"])
    uncapped = cut.uncapped_reduction
    assert row["uncapped_ratio"] == nine_digits(None if uncapped is None else 1 - uncapped)
    for side, name in ((base, "baseline"), (now, "period")):
        codes = {sample.procedure_id for sample in cut.covered}
        above = [f.seconds for f in side if f.procedure_id in codes and f.seconds > twin.caps[f.procedure_id]]
        assert row[f"n_capped_{name}"] == len(above)
        assert row[f"capped_minutes_{name}"] == nine_digits(Fraction(sum(above), 60))


def assert_on_time(ours: Mapping[str, Row], twin: TwinCity, place: Callable[[str, str], str]) -> None:
    frm = first_of(twin.question.compare.from_, twin.question.zone)
    of_scope: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in twin.dossiers:
        of_scope[place(procedure_key(dossier), twin.unit_of(dossier))].append(dossier)
    judged: dict[str, list[bool]] = defaultdict(list)
    baseline = twin.question.baseline
    for dossier in twin.baseline_dossiers:
        at = dossier.ended_at
        if at is None or dossier.outcome not in GOT_A_RESULT or dossier.computed_due_at is None:
            continue
        if baseline.from_ <= at.date() < baseline.to and at.month in twin.months:
            key = place(procedure_key(dossier), twin.unit_of(dossier))
            judged[key].append(dossier.is_on_time_766(dossier.computed_due_at) is True)
    for scope_id, row in ours.items():
        rates = on_time_rates_of(of_scope.get(scope_id, []), twin.registry, frm)
        assert (row["n_judged_both"], row["n_on_time_old"], row["n_on_time_new"]) == (
            rates.n, rates.n_on_time_old, rates.n_on_time_new,
        )  # fmt: skip
        assert (row["n_baseline_judged"], row["n_baseline_on_time"]) == (len(judged[scope_id]), sum(judged[scope_id]))


def assert_procedures(ours: Mapping[str, Row], twin: TwinCity) -> None:
    """Means, quantiles and caps of single procedures."""
    found = {sample.procedure_id: sample for sample in samples(twin.base, twin.now, twin.caps)}
    for code, row in ours.items():
        sample = found.get(code)
        if sample is None:
            assert row["mean_baseline_minutes"] is row["median_baseline_minutes"] is None
            continue
        assert row["cap_minutes"] == nine_digits(Fraction(sample.cap, 60))
        for name, side in (("baseline", sample.base), ("period", sample.now)):
            if side:
                told = describe(sample, side)
                assert row[f"mean_{name}_minutes"] == nine_digits(told.mean / 60)
                assert row[f"median_{name}_minutes"] == nine_digits(told.median / 60)
                assert row[f"p90_{name}_minutes"] == nine_digits(told.p90 / 60)


def assert_limits(rows: Sequence[Row], twin: TwinCity) -> None:
    """Each procedure's cut and class, and the city's, levels' and fields' counts and means."""
    cuts = twin.limit_cuts
    for row in rows:
        if row["scope"] == "procedure" and row["scope_id"] in cuts:
            cut = cuts[row["scope_id"]]
            assert row["limit_class"] == CLASS_NAMES.get(cut.kind, cut.kind)
            assert row["limit_cut"] == nine_digits(cut.reduction)
        if row["scope"] in ("city", "level", "field"):
            own = [c for code, c in cuts.items() if twin.place(row["scope"])(code, "") == row["scope_id"]]
            shares = limit_cut_shares(own)
            assert {name: row[name] for name in COUNT_NAMES.values()} == {
                COUNT_NAMES[kind]: n for kind, (n, _) in shares.items()
            }
            known = [cut.reduction for cut in own if cut.reduction is not None]
            assert row["limit_cut"] == (nine_digits(sum(known, Fraction()) / len(known)) if known else None)


def assert_boundaries(table: pa.Table, twin: TwinCity) -> None:
    question = twin.question
    theirs = boundaries_of(
        twin.dossiers,
        twin.registry,
        question.today,
        question.as_of - timedelta(days=question.policies.boundary_days),
        min_cross=question.policies.min_cross,
        min_units=question.policies.min_units,
    )
    names = (
        "procedure_id", "verdict", "is_announced", "is_on_offer", "n_cross_finished", "n_receiving_units",
        "n_refused_elsewhere", "first_proven_on", "n_cross_refused",
    )  # fmt: skip
    assert [tuple(row[name] for name in names) for row in table.to_pylist()] == [
        tuple(getattr(figure, name) for name in names) for figure in theirs if figure.procedure_id
    ]


def assert_parity(table: pa.Table, twin: TwinCity) -> None:
    """Every comparison of the city and of each procedure: values, differences and intervals."""
    question, ours = twin.question, {(row["scope_id"], row["measure"]): row for row in table.to_pylist()}
    since = question.as_of - timedelta(days=question.policies.boundary_days)
    cross, local = parity.compared(twin.dossiers, since)
    codes = sorted({procedure_key(dossier) for dossier in cross}, key=str.encode)
    assert list(ours) == [(code, measure) for code in ("", *codes) for measure in PARITY_MEASURES]
    least = question.policies.min_n_mix
    for code in ("", *codes):
        sides = [[d for d in side if code in ("", procedure_key(d))] for side in (cross, local)]
        row, cut = ours[code, "processing_time"], parity.time_ratio(*sides, twin.unit_of, twin.caps, least)
        assert (row["n_covered_cross"], row["n_covered_local"]) == (cut.n_period, cut.n_baseline), row
        assert row["difference"] == nine_digits(None if cut.reduction is None else 1 - cut.reduction), row
        assert near(row["lower_95"], cut.ratio_lower), row
        assert near(row["upper_95"], cut.ratio_upper), row
        for measure, value in parity.measures(twin.registry, question.today).items():
            row, figure = ours[code, measure], parity.at_mix(*sides, value, least)
            if figure is None:
                assert row["difference"] is None
                assert row["n_covered_cross"] == 0
                continue
            assert (row["n_covered_cross"], row["n_covered_local"]) == (figure.n_cross, figure.n_local), row
            assert row["cross_value"] == nine_digits(figure.cross)
            assert row["local_value"] == nine_digits(figure.local)
            assert row["difference"] == nine_digits(figure.cross - figure.local)
            for confidence, ends in figure.ends.items() if measure != "handovers" else ():
                assert near(row[f"lower_{confidence}"], ends[0]), row
                assert near(row[f"upper_{confidence}"], ends[1]), row


def assert_due_soon(table: pa.Table, twin: TwinCity) -> None:
    ours = {row["dossier_id"]: (row["state"], row["left_minutes"]) for row in table.to_pylist()}
    assert len(ours) == table.num_rows
    theirs = due_soon(twin.dossiers)
    assert set(ours) == {pending.dossier_id for pending in theirs}
    for pending in theirs:
        state, left = ours[pending.dossier_id]
        assert state == pending.state, pending
        if pending.left_seconds is None or pending.left_seconds > 0:
            assert left == (None if pending.left_seconds is None else pending.left_seconds // 60)
        else:
            assert left <= 0  # how much a due date before receipt is overdue by is the measure's affair
