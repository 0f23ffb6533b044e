"""The vectorised clock, and the clock in SQL, against a walk over every minute of five years.

20,000 random intervals on 5 random calendars; `make clock` asks 1,000,000 on 50.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from log_files import ZONE, registry_tables
from twin import clock
from twin.strategies import Registry, hours_rows

from procmon import worktime
from procmon.config import EngineSettings, PolicySettings
from procmon.engine import Engine, sql_text
from procmon.engine.duckdb import steps_of
from procmon.measure import Asked
from procmon.tables import INSTANT, TEXT
from procmon.worktime import Calendars, Clock, Numbers

N_INTERVALS = int(os.environ.get("PROCMON_TESTS_INTERVALS", "20000"))
N_CALENDARS = int(os.environ.get("PROCMON_TESTS_CALENDARS", "5"))
N_WALKED = N_INTERVALS // 250
CALENDARS_A_REGISTRY = 5

FIRST, LAST = date(2023, 1, 1), date(2028, 1, 1)
SECONDS = (LAST - FIRST).days * 86400
LONGEST_WALK = 3 * 86400


@dataclass(frozen=True)
class Intervals:
    """Random intervals in whole local seconds since FIRST's midnight, and how long each is open by the vectors."""

    starts: Numbers
    ends: Numbers
    calendars: Calendars
    calendar_id: str

    @property
    def since_1970(self) -> tuple[Numbers, Numbers]:
        first = (FIRST - date(1970, 1, 1)).days * 86400
        return self.starts + first, self.ends + first

    def found(self) -> Numbers:
        """What the vectorised clock says."""
        return Clock(self.calendars, self.calendar_id).open_seconds(*self.since_1970)


# ---- random calendars


def random_hours(draw: random.Random) -> str:
    """Up to four sessions, some of which touch, some of which last until midnight."""
    ends = sorted(draw.sample(range(0, 24 * 60 + 1, draw.choice([1, 5, 30])), 2 * draw.randint(0, 4)))
    sessions = list(pairwise(ends)) if draw.random() < 0.2 else list(zip(ends[::2], ends[1::2], strict=True))
    return " ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in sessions)


def random_day(draw: random.Random) -> date:
    return FIRST + timedelta(days=draw.randrange(-400, (LAST - FIRST).days))


def random_registry(seed: int) -> Registry:
    """A default calendar and four others: weekly hours in versions, days off, made-up and part-closed days."""
    draw = random.Random(seed)
    hours, overrides = [], {}
    for calendar_id in calendar_ids():
        for valid_from in {random_day(draw) for _ in range(draw.randint(0, 3))}:
            weekdays = draw.sample(range(1, 8), draw.randint(1, 7))
            week = {weekday: random_hours(draw) for weekday in weekdays}
            hours += hours_rows(calendar_id, "", week, valid_from.isoformat())
        for _ in range(draw.randint(1, 80)):
            day, is_open = random_day(draw).isoformat(), draw.random() < 0.6
            overrides[calendar_id, day] = {
                "calendar_id": calendar_id,
                "on": day,
                "open": "yes" if is_open else "no",
                "hours": random_hours(draw) if is_open and draw.random() < 0.7 else "",
                "source": "",
            }
    return {"opening_hours": hours, "calendar": list(overrides.values())}


def calendar_ids() -> list[str]:
    return ["default", *(f"c{n}" for n in range(1, CALENDARS_A_REGISTRY))]


@cache
def built(seed: int) -> Calendars:
    tables = registry_tables(random_registry(seed))
    return worktime.build(tables["calendar"], tables["opening_hours"])


