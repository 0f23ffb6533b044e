"""The headline cards: three reductions that are never one number, pending work, form 06 and boundaries.

Counts are added here, divided once, and every figure stands with the n behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procmon.report import words
from procmon.report.parts import Card, Figure, Verdict
from procmon.tables import About

Row = Mapping[str, Any]
Rows = Sequence[Row]


def headline_scope(about: About) -> tuple[str, str]:
    """(scope, scope_id) of the row of `reductions` that speaks for the page as a whole."""
    kind, _, name = about.scope.partition(":")
    if about.audience == "centre":
        return "centre", name
    if about.audience == "department" and kind in ("unit", "field"):
        return kind, name
    return "city", ""


def at_scope(rows: Rows, scope: tuple[str, str]) -> list[Row]:
    """The rows for that scope."""
    return [row for row in rows if (row["scope"], row["scope_id"] or "") == scope]


def total(rows: Rows, column: str) -> int:
    """A count added up; an empty cell adds nothing."""
    return sum(row[column] or 0 for row in rows)


def cards(data: Mapping[str, Rows], about: About) -> tuple[Card, ...]:
    """The cards of this audience, what it can act on first."""
    scope = headline_scope(about)
    row = next(iter(at_scope(data["reductions"], scope)), {})
    targets = at_scope(data["targets"], scope)
    row = row or {"why": "few_dossiers" if about.baseline else "no_baseline"}
    received = next(iter(at_scope(data["pending_work"], scope)), {})
    actual = actual_card(row, received, targets, is_complete=about.baseline_complete is not False)
    limit, on_time = limit_card(row, targets), on_time_card(row)
    pending, form = pending_card(data["due_soon"], about), form_card(data["form_06"])
    if about.audience == "centre":
        return form, pending, flows_card(data["flows"], data["boundaries"], about), on_time, actual, limit
    if about.audience == "department":
        return limit, actual, on_time, pending, form
    return limit, actual, on_time, pending, form, boundaries_card(data["boundaries"])


# ---- the three reductions


def compared_limits(row: Row) -> int:
    """Procedures with a limit on both days."""
    return sum(row.get(column) or 0 for column in words.LIMIT_CLASSES)


def limit_card(row: Row, targets: Rows) -> Card:
    """(1): what was cut on paper."""
    n, half = compared_limits(row), row.get("n_limit_50") or 0
    third = half + (row.get("n_limit_30") or 0)
    return Card(
        title="(1) Cắt giảm thời hạn trên giấy",
        what="So thời hạn quy định vào ngày cuối kỳ với thời hạn ngày 31/12/2024, tính theo từng TTHC."
        " Con số này không nói hồ sơ thực tế được giải quyết nhanh hơn hay chậm hơn.",
        figures=(
            Figure("Thời hạn trên giấy, bình quân các TTHC", said_cut(row.get("limit_cut"))),
            Figure("TTHC được cắt thời hạn từ 50% trở lên", words.share_of(half, n, "TTHC")),
            Figure("TTHC được cắt thời hạn từ 30% trở lên", words.share_of(third, n, "TTHC")),
        ),
        verdicts=tuple(target_verdict(t) for t in targets if t["basis"] == "limit"),
        notes=(
            f"n = {words.count(n)} TTHC có thời hạn ở cả hai ngày; {words.count(row.get('n_no_limit') or 0)} TTHC"
            " không có thời hạn ngày 31/12/2024 để riêng.",
        ),
    )


def actual_card(row: Row, received: Row, targets: Rows, *, is_complete: bool) -> Card:
    """(2): what really became faster, at fixed mix; of finished dossiers alone, and with those pending.

    Against a baseline that is not complete the latter leads (rulebook 7e).
    """
    figures = (
        Figure("Thời gian giải quyết thực tế, cùng cơ cấu TTHC", with_interval(row, "actual_cut")),
        Figure("Thời gian thực tế, tính cả hồ sơ chưa xong", with_interval(received, "restricted_cut")),
    )
    return Card(
        title="(2) Cắt giảm thời gian giải quyết thực tế",
        what=f"So thời gian giải quyết của hồ sơ đã xong {compared_days(row)} với cùng các tháng của kỳ gốc, giữ nguyên"
        " cơ cấu TTHC, trừ thời gian tạm dừng; dưới đó là mọi hồ sơ đã tiếp nhận, kể cả chưa xong.",
        figures=figures if is_complete else figures[::-1],
        verdicts=actual_verdicts(row, targets),
        notes=(*actual_notes(row), *received_notes(received)),
    )


def with_interval(row: Row, column: str) -> str:
    """A cut with its interval, or that it has none."""
    cut, ends = row.get(column), (row.get("cut_lower"), row.get("cut_upper"))
    if cut is None:
        return said_cut(cut)
    around = "không có khoảng tin cậy" if None in ends else f"khoảng tin cậy 95%: {words.interval(*ends)}"
    return f"{said_cut(cut)} ({around})"


def received_notes(received: Row) -> tuple[str, ...]:
    """What the dossiers received say, and how many of them were pending at each period's own end."""
    if not received or received["restricted_cut"] is None:
        return ()
    verdict = words.within(words.label(words.VERDICTS, received["verdict"]))
    pending = (
        words.share_of(received[f"n_pending_{side}"], received[f"n_received_{side}"], "hồ sơ tiếp nhận")
        for side in ("baseline", "period")
    )
    return (f"Tính cả hồ sơ chưa xong: {verdict}; chưa xong cuối kỳ: gốc {', kỳ này '.join(pending)}.",)


