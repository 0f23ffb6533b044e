"""The page: what it must say, to whom, and what it must never do."""

import re
from dataclasses import replace
from html import unescape

import pytest
import report_samples as samples

from procmon.judge import rule_sets
from procmon.report import build, words
from procmon.tables import RULE_SETS


def text_of(html: str) -> str:
    """The words of a page or mail, without tags, styles and line breaks."""
    body = re.sub(r"<style>.*?</style>", " ", html, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture(scope="module")
def city():
    return build(samples.city(), samples.about())


def test_the_three_reductions_stand_apart_with_their_n(city):
    text = text_of(city.html)
    assert "(1) Cắt giảm thời hạn trên giấy" in text
    assert "88,10% (1.680/1.907 TTHC)" in text
    assert "(2) Cắt giảm thời gian giải quyết thực tế" in text
    assert "giảm 12,3% (khoảng tin cậy 95%: giảm từ 5,1% đến 18,0%)" in text
    assert "n = 11.201 hồ sơ kỳ này, 10.907 hồ sơ kỳ gốc" in text
    assert "(3) Tỷ lệ đúng hạn theo thời hạn cũ và thời hạn mới" in text
    assert "94,12% (10.353/11.000 hồ sơ)" in text
    assert "83,47% (9.182/11.000 hồ sơ)" in text


def test_verdicts_name_their_target(city):
    text = text_of(city.html)
    assert "Kỳ này: Chưa đạt mục tiêu giảm 30%" in text
    assert "Không đủ dữ liệu để kết luận về mục tiêu giảm 50% (quá ít hồ sơ)" in text


def test_a_target_for_the_same_days_is_said_once():
    same = samples.targets()[0] | {"period_from": samples.date(2025, 11, 1), "period_to": samples.date(2025, 12, 1)}
    page = build(samples.city(targets=[same]), samples.about())
    assert text_of(page.html).count("Chưa đạt mục tiêu giảm 30%") == 1


def test_every_headline_is_printed_word_for_word(city):
    assert len(city.headlines) == 16
    for label, figure in city.headlines.items():
        for text in (text_of(city.html), text_of(city.mail_html), city.mail_text):
            assert label in text
            assert figure in text


def test_data_quality_is_stated_before_results(city):
    text = text_of(city.html)
    assert text.index("Chất lượng dữ liệu") < text.index("(1) Cắt giảm")
    assert "hồ sơ không rõ nơi cư trú của người nộp: 5.100 (41,31%)" in text
    assert "some_new_item" in text


def files_of(page) -> str:
    """The words of the page's part on files."""
    return text_of(page.html).partition("Các tệp đã nhận")[2].partition("Theo thời gian")[0]


def test_what_files_brought_is_told_for_the_run_and_in_all(city):
    files = files_of(city)
    assert "Mục Lần chạy này Mọi lô đang được tính" in files
    assert "Tệp đã nhận (mỗi lần nhận là một lô) 2 4" in files
    assert "Dòng đã đọc 5.100 66.142" in files
    assert "Dòng bị từ chối 7 47" in files
    assert "Tệp bị giữ lại toàn bộ, không lưu dòng nào 0 1" in files


def test_refused_rows_are_counted_by_reason_the_most_frequent_first(city):
    files = files_of(city)
    reasons = re.findall(r"– vì (.+?) (\d+) (\d+)", files)
    assert reasons == [
        ("cả tệp bị giữ lại: tỷ lệ dòng bị từ chối vượt mức cho phép", "0", "28"),
        ("trạng thái không có trong bảng ánh xạ", "2", "14"),
        ("thời điểm hoặc ngày không đọc được", "4", "4"),
        ("some new reason", "1", "1"),
    ]
    assert "procmon show rejects --batch N, với N là số lô: 3, 2." in files


def test_where_nothing_was_refused_a_sentence_is_enough():
    page = build(samples.city(intake=samples.intake(0), refusals=[]), samples.about())
    files = files_of(page)
    assert "Đã nhận 3 tệp, 66.102 dòng: 65.480 dòng lưu mới, 513 dòng lặp lại, 109 dòng bổ sung" in files
    assert "không có dòng nào bị từ chối. Riêng lần chạy này: 2 tệp, 5.100 dòng." in files
    assert "Lần chạy này Mọi lô" not in files
    assert "Chưa nhận tệp nào." in files_of(build(samples.empty(), samples.about()))


def test_a_page_of_no_run_tells_of_all_batches_only():
    rows = [row | {"is_of_run": None} for row in samples.intake()]
    files = files_of(build(samples.city(intake=rows), samples.about(run_id=None)))
    assert "Mục Mọi lô đang được tính" in files
    assert "Dòng bị từ chối 47" in files


def test_many_batches_are_not_all_named():
    rows = [samples.intake()[2] | {"batch": number} for number in range(1, 31)]
    files = files_of(build(samples.city(intake=rows), samples.about()))
    assert "số lô: 30, 29, 28, 27, 26, 25, 24, 23, 22, 21 và 20 lô cũ hơn." in files


def test_files_are_told_on_the_city_s_page_only():
    for made in (samples.centre, samples.department):
        assert "Các tệp đã nhận" not in text_of(build(*made()).html)


def test_chance_stands_beside_each_list_of_verdicts(city):
    text = text_of(city.html)
    assert "0,025 × 4 = 0,1" in text  # procedures
    assert "0,025 × 3 = 0,075" in text  # fields
    assert "0,025 × 1 = 0,025" in text  # targets on actual time


def test_procedures_show_both_sides_in_working_days(city):
    text = text_of(city.html)
    assert "10 → 5 ngày làm việc" in text
    assert "6,2 → 6,0" in text
    assert "20,0 → 18,8" in text
    assert "từ tăng 5,0% đến giảm 8,0%" in text
    assert "Không đủ dữ liệu quá ít hồ sơ" in text


def test_what_asks_for_action_comes_first_among_boundaries(city):
    text = text_of(city.html)
    table = text[text.index("Từng TTHC, chưa chứng minh trước") :]
    assert table.index("1.012756") < table.index("2.000635") < table.index("1.004194")
    assert "16,67% (1/6 TTHC)" in text
    assert "9.999999" not in text
    assert "Danh sách công bố không chứng minh được thực hiện" in text


def test_overdue_dossiers_are_listed_longest_first_and_capped(city):
    text = text_of(city.html)
    overdue = text[text.index("Đã quá hạn, quá lâu nhất trước") : text.index("Đến hạn trong 3 ngày làm việc, gấp nhất")]
    codes = re.findall(r"G09\.20-\d+-(\d{7})", overdue)
    assert len(codes) == 100
    assert codes == sorted(codes, reverse=True)
    assert "Còn 23 hồ sơ nữa không in ở đây" in overdue
    assert "9, 23, 43 hồ sơ (số sau gồm cả số trước)" in text


def test_form_06_has_its_13_columns_and_adds_up(city):
    table = re.search(r'<table class="form">.*?</table>', city.html, re.S)
    assert table is not None
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table[0], re.S)
    assert re.findall(r"<th>\((\d+)\)</th>", rows[2]) == [str(n) for n in range(1, 14)]
    for row in rows[3:]:
        n = dict(enumerate((int(c.replace(".", "")) for c in re.findall(r'class="num">([\d.]+)<', row)), start=3))
        assert n[3] == n[4] + n[5] + n[6] == n[7] + n[11]
        assert n[7] == n[8] + n[9] + n[10]
        assert n[11] == n[12] + n[13]


