"""Prints the pages that are made from the code: `python docs/generate.py`, which is `make docs`.

settings.md from the fields of procmon/config.py, tables.md from procmon/tables.py, registry.md from the kinds of
procmon/store/registry.py, commands.md from the `--help` of every command, mappings.md and mapping.schema.json from the
models of procmon/ingest/mapping.py and what is shipped beside it, the cases within measures.md from
tests/spec/cases.py, explain.md from the command. tests/docs checks that they are current.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import click
import pyarrow as pa
from click.testing import CliRunner
from pydantic import BaseModel

from procmon import tables
from procmon.cli import main
from procmon.config import each_setting
from procmon.ingest import mapping as mappings
from procmon.ingest.columns import PROBLEMS
from procmon.ingest.dates import DAY_FIRST
from procmon.ingest.mapping import Mapping
from procmon.store.registry import KINDS, Column

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # the tests are no part of the package
from tests.spec.cases import CASES, Case  # noqa: E402

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


MAPPINGS_INTRO = """\
# Mappings

A mapping says how a file becomes events: which column is what, how dates are written, what local labels mean. It is a
TOML file; [mapping.schema.json](mapping.schema.json) lets an editor check it while you type.

## An XES log in nine lines

```toml
name = "permits"
format = "xes"
constants.procedure_id = "1.009994"      # the log has no column for it
[columns]
dossier_id = "case:concept:name"         # a trace's attribute NAME is case:NAME, the log's own is log:NAME
activity = "concept:name"
occurred_at = "time:timestamp"
[activities]
finished = ["Send decision"]             # without an end every dossier stays pending
```

The first step of each dossier is its receipt, what `[activities]` names is that status, and all else is `processing`
with the activity as its stage.

## Draft, try, ingest

```sh
procmon mapping guess FILE --output permits.toml     # a draft, and what could not be decided
procmon mapping check FILE --mapping permits.toml    # the first events, what would be refused; stores nothing
procmon ingest FILE --mapping permits.toml
procmon show rejects --batch N                       # file, line, column, value, reason, remedy
```

`--mapping` takes a file that ends in `.toml`, or a name: of `mappings/NAME.toml` in the workspace, else of one that is
shipped (`procmon mapping list`). The nightly run reads files in `inbox/NAME/` by the mapping NAME, and those in
`inbox/` itself as `canonical`.

Mended rows: ingest the file again, and only they are new. A mended *mapping* that gives a label or a date another
meaning: first `procmon batch retract N --why TEXT`, as the events of the old meaning count until then.

Forms are CSV (any delimiter; UTF-8 with or without its mark, UTF-16, or what `csv.encoding` says), Excel (`.xlsx`,
`.xlsm`, `.xlsb`, `.xls`, `.ods`), JSON (a list, or a record a line) and XES, each also as `.gz`. A member of a JSON
object is named by its path: `NguoiNop.Ma`, and in a list `DanhSachHoSoBoSung[].NgayBoSung`.
"""

ROW_A_DOSSIER = """\
## What a row a dossier becomes

| what the row has | becomes |
|---|---|
| `submitted_at` | `submitted` |
| `received_at` | `received` by the receiving unit, with the appointment |
| `finished_at` | `finished`; where the status is refused, withdrawn or stopped: that |
| `returned_at` | `returned`; where the status is refused, withdrawn or stopped and nothing finished it: that |
| a status that no date says, with `status_at` | that status, then |
| `processing` without `status_at` | `processing` at the receipt, where it changes nothing |
| a pause without `status_at` | the pause from the export on: nothing before is known to be one |
| an end without any date | refused: it cannot be measured |
| supplements (`dvcqg`) | each request and each hand-in, with the appointments before and after |
| a progress message (`dvcqg`) | one event, as in a log |

A list is an export of its *source*, which is the mapping's `name`: of two exports of one dossier the later stands
whole, the older stays as a correction (`n_superseded` in `procmon show batches`). When it was exported says the column
`exported_at`, else `--exported-at`, else the instant of ingesting, which is said. The same file is the same export.
"""

DATES = """\
## Date patterns

