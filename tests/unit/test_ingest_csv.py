"""CSVs as centres write them: encodings, delimiters, headers; and that DuckDB sees the records that we do."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from procmon.ingest.csv_file import MOST_COLUMNS, Csv, open_csv
from procmon.ingest.rows import RefusedError

KNOWN = frozenset({"Số hồ sơ", "Tên thủ tục", "Ngày tiếp nhận", "Trạng thái", "id", "status"})
HEADER = "Số hồ sơ;Tên thủ tục;Ngày tiếp nhận;Trạng thái"
ROWS = [
    "H24.1;Đăng ký khai sinh;05/06/2025;Đã trả kết quả",
    'H24.2;"Cấp giấy phép; xây dựng";23/06/2025;Đang xử lý',
    'H24.3;"Chứng thực ""bản sao""\nhai dòng";24/06/2025;Yêu cầu bổ sung giấy tờ',
    "H24.4;Xác nhận tình trạng hôn nhân;25/06/2025;Dừng xử lý",
]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"
SIZE = 1 << 30

Opened = Callable[..., Csv]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens bytes as a CSV."""

    def open_bytes(data: bytes | str, **options: object) -> Csv:
        path = tmp_path / "list.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return open_csv(path, **({"is_known": KNOWN.__contains__, "size": SIZE} | options))  # type: ignore[arg-type]

    return open_bytes


def read(opened: Csv) -> tuple[list[tuple[str | None, ...]], list[int]]:
    """(rows, byte positions of the rejected ones), as the reading process reads a CSV."""
    connection = duckdb.connect(":memory:")
    rows = connection.execute(
        "SELECT * FROM read_csv(?, auto_detect = false, header = true, delim = ?, quote = '\"', escape = '\"', "
        "columns = ?, skip = ?, strict_mode = true, null_padding = false, store_rejects = true, rejects_limit = 0, "
        "max_line_size = 1048576, encoding = 'utf-8', compression = ?)",
        [
            opened.path,
            opened.delimiter,
            {f"c{i}": "VARCHAR" for i in range(len(opened.header))},
            opened.skip,
            opened.compression,
        ],
    ).fetchall()
    rejects = connection.execute("SELECT DISTINCT line_byte_position - 1 FROM reject_errors ORDER BY 1").fetchall()
    return rows, [position for (position,) in rejects]


def rejected_lines(opened: Csv, positions: list[int]) -> list[int]:
    """The lines of the rejected records."""
    places = sorted({int(np.searchsorted(opened.records.starts, position)) for position in positions})
    assert all(
        opened.records.gaps[np.searchsorted(opened.records.starts, position)] - 1 <= position for position in positions
    )
    return [int(opened.records.lines[place]) for place in places]


def assert_agreed(opened: Csv) -> list[tuple[str | None, ...]]:
    """DuckDB read each of our records or rejected it; returns the rows."""
    rows, positions = read(opened)
    assert len(rows) + len(rejected_lines(opened, positions)) == len(opened.records.starts) - 1
    return rows


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# ---- encodings


def in_cp1258(text: str) -> bytes:
    """As Windows writes it: a letter with its shape, then the tone where no one code has both."""
    written = b""
    for char in text:
        letters = unicodedata.normalize("NFD", char)
        shape = unicodedata.normalize("NFC", "".join(c for c in letters if c not in "\u0300\u0301\u0303\u0309\u0323"))
        tone = "".join(c for c in letters if c in "\u0300\u0301\u0303\u0309\u0323")
        written += (shape + tone).encode("cp1258")
    return written


