"""JSON and JSON Lines as bytes: which rows they are, exactly, and what is refused."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procmon.ingest.json_file import LONGEST_CELL, PIECE, read_json
from procmon.ingest.rows import Malformed, RefusedError, Row


def read(text: str | bytes, **options: object) -> list[Row | Malformed]:
    """Everything in a text."""
    data = text.encode() if isinstance(text, str) else text
    return list(read_json(io.BytesIO(data), **options))  # type: ignore[arg-type]


def cells(text: str | bytes, **options: object) -> list[dict[str, str]]:
    """The cells of each row, none of which may be malformed."""
    return [item.cells for item in read(text, **options) if isinstance(item, Row)]


# ---- forms


def test_json_lines_are_numbered_by_line_and_a_bad_one_is_refused_alone() -> None:
    text = '\n{"a": 1}\n\n  {"a": 2}\r\n{"a": \n[1]\n{"a": 3} x\n{"a": 4}'
    assert read(text) == [
        Row(2, "", {"a": "1"}),
        Row(4, "", {"a": "2"}),
        Malformed(5, "unreadable_json"),
        Malformed(6, "unreadable_json"),
        Malformed(7, "unreadable_json"),
        Row(8, "", {"a": "4"}),
    ]


def test_elements_of_an_array_are_numbered_from_one() -> None:
    assert read('[{"a": 1},\n {"a": 2}, 3, "x", [], {}]') == [
        Row(1, "", {"a": "1"}),
        Row(2, "", {"a": "2"}),
        Malformed(3, "unreadable_json"),
        Malformed(4, "unreadable_json"),
        Malformed(5, "unreadable_json"),
        Row(6, "", {}),
    ]
    assert read(" [ ] ") == []


WRAPPED = '{"service": "DongBoHoSoMC", "isUpdating": "False", "data": [{"MaHoSo": "1"}, {"MaHoSo": "2"}]}'


@pytest.mark.parametrize("records", ["", "data"])
@pytest.mark.parametrize("text", [WRAPPED, json.dumps(json.loads(WRAPPED), indent=2)], ids=["one line", "indented"])
def test_a_wrapped_list_gives_its_elements_without_the_wrapper(text: str, records: str) -> None:
    assert cells(text, records=records) == [{"MaHoSo": "1"}, {"MaHoSo": "2"}]


def test_the_list_of_records_is_found_by_its_path() -> None:
    text = '{"n": 1e2, "body": {"errors": [{"x": 1}], "items": [{"a": 1}], "z": null}, "items": [{"b": 1}]}'
    assert cells(text, records="body.items") == [{"a": "1"}]
    assert cells('{"data": []}', records="data") == []


def test_an_object_without_one_only_list_of_objects_is_the_record() -> None:
    assert cells('{\n"a": 1, "b": {"c": [1, 2]}}') == [{"a": "1", "b.c": "1; 2"}]
    assert cells('{"a": 1, "l": [{"x": 1}], "m": [{"x": 1}]}') == [{"a": "1"}]
    assert cells('{"a": 1, "l": [{"x": 1}]}', lists=("l",)) == [{"a": "1"}, {"a": "1", "l[].x": "1"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}', "the list data is missing; found: a"),
        ("{}", "the list data is missing; found: nothing"),
        ('{"data": {}}', "data is not a list"),
        ('{"data": [{}], "data": [{}]}', "data: a second list of records"),
    ],
)
def test_a_wrapper_without_its_list_is_refused(text: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        read(text, records="data")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("a,b\n1,2\n", "it is not JSON"),
        ('"a"', "it is not JSON"),
        ('{"a": 1} {"a": 2}', "text follows"),
        ('{\n"a": 1}\n{\n"a": 2}', "text follows"),
        ('[{"a": 1}] []', "text follows"),
        ('[{"a": 1},]', "record 2 cannot be read"),
        ('[{"a": 1} {"a": 2}]', "behind record 1"),
        ('[{"a": 1}, {"a": }, {"a": 3}]', "record 2 cannot be read"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        read(text)


# ---- cut off


def cuts(text: bytes) -> Iterator[bytes]:
    """64 beginnings of a text, none of them whole."""
    return (text[: len(text) * n // 64] for n in range(64))


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("wrap", [False, True])
def test_an_array_cut_off_anywhere_is_refused(indent: int | None, wrap: bool) -> None:
    rows = [{"MaHoSo": f"G09-{n}", "n": n, "TenTTHC": "Cấp giấy phép", "l": [{"x": 1}]} for n in range(5)]
    text = json.dumps({"service": "x", "data": rows} if wrap else rows, indent=indent, ensure_ascii=False).encode()
    assert len(cells(text)) == 5
    for cut in cuts(text):
        with pytest.raises(RefusedError):
            read(cut, records="data" if wrap else "")


def test_of_json_lines_cut_off_anywhere_the_whole_lines_are_read_and_never_half_a_row() -> None:
    rows = [{"a": str(n), "b": 10**n} for n in range(8)]
    text = "\n".join(map(json.dumps, rows)).encode()
    for cut in cuts(text):
        n_whole = cut.count(b"\n")
        if n_whole < 2:
            continue  # one line is an object
        expected = [Row(n + 1, "", {"a": str(n), "b": str(10**n)}) for n in range(len(rows))]
        found = read(cut)
        assert found[:n_whole] == expected[:n_whole]
        assert found[n_whole:] in ([], [Malformed(n_whole + 1, "unreadable_json")], [expected[n_whole]])


# ---- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", ['[{"tên": "Hải Phòng 𝄞"}]', '{"tên": "Hải Phòng 𝄞"}\n{"tên": "Hải Phòng 𝄞"}'])
def test_utf_8_and_utf_16_are_read_alike(encoding: str, text: str) -> None:
    assert cells(text.encode(encoding))[0] == {"tên": "Hải Phòng 𝄞"}
    assert cells(b"\xfe\xff" + text.encode("utf-16-be"))[0] == {"tên": "Hải Phòng 𝄞"}


@pytest.mark.parametrize("text", [b'[{"a": "\xff"}, {"a": 1}]', b'{"a": "\xff"}\n{"a": 1}', b'{"a": \xff}\n{"a": 1}\n'])
def test_a_byte_that_is_not_utf_8_refuses_its_row(text: bytes) -> None:
    if text.startswith(b'{"a": \xff'):
        text = b"{}\n" + text
    assert [item for item in read(text) if isinstance(item, Malformed)] == [
        Malformed(2 if text.startswith(b"{}") else 1, "bad_encoding")
    ]


@pytest.mark.parametrize(
    "text", ['[{"a": "ă"}]'.encode("utf-16-le"), '[{"a": "ă"}]'.encode("utf-16")[:-1], '[{"a"'.encode("utf-32")]
)
def test_other_encodings_are_refused(text: bytes) -> None:
    with pytest.raises(RefusedError):
        read(text)


# ---- cells


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1005129", "1005129"),
        ("1.005129", "1.005129"),
        ("0.1", "0.1"),
        ("0.10", "0.10"),
        ("12345678901234567890", "12345678901234567890"),
        ("1" * 5000, "1" * 5000),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("-2.50e1", "-25.0"),
        ("12345678901234567.89", "12345678901234567.89"),
    ],
)
def test_numbers_are_their_digits(number: str, text: str) -> None:
    assert cells(f'[{{"a": {number}}}]') == [{"a": text}]


def test_nested_values_become_cells() -> None:
    text = (
        '[{"a": {"b": {"c": true}, "d": false}, "e": null, "f": "", "g": [1, "x", null, "", true], "h": [], "i": {}}]'
    )
    assert cells(text) == [{"a.b.c": "true", "a.d": "false", "g": "1; x; true"}]


LISTED = '[{"id": 7, "k": {"L": [{"a": 1, "M": [{"z": 1}, {"z": 2}]}, {"a": 2}]}, "T": [{"TenTep": "x"}]}, {"id": 8}]'


def test_elements_of_a_named_list_follow_their_record_and_others_are_ignored() -> None:
    assert read(LISTED, lists={"k.L"}) == [
        Row(1, "", {"id": "7"}),
        Row(1, "k.L", {"id": "7", "k.L[].a": "1"}),
        Row(1, "k.L", {"id": "7", "k.L[].a": "2"}),
        Row(2, "", {"id": "8"}),
    ]
    assert cells(LISTED) == [{"id": "7"}, {"id": "8"}]


def test_all_lists_are_taken_for_guessing() -> None:
    assert [item.part for item in read(LISTED, lists=None) if isinstance(item, Row)] == [
        "", "k.L", "k.L[].M", "k.L[].M", "k.L", "T", "",
    ]  # fmt: skip


def nested(depth: int) -> str:
    """An object of this many levels."""
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ('{"a": 1, "a": 1}', "duplicate_key"),
        ('{"b": {"a": 1, "a": 2}}', "duplicate_key"),
        ('{"a": {"b": 1}, "a.b": 2}', "duplicate_key"),
        ('{"a": NaN}', "unreadable_json"),
        ('{"a": -Infinity}', "unreadable_json"),
        (r'{"a": "\ud800x"}', "unreadable_json"),
        (r'{"a": "\udc00"}', "unreadable_json"),
        (r'{"\ud800": 1}', "unreadable_json"),
        (r'{"a": "x\u0000y"}', "control_character"),
        ('{"a": "x\0y"}', "control_character"),
        (f'{{"a": "{"x" * (LONGEST_CELL + 1)}"}}', "too_long"),
        (f'{{"{"x" * 1001}": 1}}', "too_long"),
        ('{"a": 1e999999999}', "too_long"),
        ('{"a": 1e-99999999999999999999999}', "too_long"),
        ('{"L": [{"a": 1}, 2]}', "unreadable_json"),
        (nested(65), "too_deep"),
        (nested(300), "too_deep"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_alone(record: str, problem: str) -> None:
    for text in (f'{{"a": 1}}\n{record}\n{{"a": 3}}', f'[{{"a": 1}}, {record}, {{"a": 3}}]'):
        expected = [Row(1, "", {"a": "1"}), Malformed(2, problem), Row(3, "", {"a": "3"})]
        assert read(text, lists={"L"}) == expected


def test_64_levels_are_read() -> None:
    assert cells(f"[{nested(64)}]") == [{".".join("a" * 64): "1"}]


def test_a_line_too_deep_or_too_long_to_decode_is_refused_alone() -> None:
    long = '{"a": "' + "x" * (20 << 20) + '"}'
    found = read("{}\n" + '{"a":' * 100_000 + "\n{}\n" + long + "\n{}")
    assert [item for item in found if isinstance(item, Malformed)] == [
        Malformed(2, "too_deep"),
        Malformed(4, "too_long"),
    ]
    assert len(found) == 5


class Oversized(io.BytesIO):
    """A source that refuses to give more than its first piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 2:
            raise RefusedError("unpacked it is larger", "Split it.")
        return super().read(size)


