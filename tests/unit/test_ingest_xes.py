"""XES as bytes: which rows its events are, and what is refused before or while it is read."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procmon.ingest.rows import Malformed, RefusedError, Row
from procmon.ingest.xes_file import read_xes


def read(text: str | bytes) -> list[Row | Malformed]:
    """Everything in a text."""
    return list(read_xes(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def cells(text: str | bytes) -> list[dict[str, str]]:
    """The cells of each row, none of which may be malformed."""
    return [item.cells for item in read(text) if isinstance(item, Row)]


def event(attributes: str) -> str:
    """A log of one event."""
    return f"<log><trace><event>{attributes}</event></trace></log>"


class Generated(io.RawIOBase):
    """A source of bytes that are made as they are read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        self._rest = self._rest or next(self._pieces, b"")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


LOG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- by hand -->
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="trace"><string key="district" value="H24"/></global>
  <global scope="event"><string key="org:group" value="desk"/><string key="org:group" value="twice"/></global>
  <classifier name="Activity" keys="concept:name"/>
  <string key="source" value="một cửa"><int key="statistic" value="3"/></string>
  <trace>
    <string key="concept:name" value="G09-1"/>
    <!-- of a trace -->
    <event>
      <string key="concept:name" value="Tiếp nhận"/>
      <date key="time:timestamp" value="2025-01-02T08:00:00.000+07:00"/>
      <int key="copies" value="2"/><float key="fee" value="0.10"/><boolean key="online" value="true"/>
      <id key="i" value="a-1"/>
    </event>
    <event><string key="concept:name" value="Trả"/><string key="org:group" value=""/></event>
  </trace>
  <trace><string key="concept:name" value="G09-2"/><string key="district" value="H31"/></trace>
  <trace>
    <string key="concept:name" value="G09-3"/><string key="district" value="H31"/>
    <event><string key="org:group" value="back office"/></event>
  </trace>
  <event><string key="concept:name" value="outside"/></event>
