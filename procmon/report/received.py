"""Pending work counts: the cut with the dossiers that are not finished, what became of all of them, the open stock."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import cells, chance, heads, more, verdict_cell
from procmon.report.headlines import Row, Rows, at_scope, said_cut
from procmon.report.parts import Cell, Grid, Section

MOST_PROCEDURES = 25


def received_section(pending_work: Rows, open_stock: Rows, scope: tuple[str, str]) -> Section:
    """Both views of the cut, then what became of the dossiers received, then the stock by its age."""
    whole = at_scope(pending_work, scope)
    levels = [row for row in pending_work if row["scope"] == "level"]
    procedures = [row for row in pending_work if row["scope"] == "procedure" and row["tau_minutes"] is not None]
    return Section(
        "chua-xong",
        "Tính cả hồ sơ chưa xong",
        (
            "Nếu chỉ tính hồ sơ đã xong thì để lại việc khó cũng trông như làm nhanh hơn. Ở đây tính mọi hồ sơ đã tiếp"
            " nhận trong kỳ: hồ sơ chưa xong được tính đến ngày cuối của chính kỳ đó, và mỗi TTHC chỉ được tính đến một"
            " giới hạn chung cho hai kỳ (giới hạn theo dõi). Cùng cơ cấu TTHC như con số chính.",
        ),
        grids=(both_views(whole + levels), fates(whole), halves(procedures), stock(open_stock)),
    )


def both_views(rows: Rows) -> Grid:
    """The cut of finished dossiers beside that of all received ones."""
    return Grid(
        "Hai cách tính, đặt cạnh nhau",
        heads(
            "Phạm vi", "#Chỉ hồ sơ đã xong", "#Tính cả hồ sơ chưa xong (khoảng tin cậy 95%)", "Kết luận khi tính cả",
            "Hai cách tính", "#Hồ sơ tiếp nhận (gốc → kỳ này)",
        ),
        tuple(
            cells(
                scope_name(row),
                said_cut(row["actual_cut"]),
                Cell(said_cut(row["restricted_cut"]), interval(row)),
                verdict_cell(row),
                Cell(words.label(words.AGREEMENTS, row["agreement"]), "", AGREEMENT_TONES.get(row["agreement"], "")),
                f"{words.count(row['n_received_baseline'])} → {words.count(row['n_received_period'])}",
            )
            for row in rows
        ),
        "Không đủ dữ liệu: cần số liệu kỳ gốc có cả hồ sơ chưa xong.",
        chance(rows),
    )  # fmt: skip


AGREEMENT_TONES = {"disagree": "bad", "agree": "good"}


def scope_name(row: Row) -> str:
    """A level's label; else all of the page's dossiers."""
    return words.label(words.LEVELS, row["scope_id"]) if row["scope"] == "level" else "Toàn bộ"


def interval(row: Row) -> str:
    """The interval under a cut; nothing where there is none."""
    ends = words.interval(row["cut_lower"], row["cut_upper"])
    return "" if ends == words.EMPTY else ends


def fates(whole: Rows) -> Grid:
    """Of the dossiers received: with a result, ended without one, pending – by each period's own end."""
    said = {
        "n_result": "Đã có kết quả",
        "n_no_result": "Kết thúc mà không có kết quả (dừng, từ chối, rút)",
        "n_pending": "Còn đang giải quyết",
    }
    return Grid(
        "Hồ sơ đã tiếp nhận đi đến đâu, tính đến ngày cuối của chính kỳ đó",
        heads("", "#Kỳ gốc, cùng các tháng", "#Kỳ này"),
        tuple(
            cells(
                name,
                *(
                    words.share_of(row[f"{column}_{side}"], row[f"n_received_{side}"], "hồ sơ")
                    for side in ("baseline", "period")
                ),
            )
            for row in whole
            for column, name in said.items()
        ),
        "Không đủ dữ liệu.",
    )


def halves(procedures: Rows) -> Grid:
    """Per procedure: when half had ended, when half had a result, and the share that ended without one beside it."""
    procedures = sorted(procedures, key=lambda row: (-row["n_received_period"], row["scope_id"]))
    return Grid(
        "Bao lâu thì một nửa số hồ sơ có kết quả (ngày làm việc, kỳ gốc → kỳ này)",
        heads(
            "TTHC", "#Một nửa đã kết thúc", "#Một nửa đã có kết quả", "#Có kết quả trong giới hạn theo dõi",
            "#Kết thúc không kết quả trong giới hạn", "#Nếu không ai rút hoặc bị dừng", "#Hồ sơ tiếp nhận",
        ),
        tuple(
            cells(
                Cell(row["name"] or row["scope_id"], row["scope_id"]),
                days(row, "km_median"),
                days(row, "half_with_result"),
                Cell(shares(row, "with"), f"trong {words.days(row['tau_minutes'])} ngày"),
                shares(row, "without"),
                days(row, "median_if_none_withdrawn"),
                f"{words.count(row['n_received_baseline'])} → {words.count(row['n_received_period'])}",
            )
            for row in procedures[:MOST_PROCEDURES]
        ),
        "Không có TTHC nào đủ hồ sơ ở cả hai kỳ.",
        " ".join(
            part
            for part in (
                "– nghĩa là chưa đến một nửa. Trung vị chỉ tính theo từng TTHC, không gộp." if procedures else "",
                more(len(procedures), MOST_PROCEDURES, "TTHC"),
            )
            if part
        ),
    )  # fmt: skip


def days(row: Row, measure: str) -> str:
    """Baseline → period in working days."""
    return " → ".join(words.days(row[f"{measure}_{side}_minutes"]) for side in ("baseline", "period"))


def shares(row: Row, which: str) -> str:
    """Baseline → period in percent."""
    return " → ".join(words.percent(row[f"share_{which}_result_{side}"]) for side in ("baseline", "period"))


def stock(open_stock: Rows) -> Grid:
    """The dossiers that lay open at each month's end, by days since receipt."""
    return Grid(
        "Hồ sơ tồn cuối mỗi tháng, theo số ngày kể từ khi tiếp nhận",
        heads("Cuối tháng", "#Hồ sơ tồn", "#Trên 30 ngày", "#Trên 90 ngày", "#Trên 180 ngày", "#Trung vị (ngày)"),
        tuple(
            cells(
                f"T{row['month_end_on']:%m/%Y}",
                words.count(row["n_open"]),
                *(aged(row, column) for column in ("n_over_30", "n_over_90", "n_over_180")),
                words.number(row["median_age_days"]),
            )
            for row in open_stock
        ),
        "Không đủ dữ liệu.",
        "Tính theo ngày trên lịch. Hồ sơ mở lại được coi là tồn suốt từ khi tiếp nhận.",
    )


def aged(row: Row, column: str) -> Cell:
    """A count over its share of the stock."""
    return Cell(words.count(row[column]), words.share(row[column], row["n_open"]) if row["n_open"] else "")
