"""Date patterns read what Python's own datetime wrote, and nothing that is no date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procmon.ingest.dates import DAY_FIRST, day_sql, instant_sql, order_of, parse, proof_sql

HERE = "Asia/Ho_Chi_Minh"
WITH_CLOCK = {
    "iso": "%Y-%m-%dT%H:%M:%S",
    "dd/MM/yyyy HH:mm": "%d/%m/%Y %H:%M",
    "dd/MM/yyyy HH:mm:ss": "%d/%m/%Y %H:%M:%S",
    "dd-MM-yyyy HH:mm": "%d-%m-%Y %H:%M",
    "dd-MM-yyyy HH:mm:ss": "%d-%m-%Y %H:%M:%S",
    "dd.MM.yyyy HH:mm": "%d.%m.%Y %H:%M",
    "dd.MM.yyyy HH:mm:ss": "%d.%m.%Y %H:%M:%S",
    "HH:mm dd/MM/yyyy": "%H:%M %d/%m/%Y",
    "HH:mm:ss dd/MM/yyyy": "%H:%M:%S %d/%m/%Y",
    "yyyyMMddHHmmss": "%Y%m%d%H%M%S",
    "MM/dd/yyyy HH:mm": "%m/%d/%Y %H:%M",
    "yyyy/MM/dd HH:mm:ss": "%Y/%m/%d %H:%M:%S",
    "dd/MM/yyyy'T'HH:mm": "%d/%m/%YT%H:%M",
    "dd/MM/yyyy hh:mm a": "%d/%m/%Y %I:%M %p",
    "MM/dd/yyyy hh:mm:ss a": "%m/%d/%Y %I:%M:%S %p",
    "yyyyMMddHHmm": "%Y%m%d%H%M",
}
"""Pattern → how Python writes it."""
DAYS = {
    "iso": "%Y-%m-%d",
    "dd/MM/yyyy": "%d/%m/%Y",
    "dd-MM-yyyy": "%d-%m-%Y",
    "dd.MM.yyyy": "%d.%m.%Y",
    "MM/dd/yyyy": "%m/%d/%Y",
    "yyyyMMdd": "%Y%m%d",
    "yyyy/MM/dd": "%Y/%m/%d",
}
moments = st.datetimes(datetime(1990, 1, 1), datetime(2199, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
connection = duckdb.connect()


def read(texts: Sequence[str], *patterns: str, zone: str = HERE) -> list[tuple[datetime | None, date | None]]:
    """The instant (UTC) and the bare day that each text states."""
    parsed = [parse(pattern) for pattern in patterns]
    found = connection.execute(
        f"SELECT epoch_us({instant_sql('c', parsed, zone)}), {day_sql('c', parsed)} FROM (SELECT unnest(?) AS c)",
        [list(texts)],
    ).fetchall()
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    return [(None if us is None else zero + timedelta(microseconds=us), day) for us, day in found]


def instant(text: str, *patterns: str, zone: str = HERE) -> datetime | None:
    return read([text], *patterns, zone=zone)[0][0]


def day(text: str, *patterns: str) -> date | None:
    return read([text], *patterns)[0][1]


def test_every_default_pattern_is_compared_with_python() -> None:
    assert set(DAY_FIRST) <= set(WITH_CLOCK) | set(DAYS)


@pytest.mark.parametrize(("pattern", "form"), WITH_CLOCK.items())
@settings(max_examples=20)
@given(st.lists(moments, min_size=1, max_size=50))
def test_an_instant_is_read_as_python_wrote_it(pattern: str, form: str, written: list[datetime]) -> None:
    texts = [moment.strftime(form) for moment in written]
    meant = [datetime.strptime(text, form).replace(tzinfo=ZoneInfo(HERE)).astimezone(UTC) for text in texts]
    assert read(texts, pattern) == [(moment, None) for moment in meant]


@pytest.mark.parametrize(("pattern", "form"), DAYS.items())
@settings(max_examples=20)
@given(st.lists(st.dates(date(1900, 1, 1), date(2199, 12, 31)), min_size=1, max_size=50))
def test_a_day_is_read_as_python_wrote_it(pattern: str, form: str, written: list[date]) -> None:
    assert read([one.strftime(form) for one in written], pattern) == [(None, one) for one in written]


@settings(max_examples=20)
@given(st.lists(moments, min_size=1, max_size=50))
def test_no_two_default_patterns_read_one_value_differently(written: list[datetime]) -> None:
    forms = [*WITH_CLOCK.values(), *DAYS.values(), "%d/%m/%Y  %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ"]
    texts = [moment.strftime(form) for moment in written for form in forms]
    answers = [read(texts, pattern) for pattern in DAY_FIRST]
    for text, *found in zip(texts, *answers, strict=True):
        assert len({one for one in found if one != (None, None)}) <= 1, text


@settings(max_examples=50)
@given(st.lists(moments, min_size=1, max_size=20), st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_honoured_whatever_the_zone(written: list[datetime], minutes: int) -> None:
    aware = [moment.replace(tzinfo=timezone(timedelta(minutes=minutes))) for moment in written]
    texts = [moment.isoformat() for moment in aware]
    assert read(texts, "iso") == [(moment, None) for moment in aware]
    spaced = [moment.strftime("%d/%m/%Y %H:%M:%S %z") for moment in aware]
    assert read(spaced, "dd/MM/yyyy HH:mm:ss XXX") == [(moment, None) for moment in aware]


def test_a_bare_time_is_one_of_the_source_zone() -> None:
    assert instant("2026-06-23 08:00", "iso") == datetime(2026, 6, 23, 1, 0, tzinfo=UTC)
    assert instant("23/06/2026 08:00", "dd/MM/yyyy HH:mm", zone="Europe/Amsterdam") == datetime(
        2026, 6, 23, 6, 0, tzinfo=UTC
    )


IMPOSSIBLE = [
    "30/02/2026", "31/04/2026", "29/02/2026", "00/06/2026", "32/01/2026", "12/13/2026", "13/25/2026", "2026-02-30",
    "2026-13-01", "23/06/2026 25:00", "23/06/2026 24:00", "2026-06-23T24:00", "2026-06-23T08:60", "23/06/2026 08:61",
    "2026-06-23T08:00+15:00", "20260631080000", "20260623250000", "23/06/26", "23/6", "23/06/2026 8", "2026-6-23",
    "23/06-2026", "23/06/2026x", "x23/06/2026", "45000", "", "N/A", "23 06 2026", "٢٣/٠٦/٢٠٢٦", "2026-06-23T08:00:00,5",
]  # fmt: skip


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert read([text], *DAY_FIRST) == [(None, None)]


def test_the_29th_of_february_is_a_day_of_leap_years_only() -> None:
    assert [day(f"29/02/{year}", *DAY_FIRST) for year in (2000, 2023, 2024, 2100)] == [
        date(2000, 2, 29),
        None,
        date(2024, 2, 29),
        None,
    ]


def test_one_digit_days_and_several_blanks_are_read() -> None:
    assert day("3/6/2026", *DAY_FIRST) == date(2026, 6, 3)
    assert instant("3/6/2026   8:05", *DAY_FIRST) == datetime(2026, 6, 3, 1, 5, tzinfo=UTC)


def test_fractions_are_cut_to_microseconds() -> None:
    assert instant("2026-06-23T08:00:00.123456789", "iso") == datetime(2026, 6, 23, 1, 0, 0, 123456, tzinfo=UTC)
    assert instant("23/06/2026 08:00:00.120", "dd/MM/yyyy HH:mm:ss.SSS") == datetime(
        2026, 6, 23, 1, 0, 0, 120000, tzinfo=UTC
    )


@pytest.mark.parametrize("half", ["AM", "am", "SA"])
def test_the_halves_of_the_day_are_read_in_english_and_vietnamese(half: str) -> None:
    assert instant(f"23/06/2026 12:30 {half}", "dd/MM/yyyy hh:mm a") == datetime(2026, 6, 22, 17, 30, tzinfo=UTC)


def test_afternoon_in_vietnamese() -> None:
    assert instant("23/06/2026 01:30 CH", "dd/MM/yyyy hh:mm a") == datetime(2026, 6, 23, 6, 30, tzinfo=UTC)


@settings(max_examples=50)
@given(moments.filter(lambda moment: moment.year < 2173))  # five digits
def test_a_serial_of_excel_is_its_instant_to_the_second(moment: datetime) -> None:
    days = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    if days.is_integer():
        assert day(str(int(days)), "excel") == moment.date()
    else:
        assert instant(f"{days:.10f}", "excel") == moment.replace(tzinfo=ZoneInfo(HERE)).astimezone(UTC)


def test_the_hour_that_a_clock_skips_or_repeats_is_still_one_instant() -> None:
    assert instant("2026-03-29 02:30", "iso", zone="Europe/Amsterdam") is not None
    assert instant("2026-10-25 02:30", "iso", zone="Europe/Amsterdam") is not None


@settings(max_examples=300)
@given(st.text(alphabet="0123456789/-.: TZ+APMSCH", max_size=30))
def test_no_text_makes_reading_fail(text: str) -> None:
    read([text], *DAY_FIRST)
    read([text], "excel", "MM/dd/yyyy hh:mm a", "dd/MM/yyyy HH:mm:ss XXX", "dd/MM/yyyy HH:mm:ss.SSS")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("dd/MM", "has yyyy, MM and dd once each"),
        ("yyyy", "has yyyy, MM and dd once each"),
        ("dd/dd/yyyy", "has yyyy, MM and dd once each"),
        ("d/dd/MM/yyyy", "has yyyy, MM and dd once each"),
        ("HH:mm:s H dd/MM/yyyy", "is not part of a date pattern"),
        ("dd/MM/yyyy H:mm HH", "has yyyy, MM and dd once each"),
        ("dd/MM/yyyy HH:mm a", "HH goes without a"),
        ("dd/MM/yyyy hh:mm", "hh with it"),
        ("dd/MM/yyyy HH", "an hour needs its minutes"),
        ("dd/MM/yyyy mm", "minutes need their hour"),
        ("dd/MM/yyyy ss", "minutes need their hour"),
        ("%d/%m/%Y", "is not part of a date pattern"),
        ("DD/MM/YYYY", "is not part of a date pattern"),
        ("dd/MM/yyyy\\d", "is not part of a date pattern"),
        ("dd'/MM/yyyy", "is not part of a date pattern"),
        ("", "has yyyy, MM and dd once each"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_named(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        parse(pattern)
    assert f"'{pattern}'" in str(error.value)


def test_the_order_of_a_column_is_that_of_its_patterns() -> None:
    assert [order_of([parse(pattern)]) for pattern in ("iso", "dd/MM/yyyy", "MM/dd/yyyy HH:mm", "yyyy/MM/dd")] == [
        "", "day", "month", "",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="dd/MM/yyyy, MM-dd-yyyy: one column cannot be day-first and month-first"):
        order_of([parse("dd/MM/yyyy"), parse("MM-dd-yyyy"), parse("iso")])


@pytest.mark.parametrize(
    ("texts", "n_day", "n_month", "n_both"),
    [
        (["05/06/2026", "23/06/2026"], 1, 0, 1),
        (["05/06/2026", "06/23/2026 08:00"], 0, 1, 1),
        (["05/06/2026", None, "n/a", "2026-06-23"], 0, 0, 1),
        (["08:00 23/06/2026", "23-06-2026", "23.06.2026 08:00:00", "31/31/2026"], 3, 0, 0),
        (["23/06/2026", "06/23/2026"], 1, 1, 0),
    ],
)
def test_a_day_above_twelve_proves_the_order(texts: list[str | None], n_day: int, n_month: int, n_both: int) -> None:
    with duckdb.connect() as fresh:
        fresh.register("text_rows", pa.table({"due_at": texts}))
        assert fresh.execute(proof_sql(["due_at"])).fetchone() == (n_day, n_month, n_both)


def test_default_patterns_are_day_first() -> None:
    assert order_of([parse(pattern) for pattern in DAY_FIRST]) == "day"
    assert len(set(DAY_FIRST)) == len(DAY_FIRST)
