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


def test_the_shares_of_the_procedures_on_offer_are_those_planted(found: Found) -> None:
    """The city's, and its levels' and fields' added up; the last month's end is the as-of instant itself."""
    shares: dict[str, list[dict[str, Any]]] = {}
    for row in found.rows("boundary_shares"):
        shares.setdefault(row["scope"], []).append(row)
    counts = [name for name in shares["city"][0] if name.startswith("n_")]
    (city,), planted = shares["city"], found.planted["procedures"].values()
    for verdict, n in found.planted["boundaries"].items():
        assert city[f"n_{verdict}"] == n
    assert city["n_on_offer"] == len(planted)
    assert city["n_announced"] == sum(p["is_announced"] for p in planted)
    assert city["n_announced_not_proven"] == sum(p["is_announced"] and p["boundary"] != "proven" for p in planted)
    assert city["n_proven_not_announced"] == sum(not p["is_announced"] and p["boundary"] == "proven" for p in planted)
    for kind in ("level", "field"):
        assert {name: sum(row[name] for row in shares[kind]) for name in counts} == {n: city[n] for n in counts}
    last = max(shares["month"], key=lambda row: row["as_of_on"])
    assert (len(shares["month"]), last["scope_id"]) == (12, "2025-12")
    assert {name: last[name] for name in counts} == {name: city[name] for name in counts}


def test_reasons_flows_and_roles_count_the_same_dossiers_as_the_verdicts(found: Found) -> None:
    rows, refusals = found.rows("boundaries"), found.rows("boundary_refusals")
    assert sum(row["n"] for row in refusals) == sum(row["n_cross_refused"] for row in rows) > 0
    not_competent = sum(row["n"] for row in refusals if row["reason"] == "not_competent")
    assert not_competent == sum(p["n_refused_elsewhere"] for p in found.planted["procedures"].values())
    flows = found.rows("flows")
    n_cross = sum(row["n"] for row in flows if row["is_cross_boundary"])
    assert n_cross == sum(row["n_cross"] for row in rows)
    assert sum(row["n"] for row in flows) == sum(row["n_dossiers"] - row["n_online"] for row in rows)
    assert {row["n_dossiers"] for row in found.rows("roles")[:3]} == {sum(row["n"] for row in flows)}


def test_what_was_planted_alike_is_not_called_slower_or_faster(found: Found) -> None:
    """The made-up city's cross-boundary dossiers take as long as local ones; one in twenty may look otherwise."""
    rows = [row for row in found.rows("parity") if row["measure"] == "processing_time"]
    assert rows[0]["scope"] == "city"
    assert rows[0]["verdict"] in ("equivalent", "not_shown")
    assert {row["verdict"] for row in rows if row["n_covered_cross"] < 100} == {"not_shown"}
    handovers = next(row for row in found.rows("parity") if row["measure"] == "handovers")
    assert handovers["difference"] > 0.5  # they are sent to the unit that resolves them, and back


def test_old_units_and_new_ones_add_up_to_the_city_in_both_years(found: Found) -> None:
    units = [row for row in found.rows("reductions") if row["scope"] == "unit"]
    for name in ("n_baseline", "n_period"):
        assert sum(row[name] for row in units) == found.city[name]
    (left,) = (row for row in units if row["scope_id"] == "undetermined")
    assert not any("@" in row["scope_id"] for row in units)
    shown = {row["unit_key"]: row for row in found.rows("undetermined_units")}.values()
    for name in ("n_baseline", "n_period"):
        assert sum(row[name] for row in shown) == left[name] > 0


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
