"""The events of one dossier: those that count, in order, and what the log says besides that does not."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from procmon.engine import Engine
from procmon.errors import UsageProblem
from procmon.explain.days import time_of
from procmon.explain.told import EventTold
from procmon.inputs import Inputs
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import EVENT_COLUMNS

SAME_EVENT = [name for name, _, _ in EVENT_COLUMNS if name != "recorded_at"]

Row = dict[str, Any]


class Events:
    """The events of the dossier in table `wanted`, read from an engine that has measured it.

    `rows` are those that count, in order; `numbers` says, by place in the order (`seq`), the number under which each
    is shown: an amendment has that of its event.
    """

    def __init__(self, engine: Engine, seen: Inputs, as_of: datetime, zone: ZoneInfo) -> None:
        self.engine, self.seen, self.as_of, self.zone = engine, seen, as_of, zone
        self.rows: list[Row] = engine.query(OWN_EVENTS).to_pylist()
        self.numbers: dict[int, int] = {}
        no = 0
        for event in self.rows:
            no += event["is_new"]
            self.numbers[event["seq"]] = no

    def told(self, ended_seq: int | None) -> list[EventTold]:
        """Every event with the log's rows that say it, then the rows that count for nothing."""
        stored = self._log_rows()
        shown = []
        for event in self.rows:
            key = tuple(event[name] for name in SAME_EVENT)
            rows = stored.pop(key, [])
            place = " ".join(f"{row['batch_id']}:{row['row_no']}" for row in rows)
            note = _note(event, is_repeated=len(rows) > 1, is_end=event["seq"] == ended_seq)
            shown.append(self._told(event, self.numbers[event["seq"]], event["happened_at"], place, note))
        for key, rows in stored.items():
            row: Row = dict(zip(SAME_EVENT, key, strict=True))
            place = " ".join(f"{one['batch_id']}:{one['row_no']}" for one in rows)
            shown.append(self._told(row, None, row["occurred_at"], place, self._why_unseen(row, rows)))
        return shown

    def stated_due(self, seq: int) -> str:
        """The appointment as the event at a place in the order states it."""
        return self._stated(next(event for event in self.rows if event["seq"] == seq))

    def _log_rows(self) -> dict[tuple[object, ...], list[Row]]:
        """The lake's rows of this dossier by what they say, the stored row first, then what repeats it."""
        rows = self.engine.query(LOG_ROWS).to_pylist()
        said_by = {(row["batch_id"], row["row_no"]): row for row in rows if row["repeat_of_batch"] is None}
        found: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            said = said_by[row["repeat_of_batch"] or row["batch_id"], row["repeat_of_row"] or row["row_no"]]
            found.setdefault(tuple(said[name] for name in SAME_EVENT), []).append(row)
        return found

    def _told(self, row: Row, no: int | None, moment: datetime | None, rows: str, note: str) -> EventTold:
        return EventTold(
            no=no,
            happened_at=moment.astimezone(self.zone) if moment else None,
            status=row["status"],
            unit_id=row["unit_id"] or "",
            stage=row["stage"] or "",
            due=self._stated(row),
            rows=rows,
            note=note,
        )

    def _stated(self, row: Row) -> str:
        if row["due_on"] is not None:
            return str(row["due_on"])
        return minute_of(row["due_at"].astimezone(self.zone)) if row["due_at"] else ""

    def _why_unseen(self, row: Row, rows: list[Row]) -> str:
        live = [one for one in rows if one["batch_id"] in self.seen.live]
        if not live:
            return f"does not count: batch {rows[0]['batch_id']} is retracted"
        if row["occurred_at"] is not None and row["occurred_at"] > self.as_of:
            return "not seen: after the as-of instant"
        if not live[0]["source"]:
            if row["occurred_on"] is not None:
                return "not seen: its day ends after the as-of instant"
            return "not seen: at the as-of instant, the end of the days that are told of"
        return f"superseded: {live[0]['source']} exported the dossier again later"


def _note(event: Row, *, is_repeated: bool, is_end: bool) -> str:
    notes = []
    if not event["is_new"]:
        notes.append("amends it")
    elif event["occurred_on"] is not None:
        notes.append(f"known by its day only: taken as {time_of(event['local_at'])}")
    if is_repeated:
        notes.append("repeated")
    if event["is_new"] and is_end:
        notes.append("the end")
    return "; ".join(notes)


def minute_of(moment: datetime) -> str:
    """An instant as `2025-01-22 16:30`, its time as `time_of` has it."""
    return f"{moment:%Y-%m-%d} {time_of(moment)}"


def nothing_seen(workspace: Workspace, engine: Engine, seen: Inputs, dossier_id: str, as_of: datetime) -> UsageProblem:
    """Why the dossier in table `wanted` has no event that counts: it has none, they are retracted, or come later."""
    zone = workspace.settings.zone
    said = f"no event of dossier '{dossier_id}' is seen as of {as_of.astimezone(zone).isoformat()}"
    found = {row["batch_id"] for row in engine.query(LOG_ROWS).to_pylist()}
    batches = [row for row in ledger.read_table(workspace.ledger_db, "batches").to_pylist() if row["id"] in found]
    if not batches:
        return UsageProblem(said, remedy="Codes must match to the letter: see `procmon show dossiers`.")
    reasons = [_why_none(batch, zone, is_live=batch["id"] in seen.live) for batch in batches]
    return UsageProblem(
        f"{said}: {'; '.join(why for why, _ in reasons)}",
        remedy=" or ".join(dict.fromkeys(remedy for _, remedy in reasons)),
    )


def _why_none(batch: Row, zone: ZoneInfo, *, is_live: bool) -> tuple[str, str]:
    """Why none of a batch's events counts, and the remedy."""
    whose = f"its events in batch {batch['id']}"
    if is_live:
        return f"{whose} come later", "ask --as-of a later instant"
    if batch["retracted_at"] is None:
        return f"{whose} did not count in that run", "ask without --run"
    when = minute_of(batch["retracted_at"].astimezone(zone))
    return f"{whose} were retracted on {when} ({batch['retracted_why']})", f"procmon batch restore {batch['id']}"


OWN_EVENTS = "SELECT e.* FROM events AS e SEMI JOIN wanted USING (dossier_id) ORDER BY e.seq NULLS FIRST"

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
