"""XES (IEEE 1849) → source rows, streamed: no more than one event and its trace's attributes are held.

A document type is refused before any parser sees it: what stands before the root element is read here by a grammar
that has no place for one, and the parser is given no entities, no DTD, no network and its ordinary limits.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from lxml import etree

from procmon.ingest.rows import Malformed, RefusedError, Row

NAMESPACES = ("", "{http://www.xes-standard.org/}", "{http://www.xes-standard.org}")
"""As written by the standard, by tools without one, and by Disco."""

PLACES = {"log": ((),), "trace": (("log",),), "event": (("trace", "log"), ("log",))}
"""Element → the elements around it, from its parent up, in the places where it may stand."""

PLAIN = ("string", "date", "int", "float", "boolean", "id")
COMPOSITE = ("list", "container")

LONGEST_PROLOG = 1 << 16
LONGEST_STRETCH = 1 << 23
LONGEST_CELL = 1 << 20
LONGEST_NAME = 1000

PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
ROOT = re.compile(r"<([^\s<>/!?&]+)[\s/>]")
DECLARED = re.compile(r"""<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']""")
SAFE_ENCODING = re.compile(r"utf-8|utf-16(le|be)?|us-ascii|iso-8859-\d+|windows-125\d", re.IGNORECASE)
"""Encodings in which the characters of markup are what they are in ASCII, or that a byte order mark shows."""

DAMAGED = "Export it again: the file is damaged or cut off."
NOT_XES = "Export it as XES (IEEE 1849): a log of traces of events."


