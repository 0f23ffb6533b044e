"""Commands that do something: init, demo, load, ingest, batch, run, report, send, schedule, mapping."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from procmon import demo, intake, mailing, rerun, schedule, trial
from procmon import run as running
from procmon.ask import default_as_of
from procmon.cli import common
from procmon.cli.common import example, local, now, option, print_table, say, with_output, with_period, with_workspace
from procmon.config import read_settings
from procmon.errors import InputError, UsageProblem
from procmon.inputs import find_run, nightly_period
from procmon.intake import FileResult, Watch
from procmon.pages import AUDIENCES, Ask, side_of
from procmon.run import Night
from procmon.store import registry
from procmon.store.workspace import Workspace, create

FAIL_ON = ("missed", "overdue", "rejects")


@click.command("init", epilog=example("procmon init my-centre"))
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init_command(folder: Path) -> None:
    """Make an empty workspace: procmon.toml, registry, lake, inbox/, reports/, outbox/."""
    create(folder, now())
    click.echo(folder)
    say(f"next: procmon load procedures FILE --workspace {folder}")


@click.command("demo", epilog=example("procmon demo"))
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path), default=Path("procmon-demo")
)
def demo_command(folder: Path) -> None:
    """Make a workspace from sample_logs/, do one nightly run, and say where pages and mails are."""
    began = time.monotonic()
    night = demo.make(folder, now=now(), say=say)
    _tell_night(night)
    for path in sorted((folder / "outbox").glob("*.eml")):
        click.echo(path)
    say(f"done in {time.monotonic() - began:.0f} s; next: procmon show targets --workspace {folder}")


@click.command(
    "load", epilog=example("procmon load procedures sample_logs/city/procedures.csv --workspace procmon-demo")
)
@click.argument("kind", type=click.Choice(list(registry.KINDS)), metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@option("--replace", is_flag=True, help="Close the rows that the file does not have.")
@with_workspace
def load_command(workspace: Workspace, kind: str, file: Path, replace: bool) -> None:
    """Load a registry file, whole or not at all; rows are matched by key, old versions are kept.

    \b
    KIND is one of: procedures units successions calendar opening_hours announced targets recipients
    """
    with workspace.lock():
        loaded = registry.load(workspace.ledger_db, kind, file, replace=replace, now=now())
    click.echo(
        f"{kind}: {loaded.added} added, {loaded.changed} changed, {loaded.closed} closed, "
        f"{loaded.left} left as they were"
    )


@click.group("mapping", epilog=example("procmon mapping list"))
def mapping_group() -> None:
    """How files become events."""


@mapping_group.command("list", epilog=example("procmon mapping list"))
@option("--workspace", type=click.Path(path_type=Path), default=Path(), show_default="here", help="The workspace.")
def mapping_list(workspace: Path) -> None:
    """List the mappings that can be named: the shipped ones, and those in the workspace's mappings/."""
    for known in trial.mappings(workspace):
        click.echo(f"{known.name}  {known.kind}  {known.title or '-'}{f'  ({known.place})' if known.place else ''}")


@mapping_group.command("guess", epilog=example("procmon mapping guess sample_logs/danh-sach.csv"))
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@option("--workspace", type=click.Path(path_type=Path), default=Path(), show_default="here", help="The workspace.")
@option("--output", type=click.Path(dir_okay=False), default="-", help="File to write; - is stdout.")
def mapping_guess(file: Path, workspace: Path, output: str) -> None:
    """Draft a mapping for FILE from its columns; what could not be decided is said, and stands in the draft."""
    draft = trial.guess(file, read_settings(workspace))
    common.write([draft.toml.encode()], output)
    for sentence in draft.undecided:
        say(f"not decided: {sentence}")
    if output != "-":
        say(f"next: procmon mapping check {file} --mapping {output}")


