"""JSON and JSON Lines → source rows, streamed: no more than one record is held.

Every form goes through the standard decoder, value by value, so that numbers keep their digits and a record that is
wrong in itself (a key twice, NaN, half a surrogate pair) is refused alone. A streaming parser that reports events
would lose the file for a NaN, and may put a question mark where half a pair stood.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Container, Iterator
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, NamedTuple

from procmon.ingest.rows import Malformed, RefusedError, Row

PIECE = 1 << 20
LONGEST_RECORD = 1 << 24
LONGEST_LOOK = 1 << 23
LONGEST_CELL = 1 << 20
LONGEST_NAME = 1000
LONGEST_NUMBER = 1000
DEEPEST = 64

BLANK = re.compile(r"[ \t\r\n]*")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ENCODED = re.compile("[\udc80-\udcff]")
"""How `surrogateescape` shows a byte that is not UTF-8."""

DAMAGED = "Export it again: the file is damaged or cut off."


def read_json(source: BinaryIO, *, records: str = "", lists: Container[str] | None = ()) -> Iterator[Row | Malformed]:
    """The records of a JSON file: one a line, an array, an object that wraps an array, or one object.

    A nested object's members are cells `a.b`; a list of plain values is one cell, joined with "; "; numbers are their
    text in plain digits; null and empty texts are left out. UTF-8, or UTF-16 with its mark.

    Args:
        source: the plain bytes; its own RefusedError passes through.
        records: where an object wraps the records, the path of their list (`data`, `body.items`); empty: its only
            member that is a list of objects; without one, or with one of `lists`, the object is the record. Not
            looked at in JSON Lines and bare arrays.
        lists: the paths of lists of objects inside a record whose elements become rows of their own (`part` = path,
            cells `path[].name`), after the record's own row; a list in an element has the path `path[].name`. Other
            lists are ignored. None: take all.

    Yields: `line` is the line in JSON Lines, elsewhere the record's number from 1. A Malformed stands for a whole
        record, its elements included.
    Raises: RefusedError for a file that is not JSON, or is cut off within an array or object; what was yielded before
        is then not to be used.
    """
    text = _Text(source)
    first = text.peek()
    values: Iterator[tuple[int, _Value]]
    if first == "[":
        values = enumerate(_array(text), 1)
    elif first == "{":
        values = _of_object(text, records, lists)
    elif first:
        raise RefusedError("it is not JSON: it begins with neither { nor [", "Save it as JSON or JSON Lines in UTF-8.")
    else:
        raise RefusedError("the file is empty", "Export it again; a log has at least one record.")
    for line, value in values:
        yield from _rows(line, value, lists)
    _check_end(text)


class _Value(NamedTuple):
    """A decoded value, all numbers as text, and the problem that its record has, if any."""

    value: object
    problem: str


class _BrokenError(RefusedError):
    """The text is not JSON from some place on."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place} cannot be read as JSON: {problem}", DAMAGED)


class _FlawError(Exception):
    """A record cannot be read; the message is the problem's code."""


# ---- text → values


class _Decoder:
    """The standard decoder, which notes what makes a record unreadable where it would look away."""

    def __init__(self) -> None:
        self._problem = ""
        self._decode: Callable[[str, int], tuple[object, int]] = json.JSONDecoder(
            strict=False,  # control characters are the cell's problem, not the file's
            object_pairs_hook=self._object,
            parse_float=self._plain_digits,
            parse_int=str,
            parse_constant=self._constant,
        ).raw_decode

    def decode(self, text: str, at: int) -> tuple[_Value, int]:
        """The value at a place, and where it ends.

        Raises: ValueError; RecursionError.
        """
        self._problem = ""
        value, end = self._decode(text, at)
        return _Value(value, self._problem), end

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self._problem = "duplicate_key"
        return found

    def _constant(self, _name: str) -> None:
        self._problem = "unreadable_json"

    def _plain_digits(self, number: str) -> str:
        if "e" not in number and "E" not in number:
            return number
        try:
            value = Decimal(number)
            if abs(value.adjusted()) <= LONGEST_NUMBER:
                return format(value, "f")
        except InvalidOperation:
            pass  # an exponent beyond any number
        self._problem = "too_long"
        return ""


