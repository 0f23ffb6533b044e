"""Hand-made tables for the report's tests: a small believable city, and the same with hostile names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import report_behind_samples as behind

from procmon.tables import (
    BOUNDARIES,
    BOUNDARY_REFUSALS,
    BOUNDARY_SHARES,
    BRIDGE,
    CHANGE,
    DUE_SOON,
    FLOWS,
    FORM_06,
    INTAKE,
    ON_TIME,
    OPEN_STOCK,
    PARITY,
    PENDING_WORK,
    PREDECESSORS,
    QUALITY,
    RANKING,
    REDUCTIONS,
    REFUSALS,
    ROLES,
    RULE_SETS,
    TARGETS,
    TREND,
    UNDETERMINED_UNITS,
    UNIT_PREDECESSORS,
    WAY,
    About,
    Period,
)

AS_OF = datetime(2025, 11, 30, 17, 0, tzinfo=UTC)
SPECS = {
    "reductions": REDUCTIONS,
    "targets": TARGETS,
    "way": WAY,
    "pending_work": PENDING_WORK,
    "open_stock": OPEN_STOCK,
    "change": CHANGE,
    "ranking": RANKING,
    "predecessors": PREDECESSORS,
    "unit_predecessors": UNIT_PREDECESSORS,
    "form_06": FORM_06,
    "on_time": ON_TIME,
    "bridge": BRIDGE,
    "boundaries": BOUNDARIES,
    "boundary_shares": BOUNDARY_SHARES,
    "boundary_refusals": BOUNDARY_REFUSALS,
    "roles": ROLES,
    "parity": PARITY,
    "flows": FLOWS,
    "undetermined_units": UNDETERMINED_UNITS,
    "due_soon": DUE_SOON,
    "trend": TREND,
    "quality": QUALITY,
    "intake": INTAKE,
    "refusals": REFUSALS,
}
HOSTILE = '<script>alert("x")</script>{{ 7*7 }}$\\frac{1}{$ \u202e\x07\r\nBcc: a@b =?utf-8?q?x?= 漢字 🏠 & Sở'

PROCEDURES = (
    ("1.004194", "Đăng ký thường trú", "Hộ tịch", "commune"),
    ("2.000635.000.00.00.H24", "Cấp bản sao trích lục hộ tịch", "Hộ tịch", "commune"),
    (
        "1.012756",
        "Đăng ký, cấp Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất",
        "Đất đai",
        "city",
    ),
    ("1.009994", "Cấp giấy phép xây dựng mới đối với công trình cấp đặc biệt, cấp I, cấp II", "Xây dựng", "city"),
    ("2.001610", "Đăng ký thành lập doanh nghiệp tư nhân", "Đăng ký kinh doanh", "city"),
    ("2.000815", "Chứng thực bản sao từ bản chính giấy tờ, văn bản", "Chứng thực", "commune"),
)


def about(**changes: Any) -> About:
    """The city's page for November 2025."""
    base = About(
        audience="city",
        scope="",
        scope_name="",
        city_name="thành phố Hải Phòng",
        period=Period(date(2025, 11, 1), date(2025, 12, 1), "2025-11"),
        as_of=AS_OF,
        timezone="Asia/Ho_Chi_Minh",
        run_id=12,
        n_dossiers=12_345,
        rule_sets=RULE_SETS,
        policies={"supplement": "pause", "payment": "run", "late_receipt": "none"},
        procedure_policies={"payment=pause": 3},
        calendar_version="2026-01",
        registry_version="7",
        lake_version=31,
        program_version="0.1.0",
        baseline="2024",
        baseline_from=date(2024, 1, 1),
        baseline_to=date(2025, 1, 1),
        baseline_published_at=datetime(2025, 3, 1, 2, 0, tzinfo=UTC),
        baseline_complete=True,
        n_baseline=10_907,
        settings={"min_n_mix": 5, "min_n_verdict": 100, "min_coverage": 0.6},
    )
    return replace(base, **changes)


