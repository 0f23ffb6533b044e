"""What people ask: tables to show, and SQL to answer."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from procmon import pages
from procmon.errors import UsageProblem
from procmon.inputs import (
    Inputs,
    engine_of,
    find_run,
    is_end_of,
    measured,
    nightly_period,
    period_moment,
    read_inputs,
)
from procmon.judge import Question
from procmon.measure.dossiers import shown
from procmon.measure.log import give_log, superseded
from procmon.names import UnitNames
from procmon.pages import Ask
from procmon.run import closed_targets
from procmon.store import ledger, registry
from procmon.store.workspace import Workspace
from procmon.tables import DOSSIERS, EVENTS, REJECTS, RULE_SETS, Period, Table

LEDGER_TABLES = ("batches", "runs", "figures", "deliveries", "corrections")
PROMISED = ("targets", "way")
WHAT = (
    "dossiers", "procedures", "units", "form-06", "on-time", "bridge", "reductions", "pending-work", "open-stock",
    "change", "ranking", "predecessors", "unit-predecessors", "undetermined-units", "targets", "way", "boundaries",
    "boundary-shares", "boundary-refusals", "roles", "parity", "flows", "due-soon", "rejects", "batches", "runs",
    "figures", "corrections", "deliveries",
)  # fmt: skip
"""What `show` shows; `query` knows the same names with `_` for `-`, and `events`."""

STORED = ("procedures", "units", "rejects", *LEDGER_TABLES)
"""What is shown as it is stored; all else is measured as of an instant."""
OF_THE_CITY = ("parity",)
"""What is told of the city only, and of no part of it."""
MEASURED = {*WHAT} - {*STORED}
AGAINST_BASELINE = (
    "reductions", "pending-work", "change", "ranking", "targets", "way", "predecessors", "unit-predecessors",
)  # fmt: skip
"""What is compared with frozen times, which no --policy can run by another clock."""
PARTED = MEASURED - {*OF_THE_CITY}
TAKEN_BY = {
    "unit": {*PARTED, "units"},
    "field": {*PARTED, "procedures"},
    "procedure": {
        "dossiers", "procedures", "reductions", "pending-work", "change", "predecessors", "boundaries",
        "boundary-refusals", "parity", "due-soon", "figures", "corrections",
    },
    "rule_set": {"on-time", "bridge", "figures", "corrections"},
    "batch": {"dossiers", "rejects"},
    "as_of": MEASURED,
    "period": MEASURED,
    "policies": MEASURED - {*AGAINST_BASELINE},
}  # fmt: skip
"""Which tables each of these filters has rows to choose from."""
@dataclass(frozen=True)
class Filters:
    """Which rows, as of when; everything is optional. `as_of` is aware and in the office's zone.

    `is_day`: it is the end of a day that somebody named, so what happens at that midnight is the next day's.
    """

    as_of: datetime | None = None
    is_day: bool = False
    period: Period | None = None
    unit: str = ""
    procedure: str = ""
    field: str = ""
    rule_set: str = ""
    batch: int | None = None
    run: int | None = None
    policies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    by: str = "field"  # form 06's rows: by field (and level), unit, or receiving-unit


def show(workspace: Workspace, what: str, filters: Filters, *, now: datetime) -> pa.Table:
    """The table `what` (one of WHAT), measured from the lake; needs no run.

    As of `filters.as_of`, or the period's end, or that of the run asked for or the last done one, else `now`.
    Raises: UsageProblem for a filter that the table cannot take (TAKEN_BY), for a period that has not begun, or without
        any row by a code that nobody knows.
    """
    if what == "bridge" and filters.rule_set == RULE_SETS[0]:
        remedy = f"Name one of {', '.join(RULE_SETS[1:])}."
        raise UsageProblem(f"the bridge leads away from {RULE_SETS[0]}", remedy=remedy)
    table = _shown(workspace, what, filters, now=now)
    if not table.num_rows:
        _codes_must_be_known(workspace, filters)
    return table


def _codes_must_be_known(workspace: Workspace, filters: Filters) -> None:
    """An empty table says that there is nothing of a unit, not that its code was mistyped."""
    registry = read_inputs(workspace).registry
    for option, table, column in (
        ("unit", "units", "unit_id"), ("procedure", "procedures", "procedure_id"), ("field", "procedures", "field"),
    ):  # fmt: skip
        code = getattr(filters, option)
        if code and code not in registry[table][column].to_pylist():
            raise UsageProblem(
                f"--{option} {code}: neither the registry nor a row of this table knows it",
                remedy=f"`procmon show {table}` lists what is known; codes and names are taken letter by letter.",
            )


def _shown(workspace: Workspace, what: str, filters: Filters, *, now: datetime) -> pa.Table:
    for option, tables in TAKEN_BY.items():
        if getattr(filters, option) not in ("", None, {}) and what not in tables:
            name = "policy" if option == "policies" else option.replace("_", "-")
            raise UsageProblem(f"--{name} is not for {what}", remedy="Leave it out.")
    name = what.replace("-", "_")
    if name == "rejects":
        return _rejects(workspace, filters)
    if name in LEDGER_TABLES:
        return _of_ledger(workspace, name, filters)
    run = find_run(workspace, filters.run) if filters.run is not None else None
    seen = read_inputs(workspace, run, forced=filters.policies)
    if name in ("procedures", "units"):
        return _of_registry(seen, name, filters)
    if name == "dossiers":
        return _dossiers(workspace, seen, filters, now=now)
    return _judged(workspace, seen, name, filters, now=now)


def form_06_workbook(workspace: Workspace, filters: Filters, *, now: datetime) -> bytes:
    """The XLSX of `show form-06` under the same filters, laid out like the printed form."""
    from procmon.report.workbook import form_06_workbook as workbook  # few ask for it

    form = show(workspace, "form-06", filters, now=now)
    as_of, _ = moment_of(workspace, filters, now=now)
    zone = workspace.settings.zone
    return workbook(form, owner=_owner(workspace, filters), period=_period(filters, as_of), as_of=as_of, zone=zone)


def _owner(workspace: Workspace, filters: Filters) -> str:
    """Whose form it is: the city's, or that of a unit or field within it."""
    city = workspace.settings.workspace.city_name
    units = read_inputs(workspace).registry["units"].to_pylist() if filters.unit else []
    names = [row["name"] for row in units if row["unit_id"] == filters.unit and row["name"]]
    part = names[-1] if names else filters.unit or filters.field
    return f"{part} – {city}" if part else city


