"""A look at a received file's columns: enough to draft a mapping from, nothing that names a person.

Runs in the reading process over a table of text; what leaves it are counts, date patterns and the labels of columns
that have few of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from procmon.ingest.dates import DAY_FIRST, Pattern, day_sql, instant_sql, parse
from procmon.ingest.mapping import names_persons
from procmon.text import words

MOST_LABELS = 60
REPEATS = 2  # from `FEW` distinct values on, labels stand twice on average; what is new in each row is no label
FEW = 10
LONGEST_LABEL = 120
PERSONAL_SHARE = 0.1

_DAY = [text for text in DAY_FIRST if parse(text).order == "day"]
_HALF_DAYS = [
    f"{day} {clock}"
    for day in ("dd/MM/yyyy", "dd-MM-yyyy", "dd.MM.yyyy")
    for clock in ("hh:mm a", "hh:mm:ss a", "hh:mma", "hh:mm:ssa")
]


def mirrored(pattern: str) -> str:
    """The pattern with day and month in each other's place."""
    return pattern.replace("dd", "@").replace("MM", "dd").replace("@", "MM")


PATTERNS = (
    *DAY_FIRST,
    *_HALF_DAYS,
    *(mirrored(text) for text in (*_DAY, *_HALF_DAYS)),
    *("yyyy/MM/dd", "yyyy/MM/dd HH:mm", "yyyy/MM/dd HH:mm:ss", "yyyyMMdd", "yyyyMMddHHmm"),
    "excel",
)
"""What a column is tried with; the earlier is chosen where two read the same values."""

SURNAMES = (
    "Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Đào|Đoàn|Trịnh|Đinh|Lâm|Mai|Trương|Phùng|"
    "Cao|Tô|Hà|Tạ|Lương|Chu|Châu|Quách|Vương|Tống|Kiều|Lưu|Nghiêm|Triệu|Doãn|Tăng|Nguyen|Tran|Pham|Hoang|Huynh|Bui"
)
NAME = rf"({SURNAMES}|{SURNAMES.upper()})([ ]+\p{{Lu}}\p{{L}}*){{1,4}}"
EMAIL = r"[^@\s]+@[^@\s]+[.][^@\s]+"
IDENTITY = r"\d{9}|\d{12}|\d{3} \d{3} \d{3}( \d{3})?"
PHONE = r"0\d{2,3}[ .-]?\d{3,4}[ .-]?\d{3,4}|([+]|00)?84[ .-]?\d{2,3}[ .-]?\d{3,4}[ .-]?\d{3,4}"
PERSONAL = f"{NAME}|{EMAIL}|{IDENTITY}|{PHONE}"
PERSON_NAME = re.compile(
    r"\b(resource|responsible|actor|user|creator|handler|performer|owner|employee|applicant|customer|citizen|person|birth|"
    r"(ngay|nam) sinh|can bo|chuyen vien|phu trach|nguoi|cong dan|thuong tru|tam tru|noi o|(ma|so) dinh danh)\b"
)
"""Columns that name people by other words than `PERSONAL_NAME`: they may be mapped, their values do not leave."""

BIRTH = re.compile(r"\b(birth|birthday|ngay sinh|nam sinh)\b")

PROCEDURE = r"\d[.]\d{6}([.]\d{3}[.]\d{2}[.]\d{2}[.][A-Z]\d{2})?"
DOSSIER = r"(\d{3}[.]\d{2}[.]\d{2}[.])?[A-Z]\d{2}([.]\d{2})*-\d{6}(\d{2})?-\d{3,8}"

DATE_SHAPE = r"[0 ./:T-]{5,30}([+-][0:]{4,5}|Z)?( ?([AaPp][Mm]|SA|CH))?"


