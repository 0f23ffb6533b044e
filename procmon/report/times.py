"""The sections on time: trend, limits on paper, procedures, groups and targets."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import CUT_HEAD, cells, chance, cut_cell, heads, more, verdict_cell
from procmon.report.headlines import Row, Rows, compared_limits, is_cut_on_paper_only, is_told_by_itself, said_cut
from procmon.report.parts import Cell, Grid, Section
from procmon.report.ranking import ranking_grid
from procmon.tables import About
from procmon.text import alphabetical

MOST_UNDETERMINED = 40


def trend_section(trend: Rows) -> Section:
    """Processing time at fixed mix, point by point."""
    rows = [
        cells(
            trend_label(row) + (" (gốc)" if row["is_baseline"] else ""),
            words.count(row["n"]),
            words.NO_DATA if row["ratio"] is None else words.percent(row["ratio"]),
            words.days(row["mean_minutes"]),
        )
        for row in trend
    ]
    grid = Grid(
        "Số liệu của biểu đồ",
        heads("Thời gian", "#Số hồ sơ", "#So với kỳ gốc", "#Bình quân (ngày)"),
        tuple(rows),
        "Không đủ dữ liệu để vẽ diễn biến (cần số liệu kỳ gốc và đủ hồ sơ trong từng thời điểm).",
    )
    lead = [
        "Thời gian giải quyết thực tế với cùng cơ cấu TTHC; mọi thời điểm dùng chung một tập hợp TTHC."
        " Kỳ gốc = 100%; bình quân tính bằng ngày làm việc."
    ]
    if trend:
        first = trend[0]
        lead.append(
            f"Tập hợp gồm {words.count(first['n_procedures'])} TTHC, bằng {words.percent(first['coverage'])}"
            " số hồ sơ kỳ gốc."
        )
    return Section("xu-huong", "Diễn biến thời gian giải quyết", tuple(lead), charts=("xu-huong",), grids=(grid,))


def trend_label(row: Row) -> str:
    """`T11/2025` or `Q4/2025`."""
    start = row["starts_on"]
    return f"Q{(start.month + 2) // 3}/{start.year}" if row["step"] == "quarter" else f"T{start:%m/%Y}"


def limits_section(headline: Row) -> Section:
    """Procedures by how far their limit was cut."""
    n = compared_limits(headline)
    rows = [
        cells(name, words.count(headline[column] or 0), words.share(headline[column] or 0, n))
        for column, name in words.LIMIT_CLASSES.items()
        if n
    ]
    grid = Grid(
        "TTHC theo mức cắt giảm thời hạn",
        heads("Mức", "#Số TTHC", "#Tỷ lệ"),
        tuple(rows),
        "Không đủ dữ liệu: không có TTHC nào có thời hạn ở cả hai ngày.",
        f"Ngoài ra {words.count(headline['n_no_limit'] or 0)} TTHC không có thời hạn ngày 31/12/2024." if n else "",
    )
    return Section(
        "thoi-han",
        "Thời hạn trên giấy",
        ("Đây là thời hạn do văn bản quy định, không phải thời gian giải quyết thực tế.",),
        charts=("thoi-han",),
        grids=(grid,),
    )


def procedures_section(reductions: Rows, about: About) -> Section:
    """Every procedure with a dossier on either side, then those cut on paper only."""
    procedures = [row for row in reductions if row["scope"] == "procedure"]
    with_dossiers = [row for row in procedures if row["n_baseline"] or row["n_period"]]
    with_dossiers.sort(key=lambda row: (-(row["n_period"] or 0), row["scope_id"]))
    silent = len(procedures) - len(with_dossiers)
    table = Grid(
        "Từng TTHC, nhiều hồ sơ trước",
        heads(
            "TTHC",
            CUT_HEAD,
            "Kết luận",
            "#Số hồ sơ (gốc → kỳ này)",
            "#Bình quân",
            "#Trung vị",
            "#Phân vị 90",
            "Thời hạn (31/12/2024 → nay)",
        ),
        tuple(procedure_cells(row) for row in with_dossiers),
        "Không có hồ sơ đã xong của TTHC nào.",
        f"{words.count(silent)} TTHC khác không có hồ sơ đã xong ở cả hai bên." if silent else "",
    )
    paper_only = [row for row in with_dossiers if is_told_by_itself(row, about) and is_cut_on_paper_only(row)]
    caution = "Danh sách “chỉ giảm trên giấy” nêu nơi cần xem lại, không kết luận lỗi." if paper_only else ""
    return Section(
        "tung-tthc",
        "Từng thủ tục hành chính",
        (
            "Thời gian tính bằng ngày làm việc (480 phút), kỳ gốc → kỳ này; bình quân đã giới hạn ở mức trần của TTHC."
            " Kết luận riêng cho một TTHC chỉ có khi đủ hồ sơ ở cả hai bên.",
        ),
        charts=("tung-tthc",),
        grids=(table, paper_only_grid(paper_only)) if paper_only else (table,),
        notes=tuple(note for note in (chance(with_dossiers), caution) if note),
    )


def procedure_cells(row: Row) -> tuple[Cell, ...]:
    """One procedure: both sides, cut, interval, verdict, limits."""
    return cells(
        Cell(row["name"] or row["scope_id"], row["scope_id"]),
        cut_cell(row),
        verdict_cell(row),
        f"{words.count(row['n_baseline'])} → {words.count(row['n_period'])}",
        both(row, "mean"),
        both(row, "median"),
        both(row, "p90"),
        Cell(words.limit_change(row["limit_before"], row["limit_now"]), limit_cut(row)),
    )


def both(row: Row, measure: str) -> str:
    """Baseline → period, in working days."""
    return f"{words.days(row[f'{measure}_baseline_minutes'])} → {words.days(row[f'{measure}_period_minutes'])}"


def limit_cut(row: Row) -> str:
    """How far the limit was cut; said aloud where 2024 had none."""
    if row["limit_class"] == "no_limit_2024":
        return "không có thời hạn năm 2024"
    return "" if row["limit_cut"] is None else words.cut(row["limit_cut"])


def paper_only_grid(rows: Rows) -> Grid:
    """Limits down, time flat, lateness up: which procedures."""
    return Grid(
        "Chỉ giảm trên giấy: thời hạn giảm, thời gian không giảm, quá hạn tăng",
        heads("TTHC", "#Thời hạn", "#Thời gian thực tế", "#Đúng hạn, kỳ gốc", "#Đúng hạn, thời hạn mới", "#Số hồ sơ"),
        tuple(
            cells(
                Cell(row["name"] or row["scope_id"], row["scope_id"]),
                words.cut(row["limit_cut"]),
                words.cut(row["actual_cut"]),
                words.share(row["n_baseline_on_time"], row["n_baseline_judged"]),
                words.share(row["n_on_time_new"], row["n_judged_both"]),
                words.count(row["n_judged_both"]),
            )
            for row in rows
        ),
        "Không có.",
    )


def groups_section(reductions: Rows, ranking: Rows, undetermined_units: Rows) -> Section:
    """The actual cut by level, field, tag and department, units by their places, and what is undetermined."""
    groups = (
        group_grid(title, kind, [row for row in reductions if row["scope"] == scope])
        for scope, title, kind in (
            ("level", "Theo cấp", "Cấp"),
            ("field", "Theo lĩnh vực", "Lĩnh vực"),
            ("tag", "Theo nhóm TTHC", "Nhóm"),
            ("department", "Theo sở, ngành (kể cả đơn vị trực thuộc)", "Sở, ngành"),
        )
    )
    return Section(
        "theo-nhom",
        "Theo cấp, lĩnh vực và đơn vị",
        (
            "Thời gian giải quyết thực tế, cùng cơ cấu TTHC. Đơn vị chỉ được xếp khi có đủ hồ sơ; thứ bậc “2–7” nghĩa"
            " là dữ liệu không tách được đơn vị đó khỏi những đơn vị đứng từ thứ 2 đến thứ 7.",
        ),
        grids=(
            *(grid for grid in groups if grid.rows),
            ranking_grid(ranking),
            *undetermined_grids(undetermined_units),
        ),
    )


def undetermined_grids(undetermined_units: Rows) -> tuple[Grid, ...]:
    """The old units that no unit of today stands for, most dossiers first; no table where there is none."""
    heirs: dict[str, list[Row]] = {}
    for row in undetermined_units:
        heirs.setdefault(row["unit_key"], []).append(row)
    if not heirs:
        return ()
    ranked = sorted(
        heirs.values(), key=lambda rows: (-(rows[0]["n_baseline"] + rows[0]["n_period"]), rows[0]["unit_key"])
    )
    grid = Grid(
        "Đơn vị cũ chưa xác định được đơn vị hiện nay",
        heads("Đơn vị cũ", "Vì sao", "Có thể thuộc", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(
            cells(
                Cell(rows[0]["name"] or rows[0]["unit_key"], rows[0]["unit_key"]),
                "đã chia tách" if rows[0]["why"] == "split" else "chưa rõ đơn vị kế thừa",
                "; ".join(heir_name(row) for row in rows if row["heir_unit_id"]) or words.EMPTY,
                f"{words.count(rows[0]['n_baseline'])} → {words.count(rows[0]['n_period'])}",
            )
            for rows in ranked[:MOST_UNDETERMINED]
        ),
        "",
        " ".join(filter(None, (
            "Hồ sơ của các đơn vị này được đếm riêng, không đoán thuộc đơn vị nào hiện nay.",
            more(len(ranked), MOST_UNDETERMINED, "đơn vị"),
        ))),
    )  # fmt: skip
    return (grid,)


def heir_name(row: Row) -> str:
    """A possible unit of today, with its share where the office's weights share out."""
    name = row["heir_name"] or row["heir_unit_id"]
    return name if row["share"] is None else f"{name} ({words.percent(row['share'])})"