def default_as_of(workspace: Workspace, now: datetime, number: int | None = None) -> datetime:
    """Run `number`'s as-of, or the last done one's, else now; in the office's zone."""
    run = find_run(workspace, number)
    return (run.as_of if run else now).astimezone(workspace.settings.zone)


def moment_of(workspace: Workspace, filters: Filters, *, now: datetime) -> tuple[datetime, bool]:
    """(as of when, whether that is a period's end): a period is never seen from after its end.

    An instant that somebody names sees what happened at it, too; a day that is over, or a run of it, does not.
    Raises: UsageProblem for a period that has not begun by then.
    """
    if filters.period is None:
        moment = filters.as_of or default_as_of(workspace, now, filters.run)
        is_over = is_end_of(workspace, _period(filters, moment), moment)
        return moment, is_over and (filters.is_day or filters.as_of is None)
    latest = filters.as_of or (default_as_of(workspace, now, filters.run) if filters.run is not None else now)
    return period_moment(workspace, filters.period, latest.astimezone(workspace.settings.zone))


def _of_ledger(workspace: Workspace, name: str, filters: Filters) -> pa.Table:
    run_id = filters.run
    if name == "figures":
        run = find_run(workspace, run_id)
        run_id = run.id if run else 0
    table = ledger.read_table(
        workspace.ledger_db, name, run_id=run_id if name in ("figures", "corrections", "deliveries") else None
    )
    table = _of_procedure(_of_rule_set(table, filters), filters)
    return _with_superseded(workspace, table) if name == "batches" else table


def _of_rule_set(table: pa.Table, filters: Filters) -> pa.Table:
    """The rows of the rule set asked for, in a table that has them; of the bridge those that lead to it."""
    for column in ("rule_set", "to_rule_set"):
        if filters.rule_set and column in table.column_names:
            return table.filter(pc.equal(table[column], filters.rule_set))
    return table


def _with_superseded(workspace: Workspace, batches: pa.Table) -> pa.Table:
    """The ledger's batches with `n_superseded`: dossiers of which the same source has a later export that counts."""
    found: dict[int, int] = {}
    if set(batches["kind"].to_pylist()) - {"events"}:  # else there is none, and no need to read the lake
        with engine_of(workspace) as engine:
            live = ledger.live_batches(workspace.ledger_db)
            found = superseded(engine, lake_files=workspace.lake.files(EVENTS), live=live)
    counts = [found.get(number, 0) for number in batches["id"].to_pylist()]
    return batches.append_column("n_superseded", pa.array(counts, pa.int64()))