@pytest.mark.parametrize("text", [b'[{"a": 1}', b'{"a": 1', b'{"a": 1}\n{"a": 1}'])
def test_the_refusal_of_the_source_passes_through(text: bytes) -> None:
    with pytest.raises(RefusedError, match="unpacked"):
        list(read_json(Oversized(text)))


def test_records_across_pieces_are_whole() -> None:
    rows = [{"n": n, "text": "ệ" * (n % 97)} for n in range(3 * PIECE // 150)]
    expected = [{name: str(value) for name, value in row.items() if value != ""} for row in rows]
    text = json.dumps(rows, ensure_ascii=False)
    assert len(text.encode()) > 2 * PIECE
    assert cells(text) == expected
    assert cells("\n".join(json.dumps(row) for row in rows)) == expected
    assert cells(f'{{"x": 1, "data": {text}}}') == expected


def plain(value: object) -> str:
    """A value's text, said another way."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f") if "e" in repr(value) else repr(value)
    return "" if value is None else str(value)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.one_of(texts, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())


@given(st.lists(st.dictionaries(texts, values, max_size=5), max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_flat_objects_are_read_back_as_their_texts(
    rows: list[dict[str, object]], as_ascii: bool, indent: int | None
) -> None:
    expected = [{name: plain(value) for name, value in row.items() if plain(value)} for row in rows]
    assert cells(json.dumps(rows, ensure_ascii=as_ascii, indent=indent)) == expected
    if len(rows) > 1:
        assert cells("\n".join(json.dumps(row, ensure_ascii=as_ascii) for row in rows)) == expected


@given(st.binary(max_size=200), st.sampled_from([b"", b"[", b"{", b'{"a":1}\n', b'[{"a":']))
def test_bytes_are_rows_or_a_refusal(data: bytes, start: bytes) -> None:
    with contextlib.suppress(RefusedError):
        read(start + data, lists=None)


MEASURED = """
import io, itertools, resource, sys
from procmon.ingest.json_file import read_json

class Generated(io.RawIOBase):
    def __init__(self, n, start, end):
        rows = (b'{"MaHoSo": "%d", "TrichYeu": "%s"},' % (i, b"x" * 300) for i in range(n))
        self.pieces = itertools.chain([start], rows, [end])
        self.rest = bytearray()
    def read(self, size=-1):
        while len(self.rest) < size and (piece := next(self.pieces, b"")):
            self.rest += piece
        piece = bytes(self.rest[:size])
        del self.rest[:size]
        return piece

n = int(sys.argv[1])
print(sum(1 for _ in read_json(Generated(n, b'{"service": "x", "data": [', b'{}]}'), records="data")))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_is_flat_in_the_number_of_records() -> None:
    peaks = []
    for n in (40_000, 200_000):  # 14 and 70 MB; the first 8 MiB are looked at for the file's form
        command = [sys.executable, "-c", MEASURED, str(n)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        n_rows, peak = map(int, done.stdout.split())
        assert n_rows == n + 1
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 20_000