| written | means |
|---|---|
| `yyyy` `MM` `dd` | year, month, day; `M` and `d` are the same |
| `HH` `mm` `ss` `SSS` | hour, minute, second, milliseconds; `H` is the same as `HH` |
| `hh` `a` | hour of twelve with AM or PM (SA or CH); `h` is the same as `hh` |
| `XXX` | offset, such as +07:00 |
| `iso` | `2025-04-25T16:00:00+07:00`, the time and the offset as far as there are any |
| `excel` | a serial number of days, as a cell without a date format has it |

A pattern is proven on the whole column: 05/06 stays day-first because 23/06 stands in the same column, and one column
is never read both ways. Without `dates` these are tried, none of which can be taken for another:

{day_first}

`dates.all` is for every column; one of its own may have {dates}.

A time without an offset is one of `timezone`. What lies before 2000 or in the future is refused.
"""

COLUMNS = """\
Each is a column of the file, or a list of which the first that the file has is read. Only `applicant_id` and
`handler_id` may name columns of personal data; they are kept as keyed hashes. A column that looks like names,
addresses, phones or identity numbers is refused in every other place, and what is not named is dropped.
"""

UNITS = """\
## Units by name

With `unit_columns = "names"` each column of units holds names (codes may stand among them), and what is stored is the
code of the unit that has that name **on the day of the event**: «Hồng Bàng» is a district's name until 30 June 2025 and
a ward's from 1 July. The registry's units must be loaded before; `[units]` goes first.

- Case, blanks, invisible characters and the place of tone marks do not matter (Thủy, Thuỷ). The word for the kind may
  be written out (Phường, Xã, Thị trấn, Đặc khu, Quận, Huyện, Thị xã, Thành phố), short (P. X. TT. ĐK. Q. H. TX. TP.)
  or left out; where it stands it must be right.
- A name without any mark (`phuong Hong Bang`) means every unit that is written so without its marks; wrong marks are
  never mended.
- Behind a name may stand that of the unit in which it lies: `Xã Hòa Bình, huyện Vĩnh Bảo`.
- UBND, and a one-stop centre that the registry does not have by its own name, stand for their unit.
- A name that several units have on that day refuses its row, with the candidates. One that no unit has is stored as it
  is, said, and counted among the unknown units.

`procmon show units --name "Xã Hòa Bình" --on 2025-06-30` says what a name means. What is stored stays: units that are
loaded later count for files ingested later; for an earlier one `procmon batch retract N`, then ingest it again.
"""

REFUSED = """\
## Refused rows

