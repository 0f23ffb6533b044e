"""What is asked of the measured dossiers: whose, over which days, against which baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pyarrow as pa

from procmon.config import PolicySettings
from procmon.tables import DAY, INSTANT, INT, OLD_LIMITS_ON, TEXT, Period

Side = Literal["all", "receiving", "resolving", "field"]
"""Whose dossiers: the city's, those a reception point received, those a unit resolves, those of a field."""


@dataclass(frozen=True)
class Question:
    """One audience's question about the dossiers measured as of `as_of` (aware).

    `period` is form 06's, `compare` the days whose finished dossiers are held against the baseline's same months.
    """

    as_of: datetime
    zone: ZoneInfo
    period: Period
    compare: Period
    baseline: Period
    policies: PolicySettings
    side: Side = "all"
    scope_id: str = ""

    @property
    def today(self) -> date:
        """The last local day that the as-of instant saw something of."""
        return (self.as_of.astimezone(self.zone) - timedelta(microseconds=1)).date()

    @property
    def last_day(self) -> date:
        """The compared period's last day."""
        return self.compare.to - timedelta(days=1)

    @property
    def headline(self) -> tuple[str, str]:
        """(scope, scope_id) of the row that speaks for all of the question's dossiers."""
        names = {"all": "city", "receiving": "centre", "resolving": "unit", "field": "field"}
        return names[self.side], self.scope_id

    def months(self) -> list[int]:
        """The calendar months (1 to 12) that the compared period touches and the baseline has: those compared."""
        last_of_baseline = self.baseline.to - timedelta(days=1)
        touched = _months(self.compare.from_, self.last_day) & _months(self.baseline.from_, last_of_baseline)
        return sorted(touched)

    @property
    def baseline_seen_on(self) -> date:
        """As of which midnight the baseline's received dossiers are seen (rulebook 7d): its own compared period's end.

        That is the first day after the last compared month within the baseline period, or the period's end.
        """
        months = self.months()
        first, end = self.baseline.from_.replace(day=1), self.baseline.to
        for back in range((end.year - first.year) * 12 + end.month - first.month + 1):
            month = end.year * 12 + end.month - 1 - back
            if month % 12 + 1 in months and date(month // 12, month % 12 + 1, 1) < end:
                return min(date((month + 1) // 12, (month + 1) % 12 + 1, 1), end)
        return end

    @property
    def window_at(self) -> datetime:
        """The instant from which boundaries look at dossiers (rulebook 8)."""
        return self.as_of - timedelta(days=self.policies.boundary_days)

    def table(self) -> pa.Table:
        """The one-row table `question` that the SQL reads."""
        values: dict[str, tuple[object, pa.DataType]] = {
            "as_of": (self.as_of, INSTANT),
            "zone": (self.zone.key, TEXT),
            "today": (self.today, DAY),
            "period_from": (self.period.from_, DAY),
            "period_to": (self.period.to, DAY),
            "compare_from": (self.compare.from_, DAY),
            "compare_to": (self.compare.to, DAY),
            "baseline_to": (self.baseline.to, DAY),
            "baseline_seen_on": (self.baseline_seen_on, DAY),
            "window_at": (self.window_at, INSTANT),
            "window_from": (self.window_at.astimezone(self.zone).date(), DAY),
            "side": (self.side, TEXT),
            "scope_id": (self.scope_id, TEXT),
            "min_cross": (self.policies.min_cross, INT),
            "min_units": (self.policies.min_units, INT),
        }
        return pa.table({name: pa.array([value], kind) for name, (value, kind) in values.items()})


def _months(first: date, last: date) -> set[int]:
    """The calendar months that the days from `first` to `last` touch."""
    n = (last.year - first.year) * 12 + last.month - first.month
    return {(first.month - 1 + i) % 12 + 1 for i in range(min(n, 11) + 1)}


NO_BASELINE = Period(date(2024, 1, 1), OLD_LIMITS_ON + timedelta(days=1), "")
"""The baseline year that pages speak of while none is published."""
