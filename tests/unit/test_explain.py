"""Explanations: every line adds up to the measure's own seconds, reasons are named, figures have their dossiers."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from log_files import ZONE, Rows, Store, mapping_of, registry_tables
from twin import strategies
from twin.dossiers import CANONICAL

from procmon import pages, worktime
from procmon.config import EngineSettings, PolicySettings
from procmon.engine import Engine
from procmon.errors import StoreError, UsageProblem
from procmon.explain.behind import count, counts_dossiers, dossiers_behind, dossiers_of, n_behind, page_of
from procmon.explain.days import Days, amount, hours
from procmon.explain.dossier import KEPT_STEPS, KINDS, DossierTold, Teller
from procmon.explain.text import dossier_text, moment
from procmon.inputs import Inputs, find_run, measured, read_inputs
from procmon.judge.definitions import BRIDGE_COUNTS, BRIDGE_STEPS, FAMILIES, definition
from procmon.measure import Asked, measure
from procmon.measure.stretches import stretches
from procmon.run import asks_of_tonight
from procmon.store import ledger
from procmon.store.workspace import open_workspace
from tests.office import CITY, RECIPIENTS, city_rows, copy_of, load_city, procmon, write_log

LOCAL = ZoneInfo(ZONE)


def inputs_of(store: Store, registry: Mapping[str, Rows], forced: Mapping[str, str]) -> Inputs:
    tables = registry_tables(registry)
    calendars = worktime.build(tables["calendar"], tables["opening_hours"])
    return Inputs(1, store.done, store.live, 1, None, PolicySettings(), tables, calendars, forced)


@contextmanager
def told_by(
    store: Store, registry: Mapping[str, Rows], as_of: datetime, forced: Mapping[str, str] | None = None
) -> Iterator[tuple[Engine, Inputs]]:
    """An engine with a store's dossiers measured and their stretches made."""
    seen = inputs_of(store, registry, forced or {})
    with Engine(store.engine_settings) as engine:
        measure(
            engine, Asked(as_of, ZONE, seen.policies, forced=seen.forced), lake_files=store.lake_files,
            done=store.done, live=store.live, registry=seen.registry, calendars=seen.calendars, keep=KEPT_STEPS,
        )  # fmt: skip
        stretches(engine)
        yield engine, seen


def tell(
    rows: Rows,
    registry: Mapping[str, Rows] | None = None,
    as_of: str = "2026-01-01T00:00:00+07:00",
    forced: Mapping[str, str] | None = None,
) -> DossierTold:
    """The explanation of dossier X, whose log the rows are."""
    store, at = Store(), datetime.fromisoformat(as_of)
    try:
        store.ingest_rows([{"dossier_id": "X", "procedure_id": "1.1", **row} for row in rows])
        with told_by(store, registry or {}, at, forced) as (engine, seen):
            return Teller(engine, seen, LOCAL, "X", at).told()
    finally:
        shutil.rmtree(store.folder)


def log(*events: tuple[str, str]) -> Rows:
    return [{"status": status, "occurred_at": at} for status, at in events]


def why_of(told: DossierTold, day: str) -> list[str]:
    on = date.fromisoformat(day)
    return [line.why for part in told.stretches for line in part.lines if line.first <= on <= line.last]


# ---- it adds up


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.cases(5))
def test_every_dossier_of_any_log_is_explained_to_the_second(case: strategies.Case) -> None:
    store = Store()
    try:
        store.ingest_rows(case.event_rows, CANONICAL)
        with told_by(store, case.registry, case.as_of) as (engine, seen):
            for row in engine.query("SELECT * FROM dossiers").to_pylist():
                told = Teller(engine, seen, LOCAL, row["dossier_id"], case.as_of).told()
                lines = sum(line.seconds for part in told.stretches for line in part.lines)
                assert lines == sum(row[column] or 0 for column in KINDS.values())
                assert row["dossier_id"] in dossier_text(told)
    finally:
        shutil.rmtree(store.folder)


STORY = log(
    ("received", "2025-01-20T14:00"), ("supplement_requested", "2025-01-22T09:30"), ("processing", "2025-02-05T08:15"),
    ("finished", "2025-02-06T16:20:45"),
)  # fmt: skip