def _rejects(workspace: Workspace, filters: Filters) -> pa.Table:
    """Refused rows of the batches that the ledger lists, by batch, file and line."""
    seen = read_inputs(workspace)
    with engine_of(workspace) as engine:
        engine.give_files("rejects", workspace.lake.files(REJECTS), REJECTS.schema)
        engine.give("done", pa.table({"batch": pa.array(seen.done, pa.int64())}))
        rows = engine.query(
            "SELECT * FROM rejects WHERE batch IN (SELECT d.batch FROM done AS d) "
            'ORDER BY batch NULLS FIRST, file NULLS FIRST, line NULLS FIRST, "column" NULLS FIRST'
        )
    rows = REJECTS.conform(rows)
    return rows if filters.batch is None else rows.filter(pc.equal(rows["batch"], filters.batch))


def _of_registry(seen: Inputs, name: str, filters: Filters) -> pa.Table:
    table = seen.registry[name]
    for column, value in (("procedure_id", filters.procedure), ("unit_id", filters.unit), ("field", filters.field)):
        if value and column in table.column_names:
            table = table.filter(pc.equal(table[column], value))
    return table


def name_of_unit(workspace: Workspace, name: str, on: date) -> tuple[pa.Table, list[str]]:
    """The rows of `units` that a name may mean on a day, and that in words."""
    units = registry.read(workspace.ledger_db, "units")
    names = UnitNames(units)
    meant = {(unit.unit_id, unit.valid_from) for unit in names.find(name, on).units}
    rows = [(row["unit_id"], row["valid_from"]) in meant for row in units.to_pylist()]
    return units.filter(pa.array(rows, pa.bool_())), list(names.told(name, on))


def _dossiers(workspace: Workspace, seen: Inputs, filters: Filters, *, now: datetime) -> pa.Table:
    as_of, is_period_end = moment_of(workspace, filters, now=now)
    with measured(workspace, seen, as_of, is_period_end=is_period_end) as engine:
        table = shown(engine)
        if filters.batch is not None:
            engine.give("wanted", pa.table({"batch": pa.array([filters.batch], pa.int64())}))
            said = engine.query(
                "SELECT DISTINCT dossier_id FROM lake WHERE batch_id = (SELECT w.batch FROM wanted AS w)"
            )["dossier_id"]
            table = table.filter(pc.is_in(table["dossier_id"], said.combine_chunks()))
    if is_period_end and filters.period is not None:
        received = pc.less(table["received_on"], pa.scalar(filters.period.to))
        ended = pc.less(table["ended_on"], pa.scalar(filters.period.from_))
        table = table.filter(pc.and_(received, pc.invert(pc.fill_null(ended, False))))
    if filters.procedure:
        same = pc.or_kleene(
            pc.equal(table["procedure_id"], filters.procedure),
            pc.equal(table["registry_procedure_id"], filters.procedure),
        )
        table = table.filter(same)
    if filters.unit:
        unit = pc.coalesce(table["resolving_unit_id"], table["receiving_unit_id"])
        table = table.filter(pc.equal(unit, filters.unit))
    if filters.field:
        procedures = seen.registry["procedures"]
        of_field = procedures.filter(pc.equal(procedures["field"], filters.field))["procedure_id"]
        table = table.filter(pc.is_in(table["registry_procedure_id"], of_field.combine_chunks()))
    return table.select(DOSSIERS.shown_names)


def _period(filters: Filters, as_of: datetime) -> Period:
    """The days asked for, else from the start of the as-of day's month to its end."""
    return filters.period or nightly_period(as_of)


def _question(workspace: Workspace, seen: Inputs, as_of: datetime, filters: Filters) -> Question:
    period = _period(filters, as_of)
    scope = f"unit:{filters.unit}" if filters.unit else f"field:{filters.field}" if filters.field else ""
    question = pages.question_of(workspace, seen, as_of, Ask("department" if scope else "city", scope, period))
    if filters.period is None:
        return question
    # People who name a period mean it for the times as well.
    return dataclasses.replace(question, compare=pages.seen_of(period, as_of))


