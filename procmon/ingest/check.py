"""Parsed rows → rows that may become events, and the first problem of each of the others (rulebook 1 and 9)."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa

from procmon.engine import Engine, quoted
from procmon.ingest.columns import PROBLEMS, Problems
from procmon.ingest.events import record_rules
from procmon.ingest.mapping import PERSONAL, Mapping
from procmon.ingest.parse import CONTROL, is_instant, is_label, keep, parse
from procmon.ingest.read import RawFile
from procmon.tables import CHANNELS, FIRST_DAY, LAST_DAY, REJECTS, STATUSES
from procmon.text import LONGEST

Rule = tuple[str, str, str]
"""(key, SQL condition under which a row is refused, problem)."""

SHOWN = 200
MAY_LIE_AHEAD = ("due_at", "supplement_due_before", "supplement_due_after", "progress_due_at", "exported_at")


def check(engine: Engine, raw: RawFile, mapping: Mapping, *, zone: str, latest: datetime) -> None:
    """Make `rows`, the parsed rows with `rule`, NULL where the row's record can be taken, and `refused`, the others.

    Args:
        zone: the workspace's time zone, in which bare times are read unless the mapping names another.
        latest: what is said to have happened after this instant has not, and is refused.

    `refused` has a row for each refused record: line, the column's name in the file, cell, problem.

    Raises: InputError where the file as a whole contradicts its mapping.
    """
    zone = mapping.timezone or zone
    parsed = parse(engine, raw, mapping, zone=zone)
    engine.give_files("malformed", [str(raw.refused)], pa.schema([]))
    rules = _rules(mapping, latest, zone)
    conditions = " ".join(f"WHEN {condition} THEN {number}" for number, (_, condition, _) in enumerate(rules))
    cells = " ".join(f"WHEN {number} THEN left({key}, {SHOWN})" for number, (key, _, _) in enumerate(rules))
    ruled = f"SELECT *, CASE {conditions} END AS rule FROM ({parsed})"
    ruled = f"SELECT *, CASE rule {cells} END AS cell FROM ({ruled})"
    if mapping.supplements:  # a record goes in or stays out with all the elements of its list
        first = "OVER (PARTITION BY n ORDER BY rule NULLS LAST, item NULLS LAST)"
        ruled = (
            f"SELECT * REPLACE (first_value(rule) {first} AS rule, first_value(cell) {first} AS cell) FROM ({ruled})"
        )
    keep(engine, mapping, ruled)
    engine.step("refused", _refused(rules, names_of(raw, mapping)))


def rejects(
    engine: Engine, raw: RawFile, *, batch_id: int, is_held: bool, eventless: str = "", problems: Problems = PROBLEMS
) -> pa.Table:
    """The refused records as table REJECTS, by line, with reasons and remedies.

    Args:
        is_held: the file is held whole, so that all its records are refused.
        eventless: SQL for the lines of records of which nothing came.
        problems: what `refused` may name, each with (reason, remedy).
    """
    reasons, remedies = zip(*problems.values(), strict=True)
    engine.give("problems", pa.table({"problem": list(problems), "reason": reasons, "remedy": remedies}))
    parts = ["SELECT * FROM refused"]
    if eventless:
        parts.append(f"SELECT line, '' AS \"column\", '' AS cell, 'no_event' AS problem FROM ({eventless})")
    if is_held:
        known = "SELECT line FROM refused WHERE line IS NOT NULL" + (f" UNION ALL {eventless}" if eventless else "")
        parts.append(
            f"SELECT line, '' AS \"column\", '' AS cell, 'held' AS problem FROM row_lines WHERE line NOT IN ({known})"
        )
    return REJECTS.conform(
        engine.query(f"""
            SELECT {quoted(raw.name)} AS file, line, "column", coalesce(cell, '') AS value, reason, remedy,
                {batch_id} AS batch
            FROM ({" UNION ALL ".join(parts)}) JOIN problems USING (problem)
            ORDER BY line NULLS FIRST, reason NULLS FIRST
        """)
    )


def _rules(mapping: Mapping, latest: datetime, zone: str) -> list[Rule]:
    """What a row is refused for, in the order in which it is said."""
    read = [source.key for source in mapping.sources()]
    dossier_id = "coalesce(dossier_id, progress_dossier_id)"
    rules: list[Rule] = [("dossier_id", f"{dossier_id} IS NULL", "missing_dossier_id")]
    if mapping.kind == "events":
        rules += [
            ("activity", "activity IS NULL", "missing_activity")
            if mapping.columns.activity
            else ("status", "status IS NULL", "unknown_status"),
            ("occurred_at", "occurred_at IS NULL", "missing_instant"),
        ]
    labels = sorted((key for key in (*read, *mapping.constants) if is_label(key)), key=lambda key: "channel" in key)
    rules += [rule for key in labels for rule in _label_rules(key, mapping)]
    for key in (*read, *mapping.constants):
        if is_instant(key):
            unread = f"{key} IS NOT NULL AND {key}_day IS NULL AND {key}_instant IS NULL"
            rules += [(key, unread, "unreadable_instant"), (key, _outside(key), "instant_out_of_range")]
            if key not in MAY_LIE_AHEAD:
                rules.append((key, _ahead(key, latest, zone), "in_the_future"))
    if mapping.kind != "events":
        rules += record_rules()
    for key in read:
        if not is_instant(key) and key.removeprefix("progress_") not in PERSONAL:
            rules += [
                (key, f"is_long AND length({key}) > {LONGEST}", "too_long"),
                (key, f"has_control AND regexp_matches({key}, {CONTROL})", "control_character"),
            ]
    return rules


def _label_rules(key: str, mapping: Mapping) -> list[Rule]:
    """A label that the mapping does not know, or one that is none of ours."""
    role = key.removeprefix("progress_")
    if role == "activity":
        return []
    ours, own, problem = (
        (STATUSES, mapping.statuses, "status") if role == "status" else (CHANNELS, mapping.channels, "channel")
    )
    unknown = f"{key}_means IS NULL OR {key}_means NOT IN ({', '.join(quoted(name) for name in ours)})"
    return [(key, f"{key} IS NOT NULL AND ({unknown})", f"unmapped_{problem}" if own else f"unknown_{problem}")]


def _outside(key: str) -> str:
    first, last = _day(FIRST_DAY), _day(LAST_DAY)
    return (
        f"{key}_day < {first} OR {key}_day >= {last} "
        f"OR {key}_instant < {first} + INTERVAL 1 DAY OR {key}_instant >= {last} - INTERVAL 1 DAY"
    )


def _ahead(key: str, latest: datetime, zone: str) -> str:
    moment = f"TIMESTAMPTZ {quoted(latest.isoformat())}"
    return f"{key}_instant > {moment} OR {key}_day > local_day({moment}, {quoted(zone)})"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def names_of(raw: RawFile, mapping: Mapping) -> dict[str, str]:
    """Key → the file's name of the column; where it has none, the first that the mapping looked for."""
    return {source.key: source.names[0] for source in mapping.sources()} | raw.found


def _refused(rules: list[Rule], names: dict[str, str]) -> str:
    """The refused records, each under its column's name in the file."""
    columns = " ".join(f"WHEN {number} THEN {quoted(names.get(key, key))}" for number, (key, _, _) in enumerate(rules))
    codes = " ".join(f"WHEN {number} THEN '{problem}'" for number, (_, _, problem) in enumerate(rules))
    return f"""
        SELECT line, CASE rule {columns} END AS "column", cell, CASE rule {codes} END AS problem
        FROM rows WHERE rule IS NOT NULL AND item = 0
        UNION ALL
        SELECT line, '' AS "column", '' AS cell, problem FROM malformed
    """
