"""The nightly run on one page: inbox → dossiers → figures → pages → mails, all from one set of inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from procmon import __version__, inputs, intake, mailing, pages
from procmon.engine import Engine
from procmon.errors import ProcmonError, StoreError, UsageProblem
from procmon.inputs import Inputs, closed_period, measured, midnight, period_moment, read_inputs
from procmon.judge import figures, freeze
from procmon.measure.dossiers import shown
from procmon.pages import Ask
from procmon.store import ledger
from procmon.store.database import writing
from procmon.store.lake import sync
from procmon.store.workspace import Workspace
from procmon.tables import BASELINE_DOSSIERS, DOSSIERS, FIGURES, TARGETS, Page, Period

SAME_FIGURE = ("figure", "rule_set", "scope", "scope_id", "period_from", "period_to")
COMPARED = ("numerator", "denominator", "value", "lower", "upper", "n", "n_baseline", "verdict")
NO_FIGURE: Mapping[str, None] = dict.fromkeys(COMPARED)
DERIVED_HOURS = 7 * 24
"""How long old versions of the derived dossiers stay for their readers."""

Say = Callable[[str], None]
"""Where progress is said; words for people, never results."""


@dataclass
class Night:
    """What one nightly run did."""

    run_id: int
    as_of: datetime
    files: list[intake.FileResult] = field(default_factory=list)
    pages: dict[Path, Page] = field(default_factory=dict)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    n_corrections: int = 0
    sent: mailing.Sent | None = None


def nightly(workspace: Workspace, *, now: datetime, as_of: datetime, is_sending: bool, say: Say) -> Night:
    """Do the nightly run once, in order, and record it.

    Raises: LockedError where another run holds the workspace, DeliveryError where the mail server takes no mail
    (everything before is done and recorded), StoreError where a store failed (the run is recorded as failed).
    """
    with workspace.lock():
        workspace.settle()
        say("reading inbox/")
        files = intake.take_inbox(workspace, now=now)
        seen = read_inputs(workspace)
        run = _begin(workspace, seen, now=now, as_of=as_of)
        night = Night(run.id or 0, as_of, files)
        try:
            say("measuring and judging")
            found = judge_night(workspace, seen, as_of, asks_of_tonight(seen, as_of), run_id=run.id)
            say("writing pages")
            night.pages = write_pages(workspace, night.run_id, found.pages)
            night.tables = found.city
            say("writing mails")
            mails = write_mails(workspace, seen, night, found, now=now)
            night.n_corrections = _finish(workspace, run, found, mails, now=now)
        except BaseException as error:
            _fail(workspace, run, error)
            raise
        if is_sending:
            say("sending")
            night.sent = mailing.deliver(workspace, now=now)
    return night


@dataclass
class Found:
    """What was judged as of one instant: the pages asked for, the city's tables, every figure."""

    pages: dict[Ask, Page]
    city: dict[str, pa.Table]
    figures: pa.Table
    n_dossiers: int


def judge_night(
    workspace: Workspace, seen: Inputs, as_of: datetime, asks: list[Ask], *, run_id: int | None,
    is_period_end: bool = False, keep_dossiers: bool = True,
) -> Found:  # fmt: skip
    """Measure as of one instant, judge every ask, build its page, and put all figures in long form."""
    closed = closed_targets(workspace, seen, as_of)
    with measured(workspace, seen, as_of, is_period_end=is_period_end) as engine:
        if keep_dossiers and not is_period_end:
            _keep_dossiers(workspace, engine, seen, as_of)
        judge = pages.judge_of(workspace, seen, engine)
        city_ask = next(ask for ask in asks if ask.audience == "city")
        question = pages.question_of(workspace, seen, as_of, city_ask)
        targets = TARGETS.conform(pa.concat_tables([*closed, judge.targets(question, ending=None)]))
        counts = pages.batch_counts(workspace, seen)
        files = pages.intake_tables(workspace, seen, run_id)
        found = Found({}, {}, FIGURES.from_rows([]), 0)
        parts = []
        for ask in asks:
            asked = pages.question_of(workspace, seen, as_of, ask)
            tables = pages.page_tables(judge, asked, targets, counts, files)
            found.pages[ask] = pages.page(workspace, seen, judge, asked, ask, tables, run_id=run_id)
            is_city = asked.side == "all"
            parts.append(figures(tables if is_city else tables | {"targets": pages.no_targets()}, asked))
            if ask is city_ask:
                found.city, found.n_dossiers = tables, tables["quality"].to_pylist()[0]["n"]
        found.figures = pa.concat_tables(parts)
    return found


