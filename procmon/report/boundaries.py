"""The sections on boundaries: done at any counter, as well as at home, and from where to where (rulebook 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice

from procmon.report import boundary_words, words
from procmon.report.grids import cells, heads, more
from procmon.report.headlines import Row, Rows, total
from procmon.report.parts import Cell, Grid, Section
from procmon.tables import UNDETERMINED

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
            shares_grid("Theo lĩnh vực", "Lĩnh vực", [row for row in shares if row["scope"] == "field"]),
            shares_grid("Theo tháng (12 cuối tháng gần nhất)", "Cuối tháng", by_month(shares), MONTHS_FOOT),
            refusals_grid(data["boundary_refusals"]),
            roles_grid(data["roles"]),
            flows_grid(
                "Nhận ở đâu, giải quyết ở đâu (hồ sơ ngoài địa giới)",
                [row for row in data["flows"] if row["is_cross_boundary"]],
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
                ("resolving", "applicant"),
            ),
            flows_grid(
                "Nơi khác đã nhận thay cho địa bàn này",
                [row for row in flows if row["direction"] == "by_others"],
                ("receiving", "resolving"),
            ),
            boundaries_grid(refused, "TTHC có từ chối vì địa giới"),
            refusals_grid(data["boundary_refusals"]),
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


def by_month(shares: Rows) -> list[Row]:
    """The months' ends, newest first."""
    return sorted((row for row in shares if row["scope"] == "month"), key=lambda row: row["as_of_on"], reverse=True)


def shares_grid(title: str, kind: str, rows: Rows, foot: str = "") -> Grid:
    """Announced, proven and refused, each over the procedures on offer."""
    return Grid(
        title,
        heads(kind, "#TTHC", "#Công bố", "#Đã chứng minh", "#Có từ chối"),
        tuple(
            cells(
                share_name(row),
                words.count(row["n_on_offer"]),
                *(
                    Cell(words.share(row[f"n_{name}"], row["n_on_offer"]), words.count(row[f"n_{name}"]))
                    for name in ("announced", "proven", "refused_elsewhere")
                ),
            )
            for row in rows
        ),
        "Không đủ dữ liệu.",
        foot if rows else "",
    )


def share_name(row: Row) -> str:
    """A level or field by its name, a month as `T06/2025`."""
    if row["scope"] == "month":
        return f"T{row['as_of_on']:%m/%Y}"
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


# ---- parity


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
        "Không đủ dữ liệu: không có hồ sơ ngoài địa giới để so sánh.",
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
            for row in rows[:MOST_FLOWS]
        ),
        "Không có TTHC nào đủ hồ sơ để kết luận là chậm hơn hoặc nhanh hơn.",
        more(len(rows), MOST_FLOWS, "TTHC"),
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
        said = words.cut(1 - row["difference"])
        return said, "" if None in ends else words.interval(1 - ends[1], 1 - ends[0])
    if row["measure"] == "handovers":
        return boundary_words.signed(row["difference"], 2), ""
    points = [boundary_words.signed(100 * value, 1) for value in (row["difference"], *ends) if value is not None]
    return f"{points[0]} điểm", f"từ {points[1]} đến {points[2]}" if len(points) == 3 else ""


def verdict(row: Row) -> Cell:
    """The verdict; of what is not shown how many cross-boundary dossiers it would need."""
    needs = f"cần khoảng {words.count(row['n_needed'])} hồ sơ ngoài địa giới" if row["n_needed"] else ""
    if row["why"] == "near_margin":
        needs = "chênh lệch sát mức cho phép"
    code = row["verdict"] or ""
    return Cell(words.label(boundary_words.PARITY_VERDICTS, code), needs, boundary_words.PARITY_TONES.get(code, "none"))


# ---- refusals, roles, flows


def refusals_grid(refusals: Rows) -> Grid:
    """Why cross-boundary dossiers were refused, most frequent first."""
    n: Counter[str] = Counter()
    for row in refusals:
        n[row["reason"] or ""] += row["n"]
    ranked = sorted(n.items(), key=lambda item: (-item[1], item[0]))
    return Grid(
        "Hồ sơ ngoài địa giới bị từ chối, theo lý do",
        heads("Lý do", "#Số hồ sơ"),
        tuple(cells(reason(code), words.count(found)) for code, found in islice(ranked, MOST_REASONS)),
        "Không có hồ sơ ngoài địa giới nào bị từ chối.",
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


def flows_grid(title: str, flows: Rows, roles: Sequence[str] = ("receiving", "resolving", "applicant")) -> Grid:
    """From which units to which, most dossiers first; `roles` are the units that are not the reader's own."""
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
        "Không có hồ sơ nào trong thời gian xét.",
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


def why_not_proven(row: Row) -> str:
    """Why, where the verdict itself does not say it."""
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
                    why_not_proven(row),
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