def group_grid(title: str, kind: str, rows: list[Row]) -> Grid:
    """One line a group, as a dictionary has their names."""
    rows = sorted(rows, key=lambda row: (alphabetical(group_name(row)), row["scope_id"] or ""))
    return Grid(
        title,
        heads(kind, CUT_HEAD, "Kết luận", "#Số hồ sơ (gốc → kỳ này)"),
        tuple(
            cells(
                Cell(group_name(row), row["scope_id"] if row["scope"] == "department" else ""),
                cut_cell(row),
                verdict_cell(row),
                f"{words.count(row['n_baseline'])} → {words.count(row['n_period'])}",
            )
            for row in rows
        ),
        "Không đủ dữ liệu.",
        chance(rows),
    )


def group_name(row: Row) -> str:
    """The level's or tag's label, or the group's own name."""
    if row["scope"] in ("level", "tag"):
        return words.label(words.LEVELS if row["scope"] == "level" else words.TAGS, row["scope_id"])
    return row["name"] or row["scope_id"] or "Không rõ"


def targets_section(targets: Rows) -> Section:
    """Every loaded target with its verdict, for the page as a whole and each level; the other parts are in `show`."""
    targets = [row for row in targets if row["scope"] not in ("field", "tag", "department", "unit")] or targets
    return Section(
        "muc-tieu",
        "Các mục tiêu đã giao",
        ("Mỗi mục tiêu được xét cho kỳ của chính nó. “Trên giấy” và “thực tế” là hai việc khác nhau.",),
        grids=(targets_grid(targets),),
    )


