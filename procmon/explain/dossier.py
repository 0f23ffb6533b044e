"""One dossier explained: its events, what each stretch between them cost and why, its due date, its verdicts.

Every number is the measure's own (the SQL behind `show dossiers`); what is told beside it must add up to it, or
nothing is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from procmon.engine import Engine
from procmon.errors import UsageProblem
from procmon.explain.days import Days, Line, amount, clock, must_agree
from procmon.explain.due import DueLine, Term, derive
from procmon.explain.verdicts import Verdict, verdicts
from procmon.inputs import Inputs, measured
from procmon.measure.dossiers import POLICIES
from procmon.measure.stretches import NEEDED_STEPS, stretches
from procmon.store.workspace import Workspace
from procmon.tables import DOSSIERS, EVENT_COLUMNS, STRETCHES

KEPT_STEPS = (*NEEDED_STEPS, "ruled", "stated_dues")
SAME_EVENT = [name for name, _, _ in EVENT_COLUMNS if name != "recorded_at"]
KINDS = {"working": "working_seconds", "waiting": "paused_seconds", "discarded": "discarded_seconds"}
"""The kinds of stretches, and the column of `dossiers` that each adds up to."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """A policy in force for the dossier, and who set it."""

    name: str
    value: str
    set_by: str


@dataclass(frozen=True)
class EventTold:
    """An event in order; `rows` are the rows of the log that say it, as batch:row. `no` is empty where none counts."""

    no: int | None
    happened_at: datetime | None
    status: str
    unit_id: str
    stage: str
    due: str
    rows: str
    note: str


@dataclass(frozen=True)
class StretchTold:
    """From one event to the next: a row of STRETCHES, the policy that made it of its kind, its open time by days."""

    no: int
    from_at: datetime
    to_at: datetime
    kind: str
    because: str
    status: str
    unit_id: str
    stage: str
    open_seconds: int
    lines: list[Line]


@dataclass(frozen=True)
class StatedDue:
    """An appointment stated by an event, as an instant."""

    no: int
    stated: str
    due_at: datetime
    is_move: bool


@dataclass(frozen=True)
class DueTold:
    """The due dates: the limit's with its derivation, the stated ones, and the one that is judged."""

    limit: str
    lines: list[DueLine]
    computed_due_at: datetime | None
    stated: list[StatedDue]
    judged_due_at: datetime | None
    judged_why: str


@dataclass(frozen=True)
class DossierTold:
    """Everything that `procmon explain --dossier` says; instants in the office's zone."""

    dossier_id: str
    as_of: datetime
    procedure: str
    calendar: str
    policies: list[Policy]
    events: list[EventTold]
    stretches: list[StretchTold]
    seconds: dict[str, int | None]
    minutes: dict[str, int | None]
    due: DueTold
    outcome: str
    received_at: datetime | None
    ended_at: datetime | None
    verdicts: list[Verdict]


def explain_dossier(workspace: Workspace, seen: Inputs, dossier_id: str, *, as_of: datetime) -> DossierTold:
    """Explain a dossier as of an instant; `seen.forced` policies count as in `show dossiers --policy`.

    Raises: UsageProblem for a dossier without an event seen by then, StoreError if the explanation does not add up.
    """
    with measured(workspace, seen, as_of, keep=KEPT_STEPS) as engine:
        engine.give("wanted", pa.table({"dossier_id": [dossier_id]}))
        # The stretches of one dossier are enough: over a city's year they take seconds.
        engine.step("events", "SELECT e.* FROM events AS e SEMI JOIN wanted USING (dossier_id)")
        stretches(engine)
        return Teller(engine, seen, workspace.settings.zone, dossier_id, as_of).told()


