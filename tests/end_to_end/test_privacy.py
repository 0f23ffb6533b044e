"""No planted name or number of a person is found in any byte of a workspace, nor in what the commands print.

Persons are planted wherever a received file can hide them: in columns that no mapping reads, in personal ones, in rows
that are refused or cannot be read, in attachments, attributes and cells, in every form of file. What is searched is
every file of the workspace, as it lies and unpacked.
"""

from __future__ import annotations

import base64
import email.policy
import gzip
import hashlib
import json
import os
import random
import re
import signal
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.office import Said, load_city, procmon, spawn
from tests.torture import make

NAMES = ["Nguyễn Thị Bí Mật", "TRẦN VĂN KÍN", "Bi Mat Nguyen"]
NUMBERS = ["0912345678", "+84 987 654 321", "031088001234", "C7654321"]
OTHERS = ["7/89 ngõ Ẩn Danh", "bimat.nguoinop@thu.example", "canbo.giaunhem"]
PLANTED = [*NAMES, *NUMBERS, *OTHERS]
NAME, PHONE, CITIZEN, ADDRESS, EMAIL, CLERK = NAMES[0], NUMBERS[0], NUMBERS[2], OTHERS[0], OTHERS[1], OTHERS[2]
UNKEYED = [
    digest(secret.encode()).hexdigest()[:32] for secret in (CITIZEN, CLERK) for digest in (hashlib.sha256, hashlib.md5)
]
"""Hashes without a key would be no secret: there are few identity numbers."""

ZSTD = b"\x28\xb5\x2f\xfd"
AS_OF = ("--as-of", "2025-12-31")


# ---- Searching ----


def unpacked(path: Path) -> Iterator[bytes]:
    """Every byte of a file as it lies, and as whoever knows its form can read it."""
    data = path.read_bytes()
    yield data
    if data.startswith(b"PAR1") and data.endswith(b"PAR1"):
        yield repr(parquet.read_table(path).to_pylist()).encode()
    for found in re.finditer(re.escape(ZSTD), data):  # also of a Parquet file that was never finished
        try:
            yield pa.CompressedInputStream(pa.BufferReader(data[found.start() :]), "zstd").read()
        except (OSError, pa.ArrowInvalid):
            continue
    if data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)
    if data.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            yield "\n".join(database.iterdump()).encode()
    if path.suffix == ".eml":
        yield from mail_parts(data)


def mail_parts(data: bytes) -> Iterator[bytes]:
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        content = part.get_payload(decode=True)
        yield content if isinstance(content, bytes) else str(part.get("subject", "")).encode()


def ways_to_write(secret: str) -> list[bytes]:
    """A secret as UTF-8, UTF-16, JSON and base64 may show it; blanks may be lost in some."""
    texts = {secret, json.dumps(secret)[1:-1], secret.replace(" ", "_")}
    encoded = [text.encode() for text in texts]
    inner = base64.b64encode(secret.encode())[:-4]
    return [*encoded, secret.encode("utf-16-le"), inner, secret.encode().hex().upper().encode()]


def found_in(place: str, data: bytes) -> list[str]:
    return [
        f"{secret} in {place}" for secret in (*PLANTED, *UNKEYED) if any(way in data for way in ways_to_write(secret))
    ]


def persons_in(folder: Path) -> list[str]:
    """Which planted persons stand in any file below a folder."""
    return [
        hit
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for data in unpacked(path)
        for hit in found_in(str(path.relative_to(folder)), data)
    ]


def persons_said(*said: Said) -> list[str]:
    return [hit for each in said for hit in found_in("what was printed", (each.out + each.err).encode())]


# ---- Planting ----


PERSONAL = ["ho_ten", "dia_chi", "so_dien_thoai", "email", "applicant_id", "handler_id"]
PERSON = [NAME, ADDRESS, PHONE, EMAIL, CITIZEN, CLERK]


def log_csv(tag: str, delimiter: str = ",") -> str:
    """A log with persons in every row: good rows, refused rows, rows that are no rows."""
    rows = [[*row, *PERSON] for row in make.log_rows(tag)]
    more = [[f"{row[0]}-{n}", *row[1:]] for n in range(3) for row in rows]  # so that the file is not held
    refused = [row[:] for row in rows[:2]]
    refused[0][1], refused[1][2] = "xong", "hôm qua"
    malformed = [rows[0][:-1], [*rows[1], NAMES[1]], [*rows[2][:-1], f'"{NAME}" {PHONE}']]
    return make.csv_text([[*make.HEADER, *PERSONAL], *rows, *more, *refused, *malformed], delimiter)


LIST_NAMES = [*make.NAMES, "Chủ hồ sơ", "Địa chỉ", "Số điện thoại", "Email", "Số CCCD", "Ghi chú"]


