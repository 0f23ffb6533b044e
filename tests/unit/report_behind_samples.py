"""Hand-made tables of what lies behind the cut: received dossiers, decompositions, the way to go, places of units."""

from __future__ import annotations

from datetime import date
from typing import Any

Row = dict[str, Any]


def received(**changes: Any) -> Row:
    """A row of `pending_work`: 12.34 % by the finished dossiers, 9 % by all of them, which agrees."""
    row: Row = {
        "scope": "city",
        "scope_id": "",
        "name": "thành phố Hải Phòng",
        "n_received_baseline": 11_000,
        "n_received_period": 11_500,
        "n_result_baseline": 10_400,
        "n_result_period": 10_500,
        "n_no_result_baseline": 300,
        "n_no_result_period": 320,
        "n_pending_baseline": 300,
        "n_pending_period": 680,
        "restricted_cut": 0.09,
        "cut_lower": 0.02,
        "cut_upper": 0.15,
        "verdict": "missed",
        "why": "",
        "actual_cut": 0.1234,
        "actual_verdict": "missed",
        "agreement": "agree",
    }
    return row | changes


def pending_work() -> list[Row]:
    """City, levels, and three procedures: curves on both sides, a half that is never reached, too few."""
    curves = {
        "tau_minutes": 9600.0,
        "km_median_baseline_minutes": 2400.0,
        "km_median_period_minutes": 1920.0,
        "half_with_result_baseline_minutes": 2448.0,
        "half_with_result_period_minutes": None,
        "share_with_result_baseline": 0.912,
        "share_with_result_period": 0.431,
        "share_without_result_baseline": 0.031,
        "share_without_result_period": 0.062,
        "median_if_none_withdrawn_baseline_minutes": 2400.0,
        "median_if_none_withdrawn_period_minutes": 2000.0,
    }
    return [
        received(),
        received(scope="level", scope_id="city", restricted_cut=-0.02, cut_lower=-0.1, cut_upper=0.05,
                 agreement="disagree"),
        received(scope="level", scope_id="commune", restricted_cut=None, cut_lower=None, cut_upper=None,
                 verdict="no_data", why="coverage", agreement=""),
        received(scope="procedure", scope_id="1.004194", name="Đăng ký thường trú", **curves),
        received(scope="procedure", scope_id="2.001610", name="Đăng ký thành lập doanh nghiệp tư nhân",
                 n_received_period=12),
    ]  # fmt: skip


def open_stock() -> list[Row]:
    """Two month ends."""
    return [
        {"month_end_on": date(2025, 9, 30), "n_open": 0, "n_over_30": 0, "n_over_90": 0, "n_over_180": 0},
        {"month_end_on": date(2025, 10, 31), "n_open": 400, "n_over_30": 80, "n_over_90": 20, "n_over_180": 1,
         "median_age_days": 11.5, "p90_age_days": 62.0},
    ]  # fmt: skip


def change() -> list[Row]:
    """Every decomposition of a cut of 12 %: twelve procedures, two units, two stages, pauses that grew."""

    def part(by: str, term: str, contribution: float, part_id: str = "", name: str = "") -> Row:
        return {
            "scope": "city", "scope_id": "", "parted_by": by, "part_id": part_id, "name": name, "term": term,
            "contribution": contribution, "n_baseline": 900, "n_period": 1000, "mean_baseline_minutes": 4800.0,
            "mean_period_minutes": 4320.0,
        }  # fmt: skip

    procedures = [part("procedure", "pace", 0.02 - 0.002 * i, f"1.{i:06}", f"Thủ tục {i}") for i in range(11)]
    return [
        part("procedure", "total", 0.11),
        *procedures,
        part("procedure", "pace", -0.005, "2.000001", "Thủ tục chậm lại"),
        part("mix", "total", 0.30),
        part("mix", "uncovered", 0.01),
        part("mix", "fixed_mix", 0.12),
        part("mix", "mix", 0.2, "1.000000", "Thủ tục 0"),
        part("mix", "mix", -0.03, "1.000001", "Thủ tục 1"),
        part("unit", "total", 0.12),
        part("unit", "pace", 0.01, "10525", "Phường Hải Dương"),
        part("unit", "moved", 0.0, "10525", "Phường Hải Dương"),
        part("unit", "pace", 0.1, "H24.05", "Sở Xây dựng"),
        part("unit", "moved", 0.01, "H24.05", "Sở Xây dựng"),
        part("stage", "total", 0.12),
        part("stage", "pace", 0.13, "Thẩm định", "Thẩm định"),
        part("stage", "pace", -0.01),
        part("paused", "total", -0.04) | {"mean_baseline_minutes": 480.0, "mean_period_minutes": 720.0},
        part("with_pauses", "total", 0.05) | {"mean_baseline_minutes": 5280.0, "mean_period_minutes": 5040.0},
    ]


def way() -> list[Row]:
    """Two targets not met: one that may be reached, one that cannot; and a field, which the page leaves out."""
    row: Row = {
        "name": "50 % năm 2026", "scope": "city", "scope_id": "", "verdict": "missed", "mean_period_minutes": 4218.2,
        "target_mean_minutes": 2406.0, "gap_days": 3.8, "n_done": 5000, "n_rest": 5907, "needed_mean_minutes": 960.0,
        "why": "",
    }  # fmt: skip
    return [
        row,
        row | {"scope": "level", "scope_id": "city", "needed_mean_minutes": None, "why": "out_of_reach"},
        row | {"scope": "field", "scope_id": "Hộ tịch"},
    ]


def ranking() -> list[Row]:
    """Two units that cannot be parted, one behind them, one without enough dossiers."""
    row: Row = {"actual_cut": 0.2, "lower": 0.15, "upper": 0.25, "n_baseline": 800, "n_period": 850, "why": ""}
    return [
        row | {"unit_id": "10525", "name": "Phường Hải Dương", "rank_from": 1, "rank_to": 2, "n_tied": 1},
        row | {"unit_id": "11557", "name": "Phường Thủy Nguyên", "rank_from": 1, "rank_to": 2, "n_tied": 1},
        row | {"unit_id": "H24.05", "name": "Sở Xây dựng", "rank_from": 3, "rank_to": 3, "n_tied": 0},
        row | {"unit_id": "11948", "name": "Đặc khu Bạch Long Vĩ", "lower": None, "upper": None, "n_baseline": 20,
               "n_period": 17, "why": "few_dossiers"},
    ]  # fmt: skip


def predecessors() -> list[Row]:
    """Two old codes behind one procedure."""
    row: Row = {"procedure_id": "1.004194", "name": "Đăng ký thường trú"}
    return [
        row | {"predecessor_id": "1.004194.000.00.00.H23", "limit_before": "7 working_days", "is_shortest": True,
               "n_baseline": 400, "mean_minutes": 2880.0, "is_fastest": False},
        row | {"predecessor_id": "1.004194.000.00.00.H24", "limit_before": "10 working_days", "is_shortest": False,
               "n_baseline": 0, "mean_minutes": None, "is_fastest": False},
    ]  # fmt: skip


def unit_predecessors() -> list[Row]:
    """Two old wards behind one of today."""
    row: Row = {"unit_id": "10525", "name": "Phường Hải Dương", "mean_minutes": 2880.0}
    return [
        row | {"predecessor_key": "10513@2000-01-01", "predecessor_name": "Phường Cẩm Thượng", "n_baseline": 210},
        row | {"predecessor_key": "10514@2000-01-01", "predecessor_name": "Phường Bình Hàn", "n_baseline": 99},
    ]
