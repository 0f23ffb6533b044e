"""What is missing, stale, unsent or wrong in a workspace, with the remedy."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from procmon import baselines, pages
from procmon.errors import ProcmonError, UsageProblem
from procmon.inputs import find_run, read_inputs
from procmon.intake import waiting_files
from procmon.judge.predecessors import national_part
from procmon.names import Unit, versions
from procmon.store import ledger, registry
from procmon.store.workspace import Workspace
from procmon.tables import BASELINE_TABLES, DOSSIERS, EVENTS, REJECTS
from procmon.unit_calendars import DEFAULT
from procmon.worktime import closed_all_week, undecided_years

STALE = timedelta(hours=26)
DECISION_AHEAD = timedelta(days=60)
"""A year's official days are asked for this long before it begins."""
MAIL_REMEDIES = {
    "failed": "Mend what the reply says, then `procmon send --retry-failed`.",
    "unknown": "Ask whether it came; `procmon send --test ADDRESS` shows whether the server takes mail.",
    "sending": "Another process is sending it, or was killed: `procmon send` settles it.",
}


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing that is missing, stale, unsent or wrong, and what to do about it."""

    what: str
    remedy: str


def doctor(workspace: Workspace, *, now: datetime) -> list[Finding]:
    """Everything about a workspace that somebody should see to."""
    findings = []
    for check in (
        _stores, _registry, _ended_units, _official_days, _calendars, _baseline, _runs, _batches, _mails, _files,
    ):  # fmt: skip
        try:
            findings += list(check(workspace, now))
        except ProcmonError as error:
            findings.append(Finding(str(error), error.remedy))
    return findings


def _stores(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    del now
    for table in (EVENTS, REJECTS, *BASELINE_TABLES, DOSSIERS):
        missing = [path for path in workspace.lake.files(table) if not Path(path).exists()]
        if missing:
            yield Finding(f"lake/{table.name}: {len(missing)} files are missing", "Restore the lake from a backup.")
    if not workspace.key:
        yield Finding("the key of the identifiers' hashes is empty", "Restore it from a backup.")


def _registry(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    del now
    loaded = read_inputs(workspace).registry
    for kind in ("procedures", "units", "targets", "recipients"):
        if loaded[kind].num_rows == 0:
            yield Finding(f"the registry has no {kind}", f"procmon load {kind} FILE")
    units = set(loaded["units"]["unit_id"].to_pylist())
    for kind, columns in (("units", ["parent_unit_id"]), ("successions", ["old_unit_id", "new_unit_id"])):
        for column in columns:
            unknown = sorted(set(loaded[kind][column].to_pylist()) - units - {None})
            if unknown:
                yield Finding(
                    f"{kind}.{column}: {len(unknown)} units are unknown, such as {unknown[0]}",
                    "Load them with `procmon load units FILE`.",
                )
    unmatched = _announced_of_no_procedure(loaded["announced"].to_pylist(), loaded["procedures"].to_pylist())
    if unmatched:
        yield Finding(
            f"announced: {len(unmatched)} codes match no procedure of the registry, such as {unmatched[0]}",
            "Load them with `procmon load procedures FILE`, or the list with the registry's codes.",
        )
    weights = loaded["successions"]["weight"]
    if workspace.settings.policies.split_units == "weights" and weights.null_count == len(weights):
        yield Finding(
            "policies.split_units is weights, but no succession has one",
            "Load successions with the column weight, or leave the policy at undetermined.",
        )
    for row in loaded["recipients"].to_pylist():
        try:
            pages.side_of(row["audience"], row["scope"] or "")
        except UsageProblem as problem:
            yield Finding(f"recipient {row['email']}: {problem}", problem.remedy)


def _announced_of_no_procedure(announced: Iterable[Row], procedures: Iterable[Row]) -> list[str]:
    """Announced codes that are no procedure's, neither as they stand nor by their first two groups."""
    known = {code for row in procedures for code in (row["procedure_id"], national_part(row["procedure_id"]))}
    codes = {row["procedure_id"] for row in announced}
    return sorted(code for code in codes if code not in known and national_part(code) not in known)


