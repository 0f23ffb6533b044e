"""The ledger, the book of record: batches, runs, figures, baselines, corrections, deliveries.

Nothing in the lake counts that the ledger does not list. Instants are aware; empty text is '', an absent number
or instant is NULL. BI tools may read every table; `figures` is made for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Engine,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    insert,
    or_,
    select,
    update,
)
from sqlmodel import Field, Session, col

from procmon.errors import StoreError
from procmon.store.database import Base, UtcTime, fetch, writing

BatchStatus = Literal["pending", "done", "failed"]
BatchKind = Literal["events", "dossiers", "dvcqg"]
RunStatus = Literal["running", "done", "failed"]
BaselineStatus = Literal["pending", "done"]
DeliveryStatus = Literal["queued", "sending", "sent", "written", "deferred", "failed", "unknown"]

BIG_ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only in a column of type INTEGER


class Batch(Base, table=True):
    """One file taken into the lake; it counts while `done` and not retracted.

    `mapping_digest` is the SHA-256 of the mapping's text. `exported_at` is when a row-a-dossier export was made.
    A file that is held had more refused rows than the policy `max_refused` allows: nothing of it was stored.
    """

    __tablename__ = "batches"

    id: int | None = Field(default=None, primary_key=True)
    file: str = Field(sa_type=Text)
    sha256: str = Field(default="", sa_type=Text, index=True)
    mapping: str = Field(sa_type=Text)
    status: BatchStatus = Field(default="pending", sa_type=Text)
    began_at: datetime = Field(sa_type=UtcTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcTime)
    exported_at: datetime | None = Field(default=None, sa_type=UtcTime)
    n_read: int = 0
    n_stored: int = 0
    n_repeated: int = 0
    n_amended: int = 0
    n_refused: int = 0
    lake_version: int | None = None
    retracted_at: datetime | None = Field(default=None, sa_type=UtcTime)
    retracted_why: str = Field(default="", sa_type=Text)
    note: str = Field(default="", sa_type=Text)
    mapping_digest: str = Field(default="", sa_type=Text)
    kind: BatchKind = Field(default="events", sa_type=Text)
    is_held: bool = False


class BatchChange(Base, table=True):
    """A batch was retracted or restored: who reads a run again must know what counted then."""

    __tablename__ = "batch_changes"

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="batches.id", index=True)
    changed_at: datetime = Field(sa_type=UtcTime)
    what: Literal["retracted", "restored"] = Field(sa_type=Text)
    why: str = Field(default="", sa_type=Text)


class Baseline(Base, table=True):
    """A frozen baseline (rulebook 7e) with the versions of its inputs."""

    __tablename__ = "baselines"

    id: int | None = Field(default=None, primary_key=True)
    status: BaselineStatus = Field(default="pending", sa_type=Text)
    published_at: datetime = Field(sa_type=UtcTime)
    baseline_from: date
    baseline_to: date
    lake_version: int
    batches: str = Field(sa_type=Text)
    registry_version: int
    calendar_version: str = Field(sa_type=Text)
    program_version: str = Field(sa_type=Text)
    settings: str = Field(default="{}", sa_type=Text)
    n_dossiers: int = 0
    is_complete: bool = False
    log_begins_on: date | None = None
    p99_days: float | None = Field(default=None, sa_type=Double)
    note: str = Field(default="", sa_type=Text)


class Run(Base, table=True):
    """A nightly run with what it saw: `batches` as text (`format_batches`), `settings` as JSON."""

    __tablename__ = "runs"

    id: int | None = Field(default=None, primary_key=True)
    status: RunStatus = Field(default="running", sa_type=Text)
    started_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    as_of: datetime = Field(sa_type=UtcTime)
    lake_version: int | None = None
    batches: str = Field(default="", sa_type=Text)
    registry_version: int = 0
    calendar_version: str = Field(default="", sa_type=Text)
    program_version: str = Field(default="", sa_type=Text)
    settings: str = Field(default="{}", sa_type=Text)
    baseline_id: int | None = Field(default=None, foreign_key="baselines.id")
    n_dossiers: int = 0
    repeat_of: int | None = Field(default=None, foreign_key="runs.id")
    error: str = Field(default="", sa_type=Text)


class FigureRow(Base, table=True):
    """One figure of a run; the columns are those of `tables.FIGURES`."""

    __tablename__ = "figures"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    run_id: int = Field(foreign_key="runs.id", index=True)
    figure: str = Field(sa_type=Text)
    rule_set: str | None = Field(default=None, sa_type=Text)
    scope: str | None = Field(default=None, sa_type=Text)
    scope_id: str | None = Field(default=None, sa_type=Text)
    period_from: date | None = None
    period_to: date | None = None
    numerator: float | None = Field(default=None, sa_type=Double)
    denominator: float | None = Field(default=None, sa_type=Double)
    value: float | None = Field(default=None, sa_type=Double)
    lower: float | None = Field(default=None, sa_type=Double)
    upper: float | None = Field(default=None, sa_type=Double)
    n: int | None = Field(default=None, sa_type=BigInteger)
    n_baseline: int | None = Field(default=None, sa_type=BigInteger)
    verdict: str | None = Field(default=None, sa_type=Text)


class Correction(Base, table=True):
    """A figure of `run_id` that differs from the previous run of the same period, with the batches that did it.

    `number` is the column of the figure that is told; `before` is empty where the figure has come, `after` where it
    has gone.
    """

    __tablename__ = "corrections"

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="runs.id", index=True)
    previous_run_id: int = Field(foreign_key="runs.id")
    figure: str = Field(sa_type=Text)
    scope: str = Field(default="", sa_type=Text)
    scope_id: str = Field(default="", sa_type=Text)
    before: float | None = Field(default=None, sa_type=Double)
    after: float | None = Field(default=None, sa_type=Double)
    batches: str = Field(default="", sa_type=Text)
    rule_set: str = Field(default="", sa_type=Text)
    period_from: date | None = None
    period_to: date | None = None
    number: str = Field(default="", sa_type=Text)


class Delivery(Base, table=True):
    """One mail to one recipient for one report, scope and period: unique, whatever restarts.

    `key` names it in words (and makes its Message-ID), `mime` is the mail byte for byte, `reply` the server's
    last answer. Claimed (`claim`) before it is sent and settled (`settle`) after.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("email", "audience", "scope", "schedule", "period"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(sa_type=Text, unique=True)
    run_id: int | None = Field(default=None, foreign_key="runs.id", index=True)
    email: str = Field(sa_type=Text)
    name: str = Field(default="", sa_type=Text)
    audience: str = Field(sa_type=Text)
    scope: str = Field(default="", sa_type=Text)
    schedule: str = Field(sa_type=Text)
    period: str = Field(sa_type=Text)
    status: DeliveryStatus = Field(default="queued", sa_type=Text)
    message_id: str = Field(default="", sa_type=Text)
    subject: str = Field(default="", sa_type=Text)
    mime: bytes | None = Field(default=None, sa_type=LargeBinary)
    sha256: str = Field(default="", sa_type=Text)
    n_attempts: int = 0
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reply: str = Field(default="", sa_type=Text)


TABLES: dict[str, type[Base]] = {
    "batches": Batch,
    "batch_changes": BatchChange,
    "baselines": Baseline,
    "runs": Run,
    "figures": FigureRow,
    "corrections": Correction,
    "deliveries": Delivery,
}


def add_figures(session: Session, run_id: int, figures: pa.Table) -> None:
    """Put `figures` (a `tables.FIGURES` table) under `run_id`, in their order."""
    rows = [{"run_id": run_id, **row} for row in figures.to_pylist()]
    if rows:
        session.execute(insert(FigureRow), rows)


def format_batches(ids: Iterable[int]) -> str:
    """Batch numbers as text: [1, 2, 3, 5] is `1-3,5`; none is the empty text."""
    spans: list[list[int]] = []
    for number in sorted(set(ids)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def parse_batches(text: str) -> list[int]:
    """The batch numbers of `format_batches`' text, ascending. Raises: ValueError for any other text."""
    numbers: list[int] = []
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            numbers += range(int(first), int(last or first) + 1)
    if format_batches(numbers) != text:
        raise ValueError(f"{text!r} is not how batches are written")
    return numbers


def done_batches(engine: Engine) -> list[int]:
    """The batches whose rows are in the lake, retracted or not, ascending."""
    return _numbers(engine, col(Batch.status) == "done")


def live_batches(engine: Engine) -> list[int]:
    """The batches that count: done and not retracted, ascending."""
    return _numbers(engine, col(Batch.status) == "done", col(Batch.retracted_at).is_(None))


def _numbers(engine: Engine, *conditions: ColumnElement[bool]) -> list[int]:
    wanted = select(col(Batch.id)).where(*conditions).order_by(col(Batch.id))
    return [int(number) for number in fetch(engine, wanted)["id"].to_pylist()]


def held_batch(engine: Engine, sha256: str, mapping_digest: str) -> Batch | None:
    """The first batch that held this very file under this very mapping; None where there is none."""
    return _first_done(
        engine,
        col(Batch.sha256) == sha256,
        col(Batch.mapping_digest) == mapping_digest,
        col(Batch.is_held).is_(True),
    )


def exported_before(engine: Engine, sha256: str, mapping: str) -> datetime | None:
    """When this very file was exported, as its first done batch under `mapping` (a name) has it.

    The same file is the same export, whenever it is taken again. None where it is new.
    """
    batch = _first_done(engine, col(Batch.sha256) == sha256, col(Batch.mapping) == mapping)
    return batch.exported_at if batch else None


def taken_otherwise(engine: Engine, sha256: str, mapping_digest: str) -> int | None:
    """The first batch that took this very file under another mapping, and still counts; None where there is none."""
    batch = _first_done(
        engine,
        col(Batch.sha256) == sha256,
        col(Batch.mapping_digest).not_in(["", mapping_digest]),
        col(Batch.is_held).is_(False),
        col(Batch.retracted_at).is_(None),
    )
    return batch.id if batch else None


def _first_done(engine: Engine, *conditions: ColumnElement[bool]) -> Batch | None:
    wanted = select(Batch).where(col(Batch.status) == "done", *conditions).order_by(col(Batch.id))
    with Session(engine) as session:
        return session.scalars(wanted).first()


def read_table(engine: Engine, name: str, *, run_id: int | None = None) -> pa.Table:
    """The ledger's table `name` (a key of `TABLES`) by id, without the mails' bytes; with `run_id` that run's rows.

    `run_id` is for the tables that have that column.
    """
    columns = [column for column in _columns(name) if not isinstance(column.type, LargeBinary)]
    statement = select(*columns).order_by(_columns(name).id)
    if run_id is not None:
        statement = statement.where(_columns(name).run_id == run_id)
    return fetch(engine, statement)


def _columns(name: str) -> Any:
    return Base.metadata.tables[name].columns


def claim(engine: Engine, delivery_id: int, now: datetime) -> bool:
    """Take a delivery for sending; True for exactly one of all that try, and only while it is due at `now`."""
    is_due = or_(
        col(Delivery.status) == "queued",
        (col(Delivery.status) == "deferred") & or_(col(Delivery.next_at).is_(None), col(Delivery.next_at) <= now),
    )
    return _changed(
        engine,
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, is_due)
        .values(status="sending", n_attempts=Delivery.n_attempts + 1, updated_at=now, next_at=None),
    )


def settle(
    engine: Engine,
    delivery_id: int,
    status: DeliveryStatus,
    reply: str,
    now: datetime,
    next_at: datetime | None = None,
) -> None:
    """Write down how a claimed delivery ended; `next_at` is for `deferred`.

    Raises: StoreError where the delivery is not claimed: someone else settled it.
    """
    settled = _changed(
        engine,
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.status) == "sending")
        .values(status=status, reply=reply, updated_at=now, next_at=next_at),
    )
    if not settled:
        raise StoreError(
            f"delivery {delivery_id} is not being sent, so it cannot become {status}",
            remedy="See procmon show deliveries: another process may have settled it.",
        )


def requeue(engine: Engine, delivery_id: int, now: datetime) -> bool:
    """Queue a `failed` or `unknown` delivery once more, with its bytes as they are; False where it is neither."""
    return _changed(
        engine,
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.status).in_(["failed", "unknown"]))
        .values(status="queued", updated_at=now, next_at=None),
    )


def _changed(engine: Engine, statement: Any) -> bool:
    with writing(engine) as session:
        return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]