def asks_of_tonight(seen: Inputs, as_of: datetime) -> list[Ask]:
    """The pages of a nightly run: the city's, and one for each audience and scope that someone gets."""
    tomorrow = day_after(as_of)
    period = closed_period("daily", tomorrow)
    asks = [Ask("city", "", period)]
    for row in seen.registry["recipients"].to_pylist():
        ask = Ask(row["audience"], row["scope"] or "", period)
        if ask not in asks:
            asks.append(ask)
    return asks


def day_after(as_of: datetime) -> date:
    """The local day after the last that an as-of instant saw something of; `as_of` is in the office's zone."""
    return (as_of - timedelta(microseconds=1)).date() + timedelta(days=1)


def closed_targets(workspace: Workspace, seen: Inputs, as_of: datetime) -> list[pa.Table]:
    """The targets whose period has ended, each judged as of its end."""
    tomorrow = day_after(as_of)
    ends = sorted({row["period_to"] for row in seen.registry["targets"].to_pylist() if row["period_to"] <= tomorrow})
    found = []
    for end in ends:
        at = midnight(workspace, end)
        with measured(workspace, seen, at, is_period_end=True) as engine:
            judge = pages.judge_of(workspace, seen, engine)
            first = date(end.year - 1 if end.month == 1 and end.day == 1 else end.year, 1, 1)
            question = pages.question_of(workspace, seen, at, Ask("city", "", Period(first, end)))
            found.append(judge.targets(question, ending=end))
    return found


def write_pages(workspace: Workspace, run_id: int, built: Mapping[Ask, Page]) -> dict[Path, Page]:
    """Write a run's pages to reports/run-N/, each whole or not at all."""
    folder = workspace.reports / f"run-{run_id:06}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {write_whole(folder / ask.file_name, page.html): page for ask, page in built.items()}


def write_whole(path: Path, text: str) -> Path:
    """Write a file under another name, sync it, and give it its name."""
    passing = path.with_name(f".{path.name}.part")
    try:
        with passing.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
        sync(path.parent)
    except OSError as error:
        passing.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}", remedy="Check the folder and the disk."
        ) from error
    return path


def write_mails(
    workspace: Workspace, seen: Inputs, night: Night, found: Found, *, now: datetime
) -> list[ledger.Delivery]:
    """Each recipient's mails that the ledger does not have: of periods that have ended, as of their end."""
    due = mailing.due_mails(workspace, night.as_of.date(), seen.registry["recipients"].to_pylist())
    built = dict(found.pages)  # those of a run as of midnight are the daily mails' own
    by_end: dict[date, list[Ask]] = {}
    for mail in due:
        if mail.ask not in built:
            by_end.setdefault(mail.ask.period.to, []).append(mail.ask)
    for end, asks in sorted(by_end.items()):
        built |= build_pages(workspace, seen, end, asks, run_id=night.run_id)
    return [mailing.delivery(workspace, mail, built[mail.ask], run_id=night.run_id, now=now) for mail in due]


def build_pages(
    workspace: Workspace, seen: Inputs, end: date, asks: list[Ask], *, run_id: int | None
) -> dict[Ask, Page]:
    """Pages of periods that end on the day before `end`, everything as of that end."""
    wanted = list(dict.fromkeys(asks))
    city = Ask("city", "", wanted[0].period)
    if not any(ask.audience == "city" for ask in wanted):
        wanted.append(city)
    found = judge_night(
        workspace, seen, midnight(workspace, end), wanted, run_id=run_id, is_period_end=True, keep_dossiers=False
    )
    return found.pages


def report(workspace: Workspace, ask: Ask, *, latest: datetime, run: ledger.Run | None) -> Page:
    """One page, from the inputs as they stand or as `run` saw them; of a period that still runs, as of `latest`."""
    seen = read_inputs(workspace, run)
    run_id = run.id if run else None
    as_of, is_period_end = period_moment(workspace, ask.period, latest)
    if is_period_end:
        return build_pages(workspace, seen, ask.period.to, [ask], run_id=run_id)[ask]
    asks = [ask] if ask.audience == "city" else [ask, Ask("city", "", ask.period)]
    return judge_night(workspace, seen, as_of, asks, run_id=run_id, keep_dossiers=False).pages[ask]


@dataclass(frozen=True)
class Repeat:
    """A run done again: how many figures, and those that differ from what was recorded."""

    n_figures: int
    differing: list[str]


