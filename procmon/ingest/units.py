"""Events whose units are named → events whose units are codes, each as of its own day (rulebook 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from procmon.engine import Engine, quoted
from procmon.ingest.check import SHOWN, names_of
from procmon.ingest.columns import PROBLEMS, Problems
from procmon.ingest.mapping import UNIT_ROLES, Mapping
from procmon.ingest.read import RawFile
from procmon.names import Named, UnitNames

ROLES = (*(role for role in UNIT_ROLES if role != "unit_id"), "unit_id")
"""In the order in which an ambiguous name is told: who holds a dossier is often who received it."""

MOST_NAMED = 20
MEANT = pa.schema([("label", pa.string()), ("era", pa.int64()), ("unit_id", pa.string()), ("problem", pa.string())])


@dataclass(frozen=True)
class Renamed:
    """What came of a file's names: the problems that `refused` names now, and what to say of unknown ones."""

    problems: Problems
    notes: tuple[str, ...]


def name_units(
    engine: Engine, events: str, units: pa.Table | None, *, raw: RawFile, mapping: Mapping, zone: str
) -> Renamed:
    """Make `events` of the SQL `events`, with codes for names, and `misnamed`, the records (`n`) refused for a name.

    An event's names mean what they mean on its day in `zone`. A name that no unit has then stays as it is; one that
    several have refuses its record, which is added to `refused`.
    """
    names = UnitNames(units)
    starts = [date.min, *names.starts]
    engine.give("eras", pa.table({"era": range(len(starts)), "starts": pa.array(starts, pa.date32())}))
    day = f"coalesce(occurred_on, local_day(occurred_at, {quoted(zone)}))"
    engine.step("named", f"SELECT *, (SELECT max(era) FROM eras WHERE starts <= {day}) AS era FROM ({events})")
    found = _meanings(engine, names, starts)
    problems = _ambiguous({named.said for _, _, named in found if named.is_ambiguous})
    codes = {said: code for code, said in problems.items()}
    rows = [(label, era, named.unit_id, codes.get(named.said)) for label, era, named in found]
    engine.give("meant_units", pa.table([*map(list, zip(*rows, strict=True))] or [[]] * 4, schema=MEANT))
    engine.step("misnamed", _misnamed(names_of(raw, mapping)))
    engine.step("refused", 'SELECT * FROM refused UNION ALL SELECT line, "column", cell, problem FROM misnamed')
    engine.step("events", _coded())
    engine.drop("named")
    unknown = sorted({label for label, _, named in found if not named.units})
    return Renamed(PROBLEMS | {code: _told(said) for code, said in problems.items()}, _notes(unknown, units))


def _meanings(engine: Engine, names: UnitNames, starts: Sequence[date]) -> list[tuple[str, int, Named]]:
    """(name, era, what it means then) for every name of an event; they are few, so Python looks them up."""
    said = " UNION ".join(f"SELECT {role} AS label, era FROM named WHERE {role} IS NOT NULL" for role in ROLES)
    rows = engine.query(f"{said} ORDER BY label NULLS FIRST, era NULLS FIRST").to_pylist()
    return [(row["label"], row["era"], names.find(row["label"], starts[row["era"]])) for row in rows]


def _ambiguous(candidates: set[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """A problem's code for each set of candidates."""
    return {f"ambiguous_unit {number}": said for number, said in enumerate(sorted(candidates))}


def _told(candidates: Sequence[str]) -> tuple[str, str]:
    reason, remedy = PROBLEMS["ambiguous_unit"]
    return reason, f"{remedy} It may be {' or '.join(candidates)}."


def _misnamed(columns: dict[str, str]) -> str:
    """One row for each record with an ambiguous name: the first role's."""
    parts = [
        f"""SELECT e.n, e.line, {place} AS place, {_column(role, columns)} AS "column",
            left(m.label, {SHOWN}) AS cell, m.problem
        FROM named AS e
        JOIN meant_units AS m ON m.label = e.{role} AND m.era = e.era AND m.problem IS NOT NULL
        LEFT JOIN rows AS r ON r.n = e.n AND r.item = 0"""
        for place, role in enumerate(ROLES)
    ]
    first = 'PARTITION BY n ORDER BY place NULLS FIRST, problem NULLS FIRST, cell NULLS FIRST, "column" NULLS FIRST'
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) QUALIFY row_number() OVER ({first}) = 1"


def _column(role: str, columns: dict[str, str]) -> str:
    """SQL: the file's column of a role in the record `r`, which may be the portal's progress message."""
    own, of_progress = (quoted(columns.get(key, role)) for key in (role, f"progress_{role}"))
    return f"CASE WHEN r.{role} IS NULL AND r.progress_{role} IS NOT NULL THEN {of_progress} ELSE {own} END"


def _coded() -> str:
    """The events of all other records, each name that one unit has replaced by its code."""
    joins = [
        f"LEFT JOIN meant_units AS {role}_meant ON {role}_meant.label = e.{role} AND {role}_meant.era = e.era"
        for role in ROLES
    ]
    codes = ", ".join(f"coalesce({role}_meant.unit_id, e.{role}) AS {role}" for role in ROLES)
    return f"""
        SELECT e.* EXCLUDE (era) REPLACE ({codes})
        FROM named AS e {" ".join(joins)}
        WHERE e.n NOT IN (SELECT n FROM misnamed)
    """


def _notes(unknown: Sequence[str], units: pa.Table | None) -> tuple[str, ...]:
    if not unknown:
        return ()
    if units is None or not units.num_rows:
        return ("no units are loaded, so that the names of units stay as they are: `procmon load units FILE`",)
    more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
    return (
        f"no unit has these names on the day of the event, they stay as they are: "
        f"{', '.join(unknown[:MOST_NAMED])}{more}",
    )
