"""The SQL of the rooms repeats to the digit and runs on either engine: what would break that is banned here.

Floats summed in another order differ in the last digit from run to run; arrays, ordered lists and ASOF joins do
not survive translation; an ORDER BY that leaves empty values to the engine's taste orders differently elsewhere.
Text and comments are taken out first, so that a banned word may be spoken of.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SQL_FILES = sorted((ROOT / "procmon").rglob("*.sql"))

BANNED = {
    "avg": r"\b(avg|mean)\s*\(",
    "stddev": r"\bstddev(_\w+)?\s*\(",
    "variance": r"\b(var_\w+|variance)\s*\(",
    "float sum": r"\b(fsum|kahan_sum|sumkahan)\s*\(",
    "array": r"\[",
    "list": r"\b(list|array_agg)\s*\(",
    "ASOF join": r"\basof\b",
}
SUM = re.compile(r"\bsum\s*\(", re.IGNORECASE)
FLOAT = re.compile(r"\b(double|float|real)\b|(?<!/)/(?!/)", re.IGNORECASE)  # in DuckDB 1 / 2 is a float, 1 // 2 not

ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)
STATES_NULLS = re.compile(r"\bnulls\s+(first|last)\s*$", re.IGNORECASE)
END_OF_KEYS = r";|\b(?:rows|range|groups|limit|offset|qualify|union|except|intersect|window)\b"


def code_of(sql: str) -> str:
    """`sql` without comments and with every text literal and quoted name emptied; lines keep their numbers."""
    pieces = r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
    return re.sub(pieces, lambda found: _emptied(found.group()), sql, flags=re.DOTALL)


def _emptied(piece: str) -> str:
    quote = piece[0] if piece[0] in "'\"" else ""
    return quote + "\n" * piece.count("\n") + quote


def parts(code: str, start: int, end: str = ";") -> list[str]:
    """The text from `start` to the parenthesis that closes around it, or to `end`; split at its own commas."""
    found, depth = [""], 0
    for piece in re.findall(rf"{end}|.", code[start:], re.IGNORECASE | re.DOTALL):
        depth += (piece == "(") - (piece == ")")
        if depth < 0 or (depth == 0 and re.fullmatch(end, piece, re.IGNORECASE)):
            break
        if depth == 0 and piece == ",":
            found.append("")
        else:
            found[-1] += piece
    return [" ".join(part.split()) for part in found]


def faults(sql: str) -> list[str]:
    """What is banned in `sql`, each as `line N: what`."""
    code = code_of(sql)
    found = [(hit.start(), name) for name, rule in BANNED.items() for hit in re.finditer(rule, code, re.IGNORECASE)]
    for total in SUM.finditer(code):
        found += [(total.start(), f"float sum of {part}") for part in parts(code, total.end()) if FLOAT.search(part)]
    for order in ORDER_BY.finditer(code):
        keys = parts(code, order.end(), END_OF_KEYS)
        found += [(order.start(), f"ORDER BY {key}: NULLS?") for key in keys if not STATES_NULLS.search(key)]
    return [f"line {code.count(chr(10), 0, at) + 1}: {what}" for at, what in sorted(found)]


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_measure_uses_nothing_that_engines_answer_differently(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT avg(x) FROM t", "line 1: avg"),
        ("SELECT\n stddev_pop(x) FROM t", "line 2: stddev"),
        ("SELECT var_samp (x) FROM t", "line 1: variance"),
        ("SELECT sum(x::DOUBLE) FROM t", "line 1: float sum of x::DOUBLE"),
        ("SELECT sum(CAST(x AS double)) FROM t", "line 1: float sum of CAST(x AS double)"),
        ("SELECT sum((x) / 60) FROM t", "line 1: float sum of (x) / 60"),
        ("SELECT xs[1] FROM t", "line 1: array"),
        ("SELECT list(x) FROM t", "line 1: list"),
        ("SELECT * FROM a ASOF JOIN b USING (x)", "line 1: ASOF join"),
        ("SELECT * FROM t ORDER BY a NULLS LAST, b", "line 1: ORDER BY b: NULLS?"),
        ("SELECT rank() OVER (ORDER BY f(a, b) DESC ROWS 1 PRECEDING)", "line 1: ORDER BY f(a, b) DESC: NULLS?"),
    ],
)
def test_the_lint_finds(sql: str, fault: str) -> None:
    assert faults(sql) == [fault]


def test_the_lint_lets_pass() -> None:
    sql = """
        -- an avg(x) would round differently, so it's summed; no list(x) either
        WITH ranked AS (
            SELECT a, sum(CAST(b AS HUGEINT)) AS total, sum(b // 60) AS minutes, 'avg( ''[' AS said,
                rank() OVER (PARTITION BY a ORDER BY coalesce(c, d) DESC NULLS LAST, e NULLS FIRST ROWS 1 PRECEDING)
            FROM t
        )
        SELECT * FROM ranked ORDER BY a NULLS FIRST, total / minutes DESC NULLS LAST LIMIT 10;
        SELECT 1
    """
    assert faults(sql) == []
