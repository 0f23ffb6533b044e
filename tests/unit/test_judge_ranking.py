"""Units compared fairly: ties stay ties, whatever their order; who cannot be compared is listed only (7c)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from twin.ranking import Ratio, ranks

from procmon.config import PolicySettings
from procmon.judge.cells import Cell, Cells
from procmon.judge.mix import Cut, Spread, compare
from procmon.judge.ranking import is_parted_by_less, places, unranked

Planted = tuple[float, float, int]  # ratio, variance of its logarithm, degrees of freedom


def cut_of(planted: Planted) -> Cut:
    """A cut whose ratio and spread are given."""
    cells = [Cell("a", "u", is_now, 1, 200, 200, 200, 200, 0, 0) for is_now in (False, True)]
    cut = compare(Cells.of_rows(cells), min_n=1)
    ratio, variance, freedom = planted
    return replace(
        cut, numerator=cut.denominator * Fraction(ratio).limit_denominator(1000), spread=Spread(variance, freedom)
    )


plantings = st.lists(
    st.tuples(st.integers(100, 2000).map(lambda n: n / 1000), st.floats(1e-6, 1), st.integers(1, 40)), max_size=12
)


@given(plantings)
def test_the_places_equal_the_plain_twin(planted: list[Planted]) -> None:
    found = places([cut_of(one) for one in planted])
    theirs = ranks({str(n): Ratio(*one) for n, one in enumerate(planted)})
    assert [(row["rank_from"], row["rank_to"]) for row in found] == list(theirs.values())
    for row in found:
        assert row["n_better"] + row["n_worse"] + row["n_tied"] == len(planted) - 1
        assert (row["rank_from"], row["rank_to"]) == (1 + row["n_better"], len(planted) - row["n_worse"])


@given(plantings, st.randoms(use_true_random=False))
def test_the_order_of_units_changes_no_place(planted: list[Planted], shuffler: random.Random) -> None:
    order = list(range(len(planted)))
    shuffler.shuffle(order)
    straight = places([cut_of(one) for one in planted])
    assert places([cut_of(planted[n]) for n in order]) == [straight[n] for n in order]


@given(plantings)
def test_equal_ratios_are_never_parted_however_sharp_they_are(planted: list[Planted]) -> None:
    is_less = is_parted_by_less([cut_of(one) for one in planted])
    for n, one in enumerate(planted):
        assert not any(is_less[n, m] for m, other in enumerate(planted) if one[0] == other[0])


def test_a_clear_difference_parts_and_the_middle_one_is_a_tie_with_both() -> None:
    found = places([cut_of((0.5, 0.01, 30)), cut_of((0.6, 0.01, 30)), cut_of((0.8, 0.01, 30))])
    assert [(row["rank_from"], row["rank_to"]) for row in found] == [(1, 2), (1, 3), (2, 3)]


def shocked(unit: str, ratio: float, chance: random.Random) -> list[Cell]:
    """A unit's two years: three procedures, 240 dossiers a side, times with shocks by week (sd 0.35 on the log)."""
    times: dict[tuple[str, bool, int], list[int]] = {}
    for is_now in (False, True):
        for week in range(48):
            shock = chance.gauss(0, 0.35)
            for n in range(5):
                code = "abc"[n % 3]
                seconds = 36_000 * (ratio if is_now else 1) * math.exp(shock + chance.gauss(0, 0.4))
                times.setdefault((code, is_now, week // 4), []).append(int(seconds))
    return [
        Cell(code, unit, is_now, month, len(ys), sum(ys), sum(y * y for y in ys), sum(ys), 0, 0)
        for (code, is_now, month), ys in times.items()
    ]


def cuts_of(ratios: Sequence[float], seed: int) -> list[Cut]:
    chance = random.Random(seed)
    return [compare(Cells.of_rows(shocked(f"u{n}", ratio, chance)), min_n=5) for n, ratio in enumerate(ratios)]


def test_equal_units_are_ties_but_for_what_chance_alone_parts() -> None:
    """30 cities of 8 alike units under weekly shocks: of 840 pairs about one in twenty is parted, as announced."""
    n_parted, n_first = 0, 0
    for seed in range(30):
        found = places(cuts_of([0.7] * 8, seed))
        n_parted += sum(int(str(row["n_better"])) for row in found)
        n_first += sum(row["rank_from"] == 1 for row in found)
    announced = 30 * 0.05 * math.comb(8, 2)
    assert n_parted <= 1.5 * announced
    assert n_first >= 0.85 * 30 * 8


def test_units_that_differ_are_parted() -> None:
    """Four halved their time and four did not: every pair across is parted, and no place is shared across."""
    found = places(cuts_of([0.5] * 4 + [1.0] * 4, seed=1))
    assert all(int(str(row["rank_to"])) <= 4 for row in found[:4])
    assert all(int(str(row["rank_from"])) >= 5 for row in found[4:])


def test_who_cannot_be_compared_is_listed_and_not_ranked() -> None:
    policies = PolicySettings()
    cut = cut_of((0.7, 0.01, 30))
    assert unranked(cut, policies) == ""
    assert unranked(replace(cut, n_covered_base=99), policies) == "few_dossiers"
    assert unranked(replace(cut, n_covered_now=99), policies) == "few_dossiers"
    assert unranked(replace(cut, n_base=400), policies) == "coverage"
    assert unranked(replace(cut, spread=None), policies) == "no_interval"


def test_nobody_to_rank_is_no_trouble() -> None:
    assert places([]) == []
    assert [(row["rank_from"], row["rank_to"]) for row in places([cut_of((0.7, 0.01, 3))])] == [(1, 1)]
