"""`show dossiers` again, one dossier at a time (rulebook 1 to 6 and the cross-boundary rule of 8).

`show_dossiers(event_rows, registry, as_of=…)` or `(…, to=…)` gives the cells of design 5 as text.
`measure_dossiers` gives the same dossiers with their measures as Python values, for the other figures.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from .clock import (
    ZONE,
    Calendar,
    Calendars,
    Moment,
    Row,
    cut,
    is_bare,
    local,
    read_day,
    read_moment,
    stored,
    table,
)

STATUSES = [
    "submitted",
    "received",
    "refused",
    "processing",
    "supplement_requested",
    "payment_requested",
    "withdrawn",
    "stopped",
    "finished",
    "returned",
]
OPEN = {"received", "processing", "supplement_requested", "payment_requested"}
ENDS = ["finished", "returned", "stopped", "withdrawn", "refused"]  # the first of these found is the outcome

CANONICAL = [
    "dossier_id",
    "status",
    "occurred_at",
    "procedure_id",
    "unit_id",
    "due_at",
    "receiving_unit_id",
    "resolving_unit_id",
    "returning_unit_id",
    "applicant_unit_id",
    "channel",
    "stage",
    "applicant_id",
    "handler_id",
    "reason",
    "recorded_at",
]
# What an amendment may add to its event, in the order that ranks two rows of one event.
AMENDABLE = [
    "procedure_id",
    "receiving_unit_id",
    "resolving_unit_id",
    "returning_unit_id",
    "applicant_unit_id",
    "channel",
    "applicant_id",
    "handler_id",
    "reason",
    "recorded_at",
]
COLUMNS = [
    "dossier_id",
    "procedure_id",
    "outcome",
    "received_at",
    "ended_at",
    "working_minutes",
    "paused_minutes",
    "elapsed_minutes",
    "n_supplements",
    "n_due_moves",
    "first_due_at",
    "current_due_at",
    "computed_due_at",
    "judged_due_at",
    "on_time_766",
    "class_06",
    "is_reopened",
    "receiving_unit_id",
    "resolving_unit_id",
    "returning_unit_id",
    "applicant_unit_id",
    "channel",
    "is_cross_boundary",
    "reception_minutes",
    "return_minutes",
]


# ---- events


@dataclass(frozen=True)
class Event:
    """One step of a dossier, its amendments folded in; `at` is known once bare days are resolved."""

    status: str
    occurred: Moment
    unit_id: str
    stage: str
    due: Moment | None
    texts: dict[str, str]  # the amendable columns
    at: datetime = datetime.min

    @property
    def day(self) -> date:
        return self.at.date()

    def resolved(self, at: datetime) -> "Event":
        return Event(self.status, self.occurred, self.unit_id, self.stage, self.due, self.texts, at)

    def rank(self) -> tuple[Any, ...]:
        """The total order of a dossier's events (rulebook 1)."""
        return (
            self.at,
            STATUSES.index(self.status),
            self.unit_id.encode(),
            self.stage.encode(),
            stored(self.due),
            not is_bare(self.occurred),
            *(self.texts[column].encode() for column in AMENDABLE),
        )


def fold_amendments(rows: Iterable[Row]) -> list[Event]:
    """One event for the rows of a dossier that agree in status, instant, unit, stage and due date."""
    same_event: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        occurred, due = read_moment(row["occurred_at"]), read_moment(row.get("due_at", ""))
        same_event[row["status"], stored(occurred), row.get("unit_id", ""), row.get("stage", ""), stored(due)].append(
            row
        )
    return [_folded(group) for group in same_event.values()]


def _folded(rows: list[Row]) -> Event:
    ranked = sorted(rows, key=lambda row: [_stored_text(row, column).encode() for column in AMENDABLE])
    first = ranked[0]
    occurred = read_moment(first["occurred_at"])
    assert occurred is not None
    return Event(
        first["status"],
        occurred,
        first.get("unit_id", ""),
        first.get("stage", ""),
        read_moment(first.get("due_at", "")),
        {column: _first_stated(_stored_text(row, column) for row in ranked) for column in AMENDABLE},
    )


def _stored_text(row: Row, column: str) -> str:
    text = row.get(column, "") or ""
    return stored(read_moment(text)) if column == "recorded_at" else text


