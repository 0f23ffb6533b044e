"""The twin held against what `benchmarks/city.py` says it planted: two ways to the same figures, no shared code."""

import csv
import gzip
import json
from collections import Counter
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from .dossiers import Dossier, cells, measure_dossiers
from .figures import GOT_A_RESULT, actual_cut, boundaries, finishes, limit_target, midnight, nine_digits

CITY = Path(__file__).parents[2] / "sample_logs" / "city"
AS_OF = midnight("2026-01-01")


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    return rows_of(CITY / "events.csv.gz")


@pytest.fixture(scope="module")
def registry() -> dict[str, list[dict[str, str]]]:
    kinds = ("procedures", "units", "successions", "calendar", "announced")
    return {kind: rows_of(CITY / f"{kind}.csv") for kind in kinds}


@pytest.fixture(scope="module")
def planted() -> dict[str, Any]:
    planted: dict[str, Any] = json.loads((CITY / "planted.json").read_text(encoding="utf-8"))
    return planted


@pytest.fixture(scope="module")
def dossiers(log: Any, registry: Any) -> list[Dossier]:
    return measure_dossiers(log, registry, as_of=AS_OF)


def test_the_seconds_of_every_procedure_are_those_planted(dossiers: Any, planted: Any) -> None:
    done: Counter[tuple[str, int]] = Counter()
    seconds: Counter[tuple[str, int]] = Counter()
    for dossier in dossiers:
        if dossier.outcome in GOT_A_RESULT and dossier.working_seconds is not None:
            key = dossier.procedure_id, dossier.ended_at.year
            done[key] += 1
            seconds[key] += dossier.working_seconds
    for procedure in planted["procedures"].values():
        for year in (2024, 2025):
            key = procedure["logged_as"], year
            assert {"n": done[key], "working_seconds": seconds[key]} == procedure[f"done_{year}"]


def test_outcomes_shares_and_moves_are_those_planted(dossiers: Any, planted: Any) -> None:
    shown = [cells(dossier) for dossier in dossiers]
    received = [row for row in shown if row["received_at"]]
    assert Counter(row["outcome"] for row in shown) == planted["outcomes"]
    assert Counter(row["channel"] for row in shown) == planted["channels"]
    assert Counter(row["on_time_766"] or "empty" for row in received) == planted["on_time_766"]
    assert Counter(row["n_due_moves"] for row in received) == planted["n_due_moves"]
    assert sum(row["is_cross_boundary"] == "true" for row in shown) == planted["dossiers_that_are"]["crossing"]


def test_the_boundary_verdicts_are_those_planted(log: Any, registry: Any, planted: Any) -> None:
    found = {figure.procedure_id: figure for figure in boundaries(log, registry, AS_OF)}
    for code, procedure in planted["procedures"].items():
        figure = found[code]
        assert figure.verdict == procedure["boundary"]
        assert figure.n_cross_finished == procedure["n_cross_finished"]
        assert figure.n_refused_elsewhere == procedure["n_refused_elsewhere"]


def test_the_reductions_are_those_planted(log: Any, registry: Any, planted: Any) -> None:
    last_day = (AS_OF - timedelta(days=1)).date()
    limit = limit_target(registry, Fraction(3, 10), last_day)
    assert nine_digits(limit.reduction) == planted["limit_cut_mean"]
    years = [midnight(day) for day in ("2024-01-01", "2025-01-01", "2026-01-01")]
    base, now = (finishes(log, registry, *years[n : n + 2]) for n in (0, 1))
    cut = actual_cut(base, now, Fraction(3, 10))
    assert round(float(cut.uncapped_reduction or 0), 6) == planted["actual_cut"]["reduction_uncapped"]
    assert round(float(cut.coverage or 0), 6) == planted["actual_cut"]["coverage_of_2024"]
    assert len(cut.covered) == planted["actual_cut"]["n_procedures"]
