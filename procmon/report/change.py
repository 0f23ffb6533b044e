"""Why the time changed, part by part, and how far it is to the targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from procmon.report import boundary_words, words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Row, Rows, said_cut
from procmon.report.parts import Cell, Grid, Section
from procmon.report.times import group_name
from procmon.tables import UNDETERMINED

MOST = 10
MOST_UNITS = 20
PART_NAMES = {"uncovered": "Hồ sơ ngoài phần so sánh được", "fixed_mix": "Mức giảm với cùng cơ cấu TTHC"}


def change_section(change: Rows) -> Section:
    """What made the change: mix, procedures, units, stages and pauses, each adding up to its total."""
    return Section(
        "vi-sao",
        "Vì sao thời gian thay đổi",
        (
            "Mỗi bảng tách mức giảm thành các phần, cộng lại đúng bằng tổng. Một điểm là 1% thời gian giải quyết của kỳ"
            " gốc. Bảng cho biết phần nào làm thay đổi con số, không cho biết nguyên nhân và không quy lỗi.",
        ),
        grids=(
            mix_grid(of(change, "mix")),
            *procedure_grids(of(change, "procedure")),
            units_grid(of(change, "unit")),
            stages_grid(of(change, "stage")),
            pauses_grid(of(change, "paused"), of(change, "with_pauses")),
        ),
    )


def of(change: Rows, by: str) -> list[Row]:
    """The rows of one decomposition, in their order."""
    return [row for row in change if row["parted_by"] == by]


def points(contribution: float) -> str:
    """A part of the cut: giảm 3,1 điểm; tăng 0,4 điểm."""
    if contribution == 0:
        return "0 điểm"
    return f"{'giảm' if contribution > 0 else 'tăng'} {words.number(abs(contribution) * 100)} điểm"


def sides(row: Row) -> str:
    """Dossiers of both sides."""
    return f"{words.count(row['n_baseline'])} → {words.count(row['n_period'])}"


def means(row: Row) -> str:
    """Means of both sides in working days."""
    return f"{words.days(row['mean_baseline_minutes'])} → {words.days(row['mean_period_minutes'])}"


def mix_grid(rows: Rows) -> Grid:
    """From the plain mean over all dossiers, which a cheaper mix moves, to the cut at fixed mix."""
    lines = {row["term"]: row for row in rows if row["term"] != "mix"}
    mixed = [row for row in rows if row["term"] == "mix"]
    shown = []
    if lines:
        total, rest, fixed = (lines[term] for term in ("total", "uncovered", "fixed_mix"))
        shown = [
            cells("Bình quân đơn giản của mọi hồ sơ", said_cut(total["contribution"]), means(total), sides(total)),
            cells(f"− {PART_NAMES['uncovered']}", points(rest["contribution"]), means(rest), sides(rest)),
            cells(
                f"− Cơ cấu thay đổi giữa {words.count(len(mixed))} TTHC",
                points(sum(row["contribution"] for row in mixed)),
                "",
                "",
            ),
            cells(f"= {PART_NAMES['fixed_mix']}", said_cut(fixed["contribution"]), means(fixed), sides(fixed)),
        ]
    return Grid(
        "Từ bình quân đơn giản đến mức giảm với cùng cơ cấu TTHC",
        heads("", "#Phần trong mức giảm", "#Bình quân (ngày làm việc)", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(shown),
        "Không đủ dữ liệu.",
        "Bình quân đơn giản giảm cả khi chỉ có nhiều việc dễ hơn; vì vậy không bao giờ là con số chính."
        if shown
        else "",
    )


def procedure_grids(rows: Rows) -> tuple[Grid, ...]:
    """The ten procedures that gave most and the ten that cost most."""
    parts = [row for row in rows if row["term"] != "total"]
    gave = [row for row in parts if row["contribution"] > 0]
    cost = [row for row in reversed(parts) if row["contribution"] < 0]
    total = next((row for row in rows if row["term"] == "total"), None)
    foot = f"Tổng của {words.count(len(parts))} TTHC: {points(total['contribution'])}." if total else ""
    return (
        parts_grid("Mười TTHC làm giảm nhiều nhất", "TTHC", gave[:MOST], foot),
        parts_grid("Mười TTHC làm tăng nhiều nhất", "TTHC", cost[:MOST], foot),
    )


def parts_grid(title: str, kind: str, rows: Sequence[Row], foot: str) -> Grid:
    """One line a part."""
    return Grid(
        title,
        heads(kind, "#Phần trong mức giảm", "#Bình quân (ngày làm việc)", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(cells(part_name(row), points(row["contribution"]), means(row), sides(row)) for row in rows),
        "Không có.",
        foot,
    )


def part_name(row: Row) -> Cell:
    """A part's name over its code; a stage that no event names."""
    if row["part_id"] == UNDETERMINED:
        return Cell(boundary_words.UNDETERMINED)
    if row["parted_by"] == "stage":
        return Cell(row["part_id"] or "Không ghi tên bước")
    return Cell(row["name"] or row["part_id"] or "Không rõ", row["part_id"] if row["name"] else "")