def list_table(tag: str) -> list[list[make.Cell]]:
    """A list with persons in every row, one of them refused."""
    rows: list[list[make.Cell]] = [
        [*row, NAME, ADDRESS, PHONE, EMAIL, CITIZEN, f"Gọi {NAMES[1]} {NUMBERS[1]}"] for row in make.list_rows(tag)
    ]
    rows[2][6] = "trạng thái lạ"
    return [[f"Người lập: {NAME}"], LIST_NAMES, *rows]


def messages(tag: str) -> bytes:
    """Portal messages with persons and attachments, a refused one and one that cannot be read."""
    about = {"ChuHoSo": NAME, "SoDienThoai": PHONE, "DiaChi": ADDRESS, "Email": EMAIL, "MaDoiTuong": CITIZEN}
    paper = {"TenTepDinhKem": f"don-{NAMES[2]}.pdf", "NoiDung": base64.b64encode(NAME.encode()).decode()}
    records = [
        {**record, **about, "TaiLieuNop": [paper], "LePhi": {"NguoiNop": NAME, "DienThoai": NUMBERS[1]}}
        for record in make.messages(tag)
    ]
    records[1]["TrangThaiHoSo"] = "99"
    step = {"MaHoSo": f"{tag}-1", "NguoiXuLy": CLERK, "ThoiDiemXuLy": "20250304093000", "TrangThai": "4"}
    more = [step | {"NoiDungXuLy": f"Đã gọi {NAME}", "GhiChu": PHONE}] * 4
    return make.lines_of([*records, *more]) + f'{{"MaHoSo": "{tag}-9", "ChuHoSo": "{NAME}", '.encode()


def xes(tag: str) -> str:
    """An XES log with persons in attributes of log, trace and event."""
    person = f'<string key="applicant:name" value="{NAME}"/><string key="phone" value="{PHONE}"/>'
    clerk = f'<string key="org:resource" value="{CLERK}"/><string key="note" value="{EMAIL}"/>'
    text = make.xes(tag).replace("<trace>", f"<trace>{person}").replace("<event>", f"<event>{clerk}")
    text = text.replace("<log ", f'<!-- {NAMES[1]} --><log creator="{ADDRESS}" ', 1)
    return text.replace("2025-03-04T08", "2025-02-30T08")


def plant(folder: Path) -> dict[str, list[Path]]:
    """Files of every form, by the mapping that reads them; some rows of each are refused."""
    folder.mkdir()
    files: dict[str, bytes] = {
        "canonical/log.csv": log_csv("p1").encode(),
        "canonical/log-packed.csv.gz": gzip.compress(log_csv("p2").encode()),
        "canonical/log-wide.csv": log_csv("p3").encode("utf-16"),
        "canonical/log-bars.txt": log_csv("p4", "|").encode(),
        "danh-sach-ho-so/list.xlsx": make.excel(list_table("p5")),
        "danh-sach-ho-so/list.xls": make.old_excel(list_table("p6")),
        "danh-sach-ho-so/list.ods": make.zipped(make.open_document(list_table("p7"))),
        "danh-sach-ho-so/list.csv": make.list_csv(list_table("p8")[2:], names=LIST_NAMES),
        "dvcqg/messages.jsonl": messages("p9"),
        "xes/log.xes": xes("p10").encode(),
    }
    return written(folder, files)


def refused(folder: Path) -> dict[str, list[Path]]:
    """Files that are refused whole, with a person where they break."""
    folder.mkdir()
    person = ",".join(PERSON)
    cut = gzip.compress(log_csv("q").encode())
    files = {
        "canonical/unclosed.csv": (log_csv("q1") + f'q,"{NAME} {PHONE}\n').encode(),
        "canonical/headless.csv": "".join(f"q-{n},received,2025-03-04,1.1,{person}\n" for n in range(9)).encode(),
        "canonical/cut.csv.gz": cut[: len(cut) // 2],
        "danh-sach-ho-so/headless.xlsx": make.excel([row[1:] for row in list_table("q2")[2:]]),
        "dvcqg/cut.json": json.dumps([{"MaHoSo": "q4", "ChuHoSo": NAME}], ensure_ascii=False)[:-6].encode(),
        "dvcqg/other.json": json.dumps([{"a": NAME, "b": PHONE}], ensure_ascii=False).encode(),
        "xes/cut.xes": xes("q5")[:600].encode(),
        "xes/entity.xes": xes("q6").replace("Sign", f"&{NAMES[2].replace(' ', '')};", 1).encode(),
    }
    return written(folder, files)


def written(folder: Path, files: dict[str, bytes]) -> dict[str, list[Path]]:
    by_mapping: dict[str, list[Path]] = {}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        by_mapping.setdefault(path.parent.name, []).append(path)
    return by_mapping


@pytest.fixture
def office(tmp_path: Path) -> Path:
    procmon("init", tmp_path / "office")
    return tmp_path / "office"


# ---- Nothing is found ----


def test_the_search_finds_a_person_in_every_disguise(tmp_path: Path) -> None:
    table = pa.table({"a": [NAME] * 10})
    parquet.write_table(table, tmp_path / "whole.parquet", compression="zstd")
    (tmp_path / "cut").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-20])
    (tmp_path / "a.gz").write_bytes(gzip.compress(NAME.encode()))
    (tmp_path / "wide").write_bytes(NAME.encode("utf-16-le"))
    (tmp_path / "log.json").write_text(json.dumps({"max": NAME}))
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail.set_content(f"Kính gửi {NAME}", cte="base64")
    (tmp_path / "a.eml").write_bytes(bytes(mail))
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE a AS SELECT ? AS b", [NAME])
    database.close()
    found = {hit.rpartition(" ")[2] for hit in persons_in(tmp_path)}
    assert found == {path.name for path in tmp_path.iterdir()}