def _ended_units(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    """Units that ended since the baseline began and that nothing succeeds: their dossiers are undetermined.

    Districts stay out: their level was abolished, so no succession can be loaded; the city's page names them.
    """
    seen, today = read_inputs(workspace), now.astimezone(workspace.settings.zone).date()
    if seen.baseline is None:
        return
    units = list(versions(seen.registry["units"].to_pylist()))
    successions = seen.registry["successions"].to_pylist()
    ended = [
        unit for unit in units
        if seen.baseline.baseline_from < unit.ends_on <= today and unit.kind != "district"
        and not _is_succeeded(unit, successions)
    ]  # fmt: skip
    if not ended:
        return
    first = min(ended, key=lambda unit: (unit.ends_on, unit.unit_id))
    goes_on = any((unit.unit_id, unit.valid_from) == (first.unit_id, first.ends_on) for unit in units)
    heir = first.unit_id if goes_on else "NEW_CODE"
    yield Finding(
        f"units: {len(ended)} ended without a succession, such as {first.unit_id} {first.name} on {first.ends_on}:"
        " figures by unit call them undetermined",
        "Say what took each over, with `procmon load successions FILE`; where one unit took it over whole, the row is"
        f" `{first.unit_id},{heir},{first.ends_on},whole`.",
    )


def _is_succeeded(unit: Unit, successions: Iterable[Row]) -> bool:
    """Whether a succession's old code means this version: the one that held on the day before it."""
    return any(
        row["old_unit_id"] == unit.unit_id and unit.valid_from < row["effective_on"] <= unit.ends_on
        for row in successions
    )


def _official_days(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    """Years that figures compare, or will from soon on, without their official days."""
    seen, today = read_inputs(workspace), now.astimezone(workspace.settings.zone).date()
    first = seen.baseline.baseline_from if seen.baseline else today
    for year in undecided_years(seen.registry["calendar"], first, today + DECISION_AHEAD):
        yield Finding(
            f"the calendar does not have the official days off and swapped working days of {year}",
            "`procmon load calendar FILE` with those of the decision, among them a row of the calendar default that"
            f" closes {year}-01-01: it says that the decision is in, also where it swaps no day.",
        )
    missing = registry.unloaded(workspace.ledger_db, "calendar")
    if missing:
        yield Finding(
            f"the registry lacks {len(missing)} days of the calendar that is shipped, such as {missing[0]['on']}",
            f"procmon load calendar {shlex.quote(str(registry.seed_file('calendar')))}",
        )


def _calendars(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    """Calendars that are forgotten in part, and names of calendars and units that are likely mistyped."""
    seen, today = read_inputs(workspace), now.astimezone(workspace.settings.zone).date()
    for calendar_id in closed_all_week(seen.calendars, today):
        yield Finding(
            f"calendar {calendar_id} is closed from Monday to Friday",
            "Load opening_hours with its other weekdays too: a calendar is closed on those it does not name.",
        )
    hours = seen.registry["opening_hours"].to_pylist()
    with_hours = {row["calendar_id"] for row in hours} | {DEFAULT}
    with_days = set(seen.registry["calendar"]["calendar_id"].to_pylist())
    for calendar_id in sorted(with_days - with_hours):
        yield Finding(
            f"calendar {calendar_id} has single days but no opening hours, so no unit has them",
            "Give it hours and units with `procmon load opening_hours FILE`; if the name is mistyped, load all days"
            " anew with `procmon load calendar FILE --replace`.",
        )
    for calendar_id in sorted(with_hours - seen.calendars.used() - {DEFAULT}):
        yield Finding(
            f"calendar {calendar_id} is no unit's",
            "Name its units in `procmon load opening_hours FILE`; if it is mistyped or not needed, load all hours anew"
            " with `--replace`.",
        )
    units = set(seen.registry["units"]["unit_id"].to_pylist())
    given = {(row["unit_id"], row["calendar_id"]) for row in hours if row["unit_id"]}
    for unit_id, calendar_id in sorted(given if units else ()):
        if unit_id not in units:
            yield Finding(
                f"opening_hours: calendar {calendar_id} is given to unit {unit_id}, which the registry does not know",
                "Load it with `procmon load units FILE`; if it is mistyped, load all hours anew with"
                " `procmon load opening_hours FILE --replace`.",
            )


def _baseline(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    del now
    baseline = read_inputs(workspace).baseline
    if baseline is None:
        yield Finding(
            "no baseline is published, so no time can be compared",
            "Ingest the log of 2024, then `procmon baseline publish --from 2024-01-01 --to 2025-01-01`.",
        )
        return
    if not baseline.is_complete:
        yield Finding(
            f"baseline {baseline.id} is not complete: the log begins on {baseline.log_begins_on}, too late for its "
            f"slowest dossiers ({baseline.p99_days:.1f} working days)",
            "Ingest the log before it and publish the baseline anew.",
        )
    if not baselines.has_states(workspace, baseline):
        yield Finding(
            f"baseline {baseline.id} did not keep what it received month by month: pending work cannot be compared",
            "Publish it anew.",
        )
    for moved in baselines.moved_inputs(workspace, baseline):
        yield Finding(
            f"baseline {baseline.id}'s inputs moved since it was published: {moved}",
            "`procmon baseline publish` takes them in and says what moves; or leave it as it is, on purpose.",
        )
    gone = set(ledger.parse_batches(baseline.batches)) - set(ledger.live_batches(workspace.ledger_db))
    if gone:
        yield Finding(
            f"baseline {baseline.id} stands on batches that are retracted: {ledger.format_batches(gone)}",
            "Publish it anew, or restore them.",
        )


def _runs(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    run = find_run(workspace)
    if run is None:
        yield Finding("there has been no run", "procmon run")
    elif now - run.started_at > STALE:
        yield Finding(f"the last run began on {run.started_at:%Y-%m-%d %H:%M} UTC", "procmon run, or the scheduler")
    failed = [
        row for row in ledger.read_table(workspace.ledger_db, "runs").to_pylist() if row["status"] == "failed"
        and (run is None or row["id"] > (run.id or 0))
    ]  # fmt: skip
    for row in failed:
        yield Finding(f"run {row['id']} failed: {row['error']}", "Mend it and run again.")


def _batches(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    del now
    for row in ledger.read_table(workspace.ledger_db, "batches").to_pylist():
        if row["status"] == "pending":
            yield Finding(f"batch {row['id']} ({row['file']}) is pending", "The next ingest or run settles it.")
        elif row["is_held"] and row["status"] == "done" and not row["retracted_at"]:
            yield Finding(
                f"batch {row['id']} ({row['file']}) is held whole: too many of its rows were refused",
                f"procmon show rejects --batch {row['id']}",
            )
        elif row["status"] == "done" and not row["retracted_at"] and row["n_refused"]:
            yield Finding(
                f"batch {row['id']} ({row['file']}): {row['n_refused']} of {row['n_read']} rows were refused",
                f"procmon show rejects --batch {row['id']}",
            )


def _mails(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    for row in ledger.read_table(workspace.ledger_db, "deliveries").to_pylist():
        if row["status"] in MAIL_REMEDIES:
            yield Finding(
                f"mail {row['id']} to {row['email']} is {row['status']}: {row['reply']}", MAIL_REMEDIES[row["status"]]
            )
        elif row["status"] in ("queued", "deferred") and now - row["created_at"] > STALE:
            yield Finding(f"mail {row['id']} to {row['email']} still waits: {row['reply']}", "procmon send")


def _files(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    run = find_run(workspace)
    for path, mapping in waiting_files(workspace):
        place = path.relative_to(workspace.folder)
        waits_since = path.stat().st_mtime
        if run and waits_since < run.started_at.timestamp():
            yield Finding(
                f"{place} was there in the last run and did not go in",
                f"See why with `procmon ingest --dry-run --mapping {shlex.quote(mapping)} {shlex.quote(str(path))}`; "
                "mend it or take it away.",
            )
        elif now.timestamp() - waits_since > STALE.total_seconds():
            yield Finding(f"{place} has waited for more than a day", "procmon run")
    key = workspace.folder / "key"
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding("others can read the key of the identifiers' hashes", f"chmod 600 {key}")
