"""The stretches of rulebook 10 again, one dossier at a time."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from .dossiers import Dossier, Event, effective_receipt, first_received, is_request_after_receipt, policies_of


@dataclass(frozen=True)
class Stretch:
    """From one event to the next, or to the end: who held it, at which stage, and what it cost."""

    from_at: datetime
    to_at: datetime
    unit_id: str
    stage: str
    status: str
    kind: str
    open_seconds: int


def stretches(dossier: Dossier) -> list[Stretch]:
    """The stretches of one dossier, in order; none where it was not received."""
    receipt = first_received(dossier.events)
    if receipt is None:
        return []
    last = dossier.events.index(dossier.end) if dossier.end else len(dossier.events)
    instants = [event.at for event in dossier.events[:last]] + [dossier.ended_at or dossier.measured_to]
    found = []
    for n, (from_at, to_at) in enumerate(pairwise(instants)):
        if n >= dossier.events.index(receipt):
            event = dossier.events[n]
            found.append(
                Stretch(
                    from_at,
                    to_at,
                    holder(dossier.events[: n + 1]),
                    event.stage,
                    event.status,
                    kind(dossier, n),
                    counted_seconds(dossier, receipt.at, from_at, to_at),
                )
            )
    return found


def holder(events: list[Event]) -> str:
    return next((event.unit_id for event in reversed(events) if event.unit_id), "")


def kind(dossier: Dossier, n: int) -> str:
    policies = policies_of(dossier.version)
    requests = [m for m, _ in enumerate(dossier.events) if is_request_after_receipt(dossier.events, m)]
    if policies.supplement == "restart" and requests and n <= requests[-1]:
        return "discarded"
    pauses = {"supplement_requested": policies.supplement, "payment_requested": policies.payment}
    return "waiting" if pauses.get(dossier.events[n].status) == "pause" else "working"


def counted_seconds(dossier: Dossier, received_at: datetime, from_at: datetime, to_at: datetime) -> int:
    """Open time of a stretch, less what lies before a late receipt counts."""
    starts_at = effective_receipt(received_at, policies_of(dossier.version).late_receipt, dossier.calendar)
    return dossier.calendar.open_seconds(max(from_at, starts_at), to_at)