def test_an_explanation_that_does_not_add_up_is_refused() -> None:
    store, at = Store(), datetime(2025, 3, 1, tzinfo=LOCAL)
    store.ingest_rows([{"dossier_id": "X", "procedure_id": "1.1", **row} for row in STORY])
    with told_by(store, {}, at) as (engine, seen):
        rows = engine.query("SELECT * REPLACE (open_seconds + 60 AS open_seconds) FROM stretches")
        engine.give("stretches", rows)
        with pytest.raises(StoreError, match=r"does not add up: the open time after event 1 comes to"):
            Teller(engine, seen, LOCAL, "X", at).told()
    shutil.rmtree(store.folder)


# ---- it says why


def test_closed_days_are_named_with_their_source() -> None:
    registry = {
        "calendar": [{"calendar_id": "default", "on": "2025-02-04", "open": "no", "hours": "", "source": "CV 12"}]
    }
    told = tell(STORY, registry)
    assert why_of(told, "2025-01-25") == ["weekend"]
    assert re.fullmatch(r"holiday: Lunar New Year \(package holidays .+\)", why_of(told, "2025-01-29")[0])
    assert why_of(told, "2025-02-04") == ["closed by the registry's calendar: CV 12"]


def opened(day: str, hours_of: str, source: str, calendar_id: str = "default") -> dict[str, str]:
    return {"calendar_id": calendar_id, "on": day, "open": "yes", "hours": hours_of, "source": source}


HALF_DAY = {
    "calendar": [
        opened("2025-03-12", "07:30-11:30", "Mất điện"),
        opened("2025-03-15", "07:30-11:30", "Làm bù"),
        opened("2025-03-18", "07:30-12:00 13:00-18:00", "Kéo dài"),
        opened("2025-03-19", "08:00-12:00 13:00-17:00", ""),
        opened("2025-03-20", "", "như thường lệ"),
        *(opened(f"2025-05-{day}", "07:30-11:30", "Mất điện") for day in ("06", "07", "09")),
    ]
}
USUAL = "07:30–11:30 13:00–17:00"
HALF_DAY_WHY = f"part closed by the registry's calendar, 07:30–11:30 instead of {USUAL}: Mất điện"


def test_a_day_with_other_hours_says_which_and_by_whom() -> None:
    told = tell(log(("received", "2025-03-11T16:00"), ("finished", "2025-03-21T08:00")), HALF_DAY)
    assert {day: why_of(told, f"2025-03-{day}")[0] for day in (11, 12, 15, 18, 19, 20)} == {
        11: "",
        12: HALF_DAY_WHY,
        15: "opened by the registry's calendar, 07:30–11:30 instead of closed: Làm bù",
        18: f"opened by the registry's calendar, 07:30–12:00 13:00–18:00 instead of {USUAL}: Kéo dài",
        19: "open at other hours by the registry's calendar, 08:00–12:00 13:00–17:00 instead of"
            f" {USUAL}: no source given",
        20: "",
    }  # fmt: skip


def test_the_closed_part_of_a_day_costs_nothing_for_that_reason() -> None:
    told = tell(log(("received", "2025-03-12T13:30"), ("finished", "2025-03-12T15:00")), HALF_DAY)
    assert why_of(told, "2025-03-12") == [f"outside opening hours: {HALF_DAY_WHY}"]


def test_hours_of_an_own_calendar_are_compared_with_its_own_weekdays() -> None:
    own = strategies.hours_rows("sat", "W1", dict.fromkeys(range(1, 7), "08:00-12:00") | {7: ""}, "2020-01-01")
    overrides = [opened(day, "08:00-12:00", "S", "sat") for day in ("2025-03-15", "2025-03-16")]
    rows = [row | {"unit_id": "W1"} for row in log(("received", "2025-03-14T09:00"), ("finished", "2025-03-17T09:00"))]
    told = tell(rows, {"opening_hours": own, "calendar": overrides})
    assert why_of(told, "2025-03-15") == [""]
    assert why_of(told, "2025-03-16") == ["opened by the registry's calendar, 08:00–12:00 instead of closed: S"]


def test_a_calendar_that_is_open_by_overrides_alone_is_explained() -> None:
    own = strategies.hours_rows("rare", "W1", dict.fromkeys(range(1, 8), ""), "2000-01-01")
    overrides = [opened("2025-03-17", "08:00-12:00", "S", "rare")]
    rows = [row | {"unit_id": "W1"} for row in log(("received", "2025-03-14T09:00"), ("finished", "2025-03-17T09:00"))]
    told = tell(rows, {"opening_hours": own, "calendar": overrides})
    assert why_of(told, "2025-03-17") == ["opened by the registry's calendar, 08:00–12:00 instead of closed: S"]