def _first_stated(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def in_order(events: Iterable[Event], calendar: Calendar) -> list[Event]:
    """Events with their bare days resolved on a calendar, in the total order.

    The receipt is the first one of the whole dossier: what is seen as of an instant comes later.
    """
    resolved = [event.resolved(_instant(event, calendar)) for event in events]
    received_at = min((event.at for event in resolved if event.status == "received"), default=None)
    return sorted((_not_before_receipt(event, received_at) for event in resolved), key=Event.rank)


def _instant(event: Event, calendar: Calendar) -> datetime:
    if isinstance(event.occurred, datetime):
        return event.occurred
    if event.status in ("submitted", "received"):
        return calendar.opening(event.occurred)
    return calendar.closing(event.occurred)


def _not_before_receipt(event: Event, received_at: datetime | None) -> Event:
    if received_at is None or not is_bare(event.occurred) or event.occurred != received_at.date():
        return event
    return event.resolved(max(event.at, received_at))


# ---- what a run of ordered events says


def first_received(events: Sequence[Event]) -> Event | None:
    return next((event for event in events if event.status == "received"), None)


def end_event(events: Sequence[Event]) -> Event | None:
    """The event that ended the dossier: the best end after the last event of group open."""
    last_open = max((n for n, event in enumerate(events) if event.status in OPEN), default=-1)
    tail = events[last_open + 1 :]
    for status in ENDS:
        for event in tail:
            if event.status == status:
                return event
    return None


def stating(events: Sequence[Event], column: str) -> tuple[str, date | None]:
    """The first non-empty value of a dossier's attribute, and the day of the event that states it."""
    for event in events:
        if event.texts[column]:
            return event.texts[column], event.day
    return "", None


def stating_receiving_unit(events: Sequence[Event]) -> tuple[str, date | None]:
    """The receiving unit as stated, else the holder at receipt, else the one that refused at reception."""
    code, day = stating(events, "receiving_unit_id")
    if code:
        return code, day
    if first_received(events) is not None:
        held_at = "received"
    elif (end := end_event(events)) is not None and end.status == "refused":
        held_at = "refused"
    else:
        return "", None
    return next(((e.unit_id, e.day) for e in events if e.status == held_at and e.unit_id), ("", None))


def is_reopened(events: Sequence[Event]) -> bool:
    has_received = has_ended = False
    for event in events:
        if event.status == "received":
            has_received = True
        if has_ended and event.status in OPEN:
            return True
        if has_received and event.status in ENDS:
            has_ended = True
    return False


def waits(events: Sequence[Event], status: str, end: datetime) -> list[tuple[datetime, datetime]]:
    """From each event of a waiting status to the next event, the last one to `end`."""
    nexts = [event.at for event in events[1:]] + [end]
    return [(event.at, until) for event, until in zip(events, nexts, strict=True) if event.status == status]


def open_seconds_within(
    calendar: Calendar, stretches: list[tuple[datetime, datetime]], start: datetime, end: datetime
) -> int:
    """Open time of stretches that do not overlap, clipped to [start, end)."""
    return sum(calendar.open_seconds(max(since, start), min(until, end)) for since, until in stretches)


# ---- the registry: procedures and units


def national_part(procedure_id: str) -> str:
    return ".".join(procedure_id.split(".")[:2])


def version_on(rows: Iterable[Row], day: date) -> Row | None:
    """The version in force on a day: a version ends where the next begins, or at its `valid_to`, excluded."""
    begun = [row for row in rows if read_day(row["valid_from"]) <= day]
    if not begun:
        return None
    latest = max(begun, key=lambda row: read_day(row["valid_from"]))
    return latest if day < read_day(latest.get("valid_to", ""), empty=date.max) else None


class Registry:
    """Procedures and units of a registry, by code."""

    def __init__(self, tables: Any) -> None:
        self.procedures = _by(table(tables, "procedures"), "procedure_id")
        self.units = _by(table(tables, "units"), "unit_id")
        self.successions = table(tables, "successions")

    def registered_id(self, procedure_id: str) -> str:
        """The registry's id for a dossier's procedure: the full code, else its national part, else ''."""
        for candidate in (procedure_id, national_part(procedure_id)):
            if candidate in self.procedures:
                return candidate
        return ""

    def procedure_on(self, procedure_id: str, day: date) -> Row | None:
        return version_on(self.procedures.get(self.registered_id(procedure_id), []), day)

    def unit_on(self, unit_id: str, day: date) -> Row | None:
        return version_on(self.units.get(unit_id, []), day)


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[column]].append(row)
    return dict(grouped)


