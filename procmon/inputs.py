"""What a run sees: versions of lake, registry and calendar, the batches that count, the baseline, the policies.

`read_inputs` takes them as they stand now or as a recorded run saw them, `measured` lends an engine with every
dossier measured from them. The same inputs and as-of give the same figures, to the digit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import pyarrow as pa
from sqlalchemy import select
from sqlmodel import Session, col

from procmon import __version__, worktime
from procmon.config import PolicySettings
from procmon.engine import Engine
from procmon.errors import StoreError, UsageProblem
from procmon.measure import Asked, measure
from procmon.measure.stretches import NEEDED_STEPS, stretches
from procmon.store import ledger, registry
from procmon.store.workspace import Workspace
from procmon.tables import EVENTS, Period
from procmon.worktime import Calendars


@dataclass(frozen=True)
class Inputs:
    """Everything that figures depend on, but the as-of instant."""

    lake_version: int
    done: list[int]
    live: list[int]
    registry_version: int
    baseline: ledger.Baseline | None
    policies: PolicySettings
    registry: Mapping[str, pa.Table]
    calendars: Calendars
    forced: Mapping[str, str] = field(default_factory=dict)

    def digest(self, as_of: datetime) -> str:
        """A name for dossiers measured from these inputs as of `as_of`."""
        parts = [
            __version__, self.lake_version, self.live, self.registry_version, self.calendars.version,
            self.policies.model_dump(), dict(self.forced), as_of.isoformat(),
        ]  # fmt: skip
        return "dossiers-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def read_inputs(
    workspace: Workspace, run: ledger.Run | None = None, *, forced: Mapping[str, str] | None = None
) -> Inputs:
    """The inputs as they stand now, or as `run` saw them.

    Raises: StoreError where the calendar of that run can no longer be made (another version of `holidays`).
    """
    database = workspace.ledger_db
    version = run.registry_version if run else registry.version(database)
    tables = {kind: registry.read(database, kind, version=version) for kind in registry.KINDS}
    calendars = worktime.build(tables["calendar"], tables["opening_hours"])
    if run and calendars.version != run.calendar_version:
        raise StoreError(
            f"run {run.id} counted on calendar {run.calendar_version}, but this installation makes {calendars.version}",
            remedy=f"Repeat it with procmon {run.program_version} and the packages of its lock file.",
        )
    settings = workspace.settings.policies
    return Inputs(
        lake_version=run.lake_version or 0 if run else workspace.lake.version(EVENTS),
        done=ledger.done_batches(database),
        live=ledger.parse_batches(run.batches) if run else ledger.live_batches(database),
        registry_version=version,
        baseline=find_baseline(workspace, run.baseline_id if run else None, newest=run is None),
        policies=PolicySettings(**json.loads(run.settings)["policies"]) if run else settings,
        registry=tables,
        calendars=calendars,
        forced=forced or {},
    )


def find_baseline(workspace: Workspace, number: int | None, *, newest: bool) -> ledger.Baseline | None:
    """Baseline `number`, or the newest one that is published; None where there is none."""
    wanted = select(ledger.Baseline).where(col(ledger.Baseline.status) == "done")
    if not newest:
        wanted = wanted.where(col(ledger.Baseline.id) == number)
    with Session(workspace.ledger_db) as session:
        return session.scalars(wanted.order_by(col(ledger.Baseline.id).desc())).first()


@contextmanager
def engine_of(workspace: Workspace) -> Iterator[Engine]:
    """An engine under the workspace's limits; what outgrows memory goes to the workspace's scratch folder."""
    with workspace.scratch() as scratch, Engine(workspace.settings.engine, scratch) as engine:
        yield engine


@contextmanager
def measured(
    workspace: Workspace, inputs: Inputs, as_of: datetime, *, is_period_end: bool = False,
    keep: Collection[str] = (), with_stretches: bool = False,
) -> Iterator[Engine]:  # fmt: skip
    """An engine in which every dossier is measured as of `as_of`; it is gone afterwards.

    `keep`: see `measure`. `with_stretches` makes the table `stretches` beside `dossiers`: what stages are told from.
    """
    settings = workspace.settings
    asked = Asked(
        as_of, settings.workspace.timezone, inputs.policies, is_period_end=is_period_end, forced=inputs.forced
    )
    with engine_of(workspace) as engine:
        measure(
            engine,
            asked,
            lake_files=workspace.lake.files(EVENTS, inputs.lake_version),
            done=inputs.done,
            live=inputs.live,
            registry=inputs.registry,
            calendars=inputs.calendars,
            keep={*keep, *NEEDED_STEPS} if with_stretches else keep,
        )
        if with_stretches:
            stretches(engine)
            engine.drop(*(step for step in NEEDED_STEPS if step not in keep))
        yield engine


def midnight(workspace: Workspace, day: date) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(day, time.min, tzinfo=workspace.settings.zone)


def period_moment(workspace: Workspace, period: Period, latest: datetime) -> tuple[datetime, bool]:
    """(as of when, whether that is the period's end): as of its end, or of `latest` while it still runs.

    Raises: UsageProblem for a period that has not begun by then.
    """
    if latest < midnight(workspace, period.from_):
        raise UsageProblem(
            f"the period from {period.from_} to {period.to} has not begun by {latest:%Y-%m-%d %H:%M}",
            remedy="Ask for an earlier period, or a later --as-of.",
        )
    end = midnight(workspace, period.to)
    return (latest, False) if latest < end else (end, True)


def is_end_of(workspace: Workspace, period: Period, as_of: datetime) -> bool:
    """Whether a period ends at `as_of`: then it sees what happened before that instant, not at it (rulebook 3)."""
    return as_of == midnight(workspace, period.to)


def find_run(workspace: Workspace, number: int | None = None) -> ledger.Run | None:
    """Run `number`, or the newest done one; None where there is none yet.

    Raises: UsageProblem for a number that is no done run.
    """
    run = next((run for run in done_runs(workspace) if number in (None, run.id)), None)
    if run is None and number is not None:
        raise UsageProblem(f"there is no done run {number}", remedy="See `procmon show runs`.")
    return run


def done_runs(workspace: Workspace) -> list[ledger.Run]:
    """The runs that are done, newest first."""
    done = select(ledger.Run).where(col(ledger.Run.status) == "done").order_by(col(ledger.Run.id).desc())
    with Session(workspace.ledger_db) as session:
        return list(session.scalars(done))


def nightly_period(as_of: datetime) -> Period:
    """The days that the pages of a run as of that instant are of: its month so far; `as_of` is in the office's zone."""
    return closed_period("daily", day_after(as_of))


def day_after(as_of: datetime) -> date:
    """The local day after the last that an as-of instant saw something of; `as_of` is in the office's zone."""
    return (as_of - timedelta(microseconds=1)).date() + timedelta(days=1)


def read_period(text: str) -> Period:
    """A named period: `2025`, `2025-Q2`, `2025-05`, or the reporting month `2025-05/15` (15 April to 14 May).

    Raises: UsageProblem for anything else.
    """
    try:
        return _period(text)
    except ValueError as error:
        raise UsageProblem(f"'{text}' is not a period", remedy="Write 2025, 2025-Q2, 2025-05 or 2025-05/15.") from error


def _period(text: str) -> Period:
    if not re.fullmatch(r"\d{4}(-Q[1-4]|-\d{2}(/15)?)?", text, re.ASCII):
        raise ValueError(text)
    if text.endswith("/15"):
        to = date.fromisoformat(text.removesuffix("/15") + "-15")
        return Period(first_of_month(first_of_month(to, 0), -1).replace(day=15), to, text)
    year, _, rest = text.partition("-")
    if not rest:
        return Period(date(int(year), 1, 1), date(int(year) + 1, 1, 1), text)
    if rest.startswith("Q"):
        first = date(int(year), int(rest[1]) * 3 - 2, 1)
        return Period(first, first_of_month(first, 3), text)
    first = date.fromisoformat(f"{text}-01")
    return Period(first, first_of_month(first, 1), text)


def first_of_month(day: date, months: int) -> date:
    """The first day of the month `months` after the day's own."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def closed_period(schedule: str, tomorrow: date) -> Period:
    """The newest period of a schedule that has ended by the start of `tomorrow`; `daily` is the day before."""
    if schedule == "daily":
        day = date.fromordinal(tomorrow.toordinal() - 1)
        return Period(first_of_month(day, 0), tomorrow, day.isoformat())
    if schedule == "monthly":
        return read_period(f"{first_of_month(tomorrow, -1):%Y-%m}")
    if schedule == "reporting_month":
        ended = tomorrow if tomorrow.day >= 15 else first_of_month(tomorrow, -1)
        return read_period(f"{ended:%Y-%m}/15")
    if schedule == "quarterly":
        first = first_of_month(tomorrow, -((tomorrow.month - 1) % 3) - 3)
        return read_period(f"{first.year}-Q{(first.month + 2) // 3}")
    return read_period(str(tomorrow.year - 1))
