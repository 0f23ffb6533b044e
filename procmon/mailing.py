"""Mails: which are due by the ledger, built once, claimed before they are sent, settled after (docs/decisions/0004)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from procmon.errors import DeliveryError, SettingsError
from procmon.inputs import closed_period
from procmon.pages import Ask
from procmon.send import headers, message, outbox, smtp
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import Page

GIVE_UP = timedelta(hours=24)
LONGEST_WAIT = timedelta(minutes=60)
SCHEDULES = ("daily", "monthly", "reporting_month", "quarterly", "yearly")


@dataclass(frozen=True)
class Due:
    """One mail that the ledger does not have yet."""

    email: str
    name: str
    schedule: str
    ask: Ask

    @property
    def key(self) -> str:
        """What makes the mail unique, and its Message-ID."""
        return "/".join([self.email, self.ask.audience, self.ask.scope, self.schedule, self.ask.period.name])


@dataclass(frozen=True)
class Sent:
    """What became of the mails that were due, by status; how many wait for another try, and the newest bad reply."""

    counts: dict[str, int]
    n_waiting: int
    reason: str
    server: str

    def check(self) -> None:
        """Raises: DeliveryError where a mail is not where it should be."""
        n = self.n_waiting + self.counts.get("failed", 0) + self.counts.get("unknown", 0)
        if n:
            raise DeliveryError(
                f"{n} mails were not delivered by {self.server or 'outbox/'}: {self.reason}",
                remedy="Mend it. `procmon show deliveries` says which, and from when `procmon send` tries again.",
            )


def due_mails(workspace: Workspace, today: date, recipients: list[dict[str, str]]) -> list[Due]:
    """The mails of each schedule's newest period that ended before the local day `today`, new to the ledger.

    Args:
        recipients: rows of the registry's `recipients`.
    """
    with Session(workspace.ledger_db) as session:
        known = set(session.scalars(select(col(ledger.Delivery.key))).all())
    due = []
    for row in recipients:
        for schedule in row["schedule"].split():
            period = closed_period(schedule, today)
            mail = Due(row["email"], row["name"] or "", schedule, Ask(row["audience"], row["scope"] or "", period))
            if mail.key not in known:
                due.append(mail)
                known.add(mail.key)
    return due


def delivery(workspace: Workspace, mail: Due, page: Page, *, run_id: int | None, now: datetime) -> ledger.Delivery:
    """One mail as the ledger keeps it, its bytes frozen; one to an address that may not be written to is `failed`."""
    status: ledger.DeliveryStatus = "queued"
    sender = headers.sender_address(workspace.settings.smtp.sender)
    reply, mime = "", b""
    message_id = message.message_id(mail.key, sender)
    try:
        headers.check_address(mail.email, workspace.settings.smtp.allowed_domains)
        mime = _build(workspace, page, sender, mail.email, mail.name, message_id, now)
    except SettingsError as error:
        status, reply = "failed", f"{error} {error.remedy}".strip()
    return ledger.Delivery(
        key=mail.key,
        run_id=run_id,
        email=mail.email,
        name=mail.name,
        audience=mail.ask.audience,
        scope=mail.ask.scope,
        schedule=mail.schedule,
        period=mail.ask.period.name,
        status=status,
        message_id=message_id,
        subject=page.subject,
        mime=mime,
        sha256=hashlib.sha256(mime).hexdigest(),
        created_at=now,
        updated_at=now,
        reply=reply,
    )


def _build(
    workspace: Workspace, page: Page, sender: str, email: str, name: str, message_id: str, now: datetime
) -> bytes:
    return message.build(
        page,
        sender=sender,
        recipient_email=email,
        recipient_name=name,
        message_id=message_id,
        date=now.astimezone(workspace.settings.zone),
        reply_to=workspace.settings.smtp.reply_to,
    )


def deliver(workspace: Workspace, *, now: datetime, retry_failed: bool = False) -> Sent:
    """Send what is queued or deferred and due; without a mail server, write it to outbox/ instead.

    Call it under the workspace's lock. Raises: DeliveryError where the server as a whole takes no mail; what was
    not offered stays queued.
    """
    _take_up_interrupted(workspace, now)
    if retry_failed:
        for delivery in _deliveries(workspace, "failed"):
            if delivery.mime:
                ledger.requeue(workspace.ledger_db, delivery.id or 0, now)
    statuses = list(_deliver_each(workspace, now))
    waiting = _deliveries(workspace, "deferred")
    bad = [*waiting, *_deliveries(workspace, "failed"), *_deliveries(workspace, "unknown")]
    newest = max(bad, key=lambda delivery: delivery.updated_at, default=None)
    reason = newest.reply if newest else ""
    return Sent(dict(Counter(statuses)), len(waiting), reason, workspace.settings.smtp.host)


def _take_up_interrupted(workspace: Workspace, now: datetime) -> None:
    """What a killed sender left `sending`, or whose answer was lost, may be sent once more with the same bytes."""
    for delivery in _deliveries(workspace, "sending"):
        ledger.settle(workspace.ledger_db, delivery.id or 0, "unknown", "interrupted while sending", now)
    is_harmless = not workspace.settings.smtp.host  # a file in outbox/ is written over
    for delivery in _deliveries(workspace, "unknown"):
        if delivery.n_attempts < 2 or is_harmless:
            ledger.requeue(workspace.ledger_db, delivery.id or 0, now)


def _deliver_each(workspace: Workspace, now: datetime) -> Iterator[str]:
    waiting = [*_deliveries(workspace, "queued"), *_deliveries(workspace, "deferred")]
    settings = workspace.settings.smtp
    if not settings.host:
        for delivery in waiting:
            if ledger.claim(workspace.ledger_db, delivery.id or 0, now):
                path = outbox.write(workspace.outbox, delivery.mime or b"", _file_name(delivery))
                ledger.settle(workspace.ledger_db, delivery.id or 0, "written", str(path.name), now)
                yield "written"
        return
    sender = headers.sender_address(settings.sender)
    with smtp.connect(settings) as session:
        for delivery in waiting:
            if ledger.claim(workspace.ledger_db, delivery.id or 0, now):
                yield _offer(workspace, session, delivery, sender, now)


def _offer(workspace: Workspace, session: smtp.Session, delivery: ledger.Delivery, sender: str, now: datetime) -> str:
    """Offer one claimed mail to the server and settle it by what the server said."""
    number = delivery.id or 0
    try:
        outcome = session.deliver(delivery.mime or b"", sender, delivery.email)
    except DeliveryError as error:
        # The server as a whole takes no mail: this one waits, and the others stay queued.
        ledger.settle(workspace.ledger_db, number, "deferred", str(error), now, next_at=now)
        raise
    status: ledger.DeliveryStatus = outcome.status
    next_at = None
    if status == "deferred":
        if now - delivery.created_at >= GIVE_UP:
            status = "failed"
        else:
            next_at = now + min(timedelta(minutes=2**delivery.n_attempts), LONGEST_WAIT)
    ledger.settle(workspace.ledger_db, number, status, outcome.reply, now, next_at=next_at)
    return status


def send_test(workspace: Workspace, page: Page, address: str, *, now: datetime) -> str:
    """Send one page to one address at once, outside the ledger; returns the server's answer, or the file written.

    Raises: DeliveryError where the server did not take it, SettingsError for the address.
    """
    settings = workspace.settings.smtp
    sender = headers.sender_address(settings.sender)
    headers.check_address(address, settings.allowed_domains)
    message_id = message.message_id(f"test/{address}/{now.isoformat()}", sender)
    mime = _build(workspace, page, sender, address, "", message_id, now)
    if not settings.host:
        return str(outbox.write(workspace.outbox, mime, f"test-{address}"))
    outcome = smtp.deliver(mime, sender=sender, recipient=address, smtp=settings)
    if outcome.status != "sent":
        raise DeliveryError(
            f"{settings.host} did not take the mail to {address}: {outcome.reply}",
            remedy="Check [smtp] in procmon.toml and the server's log.",
        )
    return outcome.reply


def write_due(workspace: Workspace) -> list[Path]:
    """Write what waits to be sent as .eml files, and leave the ledger as it is (`send --dry-run`)."""
    waiting = [*_deliveries(workspace, "queued"), *_deliveries(workspace, "deferred")]
    return [outbox.write(workspace.outbox, delivery.mime or b"", _file_name(delivery)) for delivery in waiting]


def _file_name(delivery: ledger.Delivery) -> str:
    return f"{delivery.id or 0:05}-{delivery.schedule}-{delivery.period}-{delivery.email}"


def _deliveries(workspace: Workspace, status: str) -> list[ledger.Delivery]:
    wanted = select(ledger.Delivery).where(col(ledger.Delivery.status) == status)
    with Session(workspace.ledger_db) as session:
        return list(session.scalars(wanted.order_by(col(ledger.Delivery.id))).all())
