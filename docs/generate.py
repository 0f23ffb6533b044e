"""Prints the pages that are made from the code: `python docs/generate.py`, which is `make docs`.

settings.md from the fields of procmon/config.py, tables.md from procmon/tables.py, registry.md from the kinds of
procmon/store/registry.py, commands.md from the `--help` of every command. tests/docs checks that they are current.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click
import pyarrow as pa

from procmon import tables
from procmon.cli import main
from procmon.config import each_setting
from procmon.store.registry import KINDS, Column

DOCS = Path(__file__).parent
NOTE = "<!-- Printed by `make docs`; edit {source} instead. -->\n"
HELP_WIDTH = 100
TYPES = {
    tables.TEXT: "text",
    tables.INT: "integer",
    tables.REAL: "number",
    tables.FLAG: "true or false",
    tables.DAY: "day",
    tables.INSTANT: "instant",
    tables.BIG: "big integer",
}


def settings_page() -> str:
    """Every setting with its variable, default and meaning."""
    page = [
        "# Settings",
        "",
        "A setting is looked for in the command's options, then the environment, then `procmon.toml` in the",
        "workspace; else its default holds. A name that nobody knows is refused.",
    ]
    for section, settings in groupby(each_setting(), key=lambda setting: setting[0]):
        page += ["", f"## [{section}]", "", "| setting | variable | default | meaning |", "|---|---|---|---|"]
        for _, name, default, meaning in settings:
            variable = f"PROCMON_{section}__{name}".upper()
            shown = json.dumps(default, ensure_ascii=False)
            page.append(f"| `{name}` | `{variable}` | `{shown}` | {_cell(meaning)} |")
    return _page(page, "procmon/config.py")


def tables_page() -> str:
    """Every table that crosses a room, with each column's type and meaning."""
    page = [
        "# Tables",
        "",
        "The rooms meet in these tables. Instants (`_at`) are UTC, to the microsecond; days (`_on`) are local; ranges",
        "are half-open; counts start with `n_`; other columns end in their unit. Columns in *italics* are for the",
        "rooms: `procmon show` leaves them out.",
    ]
    for table in (value for value in vars(tables).values() if isinstance(value, tables.Table)):
        page += ["", f"## {table.name}", "", table.meaning, "", "| column | type | meaning |", "|---|---|---|"]
        for column in table.columns:
            name = f"`{column.name}`" if column.name in table.shown_names else f"*{column.name}*"
            page.append(f"| {name} | {_type_name(column.type)} | {_cell(column.meaning)} |")
    return _page(page, "procmon/tables.py")


def registry_page() -> str:
    """Every kind of registry file, with its columns."""
    page = [
        "# Registry files",
        "",
        "UTF-8 CSV with a header, loaded by `procmon load KIND FILE`: whole or not at all, rows matched by the kind's",
        "key, rows that the file does not have left alone (`--replace` closes them). Where there is a `valid_from`, a",
        "row is a version, which holds until the next one begins. Columns that are not needed may be absent or empty.",
    ]
    for kind in KINDS.values():
        page += ["", f"## {kind.name}", "", (kind.model.__doc__ or "").splitlines()[0]]
        page += ["", f"Key: {', '.join(f'`{name}`' for name in kind.key)}.", ""]
        page += ["| column | needed | a cell holds | meaning |", "|---|---|---|---|"]
        for column in kind.columns:
            needed = "yes" if column.needed else ""
            page.append(f"| `{column.name}` | {needed} | {_cell(_expected(column))} | {_cell(column.meaning)} |")
    return _page(page, "procmon/store/registry.py")


def _expected(column: Column) -> str:
    """What a cell may hold, in the words of the message for one that does not."""
    try:
        column.parse("?")
    except ValueError as error:
        return str(error).removeprefix("expected ")
    return "text"


def commands_page() -> str:
    """The help of `procmon` and of every command below it."""
    page = ["# Commands"]
    for words, text in _each_help(main, click.Context(main, info_name="procmon", **_WIDTH)):
        page += ["", f"## {words}", "", "```text", text, "```"]
    return _page(page, "the command's own help in procmon/")


_WIDTH = {"terminal_width": HELP_WIDTH, "max_content_width": HELP_WIDTH}


def _each_help(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _each_help(child, click.Context(child, context, name, **_WIDTH))


def _type_name(kind: pa.DataType) -> str:
    return TYPES.get(kind, str(kind))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _page(lines: list[str], source: str) -> str:
    return NOTE.format(source=source) + "\n".join(line.rstrip() for line in lines) + "\n"


def pages() -> dict[str, str]:
    """File name in docs/ → its text."""
    return {
        "settings.md": settings_page(),
        "tables.md": tables_page(),
        "registry.md": registry_page(),
        "commands.md": commands_page(),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
