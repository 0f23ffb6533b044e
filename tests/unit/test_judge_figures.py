"""Every number of a page has its row in the long form, found by a key that no other page uses."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from judged import NO_BATCHES, YEAR_2025, City, midnight, registry_of, rows_of

from procmon.judge import Side, figures
from procmon.tables import FIGURES, FORM_06, TARGETS, WAY

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
KEY = ("figure", "rule_set", "scope", "scope_id", "period_from", "period_to")
BESIDE = ("lower", "upper", "verdict", "n", "n_baseline")
SIDES: dict[tuple[str, str], Side] = {
    ("city", ""): "all", ("centre", "unit"): "receiving", ("department", "unit"): "resolving",
    ("department", "field"): "field",
}  # fmt: skip
Page = tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def pages() -> Iterator[dict[str, Page]]:
    """Tables and figures of every page that the sample city's recipients get, and of a ward's."""
    city = City(registry_of(SAMPLE))
    city.store.ingest(SAMPLE / "events.csv.gz")
    as_of = midnight(YEAR_2025.to)
    wanted = {(row["audience"], row["scope"]) for row in rows_of(SAMPLE / "recipients.csv")}
    found: dict[str, Page] = {}
    with city.judge(as_of) as judge:
        for audience, scope in sorted(wanted):
            kind, _, scope_id = scope.partition(":")
            question = city.question(as_of, YEAR_2025, side=SIDES[audience, kind], scope_id=scope_id)
            tables: dict[str, pa.Table] = judge.tables(question, batches=NO_BATCHES)
            tables["targets"] = (
                judge.targets(question, ending=YEAR_2025.to) if audience == "city" else TARGETS.from_rows([])
            )
            tables["way"] = WAY.from_rows([])  # the year has ended
            long = figures(tables, question)
            assert long.schema.names == FIGURES.names
            found[f"{audience} {scope}".strip()] = (
                {name: table.to_pylist() for name, table in tables.items()},
                long.to_pylist(),
            )
    yield found
    shutil.rmtree(city.store.folder)


def place_of(page: str) -> tuple[str, str]:
    audience, _, scope = page.partition(" ")
    return audience, scope


def part_of(page: str, kind: str, part_id: str) -> tuple[str, str]:
    audience, scope = place_of(page)
    return (kind, part_id) if audience == "city" else (f"{audience}/{kind}", f"{scope}/{part_id}")


def values(long: list[dict[str, Any]], column: str = "value") -> dict[tuple[str, str, str], Any]:
    return {(row["figure"], row["scope"], row["scope_id"]): row[column] for row in long}


def test_no_key_is_used_twice_in_a_run(pages: dict[str, Page]) -> None:
    keys = Counter(tuple(row[name] for name in KEY) for _, long in pages.values() for row in long)
    assert len(pages) >= 6
    assert [key for key, n in keys.items() if n > 1] == []


def test_every_reduction_that_a_page_shows_has_its_figure(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        told, n, counts, first = values(long), values(long, "n"), values(long, "numerator"), True
        cuts = {
            (row["scope"], row["scope_id"]): tuple(row[name] for name in BESIDE)
            for row in long
            if row["figure"] == "reductions.actual_cut"
        }
        for row in tables["reductions"]:
            where = place_of(page) if first else part_of(page, row["scope"], row["scope_id"])
            first = False
            assert told["reductions.limit_cut", *where] == row["limit_cut"]
            if row["scope"] == "procedure" and not row["n_period"] and not row["n_baseline"]:
                continue
            assert told["reductions.actual_cut", *where] == row["actual_cut"]
            behind = tuple(row[name] for name in ("cut_lower", "cut_upper", "verdict", "n_period", "n_baseline"))
            assert cuts[where] == behind
            assert told["reductions.coverage", *where] == row["coverage"]
            for name in ("mean", "median", "p90") if row["scope"] == "procedure" else ("mean",):
                for side in ("baseline", "period"):
                    column = f"{name}_{side}_minutes"
                    assert told[f"reductions.{column}", *where] == row[column]
                    assert n[f"reductions.{column}", *where] == row[f"n_{side}"]
            for name in ("n_on_time_old", "n_on_time_new", "n_baseline_on_time", "n_capped_period"):
                assert counts[f"reductions.{name}", *where] == row[name]
            if row["scope"] != "procedure":
                assert counts["reductions.n_limit_50", *where] == row["n_limit_50"]
                assert counts["reductions.n_no_limit", *where] == row["n_no_limit"]


def test_form_06_has_every_cell_and_the_totals_that_they_add_up_to(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        counts = values(long, "numerator")
        for column in FORM_06.names[2:]:
            cells = [
                counts[f"form_06.{column}", *part_of(page, "field/level", f"{row['field']}/{row['level']}")]
                for row in tables["form_06"]
            ]
            assert cells == [row[column] for row in tables["form_06"]]
            assert counts[f"form_06.{column}", *place_of(page)] == sum(cells)


def test_on_time_has_each_shares_counts_under_its_rule_set(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        told = {(row["figure"], row["rule_set"], row["scope"], row["scope_id"]): row for row in long}
        for place, row in enumerate(tables["on_time"]):
            where = place_of(page) if place < 3 else part_of(page, row["scope"], row["scope_id"])
            figure = told["on_time.n_on_time", row["rule_set"], *where]
            assert (figure["numerator"], figure["denominator"]) == (row["n_on_time"], row["n_judged"])
            assert figure["value"] == row["on_time"]
        for row in tables["on_time"][:3]:
            for name in (name for name in row if name.startswith("n_") and name not in ("n_dossiers", "n_judged")):
                assert told[f"on_time.{name}", row["rule_set"], *place_of(page)]["numerator"] == row[name]


def test_every_step_of_the_bridge_has_its_figures(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        told = {(row["figure"], row["rule_set"]): row for row in long if row["figure"].startswith("bridge.")}
        assert len(told) == 6 * len(tables["bridge"]) == 6 * 15
        for row in tables["bridge"]:
            for name in (name for name in row if name.startswith("n_") and name != "n_judged"):
                figure = told[f"bridge.{row['step']}.{name}", row["to_rule_set"]]
                assert figure["numerator"] == row[name]
                assert (figure["scope"], figure["scope_id"]) == place_of(page)


def test_boundaries_have_their_shares_and_each_procedures_evidence(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        counts, told = values(long, "numerator"), values(long)
        offered = [row["verdict"] for row in tables["boundaries"] if row["is_on_offer"]]
        verdicts = ("refused_elsewhere", "proven", "announced_only", "online_only", "local_only", "no_data")
        found = {name: counts[f"boundaries.{name}", *place_of(page)] for name in verdicts}
        assert found == {name: offered.count(name) for name in verdicts}
        if offered:
            assert sum(told[f"boundaries.{name}", *place_of(page)] for name in verdicts) == pytest.approx(1)
        for row in tables["boundaries"]:
            where = part_of(page, "procedure", row["procedure_id"])
            names = ["n_cross_finished"]
            if row["n_dossiers"]:
                names += ["n_receiving_units", "n_refused_elsewhere", "n_online", "n_undetermined"]
                names += ["n_cross", "n_returned_elsewhere"]
            assert {name: counts[f"boundaries.{name}", *where] for name in names} == {name: row[name] for name in names}


def test_a_list_of_what_is_due_soon_contains_the_one_before(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        n = {figure: n for (figure, *where), n in values(long, "numerator").items() if tuple(where) == place_of(page)}
        states = Counter(row["state"] for row in tables["due_soon"])
        assert n["due_soon.due_1"] == states["due_1"]
        assert n["due_soon.due_2"] == states["due_1"] + states["due_2"]
        assert n["due_soon.due_3"] == states["due_1"] + states["due_2"] + states["due_3"]
        parts = ("overdue", "due_3", "later", "waiting", "nothing_to_judge_by")
        assert sum(n[f"due_soon.{name}"] for name in parts) == len(tables["due_soon"])
        held = [row["numerator"] for row in long if row["figure"] == "due_soon.overdue"
                and row["scope"].endswith("holding_unit")]  # fmt: skip
        assert sum(held) == states["overdue"]


def test_targets_trend_and_quality_stand_in_full(pages: dict[str, Page]) -> None:
    for page, (tables, long) in pages.items():
        told, n = values(long), values(long, "numerator")
        for row in tables["targets"]:
            assert told[f"targets.{row['name']}", row["scope"], row["scope_id"]] == row["reduction"]
        for row in tables["trend"]:
            assert told["trend.ratio", *part_of(page, row["step"], str(row["starts_on"]))] == row["ratio"]
        for row in tables["quality"]:
            if row["unit_of_count"] != "dossiers":  # of the batches, not of the dossiers: no figure
                continue
            assert n[f"quality.{row['item']}", *place_of(page)] == row["n"]
    assert len(pages["city"][0]["trend"]) == 8  # quarters
    assert len(pages["city"][0]["targets"]) > 100


def test_without_a_due_date_is_counted_over_what_was_received(pages: dict[str, Page]) -> None:
    counted = {row["item"]: row for row in pages["city"][0]["quality"]}
    whole = counted["dossiers"]["n"]
    unreceived = counted["not_received"]["n"] + counted["ended_without_receipt"]["n"]
    assert "received" not in counted
    assert counted["without_due_date_stated"]["n_of"] < whole - unreceived  # 150 were refused at reception
    assert counted["without_due_date_stated"]["n_of"] == 7822
