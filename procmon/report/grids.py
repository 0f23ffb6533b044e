"""What the sections' tables share: headings, cells, verdicts, and the words beside a list."""

from __future__ import annotations

from collections.abc import Iterable

from procmon.report import words
from procmon.report.headlines import Row, said_cut
from procmon.report.parts import Cell, Head

CHANCE = 0.025
CUT_HEAD = "#Mức giảm thực tế (khoảng tin cậy 95%)"


def heads(*texts: str) -> tuple[Head, ...]:
    """Headings; one that begins with `#` is of numbers."""
    return tuple(Head(text.removeprefix("#"), text.startswith("#")) for text in texts)


def cells(*values: str | Cell) -> tuple[Cell, ...]:
    """A row; a bare text is a plain cell."""
    return tuple(value if isinstance(value, Cell) else Cell(value) for value in values)


def verdict_cell(row: Row) -> Cell:
    """A verdict; where there is none for want of data, why."""
    verdict = row["verdict"] or "no_data"
    below = words.why(row["why"]) if verdict == "no_data" else ""
    return Cell(words.label(words.VERDICTS, verdict), below, words.label(words.TONES, verdict))


def cut_cell(row: Row) -> Cell:
    """The actual cut over its interval."""
    ends = words.interval(row["cut_lower"], row["cut_upper"])
    return Cell(said_cut(row["actual_cut"]), "" if ends == words.EMPTY else ends)


def chance(rows: Iterable[Row]) -> str:
    """By chance alone up to 0.025·k of a list's k verdicts; nothing where it has none."""
    k = sum(row["verdict"] in ("met", "missed", "inconclusive") for row in rows)
    if not k:
        return ""
    return (
        f"Danh sách có {words.count(k)} kết luận dựa trên khoảng tin cậy; chỉ do ngẫu nhiên đã có thể có tới"
        f" {words.plain(CHANCE)} × {words.count(k)} = {words.plain(round(CHANCE * k, 3))} kết luận sai."
    )


def more(n_all: int, most: int, unit: str) -> str:
    """How many rows the table leaves out; nothing where it leaves out none."""
    return f"Còn {words.count(n_all - most)} {unit} nữa không in ở đây." if n_all > most else ""