def test_three_rule_sets_stand_side_by_side_with_what_they_leave_out(city):
    text = text_of(city.html)
    assert "chi_so_766 (chỉ số quốc gia) 91,89% (6.800/7.400 hồ sơ) 6.800 600 3 (không có hạn 3)" in text
    assert "bieu_06 (Biểu số 06) 94,56% (7.000/7.403 hồ sơ) 7.000 403 0" in text
    assert "chat_che (chặt chẽ) 91,87% (6.760/7.358 hồ sơ) 6.760 598 45 (không có hạn 3, dừng 30, từ chối 12)" in text


def test_the_bridge_tells_each_step_that_moves_a_dossier(city):
    text = text_of(city.html)
    assert "Theo chi_so_766 91,89% (6.800/7.400 hồ sơ) Không ghi ngày hẹn trả" in text
    assert "không theo giờ làm việc 199 2 94,56% (7.000/7.403 hồ sơ)" in text
    assert "Thời gian chờ bổ sung: biểu không trừ" not in text
    for page in (samples.about(audience="centre", scope="unit:H24.05"), samples.about(audience="department", scope="")):
        assert "Ba bộ quy tắc" not in text_of(build(samples.city(), page).html)


def test_every_step_and_rule_set_has_its_words():
    assert set(words.BRIDGE_STEPS) == {"start", *rule_sets.STEPS["form_06"]}
    assert set(words.RULE_SETS) == set(words.RULE_SET_NAMES) == set(RULE_SETS)


def test_the_method_note_says_how_it_was_counted(city):
    text = text_of(city.html)
    for said in (
        "chi_so_766",
        "bieu_06",
        "yêu cầu bổ sung: tạm dừng tính giờ",
        "riêng 3 TTHC: nghĩa vụ tài chính: tạm dừng tính giờ",
        "phiên bản 2026-01",
        "n = 12.345 hồ sơ, chốt lúc 01/12/2025 00:00",
        "số 12; kho dữ liệu phiên bản 31",
        "công bố lúc 01/03/2025 09:00, n = 10.907 hồ sơ, đầy đủ",
        "dao động giữa các đơn vị và các tháng, không tính đến cả một năm bất thường",
        "kỳ gốc tối thiểu phải so sánh được: 60%",
    ):
        assert said in text


def test_the_same_input_gives_the_same_bytes(city):
    assert build(samples.city(), samples.about()) == city


