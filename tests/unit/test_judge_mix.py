"""The actual cut at fixed mix from cells: what may not change it, and when there is no verdict (rulebook 7a to 7c)."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from procmon.judge import mix
from procmon.judge.cells import Cell, Cells
from procmon.judge.mix import Cut, verdict

Times = dict[tuple[str, str, bool, int], list[int]]
TARGETS = st.floats(-1, 1)


def compare(cells: list[Cell], *, min_n: int) -> Cut:
    return mix.compare(Cells.of_rows(cells), min_n=min_n)


def cells_of(times: Times, cap: int = 1 << 60) -> list[Cell]:
    """A cell for each (procedure, unit, side, month) of processing times in seconds."""
    return [
        Cell(
            *key, len(values), sum(min(y, cap) for y in values), sum(min(y, cap) ** 2 for y in values), sum(values),
            sum(y > cap for y in values), sum(y for y in values if y > cap),
        )
        for key, values in times.items()
    ]  # fmt: skip


@st.composite
def logs(draw: DrawFn, max_units: int = 7) -> Times:
    n_units = draw(st.integers(1, max_units))
    keys = st.tuples(
        st.sampled_from(["", "a", "b", "c"]), st.integers(1, n_units).map(str), st.booleans(), st.integers(1, 3)
    )
    values = st.lists(st.integers(0, 90_000), min_size=1, max_size=6)
    return draw(st.dictionaries(keys, values, min_size=4, max_size=24))


def same(one: Cut, other: Cut, digits: float = 1e-12) -> bool:
    """Equal; the interval but for the last digits of floats."""
    near = all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=digits)
        for a, b in ((one.lower, other.lower), (one.upper, other.upper))
    )
    return near and replace(one, spread=None) == replace(other, spread=None)


@given(logs(), st.randoms(use_true_random=False))
def test_the_order_of_cells_changes_not_one_digit(times: Times, random: object) -> None:
    cells = cells_of(times)
    shuffled = cells[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert compare(cells, min_n=2) == compare(shuffled, min_n=2)


@given(logs())
def test_a_cell_split_in_two_changes_nothing(times: Times) -> None:
    halves = [cells_of({key: values[i::2] for key, values in times.items() if values[i::2]}) for i in (0, 1)]
    assert same(compare(cells_of(times), min_n=2), compare(halves[0] + halves[1], min_n=2))


@given(logs(), st.integers(2, 1000))
def test_the_unit_of_time_changes_no_ratio(times: Times, scale: int) -> None:
    cut = compare(cells_of(times), min_n=2)
    other = compare(cells_of({key: [y * scale for y in values] for key, values in times.items()}), min_n=2)
    assert cut.reduction == other.reduction
    assert cut.coverage == other.coverage
    for a, b in ((cut.lower, other.lower), (cut.upper, other.upper)):
        assert (a is b) if a is None or b is None else math.isclose(a, b, rel_tol=1e-12)


@given(logs())
def test_both_sides_alike_is_no_cut(times: Times) -> None:
    base = {key: values for key, values in times.items() if not key[2]}
    both = base | {(code, unit, True, month): values for (code, unit, _, month), values in base.items()}
    cut = compare(cells_of(both), min_n=2)
    assert cut.reduction in (None, 0)
    assert cut.lower is None or cut.lower <= 1 <= (cut.upper or 0)


@given(logs())
def test_a_procedure_that_one_side_lacks_moves_no_cut_but_lowers_the_coverage(times: Times) -> None:
    cut = compare(cells_of(times), min_n=2)
    more = compare(cells_of(times | {("z", "1", False, 1): [10] * 50}), min_n=2)
    assert (cut.reduction, cut.lower, cut.upper) == (more.reduction, more.lower, more.upper)
    assert more.n_base == cut.n_base + 50
    assert more.n_covered_base == cut.n_covered_base


@settings(max_examples=300)
@given(logs(), TARGETS, st.floats(0, 1))
def test_a_target_is_never_met_without_interval_coverage_or_dossiers(
    times: Times, target: float, min_coverage: float
) -> None:
    cut = compare(cells_of(times), min_n=3)
    found, why = verdict(cut, target, min_n=3, min_coverage=min_coverage)
    lacks = cut.lower is None or (cut.coverage or 0) < min_coverage or min(cut.n_base, cut.n_now) < 3
    assert (found == "no_data") == lacks == bool(why)
    if found == "met":
        assert cut.upper is not None
        assert cut.upper <= 1 - target
    if found == "missed":
        assert cut.lower is not None
        assert cut.lower > 1 - target


@given(logs(max_units=4), st.booleans(), st.integers(0, 50))
def test_without_variance_on_a_side_there_is_no_interval(times: Times, side: bool, value: int) -> None:
    flat = {key: [value] * len(values) if key[2] == side else values for key, values in times.items()}
    cut = compare(cells_of(flat), min_n=2)
    assert (cut.lower, cut.upper) == (None, None)
    assert verdict(cut, 0.3, min_n=1, min_coverage=0)[0] == "no_data"


def one_procedure(base: list[int], now: list[int], n_units: int = 10, months: int = 1) -> list[Cell]:
    times: Times = {}
    for is_now, values in ((False, base), (True, now)):
        for i, value in enumerate(values):
            times.setdefault(("p", f"{i % n_units}", is_now, 1 + i % months), []).append(value)
    return cells_of(times)


def test_the_interval_by_hand_with_a_unit_for_each_pair() -> None:
    """z = ±(y − mean) ÷ (10·S)·√(10 ÷ 9); a unit's two z cancel to nothing, so V = V₀ = 20·10⁻⁴·10 ÷ 9, t of 9."""
    cut = compare(one_procedure([90, 110] * 5, [45, 55] * 5), min_n=5)
    reach = 2.2621571628 * math.sqrt(20 * 1e-4 * 10 / 9)
    assert cut.reduction == Fraction(1, 2)
    assert math.isclose(cut.lower or 0, 0.5 * math.exp(-reach), rel_tol=1e-9)
    assert math.isclose(cut.upper or 0, 0.5 * math.exp(reach), rel_tol=1e-9)


