"""Curves, medians and restricted means of many groups at once, held against fractions (rulebook 7d)."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twin import survival as twin

from procmon.judge import survival
from procmon.judge.survival import NEVER, Steps

Seen = twin.Seen
FATES = ("result", "other", "pending")


def steps_of(groups: Sequence[Sequence[Seen]]) -> tuple[Steps, list[int]]:
    """The steps of these groups of dossiers, and each dossier's step, group after group."""
    rows = [(number, seconds, fate) for number, group in enumerate(groups) for seconds, fate in group]
    number, seconds = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    counts = [np.array([row[2] == fate for row in rows], dtype=np.int64) for fate in FATES]
    at, step_of_row = survival.steps(number, seconds, *counts)
    return at, step_of_row.tolist()


def sample(seed: int) -> list[Seen]:
    """Dossiers with ties, zeros and censoring; few distinct times or many, censored seldom or mostly."""
    draw = random.Random(seed)
    longest = draw.choice([3, 30, 100_000])
    weights = draw.choice([(8, 1, 1), (1, 1, 1), (1, 0, 0), (2, 1, 9)])
    n = draw.randint(10, 60)
    return [(draw.choice([0, draw.randint(0, longest)]), draw.choices(FATES, weights)[0]) for _ in range(n)]


SAMPLES = [sample(seed) for seed in range(100)]


def by_group(at: Steps, values: np.ndarray) -> list[list[float]]:  # type: ignore[type-arg]
    return [values[start:stop].tolist() for start, stop in zip(at.starts[:-1], at.starts[1:], strict=True)]


def test_curves_equal_the_fractions_on_samples_with_ties_zeros_and_censoring() -> None:
    at, _ = steps_of(SAMPLES)
    still_open = survival.survival(at, at.ends)
    of_results = survival.survival(at, at.results)
    with_result, without = (survival.share_ended(at, still_open, ends) for ends in (at.results, at.others))
    for number, seen in enumerate(SAMPLES):
        for ours, theirs in (
            (still_open, twin.kaplan_meier(seen)),
            (of_results, twin.kaplan_meier(seen, twin.RESULT)),
            (with_result, twin.aalen_johansen(seen)),
            (without, twin.aalen_johansen(seen, {"other"})),
        ):
            assert by_group(at, at.time)[number] == list(theirs)
            assert by_group(at, ours)[number] == pytest.approx([float(x) for x in theirs.values()], abs=1e-12, rel=0)


def test_medians_equal_the_fractions_exactly() -> None:
    at, _ = steps_of(SAMPLES)
    still_open, of_results = survival.survival(at, at.ends), survival.survival(at, at.results)
    share = survival.share_ended(at, still_open, at.results)
    for ours, theirs in (
        (survival.median_time(at, still_open, at.ends), twin.median),
        (survival.median_time(at, of_results, at.results), lambda seen: twin.median(seen, twin.RESULT)),
        (survival.half_time(at, share), twin.half_with_result),
    ):
        expected = [theirs(seen) for seen in SAMPLES]  # type: ignore[operator]
        assert [None if time == NEVER else time for time in ours.tolist()] == expected