@mapping_group.command(
    "check", epilog=example("procmon mapping check sample_logs/danh-sach.csv --mapping danh-sach-ho-so")
)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@option("--mapping", default=intake.CANONICAL, show_default=True, help="The mapping's name or file.")
@option("--exported-at", help="When the file was exported; a day means its end.")
@option("--rows", type=click.IntRange(1), default=20, show_default=True, help="Events to show.")
@option("--workspace", type=click.Path(path_type=Path), default=Path(), show_default="here", help="The workspace.")
@with_output
def mapping_check(
    file: Path, mapping: str, exported_at: str | None, rows: int, workspace: Path, form: str, output: str
) -> None:
    """Read FILE under a mapping, store nothing, and show the first events and what would be refused."""
    settings = read_settings(workspace)
    exported = common.read_instant(exported_at, settings.zone) if exported_at else None
    with _progress() as watch:
        tried = trial.try_out(file, mapping, workspace, settings, now=now(), exported_at=exported, watch=watch)
    common.print_rows(tried.preview(rows), settings.zone, form=form, output=output)
    taken = tried.taken
    say(f"{file}: {taken.n_read} rows read, {taken.events.num_rows} events, {taken.n_refused} rows refused")
    for note in tried.notes:
        say(f"  {note}")
    if taken.n_refused:
        click.echo(common.plain_table(tried.rejects(rows), settings.zone), err=True, nl=False)
    if taken.is_held:
        raise InputError(
            f"{file}: it would be held: more of its rows are refused than policies.max_refused allows",
            remedy="Mend the rows, or the mapping.",
        )


@click.command(
    "ingest",
    epilog=example("procmon ingest sample_logs/danh-sach.xlsx --mapping danh-sach-ho-so --workspace procmon-demo"),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(path_type=Path, readable=False))
@option("--mapping", default=intake.CANONICAL, show_default=True, help="The mapping's name or file.")
@option("--exported-at", help="When the files were exported; a day means its end.")
@option("--dry-run", is_flag=True, help="Say what would happen, store nothing.")
@option("--fail-on", type=click.Choice(["rejects"]), help="End with 3 if rows or files were refused.")
@with_workspace
def ingest_command(
    workspace: Workspace, paths: tuple[Path, ...], mapping: str, exported_at: str | None, dry_run: bool,
    fail_on: str | None,
) -> None:  # fmt: skip
    """Take log files, folders of them or patterns into the lake, each file whole or not at all.

    CSV, Excel, JSON and XES, plain or as .gz; --mapping says what their columns mean.
    """
    chosen = intake.mapping_of(workspace, mapping)
    exported = common.read_instant(exported_at, workspace.settings.zone) if exported_at else None
    with workspace.lock(), _progress() as watch:
        workspace.settle()
        results = intake.ingest(
            workspace, intake.listed(paths), chosen, now=now(), exported_at=exported, is_dry_run=dry_run, watch=watch
        )
    _tell_files(results)
    if all(result.error or result.is_held for result in results):
        raise InputError("no file went in", remedy="Mend what is said above and ingest again.")
    if fail_on and any(result.error or result.n_refused for result in results):
        say("--fail-on: rejects found")
        click.get_current_context().exit(3)


