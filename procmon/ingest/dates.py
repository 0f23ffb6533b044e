"""Date patterns: what a mapping may write, what they match, and the proof that a column is written that way.

A pattern is written with yyyy MM dd HH mm ss SSS and XXX (an offset), as people of the field do (`dd/MM/yyyy HH:mm`);
`h … a` is the hour with AM or PM (SA, CH). `iso` is the canonical writing, `excel` a bare serial number of days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ISO_DAY = r"\d{4}-\d{2}-\d{2}"
ISO_CLOCK = r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,9})?)?"  # cut to microseconds
ISO_OFFSET = r" ?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
SERIAL = r"\d{5}([.]\d+)?"

TOKENS = {
    "yyyy": (r"\d{4}", "%Y"),
    "MM": (r"\d{1,2}", "%m"),
    "M": (r"\d{1,2}", "%m"),
    "dd": (r"\d{1,2}", "%d"),
    "d": (r"\d{1,2}", "%d"),
    "HH": (r"\d{1,2}", "%H"),
    "H": (r"\d{1,2}", "%H"),
    "hh": (r"\d{1,2}", "%I"),
    "h": (r"\d{1,2}", "%I"),
    "mm": (r"\d{2}", "%M"),
    "ss": (r"\d{2}", "%S"),
    "SSS": (r"\d{3}", "%g"),
    "XXX": (r"[+-]\d{2}:?\d{2}", "%z"),
    "a": (r"([AaPp][Mm]|SA|CH)", "%p"),
}
"""Token → (what it matches, DuckDB's name for it). Where tokens touch, days, months and hours have two digits."""

SPLIT = re.compile("(" + "|".join(sorted(TOKENS, key=len, reverse=True)) + ")")
LITERAL = re.compile(r"[^A-Za-z0-9\\']*|T|'T'")

DAY_FIRST = (
    "iso",
    *(f"{day}{clock}" for day in ("dd/MM/yyyy", "dd-MM-yyyy", "dd.MM.yyyy") for clock in ("", " HH:mm", " HH:mm:ss")),
    "HH:mm dd/MM/yyyy",
    "HH:mm:ss dd/MM/yyyy",
    "yyyyMMddHHmmss",
)
"""What is tried where a mapping states no patterns: none of them can be taken for another."""


@dataclass(frozen=True)
class Pattern:
    """One pattern: `regex` (RE2, whole text), `form` for strptime, and what it carries."""

    text: str
    regex: str
    form: str
    has_clock: bool
    has_offset: bool
    order: str
    """`day` where the day stands before the month between separators, `month` where after; else empty."""


def parse(text: str) -> Pattern:
    """Read a pattern. Raises: ValueError naming what is wrong with it."""
    if text in ("iso", "excel"):
        return Pattern(text, "", "", has_clock=True, has_offset=True, order="")
    parts = SPLIT.split(text)
    tokens = parts[1::2]
    for literal in parts[0::2]:
        if not LITERAL.fullmatch(literal):
            raise ValueError(f"'{text}': '{literal}' is not part of a date pattern")
    if len({token[0] for token in tokens}) != len(tokens) or not {"yyyy"} <= set(tokens):
        raise ValueError(f"'{text}': a pattern has yyyy, MM and dd once each")
    kinds = [token[0] for token in tokens]
    if "d" not in kinds or "M" not in kinds:
        raise ValueError(f"'{text}': a pattern has yyyy, MM and dd once each")
    if ("H" in kinds and "a" in kinds) or ("h" in kinds and "a" not in kinds):
        raise ValueError(f"'{text}': HH goes without a, hh with it")
    has_clock = "H" in kinds or "h" in kinds
    if has_clock and "m" not in kinds:
        raise ValueError(f"'{text}': an hour needs its minutes: mm")
    if not has_clock and {"m", "s", "S", "X"} & set(kinds):
        raise ValueError(f"'{text}': minutes need their hour: HH")
    regex = form = ""
    for place, literal in enumerate(parts[0::2]):
        plain = literal.replace("'", "")
        regex += re.escape(plain).replace("\\ ", "[ ]+").replace("/", "[/]")
        form += plain
        if place < len(tokens):
            token = tokens[place]
            between = parts[2:-1:2]  # the literals between tokens
            touches = "" in between[max(place - 1, 0) : place + 1]
            regex += r"\d{2}" if touches and token in ("dd", "MM", "HH", "hh") else TOKENS[token][0]
            form += TOKENS[token][1]
    order = ""
    if kinds.index("y") > min(kinds.index("d"), kinds.index("M")):
        order = "day" if kinds.index("d") < kinds.index("M") else "month"
    return Pattern(text, regex, form, has_clock, "X" in kinds, order)


def order_of(patterns: Sequence[Pattern]) -> str:
    """`day`, `month` or empty: which comes first in a column of these patterns.

    Raises: ValueError where the patterns of one column say both.
    """
    orders = {pattern.order for pattern in patterns} - {""}
    if len(orders) > 1:
        said = ", ".join(pattern.text for pattern in patterns if pattern.order)
        raise ValueError(f"{said}: one column cannot be day-first and month-first")
    return orders.pop() if orders else ""


def day_sql(column: str, patterns: Sequence[Pattern]) -> str:
    """SQL: the bare day that `column` states, NULL where it states none."""
    cases = []
    for pattern in patterns:
        if pattern.text == "iso":
            cases.append(f"WHEN regexp_full_match({column}, '{ISO_DAY}') THEN try_cast({column} AS DATE)")
        elif pattern.text == "excel":
            cases.append(f"WHEN regexp_full_match({column}, '\\d{{5}}') THEN {_serial(column)}::DATE")
        elif not pattern.has_clock:
            cases.append(f"WHEN {_matches(column, pattern)} THEN {_strptime(column, pattern)}::DATE")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::DATE"


def instant_sql(column: str, patterns: Sequence[Pattern], zone: str) -> str:
    """SQL: the instant that `column` states, a bare time being one of `zone`; NULL where it states none."""
    cases = []
    for pattern in patterns:
        if pattern.text == "iso":
            bare, offset = f"'{ISO_DAY}{ISO_CLOCK}'", f"'{ISO_DAY}{ISO_CLOCK}{ISO_OFFSET}'"
            cases += [
                f"WHEN regexp_full_match({column}, {bare}) THEN timezone('{zone}', try_cast({column} AS TIMESTAMP))",
                f"WHEN regexp_full_match({column}, {offset}) THEN try_cast({column} AS TIMESTAMPTZ)",
            ]
        elif pattern.text == "excel":
            cases.append(
                f"WHEN regexp_full_match({column}, '{SERIAL}') AND contains({column}, '.') "
                f"THEN timezone('{zone}', {_serial(column)})"
            )
        elif pattern.has_offset:
            cases.append(f"WHEN {_matches(column, pattern)} THEN {_strptime(column, pattern)}")
        elif pattern.has_clock:
            cases.append(f"WHEN {_matches(column, pattern)} THEN timezone('{zone}', {_strptime(column, pattern)})")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::TIMESTAMPTZ"


def _matches(column: str, pattern: Pattern) -> str:
    return f"regexp_full_match({column}, '{pattern.regex}')"


def _strptime(column: str, pattern: Pattern) -> str:
    text = f"regexp_replace({column}, ' +', ' ', 'g')"
    if "%p" in pattern.form:
        text = f"replace(replace({text}, 'SA', 'AM'), 'CH', 'PM')"
    return f"try_strptime({text}, '{pattern.form}')"


def _serial(column: str) -> str:
    """Excel's days since 1899-12-30, to the second: fractions of it are noise."""
    return f"(TIMESTAMP '1899-12-30' + to_seconds(CAST(round(try_cast({column} AS DOUBLE) * 86400) AS BIGINT)))"


def proof_sql(columns: Sequence[str]) -> str:
    """SQL over `text_rows`: for each column, how many values can only be day-first, only month-first, or both."""
    shape = r"(^|.*[^0-9])(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}([^0-9].*|$)"
    counts = []
    for name in columns:
        first = f"try_cast(regexp_extract({name}, '{shape}', 2) AS INTEGER)"
        second = f"try_cast(regexp_extract({name}, '{shape}', 3) AS INTEGER)"
        counts += [
            f"count(*) FILTER (WHERE {first} > 12 AND {second} <= 12) AS {name}_day",
            f"count(*) FILTER (WHERE {first} <= 12 AND {second} > 12) AS {name}_month",
            f"count(*) FILTER (WHERE {first} <= 12 AND {second} <= 12) AS {name}_both",
        ]
    return f"SELECT {', '.join(counts)} FROM text_rows"
