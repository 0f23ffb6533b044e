"""Pending work and open stock of the sample city, from its log to the tables, against the plain twin (rulebook 7d)."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest
from judged import City, midnight, registry_of, rows_of
from judged_twin import Row, TwinCity, near
from twin import survival as twin
from twin.dossiers import Dossier, measure_dossiers
from twin.figures import nine_digits, on_offer, procedure_key, quantile
from twin.survival import Case

from procmon.engine import sql_text
from procmon.judge.pending_work import pending_work
from procmon.judge.reductions import Goal
from procmon.judge.stock import open_stock
from procmon.tables import Period

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
SPRING = Period(date(2025, 3, 20), date(2025, 6, 1), "")
FATES = {"finished": "result", "returned": "result", "pending": "pending"}
SIDES = (("baseline", False), ("period", True))


class Asked:
    """One period's tables as the judge makes them, and the twin's dossiers of either side."""

    def __init__(self, city: City, log: Sequence[Row], period: Period) -> None:
        as_of = midnight(period.to)
        self.question = city.question(as_of, period)
        self.twin = TwinCity(log, city.registry_rows, self.question)
        with city.judge(as_of) as judge:
            evidence = judge.evidence(self.question)
            judge.engine.steps(sql_text("judge", "received"))
            received = judge.engine.query("SELECT * FROM received")
            self.caps = evidence.caps
            self.tables: dict[str, pa.Table] = {
                "pending_work": pending_work(evidence, received, Goal("a third", 0.3)),
                "open_stock": open_stock(judge.engine, self.question),
            }
            self.weights = {
                (scope.kind, scope.id): scope.cut.weights
                for scope in [evidence.headline, *evidence.parts, *evidence.procedures]
            }
        self._split: dict[str, dict[str, list[Case]]] = {}
        base = measure_dossiers(log, city.registry_rows, to=midnight(self.question.baseline_seen_on))
        baseline = self.question.baseline
        self.cases = [
            self.case(dossier, is_now)
            for is_now, dossiers in ((False, base), (True, self.twin.dossiers))
            for dossier in dossiers
            if dossier.received_at
            and (
                period.from_ <= dossier.received_at.date() < period.to
                if is_now
                else baseline.from_ <= dossier.received_at.date() < baseline.to
                and dossier.received_at.month in self.twin.months
            )
        ]

    def case(self, dossier: Dossier, is_now: bool) -> Case:
        at, seconds = dossier.received_at, dossier.working_seconds
        assert at is not None
        assert seconds is not None
        fate = FATES.get(dossier.outcome, "other")
        return Case(
            procedure_key(dossier), self.twin.unit_of(dossier), is_now, at.year * 12 + at.month, seconds, fate
        )  # fmt: skip

    def of(self, kind: str, scope_id: str) -> list[Case]:
        """The dossiers of a scope."""
        if kind == "tag":
            tagged = set(on_offer(self.twin.registry, self.question.last_day, scope_id))
            return [case for case in self.cases if case.procedure in tagged]
        if kind not in self._split:
            place = self.twin.place(kind)
            self._split[kind] = defaultdict(list)
            for case in self.cases:
                self._split[kind][place(case.procedure, case.unit)].append(case)
        return self._split[kind][scope_id]


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City(registry_of(SAMPLE))
    city.store.ingest(SAMPLE / "events.csv.gz")
    yield city
    shutil.rmtree(city.store.folder)


@pytest.fixture(scope="module")
def asked(city: City) -> Asked:
    return Asked(city, rows_of(SAMPLE / "events.csv.gz"), SPRING)


def test_the_baseline_is_seen_as_of_its_own_compared_periods_end(asked: Asked) -> None:
    assert asked.question.baseline_seen_on == date(2024, 6, 1)


def test_every_scope_counts_the_dossiers_received_by_what_became_of_them(asked: Asked) -> None:
    rows = asked.tables["pending_work"].to_pylist()
    assert {row["scope"] for row in rows} >= {"city", "level", "field", "department", "unit", "procedure"}
    assert sum(row["n_pending_period"] for row in rows) > 0
    for row in rows:
        cases = asked.of(row["scope"], row["scope_id"])
        for side, is_now in SIDES:
            fates = [case.fate for case in cases if case.is_now is is_now]
            assert row[f"n_received_{side}"] == len(fates), row
            found = tuple(row[f"{name}_{side}"] for name in ("n_result", "n_no_result", "n_pending"))
            assert found == tuple(fates.count(fate) for fate in ("result", "other", "pending")), row


def test_every_scopes_restricted_means_equal_the_plain_twin(asked: Asked) -> None:
    for row in asked.tables["pending_work"].to_pylist():
        cases = asked.of(row["scope"], row["scope_id"])
        weights = asked.weights[row["scope"], row["scope_id"]]
        sums, covered = {False: Fraction(0), True: Fraction(0)}, 0
        for code, weight in weights.items():
            sides = [
                [(c.seconds, c.fate) for c in cases if c.procedure == code and c.is_now is s] for s in (False, True)
            ]
            ends = [twin.longest(seen) for seen in sides]
            if None not in ends:
                covered += weight
                tau = min(asked.caps[code], *(end for end in ends if end is not None))
                for is_now in (False, True):
                    sums[is_now] += weight * twin.restricted_mean(sides[is_now], tau)
        for side, is_now in SIDES:
            expected = float(sums[is_now] / covered / 60) if covered else None
            assert near(row[f"restricted_{side}_minutes"], expected), row
        cut = float(1 - sums[True] / sums[False]) if sums[False] else None
        assert near(row["restricted_cut"], cut), row


def test_every_procedures_medians_and_shares_equal_the_plain_twin(asked: Asked) -> None:
    rows = [row for row in asked.tables["pending_work"].to_pylist() if row["scope"] == "procedure"]
    assert any(row["tau_minutes"] for row in rows)
    for row in rows:
        cases = asked.of("procedure", row["scope_id"])
        for side, is_now in SIDES:
            seen = [(case.seconds, case.fate) for case in cases if case.is_now is is_now]
            for name, expected in (
                ("km_median", twin.median(seen)),
                ("half_with_result", twin.half_with_result(seen)),
                ("median_if_none_withdrawn", twin.median(seen, twin.RESULT)),
            ):
                assert row[f"{name}_{side}_minutes"] == (
                    nine_digits(Fraction(expected, 60)) if expected is not None else None
                )
            if row["tau_minutes"] is not None:
                tau = round(row["tau_minutes"] * 60)
                for name, fate in (("share_with_result", "result"), ("share_without_result", "other")):
                    assert row[f"{name}_{side}"] == pytest.approx(float(twin.share_at(seen, tau, {fate})), abs=1e-9)
            else:
                assert row[f"share_with_result_{side}"] is None


def test_agreement_follows_from_both_verdicts_and_cuts(asked: Asked) -> None:
    rows = asked.tables["pending_work"].to_pylist()
    for row in rows:
        if row["verdict"] == "no_data" and row["actual_verdict"] == "met":
            assert row["agreement"] == "disagree"  # nothing unknown flatters
        elif "no_data" in (row["verdict"], row["actual_verdict"]):
            assert row["agreement"] == ""
        else:
            is_far = abs(row["actual_cut"] - row["restricted_cut"]) > 0.1
            differs = row["verdict"] != row["actual_verdict"]
            assert row["agreement"] == ("disagree" if is_far or differs else "agree")
    assert {row["agreement"] for row in rows} >= {"agree", ""}


def test_the_open_stock_at_thirteen_month_ends_equals_the_plain_twin(asked: Asked) -> None:
    rows = asked.tables["open_stock"].to_pylist()
    end = asked.question.compare.to
    assert len(rows) == 13
    assert rows[-1]["month_end_on"] == end - timedelta(days=1)
    assert rows[0]["month_end_on"] + timedelta(days=1) == end.replace(year=end.year - 1)
    assert rows[-1]["n_open"] > 0
    for row in rows:
        on = row["month_end_on"]
        ages = [
            (on - dossier.received_at.date()).days
            for dossier in asked.twin.dossiers
            if dossier.received_at
            and dossier.received_at.date() <= on
            and not (dossier.ended_at and dossier.ended_at.date() <= on)
        ]
        assert row["n_open"] == len(ages)
        assert [row[f"n_over_{days}"] for days in (30, 90, 180)] == [
            sum(age > days for age in ages) for days in (30, 90, 180)
        ]
        for name, q in (("median", Fraction(1, 2)), ("p90", Fraction(9, 10))):
            assert row[f"{name}_age_days"] == (nine_digits(quantile(ages, q)) if ages else None)
