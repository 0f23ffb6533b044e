"""One dossier explained: its events, what each stretch between them cost and why, its due date, its verdicts.

Every number is the measure's own (the SQL behind `show dossiers`); what is told beside it must add up to it, or
nothing is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from procmon.engine import Engine
from procmon.explain.days import Days, clock, must_agree, time_of
from procmon.explain.due import DueLine, Term, derive
from procmon.explain.events import Events, nothing_seen
from procmon.explain.told import DossierTold, DueTold, Policy, StatedDue, StretchTold
from procmon.explain.verdicts import verdicts
from procmon.inputs import Inputs, measured
from procmon.measure.dossiers import POLICIES
from procmon.measure.stretches import NEEDED_STEPS, stretches
from procmon.store.workspace import Workspace
from procmon.tables import DOSSIERS, FIRST_DAY, STRETCHES

KEPT_STEPS = (*NEEDED_STEPS, "ruled", "stated_dues")
KINDS = {"working": "working_seconds", "waiting": "paused_seconds", "discarded": "discarded_seconds"}
"""The kinds of stretches, and the column of `dossiers` that each adds up to."""

Row = dict[str, Any]


def explain_dossier(
    workspace: Workspace, seen: Inputs, dossier_id: str, *, as_of: datetime, is_period_end: bool = False
) -> DossierTold:
    """Explain a dossier as of an instant; `seen.forced` policies count as in `show dossiers --policy`.

    Raises: UsageProblem for a dossier without an event seen by then, StoreError if the explanation does not add up.
    """
    with measured(workspace, seen, as_of, is_period_end=is_period_end, keep=KEPT_STEPS) as engine:
        engine.give("wanted", pa.table({"dossier_id": [dossier_id]}))
        if not engine.query(OWN_DOSSIER).num_rows:
            raise nothing_seen(workspace, engine, seen, dossier_id, as_of)
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
        self.dossier: Row = DOSSIERS.conform(engine.query(OWN_DOSSIER)).to_pylist()[0]
        self.ruled = self._rows("ruled")[0]
        self.version = self._version()
        self.events = Events(engine, seen, self.as_of, zone)
        self.days = Days(engine, self.dossier["calendar_id"], seen)
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
        """An instant in the office's zone, where there is one."""
        return self.exact(moment) if moment else None

    def exact(self, moment: datetime) -> datetime:
        """An instant in the office's zone."""
        return moment.astimezone(self.zone)

    def wall(self, moment: datetime) -> datetime:
        """An instant by the local wall clock, to the whole second as durations take it."""
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
            events=self.events.told(self.clock.get("ended_seq")),
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
        return f"{logged}{by}: {self.version['name']}, {self._in_force()}"

    def _in_force(self) -> str:
        since = self.version["valid_from"]
        return f"version in force from {'the beginning' if since <= FIRST_DAY else since}"

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
            set_by = f"set by the procedure's {self._in_force()}"
        else:
            set_by = "the office's default"
        return Policy(name, self.ruled[name], set_by)

    # --- stretches

    def _stretches(self) -> list[StretchTold]:
        rows = STRETCHES.conform(self.engine.query(OWN_STRETCHES)).to_pylist()
        parts = []
        for row in rows:
            lines = self.days.lines(self.wall(row["from_at"]), self.wall(row["to_at"]), *self._counts_from())
            no = self.events.numbers[row["seq"]]
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
        numbers, stated_due = self.events.numbers, self.events.stated_due
        rows = sorted(self._rows("stated_dues"), key=lambda row: int(row["seq"]))
        stated = [
            StatedDue(numbers[row["seq"]], stated_due(row["seq"]), self.exact(row["due"]), row["is_move"])
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
            at = time_of(self.exact(self.dossier["received_at"]))
            late = [DueLine(received.date(), received.date(), f"received at {at}: counts as of {day}")]
            received = datetime.combine(day, datetime.min.time()) + timedelta(seconds=opens)
        term = Term(self.ruled["limit_amount"], self.ruled["limit_unit"], received)
        lines, due = derive(self.days, term)
        must_agree("the computed due date", due, self.wall(self.dossier["computed_due_at"]))
        source = f", source: {self.version['source']}" if self.version.get("source") else ""
        return f"{term.words}, {self._in_force()}{source}", [*late, *lines]


OWN_DOSSIER = "SELECT d.* FROM dossiers AS d SEMI JOIN wanted USING (dossier_id)"
OWN_STRETCHES = "SELECT s.* FROM stretches AS s SEMI JOIN wanted USING (dossier_id) ORDER BY s.seq NULLS FIRST"