def targets_grid(targets: Rows) -> Grid:
    """One line a target and scope."""
    by_interval = [row for row in targets if row["basis"] == "actual"]
    return Grid(
        "Mục tiêu và kết quả",
        heads("Mục tiêu", "#Đã giảm (khoảng tin cậy 95%)", "Kết luận", "#Phải giảm", "Loại", "#n (gốc; kỳ)", "Phạm vi"),
        tuple(
            cells(
                Cell(row["name"], words.span(row["period_from"], row["period_to"])),
                Cell(said_cut(row["reduction"]), interval_of(row)),
                verdict_cell(row),
                f"{words.plain(row['target'] * 100)}%" if row["target"] is not None else words.EMPTY,
                words.label(words.BASES, row["basis"]),
                f"{words.count(row['n_baseline'])}; {words.count(row['n_period'])}",
                target_scope(row),
            )
            for row in targets
        ),
        "Chưa nạp mục tiêu nào.",
        chance(by_interval),
    )


def interval_of(target: Row) -> str:
    """The interval, where there is one; a target on paper has none by its nature."""
    if target["basis"] == "limit":
        return "trên giấy, không có khoảng tin cậy"
    ends = words.interval(target["lower"], target["upper"])
    return "" if ends == words.EMPTY else ends


def target_scope(row: Row) -> str:
    """`Toàn thành phố`, a level's label, or kind and name."""
    if row["scope"] == "city":
        return "Toàn thành phố"
    if row["scope"] == "level":
        return words.label(words.LEVELS, row["scope_id"])
    kind = {"field": "Lĩnh vực", "unit": "Đơn vị"}.get(row["scope"], row["scope"])
    return f"{kind} {row['scope_id'] or 'không rõ'}"
