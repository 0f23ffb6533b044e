"""The nightly run on one page: inbox → dossiers → figures → pages → mails, all from one set of inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from procmon import __version__, intake, mailing, pages
from procmon.corrections import corrections
from procmon.engine import Engine
from procmon.errors import ProcmonError, StoreError
from procmon.inputs import Inputs, day_after, is_end_of, measured, midnight, nightly_period, period_moment, read_inputs
from procmon.judge import figures
from procmon.measure.dossiers import shown
from procmon.pages import Ask
from procmon.store import ledger
from procmon.store.database import writing
from procmon.store.lake import sync
from procmon.store.workspace import Workspace
from procmon.tables import DOSSIERS, FIGURES, Page, Period

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
    workspace: Workspace,
    seen: Inputs,
    as_of: datetime,
    asks: list[Ask],
    *,
    run_id: int | None,
    keep_dossiers: bool = True,
) -> Found:
    """Measure as of one instant, judge every ask, build its page, and put all figures in long form.

    All asks are of the same days: where these end at `as_of`, what happened before it is seen, not at it.
    """
    closed = closed_targets(workspace, seen, as_of)
    city_ask = next(ask for ask in asks if ask.audience == "city")
    is_period_end = is_end_of(workspace, city_ask.period, as_of)
    with measured(workspace, seen, as_of, is_period_end=is_period_end, with_stretches=True) as engine:
        if keep_dossiers:
            _keep_dossiers(workspace, engine, seen, as_of)
        judge = pages.judge_of(workspace, seen, engine)
        question = pages.question_of(workspace, seen, as_of, city_ask)
        promised = pages.together([*closed, pages.promised(judge, question, ending=None)])
        counts = pages.batch_counts(workspace, seen)
        files = pages.intake_tables(workspace, seen, run_id)
        found = Found({}, {}, FIGURES.from_rows([]), 0)
        parts = []
        for ask in asks:
            asked = pages.question_of(workspace, seen, as_of, ask)
            tables = pages.page_tables(judge, asked, promised, counts, files)
            found.pages[ask] = pages.page(workspace, seen, judge, asked, ask, tables, run_id=run_id)
            is_city = asked.side == "all"
            parts.append(figures(tables if is_city else tables | pages.NOTHING_PROMISED, asked))
            if ask is city_ask:
                found.city, found.n_dossiers = tables, tables["quality"].to_pylist()[0]["n"]
        found.figures = pa.concat_tables(parts)
    return found


def asks_of_tonight(seen: Inputs, as_of: datetime) -> list[Ask]:
    """The pages of a nightly run: the city's, and one for each audience and scope that someone gets."""
    period = nightly_period(as_of)
    asks = [Ask("city", "", period)]
    for row in seen.registry["recipients"].to_pylist():
        ask = Ask(row["audience"], row["scope"] or "", period)
        if ask not in asks:
            asks.append(ask)
    return asks


def closed_targets(workspace: Workspace, seen: Inputs, as_of: datetime) -> list[dict[str, pa.Table]]:
    """What is told of the targets whose period has ended (`pages.promised`), each as of its end."""
    tomorrow = day_after(as_of)
    ends = sorted({row["period_to"] for row in seen.registry["targets"].to_pylist() if row["period_to"] <= tomorrow})
    found = []
    for end in ends:
        at = midnight(workspace, end)
        with measured(workspace, seen, at, is_period_end=True) as engine:
            judge = pages.judge_of(workspace, seen, engine)
            first = date(end.year - 1 if end.month == 1 and end.day == 1 else end.year, 1, 1)
            question = pages.question_of(workspace, seen, at, Ask("city", "", Period(first, end)))
            found.append(pages.promised(judge, question, ending=end))
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
    found = judge_night(workspace, seen, midnight(workspace, end), wanted, run_id=run_id, keep_dossiers=False)
    return found.pages


def report(workspace: Workspace, ask: Ask, *, latest: datetime, run: ledger.Run | None) -> Page:
    """One page, from the inputs as they stand or as `run` saw them; of a period that still runs, as of `latest`."""
    seen = read_inputs(workspace, run)
    run_id = run.id if run else None
    as_of, is_over = period_moment(workspace, ask.period, latest)
    if is_over:
        return build_pages(workspace, seen, ask.period.to, [ask], run_id=run_id)[ask]
    asks = [ask] if ask.audience == "city" else [ask, Ask("city", "", ask.period)]
    return judge_night(workspace, seen, as_of, asks, run_id=run_id, keep_dossiers=False).pages[ask]


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
    found_anew = corrections(workspace, run, found.figures)
    run.status, run.ended_at, run.n_dossiers = "done", now, found.n_dossiers
    with writing(workspace.ledger_db) as session:
        ledger.add_figures(session, run.id or 0, found.figures)
        session.add_all([*found_anew, *mails])
        session.add(run)
    return len(found_anew)


def _fail(workspace: Workspace, run: ledger.Run, error: BaseException) -> None:
    if run.status == "done":
        return
    run.status = "failed"
    run.error = str(error) if isinstance(error, ProcmonError) else type(error).__name__
    with writing(workspace.ledger_db) as session:
        session.add(run)
