"""The sections on boundaries: done at any counter, as well as at home, and from where to where (rulebook 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice

from procmon.report import boundary_words, words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Row, Rows, total
from procmon.report.parity import parity_grid, slower_grid
from procmon.report.parts import Cell, Grid, Section
from procmon.tables import UNDETERMINED
from procmon.text import alphabetical

MOST_BOUNDARIES = 200
MOST_FLOWS = 20
MOST_REASONS = 20
TITLE = "Không phụ thuộc vào địa giới hành chính"


def city_section(data: Mapping[str, Rows]) -> Section:
    """The city's: shares of what is on offer, list against practice, parity, roles, flows, then each procedure."""
    judged, shares = data["boundaries"], data["boundary_shares"]
    offered = [row for row in judged if row["is_on_offer"]]
    order = list(words.BOUNDARY_VERDICTS)
    offered.sort(key=lambda row: (order.index(row["verdict"]), -(row["n_dossiers"] or 0), row["procedure_id"]))
    return Section(
        "dia-gioi",
        TITLE,
        lead(judged),
        grids=(
            verdicts_grid(offered),
            practice_grid(offered),
            parity_grid(data["parity"]),
            slower_grid(data["parity"]),
            shares_grid("Theo cấp", "Cấp", [row for row in shares if row["scope"] == "level"]),
            shares_grid("Theo lĩnh vực", "Lĩnh vực", by_field(shares)),
            months_grid(by_month(shares)),
            refusals_grid(data["boundary_refusals"], none_crossing(judged, "bị từ chối")),
            roles_grid(data["roles"]),
            flows_grid(
                "Nhận ở đâu, giải quyết ở đâu (hồ sơ ngoài địa giới)",
                [row for row in data["flows"] if row["is_cross_boundary"]],
                none_crossing(judged),
            ),
            boundaries_grid(offered, "Từng TTHC, chưa chứng minh trước"),
        ),
    )


def centre_section(data: Mapping[str, Rows]) -> Section:
    """A reception point's: what it took for others, what others took for it, and what it refused."""
    judged, flows = data["boundaries"], data["flows"]
    refused = [row for row in judged if row["verdict"] == "refused_elsewhere"]
    return Section(
        "dia-gioi",
        TITLE,
        lead(judged),
        grids=(
            flows_grid(
                "Đơn vị đã nhận cho nơi khác",
                [row for row in flows if row["direction"] == "for_others"],
                none_crossing(judged, "nhận cho nơi khác"),
                ("resolving", "applicant"),
            ),
            flows_grid(
                "Nơi khác đã nhận thay cho địa bàn này",
                [row for row in flows if row["direction"] == "by_others"],
                none_crossing(judged, "do nơi khác nhận thay"),
                ("receiving", "resolving"),
            ),
            boundaries_grid(refused, "TTHC có từ chối vì địa giới"),
            refusals_grid(data["boundary_refusals"], none_crossing(judged, "bị từ chối")),
            roles_grid(data["roles"]),
        ),
    )


def lead(judged: Rows) -> tuple[str, ...]:
    """What a list proves, and which dossiers are looked at."""
    said = [
        "Danh sách công bố không chứng minh được thực hiện. Hồ sơ trực tuyến vốn không phụ thuộc địa giới, để riêng."
    ]
    if judged:
        window = words.span(judged[0]["window_from"], judged[0]["window_to"] + timedelta(days=1))
        undetermined = words.count(total(judged, "n_undetermined"))
        said.append(f"Xét hồ sơ {window}; {undetermined} hồ sơ không xác định được, không đoán.")
    return tuple(said)


def none_crossing(judged: Rows, which: str = "") -> str:
    """What an empty table of cross-boundary dossiers may say: of undetermined ones nobody knows.

    `which` tells the table's own among them, such as «bị từ chối».
    """
    undetermined = total(judged, "n_undetermined")
    if not undetermined:
        return " ".join(filter(None, ("Không có hồ sơ ngoài địa giới nào", which, "trong thời gian xét.")))
    known = "Không có hồ sơ nào xác định được là ngoài địa giới"
    own = f" {which}" if which and total(judged, "n_cross") else ""
    return f"{known}{own}; {words.count(undetermined)} hồ sơ không xác định được."