class _Text:
    """The file's text from where it has been read to, `at`; while `held`, nothing before that is let go."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._decoder = _Decoder()
        start = source.read(2)
        if start in UTF_16:
            self._decode = codecs.getincrementaldecoder("utf-16")().decode
        else:
            self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self.text = self._decode(start)
        self.at = 0
        self.held = False
        self._ended = False

    def _more(self) -> bool:
        """Read on, ever larger pieces while one value is longer; False at the file's end."""
        piece = self._source.read(max(PIECE, len(self.text) - self.at))
        dropped = 0 if self.held else self.at
        try:
            self.text = self.text[dropped:] + self._decode(piece, not piece)
        except UnicodeDecodeError as error:
            raise RefusedError("it is not valid UTF-16", DAMAGED) from error
        self.at -= dropped
        self._ended = not piece
        return bool(piece)

    def let_go(self) -> None:
        """Go back to the start of what was held."""
        self.at, self.held = 0, False

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self.at = _end_of_blank(self.text, self.at)
            if self.at < len(self.text):
                return self.text[self.at]
            if self._ended or not self._more():
                return ""

    def take(self, characters: str, place: str) -> str:
        """Go past the next character, which must be one of these."""
        found = self.peek()
        if not found or found not in characters:
            raise _BrokenError(place, f"{' or '.join(characters)} is missing")
        self.at += 1
        return found

    def value(self, place: str, longest: int = LONGEST_RECORD) -> _Value:
        """Go past the next value.

        Raises: _BrokenError, naming `place`, where there is none, or one that is too long.
        """
        self.peek()
        while True:
            problem = "it is cut off"
            try:
                value, end = self._decoder.decode(self.text, self.at)
                if self._ended or end < len(self.text):  # else a number might go on
                    self.at = end
                    return value
            except json.JSONDecodeError as error:
                problem = error.msg
            except RecursionError as error:
                raise _BrokenError(place, "objects or lists are nested too deeply") from error
            if self._ended:
                raise _BrokenError(place, problem)
            if len(self.text) - self.at > longest:
                raise _BrokenError(place, f"{problem}, or it is longer than {longest >> 20} MiB")
            self._more()

    def lines(self) -> Iterator[_Value | None]:
        """The value on each line from here; None for a blank line."""
        while self.at < len(self.text) or not self._ended:
            is_short = True
            while (end := self.text.find("\n", self.at)) < 0 and not self._ended:
                if len(self.text) - self.at > LONGEST_RECORD:
                    is_short, self.at = False, len(self.text)
                self._more()
            end = end if end >= 0 else len(self.text)
            line = self.text[self.at : end]
            self.at = min(end + 1, len(self.text))
            yield self._on_line(line) if is_short else _Value(None, "too_long")

    def _on_line(self, line: str) -> _Value | None:
        start = _end_of_blank(line, 0)
        if start == len(line):
            return None
        try:
            value, end = self._decoder.decode(line, start)
        except json.JSONDecodeError:
            return _Value(None, "bad_encoding" if ENCODED.search(line) else "unreadable_json")
        except RecursionError:
            return _Value(None, "too_deep")
        return value if _end_of_blank(line, end) == len(line) else _Value(None, "unreadable_json")


