"""The section on data quality, and the sentence on it before any result."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import cells, heads
from procmon.report.headlines import Row, Rows
from procmon.report.parts import Grid, Section


def quality_sentence(quality: Rows) -> str:
    """The largest lacks in one sentence, said before any result."""
    if not quality:
        return "Chất lượng dữ liệu: không có số liệu để đánh giá."
    lacks = [row for row in quality if row["item"] not in words.FACTS_NOT_LACKS and row["n"]]
    if not lacks:
        return f"Chất lượng dữ liệu: không phát hiện thiếu sót trong {words.count(len(quality))} mục đã kiểm tra."
    lacks.sort(key=lambda row: -row["n"] / (row["n_of"] or row["n"]))
    said = "; ".join(f"{words.within(words.label(words.QUALITY, r['item']))}: {quality_count(r)}" for r in lacks[:4])
    return f"Chất lượng dữ liệu (đọc trước khi xem kết quả): {said}."


def quality_count(row: Row) -> str:
    """`230 (1,86%)`."""
    shared = words.share(row["n"], row["n_of"])
    return words.count(row["n"]) + ("" if shared == words.EMPTY else f" ({shared})")


def quality_section(quality: Rows) -> Section:
    """Every item that was counted."""
    rows = [
        cells(
            words.label(words.QUALITY, row["item"]),
            f"{words.count(row['n'])} {words.label(words.COUNTED, row['unit_of_count'])}",
            words.count(row["n_of"]),
            words.share(row["n"], row["n_of"]),
        )
        for row in quality
    ]
    grid = Grid(
        "Các mục đã kiểm tra",
        heads("Mục", "#Số lượng", "#Trên tổng số", "#Tỷ lệ"),
        tuple(rows),
        "Không có số liệu về chất lượng dữ liệu.",
    )
    return Section(
        "chat-luong",
        "Chất lượng dữ liệu",
        lead=("Những gì dữ liệu còn thiếu. Điều chưa biết không được tính là tốt.",),
        grids=(grid,),
    )