def verdicts_grid(offered: Rows) -> Grid:
    """The procedures on offer by verdict."""
    n = Counter(row["verdict"] for row in offered)
    return Grid(
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


# ---- shares


MONTHS_FOOT = (
    "Tính theo dữ liệu biết đến nay: hồ sơ được coi là đã xong vào cuối tháng nếu kết thúc trước đó, kể cả khi dữ liệu"
    " về muộn."
)


LATE_DATA = timedelta(days=31)
"""So much later than a window the data must begin for its month to be marked."""


def by_field(shares: Rows) -> list[Row]:
    """The fields' rows, as a dictionary has them."""
    return sorted((row for row in shares if row["scope"] == "field"), key=lambda row: alphabetical(row["scope_id"]))


def by_month(shares: Rows) -> list[Row]:
    """The months' ends, newest first."""
    return sorted((row for row in shares if row["scope"] == "month"), key=lambda row: row["as_of_on"], reverse=True)


def months_grid(rows: list[Row]) -> Grid:
    """The months' ends; those whose window begins long before the data are told: they grow by data alone."""
    short = [row["data_from"] for row in rows if is_short_of_data(row)]
    warning = (
        f"(*) Dữ liệu chỉ có từ {words.day(min(short))}, sau ngày đầu của thời gian xét: tỷ lệ tăng giữa các tháng này"
        " có thể chỉ vì dữ liệu dài thêm. "
        if short
        else ""
    )
    return shares_grid("Theo tháng (12 cuối tháng gần nhất)", "Cuối tháng", rows, warning + MONTHS_FOOT)


def is_short_of_data(row: Row) -> bool:
    """Whether the first dossier of a window came long after its first day."""
    return bool(row["data_from"] and row["data_from"] > row["window_from"] + LATE_DATA)


def shares_grid(title: str, kind: str, rows: Rows, foot: str = "") -> Grid:
    """Announced, proven, refused and without data, each over the procedures on offer."""
    return Grid(
        title,
        heads(kind, "#TTHC", "#Công bố", "#Đã chứng minh", "#Có từ chối", "#Không đủ dữ liệu"),
        tuple(
            cells(
                share_name(row),
                words.count(row["n_on_offer"]),
                *(share_cell(row, name) for name in ("announced", "proven", "refused_elsewhere", "no_data")),
            )
            for row in rows
        ),
        "Không đủ dữ liệu.",
        foot if rows else "",
    )


def share_cell(row: Row, name: str) -> Cell:
    """A share over its count; where no dossier tells anything, what only dossiers tell is not known to be 0."""
    if name in ("proven", "refused_elsewhere") and not row["n_told"]:
        return Cell(words.EMPTY)
    return Cell(words.share(row[f"n_{name}"], row["n_on_offer"]), words.count(row[f"n_{name}"]))


def share_name(row: Row) -> str:
    """A level or field by its name, a month as `T06/2025`."""
    if row["scope"] == "month":
        return f"T{row['as_of_on']:%m/%Y}{' *' if is_short_of_data(row) else ''}"
    return words.label(words.LEVELS, row["scope_id"]) if row["scope"] == "level" else row["scope_id"]


def practice_grid(offered: Rows) -> Grid:
    """The difference between list and practice, both ways; of what is not proven, why."""
    differences = Counter(row["difference"] for row in offered)
    whys = Counter(row["why"] for row in offered if row["difference"] == "announced_not_proven")
    listed = sum(bool(row["is_announced"]) for row in offered)
    rows = [
        cells("Đã công bố, đã chứng minh", words.count(listed - differences["announced_not_proven"])),
        cells("Đã công bố, chưa chứng minh", words.count(differences["announced_not_proven"])),
        *(
            cells(f"– {words.label(boundary_words.WHY_NOT_PROVEN, why)}", words.count(n))
            for why, n in sorted(whys.items(), key=lambda item: (-item[1], item[0]))
        ),
        cells("Chưa công bố, đã chứng minh", words.count(differences["proven_not_announced"])),
    ]
    return Grid(
        "Danh mục công bố so với thực tế",
        heads("TTHC đang được cung cấp", "#Số TTHC"),
        tuple(rows) if offered else (),
        "Không đủ dữ liệu: không có TTHC nào đang được cung cấp.",
    )


# ---- refusals, roles, flows


def refusals_grid(refusals: Rows, nothing: str) -> Grid:
    """Why cross-boundary dossiers were refused, most frequent first; `nothing` is what stands where none was."""
    n: Counter[str] = Counter()
    for row in refusals:
        n[row["reason"] or ""] += row["n"]
    ranked = sorted(n.items(), key=lambda item: (-item[1], item[0]))
    return Grid(
        "Hồ sơ ngoài địa giới bị từ chối, theo lý do",
        heads("Lý do", "#Số hồ sơ"),
        tuple(cells(reason(code), words.count(found)) for code, found in islice(ranked, MOST_REASONS)),
        nothing,
        more(len(ranked), MOST_REASONS, "lý do"),
    )


def reason(code: str) -> str:
    """A refusal's reason as logged, the known code in words."""
    if code == "not_competent":
        return "không đúng thẩm quyền, địa bàn"
    return code or "không ghi lý do"


def roles_grid(roles: Rows) -> Grid:
    """What the log lacks of the four roles, and what cannot be answered for want of it."""
    lacking = [row for row in roles if row["n_missing"] or row["n_unknown"]]
    return Grid(
        "Dữ liệu thiếu vai trò đơn vị",
        heads("Vai trò", "#Không ghi", "#Mã lạ", "#Trong số hồ sơ", "Vì vậy không trả lời được"),
        tuple(
            cells(
                words.label(boundary_words.ROLES, row["role"]),
                words.count(row["n_missing"]),
                words.count(row["n_unknown"]),
                words.count(row["n_dossiers"]),
                unanswerable(row),
            )
            for row in lacking
        ),
        "Dữ liệu ghi đủ các vai trò đơn vị, hoặc không có hồ sơ nộp trực tiếp, bưu chính.",
    )


def unanswerable(row: Row) -> str:
    """What cannot be answered for want of a role, and of how many dossiers."""
    question = words.label(boundary_words.UNANSWERABLE, row["unanswerable"])
    return f"{question}: {words.count(row['n_unanswerable'])} hồ sơ"


def flows_grid(
    title: str, flows: Rows, nothing: str, roles: Sequence[str] = ("receiving", "resolving", "applicant")
) -> Grid:
    """From which units to which, most dossiers first; `roles` are the units that are not the reader's own, `nothing`
    is what stands where there is no row."""
    n = total(flows, "n")
    return Grid(
        title,
        heads(*(boundary_words.ROLES[role] for role in roles), "#Hồ sơ", "#Đã xong", "#Từ chối"),
        tuple(
            cells(
                *(unit(row, role) for role in roles),
                words.count(row["n"]),
                words.count(row["n_finished"]),
                words.count(row["n_refused"]),
            )
            for row in flows[:MOST_FLOWS]
        ),
        nothing,
        " ".join(filter(None, (f"Tổng: {words.count(n)} hồ sơ." if n else "", more(len(flows), MOST_FLOWS, "dòng")))),
    )


def unit(row: Row, role: str) -> Cell:
    """A unit of today by name over code; an old one that cannot be told, or none, in words."""
    code = row[f"{role}_unit_id"] or ""
    if code == UNDETERMINED:
        return Cell(boundary_words.UNDETERMINED)
    name = row[f"{role}_name"] or ""
    return Cell(name or code or "không ghi", code if name else "")


# ---- procedure by procedure


def beneath(row: Row) -> str:
    """Under the verdict: since when it is proven, or why it is not, where the verdict itself does not say it."""
    if row["verdict"] == "proven" and row["first_proven_on"]:
        return f"từ ngày {words.day(row['first_proven_on'])} trong thời gian xét"
    if row["verdict"] in ("proven", "refused_elsewhere", "online_only"):
        return ""
    return words.label(boundary_words.WHY_NOT_PROVEN, row["why"])


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
                    beneath(row),
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
