"""What lies behind the cut, on the page: pending work, what made the change, the way to go, places of units."""

import re
from html import unescape

import pytest
import report_behind_samples as behind
import report_samples as samples

from procmon.report import build


def text_of(html: str) -> str:
    body = re.sub(r"<style>.*?</style>", " ", html, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def section(text: str, title: str, until: str) -> str:
    start = text.rindex(title)
    return text[start : text.index(until, start)]


@pytest.fixture(scope="module")
def city() -> str:
    return text_of(build(samples.city(), samples.about()).html)


def test_all_received_dossiers_stand_beside_the_finished_ones(city):
    assert "Thời gian thực tế, tính cả hồ sơ chưa xong giảm 9,0% (khoảng tin cậy 95%: giảm từ 2,0% đến 15,0%)" in city
    assert "gốc 2,73% (300/11.000 hồ sơ tiếp nhận), kỳ này 5,91% (680/11.500 hồ sơ tiếp nhận)" in city
    views = section(city, "Hai cách tính, đặt cạnh nhau", "Hồ sơ đã tiếp nhận đi đến đâu")
    assert "giảm 12,3% giảm 9,0% giảm từ 2,0% đến 15,0% Chưa đạt Khớp 11.000 → 11.500" in views
    assert "tăng 2,0% từ tăng 10,0% đến giảm 5,0% Chưa đạt Không khớp" in views
    assert "Không đủ dữ liệu để đối chiếu" in views


def test_that_both_disagree_is_said_in_words_before_the_figures():
    row = behind.received(restricted_cut=-0.01, verdict="inconclusive", agreement="disagree")
    text = text_of(build(samples.city(pending_work=[row]), samples.about()).html)
    said = "hai cách tính không khớp. Chỉ tính hồ sơ đã xong: giảm 12,3% (chưa đạt); tính cả hồ sơ chưa xong: tăng 1,0%"
    assert said in text
    assert text.index(said) < text.index("(1) Cắt giảm thời hạn trên giấy")
    assert "gốc 2,73%, kỳ này 5,91% số đã tiếp nhận" in text


def test_that_both_agree_is_no_warning(city):
    assert "hai cách tính không khớp" not in city


@pytest.mark.parametrize(("is_complete", "comes_first"), [(True, "cùng cơ cấu TTHC"), (False, "chưa xong")])
def test_against_a_baseline_that_is_not_complete_the_received_ones_lead(is_complete, comes_first):
    page = build(samples.city(), samples.about(baseline_complete=is_complete))
    labels = [label for label in page.headlines if label.startswith("Thời gian")]
    assert labels[0].endswith(comes_first)
    assert ("được nêu trước" in text_of(page.html)) is not is_complete


def test_a_half_that_is_never_reached_is_no_number_and_the_share_without_a_result_stands_on_its_line(city):
    halves = section(city, "Bao lâu thì một nửa số hồ sơ có kết quả", "Hồ sơ tồn cuối mỗi tháng")
    assert "5,0 → 4,0 5,1 → – 91,2% → 43,1% trong 20,0 ngày 3,1% → 6,2% 5,0 → 4,2 11.000 → 11.500" in halves
    assert "2.001610" not in halves  # too few dossiers for curves


def test_the_open_stock_is_told_by_month_and_age(city):
    stock = section(city, "Hồ sơ tồn cuối mỗi tháng", "Vì sao thời gian thay đổi")
    assert "T09/2025 0 0 0 0 – T10/2025 400 80 20,00% 20 5,00% 1 0,25% 11,5" in stock


def test_the_way_from_the_plain_mean_to_the_cut_adds_up(city):
    mix = section(city, "Từ bình quân đơn giản", "Mười TTHC làm giảm nhiều nhất")
    assert "Bình quân đơn giản của mọi hồ sơ giảm 30,0%" in mix
    assert "Hồ sơ ngoài phần so sánh được giảm 1,0 điểm" in mix
    assert "Cơ cấu thay đổi giữa 2 TTHC giảm 17,0 điểm" in mix
    assert "= Mức giảm với cùng cơ cấu TTHC giảm 12,0%" in mix


def test_the_ten_that_gave_most_and_those_that_cost_most_are_named(city):
    gave = section(city, "Mười TTHC làm giảm nhiều nhất", "Mười TTHC làm tăng nhiều nhất")
    assert gave.index("Thủ tục 0") < gave.index("Thủ tục 9")
    assert "Thủ tục chậm lại" not in gave
    cost = section(city, "Mười TTHC làm tăng nhiều nhất", "Theo đơn vị giải quyết, phần lớn trước")
    assert "Thủ tục chậm lại 2.000001 tăng 0,5 điểm 10,0 → 9,0 900 → 1.000" in cost
    assert "Tổng của 12 TTHC: giảm 11,0 điểm." in cost


def test_units_stages_and_pauses_have_their_parts(city):
    units = section(city, "Theo đơn vị giải quyết, phần lớn trước", "Theo bước xử lý")
    assert "Sở Xây dựng H24.05 giảm 11,0 điểm giảm 10,0 điểm giảm 1,0 điểm" in units
    assert units.index("H24.05") < units.index("10525")
    stages = section(city, "Theo bước xử lý", "Đồng hồ có bị dừng nhiều hơn không")
    assert "Không ghi tên bước tăng 1,0 điểm" in stages
    pauses = section(city, "Đồng hồ có bị dừng nhiều hơn không", "Thời hạn trên giấy")
    assert "không tính vào thời gian giải quyết tăng 50,0% 1,0 → 1,5" in pauses
    assert "tạm dừng cộng lại giảm 4,5% 11,0 → 10,5" in pauses


def test_the_way_to_a_target_says_what_the_rest_would_need_or_that_nothing_would_do(city):
    way = section(city, "Còn bao xa đến mục tiêu", "Tính cả hồ sơ chưa xong")
    assert "50 % năm 2026 Toàn thành phố 8,8 5,0 3,8 2,0 5.000; 5.907" in way
    assert "không thể đạt nữa, dù giải quyết ngay lập tức" in way
    assert "Hộ tịch" not in way


def test_units_stand_by_the_places_that_they_may_have_and_ties_are_ties(city):
    units = section(city, "Theo đơn vị giải quyết: so với kỳ gốc", "Không phụ thuộc vào địa giới hành chính")
    assert "Phường Hải Dương 10525 1–2 giảm 20,0% giảm từ 15,0% đến 25,0% 1 đơn vị 800 → 850" in units
    assert "Sở Xây dựng H24.05 3 giảm" in units
    assert "Đặc khu Bạch Long Vĩ 11948 không xếp quá ít hồ sơ" in units
    assert "0,05 × 3 = 0,15 cặp" in units


def test_whose_is_whose_across_the_merger(city):
    merged = section(city, "Số liệu gốc trước sáp nhập là của ai", "Từng thủ tục hành chính")
    assert "1.004194.000.00.00.H23 Đăng ký thường trú 7 ngày làm việc ngắn nhất: được dùng 6,0 400" in merged
    assert "Phường Cẩm Thượng 10513@2000-01-01 6,0 210" in merged


def test_without_a_merger_nothing_is_said_of_one():
    tables = samples.city(predecessors=[], unit_predecessors=[])
    assert "trước sáp nhập" not in text_of(build(tables, samples.about()).html)


def test_another_clock_than_the_baselines_is_a_warning():
    changed = samples.about(changed_policies=("supplement=run → supplement=pause",))
    text = text_of(build(samples.city(), changed).html)
    assert "kỳ gốc được công bố theo cách tính giờ khác" in text
    assert "yêu cầu bổ sung: vẫn tính giờ → yêu cầu bổ sung: tạm dừng tính giờ" in text
    assert "cách tính giờ khác" not in text_of(build(samples.city(), samples.about()).html)


def test_only_procedures_with_enough_dossiers_are_said_to_be_cut_on_paper_only():
    few = samples.reduction(
        scope="procedure", scope_id="1.1", name="Thủ tục ít hồ sơ", actual_cut=-0.2, cut_lower=-0.3, cut_upper=-0.1,
        n_period=99,
    )  # fmt: skip
    for row, is_named in ((few, False), (few | {"n_period": 100}, True)):
        text = text_of(build(samples.city(reductions=[samples.reduction(), row]), samples.about()).html)
        assert ("Cảnh báo: 1 TTHC giảm thời hạn trên giấy" in text) is is_named


def test_against_an_incomplete_baseline_the_subject_says_what_all_received_ones_say():
    page = build(samples.city(), samples.about(baseline_complete=False))
    assert "thời gian thực tế: giảm 9,0%" in page.subject
    assert "giảm 12,3%" in build(samples.city(), samples.about()).subject


def test_a_baseline_that_kept_nothing_of_what_was_received_says_so():
    row = behind.received(
        n_received_baseline=None, n_result_baseline=None, n_no_result_baseline=None, n_pending_baseline=None,
        restricted_cut=None, cut_lower=None, cut_upper=None, verdict="no_data", why="no_states", agreement="",
    )  # fmt: skip
    text = text_of(build(samples.city(pending_work=[row]), samples.about()).html)
    assert "được công bố khi chưa lưu hồ sơ chưa xong, cần công bố lại" in text
    assert "– → 11.500" in text
