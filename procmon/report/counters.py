"""The section on what a reception point received."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import cells, heads
from procmon.report.headlines import Rows, all_undetermined, total
from procmon.report.parts import Grid, Section


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
    is_untold = all_undetermined(boundaries)
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
                    cells(name, words.EMPTY, words.EMPTY)
                    if column == "n_cross" and is_untold
                    else cells(name, words.count(total(boundaries, column)), words.share(total(boundaries, column), n))
                    for name, column in crossing.items()
                    if n
                ),
                "Không có hồ sơ nào trong thời gian xét.",
            ),
        ),
    )