def reduction(**changes: Any) -> dict[str, Any]:
    """A row of `reductions` where time fell by 12.34 % and the target was missed."""
    row: dict[str, Any] = {
        "scope": "city",
        "scope_id": "",
        "name": "thành phố Hải Phòng",
        "period_from": date(2025, 11, 1),
        "period_to": date(2025, 12, 1),
        "target": "30 % năm 2025",
        "target_reduction": 0.3,
        "n_baseline": 10_907,
        "n_period": 11_201,
        "coverage": 0.973,
        "coverage_period": 0.961,
        "coverage_minutes_baseline": 0.98,
        "coverage_minutes_period": 0.97,
        "numerator_seconds": 8766.0,
        "denominator_seconds": 10000.0,
        "actual_cut": 0.1234,
        "cut_lower": 0.051,
        "cut_upper": 0.18,
        "verdict": "missed",
        "why": "",
        "mean_baseline_minutes": 4812.0,
        "mean_period_minutes": 4218.2,
        "n_capped_baseline": 109,
        "n_capped_period": 87,
        "capped_minutes_baseline": 90_000.0,
        "capped_minutes_period": 70_000.0,
        "uncapped_ratio": 0.891,
        "limit_cut": 0.412,
        "n_limit_50": 1680,
        "n_limit_30": 30,
        "n_limit_less": 9,
        "n_limit_unchanged": 188,
        "n_limit_longer": 0,
        "n_no_limit": 12,
        "n_judged_both": 11_000,
        "n_on_time_old": 10_353,
        "n_on_time_new": 9_182,
        "n_baseline_judged": 10_500,
        "n_baseline_on_time": 9_800,
    }
    return row | changes


def procedure_rows() -> list[dict[str, Any]]:
    """One row a procedure: faster, flat, slower, too few, none."""
    outcomes = (
        (0.34, 0.31, 0.37, "met", ""),
        (0.02, -0.05, 0.08, "missed", ""),
        (-0.11, -0.19, -0.03, "missed", ""),
        (0.22, 0.08, 0.41, "inconclusive", ""),
        (0.05, None, None, "no_data", "few_dossiers"),
        (None, None, None, "no_data", "no_baseline"),
    )
    rows = []
    for i, ((code, name, _, _), (cut, low, high, verdict, why)) in enumerate(zip(PROCEDURES, outcomes, strict=True)):
        few = why != ""
        rows.append(
            reduction(
                scope="procedure",
                scope_id=code,
                name=name,
                n_baseline=None if cut is None else (40 if few else 900 + 100 * i),
                n_period=17 if few else 1907 - 100 * i,
                actual_cut=cut,
                cut_lower=low,
                cut_upper=high,
                verdict=verdict,
                why=why,
                median_baseline_minutes=None if cut is None else 2400.0 + i,
                median_period_minutes=2000.0 + i,
                p90_baseline_minutes=None if cut is None else 9600.0,
                p90_period_minutes=9000.0,
                mean_baseline_minutes=None if cut is None else 3000.0,
                mean_period_minutes=2900.0,
                limit_before="10 working_days" if i else "8 hours",
                limit_now="5 working_days" if i else "8 hours",
                limit_cut=0.5 if i else 0.0,
                limit_class="50" if i else "unchanged",
            )
        )
    return rows