@dataclass(frozen=True)
class Policies:
    supplement: str = "pause"
    payment: str = "run"
    late_receipt: str = "none"


def policies_of(version: Row | None) -> Policies:
    stated = version or {}
    return Policies(
        stated.get("supplement") or "pause",
        stated.get("payment") or "run",
        stated.get("late_receipt") or "none",
    )


def effective_receipt(received_at: datetime, policy: str, calendar: Calendar) -> datetime:
    """Where the clock starts: for a receipt too late in the day, the next opening of a later day."""
    if policy == "none":
        return received_at
    is_late = received_at.time() > time.fromisoformat(policy)
    if is_late or not calendar.is_open(received_at.date()):
        return calendar.opening(calendar.next_working_day(received_at.date()))
    return received_at


# ---- territories (rulebook 8)


@dataclass(frozen=True)
class Territory:
    """Whose ground a unit stands on; `level` is '' where the registry does not know the unit."""

    key: tuple[str, str]
    level: str  # city, district, commune or ''
    stated_on: date = field(default=date.min, compare=False)


def territory(registry: Registry, unit_id: str, day: date) -> Territory:
    unit = registry.unit_on(unit_id, day)
    if unit is None:
        return Territory((unit_id, ""), "", day)
    if unit["kind"] in ("city", "department"):
        return Territory(("city", ""), "city", day)
    if unit["kind"] == "centre":
        parent = unit.get("parent_unit_id", "")
        return territory(registry, parent, day) if parent else Territory((unit_id, ""), "", day)
    return Territory((unit_id, unit["valid_from"]), "district" if unit["kind"] == "district" else "commune", day)


def differs(registry: Registry, one: Territory | None, other: Territory | None) -> bool | None:
    """Whether two territories differ; None where it cannot be told.

    One stated on an earlier day is first seen as what had become of it by the later day.
    """
    if one is None or other is None:
        return None
    if one == other:
        return False
    if not one.level or not other.level:
        return None
    earlier, later = sorted((one, other), key=lambda ground: ground.stated_on)
    is_whole = is_taken_whole(registry, earlier.key, later.stated_on)
    if is_whole and became(registry, earlier.key, later.stated_on) == {later.key}:
        return False
    gone_since = takers(registry, earlier.key, later.stated_on, after=earlier.stated_on)
    may_be = {last for new, _ in gone_since for last in became(registry, new, later.stated_on)}
    return None if later.key in may_be else True  # what a unit keeps after a part of it went is not the other's


def takers(
    registry: Registry, unit: tuple[str, str], day: date, after: date = date.min
) -> list[tuple[tuple[str, str], str]]:
    """Who had taken over a unit (code, valid from) after one day and by another, each with the extent."""
    found = []
    for row in registry.successions:
        on = read_day(row["effective_on"])
        old = registry.unit_on(row["old_unit_id"], on - timedelta(days=1))
        if after < on <= day and unit == (row["old_unit_id"], (old or {}).get("valid_from", "")):
            new = registry.unit_on(row["new_unit_id"], on)
            found.append(((row["new_unit_id"], (new or {}).get("valid_from", "")), row["extent"]))
    return found


def became(registry: Registry, unit: tuple[str, str], day: date) -> set[tuple[str, str]]:
    """The units that stand for a unit on a day: itself, or in the end all that took it or a part of it over."""
    onward = [new for new, _ in takers(registry, unit, day)]
    return {unit} if not onward else {last for new in onward for last in became(registry, new, day)}


def is_taken_whole(registry: Registry, unit: tuple[str, str], day: date) -> bool:
    onward = takers(registry, unit, day)
    if not onward:
        return True
    return len(onward) == 1 and onward[0][1] == "whole" and is_taken_whole(registry, onward[0][0], day)


def either(one: bool | None, other: bool | None) -> bool | None:
    """Three-valued or."""
    if one or other:
        return True
    return None if one is None or other is None else False


