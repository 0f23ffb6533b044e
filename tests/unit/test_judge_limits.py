"""The cut of limits on paper, by hand (rulebook 7.1)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pyarrow as pa
import pytest

from procmon.judge.limits import Catalogue, limit_cut, mean_cut

OLD, CHANGED, NOW = date(2024, 12, 31), date(2025, 3, 1), date(2025, 12, 31)
NEVER = date(9999, 12, 31)
Limit = tuple[float, str] | None


def catalogue(before: Limit, now: Limit, *, ends_on: date = NEVER) -> Catalogue:
    """One procedure with a limit before 1 March 2025 and one from then on; None: a version without a limit."""
    spans = [(before, date(2024, 1, 1), CHANGED), (now, CHANGED, ends_on)]
    rows = [
        {
            "procedure_id": "p", "name": "", "field": f"F{first.year}", "level": "city", "tags": "",
            "limit_amount": limit[0] if limit else None, "limit_unit": limit[1] if limit else None,
            "valid_from": first, "ends_on": last,
        }
        for limit, first, last in spans
    ]  # fmt: skip
    return Catalogue(pa.Table.from_pylist(rows))


@pytest.mark.parametrize(
    ("before", "now", "cut", "kind"),
    [
        ((10, "working_days"), (40, "hours"), Fraction(1, 2), "50"),
        ((10, "working_days"), (41, "hours"), Fraction(39, 80), "30"),
        ((10, "working_days"), (7, "working_days"), Fraction(3, 10), "30"),
        ((100, "hours"), (70.5, "hours"), Fraction(59, 200), "less"),
        ((1, "months"), (28, "days"), 1 - Fraction(20, 22), "less"),
        ((14, "days"), (7, "working_days"), Fraction(3, 10), "30"),
        ((8, "hours"), (1, "working_days"), Fraction(0), "unchanged"),
        ((7, "days"), (5, "working_days"), Fraction(0), "unchanged"),
        ((1, "working_days"), (9, "hours"), Fraction(-1, 8), "longer"),
        ((1, "working_days"), None, None, "longer"),  # given up
        (None, (1, "working_days"), None, "no_limit_2024"),
        (None, None, None, "no_limit_2024"),
    ],
)
def test_limits_are_compared_in_working_days_unrounded(
    before: Limit, now: Limit, cut: Fraction | None, kind: str
) -> None:
    found = limit_cut(catalogue(before, now), "p", OLD, NOW)
    assert (found.cut, found.cut_class) == (cut, kind)


def test_the_mean_is_over_the_procedures_with_a_limit_on_both_days() -> None:
    limits: list[tuple[Limit, Limit]] = [
        ((10, "hours"), (5, "hours")), ((10, "hours"), (12, "hours")), (None, (5, "hours")), ((5, "hours"), None),
    ]  # fmt: skip
    cuts = [limit_cut(catalogue(*pair), "p", OLD, NOW) for pair in limits]
    assert mean_cut(cuts) == (Fraction(3, 20), 2)
    assert mean_cut([]) == (None, 0)


def test_an_offer_ends_with_its_last_version_whose_name_and_field_stay_known() -> None:
    found = catalogue((1, "hours"), (1, "hours"), ends_on=date(2025, 6, 1))
    assert found.on_offer(date(2025, 5, 31)) == ["p"]
    assert found.on_offer(date(2025, 6, 1)) == []
    assert found.of_field("F2025", NOW) == ["p"]
    assert found.of_field("F2024", OLD) == ["p"]
    assert found.of_field("F2024", NOW) == []