def test_a_night_with_files_of_every_form_leaves_no_person_in_the_workspace(office: Path, tmp_path: Path) -> None:
    load_city(office)
    for mapping, files in plant(tmp_path / "received").items():
        (office / "inbox" / mapping).mkdir()
        for file in files:
            file.rename(office / "inbox" / mapping / file.name)
    settings = {"PROCMON_ENGINE__SETTLE_SECONDS": "0"}
    said = procmon("run", *AS_OF, "--workspace", office, env=settings)
    assert said.out.count("rows read") == 10
    assert [path for path in (office / "inbox").rglob("*") if path.is_file()] == []
    assert len(list((office / "outbox").glob("*.eml"))) > 0
    asked = [
        procmon("show", what, "--format", form, "--workspace", office)
        for what in ("rejects", "dossiers", "batches")
        for form in ("csv", "json", "table")
    ]
    asked.append(procmon("query", "SELECT * FROM events", "--format", "csv", "--workspace", office))
    rejects = procmon("show", "rejects", "--format", "csv", "--workspace", office).rows
    assert len({row["file"] for row in rejects}) == 10, "each file has its refused rows"
    assert persons_in(office) == []
    assert persons_said(said, *asked) == []


def test_one_person_is_one_keyed_hash_in_every_form_and_the_key_is_its_owners_alone(
    office: Path, tmp_path: Path
) -> None:
    for mapping, files in plant(tmp_path / "received").items():
        procmon("ingest", *files, "--mapping", mapping, "--workspace", office)
    sql = "SELECT DISTINCT applicant_id, handler_id FROM events"
    rows = procmon("query", sql, "--format", "csv", "--workspace", office).rows
    assert len({row["applicant_id"] for row in rows} - {""}) == 1
    assert len({row["handler_id"] for row in rows} - {""}) == 1
    assert stat.S_IMODE((office / "key").stat().st_mode) == 0o600
    key = (office / "key").read_text().strip()
    assert [path for path in office.rglob("*") if path.is_file() and key.encode() in path.read_bytes()] == [
        office / "key"
    ]


def test_a_file_that_is_refused_whole_says_why_without_naming_anyone(office: Path, tmp_path: Path) -> None:
    for mapping, files in refused(tmp_path / "received").items():
        for file in files:
            said = procmon("ingest", file, "--mapping", mapping, "--workspace", office, code=11)
            assert persons_said(said) == [], file.name
    assert persons_in(office) == []


def test_a_mapping_is_drafted_and_tried_without_a_person_leaving_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing, draft = tmp_path / "tmp", tmp_path / "draft.toml"
    passing.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(passing))
    for mapping, files in plant(tmp_path / "received").items():
        for file in files[:2]:
            guess = procmon("mapping", "guess", file, "--output", draft)
            check = procmon("mapping", "check", file, "--mapping", mapping)
            assert persons_said(guess, check) == [], file.name
            assert found_in("the draft", draft.read_bytes()) == [], file.name
            assert list(passing.iterdir()) == []


def children_of(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_reading_that_is_killed_leaves_no_person_behind(office: Path, tmp_path: Path) -> None:
    draw = random.Random(4711)
    row = f"{{}},received,2025-03-04T08:00:00,1.000001,10507,{{}},{','.join(PERSON)}\n"
    with (tmp_path / "long.csv").open("w", encoding="utf-8") as file:
        file.write(",".join([*make.HEADER, *PERSONAL]) + "\n")
        file.writelines(row.format(n, draw.random()) for n in range(600_000))
    process = spawn("ingest", tmp_path / "long.csv", "--workspace", office)
    deadline = time.monotonic() + 60
    rows: list[Path] = []
    while not any(path.stat().st_size > 100_000 for path in rows):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
        rows = list((office / ".scratch").glob("*/rows.parquet"))
    [child] = children_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    process.communicate()
    left = [path for path in (office / ".scratch").rglob("*") if path.is_file()]
    assert left, "killed too late"
    assert persons_in(office) == []
    procmon("ingest", make.HERE / "csv-bom.csv", "--workspace", office)
    assert list((office / ".scratch").iterdir()) == []