def is_filed_outside_residence(
    registry: Registry, receiving: Territory | None, applicant: Territory | None
) -> bool | None:
    """Whether a commune-level point received somebody who lives elsewhere."""
    if receiving is not None and receiving.level in ("city", "district"):
        return False
    if applicant is not None and applicant.level in ("city", "district"):
        return None  # they may live in that very commune
    return differs(registry, receiving, applicant)


# ---- a dossier


@dataclass(frozen=True)
class Dossier:
    """A dossier as of an instant, in Python values; durations in seconds, None for none."""

    dossier_id: str
    events: list[Event]  # those seen
    calendar: Calendar
    procedure_id: str
    registered_id: str  # of the procedure, '' if unknown
    version: Row | None  # of the procedure, on the day of receipt
    outcome: str
    received_at: datetime | None
    end: Event | None
    measured_to: datetime
    working_seconds: int | None
    paused_seconds: int | None
    elapsed_seconds: int | None
    reception_seconds: int | None
    return_seconds: int | None
    index_seconds: int | None  # as the national index counts: less supplement pauses, whatever the policies
    n_supplements: int
    n_due_moves: int
    first_due_at: datetime | None
    current_due_at: datetime | None
    computed_due_at: datetime | None
    is_reopened: bool
    receiving: tuple[str, date | None]
    resolving: tuple[str, date | None]
    returning: tuple[str, date | None]
    applicant: tuple[str, date | None]
    channel: str
    is_cross_boundary: bool | None

    @property
    def ended_at(self) -> datetime | None:
        return self.end.at if self.end else None

    @property
    def is_refused_at_reception(self) -> bool:
        return self.received_at is None and self.outcome == "refused"

    @property
    def judged_due_at(self) -> datetime | None:
        return self.first_due_at or self.computed_due_at

    @property
    def unit_id(self) -> str:
        """The unit that a figure by unit counts it under."""
        return self.resolving[0] or self.receiving[0]

    def is_on_time_766(self, due_at: datetime | None) -> bool | None:
        """Item 2.1 of the national index against a due date; None where there is nothing to judge."""
        if self.received_at is None:
            return None
        if self.n_supplements >= 2:
            return False
        if due_at is None:
            return None
        if due_at <= self.received_at:
            return False
        assert self.index_seconds is not None
        return self.index_seconds <= self.calendar.open_seconds(self.received_at, due_at)

    @property
    def class_06(self) -> str:
        """Form 06's class, by days; '' if not received."""
        if self.received_at is None:
            return ""
        if self.outcome == "stopped" or self.events[-1].status == "supplement_requested":
            return "pending_in_time"
        if self.outcome in ("refused", "withdrawn"):
            return "on_time"
        due_at = self.current_due_at
        if self.ended_at is None:
            is_overdue = due_at is not None and self.measured_to.date() > due_at.date()
            return "pending_overdue" if is_overdue else "pending_in_time"
        if due_at is None or self.ended_at.date() == due_at.date():
            return "on_time"
        return "early" if self.ended_at.date() < due_at.date() else "late"


def measure_dossiers(
    event_rows: Iterable[Row], registry: Any, as_of: datetime | None = None, to: datetime | None = None
) -> list[Dossier]:
    """Every dossier with an event seen, by dossier_id.

    Give one of `as_of` (sees what occurred up to it, itself included) and `to` (what occurred before it).
    """
    if (as_of is None) == (to is None):
        raise ValueError("give one of as_of and to")
    calendars, known = Calendars(registry), Registry(registry)
    rows_of: dict[str, list[Row]] = defaultdict(list)
    for row in event_rows:
        rows_of[row["dossier_id"]].append(row)
    measured_to = local(as_of or to)  # type: ignore[arg-type]
    dossiers = []
    for dossier_id in sorted(rows_of, key=str.encode):
        calendar, seen = settle(rows_of[dossier_id], calendars, measured_to, sees_it=as_of is not None)
        if seen:
            dossiers.append(measure(dossier_id, seen, calendar, known, measured_to))
    return dossiers


def settle(rows: list[Row], calendars: Calendars, until: datetime, sees_it: bool) -> tuple[Calendar, list[Event]]:
    """A dossier's calendar and those of its events that are seen up to `until` (with or without that instant).

    Which unit decides the calendar depends on the events seen and their order, and both on the calendar where days
    are bare: the unit is looked up among those seen with bare days resolved on the default calendar.
    """
    events = fold_amendments(rows)
    provisional = seen_by(in_order(events, calendars["default"]), until, sees_it)
    unit_id = stating(provisional, "resolving_unit_id")[0] or stating_receiving_unit(provisional)[0]
    calendar = calendars.of_unit(unit_id)
    return calendar, seen_by(in_order(events, calendar), until, sees_it)