class Teller:
    """Reads one dossier's rows from an engine that has measured them all, and made their stretches."""

    def __init__(self, engine: Engine, seen: Inputs, zone: ZoneInfo, dossier_id: str, as_of: datetime) -> None:
        self.engine, self.seen, self.zone, self.dossier_id = engine, seen, zone, dossier_id
        self.as_of = as_of.astimezone(zone)
        engine.give("wanted", pa.table({"dossier_id": [dossier_id]}))
        found = DOSSIERS.conform(engine.query(OWN_DOSSIER)).to_pylist()
        if not found:
            raise UsageProblem(
                f"no event of dossier '{dossier_id}' is seen as of {self.as_of.isoformat(timespec='seconds')}",
                remedy="Codes must match to the letter: see `procmon show dossiers`; or ask --as-of a later instant.",
            )
        self.dossier = found[0]
        self.ruled = self._rows("ruled")[0]
        self.version = self._version()
        self.events = sorted(self._rows("events"), key=lambda event: event["seq"])
        self.days = Days(engine, self.dossier["calendar_id"], seen.registry)
        self.clock = (self._rows("clocks") or [{}])[0]

    def _rows(self, step: str) -> list[Row]:
        sql = f'SELECT t.* FROM "{step}" AS t SEMI JOIN wanted USING (dossier_id)'  # noqa: S608 - our own step
        rows: list[Row] = self.engine.query(sql).to_pylist()
        return rows

    def _version(self) -> Row:
        """The procedure's version in force on the day of receipt; empty where there is none."""
        rows = self.engine.query("SELECT * FROM procedure_versions").to_pylist()
        on = self.dossier["received_on"]
        return next(
            (
                row
                for row in rows
                if row["procedure_id"] == self.dossier["registry_procedure_id"]
                and on is not None
                and row["valid_from"] <= on < row["ends_on"]
            ),
            {},
        )

    def local(self, moment: datetime | None) -> datetime | None:
        """An instant in the office's zone, to the whole second as durations take it."""
        return moment.astimezone(self.zone).replace(microsecond=0) if moment else None

    def exact(self, moment: datetime) -> datetime:
        """An instant in the office's zone."""
        return moment.astimezone(self.zone)

    def wall(self, moment: datetime) -> datetime:
        """An instant by the local wall clock."""
        return moment.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def told(self) -> DossierTold:
        """The whole explanation. Raises: StoreError where it does not add up."""
        dossier = self.dossier
        parts = self._stretches()
        if dossier["received_at"] is not None:
            for kind, column in KINDS.items():
                must_agree(kind, sum(part.open_seconds for part in parts if part.kind == kind), dossier[column])
            for name in ("working", "paused"):
                must_agree(f"{name} minutes", dossier[f"{name}_seconds"] // 60, dossier[f"{name}_minutes"])
        return DossierTold(
            dossier_id=self.dossier_id,
            as_of=self.as_of,
            procedure=self._procedure(),
            calendar=self._calendar(),
            policies=[self._policy(name) for name in POLICIES],
            events=self._events(),
            stretches=parts,
            seconds={kind: dossier[column] for kind, column in KINDS.items()},
            minutes={name: dossier[f"{name}_minutes"] for name in ("working", "paused")},
            due=self._due(),
            outcome=dossier["outcome"],
            received_at=self.local(dossier["received_at"]),
            ended_at=self.local(dossier["ended_at"]),
            verdicts=verdicts(dossier, self.as_of, self.zone),
        )

    def _procedure(self) -> str:
        logged, known = self.dossier["procedure_id"], self.dossier["registry_procedure_id"]
        if known is None:
            return f"{logged or 'none stated'}: unknown to the registry, so without a limit"
        if not self.version:
            return f"{logged}: no version of {known} was in force on the day of receipt, so without a limit"
        by = "" if known == logged else f", found by its national part {known}"
        return f"{logged}{by}: {self.version['name']}, version in force from {self.version['valid_from']}"

    def _calendar(self) -> str:
        name = self.dossier["calendar_id"]
        of = self.dossier["resolving_unit_id"] or self.dossier["receiving_unit_id"]
        whose = (
            f"of unit {of}" if name != "default" else f"unit {of} has none of its own" if of else "no unit is stated"
        )
        return f"{name} ({whose}), version {self.seen.calendars.version}"

    def _policy(self, name: str) -> Policy:
        if name in self.seen.forced:
            set_by = "asked for by --policy"
        elif self.version.get(name):
            set_by = f"set by the procedure's version of {self.version['valid_from']}"
        else:
            set_by = "the office's default"
        return Policy(name, self.ruled[name], set_by)

    # --- events

    def _events(self) -> list[EventTold]:
        stored = self._log_rows()
        shown, no = [], 0
        for event in self.events:
            no += event["is_new"]
            key = tuple(event[name] for name in SAME_EVENT)
            rows = stored.pop(key, [])
            shown.append(self._event(event, no, " ".join(f"{row['batch_id']}:{row['row_no']}" for row in rows)))
        for key, rows in stored.items():
            row = dict(zip(SAME_EVENT, key, strict=True))
            place = " ".join(f"{one['batch_id']}:{one['row_no']}" for one in rows)
            shown.append(self._unseen(row, place, rows))
        return shown

    def _log_rows(self) -> dict[tuple[object, ...], list[Row]]:
        """The lake's rows of this dossier by what they say, the stored row first, then what repeats it."""
        rows = self.engine.query(LOG_ROWS).to_pylist()
        said_by = {(row["batch_id"], row["row_no"]): row for row in rows if row["repeat_of_batch"] is None}
        found: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            said = said_by[row["repeat_of_batch"] or row["batch_id"], row["repeat_of_row"] or row["row_no"]]
            found.setdefault(tuple(said[name] for name in SAME_EVENT), []).append(row)
        return found

    def _event(self, event: Row, no: int, rows: str) -> EventTold:
        notes = []
        if not event["is_new"]:
            notes.append("amends it")
        elif event["occurred_on"] is not None:
            notes.append(f"known by its day only: taken as {event['local_at']:%H:%M}")
        if " " in rows:
            notes.append("repeated")
        if event["is_new"] and self._is_end(event):
            notes.append("the end")
        return self._told(event, no, event["happened_at"], rows, "; ".join(notes))

    def _told(self, row: Row, no: int | None, moment: datetime | None, rows: str, note: str) -> EventTold:
        return EventTold(
            no=no,
            happened_at=self.local(moment),
            status=row["status"],
            unit_id=row["unit_id"] or "",
            stage=row["stage"] or "",
            due=self._stated(row),
            rows=rows,
            note=note,
        )

    def _is_end(self, event: Row) -> bool:
        return bool(self.clock.get("ended_seq") == event["seq"])

    def _stated(self, row: Row) -> str:
        if row["due_on"] is not None:
            return str(row["due_on"])
        return f"{self.wall(row['due_at']):%Y-%m-%d %H:%M}" if row["due_at"] else ""

    def _unseen(self, row: Row, place: str, rows: list[Row]) -> EventTold:
        live = [one for one in rows if one["batch_id"] in self.seen.live]
        if not live:
            note = f"does not count: batch {rows[0]['batch_id']} is retracted"
        elif row["occurred_at"] is not None and row["occurred_at"] > self.as_of:
            note = "not seen: after the as-of instant"
        elif row["occurred_on"] is not None and not live[0]["source"]:
            note = "not seen: its day ends after the as-of instant"
        else:
            note = f"superseded: {live[0]['source']} exported the dossier again later"
        return self._told(row, None, row["occurred_at"], place, note)

    # --- stretches

    def _stretches(self) -> list[StretchTold]:
        numbers = self._numbers()
        rows = STRETCHES.conform(self.engine.query(OWN_STRETCHES)).to_pylist()
        parts = []
        for row in rows:
            lines = self.days.lines(self.wall(row["from_at"]), self.wall(row["to_at"]), *self._counts_from())
            no = numbers[row["seq"]]
            must_agree(f"the open time after event {no}", sum(line.seconds for line in lines), row["open_seconds"])
            parts.append(
                StretchTold(
                    no=no,
                    from_at=self.exact(row["from_at"]),
                    to_at=self.exact(row["to_at"]),
                    kind=row["kind"],
                    because=self._because(row),
                    status=row["status"],
                    unit_id=row["unit_id"] or "",
                    stage=row["stage"] or "",
                    open_seconds=row["open_seconds"],
                    lines=lines,
                )
            )
        return parts

    def _because(self, row: Row) -> str:
        """The policy by which a stretch is no plain work; empty where none has a say."""
        if row["kind"] == "discarded":
            return f"before the clock was restarted, by supplement = {self.ruled['supplement']}"
        name = row["status"].removesuffix("_requested")
        if row["kind"] == "waiting":
            return f"a pause, by {name} = {self.ruled[name]}"
        return f"no pause, by {name} = {self.ruled[name]}" if name in ("supplement", "payment") else ""

    def _numbers(self) -> dict[int, int]:
        """Place in the order → the event's number as shown, in which amendments have that of their event."""
        numbers, no = {}, 0
        for event in self.events:
            no += event["is_new"]
            numbers[event["seq"]] = no
        return numbers

    def _is_late_receipt(self) -> bool:
        return bool(self.clock["start_day"] > self.dossier["received_on"])

    def _counts_from(self) -> tuple[datetime, str]:
        """From when open time counts, and what is said of the time before it."""
        received = self.wall(self.dossier["received_at"])
        if not self._is_late_receipt():
            return received, ""
        day = self.clock["start_day"]
        opens = clock(self.days.of[day]["opens_second"])
        why = f"not counted: a receipt after {self.ruled['late_receipt']} or on a day off counts from {day} {opens}"
        return datetime.combine(day, datetime.min.time()), why

    # --- due dates

    def _due(self) -> DueTold:
        dossier = self.dossier
        limit, lines = self._limit()
        numbers = self._numbers()
        rows = sorted(self._rows("stated_dues"), key=lambda row: int(row["seq"]))
        stated = [
            StatedDue(numbers[row["seq"]], self._stated(self._of(row["seq"])), self.exact(row["due"]), row["is_move"])
            for row in rows
        ]
        must_agree("the number of due dates moved", sum(due.is_move for due in stated), dossier["n_due_moves"])
        if stated:
            must_agree("the first stated due date", stated[0].due_at, dossier["judged_due_at"])
            why = "the first that was stated"
        else:
            why = "the limit's, as none was stated" if dossier["computed_due_at"] else "there is nothing to judge by"
        return DueTold(
            limit=limit,
            lines=lines,
            computed_due_at=self.local(dossier["computed_due_at"]),
            stated=stated,
            judged_due_at=self.local(dossier["judged_due_at"]),
            judged_why=why,
        )

    def _of(self, seq: int) -> Row:
        return next(event for event in self.events if event["seq"] == seq)

    def _limit(self) -> tuple[str, list[DueLine]]:
        if self.dossier["received_at"] is None:
            return "not received, so no term has begun", []
        if self.ruled["limit_amount"] is None:
            return "no limit in force on the day of receipt", []
        received = self.wall(self.dossier["received_at"])
        late: list[DueLine] = []
        if self._is_late_receipt():
            day = self.clock["start_day"]
            opens = self.days.of[day]["opens_second"]
            late = [DueLine(received.date(), received.date(), f"received at {received:%H:%M}: counts as of {day}")]
            received = datetime.combine(day, datetime.min.time()) + timedelta(seconds=opens)
        term = Term(self.ruled["limit_amount"], self.ruled["limit_unit"], received)
        lines, due = derive(self.days, term)
        must_agree("the computed due date", due, self.wall(self.dossier["computed_due_at"]))
        source = f", source: {self.version['source']}" if self.version.get("source") else ""
        return f"{term.words}, version in force from {self.version['valid_from']}{source}", [*late, *lines]


LOG_ROWS = """
    WITH own AS (SELECT l.* FROM lake AS l SEMI JOIN wanted USING (dossier_id)),
    stored AS (SELECT o.* FROM own AS o WHERE o.repeat_of_batch IS NULL),
    known AS (
        SELECT * FROM stored
        UNION ALL
        SELECT l.*
        FROM lake AS l
        JOIN stored AS s ON s.batch_id = l.repeat_of_batch AND s.row_no = l.repeat_of_row
    )
    SELECT k.*
    FROM known AS k
    JOIN done AS d ON d.batch_id = k.batch_id
    ORDER BY k.repeat_of_batch NULLS FIRST, k.batch_id NULLS FIRST, k.row_no NULLS FIRST
"""
"""The rows of the lake that say something of the dossier: those stored, then those that repeat them."""

OWN_DOSSIER = "SELECT d.* FROM dossiers AS d SEMI JOIN wanted USING (dossier_id)"
OWN_STRETCHES = "SELECT s.* FROM stretches AS s SEMI JOIN wanted USING (dossier_id) ORDER BY s.seq NULLS FIRST"


def amounts(seconds: Mapping[str, int | None]) -> str:
    """`working 1,440 min, waiting 480 min`."""
    return ", ".join(f"{kind} {amount(n)}" for kind, n in seconds.items() if n is not None)
