"""Old units that no unit of the day stands for: how much hangs on them, how weights would share it (rulebook 8)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from procmon.judge.numbers import round9
from procmon.judge.reductions import Evidence
from procmon.tables import UNDETERMINED, UNDETERMINED_UNITS

Row = dict[str, Any]

WEIGHTS = "weights"
"""The policy `split_units` under which split units are shared out by the weights loaded with the successions."""


def undetermined_units(evidence: Evidence) -> pa.Table:
    """Table UNDETERMINED_UNITS of the city's question; of another it is empty.

    What weights share out is expected, not counted: it enters no other table, and no interval.
    """
    question, units = evidence.question, evidence.units
    if question.side != "all":
        return UNDETERMINED_UNITS.from_rows([])
    told = units.told(question.today)
    n: Counter[tuple[str, int]] = Counter()
    for unit, cells in evidence.cells.split("unit", str).items():
        if told.get(unit) == UNDETERMINED:
            n.update({(unit, side): int(cells.n[cells.side == side].sum()) for side in (0, 1)})
    is_shared = question.policies.split_units == WEIGHTS
    rows: list[Row] = []
    for unit in sorted({unit for unit, _ in n}):
        heirs = [row for row in units.heirs_on(question.today) if row["unit_key"] == unit and not row["is_whole"]]
        about: Row = {
            "unit_key": unit, "name": units.name(unit), "why": "split" if heirs else "no_successor",
            "n_baseline": n[unit, 0], "n_period": n[unit, 1],
        }  # fmt: skip
        if not heirs:
            rows.append(about | {"heir_unit_id": "", "heir_name": ""})
        for heir in heirs:
            share = heir["share"] if is_shared else None
            parts: Row = {"share": round9(share)}
            if share is not None:
                parts |= {f"{name}_shared": round9(about[name] * share) for name in ("n_baseline", "n_period")}
            key = heir["heir_key"]
            named: Row = {"heir_unit_id": units.said(key, question.today), "heir_name": units.name(key)}
            rows.append(about | named | parts)
    return UNDETERMINED_UNITS.from_rows(rows)