def repeat(workspace: Workspace, run: ledger.Run) -> Repeat:
    """Compute run N's figures again from what it saw, and compare them with the ledger, to the digit."""
    seen = read_inputs(workspace, run)
    as_of = run.as_of.astimezone(workspace.settings.zone)
    found = judge_night(workspace, seen, as_of, asks_of_tonight(seen, as_of), run_id=run.id, keep_dossiers=False)
    recorded = ledger.read_table(workspace.ledger_db, "figures", run_id=run.id).select(FIGURES.names)
    return Repeat(found.figures.num_rows, [_named(row) for row, _, _ in _differences(recorded, found.figures)])


@dataclass(frozen=True)
class Moved:
    """The figures that a change moved: (figure, before, after)."""

    rows: list[tuple[dict[str, Any], float | None, float | None]]

    @property
    def n(self) -> int:
        """How many."""
        return len(self.rows)

    def table(self) -> pa.Table:
        """figure, scope, scope_id, before, after."""
        columns: dict[str, pa.Array] = {
            name: pa.array([row[name] for row, _, _ in self.rows], pa.string())
            for name in ("figure", "scope", "scope_id")
        }
        columns["before"] = pa.array([before for _, before, _ in self.rows], pa.float64())
        columns["after"] = pa.array([after for _, _, after in self.rows], pa.float64())
        return pa.table(columns)


def moved_by(workspace: Workspace, change: Callable[[], None], *, now: datetime) -> Moved:
    """Make a change to what counts, and say which of the city's figures move, as of the last done run (else now)."""
    last = inputs.find_run(workspace)
    as_of = (last.as_of if last else now).astimezone(workspace.settings.zone)
    ask = Ask("city", "", closed_period("daily", day_after(as_of)))

    def found() -> pa.Table:
        seen = read_inputs(workspace)
        return judge_night(workspace, seen, as_of, [ask], run_id=None, keep_dossiers=False).figures

    before = found()
    change()
    return Moved([moved for moved in _differences(before, found()) if moved[1] != moved[2]])


def publish_baseline(workspace: Workspace, period: Period, *, now: datetime) -> ledger.Baseline:
    """Freeze the finished dossiers of a period as the baseline of every run from now on (rulebook 7e).

    Raises: UsageProblem where no dossier was finished in the period.
    """
    with workspace.lock():
        workspace.settle()
        seen = read_inputs(workspace)
        with measured(workspace, seen, midnight(workspace, period.to), is_period_end=True) as engine:
            rows = freeze(engine, period)
            if rows.num_rows == 0:
                raise UsageProblem(
                    f"no dossier was finished from {period.from_} to {period.to} (excluded)",
                    remedy="Ingest the log of that time first: `procmon ingest FILE`.",
                )
            log = engine.query(
                "SELECT min(received_on) AS first, quantile_disc(working_seconds, 0.99) FILTER (WHERE outcome IN "
                "('finished', 'returned') AND ended_on >= (SELECT first FROM frozen_period)) AS p99 FROM dossiers"
            ).to_pylist()[0]
            run_in = _open_seconds(seen, log["first"], period.from_)
        baseline = _new_baseline(workspace, seen, period, now)
        ids = pa.array([baseline.id] * rows.num_rows, pa.int64())
        workspace.lake.append(BASELINE_DOSSIERS, rows.add_column(0, "baseline_id", ids), f"baseline-{baseline.id}")
        baseline.status, baseline.n_dossiers = "done", rows.num_rows
        baseline.log_begins_on, baseline.p99_days = log["first"], int(log["p99"]) / 28800
        baseline.is_complete = run_in >= log["p99"]
        with writing(workspace.ledger_db) as session:
            session.add(baseline)
    return baseline


def _new_baseline(workspace: Workspace, seen: Inputs, period: Period, now: datetime) -> ledger.Baseline:
    baseline = ledger.Baseline(
        published_at=now,
        baseline_from=period.from_,
        baseline_to=period.to,
        lake_version=seen.lake_version,
        batches=ledger.format_batches(seen.live),
        registry_version=seen.registry_version,
        calendar_version=seen.calendars.version,
        program_version=__version__,
        settings=json.dumps({"policies": seen.policies.model_dump()}),
    )
    with writing(workspace.ledger_db) as session:
        session.add(baseline)
    return baseline


def _open_seconds(seen: Inputs, first: date, last: date) -> int:
    """Open time between two midnights on the default calendar."""
    days = {
        row["day"]: row["open_before"]
        for row in seen.calendars.days.to_pylist()
        if row["calendar_id"] == "default" and row["day"] in (first, last)
    }
    return int(days[last] - days[first]) if first < last else 0