A row that cannot be taken is refused with its place, the rest goes in. If more than `policies.max_refused` of a file's
rows are refused, the file is held: nothing of it is stored until it, or the mapping, is mended and it is ingested
again.
"""

PARTS: dict[str, tuple[str, type[BaseModel]]] = {
    "supplements": ("Supplement requests inside a dossier, for `dvcqg`.", mappings.Supplements),
    "activities": (
        "What the activities of a log without statuses mean; all others are `processing`.",
        mappings.Activities,
    ),
    "csv": ("", mappings.CsvFormat),
    "excel": ("", mappings.ExcelFormat),
    "json": ("", mappings.JsonFormat),
}


def mappings_page() -> str:
    """What a mapping may say, what is shipped, and why rows are refused."""
    page = [MAPPINGS_INTRO, "", "## What it may say", "", *_entries(Mapping)]
    page += ["", "### [columns]", "", COLUMNS, "", *_column_roles()]
    page += ["", "`[progress]` (for `dvcqg`) names the columns of the portal's progress message, as those of `events`."]
    for name, (meaning, part) in PARTS.items():
        page += ["", f"### [{name}]", "", *([meaning, ""] if meaning else []), *_entries(part)]
    dates = (
        *mappings.INSTANT_ROLES,
        "progress_occurred_at",
        *(f"supplement_{n}" for n in mappings.SUPPLEMENT_INSTANTS),
    )
    page += ["", DATES.format(day_first=_codes(DAY_FIRST), dates=_codes(dates)), "", UNITS, "", ROW_A_DOSSIER]
    page += ["", "## What is shipped"]
    for name in mappings.shipped():
        page += ["", *_shipped(mappings.read_mapping(name, DOCS))]
    page += ["", REFUSED, "", "| reason | remedy |", "|---|---|"]
    page += [f"| {_cell(reason)} | {_cell(remedy)} |" for reason, remedy in PROBLEMS.values()]
    return _page(page, "procmon/ingest/mapping.py or this page's own words in docs/generate.py")


def _entries(part: type[BaseModel]) -> list[str]:
    """The entries of a table that are not tables of their own."""
    rows = ["| entry | default | meaning |", "|---|---|---|"]
    for name, field in part.model_fields.items():
        if name in PARTS or field.alias in PARTS or name in ("columns", "progress"):
            continue
        default = "" if field.is_required() else f"`{json.dumps(field.default, ensure_ascii=False)}`"
        choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
        meaning = field.description or "activities that mean it"
        said = meaning if all(choice in meaning for choice in choices) else f"{meaning} ({', '.join(choices)})"
        rows.append(f"| `{name}` | {default} | {_cell(said)} |")
    return rows


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _column_roles() -> list[str]:
    rows = ["| entry | for | needed for | meaning |", "|---|---|---|---|"]
    for name, field in mappings.Columns.model_fields.items():
        kinds = "all"
        if name in mappings.DOSSIERS_ONLY:
            kinds = "dossiers, dvcqg"
        elif name in mappings.EVENTS_ONLY:
            kinds = "events"
        needed = ", ".join(kind for kind, names in mappings.NEEDED.items() if name in names)
        meaning = (field.description or "").removeprefix("dossiers: ")
        rows.append(f"| `{name}` | {kinds} | {needed} | {_cell(meaning)} |")
    return rows


def _shipped(mapping: Mapping) -> Iterator[str]:
    """A shipped mapping: its columns and labels."""
    yield f"### {mapping.name}"
    yield ""
    units = ", units by name" if mapping.unit_columns == "names" else ""
    yield f"{mapping.title[:1].upper()}{mapping.title[1:]} (kind `{mapping.kind}`{units})."
    yield ""
    yield "| what | columns of the file |"
    yield "|---|---|"
    for source in mapping.sources():
        yield f"| `{source.key}` | {_cell(', '.join(source.names))} |"
    for name, labels in (("statuses", mapping.statuses), ("channels", mapping.channels)):
        if labels:
            said = "; ".join(f"{', '.join(label for label in labels if labels[label] == ours)} → `{ours}`"
                for ours in dict.fromkeys(labels.values()))  # fmt: skip
            yield ""
            yield f"`[{name}]`: {said}."


def mapping_schema() -> str:
    """The JSON Schema of a mapping file."""
    return json.dumps(mappings.schema(), indent=2, ensure_ascii=False) + "\n"


CASES_BEGIN, CASES_END = "<!-- cases: printed by `make docs` from tests/spec/cases.py -->", "<!-- end of cases -->"


def measures_page() -> str:
    """docs/measures.md with its cases printed anew; the rest is written by hand."""
    written = (DOCS / "measures.md").read_text(encoding="utf-8")
    before, _, rest = written.partition(CASES_BEGIN)
    _, end, after = rest.partition(CASES_END)
    if not end:
        raise SystemExit(f"docs/measures.md lacks the line {CASES_BEGIN} or {CASES_END}")
    return before + "\n".join([CASES_BEGIN, *(line for case in CASES for line in _case(case)), "", end]) + after


def _case(case: Case) -> Iterator[str]:
    """A disputed rule: its sentence, what happened, what comes out."""
    yield ""
    yield f"**{case.title}.** {case.rule}. ({case.source[:1].upper()}{case.source[1:]}.)"
    yield ""
    yield "| what happened | what comes out |"
    yield "|---|---|"
    conditions = [f"limit: {case.limit.replace('_', ' ')}"] if case.limit else []
    conditions += [f"policy: `{case.policies}`"] if case.policies else []
    conditions += [f"times are of {case.zone}"] if case.zone else []
    conditions += [f"seen to the period's end {case.to}"] if case.to else []
    conditions += [f"as of {case.as_of}"] if case.as_of != Case._field_defaults["as_of"] else []
    happened = [_event(line) for line in case.events.strip().splitlines()] + conditions
    expected = [f"`{name}` {value or '(empty)'}" for name, value in case.expected.items()]
    yield f"| {'<br>'.join(happened)} | {'<br>'.join(expected)} |"


def _event(line: str) -> str:
    *when, status = [word for word in line.split() if "=" not in word]
    more = [f", {word.replace('=', ' ')}" for word in line.split() if "=" in word]
    return f"{' '.join(when)} `{status}`{''.join(more)}"


def _type_name(kind: pa.DataType) -> str:
    return TYPES.get(kind, str(kind))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _page(lines: list[str], source: str) -> str:
    return NOTE.format(source=source) + "\n".join(line.rstrip() for line in lines) + "\n"


EXPLAIN_INTRO = """\
# A dossier explained