def _end_of_blank(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at


# ---- the forms of a file


def _of_object(text: _Text, records: str, lists: Container[str] | None) -> Iterator[tuple[int, _Value]]:
    """(line or number, value) of each record of a file that begins with an object."""
    path = records.split(".") if records else []
    text.held = True
    try:
        value = text.value("record 1", LONGEST_LOOK).value
    except _BrokenError:  # a long list in its wrapper, or damaged: reading on will tell where
        pass
    else:
        end = text.at
        is_one_line = "\n" not in text.text[:end].lstrip()
        if text.peek() and is_one_line and "\n" in text.text[end : text.at]:
            text.let_go()
            yield from ((line, found) for line, found in enumerate(text.lines(), 1) if found is not None)
            return
        _check_end(text)
        if not path:
            path = _only_list(value, lists)
            if not path:
                text.let_go()
                yield 1, text.value("record 1")
                return
    text.let_go()
    yield from enumerate(_wrapped(text, path), 1)


def _check_end(text: _Text) -> None:
    if text.peek():
        raise RefusedError("text follows the end of the JSON", "Give one array, or one object a line.")


def _only_list(value: object, lists: Container[str] | None) -> list[str]:
    """The path of the only list of objects in an object; empty where there is none, or one of `lists`."""
    members = value.items() if isinstance(value, dict) else ()
    found = [name for name, item in members if isinstance(item, list) and item and isinstance(item[0], dict)]
    is_record = lists is not None and any(name in lists for name in found)
    return found if len(found) == 1 and not is_record else []


def _array(text: _Text) -> Iterator[_Value]:
    """The elements of the array that begins here."""
    text.take("[", "the array")
    if text.peek() == "]":
        text.take("]", "the array")
        return
    n = 0
    while n == 0 or text.take(",]", f"the array behind record {n}") == ",":
        n += 1
        yield text.value(f"record {n}")


def _members(text: _Text) -> Iterator[str]:
    """The names of the object that begins here; at each one's turn the text stands before its value."""
    text.take("{", "the object")
    if text.peek() == "}":
        text.take("}", "the object")
        return
    while True:
        if text.peek() != '"':
            raise _BrokenError("the object", "a member's name is missing")
        name = str(text.value("a member's name").value)
        text.take(":", name)
        yield name
        if text.take(",}", f"the object behind {name}") == "}":
            return


def _wrapped(text: _Text, path: list[str]) -> Iterator[_Value]:
    """The elements of the list at a path in the object that begins here; without a path, of its only list of objects.

    Raises: RefusedError also where that list is missing or stands twice.
    """
    n_found = 0
    names = []
    for name in _members(text):
        names.append(name)
        is_list = text.peek() == "["
        if not (name == path[0] if path else is_list):
            text.value(name)
            continue
        if len(path) == 1 and not is_list:
            raise RefusedError(f"{name} is not a list", "Name the list of the records in the mapping.")
        is_found = bool(path)
        for value in _wrapped(text, path[1:]) if len(path) > 1 else _array(text):
            if path or isinstance(value.value, dict):
                is_found = True
                yield value
        n_found += is_found
        if n_found > 1:
            raise RefusedError(f"{name}: a second list of records", "Name the list of the records in the mapping.")
    if not n_found:
        raise RefusedError(
            f"the list {'.'.join(path) or 'of records'} is missing; found: {', '.join(names[:20]) or 'nothing'}",
            "Name the list of the records in the mapping.",
        )


# ---- values → rows


def _rows(line: int, value: _Value, lists: Container[str] | None) -> Iterator[Row | Malformed]:
    """A record's row and those of its elements, or its problem."""
    if value.problem or not isinstance(value.value, dict):
        yield Malformed(line, value.problem or "unreadable_json")
        return
    record = _Record(lists)
    try:
        record.read("", "", value.value, (), 1)
    except _FlawError as flaw:
        yield Malformed(line, str(flaw))
        return
    for part, cells in record.parts:
        yield Row(line, part, {name: cell for own in cells for name, cell in own.items()})


class _Record:
    """A record taken apart: for itself and each element of its lists (part, the cells from the record down)."""

    def __init__(self, lists: Container[str] | None) -> None:
        self._lists = lists
        self.parts: list[tuple[str, tuple[dict[str, str], ...]]] = []

    def read(
        self, part: str, prefix: str, members: dict[str, object], above: tuple[dict[str, str], ...], depth: int
    ) -> None:
        """Add an object and the elements of its lists.

        Raises: _FlawError.
        """
        cells: dict[str, str] = {}
        nested: list[tuple[str, list[object], int]] = []
        self._fill(cells, nested, prefix, members, depth)
        self.parts.append((part, (*above, cells)))
        for path, elements, at_depth in nested:
            for element in elements:
                if not isinstance(element, dict):
                    raise _FlawError("unreadable_json")
                self.read(path, f"{path}[].", element, (*above, cells), at_depth + 2)

    def _fill(
        self,
        cells: dict[str, str],
        nested: list[tuple[str, list[object], int]],
        prefix: str,
        members: dict[str, object],
        depth: int,
    ) -> None:
        """An object's cells, and its lists with their depth."""
        if depth > DEEPEST:
            raise _FlawError("too_deep")
        for key, item in members.items():
            name = prefix + key
            if isinstance(item, dict):
                self._fill(cells, nested, _checked(name, LONGEST_NAME) + ".", item, depth + 1)
                continue
            if not isinstance(item, list):
                text = _text(item)
            elif not any(isinstance(element, (dict, list)) for element in item):
                text = "; ".join(filter(None, map(_text, item)))
            else:
                if self._lists is None or name in self._lists:
                    nested.append((name, item, depth))
                continue
            if text:
                if name in cells:
                    raise _FlawError("duplicate_key")  # {"a": {"b": 1}, "a.b": 2}
                cells[_checked(name, LONGEST_NAME)] = _checked(text, LONGEST_CELL)


def _text(value: object) -> str:
    """A plain value's text, empty for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else "true" if value else "false"


def _checked(text: str, longest: int) -> str:
    """The text, if a table can hold it."""
    if len(text) > longest:
        raise _FlawError("too_long")
    if "\0" in text:
        raise _FlawError("control_character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _FlawError("bad_encoding" if ENCODED.search(text) else "unreadable_json") from error
    return text