@pytest.mark.parametrize("n", [7, 49, 343, 10_000])
@pytest.mark.parametrize(
    ("first", "then"), [((2, 3), (3, 4)), ((8, 9), (9, 16)), ((9, 11), (11, 18)), ((12, 17), (17, 24))]
)
def test_a_curve_that_meets_a_half_exactly_is_there_and_not_a_step_later(
    n: int, first: tuple[int, int], then: tuple[int, int]
) -> None:
    """Two factors whose product is ½, with censored dossiers between; in floats S = ½ + 10⁻¹⁶ after the third pair."""
    left = n * first[0]
    kept = (left - 1) // then[1] * then[1]
    results = [n * (first[1] - first[0]), 0, kept - kept // then[1] * then[0], kept // then[1] * then[0]]
    rows = ([0] * 4, [500, 700, 1000, 3000], results, [0] * 4, [0, left - kept, 0, 0])
    at, _ = survival.steps(*(np.array(row, dtype=np.int64) for row in rows))
    still_open = survival.survival(at, at.ends)
    assert survival.median_time(at, still_open, at.ends).tolist() == [1000]
    share = survival.share_ended(at, still_open, at.results)
    assert survival.half_time(at, share).tolist() == [1000]


def test_a_curve_that_misses_a_half_by_a_hair_is_not_there() -> None:
    """Of 2n + 1 dossiers n have ended: S = (n + 1) ÷ (2n + 1), at a million above ½ by less than a millionth."""
    n = 1_000_000
    at, _ = survival.steps(*(np.array(x, dtype=np.int64) for x in ([0, 0], [5, 9], [n, n + 1], [0, 0], [0, 0])))
    still_open = survival.survival(at, at.ends)
    assert survival.median_time(at, still_open, at.ends).tolist() == [9]
    hair = np.array([0.5 + 1e-16 * 4, 0.0])  # as a float would have it, had it been ½
    assert survival.median_time(at, hair, at.ends).tolist() == [9]


def taus(groups: Sequence[Sequence[Seen]], at_risk: int = 10) -> list[int]:
    return [twin.longest(seen, at_risk) or 0 for seen in groups]


def test_the_longest_time_with_ten_at_risk_is_the_tenth_longest() -> None:
    at, _ = steps_of([*SAMPLES, SAMPLES[0][:9]])
    assert at.longest(10).tolist() == [*taus(SAMPLES), NEVER]


def deviations(found: survival.RestrictedMeans, step_of_row: list[int], fates: list[str]) -> list[float]:
    """Each dossier's own."""
    by_fate = {"pending": found.of_pending, "result": found.of_ended, "other": found.of_ended}
    return [by_fate[fate][step] for step, fate in zip(step_of_row, fates, strict=True)]


@pytest.mark.parametrize("at_risk", [1, 2, 10])
def test_restricted_means_and_their_jackknife_equal_leaving_each_dossier_out(at_risk: int) -> None:
    limits = taus(SAMPLES, at_risk)
    at, step_of_row = steps_of(SAMPLES)
    found = survival.restricted(at, np.array(limits))
    fates = [fate for seen in SAMPLES for _, fate in seen]
    by_row = deviations(found, step_of_row, fates)
    row = 0
    for number, (seen, tau) in enumerate(zip(SAMPLES, limits, strict=True)):
        assert found.mean[number] == pytest.approx(float(twin.restricted_mean(seen, tau)), rel=1e-9, abs=0)
        expected = [float(x) for x in twin.deviations(seen, tau)]
        assert by_row[row : row + len(seen)] == pytest.approx(expected, rel=1e-9, abs=1e-9 * tau)
        assert found.squares[number] == pytest.approx(sum(x * x for x in expected), rel=1e-9)
        row += len(seen)


def test_without_censoring_a_pseudo_value_is_the_time_itself_cut_at_tau() -> None:
    seen = [(seconds, "result") for seconds in (0, 3, 3, 8, 20, 21, 22)]
    at, _ = steps_of([seen])
    found = survival.restricted(at, np.array([20]))
    mean = sum(min(seconds, 20) for seconds, _ in seen) / len(seen)
    assert found.mean[0] == pytest.approx(mean)
    assert (found.of_ended + mean).tolist() == pytest.approx([0, 3, 8, 20, 20, 20])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(FATES)), min_size=10, max_size=40), st.integers(0, 20))
def test_any_group_equals_the_fractions(seen: list[Seen], cap: int) -> None:
    tau = min(cap, twin.longest(seen) or 0)
    at, step_of_row = steps_of([seen])
    found = survival.restricted(at, np.array([tau]))
    assert found.mean[0] == pytest.approx(float(twin.restricted_mean(seen, tau)), rel=1e-9)
    expected = [float(x) for x in twin.deviations(seen, tau)]
    ours = deviations(found, step_of_row, [fate for _, fate in seen])
    assert ours == pytest.approx(expected, rel=1e-9, abs=1e-9)
    still_open = survival.survival(at, at.ends)
    median = survival.median_time(at, still_open, at.ends).tolist()
    assert [None if time == NEVER else time for time in median] == [twin.median(seen)]


def test_neither_the_order_of_rows_nor_other_groups_move_a_digit() -> None:
    at, _ = steps_of(SAMPLES)
    alone = [survival.restricted(steps_of([seen])[0], np.array(taus([seen]))) for seen in SAMPLES]
    shuffled = [random.Random(1).sample(seen, len(seen)) for seen in SAMPLES]
    for groups in (SAMPLES, shuffled):
        found = survival.restricted(steps_of(groups)[0], np.array(taus(SAMPLES)))
        assert found.mean.tolist() == [one.mean[0] for one in alone]
        assert by_group(at, found.of_ended) == [one.of_ended.tolist() for one in alone]


@pytest.mark.parametrize(
    ("seen", "mean"),
    [
        ([(seconds, "pending") for seconds in range(20)], 10.0),  # all pending: S stays 1 up to τ
        ([(7, "result")] * 12, 7.0),  # all at one time
        ([(0, "result")] * 12, 0.0),  # all at once: τ is 0
        ([(0, "result")] * 5 + [(4, "other")] * 15, 3.0),
    ],
)
def test_a_mean_by_hand(seen: list[Seen], mean: float) -> None:
    at, _ = steps_of([seen])
    found = survival.restricted(at, at.longest(10))
    assert found.mean.tolist() == [mean]
    assert np.isfinite([*found.of_ended, *found.of_pending]).all()


def test_nobody_ended_is_no_median() -> None:
    at, _ = steps_of([[(seconds, "pending") for seconds in range(20)]])
    still_open = survival.survival(at, at.ends)
    assert survival.median_time(at, still_open, at.ends).tolist() == [NEVER]
    assert survival.half_time(at, survival.share_ended(at, still_open, at.results)).tolist() == [NEVER]


def test_who_was_stopped_never_counts_as_having_a_result() -> None:
    seen = [(1, "other")] * 6 + [(2, "result")] * 4
    at, _ = steps_of([seen])
    still_open = survival.survival(at, at.ends)
    share = survival.share_ended(at, still_open, at.results)
    assert share.tolist() == pytest.approx([0, 0.4])
    assert survival.half_time(at, share).tolist() == [NEVER]
    assert survival.median_time(at, still_open, at.ends).tolist() == [1]
    assert survival.median_time(at, survival.survival(at, at.results), at.results).tolist() == [2]
