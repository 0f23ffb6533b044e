"""Who gets which page: audience and scope → a question, its tables, a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlmodel import Session, col

from procmon import __version__
from procmon.config import PolicySettings
from procmon.engine import Engine
from procmon.errors import UsageProblem
from procmon.inputs import Inputs, engine_of
from procmon.judge import NO_BASELINE, Judge, Question, Side
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import BASELINE_TABLES, INTAKE, REFUSALS, REJECTS, RULE_SETS, TARGETS, WAY, About, Page, Period

AUDIENCES = ("city", "centre", "department")
POLICY_COLUMNS = ("supplement", "payment", "late_receipt")


@dataclass(frozen=True)
class Ask:
    """One page: for whom, and over which days; `period.name` is how the period was asked for."""

    audience: str
    scope: str
    period: Period

    @property
    def side(self) -> tuple[Side, str]:
        """Whose dossiers, and the scope's id (`side_of`)."""
        return side_of(self.audience, self.scope)

    @property
    def file_name(self) -> str:
        """A name for the page's file, of letters that every file system takes."""
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else f"_{ord(c):x}_" for c in self.scope)
        return f"{self.audience}{'-' + safe if safe else ''}.html"


def side_of(audience: str, scope: str) -> tuple[Side, str]:
    """Whose dossiers an audience's page is over, and the scope's id.

    Raises: UsageProblem where audience and scope do not go together.
    """
    kind, _, scope_id = scope.partition(":")
    if audience == "city" and not scope:
        return "all", ""
    if audience == "centre" and kind == "unit" and scope_id:
        return "receiving", scope_id
    if audience == "department" and kind == "unit" and scope_id:
        return "resolving", scope_id
    if audience == "department" and kind == "field" and scope_id:
        return "field", scope_id
    raise UsageProblem(
        f"audience '{audience}' and scope '{scope}' do not go together",
        remedy="A city has no scope, a centre has unit:CODE, a department unit:CODE or field:NAME.",
    )


def question_of(workspace: Workspace, inputs: Inputs, as_of: datetime, ask: Ask) -> Question:
    """The question behind a page; times are compared from the start of the period's year."""
    side, scope_id = ask.side
    last = ask.period.to - timedelta(days=1)
    return Question(
        as_of=as_of,
        zone=workspace.settings.zone,
        period=ask.period,
        compare=seen_of(Period(date(last.year, 1, 1), ask.period.to), as_of),
        baseline=baseline_period(inputs.baseline),
        policies=inputs.policies,
        side=side,
        scope_id=scope_id,
    )


def seen_of(period: Period, as_of: datetime) -> Period:
    """A period as far as it has run by an instant (in the office's zone); one that has not begun stays whole."""
    tomorrow = (as_of - timedelta(microseconds=1)).date() + timedelta(days=1)
    return Period(period.from_, min(period.to, tomorrow), period.name) if period.from_ < tomorrow else period


def baseline_period(baseline: ledger.Baseline | None) -> Period:
    """The days of a frozen baseline; without one, the year that it should be of."""
    return Period(baseline.baseline_from, baseline.baseline_to) if baseline else NO_BASELINE


def judge_of(workspace: Workspace, inputs: Inputs, engine: Engine) -> Judge:
    """The judge of what `engine` has measured."""
    return Judge(
        engine,
        registry=inputs.registry,
        baseline_files={table.name: workspace.lake.files(table) for table in BASELINE_TABLES},
        baseline_id=inputs.baseline.id if inputs.baseline else None,
    )


def batch_counts(workspace: Workspace, inputs: Inputs) -> dict[str, int]:
    """The ledger's sums over the batches that the inputs know, for data quality."""
    wanted = select(ledger.Batch).where(
        col(ledger.Batch.status) == "done", col(ledger.Batch.lake_version) <= inputs.lake_version
    )
    with Session(workspace.ledger_db) as session:
        known = session.scalars(wanted.order_by(col(ledger.Batch.id).desc())).all()
    live = [batch for batch in known if batch.id in set(inputs.live)]
    live.sort(key=lambda batch: not batch.is_held)
    # The same file again changes no figure: of equal files the first that was not held is counted.
    counted = list({batch.sha256: batch for batch in live}.values())
    return {
        "read_rows": sum(batch.n_read for batch in counted),
        "refused_rows": sum(batch.n_refused for batch in counted),
        "amended_rows": sum(batch.n_amended for batch in counted),
        "repeated_rows": sum(batch.n_repeated for batch in counted),
        "batches": len(known),
        "retracted_batches": len(known) - len(live),
    }


def intake_tables(workspace: Workspace, inputs: Inputs, run_id: int | None) -> dict[str, pa.Table]:
    """Tables INTAKE and REFUSALS of the batches that the inputs count; they are for the city's page, and no figures.

    What a run took from inbox/ began with it.
    """
    counted = pa.array(inputs.live, pa.int64())
    batches = ledger.read_table(workspace.ledger_db, "batches").rename_columns({"id": "batch"})
    batches = batches.filter(pc.is_in(batches["batch"], counted))
    with Session(workspace.ledger_db) as session:
        run = session.get(ledger.Run, run_id) if run_id is not None else None
    is_of_run = pc.equal(batches["began_at"], run.started_at) if run else pa.nulls(batches.num_rows, pa.bool_())
    tables = {
        "intake": INTAKE.conform(batches.append_column("is_of_run", is_of_run)),
        "refusals": REFUSALS.from_rows([]),
    }
    if pc.any(pc.greater(batches["n_refused"], 0)).as_py():
        with engine_of(workspace) as engine:
            engine.give_files("rejects", workspace.lake.files(REJECTS), REJECTS.schema)
            engine.give("counted", pa.table({"batch": counted}))
            rows = engine.query(
                "SELECT batch, reason, count(*) AS n FROM rejects SEMI JOIN counted USING (batch) "
                "GROUP BY batch, reason ORDER BY batch NULLS FIRST, reason NULLS FIRST"
            )
        tables["refusals"] = REFUSALS.conform(rows)
    return tables


