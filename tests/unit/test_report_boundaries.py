"""The page's sections on boundaries: what they may deny, and what nobody can know (rulebook 8)."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pytest
import report_samples as samples

from procmon.report import boundary_words, build

Row = dict[str, Any]


def text_of(html: str) -> str:
    body = re.sub(r"<style>.*?</style>", " ", html, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def city(**tables: list[Row]) -> str:
    return text_of(build(samples.city(**tables), samples.about()).html)


def centre(**tables: list[Row]) -> Any:
    _, about = samples.centre()
    own = samples.reduction(scope="centre", scope_id="10525", name="Trung tâm PVHCC phường Hải Dương")
    return build(samples.city(reductions=[own], targets=[], **tables), about)


def judged(**changes: int) -> list[Row]:
    return [row | changes for row in samples.boundaries()]


def test_where_dossiers_are_undetermined_no_table_denies_that_any_crossed() -> None:
    unknown = {"boundaries": judged(n_cross=0), "boundary_refusals": [], "flows": []}
    said = "Không có hồ sơ nào xác định được là ngoài địa giới; 35 hồ sơ không xác định được."
    for text, n in ((city(**unknown), 2), (text_of(centre(**unknown).html), 3)):
        assert text.count(said) == n
        assert "Không có hồ sơ ngoài địa giới" not in text
        assert "Không có hồ sơ nào trong thời gian xét" not in text


def test_where_all_are_determined_an_empty_table_says_that_none_crossed() -> None:
    text = text_of(centre(boundaries=judged(n_undetermined=0), boundary_refusals=[], flows=[]).html)
    for which in ("nhận cho nơi khác", "do nơi khác nhận thay", "bị từ chối"):
        assert f"Không có hồ sơ ngoài địa giới nào {which} trong thời gian xét." in text


def test_where_others_crossed_an_empty_table_tells_of_its_own() -> None:
    text = city(boundary_refusals=[])
    assert "Không có hồ sơ nào xác định được là ngoài địa giới bị từ chối; 35 hồ sơ không xác định được." in text


def test_a_centre_whose_dossiers_are_all_undetermined_reads_no_count() -> None:
    page = centre(boundaries=judged(n_dossiers=805, n_cross=0), flows=[])
    assert page.headlines["Đơn vị đã nhận cho nơi khác"] == "không đủ dữ liệu"
    assert page.headlines["Nơi khác đã nhận thay cho địa bàn này"] == "không đủ dữ liệu"
    assert "Ngoài địa giới – –" in text_of(page.html)
    some = centre(boundaries=judged(n_dossiers=806, n_cross=0), flows=[])
    assert some.headlines["Đơn vị đã nhận cho nơi khác"] == "0 hồ sơ"
    assert "Ngoài địa giới 0 0,00%" in text_of(some.html)


def test_local_only_promises_no_more_than_it_knows() -> None:
    text = city()
    assert "Không công bố, chưa chứng minh" in text
    assert "Chỉ làm tại chỗ" not in text


def test_a_month_before_any_data_is_not_called_unproven() -> None:
    """An announced list alone proves nothing, and does not disprove."""
    empty = {"n_proven": 0, "n_refused_elsewhere": 0, "n_told": 0, "n_no_data": 2}
    rows = [row | (empty if row["scope_id"] == "2025-10" else {}) for row in samples.boundary_shares()]
    text = city(boundary_shares=rows)
    assert "T10/2025 6 66,67% 4 – – 33,33% 2" in text
    assert "T11/2025 6 66,67% 4 16,67% 1 16,67% 1 16,67% 1" in text
    assert "(*)" not in text


def test_months_whose_window_the_data_do_not_fill_are_marked() -> None:
    """What is proven grows there because the data grow."""
    late = {"2025-10": date(2025, 3, 3), "2025-11": date(2025, 1, 1)}
    rows = [row | {"data_from": late.get(row["scope_id"], row["data_from"])} for row in samples.boundary_shares()]
    text = city(boundary_shares=rows)
    assert "T10/2025 * 6" in text
    assert "T11/2025 6" in text  # a month late at most
    assert "(*) Dữ liệu chỉ có từ 03/03/2025, sau ngày đầu của thời gian xét" in text


@pytest.mark.parametrize(("first", "said"), [(date(2025, 10, 9), "từ ngày 09/10/2025 trong thời gian xét"), (None, "")])
def test_what_is_proven_tells_since_when(first: date | None, said: str) -> None:
    rows = [row | {"first_proven_on": first} for row in samples.boundaries()]
    text = city(boundaries=rows).partition("Từng TTHC, chưa chứng minh trước")[2]
    assert " ".join(filter(None, ("Đã chứng minh", said, "Có 17"))) in text
    assert text.count("trong thời gian xét") == bool(said)


# ---- parity


def test_cross_boundary_times_stand_beside_local_ones_not_after_them() -> None:
    assert "cao hơn 26,0% cao hơn từ 17,0% đến 36,0% Chậm hơn" in city()


@pytest.mark.parametrize(
    ("more", "said"), [(0.26, "cao hơn 26,0%"), (-0.1, "thấp hơn 10,0%"), (0.0, "bằng nhau trong mẫu")]
)
def test_a_difference_is_of_two_sides(more: float, said: str) -> None:
    assert boundary_words.compared(more) == said


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [
        (0.17, 0.36, "cao hơn từ 17,0% đến 36,0%"),
        (-0.2, -0.1, "thấp hơn từ 10,0% đến 20,0%"),
        (-0.045, 0.123, "từ thấp hơn 4,5% đến cao hơn 12,3%"),
        (0.0, 0.1, "từ bằng nhau đến cao hơn 10,0%"),
    ],
)
def test_an_interval_is_of_two_sides(lower: float, upper: float, said: str) -> None:
    assert boundary_words.compared_between(lower, upper) == said


@pytest.mark.parametrize(
    ("why", "n_needed", "lower", "said"),
    [
        ("no_interval", None, None, "không tính được khoảng tin cậy"),
        ("few_dossiers", 100, None, "cần ít nhất 100 hồ sơ ngoài địa giới"),
        ("few_dossiers", 288, 0.9, "cần khoảng 288 hồ sơ ngoài địa giới"),
        ("near_margin", 100, 0.9, "chênh lệch sát mức cho phép"),
    ],
)
def test_what_is_not_shown_says_what_it_lacks(why: str, n_needed: int | None, lower: float | None, said: str) -> None:
    row = samples.parity()[0] | {"verdict": "not_shown", "why": why, "n_needed": n_needed, "lower_90": lower}
    assert f"Chưa chứng minh được là tương đương {said} 902 / 9.700" in city(parity=[row])


def test_that_no_procedure_is_slower_or_faster_is_never_for_want_of_dossiers() -> None:
    assert "Không có TTHC nào được chứng minh là chậm hơn hoặc nhanh hơn." in city(parity=[])