@contextmanager
def _progress() -> Iterator[Watch | None]:
    """How far the reading of long files is, on a terminal: rows, rate, time left. In a pipe nothing is said."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[Path, TaskID] = {}

        def watch(path: Path, n: int, share: float) -> None:
            if path not in tasks:
                tasks[path] = progress.add_task(path.name, total=1.0, rows=0, rate=0.0)
            elapsed = progress.tasks[tasks[path]].elapsed or 0.0
            progress.update(tasks[path], completed=share, rows=n, rate=n / elapsed if elapsed > 0.1 else 0.0)

        yield watch


def _tell_files(results: list[FileResult]) -> None:
    for result in results:
        if result.error:
            say(f"{result.error}\n  {result.error.remedy}")
            continue
        batch = f"batch {result.batch_id}" if result.batch_id else "dry run"
        click.echo(
            f"{common.harmless(str(result.path))}: {batch}: {result.n_read} rows read, {result.n_stored} stored, "
            f"{result.n_repeated} repeated, {result.n_amended} amended, {result.n_refused} refused"
        )
        if result.is_held:
            say("  held: too many of its rows were refused (policies.max_refused), so nothing of it was stored")
        for note in result.notes:
            say(f"  {note}")
        if result.n_refused and result.batch_id:
            say(f"  see `procmon show rejects --batch {result.batch_id}`")


@click.group("batch", epilog=example("procmon show batches --workspace procmon-demo"))
def batch_group() -> None:
    """Take a wrong batch out, and back."""


@batch_group.command("retract", epilog=example('procmon batch retract 1 --why "wrong month" --workspace procmon-demo'))
@click.argument("number", metavar="N", type=int)
@option("--why", required=True, help="Why; kept with the batch.")
@with_workspace
def batch_retract(workspace: Workspace, number: int, why: str) -> None:
    """Batch N counts no more, from now on; old runs still repeat. Lists the figures that move."""
    if not why.strip():
        raise UsageProblem("--why is empty", remedy="Say in a few words why the batch is wrong.")
    with workspace.lock():
        workspace.settle()
        moved = rerun.moved_by(workspace, lambda: intake.retract(workspace, number, why=why, now=now()), now=now())
    _tell_moved(workspace, moved)


@batch_group.command(
    "restore",
    epilog=example(
        'procmon batch retract 1 --why "wrong month" --workspace procmon-demo\n'
        "procmon batch restore 1 --workspace procmon-demo"
    ),
)
@click.argument("number", metavar="N", type=int)
@with_workspace
def batch_restore(workspace: Workspace, number: int) -> None:
    """Batch N counts again. Lists the figures that move."""
    with workspace.lock():
        workspace.settle()
        moved = rerun.moved_by(workspace, lambda: intake.restore(workspace, number, now=now()), now=now())
    _tell_moved(workspace, moved)


def _tell_moved(workspace: Workspace, moved: rerun.Moved) -> None:
    print_table(workspace, moved.table(), form="table", output="-")
    say(f"{moved.n} figures move")


@click.command("run", epilog=example("procmon run --workspace procmon-demo --as-of 2025-12-31 --no-send"))
@option("--as-of", help="As of this instant; a day means its end. Default: now.")
@option("--no-send", is_flag=True, help="Queue the mails, do not send them.")
@option("--repeat", type=int, metavar="N", help="Compute run N again from what it saw, and compare to the digit.")
@option("--fail-on", multiple=True, type=click.Choice(FAIL_ON), help="End with 3 if this was found; may be repeated.")
@with_workspace
def run_command(
    workspace: Workspace, as_of: str | None, no_send: bool, repeat: int | None, fail_on: tuple[str, ...]
) -> None:
    """Do the nightly check: inbox, measure, judge, figures, pages, mails; and record the run."""
    if repeat is not None:
        if as_of or fail_on:
            raise UsageProblem("--repeat computes a run again as it was", remedy="Leave --as-of and --fail-on out.")
        _repeat(workspace, repeat)
        return
    moment = common.read_instant(as_of, workspace.settings.zone) if as_of else local(workspace, now())
    night = running.nightly(workspace, now=now(), as_of=moment, is_sending=not no_send, say=say)
    _tell_night(night)
    found = [name for name in fail_on if _is_found(night, name)]
    if night.sent:
        night.sent.check()
    if found:
        say(f"--fail-on: {', '.join(found)} found")
        click.get_current_context().exit(3)


def _repeat(workspace: Workspace, number: int) -> None:
    run = find_run(workspace, number)
    if run is None:
        raise UsageProblem(f"there is no done run {number}", remedy="See `procmon show runs`.")
    again = rerun.repeat(workspace, run)
    click.echo(f"run {number} repeated: {again.n_figures} figures, {len(again.differing)} differ")
    for name in again.differing:
        click.echo(name)
    if again.differing:
        click.get_current_context().exit(12)


def _is_found(night: Night, name: str) -> bool:
    if name == "missed":
        return any(row["verdict"] == "missed" for row in night.tables["targets"].to_pylist() if row["scope"] == "city")
    if name == "overdue":
        return "overdue" in night.tables["due_soon"]["state"].to_pylist()
    return any(result.n_refused or result.error for result in night.files)


def _tell_night(night: Night) -> None:
    _tell_files(night.files)
    for path, page in night.pages.items():
        click.echo(path)
        if path.name == "city.html":
            for label, text in page.headlines.items():
                click.echo(f"  {label}: {text}")
    click.echo(
        f"run {night.run_id} as of {night.as_of.isoformat(timespec='seconds')}: {night.n_corrections} corrections"
    )
    if night.sent:
        said = ", ".join(f"{n} {status}" for status, n in sorted(night.sent.counts.items())) or "nothing was due"
        click.echo(f"mails: {said}")


@click.command(
    "report",
    epilog=example("procmon report --audience department --scope unit:H24.07 --period 2025 --workspace procmon-demo"),
)
@option("--audience", type=click.Choice(AUDIENCES), required=True, help="For whom.")
@option("--scope", default="", help="unit:CODE or field:NAME; empty for the city.")
@with_period
@option("--as-of", help="As of this instant instead of the period's end; a day means its end.")
@option("--run", type=int, metavar="N", help="From what run N saw.")
@option("--output", type=click.Path(dir_okay=False), help="File to write; - is stdout. Default: a file in reports/.")
@with_workspace
def report_command(
    workspace: Workspace, audience: str, scope: str, period: str | None, from_: datetime | None,
    to: datetime | None, as_of: str | None, run: int | None, output: str | None,
) -> None:  # fmt: skip
    """Write one page, now or from an old run."""
    side_of(audience, scope)
    seen_by = find_run(workspace, run) if run is not None else None
    asked = common.chosen_period(period, from_, to)
    if as_of:
        latest = common.read_instant(as_of, workspace.settings.zone)
    elif seen_by:
        latest = local(workspace, seen_by.as_of)
    else:
        latest = local(workspace, now()) if asked else default_as_of(workspace, now())
    asked = asked or nightly_period(latest)
    ask = Ask(audience, scope, asked)
    page = running.report(workspace, ask, latest=latest, run=seen_by)
    if output is None:
        name = f"{asked.name.replace('/', '-')}-{ask.file_name}"
        click.echo(running.write_whole(workspace.reports / name, page.html))
    else:
        common.write([page.html.encode()], output)


@click.command("send", epilog=example("procmon send --dry-run --workspace procmon-demo"))
@option("--dry-run", is_flag=True, help="Write what waits as .eml to outbox/, send nothing.")
@option("--retry-failed", is_flag=True, help="Offer failed mails once more.")
@option("--test", metavar="ADDRESS", help="Send the city's page of the last run to this address, now.")
@with_workspace
def send_command(workspace: Workspace, dry_run: bool, retry_failed: bool, test: str | None) -> None:
    """Deliver the mails that are due; without a mail server they go to outbox/."""
    if test:
        moment = default_as_of(workspace, now())
        ask = Ask("city", "", nightly_period(moment))
        page = running.report(workspace, ask, latest=moment, run=None)
        click.echo(mailing.send_test(workspace, page, test, now=now()))
        if not workspace.settings.smtp.host:
            say("no mail server is set (smtp.host): the mail was written to this file, not sent")
        return
    with workspace.lock():
        workspace.settle()
        if dry_run:
            written = mailing.write_due(workspace)
            click.echo("\n".join(map(str, written)) or "nothing was due")
            return
        sent = mailing.deliver(workspace, now=now(), retry_failed=retry_failed)
    click.echo(", ".join(f"{n} {status}" for status, n in sorted(sent.counts.items())) or "nothing was due")
    sent.check()


@click.command("schedule", epilog=example("procmon schedule --once --workspace procmon-demo"))
@option("--once", is_flag=True, help="Do what is due and end.")
@with_workspace
def schedule_command(workspace: Workspace, once: bool) -> None:
    """Do the nightly run and the mails when they are due, in the foreground."""
    if not once:
        settings = workspace.settings.schedule
        say(
            f"nightly at {settings.nightly_at}, mails from {settings.mail_at} ({workspace.settings.workspace.timezone})"
        )
        schedule.run_forever(workspace, now, say)
        return
    done = schedule.tick(workspace, now(), say)
    for line in done or ["nothing was due"]:
        click.echo(line)
