"""When to run. APScheduler only ticks; what is due comes from the ledger, so a restart loses nothing.

A night is due once its local time has passed and no run has begun since; it is as of the midnight before, so that
it speaks of whole days. Mails are due by the deliveries ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, time, timedelta

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import select
from sqlmodel import Session, col

from procmon import mailing
from procmon.errors import DeliveryError, LockedError, ProcmonError
from procmon.inputs import midnight
from procmon.run import Say, nightly
from procmon.store import ledger
from procmon.store.workspace import Workspace

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def last_time(at: str, now: datetime) -> datetime:
    """The newest instant not after `now` (aware, in the office's zone) at which the local clock showed `at`."""
    then = datetime.combine(now.date(), time.fromisoformat(at), tzinfo=now.tzinfo)
    return then if then <= now else then - timedelta(days=1)


def is_night_due(workspace: Workspace, now: datetime) -> bool:
    """Whether the newest nightly time has passed without a run that began after it and was done."""
    local = now.astimezone(workspace.settings.zone)
    since = last_time(workspace.settings.schedule.nightly_at, local)
    done = select(ledger.Run).where(
        col(ledger.Run.status) == "done", col(ledger.Run.started_at) >= since, col(ledger.Run.repeat_of).is_(None)
    )
    with Session(workspace.ledger_db) as session:
        return session.scalars(done.limit(1)).first() is None


def is_mail_time(workspace: Workspace, now: datetime) -> bool:
    """Whether the local clock has reached the hour from which mails go out."""
    local = now.astimezone(workspace.settings.zone)
    return local.time() >= time.fromisoformat(workspace.settings.schedule.mail_at)


def tick(workspace: Workspace, now: datetime, say: Say) -> list[str]:
    """Do what is due at `now`, and say what was done; safe to call as often as one likes.

    Raises: ProcmonError as the parts do; what was done before it stays done.
    """
    done = []
    if is_night_due(workspace, now):
        as_of = midnight(workspace, now.astimezone(workspace.settings.zone).date())
        night = nightly(workspace, now=now, as_of=as_of, is_sending=False, say=say)
        done.append(f"run {night.run_id}")
    if is_mail_time(workspace, now):
        with workspace.lock():
            sent = mailing.deliver(workspace, now=now)
        if sent.counts:
            done.append(", ".join(f"{n} mails {status}" for status, n in sorted(sent.counts.items())))
    return done


def run_forever(workspace: Workspace, clock: Clock, say: Say) -> None:
    """Tick until the process is told to end; a tick that fails is said and the next one tries again."""

    def safe_tick() -> None:
        try:
            for line in tick(workspace, clock(), say):
                say(line)
        except LockedError as error:
            logger.info("%s", error)
        except DeliveryError as error:
            say(f"{error} {error.remedy}".strip())
        except ProcmonError as error:
            logger.error("%s %s", error, error.remedy)

    scheduler = BlockingScheduler(timezone=workspace.settings.zone)
    scheduler.add_job(
        safe_tick,
        IntervalTrigger(seconds=workspace.settings.schedule.every_seconds),
        next_run_time=clock(),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        say("stopped")
