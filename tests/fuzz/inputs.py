"""Files to start from, and what is done to them: cuts, flipped bits, pieces twice, words where none belong.

The seeds are the torture folder, the samples, and some dossiers told in each form. An Excel or OpenDocument file is
changed inside its parts and packed again more often than as it lies there: of a changed zip little but the checksums
would be tried.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from procmon.ingest.mapping import Mapping, shipped
from tests import formats
from tests.log_files import mapping_of

ROOT = Path(__file__).parents[2]
FORMS = ("csv", "excel", "json", "xes")
ENDINGS = {
    "csv": (".csv", ".tsv", ".txt", ".csv.gz"),
    "excel": (".xlsx", ".ods"),
    "json": (".json", ".jsonl"),
    "xes": (".xes",),
}
LARGEST_SEED = 32 << 10
LONGEST = 1 << 20
"""No input is longer: the readers' own limits in bytes have tests of their own."""

ANYWHERE = (
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\r", b"\n", b"\r\n", b"\t", b" ",
    b"\x1f\x8b\x08", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", "\u200b".encode(), "Ngày tiếp nhận".encode(),
    b"2025-02-30", b"23/06/2025", b"06/23/2025 07:30", b"45828.3125", b"1e308", b"-1", b"9" * 400, b"received",
    "Đang xử lý".encode(), b"99991231235959", b"2025-06-01T08:00:00+99:00", b"=1+1", b"A" * 70_000, b"<html>",
)  # fmt: skip
WORDS = {
    "csv": (
        b'"', b'""', b'"\n"', b",", b";", b"|", b"sep=;\n", b"sep=\t\r\n",
        b"dossier_id,status,occurred_at,procedure_id\n", b"\xb8\xb5\xb6", b"\xf4\xee", "Ã¡ Ã©".encode(), b",,,,,,,,",
        b"\xcc\x81", b"x,received,2025-03-03,1.000001\n",
    ),
    "json": (
        b"{", b"}", b"[", b"]", b"[[[[[[[[", b'{"a":', b'"', b"\\", b"\\ud800", b"\\u0000", b"NaN", b"1e999999999",
        b",", b":", b"null", b"-0.0", b"1E-400", b'{"MaHoSo":"a","TrangThaiHoSo":"4"}', b'"DanhSachHoSoBoSung":[{}]',
        b"true",
    ),
    "xes": (
        b"<event>", b"</event>", b"<trace>", b"</trace>", b"<log>", b"</log>", b"<!--", b"-->", b"<?x", b"?>",
        b"<!DOCTYPE log>", b"&amp;", b"&x;", b"&#0;", b"&#55296;", b"<![CDATA[", b"]]>", b'<list key="l"><values>',
        b"</values></list>", b'<string key="concept:name" value="a"/>', b'<container key="">', b' xmlns="x"',
        b' encoding="utf-7"', b"<log/>", b'<global scope="event"/>', b'<date key="time:timestamp" value=""/>', b"/>",
        b'="',
    ),
    "excel": (
        b'<c r="XFD1048576"><v>1</v></c>', b'<c r="A0"/>', b' r="A1"', b' t="s"', b' t="e"', b' t="d"', b' s="1"',
        b"<v>", b"</v>", b"<row>", b"</row>", b'<row r="4294967296">', b"<f>1</f>", b"<is><t>", b"</t></is>",
        b"<v>1e400</v>", b"<v>-99999</v>", b"<v>2958466</v>", b' date1904="1"', b"<!DOCTYPE x>", b"&#0;",
        b"<sheetData>", b"</sheetData>", b"<mergeCell ref='A1:Z9'/>", b'table:number-rows-repeated="1000000"',
        b'table:number-columns-repeated="0"', b' office:value="1e400"', b' office:date-value="x"',
        b' office:value-type="date"', b"/>", b'="',
    ),
    "mapping": (
        b"[", b"]", b"[[", b'"', b"'''", b'"""', b"=", b".", b"{", b"}", b"\n", b"#", b"[columns]\n", b"[statuses]\n",
        b"[supplements]\n", b"[activities]\n", b'dates.all = "iso"\n', b'dates.due_at = ["excel", "dd/MM/yyyy"]\n',
        b"= 1\n",
        b"inf", b"1979-05-27T07:32:00Z", b"0x", b"1_0", b'kind = "dvcqg"\n', b'"\\uD800"', b"csv.header_row = 99\n",
    ),
}  # fmt: skip


@cache
def seeds(form: str) -> tuple[bytes, ...]:
    """Files of a form, whole and torn, none above `LARGEST_SEED`; of `mapping` the texts of mappings."""
    if form == "mapping":
        folder = resources("procmon.ingest").joinpath("mappings")
        return tuple(folder.joinpath(f"{name}.toml").read_bytes() for name in shipped())
    if form == "xls":  # only the reading process itself is given these: calamine may abort it
        return tuple(path.read_bytes() for path in _kept((".xls",)))
    return (*(path.read_bytes() for path in _kept(ENDINGS[form])), *_told(form))


