"""The inbox and the reading process: files that wait, are still written, links, deaths; none keeps the next out."""

from __future__ import annotations

import gzip
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.office import NOW, Said, ended, environment, procmon, shown, spawn
from tests.torture import make

AS_OF = ("--as-of", "2025-12-31")
AT_ONCE = {"PROCMON_ENGINE__SETTLE_SECONDS": "0"}
N_LONG = 400_000


@pytest.fixture(scope="module")
def first_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "office"
    procmon("init", folder)
    return folder


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that takes some seconds to read."""
    path = tmp_path_factory.mktemp("long") / "long.csv.gz"
    rows = (f"L{n},received,2025-03-04T08:00:00,1.000001,10507,Bước {n}\n" for n in range(N_LONG))
    path.write_bytes(gzip.compress((",".join(make.HEADER) + "\n" + "".join(rows)).encode(), 1))
    return path


@pytest.fixture(scope="module")
def long_messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of portal messages, which take longer."""
    path = tmp_path_factory.mktemp("long") / "long.jsonl.gz"
    record = '{"MaHoSo": "M%d", "MaTTHC": "1.000001", "NgayTiepNhan": "20250304083000", "TrangThaiHoSo": "4"}\n'
    path.write_bytes(gzip.compress("".join(record % n for n in range(N_LONG)).encode(), 1))
    return path


def put(office: Path, name: str, content: str | bytes) -> Path:
    """A file in the inbox; its folder is made."""
    path = office / "inbox" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def night(office: Path, *words: str, code: int = 0, env: dict[str, str] | None = None) -> Said:
    return procmon("run", *AS_OF, "--no-send", *words, "--workspace", office, env={**AT_ONCE, **(env or {})}, code=code)


def batches(office: Path) -> list[dict[str, str]]:
    return procmon("show", "batches", "--format", "csv", "--workspace", office).rows


# ---- What the inbox takes ----


def test_a_folder_of_the_inbox_is_read_by_the_mapping_of_its_name(office: Path) -> None:
    files = [
        put(office, "log.csv", make.log("root")),
        put(office, "dvcqg/messages.jsonl", make.lines_of(make.messages("portal"))),
        put(office, "danh-sach-ho-so/list.xlsx", make.excel([make.NAMES, *make.list_rows("list")])),
        put(office, "xes/log.xes", make.xes("case")),
    ]
    own = (office / "mappings" / "mine.toml").write_text  # a workspace's own mapping
    (office / "mappings").mkdir()
    own((make.HERE / "mappings" / "log-1258.toml").read_text(encoding="utf-8"), encoding="utf-8")
    files.append(put(office, "mine/old.csv", make.CASES["csv-1258-declared.csv"].content))
    said = night(office)
    assert [path for path in files if path.exists()] == []
    assert {batch["file"]: batch["mapping"] for batch in batches(office)} == {
        "log.csv": "canonical",
        "messages.jsonl": "dvcqg",
        "list.xlsx": "danh-sach-ho-so",
        "log.xes": "xes",
        "old.csv": "log-1258",
    }
    assert said.out.count("0 refused") == 5


def test_a_folder_that_names_no_mapping_is_named_with_the_remedy_and_keeps_its_file(office: Path) -> None:
    file = put(office, "nobody/log.csv", make.log("nobody"))
    put(office, "log.csv", make.log("good"))
    said = night(office)
    assert "log.csv: batch 1: 10 rows read, 10 stored" in said.out
    assert "there is no mapping 'nobody'" in said.err
    assert "procmon mapping list" in said.err
    assert file.exists()


