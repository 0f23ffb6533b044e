"""Tables → one `Report`: which sections an audience reads, what the page says of itself, what the charts draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from zoneinfo import ZoneInfo

import pyarrow as pa

from procmon.report import (
    boundaries,
    change,
    counters,
    form_06,
    pending,
    predecessors,
    quality,
    received,
    rule_sets,
    times,
    words,
)  # fmt: skip
from procmon.report.headlines import Rows, at_scope, cards, dossiers, headline_scope, warnings
from procmon.report.parts import Cell, CutDot, Drawing, Figure, Grid, Report, Section, TrendPoint
from procmon.tables import About, Period

TABLES = (
    "reductions", "targets", "way", "pending_work", "open_stock", "change", "ranking", "predecessors",
    "unit_predecessors", "form_06", "on_time", "bridge", "boundaries", "boundary_shares", "boundary_refusals", "roles",
    "parity", "flows", "undetermined_units", "due_soon", "trend", "quality", "intake", "refusals",
)  # fmt: skip
NATIONAL_TARGETS = (0.30, 0.50)  # Resolution 66/NQ-CP: 2025 and 2026 against 2024
MOST_DOTS = 16
MAIL_DOSSIERS = 12
MAIL_TEXT = 90


def compose(data: Mapping[str, pa.Table], about: About) -> Report:
    """One page's texts and numbers from its tables (`tables.py`), already filtered to the page's scope.

    Raises: KeyError if a table is missing.
    """
    about = cleaned_about(about)
    rows = {name: cleaned_rows(data[name]) for name in TABLES}
    zone = ZoneInfo(about.timezone)
    return Report(
        audience=about.audience,
        title="Báo cáo giải quyết thủ tục hành chính",
        owner=owner(about),
        period=words.period_name(about.period),
        period_days=words.span(about.period.from_, about.period.to),
        as_of=words.instant(about.as_of, zone),
        program=f"procmon {about.program_version}",
        subject_gist=subject_gist(rows, about),
        quality=quality.quality_sentence(rows["quality"]),
        warnings=warnings(rows, about),
        cards=cards(rows, about),
        sections=page_sections(rows, about, zone),
        method=method(about, zone),
        mail_grids=mail_grids(rows, zone),
        drawing=drawing(rows, about),
    )


def cleaned_rows(data: pa.Table) -> Rows:
    """The table's rows, each text free of what could break a page, a mail or a chart."""
    return [{k: words.clean(v) if isinstance(v, str) else v for k, v in row.items()} for row in data.to_pylist()]


def cleaned_about(about: About) -> About:
    """`about` with its texts cleaned the same way."""
    texts = {f.name: getattr(about, f.name) for f in fields(about)}
    texts = {name: words.clean(text) for name, text in texts.items() if isinstance(text, str)}
    name = words.clean(about.period.name)
    cleaned: About = replace(about, **texts, period=Period(about.period.from_, about.period.to, name))
    return cleaned


def owner(about: About) -> str:
    """Whose page it is: the city, or the unit or field within it."""
    if about.audience == "city":
        return about.city_name
    return f"{about.scope_name or about.scope or 'chưa rõ đơn vị'} – {about.city_name}"


def subject_gist(rows: Mapping[str, Rows], about: About) -> str:
    """What the subject says after the period: the actual cut with its verdict, and how many are overdue."""
    n_overdue = sum(row["state"] == "overdue" for row in rows["due_soon"])
    overdue = f"quá hạn: {dossiers(n_overdue, about.n_dossiers > 0)}"
    if about.audience == "centre":
        return overdue
    leads = ("reductions", "actual_cut") if about.baseline_complete is not False else ("pending_work", "restricted_cut")
    row = next(iter(at_scope(rows[leads[0]], headline_scope(about))), {})
    cut, verdict = row.get(leads[1]), row.get("verdict") or "no_data"
    said = words.NO_DATA if cut is None else f"{words.cut(cut)} ({words.within(words.label(words.VERDICTS, verdict))})"
    return f"thời gian thực tế: {said}; {overdue}"