def _kept(endings: Sequence[str]) -> list[Path]:
    found = [*(ROOT / "tests" / "torture").iterdir(), *(ROOT / "sample_logs").iterdir()]
    return sorted(p for p in found if p.name.endswith(tuple(endings)) and 0 < p.stat().st_size <= LARGEST_SEED)


def _told(form: str) -> list[bytes]:
    """A few dossiers in the form."""
    units = ("10507", "10525")
    dossiers = formats.draw(6, procedures=["1.000001", "1.000002"], units=units)
    names = {unit: f"Phường {unit}" for unit in units}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "told"
        match form:
            case "csv":
                formats.write_csv(path, dossiers)
            case "excel":
                formats.write_excel(path, dossiers, names)
            case "json":
                formats.write_portal(path, dossiers, names)
            case "xes":
                formats.write_xes(path, dossiers)
        return [path.read_bytes()]


@cache
def mappings(form: str) -> tuple[Mapping, ...]:
    """The shipped mappings that files of a form are read under."""
    names = {"csv": ("canonical", "danh-sach-ho-so"), "json": ("dvcqg", "canonical"), "xes": ("xes",)}
    return tuple(mapping_of(name) for name in names.get(form, ("danh-sach-ho-so",)))


# ---- changes ----

KINDS = ("cut", "cut off", "flip", "put in", "put in", "put in", "put over", "repeat", "take out", "move", "pump")


class Change(NamedTuple):
    """One change: `at` and `to` are places, taken around the file's length; `size` a number of bytes, `word` what is
    put in."""

    kind: str
    at: int
    to: int
    size: int
    word: bytes

    def of(self, data: bytes) -> bytes:
        """The bytes after it."""
        at, to = self.at % (len(data) + 1), self.to % (len(data) + 1)
        before, piece, after = data[:at], data[at : at + self.size], data[at + self.size :]
        match self.kind:
            case "cut":
                changed = data[:at]
            case "cut off":
                changed = data[at:]
            case "flip":
                changed = before + bytes(byte ^ (1 << self.to % 8) for byte in piece[:1]) + data[at + 1 :]
            case "put in":
                changed = before + self.word + data[at:]
            case "put over":
                changed = before + self.word + data[at + len(self.word) :]
            case "repeat":
                changed = before + piece * (1 + self.to % 9) + after
            case "take out":
                changed = before + after
            case "move":
                changed = data[:to] + piece + data[to:]
            case _:  # pump: many times, for what must not pile up
                changed = before + (self.word or piece)[:64] * (1 << self.to % 14) + data[at:]
        return changed[:LONGEST]


class Recipe(NamedTuple):
    """A seed and what is done to it; `inside` says which part of a workbook is changed instead of its bytes, `outside`
    that a gzip is changed after it was packed."""

    seed: bytes
    changes: Sequence[Change]
    inside: int | None = None
    packed: bool = False
    outside: bool = False

    def bytes(self) -> bytes:
        """The input."""
        data = self.seed
        if self.packed and self.outside:
            data = gzip.compress(data, mtime=0)
        if self.inside is not None and data.startswith(b"PK"):
            data = _changed_inside(data, self.inside, self.changes)
        else:
            data = _changed(data, self.changes)
        return gzip.compress(data, 1, mtime=0) if self.packed and not self.outside else data


def _changed(data: bytes, changes: Sequence[Change]) -> bytes:
    for change in changes:
        data = change.of(data)
    return data


def _changed_inside(book: bytes, number: int, changes: Sequence[Change]) -> bytes:
    parts = parts_of(book)
    if not parts:
        return _changed(book, changes)
    sheets = [name for name in parts if "sheet" in name or name == "content.xml"]
    names = [*sheets, *sheets, *parts]  # the cells more often than the rest
    name = names[number % len(names)]
    return zipped({**parts, name: _changed(parts[name], changes)})


@cache
def parts_of(book: bytes) -> dict[str, bytes]:
    """The parts of a workbook; none where it cannot be unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(book)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if entry.file_size < LONGEST}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        return {}


def zipped(parts: dict[str, bytes]) -> bytes:
    """Parts as a workbook."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


# ---- mappings as TOML ----


def toml(entries: dict[str, object]) -> str:
    """A mapping's entries as TOML: dotted keys, text, numbers and lists of them, one a line."""
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in entries.items())


def _key(name: str) -> str:
    return ".".join(json.dumps(part) for part in name.split("/"))


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)  # TOML's text, numbers and truth are JSON's but for half surrogate pairs