`procmon explain --dossier ID` says where every minute of a dossier is from: its events, the open time between them day
by day, the due date's derivation, the verdict under each rule set. Its numbers are those of `procmon show dossiers`; if
the lines did not add up to them, to the second, it would refuse to print. `procmon explain FIGURE` does the same for a
figure of a run: definition, versions, counts, SQL, and with `--dossiers` the dossiers behind it.

This dossier, invented, lay over Tết 2025, and waited once for papers. Its log:
"""

EXPLAIN_LOG = """\
dossier_id,status,occurred_at,procedure_id,unit_id,stage,due_at
VD-0001,received,2025-01-20T14:00:00,1.009999,10525,Tiếp nhận,2025-02-07
VD-0001,processing,2025-01-21T08:10:30,1.009999,10525,Thẩm định,
VD-0001,supplement_requested,2025-01-22T09:30:00,1.009999,10525,Yêu cầu bổ sung,
VD-0001,processing,2025-02-05T08:15:00,1.009999,10525,Đã bổ sung,2025-02-18
VD-0001,finished,2025-02-06T16:20:45,1.009999,10525,Có kết quả,
VD-0001,returned,2025-02-07T09:00:00,1.009999,10525,Trả kết quả,
"""

EXPLAIN_PROCEDURES = """\
procedure_id,name,field,level,limit_amount,limit_unit,valid_from,valid_to,source
1.009999,Thủ tục ví dụ,Hộ tịch,commune,8,working_days,2023-01-01,,Quyết định ví dụ
"""


def explain_page() -> str:
    """An invented dossier over Tết, explained by the command itself."""
    with TemporaryDirectory() as folder:
        log, procedures = Path(folder, "log.csv"), Path(folder, "procedures.csv")
        log.write_text(EXPLAIN_LOG, encoding="utf-8")
        procedures.write_text(EXPLAIN_PROCEDURES, encoding="utf-8")
        workspace = ("--workspace", str(Path(folder, "office")))
        _said("init", workspace[1])
        _said("load", "procedures", str(procedures), *workspace)
        _said("ingest", str(log), *workspace)
        asked = ("explain", "--dossier", "VD-0001", "--as-of", "2025-02-28")
        told = _said(*asked, *workspace)
    page = [EXPLAIN_INTRO, "", "```csv", EXPLAIN_LOG.rstrip(), "```", "", "and its procedure in the registry:", ""]
    page += ["```csv", EXPLAIN_PROCEDURES.rstrip(), "```", "", "Explained:", ""]
    page += ["```text", f"$ procmon {' '.join(asked)}", told.rstrip(), "```"]
    return _page(page, "procmon/explain or docs/generate.py")


def _said(*words: str) -> str:
    """What a command prints in an environment of its own; it must end well."""
    dropped = {name: None for name in os.environ if name.startswith("PROCMON_")}
    umask = os.umask(0o077)
    try:
        runner = CliRunner(env={**dropped, "PROCMON_NOW": "2025-03-01T08:00:00+07:00"})
        done = runner.invoke(main, words, catch_exceptions=False)
    finally:
        os.umask(umask)
    if done.exit_code:
        raise RuntimeError(f"procmon {' '.join(words)} ended {done.exit_code}: {done.output}")
    return done.stdout


def pages() -> dict[str, str]:
    """File name in docs/ → its text."""
    return {
        "settings.md": settings_page(),
        "tables.md": tables_page(),
        "registry.md": registry_page(),
        "commands.md": commands_page(),
        "explain.md": explain_page(),
        "mappings.md": mappings_page(),
        "measures.md": measures_page(),
        "mapping.schema.json": mapping_schema(),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
