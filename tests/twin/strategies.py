"""Hypothesis strategies for logs and registries in which every rule of the dossier figures meets every other.

All values are valid rows: nothing here should be refused by ingest or by `load`. Few dossiers, few days, few
hours, few codes, so that ties, amendments, days off and re-used codes come often.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from .clock import ZONE
from .dossiers import CANONICAL, STATUSES, measure_dossiers

# Around a weekend, Tết, the swapped Saturday and 30 April, a month's end, 1 July 2025, the swap of 2026.
FIRST_DAYS = [
    date(2024, 12, 30),
    date(2025, 1, 22),
    date(2025, 1, 31),
    date(2025, 3, 6),
    date(2025, 4, 24),
    date(2025, 4, 29),
    date(2025, 6, 27),
    date(2025, 12, 30),
    date(2026, 1, 6),
]
CLOCK_TIMES = [
    time(0, 0),
    time(6, 30),  # its UTC date is the day before
    time(7, 30),
    time(8, 0, 30, 500_000),
    time(11, 30),
    time(12, 15),
    time(13, 0),
    time(15, 0),
    time(15, 0, 0, 1),
    time(16, 30),
    time(17, 0),
    time(18, 45),
    time(23, 59, 59, 999_999),
]
HOUR_LIMITS = ["4", "8", "4.5"]
DAY_LIMITS = ["1", "3", "10"]
PROCEDURES = ["1.001", "1.001.000.00.00.H24", "1.001.000.00.00.H99", "2.002", "2.002.H24", "9.999", "tự-đặt"]
UNITS = ["CITY", "DEPT", "CC", "10525", "W2", "SZ", "C1", "C2", "D1", "Z1", "Z2"]
STAGES = ["", "", "", "thẩm định", "trả", "zz", "Đ"]
DOSSIERS = ["H24-1", "H24-2", "h24-3", "Đ-4", "10", "9", "\U0001f4c4"]  # bytes and UTF-16 disagree on the last

Registry = dict[str, list[dict[str, str]]]
EventRow = dict[str, str]


@dataclass(frozen=True)
class Case:
    """A log, its registry, and the instant at which both implementations shall be asked."""

    event_rows: list[EventRow]
    registry: Registry
    as_of: datetime


def sometimes(values: SearchStrategy[str]) -> SearchStrategy[str]:
    """A value, or an empty cell."""
    return st.just("") | values


# ---- moments


@st.composite
def instants(draw: DrawFn, first_day: date, days: int = 9) -> datetime:
    day = first_day + timedelta(days=draw(st.integers(0, days)))
    return datetime.combine(day, draw(st.sampled_from(CLOCK_TIMES)), ZONE)


@st.composite
def written(draw: DrawFn, instant: datetime) -> str:
    """One of the ways in which a log may write an instant."""
    offset = draw(st.sampled_from(["", "", "+07:00", "Z"]))
    clock = instant.astimezone(UTC) if offset == "Z" else instant
    text = clock.replace(tzinfo=None).isoformat(sep=draw(st.sampled_from("T ")))
    return text.removesuffix(":00") + offset if clock.second == clock.microsecond == 0 else text + offset


@st.composite
def moments(draw: DrawFn, first_day: date, days: int = 9) -> str:
    """An instant, or now and then a bare day."""
    instant = draw(instants(first_day, days))
    return instant.date().isoformat() if draw(st.integers(0, 3)) == 0 else draw(written(instant))


# ---- events

STORIES = [
    ["received", "finished", "returned"],
    ["submitted", "received", "processing", "finished", "returned"],
    ["received", "supplement_requested", "processing", "finished"],
    ["received", "supplement_requested", "processing", "supplement_requested", "received", "returned"],
    ["received", "processing", "payment_requested", "processing", "finished", "returned"],
    ["received", "supplement_requested", "payment_requested", "finished"],
    ["received", "finished", "processing", "finished", "returned"],
    ["submitted", "refused"],
    ["submitted", "received", "supplement_requested"],
    ["received", "stopped"],
    ["received", "supplement_requested", "withdrawn"],
    ["received", "refused"],
    ["submitted", "received", "processing"],
]


@st.composite
def dossier_rows(draw: DrawFn, dossier_id: str) -> list[EventRow]:
    """The rows of one dossier: a likely story in its order, or any statuses at any time, some amended."""
    first_day = draw(st.sampled_from(FIRST_DAYS))
    if draw(st.integers(0, 2)):
        statuses = draw(st.sampled_from(STORIES))
        days = sorted(draw(st.lists(st.integers(0, 9), min_size=len(statuses), max_size=len(statuses))))
    else:
        statuses = ["received", *draw(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=6))]
        statuses = statuses[draw(st.integers(0, 1)) :]  # half of them without a receipt of their own
        days = [draw(st.integers(0, 4)) for _ in statuses]
    rows = [
        draw(event_row(dossier_id, status, first_day + timedelta(days=day)))
        for status, day in zip(statuses, days, strict=True)
    ]
    rows += [draw(amendment(draw(st.sampled_from(rows)))) for _ in range(draw(st.integers(0, 2)))]
    if not any(row["procedure_id"] for row in rows):
        draw(st.sampled_from(rows))["procedure_id"] = draw(st.sampled_from(PROCEDURES))
    return rows


@st.composite
def event_row(draw: DrawFn, dossier_id: str, status: str, day: date) -> EventRow:
    row = draw(attributes()) | {
        "dossier_id": dossier_id,
        "status": status,
        "occurred_at": draw(moments(day, 0)),
        "unit_id": draw(sometimes(st.sampled_from(UNITS))),
        "due_at": draw(st.just("") | st.just("") | moments(day, 9)),
        "stage": draw(st.sampled_from(STAGES)),
    }
    return {column: row[column] for column in CANONICAL}


@st.composite
def attributes(draw: DrawFn) -> EventRow:
    """What an amendment may add; mostly empty, so that the first statement is not always the first event."""
    unit = sometimes(st.sampled_from(UNITS))
    return {
        "procedure_id": draw(sometimes(st.sampled_from(PROCEDURES))),
        "receiving_unit_id": draw(unit),
        "resolving_unit_id": draw(unit),
        "returning_unit_id": draw(unit),
        "applicant_unit_id": draw(unit),
        "channel": draw(st.sampled_from(["", "", "in_person", "online", "post"])),
        "applicant_id": draw(sometimes(st.sampled_from(["a", "b"]))),
        "handler_id": draw(sometimes(st.sampled_from(["c", "d"]))),
        "reason": draw(sometimes(st.sampled_from(["not_competent", "thiếu giấy tờ"]))),
        "recorded_at": draw(sometimes(instants(date(2026, 2, 1), 1).flatmap(written))),
    }


@st.composite
def amendment(draw: DrawFn, row: EventRow) -> EventRow:
    """The same event stated again: wholly, but for `recorded_at`, or with other attributes."""
    changes = draw(attributes())
    if draw(st.integers(0, 2)) == 0:
        changes = {"recorded_at": changes["recorded_at"]}
    return row | changes


@st.composite
def event_logs(draw: DrawFn, max_dossiers: int = 4) -> list[EventRow]:
    """Canonical rows of some dossiers, in any order."""
    ids = draw(st.lists(st.sampled_from(DOSSIERS), min_size=1, max_size=max_dossiers, unique=True))
    rows = [row for dossier_id in ids for row in draw(dossier_rows(dossier_id))]
    return draw(st.permutations(rows))


# ---- registry


@st.composite
def procedure_versions(draw: DrawFn) -> list[dict[str, str]]:
    """Versions of three codes: one changed in 2025, one full code that hides it, one that ends."""
    periods = [
        ("1.001", "2024-01-01", ""),
        ("1.001", "2025-04-25", ""),
        ("1.001.000.00.00.H24", "2025-01-01", ""),
        ("2.002", "2024-01-01", draw(st.sampled_from(["", "2025-03-08"]))),
        ("2.002", "2025-07-01", draw(st.sampled_from(["", "2026-01-01"]))),
    ]
    return [draw(procedure_version(*period)) for period in periods if draw(st.integers(0, 4))]


@st.composite
def procedure_version(draw: DrawFn, procedure_id: str, valid_from: str, valid_to: str) -> dict[str, str]:
    unit = draw(st.sampled_from(["", "hours", "working_days", "days", "months"]))
    amounts = {"": [""], "hours": HOUR_LIMITS, "months": ["1", "2"]}.get(unit, DAY_LIMITS)
    return {
        "procedure_id": procedure_id,
        "name": f"Thủ tục {procedure_id}",
        "field": draw(st.sampled_from(["Đất đai", "Hộ tịch"])),
        "level": draw(st.sampled_from(["city", "commune"])),
        "limit_amount": draw(st.sampled_from(amounts)),
        "limit_unit": unit,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "source": "",
        "tags": draw(st.sampled_from(["", "business", "business green_lane"])),
        "supplement": draw(st.sampled_from(["", "pause", "restart", "run"])),
        "payment": draw(st.sampled_from(["", "run", "pause"])),
        "late_receipt": draw(st.sampled_from(["", "none", "15:00", "15:00"])),
    }


# CITY has its own centre; 10525 is a code used again on 1 July 2025; Z1 and Z2 are never known.
UNIT_VERSIONS = [
    ("CITY", "city", "", "2020-01-01", ""),
    ("DEPT", "department", "CITY", "2020-01-01", ""),
    ("CC", "centre", "CITY", "2020-01-01", ""),
    ("10525", "ward", "D1", "2020-01-01", "2025-07-01"),
    ("10525", "ward", "CITY", "2025-07-01", ""),
    ("W2", "commune", "CITY", "2025-01-25", ""),
    ("SZ", "special_zone", "CITY", "2020-01-01", ""),
    ("C1", "centre", "10525", "2020-01-01", ""),
    ("C2", "centre", "D1", "2020-01-01", "2025-07-01"),
    ("D1", "district", "CITY", "2020-01-01", "2025-07-01"),
]


@st.composite
def unit_versions(draw: DrawFn) -> list[dict[str, str]]:
    """All units, or some left out, but never the parent of a centre that stays."""
    left_out = draw(st.sets(st.sampled_from(["DEPT", "CC", "W2", "SZ", "C1", "C2"]), max_size=2))
    columns = ("unit_id", "kind", "parent_unit_id", "valid_from", "valid_to")
    rows = [dict(zip(columns, version, strict=True)) for version in UNIT_VERSIONS]
    return [row | {"name": f"Đơn vị {row['unit_id']}"} for row in rows if row["unit_id"] not in left_out]


WEEK_HOURS = {
    "early": dict.fromkeys(range(1, 6), "06:00-10:00 14:00-18:00"),  # opens before midnight UTC
    "saturday": {**dict.fromkeys(range(1, 6), "07:30-11:30 13:00-17:00"), 6: "07:30-11:30", 7: ""},
    "three_days": {1: "", 2: "08:00-12:00", 4: "08:00-12:00 12:30-20:00", 6: "09:00-09:30"},
}
CHANGED_HOURS = {1: "07:00-11:00", 3: "10:00-12:00", 5: ""}


@st.composite
def opening_hours(draw: DrawFn) -> list[dict[str, str]]:
    """Calendars of some units, one of them changed on a day, and perhaps other hours of the default.

    Both may be given to one unit, on one day or one after the other.
    """
    rows: list[dict[str, str]] = []
    for calendar_id in draw(st.lists(st.sampled_from(sorted(WEEK_HOURS)), max_size=2, unique=True)):
        taken = sorted({row["unit_id"] for row in rows if row["unit_id"]})
        once_more = st.sampled_from([*taken, *taken, *UNITS])  # the same unit, more often than by chance
        holders = draw(st.lists(once_more, max_size=2, unique=True)) or [""]
        for unit_id in holders:
            since = draw(st.sampled_from(["2020-01-01", "2025-01-24"]))
            rows += hours_rows(calendar_id, unit_id, WEEK_HOURS[calendar_id], since)
        if draw(st.booleans()):
            rows += hours_rows(calendar_id, draw(st.sampled_from(["", holders[0]])), CHANGED_HOURS, "2025-04-25")
    if draw(st.integers(0, 3)) == 0:
        rows += hours_rows("default", "", {5: "07:30-11:30", 6: "08:00-09:00"}, "2025-04-25")
    return rows


def hours_rows(calendar_id: str, unit_id: str, hours: dict[int, str], valid_from: str) -> list[dict[str, str]]:
    return [
        {
            "calendar_id": calendar_id,
            "unit_id": unit_id,
            "weekday": str(weekday),
            "hours": text,
            "valid_from": valid_from,
            "source": "",
        }
        for weekday, text in hours.items()
    ]


@st.composite
def overrides(draw: DrawFn) -> list[dict[str, str]]:
    """Dated exceptions: the swap of January 2026, and days opened or closed by the default or one calendar."""
    rows = {("default", "2026-01-02"): ("no", ""), ("default", "2026-01-10"): ("yes", "")}
    if draw(st.booleans()):
        rows = {}
    days = [
        "2025-01-23", "2025-01-25", "2025-01-27", "2025-03-10", "2025-04-25", "2025-04-26", "2025-05-01", "2025-07-05",
    ]  # fmt: skip
    for key in draw(
        st.lists(st.tuples(st.sampled_from(["default", *sorted(WEEK_HOURS)]), st.sampled_from(days)), max_size=4)
    ):
        rows[key] = draw(st.sampled_from([("no", ""), ("yes", ""), ("yes", "08:00-10:00"), ("yes", "06:15-12:00")]))
    return [
        {"calendar_id": calendar_id, "on": on, "open": is_open, "hours": hours, "source": ""}
        for (calendar_id, on), (is_open, hours) in rows.items()
    ]


SPLIT = [
    {"old_unit_id": "10525", "new_unit_id": "W2", "effective_on": "2025-07-01", "extent": "part"},
    {"old_unit_id": "10525", "new_unit_id": "10525", "effective_on": "2025-07-01", "extent": "part"},
]
SUCCESSIONS = [SPLIT, [SPLIT[0] | {"extent": "whole"}], [SPLIT[1] | {"extent": "whole"}]]


@st.composite
def registries(draw: DrawFn) -> Registry:
    """A registry's tables as rows of text, columns as in the design's CSV files."""
    return {
        "procedures": draw(procedure_versions()),
        "units": draw(unit_versions()),
        "successions": draw(st.sampled_from(SUCCESSIONS)),
        "calendar": draw(overrides()),
        "opening_hours": draw(opening_hours()),
    }


# ---- cases


@st.composite
def cases(draw: DrawFn, max_dossiers: int = 4) -> Case:
    """A log and a registry, asked as of an instant of the log itself, one near it, or long after."""
    event_rows, registry = draw(event_logs(max_dossiers)), draw(registries())
    return Case(event_rows, registry, draw(asked_at(event_rows, registry)))


@st.composite
def asked_at(draw: DrawFn, event_rows: list[EventRow], registry: Any) -> datetime:
    long_after = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)
    if draw(st.integers(0, 2)) == 0:
        return long_after
    events = [e for dossier in measure_dossiers(event_rows, registry, as_of=long_after) for e in dossier.events]
    instant = draw(st.sampled_from(sorted({event.at for event in events})))
    return instant + draw(st.sampled_from([timedelta(), timedelta(microseconds=-1), timedelta(days=2, hours=3)]))
