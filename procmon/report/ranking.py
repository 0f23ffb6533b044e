"""Units compared: the places that they may have, ties as ties; who cannot be compared is listed."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import CUT_HEAD, cells, heads
from procmon.report.headlines import Row, Rows, said_cut
from procmon.report.parts import Cell, Grid

CHANCE = 0.05


def ranking_grid(ranking: Rows) -> Grid:
    """Units by the place that they may have, ties as ties; then those that are listed only."""
    ranked = [row for row in ranking if row["rank_from"] is not None]
    n_pairs = len(ranked) * (len(ranked) - 1) // 2
    foot = ""
    if n_pairs:
        by_chance = f"{words.plain(CHANCE)} × {words.count(n_pairs)} = {words.plain(round(CHANCE * n_pairs, 2))}"
        foot = (
            f"{words.count(len(ranked))} đơn vị được so sánh thành {words.count(n_pairs)} cặp; chỉ do ngẫu nhiên đã có"
            f" thể có tới {by_chance} cặp bị coi là khác nhau. Hai đơn vị ngang nhau trừ khi khoảng tin cậy 95% của"
            " chênh lệch giữa hai bên không chứa 0."
        )
    return Grid(
        "Theo đơn vị giải quyết: so với kỳ gốc của chính mình, cùng cơ cấu TTHC",
        heads("Đơn vị", "#Thứ bậc có thể có", CUT_HEAD, "#Ngang nhau với", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(
            cells(
                Cell(row["name"] or row["unit_id"] or "Không rõ", row["unit_id"] if row["name"] else ""),
                place(row),
                Cell(said_cut(row["actual_cut"]), unit_interval(row)),
                f"{words.count(row['n_tied'])} đơn vị" if row["rank_from"] is not None else "",
                f"{words.count(row['n_baseline'])} → {words.count(row['n_period'])}",
            )
            for row in ranking
        ),
        "Không đủ dữ liệu.",
        foot,
    )


def place(row: Row) -> Cell:
    """From the best place to the worst that the data allow; why there is none."""
    if row["rank_from"] is None:
        return Cell("không xếp", words.why(row["why"]))
    if row["rank_from"] == row["rank_to"]:
        return Cell(words.count(row["rank_from"]))
    return Cell(f"{words.count(row['rank_from'])}–{words.count(row['rank_to'])}")


def unit_interval(row: Row) -> str:
    """The interval under a unit's cut."""
    ends = words.interval(row["lower"], row["upper"])
    return "" if ends == words.EMPTY else ends
