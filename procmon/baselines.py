"""Frozen baselines: published, looked at, compared, and held against what has come since (rulebook 7e)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from procmon import __version__, worktime
from procmon.engine import Engine
from procmon.errors import UsageProblem
from procmon.inputs import Inputs, engine_of, find_baseline, measured, midnight, read_inputs
from procmon.judge import Frozen, freeze
from procmon.measure.log import give_log
from procmon.store import ledger, registry
from procmon.store.database import writing
from procmon.store.workspace import Workspace
from procmon.tables import BASELINE_DOSSIERS, BASELINE_STATES, DAY, EVENTS, INSTANT, INT, Period, Table
from procmon.unit_calendars import DEFAULT

BY_PROCEDURE = """
    SELECT procedure_key AS procedure_id, count(*) AS n_dossiers,
        CAST(sum(least(working_seconds, cap_seconds)) AS BIGINT) AS seconds, max(cap_seconds) AS cap_seconds
    FROM frozen WHERE baseline_id = (SELECT c.baseline_id FROM chosen AS c)
    GROUP BY procedure_key ORDER BY procedure_key NULLS FIRST
"""
IS_THERE = "SELECT count(*) > 0 AS found FROM frozen WHERE baseline_id = (SELECT c.baseline_id FROM chosen AS c)"
BROUGHT = """
    SELECT l.batch_id, count(*) AS n_events
    FROM lake AS l
    CROSS JOIN edge AS e
    WHERE l.batch_id IN (SELECT b.batch_id FROM later AS b)
        AND coalesce(l.occurred_at < e.ends_at, l.occurred_on < e.ends_on)
    GROUP BY l.batch_id
"""
ENDED = """
    SELECT count(*) > 0 AS found
    FROM lake AS l
    SEMI JOIN live_rows USING (batch_id, row_no)
    CROSS JOIN edges AS e
    WHERE l.status IN ('finished', 'returned')
        AND coalesce(
            l.occurred_at >= e.begins_at AND l.occurred_at < e.ends_at,
            l.occurred_on >= e.begins_on AND l.occurred_on < e.ends_on
        )