# ---- what each audience reads


def page_sections(rows: Mapping[str, Rows], about: About, zone: ZoneInfo) -> tuple[Section, ...]:
    """Data quality first, then the sections of the audience, each in the order in which it acts on them."""
    is_city = about.audience == "city"
    taken = (quality.intake_grid(rows["intake"], rows["refusals"]),) if is_city else ()
    lacks = quality.quality_section(rows["quality"], taken)
    due, form = pending.due_section(rows["due_soon"], zone), form_06.form_section(rows["form_06"])
    if about.audience == "centre":
        reception = counters.reception_section(rows["form_06"], rows["boundaries"])
        return lacks, due, reception, form, boundaries.centre_section(rows)
    headline = next(iter(at_scope(rows["reductions"], headline_scope(about))), None)
    limits = (times.limits_section(headline),) if headline else ()
    results = (
        lacks,
        times.trend_section(rows["trend"]),
        times.targets_section(rows["targets"]),
        *((change.way_section(rows["way"]),) if rows["way"] else ()),
        received.received_section(rows["pending_work"], rows["open_stock"], headline_scope(about)),
        change.change_section(rows["change"]),
        *limits,
        *predecessors.sections(rows["predecessors"], rows["unit_predecessors"]),
        times.procedures_section(rows["reductions"], about),
    )
    if about.audience == "department":
        return *results, due, form
    groups = times.groups_section(rows["reductions"], rows["ranking"], rows["undetermined_units"])
    on_time = rule_sets.rule_sets_section(rows["on_time"], rows["bridge"])
    return *results, groups, boundaries.city_section(rows), due, on_time, form


# ---- the charts' numbers


def drawing(rows: Mapping[str, Rows], about: About) -> Drawing:
    """What the charts draw; a centre, which resolves nothing, has none of the reductions' charts."""
    if about.audience == "centre":
        return Drawing((), (), (), ())
    trend = tuple(
        TrendPoint(times.trend_label(r), r["ratio"], r["n"] or 0, bool(r["is_baseline"])) for r in rows["trend"]
    )
    loaded = {row["target"] for row in rows["targets"] if row["basis"] == "actual" and row["target"]}
    headline = next(iter(at_scope(rows["reductions"], headline_scope(about))), None)
    classes = tuple((name, headline[column] or 0) for column, name in words.LIMIT_CLASSES.items()) if headline else ()
    return Drawing(trend, tuple(sorted(loaded)) or NATIONAL_TARGETS, classes, cut_dots(rows["reductions"]))


def cut_dots(reductions: Rows) -> tuple[CutDot, ...]:
    """The procedures with an interval, those with most dossiers of the period; largest cut first."""
    known = [
        row
        for row in reductions
        if row["scope"] == "procedure" and None not in (row["actual_cut"], row["cut_lower"], row["cut_upper"])
    ]
    known.sort(key=lambda row: (-(row["n_period"] or 0), row["scope_id"]))
    chosen = sorted(known[:MOST_DOTS], key=lambda row: (-row["actual_cut"], row["scope_id"]))
    return tuple(
        CutDot(row["name"] or row["scope_id"], row["actual_cut"], row["cut_lower"], row["cut_upper"]) for row in chosen
    )


# ---- the mail's short tables


def mail_grids(rows: Mapping[str, Rows], zone: ZoneInfo) -> tuple[Grid, ...]:
    """What a mail has room for: under 40 rows of few columns, each cell short."""
    grids = (
        narrow(pending.overdue_grid(rows["due_soon"], zone, MAIL_DOSSIERS)),
        narrow(pending.soon_grid(rows["due_soon"], zone, MAIL_DOSSIERS)),
        form_06.form_grid(rows["form_06"]),
    )
    return tuple(replace(grid, rows=tuple(tuple(map(short_cell, row)) for row in grid.rows)) for grid in grids)


def narrow(dossiers: Grid) -> Grid:
    """A table of dossiers on a phone: code over procedure, days, holder, due date."""
    code, *others, _, _ = dossiers.heads
    rows = tuple((Cell(row[0].text, row[-2].text), *row[1:-2]) for row in dossiers.rows)
    return replace(dossiers, heads=(code, *others), rows=rows)


