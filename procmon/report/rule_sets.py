"""On time under each rule set, and why the official form says another share than the national index."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import cells, heads
from procmon.report.headlines import Row, Rows, at_scope
from procmon.report.parts import Grid, Section

APART = {
    "n_without_due_date": "không có hạn",
    "n_stopped": "dừng",
    "n_refused": "từ chối",
    "n_withdrawn": "rút",
}


def rule_sets_section(on_time: Rows, bridge: Rows) -> Section:
    """The three shares side by side, and the steps from chi_so_766 to bieu_06."""
    return Section(
        "dung-han",
        "Tỷ lệ đúng hạn theo từng bộ quy tắc",
        (
            "Cùng một tập hồ sơ: đã tiếp nhận đến hết kỳ và chưa kết thúc trước kỳ. Hồ sơ đang giải quyết được xét vào"
            " thời điểm chốt số liệu.",
        ),
        grids=(shares_grid(on_time), bridge_grid(bridge)),
    )


def shares_grid(on_time: Rows) -> Grid:
    """One row a rule set, over all of the page's dossiers: the table's first rows."""
    whole = at_scope(on_time, (on_time[0]["scope"], on_time[0]["scope_id"])) if on_time else []
    return Grid(
        "Ba bộ quy tắc, đặt cạnh nhau",
        heads("Bộ quy tắc", "#Tỷ lệ đúng hạn", "#Đúng hạn", "#Quá hạn", "#Để riêng, không tính"),
        tuple(
            cells(
                words.label(words.RULE_SET_NAMES, row["rule_set"]),
                words.share_of(row["n_on_time"], row["n_judged"], "hồ sơ"),
                words.count(row["n_on_time"]),
                words.count(row["n_late"]),
                apart(row),
            )
            for row in whole
        ),
        "Không có hồ sơ nào trong kỳ.",
    )


def apart(row: Row) -> str:
    """How many dossiers stand in no share, and why."""
    said = [f"{name} {words.count(row[column])}" for column, name in APART.items() if row[column]]
    n = words.count(row["n_dossiers"] - row["n_judged"])
    return f"{n} ({', '.join(said)})" if said else n


def bridge_grid(bridge: Rows) -> Grid:
    """The steps that move a dossier, between the two ends; each dossier moves in one step only."""
    to_form = [row for row in bridge if row["to_rule_set"] == "form_06"]
    return Grid(
        "Từ chi_so_766 đến bieu_06: mỗi bước chuyển bao nhiêu hồ sơ",
        heads("Bước", "#Thêm vào đúng hạn", "#Bớt khỏi đúng hạn", "#Tỷ lệ đúng hạn sau bước"),
        tuple(
            cells(
                words.label(words.BRIDGE_STEPS, row["step"]),
                "" if row["step"] == "start" else words.count(row["n_into_on_time"]),
                "" if row["step"] == "start" else words.count(row["n_out_of_on_time"]),
                words.share_of(row["n_on_time"], row["n_judged"], "hồ sơ"),
            )
            for row in to_form
            if row["n_moved"] or row["step"] == "start"
        ),
        "Không có hồ sơ nào trong kỳ.",
        "Mỗi hồ sơ chỉ chuyển ở một bước. Bước không chuyển hồ sơ nào thì không in.",
    )
