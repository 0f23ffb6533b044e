"""Whose is whose across the merger: the codes behind a procedure, the old units behind a unit."""

from __future__ import annotations

from collections.abc import Iterator

from procmon.report import words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Rows
from procmon.report.parts import Cell, Grid, Section

MOST_UNITS = 30


def sections(predecessors: Rows, units: Rows) -> tuple[Section, ...]:
    """The section, where anything was merged."""
    grids = tuple(_grids(predecessors, units))
    if not grids:
        return ()
    return (
        Section(
            "truoc-sap-nhap",
            "Số liệu gốc trước sáp nhập là của ai",
            (
                "Thời hạn của TTHC gộp từ nhiều mã: lấy thời hạn ngắn nhất. Thời gian thực tế: gộp hồ sơ của mọi mã,"
                " mọi đơn vị trước đây; bình quân riêng từng bên chỉ để biết, không dùng để so sánh.",
            ),
            grids=grids,
        ),
    )


def _grids(predecessors: Rows, units: Rows) -> Iterator[Grid]:
    if predecessors:
        yield Grid(
            "TTHC hiện nay và các mã trước đây",
            heads("TTHC hiện nay", "Mã trước đây", "Thời hạn 31/12/2024", "#Bình quân riêng (ngày)", "#Số hồ sơ gốc"),
            tuple(
                cells(
                    row["procedure_id"],
                    Cell(row["predecessor_id"], row["name"]),
                    Cell(words.limit(row["limit_before"]), "ngắn nhất: được dùng" if row["is_shortest"] else ""),
                    Cell(words.days(row["mean_minutes"]), "nhanh nhất" if row["is_fastest"] else ""),
                    words.count(row["n_baseline"]),
                )
                for row in predecessors
            ),
            "Không có.",
        )
    if units:
        yield Grid(
            "Đơn vị hiện nay và các đơn vị trước đây được nhận toàn bộ",
            heads("Đơn vị hiện nay", "Đơn vị trước đây", "#Bình quân riêng (ngày)", "#Số hồ sơ gốc"),
            tuple(
                cells(
                    Cell(row["name"] or row["unit_id"], row["unit_id"]),
                    Cell(row["predecessor_name"] or row["predecessor_key"], row["predecessor_key"]),
                    words.days(row["mean_minutes"]),
                    words.count(row["n_baseline"]),
                )
                for row in units[:MOST_UNITS]
            ),
            "Không có.",
            more(len(units), MOST_UNITS, "đơn vị"),
        )
