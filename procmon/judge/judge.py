"""The room's work: measured dossiers and a frozen baseline → the tables of a page, and their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge.limits import Catalogue
from procmon.judge.question import Question
from procmon.judge.reductions import Evidence, Goal, reductions
from procmon.judge.targets import Row, judge_target, not_begun
from procmon.judge.trend import trend
from procmon.judge.units import Units
from procmon.tables import (
    BASELINE_DOSSIERS,
    BOUNDARIES,
    DUE_SOON,
    FORM_06,
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
        engine.give("announced", registry["announced"])
        engine.give("unit_today", self.units.mapping())
        engine.give_files("baseline_files", baseline_files, BASELINE_DOSSIERS.schema)
        engine.give("chosen_baseline", pa.table({"baseline_id": pa.array([baseline_id], INT)}))
        engine.step(
            "all_baseline",
            """
            SELECT b.*, coalesce(t.today_key, b.unit_key, '') AS unit_today,
                coalesce(c.today_key, b.receiving_unit_key, '') AS receiving_today
            FROM baseline_files AS b
            LEFT JOIN unit_today AS t ON t.unit_key = b.unit_key
            LEFT JOIN unit_today AS c ON c.unit_key = b.receiving_unit_key
            WHERE b.baseline_id = (SELECT c.baseline_id FROM chosen_baseline AS c)
            """,
        )

    def tables(self, question: Question, *, batches: Mapping[str, int]) -> dict[str, pa.Table]:
        """Every table of a page but `targets`: reductions, form_06, boundaries, due_soon, trend, quality.

        Args:
            batches: the ledger's sums for data quality (refused_rows, read_rows …).
        """
        evidence = self.evidence(question)
        engine = self.engine
        for name in ("form_06", "due_soon", "boundaries", "quality"):
            engine.steps(sql_text("judge", name))
        return {
            "reductions": reductions(evidence, engine.query("SELECT * FROM quantiles"), self.goal(question.compare)),
            "form_06": FORM_06.conform(
                engine.query("SELECT * FROM form_06 ORDER BY field NULLS FIRST, level NULLS FIRST")
            ),
            "boundaries": BOUNDARIES.conform(
                engine.query("SELECT * FROM boundaries_judged ORDER BY procedure_id NULLS FIRST")
            ),
            "due_soon": DUE_SOON.conform(
                engine.query("SELECT * FROM due_soon ORDER BY left_minutes NULLS LAST, dossier_id NULLS FIRST")
            ),
            "trend": trend(question, engine.query("SELECT * FROM trend_cells")),
            "quality": self._quality(batches),
        }

    def targets(self, question: Question, *, ending: date | None) -> pa.Table:
        """Table TARGETS for the targets whose period ended on `ending`, or for `None` those that still run.

        The engine's dossiers must be measured as of that end.
        """
        rows: list[Row] = []
        tomorrow = question.compare.to
        for target in self.target_rows:
            end = min(target["period_to"], tomorrow)
            if target["period_from"] >= tomorrow:
                rows += [not_begun(target)] if ending is None else []
            elif target["period_to"] == ending or (ending is None and target["period_to"] > tomorrow):
                asked = replace(question, side="all", scope_id="", compare=Period(target["period_from"], end))
                rows += judge_target(target, self.evidence(asked))
        return TARGETS.from_rows(rows)

    def goal(self, compared: Period) -> Goal | None:
        """The actual target without a tag whose period holds the compared period's last day."""
        for target in sorted(self.target_rows, key=lambda row: str(row["name"])):
            holds = target["period_from"] < compared.to <= target["period_to"]
            if target["basis"] == "actual" and not target["tag"] and holds:
                return Goal(target["name"], target["reduction"])
        return None

    def evidence(self, question: Question) -> Evidence:
        """Count what the reductions of a question need; leaves `figured` and the cells in the engine."""
        self._ask(question)
        engine = self.engine
        for name in ("figured", "times"):
            engine.steps(sql_text("judge", name))
        return Evidence(
            question,
            self.catalogue,
            self.units,
            cells=engine.query("SELECT * FROM cells"),
            on_time=engine.query("SELECT * FROM on_time_cells"),
            baseline_on_time=engine.query("SELECT * FROM baseline_on_time_cells"),
            caps=engine.query("SELECT * FROM caps"),
        )

    def _ask(self, question: Question) -> None:
        engine = self.engine
        engine.give("question", question.table())
        engine.give("compared_months", pa.table({"month": pa.array(question.months(), INT)}))
        keys = (
            [self.units.key(question.scope_id, question.today)] if question.side in ("receiving", "resolving") else []
        )
        engine.give("scope_units", pa.table({"today_key": pa.array(keys, TEXT)}))
        fields = [c for c in self.catalogue.versions if self._field(c, question.last_day) == question.scope_id]
        engine.give("scope_procedures", pa.table({"procedure_key": pa.array(fields, TEXT)}))
        engine.step(
            "baseline_rows",
            """
            SELECT b.*
            FROM all_baseline AS b CROSS JOIN question AS q
            WHERE q.side = 'all'
                OR (q.side = 'receiving' AND b.receiving_today IN (SELECT u.today_key FROM scope_units AS u))
                OR (q.side = 'resolving' AND b.unit_today IN (SELECT u.today_key FROM scope_units AS u))
                OR (q.side = 'field' AND b.procedure_key IN (SELECT p.procedure_key FROM scope_procedures AS p))
            """,
        )

    def _field(self, code: str, day: date) -> str:
        version = self.catalogue.known(code, day)
        return version.field if version else ""

    def _quality(self, batches: Mapping[str, int]) -> pa.Table:
        counts = self.engine.query("SELECT * FROM quality_counts").to_pylist()[0]
        n_received = counts["dossiers"] - counts["not_received"] - counts["ended_without_receipt"]
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