WRITTEN = {
    "UTF-8": (TEXT.encode(), ""),
    "UTF-8 with mark": (TEXT.encode("utf-8-sig"), ""),
    "UTF-8 with mark, declared otherwise": (TEXT.encode("utf-8-sig"), "windows-1258"),
    "UTF-8, declared otherwise": (TEXT.encode(), "windows-1258"),
    "UTF-8, declared as a font": (TEXT.encode(), "tcvn3"),
    "UTF-8, declared with mark": (TEXT.encode(), "utf-8-sig"),
    "UTF-16 LE with mark": (b"\xff\xfe" + TEXT.encode("utf-16-le"), ""),
    "UTF-16 BE with mark": (b"\xfe\xff" + TEXT.encode("utf-16-be"), ""),
    "UTF-16 LE declared": (TEXT.encode("utf-16-le"), "utf-16-le"),
    "UTF-16 BE declared": (TEXT.encode("utf-16-be"), "UTF-16BE"),
    "Windows-1258 declared": (in_cp1258(TEXT), "windows-1258"),
    "Windows-1258 declared as cp1258": (in_cp1258(TEXT), "cp1258"),
}


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("case", WRITTEN)
def test_one_text_reads_the_same_from_every_encoding(
    opened: Opened, case: str, newline: str, packed: Callable[[bytes], bytes]
) -> None:
    data, declared = WRITTEN[case]
    if newline == "\r\n":
        wide = "utf-16-be" if "BE" in case else "utf-16-le" if "LE" in case else "ascii"
        data = data.replace("\n".encode(wide), newline.encode(wide))
    found = opened(packed(data), encoding=declared)
    assert (found.delimiter, found.header, found.skip) == (";", HEADER.split(";"), 0)
    assert found.records.lines.tolist() == [1, 2, 3, 4, 6]
    text = TEXT.replace("\n", newline)
    assert assert_agreed(found) == [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=";")][1:]


