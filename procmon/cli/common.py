"""What every command shares: options that mean the same everywhere, errors with their exit codes, printing."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click
import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from procmon.errors import ProcmonError, UsageProblem
from procmon.inputs import read_period
from procmon.printing import cell, csv_text
from procmon.store.workspace import Workspace, open_workspace
from procmon.tables import Period

P = ParamSpec("P")
R = TypeVar("R")

FORMATS = ("table", "csv", "json")
DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
TABLE_ROWS = 1000
"""A table on a terminal stops here and says so; csv and json never do."""


def option(*names: str, **attributes: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A click option that is also the environment variable PROCMON_NAME."""
    longest = max(names, key=len).lstrip("-").split("/")[0]
    return click.option(*names, envvar="PROCMON_" + longest.upper().replace("-", "_"), show_envvar=True, **attributes)


def with_workspace(command: Callable[..., R]) -> Callable[..., R]:
    """Give the command an open workspace as its first argument."""

    @option("--workspace", type=click.Path(path_type=Path), default=Path(), show_default="here", help="The workspace.")
    @functools.wraps(command)
    def wrapped(*args: Any, workspace: Path, **options: Any) -> R:
        return command(open_workspace(workspace), *args, **options)

    return wrapped


def with_output(command: Callable[..., R], forms: Sequence[str] = FORMATS) -> Callable[..., R]:
    """Add --format and --output."""
    command = option("--output", type=click.Path(dir_okay=False), default="-", help="File to write; - is stdout.")(
        command
    )
    return option(
        "--format", "form", type=click.Choice(forms), default="table", show_default=True, help="Form of the rows."
    )(command)


def example(text: str) -> str:
    """The end of a help text: an example that works on sample_logs/, or after `procmon demo`."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.splitlines())


def now() -> datetime:
    """The clock, read once at the entry. PROCMON_NOW, an ISO instant, stands in for it in tests and rehearsals."""
    given = os.environ.get("PROCMON_NOW")
    return datetime.fromisoformat(given) if given else datetime.now().astimezone()


def say(text: str) -> None:
    """Words for people go to stderr; results go to stdout."""
    click.echo("\n".join(map(harmless, text.split("\n"))), err=True)


def is_day(text: str | None) -> bool:
    """Whether a text that stands for an instant names a day, which means its end."""
    return bool(text and DAY.fullmatch(text))


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """An instant given by a person: without an offset in the office's zone; a bare day means its end.

    Raises: UsageProblem for anything else.
    """
    try:
        if is_day(text):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time.min, tzinfo=zone)
        moment = datetime.fromisoformat(text)
        if moment.year in (date.min.year, date.max.year):  # of which another zone's day may be in no year
            raise ValueError(text)
    except (ValueError, OverflowError) as error:
        raise UsageProblem(
            f"'{text}' is not an instant", remedy="Write 2025-12-31, 2025-12-31T16:30 or 2025-12-31T16:30:00+07:00."
        ) from error
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def chosen_period(name: str | None, first: datetime | None, last: datetime | None) -> Period | None:
    """The period of --period, or of --from and --to (excluded); None where none is given."""
    if name and (first or last):
        raise UsageProblem("--period and --from/--to both say which days", remedy="Give one of them.")
    if name:
        return read_period(name)
    if first is None and last is None:
        return None
    if first is None or last is None or first >= last:
        raise UsageProblem("--from and --to need each other, in this order", remedy="--from 2025-01-01 --to 2025-02-01")
    return Period(first.date(), last.date(), f"{first.date()}..{last.date()}")


def with_period(command: Callable[..., R]) -> Callable[..., R]:
    """Add --period, --from and --to."""
    day = click.DateTime(["%Y-%m-%d"])
    command = option("--to", "to", type=day, help="Day after the last.")(command)
    command = option("--from", "from_", type=day, help="First day.")(command)
    return option("--period", help="2025, 2025-Q2, 2025-05, or the reporting month 2025-05/15 (15 April to 14 May).")(
        command
    )


def print_table(workspace: Workspace, table: pa.Table, *, form: str, output: str) -> None:
    """Print rows in the asked form to the asked place."""
    print_rows(table, workspace.settings.zone, form=form, output=output)


def print_rows(table: pa.Table, zone: ZoneInfo, *, form: str, output: str) -> None:
    """Print rows, their instants in `zone`, in the asked form to the asked place."""
    if form == "table" and output == "-" and sys.stdout is not None and sys.stdout.isatty():
        _print_rich(table, zone)
    elif form == "table":
        write([plain_table(table, zone).encode()], output)
    elif form == "csv":
        write(csv_text(table, zone), output)
    else:
        columns = [[_json_value(value, zone) for value in column.to_pylist()] for column in table.columns]
        rows = [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
        write([(json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode()], output)


def _json_value(value: object, zone: ZoneInfo) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return cell(value, zone)


def _text_rows(table: pa.Table, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    """The rows as text that cannot steer a terminal: what is not printable stands as a replacement character."""
    columns = [[harmless(cell(value, zone)) for value in column.to_pylist()] for column in table.columns]
    return zip(*columns, strict=True)


def harmless(text: str) -> str:
    """One line of text without what could steer a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def plain_table(table: pa.Table, zone: ZoneInfo) -> str:
    """Rows as aligned text, for a pipe or a file."""
    rows = [tuple(table.column_names), *_text_rows(table, zone)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _print_rich(table: pa.Table, zone: ZoneInfo) -> None:
    shown = RichTable(box=None, header_style="bold", pad_edge=False)
    for column in table.schema:
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        shown.add_column(column.name, justify="right" if is_number else "left", overflow="fold")
    for row in _text_rows(table.slice(0, TABLE_ROWS), zone):
        shown.add_row(*map(escape, row))
    Console().print(shown)
    if table.num_rows > TABLE_ROWS:
        say(f"… {table.num_rows - TABLE_ROWS} more rows; --format csv has them all")


def write(pieces: Iterable[bytes], output: str) -> None:
    """Write a result to stdout (`-`) or a file."""
    try:
        if output == "-":
            if sys.stdout is None:
                raise UsageProblem("standard output is closed", remedy="Write to a file with --output FILE.")
            sys.stdout.flush()
            sys.stdout.buffer.writelines(pieces)
            sys.stdout.buffer.flush()
        else:
            with Path(output).open("wb") as file:
                file.writelines(pieces)
    except BrokenPipeError:
        raise  # click ends quietly: the reader, such as head, has enough
    except OSError as error:
        where = "standard output" if output == "-" else output
        raise UsageProblem(f"{where}: cannot be written: {error.strerror}", remedy="Choose another file.") from error


class Group(click.Group):
    """The group of all commands: a ProcmonError becomes its message, remedy and exit code, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command under the error rule."""
        try:
            return super().invoke(ctx)
        except ProcmonError as error:
            say(f"Error: {error}")
            if error.remedy:
                say(f"Remedy: {error.remedy}")
            ctx.exit(error.exit_code)


def local(workspace: Workspace, moment: datetime) -> datetime:
    """An instant in the office's zone."""
    return moment.astimezone(workspace.settings.zone)