</log>
"""

ROWS = [
    Row(1, "", {
        "log:source": "một cửa", "case:concept:name": "G09-1", "concept:name": "Tiếp nhận",
        "time:timestamp": "2025-01-02T08:00:00.000+07:00", "copies": "2", "fee": "0.10", "online": "true", "i": "a-1",
    }),
    Row(2, "", {
        "log:source": "một cửa", "case:concept:name": "G09-1", "concept:name": "Trả",
    }),
    Row(3, "", {
        "log:source": "một cửa", "case:concept:name": "G09-3", "case:district": "H31", "org:group": "back office",
    }),
    Row(4, "", {"log:source": "một cửa", "concept:name": "outside"}),
]  # fmt: skip

STANDARD = ' xmlns="http://www.xes-standard.org/"'


def prefixed(text: str) -> str:
    """The log with its elements under a prefix of the namespace."""
    head, _, rest = text.replace(STANDARD, STANDARD.replace("xmlns", "xmlns:x")).partition("<log")
    return (
        head
        + "<x:log"
        + rest.replace("</", "\0").replace("<!", "\1").replace("<", "<x:").replace("\0", "</x:").replace("\1", "<!")
    )


@pytest.mark.parametrize(
    "text",
    [
        LOG.encode(),
        LOG.encode("utf-8-sig"),
        LOG.replace("UTF-8", "UTF-16").encode("utf-16"),
        LOG.replace(STANDARD, "").encode(),
        LOG.replace("standard.org/", "standard.org").encode(),
        prefixed(LOG).encode(),
    ],
    ids=["namespace", "byte order mark", "UTF-16", "no namespace", "Disco's namespace", "prefix"],
)
def test_events_are_rows_with_their_trace_and_log_and_no_declared_default(text: bytes) -> None:
    assert read(text) == ROWS


def test_nested_attributes_lists_and_containers_are_flattened() -> None:
    text = event("""
        <string key="a" value="x"><int key="b" value="0"><int key="c" value="1"/></int></string>
        <list key="l"><int key="v" value="5"/><int key="v" value="6"/><string key="w" value="7"/></list>
        <list key="m"><values><string key="v" value="p"/><string key="v" value="q"/></values></list>
        <container key="k"><int key="v" value="8"/></container>
        <list key="empty"/>
    """)
    assert cells(text) == [{"a": "x", "a.b": "0", "a.b.c": "1", "l.v": "5; 6", "l.w": "7", "m.v": "p; q", "k.v": "8"}]


def test_statistics_nested_in_the_attributes_of_a_log_are_left_out() -> None:
    nested = f'<int key="total" value="2"><int key="{"x" * 5000}" value="1"/></int>'
    assert cells(f"<log>{nested}<trace><event/></trace></log>") == [{"log:total": "2"}]


def test_a_log_without_events_has_no_rows() -> None:
    assert read("<log/>") == read("<log><trace/><trace><int key='a' value='1'/></trace></log>") == []


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ('<string key="a"/>', "unreadable_xml"),
        ('<string value="a"/>', "unreadable_xml"),
        ('<string key="" value="a"/>', "unreadable_xml"),
        ('<text key="a" value="a"/>', "unreadable_xml"),
        ('<string key="a" value="x"><int key="b"/></string>', "unreadable_xml"),
        ('<string key="a" value="1"/><int key="a" value="1"/>', "duplicate_key"),
        ('<container key="a"><int key="b" value="1"/><int key="b" value="1"/></container>', "duplicate_key"),
        ('<int key="a.b" value="1"/><container key="a"><int key="b" value="1"/></container>', "duplicate_key"),
        ('<string key="case:id" value="1"/>', "duplicate_key"),
        (f'<string key="a" value="{"x" * 1_100_000}"/>', "too_long"),
        (f'<string key="{"x" * 1001}" value="1"/>', "too_long"),
    ],
)
def test_an_event_that_cannot_be_read_is_refused_alone(attributes: str, problem: str) -> None:
    trace = f'<trace><int key="id" value="7"/><event/><event>{attributes}</event><event/></trace>'
    good = {"case:id": "7"}
    assert read(f"<log>{trace}</log>") == [Row(1, "", good), Malformed(2, problem), Row(3, "", good)]


def test_a_trace_that_cannot_be_read_refuses_its_events() -> None:
    bad, good = '<trace><int key="a"/><event/><event/></trace>', '<trace><int key="a" value="1"/><event/></trace>'
    assert read(f"<log>{bad}{good}</log>") == [
        Malformed(1, "unreadable_xml"), Malformed(2, "unreadable_xml"), Row(3, "", {"case:a": "1"}),
    ]  # fmt: skip


INT = '<int key="late" value="1"/>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a,b\n1,2\n", "it is not XML"),
        ("<html><log/></html>", "it is not XES: its root is html"),
        ('<x:svg xmlns:x="u"/>', "its root is x:svg"),
        ('<log xmlns="urn:other"><trace><event/></trace></log>', "its root is {urn:other}log"),
        (f"<log>\n<trace><event/>\n{INT}<event/></trace></log>", "line 3: int late of the trace stands behind"),
        (f"<log>\n<trace><event/>\n{INT}</trace></log>", "line 3: int late of the trace stands behind"),
        (f"<log>\n<trace><event/></trace>\n{INT}<trace/></log>", "line 3: int late of the log stands behind"),
        (f"<log>\n<trace><event/></trace>\n{INT}</log>", "line 3: int late of the log stands behind"),
        ("<log><trace/><global scope='event'/></log>", "global of the log stands behind"),
        ("<log><trace><event><event/></event></trace></log>", "event stands in log/trace/event"),
        ("<log><trace><trace><event/></trace></trace></log>", "event stands in log/trace/trace"),
        ("<log><trace><event><log/></event></trace></log>", "log stands in log/trace/event"),
        ("<log><trace/><log><event/></log></log>", "event stands in log/log"),
        ("<log><int key='a' value='1'><event/></int></log>", "event stands in log/int"),
        ("<log>\n<trace>\n</log>", "line 3: cannot be read as XML"),
        ("<log/><log/>", "cannot be read as XML"),
        ("<log>&unknown;</log>", "cannot be read as XML"),
        (event('<int key="a" value="\x01"/>'), "cannot be read as XML"),
        ("<log><int/><trace><event/></trace></log>", "the log's own attributes cannot be read"),
        ('<?xml version="1.0" encoding="UTF-7"?><log/>', "encoding is declared as 'UTF-7'"),
        ("<!--" + " " * 70_000 + "--><log/>", "no element begins in its first 64 KiB"),
    ],
)
def test_what_is_no_xes_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        read(text)


def test_a_log_cut_off_anywhere_is_refused() -> None:
    text = LOG.strip().encode()
    for n in range(64):
        with pytest.raises(RefusedError):
            read(text[: len(text) * n // 64])


# ---- bombs


LAUGHS = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))

USED = '<string key="a" value="&a9;"/>'

DOCTYPES = {
    "billion laughs": f"<!DOCTYPE log [{LAUGHS}]>{event(USED)}",
    "billion laughs in text": f"<!DOCTYPE log [{LAUGHS}]>{event('&a9;')}",
    "quadratic blow-up": f'<!DOCTYPE log [<!ENTITY a "{"x" * 50_000}">]>{event("&a;" * 50_000)}',
    "local file": '<!DOCTYPE log [<!ENTITY a SYSTEM "file://CANARY">]>' + event("&a;"),
    "local DTD": '<!DOCTYPE log SYSTEM "file://CANARY"><log/>',
    "public DTD": '<!DOCTYPE log PUBLIC "x" "http://127.0.0.1:9/x.dtd"><log/>',
    "parameter entity": '<!DOCTYPE log [<!ENTITY % a SYSTEM "file://CANARY">%a;]><log/>',
    "empty": "<!DOCTYPE log><log/>",
    "behind comments": "<!-- <log> --><?x <log> ?>\n<!DOCTYPE log [" + LAUGHS + "]>" + event("&a9;"),
    "of another root": "<!DOCTYPE html><html/>",
}


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>\n'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", DOCTYPES)
def test_a_document_type_is_refused_before_it_is_read(tmp_path: Path, name: str, encoding: str, declared: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("CANARY-7351")
    text = declared + DOCTYPES[name].replace("CANARY", str(canary))
    started = time.monotonic()
    with pytest.raises(RefusedError, match="document type") as refused:
        read(text.encode(encoding))
    assert "7351" not in str(refused.value)
    assert time.monotonic() - started < 1


def test_a_document_type_hidden_by_its_encoding_or_by_a_long_comment_is_refused() -> None:
    hidden = '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE log+AD4-<log/>'
    late = "<!--" + "x" * 70_000 + f"--><!DOCTYPE log [{LAUGHS}]>" + event("&a9;")
    for text in (hidden.encode(), late.encode(), "<!DOCTYPE log><log/>".encode("utf-16-le"), b"\x4c\x6f\xa7\x94"):
        with pytest.raises(RefusedError):
            read(text)


def bomb(start: str, piece: bytes, n: int) -> Iterator[bytes]:
    """A beginning, then the same piece n times."""
    yield start.encode()
    for _ in range(n):
        yield piece


@pytest.mark.parametrize(
    ("start", "piece", "n"),
    [
        ('<log><trace><event><string key="a" value="', b"x" * (1 << 20), 60),
        ("<log><trace><event>", b"x" * (1 << 20), 60),
        ("<log><trace><!--", b"x" * (1 << 20), 60),
        ("<log><trace><event>", b'<int key="a" value="1">', 100_000),
        ("<log><trace><event>", b"<a>", 100_000),
        ("<log><trace>", b'<int key="a" value="1"/>', 3_000_000),
        ("<log>", b'<int key="a" value="1"/>', 3_000_000),
        ("<log><trace>", b" " * (1 << 20), 60),
        ("<log ", b"a", 10_000_000),
        ("<log>", b"<html/>", 3_000_000),
    ],
    ids=[
        "attribute", "text", "comment", "depth", "depth unknown", "trace attributes", "log attributes", "blanks",
        "root tag", "no XES inside",
    ],
)  # fmt: skip
def test_what_never_ends_is_refused_in_bounded_time(start: str, piece: bytes, n: int) -> None:
    many = max(1, (1 << 16) // len(piece))
    started = time.monotonic()
    with pytest.raises(RefusedError):
        list(read_xes(Generated(bomb(start, piece * many, n // many))))  # type: ignore[arg-type]
    assert time.monotonic() - started < 5


MEASURED = """
import io, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
from procmon.ingest.xes_file import read_xes

