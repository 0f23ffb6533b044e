"""The sections on where dossiers are taken: boundaries, and what a reception point received."""

from __future__ import annotations

from collections import Counter

from procmon.report import words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Rows, total
from procmon.report.parts import Cell, Grid, Section

MOST_BOUNDARIES = 200


def boundaries_section(boundaries: Rows, *, is_brief: bool) -> Section:
    """Verdicts as shares of the procedures on offer; then those that ask for action first."""
    offered = [row for row in boundaries if row["is_on_offer"]]
    n = Counter(row["verdict"] for row in offered)
    shares = Grid(
        "TTHC đang được cung cấp, theo bằng chứng",
        heads("Kết luận", "#Số TTHC", "#Tỷ lệ"),
        tuple(
            cells(
                Cell(name, "", words.BOUNDARY_TONES.get(code, "none")),
                words.count(n[code]),
                words.share(n[code], len(offered)),
            )
            for code, name in words.BOUNDARY_VERDICTS.items()
            if offered
        ),
        "Không đủ dữ liệu: không có TTHC nào đang được cung cấp.",
    )
    order = list(words.BOUNDARY_VERDICTS)
    rows = [row for row in offered if not is_brief or row["verdict"] == "refused_elsewhere"]
    rows.sort(key=lambda row: (order.index(row["verdict"]), -(row["n_dossiers"] or 0), row["procedure_id"]))
    undetermined = total(boundaries, "n_undetermined")
    lead = [
        "Danh sách công bố không chứng minh được thực hiện. Hồ sơ trực tuyến vốn không phụ thuộc địa giới, để riêng."
    ]
    if boundaries:
        window = words.span(boundaries[0]["window_from"], boundaries[0]["window_to"])
        lead.append(f"Xét hồ sơ {window}; {words.count(undetermined)} hồ sơ không xác định được, không đoán.")
    grid = boundaries_grid(rows, "TTHC có từ chối vì địa giới" if is_brief else "Từng TTHC, chưa chứng minh trước")
    return Section("dia-gioi", "Không phụ thuộc vào địa giới hành chính", tuple(lead), grids=(shares, grid))


def boundaries_grid(rows: Rows, title: str) -> Grid:
    """The evidence, procedure by procedure."""
    return Grid(
        title,
        heads(
            "TTHC",
            "Kết luận",
            "Công bố",
            "#Xong ngoài địa giới",
            "#Nơi tiếp nhận / có thể",
            "#Bị từ chối",
            "#Hồ sơ",
            "#Trực tuyến",
            "#Không xác định",
            "#Trả kết quả nơi khác",
        ),
        tuple(
            cells(
                Cell(row["name"] or row["procedure_id"], row["procedure_id"]),
                Cell(
                    words.label(words.BOUNDARY_VERDICTS, row["verdict"]),
                    "",
                    words.BOUNDARY_TONES.get(row["verdict"], "none"),
                ),
                "Có" if row["is_announced"] else "Không",
                words.count(row["n_cross_finished"]),
                f"{words.count(row['n_receiving_units'])} / {words.count(row['n_units_that_could'])}",
                words.count(row["n_refused_elsewhere"]),
                words.count(row["n_dossiers"]),
                words.count(row["n_online"]),
                words.count(row["n_undetermined"]),
                words.count(row["n_returned_elsewhere"]),
            )
            for row in rows[:MOST_BOUNDARIES]
        ),
        "Không có.",
        more(len(rows), MOST_BOUNDARIES, "TTHC"),
    )


def reception_section(form_06: Rows, boundaries: Rows) -> Section:
    """What a reception point took in, by way of filing and across boundaries."""
    all_received, n = total(form_06, "received"), total(boundaries, "n_dossiers")
    ways = {
        "Trực tuyến, trong kỳ": "received_online",
        "Trực tiếp và bưu chính, trong kỳ": "received_in_person_post",
        "Từ kỳ trước chuyển sang": "carried_over",
    }
    crossing = {
        "Nộp trực tuyến": "n_online",
        "Ngoài địa giới": "n_cross",
        "Không xác định được": "n_undetermined",
    }
    head = heads("Hồ sơ", "#Số lượng", "#Tỷ lệ")
    return Section(
        "tiep-nhan",
        "Tiếp nhận hồ sơ",
        grids=(
            Grid(
                "Trong kỳ báo cáo",
                head,
                tuple(
                    cells(name, words.count(total(form_06, column)), words.share(total(form_06, column), all_received))
                    for name, column in ways.items()
                    if form_06
                ),
                "Không có hồ sơ nào trong kỳ.",
            ),
            Grid(
                "Theo địa giới, trong thời gian xét về địa giới",
                head,
                tuple(
                    cells(name, words.count(total(boundaries, column)), words.share(total(boundaries, column), n))
                    for name, column in crossing.items()
                    if n
                ),
                "Không có hồ sơ nào trong thời gian xét.",
            ),
        ),
    )