def test_a_made_up_saturday_that_the_office_loaded_too_names_the_office() -> None:
    rows = log(("received", "2025-04-25T16:00"), ("finished", "2025-04-28T08:00"))
    told = tell(rows, {"calendar": [opened("2025-04-26", "", "CV 12729")]})
    assert why_of(told, "2025-04-26") == [f"opened by the registry's calendar, {USUAL} instead of closed: CV 12729"]


def test_a_stretch_without_time_says_so() -> None:
    at_once = tell(log(("received", "2025-03-10T09:00"), ("finished", "2025-03-10T09:00")))
    assert [(line.why, line.seconds) for part in at_once.stretches for line in part.lines] == [
        ("no time: it begins and ends in the same second", 0)
    ]


def test_a_made_up_saturday_says_so_and_counts() -> None:
    told = tell(log(("received", "2025-04-25T16:00"), ("finished", "2025-04-28T08:00")))
    assert why_of(told, "2025-04-26")[0].startswith("made-up working day (package holidays")
    assert [line.seconds // 60 for line in told.stretches[0].lines] == [60, 480, 0, 30]


def test_a_pause_and_a_restart_name_their_policy() -> None:
    kinds = {
        forced: [(part.kind, part.because) for part in tell(STORY, forced={"supplement": forced}).stretches]
        for forced in ("pause", "restart", "run")
    }
    assert kinds["pause"] == [("working", ""), ("waiting", "a pause, by supplement = pause"), ("working", "")]
    discarded = ("discarded", "before the clock was restarted, by supplement = restart")
    assert kinds["restart"] == [discarded, discarded, ("working", "")]
    assert kinds["run"] == [("working", ""), ("working", "no pause, by supplement = run"), ("working", "")]


def test_a_late_receipt_says_from_when_it_counts() -> None:
    rows = log(("received", "2025-03-07T15:30"), ("finished", "2025-03-10T09:30"))
    told = tell(rows, LIMIT_OF_THREE_DAYS, forced={"late_receipt": "15:00"})
    said = "not counted: a receipt after 15:00 or on a day off counts from 2025-03-10 07:30"
    first = told.stretches[0].lines[0]
    assert (first.why, first.seconds) == (said, 0)
    assert told.minutes["working"] == 120
    assert [line.says for line in told.due.lines][:3] == [
        "received at 15:30: counts as of 2025-03-10", "day of receipt: does not count", "days 1 to 3",
    ]  # fmt: skip


def test_a_long_wait_is_told_by_month() -> None:
    told = tell(log(("received", "2024-02-19T09:00"), ("supplement_requested", "2024-02-20T09:00")))
    wait = told.stretches[-1]
    assert len(wait.lines) < 27
    assert [line.sessions for line in wait.lines if line.first == date(2024, 3, 1)] == ["21 × 480 min"]


def test_by_month_too_each_day_with_other_hours_is_named() -> None:
    told = tell(log(("received", "2025-02-03T09:00"), ("finished", "2025-05-20T09:00")), HALF_DAY)
    march, april, may = (why_of(told, f"2025-{month}-02")[0] for month in ("03", "04", "05"))
    assert f"; Wed 12 Mar 2025: 240 min, {HALF_DAY_WHY}; Sat 15 Mar 2025: 240 min, opened by" in march
    assert march.startswith("no time on 9 days: 9 × weekend; ")
    assert re.search(r"; Sat 26 Apr 2025: 480 min, made-up working day \(package holidays [^)]+\)$", april)
    assert f"; Tue 06 to Wed 07 May 2025: 480 min, {HALF_DAY_WHY}; Fri 09 May 2025: 240 min, {HALF_DAY_WHY}" in may
    assert sum(line.seconds for line in told.stretches[0].lines) == told.seconds["working"]


# ---- due dates and verdicts

LIMIT_OF_THREE_DAYS = {
    "procedures": [
        {"procedure_id": "1.1", "valid_from": "2020-01-01", "limit_amount": "3", "limit_unit": "working_days"}
    ]
}


@pytest.mark.parametrize(
    ("received_at", "amount_of", "unit", "last_lines"),
    [
        ("2025-01-22T16:30", "3", "working_days", ["day 3", "day 3 is the last: due at closing time, 17:00"]),
        ("2025-04-24T16:00", "3", "days", ["closed, so the term goes on: weekend", "due at closing time, 17:00"]),
        ("2025-01-31T09:00", "1", "months", ["1 month on: the term's last day", "due at closing time, 17:00"]),
        (
            "2025-04-29T16:30", "8", "hours",
            ["07:30–11:30 13:00–16:30: 480 min of 480 min", "480 min have passed at 16:30: due"],
        ),
    ],
)  # fmt: skip
def test_a_due_date_is_derived_day_by_day(received_at: str, amount_of: str, unit: str, last_lines: list[str]) -> None:
    procedure = {"procedure_id": "1.1", "valid_from": "2020-01-01", "limit_amount": amount_of, "limit_unit": unit}
    told = tell(log(("received", received_at)), {"procedures": [procedure]})
    assert [line.says for line in told.due.lines][-2:] == last_lines


def limit(amount_of: str, unit: str, valid_from: str = "2020-01-01") -> Rows:
    return [{"procedure_id": "1.1", "valid_from": valid_from, "limit_amount": amount_of, "limit_unit": unit}]


@pytest.mark.parametrize(
    ("received_at", "amount_of", "unit", "says"),
    [
        ("2025-03-10T09:00", "2", "working_days", f"day 2, {HALF_DAY_WHY}"),
        ("2025-03-10T09:00", "2", "days", f"due at closing time, 11:30, {HALF_DAY_WHY}"),
        ("2025-03-12T09:00", "4", "hours", f"09:00–11:30: 150 min of 240 min, {HALF_DAY_WHY}"),
        ("2025-03-12T14:00", "1", "hours", f"outside opening hours: {HALF_DAY_WHY}"),
    ],
)
def test_other_hours_are_named_where_they_move_a_due_date(
    received_at: str, amount_of: str, unit: str, says: str
) -> None:
    told = tell(log(("received", received_at)), HALF_DAY | {"procedures": limit(amount_of, unit)})
    assert says in [line.says for line in told.due.lines]


def test_a_term_told_by_month_names_its_unusual_days() -> None:
    told = tell(log(("received", "2025-02-27T09:00")), HALF_DAY | {"procedures": limit("80", "working_days")})
    march = next(line.says for line in told.due.lines if line.first == date(2025, 3, 1))
    assert march.startswith(f"days 2 to 23; Wed 12 Mar 2025: {HALF_DAY_WHY}; Sat 15 Mar 2025: opened by")
    assert march.endswith("; no working day: 9 × weekend")


@pytest.mark.parametrize(
    ("unit", "words"),
    [("hours", "1 hour"), ("working_days", "1 working day"), ("days", "1 day"), ("months", "1 month")],
)
def test_one_is_singular_and_a_version_without_first_day_is_from_the_beginning(unit: str, words: str) -> None:
    told = tell(log(("received", "2025-03-10T09:00")), {"procedures": limit("1", unit, valid_from="")})
    assert told.due.limit == f"{words}, version in force from the beginning"
    assert told.procedure.endswith("version in force from the beginning")


def test_an_instant_has_its_seconds_and_their_fraction_where_they_are_not_zero() -> None:
    rows = log(("received", "2025-03-07T15:00:00.5"), ("finished", "2025-03-10T09:30:07"))
    rows[0]["due_at"] = "2025-03-11T08:00:00.25"
    told = tell(rows, {"procedures": limit("3", "working_days")}, forced={"late_receipt": "15:00"})
    assert told.due.lines[0].says == "received at 15:00:00.5: counts as of 2025-03-10"
    assert [event.due for event in told.events] == ["2025-03-11 08:00:00.25", ""]
    text = dossier_text(told)
    for said in ("Fri 07 Mar 2025 15:00:00.5 ", "2025-03-11 08:00:00.25, that is Tue 11 Mar 2025 08:00:00.25",
                 "finished at Mon 10 Mar 2025 09:30:07"):  # fmt: skip
        assert said in text
    assert moment(datetime(2025, 3, 7, 15, 0, 0, 20)) == "Fri 07 Mar 2025 15:00:00.00002"


def test_each_rule_set_says_what_it_compared() -> None:
    rows = [{**row, "due_at": "2025-02-07" if row["status"] == "received" else ""} for row in STORY]
    said = {one.rule_set: (one.verdict, one.because) for one in tell(rows).verdicts}
    assert said["index_766"][0] == "on time"
    assert "3,980 min 45 s less 2,325 min in supplement pauses = 1,655 min 45 s" in said["index_766"][1]
    assert said["form_06"] == (
        "early", "the day of the end, 2025-02-06, is before that of the current due date, 2025-02-07; days are"
        " compared, no pause is subtracted",
    )  # fmt: skip
    assert said["strict"] == ("on time", "as index_766")


def test_a_refused_dossier_stands_apart_under_strict_alone() -> None:
    said = {
        one.rule_set: one.verdict for one in tell(log(("received", "2025-01-20"), ("refused", "2025-01-21"))).verdicts
    }
    assert said == {"index_766": "not judged", "form_06": "on_time", "strict": "refused"}


def test_a_dossier_that_was_not_received_has_no_open_time() -> None:
    told = tell(log(("submitted", "2025-01-20T09:00")))
    assert told.stretches == []
    assert {one.verdict for one in told.verdicts} == {"not judged"}
    assert "none: it was not received" in dossier_text(told)


# ---- the words of the days


def test_every_closed_day_of_a_calendar_has_a_reason() -> None:
    week = dict.fromkeys((1, 2, 4, 6), "08:00-12:00") | {3: "", 5: "", 7: ""}
    registry = {"opening_hours": strategies.hours_rows("own", "W1", week, "2020-01-01")}
    seen = inputs_of(Store(), registry, {})
    every_day = [date.fromordinal(n) for n in range(date(2024, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]
    with Engine(EngineSettings(threads=1)) as engine:
        engine.give("calendar_days", seen.calendars.days)
        engine.give("calendar_minutes", seen.calendars.minutes)
        for name, odd_day in (("default", date(2025, 4, 26)), ("own", date(2025, 3, 8))):
            days = Days(engine, name, seen)
            assert [day for day in every_day if not days.is_open(day) and not days.why(day)] == []
            assert days.is_open(odd_day)
        assert days.why(date(2025, 3, 5)) == "Wednesdays are closed in calendar own"


def test_amounts_and_hours_are_told_in_minutes() -> None:
    assert [amount(n) for n in (0, 60, 90, -90, 28800, 3600 * 24)] == [
        "0 min", "1 min", "1 min 30 s", "-1 min 30 s", "480 min", "1,440 min",
    ]  # fmt: skip
    assert hours(((27000, 41400), (46800, 46859))) == "07:30–11:30 13:00–13:00:59"


# ---- the command


DEPARTMENTS = """\
so@haiphong.example,Sở,department,unit:H24.15,daily,vi
dat-dai@haiphong.example,Đất đai,department,field:Đất đai,daily,vi
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole sample city with one run, and one dossier more: a row of it repeated, a batch retracted.

    Of a dossier Y nothing is left but what a retracted batch says.
    """
    folder: Path = tmp_path_factory.mktemp("explained")
    workspace = folder / "office"
    procmon("init", workspace)
    load_city(workspace, RECIPIENTS + DEPARTMENTS)
    procmon("ingest", CITY / "events.csv.gz", "--workspace", workspace)
    first = {"dossier_id": "X", "procedure_id": "1.1", "status": "received", "occurred_at": "2025-12-01T09:00"}
    more = first | {"status": "processing", "occurred_at": "2025-12-02T09:00"}
    wrong = first | {"status": "stopped", "occurred_at": "2025-12-03T09:00"}
    for n, rows in enumerate(([first], [first, more], [wrong, first | {"dossier_id": "Y"}])):
        procmon("ingest", write_log(folder / f"{n}.csv", rows), "--workspace", workspace)
    procmon("batch", "retract", "4", "--why", "wrong", "--workspace", workspace)
    procmon("baseline", "publish", "--workspace", workspace)
    procmon("run", "--as-of", "2025-12-31", "--no-send", "--workspace", workspace)
    return workspace


def explained(office: Path, *words: str) -> Any:
    return json.loads(procmon("explain", *words, "--format", "json", "--workspace", office).out)


def test_the_lines_of_json_add_up_to_the_minutes_of_show_dossiers(office: Path) -> None:
    shown = {
        row["dossier_id"]: row for row in procmon("show", "dossiers", "--workspace", office, "--format", "csv").rows
    }
    for dossier_id in [row["dossier_id"] for row in city_rows(2500)]:
        told = explained(office, "--dossier", dossier_id)
        worked = sum(
            line["seconds"] for part in told["stretches"] if part["kind"] == "working" for line in part["lines"]
        )
        assert str(worked // 60) == (shown[dossier_id]["working_minutes"] or "0")
        assert [one["due_at"] for one in told["due"]["stated"]][:1] == [shown[dossier_id]["first_due_at"]][
            : len(told["due"]["stated"])
        ]


def test_repeated_retracted_and_unseen_rows_are_named(office: Path) -> None:
    rows = {event["rows"]: event["note"] for event in explained(office, "--dossier", "X")["events"]}
    assert rows == {"2:2 3:2": "repeated", "3:3": "", "4:2": "does not count: batch 4 is retracted"}
    early = explained(office, "--dossier", "X", "--as-of", "2025-12-01")["events"]
    assert [event["note"] for event in early if event["rows"] == "3:3"] == ["not seen: after the as-of instant"]


LIST = "Số hồ sơ;Mã thủ tục;Ngày tiếp nhận;Ngày hẹn trả;Ngày trả kết quả;Trạng thái\nL1;1.1;{};20/06/2025;;Đang xử lý\n"


def test_a_row_of_an_older_export_is_named_as_superseded(tmp_path: Path) -> None:
    store, at = Store(), datetime(2025, 7, 1, tzinfo=LOCAL)
    for month, day in ((5, "05/05/2025"), (6, "06/05/2025")):
        file = tmp_path / f"{month}.csv"
        file.write_text(LIST.format(day), encoding="utf-8")
        store.ingest(file, mapping=mapping_of("danh-sach-ho-so"), exported_at=datetime(2025, month, 20, tzinfo=LOCAL))
    with told_by(store, {}, at) as (engine, seen):
        events = Teller(engine, seen, LOCAL, "L1", at).told().events
    shutil.rmtree(store.folder)
    assert {event.note for event in events if event.rows.startswith("1:")} == {
        "superseded: danh-sach-ho-so exported the dossier again later"
    }
    assert [event.no for event in events if event.rows.startswith("2:")] == [1, 2]


def test_a_dossier_of_a_retracted_batch_says_so_and_comes_back(office: Path, tmp_path: Path) -> None:
    workspace = copy_of(office, tmp_path)
    said = procmon("explain", "--dossier", "Y", "--workspace", workspace, code=2).err
    assert "its events in batch 4 were retracted on 2026-01-01 08:00 (wrong)" in said
    assert "Remedy: procmon batch restore 4" in said
    procmon("batch", "restore", "4", "--workspace", workspace)
    assert explained(workspace, "--dossier", "Y")["outcome"] == "pending"
    said = procmon("explain", "--dossier", "Y", "--run", "1", "--workspace", workspace, code=2).err
    assert "its events in batch 4 did not count in that run" in said
    assert "Remedy: ask without --run" in said


def test_what_if_policies_are_named(office: Path) -> None:
    told = explained(office, "--dossier", "X", "--policy", "payment=pause")
    assert {"name": "payment", "value": "pause", "set_by": "asked for by --policy"} in told["policies"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--dossier", "nobody"), "no event of dossier 'nobody' is seen"),
        ((), "explain either a figure or a dossier"),
        (("form_06.pending", "--dossier", "X"), "explain either a figure or a dossier"),
        (("form_06.pendin",), "Did you mean form_06.pending"),
        (("form_06.pending", "--as-of", "2025-12-31"), "--as-of: only for a dossier"),
        (("--dossier", "X", "--scope", "city", "--dossiers"), "--scope, --dossiers: only for a figure"),
        (("--dossier", "X", "--scope-id", ""), "--scope-id: only for a figure"),
        (("--dossier", "X", "--as-of", "2025-11-30"), "its events in batch 2 come later; its events in batch 3 come"),
        (("form_06.pending", "--scope", "galaxy"), "Its scopes are"),
        (("form_06.pending", "--period-to", "1999-01-01"), "period_to 1999-01-01"),
        (("--dossier", "X", "--period-to", "2025-12-31"), "--period-to: only for a figure"),
        (("boundaries.proven", "--dossiers"), "no step of the SQL counts the dossiers of 'boundaries.proven'"),
        (("on_time.n_on_time", "--dossiers"), "--rule-set (one of form_06, index_766, strict)"),
        (
            ("on_time.n_on_time", "--dossiers", "--rule-set", "strict", "--scope", "level"),
            "Remedy: Name --scope-id (one of '', city, commune).",
        ),
    ],
)
def test_what_cannot_be_explained_says_what_to_do(office: Path, words: tuple[str, ...], says: str) -> None:
    said = procmon("explain", *words, "--workspace", office, code=2)
    assert says in said.err
    assert "Remedy:" in said.err


# ---- figures


def test_a_figure_tells_its_versions_counts_and_sql(office: Path) -> None:
    text = procmon("explain", "on_time.n_on_time", "--rule-set", "strict", "--workspace", office).out
    shown = procmon("show", "figures", "--rule-set", "strict", "--workspace", office, "--format", "csv").rows
    of_city = next(row for row in shown if row["figure"] == "on_time.n_on_time" and row["scope"] == "city")
    for said in ("registry version", "calendar version", "supplement=pause", "-- step: verdicts", of_city["value"]):
        assert said in text
    assert len(explained(office, "reductions.median_period_minutes")["rows"]) == 40


def test_every_figure_of_a_run_is_defined_and_nothing_else_is(office: Path) -> None:
    names = set(ledger.read_table(open_workspace(office).ledger_db, "figures")["figure"].to_pylist())
    assert sorted(name for name in names if definition(name) is None) == []
    defined = {f"{family.partition(' ')[0]}.{name}" for family, of in FAMILIES.items() for name in of.figures}
    assert sorted(defined - names) == ["predecessors.mean_minutes"]  # the sample city has no merged codes
    assert {name.split(".")[1] for name in names if name.startswith("bridge.")} == set(BRIDGE_STEPS)
    assert {name.split(".")[2] for name in names if name.startswith("bridge.")} == set(BRIDGE_COUNTS)


def test_the_dossiers_behind_every_count_of_a_run_are_as_many(office: Path) -> None:
    workspace = open_workspace(office)
    run = find_run(workspace)
    assert run is not None
    seen, as_of = read_inputs(workspace, run), run.as_of.astimezone(LOCAL)
    asks = asks_of_tonight(seen, as_of)
    by_ask: dict[pages.Ask, list[tuple[dict[str, Any], tuple[str, str]]]] = {ask: [] for ask in asks}
    for row in ledger.read_table(workspace.ledger_db, "figures", run_id=run.id).to_pylist():
        if counts_dossiers(row["figure"]):
            ask, part = page_of(row, asks)
            by_ask[ask].append((row, part))
    checked, found = set(), set()
    with measured(workspace, seen, as_of) as engine:
        judge = pages.judge_of(workspace, seen, engine)
        for ask, rows in by_ask.items():
            question = pages.question_of(workspace, seen, as_of, ask)
            count(workspace, seen, judge, question)
            for row, part in rows:
                ids = dossiers_behind(judge, question, row, part)
                counted = n_behind(row)
                assert (len(ids), len(set(ids))) == (counted, counted), row
                checked.add((row["figure"].partition(".")[0], row["scope"]))
                if ids:
                    found.add(row["figure"])
    parts = {
        "reductions": ("level", "field", "tag", "department", "unit", "procedure"),
        "pending_work": ("level", "field", "tag", "department", "unit", "procedure"),
        "open_stock": (),
        "bridge": (),
        "on_time": ("level", "field", "unit"),
        "form_06": ("field/level",),
        "boundaries": ("procedure",),
        "due_soon": ("holding_unit",),
        "quality": (),
    }
    assert {(name, scope) for name, scope in checked if not scope.startswith(("centre", "department"))} == {
        (name, scope) for name, kinds in parts.items() for scope in ("city", *kinds) if scope != "department"
    }
    empty = {row["figure"] for rows in by_ask.values() for row, _ in rows} - found
    assert {figure for figure in empty if not figure.startswith("bridge.") or figure.endswith("n_moved")} == {
        "quality.ended_without_receipt", "quality.unknown_unit",
        "bridge.start.n_moved", "bridge.two_supplements.n_moved",
    }  # fmt: skip
    of_pages = {("reductions", "department"), ("reductions", "department/procedure"), ("on_time", "centre/field")}
    assert checked >= of_pages | {("on_time", "department/unit"), ("form_06", "centre/field/level")}


def test_the_dossiers_that_a_step_of_the_bridge_moves_are_listed(office: Path) -> None:
    """Refused and withdrawn dossiers stand in no share of the strict rule set; index_766 judges those received."""
    shown = procmon("show", "dossiers", "--as-of", "2025-12-31", "--workspace", office, "--format", "csv").rows
    judged = [row for row in shown if row["received_at"] and row["outcome"] == "withdrawn" and row["on_time_766"]]
    moved = [row["dossier_id"] for row in judged if row["ended_at"] >= "2025-12-01"]
    told = explained(office, "bridge.withdrawn.n_moved", "--rule-set", "strict", "--dossiers")
    assert told["n_dossiers"] == told["rows"][0]["numerator"] > 0
    assert told["dossiers"] == sorted(moved)


def test_the_open_stock_of_a_month_is_listed_by_its_end(office: Path) -> None:
    asked = ("open_stock.n_over_90", "--scope", "city", "--dossiers")
    said = procmon("explain", *asked, "--workspace", office, code=2)
    assert "'open_stock.n_over_90' is told 13 times here" in said.err
    assert "Remedy: Name --period-to (one of 2024-12-31, 2025-01-31" in said.err
    told = explained(office, *asked, "--period-to", "2025-11-30")
    shown = procmon("show", "dossiers", "--as-of", "2025-12-31", "--workspace", office, "--format", "csv").rows
    old = [row for row in shown if row["received_at"] and row["received_at"][:10] < "2025-09-01"]
    lay_there = [row["dossier_id"] for row in old if not row["ended_at"] or row["ended_at"][:10] > "2025-11-30"]
    assert told["dossiers"] == sorted(lay_there)
    assert lay_there


def test_the_frozen_dossiers_of_the_baseline_are_listed(office: Path) -> None:
    """Above their procedure's cap are some of those that the mean is made of, and none of the period's."""
    of_field = ("--scope", "field", "--scope-id", "Đất đai", "--dossiers")
    whole = explained(office, "reductions.mean_baseline_minutes", *of_field)
    capped = explained(office, "reductions.n_capped_baseline", *of_field)
    now = explained(office, "reductions.mean_period_minutes", *of_field)
    assert set(capped["dossiers"]) < set(whole["dossiers"])
    assert capped["n_dossiers"] == capped["rows"][0]["numerator"] > 0
    assert whole["n_dossiers"] == whole["rows"][0]["n"]
    assert not set(whole["dossiers"]) & set(now["dossiers"])


def test_what_a_baseline_has_not_kept_is_not_listed(office: Path) -> None:
    """A baseline of release 0.1 kept nothing of what was received: its counts are empty, not 0."""
    workspace = open_workspace(office)
    run = find_run(workspace)
    assert run is not None
    row = explained(office, "pending_work.n_pending_baseline", "--scope", "city")["rows"][0] | {"numerator": None}
    with pytest.raises(UsageProblem, match="is not known here"):
        dossiers_of(workspace, run, [row])


def test_the_dossiers_of_a_figure_are_listed(office: Path) -> None:
    told = explained(office, "due_soon.overdue", "--dossiers")
    assert told["n_dossiers"] == len(told["dossiers"]) == told["rows"][0]["numerator"] > 0
    shown = procmon("show", "due-soon", "--workspace", office, "--format", "csv").rows
    assert sorted(row["dossier_id"] for row in shown if row["state"] == "overdue") == told["dossiers"]


@pytest.mark.parametrize(
    ("figure", "scope", "scope_id"),
    [
        ("form_06.received", "field/level", "Đất đai/city"),
        ("form_06.received", "department/field/level", "field:Đất đai/Đất đai/commune"),
        ("on_time.n_on_time", "department", "unit:H24.15"),
        ("on_time.n_on_time", "centre/unit", "unit:HP-TT1/H24.15"),
        ("reductions.actual_cut", "department", "H24.15"),
    ],
)
def test_the_dossiers_of_a_part_are_listed_by_the_words_of_its_row(
    office: Path, figure: str, scope: str, scope_id: str
) -> None:
    rule_set = ("--rule-set", "form_06") if not figure.startswith("reductions") else ()
    told = explained(office, figure, "--scope", scope, "--scope-id", scope_id, *rule_set, "--dossiers")
    counted = n_behind(told["rows"][0])
    assert counted
    assert len(told["dossiers"]) == counted
    text = procmon("explain", figure, "--scope", scope, "--scope-id", scope_id, *rule_set, "--dossiers", "--workspace",
                   office).out  # fmt: skip
    assert text.rstrip().splitlines()[-counted - 2 :][:2] == [f"DOSSIERS, {counted}", ""]


def test_a_part_without_a_name_can_be_named(office: Path) -> None:
    asked = ("due_soon.nothing_to_judge_by", "--scope", "holding_unit", "--dossiers")
    said = procmon("explain", *asked, "--workspace", office, code=2)
    assert "Remedy: Name --scope-id (one of ''" in said.err
    told = explained(office, *asked, "--scope-id", "")
    assert len(told["dossiers"]) == told["rows"][0]["numerator"] > 0


def test_a_workspace_without_a_run_has_no_figure_to_explain(tmp_path: Path) -> None:
    procmon("init", tmp_path / "new")
    said = procmon("explain", "form_06.pending", "--workspace", tmp_path / "new", code=2)
    assert "there has been no run" in said.err