EVENT = b'<event><string key="concept:name" value="%d"/><date key="time:timestamp" value="2025"/></event>\\n<!-- x -->'
CASE = b'<trace><string key="concept:name" value="%d"/>'

def pieces(form, n):
    yield b"<log>"
    if form == "one trace":
        yield CASE % 1
    for i in range(n):
        if form == "one trace":
            yield EVENT % i
        elif form == "traces":
            yield CASE % i + EVENT % i + b"</trace>"
        else:
            yield EVENT % i
        if form == "traces":
            yield CASE % i + b"</trace>"
    if form == "one trace":
        yield b"</trace>"
    yield b"</log>"

class Generated(io.RawIOBase):
    def __init__(self, pieces):
        self.pieces, self.rest = pieces, bytearray()
    def read(self, size=-1):
        while len(self.rest) < size and (piece := next(self.pieces, b"")):
            self.rest += piece
        piece = bytes(self.rest[:size])
        del self.rest[:size]
        return piece

print(sum(1 for _ in read_xes(Generated(pieces(sys.argv[1], int(sys.argv[2]))))))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("form", ["one trace", "traces", "no trace"])
def test_memory_is_flat_in_the_number_of_events(form: str) -> None:
    peaks = []
    for n in (20_000, 200_000):
        command = [sys.executable, "-c", MEASURED, form, str(n)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        n_rows, peak = map(int, done.stdout.split())
        assert n_rows == n
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 20_000


# ---- any text


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=8)


@given(st.lists(st.dictionaries(names, names, max_size=4), max_size=5))
def test_events_are_read_back_as_their_texts(events: list[dict[str, str]]) -> None:
    def quoted(text: str) -> str:
        return "".join(f"&#{ord(character)};" for character in text)

    text = "".join(
        "<event>" + "".join(f'<string key="{quoted(key)}" value="{quoted(value)}"/>' for key, value in each.items())
        + "</event>"
        for each in events
    )  # fmt: skip
    assert cells(f"<log><trace>{text}</trace></log>") == events


MARKUP = """< > / & ' " x <log> </log> <trace> </trace> <event> <event/> </event> <!-- --> <?x ?> <!DOCTYPE &#0;"""
pieces = st.sampled_from([*MARKUP.split(), " ", INT, '<string key="a" value="b">', "</string>"])


@given(st.one_of(st.binary(max_size=100), st.lists(pieces, max_size=12).map(lambda some: "".join(some).encode())))
def test_bytes_are_rows_or_a_refusal(data: bytes) -> None:
    for text in (data, b"<log>" + data, b"<log><trace>" + data + b"</trace></log>", b"\xff\xfe" + data):
        with contextlib.suppress(RefusedError):
            read(text)