@dataclass(frozen=True)
class ColumnProfile:
    """What a column holds; `dataclasses.asdict` makes it JSON, `ColumnProfile(**object)` takes it back."""

    name: str
    n_filled: int
    n_distinct: int
    labels: dict[str, int] = field(default_factory=dict)
    """Distinct values with their counts, most frequent first; empty where they are many or may name people."""
    is_personal: bool = False
    """Whether it holds names, addresses, numbers of persons, by its name or its content."""
    patterns: Sequence[str] = ()
    """The fewest date patterns that read all values that can be read; empty where fewer than half can be."""
    order: str = ""
    """`day`, `month` or `mixed`, proven by a day above 12; empty where no value decides, or no pattern asks."""
    n_unread: int = 0
    """Filled values of a date column that none of `patterns` reads."""
    procedure_codes: float = 0.0
    dossier_codes: float = 0.0
    """Share of filled values written as codes of procedures (1.004222), of dossiers (H24.12-250425-0001)."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether every value reads day-first and month-first."""
        return not self.order and any(parse(pattern).order for pattern in self.patterns)


def profile(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> list[ColumnProfile]:
    """Look at `table`, whose text columns c0, c1, … are `columns` of the file, NULL where a cell is empty."""
    return [_look(connection, table, f"c{place}", name) for place, name in enumerate(columns)]


def _is_personal(name: str) -> bool:
    return names_persons(name) or bool(BIRTH.search(words(name)))


def _look(connection: duckdb.DuckDBPyConnection, table: str, column: str, name: str) -> ColumnProfile:
    counts = _counts(connection, table, column)
    n_filled, n_distinct = counts["n_filled"], counts["n_distinct"]
    if not n_filled:
        return ColumnProfile(name, 0, 0, is_personal=_is_personal(name))
    dates = _dates(connection, table, column, counts["date_shapes"], n_filled)
    by_content = not dates and counts["n_personal"] >= PERSONAL_SHARE * n_filled
    is_personal = _is_personal(name) or by_content
    shut = is_personal or dates or PERSON_NAME.search(words(name))
    is_few = n_distinct <= MOST_LABELS and (n_distinct <= FEW or n_distinct * REPEATS <= n_filled)
    return ColumnProfile(
        name=name,
        n_filled=n_filled,
        n_distinct=n_distinct,
        labels=_labels(connection, table, column) if is_few and not shut else {},
        is_personal=is_personal,
        procedure_codes=counts["n_procedures"] / n_filled,
        dossier_codes=counts["n_dossiers"] / n_filled,
        **dates,
    )


def _counts(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, Any]:
    """One pass: values are counted by shape (every digit a 0), and the shapes, which are few, looked at."""
    cursor = connection.execute(
        f"""
        WITH shapes AS (
            SELECT translate({column}, '123456789', '000000000') AS shape, left({column}, 1) = '0' AS is_zero,
                count(*) AS n
            FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL
        )
        SELECT coalesce(sum(n), 0)::BIGINT AS n_filled,
            (SELECT count(DISTINCT {column}) FROM {table}) AS n_distinct,
            coalesce(sum(n) FILTER (WHERE {_is_personal_shape()}), 0)::BIGINT AS n_personal,
            coalesce(sum(n) FILTER (WHERE regexp_full_match(shape, $procedure)), 0)::BIGINT AS n_procedures,
            coalesce(sum(n) FILTER (WHERE regexp_full_match(shape, $dossier)), 0)::BIGINT AS n_dossiers,
            coalesce(list(DISTINCT shape) FILTER (WHERE regexp_full_match(shape, $date)), []) AS date_shapes
        FROM shapes
        """,
        {"personal": f"{NAME}|{EMAIL}|{IDENTITY}", "procedure": PROCEDURE, "dossier": DOSSIER, "date": DATE_SHAPE},
    )
    names = [item[0] for item in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def _is_personal_shape() -> str:
    """SQL: whether a value of this shape is a person's name, number or address; phones begin with 0 or +84."""
    phone = r"\d{3,4}[ .-]?\d{3,4}[ .-]?\d{3,4}"
    abroad = r"[+]?\d{2}[ .-]?\d{2,3}[ .-]?\d{3,4}[ .-]?\d{3,4}"
    return (
        "regexp_full_match(nfc_normalize(shape), $personal) "
        f"OR is_zero AND regexp_full_match(shape, '{phone}') OR NOT is_zero AND regexp_full_match(shape, '{abroad}')"
    )


def _labels(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, int]:
    """The distinct values with their counts, but for those with a person in them, and long ones."""
    found = connection.execute(
        f"""
        SELECT label, n FROM (SELECT {column} AS label, count(*) AS n FROM {table} GROUP BY 1)
        WHERE length(label) <= {LONGEST_LABEL} AND NOT regexp_matches(nfc_normalize(label), $personal)
        ORDER BY n DESC, label
        """,
        {"personal": rf"(^|[^\p{{L}}\d])({PERSONAL})($|[^\p{{L}}\d])"},
    )
    return dict(found.fetchall())


def _dates(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, shapes: Sequence[str], n_filled: int
) -> dict[str, Any]:
    """`patterns`, `order` and `n_unread` of a column; empty where most of it are no dates."""
    tried = [pattern for pattern in map(parse, PATTERNS) if any(_fits(pattern, shape) for shape in shapes)]
    if not tried:
        return {}
    reads = [f"CASE WHEN {_reads('value', pattern)} THEN {1 << bit} ELSE 0 END" for bit, pattern in enumerate(tried)]
    found = connection.execute(
        f"""
        SELECT ({" + ".join(reads)})::BIGINT, sum(n)::BIGINT
        FROM (SELECT {column} AS value, count(*) AS n FROM {table} WHERE {column} IS NOT NULL GROUP BY 1) GROUP BY 1
        """
    ).fetchall()
    masks = {mask: n for mask, n in found if mask}
    order = _order(masks, tried)
    chosen = _fewest(masks, tried, "month" if order == "month" else "day")
    n_read = sum(n for mask, n in masks.items() if any(mask >> tried.index(pattern) & 1 for pattern in chosen))
    if n_read * 2 < n_filled:
        return {}
    return {"patterns": [pattern.text for pattern in chosen], "order": order, "n_unread": n_filled - n_read}


def _fits(pattern: Pattern, shape: str) -> bool:
    """Whether a value of this shape may be written in the pattern."""
    if pattern.text == "iso":
        return bool(re.match(r"0000-00-00($|[T ])", shape))
    if pattern.text == "excel":
        return bool(re.fullmatch(r"0{5}([.]0+)?", shape))
    return bool(re.fullmatch(pattern.regex, shape))


def _reads(column: str, pattern: Pattern) -> str:
    """SQL: whether the pattern reads a value."""
    sql = []
    if pattern.has_clock:
        sql.append(f"({instant_sql(column, [pattern], 'UTC')}) IS NOT NULL")
    if not pattern.has_clock or pattern.text in ("iso", "excel"):
        sql.append(f"({day_sql(column, [pattern])}) IS NOT NULL")
    return f"({' OR '.join(sql)})"


def _order(masks: dict[int, int], tried: Sequence[Pattern]) -> str:
    """Which order values prove that can be read in one only."""
    seen = set()
    for mask in masks:
        orders = {pattern.order for bit, pattern in enumerate(tried) if mask >> bit & 1}
        if len(orders) == 1:
            seen |= orders
    seen -= {""}
    return "mixed" if len(seen) > 1 else "".join(seen)


def _fewest(masks: dict[int, int], tried: Sequence[Pattern], order: str) -> list[Pattern]:
    """The fewest patterns of one order that read all that can be read; those that read more values first."""
    left = dict(masks)
    usable = [bit for bit, pattern in enumerate(tried) if pattern.order in ("", order)]
    chosen = []
    while left and usable:
        n = {bit: sum(count for mask, count in left.items() if mask >> bit & 1) for bit in usable}
        best = max(usable, key=lambda bit: n[bit])
        if not n[best]:
            break
        chosen.append(best)
        left = {mask: count for mask, count in left.items() if not mask >> best & 1}
    return [tried[bit] for bit in sorted(chosen)]