def seen_by(events: Iterable[Event], until: datetime, sees_it: bool) -> list[Event]:
    """The events before `until`, and with `sees_it` those at that instant."""
    return [event for event in events if event.at < until or (sees_it and event.at == until)]


def measure(
    dossier_id: str, events: list[Event], calendar: Calendar, registry: Registry, measured_to: datetime
) -> Dossier:
    """One dossier from the events seen."""
    receipt, end = first_received(events), end_event(events)
    received_at = receipt.at if receipt else None
    until = end.at if end else measured_to
    procedure_id = stating(events, "procedure_id")[0]
    version = registry.procedure_on(procedure_id, received_at.date()) if received_at else None
    policies = policies_of(version)
    starts_at = effective_receipt(received_at, policies.late_receipt, calendar) if received_at else None
    working, paused = processing_seconds(events, calendar, policies, starts_at, until) if starts_at else (None, None)
    dues = [event.due for event in events if event.due is not None]
    receiving = stating_receiving_unit(events)
    resolving = stating(events, "resolving_unit_id")
    applicant = stating(events, "applicant_unit_id")
    channel = stating(events, "channel")[0] or "in_person"
    outcome = end.status if end else "pending" if receipt else "not_received"
    if receipt is None and outcome != "refused":
        crosses = None
    else:
        crosses = is_cross_boundary(registry, channel, receiving, resolving, applicant)
    return Dossier(
        dossier_id=dossier_id,
        events=events,
        calendar=calendar,
        procedure_id=procedure_id,
        registered_id=registry.registered_id(procedure_id),
        version=version,
        outcome=outcome,
        received_at=received_at,
        end=end,
        measured_to=measured_to,
        working_seconds=working,
        paused_seconds=paused,
        elapsed_seconds=int((cut(until) - cut(received_at)).total_seconds()) if received_at else None,
        reception_seconds=reception_seconds(events, calendar, received_at),
        return_seconds=return_seconds(events, calendar, end) if received_at else None,
        index_seconds=index_seconds(events, calendar, received_at, until) if received_at else None,
        n_supplements=sum(
            event.status == "supplement_requested" and received_at is not None and event.at >= received_at
            for event in events
        ),
        n_due_moves=sum(stored(one) != stored(other) for one, other in itertools.pairwise(dues)),
        first_due_at=resolved_due(dues[0], calendar) if dues else None,
        current_due_at=resolved_due(dues[-1], calendar) if dues else None,
        computed_due_at=computed_due(version, starts_at, calendar),
        is_reopened=is_reopened(events),
        receiving=receiving,
        resolving=resolving,
        returning=stating(events, "returning_unit_id"),
        applicant=applicant,
        channel=channel,
        is_cross_boundary=crosses,
    )


def processing_seconds(
    events: list[Event], calendar: Calendar, policies: Policies, starts_at: datetime, until: datetime
) -> tuple[int, int]:
    """Working and paused seconds from the effective receipt to the end, under the procedure's policies."""
    start = starts_at
    if policies.supplement == "restart":
        # A request seen after receipt is never after the end: it is of group open.
        requests = [n for n, event in enumerate(events) if is_request_after_receipt(events, n)]
        if requests:
            after = events[requests[-1] + 1 :]
            if not after:
                return 0, 0
            start = max(start, after[0].at)
    pauses = []
    if policies.supplement == "pause":
        pauses += waits(events, "supplement_requested", until)
    if policies.payment == "pause":
        pauses += waits(events, "payment_requested", until)
    paused = open_seconds_within(calendar, pauses, start, until)
    return calendar.open_seconds(start, until) - paused, paused


def is_request_after_receipt(events: list[Event], n: int) -> bool:
    receipt = first_received(events)
    return events[n].status == "supplement_requested" and receipt is not None and events[n].at >= receipt.at


