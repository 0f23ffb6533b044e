"""What a published baseline keeps: received dossiers month by month, and working time by stage (rulebook 7d to 7f)."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from judged import YEAR_2024, City, midnight, registry_of, rows_of
from pyarrow import parquet
from twin.dossiers import Dossier, measure_dossiers
from twin.figures import procedure_key, standing_unit
from twin.stretches import stretches

from procmon.judge.freezing import month_ends
from procmon.tables import BASELINE_TABLES, Period

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
NEVER = date(9999, 12, 31)
MONTHS = [date(2024, month, 1) for month in range(2, 13)] + [date(2025, 1, 1)]
FROM_MARCH = Period(date(2024, 3, 10), date(2024, 6, 20), "")

Rows = list[dict[str, Any]]
Key = tuple[Any, ...]


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    """The events of every sixth dossier."""
    return [row for row in rows_of(SAMPLE / "events.csv.gz") if crc32(row["dossier_id"].encode()) % 6 == 0]


@pytest.fixture(scope="module")
def city(log: list[dict[str, str]]) -> Iterator[City]:
    made = City(registry_of(SAMPLE))
    made.store.ingest_rows(log)
    yield made
    shutil.rmtree(made.store.folder)


def kept(city: City) -> dict[str, Rows]:
    return {table.name: parquet.read_table(city.frozen()[table.name]).to_pylist() for table in BASELINE_TABLES}


@pytest.fixture(scope="module")
def frozen(city: City) -> dict[str, Rows]:
    return kept(city)


def keys_of(registry: Mapping[str, Any]) -> tuple[Any, Any]:
    """Who a dossier counts for, and who received it, as they were: successions are a later question."""
    plain = {kind: rows for kind, rows in registry.items() if kind != "successions"} | {"successions": []}
    return standing_unit(plain, NEVER), standing_unit(plain, NEVER, is_receiving=True)


def state(dossier: Dossier, keys: tuple[Any, Any]) -> Key:
    received = dossier.received_at
    assert received is not None
    return (
        procedure_key(dossier), keys[0](dossier), keys[1](dossier), received.date(), dossier.outcome,
        dossier.working_seconds,
    )  # fmt: skip


def seen_on(states: Rows, day: date) -> dict[str, Key]:
    """The dossiers as frozen, as the start of `day` saw them; each once."""
    rows = [row for row in states if row["seen_from"] <= day < row["seen_to"]]
    found = {row["dossier_id"]: told(row) for row in rows}
    assert len(found) == len(rows)
    return found


def told(row: Mapping[str, Any]) -> Key:
    return (
        row["procedure_key"], row["unit_key"] or "", row["receiving_unit_key"] or "", row["received_on"],
        row["outcome"], row["working_seconds"],
    )  # fmt: skip


def measured_at(log: list[dict[str, str]], city: City, day: date, period: Period) -> dict[str, Key]:
    """The same by the twin, from the log as of that instant."""
    keys = keys_of(city.registry_rows)
    return {
        dossier.dossier_id: state(dossier, keys)
        for dossier in measure_dossiers(log, city.registry_rows, to=midnight(day))
        if dossier.received_at and period.from_ <= dossier.received_at.date() < period.to
    }


@pytest.mark.parametrize("day", MONTHS, ids=str)
def test_a_month_end_sees_every_dossier_as_the_log_measured_then(
    day: date, log: list[dict[str, str]], city: City, frozen: dict[str, Rows]
) -> None:
    theirs = measured_at(log, city, day, YEAR_2024)
    assert len(theirs) > 20
    assert seen_on(frozen["baseline_states"], day) == theirs


def test_a_baseline_that_ends_within_a_month_is_seen_at_its_own_end(log: list[dict[str, str]], city: City) -> None:
    short = City(city.registry_rows, city.store, baseline=FROM_MARCH)
    states = kept(short)["baseline_states"]
    assert month_ends(FROM_MARCH) == [date(2024, 4, 1), date(2024, 5, 1), date(2024, 6, 1), date(2024, 6, 20)]
    assert {row["seen_from"] for row in states} == set(month_ends(FROM_MARCH))
    for day in month_ends(FROM_MARCH):
        assert seen_on(states, day) == measured_at(log, city, day, FROM_MARCH)


def test_month_ends_are_the_days_after_them() -> None:
    assert month_ends(YEAR_2024) == MONTHS
    assert month_ends(Period(date(2024, 12, 5), date(2025, 1, 1), "")) == [date(2025, 1, 1)]
    assert month_ends(Period(date(2024, 12, 5), date(2024, 12, 6), "")) == [date(2024, 12, 6)]


def test_only_changes_are_kept_and_the_last_one_stays(frozen: dict[str, Rows]) -> None:
    of: dict[str, Rows] = defaultdict(list)
    for row in frozen["baseline_states"]:
        of[row["dossier_id"]].append(row)
    for rows in of.values():
        rows.sort(key=lambda row: row["seen_from"])
        assert rows[-1]["seen_to"] == NEVER
        for one, other in pairwise(rows):
            assert one["seen_to"] == other["seen_from"]
            assert told(one) != told(other)
    assert 1 < sum(map(len, of.values())) / len(of) < 3


def test_stages_share_out_the_working_time_of_every_finished_dossier(
    log: list[dict[str, str]], city: City, frozen: dict[str, Rows]
) -> None:
    by_id = {row["dossier_id"]: row for row in frozen["baseline_dossiers"]}
    theirs: dict[Key, int] = defaultdict(int)
    for dossier in measure_dossiers(log, city.registry_rows, to=midnight(YEAR_2024.to)):
        row = by_id.get(dossier.dossier_id)
        if row is None:
            continue
        assert (row["working_seconds"], row["paused_seconds"]) == (dossier.working_seconds, dossier.paused_seconds)
        capped_from = row["working_seconds"] if row["working_seconds"] > row["cap_seconds"] else None
        cell = row["procedure_key"], row["unit_key"], row["receiving_unit_key"], row["ended_on"].replace(day=1)
        for part in stretches(dossier):
            if part.kind == "working" and part.open_seconds:
                theirs[*cell, part.stage, capped_from] += part.open_seconds
    ours = {
        (
            row["procedure_key"], row["unit_key"], row["receiving_unit_key"], row["month_on"], row["stage"],
            row["capped_from_seconds"],
        ): row["seconds"]
        for row in frozen["baseline_stages"]
    }  # fmt: skip
    assert ours == theirs
    assert sum(ours.values()) == sum(row["working_seconds"] for row in by_id.values())
    assert any(capped is not None for *_, capped in ours)


@pytest.mark.parametrize(
    ("side", "scope"), [("all", ""), ("resolving", "H24.07"), ("receiving", "HP-TT1"), ("field", "Đất đai")]
)
def test_a_question_sees_the_frozen_rows_of_its_own_dossiers(city: City, side: Any, scope: str) -> None:
    """States, stages and dossiers of one scope are about the same procedures and units."""
    as_of = midnight(date(2026, 1, 1))
    with city.judge(as_of) as judge:
        judge.evidence(
            city.question(as_of, Period(date(2025, 1, 1), date(2026, 1, 1), "2025"), side=side, scope_id=scope)
        )
        rows, states, stages = (
            judge.engine.query(f"SELECT * FROM {name}").to_pylist()
            for name in ("baseline_rows", "baseline_states", "baseline_stages")
        )
    assert list(states[0]) == [
        "dossier_id", "procedure_key", "unit_today", "received_on", "seen_from", "seen_to", "outcome",
        "working_seconds",
    ]  # fmt: skip
    assert list(stages[0]) == [
        "procedure_key", "unit_today", "month_on", "stage", "capped_from_seconds", "cap_seconds", "seconds"
    ]  # fmt: skip
    assert sum(row["seconds"] for row in stages) == sum(row["working_seconds"] for row in rows)
    ended = {row["dossier_id"]: row["working_seconds"] for row in rows}
    last = {row["dossier_id"]: row["working_seconds"] for row in states if row["seen_to"] == NEVER}
    both = ended.keys() & last.keys()
    assert len(both) > len(ended) * 0.8  # the others were received before 2024
    assert all(ended[dossier_id] == last[dossier_id] for dossier_id in both)
    got_result = {
        row["dossier_id"] for row in states if row["seen_to"] == NEVER and row["outcome"] in ("finished", "returned")
    }
    assert got_result <= ended.keys()