def units_grid(rows: Rows) -> Grid:
    """Each unit's two terms: faster or slower, and work moved between units."""
    pace = {row["part_id"]: row for row in rows if row["term"] == "pace"}
    moved = {row["part_id"]: row["contribution"] for row in rows if row["term"] == "moved"}
    both = sorted(pace, key=lambda unit: (-abs(pace[unit]["contribution"] + moved[unit]), unit))
    total = sum(row["contribution"] for row in rows if row["term"] in ("pace", "moved"))
    return Grid(
        "Theo đơn vị giải quyết, phần lớn trước",
        heads("Đơn vị", "#Cộng", "#Nhanh hơn, chậm hơn", "#Việc chuyển giữa các đơn vị", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(
            cells(
                part_name(pace[unit]),
                points(pace[unit]["contribution"] + moved[unit]),
                points(pace[unit]["contribution"]),
                points(moved[unit]),
                sides(pace[unit]),
            )
            for unit in both[:MOST_UNITS]
        ),
        "Không đủ dữ liệu.",
        f"Tổng của {words.count(len(both))} đơn vị: {points(total)}. {more(len(both), MOST_UNITS, 'đơn vị')}".strip()
        if both
        else "",
    )  # fmt: skip


def stages_grid(rows: Rows) -> Grid:
    """By stage; pauses are no part of the processing time."""
    parts = [row for row in rows if row["term"] != "total"]
    total = next((row for row in rows if row["term"] == "total"), None)
    foot = f"Tổng của {words.count(len(parts))} bước: {points(total['contribution'])}." if total else ""
    grid = parts_grid("Theo bước xử lý (không kể thời gian tạm dừng)", "Bước", parts, foot)
    return replace(grid, empty="Không đủ dữ liệu: kỳ gốc được công bố khi chưa lưu từng bước xử lý.")


def pauses_grid(paused: Rows, with_pauses: Rows) -> Grid:
    """The change in paused time beside, and of processing and paused time together."""
    named = (("Thời gian tạm dừng, không tính vào thời gian giải quyết", paused),
             ("Thời gian giải quyết và tạm dừng cộng lại", with_pauses))  # fmt: skip
    shown = []
    for name, rows in named:
        for row in rows:
            if row["term"] == "total":
                cut = None
                if row["mean_baseline_minutes"]:
                    cut = 1 - row["mean_period_minutes"] / row["mean_baseline_minutes"]
                shown.append(cells(name, said_cut(cut), means(row), sides(row)))
    return Grid(
        "Đồng hồ có bị dừng nhiều hơn không",
        heads("", "#Mức giảm", "#Bình quân (ngày làm việc)", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(shown),
        "Không đủ dữ liệu: kỳ gốc được công bố khi chưa lưu thời gian tạm dừng.",
        "Thời gian giải quyết giảm mà thời gian tạm dừng tăng thì người nộp chưa chắc đã chờ ít hơn." if shown else "",
    )


def way_section(way: Rows) -> Section:
    """For each target not met: the gap, and what the rest of the period would need; fields and units are in `show`."""
    rows = [row for row in way if row["scope"] not in ("field", "unit", "department", "tag")] or way
    return Section(
        "con-bao-xa",
        "Còn bao xa đến mục tiêu",
        (
            "Với mỗi mục tiêu chưa đạt hoặc chưa đủ căn cứ: còn thiếu bao nhiêu ngày làm việc mỗi hồ sơ, và phần còn"
            " lại của kỳ phải đạt bình quân bao nhiêu, nếu số hồ sơ những tháng còn lại như trong kỳ gốc. Chỉ những"
            " tháng đã hết được coi là đã tính.",
        ),
        grids=(
            Grid(
                "Khoảng cách",
                heads(
                    "Mục tiêu", "Phạm vi", "#Bình quân hiện nay (ngày)", "#Mức phải đạt (ngày)", "#Còn thiếu (ngày)",
                    "#Phần còn lại của kỳ cần bình quân (ngày)", "#Hồ sơ gốc (đã tính; còn lại)",
                ),
                tuple(
                    cells(
                        row["name"],
                        "Toàn thành phố" if row["scope"] == "city" else group_name({**row, "name": row["scope_id"]}),
                        words.days(row["mean_period_minutes"]),
                        words.days(row["target_mean_minutes"]),
                        gap(row),
                        needed(row),
                        f"{words.count(row['n_done'])}; {words.count(row['n_rest'])}",
                    )
                    for row in rows
                ),
                "Không có mục tiêu nào chưa đạt.",
            ),
        ),
    )  # fmt: skip


def gap(row: Row) -> str:
    """What is missing; a target whose figure is reached but not proven lacks nothing but certainty."""
    days = row["gap_days"]
    if days is None:
        return words.EMPTY
    return words.number(days) if days > 0 else "không thiếu, nhưng chưa chắc chắn"


def needed(row: Row) -> str:
    """The mean that the rest would need, or why there is none."""
    return words.label(words.WAY_WHY, row["why"]) if row["why"] else words.days(row["needed_mean_minutes"])
