"""The open stock by month: how many dossiers lie there, and how long (rulebook 7d)."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pyarrow as pa

from procmon.engine import Engine, sql_text
from procmon.judge.numbers import round9
from procmon.judge.question import Question
from procmon.tables import DAY, OPEN_STOCK

N_MONTHS = 13


def open_stock(engine: Engine, question: Question) -> pa.Table:
    """Table OPEN_STOCK: the question's dossiers at the last 13 month ends up to the compared period's end, in order.

    Months that end after the as-of day, or before the first receipt, have no row.
    Dossiers are taken as they stand now (the engine's `figured`): one that was ended and reopened since counts as open
    all through, and one whose end was logged late as ended when it did.
    """
    end = min(question.compare.to, question.today + timedelta(days=1))
    engine.give("month_ends", pa.table({"month_end_on": pa.array(month_ends(end), DAY)}))
    engine.steps(sql_text("judge", "stock"))
    rows = engine.query("SELECT * FROM open_stock ORDER BY month_end_on NULLS FIRST").to_pylist()
    for row in rows:
        for name in ("median", "p90"):
            found = row.pop(f"{name}_hundredths")
            row[f"{name}_age_days"] = None if found is None else round9(Fraction(int(found), 100))
    return OPEN_STOCK.from_rows(rows)


def month_ends(end: date) -> list[date]:
    """The last days of the 13 months that were over by `end` (excluded), in order."""
    month = end.year * 12 + end.month - 1
    firsts = (date(m // 12, m % 12 + 1, 1) for m in range(month - N_MONTHS + 1, month + 1))
    return [first - timedelta(days=1) for first in firsts]
