"""Cities whose dossiers are independent: the interval does not pay for shocks that are not there (rulebook 7b)."""

from __future__ import annotations

from statistics import fmean, stdev

import pytest

from tests.simulation.campaign import N_CITIES, Campaign, planted_campaign
from tests.simulation.law import at_least, at_most, ratio_bounds


@pytest.fixture(scope="module")
def independent() -> Campaign:
    return planted_campaign(0.3, has_shocks=False)


def test_the_planted_change_is_inside_its_interval_as_often_as_promised(independent: Campaign) -> None:
    error, spread = fmean(independent.errors), stdev(independent.errors)
    print(f"inside: {independent.n_inside} of {N_CITIES}; mean error of the log ratio {error:+.4f}, sd {spread:.4f}")
    assert at_least(932, N_CITIES) <= independent.n_inside <= at_most(992, N_CITIES)


def test_the_interval_is_as_wide_as_the_errors_call_for(independent: Campaign) -> None:
    print(
        f"median half-width {independent.half_width:.4f}, {independent.width_ratio:.3f} times what the errors call for"
    )
    low, high = ratio_bounds(0.85, 1.25, N_CITIES)
    assert low <= independent.width_ratio <= high
