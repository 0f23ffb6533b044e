"""A dossier's verdict under each rule set, with the numbers compared (rulebook 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from procmon.explain.days import amount, must_agree

Row = dict[str, Any]
WORDS = {True: "on time", False: "late", None: "not judged"}
APART = ("stopped", "refused", "withdrawn")


@dataclass(frozen=True)
class Verdict:
    """What a rule set says of a dossier, and why."""

    rule_set: str
    verdict: str
    because: str


def verdicts(dossier: Row, as_of: datetime, zone: ZoneInfo) -> list[Verdict]:
    """The verdicts on a row of DOSSIERS. Raises: StoreError where the reasons lead elsewhere than the measure."""
    if dossier["received_at"] is None:
        return [Verdict(name, WORDS[None], "it was not received") for name in ("index_766", "form_06", "strict")]
    is_on_time, because = _index_766(dossier)
    must_agree("on_time_766", is_on_time, dossier["on_time_766"])
    return [
        Verdict("index_766", WORDS[is_on_time], because),
        Verdict("form_06", dossier["class_06"], "; ".join(_form_06(dossier, as_of, zone))),
        _strict(dossier, is_on_time),
    ]


def _index_766(dossier: Row) -> tuple[bool | None, str]:
    if dossier["n_supplements"] >= 2:
        return False, f"{dossier['n_supplements']} supplement requests: two or more are late"
    if dossier["judged_due_at"] is None:
        return None, "there is no due date to judge by, so it is counted apart"
    if dossier["judged_due_at"] <= dossier["received_at"]:
        return False, "the judged due date is at or before the receipt"
    opened, waited, allowed = dossier["open_seconds"], dossier["waited_seconds"], dossier["open_seconds_to_due"]
    is_on_time = opened - waited <= allowed
    until = "the end" if dossier["ended_at"] else "the as-of instant"
    return is_on_time, (
        f"open time from receipt to {until} {amount(opened)} less {amount(waited)} in supplement pauses ="
        f" {amount(opened - waited)}, {'no more than' if is_on_time else 'more than'} the {amount(allowed)}"
        " from receipt to the judged due date"
    )


def _form_06(dossier: Row, as_of: datetime, zone: ZoneInfo) -> Iterator[str]:
    """The first of the form's rules that holds."""
    outcome = dossier["outcome"]
    if outcome in ("refused", "withdrawn"):
        yield f"{outcome} once received counts as on time"
    elif outcome == "stopped" or dossier["last_status"] == "supplement_requested":
        yield f"{'stopped' if outcome == 'stopped' else 'waits for papers'}: counts as pending in time"
    elif dossier["current_due_at"] is None:
        yield "no due date was stated"
    else:
        due = dossier["current_due_at"].astimezone(zone).date()
        day = dossier["ended_on"] or as_of.date()
        order = "is before" if day < due else "is after" if day > due else "is"
        said = "day of the end" if dossier["ended_on"] else "day of the as-of instant"
        yield f"the {said}, {day}, {order} that of the current due date, {due}"
        yield "days are compared, no pause is subtracted"


def _strict(dossier: Row, is_on_time: bool | None) -> Verdict:
    if dossier["outcome"] in APART:
        return Verdict("strict", dossier["outcome"], "stands in a column of its own, in no share")
    if dossier["judged_due_at"] is None:
        return Verdict("strict", "without due date", "stands in a column of its own, in no share")
    return Verdict("strict", WORDS[is_on_time], "as index_766")
