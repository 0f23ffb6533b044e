"""Source rows → typed rows: each column read as what the mapping says it is, labels looked up, nothing judged yet."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from procmon.engine import Engine, quoted
from procmon.errors import InputError
from procmon.ingest.dates import day_sql, instant_sql, order_of, proof_sql
from procmon.ingest.mapping import UNIT_ROLES, Activities, Columns, EventColumns, Mapping, Supplements
from procmon.ingest.read import RawFile
from procmon.tables import CHANNELS, STATUSES
from procmon.text import LONGEST, fold, tidy_sql

CODES = ("dossier_id", "procedure_id", *UNIT_ROLES)
"""Columns whose texts are codes: kept tidied, so that what looks the same is the same."""

KEYS = (
    *Columns.model_fields,
    *(f"progress_{name}" for name in EventColumns.model_fields),
    *(f"supplement_{name}" for name in Supplements.model_fields if name != "list"),
)
"""Every key of `Mapping.sources`."""

CONTROL = r"'[\x00-\x1f\x7f]'"
"""Control characters, as SQL has the pattern."""

LABELS = pa.schema([("label", pa.string()), ("meaning", pa.string())])


def parse(engine: Engine, raw: RawFile, mapping: Mapping, *, zone: str) -> str:
    """SQL for the reading process's rows, each column read as the mapping says; nothing is computed yet.

    Its columns: `n` and `item` (the record, and the element of its list; 0: the record itself), `line`; each of `KEYS`
    as text, NULL where neither the file nor a constant gives it; of an instant also KEY_day and KEY_instant; of a
    status, activity or channel also KEY_means, NULL where the mapping does not know the label; `all_text`, all texts
    in one; `is_long` and `has_control`: one of them may be longer than `LONGEST` or hold a control character.

    Raises: InputError where a date column is written month-first although the mapping says day-first, or the reverse.
    """
    engine.give_files("text_rows", [str(raw.rows)], pa.schema([]))
    engine.give_files("row_lines", [str(raw.lines)], pa.schema([]))
    read = [source.key for source in mapping.sources()]
    _prove(engine, raw, mapping, [key for key in read if is_instant(key)])
    meanings = {key: table for key in read if (table := _meanings(mapping, key))}
    for key, table in meanings.items():
        _give_labels(engine, key, table)
    columns = [column for key in KEYS for column in _columns(key, mapping, key in read, key in meanings, zone)]
    texts = ", ".join(f"t.{key}" for key in read if not is_instant(key))
    codes = ", ".join(f"t.{key}" for key in read if is_code(key))
    joins = " ".join(f"LEFT JOIN meant_{key} ON meant_{key}.label = t.{key}" for key in meanings)
    return f"""
        SELECT t.n, t.item, t.line, t.all_text, t.is_long, t.has_control, {", ".join(columns)}
        FROM (
            SELECT t.*, l.line, concat({texts}) AS all_text, length(concat({texts})) > {LONGEST} AS is_long,
                regexp_matches(concat({texts}), {CONTROL}) AS has_control,
                regexp_matches(concat({codes}), '[^\\x21-\\x7E]') AS is_odd
            FROM text_rows AS t JOIN row_lines AS l USING (n)
        ) AS t {joins}
    """


def keep(engine: Engine, mapping: Mapping, ruled: str) -> None:
    """Make `rows` of the parsed rows with their `rule`: what is read is kept, what is not is NULL at no cost.

    An instant's own name is then the instant itself, of a bare day its midnight.
    """
    given = {source.key for source in mapping.sources()} | set(mapping.constants)
    parts = {key: _parts(key) for key in KEYS}
    kept = [part for key in KEYS if key in given for part in parts[key]]
    engine.step("kept", f"SELECT n, item, line, rule, cell, {', '.join(kept)} FROM ({ruled})")
    absent = [f"{_empty(part)} AS {part}" for key in KEYS if key not in given for part in parts[key]]
    instants = [f"coalesce({key}_instant, {key}_day::TIMESTAMPTZ) AS {key}" for key in KEYS if is_instant(key)]
    engine.view("rows", f"SELECT *, {', '.join(instants)} FROM (SELECT {', '.join(['*', *absent])} FROM kept)")


def _parts(key: str) -> list[str]:
    if is_instant(key):
        return [f"{key}_day", f"{key}_instant"]
    return [key, f"{key}_means"] if is_label(key) else [key]


def _empty(part: str) -> str:
    if part.endswith("_instant"):
        return "NULL::TIMESTAMPTZ"
    return "NULL::DATE" if part.endswith("_day") else "NULL::VARCHAR"


def unmet_activities(engine: Engine, mapping: Mapping) -> list[str]:
    """What to say of activities that the mapping names and no row has: a slip there would end no dossier."""
    if not mapping.columns.activity or not mapping.activities:
        return []
    met = {fold(label) for label in engine.query("SELECT label FROM meant_activity")["label"].to_pylist()}
    unmet = [name for name in _activities(mapping.activities) if name and fold(name) not in met]
    return [f"[activities] names what no row has: {', '.join(unmet)}"] if unmet else []


def is_instant(key: str) -> bool:
    """Whether a key of `Mapping.sources` is an instant or a day."""
    return key.endswith(("_at", "_before", "_after"))


def is_code(key: str) -> bool:
    """Whether a key of `Mapping.sources` is a code."""
    return key.removeprefix("progress_") in CODES


def is_label(key: str) -> bool:
    """Whether a key of `Mapping.sources` has words that the mapping gives a meaning."""
    return key.removeprefix("progress_") in ("status", "activity", "channel")


def _columns(key: str, mapping: Mapping, is_read: bool, is_meant: bool, zone: str) -> list[str]:
    """The columns of `parsed` for one key."""
    constant = quoted(_meant(mapping, key, mapping.constants[key])) if key in mapping.constants else "NULL::VARCHAR"
    text = f"coalesce(t.{key}, {constant})" if is_read else constant
    if is_instant(key):
        patterns = mapping.patterns(key)
        day, instant = day_sql(text, patterns), instant_sql(text, patterns, zone)
        return [f"{text} AS {key}", f"{day} AS {key}_day", f"{instant} AS {key}_instant"]
    if is_label(key):
        known = f"CASE WHEN t.{key} IS NULL THEN {constant} ELSE meant_{key}.meaning END" if is_meant else text
        return [f"{text} AS {key}", f"{known} AS {key}_means"]
    if is_code(key):
        tidied = f"CASE WHEN t.is_odd THEN {tidy_sql(text)} ELSE {text} END"
        return [f"{f'coalesce(meant_{key}.meaning, {tidied})' if is_meant else tidied} AS {key}"]
    return [f"{text} AS {key}"]


def _prove(engine: Engine, raw: RawFile, mapping: Mapping, keys: Sequence[str]) -> None:
    """Columns are written as the mapping says, or the file is not taken: no 05/06 is read the wrong way round.

    A column that fits both follows the mapping only where it names the column, or no other column of the file is
    proven to be written otherwise.
    """
    said = {key: order for key in keys if (order := order_of(mapping.patterns(key)))}
    if not said:
        return
    n = engine.query(proof_sql(list(said))).to_pylist()[0]
    proven = {key: order for key in said if (order := _proven(n, key))}
    wrong = [key for key in said if key in proven and proven[key] != said[key]]
    doubtful = [
        key
        for key in said
        if key not in proven and n[f"{key}_both"] and key not in mapping.dates and set(proven.values()) - {said[key]}
    ]
    if not wrong and not doubtful:
        return
    other = proven[wrong[0]] if wrong else next(order for order in proven.values() if order != said[doubtful[0]])
    pattern = "MM/dd/yyyy" if other == "month" else "dd/MM/yyyy"
    where = f"dates.{wrong[0]}" if wrong and len([*wrong, *doubtful]) == 1 else "dates.all"
    named = ", ".join(f"'{raw.found[key]}'" for key in wrong)
    if wrong:
        what = f"column {named} is written {other}-first, the mapping says {said[wrong[0]]}-first"
    else:
        what = f"column '{raw.found[doubtful[0]]}' fits day-first and month-first, but others are {other}-first"
        where = f"dates.{doubtful[0]}"
    raise InputError(f"{raw.name}: {what}", remedy=f'Say so in the mapping, e.g. {where} = "{pattern}".')


def _proven(n: dict[str, int], key: str) -> str:
    """Which of day and month comes first in a column, where its values decide."""
    if n[f"{key}_day"]:
        return "day"
    return "month" if n[f"{key}_month"] else ""


def _meanings(mapping: Mapping, key: str) -> dict[str, str]:
    """Local label → meaning for a key; empty where its texts mean themselves."""
    role = key.removeprefix("progress_")
    if role == "activity":
        return _activities(mapping.activities or Activities())
    if role == "status":
        return dict(mapping.statuses) and {**mapping.statuses, **{status: status for status in STATUSES}}
    if role == "channel":
        return dict(mapping.channels) and {**mapping.channels, **{channel: channel for channel in CHANNELS}}
    if role == "procedure_id":
        return mapping.procedures
    return mapping.units if role in UNIT_ROLES else {}


def _meant(mapping: Mapping, key: str, label: str) -> str:
    """What a label means; itself, where the mapping does not know it."""
    return {fold(known): meaning for known, meaning in _meanings(mapping, key).items()}.get(fold(label), label)


def _activities(activities: Activities) -> dict[str, str]:
    named = {name: status for status in Activities.model_fields for name in getattr(activities, status)}
    return {**named, "": "processing"}


def _give_labels(engine: Engine, key: str, meanings: dict[str, str]) -> None:
    """The distinct labels of a column with their meanings: they are few, so Python folds them and looks them up."""
    folded = {fold(label): meaning for label, meaning in meanings.items()}
    found = engine.query(f"SELECT DISTINCT {key} AS label FROM text_rows WHERE {key} IS NOT NULL")
    labels: list[str] = found["label"].to_pylist()
    others = meanings.get("")
    table = {"label": labels, "meaning": [folded.get(fold(label), others) for label in labels]}
    engine.give(f"meant_{key}", pa.table(table, schema=LABELS))