def test_a_link_is_refused_and_not_followed(office: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(make.log("outside"), encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside.csv").write_text(make.log("inside"), encoding="utf-8")
    links = {"a.csv": outside, "dangling.csv": tmp_path / "none", "dvcqg": tmp_path / "folder"}
    for name, target in links.items():
        (office / "inbox" / name).symlink_to(target)
    os.mkfifo(office / "inbox" / "pipe.csv")
    said = night(office)
    for name in (*links, "pipe.csv"):
        assert f"inbox/{name}: a link or no file, which the inbox does not take" in said.err
    assert batches(office) == []
    assert outside.exists()
    assert (tmp_path / "folder" / "inside.csv").exists()
    assert all((office / "inbox" / name).is_symlink() for name in links)


def test_hidden_files_are_left_alone(office: Path) -> None:
    hidden = [put(office, ".part.csv", "x"), put(office, "dvcqg/.part.jsonl", "x")]
    assert "part" not in night(office).err
    assert all(path.exists() for path in hidden)


WRITER = """
import sys, time
with open(sys.argv[1], "a") as file:
    for n in range(10_000):
        file.write(f"W{n},received,2025-03-04T08:00:00,1.000001,10507,x\\n")
        file.flush()
        time.sleep(0.02)
"""


def test_a_file_that_is_still_being_written_waits_until_it_is_whole(office: Path) -> None:
    file = put(office, "slow.csv", make.csv_text([make.HEADER]))
    put(office, "whole.csv", make.log("whole"))
    settle = {"PROCMON_ENGINE__SETTLE_SECONDS": "0.5"}
    with subprocess.Popen([sys.executable, "-c", WRITER, str(file)]) as writer:
        try:
            while file.stat().st_size < 200:
                time.sleep(0.01)
            said = night(office, env=settle)
            assert writer.poll() is None
        finally:
            writer.kill()
    assert "slow.csv: it is still being written" in said.err
    assert "the next run takes it" in said.err
    assert "whole.csv: batch 1: 10 rows read" in said.out
    with file.open("rb+") as cut:  # the last line may be half a row
        cut.truncate(file.read_bytes().rindex(b"\n") + 1)
    said = night(office, env=settle)
    assert re.search(r"slow.csv: batch 2: (\d+) rows read, \1 stored", said.out)
    assert not file.exists()


# ---- Held files ----


def test_a_held_file_stays_and_is_one_batch_until_it_is_mended(office: Path) -> None:
    file = put(office, "held.csv", make.CASES["csv-held.csv"].content)
    for _ in range(3):
        said = night(office)
        assert "held.csv: batch 1: 10 rows read, 0 stored, 0 repeated, 0 amended, 10 refused" in said.out
        assert "held: too many of its rows were refused" in said.err
        assert file.exists()
    assert [(batch["id"], batch["n_refused"]) for batch in batches(office)] == [("1", "10")]
    rejects = procmon("show", "rejects", "--batch", "1", "--format", "csv", "--workspace", office).rows
    assert len(rejects) == 10
    assert sum("held" in row["reason"] for row in rejects) == 7
    said = night(office, env={"PROCMON_POLICIES__MAX_REFUSED": "0.3"})
    assert "10 rows read, 7 stored, 0 repeated, 0 amended, 3 refused" in said.out
    assert not file.exists()


def test_a_held_file_goes_in_once_its_mapping_knows_the_words(office: Path) -> None:
    (office / "mappings").mkdir()
    mapping = office / "mappings" / "mine.toml"
    text = (make.HERE / "mappings" / "log-1258.toml").read_text(encoding="utf-8").replace("log-1258", "mine")
    mapping.write_text(text, encoding="utf-8")
    file = put(office, "mine/held.csv", make.CASES["csv-held.csv"].content)
    assert "10 refused" in night(office).out
    mapping.write_text(text + '\n[statuses]\n"xong" = "finished"\n', encoding="utf-8")
    assert "10 rows read, 10 stored, 0 repeated, 0 amended, 0 refused" in night(office).out
    assert not file.exists()


# ---- --fail-on rejects ----


@pytest.mark.parametrize("name", ["csv-held.csv", "csv-row-short.csv", "csv-quote-unclosed.csv"])
def test_fail_on_rejects_ends_a_night_with_3(office: Path, name: str) -> None:
    put(office, name, make.CASES[name].content)
    assert "--fail-on: rejects found" in night(office, "--fail-on", "rejects", code=3).err


def test_fail_on_rejects_ends_an_ingest_with_3_and_no_rejects_with_0(office: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text(make.log("good"), encoding="utf-8")
    for bad, code in ((), 0), (("csv-row-short.csv",), 3), (("csv-quote-unclosed.csv",), 3), (("csv-held.csv",), 3):
        files = [make.HERE / name for name in bad]
        procmon("ingest", good, *files, "--fail-on", "rejects", "--workspace", office, code=code)


def test_where_nothing_goes_in_an_ingest_ends_with_11(office: Path) -> None:
    for names in (["csv-held.csv"], ["csv-quote-unclosed.csv"], ["csv-held.csv", "csv-nul.csv"]):
        files = [make.HERE / name for name in names]
        procmon("ingest", *files, "--fail-on", "rejects", "--workspace", office, code=11)


# ---- Folders and patterns ----


def test_a_folder_or_a_pattern_stands_for_its_log_files(office: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports [1]"
    folder.mkdir()
    for name in ("a.csv", "B.CSV", "c.csv.gz", "notes.docx"):
        text = make.log(name).encode()
        (folder / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    (folder / "deeper.csv").mkdir()
    said = procmon("ingest", folder, "--dry-run", "--workspace", office)
    assert re.findall(r"exports \[1\]/(\S+): dry run", said.out) == ["B.CSV", "a.csv", "c.csv.gz"]
    (tmp_path / "exports").mkdir()
    for name in ("a.csv", "B.CSV", "c.csv.gz"):
        (folder / name).rename(tmp_path / "exports" / name)
    said = procmon("ingest", tmp_path / "exp*" / "[ac]*.csv*", "--workspace", office)
    assert re.findall(r"exports/(\S+): batch", said.out) == ["a.csv", "c.csv.gz"]
    none = procmon("ingest", tmp_path / "exp*" / "*.xml", "--workspace", office, code=11)
    assert "no such file" in none.err
    empty = procmon("ingest", folder, "--workspace", office, code=11)
    assert "no log file in it" in empty.err
    assert "Traceback" not in empty.err


# ---- The reading process dies ----


def children_of(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_reading_process_that_is_killed_costs_its_file_only(office: Path, tmp_path: Path, long_log: Path) -> None:
    (tmp_path / "next.csv").write_text(make.log("next"), encoding="utf-8")
    process = spawn("ingest", long_log, tmp_path / "next.csv", "--workspace", office)
    deadline = time.monotonic() + 60
    while not list((office / ".scratch").glob("*/rows.parquet")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    [child] = children_of(process.pid)
    os.kill(child, signal.SIGKILL)
    said = ended(process).must()
    assert "long.csv.gz: the reading process was ended by SIGKILL" in said.err
    assert "next.csv: batch 1: 10 rows read, 10 stored" in said.out
    assert "Traceback" not in said.err
    assert list((office / ".scratch").iterdir()) == []
    again = procmon("ingest", long_log, "--workspace", office)
    assert f"batch 2: {N_LONG} rows read, {N_LONG} stored" in again.out


LIMITS = {
    "read_wall_seconds": ("2", "engine.read_wall_seconds"),
    "read_seconds": ("2", "engine.read_seconds"),
    "read_size": ("1", "engine.read_size"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_file_beyond_a_limit_is_refused_by_its_name_and_the_next_one_goes_in(
    office: Path, tmp_path: Path, long_messages: Path, limit: str
) -> None:
    value, said_as = LIMITS[limit]
    (tmp_path / "next.jsonl").write_bytes(make.lines_of(make.messages("next")))
    env = {f"PROCMON_ENGINE__{limit.upper()}": value}
    files = (long_messages, tmp_path / "next.jsonl")
    said = procmon("ingest", *files, "--mapping", "dvcqg", "--workspace", office, env=env)
    assert f"{long_messages}: " in said.err
    assert said_as in said.err
    assert "next.jsonl: batch 1: 6 rows read, 6 stored" in said.out
    assert "Traceback" not in said.err


def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_one_goes_in(office: Path, tmp_path: Path) -> None:
    row = f"W,received,2025-03-04T08:00:00,1.000001,10507,{'ạ' * 900}\n"
    block = gzip.compress((row * 4_000).encode("utf-16-le"), 1)
    head = gzip.compress(make.csv_text([make.HEADER]).encode("utf-16"))
    (tmp_path / "wide.csv.gz").write_bytes(head + block * 40)  # of UTF-16 a copy lies in memory, here of 440 MB
    (tmp_path / "next.csv").write_text(make.log("next"), encoding="utf-8")
    files = [tmp_path / name for name in ("wide.csv.gz", "next.csv")]
    env = {"PROCMON_ENGINE__READ_MEMORY": "1536", "PROCMON_ENGINE__READ_RATIO": "100000"}
    said = procmon("ingest", *files, "--workspace", office, env=env)
    assert "wide.csv.gz: reading it needs more memory than allowed" in said.err
    assert "raise engine.read_memory" in said.err
    assert "next.csv: batch 1: 10 rows read, 10 stored" in said.out


# ---- Progress ----


def on_a_terminal(*words: str | Path) -> tuple[int, str]:
    """A command's exit code and what it says where its standard error is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "procmon", *map(str, words)]
    env = environment(NOW, {"TERM": "xterm", "COLUMNS": "160"})
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=theirs, cwd="/") as process:
        os.close(theirs)
        heard = b"".join(_heard(ours))
        process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, heard.decode(errors="replace")


def _heard(terminal: int) -> Iterator[bytes]:
    while True:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, "the command says nothing and does not end"
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # the other end is closed
            return
        if not piece:
            return
        yield piece


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(office: Path, long_log: Path) -> None:
    code, heard = on_a_terminal("ingest", long_log, "--dry-run", "--workspace", office)
    assert code == 0
    assert "long.csv.gz" in heard
    assert re.search(r"[\d,]{5,} rows", heard)
    assert "rows/s" in heard
    assert re.search(r"\d:\d\d:\d\d", heard), "time left"
    said = ended(spawn("ingest", long_log, "--dry-run", "--workspace", office)).must()
    assert "rows/s" not in said.out + said.err
    assert "\x1b" not in said.out + said.err
    assert shown(office, "batches").count("\n") == 1
