"""What was planted in a made-up city is found: limits and boundaries exactly, times within their intervals."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from judged import NO_BATCHES, YEAR_2025, City, midnight, registry_of

from benchmarks import city as generator


@dataclass
class Found:
    planted: dict[str, Any]
    tables: dict[str, Any]
    targets: list[dict[str, Any]]

    @property
    def procedures(self) -> dict[str, dict[str, Any]]:
        return {row["scope_id"]: row for row in self.rows("reductions") if row["scope"] == "procedure"}

    @property
    def city(self) -> dict[str, Any]:
        return self.rows("reductions")[0]

    def rows(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.tables[name].to_pylist()
        return rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    folder: Path = tmp_path_factory.mktemp("city")
    planted = generator.generate(folder, dossiers=30_000, seed=7)
    city = City(registry_of(folder))
    city.store.ingest(folder / "events.csv")
    as_of = midnight(YEAR_2025.to)
    with city.judge(as_of) as judge:
        question = city.question(as_of, YEAR_2025)
        targets = judge.targets(question, ending=YEAR_2025.to).to_pylist()
        yield Found(planted, judge.tables(question, batches=NO_BATCHES), targets)
    shutil.rmtree(city.store.folder)
    shutil.rmtree(folder)


def test_the_cuts_on_paper_are_exactly_those_planted(found: Found) -> None:
    for code, planted in found.planted["procedures"].items():
        row = found.procedures[code]
        assert row["limit_cut"] == pytest.approx(planted["limit_cut"], abs=1e-9)
        assert (row["limit_before"], row["limit_now"]) == tuple(
            f"{amount} {unit}" for amount, unit in (planted["limit_2024"], planted["limit_2025"])
        )
    assert found.city["limit_cut"] == pytest.approx(found.planted["limit_cut_mean"], abs=1e-9)


def test_the_finished_dossiers_of_each_procedure_are_those_planted(found: Found) -> None:
    """But for the few that were finished in 2024 and reopened in 2025: the frozen baseline keeps them."""
    more = 0
    for code, planted in found.planted["procedures"].items():
        row = found.procedures[code]
        assert row["n_period"] == planted["done_2025"]["n"]
        assert row["n_baseline"] >= planted["done_2024"]["n"]
        more += row["n_baseline"] - planted["done_2024"]["n"]
    assert more <= 5


def test_the_boundary_verdicts_are_exactly_those_planted(found: Found) -> None:
    rows = {row["procedure_id"]: row for row in found.rows("boundaries")}
    for code, planted in found.planted["procedures"].items():
        row = rows[code]
        assert row["verdict"] == planted["boundary"]
        for name in ("is_announced", "n_cross_finished", "n_receiving_units", "n_refused_elsewhere"):
            assert row[name] == planted[name], (code, name)
    offered = [row["verdict"] for row in rows.values() if row["is_on_offer"]]
    assert {verdict: offered.count(verdict) for verdict in set(offered)} == found.planted["boundaries"]


def test_what_was_planted_faster_is_found_and_what_was_not_is_never_called_met(found: Found) -> None:
    verdicts: dict[str, list[str]] = {"much_faster": [], "unchanged": [], "slower": []}
    for code, planted in found.planted["procedures"].items():
        kind = "much_faster" if planted["ratio"] <= 0.6 else planted["change"]
        if kind in verdicts:
            verdicts[kind].append(found.procedures[code]["verdict"])
    judged = [verdict for verdict in verdicts["much_faster"] if verdict != "no_data"]
    assert len(judged) >= 3
    assert judged.count("met") >= len(judged) / 2
    assert "missed" not in judged
    assert "met" not in verdicts["unchanged"] + verdicts["slower"]
    assert "missed" in verdicts["unchanged"]


def test_the_intervals_of_the_city_hold_what_was_planted(found: Found) -> None:
    """`ratio` acts by day of receipt: dossiers carried over New Year dilute the planted cut by a few thousandths."""
    covered = [p for p in found.planted["procedures"].values() if min(p["done_2024"]["n"], p["done_2025"]["n"]) >= 5]
    base = sum(p["done_2024"]["working_seconds"] for p in covered)
    cut = 1 - sum(p["done_2024"]["working_seconds"] * p["ratio"] for p in covered) / base
    assert found.city["cut_lower"] - 0.005 <= cut <= found.city["cut_upper"] + 0.005
    assert found.city["cut_upper"] - found.city["cut_lower"] < 0.08
    uncapped = found.planted["actual_cut"]
    assert 1 - found.city["uncapped_ratio"] == pytest.approx(uncapped["reduction_uncapped"], abs=0.002)
    assert found.city["coverage"] == pytest.approx(uncapped["coverage_of_2024"], abs=0.002)


def test_the_citys_targets_on_paper_and_in_time_are_told_apart(found: Found) -> None:
    verdicts = {row["name"]: row["verdict"] for row in found.targets if row["scope"] == "city"}
    assert verdicts["city-limit-30"] == "met"
    assert verdicts["nq66-2025"] == "missed"