def test_the_page_needs_nothing_from_outside(city):
    assert '<html lang="vi">' in city.html
    assert "<script" not in city.html
    assert not re.search(r'(src|href)="(?!data:image/png|#)', city.html)
    assert "url(" not in city.html
    for image in city.images:
        assert unescape(re.search(r'alt="([^"]*)"', city.html)[1])
        assert image.alt in unescape(city.html)


def test_an_empty_log_flatters_nobody():
    page = build(samples.empty(), samples.about(baseline="", run_id=None, n_dossiers=0))
    text = text_of(page.html)
    assert set(page.headlines.values()) == {"không đủ dữ liệu"}
    assert not re.search(r"\b(0|100)(,0+)?%", text.replace("mục tiêu 100%", "").replace("Kỳ gốc = 100%", ""))
    assert "chưa công bố số liệu kỳ gốc" in text
    assert page.images == ()


def test_without_a_baseline_the_actual_cut_says_why():
    lacking = dict.fromkeys(("actual_cut", "cut_lower", "cut_upper", "uncapped_ratio", "coverage", "n_baseline"))
    row = samples.reduction(
        **lacking, verdict="no_data", why="no_baseline", n_baseline_judged=None, n_baseline_on_time=None
    )
    page = build(samples.city(reductions=[row], trend=[]), samples.about(baseline=""))
    text = text_of(page.html)
    assert page.headlines["Thời gian giải quyết thực tế, cùng cơ cấu TTHC"] == "không đủ dữ liệu"
    assert page.headlines["Đúng hạn trong kỳ gốc (hồ sơ đã xong)"] == "không đủ dữ liệu"
    assert "(chưa công bố số liệu kỳ gốc)" in text
    assert "không có kết luận nào về thời gian giải quyết thực tế" in text


def test_limits_down_time_flat_lateness_up_is_named():
    tables, about = samples.department()
    text = text_of(build(tables, about).html)
    assert "Cảnh báo: thời hạn trên giấy giảm, nhưng thời gian giải quyết thực tế không giảm" in text
    assert "Cảnh báo: 2 TTHC" in text


def test_time_that_really_fell_is_not_warned_of(city):
    assert "Cảnh báo: thời hạn trên giấy giảm, nhưng" not in text_of(city.html)


def test_lateness_that_did_not_rise_is_not_warned_of():
    row = samples.reduction(actual_cut=0.0, cut_lower=-0.1, cut_upper=0.1, n_baseline_on_time=100)
    assert "Cảnh báo" not in text_of(build(samples.city(reductions=[row]), samples.about()).html)


def test_a_centre_reads_what_it_received():
    tables, about = samples.centre()
    page = build(tables, about)
    text = text_of(page.html)
    assert "Trung tâm Phục vụ hành chính công phường Hải Dương – thành phố Hải Phòng" in text
    assert "Tiếp nhận hồ sơ" in text
    assert "Từng thủ tục hành chính" not in text
    assert text.index("Tiếp nhận và giải quyết trong kỳ") < text.index("(1) Cắt giảm")
    assert "giảm 12,3%" in page.headlines["Thời gian giải quyết thực tế, cùng cơ cấu TTHC"]


def test_a_department_reads_what_it_resolves():
    tables, about = samples.department()
    page = build(tables, about)
    text = text_of(page.html)
    assert "Từng thủ tục hành chính" in text
    assert "Theo đơn vị đang giữ" in text
    assert "Theo đơn vị giải quyết: so với kỳ gốc" not in text
    assert "giảm 1,0%" in page.headlines["Thời gian giải quyết thực tế, cùng cơ cấu TTHC"]


def test_a_department_by_field_takes_its_own_row():
    row = samples.reduction(
        scope="field", scope_id="Đất đai", name="Đất đai", actual_cut=0.4, cut_lower=0.31, cut_upper=0.5
    )
    about = samples.about(audience="department", scope="field:Đất đai", scope_name="Đất đai")
    page = build(samples.city(reductions=[samples.reduction(), row]), about)
    assert "giảm 40,0%" in page.headlines["Thời gian giải quyết thực tế, cùng cơ cấu TTHC"]


def test_hostile_names_are_shown_as_text():
    page = build(*samples.hostile())
    for html in (page.html, page.mail_html):
        assert "<script" not in html
        assert "{{ 7*7 }}" in unescape(html)
        assert '<script>alert("x")</script>' in unescape(html)
    for text in (page.html, page.mail_html, page.mail_text):
        assert not set("\x07\u202e\r") & set(text)
    assert '<script>alert("x")</script>' in page.mail_text
    assert "&amp;" not in page.mail_text


def test_a_missing_table_is_a_bug_and_said():
    tables = samples.city()
    del tables["quality"]
    with pytest.raises(KeyError, match="quality"):
        build(tables, samples.about())


@pytest.mark.parametrize(("complete", "said"), [(False, "không đầy đủ"), (None, "chưa rõ có đầy đủ hay không")])
def test_a_baseline_that_is_not_complete_says_so(complete, said):
    about = replace(samples.about(), baseline_complete=complete)
    assert said in text_of(build(samples.city(), about).html)
