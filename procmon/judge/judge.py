"""The room's work: measured dossiers and a frozen baseline → the tables of a page, and their figures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, partial
from typing import Any

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge import boundaries, form_06, rule_sets
from procmon.judge.change import change
from procmon.judge.limits import Catalogue
from procmon.judge.parity import parity
from procmon.judge.pending_work import pending_work
from procmon.judge.predecessors import heirs, heirs_table, predecessors, unit_predecessors
from procmon.judge.question import Question
from procmon.judge.ranking import ranking
from procmon.judge.reductions import Evidence, Goal, reductions
from procmon.judge.stock import open_stock
from procmon.judge.targets import Row, has_its_baseline, judge_target, without_verdict
from procmon.judge.trend import trend
from procmon.judge.undetermined import undetermined_units
from procmon.judge.units import Units
from procmon.judge.way import way_to_go
from procmon.tables import (
    BASELINE_DOSSIERS,
    BASELINE_STAGES,
    BASELINE_STATES,
    DUE_SOON,
    INT,
    PARITY,
    QUALITY,
    TARGETS,
    TEXT,
    WAY,
    Period,
)

BASELINE_FILES = {
    "baseline_files": BASELINE_DOSSIERS,
    "baseline_state_files": BASELINE_STATES,
    "baseline_stage_files": BASELINE_STAGES,
}
"""What the SQL reads of frozen baselines."""

BOUNDARY_TABLES = ("boundaries", "boundary_shares", "boundary_refusals", "roles")

STEPS: dict[str, tuple[str, ...]] = {
    "reductions": ("sides", "spread"),
    "pending_work": ("received",),
    "open_stock": (),
    "change": ("sides",),
    "ranking": (),
    "predecessors": (),
    "unit_predecessors": (),
    "form_06": ("form_06",),
    "on_time": ("form_06", "rule_sets"),
    "bridge": ("form_06", "rule_sets"),
    **dict.fromkeys(BOUNDARY_TABLES, ("counters",)),
    "parity": ("counters",),
    "flows": (),
    "undetermined_units": (),
    "due_soon": ("due_soon",),
    "trend": ("sides", "spread"),
    "quality": ("quality",),
}
"""The tables of a page, and the SQL that each of them needs beside `figured`, in order."""

OF_RECEIVED = ("without_due_date_stated", "without_any_due_date")


class Judge:
    """Judges what one engine has measured.

    It reads measure's tables `dossiers`, `events`, `procedure_versions`, `unit_versions` and `unit_heirs` there.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        registry: Mapping[str, pa.Table],
        baseline_files: Mapping[str, Sequence[str]],
        baseline_id: int | None,
    ) -> None:
        """`baseline_files` are the Parquet files of the BASELINE_ tables, by the table's name; absent: none."""
        self.engine = engine
        self.catalogue = Catalogue(engine.query("SELECT * FROM procedure_versions"))
        self.units = Units(engine.query("SELECT * FROM unit_versions"), engine.query("SELECT * FROM unit_heirs"))
        self.target_rows = registry["targets"].to_pylist()
        self._figured: tuple[object, ...] = ()
        self._made: dict[str, Question] = {}
        self._counted: dict[tuple[object, ...], Evidence] = {}
        self._flows: dict[tuple[object, ...], pa.Table] = {}
        engine.give("announced", registry["announced"])
        for name, table in BASELINE_FILES.items():
            engine.give_files(name, baseline_files.get(table.name, ()), table.schema)
        engine.give("chosen_baseline", pa.table({"baseline_id": pa.array([baseline_id], INT)}))

    def tables(
        self, question: Question, *, batches: Mapping[str, int], names: Collection[str] = tuple(STEPS)
    ) -> dict[str, pa.Table]:
        """The tables of a page but `targets` and `way`, or those of them that are named (STEPS).

        Args:
            batches: the ledger's sums for data quality (refused_rows, read_rows …).

        `change` reads measure's table `stretches` as well.
        """
        if "flows" in names:
            self.flows(question)  # may ask of the city's dossiers: before those of the question are put in their place
        self._make(question, *(step for name in names for step in STEPS[name]))
        engine, rows, goal = self.engine, self.engine.query, self.goal(question)

        @cache
        def crossed() -> dict[str, pa.Table]:
            return boundaries.boundaries(engine, question)

        def of_boundaries(name: str) -> pa.Table:
            return crossed()[name]

        make: dict[str, Callable[[], pa.Table]] = {
            "reductions": lambda: reductions(self.evidence(question), rows("SELECT * FROM quantiles"), goal),
            "pending_work": lambda: pending_work(self.evidence(question), rows("SELECT * FROM received"), goal),
            "open_stock": lambda: open_stock(engine, question),
            "change": lambda: change(engine, self.evidence(question)),
            "ranking": lambda: ranking(self.evidence(question)),
            "predecessors": lambda: predecessors(engine, self.catalogue, question),
            "unit_predecessors": lambda: unit_predecessors(engine, self.units, question),
            "form_06": lambda: form_06.by_field(engine),
            "on_time": lambda: self._on_time(question),
            "bridge": lambda: rule_sets.bridge(rows("SELECT * FROM bridge"), self._on_time(question), question),
            **{name: partial(of_boundaries, name) for name in BOUNDARY_TABLES},
            "parity": lambda: self._parity(question, of_boundaries("boundaries")),
            "flows": lambda: self.flows(question),
            "undetermined_units": lambda: undetermined_units(self.evidence(question)),
            "due_soon": lambda: DUE_SOON.conform(
                rows("SELECT * FROM due_soon ORDER BY left_minutes NULLS LAST, dossier_id NULLS FIRST")
            ),
            "trend": lambda: trend(question, rows("SELECT * FROM trend_cells")),
            "quality": lambda: self._quality(batches),
        }
        return {name: make[name]() for name in names}

    def _on_time(self, question: Question) -> pa.Table:
        return rule_sets.on_time(self.engine.query("SELECT * FROM on_time"), self.units, question)

    def flows(self, question: Question) -> pa.Table:
        """Table FLOWS: of a field's question its own dossiers; of a unit's those of the city in which it has a role.

        The city's are counted once.
        """
        is_of_unit = question.side in ("receiving", "resolving")
        asked = replace(question, side="all", scope_id="") if is_of_unit else question
        key = (asked.side, asked.scope_id, asked.as_of, asked.last_day)
        if key not in self._flows:
            self._make(asked, "counters")
            self._flows[key] = boundaries.flows(self.engine, self.units, asked)
        if not is_of_unit:
            return self._flows[key]
        return boundaries.flows_of(self._flows[key], self.units.home(question.scope_id, question.today))

    def _parity(self, question: Question, judged: pa.Table) -> pa.Table:
        """Table PARITY, of the city only: a unit or field has too few dossiers for verdicts of its own."""
        if question.side != "all":
            return PARITY.from_rows([])
        names = dict(zip(judged["procedure_id"].to_pylist(), judged["name"].to_pylist(), strict=True))
        return parity(self.engine, names, min_n=question.policies.min_n_mix)

    def form_06_by_unit(self, question: Question, by: str) -> pa.Table:
        """Table FORM_06_UNITS; `by` is one of form_06.UNIT_COLUMNS."""
        self._make(question, "form_06")
        return form_06.by_unit(self.engine, self.units, question, form_06.UNIT_COLUMNS[by])

    def targets(self, question: Question, *, ending: date | None) -> pa.Table:
        """Table TARGETS for the targets whose period ended on `ending`, or for `None` those that still run.

        The engine's dossiers must be measured as of that end.
        """
        rows: list[Row] = []
        if ending is None:
            begun = question.compare.to
            rows += [without_verdict(row, "not_begun") for row in self.target_rows if row["period_from"] >= begun]
        for target, asked in self._asked(question, ending):
            rows += judge_target(target, asked, self.evidence)
        return TARGETS.from_rows(rows)

    def way(self, question: Question, *, ending: date | None) -> pa.Table:
        """Table WAY for those of the same targets that are not met."""
        rows: list[Row] = []
        for target, asked in self._asked(question, ending):
            rows += way_to_go(target, asked, self.evidence)
        return WAY.from_rows(rows)

    def _asked(self, question: Question, ending: date | None) -> Iterator[tuple[Mapping[str, Any], Question]]:
        """Each target that ended on `ending`, or that runs, with the city's question about it as far as it has run."""
        tomorrow = question.compare.to
        for target in self.target_rows:
            is_running = target["period_from"] < tomorrow < target["period_to"]
            if is_running if ending is None else target["period_to"] == ending:
                compare = Period(target["period_from"], min(target["period_to"], tomorrow))
                yield target, replace(question, side="all", scope_id="", compare=compare)

    def goal(self, question: Question) -> Goal | None:
        """The actual target without a tag, against this baseline, whose period holds the compared one; the shortest.

        Where none holds all of it, one that holds its last day.
        """
        found = [
            target
            for target in self.target_rows
            if target["basis"] == "actual"
            and not target["tag"]
            and target["period_from"] <= question.last_day < target["period_to"]
            and has_its_baseline(target, question)
        ]

        def order(target: Mapping[str, Any]) -> tuple[bool, timedelta, str]:
            first, to = target["period_from"], target["period_to"]
            return first > question.compare.from_, to - first, str(target["name"])

        target = min(found, key=order, default=None)
        return Goal(target["name"], target["reduction"]) if target else None

    def evidence(self, question: Question) -> Evidence:
        """The integers that the reductions of a question need, counted once."""
        key = (question.side, question.scope_id, question.compare, question.today)
        if key not in self._counted:
            self._make(question, "sides", "times")
            engine = self.engine
            self._counted[key] = Evidence(
                question,
                self.catalogue,
                self.units,
                cells=engine.query("SELECT * FROM cells"),
                on_time=engine.query("SELECT * FROM on_time_cells"),
                baseline_on_time=engine.query("SELECT * FROM baseline_on_time_cells"),
                caps=engine.query("SELECT * FROM caps"),
            )
        return self._counted[key]

    def _make(self, question: Question, *names: str) -> None:
        """Run these files of SQL for a question, in order, but for what stands there already."""
        self._ask(question)
        for name in names:
            if self._made.get(name) != question:
                self.engine.steps(sql_text("judge", name))
                self._made[name] = question

    def _ask(self, question: Question) -> None:
        """Let SQL see the question and, in `figured` and `baseline_rows`, the dossiers that it is about."""
        engine = self.engine
        engine.give("question", question.table())
        engine.give("compared_months", pa.table({"month": pa.array(question.months(), INT)}))
        field_on = question.last_day if question.side == "field" else None
        successors = heirs(self.catalogue, question.last_day)
        about = (question.side, question.scope_id, question.today, field_on, successors)
        if self._figured == about:
            return
        units = (
            [self.units.key(question.scope_id, question.today)] if question.side in ("receiving", "resolving") else []
        )
        procedures = (
            self.catalogue.of_field(question.scope_id, question.last_day) if question.side == "field" else []
        )
        engine.give("unit_today", self.units.mapping(question.today))
        engine.give("procedure_heirs", heirs_table(successors))
        engine.give("scope_units", pa.table({"today_key": pa.array(units, TEXT)}))
        engine.give("scope_procedures", pa.table({"procedure_key": pa.array(procedures, TEXT)}))
        engine.steps(sql_text("judge", "figured"))
        self._figured = about

    def _quality(self, batches: Mapping[str, int]) -> pa.Table:
        counts = self.engine.query("SELECT * FROM quality_counts").to_pylist()[0]
        n_received = counts.pop("received")
        rows: list[Row] = [
            {
                "item": item,
                "n": n,
                "n_of": n_received if item in OF_RECEIVED else counts["dossiers"],
                "unit_of_count": "dossiers",
            }
            for item, n in counts.items()
        ]
        for item in ("refused_rows", "amended_rows", "repeated_rows"):
            rows.append({"item": item, "n": batches[item], "n_of": batches["read_rows"], "unit_of_count": "rows"})
        rows.append(
            {
                "item": "retracted_batches",
                "n": batches["retracted_batches"],
                "n_of": batches["batches"],
                "unit_of_count": "batches",
            }
        )
        return QUALITY.from_rows(rows)