def index_seconds(events: list[Event], calendar: Calendar, received_at: datetime, until: datetime) -> int:
    """Open seconds from the receipt as logged to the end, less supplement pauses, whatever the policies."""
    pauses = waits(events, "supplement_requested", until)
    paused = open_seconds_within(calendar, pauses, received_at, until)
    return calendar.open_seconds(received_at, until) - paused


def reception_seconds(events: list[Event], calendar: Calendar, received_at: datetime | None) -> int | None:
    submitted = next((event for event in events if event.status == "submitted"), None)
    if submitted is None or received_at is None or not submitted.at < received_at:
        return None
    return calendar.open_seconds(submitted.at, received_at)


def return_seconds(events: list[Event], calendar: Calendar, end: Event | None) -> int | None:
    """From the end to the first `returned` that follows it in order, even at the same instant."""
    if end is None:
        return None
    for event in events[events.index(end) + 1 :]:
        if event.status == "returned":
            return calendar.open_seconds(end.at, event.at)
    return None


def resolved_due(due: Moment, calendar: Calendar) -> datetime:
    return due if isinstance(due, datetime) else calendar.due_from_day(due)


def computed_due(version: Row | None, starts_at: datetime | None, calendar: Calendar) -> datetime | None:
    """The end of the term that a procedure's version gives; None without a limit or a receipt."""
    amount, unit = (version.get("limit_amount"), version.get("limit_unit")) if version else (None, None)
    return calendar.due_by_limit(starts_at, amount, unit) if starts_at and amount and unit else None


def is_cross_boundary(
    registry: Registry,
    channel: str,
    receiving: tuple[str, date | None],
    resolving: tuple[str, date | None],
    applicant: tuple[str, date | None],
) -> bool | None:
    """Whether a dossier crossed a boundary; None where a missing role leaves it open (rulebook 8)."""
    if channel == "online":
        return False
    received_on, resolved_on, lives_on = (
        territory(registry, code, day) if day is not None else None for code, day in (receiving, resolving, applicant)
    )
    return either(
        differs(registry, received_on, resolved_on), is_filed_outside_residence(registry, received_on, lives_on)
    )


# ---- cells


def show_dossiers(
    event_rows: Iterable[Row], registry: Any, as_of: datetime | None = None, to: datetime | None = None
) -> list[dict[str, str]]:
    """The cells of `procmon show dossiers --format csv`; arguments as in `measure_dossiers`."""
    return [cells(dossier) for dossier in measure_dossiers(event_rows, registry, as_of, to)]


def cells(dossier: Dossier) -> dict[str, str]:
    shown = {
        "dossier_id": dossier.dossier_id,
        "procedure_id": dossier.procedure_id,
        "outcome": dossier.outcome,
        "received_at": instant_cell(dossier.received_at),
        "ended_at": instant_cell(dossier.ended_at),
        "working_minutes": minutes_cell(dossier.working_seconds),
        "paused_minutes": minutes_cell(dossier.paused_seconds),
        "elapsed_minutes": minutes_cell(dossier.elapsed_seconds),
        "n_supplements": str(dossier.n_supplements),
        "n_due_moves": str(dossier.n_due_moves),
        "first_due_at": instant_cell(dossier.first_due_at),
        "current_due_at": instant_cell(dossier.current_due_at),
        "computed_due_at": instant_cell(dossier.computed_due_at),
        "judged_due_at": instant_cell(dossier.judged_due_at),
        "on_time_766": truth_cell(dossier.is_on_time_766(dossier.judged_due_at)),
        "class_06": dossier.class_06,
        "is_reopened": truth_cell(dossier.is_reopened),
        "receiving_unit_id": dossier.receiving[0],
        "resolving_unit_id": dossier.resolving[0],
        "returning_unit_id": dossier.returning[0],
        "applicant_unit_id": dossier.applicant[0],
        "channel": dossier.channel,
        "is_cross_boundary": truth_cell(dossier.is_cross_boundary),
        "reception_minutes": minutes_cell(dossier.reception_seconds),
        "return_minutes": minutes_cell(dossier.return_seconds),
    }
    assert list(shown) == COLUMNS
    return shown


def instant_cell(instant: datetime | None) -> str:
    return cut(instant).astimezone(ZONE).isoformat() if instant else ""


def minutes_cell(seconds: int | None) -> str:
    return "" if seconds is None else str(seconds // 60)


def truth_cell(truth: bool | None) -> str:
    return "" if truth is None else str(truth).lower()