def _judged(workspace: Workspace, seen: Inputs, name: str, filters: Filters, *, now: datetime) -> pa.Table:
    as_of, _ = moment_of(workspace, filters, now=now)
    is_period_end = is_end_of(workspace, _period(filters, as_of), as_of)
    closed = closed_targets(workspace, seen, as_of) if name in PROMISED else []
    with measured(workspace, seen, as_of, is_period_end=is_period_end, with_stretches=name == "change") as engine:
        judge = pages.judge_of(workspace, seen, engine)
        question = _question(workspace, seen, as_of, filters)
        if name in PROMISED:
            told = pages.together([*closed, pages.promised(judge, question, ending=None)])[name]
            return _of_part(told, filters)
        if name == "form_06" and filters.by != "field":
            return judge.form_06_by_unit(question, filters.by)
        table = judge.tables(question, batches=pages.batch_counts(workspace, seen), names=[name])[name]
    return _of_procedure(_of_rule_set(table, filters), filters)


def _of_part(table: pa.Table, filters: Filters) -> pa.Table:
    """The rows of the unit (and of the department that it leads) or field asked for, of what is told of the city."""
    for wanted, kinds in ((filters.unit, ["unit", "department"]), (filters.field, ["field"])):
        if wanted:
            is_its_kind = pc.is_in(table["scope"], pa.array(kinds))
            table = table.filter(pc.and_(is_its_kind, pc.equal(table["scope_id"], wanted)))
    return table


def _of_procedure(table: pa.Table, filters: Filters) -> pa.Table:
    """The rows of the procedure asked for, in a table that has procedures."""
    if not filters.procedure:
        return table
    if "procedure_id" in table.column_names:
        return table.filter(pc.equal(table["procedure_id"], filters.procedure))
    kind, name = ("parted_by", "part_id") if "parted_by" in table.column_names else ("scope", "scope_id")
    is_procedure = pc.equal(table[name], filters.procedure)
    return table.filter(pc.and_(is_procedure, pc.is_in(table[kind], pa.array(OF_PROCEDURES))))


OF_PROCEDURES = ("procedure", "mix", "paused", "with_pauses")
"""Scopes, and decompositions (`parted_by` of table CHANGE), whose rows are procedures."""


def query(workspace: Workspace, sql: str, *, now: datetime) -> tuple[pa.Table, bool]:
    """One SELECT over the tables of `show` (and `events`); returns the rows and whether more were cut off.

    Raises: UsageProblem for anything but one SELECT, and for SQL that fails or takes too long.
    """
    settings = workspace.settings.engine
    words = set(re.findall(r"\w+", sql.lower()))
    with engine_of(workspace) as engine:
        for name, read in _readers(workspace, now).items():
            if name in words:
                engine.give(name, read())
        return engine.ask(sql, seconds=settings.query_seconds, rows=settings.query_rows)


def _readers(workspace: Workspace, now: datetime) -> dict[str, Callable[[], pa.Table]]:
    def reader(what: str) -> Callable[[], pa.Table]:
        return lambda: show(workspace, what, Filters(), now=now)

    readers = {what.replace("-", "_"): reader(what) for what in WHAT}
    return readers | {
        "dossiers": lambda: _kept_dossiers(workspace, now),
        "events": lambda: _events(workspace),
        "figures": lambda: ledger.read_table(workspace.ledger_db, "figures"),
    }


def _kept_dossiers(workspace: Workspace, now: datetime) -> pa.Table:
    """Every column of the dossiers: those that the last run left in the lake if nothing moved since, else anew."""
    seen, as_of = read_inputs(workspace), default_as_of(workspace, now)
    if workspace.lake.last_commit(DOSSIERS) == seen.digest(as_of):
        return _from_lake(workspace, DOSSIERS, "SELECT * FROM kept ORDER BY dossier_id NULLS FIRST")
    with measured(workspace, seen, as_of) as engine:
        return shown(engine)


def _events(workspace: Workspace) -> pa.Table:
    """The rows that count now, as the lake has them."""
    database = workspace.ledger_db
    with engine_of(workspace) as engine:
        give_log(
            engine,
            lake_files=workspace.lake.files(EVENTS),
            done=ledger.done_batches(database),
            live=ledger.live_batches(database),
        )
        return EVENTS.conform(engine.query("SELECT l.* FROM lake AS l SEMI JOIN live_rows USING (batch_id, row_no)"))


def _from_lake(workspace: Workspace, table: Table, sql: str) -> pa.Table:
    with engine_of(workspace) as engine:
        engine.give_files("kept", workspace.lake.files(table), table.schema)
        return table.conform(engine.query(sql))
