"""Parity on the page: cross-boundary dossiers beside local ones (rulebook 8)."""

from __future__ import annotations

from procmon.report import boundary_words, words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Row, Rows
from procmon.report.parts import Cell, Grid

MOST_PROCEDURES = 20
PARITY_FOOT = (
    "So với hồ sơ tại chỗ, cùng cơ cấu TTHC. “Tương đương” chỉ khi khoảng tin cậy 90% nằm trọn trong mức cho phép"
    " (thời gian ±10%, tỷ lệ ±5 điểm phần trăm). Không thấy khác biệt không có nghĩa là như nhau."
)


def parity_grid(parity: Rows) -> Grid:
    """The city's comparison, measure by measure."""
    rows = [row for row in parity if row["scope"] == "city"]
    has_any = any(row["n_cross"] for row in rows)
    return Grid(
        "Hồ sơ ngoài địa giới so với hồ sơ tại chỗ",
        heads("So sánh", "#Ngoài địa giới", "#Tại chỗ", "#Chênh lệch (khoảng tin cậy 95%)", "Kết luận", "#Số hồ sơ"),
        tuple(
            cells(
                words.label(boundary_words.PARITY, row["measure"]),
                measured(row["cross_value"], row["measure"]),
                measured(row["local_value"], row["measure"]),
                Cell(*difference(row)),
                verdict(row),
                f"{words.count(row['n_covered_cross'])} / {words.count(row['n_covered_local'])}",
            )
            for row in rows
            if has_any
        ),
        "Không đủ dữ liệu: không có hồ sơ nào xác định được là ngoài địa giới để so sánh.",
        PARITY_FOOT if has_any else "",
    )


def slower_grid(parity: Rows) -> Grid:
    """The procedures whose cross-boundary dossiers are shown to be slower or faster."""
    rows = [row for row in parity if row["scope"] == "procedure" and row["verdict"] in ("slower", "faster")]
    rows.sort(key=lambda row: -row["difference"])
    return Grid(
        "TTHC có thời gian ngoài địa giới khác hẳn tại chỗ",
        heads("TTHC", "#Ngoài địa giới (ngày)", "#Tại chỗ (ngày)", "#Chênh lệch (khoảng tin cậy 95%)", "Kết luận"),
        tuple(
            cells(
                Cell(row["name"] or row["scope_id"], row["scope_id"]),
                words.days(row["cross_value"]),
                words.days(row["local_value"]),
                Cell(*difference(row)),
                verdict(row),
            )
            for row in rows[:MOST_PROCEDURES]
        ),
        "Không có TTHC nào được chứng minh là chậm hơn hoặc nhanh hơn.",
        more(len(rows), MOST_PROCEDURES, "TTHC"),
    )


def measured(value: float | None, measure: str) -> str:
    """A mean in working days, a share in percent, a plain number."""
    if measure == "processing_time":
        return words.days(value)
    return words.percent(value) if measure.endswith("_share") else words.number(value, 2)


def difference(row: Row) -> tuple[str, str]:
    """The difference, and its 95 % interval under it."""
    ends = (row["lower_95"], row["upper_95"])
    if row["difference"] is None:
        return words.EMPTY, ""
    if row["measure"] == "processing_time":
        more_or_less = "" if None in ends else boundary_words.compared_between(ends[0] - 1, ends[1] - 1)
        return boundary_words.compared(row["difference"] - 1), more_or_less
    if row["measure"] == "handovers":
        return boundary_words.signed(row["difference"], 2), ""
    points = [boundary_words.signed(100 * value, 1) for value in (row["difference"], *ends) if value is not None]
    return f"{points[0]} điểm", f"từ {points[1]} đến {points[2]}" if len(points) == 3 else ""


def verdict(row: Row) -> Cell:
    """The verdict; of what is not shown why, or how many cross-boundary dossiers it would need."""
    code = row["verdict"] or ""
    below = why_not_shown(row) if code == "not_shown" else ""
    return Cell(words.label(boundary_words.PARITY_VERDICTS, code), below, boundary_words.PARITY_TONES.get(code, "none"))


def why_not_shown(row: Row) -> str:
    """What stands in the way; without an interval only the least number of dossiers can be told."""
    if row["why"] == "near_margin":
        return "chênh lệch sát mức cho phép"
    if not row["n_needed"]:
        return words.why(row["why"])
    about = "ít nhất" if row["lower_90"] is None else "khoảng"
    return f"cần {about} {words.count(row['n_needed'])} hồ sơ ngoài địa giới"
