"""The twin's figures held against small cases worked out by hand, and against each other."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import strategies
from .dossiers import show_dossiers
from .figures import (
    Finish,
    LimitCut,
    actual_cut,
    boundaries,
    finishes,
    form_06,
    limit_cut_shares,
    limit_cuts,
    limit_target,
    midnight,
    nine_digits,
    on_time_rates,
    procedure_cut,
    quantile,
    residuals,
    samples,
    student_t,
    target_figure,
    variance_and_freedom,
    variance_and_freedom_from_sums,
)
from .test_twin import UNITS, at, log

SLOW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def version(procedure_id: str, valid_from: str, amount: str, unit: str = "working_days", **more: str) -> dict[str, str]:
    row = {"procedure_id": procedure_id, "valid_from": valid_from, "limit_amount": amount, "limit_unit": unit}
    return row | more


# ---- numbers


@pytest.mark.parametrize(
    ("level", "freedom", "t"),
    [(0.95, 1, 12.7062047362), (0.95, 4, 2.7764451052), (0.95, 113, 1.98118035941), (0.9, 4, 2.13184678633)],
)
def test_students_t_agrees_with_the_tables(level: float, freedom: int, t: float) -> None:
    assert math.isclose(student_t(level, freedom), t, rel_tol=1e-11)


def test_a_quantile_is_interpolated_between_integers() -> None:
    assert quantile([10, 0, 20, 40], Fraction(1, 2)) == 15
    assert quantile(list(range(101)), Fraction(99, 100)) == 99
    assert quantile([0, 100], Fraction(99, 100)) == 99
    assert quantile([7], Fraction(99, 100)) == 7


def test_a_figure_keeps_nine_digits_half_to_even() -> None:
    assert nine_digits(Fraction(2, 3)) == 0.666666667
    assert nine_digits(Fraction(1000000005, 10**10)) == 0.1
    assert nine_digits(Fraction(1000000015, 10**10)) == 0.100000002


# ---- form 06


def test_form_06_counts_each_dossier_where_it_belongs() -> None:
    registry = {"procedures": [version("1.001", "2024-01-01", "5", field="Đất đai", level="commune")]}
    rows = [
        *log("received 2025-04-28T08:00 due_at=2025-05-06", "finished 2025-05-05T08:00", dossier_id="carried"),
        *log("received 2025-05-05T08:00 due_at=2025-05-31", dossier_id="online", channel="online"),
        *log("received 2025-05-05T08:00 due_at=2025-05-30", dossier_id="overdue"),
        *log("received 2025-05-05T08:00", "stopped 2025-05-06T08:00", dossier_id="stopped", channel="post"),
        *log("received 2025-04-02T08:00", "stopped 2025-04-03T08:00", dossier_id="stopped before"),
        *log("received 2025-05-05T08:00", "finished 2025-06-01T00:00", dossier_id="ended after"),
        *log("received 2025-05-05", "finished 2025-05-06", dossier_id="unknown", procedure_id="9.9"),
        *log("submitted 2025-05-05", dossier_id="not received"),
    ]
    counts = [list(row.values()) for row in form_06(rows, registry, midnight("2025-05-01"), midnight("2025-06-01"))]
    assert counts == [
        ["", "", "1", "0", "1", "0", "1", "0", "1", "0", "0", "0", "0"],
        ["Đất đai", "commune", "5", "1", "3", "1", "1", "1", "0", "0", "4", "3", "1"],
    ]


@SLOW
@given(strategies.cases())
def test_form_06_adds_up_in_every_row(case: strategies.Case) -> None:
    for row in form_06(case.event_rows, case.registry, midnight("2025-01-31"), midnight("2025-04-30")):
        n = {column: int(text) for column, text in row.items() if column not in ("field", "level")}
        assert n["received"] == n["received_online"] + n["received_in_person_post"] + n["carried_over"]
        assert n["received"] == n["resolved"] + n["pending"]
        assert n["resolved"] == n["resolved_early"] + n["resolved_on_time"] + n["resolved_overdue"]
        assert n["pending"] == n["pending_in_time"] + n["pending_overdue"]


# ---- the limit cut


def test_limits_are_compared_in_working_days() -> None:
    offered = [
        version("half", "2024-01-01", "10"),
        version("half", "2025-03-01", "40", "hours"),
        version("third", "2024-01-01", "10"),
        version("third", "2025-03-01", "7"),
        version("less", "2024-01-01", "1", "months"),
        version("less", "2025-03-01", "28", "days"),
        version("unchanged", "2024-01-01", "8", "hours"),
        version("unchanged", "2025-03-01", "1"),
        version("longer", "2024-01-01", "1"),
        version("longer", "2025-03-01", "9", "hours"),
        version("new", "2025-03-01", "9", "hours"),
        version("given up", "2024-01-01", "1"),
        version("given up", "2025-03-01", "", ""),
        version("gone", "2024-01-01", "1", valid_to="2025-06-01"),
    ]
    registry = {"procedures": offered}
    last_day = midnight("2025-12-31").date()
    cuts = {cut.procedure_id: cut for cut in limit_cuts(registry, last_day)}
    assert {name: cut.kind for name, cut in cuts.items()} == {
        **{kind: kind for kind in ("half", "third", "less", "unchanged", "longer")},
        "new": "no_limit_2024",
        "given up": "longer",
    }
    assert cuts["less"].reduction == 1 - Fraction(20, 22)
    assert limit_cut_shares(list(cuts.values()))["longer"] == (2, Fraction(2, 6))
    figure = limit_target(registry, Fraction(3, 10), last_day)
    assert figure.reduction == (Fraction(1, 2) + Fraction(3, 10) + Fraction(1, 11) + 0 - Fraction(1, 8)) / 5
    assert (figure.coverage, figure.n_baseline, figure.verdict) == (Fraction(5, 7), 5, "missed")
    assert LimitCut("x", None, None).kind == "no_limit_2024"


# ---- the actual cut


def side(values: list[int], procedure_id: str = "p", n_units: int = 99, months: int = 1) -> list[Finish]:
    return [Finish(procedure_id, f"u{n % n_units}", (2025, 1 + n % months), value) for n, value in enumerate(values)]


def test_the_cut_and_its_interval_by_hand() -> None:
    """Each dossier is a unit of its own: V₀ = 20 · (1 ÷ 100)² · 10 ÷ 9, V = 20 ÷ 19 of it."""
    base = side([90, 110] * 5)
    now = [Finish(f.procedure_id, "now " + f.unit_id, f.month, f.seconds // 2) for f in base]
    cut = actual_cut(base, now, Fraction(3, 10))
    assert cut.reduction == cut.uncapped_reduction == Fraction(1, 2)
    reach = 2.0930240544 * math.sqrt(20 / 19 * 20 * 1e-4 * 10 / 9)
    assert math.isclose(cut.ratio_lower or 0, 0.5 * math.exp(-reach), rel_tol=1e-9)
    assert math.isclose(cut.ratio_upper or 0, 0.5 * math.exp(reach), rel_tol=1e-9)
    verdicts = [actual_cut(base, now, Fraction(target, 100)).verdict for target in (30, 50, 55)]
    assert verdicts == ["met", "inconclusive", "missed"]
    assert procedure_cut(base, now, Fraction(3, 10), "p").verdict == "no_data"


def test_the_cap_is_the_baselines_and_counts_what_it_cuts() -> None:
    (sample,) = samples(side([0] * 99 + [1000, 2000]), side([5000, 10]))
    assert sample.cap == 1000
    assert [sample.mean(sample.base), sample.mean(sample.now)] == [Fraction(2000, 101), 505]


def test_too_little_of_the_baseline_gives_no_verdict() -> None:
    base, now = side([90, 110] * 5) + side([100] * 7, "q"), side([45, 55] * 5)
    cut = actual_cut(base, now, Fraction(3, 10))
    assert (cut.coverage, cut.reduction, cut.verdict) == (Fraction(10, 17), Fraction(1, 2), "no_data")


@pytest.mark.parametrize(
    ("base", "now"),
    [([100] * 10, [45, 55] * 5), ([90, 110] * 5, [50] * 10), ([0] * 10, [45, 55] * 5), ([90, 110] * 5, [0] * 10)],
)
def test_without_variance_on_a_side_there_is_no_interval(base: list[int], now: list[int]) -> None:
    cut = actual_cut(side(base), side(now), Fraction(3, 10))
    assert (cut.ratio_lower, cut.ratio_upper, cut.verdict) == (None, None, "no_data")


def test_few_units_in_one_month_leave_no_freedom() -> None:
    base, now = side([90, 110] * 5, n_units=4), side([45, 55] * 5, n_units=4)
    assert actual_cut(base, now, Fraction(3, 10)).verdict == "no_data"
    now = side([45, 55] * 5, n_units=1, months=2)
    assert actual_cut(base, now, Fraction(3, 10)).ratio_lower is not None
    assert variance_and_freedom(residuals(samples(base, now)))[1] == 1


@SLOW
@given(st.data())
def test_two_ways_to_the_variance_agree(data: st.DataObject) -> None:
    n_units, months = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 4))
    sides: list[list[Finish]] = [[], []]
    for procedure_id in "abc"[: data.draw(st.integers(1, 3))]:
        for finished in sides:
            values = data.draw(st.lists(st.integers(1, 50_000), min_size=1, max_size=12))
            finished += side(values, procedure_id, n_units, months)
    covered = samples(*sides)
    one, other = variance_and_freedom(residuals(covered)), variance_and_freedom_from_sums(covered)
    assert one[1] == other[1]
    assert math.isclose(one[0], other[0], rel_tol=1e-9, abs_tol=1e-15)


def yearly_log(year: int, minutes: list[int]) -> list[dict[str, str]]:
    rows = []
    for n, length in enumerate(minutes):
        rows += log(
            f"received {year}-03-04T08:00 resolving_unit_id=u{n}",
            f"finished {year}-03-04T{8 + length // 60:02}:{length % 60:02}",
            dossier_id=f"{year}-{n}",
        )
    return rows


def test_a_target_reads_its_periods_from_the_registry() -> None:
    rows = yearly_log(2024, [90, 110] * 5) + yearly_log(2025, [45, 55] * 5)
    target = {
        "name": "2025",
        "basis": "actual",
        "reduction": "0.3",
        "baseline_from": "2024-01-01",
        "baseline_to": "2025-01-01",
        "period_from": "2025-01-01",
        "period_to": "2026-01-01",
        "tag": "",
    }
    figure = target_figure(rows, {}, target)
    assert (figure.reduction, figure.coverage, figure.n_baseline, figure.verdict) == (
        Fraction(1, 2),
        Fraction(1),
        10,
        "met",
    )
    assert target_figure(rows, {}, target, as_of=at("2025-03-04T08:50")).n_period == 5
    assert target_figure(rows, {}, target | {"tag": "business"}).verdict == "no_data"
    registry = {"procedures": [version("1.001", "2024-01-01", "2", tags="business")]}
    assert target_figure(rows, registry, target | {"tag": "business"}).verdict == "met"


def test_a_dossier_reopened_in_a_later_period_still_counts_in_its_own() -> None:
    rows = log("received 2024-03-04T08:00", "finished 2024-03-04T09:00", "processing 2025-03-04T09:00")
    assert [f.seconds for f in finishes(rows, {}, midnight("2024-01-01"), midnight("2025-01-01"))] == [3600]
    assert finishes(rows, {}, midnight("2024-01-01"), midnight("2026-01-01")) == []


# ---- on-time rates


def test_a_shorter_limit_makes_the_same_work_late() -> None:
    registry = {"procedures": [version("1.001", "2024-01-01", "5"), version("1.001", "2025-03-01", "2")]}
    rows = log("received 2025-03-03T08:00", "finished 2025-03-07T08:00")
    rates = on_time_rates(rows, registry, midnight("2025-03-01"), midnight("2025-04-01"))
    assert (rates.n, rates.n_on_time_old, rates.n_on_time_new) == (1, 1, 0)


# ---- boundaries


def crossing(n: int, last: str = "finished 2025-07-08T08:00", **roles: str) -> list[dict[str, str]]:
    stated = {"resolving_unit_id": "W2", "applicant_unit_id": "W2", "receiving_unit_id": "W1"} | roles
    rows = [log("received 2025-07-07T08:00", last, dossier_id=f"{last}{roles}{i}", **stated) for i in range(n)]
    return [row for steps in rows for row in steps]


@pytest.mark.parametrize(
    ("rows", "announced", "verdict"),
    [
        (crossing(5) + crossing(1, receiving_unit_id="CC"), "", "proven"),
        (crossing(6), "2025-07-01", "announced_only"),  # one receiving unit
        (crossing(6), "2026-07-01", "local_only"),
        (crossing(3) + crossing(1, receiving_unit_id="CC"), "", "local_only"),
        (crossing(2, channel="online"), "", "online_only"),
        (crossing(2, resolving_unit_id="", applicant_unit_id=""), "", "no_data"),
        (crossing(6) + crossing(1, "refused 2025-07-08T08:00 reason=not_competent"), "", "refused_elsewhere"),
        (crossing(2, "refused 2025-07-08T08:00 reason=other"), "", "local_only"),
        ([], "", "no_data"),
    ],
)
def test_a_boundary_verdict_is_the_first_that_holds(rows: list[Any], announced: str, verdict: str) -> None:
    registry = {"procedures": [version("1.001", "2024-01-01", "5")], "units": UNITS}
    if announced:
        registry["announced"] = [{"procedure_id": "1.001", "announced_on": announced}]
    (figure,) = boundaries(rows, registry, at("2025-12-31T00:00"))
    assert figure.verdict == verdict
    (later,) = boundaries(rows, registry, at("2027-01-01T00:00"))
    assert later.verdict in ("no_data", "announced_only")


def test_a_refusal_at_reception_of_another_ward_counts() -> None:
    rows = log(
        "submitted 2025-07-07T08:00 unit_id=W1",
        "refused 2025-07-07T09:00 unit_id=W1 reason=not_competent",
        resolving_unit_id="W2",
    )
    (figure,) = boundaries(rows, {"units": UNITS}, at("2025-12-31T00:00"))
    assert (figure.verdict, figure.n_refused_elsewhere, figure.is_on_offer) == ("refused_elsewhere", 1, False)
    (cells,) = show_dossiers(rows, {"units": UNITS}, as_of=at("2025-12-31T00:00"))
    assert cells["is_cross_boundary"] == "true"
