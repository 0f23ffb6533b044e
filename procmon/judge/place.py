"""Where a figure stands: its scope, scope_id and days in table FIGURES (see figures.py for what makes them unique)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procmon.judge.numbers import share
from procmon.judge.question import Question

Row = dict[str, object]


def share_of(figure: str, part: int, whole: int) -> Row:
    """A share with the counts that it is divided from."""
    return {"figure": figure, "numerator": part, "denominator": whole, "value": share(part, whole), "n": whole}


class Place:
    """Whose dossiers a page's figures are about, as scope and scope_id, and over which days."""

    def __init__(self, question: Question) -> None:
        self.question = question
        kind, self.scope_id = question.headline
        self.scope = {"unit": "department", "field": "department"}.get(kind, kind)
        if self.scope != "city":
            self.scope_id = f"{'unit' if kind == 'centre' else kind}:{self.scope_id}"

    def of(self, row: Mapping[str, Any]) -> Row:
        """Scope of a table's row: all of the page's dossiers, or a part."""
        is_headline = (row["scope"], row["scope_id"]) == self.question.headline
        return self.whole() if is_headline else self.part(row["scope"], row["scope_id"])

    def part(self, kind: str, part_id: str) -> Row:
        """Scope of a part: the city's parts need no more than their own name."""
        if self.scope == "city":
            return {"scope": kind, "scope_id": part_id}
        return {"scope": f"{self.scope}/{kind}", "scope_id": f"{self.scope_id}/{part_id}"}

    def whole(self) -> Row:
        """Scope of all of the page's dossiers."""
        return {"scope": self.scope, "scope_id": self.scope_id}

    def today(self) -> Row:
        """All of the page's dossiers, as of the instant asked."""
        return self.whole() | self.as_of()

    def as_of(self) -> Row:
        """Figures of an instant have no first day."""
        return {"period_to": self.question.today}

    def days(self, *, compared: bool) -> Row:
        """The period of form 06, or the one whose times are compared."""
        period = self.question.compare if compared else self.question.period
        return {"period_from": period.from_, "period_to": period.to}