def test_units_that_move_together_widen_the_interval() -> None:
    """Odd units slow on one side and fast on the other: a unit's two z add up, V = 10 ÷ 9 · 10 · (2·0.01)² · 10 ÷ 9."""
    cut = compare(one_procedure([90, 110] * 5, [55, 45] * 5), min_n=5)
    reach = 2.2621571628 * math.sqrt(10 / 9 * 10 * 0.02**2 * 10 / 9)
    assert math.isclose(cut.upper or 0, 0.5 * math.exp(reach), rel_tol=1e-9)


def test_with_few_units_the_months_tell_the_variance() -> None:
    """One unit, two months, all the difference between months: on either side M ÷ (M − 1) · 2c², t of 2 degrees."""
    cut = compare(one_procedure([90, 110] * 5, [45, 55] * 5, n_units=1, months=2), min_n=5)
    c = 5 * 10 / (10 * 100) * math.sqrt(10 / 9)  # ± this is Σ z of a month, so c̄ = 0
    variance = 2 * (2 / 1) * (2 * c**2)
    assert math.isclose(cut.upper or 0, 0.5 * math.exp(4.3026527299 * math.sqrt(variance)), rel_tol=1e-9)


@pytest.mark.parametrize(("n_units", "months", "is_told"), [(4, 1, False), (5, 1, True), (1, 2, True), (1, 1, False)])
def test_without_a_degree_of_freedom_there_is_no_interval(n_units: int, months: int, is_told: bool) -> None:
    values = [80, 90, 110, 120, 100, 95, 105, 85, 115, 100, 99, 101]
    cut = compare(one_procedure(values, values, n_units, months), min_n=5)
    assert (cut.lower is not None) == is_told
    assert verdict(cut, 0.3, min_n=1, min_coverage=0.6) == (("missed", "") if is_told else ("no_data", "no_interval"))


@pytest.mark.parametrize(
    ("target", "found"), [(0.3, "met"), (0.44, "met"), (0.45, "inconclusive"), (0.55, "inconclusive"), (0.56, "missed")]
)
def test_the_verdict_is_the_intervals(target: float, found: str) -> None:
    cut = compare(one_procedure([90, 110] * 5, [45, 55] * 5), min_n=5)
    assert verdict(cut, target, min_n=1, min_coverage=0.6) == (found, "")


@pytest.mark.parametrize(
    ("base", "now", "min_n", "why"),
    [
        ([], [5, 6, 7, 8, 9], 1, "no_baseline"),
        ([5, 6, 7, 8, 9], [], 1, "few_dossiers"),
        ([5, 6, 7, 8], [5, 6, 7, 8, 9], 1, "few_dossiers"),  # below the mix's own five
        ([90, 110] * 10, [45, 55] * 10, 21, "few_dossiers"),
        ([100] * 10, [45, 55] * 5, 1, "no_interval"),
    ],
)
def test_why_there_is_no_verdict(base: list[int], now: list[int], min_n: int, why: str) -> None:
    cut = compare(one_procedure(base, now), min_n=5)
    assert verdict(cut, 0.3, min_n=min_n, min_coverage=0.6) == ("no_data", why)


@pytest.mark.parametrize(("n_more", "found"), [(6, "met"), (7, "no_data")])
def test_the_mix_must_cover_three_fifths_of_the_baseline(n_more: int, found: str) -> None:
    cells = one_procedure([90, 110] * 5, [45, 55] * 5) + cells_of({("q", "1", False, 1): [100] * n_more})
    cut = compare(cells, min_n=5)
    assert (cut.coverage or 0) == 10 / (10 + n_more)
    assert verdict(cut, 0.3, min_n=1, min_coverage=0.6)[0] == found


def test_the_cap_binds_the_mean_and_what_it_cuts_stands_beside() -> None:
    cells = cells_of({("p", f"{unit}", now, 1): [100, 1000] for unit in range(9) for now in (False, True)}, cap=400)
    cut = compare(cells, min_n=5)
    assert cut.denominator == 18 * 250
    assert (cut.n_capped_base, cut.capped_seconds_base) == (9, 9000)
    assert cut.uncapped_denominator == 18 * 550


def test_an_unknown_procedure_is_a_bag_of_many_and_never_covered() -> None:
    cells = one_procedure([90, 110] * 5, [45, 55] * 5)
    nameless = [cell._replace(procedure="") for cell in cells]
    assert compare(nameless, min_n=5).n_covered_base == 0
    assert compare(cells + nameless, min_n=5).coverage == 0.5


def test_the_weights_are_the_baselines() -> None:
    """Ten of a at 100 and thirty of b at 10: a halves, b doubles; the period's own mix does not matter."""
    times: Times = {("a", "1", False, 1): [100] * 10, ("b", "1", False, 1): [10] * 30}
    times |= {("a", "1", True, 1): [50] * 99, ("b", "1", True, 1): [20] * 5}
    cut = compare(cells_of(times), min_n=5)
    assert cut.reduction == 1 - Fraction(10 * 50 + 30 * 20, 10 * 100 + 30 * 10)
