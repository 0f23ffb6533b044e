"""Biểu số 06/VPCP/KSTT: by field and level, by unit, and the identities that every row must keep (rulebook 6)."""

from __future__ import annotations

from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from procmon.engine import Engine
from procmon.errors import StoreError
from procmon.judge.question import Question
from procmon.judge.units import Units
from procmon.tables import FORM_06, FORM_06_UNITS

IDENTITIES = {
    "3 = 4+5+6": ("received", ("received_online", "received_in_person_post", "carried_over")),
    "3 = 7+11": ("received", ("resolved", "pending")),
    "7 = 8+9+10": ("resolved", ("resolved_early", "resolved_on_time", "resolved_overdue")),
    "11 = 12+13": ("pending", ("pending_in_time", "pending_overdue")),
}
"""The form's own sums, by its column numbers: total → parts."""

UNIT_COLUMNS = {"unit": "unit_told", "receiving-unit": "receiving_told"}
"""Whose rows: the units that resolve (else receive), or those that receive."""


def by_field(engine: Engine) -> pa.Table:
    """Table FORM_06 of the engine's step `form_06`. Raises: StoreError if a row breaks an identity."""
    rows = engine.query("SELECT * FROM form_06 WHERE field IS NOT NULL ORDER BY field NULLS FIRST, level NULLS FIRST")
    return held(FORM_06.conform(rows))


def by_unit(engine: Engine, units: Units, question: Question, column: str) -> pa.Table:
    """Table FORM_06_UNITS of the step `form_06`, by unit code; `column` is one of UNIT_COLUMNS' values.

    Units are the as-of day's: whole successions followed, and a unit whose code means another one by now keeps its
    key. Raises: StoreError if a row breaks an identity.
    """
    counted = engine.query(f'SELECT * FROM form_06 WHERE "{column}" IS NOT NULL')  # noqa: S608 - our own column
    rows = [
        row | {"unit_id": units.said(key, question.today) if key else "", "name": units.name(key)}
        for row in counted.to_pylist()
        for key in (row[column],)
    ]
    return held(FORM_06_UNITS.from_rows(sorted(rows, key=lambda row: str(row["unit_id"]).encode())))


def held(form: pa.Table) -> pa.Table:
    """`form` itself, once every row keeps the form's identities. Raises: StoreError for the first that does not."""
    for said, (total, parts) in IDENTITIES.items():
        is_kept = pc.equal(form[total], reduce(pc.add, [form[part] for part in parts]))
        if not pc.all(is_kept, min_count=0).as_py():
            broken = form.filter(pc.invert(is_kept)).slice(0, 1).to_pylist()[0]
            raise StoreError(f"form 06 breaks {said} in {broken}", remedy="This is a bug: please report it.")
    return form
