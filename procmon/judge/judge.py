"""The room's work: measured dossiers and a frozen baseline → the tables of a page, and their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge import form_06, rule_sets
from procmon.judge.limits import Catalogue
from procmon.judge.question import Question
from procmon.judge.reductions import Evidence, Goal, reductions
from procmon.judge.targets import Row, has_its_baseline, judge_target, without_verdict
from procmon.judge.trend import trend
from procmon.judge.units import Units
from procmon.tables import (
    BASELINE_DOSSIERS,
    BOUNDARIES,
    DUE_SOON,
    INT,
    QUALITY,
    TARGETS,
    TEXT,
    Period,
)

OF_RECEIVED = ("without_due_date_stated", "without_any_due_date")


class Judge:
    """Judges what one engine has measured; reads measure's tables `dossiers` and `*_versions` there."""

    def __init__(
        self,
        engine: Engine,
        *,
        registry: Mapping[str, pa.Table],
        baseline_files: Sequence[str],
        baseline_id: int | None,
    ) -> None:
        self.engine = engine
        self.catalogue = Catalogue(engine.query("SELECT * FROM procedure_versions"))
        self.units = Units(engine.query("SELECT * FROM unit_versions"), registry["successions"])
        self.target_rows = registry["targets"].to_pylist()
        self._figured: tuple[object, ...] = ()
        self._counted: dict[tuple[object, ...], Evidence] = {}
        engine.give("announced", registry["announced"])
        engine.give_files("baseline_files", baseline_files, BASELINE_DOSSIERS.schema)
        engine.give("chosen_baseline", pa.table({"baseline_id": pa.array([baseline_id], INT)}))
        engine.steps(sql_text("judge", "caps"))

    def tables(self, question: Question, *, batches: Mapping[str, int]) -> dict[str, pa.Table]:
        """Every table of a page but `targets`.

        That is reductions, form_06, on_time, bridge, boundaries, due_soon, trend and quality.

        Args:
            batches: the ledger's sums for data quality (refused_rows, read_rows …).
        """
        self._ask(question)
        engine = self.engine
        for name in ("sides", "spread", "form_06", "rule_sets", "due_soon", "boundaries", "quality"):
            engine.steps(sql_text("judge", name))
        told = rule_sets.on_time(engine.query("SELECT * FROM on_time"), self.units, question)
        return {
            "reductions": reductions(
                self.evidence(question), engine.query("SELECT * FROM quantiles"), self.goal(question)
            ),
            "form_06": form_06.by_field(engine),
            "on_time": told,
            "bridge": rule_sets.bridge(engine.query("SELECT * FROM bridge"), told, question),
            "boundaries": BOUNDARIES.conform(
                engine.query("SELECT * FROM boundaries_judged ORDER BY procedure_id NULLS FIRST")
            ),
            "due_soon": DUE_SOON.conform(
                engine.query("SELECT * FROM due_soon ORDER BY left_minutes NULLS LAST, dossier_id NULLS FIRST")
            ),
            "trend": trend(question, engine.query("SELECT * FROM trend_cells")),
            "quality": self._quality(batches),
        }

    def form_06_by_unit(self, question: Question, by: str) -> pa.Table:
        """Table FORM_06_UNITS; `by` is one of form_06.UNIT_COLUMNS."""
        self._ask(question)
        self.engine.steps(sql_text("judge", "form_06"))
        return form_06.by_unit(self.engine, self.units, question, form_06.UNIT_COLUMNS[by])

    def targets(self, question: Question, *, ending: date | None) -> pa.Table:
        """Table TARGETS for the targets whose period ended on `ending`, or for `None` those that still run.

        The engine's dossiers must be measured as of that end.
        """
        rows: list[Row] = []
        tomorrow = question.compare.to
        for target in self.target_rows:
            end = min(target["period_to"], tomorrow)
            if target["period_from"] >= tomorrow:
                rows += [without_verdict(target, "not_begun")] if ending is None else []
            elif target["period_to"] == ending or (ending is None and target["period_to"] > tomorrow):
                asked = replace(question, side="all", scope_id="", compare=Period(target["period_from"], end))
                rows += judge_target(target, asked, self.evidence)
        return TARGETS.from_rows(rows)

    def goal(self, question: Question) -> Goal | None:
        """The actual target without a tag, against this baseline, whose period holds the compared period's last day."""
        for target in sorted(self.target_rows, key=lambda row: str(row["name"])):
            holds = target["period_from"] <= question.last_day < target["period_to"]
            if target["basis"] == "actual" and not target["tag"] and holds and has_its_baseline(target, question):
                return Goal(target["name"], target["reduction"])
        return None

    def evidence(self, question: Question) -> Evidence:
        """The integers that the reductions of a question need, counted once."""
        key = (question.side, question.scope_id, question.compare, question.today)
        if key not in self._counted:
            self._ask(question)
            engine = self.engine
            for name in ("sides", "times"):
                engine.steps(sql_text("judge", name))
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

    def _ask(self, question: Question) -> None:
        """Let SQL see the question and, in `figured` and `baseline_rows`, the dossiers that it is about."""
        engine = self.engine
        engine.give("question", question.table())
        engine.give("compared_months", pa.table({"month": pa.array(question.months(), INT)}))
        field_on = question.last_day if question.side == "field" else None
        about = (question.side, question.scope_id, question.today, field_on)
        if self._figured == about:
            return
        units = (
            [self.units.key(question.scope_id, question.today)] if question.side in ("receiving", "resolving") else []
        )
        procedures = (
            self.catalogue.of_field(question.scope_id, question.last_day) if question.side == "field" else []
        )
        engine.give("unit_today", self.units.mapping(question.today))
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


def freeze(engine: Engine, baseline: Period) -> pa.Table:
    """The finished dossiers of a baseline period, with caps: what `baseline publish` keeps (rulebook 7a, 7e).

    The engine's dossiers must be measured as of the baseline's end.
    Returns: table BASELINE_DOSSIERS without its first column, the baseline's number.
    """
    engine.give(
        "frozen_period",
        pa.table({"first": [baseline.from_], "last": [baseline.to]}),
    )
    engine.steps(sql_text("judge", "baseline"))
    rows = engine.query("SELECT * FROM frozen ORDER BY procedure_key NULLS FIRST, dossier_id NULLS FIRST")
    return rows.select(BASELINE_DOSSIERS.names[1:])
