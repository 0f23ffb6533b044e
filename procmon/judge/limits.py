"""The cut of limits on paper (rulebook 7.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import pyarrow as pa

from procmon.judge.predecessors import behind, national_part

IN_WORKING_DAYS = {
    "hours": Fraction(1, 8),
    "working_days": Fraction(1),
    "days": Fraction(5, 7),
    "months": Fraction(22),
}
CLASSES = ("50", "30", "less", "unchanged", "longer", "no_limit_2024")


@dataclass(frozen=True)
class Version:
    """One version of a procedure: in force on [starts_on, ends_on)."""

    procedure_id: str
    name: str
    field: str
    level: str
    tags: frozenset[str]
    amount: Fraction | None
    unit: str
    starts_on: date
    ends_on: date

    @property
    def limit(self) -> Fraction | None:
        """The limit in working days, unrounded; None where there is none."""
        return None if self.amount is None else self.amount * IN_WORKING_DAYS[self.unit]

    @property
    def words(self) -> str:
        """The limit as the registry states it, such as `10 working_days`."""
        return "" if self.amount is None else f"{float(self.amount):g} {self.unit}"


class Catalogue:
    """The registry's procedures in time."""

    def __init__(self, versions: pa.Table) -> None:
        """`versions` is measure's table `procedure_versions`."""
        self.versions: dict[str, list[Version]] = {}
        for row in versions.to_pylist():
            amount = row["limit_amount"]
            self.versions.setdefault(row["procedure_id"], []).append(
                Version(
                    procedure_id=row["procedure_id"],
                    name=row["name"] or "",
                    field=row["field"] or "",
                    level=row["level"] or "",
                    tags=frozenset((row["tags"] or "").split()),
                    amount=None if amount is None else Fraction(str(amount)),
                    unit=row["limit_unit"] or "",
                    starts_on=row["valid_from"],
                    ends_on=row["ends_on"],
                )
            )
        for versions_of in self.versions.values():
            versions_of.sort(key=lambda version: version.starts_on)
        self._by_part: dict[str, list[str]] = {}
        for code in sorted(self.versions):
            self._by_part.setdefault(national_part(code), []).append(code)

    def relatives(self, procedure_id: str) -> list[str]:
        """The codes with the same national part, by code; itself among them where the registry knows it."""
        return self._by_part.get(national_part(procedure_id), [])

    def on(self, procedure_id: str, day: date) -> Version | None:
        """The version in force on `day`."""
        return next((v for v in self.versions.get(procedure_id, ()) if v.starts_on <= day < v.ends_on), None)

    def known(self, procedure_id: str, day: date) -> Version | None:
        """The version in force on `day`, else the newest: what a procedure is called and where it belongs."""
        versions = self.versions.get(procedure_id)
        return (self.on(procedure_id, day) or versions[-1]) if versions else None

    def of_field(self, field: str, day: date) -> list[str]:
        """The procedures that belong to a field on `day` (`known`), by code."""
        return sorted(code for code in self.versions if (v := self.known(code, day)) and v.field == field)

    def on_offer(self, day: date) -> list[str]:
        """The procedures in force on `day`, by code."""
        return sorted(code for code in self.versions if self.on(code, day))


@dataclass(frozen=True)
class LimitCut:
    """One procedure's limit before and now; `cut` is None without a limit on both days.

    `before` names the code that it came from where several with a limit stood behind the procedure.
    """

    procedure_id: str
    before: str
    now: str
    cut: Fraction | None
    cut_class: str


def limit_cut(catalogue: Catalogue, procedure_id: str, before_on: date, now_on: date) -> LimitCut:
    """Compare a procedure's limits on two days. A limit given up counts as longer.

    Of several predecessors' limits before, the shortest stands, the more favourable one (rulebook 7e).
    """
    now = catalogue.on(procedure_id, now_on)
    before, of_several = _shortest(catalogue, behind(catalogue, procedure_id, now_on), before_on)
    old, new = before.limit if before else None, now.limit if now else None
    words = (before.words if before else "", now.words if now else "")
    if before and of_several:
        words = (f"{before.words} ({before.procedure_id})", words[1])
    if old is None:
        return LimitCut(procedure_id, *words, None, "no_limit_2024")
    if new is None:
        return LimitCut(procedure_id, *words, None, "longer")
    cut = 1 - new / old
    for name, least in (("50", Fraction(1, 2)), ("30", Fraction(3, 10))):
        if cut >= least:
            return LimitCut(procedure_id, *words, cut, name)
    kind = "less" if cut > 0 else "longer" if cut < 0 else "unchanged"
    return LimitCut(procedure_id, *words, cut, kind)


def _shortest(catalogue: Catalogue, codes: Iterable[str], day: date) -> tuple[Version | None, bool]:
    """The version on `day` with the shortest limit, of equal ones the first by code; and whether there are several."""
    limited = [(v.limit, code, v) for code in codes if (v := catalogue.on(code, day)) and v.limit is not None]
    return (min(limited)[2] if limited else None), len(limited) > 1


def mean_cut(cuts: Iterable[LimitCut]) -> tuple[Fraction | None, int]:
    """The plain mean of the cuts over the procedures with a limit on both days, and their number."""
    known = [cut.cut for cut in cuts if cut.cut is not None]
    return (sum(known, Fraction()) / len(known) if known else None), len(known)
