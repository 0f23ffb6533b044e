"""Text rows → typed events, or the first problem of each row (rulebook 1)."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from procmon.engine import Engine
from procmon.ingest.columns import COLUMNS, INSTANTS, PERSONAL, PROBLEMS
from procmon.ingest.read import RawFile
from procmon.tables import CHANNELS, FIRST_DAY, LAST_DAY, REJECTS, STATUSES

Rule = tuple[str, str, str]
"""(column, SQL condition under which a row is refused, problem)."""

TEXTS = tuple(name for name in COLUMNS if name not in (*INSTANTS, *PERSONAL, "status", "channel"))
LONGEST = 1000
SHOWN = 200
DAY = r"\d{4}-\d{2}-\d{2}"
CLOCK = r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,9})?)?"  # cut to microseconds
OFFSET = r"(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"


def check(engine: Engine, raw: RawFile, *, zone: str, batch_id: int) -> pa.Table:
    """Make the step `checked` (the columns of EVENTS up to `row_no`, and `rule`: NULL for a row that can be taken).

    Args:
        zone: the source's time zone, in which bare times are read.

    Returns: table REJECTS, by line.
    """
    engine.give_files("text_rows", [str(raw.rows)], pa.schema([]))
    engine.give_files("row_lines", [str(raw.lines)], pa.schema([]))
    engine.give_files("malformed", [str(raw.refused)], pa.schema([]))
    engine.give("problems", _problems())
    rules = _rules()
    engine.step("checked", _checked(_judged(_parsed(zone), rules), rules))
    return REJECTS.conform(engine.query(_refused(rules, raw.name, batch_id)))


def _problems() -> pa.Table:
    codes = list(PROBLEMS)
    return pa.table(
        {
            "problem": codes,
            "reason": [PROBLEMS[code][0] for code in codes],
            "remedy": [PROBLEMS[code][1] for code in codes],
        }
    )


def _parsed(zone: str) -> str:
    """The text rows, each instant column also as `NAME_day` or `NAME_instant`, and all texts in one to check fast."""
    columns = []
    for name in INSTANTS:
        bare, offset = f"{name}, '{DAY}{CLOCK}'", f"{name}, '{DAY}{CLOCK}{OFFSET}'"
        columns += [
            f"CASE WHEN regexp_full_match({name}, '{DAY}') THEN try_cast({name} AS DATE) END AS {name}_day",
            f"CASE WHEN regexp_full_match({bare}) THEN timezone('{zone}', try_cast({name} AS TIMESTAMP)) "
            f"WHEN regexp_full_match({offset}) THEN try_cast({name} AS TIMESTAMPTZ) END AS {name}_instant",
        ]
    columns.append(f"concat({', '.join(TEXTS)}) AS all_text")
    return f"SELECT *, {', '.join(columns)} FROM text_rows JOIN row_lines USING (n)"


def _rules() -> list[Rule]:
    statuses = ", ".join(f"'{status}'" for status in STATUSES)
    channels = ", ".join(f"'{channel}'" for channel in CHANNELS)
    rules: list[Rule] = [
        ("dossier_id", "dossier_id IS NULL", "missing_dossier_id"),
        ("status", f"status IS NULL OR status NOT IN ({statuses})", "unknown_status"),
        ("occurred_at", "occurred_at IS NULL", "missing_instant"),
    ]
    for name in INSTANTS:
        unread = f"{name} IS NOT NULL AND {name}_day IS NULL AND {name}_instant IS NULL"
        rules += [(name, unread, "unreadable_instant"), (name, _outside(name), "instant_out_of_range")]
    rules.append(("channel", f"channel NOT IN ({channels})", "unknown_channel"))
    for name in TEXTS:
        rules += [
            (name, f"length(all_text) > {LONGEST} AND length({name}) > {LONGEST}", "too_long"),
            (
                name,
                rf"regexp_matches(all_text, '[\x00-\x1f\x7f]') AND regexp_matches({name}, '[\x00-\x1f\x7f]')",
                "control_character",
            ),
        ]
    return rules


def _outside(name: str) -> str:
    first, last = _day(FIRST_DAY), _day(LAST_DAY)
    return (
        f"{name}_day < {first} OR {name}_day >= {last} "
        f"OR {name}_instant < {first} + INTERVAL 1 DAY OR {name}_instant >= {last} - INTERVAL 1 DAY"
    )


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _judged(parsed: str, rules: list[Rule]) -> str:
    """The parsed rows with the number of the first rule that each breaks."""
    cases = " ".join(f"WHEN {condition} THEN {number}" for number, (_, condition, _) in enumerate(rules))
    return f"SELECT *, CASE {cases} END AS rule FROM ({parsed})"


def _checked(judged: str, rules: list[Rule]) -> str:
    """The judged rows, typed; of a refused one also the offending cell."""
    day_only = {"occurred_at": "occurred_on", "due_at": "due_on"}
    columns = []
    for name in COLUMNS:
        if name in day_only:
            columns += [f"{name}_instant AS {name}", f"{name}_day AS {day_only[name]}"]
        elif name == "recorded_at":
            # The end of a bare day: nothing is called recorded sooner than it may have been.
            columns.append(f"coalesce({name}_instant, ({name}_day + INTERVAL 1 DAY)::TIMESTAMPTZ) AS {name}")
        else:
            columns.append(name)
    cells = " ".join(f"WHEN {number} THEN left({name}, {SHOWN})" for number, (name, _, _) in enumerate(rules))
    return f"SELECT {', '.join(columns)}, line AS row_no, rule, CASE rule {cells} END AS cell FROM ({judged})"


def _refused(rules: list[Rule], file: str, batch_id: int) -> str:
    columns = " ".join(f"WHEN {number} THEN '{name}'" for number, (name, _, _) in enumerate(rules))
    codes = " ".join(f"WHEN {number} THEN '{problem}'" for number, (_, _, problem) in enumerate(rules))
    name = file.replace("'", "''")
    return f"""
        WITH refused AS (
            SELECT row_no AS line, CASE rule {columns} END AS "column", cell, CASE rule {codes} END AS problem
            FROM checked WHERE rule IS NOT NULL
            UNION ALL
            SELECT line, '' AS "column", '' AS cell, problem FROM malformed
        )
        SELECT '{name}' AS file, line, "column", coalesce(cell, '') AS value, reason, remedy, {batch_id} AS batch
        FROM refused JOIN problems USING (problem)
        ORDER BY line NULLS FIRST, reason NULLS FIRST
    """