def actual_verdicts(row: Row, targets: Rows) -> tuple[Verdict, ...]:
    """The verdict for the period, then each actual target's for its own period where that is another one."""
    own = Verdict(
        f"Kỳ này: {verdict_words(row.get('verdict') or 'no_data', row.get('target_reduction'), row.get('why'))}",
        words.label(words.TONES, row.get("verdict") or "no_data"),
    )
    here = (row.get("target"), row.get("period_from"), row.get("period_to"))
    others = [t for t in targets if t["basis"] == "actual"]
    others = [t for t in others if (t["name"], t["period_from"], t["period_to"]) != here]
    return (own, *(target_verdict(t) for t in others))


def actual_notes(row: Row) -> tuple[str, ...]:
    """n on both sides, coverage, and the same figure without the cap."""
    if "n_period" not in row:
        return ("Chưa có hồ sơ nào để so sánh.",)
    notes = [
        f"n = {words.count(row['n_period'])} hồ sơ kỳ này, {words.count(row['n_baseline'])} hồ sơ kỳ gốc;"
        f" so sánh được {words.percent(row['coverage_period'])} hồ sơ kỳ này và"
        f" {words.percent(row['coverage'])} hồ sơ kỳ gốc."
    ]
    if row["uncapped_ratio"] is not None:
        n_capped = (row["n_capped_period"] or 0) + (row["n_capped_baseline"] or 0)
        minutes = (row["capped_minutes_period"] or 0) + (row["capped_minutes_baseline"] or 0)
        notes.append(
            f"Nếu không cắt phần vượt trần: {words.cut(1 - row['uncapped_ratio'])}; {words.count(n_capped)} hồ sơ"
            f" vượt trần, gồm {words.days(minutes)} ngày làm việc."
        )
    return tuple(notes)


def on_time_card(row: Row) -> Card:
    """(3): the on-time rate of the same dossiers under the old limit and the new one."""
    n = row.get("n_judged_both")
    judged = row.get("n_baseline_judged")
    return Card(
        title="(3) Tỷ lệ đúng hạn theo thời hạn cũ và thời hạn mới",
        what=f"Cùng những hồ sơ đã xong hoặc đang giải quyết {compared_days(row)}, xét hai lần: theo thời hạn ngày"
        " 31/12/2024 và theo thời hạn có hiệu lực khi tiếp nhận. Hạn tính từ thời hạn quy định, theo bộ quy tắc"
        " chi_so_766.",
        figures=(
            Figure("Đúng hạn theo thời hạn cũ", words.share_of(row.get("n_on_time_old"), n, "hồ sơ")),
            Figure("Đúng hạn theo thời hạn mới", words.share_of(row.get("n_on_time_new"), n, "hồ sơ")),
            Figure(
                "Đúng hạn trong kỳ gốc (hồ sơ đã xong)", words.share_of(row.get("n_baseline_on_time"), judged, "hồ sơ")
            ),
        ),
        notes=(f"n = {words.count(n or 0)} hồ sơ có hạn theo cả hai thời hạn.",),
    )


def compared_days(row: Row) -> str:
    """The days whose dossiers are compared: they may reach further back than the page's period."""
    first, after = row.get("period_from"), row.get("period_to")
    return words.span(first, after) if first and after else "trong kỳ"


def said_cut(fraction: float | None) -> str:
    """A cut in words, or that there is not enough to say."""
    return words.NO_DATA if fraction is None else words.cut(fraction)


def verdict_words(verdict: str, target: float | None, why: str | None) -> str:
    """`Chưa đạt mục tiêu giảm 30%`; without data: why."""
    said = words.label(words.VERDICTS, verdict)
    aim = "mục tiêu" if target is None else f"mục tiêu giảm {words.plain(target * 100)}%"
    if verdict in ("met", "missed"):
        return f"{said} {aim}"
    if verdict == "inconclusive":
        return f"{said} về {aim}"
    if verdict == "no_data":
        return f"{said} để kết luận về {aim} ({words.why(why)})"
    return said