def city(**tables: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """All tables of the city's page; `tables` replaces some."""
    reductions = [
        reduction(),
        *(
            reduction(scope="level", scope_id=level, name="", n_period=n)
            for level, n in (("city", 4000), ("commune", 7201))
        ),
        *(reduction(scope="field", scope_id=f, name=f) for f in ("Hộ tịch", "Đất đai", "Chứng thực")),
        *(
            reduction(scope="unit", scope_id=code, name=name, verdict="inconclusive")
            for code, name in (
                ("11557", "Phường Thủy Nguyên"),
                ("10525", "Phường Hải Dương"),
                ("H24.05", "Sở Xây dựng"),
            )
        ),
        *procedure_rows(),
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        "reductions": reductions,
        "targets": targets(),
        "way": behind.way(),
        "pending_work": behind.pending_work(),
        "open_stock": behind.open_stock(),
        "change": behind.change(),
        "ranking": behind.ranking(),
        "predecessors": behind.predecessors(),
        "unit_predecessors": behind.unit_predecessors(),
        "form_06": form_06(),
        "on_time": on_time(),
        "bridge": bridge(),
        "boundaries": boundaries(),
        "boundary_shares": boundary_shares(),
        "boundary_refusals": boundary_refusals(),
        "roles": roles(),
        "parity": parity(),
        "flows": flows(),
        "undetermined_units": undetermined_units(),
        "due_soon": due_soon(),
        "trend": trend(),
        "quality": quality(),
        "intake": intake(),
        "refusals": refusals(),
    }
    return build_tables(rows | tables)


def empty() -> dict[str, pa.Table]:
    """All tables without a row."""
    return build_tables({name: [] for name in SPECS})


def build_tables(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, pa.Table]:
    """Rows as conforming tables."""
    return {name: spec.conform(spec.from_rows(rows[name])) for name, spec in SPECS.items()}


def targets() -> list[dict[str, Any]]:
    """Two actual targets and one on paper, for the city."""
    base = {"scope": "city", "scope_id": "", "n_baseline": 10_907, "n_period": 11_201, "coverage": 0.97, "why": ""}
    year = {"period_from": date(2025, 1, 1), "period_to": date(2026, 1, 1)}
    found = {"reduction": 0.1234, "lower": 0.051, "upper": 0.18}
    return [
        {**base, **year, **found, "name": "30 % năm 2025", "basis": "actual", "target": 0.3, "verdict": "missed"},
        {
            **base,
            "name": "50 % năm 2026",
            "basis": "actual",
            "target": 0.5,
            "verdict": "no_data",
            "why": "few_dossiers",
            "period_from": date(2026, 1, 1),
            "period_to": date(2027, 1, 1),
        },
        {
            **base,
            **year,
            "name": "Cắt thời hạn 50 %",
            "basis": "limit",
            "target": 0.5,
            "reduction": 0.412,
            "verdict": "missed",
        },
    ]


def form_06() -> list[dict[str, Any]]:
    """Four fields on two levels, with the identities of the form."""
    rows = []
    for field, level, n in (
        ("Đất đai", "city", 4000),
        ("Xây dựng", "city", 800),
        ("Hộ tịch", "commune", 2600),
        ("", "", 3),
    ):
        late, pending = n // 10, n // 5
        rows.append(
            {
                "field": field,
                "level": level,
                "received": n,
                "received_online": n // 2,
                "received_in_person_post": n - n // 2 - n // 8,
                "carried_over": n // 8,
                "resolved": n - pending,
                "resolved_early": n - pending - late - 1,
                "resolved_on_time": 1,
                "resolved_overdue": late,
                "pending": pending,
                "pending_in_time": pending - n // 20,
                "pending_overdue": n // 20,
            }
        )
    return rows


def on_time() -> list[dict[str, Any]]:
    """The city under three rule sets, and a field."""
    counts = ("n_dossiers", "n_judged", "n_on_time", "n_late", "n_without_due_date", "n_stopped", "n_refused")
    told = {
        "index_766": (7403, 7400, 6800, 600, 3, 0, 0),
        "form_06": (7403, 7403, 7000, 403, 0, 0, 0),
        "strict": (7403, 7358, 6760, 598, 3, 30, 12),
    }
    rows = []
    for scope, scope_id in (("city", ""), ("field", "Hộ tịch")):
        for rule_set, numbers in told.items():
            row = dict(zip(counts, numbers, strict=True)) | {"n_withdrawn": 0, "on_time": numbers[2] / numbers[1]}
            rows.append({"rule_set": rule_set, "scope": scope, "scope_id": scope_id, **row})
    return rows


def bridge() -> list[dict[str, Any]]:
    """Of the steps two that move dossiers, and one that moves none."""
    rows = []
    for step, into, out, n_on_time, n_judged in (
        ("start", 0, 0, 6800, 7400),
        ("without_due_date", 3, 0, 6803, 7403),
        ("pauses", 0, 0, 6803, 7403),
        ("days", 199, 2, 7000, 7403),
    ):
        moved = {"n_moved": into + out, "n_into_on_time": into, "n_out_of_on_time": out}
        ends = {"from_rule_set": "index_766", "to_rule_set": "form_06", "step": step, "scope": "city", "scope_id": ""}
        rows.append(ends | moved | {"n_on_time": n_on_time, "n_judged": n_judged})
    return rows


def boundaries() -> list[dict[str, Any]]:
    """One procedure for each verdict, and one no longer on offer."""
    verdicts = ("proven", "announced_only", "refused_elsewhere", "online_only", "local_only", "no_data")
    rows = [
        {
            "procedure_id": code,
            "verdict": verdict,
            "is_announced": i < 4,
            "n_cross_finished": 17 if verdict == "proven" else i % 3,
            "n_receiving_units": 4 if verdict == "proven" else 0,
            "n_refused_elsewhere": 2 if verdict == "refused_elsewhere" else 0,
            "n_dossiers": 1907 - i,
            "n_online": 800,
            "n_cross": 21 - i,
            "n_undetermined": 5,
            "n_units_that_could": 118,
            "n_returned_elsewhere": i,
            "is_on_offer": True,
            "name": name,
            "field": field,
            "level": level,
            "window_from": date(2024, 12, 1),
            "window_to": date(2025, 12, 1),
            "difference": "announced_not_proven" if 0 < i < 4 else "",
            "why": {"proven": "", "refused_elsewhere": "refused", "no_data": "without_resolving_unit"}.get(
                verdict, "few_finished"
            ),
            "n_cross_refused": 2,
        }
        for i, ((code, name, field, level), verdict) in enumerate(zip(PROCEDURES, verdicts, strict=True))
    ]
    return [*rows, rows[0] | {"procedure_id": "9.999999", "is_on_offer": False}]


def boundary_shares() -> list[dict[str, Any]]:
    """The city's, each level's and field's, and two months' ends."""
    base = {
        "n_on_offer": 6, "n_announced": 4, "n_proven": 1, "n_refused_elsewhere": 1, "n_announced_only": 1,
        "n_online_only": 1, "n_local_only": 1, "n_no_data": 1, "n_announced_not_proven": 3, "n_proven_not_announced": 0,
        "announced": 0.667, "proven": 0.167, "refused_elsewhere": 0.167, "as_of_on": date(2025, 12, 1),
        "n_told": 4, "window_from": date(2024, 12, 1), "data_from": date(2024, 12, 2),
    }  # fmt: skip
    parts = [("city", ""), ("level", "city"), ("level", "commune"), ("field", "Hộ tịch"), ("field", "Đất đai")]
    rows = [base | {"scope": scope, "scope_id": scope_id} for scope, scope_id in parts]
    ends = [("2025-10", date(2025, 10, 31)), ("2025-11", date(2025, 11, 30))]
    return rows + [base | {"scope": "month", "scope_id": name, "as_of_on": day} for name, day in ends]


def boundary_refusals() -> list[dict[str, Any]]:
    """One reason with a code, one in words, one not given."""
    return [
        {"procedure_id": "1.012756", "reason": reason, "n": n, "n_at_reception": 1, "name": "Đăng ký đất đai"}
        for reason, n in (("not_competent", 12), ("Thành phần hồ sơ chưa đầy đủ", 3), ("", 1))
    ]


def roles() -> list[dict[str, Any]]:
    """The applicant's unit is often missing."""
    return [
        {"role": role, "n_dossiers": 11_000, "n_missing": n, "n_unknown": 3 if n else 0, "n_unanswerable": n,
         "unanswerable": "returned_elsewhere" if role == "returning" else "cross_boundary"}
        for role, n in (("receiving", 0), ("resolving", 12), ("applicant", 907), ("returning", 40))
    ]  # fmt: skip


def parity() -> list[dict[str, Any]]:
    """Slower in time, alike in supplements, too few to tell about refusals; one procedure slower."""
    base = {
        "scope": "city", "scope_id": "", "name": "", "n_cross": 940, "n_local": 9_800, "n_covered_cross": 902,
        "n_covered_local": 9_700, "why": "",
    }  # fmt: skip
    time = {
        "measure": "processing_time", "cross_value": 2_900.5, "local_value": 2_300.25, "difference": 1.26,
        "lower_90": 1.18, "upper_90": 1.34, "lower_95": 1.17, "upper_95": 1.36, "margin": 0.1, "verdict": "slower",
    }  # fmt: skip
    share = {
        "measure": "supplement_share", "cross_value": 0.091, "local_value": 0.085, "difference": 0.006,
        "lower_90": -0.011, "upper_90": 0.024, "lower_95": -0.014, "upper_95": 0.028, "margin": 0.05,
        "verdict": "equivalent",
    }  # fmt: skip
    refusal = share | {"measure": "refusal_share", "verdict": "not_shown", "why": "wide_interval", "n_needed": 1_840}
    steps = {"measure": "handovers", "cross_value": 3.4, "local_value": 2.1, "difference": 1.3, "verdict": ""}
    of_one = time | {"scope": "procedure", "scope_id": "1.012756", "name": PROCEDURES[2][1], "margin": 0.25}
    return [base | row for row in (time, share, refusal, steps, of_one)]


def flows() -> list[dict[str, Any]]:
    """Across boundaries both ways, from an old unit that cannot be told, and at home."""
    units = {"10525": "Phường Hải Dương", "11557": "Đặc khu Cát Hải", "undetermined": "", "": ""}
    ways = [
        ("10525", "11557", "11557", True, 120, "for_others"), ("11557", "10525", "10525", True, 45, "by_others"),
        ("10525", "undetermined", "", True, 3, "for_others"), ("10525", "10525", "10525", False, 900, ""),
    ]  # fmt: skip
    return [
        {"receiving_unit_id": one, "resolving_unit_id": two, "applicant_unit_id": three, "is_cross_boundary": crosses,
         "n": n, "n_finished": n - 2, "n_refused": 1, "direction": direction, "receiving_name": units[one],
         "resolving_name": units[two], "applicant_name": units[three]}
        for one, two, three, crosses, n, direction in ways
    ]  # fmt: skip


def undetermined_units() -> list[dict[str, Any]]:
    """A ward split in two, and a district that nobody took over."""
    split = {"unit_key": "10528@2000-01-01", "name": "Phường Trần Phú", "why": "split", "n_baseline": 22, "n_period": 8}
    heirs = [("10525", "Phường Hải Dương"), ("10537", "Phường Lê Thanh Nghị")]
    gone = {"unit_key": "299@2000-01-01", "name": "Huyện Ninh Giang", "why": "no_successor", "n_baseline": 70}
    return [
        *(split | {"heir_unit_id": code, "heir_name": name} for code, name in heirs),
        gone | {"n_period": 31, "heir_unit_id": "", "heir_name": ""},
    ]


def due_soon(n_overdue: int = 123) -> list[dict[str, Any]]:
    """Overdue, soon due, later, waiting and nothing to judge by."""
    states = ["overdue"] * n_overdue + ["due_1"] * 9 + ["due_2"] * 14 + ["due_3"] * 20 + ["later"] * 200
    states += ["waiting"] * 11 + ["nothing_to_judge_by"] * 2
    step = {"overdue": -1, "due_1": 0, "due_2": 1, "due_3": 2, "later": 5, "waiting": 3}
    rows = []
    for i, state in enumerate(states):
        code, name, field, _ = PROCEDURES[i % len(PROCEDURES)]
        left = (
            None
            if state == "nothing_to_judge_by"
            else step[state] * 480 + (-37 * i if state == "overdue" else i % 400 + 1)
        )
        rows.append(
            {
                "dossier_id": f"G09.20-20251{i % 100:03d}-{i:07d}",
                "procedure_id": code,
                "procedure_name": name,
                "field": field,
                "state": state,
                "holding_unit_id": ("10525", "11557", "H24.05")[i % 3],
                "holding_unit_name": ("Phường Hải Dương", "Phường Thủy Nguyên", "Sở Xây dựng")[i % 3],
                "judged_due_at": None if left is None else AS_OF + timedelta(minutes=3 * left),
                "left_minutes": left,
                "received_at": AS_OF - timedelta(days=30),
                "n_supplements": i % 3,
                "is_waiting": state == "waiting",
                "receiving_unit_id": "10525",
                "resolving_unit_id": "H24.05",
            }
        )
    return rows


def trend() -> list[dict[str, Any]]:
    """Two years by month; one month without enough."""
    rows = []
    for i in range(23):
        start = date(2024 + i // 12, i % 12 + 1, 1)
        end = date(2024 + (i + 1) // 12, (i + 1) % 12 + 1, 1)
        ratio = None if i == 13 else 1.0 + 0.06 * ((i * 7) % 5 - 2) / 2 - (0.012 * (i - 11) if i > 11 else 0)
        rows.append(
            {
                "starts_on": start,
                "ends_on": end,
                "step": "month",
                "ratio": ratio,
                "mean_minutes": None if ratio is None else 4812.0 * ratio,
                "n": 900 + i,
                "n_procedures": 64,
                "coverage": 0.91,
                "is_baseline": i < 12,
            }
        )
    return rows


def quality() -> list[dict[str, Any]]:
    """Most of the items, one that no label knows."""
    items = (
        ("dossiers", 12_345, None, "dossiers"),
        ("not_received", 31, 12_345, "dossiers"),
        ("without_due_date_stated", 230, 12_345, "dossiers"),
        ("without_any_due_date", 4, 12_345, "dossiers"),
        ("without_applicant_unit", 5_100, 12_345, "dossiers"),
        ("unknown_unit", 0, 12_345, "dossiers"),
        ("refused_rows", 7, 61_002, "rows"),
        ("retracted_batches", 1, 14, "batches"),
        ("some_new_item", 2, 12_345, "dossiers"),
        ("pending", 379, 12_345, "dossiers"),
    )
    return [dict(zip(("item", "n", "n_of", "unit_of_count"), item, strict=True)) for item in items]


def intake(n_refused: int = 7) -> list[dict[str, Any]]:
    """Four batches: an old one, one that was held, tonight's two."""
    rows = (
        (1, False, 61_002, 60_500, 400, 102, 0, False),
        (2, False, 40, 0, 0, 0, 40, True),
        (3, True, 5_000, 4_980, 13, 7 - n_refused, n_refused, False),
        (4, True, 100, 0, 100, 0, 0, False),
    )
    return [dict(zip(INTAKE.names, row, strict=True)) for row in rows if n_refused or not row[-1]]


def refusals() -> list[dict[str, Any]]:
    """Why their rows were refused; one reason that no label knows."""
    rows = (
        (2, "the file is held: more of its rows were refused than policies.max_refused allows", 28),
        (2, "a status that the mapping does not know", 12),
        (3, "not a readable instant or day", 4),
        (3, "a status that the mapping does not know", 2),
        (3, "some new reason", 1),
    )
    return [dict(zip(REFUSALS.names, row, strict=True)) for row in rows]


def centre() -> tuple[dict[str, pa.Table], About]:
    """A reception point's tables and words."""
    tables = city(
        reductions=[reduction(scope="centre", scope_id="10525", name="Trung tâm PVHCC phường Hải Dương")], targets=[]
    )
    return tables, about(
        audience="centre", scope="unit:10525", scope_name="Trung tâm Phục vụ hành chính công phường Hải Dương"
    )


def department() -> tuple[dict[str, pa.Table], About]:
    """A department's tables and words; limits down, time flat, lateness up."""
    own = reduction(
        scope="unit",
        scope_id="H24.05",
        name="Sở Xây dựng",
        actual_cut=0.01,
        cut_lower=-0.06,
        cut_upper=0.07,
        verdict="missed",
    )
    tables = city(
        reductions=[own, *procedure_rows()], targets=[t | {"scope": "unit", "scope_id": "H24.05"} for t in targets()]
    )
    return tables, about(audience="department", scope="unit:H24.05", scope_name="Sở Xây dựng")


def hostile() -> tuple[dict[str, pa.Table], About]:
    """The city with every text that may come from outside turned hostile."""
    codes = {
        "scope", "state", "verdict", "why", "basis", "step", "limit_class", "level", "item", "unit_of_count",
        "parted_by", "term", "agreement", "actual_verdict",
        "role", "unanswerable", "measure", "difference", "direction",
    }  # fmt: skip
    tables = {}
    for name, table in city().items():
        rows = [
            {k: HOSTILE if isinstance(v, str) and k not in codes and v else v for k, v in row.items()}
            for row in table.to_pylist()
        ]
        tables[name] = SPECS[name].from_rows(rows)
    words = {"scope_name": HOSTILE, "city_name": HOSTILE, "baseline": HOSTILE, "calendar_version": HOSTILE}
    return tables, about(
        **words, policies={"supplement": HOSTILE}, procedure_policies={HOSTILE: 2}, settings={HOSTILE: 1.0}
    )
