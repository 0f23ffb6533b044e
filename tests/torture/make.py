"""Write the torture folder: small files, each wrong or merely odd in one way, each with its expected outcome.

`python tests/torture/make.py` writes NAME and NAME.expected.toml for every case below; again it writes the same bytes.
Workbooks are written here part by part, unpacked (stored), so that their bytes depend on no library's version; those
that must be packed are listed in `PACKED`. Files too large to keep are made by the test at run time.
"""

from __future__ import annotations

import io
import json
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import xlwt
from xlwt import CompoundDoc

HERE = Path(__file__).parent
EXPECTED = ".expected.toml"
LIST, PORTAL, XES = "danh-sach-ho-so", "dvcqg", "xes"


class Reject(NamedTuple):
    """A refused row: its line, the column blamed, a part of the reason."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Case:
    """A file and what must become of it: refused whole (`message`, `remedy`: parts of what is said), or counted."""

    name: str
    content: bytes
    wrong: str
    mapping: str
    message: str = ""
    remedy: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    rejects: Sequence[Reject] = ()
    is_held: bool = False

    def expected(self) -> str:
        """The text of NAME.expected.toml."""
        lines = [f"wrong = {_quoted(self.wrong)}", f"mapping = {_quoted(self.mapping)}"]
        if self.message:
            lines += ["", "[refused_whole]", f"message = {_quoted(self.message)}", f"remedy = {_quoted(self.remedy)}"]
        else:
            lines += [f"held = {str(self.is_held).lower()}", "", "[rows]"]
            lines += [f"{name} = {n}" for name, n in self.counts.items()]
        for reject in self.rejects:
            lines += ["", "[[rejects]]", f"line = {reject.line}", f"column = {_quoted(reject.column)}"]
            lines += [f"reason = {_quoted(reject.reason)}"]
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


CASES: dict[str, Case] = {}
PACKED = ("xlsx-zip-bomb.xlsx",)
"""Files whose bytes depend on the zlib of the machine."""


def refused(name: str, content: bytes, wrong: str, message: str, remedy: str, mapping: str = "canonical") -> None:
    """A file that is refused whole."""
    _add(Case(name, content, wrong, mapping, message=message, remedy=remedy))


def taken(
    name: str, content: bytes, wrong: str, stored: int, *rejects: tuple[int, str, str], mapping: str = "canonical",
    repeated: int = 0, amended: int = 0,
) -> None:  # fmt: skip
    """A file that goes in but for some rows."""
    counts = {
        "read": stored + repeated + amended + len(rejects), "stored": stored, "repeated": repeated, "amended": amended,
        "refused": len(rejects),
    }  # fmt: skip
    _add(Case(name, content, wrong, mapping, counts=counts, rejects=[Reject(*reject) for reject in rejects]))


def held(
    name: str, content: bytes, wrong: str, n_read: int, *rejects: tuple[int, str, str], mapping: str = "canonical"
) -> None:
    """A file of which too many rows are refused; the others are refused with it."""
    lines = {line for line, _, _ in rejects}
    first = min(lines) if mapping in (PORTAL, XES) else 2
    others = [(line, "", "the file is held") for line in range(first, first + n_read) if line not in lines]
    counts = {"read": n_read, "stored": 0, "repeated": 0, "amended": 0, "refused": n_read}
    every = [Reject(*reject) for reject in sorted([*rejects, *others])]
    _add(Case(name, content, wrong, mapping, counts=counts, rejects=every, is_held=True))


def _add(case: Case) -> None:
    assert case.name not in CASES, case.name
    assert case.remedy or not case.message, case.name
    CASES[case.name] = case


def write(folder: Path) -> None:
    """Write every file and its expectation to a folder."""
    for case in CASES.values():
        (folder / case.name).write_bytes(case.content)
        (folder / (case.name + EXPECTED)).write_text(case.expected(), encoding="utf-8")


# ---- Canonical logs as CSV: a header and ten rows, on lines 2 to 11 ----

HEADER = ["dossier_id", "status", "occurred_at", "procedure_id", "unit_id", "stage"]
N = 10
GOOD = N - 1
"""Rows of a log, and those that are left where one is refused."""


def log_rows(tag: str) -> list[list[str]]:
    """Five dossiers, each received and finished; `tag` tells the dossiers of one file from another's."""
    return [
        [f"{tag}-{n}", status, f"2025-03-{n + 2:02}T{hour:02}:00:00", "1.000001", "10507", "Bước"]
        for n in range(1, N // 2 + 1)
        for status, hour in (("received", 8), ("finished", 15))
    ]


def csv_text(rows: Iterable[Sequence[str]], delimiter: str = ",", end: str = "\n") -> str:
    """Rows as CSV; cells come quoted where they must be."""
    return "".join(delimiter.join(row) + end for row in rows)


def log(tag: str, line: int = 0, *, column: str = "", cell: str = "", delimiter: str = ",", end: str = "\n") -> str:
    """A log in which one cell, in the row of a line, is another."""
    rows = log_rows(tag)
    if line:
        rows[line - 2][HEADER.index(column)] = cell
    return csv_text([HEADER, *rows], delimiter, end)


def with_line(text: str, line: int, change: Callable[[str], str]) -> str:
    """The text with one of its lines changed."""
    lines = text.split("\n")
    lines[line - 1] = change(lines[line - 1])
    return "\n".join(lines)


def csv_forms() -> None:
    """Delimiters, titles, quotes, line ends."""
    taken("csv-semicolon.csv", log("semicolon", delimiter=";").encode(), "cells parted by semicolons", N)
    taken("csv-bar.txt", log("bar", delimiter="|").encode(), "cells parted by vertical bars", N)
    taken("csv-sep.csv", ("sep=;\n" + log("sep", delimiter=";")).encode(), "Excel's own line sep=;", N)
    titles = "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG\nDanh sách, tháng 3\n\n"
    text = titles + log("preamble", 4, column="status", cell="done")
    taken("csv-titles.csv", text.encode(), "titles above the header", GOOD, (7, "status", "not one of the ten"))
    mixed = with_line(log("mixed"), 6, lambda line: line.replace(",", ";"))
    taken("csv-delimiters-mixed.csv", mixed.encode(), "a row with another delimiter", GOOD, (6, "", "fewer cells"))
    unclosed = with_line(log("unclosed"), 4, lambda line: line.replace("Bước", '"Bước'))
    refused(
        "csv-quote-unclosed.csv", unclosed.encode(), "a quote opens on line 4 and is never closed",
        "line 4: a quote opens and is never closed", "Close it",
    )  # fmt: skip
    inner = with_line(log("inner"), 4, lambda line: line.replace("Bước", 'Bước "một" rồi'))
    taken("csv-quote-inside.csv", inner.encode(), "quotes inside a cell that is not quoted", N)
    odd = with_line(log("odd"), 4, lambda line: line.replace("Bước", '"Bước" hai'))
    taken(
        "csv-quote-ends-early.csv", odd.encode(), "text behind a closing quote", GOOD, (4, "", "quotes open or close")
    )
    ends = with_line(log("ends"), 5, lambda line: line + "\r")
    refused(
        "csv-line-ends-mixed.csv", ends.encode(), "one line ends with CR LF, the others with LF",
        "line 5 ends otherwise", "one kind of line end",
    )  # fmt: skip
    refused(
        "csv-line-ends-cr.csv", log("cr", end="\r").encode(), "lines end with CR alone",
        "CR alone", "LF or CR LF",
    )  # fmt: skip
    blank = with_line(log("blank", 8, column="status", cell="done"), 5, lambda line: f"{line}\n\n")
    taken("csv-blank-lines.csv", blank.encode(), "blank lines between rows", GOOD, (10, "status", "not one of the ten"))
    broken = csv_text([[*HEADER, "note"], *([*row, '"một\nhai"'] for row in log_rows("broken"))])
    broken = broken.replace("2025-03-07T15", "2025-03-07X15")
    taken(
        "csv-line-breaks.csv", broken.encode(), "line breaks inside quoted cells", GOOD,
        (20, "occurred_at", "not a readable"),
    )  # fmt: skip


def csv_encodings() -> None:
    """Bytes that are not UTF-8, or not what they seem."""
    words = "Cộng hòa xã hội chủ nghĩa Việt Nam"
    text = log("{}").replace("Bước", words)

    def of(tag: str) -> str:
        return text.replace("{}", tag)

    taken("csv-bom.csv", of("bom").encode("utf-8-sig"), "a byte order mark", N)
    taken("csv-utf16-le.csv", b"\xff\xfe" + of("le").encode("utf-16-le"), "UTF-16, little end first", N)
    taken("csv-utf16-be.csv", b"\xfe\xff" + of("be").encode("utf-16-be"), "UTF-16, big end first", N)
    refused(
        "csv-utf16-no-mark.csv", of("bare").encode("utf-16-le"), "UTF-16 without its mark",
        "UTF-16 without its mark", 'csv.encoding = "utf-16-le"',
    )  # fmt: skip
    old = of("1258").translate(_apart()).encode("cp1258")
    refused(
        "csv-1258.csv", old, "Windows-1258 that the mapping does not declare",
        "it reads as Windows-1258", 'csv.encoding = "windows-1258"',
    )  # fmt: skip
    taken("csv-1258-declared.csv", old, "Windows-1258, declared", N, mapping="mappings/log-1258.toml")
    tcvn3 = (
        of("tcvn3").replace(words, "{}").encode().replace(b"{}", "Céng hoµ x· héi chñ nghÜa ViÖt Nam".encode("latin-1"))
    )
    for name, mapping in (("csv-tcvn3.csv", "canonical"), ("csv-tcvn3-declared.csv", "mappings/log-tcvn3.toml")):
        refused(name, tcvn3, "letters of TCVN3 fonts (ABC)", "TCVN3", "Convert it to Unicode", mapping)
    vni = "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam"
    refused(
        "csv-vni.csv", of("vni").replace(words, "{}").encode().replace(b"{}", vni.encode("latin-1")),
        "letters of VNI fonts", "VNI", "Convert it to Unicode",
    )  # fmt: skip
    double = of("double").encode().decode("cp1252").encode()
    refused(
        "csv-double-encoded.csv", double, "UTF-8 read as Windows-1252 and saved again",
        "double-encoded", "Export it again",
    )  # fmt: skip
    bad = of("byte").encode().replace(words.encode(), b"C\xffng", 1)
    taken("csv-bad-byte.csv", bad, "a byte that is not UTF-8 in one row", GOOD, (2, "", "not valid UTF-8"))
    refused(
        "csv-nul.csv", of("nul").encode().replace(b"10507", b"10\x00507", 1), "a NUL byte",
        "not UTF-8 text", "Save it as CSV in UTF-8",
    )  # fmt: skip
    refused(
        "csv-picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture with the name of a CSV",
        "not UTF-8 text", "Save it as CSV",
    )  # fmt: skip
    refused(
        "csv-page.csv", b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>\n",
        "a server's page with the name of a CSV", "web page", "save it as .xlsx",
    )  # fmt: skip


def _apart() -> dict[int, str]:
    """Letters with a tone as Windows-1258 has them: the letter, then its tone."""
    table = {}
    for point in range(0xC0, 0x1F00):
        letter = chr(point)
        parts = unicodedata.normalize("NFD", letter)
        if len(parts) > 1 and parts[-1] in "\u0300\u0301\u0303\u0309\u0323":
            table[point] = unicodedata.normalize("NFC", parts[:-1]) + parts[-1]
    for point in range(0x1EA0, 0x1EFA):
        parts = unicodedata.normalize("NFD", chr(point))
        tone = next(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
        table[point] = unicodedata.normalize("NFC", parts.replace(tone, "")) + tone
    return table


def csv_rows() -> None:
    """Headers and rows that are too short, too long, or missing."""
    refused("csv-empty.csv", b"", "nothing in it", "the file is empty", "Export it again")
    refused(
        "csv-header-only.csv", csv_text([HEADER]).encode(), "a header and no row",
        "no row below its header", "Export it again",
    )  # fmt: skip
    refused(
        "csv-column-twice.csv", csv_text([[*HEADER, "status"], *([*row, "x"] for row in log_rows("twice"))]).encode(),
        "a column stands twice", "column status stands twice", "Give each column one name",
    )  # fmt: skip
    refused(
        "csv-column-missing.csv", log("missing").replace("occurred_at", "when", 1).encode(), "a needed column lacks",
        "column occurred_at is missing", "procmon mapping guess",
    )  # fmt: skip
    refused(
        "csv-no-header.csv", csv_text(log_rows("headless")).encode(), "no header",
        "found: what looks like a row of data", "procmon mapping guess",
    )  # fmt: skip
    short = with_line(log("short"), 3, lambda line: line.rpartition(",")[0])
    taken("csv-row-short.csv", short.encode(), "a row with a cell too few", GOOD, (3, "", "fewer cells"))
    long = with_line(log("long"), 3, lambda line: line + ",x")
    taken("csv-row-long.csv", long.encode(), "a row with a cell too many", GOOD, (3, "", "more cells"))
    cut = log("cut").encode()[:-50]
    taken("csv-cut.csv", cut, "cut off within its last row", GOOD, (11, "", "fewer cells"))
    bell = log("bell", 5, column="stage", cell="B\x07ước")
    taken("csv-control-character.csv", bell.encode(), "a control character", GOOD, (5, "stage", "control character"))
    wide = log("wide", 5, column="stage", cell="x" * 1001)
    taken("csv-cell-long.csv", wide.encode(), "a cell of 1,001 characters", GOOD, (5, "stage", "longer than 1,000"))
    code = log("nobody", 5, column="dossier_id", cell="\u2060 \u00a0")
    taken("csv-code-invisible.csv", code.encode(), "a dossier code that no one sees", GOOD, (5, "dossier_id", "empty"))
    status = log("status", 5, column="status", cell="Đã xong")
    taken("csv-status-unknown.csv", status.encode(), "an unknown status", GOOD, (5, "status", "not one of the ten"))
    fax = csv_text([[*HEADER, "channel"], *([*row, "fax" if i == 3 else ""] for i, row in enumerate(log_rows("fax")))])
    taken("csv-channel-unknown.csv", fax.encode(), "an unknown channel", GOOD, (5, "channel", "not one of the three"))
    formula = log("=1+1").replace("Bước", '"=HYPERLINK(""http://x.example"")"')
    taken("csv-formulas.csv", formula.encode(), "cells that a spreadsheet would compute", N)
    again = log("again")
    rows = again.splitlines(keepends=True)
    taken("csv-row-twice.csv", "".join([*rows, rows[5]]).encode(), "a row stands twice", N, repeated=1)
    other = rows[5].replace("again", "amends")
    rows = [row.replace("again", "amends") for row in rows]
    other = other.replace("1.000001", "1.000002")
    taken("csv-row-amended.csv", "".join([*rows, other]).encode(), "a row says more of another", N, amended=1)
    three = log("three").replace(",finished,", ",xong,", 3)
    bad = [(line, "status", "not one of the ten") for line in (3, 5, 7)]
    held("csv-held.csv", three.encode(), "three of ten rows are refused", N, *bad)
    two = log("two").replace(",finished,", ",xong,", 2)
    taken("csv-not-held.csv", two.encode(), "two of ten rows are refused, which is not more than 20 %", N - 2, *bad[:2])
    packed = gzipped(log("gz").encode())
    taken("csv-packed.csv.gz", packed, "gzipped", N)
    refused("csv-cut.csv.gz", packed[:-6], "a gzip without its last bytes", "damaged or cut off", "Copy it again")
    refused("csv-nested.csv.gz", gzipped(packed), "a gzip within a gzip", "a gzip within a gzip", "Unpack it")
    taken("csv name with blanks & more.csv", log("name").encode(), "blanks and signs in the file's name", N)
    taken("csv Thủy Nguyên – tháng 3.csv", log("letters").encode(), "Vietnamese letters in the file's name", N)


def gzipped(data: bytes) -> bytes:
    """A gzip that stores its content as it is, so that every zlib writes the same."""
    packer = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data) + packer.flush()
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + body + struct.pack("<LL", zlib.crc32(data), len(data))


def csv_dates() -> None:
    """Instants that never were, or not yet."""
    unread, outside = "not a readable instant", "before 2000 or after 2059"
    wrong = {
        "30-february": ("2025-02-30T08:00:00", "30 February", unread),
        "29-february": ("2025-02-29T08:00:00", "29 February of a common year", unread),
        "hour-24": ("2025-03-04T24:00:00", "the hour 24:00", unread),
        "full-width": ("２０２５-０３-０４", "digits of another script", unread),
        "serial": ("45720.5", "Excel's number of days as text", unread),
        "empty": ("", "no instant", "the instant is empty"),
        "future": ("2026-01-05T08:00:00", "four days after now", "lies in the future"),
        "1999": ("1999-12-31T08:00:00", "the last day of 1999", outside),
        "year-0026": ("0026-03-04T08:00:00", "the year 0026", outside),
        "year-2206": ("2206-03-04T08:00:00", "the year 2206", outside),
    }
    for name, (text, what, reason) in wrong.items():
        rows = log(f"date-{name}", 5, column="occurred_at", cell=text)
        taken(f"date-{name}.csv", rows.encode(), what, GOOD, (5, "occurred_at", reason))
    right = {
        "offsets": (["2025-03-04T08:00:00+07:00", "2025-03-04T08:00:00Z", "2025-03-04 08:00:00+0700"], "three offsets"),
        "leap-day": (["2024-02-29T08:00:00", "2024-02-29", "2000-02-29"], "29 February of leap years"),
        "backwards": (["2025-03-31T08:00:00", "2025-03-31T08:00:01"], "finished before it was received"),
    }
    for name, (texts, what) in right.items():
        rows = log_rows(f"date-{name}")
        for place, text in enumerate(texts):
            rows[2 * place][2] = text
        taken(f"date-{name}.csv", csv_text([HEADER, *rows]).encode(), what, N)


# ---- Lists of dossiers: a header and six rows, on lines 2 to 7 ----

NAMES = ["STT", "Số hồ sơ", "Mã thủ tục", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày trả kết quả", "Trạng thái"]
N_LIST = 6
Cell = str | int | float | datetime | None


def list_rows(tag: str) -> list[list[Cell]]:
    """Six dossiers, the first five returned."""
    rows: list[list[Cell]] = []
    for n in range(1, N_LIST + 1):
        received, due, done = (datetime(2025, 3, n + day, 8, 30) for day in (2, 9, 7))
        is_done = n < N_LIST
        rows.append(
            [
                n,
                f"{tag}-{n}",
                "1.000001",
                received,
                due,
                done if is_done else None,
                "Đã trả" if is_done else "Đang xử lý",
            ]
        )
    return rows


def changed(tag: str, line: int, **cells: Cell) -> list[list[Cell]]:
    """A list in which some cells of a line are others; columns by the first letters of their words."""
    rows = list_rows(tag)
    short = {"stt": 0, "code": 1, "procedure": 2, "received": 3, "due": 4, "returned": 5, "status": 6}
    for name, value in cells.items():
        rows[line - 2][short[name]] = value
    return rows


def list_csv(rows: Sequence[Sequence[Cell]], form: str = "%d/%m/%Y %H:%M", names: Sequence[str] = NAMES) -> bytes:
    """A list as CSV, with its dates written in a form."""
    cells = [
        ["" if c is None else c.strftime(form) if isinstance(c, datetime) else str(c) for c in row] for row in rows
    ]
    return csv_text([names, *cells]).encode()


def lists() -> None:
    """Rows that are dossiers."""
    good = N_LIST - 1
    refused(
        "list-month-first.csv", list_csv(changed("mf", 3, received=datetime(2025, 3, 25)), "%m/%d/%Y"),
        "dates month first, as one of them proves", "is written month-first, the mapping says day-first",
        '"MM/dd/yyyy"', LIST,
    )  # fmt: skip
    rows = changed("both", 3, received="25/03/2025")
    rows[2][3] = "03/26/2025"
    taken(
        "list-both-orders.csv", list_csv(rows), "one date can only be day first, one only month first", good,
        (4, "Ngày tiếp nhận", "not a readable"), mapping=LIST,
    )  # fmt: skip
    rows = changed("forms", 2, received="03-03-2025")
    rows[1][3], rows[2][3], rows[3][3] = "2025-03-04T08:30:00+07:00", "08:30 05/03/2025", "20250306083000"
    taken("list-many-forms.csv", list_csv(rows), "five ways to write a date in one column", N_LIST, mapping=LIST)
    taken(
        "list-status-unknown.csv", list_csv(changed("label", 4, status="Đang trình ký")), "an unmapped status", good,
        (4, "Trạng thái", "a status that the mapping does not know"), mapping=LIST,
    )  # fmt: skip
    taken(
        "list-status-folded.csv", list_csv(changed("fold", 4, status="  ĐÃ  TRẢ\u200b")),
        "a status in capitals, with blanks and a sign no one sees", N_LIST, mapping=LIST,
    )  # fmt: skip
    taken(
        "list-end-undated.csv", list_csv(changed("undated", 4, returned=None)), "returned, no column says when", good,
        (4, "Trạng thái", "no column says when it ended"), mapping=LIST,
    )  # fmt: skip
    rows = changed("nothing", 4, received=None, due=None, returned=None, status=None)
    taken(
        "list-no-event.csv", list_csv(rows), "a row without any date", good,
        (4, "", "nothing in the row has a date"), mapping=LIST,
    )  # fmt: skip
    names = [unicodedata.normalize("NFD", name.upper()) + " *" for name in NAMES]
    taken(
        "list-names-decomposed.csv", list_csv(list_rows("names"), names=names),
        "column names in capitals, decomposed, with a star", N_LIST, mapping=LIST,
    )  # fmt: skip
    twice = list_csv([*list_rows("again"), list_rows("again")[1]])
    taken("list-row-twice.csv", twice, "a dossier stands twice with the same words", N_LIST, mapping=LIST, repeated=1)
    bad = [(line, "Trạng thái", "a status that the mapping") for line in (2, 3)]
    rows = changed("held", 2, status="?")
    rows[1][6] = "?"
    held("list-held.csv", list_csv(rows), "two of six rows are refused", N_LIST, *bad, mapping=LIST)


# ---- Workbooks ----

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "xl/worksheets/sheet1.xml"
Parts = dict[str, bytes]


def workbook(
    rows: Sequence[Sequence[Cell]],
    *,
    epoch: datetime = datetime(1899, 12, 30),
    sheet: str = "Danh sách",
    state: str = "",
) -> Parts:
    """The parts of a workbook of one sheet."""
    lines = []
    for line, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{chr(65 + place)}{line}", value, epoch) for place, value in enumerate(row))
        lines.append(f'<row r="{line}">{cells}</row>')
    is_1904 = ' date1904="1"' if epoch.year == 1904 else ""
    return {
        "[Content_Types].xml": _xml(
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            + _type("workbook", "sheet.main") + _type("styles", "styles") + _type("worksheets/sheet1", "worksheet")
            + "</Types>"
        ),
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": _xml(
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr{is_1904}/><sheets>'
            f'<sheet name="{sheet}" sheetId="1"{state} r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations(("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")),
        "xl/styles.xml": _xml(
            f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
            "</styleSheet>"
        ),
        SHEET: _xml(f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'),
    }  # fmt: skip


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{body}'.encode()


def _type(part: str, kind: str) -> str:
    name = f"application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"
    return f'<Override PartName="/xl/{part}.xml" ContentType="{name}"/>'


def _relations(*targets: tuple[str, str]) -> bytes:
    items = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return _xml(f'<Relationships xmlns="{PACKAGE}/relationships">{items}</Relationships>')


def _cell(place: str, value: Cell, epoch: datetime) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        days = (value - epoch).total_seconds() / 86400
        return f'<c r="{place}" s="1"><v>{days!r}</v></c>'
    if isinstance(value, str) and not value.startswith("<"):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return value.replace("<c", f'<c r="{place}"', 1) if isinstance(value, str) else f'<c r="{place}"><v>{value}</v></c>'


def zipped(parts: Mapping[str, bytes], *, packed: Sequence[str] = ()) -> bytes:
    """A zip with no dates of today; parts are stored as they are but for the `packed`."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            info.create_system = 3
            archive.writestr(info, content, zipfile.ZIP_DEFLATED if name in packed else zipfile.ZIP_STORED)
    return data.getvalue()


def excel(rows: Sequence[Sequence[Cell]], **options: object) -> bytes:
    """A list as XLSX."""
    return zipped(workbook(rows, **options))  # type: ignore[arg-type]


def in_directory(data: bytes, part: str, offset: int, value: bytes) -> bytes:
    """The zip with some bytes of a part's entry in its directory changed."""
    at = data.rfind(part.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    return data[: at + offset] + value + data[at + offset + len(value) :]


def workbooks() -> None:
    """What Excel lists look like, and what attackers make of them."""
    good = N_LIST - 1

    def full(tag: str, *above: Sequence[Cell]) -> list[Sequence[Cell]]:
        return [*above, NAMES, *list_rows(tag)]

    titles = [["UBND THÀNH PHỐ HẢI PHÒNG"], [], ["DANH SÁCH HỒ SƠ"], ["Từ ngày 01/03/2025 đến ngày 31/03/2025"]]
    taken("xlsx-titles.xlsx", excel(full("xt", *titles)), "titles above the header", N_LIST, mapping=LIST)
    numbers = [NAMES, [f"({n})" for n in range(1, 8)], *list_rows("xn")]
    taken("xlsx-numbers-row.xlsx", excel(numbers), "a row that numbers the columns", N_LIST, mapping=LIST)
    upper: list[Cell] = ["STT", "Hồ sơ", None, "Thời gian", None, None, "Trạng thái"]
    lower: list[Cell] = [None, *NAMES[1:6], None]
    parts = workbook([upper, lower, *list_rows("x2")])
    merges = "".join(f'<mergeCell ref="{ref}"/>' for ref in ("A1:A2", "B1:C1", "D1:F1", "G1:G2"))
    parts[SHEET] = parts[SHEET].replace(b"</sheetData>", f"</sheetData><mergeCells>{merges}</mergeCells>".encode())
    taken("xlsx-header-merged.xlsx", zipped(parts), "a header in two rows with merged cells", N_LIST, mapping=LIST)
    taken(
        "xlsx-blank-rows.xlsx", excel([*full("xb")[:3], [], [" "], *full("xb")[3:]]), "blank rows", N_LIST, mapping=LIST
    )
    total = [*full("xs"), ["Tổng cộng: 6 hồ sơ"]]
    taken(
        "xlsx-summary-row.xlsx", excel(total), "a row with the total below the list", N_LIST,
        (8, "Số hồ sơ", "dossier code is empty"), mapping=LIST,
    )  # fmt: skip
    rows = changed("xe", 4, returned='<c t="e"><v>#N/A</v></c>')
    taken(
        "xlsx-error-cell.xlsx", excel([NAMES, *rows]), "the error #N/A where a day should be", good,
        (4, "Trạng thái", "no column says when it ended"), mapping=LIST,
    )  # fmt: skip
    rows = changed("xf", 4, code='<c t="str"><f>"xf-"&amp;3</f><v>xf-3</v></c>')
    taken("xlsx-formula.xlsx", excel([NAMES, *rows]), "a formula with its last value", N_LIST, mapping=LIST)
    rows = changed("xu", 4, code='<c t="str"><f>"xu-"&amp;3</f></c>')
    taken(
        "xlsx-formula-uncomputed.xlsx", excel([NAMES, *rows]), "a formula that nobody has computed", good,
        (4, "Số hồ sơ", "dossier code is empty"), mapping=LIST,
    )  # fmt: skip
    mac = excel(full("x4"), epoch=datetime(1904, 1, 1))
    taken("xlsx-1904.xlsx", mac, "days counted from 1904", N_LIST, mapping=LIST)
    refused(
        "xlsx-sheet-missing.xlsx", excel(full("x3")), "the mapping names a sheet that is not there",
        "there is no sheet 'Tháng 3'; there are: Danh sách", "excel.sheet", "mappings/list-in-march.toml",
    )  # fmt: skip
    refused("xlsx-empty.xlsx", excel([]), "a sheet without cells", "no sheet has cells", "Export it again", LIST)
    refused(
        "xlsx-no-header.xlsx", excel(list_rows("xh")), "no header", "names a known column", "excel.header_row", LIST
    )
    _workbook_attacks(full)
    _other_workbooks(full)


def _workbook_attacks(full: Callable[..., list[Sequence[Cell]]]) -> None:
    whole = excel(full("xa"))
    again = "save it as .xlsx"
    refused("xlsx-cut.xlsx", whole[: len(whole) * 2 // 3], "cut off", "damaged or cut off", "Copy it again", LIST)
    refused(
        "xlsx-damaged.xlsx", whole.replace(b"xa-3", b"xa-9", 1), "a part whose checksum is wrong",
        "is not what it was when it was packed", "Copy it again", LIST,
    )  # fmt: skip
    for part in (SHEET, "xl/workbook.xml"):
        parts = workbook(full("xa"))
        entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        parts[part] = parts[part].replace(b"?>\n", b"?>\n" + entity)
        name = f"xlsx-doctype-{Path(part).stem}.xlsx"
        refused(name, zipped(parts), f"a document type in {part}", "has a document type", again, LIST)
    parts = workbook(full("xa")) | {"xl/media/bomb.xml": b"<a>" + b" " * (1 << 20) + b"</a>"}
    refused(
        "xlsx-zip-bomb.xlsx", zipped(parts, packed=["xl/media/bomb.xml"]), "a part of a thousand times its size",
        "unpacks to more than 200 times its size", "engine.read_ratio", LIST,
    )  # fmt: skip
    data = zipped(workbook(full("xa")) | {"xl/a.xml": b"one", "xl/b.xml": b"one"})
    first = zipfile.ZipFile(io.BytesIO(data)).getinfo("xl/a.xml").header_offset
    refused(
        "xlsx-overlap.xlsx", in_directory(data, "xl/b.xml", 42, struct.pack("<L", first)), "two parts share bytes",
        "overlaps another part", again, LIST,
    )  # fmt: skip
    data = zipped(workbook(full("xa")) | {"xl/z.xml": b"<a>" + b"x" * 1000 + b"</a>"})
    refused(
        "xlsx-lying-size.xlsx", in_directory(data, "xl/z.xml", 24, struct.pack("<L", 10)),
        "a part says it is smaller than it is", "unpacks to more than it says", again, LIST,
    )  # fmt: skip
    refused(
        "xlsx-path.xlsx", zipped(workbook(full("xa")) | {"../../outside.xml": b"<a/>"}), "a part outside its folder",
        "leaves its folder", again, LIST,
    )  # fmt: skip
    parts = workbook(full("xa"))
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    parts[SHEET] = parts[SHEET].replace(b"</sheetData>", far)
    refused(
        "xlsx-sparse.xlsx",
        zipped(parts),
        "cells at A1 and XFD1048576 only",
        "17,179,869,184 cells",
        "engine.read_cells",
        LIST,
    )


def _other_workbooks(full: Callable[..., list[Sequence[Cell]]]) -> None:
    taken("xls-list.xls", old_excel(full("xls")), "a workbook of Excel 97", N_LIST, mapping=LIST)
    refused(
        "xlsx-password.xlsx", locked(), "a workbook under a password", "by a password", "take the password off", LIST
    )
    page = "<html><head><meta charset='utf-8'></head><table><tr><td>Số hồ sơ</td></tr></table></html>"
    refused(
        "xls-page.xls", page.encode(), "a web page with the name of a workbook", "web page", "save it as .xlsx", LIST
    )
    taken("ods-list.ods", zipped(open_document(full("ods"))), "a list of LibreOffice", N_LIST, mapping=LIST)


def old_excel(rows: Sequence[Sequence[Cell]]) -> bytes:
    """A list as XLS."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Danh sách")
    date = xlwt.easyxf(num_format_str="DD/MM/YYYY HH:MM")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value, date if isinstance(value, datetime) else xlwt.Style.default_style)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def locked() -> bytes:
    """What Excel writes under a password: a compound file with the stream EncryptedPackage."""
    data = io.BytesIO()
    CompoundDoc.XlsDoc().save(data, bytes(4096))
    name = "EncryptedPackage".encode("utf-16-le")
    return data.getvalue().replace("Workbook".encode("utf-16-le") + bytes(len(name) - 16), name, 1)


OPEN_DOCUMENT = "urn:oasis:names:tc:opendocument:xmlns:"


def open_document(rows: Sequence[Sequence[Cell]]) -> Parts:
    """The parts of an ODS."""
    spaces = " ".join(f'xmlns:{name}="{OPEN_DOCUMENT}{name}:1.0"' for name in ("office", "table", "text"))
    lines = "".join(f"<table:table-row>{''.join(map(_open_cell, row))}</table:table-row>" for row in rows)
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = f'xmlns:manifest="{OPEN_DOCUMENT}manifest:1.0"'
    return {
        "mimetype": kind.encode(),
        "content.xml": _xml(
            f'<office:document-content {spaces} office:version="1.2"><office:body><office:spreadsheet>'
            f'<table:table table:name="Danh sách">{lines}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>"
        ),
        "META-INF/manifest.xml": _xml(
            f'<manifest:manifest {manifest}><manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
        ),
    }


def _open_cell(value: Cell) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, datetime):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


# ---- The portal's messages: six records ----


def messages(tag: str) -> list[dict[str, object]]:
    """Six dossiers as they stand (DongBoHoSoMC)."""
    return [
        {
            "MaHoSo": f"{tag}-{n}", "MaTTHC": "1.000001", "KenhThucHien": "2",
            "NgayTiepNhan": f"202503{n + 2:02}083000", "NgayHenTra": "20250320170000",
            "TrangThaiHoSo": "4", "DanhSachHoSoBoSung": [],
        }
        for n in range(1, N_LIST + 1)
    ]  # fmt: skip


def lines_of(records: Iterable[object]) -> bytes:
    """JSON Lines."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def with_record(tag: str, **members: object) -> bytes:
    """Six messages of which the third has other members."""
    records = messages(tag)
    records[2] |= members
    return lines_of(records)


def with_text(tag: str, text: str) -> bytes:
    """Six lines of which the third is some text."""
    lines = lines_of(messages(tag)).split(b"\n")
    lines[2] = text.encode()
    return b"\n".join(lines)


def json_files() -> None:
    """JSON in its forms, and what is not JSON."""
    good = N_LIST - 1

    def one(name: str, content: bytes, wrong: str, column: str, reason: str) -> None:
        taken(name, content, wrong, good, (3, column, reason), mapping=PORTAL)

    def fine(name: str, content: bytes, wrong: str) -> None:
        taken(name, content, wrong, N_LIST, mapping=PORTAL)

    def bad(name: str, content: bytes, wrong: str, message: str, remedy: str = "Export it again") -> None:
        refused(name, content, wrong, message, remedy, PORTAL)

    fine("json-lines.jsonl", lines_of(messages("jl")), "a record a line")
    fine("json-array.json", json.dumps(messages("ja"), indent=1).encode(), "one array")
    wrapped = {"code": 0, "data": messages("jw"), "total": 6}
    fine("json-wrapped.json", json.dumps(wrapped, indent=1).encode(), "an array in an object")
    numbers = [
        record | {"NgayTiepNhan": int(str(record["NgayTiepNhan"])), "TrangThaiHoSo": 4} for record in messages("jn")
    ]
    fine("json-numbers.jsonl", lines_of(numbers), "codes and instants as numbers")
    one(
        "json-bad-line.jsonl",
        with_text("j1", '{"MaHoSo": "j1-3", '),
        "a line that is cut off",
        "",
        "not a readable JSON",
    )
    twice = '{"MaHoSo": "j4-3", "MaHoSo": "j4-9", "NgayTiepNhan": "20250305083000"}'
    one("json-name-twice.jsonl", with_text("j4", twice), "a name stands twice in a record", "", "stands twice")
    one("json-nan.jsonl", with_text("j5", '{"MaHoSo": "j5-3", "Phi": NaN}'), "NaN", "", "not a readable JSON object")
    half = '{"MaHoSo": "j6-3", "DonViXuLy": "\\ud800"}'
    one("json-half-pair.jsonl", with_text("j6", half), "half of a surrogate pair", "", "not a readable JSON object")
    deep = '{"MaHoSo": "j7-3", "a": ' + '{"a": ' * 70 + "1" + "}" * 71
    one("json-deep.jsonl", with_text("j7", deep), "a record 70 levels deep", "", "nested more deeply")
    abyss = with_text("j8", '{"a": ' + "[" * 3000 + "]" * 3000 + "}")
    one("json-abyss.jsonl", abyss, "a record 3,000 levels deep", "", "nested more deeply")
    nul = '{"MaHoSo": "j9-3", "DonViXuLy": "a\\u0000b"}'
    one("json-nul.jsonl", with_text("j9", nul), "a NUL in a text", "", "control character")
    byte = lines_of(messages("jy")).replace(b"jy-3", b"jy-\xff", 1)
    one("json-bad-byte.jsonl", byte, "a byte that is not UTF-8 in one record", "", "not valid UTF-8")
    cut = lines_of(messages("jc"))[:-40]
    taken("json-cut.jsonl", cut, "cut off within its last line", good, (6, "", "not a readable JSON"), mapping=PORTAL)
    array = json.dumps(messages("jt"), indent=1).encode()
    bad("json-cut-array.json", array[:-60], "an array that is cut off", "cannot be read as JSON")
    bad("json-tail.json", array + b"\n{}", "text behind the end of the array", "text follows the end", "Give one array")
    bad("json-other.json", b'[{"a": 1}, {"a": 2}]', "JSON of something else", "MaHoSo", "procmon mapping guess")
    bad("json-csv.json", log("jx").encode(), "a CSV with the name of JSON", "looks like csv", "Choose a mapping")


def portal() -> None:
    """Messages whose words are wrong."""

    def one(name: str, content: bytes, wrong: str, column: str, reason: str) -> None:
        taken(name, content, wrong, N_LIST - 1, (3, column, reason), mapping=PORTAL)

    unmapped, unread = "a status that the mapping does not know", "not a readable instant"
    one("portal-status-11.jsonl", with_record("p1", TrangThaiHoSo="11"), "a status 11", "TrangThaiHoSo", unmapped)
    one("portal-channel-9.jsonl", with_record("p2", KenhThucHien="9"), "a channel 9", "KenhThucHien", "a channel that")
    month = with_record("p3", NgayTiepNhan="20251304083000")
    one("portal-month-13.jsonl", month, "month 13", "NgayTiepNhan", unread)
    ended = with_record("p6", TrangThaiHoSo="10")
    one("portal-end-undated.jsonl", ended, "returned, and no day of it", "TrangThaiHoSo", "no column says when")
    extra = {"NgayBoSung": "20250305083000", "NgayTiepNhanBoSung": "20250332083000", "NgayHenTraMoi": "20250325170000"}
    one(
        "portal-supplement-date.jsonl", with_record("p7", DanhSachHoSoBoSung=[extra]), "a supplement on 32 March",
        "DanhSachHoSoBoSung[].NgayTiepNhanBoSung", unread,
    )  # fmt: skip
    mixed = with_record("p8", DanhSachHoSoBoSung=[extra | {"NgayTiepNhanBoSung": ""}, "x"])
    one("portal-supplement-text.jsonl", mixed, "a supplement that is a text", "", "not a readable JSON object")
    step = {"MaHoSo": "pa-3", "ThoiDiemXuLy": "20250305093000", "TrangThai": "4", "PhongBanXuLy": "Phòng Một cửa"}
    for name, member, column, reason in (
        ("portal-step-undated.jsonl", "ThoiDiemXuLy", "ThoiDiemXuLy", "the instant is empty"),
        ("portal-step-without-status.jsonl", "TrangThai", "TrangThai", "not one of the ten"),
    ):
        records = messages(name[7:-6])
        records[2] = {**step, "MaHoSo": f"{name[7:-6]}-3", member: ""}
        one(name, lines_of(records), f"a step whose {member} is empty", column, reason)


# ---- XES: three traces of two events ----

DTD = '<?xml version="1.0"?>\n<!DOCTYPE log {}>\n'


def trace(tag: str, n: int) -> str:
    """A dossier, checked in and signed."""
    events = "".join(
        f'<event><string key="concept:name" value="{name}"/>'
        f'<date key="time:timestamp" value="2025-03-{n + 2:02}T{hour:02}:00:00.000+07:00"/></event>\n'
        for name, hour in (("Check in", 8), ("Sign", 15))
    )
    about = f'<string key="concept:name" value="{tag}-{n}"/><string key="procedure_id" value="1.000001"/>'
    return f"<trace>{about}\n{events}</trace>\n"


def xes(tag: str, *, space: str = ' xmlns="http://www.xes-standard.org/"', more: str = "") -> str:
    """A log of three traces."""
    return f'<log xes.version="2.0"{space}>\n{"".join(trace(tag, n) for n in (1, 2, 3))}{more}</log>\n'


def xes_files() -> None:
    """Logs of analysts, and bombs."""
    n = 6
    doctype, remove = "document type", "Remove it"

    def bad(name: str, text: str, wrong: str, message: str, remedy: str) -> None:
        refused(name, text.encode(), wrong, message, remedy, XES)

    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    body = xes("v").replace("Sign", "&l9;")
    bad("xes-laughs.xes", DTD.format(f'[<!ENTITY l0 "ha">{laughs}]') + body, "a billion laughs", doctype, remove)
    quadratic = DTD.format(f'[<!ENTITY a "{"a" * 2000}">]') + xes("v").replace("Sign", "&a;" * 500)
    bad("xes-quadratic.xes", quadratic, "one long entity named again and again", doctype, remove)
    entity = DTD.format('[<!ENTITY x SYSTEM "file:///etc/passwd">]') + xes("v").replace("Sign", "&x;")
    bad("xes-external.xes", entity, "an entity that is a file", doctype, remove)
    parameter = DTD.format('[<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]') + xes("v")
    bad("xes-parameter.xes", parameter, "a parameter entity from the network", doctype, remove)
    whole = xes("v")
    bad("xes-cut.xes", whole[: len(whole) * 2 // 3], "cut off", "cannot be read as XML", "Export it again")
    bad("xes-root.xes", "<mxml><trace/></mxml>", "XML of another kind", "its root is mxml", "Export it as XES")
    swapped = xes("v").replace("</trace>", '<string key="concept:name2" value="x"/></trace>', 1)
    bad(
        "xes-order.xes", swapped, "a trace's attribute behind its events", "stands behind its events", "export it again"
    )
    nested = '<string key="a" value="b">' * 300 + "</string>" * 300
    deep = xes("v").replace("</event>", nested + "</event>", 1)
    bad("xes-deep.xes", deep, "attributes 300 levels deep", "XML", "Export it again")
    utf7 = '<?xml version="1.0" encoding="UTF-7"?>\n' + xes("v")
    bad("xes-utf7.xes", utf7, "an encoding that hides its markup", "its encoding is declared", "Save it in UTF-8")
    taken("xes-no-namespace.xes", xes("xn", space="").encode(), "no namespace", n, mapping=XES)
    stamp = '<date key="time:timestamp" value="2025-03-04T08:00:00.000+07:00"/>'
    undated = xes("xt").replace(stamp, "")
    taken(
        "xes-undated.xes", undated.encode(), "an event without a timestamp", n - 1,
        (3, "time:timestamp", "the instant is empty"), mapping=XES,
    )  # fmt: skip
    loose = '<event><string key="concept:name" value="Sign"/><date key="time:timestamp" value="2025-03-09"/></event>\n'
    taken(
        "xes-outside-trace.xes", xes("xo", more=loose).encode(), "an event outside any trace", n,
        (7, "case:concept:name", "dossier code is empty"), mapping=XES,
    )  # fmt: skip


for group in (csv_forms, csv_encodings, csv_rows, csv_dates, lists, workbooks, json_files, portal, xes_files):
    group()

if __name__ == "__main__":
    write(HERE)