def target_verdict(target: Row) -> Verdict:
    """A loaded target's verdict, with the target's name and the days compared."""
    said = verdict_words(target["verdict"], target["target"], target["why"])
    days = words.span(target["period_from"], target["period_to"])
    return Verdict(f"{said} – {target['name']}, {days}", words.label(words.TONES, target["verdict"]))


# ---- limits down, time flat, lateness up


def is_cut_on_paper_only(row: Row) -> bool:
    """Limits fell, time is not shown to have fallen, and lateness rose (rulebook 7.3)."""
    limit_cut, cut, lower = row.get("limit_cut"), row.get("actual_cut"), row.get("cut_lower")
    if limit_cut is None or limit_cut <= 0 or cut is None:
        return False
    return (cut if lower is None else lower) <= 0 and has_lateness_risen(row)


def is_told_by_itself(row: Row, about: About) -> bool:
    """A procedure with enough dossiers on both sides for a statement of its own (rulebook 7a)."""
    least = about.settings.get("min_n_verdict", 0)
    return row["scope"] == "procedure" and min(row["n_baseline"] or 0, row["n_period"] or 0) >= least


def has_lateness_risen(row: Row) -> bool:
    """The on-time share under the limit in force is below the baseline's; without one, below the old limit's."""
    n, on_time = row.get("n_judged_both") or 0, row.get("n_on_time_new") or 0
    before = (row.get("n_baseline_judged") or 0, row.get("n_baseline_on_time") or 0)
    n_before, on_time_before = before if before[0] else (n, row.get("n_on_time_old") or 0)
    return n > 0 and n_before > 0 and on_time * n_before < on_time_before * n


def warnings(data: Mapping[str, Rows], about: About) -> tuple[str, ...]:
    """The named pattern, for the page as a whole and for how many of its procedures."""
    scope = headline_scope(about)
    row = next(iter(at_scope(data["reductions"], scope)), {})
    said = [] if about.audience == "centre" else received_warnings(data["pending_work"], scope)
    if about.changed_policies:
        changed = "; ".join(
            " → ".join(words.label(words.POLICIES, policy) for policy in change.split(" → "))
            for change in about.changed_policies
        )
        said.append(
            f"Cảnh báo: kỳ gốc được công bố theo cách tính giờ khác ({words.clean(changed)}). Thời gian hai kỳ không"
            " cùng một cách tính; cần công bố lại kỳ gốc trước khi kết luận."
        )
    if about.baseline and about.baseline_complete is False:
        said.append(
            "Lưu ý: số liệu kỳ gốc không đầy đủ (dữ liệu bắt đầu quá sát kỳ gốc), vì vậy con số tính cả hồ sơ chưa xong"
            " được nêu trước con số chỉ tính hồ sơ đã xong."
        )
    if is_cut_on_paper_only(row):
        said.append(
            "Cảnh báo: thời hạn trên giấy giảm, nhưng thời gian giải quyết thực tế không giảm (hoặc chưa chứng minh"
            " được là giảm) và tỷ lệ quá hạn tăng."
        )
    procedures = [r for r in data["reductions"] if is_told_by_itself(r, about) and is_cut_on_paper_only(r)]
    if procedures:
        said.append(
            f"Cảnh báo: {words.count(len(procedures))} TTHC giảm thời hạn trên giấy, thời gian thực tế không giảm"
            " (hoặc chưa chứng minh được là giảm), quá hạn tăng."
        )
    return tuple(said)


def received_warnings(pending_work: Rows, scope: tuple[str, str]) -> list[str]:
    """That finished dossiers alone and all received ones disagree, in words (rulebook 7d)."""
    row = next(iter(at_scope(pending_work, scope)), {})
    if row.get("agreement") != "disagree":
        return []
    alone, together = (
        f"{said_cut(row[cut])} ({words.within(words.label(words.VERDICTS, row[verdict]))})"
        for cut, verdict in (("actual_cut", "actual_verdict"), ("restricted_cut", "verdict"))
    )
    return [
        f"Cảnh báo: hai cách tính không khớp. Chỉ tính hồ sơ đã xong: {alone}; tính cả hồ sơ chưa xong: {together}."
        f" Hồ sơ chưa xong cuối kỳ: gốc {words.share(row['n_pending_baseline'], row['n_received_baseline'])}, kỳ này"
        f" {words.share(row['n_pending_period'], row['n_received_period'])} số đã tiếp nhận. Khác nhau có thể do hồ sơ"
        " chưa xong, cũng có thể do cách tính thứ hai chỉ tính mỗi hồ sơ đến một giới hạn, thấp khi TTHC có ít hồ sơ"
        " hoặc một kỳ nhanh hơn nhiều."
    ]