def page_tables(
    judge: Judge, question: Question, promised: Mapping[str, pa.Table], batches: Mapping[str, int],
    intake: Mapping[str, pa.Table],
) -> dict[str, pa.Table]:  # fmt: skip
    """The tables of one page: the question's own, and as far as they speak of its scope those of `promised`.

    Refused rows cannot be told apart by unit, so that `intake` (of `intake_tables`) is the city's alone.
    """
    tables = judge.tables(question, batches=batches)
    scope, scope_id = question.headline
    if question.side == "all":
        return tables | dict(promised) | dict(intake)
    tables |= {"intake": INTAKE.from_rows([]), "refusals": REFUSALS.from_rows([])}
    for name, table in promised.items():
        own = pc.and_(pc.equal(table["scope"], scope), pc.equal(table["scope_id"], scope_id))
        tables[name] = table.filter(own)
    return tables


def promised(judge: Judge, city: Question, *, ending: date | None) -> dict[str, pa.Table]:
    """What is told of targets, for the city and its parts (`Judge.targets`): tables TARGETS and WAY."""
    return {"targets": judge.targets(city, ending=ending), "way": judge.way(city, ending=ending)}


def together(told: Sequence[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """Several answers of `promised`, one after the other."""
    return {name: pa.concat_tables([tables[name] for tables in told]) for name in NOTHING_PROMISED}


NOTHING_PROMISED = {"targets": TARGETS.from_rows([]), "way": WAY.from_rows([])}
"""Targets are the city's figures: on other pages they stand as they do there."""


def page(
    workspace: Workspace,
    inputs: Inputs,
    judge: Judge,
    question: Question,
    ask: Ask,
    tables: Mapping[str, pa.Table],
    *,
    run_id: int | None,
) -> Page:
    """Build the page (and the mail's parts) of one ask from its tables."""
    from procmon.report import build  # here, as matplotlib takes a second that `procmon --help` should not wait

    return build(tables, _about(workspace, inputs, judge, question, ask, tables, run_id))


def _about(
    workspace: Workspace, inputs: Inputs, judge: Judge, question: Question, ask: Ask,
    tables: Mapping[str, pa.Table], run_id: int | None,
) -> About:  # fmt: skip
    baseline = inputs.baseline
    city = workspace.settings.workspace.city_name
    about = About(
        audience=ask.audience,
        scope=ask.scope,
        scope_name=_scope_name(judge, question) or city,
        city_name=city,
        period=ask.period,
        as_of=question.as_of,
        timezone=workspace.settings.workspace.timezone,
        run_id=run_id,
        n_dossiers=tables["quality"].to_pylist()[0]["n"],
        rule_sets=RULE_SETS,
        policies={name: str(getattr(inputs.policies, name)) for name in POLICY_COLUMNS},
        procedure_policies=_procedure_policies(judge),
        calendar_version=inputs.calendars.version,
        registry_version=str(inputs.registry_version),
        lake_version=inputs.lake_version,
        program_version=__version__,
        baseline="",
        settings={
            name: float(getattr(inputs.policies, name))
            for name in ("min_n_mix", "min_n_verdict", "min_coverage", "min_cross", "min_units", "boundary_days")
        },
    )
    if baseline is None:
        return about
    return replace(
        about,
        baseline=str(baseline.id),
        baseline_from=baseline.baseline_from,
        baseline_to=baseline.baseline_to,
        baseline_published_at=baseline.published_at,
        baseline_complete=baseline.is_complete,
        changed_policies=_changed_policies(baseline, inputs),
        n_baseline=baseline.n_dossiers,
    )


def _changed_policies(baseline: ledger.Baseline, inputs: Inputs) -> tuple[str, ...]:
    """The policies under which the baseline was frozen otherwise: its times run by another clock."""
    then = PolicySettings(**json.loads(baseline.settings)["policies"])
    pairs = ((f"{name}={getattr(then, name)}", f"{name}={getattr(inputs.policies, name)}") for name in POLICY_COLUMNS)
    return tuple(f"{old} → {new}" for old, new in pairs if old != new)


def _scope_name(judge: Judge, question: Question) -> str:
    if question.side in ("receiving", "resolving"):
        return judge.units.name(judge.units.key(question.scope_id, question.today)) or question.scope_id
    return question.scope_id


def _procedure_policies(judge: Judge) -> dict[str, int]:
    """How many procedures set a policy of their own, by `policy=value`, of the page's question.

    On the as-of day, or on the day of receipt of a dossier that had not ended before the days told of: the clock of a
    dossier runs by its own.
    """
    rows = judge.engine.query(POLICIES_IN_FORCE).to_pylist()
    own = {(row["procedure_id"], f"{name}={row[name]}") for row in rows for name in POLICY_COLUMNS if row[name]}
    return dict(sorted(Counter(policy for _, policy in own).items()))


POLICIES_IN_FORCE = """
SELECT DISTINCT v.procedure_id, v.supplement, v.payment, v.late_receipt
FROM procedure_versions AS v
CROSS JOIN question AS q
LEFT JOIN dossiers AS d
    ON d.registry_procedure_id = v.procedure_id
    AND v.valid_from <= d.received_on
    AND v.ends_on > d.received_on
    AND coalesce(d.ended_on >= least(q.period_from, q.compare_from), true)
WHERE d.dossier_id IS NOT NULL OR (v.valid_from <= q.today AND v.ends_on > q.today)
"""
