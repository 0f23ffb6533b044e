"""Numbers, days and words as Vietnam writes them, and what must never be shown."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from procmon.ingest.columns import PROBLEMS
from procmon.report import words
from procmon.tables import Period

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def test_thousands_have_a_dot_and_decimals_a_comma():
    assert words.count(1907) == "1.907"
    assert words.share(9182, 11000) == "83,47%"
    assert words.number(1907.25, 2) == "1.907,25"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 12, "0,00%"),
        (12, 12, "100,00%"),
        (1, 1_000_000, "dưới 0,01%"),
        (999_999, 1_000_000, "trên 99,99%"),
        (None, 12, "–"),
        (0, 0, "–"),
        (3, None, "–"),
    ],
)
def test_a_share_is_0_or_100_only_when_exact(part, whole, shown):
    assert words.share(part, whole) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.1234, "giảm 12,3%"),
        (-0.05, "tăng 5,0%"),
        (0.0, "không đổi"),
        (0.0001, "giảm dưới 0,1%"),
        (-0.0001, "tăng dưới 0,1%"),
        (0.99999, "giảm trên 99,9%"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_cut_is_said_in_words(fraction, shown):
    assert words.cut(fraction) == shown


@pytest.mark.parametrize(
    ("lower", "upper", "shown"),
    [
        (0.051, 0.18, "giảm từ 5,1% đến 18,0%"),
        (-0.045, 0.123, "từ tăng 4,5% đến giảm 12,3%"),
        (-0.09, -0.04, "tăng từ 4,0% đến 9,0%"),
        (None, 0.1, "–"),
    ],
)
def test_an_interval_says_which_way_each_end_points(lower, upper, shown):
    assert words.interval(lower, upper) == shown


def test_a_few_minutes_are_not_zero_days():
    assert words.days(0) == "0,0"
    assert words.days(5) == "dưới 0,1"
    assert words.days(5760) == "12,0"
    assert words.days(None) == "–"


def test_days_and_instants_are_local_and_day_first():
    assert words.day(date(2026, 11, 22)) == "22/11/2026"
    assert words.instant(datetime(2026, 11, 22, 17, 5, tzinfo=UTC), VIETNAM) == "23/11/2026 00:05"
    assert words.span(date(2025, 11, 1), date(2025, 12, 1)) == "từ 01/11/2025 đến hết 30/11/2025"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("2025-11", "tháng 11/2025"),
        ("2025-Q2", "quý II/2025"),
        ("2025", "năm 2025"),
        ("2025-05/15", "kỳ báo cáo tháng 05/2025"),
        ("", "từ 01/01/2025 đến hết 31/01/2025"),
    ],
)
def test_a_period_has_its_usual_name(name, shown):
    assert words.period_name(Period(date(2025, 1, 1), date(2025, 2, 1), name)) == shown


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        ("10 working_days", "5 working_days", "10 → 5 ngày làm việc"),
        ("8 hours", "1 days", "8 giờ làm việc → 1 ngày"),
        ("", "7.5 working_days", "– → 7,5 ngày làm việc"),
        ("odd", "1 months", "odd → 1 tháng"),
    ],
)
def test_limits_are_said_in_their_own_units(before, now, shown):
    assert words.limit_change(before, now) == shown


def test_a_code_without_a_label_prints_itself():
    assert words.label(words.QUALITY, "brand_new_item") == "brand_new_item"
    assert words.label(words.VERDICTS, "met") == "Đạt"


def test_every_reason_for_refusing_a_row_is_said_in_vietnamese():
    assert set(words.REASONS) == {reason for reason, _ in PROBLEMS.values()}


def test_control_and_direction_characters_are_taken_out():
    assert words.clean("Sở\x07 Xây\r\nBcc: x\u202edựng\u200b") == "Sở Xây Bcc: x dựng"


def test_a_first_letter_becomes_small_but_an_abbreviation_stays():
    assert words.within("Hồ sơ có mã TTHC") == "hồ sơ có mã TTHC"
    assert words.within("TTHC mới") == "TTHC mới"