def short_cell(cell: Cell) -> Cell:
    """A cell whose texts fit a mail."""
    return replace(cell, text=words.shorten(cell.text, MAIL_TEXT), below=words.shorten(cell.below, MAIL_TEXT))


# ---- what the page says of itself


def method(about: About, zone: ZoneInfo) -> tuple[Figure, ...]:
    """The method note: inputs, rules, baseline, and what the intervals mean."""
    return (
        Figure("Số liệu", f"n = {words.count(about.n_dossiers)} hồ sơ, chốt lúc {words.instant(about.as_of, zone)}"),
        Figure("Kỳ báo cáo", words.span(about.period.from_, about.period.to)),
        Figure("Kỳ gốc", baseline(about, zone)),
        Figure(
            "Bộ quy tắc",
            "; ".join(words.label(words.RULE_SETS, words.clean(name)) for name in about.rule_sets) or words.EMPTY,
        ),
        Figure("Chính sách tính giờ", policies(about)),
        Figure(
            "Ngưỡng", "; ".join(setting(name, value) for name, value in sorted(about.settings.items())) or words.EMPTY
        ),
        Figure(
            "Thời gian giải quyết",
            "thời gian làm việc từ tiếp nhận đến kết thúc xử lý, trừ thời gian tạm dừng; ngày làm việc = 480 phút."
            " Bình quân giới hạn từng hồ sơ ở mức trần của TTHC (phân vị 99 của kỳ gốc)",
        ),
        Figure(
            "Khoảng tin cậy 95%",
            "tính đến dao động giữa các đơn vị và các tháng, không tính đến cả một năm bất thường. “Đạt” chỉ khi toàn"
            " bộ khoảng tin cậy đạt mục tiêu; “Chưa đạt” chỉ khi toàn bộ khoảng tin cậy không đạt",
        ),
        Figure("Lịch làm việc", f"phiên bản {about.calendar_version or words.EMPTY}, múi giờ {about.timezone}"),
        Figure("Lần chạy", run_words(about)),
    )


def baseline(about: About, zone: ZoneInfo) -> str:
    """Which baseline, of when, frozen when, complete or not; or that there is none."""
    if not about.baseline:
        return "chưa công bố số liệu kỳ gốc, vì vậy không có kết luận nào về thời gian giải quyết thực tế"
    whole = {
        True: "đầy đủ",
        False: "không đầy đủ (dữ liệu bắt đầu quá sát kỳ gốc), cần đọc thận trọng",
        None: "chưa rõ có đầy đủ hay không",
    }[about.baseline_complete]
    return (
        f"{about.baseline}, {words.span(about.baseline_from, about.baseline_to)}, công bố lúc"
        f" {words.instant(about.baseline_published_at, zone)}, n = {words.count(about.n_baseline)} hồ sơ, {whole}"
    )


def policies(about: About) -> str:
    """Policies in force, then those that single procedures have."""
    said = [words.label(words.POLICIES, f"{name}={value}") for name, value in sorted(about.policies.items())]
    said += [
        f"riêng {words.count(n)} TTHC: {words.label(words.POLICIES, words.clean(policy))}"
        for policy, n in sorted(about.procedure_policies.items())
    ]
    return words.clean("; ".join(said)) or words.EMPTY


def setting(name: str, value: float) -> str:
    """A threshold with its meaning; shares in percent."""
    shown = f"{words.plain(value * 100)}%" if name == "min_coverage" else words.plain(value)
    return f"{words.label(words.SETTINGS, words.clean(name))}: {shown}"


def run_words(about: About) -> str:
    """Which run, of which versions: what is needed to make the same page again."""
    run = "chưa ghi số" if about.run_id is None else f"số {about.run_id}"
    return (
        f"{run}; kho dữ liệu phiên bản {about.lake_version}, danh mục phiên bản"
        f" {about.registry_version or words.EMPTY}, procmon {about.program_version}"
    )