def random_intervals(seed: int, calendar_id: str) -> Intervals:
    """Of all lengths from none to five years; half of them begin and end on half-hours."""
    numbers = np.random.default_rng([seed, len(calendar_id), calendar_ids().index(calendar_id)])
    n = N_INTERVALS // N_CALENDARS
    starts = numbers.integers(0, SECONDS, n)
    lengths = np.exp(numbers.uniform(0, np.log(SECONDS), n)).astype(np.int64) - 1
    ends = np.minimum(starts + lengths, SECONDS - 1)
    on_half_hours = numbers.random(n) < 0.5
    starts, ends = (np.where(on_half_hours, side // 1800 * 1800, side) for side in (starts, ends))
    return Intervals(starts, ends, built(seed), calendar_id)


CASES = [(seed, calendar_id) for seed in range(N_CALENDARS // CALENDARS_A_REGISTRY) for calendar_id in calendar_ids()]


@pytest.mark.parametrize(("seed", "calendar_id"), CASES)
def test_open_time_is_what_a_walk_over_every_minute_counts(seed: int, calendar_id: str) -> None:
    asked = random_intervals(seed, calendar_id)
    minutes = clock.Minutes(clock.Calendars(random_registry(seed))[calendar_id], FIRST, LAST)
    stretches = list(zip(asked.starts.tolist(), asked.ends.tolist(), strict=True))
    found = asked.found().tolist()
    assert found == [minutes.open_through(end) - minutes.open_through(start) for start, end in stretches]
    short = [n for n, (start, end) in enumerate(stretches) if end - start <= LONGEST_WALK]
    walked = short[: N_WALKED // N_CALENDARS]
    assert len(walked) == N_WALKED // N_CALENDARS
    assert [found[n] for n in walked] == [minutes.walk(*stretches[n]) for n in walked]


# ---- in SQL


def instants(local_seconds: Numbers) -> pa.Array:
    """Instants of local seconds since FIRST's midnight."""
    midnight = datetime.combine(FIRST, datetime.min.time(), clock.ZONE).astimezone(UTC)
    return pa.array((local_seconds + int(midnight.timestamp())) * 1_000_000).cast(INSTANT)


def seen(intervals: list[Intervals]) -> Iterator[pa.Table]:
    """The table that the step `events` reads: interval n of a calendar as two events of a dossier CALENDAR/n."""
    for asked in intervals:
        for side, at in (("received", asked.starts), ("returned", asked.ends)):
            happened = instants(at)
            n = len(at)
            yield pa.table(
                {
                    "dossier_id": pa.array([f"{asked.calendar_id}/{number:06}" for number in range(n)], TEXT),
                    "calendar_id": pa.array([asked.calendar_id] * n, TEXT),
                    "status": pa.array([side] * n, TEXT),
                    "code": pa.array([2 if side == "received" else 10] * n, pa.int64()),
                    "happened_at": happened,
                    "occurred_at": happened,
                    **{name: pa.nulls(n, pa.date32()) for name in ("occurred_on", "due_on")},
                    "due_at": pa.nulls(n, INSTANT),
                    **{name: pa.nulls(n, TEXT) for name in TEXTS},
                }
            )


TEXTS = (
    "unit_id", "stage", "procedure_id", "receiving_unit_id", "resolving_unit_id", "returning_unit_id",
    "applicant_unit_id", "channel", "applicant_id", "handler_id", "reason",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(N_CALENDARS // CALENDARS_A_REGISTRY))
def test_the_clock_in_sql_equals_the_vectorised_one(seed: int) -> None:
    intervals = [random_intervals(seed, calendar_id) for calendar_id in calendar_ids()]
    with Engine(EngineSettings(threads=1)) as engine:
        engine.give("asked", Asked(datetime(2030, 1, 1, tzinfo=UTC), ZONE, PolicySettings()).table())
        engine.give("calendar_days", built(seed).days)
        engine.give("calendar_minutes", built(seed).minutes)
        engine.give("seen", pa.concat_tables(list(seen(intervals))))
        engine.step("events", dict(steps_of(sql_text("measure", "events")))["events"])
        opened = engine.query(
            "SELECT max(opened) - min(opened) AS seconds FROM events "
            "GROUP BY dossier_id ORDER BY dossier_id NULLS FIRST"
        )["seconds"]
    by_name = sorted(intervals, key=lambda asked: asked.calendar_id)
    assert opened.to_pylist() == [seconds for asked in by_name for seconds in asked.found().tolist()]
