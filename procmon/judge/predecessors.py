"""Codes that a merger put behind one procedure (rulebook 7e).

Two old provinces had rows of their own in the registry, such as 1.001234.000.00.00.H23 and 1.001234.000.00.00.H24;
today one procedure stands for both. Who stands for whom is told by the day and the registry alone, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge.numbers import round9
from procmon.judge.question import Question
from procmon.judge.units import Units
from procmon.tables import OLD_LIMITS_ON, PREDECESSORS, TEXT, UNIT_PREDECESSORS

if TYPE_CHECKING:
    from procmon.judge.limits import Catalogue


def national_part(code: str) -> str:
    """The first two dot-separated groups of a code."""
    return ".".join(code.split(".")[:2])


def successor(catalogue: Catalogue, code: str, day: date) -> str:
    """The code that stands for `code` on `day`.

    Itself while it is in force; once it has been, the only code in force with the same national part. Where there
    are several or none, where it has not begun yet, and where the registry does not know it: itself.
    """
    versions = catalogue.versions.get(code)
    if not versions or versions[0].starts_on > day or catalogue.on(code, day):
        return code
    in_force = [other for other in catalogue.relatives(code) if catalogue.on(other, day)]
    return in_force[0] if len(in_force) == 1 else code


def heirs(catalogue: Catalogue, day: date) -> dict[str, str]:
    """Each code that another one stands for on `day` → that other one, by code."""
    found = {code: successor(catalogue, code, day) for code in sorted(catalogue.versions)}
    return {code: heir for code, heir in found.items() if heir != code}


def behind(catalogue: Catalogue, procedure_id: str, day: date) -> list[str]:
    """The codes whose successor on `day` is `procedure_id`, by code; itself among them."""
    return [code for code in catalogue.relatives(procedure_id) if successor(catalogue, code, day) == procedure_id]


def heirs_table(found: Mapping[str, str]) -> pa.Table:
    """`heirs` as the table `procedure_heirs` that the SQL reads: `procedure_key`, `heir_key`."""
    return pa.table({"procedure_key": pa.array(found.keys(), TEXT), "heir_key": pa.array(found.values(), TEXT)})


def predecessors(engine: Engine, catalogue: Catalogue, question: Question) -> pa.Table:
    """Table PREDECESSORS: whose limit and whose times stand behind each merged procedure.

    The engine must have the question's `baseline_rows` (figured.sql). A code that had neither a limit on 31 December
    2024 nor baseline dossiers is left out.
    """
    engine.steps(sql_text("judge", "predecessors"))
    counted = {row["own_procedure_key"]: row for row in engine.query("SELECT * FROM predecessor_sums").to_pylist()}
    rows: list[dict[str, object]] = []
    for procedure_id in sorted(set(heirs(catalogue, question.last_day).values())):
        rows += _listed(catalogue, procedure_id, behind(catalogue, procedure_id, question.last_day), counted)
    return PREDECESSORS.from_rows(rows)


def unit_predecessors(engine: Engine, units: Units, question: Question) -> pa.Table:
    """Table UNIT_PREDECESSORS: whose dossiers stand behind each unit that took over others whole, by unit today.

    The engine must have the question's `baseline_rows` (figured.sql).
    """
    engine.steps(sql_text("judge", "predecessors"))
    sums = engine.query("SELECT * FROM old_unit_sums ORDER BY unit_today NULLS FIRST, old_unit_key NULLS FIRST")
    return UNIT_PREDECESSORS.from_rows(
        [
            {
                "unit_id": units.said(row["unit_today"], question.today),
                "name": units.name(row["unit_today"]),
                "predecessor_key": row["old_unit_key"],
                "predecessor_name": units.name(row["old_unit_key"]),
                "n_baseline": row["n"],
                "mean_minutes": round9(Fraction(row["seconds"], row["n"] * 60)),
            }
            for row in sums.to_pylist()
        ]
    )


def _listed(
    catalogue: Catalogue, procedure_id: str, codes: Sequence[str], counted: Mapping[str, Mapping[str, int]]
) -> list[dict[str, object]]:
    limits = {code: v.limit for code in codes if (v := catalogue.on(code, OLD_LIMITS_ON)) and v.limit is not None}
    means = {code: Fraction(counted[code]["seconds"], counted[code]["n"]) for code in codes if code in counted}
    rows: list[dict[str, object]] = []
    for code in codes:
        if code not in limits and code not in means:
            continue
        version = catalogue.known(code, OLD_LIMITS_ON)
        rows.append(
            {
                "procedure_id": procedure_id,
                "predecessor_id": code,
                "name": version.name if version else "",
                "limit_before": version.words if version and code in limits else "",
                "is_shortest": code in limits and limits[code] == min(limits.values()),
                "n_baseline": counted[code]["n"] if code in counted else 0,
                "mean_minutes": round9(means[code] / 60) if code in means else None,
                "is_fastest": code in means and means[code] == min(means.values()),
            }
        )
    return rows
