"""The examples of every help text and of README work as they stand."""

from __future__ import annotations

import gzip
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from openpyxl import Workbook

from procmon.cli import main
from procmon.ingest.mapping import parse_mapping
from tests.office import CITY, ROOT, SAMPLES, city_rows, procmon, write_log

README = (ROOT / "README.md").read_text(encoding="utf-8")


def each_command(
    command: click.Command, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it, groups first."""
    yield words, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from each_command(child, (*words, name))


COMMANDS = dict(each_command(main))
PARAMETERS = [
    pytest.param(words, option, id=" ".join([*words, option.opts[0]]))
    for words, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option) and option.name not in ("help", "version")
]


def help_of(words: tuple[str, ...]) -> str:
    return procmon(*words, "--help").out


@pytest.mark.parametrize("words", list(COMMANDS), ids=" ".join)
def test_every_help_ends_in_an_example(words):
    lines = [line.strip() for line in help_of(words).rstrip().splitlines()]
    place = max(lines.index("Example:"), 0)
    if words:  # the help of `procmon` itself goes on with the list of commands
        assert all(line.startswith("procmon ") for line in lines[place + 1 :])
    assert lines[place + 1].startswith("procmon ")


@pytest.mark.parametrize(("words", "option"), PARAMETERS)
def test_every_option_is_a_variable_and_says_so(words, option):
    name = max(option.opts, key=len).removeprefix("--").replace("-", "_").upper()
    assert option.envvar == f"PROCMON_{name}"
    assert option.envvar in "".join(help_of(words).split())


def test_what_is_not_built_yet_is_not_promised():
    said = "".join(help_of(words) for words in COMMANDS)
    for word in ("signals", "backup", "upgrade", "stages"):
        assert word not in said


# --- examples in help texts -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """A folder with sample_logs/, in which `procmon demo` was typed."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "sample_logs").symlink_to(SAMPLES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        procmon("demo")
    return folder


EXAMPLES = {" ".join(words): command.epilog for words, command in COMMANDS.items() if words and words != ("demo",)}


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_the_example_of_a_help_text_works(demo, tmp_path, monkeypatch, name):
    (tmp_path / "sample_logs").symlink_to(SAMPLES)
    shutil.copytree(demo / "procmon-demo", tmp_path / "procmon-demo")
    monkeypatch.chdir(tmp_path)
    for line in EXAMPLES[name].splitlines():
        if line.startswith("  procmon "):
            said = procmon(*shlex.split(line)[1:])
            assert said.out or "--output" in line or name == "doctor"


# --- README ---------------------------------------------------------------------------------------------------


def typed() -> list[str]:
    """Every call of procmon in README's blocks of commands."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    calls = re.findall(r"(?:^|ExecStart=/opt/procmon/bin/|procmon )(procmon [^#\n]*)", "\n".join(blocks), re.MULTILINE)
    return [call.strip() for call in calls + re.findall(r"bin/(procmon schedule[^\n]*)", README)]


@pytest.mark.parametrize("line", sorted(set(typed())))
def test_every_command_in_readme_is_one(line):
    words = shlex.split(line)[1:]
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_parser(click.Context(command)).parse_args(words)


def test_readme_lists_every_command():
    table = README[README.index("## Commands") : README.index("## Your own centre")]
    named = set(re.findall(r"[a-z]+", " ".join(re.findall(r"`([^`]+)`", table))))
    for words in COMMANDS:
        assert set(words) <= named, " ".join(words)


def test_every_make_target_in_readme_is_one():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)", README)) - {"sure"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


TOML = re.compile(r"^```toml\n(name = .*?)^```", re.MULTILINE | re.DOTALL)
MAPPINGS_PAGE = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [*TOML.findall(README), *TOML.findall(MAPPINGS_PAGE)])
def test_a_mapping_that_is_shown_is_one_of_under_ten_lines(text):
    assert parse_mapping(text.encode(), "the page").columns.activity
    assert len(text.splitlines()) < 10


LIST = """\
DANH SÁCH HỒ SƠ

Số hồ sơ;Mã thủ tục;Ngày tiếp nhận;Ngày hẹn trả;Ngày trả kết quả;Trạng thái
L1;1.009994;23/06/2025;05/07/2025;04/07/2025;Đã trả kết quả
L2;1.009994;05/06/2025;20/06/2025;;Đang xử lý
"""

PERMITS = [
    ("P1", "File application", "2024-03-01T08:00:00+07:00"),
    ("P1", "Look at plans", "2024-03-04T09:00:00+07:00"),
    ("P1", "Send decision", "2024-03-05T10:00:00+07:00"),
    ("P2", "File application", "2024-03-02T08:00:00+07:00"),
]


def write_files_of_centres(folder: Path) -> None:
    """list.xlsx and permits.xes.gz of README, and its permits.toml."""
    book = Workbook()
    for line in LIST.splitlines():
        book.worksheets[0].append(line.split(";"))
    book.save(folder / "list.xlsx")
    event = '<event><string key="concept:name" value="{}"/><date key="time:timestamp" value="{}"/></event>'
    traces = (
        f'<trace><string key="concept:name" value="{code}"/>'
        + "".join(event.format(name, at) for dossier, name, at in PERMITS if dossier == code)
        + "</trace>"
        for code in ("P1", "P2")
    )
    (folder / "permits.xes.gz").write_bytes(gzip.compress(f"<log>{''.join(traces)}</log>".encode()))
    (folder / "permits.toml").write_text(TOML.findall(README)[0], encoding="utf-8")


def test_a_centre_is_set_up_by_readme_alone(tmp_path, monkeypatch):
    for kind in ("procedures", "units", "successions", "calendar", "announced", "targets", "recipients"):
        shutil.copy(CITY / f"{kind}.csv", tmp_path)
    (tmp_path / "exports").mkdir()
    rows = city_rows(12)
    write_log(tmp_path / "exports" / "2024-01.csv.gz", rows[::2])
    write_log(tmp_path / "exports" / "2024-02.csv.gz", rows[1::2])
    write_files_of_centres(tmp_path)
    monkeypatch.chdir(tmp_path)
    workspace = tmp_path / "srv" / "procmon"
    section = README[README.index("### A workspace") : README.index("### Going live")]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].replace("/srv/procmon", str(workspace)) for line in "".join(blocks).splitlines()]
    calls = [shlex.split(line)[1:] for line in lines if line.startswith("procmon ")]
    assert len(calls) >= 22
    said = {}
    for words in calls:
        named = [name for word in words for name in (sorted(Path().glob(word)) if "*" in word else [word])]
        said[" ".join(words[:2])] = procmon(*named, env={"PROCMON_WORKSPACE": str(workspace)}).out
    assert "4 rows read, 4 stored, 0 repeated, 0 amended, 0 refused" in said["ingest permits.xes.gz"]
    assert "2 rows read, 2 stored, 0 repeated, 0 amended, 0 refused" in said["ingest list.xlsx"]
    outcomes = [line.split()[:3] for line in said["show dossiers"].splitlines()]
    assert [code for code, _, outcome in outcomes if outcome == "finished"] == ["P1"]
    procmon("schedule", "--once", env={"PROCMON_WORKSPACE": str(workspace)})
    assert len(list((workspace / "outbox").glob("*.eml"))) > 1
    procmon("doctor", env={"PROCMON_WORKSPACE": str(workspace)})