"""
MEASURED_BY = {
    "procedures": (
        "procedure_id", "limit_amount", "limit_unit", "valid_from", "valid_to", "supplement", "payment", "late_receipt",
    ),
    "units": ("unit_id", "valid_from", "valid_to"),
}  # fmt: skip
"""The registry's columns that a baseline's rows depend on."""


# ---- publish


def publish(
    workspace: Workspace, period: Period, *, now: datetime, say: Callable[[str], None] = lambda _: None
) -> ledger.Baseline:
    """Freeze a period's dossiers as the baseline of every run from now on (rulebook 7e); older ones are kept.

    `say` hears how far it is: every month's end is measured by itself.
    Raises: UsageProblem where the period is not over, or no dossier was finished in it.
    """
    today = now.astimezone(workspace.settings.zone).date()
    if period.to > today:
        raise UsageProblem(
            f"the baseline would end with {period.to} (excluded), but today is {today}: its last days are to come",
            remedy=f"Freeze only days that are over: `--to {today}` or earlier.",
        )
    with workspace.lock():
        workspace.settle()
        seen = read_inputs(workspace)
        frozen = _freeze(workspace, seen, period, today, say) if _has_ends(workspace, seen, period) else None
        if frozen is None or frozen.dossiers.num_rows == 0:
            raise UsageProblem(
                f"no dossier was finished from {period.from_} to {period.to} (excluded)",
                remedy="Ingest the log of that time first: `procmon ingest FILE`.",
            )
        baseline = _new_baseline(workspace, seen, period, now)
        for table, rows in frozen.tables.items():
            ids = pa.array([baseline.id] * rows.num_rows, pa.int64())
            workspace.lake.append(table, rows.add_column(0, "baseline_id", ids), f"baseline-{baseline.id}")
        first, p99 = frozen.log_begins_on, frozen.p99_seconds
        if first is None or p99 is None:
            raise AssertionError("finished dossiers were received and have a time")
        baseline.status, baseline.n_dossiers = "done", frozen.dossiers.num_rows
        baseline.log_begins_on, baseline.p99_days = first, p99 / 28800
        baseline.is_complete = _open_seconds(seen, first, period.from_) >= p99
        with writing(workspace.ledger_db) as session:
            session.add(baseline)
    return baseline


def _has_ends(workspace: Workspace, seen: Inputs, period: Period) -> bool:
    """Whether the log has an end with a result in the period: without one, no month need be measured."""
    with engine_of(workspace) as engine:
        lake_files = workspace.lake.files(EVENTS, seen.lake_version)
        give_log(engine, lake_files=lake_files, done=seen.done, live=seen.live)
        edges = {
            "begins_at": pa.array([midnight(workspace, period.from_)], INSTANT),
            "ends_at": pa.array([midnight(workspace, period.to)], INSTANT),
            "begins_on": pa.array([period.from_], DAY),
            "ends_on": pa.array([period.to], DAY),
        }
        engine.give("edges", pa.table(edges))
        return bool(engine.query(ENDED).to_pylist()[0]["found"])


def _freeze(workspace: Workspace, seen: Inputs, period: Period, today: date, say: Callable[[str], None]) -> Frozen:
    @contextmanager
    def measured_at(day: date) -> Iterator[Engine]:
        at = midnight(workspace, day)
        with measured(workspace, seen, at, is_period_end=True, with_stretches=day == period.to) as engine:
            yield engine

    with workspace.scratch() as scratch:
        return freeze(measured_at, period, published_on=today, scratch=scratch, say=say)


def _new_baseline(workspace: Workspace, seen: Inputs, period: Period, now: datetime) -> ledger.Baseline:
    baseline = ledger.Baseline(
        published_at=now,
        baseline_from=period.from_,
        baseline_to=period.to,
        lake_version=seen.lake_version,
        batches=ledger.format_batches(seen.live),
        registry_version=seen.registry_version,
        calendar_version=seen.calendars.version,
        program_version=__version__,
        settings=json.dumps({"policies": seen.policies.model_dump()}),
    )
    with writing(workspace.ledger_db) as session:
        session.add(baseline)
    return baseline


def _open_seconds(seen: Inputs, first: date, last: date) -> int:
    """Open time between two midnights on the default calendar."""
    days = {
        row["day"]: row["open_before"]
        for row in seen.calendars.days.to_pylist()
        if row["calendar_id"] == "default" and row["day"] in (first, last)
    }
    return int(days[last] - days[first]) if first < last else 0


# ---- look at


def find(workspace: Workspace, number: int | None) -> ledger.Baseline:
    """A published baseline (default: the newest). Raises: UsageProblem where there is no such baseline."""
    baseline = find_baseline(workspace, number, newest=number is None)
    if baseline is None:
        raise UsageProblem(
            "no baseline is published" if number is None else f"there is no baseline {number}",
            remedy="Publish one with `procmon baseline publish`.",
        )
    return baseline


def show(workspace: Workspace, number: int | None) -> tuple[ledger.Baseline, pa.Table]:
    """A baseline (default: the newest) and its procedures: n, capped mean and cap in minutes.

    Raises: UsageProblem where there is no such baseline.
    """
    baseline = find(workspace, number)
    rows = [_shown(row) for row in _by_procedure(workspace, baseline)]
    return baseline, pa.table(
        {
            "procedure_id": pa.array([row["procedure_id"] for row in rows], pa.string()),
            "n_dossiers": pa.array([row["n_dossiers"] for row in rows], pa.int64()),
            "mean_minutes": pa.array([row["mean_minutes"] for row in rows], pa.float64()),
            "cap_minutes": pa.array([row["cap_minutes"] for row in rows], pa.float64()),
        }
    )


def has_states(workspace: Workspace, baseline: ledger.Baseline) -> bool:
    """Whether a baseline kept what it received month by month: those of release 0.1 did not."""
    return bool(_of_baseline(workspace, baseline, BASELINE_STATES, IS_THERE)[0]["found"])


def inputs_of(baseline: ledger.Baseline) -> dict[str, str]:
    """What a baseline was measured from, each input with its version."""
    policies = json.loads(baseline.settings).get("policies", {})
    return {
        "batches": baseline.batches,
        "lake": str(baseline.lake_version),
        "registry": str(baseline.registry_version),
        "calendar": baseline.calendar_version,
        "policies": " ".join(f"{name}={policies[name]}" for name in ("supplement", "payment", "late_receipt")),
        "program": baseline.program_version,
    }


def _by_procedure(workspace: Workspace, baseline: ledger.Baseline) -> list[dict[str, Any]]:
    return _of_baseline(workspace, baseline, BASELINE_DOSSIERS, BY_PROCEDURE)


def _of_baseline(workspace: Workspace, baseline: ledger.Baseline, table: Table, select: str) -> list[dict[str, Any]]:
    with engine_of(workspace) as engine:
        engine.give_files("frozen", workspace.lake.files(table), table.schema)
        engine.give("chosen", pa.table({"baseline_id": pa.array([baseline.id], INT)}))
        rows: list[dict[str, Any]] = engine.query(select).to_pylist()
    return rows


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "procedure_id": row["procedure_id"],
        "n_dossiers": row["n_dossiers"],
        "mean_minutes": round(row["seconds"] / row["n_dossiers"] / 60, 3),
        "cap_minutes": round(row["cap_seconds"] / 60, 3),
    }


# ---- compare


@dataclass(frozen=True)
class Change:
    """What differs from one baseline to another.

    `means` are both sides' capped means in minutes at the first one's mix, over the `n_both` procedures that both
    have; None where there is none. `procedures` are those that moved, with both sides' figures: empty where a side
    lacks the procedure.
    """

    before: ledger.Baseline
    after: ledger.Baseline
    procedures: pa.Table
    n_procedures: int
    n_both: int
    n_caps: int
    means: tuple[float, float] | None
    inputs: list[str]


def compare(workspace: Workspace, before: int, after: int) -> Change:
    """What moved from one baseline to another: dossiers, means, caps, inputs. Raises: UsageProblem (`find`)."""
    baselines = find(workspace, before), find(workspace, after)
    sides = [{row["procedure_id"]: row for row in _by_procedure(workspace, side)} for side in baselines]
    codes = sorted({*sides[0], *sides[1]})
    both = [code for code in codes if code in sides[0] and code in sides[1]]
    moved = [code for code in codes if sides[0].get(code) != sides[1].get(code)]
    columns: dict[str, pa.Array] = {"procedure_id": pa.array(moved, pa.string())}
    said = [{code: _shown(row) for code, row in side.items()} for side in sides]
    for name, kind in (("n_dossiers", pa.int64()), ("mean_minutes", pa.float64()), ("cap_minutes", pa.float64())):
        for side, when in zip(said, ("before", "after"), strict=True):
            columns[f"{name}_{when}"] = pa.array([side.get(code, {}).get(name) for code in moved], kind)
    return Change(
        *baselines,
        procedures=pa.table(columns),
        n_procedures=len(codes),
        n_both=len(both),
        n_caps=sum(sides[0][code]["cap_seconds"] != sides[1][code]["cap_seconds"] for code in both),
        means=_at_first_mix(sides[0], sides[1], both),
        inputs=_differing_inputs(*baselines),
    )


def _at_first_mix(
    before: Mapping[str, Any], after: Mapping[str, Any], codes: Iterable[str]
) -> tuple[float, float] | None:
    weights = {code: before[code]["n_dossiers"] for code in codes}
    if not weights:
        return None

    def mean_minutes(side: Mapping[str, Any]) -> float:
        total = sum(n * Fraction(side[code]["seconds"], side[code]["n_dossiers"]) for code, n in weights.items())
        return float(total / sum(weights.values()) / 60)

    return mean_minutes(before), mean_minutes(after)


def _differing_inputs(before: ledger.Baseline, after: ledger.Baseline) -> list[str]:
    """In words, each input that is not the same."""
    old, new = (set(ledger.parse_batches(baseline.batches)) for baseline in (before, after))
    found = []
    if (before.baseline_from, before.baseline_to) != (after.baseline_from, after.baseline_to):
        periods = [f"{b.baseline_from} to {b.baseline_to} (excluded)" for b in (before, after)]
        found.append(f"period: {periods[0]} → {periods[1]}")
    if new - old:
        found.append(f"batches added: {ledger.format_batches(new - old)}")
    if old - new:
        found.append(f"batches no longer counted: {ledger.format_batches(old - new)}")
    was, now = inputs_of(before), inputs_of(after)
    return found + [
        f"{name}: {was[name]} → {now[name]}"
        for name in ("registry", "calendar", "policies", "program")
        if was[name] != now[name]
    ]


# ---- what has moved since


def moved_inputs(workspace: Workspace, baseline: ledger.Baseline) -> list[str]:
    """In words, each input of a baseline that would give another one if it were published now; empty: none.

    That is batches with events before its end that count only since, and changes of registry, calendar and policies
    that reach back before its end. Retracted batches are the ledger's to tell: they are not among these.
    """
    seen = read_inputs(workspace)
    return [
        *_brought_since(workspace, baseline, seen),
        *_registry_since(workspace, baseline, seen),
        *_calendar_since(workspace, baseline, seen),
        *_policies_since(baseline, seen),
    ]


def _brought_since(workspace: Workspace, baseline: ledger.Baseline, seen: Inputs) -> Iterator[str]:
    later = sorted(set(seen.live) - set(ledger.parse_batches(baseline.batches)))
    if not later:
        return
    with engine_of(workspace) as engine:
        engine.give_files("lake", workspace.lake.files(EVENTS, seen.lake_version), EVENTS.schema)
        engine.give("later", pa.table({"batch_id": pa.array(later, INT)}))
        ends_at = pa.array([midnight(workspace, baseline.baseline_to)], INSTANT)
        engine.give("edge", pa.table({"ends_at": ends_at, "ends_on": pa.array([baseline.baseline_to], DAY)}))
        brought = {row["batch_id"]: row["n_events"] for row in engine.query(BROUGHT).to_pylist()}
    if brought:
        yield (
            f"{sum(brought.values())} events from before {baseline.baseline_to} came with batches that count only "
            f"since: {ledger.format_batches(brought)}"
        )


def _registry_since(workspace: Workspace, baseline: ledger.Baseline, seen: Inputs) -> Iterator[str]:
    if seen.registry_version == baseline.registry_version:
        return
    edge = baseline.baseline_to
    for kind in MEASURED_BY:
        then = registry.read(workspace.ledger_db, kind, version=baseline.registry_version)
        moved = _reaching(kind, then, edge) ^ _reaching(kind, seen.registry[kind], edge)
        if moved:
            yield (
                f"registry version {baseline.registry_version} → {seen.registry_version}: "
                f"{len({row[0] for row in moved})} {kind} differ before {edge}"
            )


def _reaching(kind: str, rows: pa.Table, edge: date) -> set[tuple[object, ...]]:
    """What the versions that began before a day say of the time before it."""
    found = set()
    for row in rows.select(MEASURED_BY[kind]).to_pylist():
        if row["valid_from"] is None or row["valid_from"] < edge:
            is_open = row["valid_to"] is None or row["valid_to"] >= edge
            found.add(tuple((row | {"valid_to": None if is_open else row["valid_to"]}).values()))
    return found


def _calendar_since(workspace: Workspace, baseline: ledger.Baseline, seen: Inputs) -> Iterator[str]:
    if seen.calendars.version == baseline.calendar_version:
        return
    read = {
        kind: registry.read(workspace.ledger_db, kind, version=baseline.registry_version)
        for kind in ("calendar", "opening_hours")
    }
    then = worktime.build(read["calendar"], read["opening_hours"])
    is_known = then.version == baseline.calendar_version  # else: another release of `holidays` made it
    if is_known and _open_until(then, baseline.baseline_to) == _open_until(seen.calendars, baseline.baseline_to):
        return
    yield f"calendar {baseline.calendar_version} → {seen.calendars.version}"


def _open_until(calendars: worktime.Calendars, edge: date) -> dict[str, pa.Table]:
    """The days before `edge` of the default calendar, and of each unit for which they are not the same."""
    before = calendars.days.filter(pc.less(calendars.days["day"], pa.scalar(edge)))
    shown = ["day", "open_before", "opens_second", "closes_second"]
    days_of = {
        name: before.filter(pc.equal(before["calendar_id"], name)).select(shown)
        for name in {DEFAULT, *calendars.units["calendar_id"].to_pylist()}
    }
    default = days_of[DEFAULT]
    units = {row["unit_id"]: days_of[row["calendar_id"]] for row in calendars.units.to_pylist()}
    return {"": default} | {unit_id: days for unit_id, days in units.items() if days != default}


def _policies_since(baseline: ledger.Baseline, seen: Inputs) -> Iterator[str]:
    then = json.loads(baseline.settings).get("policies", {})
    for name in ("supplement", "payment", "late_receipt"):
        if name in then and then[name] != getattr(seen.policies, name):
            yield f"policy {name}: {then[name]} → {getattr(seen.policies, name)}"