@pytest.mark.parametrize(
    ("data", "declared", "says", "remedy"),
    [
        (in_cp1258(TEXT), "", "not UTF-8 text; it reads as Windows-1258", 'csv.encoding = "windows-1258"'),
        ("Sè hå s¬;Tªn thñ tôc;Ngµy tiÕp nhËn\n1;2;3\n".encode("cp1252"), "", "in TCVN3 (ABC)", "UniKey"),
        ("Sè hå s¬;Tªn thñ tôc;Ngµy tiÕp nhËn\n1;2;3\n".encode("cp1252"), "windows-1258", "in TCVN3 (ABC)", "UniKey"),
        ("Sè hå s¬;Tªn thñ tôc;Ngµy tiÕp nhËn\n1;2;3\n".encode("cp1252"), "tcvn3", "in TCVN3 (ABC)", "UniKey"),
        ("Sè hå s¬;Tªn thñ tôc;Ngµy tiÕp nhËn\n1;2;3\n".encode(), "", "in TCVN3 (ABC)", "UniKey"),
        ("Sè hå s¬;Tªn thñ tôc;Ngµy tiÕp nhËn\n1;2;3\n".encode("utf-16"), "", "in TCVN3 (ABC)", "UniKey"),
        ("Soá hoà sô;Teân thuû tuïc;Ngaøy tieáp nhaän\n".encode("cp1252"), "VNI-Windows", "in VNI", "UniKey"),
        ("Soá hoà sô;Teân thuû tuïc;Ngaøy tieáp nhaän\n".encode(), "", "in VNI", "UniKey"),
        (TEXT.encode().decode("latin-1").encode(), "", "double-encoded UTF-8", "Export it again"),
        (TEXT.encode("utf-16-le"), "", "not UTF-8 text (UTF-16", "utf-16-le"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1], "", "line 6: not utf-16-le text", "UTF-8"),
        (in_cp1258(TEXT)[:-1] + b"\xff\xfa\xd2\n", "cp932", "line 1: not cp932 text", "csv.encoding"),
        (b"\xef\xbb\xbf" + in_cp1258(TEXT), "windows-1258", "it reads as Windows-1258", "UTF-8"),
        (TEXT.encode(), "klingon", 'csv.encoding = "klingon" is not known', "windows-1258"),
        (TEXT.encode(), "rot13", 'csv.encoding = "rot13" is not known', "windows-1258"),
        (b"id;status\n" + "姓名;申請\n".encode("gb18030") * 9, "", "not UTF-8 text", "csv.encoding"),
        ("id;status\n\x00;1\n".encode("utf-16"), "", "not UTF-8 text (UTF-16", "UTF-8"),
        (b"id;status\n1;\x00\n", "", "not UTF-8 text (UTF-16", "UTF-8"),
    ],
)
def test_an_encoding_that_is_not_sure_refuses_the_file(
    opened: Opened, data: bytes, declared: str, says: str, remedy: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        opened(data, encoding=declared)
    assert says in str(refused.value)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("before", [0, 1, 400_000])
def test_a_bad_byte_refuses_its_row_only(opened: Opened, before: int) -> None:
    found = opened(b"id;status\n" + b"1;2\n" * before + b"3;\xff\n" + "4;Đã trả\n".encode())
    rows, positions = read(found)
    assert len(rows) == before + 1
    assert rejected_lines(found, positions) == [before + 2]


def test_bad_bytes_in_a_few_rows_of_a_vietnamese_list_refuse_these_rows(opened: Opened) -> None:
    found = opened((TEXT + "\n".join(ROWS * 20) + "\n").encode() + b"5;\xff;3;4\n" * 8)
    rows, positions = read(found)
    assert (len(rows), len(rejected_lines(found, positions))) == (84, 8)


def test_a_declared_encoding_serves_a_file_whose_first_letters_come_late(opened: Opened) -> None:
    found = opened(b"id;status\n" + b"1;2\n" * 5_000_000 + in_cp1258("3;Đã trả kết quả\n"), encoding="windows-1258")
    assert found.size == len("id;status\n") + 4 * 5_000_000 + len("3;Đã trả kết quả\n".encode())
    assert found.path.startswith("/proc/self/fd/")


def test_a_file_in_memory_is_limited_and_goes_with_its_csv(opened: Opened) -> None:
    wide = TEXT.encode("utf-16")
    with pytest.raises(MemoryError):
        opened(wide, memory=len(TEXT.encode()) - 1)
    with pytest.raises(RefusedError, match="unpacked it is larger than"):
        opened(wide, size=len(wide) - 1)
    gc.collect()
    before = n_open_files()
    found = opened(wide)
    assert found.size == len(TEXT.encode())
    assert n_open_files() == before + 1
    del found
    gc.collect()
    assert n_open_files() == before


# ---- delimiters


def test_of_sixty_dialects_each_is_read_right(opened: Opened) -> None:
    """Four delimiters, with and without titles above, of three kinds of row, told or guessed."""
    table = list(csv.reader(io.StringIO(TEXT, newline=""), delimiter=";"))
    plain = [[cell.replace("\n", " ").replace('"', "").replace(";", ",") for cell in row] for row in table]
    other = [[cell + (" a|b;c,d" if i else "") for cell in row] for i, row in enumerate(plain)]
    titles = ["", "DANH SÁCH HỒ SƠ, 6/2025\n\n", "ỦY BAN; NHÂN DÂN\nDANH SÁCH | HỒ SƠ\n"]
    n = 0
    for delimiter in ",;\t|":
        for title in titles:
            for rows in (table, plain, other):
                for is_known in (KNOWN.__contains__, None):
                    text = io.StringIO()
                    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
                    found = opened(title + text.getvalue(), is_known=is_known)
                    assert (found.delimiter, found.header) == (delimiter, rows[0])
                    assert found.records.lines[0] == 1 + title.count("\n") == 1 + found.skip
                    assert assert_agreed(found) == list(map(tuple, rows[1:]))
                    n += 1
    assert n == 72


@pytest.mark.parametrize(
    ("text", "options", "delimiter", "header"),
    [
        ("id,status\n1,2\n", {}, ",", ["id", "status"]),
        ("id;x,status\n1;2,3\n", {}, ",", ["id;x", "status"]),
        ("id,status\n1;2\n3;4\n5;6\n", {}, ",", ["id", "status"]),
        ("a;b;c\n1;2,5;3\n4;5,5;6\n", {}, ";", ["a", "b", "c"]),
        ("id\n1\n2\n", {}, ",", ["id"]),
        ("a\n1\n2\n", {"is_known": None}, ",", ["a"]),
        ("id;status,x\n", {"delimiter": ";"}, ";", ["id", "status,x"]),
        ("a:b\n1:2\n", {"delimiter": ":"}, ":", ["a", "b"]),
        ("sep=;\nid;status\n1;2\n", {}, ";", ["id", "status"]),
        ("sep=;\r\nid;status\r\n1;2\r\n", {}, ";", ["id", "status"]),
        ('"sep=:"\nid:status\n1:2\n', {}, ":", ["id", "status"]),
        ("\ufeffsep=,\nid,status\n1,2\n", {}, ",", ["id", "status"]),
    ],
)
def test_the_delimiter_is_told_or_found(
    opened: Opened, text: str, options: dict[str, object], delimiter: str, header: list[str]
) -> None:
    found = opened(text, **options)
    assert (found.delimiter, found.header) == (delimiter, header)
    assert_agreed(found)


@pytest.mark.parametrize(
    ("text", "options", "says", "remedy"),
    [
        ("a,b\n1;2\n3;4\n5,6\n", {}, "tried comma, semicolon, tab, vertical bar", "csv.delimiter"),
        ("a,b;c\n1,2;3\n", {"is_known": None}, "tried comma, semicolon, tab, vertical bar", "csv.delimiter"),
        ("a,b\n", {"delimiter": "::"}, "'::' is no delimiter", "csv.delimiter"),
        ("a,b\n", {"delimiter": '"'}, "is no delimiter", "csv.delimiter"),
        ("sep=ư\naưb\n", {}, "'ư' is no delimiter", "csv.delimiter"),
    ],
)
def test_a_delimiter_that_is_not_clear_refuses_the_file(
    opened: Opened, text: str, options: dict[str, object], says: str, remedy: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        opened(text, **options)
    assert says in str(refused.value)
    assert remedy in refused.value.remedy


def test_rows_with_another_delimiter_are_refused_one_by_one(opened: Opened) -> None:
    found = opened("id;status;x\n1;2;3\n1,2,3\n4;5;6\n")
    rows, positions = read(found)
    assert (len(rows), rejected_lines(found, positions)) == (2, [3])


# ---- headers


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "preamble",
    [
        "",
        "DANH SÁCH HỒ SƠ\n",
        "\n\n",
        "DANH SÁCH HỒ SƠ\n\nTháng 6;;;\n\n",
        '"DANH SÁCH\nHỒ SƠ"\n',
        'Danh sách "hồ sơ\n',
        'Danh "sách" hồ sơ\n"a";"b"\n\n',
        ";;;\n;;;\n",
        "   \n",
        "x\n" * 40,
        "y" * 100_000 + "\n",
    ],
)
def test_lines_above_the_header_are_no_records(
    opened: Opened, preamble: str, packed: Callable[[bytes], bytes], newline: str, mark: str
) -> None:
    body = "\n".join([HEADER, *ROWS[:2], "1;2", ROWS[2], "", "3", ROWS[3]]) + "\n"
    found = opened(packed((mark + preamble + body).replace("\n", newline).encode()))
    above = preamble.count("\n")
    assert found.header == HEADER.split(";")
    assert found.records.lines.tolist() == [above + line for line in (1, 2, 3, 4, 5, 8, 9)]
    rows, positions = read(found)
    assert [row[0] for row in rows] == ["H24.1", "H24.2", "H24.3", "H24.4"]
    assert rejected_lines(found, positions) == [above + 4, above + 8]


@pytest.mark.parametrize("above", ["a\r\nb\r\n", "a\rb\n", "a\nb\r\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_above_the_header_may_end_otherwise(opened: Opened, above: str, newline: str) -> None:
    found = opened(above + TEXT.replace("\n", newline), header_row=above.count("\n") + 1)
    assert found.records.lines[:3].tolist() == [above.count("\n") + n for n in (1, 2, 3)]
    assert len(assert_agreed(found)) == 4


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("inner", ["\n", "\r\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("title", [0, 2])
def test_names_in_the_header_may_be_wrapped(opened: Opened, title: int, newline: str, inner: str, mark: str) -> None:
    rows = [f'"Ngày{inner}tiếp{inner}nhận";id', "1;2", f'"3{inner}4";5', "6"]
    found = opened(mark + ("Danh sách" + newline) * title + newline.join(rows) + newline)
    assert found.header == [f"Ngày{inner}tiếp{inner}nhận", "id"]
    assert found.records.lines.tolist() == [title + line for line in (1, 4, 5, 7)]
    cells, positions = read(found)
    assert cells == [("1", "2"), (f"3{inner}4", "5")]
    assert rejected_lines(found, positions) == [title + 7]


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("id;x\nid;status\n1;2\n", {}, 2),
        ("id;status\nid;status\n1;2\n", {}, 1),
        ("id;status\nid;status\n1;2\n", {"header_row": 2}, 2),
        ("Danh sách;;\na;b;c\n1;2;3\n4;5;\n", {}, 2),
        ("Danh sách;;\na;b;c\n1;2;3\n4;5;\n", {"is_known": None}, 2),
        ("Danh sách\nTháng 6\na;b;c\n1;2;3\n", {"is_known": None}, 3),
        ("sep=;\n\nTên;;\na;b;c\n1;2;3\n", {"is_known": None}, 4),
    ],
)
def test_the_header_is_told_or_found(opened: Opened, text: str, options: dict[str, object], line: int) -> None:
    found = opened(text, **options)
    assert found.records.lines[0] == line
    assert found.header == text.split("\n")[line - 1].split(";")
    assert_agreed(found)


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        (b"", {}, "the file is empty"),
        (gzip.compress(b"", mtime=0), {}, "the file is empty"),
        (gzip.compress(TEXT.encode() * 9, mtime=0)[:-6], {}, "the gzip is damaged or cut off"),
        (b"\n\n\r\n", {}, "no record at its head"),
        (b"id;id;status\n", {}, "line 1: column id stands twice"),
        (b"title\n\nid;id ;status\n", {}, "line 3: column id stands twice"),
        (b"id;status\n\n1;2\n", {"header_row": 2}, "line 2 is blank, or not there"),
        (b"id;status\n", {"header_row": 9}, "line 9 is blank, or not there"),
        (b"id;\xff;status\n", {}, "line 1: the header cannot be read"),
        (b'id;status;"a"b\n', {}, "line 1: the header cannot be read"),
        (b"id;status\r1;2\r", {}, "its lines end with CR alone"),
        (b"id;status\n1;2\r\n", {}, "line 2 ends otherwise"),
        (";".join(map(str, range(20_000))).encode(), {}, "line 1: too many columns: 20,000, at most 2,000"),
        (b"id;status" + b";x" * (1 << 20), {}, "line 1: the header is longer than 1 MiB"),
        (b"id;" + b"x" * 200_000 + b"\n1;2\n", {}, "no record at its head can be read"),
    ],
)
def test_a_file_that_cannot_be_laid_out_is_refused(
    opened: Opened, data: bytes, options: dict[str, object], says: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        opened(data, **options)
    assert says in str(refused.value)
    assert refused.value.remedy


def test_two_thousand_columns_are_read(opened: Opened) -> None:
    names = ["id", *map(str, range(MOST_COLUMNS - 1))]
    assert assert_agreed(opened(",".join(names) + "\n" + "," * (MOST_COLUMNS - 1) + "\n")) == [(None,) * MOST_COLUMNS]


@pytest.mark.parametrize("title", ["", "DANH SÁCH\n\n", 'Danh "sách\n'])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_quote_that_is_never_closed_is_named_by_its_line(opened: Opened, delimiter: str, title: str) -> None:
    for k in range(1, 101):
        rows = ["5" + delimiter + '"a, b|;\t"'] * 100
        rows[k - 1] = '1;"2'.replace(";", delimiter)
        line = title.count("\n") + 1 + k
        with pytest.raises(RefusedError, match=f"line {line}: a quote opens and is never closed"):
            opened(title + "\n".join([f"id{delimiter}status", *rows]) + "\n")


# ---- agreement with DuckDB

CELLS = st.one_of(
    st.sampled_from(["", " ", "a", "Đã trả", '"a"', '"a;b"', '"a\nb"', '"a ""b"" c"', '""', '""""', '"\n\n"', "a b"]),
    st.sampled_from(['"a"b', 'a"b"', ' "a"', '"a" ', "\ufeff", "'", "\\", "#x", "NULL", "id"]),
)
ROW = st.lists(CELLS, min_size=1, max_size=4)
TITLE = st.sampled_from(["", "DANH SÁCH", "a;b", ";;", '"T 6"', '"T\n6"', 'T "6', "  ", "x;y;z;t"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    titles=st.lists(TITLE, max_size=4),
    rows=st.lists(st.one_of(ROW, st.just([""])), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
    ends=st.booleans(),
)
@example(titles=['"T\n6"'], rows=[["1"]], delimiter=";", newline="\r\n", mark="\ufeff", encoding="utf-8", ends=False)
def test_duckdb_sees_our_records_or_the_file_is_refused(
    opened: Opened,
    titles: list[str],
    rows: list[list[str]],
    delimiter: str,
    newline: str,
    mark: str,
    encoding: str,
    ends: bool,
) -> None:
    lines = [*titles, *(delimiter.join(row) for row in [["id", "status", "x"], *rows])]
    text = ("\n".join(lines) + "\n" * ends).replace("\n", newline)
    try:
        found = opened(text.encode(encoding) if encoding != "utf-8" else (mark + text).encode(), delimiter=delimiter)
    except RefusedError:
        return
    assert found.records.lines.tolist() == sorted(set(found.records.lines.tolist()))
    rows_read, positions = read(found)
    places = np.searchsorted(found.records.starts, positions)
    trusted = all(
        place < len(found.records.starts) and position >= found.records.gaps[place] - 1
        for place, position in zip(places, positions, strict=True)
    ) and len(found.records.starts) == 1 + len(rows_read) + len(set(places.tolist()))
    has_odd_quote = found.records.odd_quote > 0
    assert trusted or has_odd_quote
