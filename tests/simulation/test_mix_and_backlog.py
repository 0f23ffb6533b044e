"""Two ways to look faster without being so: a cheaper mix of cases, and old cases left unfinished (rulebook 7a, 7d)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest

from procmon.engine import sql_text
from procmon.judge.cells import HALF, Cell, Cells
from procmon.judge.mix import Compared, Cut
from procmon.judge.pending_work import pending_work
from procmon.judge.reductions import Goal
from tests.simulation.campaign import N_CITIES, is_inside
from tests.simulation.cities import backlog_city, cheaper_mix_city, planted_city
from tests.simulation.judging import QUESTION, cut_of, judge_of, restricted_of, summed_cells, summed_received
from tests.simulation.law import at_least

N_MIXES = N_CITIES // 5


def plain_cut(cells: list[Cell]) -> float:
    """What the plain mean over all dossiers claims."""

    def mean(is_now: bool) -> Fraction:
        side = [cell for cell in cells if cell.is_now == is_now]
        return Fraction(sum(cell.uncapped for cell in side), sum(cell.n for cell in side))

    return float(1 - mean(True) / mean(False))


def reduction(cut: Compared) -> float:
    return float(1 - cut.numerator / cut.denominator)


def test_a_cheaper_mix_is_no_gain_though_the_plain_mean_claims_one() -> None:
    n_inside, claims = 0, []
    for seed in range(N_MIXES):
        cells = summed_cells(cheaper_mix_city(seed))
        claims.append(plain_cut(cells))
        n_inside += is_inside(cut_of(cells), 0)
    print(f"no change inside: {n_inside} of {N_MIXES}; the plain mean claims {min(claims):.1%} to {max(claims):.1%}")
    assert min(claims) >= 0.15
    assert n_inside >= at_least(900, N_MIXES)


@pytest.fixture(scope="module")
def backlog() -> list[tuple[Cut, Compared]]:
    """Cities that leave old cases unfinished: by finished dossiers, and by the received ones."""
    cities = [backlog_city(seed) for seed in range(N_MIXES)]
    cuts = [cut_of(summed_cells(city)) for city in cities]
    return [(cut, restricted_of(city, cut)) for city, cut in zip(cities, cuts, strict=True)]


Both = list[tuple[Cut, Compared]]


def test_unfinished_old_cases_look_like_a_gain_by_finished_dossiers(backlog: Both) -> None:
    gains = [reduction(cut) for cut, _ in backlog]
    print(f"by finished dossiers: a gain of {min(gains):.1%} to {max(gains):.1%} in {N_MIXES} cities")
    assert min(gains) >= 0.2


def test_the_restricted_mean_of_the_received_shows_no_gain(backlog: Both) -> None:
    n_inside = sum(is_inside(restricted, 0) for _, restricted in backlog)
    apart = [reduction(cut) - reduction(restricted) for cut, restricted in backlog]
    print(
        f"no change inside the restricted mean's interval: {n_inside} of {N_MIXES}; apart by {min(apart):.1%} or more"
    )
    assert n_inside >= at_least(900, N_MIXES)
    assert min(apart) > 0.1


def test_the_product_says_that_both_disagree(tmp_path: Path) -> None:
    """Told by the product's whole way, which finds what is summed here."""
    city = backlog_city(0)
    with judge_of(city, tmp_path) as judge:
        evidence = judge.evidence(QUESTION)
        judge.engine.steps(sql_text("judge", "received"))
        received = judge.engine.query("SELECT * FROM received")
    assert_same(evidence.cells, summed_cells(city))
    assert in_order(received) == in_order(summed_received(city))
    told = pending_work(evidence, received, Goal("a cut of 30 %", 0.3)).to_pylist()[0]
    cut = cut_of(summed_cells(city))
    assert told["agreement"] == "disagree"
    assert told["actual_cut"] == pytest.approx(reduction(cut))
    assert told["restricted_cut"] == pytest.approx(reduction(restricted_of(city, cut)))


def assert_same(found: Cells, summed: list[Cell]) -> None:
    expected = Cells.of_rows(summed)
    assert (found.procedures, found.units) == (expected.procedures, expected.units)
    for ours, theirs in ((found.procedure, expected.procedure), (found.unit, expected.unit)):
        assert ours.tolist() == theirs.tolist()
    ours, theirs = whole_squares(found), whole_squares(expected)
    assert ours == theirs


def whole_squares(cells: Cells) -> dict[str, list[int]]:
    """The cells' counts by column, where squares may be parted into halves in more than one way."""
    counts: dict[str, list[int]] = dict(zip(cells.COLUMNS, cells.counts.tolist(), strict=True))
    halves = counts.pop("squares_high"), counts.pop("squares_low")
    return counts | {"squares": [high * HALF + low for high, low in zip(*halves, strict=True)]}


def in_order(rows: pa.Table) -> list[tuple[object, ...]]:
    return sorted(tuple(row[name] for name in sorted(row)) for row in rows.to_pylist())


@pytest.mark.parametrize("has_shocks", [True, False])
def test_the_products_sql_gives_the_cells_that_numpy_sums(has_shocks: bool, tmp_path: Path) -> None:
    city = planted_city(0, 0.3, has_shocks=has_shocks)
    with judge_of(city, tmp_path) as judge:
        found = judge.evidence(QUESTION).cells
    assert_same(found, summed_cells(city))
