"""The measure: the lake's live events → the table `dossiers` in the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from procmon.config import PolicySettings
from procmon.engine import Engine, sql_text
from procmon.errors import UsageProblem
from procmon.measure.heirs import unit_heirs
from procmon.measure.log import give_log
from procmon.tables import DAY, DOSSIERS, FIRST_DAY, INSTANT, LAST_DAY, OLD_LIMITS_ON, TEXT
from procmon.worktime import Calendars

POLICIES = ("supplement", "payment", "late_receipt")


@dataclass(frozen=True)
class Asked:
    """As of when, and under which policies, dossiers are measured.

    `as_of` is aware. A single instant sees events up to and with it; with `is_period_end` those before it only.
    `old_limits_on` is the day whose limits the on-time rate is told under as well (rulebook 7.3).
    `forced` policies hold for every procedure, over what the registry says ("what if").
    """

    as_of: datetime
    zone: str
    policies: PolicySettings
    is_period_end: bool = False
    old_limits_on: date = OLD_LIMITS_ON
    forced: Mapping[str, str] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """The one-row table `asked` that the SQL reads."""
        seen_before = self.as_of if self.is_period_end else self.as_of + timedelta(microseconds=1)
        columns = {
            "as_of": pa.array([self.as_of], INSTANT),
            "seen_before": pa.array([seen_before], INSTANT),
            "zone": pa.array([self.zone], TEXT),
            "old_limits_on": pa.array([self.old_limits_on], DAY),
        }
        for name in POLICIES:
            columns[name] = pa.array([getattr(self.policies, name)], TEXT)
            columns[f"forced_{name}"] = pa.array([self.forced.get(name)], TEXT)
        return pa.table(columns)


def measure(
    engine: Engine,
    asked: Asked,
    *,
    lake_files: Sequence[str],
    done: Sequence[int],
    live: Sequence[int],
    registry: Mapping[str, pa.Table],
    calendars: Calendars,
    keep: Collection[str] = (),
) -> None:
    """Make the table `dossiers` (tables.DOSSIERS, one row a dossier with an event seen) in the engine.

    Args:
        lake_files: Parquet files of the lake's events.
        done: the batches that the ledger lists; live: those of them that are not retracted.
        registry: the registry's tables `procedures`, `units` and `successions`.
        keep: those of INNER_STEPS that stay in the engine, for who reads them afterwards.

    `events` (every event seen, in order, with its place on the calendar) stays in the engine beside it, and so do
    `procedure_versions`, `unit_versions` and `unit_heirs`.
    Raises: UsageProblem for an as-of instant that calendars do not cover.
    """
    day = asked.as_of.astimezone(ZoneInfo(asked.zone)).date()
    if not FIRST_DAY <= day < LAST_DAY:
        raise UsageProblem(
            f"as of {day}: calendars cover the days from {FIRST_DAY} to before {LAST_DAY}",
            remedy="Choose an instant among them.",
        )
    give_log(engine, lake_files=lake_files, done=done, live=live)
    engine.give("asked", asked.table())
    engine.give("calendar_days", calendars.days)
    engine.give("calendar_minutes", calendars.minutes)
    engine.give("open_hours", calendars.hours)
    engine.give("procedures", registry["procedures"])
    engine.give("units", registry["units"])
    engine.steps(sql_text("measure", "units"))
    engine.give("unit_heirs", unit_heirs(engine.query("SELECT * FROM unit_versions"), registry["successions"]))
    _find_calendars(engine, calendars)
    engine.steps(sql_text("measure", "events"))
    engine.drop("seen", "live_rows")
    engine.steps(sql_text("measure", "facts"))
    engine.steps(sql_text("measure", "dossiers"))
    engine.drop(*(step for step in INNER_STEPS if step not in keep))


INNER_STEPS = (
    "firsts", "ends", "after_end", "refusals", "stated_dues", "dues", "bounds", "waits", "supplements", "clocks",
    "pauses", "limits", "terms", "judged", "due_instants", "due_opened", "roles", "territories", "same_grounds",
    "boundaries", "seconds", "ruled",
)  # fmt: skip
"""Steps that nobody reads afterwards, but where `measure` is told to keep them."""


def _find_calendars(engine: Engine, calendars: Calendars) -> None:
    """Make `dossier_calendars`: the dossiers whose resolving unit, else receiving unit, has a calendar of its own.

    Who that is may hang on the order of events, and this on the calendar where days are bare: so bare days stand on
    the default calendar for this one question. The log is put in order twice only where a unit has its own calendar.
    """
    engine.give("dossier_calendars", pa.table({"dossier_id": pa.array([], TEXT), "calendar_id": pa.array([], TEXT)}))
    if calendars.units.num_rows == 0:
        return
    engine.give("unit_calendars", calendars.units)
    engine.steps(sql_text("measure", "events"))
    engine.steps(sql_text("measure", "facts"))
    engine.step("dossier_calendars", DOSSIER_CALENDARS)


DOSSIER_CALENDARS = """
    SELECT r.dossier_id, u.calendar_id
    FROM roles AS r
    JOIN unit_calendars AS u ON u.unit_id = coalesce(r.resolving_unit_id, r.receiving_unit_id)
"""


def shown(engine: Engine) -> pa.Table:
    """The measured dossiers as Arrow (tables.DOSSIERS), by dossier_id."""
    return DOSSIERS.conform(engine.query("SELECT * FROM dossiers ORDER BY dossier_id NULLS FIRST"))