# ---- pending work, form 06, boundaries


def pending_card(due_soon: Rows, about: About) -> Card:
    """How much of the pending work is overdue, and how much soon will be."""
    n = {state: sum(row["state"] == state for row in due_soon) for state in words.DUE_STATES}
    soon = n["due_1"] + n["due_2"] + n["due_3"]
    known = about.n_dossiers > 0
    return Card(
        title="Hồ sơ đang giải quyết",
        what="Tính đến thời điểm chốt số liệu, so với ngày hẹn trả đầu tiên (nếu không có: hạn tính từ thời hạn),"
        " trừ thời gian chờ bổ sung (chi_so_766).",
        figures=(
            Figure("Đang giải quyết, đã quá hạn", dossiers(n["overdue"], known)),
            Figure("Đang giải quyết, đến hạn trong 3 ngày làm việc", dossiers(soon, known)),
        ),
        notes=(
            f"n = {words.count(len(due_soon))} hồ sơ đang giải quyết, trong đó {words.count(n['waiting'])} hồ sơ đang"
            f" chờ người nộp và {words.count(n['nothing_to_judge_by'])} hồ sơ không có hạn để đối chiếu.",
        ),
    )


def dossiers(n: int, is_known: bool) -> str:
    """A count of dossiers; from a log without any, not 0 but that there is not enough to say."""
    return f"{words.count(n)} hồ sơ" if is_known else words.NO_DATA


def form_card(form_06: Rows) -> Card:
    """Received and resolved, by form 06."""
    received, resolved = total(form_06, "received"), total(form_06, "resolved")
    in_time = total(form_06, "resolved_early") + total(form_06, "resolved_on_time")
    return Card(
        title="Tiếp nhận và giải quyết trong kỳ",
        what="Theo Biểu số 06/VPCP/KSTT (bieu_06). Theo cách tính của biểu, hồ sơ không có ngày hẹn trả, bị từ chối"
        " hoặc rút được tính là đúng hạn.",
        figures=(
            Figure("Tiếp nhận, kể cả từ kỳ trước", dossiers(received, bool(form_06))),
            Figure("Đã giải quyết trong kỳ", dossiers(resolved, bool(form_06))),
            Figure("Giải quyết trước hạn, đúng hạn (Biểu 06)", words.share_of(in_time, resolved, "hồ sơ")),
        ),
        notes=(f"n = {words.count(received)} hồ sơ.",),
    )


def boundaries_card(boundaries: Rows) -> Card:
    """Proven by dossiers against merely announced."""
    offered = [row for row in boundaries if row["is_on_offer"]]
    proven = sum(row["verdict"] == "proven" for row in offered)
    announced = sum(bool(row["is_announced"]) for row in offered)
    refused = sum(row["verdict"] == "refused_elsewhere" for row in offered)
    return Card(
        title="Không phụ thuộc vào địa giới hành chính",
        what="Danh sách công bố không chứng minh được thực hiện; chỉ hồ sơ đã xong, nhận ở nơi khác, mới chứng minh.",
        figures=(
            Figure("TTHC đã chứng minh làm được ngoài địa giới", words.share_of(proven, len(offered), "TTHC")),
            Figure("TTHC có trong danh mục công bố", words.share_of(announced, len(offered), "TTHC")),
            Figure("TTHC có từ chối vì địa giới", words.share_of(refused, len(offered), "TTHC")),
        ),
        notes=(f"n = {words.count(len(offered))} TTHC đang được cung cấp; mục tiêu 100%.",),
    )


def all_undetermined(boundaries: Rows) -> bool:
    """Whether of no dossier filed in person or by post it can be told if it crossed a boundary."""
    n = total(boundaries, "n_undetermined")
    return n > 0 and n == total(boundaries, "n_dossiers") - total(boundaries, "n_online")


def flows_card(flows: Rows, boundaries: Rows, about: About) -> Card:
    """Of a reception point: what it took for others, and what others took for it; none is not said where none can be
    told."""
    n = {way: total([row for row in flows if row["direction"] == way], "n") for way in ("for_others", "by_others")}
    told = about.n_dossiers > 0 and not all_undetermined(boundaries)
    return Card(
        title="Không phụ thuộc vào địa giới hành chính",
        what="Hồ sơ nộp trực tiếp, bưu chính ở nơi khác nơi giải quyết hoặc nơi cư trú, trong thời gian xét về địa"
        " giới.",
        figures=(
            Figure("Đơn vị đã nhận cho nơi khác", dossiers(n["for_others"], told or n["for_others"] > 0)),
            Figure("Nơi khác đã nhận thay cho địa bàn này", dossiers(n["by_others"], told or n["by_others"] > 0)),
        ),
        notes=("Hồ sơ không xác định được địa giới không tính ở đây.",),
    )
