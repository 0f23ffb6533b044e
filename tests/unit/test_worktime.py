"""Calendars and their prefix sums: the rulebook's hand-checked cases, and a walk day by day as second answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_files import Store, cells, registry_tables
from twin import clock, strategies

from procmon import worktime
from procmon.errors import SettingsError
from procmon.tables import FIRST_DAY, LAST_DAY
from procmon.worktime import Calendars, Clock, parse_hours

Registry = Mapping[str, Sequence[Mapping[str, str]]]

SWAP_OF_2026 = [
    {"calendar_id": "default", "on": "2026-01-02", "open": "no", "hours": "", "source": "12729/VPCP-KGVX"},
    {"calendar_id": "default", "on": "2026-01-10", "open": "yes", "hours": "", "source": "12729/VPCP-KGVX"},
]


def build(registry: Registry) -> Calendars:
    tables = registry_tables(registry)
    return worktime.build(tables["calendar"], tables["opening_hours"])


@pytest.fixture(scope="module")
def office() -> Calendars:
    return build({"calendar": SWAP_OF_2026})


def local_seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def open_minutes(calendars: Calendars, start: str, end: str, calendar_id: str = "default") -> float:
    opened = Clock(calendars, calendar_id).open_through(np.array([local_seconds(start), local_seconds(end)]))
    return float(opened[1] - opened[0]) / 60


def hours_of(calendar_id: str, hours: Mapping[int, str], valid_from: str = "2020-01-01", unit_id: str = "") -> Registry:
    return {"opening_hours": strategies.hours_rows(calendar_id, unit_id, dict(hours), valid_from)}


# ---- checked by hand (rulebook 4)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2025-04-25T16:00", "2025-04-28T08:00", 570),  # over a worked Saturday
        ("2025-05-02T08:00", "2025-05-02T16:00", 0),  # the Friday that it made up for
        ("2026-01-02T00:00", "2026-01-03T00:00", 0),
        ("2026-01-10T00:00", "2026-01-11T00:00", 480),
        ("2025-01-24T17:00", "2025-02-03T07:30", 0),  # Tết
        ("2025-03-03T11:00", "2025-03-03T13:30", 60),  # over the lunch break
        ("2025-03-03T07:30", "2025-03-03T17:00", 480),
        ("2025-03-08T00:00", "2025-03-10T00:00", 0),  # a weekend
        ("2025-03-03T16:59:30", "2025-03-03T17:00:30", 0.5),
    ],
)
def test_open_time_between_two_instants(office: Calendars, start: str, end: str, minutes: float) -> None:
    assert open_minutes(office, start, end) == minutes


@pytest.mark.parametrize(
    ("received_at", "amount", "unit", "due_at"),
    [
        ("2026-01-06T09:00", "4", "working_days", "2026-01-10T17:00:00+07:00"),
        ("2025-01-22T16:30", "3", "working_days", "2025-02-03T17:00:00+07:00"),
        ("2025-04-29T16:30", "8", "hours", "2025-05-05T16:30:00+07:00"),
        ("2025-04-24T16:00", "9", "hours", "2025-04-25T17:00:00+07:00"),  # not the next opening
        ("2025-01-31T09:00", "1", "months", "2025-02-28T17:00:00+07:00"),
        ("2025-04-24T16:00", "3", "days", "2025-04-28T17:00:00+07:00"),  # a last day off moves on
    ],
)
def test_a_due_date_follows_from_the_limit(received_at: str, amount: str, unit: str, due_at: str) -> None:
    registry = {"calendar": SWAP_OF_2026, "procedures": [_procedure(amount, unit)]}
    store = Store()
    store.ingest_rows([{"dossier_id": "1", "status": "received", "occurred_at": received_at, "procedure_id": "1.001"}])
    shown = cells(store.dossiers(registry, datetime(2026, 3, 1, tzinfo=UTC)))
    assert [row["computed_due_at"] for row in shown] == [due_at]


def _procedure(amount: str, unit: str) -> dict[str, str]:
    return {"procedure_id": "1.001", "valid_from": "2020-01-01", "limit_amount": amount, "limit_unit": unit}


# ---- against the walk


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    strategies.registries(),
    st.lists(
        st.tuples(
            st.datetimes(datetime(2024, 12, 1), datetime(2026, 2, 1)), st.timedeltas(timedelta(0), timedelta(days=60))
        ),
        min_size=5,
        max_size=20,
    ),
)
def test_the_prefix_sum_equals_a_walk_over_the_days(
    registry: strategies.Registry, stretches: list[tuple[datetime, timedelta]]
) -> None:
    calendars = build(registry)
    for calendar_id, walked in walks(calendars, registry):
        starts = [start.replace(tzinfo=clock.ZONE) for start, _ in stretches]
        ends = [start + length for start, (_, length) in zip(starts, stretches, strict=True)]
        found = _open_through(calendars, calendar_id, ends) - _open_through(calendars, calendar_id, starts)
        expected = [walked.open_seconds(*stretch) for stretch in zip(starts, ends, strict=True)]
        assert found.tolist() == expected


def walks(calendars: Calendars, registry: strategies.Registry) -> Iterator[tuple[str, clock.Calendar]]:
    """Each calendar by its name, and each unit's, with the twin's."""
    walked = clock.Calendars(registry)
    yield from ((name, walked[name]) for name in named(calendars) if name not in calendars.spliced)
    yield from ((row["calendar_id"], walked.of_unit(row["unit_id"])) for row in calendars.units.to_pylist())


def named(calendars: Calendars) -> list[str]:
    return list(calendars.days["calendar_id"].unique().to_pylist())


def _open_through(calendars: Calendars, calendar_id: str, instants: list[datetime]) -> worktime.Numbers:
    walls = [int(instant.replace(tzinfo=UTC, microsecond=0).timestamp()) for instant in instants]
    return Clock(calendars, calendar_id).open_through(np.array(walls, np.int64))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.registries())
def test_every_day_opens_closes_and_is_followed_as_on_the_walk(registry: strategies.Registry) -> None:
    calendars = build(registry)
    first, last = date(2024, 12, 20), date(2025, 7, 20)
    days = calendars.days["day"]
    asked = calendars.days.filter(pc.and_(pc.greater_equal(days, pa.scalar(first)), pc.less(days, pa.scalar(last))))
    for calendar_id, calendar in walks(calendars, registry):
        for row in asked.filter(pc.equal(asked["calendar_id"], calendar_id)).to_pylist():
            day = row["day"]
            assert row["is_open"] == calendar.is_open(day)
            assert row["next_open_day"] == calendar.this_or_next_working_day(day)
            assert row["following_open_day"] == calendar.next_working_day(day)
            for instant, second in ((calendar.opening(day), "opens_second"), (calendar.closing(day), "closes_second")):
                assert row[second] == instant.hour * 3600 + instant.minute * 60


# ---- the tables


def test_the_tables_cover_every_day_once(office: Calendars) -> None:
    days = office.days.column("day").to_pylist()
    assert (days[0], days[-1], len(days)) == (FIRST_DAY, LAST_DAY - timedelta(days=1), (LAST_DAY - FIRST_DAY).days)
    before = office.days["open_before"].to_numpy()
    assert (np.diff(before) >= 0).all()


def test_overrides_hold_on_the_first_day_and_outside_the_tables_change_nothing() -> None:
    rows = [{"calendar_id": "default", "on": day, "open": "yes"} for day in ("2000-01-01", "1999-12-31", "2060-01-01")]
    calendars = build({"calendar": rows, **hours_of("default", {1: "08:00-09:00"}, "2060-01-01")})
    is_open = calendars.days["is_open"].to_pylist()
    assert is_open[0]  # a Saturday, and New Year
    assert is_open[1:] == build({}).days["is_open"].to_pylist()[1:]


def test_the_last_day_follows_itself(office: Calendars) -> None:
    days = office.days.slice(office.days.num_rows - 2).to_pylist()
    last = LAST_DAY - timedelta(days=1)
    assert [row["following_open_day"] for row in days] == [last, last]
    mondays = build(hours_of("mondays", {1: "08:00-09:00"}))  # the last day is a Wednesday
    row = mondays.days.slice(mondays.days.num_rows - 1).to_pylist()[0]
    assert (row["calendar_id"], row["next_open_day"], row["following_open_day"]) == ("mondays", last, last)


def test_each_full_hour_of_open_time_finds_its_session(office: Calendars) -> None:
    hours = office.hours
    starts, ends = hours["open_from"].to_numpy(), hours["open_to"].to_numpy()
    buckets = hours["hour_no"].to_numpy()
    assert ((starts // 3600 <= buckets) & (buckets <= (ends - 1) // 3600)).all()
    assert int((ends - starts).sum()) >= int(office.days["open_before"].to_numpy()[-1])
    assert sorted(set(buckets.tolist())) == list(range(int(buckets.max()) + 1))


# ---- calendars of units

WEEK = dict.fromkeys(range(1, 6), "07:30-11:30 13:00-17:00")
SATURDAYS = WEEK | {6: "07:30-11:30"}


def of_units(calendars: Calendars) -> dict[str, str]:
    return {row["unit_id"]: row["calendar_id"] for row in calendars.units.to_pylist()}


def minutes_of_day(calendars: Calendars, unit_id: str, day: str) -> float:
    return open_minutes(calendars, f"{day}T00:00", f"{day}T23:59", of_units(calendars)[unit_id])


def test_a_new_calendar_leaves_the_hours_that_a_unit_had() -> None:
    first = strategies.hours_rows("satA", "U3", SATURDAYS, "2024-01-01")
    then = strategies.hours_rows("satB", "U3", WEEK | {7: "08:00-09:00"}, "2025-07-01")
    before, after = build({"opening_hours": first}), build({"opening_hours": then + first})
    received, finished = "2024-06-14T16:00", "2024-06-15T10:00"
    assert open_minutes(before, received, finished, of_units(before)["U3"]) == 210
    assert open_minutes(after, received, finished, of_units(after)["U3"]) == 210
    assert of_units(after) == {"U3": "satA, from 2025-07-01 satB"}
    days = ("2023-12-30", "2025-06-28", "2025-06-29", "2025-06-30", "2025-07-01", "2025-07-05", "2025-07-06")
    assert [minutes_of_day(after, "U3", day) for day in days] == [0, 240, 0, 480, 480, 0, 60]
    assert after.assignments(of_units(after)["U3"]) == ((FIRST_DAY, "satA"), (date(2025, 7, 1), "satB"))
    assert after.version != before.version


def test_until_a_unit_is_given_a_calendar_that_others_have_it_keeps_the_defaults_hours() -> None:
    shared = strategies.hours_rows("sat", "U1", SATURDAYS, "2024-01-01")
    later = strategies.hours_rows("sat", "U3", SATURDAYS, "2025-01-01")
    calendars = build({"opening_hours": shared + later})
    assert of_units(calendars) == {"U1": "sat", "U3": "default, from 2025-01-01 sat"}
    for unit_id, minutes in (("U1", [240, 240]), ("U3", [0, 240])):
        assert [minutes_of_day(calendars, unit_id, day) for day in ("2024-12-28", "2025-01-04")] == minutes


def test_a_single_day_of_a_calendar_holds_for_a_unit_while_it_has_that_calendar() -> None:
    first = strategies.hours_rows("satA", "U3", SATURDAYS, "2024-01-01")
    then = strategies.hours_rows("satB", "U3", SATURDAYS, "2025-07-01")
    rows = [
        {"calendar_id": calendar_id, "on": day, "open": "yes", "hours": "08:00-09:00"}
        for calendar_id, day in (
            ("satB", "2025-06-30"), ("satA", "2025-07-01"), ("satA", "2025-06-27"), ("satB", "2025-07-02"),
        )
    ]  # fmt: skip
    calendars = build({"opening_hours": first + then, "calendar": rows})
    days = ("2025-06-27", "2025-06-30", "2025-07-01", "2025-07-02")
    assert [minutes_of_day(calendars, "U3", day) for day in days] == [60, 480, 480, 60]


def test_a_single_day_before_a_unit_had_the_calendar_is_not_the_units() -> None:
    hours = strategies.hours_rows("sat", "U3", SATURDAYS, "2024-01-01")
    calendars = build(
        {"opening_hours": hours, "calendar": [{"calendar_id": "sat", "on": "2023-12-29", "open": "no", "hours": ""}]}
    )
    assert of_units(calendars) == {"U3": "default, from 2024-01-01 sat"}
    assert [minutes_of_day(calendars, "U3", day) for day in ("2023-12-29", "2024-01-06")] == [480, 240]


def test_units_whose_calendars_changed_alike_share_one() -> None:
    units = [f"U{n}" for n in range(114)]
    rows = [row for unit in units for row in strategies.hours_rows("a", unit, SATURDAYS, "2024-01-01")]
    rows += [row for unit in units for row in strategies.hours_rows("b", unit, WEEK, "2025-07-01")]
    rows += strategies.hours_rows("a", "U7", {6: "08:00-10:00"}, "2026-01-01")
    calendars = build({"opening_hours": rows})
    assert of_units(calendars)["U7"] == "a, from 2025-07-01 b, from 2026-01-01 a"
    assert named(calendars) == ["a", "b", "default", "a, from 2025-07-01 b", of_units(calendars)["U7"]]
    assert calendars.used() == {"a", "b"}


def test_a_change_of_a_calendars_own_hours_is_no_other_calendar() -> None:
    older = strategies.hours_rows("a", "W1", WEEK, "2020-01-01")
    newer = strategies.hours_rows("a", "W1", {1: "08:00-10:00"}, "2025-01-01")
    calendars = build({"opening_hours": newer + older})
    assert (of_units(calendars), named(calendars)) == ({"W1": "a"}, ["a", "default"])
    assert calendars.assignments("a") == ((FIRST_DAY, "a"),)


def test_of_two_calendars_given_on_one_day_the_last_by_name_stands() -> None:
    one, other = (strategies.hours_rows(name, "W1", WEEK, "2025-01-01") for name in ("a", "b"))
    calendars = build({"opening_hours": other + one})
    assert (of_units(calendars), calendars.used()) == ({"W1": "b"}, {"b"})


def test_calendars_given_before_the_first_day_and_after_the_last_are_given_all_the_same() -> None:
    days = {"a": "1998-01-01", "b": "1999-01-01", "c": "2060-01-01"}
    rows = [strategies.hours_rows(name, "W1", {1: f"08:00-{n:02}:00"}, days[name]) for n, name in enumerate("abc", 9)]
    opened = {"calendar_id": "b", "on": "2000-01-01", "open": "yes", "hours": "08:00-08:30"}
    calendars = build({"opening_hours": [row for given in rows for row in given], "calendar": [opened]})
    days = ("2000-01-01", "2000-01-10", "2059-12-29")
    assert [minutes_of_day(calendars, "W1", day) for day in days] == [30, 120, 120]


# ---- calendars' own hours


def test_a_calendar_of_its_own_begins_with_the_defaults_hours() -> None:
    own = strategies.hours_rows("own", "W1", {1: "08:00-10:00"}, "2025-03-10")
    default = strategies.hours_rows("default", "", {1: "07:00-08:00"}, "2025-03-01")
    calendars = build({"opening_hours": own + default})
    mondays = [("2025-02-24", 480), ("2025-03-03", 60), ("2025-03-10", 120)]
    for day, minutes in mondays:
        assert open_minutes(calendars, f"{day}T00:00", f"{day}T23:59", "own") == minutes


def test_a_calendar_of_its_own_is_closed_on_weekdays_that_it_does_not_name() -> None:
    own = strategies.hours_rows("own", "W1", {6: "07:30-11:30", 2: "08:00-10:00", 3: ""}, "2025-03-01")
    calendars = build({"opening_hours": own})
    days = range(3, 10)
    week = [open_minutes(calendars, f"2025-03-{day:02}T00:00", f"2025-03-{day + 1:02}T00:00", "own") for day in days]
    assert week == [0, 120, 0, 0, 0, 240, 0]


def test_a_calendar_that_is_closed_from_monday_to_friday_is_named() -> None:
    saturdays = strategies.hours_rows("saturdays", "W1", {6: "07:30-11:30", 7: "07:30-11:30"}, "2025-03-01")
    fridays = strategies.hours_rows("fridays", "W2", {5: "07:30-11:30"}, "2025-03-01")
    mondays = strategies.hours_rows("mondays", "W2", {1: "07:30-11:30"}, "2025-03-01")
    calendars = build({"opening_hours": saturdays + fridays + mondays})
    assert worktime.closed_all_week(calendars, date(2025, 3, 1)) == ["saturdays"]
    assert worktime.closed_all_week(calendars, date(2025, 1, 1)) == []  # as the default is, until 1 March


def test_a_closed_calendar_is_named_once_though_a_unit_had_another_before() -> None:
    before = strategies.hours_rows("weeks", "W1", WEEK, "2020-01-01")
    saturdays = strategies.hours_rows("saturdays", "W1", {6: "07:30-11:30"}, "2025-03-01")
    assert worktime.closed_all_week(build({"opening_hours": before + saturdays}), date(2025, 3, 1)) == ["saturdays"]


def test_a_calendar_that_only_tet_closes_is_not_named() -> None:
    mondays = strategies.hours_rows("mondays", "W2", {1: "07:30-11:30"}, "2024-03-01")
    closed = [{"calendar_id": "mondays", "on": f"2025-02-{day:02}", "open": "no"} for day in (3, 10, 17)]
    calendars = build({"opening_hours": mondays, "calendar": closed})
    assert worktime.closed_all_week(calendars, date(2025, 1, 25)) == []  # open on Monday 24 February
    assert worktime.closed_all_week(calendars, date(2025, 1, 20)) == []


def test_hours_hold_from_their_day_on_until_the_next_version() -> None:
    versions = [("2025-03-10", "08:00-09:00"), ("2025-03-03", "08:00-10:00"), ("2025-03-17", "")]
    rows = [row for since, hours in versions for row in strategies.hours_rows("default", "", {1: hours}, since)]
    calendars = build({"opening_hours": rows})
    mondays = {"2025-02-24": 480, "2025-03-03": 120, "2025-03-10": 60, "2025-03-17": 0, "2025-03-24": 0}
    for day, minutes in mondays.items():
        assert open_minutes(calendars, f"{day}T00:00", f"{day}T23:59") == minutes


def test_an_override_of_the_default_holds_everywhere_but_where_a_calendar_has_its_own() -> None:
    rows = [
        {"calendar_id": "default", "on": "2025-03-03", "open": "no"},
        {"calendar_id": "default", "on": "2025-03-04", "open": "no"},
        {"calendar_id": "x", "on": "2025-03-04", "open": "yes", "hours": "08:00-09:00"},
    ]
    calendars = build({"calendar": rows})
    assert open_minutes(calendars, "2025-03-03T00:00", "2025-03-04T00:00", "x") == 0
    assert open_minutes(calendars, "2025-03-04T00:00", "2025-03-05T00:00", "x") == 60
    assert open_minutes(calendars, "2025-03-04T00:00", "2025-03-05T00:00") == 0


def test_of_a_calendar_closed_all_week_a_day_that_is_opened_has_office_hours() -> None:
    """A day said to be open is not a day of no time. A swapped Saturday stands in for none of its days."""
    opened = [{"calendar_id": "shut", "on": "2025-03-04", "open": "yes"}]
    calendars = build(hours_of("shut", dict.fromkeys(range(1, 8), ""), "1999-01-01") | {"calendar": opened})
    assert open_minutes(calendars, "2025-03-04T00:00", "2025-03-05T00:00", "shut") == 480
    assert open_minutes(calendars, "2025-04-26T00:00", "2025-04-27T00:00", "shut") == 0
    assert open_minutes(calendars, "2025-03-05T00:00", "2025-12-31T00:00", "shut") == 0


def test_a_calendar_that_is_never_open_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="calendar 'shut' is never open") as refused:
        build(hours_of("shut", dict.fromkeys(range(1, 8), ""), "1999-01-01"))
    assert "opening_hours" in refused.value.remedy


# ---- days off that are worked


@pytest.mark.parametrize(
    ("day", "hours", "minutes"),
    [
        ("2025-04-26", "", 480),  # swapped, as `holidays` knows
        ("2026-01-10", "", 480),  # swapped by a row
        ("2025-04-19", "", 480),  # opened by a row, on a Saturday like any
        ("2025-04-20", "", 480),
        ("2025-04-19", "08:00-09:00", 60),  # stated
        ("2025-05-02", "", 450),  # a Friday off that is worked: a Friday's own hours
        ("2025-05-03", None, 240),  # no row: a Saturday like any
    ],
)
def test_a_worked_weekend_day_has_the_hours_of_a_working_day(day: str, hours: str | None, minutes: int) -> None:
    rows = [*SWAP_OF_2026, {"calendar_id": "default", "on": day, "open": "yes", "hours": hours or ""}]
    if hours is None or day in ("2025-04-26", "2026-01-10"):
        rows = SWAP_OF_2026
    calendars = build({"calendar": rows, **hours_of("sat", SATURDAYS | {5: "07:30-11:30 13:00-16:30"})})
    assert open_minutes(calendars, f"{day}T00:00", f"{day}T23:59", "sat") == minutes


def test_the_rulebooks_weekend_costs_the_same_where_saturdays_are_open_for_half_a_day() -> None:
    calendars = build(hours_of("sat", SATURDAYS))
    assert open_minutes(calendars, "2025-04-25T16:00", "2025-04-28T08:00", "sat") == 570


def test_where_the_week_is_closed_a_worked_saturday_has_its_own_hours() -> None:
    calendars = build(hours_of("saturdays", {6: "07:30-11:30"}))
    assert open_minutes(calendars, "2025-04-26T00:00", "2025-04-26T23:59", "saturdays") == 240


# ---- the version


def test_the_version_changes_with_an_override_and_with_nothing_else() -> None:
    base = build({"calendar": SWAP_OF_2026}).version
    assert build({"calendar": SWAP_OF_2026[::-1]}).version == base
    assert build({"calendar": [row | {"source": "another letter"} for row in SWAP_OF_2026]}).version == base
    assert build({"calendar": SWAP_OF_2026[:1]}).version != base
    assert build({"calendar": [row | {"hours": "08:00-10:00"} for row in SWAP_OF_2026[1:]]}).version != base
    assert build({"calendar": SWAP_OF_2026, **hours_of("x", {1: "08:00-10:00"}, unit_id="W1")}).version != base


def test_a_version_is_short_enough_to_be_read_out() -> None:
    assert re.fullmatch("[0-9a-f]{12}", build({}).version)


def test_who_has_which_calendar_is_part_of_the_version() -> None:
    hours = {1: "08:00-10:00"}
    assert build(hours_of("x", hours, unit_id="W1")).version != build(hours_of("x", hours, unit_id="W2")).version


def test_since_when_a_unit_has_its_calendar_is_part_of_the_version() -> None:
    others = strategies.hours_rows("x", "W1", SATURDAYS, "2020-01-01")
    versions = {
        build({"opening_hours": others + strategies.hours_rows("x", "W2", SATURDAYS, since)}).version
        for since in ("2020-01-01", "2025-01-01", "2025-07-01")
    }
    assert len(versions) == 3


# ---- hours as text


@pytest.mark.parametrize(
    ("text", "sessions"),
    [
        ("", ()),
        ("07:30-11:30", ((27000, 41400),)),
        ("00:00-23:59", ((0, 86340),)),
        ("07:30-11:30  13:00-17:00", ((27000, 41400), (46800, 61200))),
        ("08:00-12:00 12:00-24:00", ((28800, 43200), (43200, 86400))),
    ],
)
def test_hours_are_read(text: str, sessions: worktime.Sessions) -> None:
    assert parse_hours(text) == sessions


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0730", "'0730' is not of the form 07:30-11:30"),
        ("7:30-11:30", "'7:30' is not a time like 07:30"),
        ("07:30-11h30", "'11h30' is not a time like 07:30"),
        ("07:3-11:30", "'07:3' is not a time like 07:30"),
        ("-7:30-11:30", "'' is not a time like 07:30"),
        ("ab:cd-11:30", "'ab:cd' is not a time like 07:30"),
        ("07:-1-11:30", "'07:' is not a time like 07:30"),
        ("07:60-08:00", "'07:60' is not a time of the day"),
        ("07:30-24:01", "'24:01' is not a time of the day"),
        ("11:30-07:30", "sessions must follow one another without overlap"),
        ("08:00-08:00", "sessions must follow one another without overlap"),
        ("08:00-12:00 11:00-13:00", "sessions must follow one another without overlap"),
        ("13:00-14:00 08:00-09:00", "sessions must follow one another without overlap"),
        ("٠٧:٣٠-١١:٣٠", "is not a time like 07:30"),
    ],
)
def test_unreadable_hours_say_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_hours(text)


def test_the_clock_takes_many_instants_at_once(office: Calendars) -> None:
    walls = np.arange(local_seconds("2025-01-01"), local_seconds("2026-01-01"), 60, np.int64)
    opened = Clock(office).open_through(walls)
    assert int(opened[-1] - opened[0]) % 60 == 0
    assert pa.array(np.diff(opened)).unique().to_pylist() == [0, 60]


def test_any_number_of_intervals_is_counted_as_each_by_itself(office: Calendars) -> None:
    n = 2 * worktime.BLOCK + 1
    starts = local_seconds("2024-01-01") + np.arange(n, dtype=np.int64) * 1800
    ends = starts + np.arange(n, dtype=np.int64) % 977 * 60
    clock = Clock(office)
    assert (clock.open_seconds(starts, ends) == clock.open_through(ends) - clock.open_through(starts)).all()
    assert (clock.open_seconds(ends, starts) == -clock.open_seconds(starts, ends)).all()
    assert clock.open_seconds(starts[:0], ends[:0]).tolist() == []


@pytest.mark.parametrize(
    "text", ["1999-12-31T23:59:59", "2060-01-01T00:00:00", "1950-01-01", "2110-01-01", "2137-01-01", "1860-01-01"]
)
def test_an_instant_that_calendars_do_not_cover_is_refused(office: Calendars, text: str) -> None:
    with pytest.raises(IndexError, match="an instant lies outside the calendar's days"):
        Clock(office).open_through(np.array([local_seconds(text)]))


def test_the_first_and_the_last_second_are_covered(office: Calendars) -> None:
    first, last = Clock(office).open_through(
        np.array([local_seconds("2000-01-01"), local_seconds("2059-12-31T23:59:59")])
    )
    assert first == 0
    assert last == int(office.days["open_before"].to_numpy()[-1]) + 8 * 3600