def _keep_dossiers(workspace: Workspace, engine: Engine, seen: Inputs, as_of: datetime) -> None:
    """Put the derived dossiers into the lake, for people's SQL; nothing reads them back for a figure."""
    if workspace.lake.last_commit(DOSSIERS) != seen.digest(as_of):
        workspace.lake.replace(DOSSIERS, shown(engine), seen.digest(as_of))
        workspace.lake.vacuum(DOSSIERS, hours=DERIVED_HOURS)


def _begin(workspace: Workspace, seen: Inputs, *, now: datetime, as_of: datetime) -> ledger.Run:
    run = ledger.Run(
        started_at=now,
        as_of=as_of,
        lake_version=seen.lake_version,
        batches=ledger.format_batches(seen.live),
        registry_version=seen.registry_version,
        calendar_version=seen.calendars.version,
        program_version=__version__,
        settings=json.dumps({"policies": seen.policies.model_dump()}),
        baseline_id=seen.baseline.id if seen.baseline else None,
    )
    with writing(workspace.ledger_db) as session:
        session.add(run)
    return run


def _finish(workspace: Workspace, run: ledger.Run, found: Found, mails: list[ledger.Delivery], *, now: datetime) -> int:
    """Record figures, corrections, queued mails and the end of the run in one commit: a run that is done has them all.

    Returns: the number of corrections.
    """
    corrections = _corrections(workspace, run, found.figures)
    run.status, run.ended_at, run.n_dossiers = "done", now, found.n_dossiers
    with writing(workspace.ledger_db) as session:
        ledger.add_figures(session, run.id or 0, found.figures)
        session.add_all([*corrections, *mails])
        session.add(run)
    return len(corrections)


def _fail(workspace: Workspace, run: ledger.Run, error: BaseException) -> None:
    if run.status == "done":
        return
    run.status = "failed"
    run.error = str(error) if isinstance(error, ProcmonError) else type(error).__name__
    with writing(workspace.ledger_db) as session:
        session.add(run)


def _corrections(workspace: Workspace, run: ledger.Run, found: pa.Table) -> list[ledger.Correction]:
    """What differs from the last run on pages and periods that both have, with the batches between the two."""
    last = inputs.find_run(workspace)
    if last is None:
        return []
    before = ledger.read_table(workspace.ledger_db, "figures", run_id=last.id).select(FIGURES.names)
    asked_twice = _questions(before) & _questions(found)
    moved = set(ledger.parse_batches(run.batches)) ^ set(ledger.parse_batches(last.batches))
    return [
        ledger.Correction(
            run_id=run.id or 0,
            previous_run_id=last.id or 0,
            figure=str(key["figure"]),
            rule_set=str(key["rule_set"] or ""),
            scope=str(key["scope"] or ""),
            scope_id=str(key["scope_id"] or ""),
            period_from=key["period_from"],
            period_to=key["period_to"],
            before=old,
            after=new,
            batches=ledger.format_batches(moved),
        )
        for key, old, new in _differences(before, found)
        if _question(key) in asked_twice
    ]


def _questions(figures: pa.Table) -> set[tuple[object, ...]]:
    return {_question(row) for row in figures.to_pylist()}


def _question(row: Mapping[str, Any]) -> tuple[object, ...]:
    """What a figure answers: whose page, and over which days (judge/figures.py says how scopes are written)."""
    audience = str(row["scope"] or "").partition("/")[0]
    whose = str(row["scope_id"] or "").partition("/")[0] if audience in ("centre", "department") else ""
    return audience if whose else "city", whose, row["period_from"], row["period_to"]


def _differences(before: pa.Table, after: pa.Table) -> list[tuple[dict[str, Any], float | None, float | None]]:
    """The figures that differ, those that have come or gone too, with their values (else numerators)."""
    old, new = ({_key(row): row for row in table.to_pylist()} for table in (before, after))
    differing = []
    for key, row in (old | new).items():
        was, now = old.get(key, NO_FIGURE), new.get(key, NO_FIGURE)
        if any(was[name] != now[name] for name in COMPARED):
            shown_as = "value" if was["value"] != now["value"] else "numerator"
            differing.append((row, was[shown_as], now[shown_as]))
    return differing


def _key(row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in SAME_FIGURE)


def _named(row: Mapping[str, object]) -> str:
    return f"{row['figure']} {row['scope'] or ''}:{row['scope_id'] or ''}"
