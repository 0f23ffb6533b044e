"""Stretches (rulebook 10): their parts add up to the second, and equal the plain twin."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from log_files import ZONE, Store, registry_tables
from twin import strategies
from twin.dossiers import CANONICAL, measure_dossiers
from twin.stretches import Stretch
from twin.stretches import stretches as twin_stretches

from procmon import worktime
from procmon.config import PolicySettings
from procmon.engine import Engine
from procmon.measure import Asked, measure
from procmon.measure.dossiers import shown
from procmon.measure.stretches import NEEDED_STEPS, stretches
from procmon.tables import STRETCHES

CITY = Path(__file__).parents[2] / "sample_logs" / "city"
KINDS = {"working": "working_seconds", "waiting": "paused_seconds", "discarded": "discarded_seconds"}
LOCAL = ZoneInfo(ZONE)

Row = dict[str, object]
Rows = Mapping[str, Sequence[Mapping[str, str]]]


def measured(
    store: Store,
    registry: Rows,
    as_of: datetime,
    *,
    forced: Mapping[str, str] | None = None,
    is_period_end: bool = False,
) -> tuple[list[Row], list[Row]]:
    """The dossiers of a store, and their stretches."""
    tables = registry_tables(registry)
    asked = Asked(as_of, ZONE, PolicySettings(), forced=forced or {}, is_period_end=is_period_end)
    with Engine(store.engine_settings) as engine:
        measure(
            engine, asked, lake_files=store.lake_files, done=store.done, live=store.live, registry=tables,
            calendars=worktime.build(tables["calendar"], tables["opening_hours"]), keep=NEEDED_STEPS,
        )  # fmt: skip
        stretches(engine)
        parts = engine.query("SELECT * FROM stretches ORDER BY dossier_id NULLS FIRST, seq NULLS FIRST")
        return shown(engine).to_pylist(), STRETCHES.conform(parts).to_pylist()


def check_parts(dossiers: list[Row], parts: list[Row]) -> None:
    """Each kind's seconds are the dossier's, and stretches follow one another from receipt to end."""
    of: dict[object, list[Row]] = defaultdict(list)
    for part in parts:
        of[part["dossier_id"]].append(part)
    for dossier in dossiers:
        mine = of.pop(dossier["dossier_id"], [])
        if dossier["received_at"] is None:
            assert mine == []
            continue
        sums = {kind: sum(int(str(p["open_seconds"])) for p in mine if p["kind"] == kind) for kind in KINDS}
        assert sums == {kind: dossier[column] for kind, column in KINDS.items()}, dossier["dossier_id"]
        assert mine[0]["from_at"] == dossier["received_at"]
        assert all(one["to_at"] == other["from_at"] for one, other in pairwise(mine))
        assert dossier["ended_at"] in (None, mine[-1]["to_at"])
    assert not of


@pytest.fixture(scope="module")
def city() -> Iterator[tuple[Store, Rows]]:
    store = Store()
    with gzip.open(CITY / "events.csv.gz", "rt", encoding="utf-8") as file:
        store.ingest_rows(list(csv.DictReader(file)))
    yield (
        store,
        {
            kind: list(csv.DictReader((CITY / f"{kind}.csv").open(encoding="utf-8")))
            for kind in ("procedures", "units", "successions", "calendar")
        },
    )
    shutil.rmtree(store.folder)


@pytest.mark.parametrize("forced", [{}, {"supplement": "restart", "payment": "pause", "late_receipt": "15:00"}])
@pytest.mark.parametrize("as_of", [datetime(2026, 1, 1, tzinfo=LOCAL), datetime(2025, 2, 1, 10, tzinfo=LOCAL)])
def test_the_parts_of_every_dossier_of_the_sample_city_add_up(
    city: tuple[Store, Rows], as_of: datetime, forced: dict[str, str]
) -> None:
    store, registry = city
    dossiers, parts = measured(store, registry, as_of, forced=forced)
    assert len(dossiers) > 4000
    check_parts(dossiers, parts)
    assert {part["kind"] for part in parts} == set(KINDS)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.cases(7))
def test_stretches_equal_the_plain_twin(case: strategies.Case) -> None:
    store = Store()
    try:
        store.ingest_rows(case.event_rows, CANONICAL)
        dossiers, parts = measured(store, case.registry, case.as_of)
    finally:
        shutil.rmtree(store.folder)
    check_parts(dossiers, parts)
    expected = [
        (dossier.dossier_id, stretch)
        for dossier in measure_dossiers(case.event_rows, case.registry, as_of=case.as_of)
        for stretch in twin_stretches(dossier)
    ]
    assert [(part["dossier_id"], as_twin(part)) for part in parts] == expected


def as_twin(part: Row) -> Stretch:
    return Stretch(**{name: part[name] or ("" if name != "open_seconds" else 0) for name in Stretch.__annotations__})  # type: ignore[arg-type]
