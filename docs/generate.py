"""Prints the pages that are made from the code: `python docs/generate.py`, which is `make docs`.

settings.md from the fields of procmon/config.py, tables.md from procmon/tables.py, commands.md from the `--help` of
every command. tests/docs checks that they are current.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click
import pyarrow as pa

from procmon import tables
from procmon.config import each_setting

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


def commands_page(main: click.Command) -> str:
    """The help of `main` and of every command below it."""
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
    printed = {"settings.md": settings_page(), "tables.md": tables_page()}
    if importlib.util.find_spec("procmon.cli"):
        printed["commands.md"] = commands_page(importlib.import_module("procmon.cli").main)
    return printed


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
