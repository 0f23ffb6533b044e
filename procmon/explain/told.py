"""What an explanation of a dossier holds, before it is text or JSON; instants in the office's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from procmon.explain.days import Line
from procmon.explain.due import DueLine
from procmon.explain.verdicts import Verdict


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
    """Everything that `procmon explain --dossier` says."""

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
