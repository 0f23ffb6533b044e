"""The section on pending work: what is overdue, what soon will be, and who holds it."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

from procmon.report import words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Row, Rows
from procmon.report.parts import Cell, Grid, Section

MOST_DOSSIERS = 100


def due_section(due_soon: Rows, zone: ZoneInfo) -> Section:
    """Counts, the two lists to act on, and who holds them."""
    n = Counter(row["state"] for row in due_soon)
    within = {k: sum(n[f"due_{i}"] for i in range(1, k + 1)) for k in (1, 2, 3)}
    lead = (
        f"Đã quá hạn: {words.count(n['overdue'])} hồ sơ. Còn hạn và đến hạn trong 1, 2, 3 ngày làm việc:"
        f" {words.count(within[1])}, {words.count(within[2])}, {words.count(within[3])} hồ sơ (số sau gồm cả số trước)."
        f" Đang chờ người nộp: {words.count(n['waiting'])}. Không có hạn để đối chiếu:"
        f" {words.count(n['nothing_to_judge_by'])}.",
    )
    return Section(
        "den-han",
        "Hồ sơ quá hạn và sắp đến hạn",
        lead,
        grids=(overdue_grid(due_soon, zone), soon_grid(due_soon, zone), holders_grid(due_soon)),
    )


def overdue_grid(due_soon: Rows, zone: ZoneInfo, most: int = MOST_DOSSIERS) -> Grid:
    """Overdue dossiers, the longest overdue first."""
    rows = [row for row in due_soon if row["state"] == "overdue"]
    return dossiers_grid("Đã quá hạn, quá lâu nhất trước", "#Đã quá (ngày làm việc)", rows, zone, most)


def soon_grid(due_soon: Rows, zone: ZoneInfo, most: int = MOST_DOSSIERS) -> Grid:
    """Dossiers due within three working days, the next first."""
    rows = [row for row in due_soon if row["state"] in ("due_1", "due_2", "due_3")]
    return dossiers_grid("Đến hạn trong 3 ngày làm việc, gấp nhất trước", "#Còn (ngày làm việc)", rows, zone, most)


def dossiers_grid(title: str, left: str, rows: list[Row], zone: ZoneInfo, most: int) -> Grid:
    """Dossier codes by the time left, with who holds them."""
    unknown = float("inf")
    rows = sorted(
        rows, key=lambda row: (unknown if row["left_minutes"] is None else row["left_minutes"], row["dossier_id"])
    )
    return Grid(
        title,
        heads("Mã hồ sơ", left, "Đơn vị đang giữ", "#Hẹn trả", "TTHC", "#Lần bổ sung"),
        tuple(
            cells(
                row["dossier_id"],
                words.EMPTY if row["left_minutes"] is None else words.days(abs(row["left_minutes"])),
                holder(row),
                words.instant(row["judged_due_at"], zone),
                Cell(row["procedure_name"] or "không rõ TTHC", row["procedure_id"] or ""),
                words.count(row["n_supplements"]),
            )
            for row in rows[:most]
        ),
        "Không có hồ sơ nào.",
        more(len(rows), most, "hồ sơ"),
    )


def holder(row: Row) -> str:
    """Who holds the dossier: name, else code."""
    return row["holding_unit_name"] or row["holding_unit_id"] or "không rõ"


def holders_grid(due_soon: Rows) -> Grid:
    """Pending work by holding unit, in code order."""
    names = {row["holding_unit_id"] or "": holder(row) for row in due_soon}
    n = Counter((row["holding_unit_id"] or "", row["state"]) for row in due_soon)
    soon = ("due_1", "due_2", "due_3")
    return Grid(
        "Theo đơn vị đang giữ, xếp theo mã đơn vị",
        heads(
            "Đơn vị", "#Quá hạn", "#Đến hạn trong 3 ngày", "#Còn trên 3 ngày", "#Đang chờ người nộp", "#Không có hạn"
        ),
        tuple(
            cells(
                Cell(names[unit], unit),
                words.count(n[unit, "overdue"]),
                words.count(sum(n[unit, state] for state in soon)),
                words.count(n[unit, "later"]),
                words.count(n[unit, "waiting"]),
                words.count(n[unit, "nothing_to_judge_by"]),
            )
            for unit in sorted(names)
        ),
        "Không có hồ sơ đang giải quyết.",
    )