def read_xes(source: BinaryIO) -> Iterator[Row | Malformed]:
    """The events of an XES file, with and without its namespace.

    An event's attributes are cells by key, its trace's `case:KEY`, its log's `log:KEY`; a nested attribute is
    `KEY.CHILD`, in lists and containers too, and a key that a list repeats is one cell, joined with "; "; of the log's
    attributes the nested ones are left out, tools keep thousands of statistics in them. What `<global>` declares for
    events without a key is not taken for a fact: tools write 1970-01-01 there. Values are their text; empty ones are
    left out.
    A trace without events yields nothing; an event outside any trace has no `case:` cells.

    Yields: `line` is the event's number in the file, from 1; `part` is empty.
    Raises: RefusedError for a file that is no well-formed XES, has a document type, exceeds the parser's limits
        (10 MB a text, 256 levels) or has attributes of a trace or log behind its events; what was yielded before is
        then not to be used.
    """
    stream = _Stream(source)
    log = _Log()
    context = etree.iterparse(
        stream,
        events=("end",),
        tag=[space + name for space in NAMESPACES for name in PLACES],
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, element in context:
            stream.passed = 0
            name = _local(element)
            _check_place(element, name)
            if name == "event":
                yield log.read(element)
            elif name == "trace":
                log.end_trace(element)
            else:
                log.end(element)
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise RefusedError(f"line {error.lineno}: cannot be read as XML: {error.msg}", DAMAGED) from error
    if not log.is_ended:
        raise RefusedError(f"it is not XES: its root is {context.root.tag}", NOT_XES)


class _Stream:
    """The file's bytes for the parser, once what stands before the root element is known to be harmless.

    `passed` counts the bytes since the reader last set it to 0; memory is bounded by refusing a file where nothing
    ends for `LONGEST_STRETCH`.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._head = b""
        while len(self._head) < LONGEST_PROLOG and (piece := source.read(LONGEST_PROLOG - len(self._head))):
            self._head += piece
        _check_head(self._head)
        self.passed = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes; the head first, as a whole."""
        piece, self._head = self._head or self._source.read(size), b""
        self.passed += len(piece)
        if self.passed > LONGEST_STRETCH:
            raise RefusedError(f"{LONGEST_STRETCH >> 20} MiB pass without the end of an event or trace", NOT_XES)
        return piece


def _check_head(head: bytes) -> None:
    """Refuse a file that does not begin with blanks, comments, instructions and then the root element `log`."""
    if not head:
        raise RefusedError("the file is empty", NOT_XES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head.decode("utf-16", "replace")
    else:
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")  # the markup is ASCII, whatever the rest is
    encoding = DECLARED.match(text)
    if encoding and not SAFE_ENCODING.fullmatch(encoding[1]):
        raise RefusedError(f"its encoding is declared as {encoding[1][:20]!r}", "Save it in UTF-8.")
    prolog = PROLOG.match(text)
    start = prolog.end() if prolog else 0
    if text[start : start + 9].upper() == "<!DOCTYPE":
        raise RefusedError(
            "it has a document type (<!DOCTYPE …>), which may hide entities", "Remove it; XES needs none."
        )
    root = ROOT.match(text, start)
    if root is None:
        raise RefusedError(f"it is not XML: no element begins in its first {LONGEST_PROLOG >> 10} KiB", NOT_XES)
    if root[1].rpartition(":")[2] != "log":
        raise RefusedError(f"it is not XES: its root is {root[1][:50]}", NOT_XES)


def _local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _check_place(element: etree._Element, name: str) -> None:
    around = tuple(_local(ancestor) for ancestor in element.iterancestors())
    if around not in PLACES[name]:
        raise RefusedError(
            f"line {element.sourceline}: {name} stands in {'/'.join(reversed(around)) or 'nothing'}", NOT_XES
        )


class _FlawError(Exception):
    """An event cannot be read; the message is the problem's code."""


class _Level:
    """A log or trace being read: its attributes come first, its traces or events follow and are let go in turn."""

    def __init__(self, element: etree._Element, first: etree._Element) -> None:
        self.element = element
        self.attributes = list(first.itersiblings(preceding=True))[::-1]
        self._last = first

    def go_on(self, child: etree._Element) -> None:
        """Make `child` the one that was read last.

        Raises: RefusedError if anything stands between it and the one before.
        """
        if child is self._last:
            return
        before = child.getprevious()
        if before is not self._last:
            raise self._misplaced(before)
        self.element.remove(before)  # not sooner: the parser may still have to touch it
        self._last = child

    def end(self) -> None:
        """Check that nothing stood behind the last one."""
        if self.element[-1] is not self._last:
            raise self._misplaced(self.element[-1])

    def _misplaced(self, element: etree._Element) -> RefusedError:
        name = f"{_local(element)} {element.get('key', '')[:50]}".strip()
        return RefusedError(
            f"line {element.sourceline}: {name} of the {_local(self.element)} stands behind its events",
            "XES puts the attributes of a log and of a trace first: export it again.",
        )


class _Log:
    """What is known of the log and of the trace at hand."""

    def __init__(self) -> None:
        self.is_ended = False
        self._n_events = 0
        self._log: _Level | None = None
        self._trace: _Level | None = None
        self._log_cells: dict[str, str] = {}
        self._above: dict[str, str] = {}
        self._flaw = ""

    def read(self, event: etree._Element) -> Row | Malformed:
        """The row of an event, which is then emptied."""
        self._n_events += 1
        parent = event.getparent()
        if _local(parent) == "trace":
            self._enter_trace(parent, event)
        else:
            self._enter_log(parent, event)
            self._trace, self._above, self._flaw = None, self._log_cells, ""
        try:
            if self._flaw:
                raise _FlawError(self._flaw)
            own = _cells(event)
            if not self._above.keys().isdisjoint(own):
                raise _FlawError("duplicate_key")  # an event's own `case:…`
            cells = _filled({**self._above, **own})
            return Row(self._n_events, "", cells)
        except _FlawError as flaw:
            return Malformed(self._n_events, str(flaw))
        finally:
            event.clear(keep_tail=True)

    def end_trace(self, trace: etree._Element) -> None:
        """Let go of a trace, with or without events."""
        if self._trace is not None and self._trace.element is trace:
            self._trace.end()
        else:
            self._enter_log(trace.getparent(), trace)
        self._trace = None
        trace.clear(keep_tail=True)

    def end(self, root: etree._Element) -> None:
        """Check what stands behind the last trace."""
        if self._log is not None:
            self._log.end()
        self.is_ended = True
        root.clear()

    def _enter_trace(self, trace: etree._Element, event: etree._Element) -> None:
        if self._trace is not None and self._trace.element is trace:
            self._trace.go_on(event)
            return
        self._enter_log(trace.getparent(), trace)
        self._trace = _Level(trace, event)
        self._flaw = ""
        try:
            case = {f"case:{key}": value for key, value in _cells(self._trace.attributes).items()}
            self._above = {**self._log_cells, **case}
        except _FlawError as flaw:
            self._flaw = str(flaw)  # of each of its events

    def _enter_log(self, root: etree._Element, child: etree._Element) -> None:
        if self._log is not None:
            self._log.go_on(child)
            return
        if root.getroottree().docinfo.internalDTD is not None:
            raise RefusedError("it has a document type", "Remove it; XES needs none.")
        self._log = _Level(root, child)
        names = ("extension", "classifier", "global")
        try:
            own = _cells((each for each in self._log.attributes if _local(each) not in names), nested=False)
        except _FlawError as flaw:
            raise RefusedError(f"the log's own attributes cannot be read: {flaw}", NOT_XES) from flaw
        self._log_cells = {f"log:{key}": value for key, value in own.items()}


def _cells(attributes: Iterable[etree._Element], *, nested: bool = True) -> dict[str, str]:
    """Attributes, with those nested in them or not → key → text, empty ones included.

    Raises: _FlawError.
    """
    cells: dict[str, str] = {}
    listed: dict[str, list[str]] = {}
    for name, value, is_listed in _flat(attributes, "", nested=nested):
        if is_listed:
            listed.setdefault(name, []).append(value)
        elif name in cells:
            raise _FlawError("duplicate_key")
        else:
            cells[name] = value
    if not cells.keys().isdisjoint(listed):
        raise _FlawError("duplicate_key")
    cells.update((name, "; ".join(filter(None, values))) for name, values in listed.items())
    if any(len(value) > LONGEST_CELL for value in cells.values()):
        raise _FlawError("too_long")
    return cells


def _flat(
    attributes: Iterable[etree._Element], prefix: str, *, nested: bool = True, is_listed: bool = False
) -> Iterator[tuple[str, str, bool]]:
    """(key, text, whether it may stand again) of each attribute and of those nested in it."""
    for element in attributes:
        kind, key, value = _local(element), element.get("key"), element.get("value")
        if kind == "values" and is_listed:
            yield from _flat(element, prefix, is_listed=True)
            continue
        is_plain = kind in PLAIN
        if not key or (value is None if is_plain else kind not in COMPOSITE):
            raise _FlawError("unreadable_xml")
        name = prefix + key
        if len(name) > LONGEST_NAME:
            raise _FlawError("too_long")
        if is_plain:
            yield name, value, is_listed
        if nested and len(element):
            yield from _flat(element, f"{name}.", is_listed=is_listed or kind == "list")


def _filled(cells: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in cells.items() if value}
