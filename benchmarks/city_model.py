"""The model behind `city.py`: calendar, units, procedures, and all else that is true before a dossier is drawn.

Time is drawn in *open seconds*: open second w lies on working day w // 28,800, counted from the first day of the
table below. So working time is a difference of two integers, known exactly for every dossier, and only the
events' instants are turned into wall-clock seconds (local, since 1970), without any loop.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import holidays
import numpy as np

from benchmarks import city_data as data

Ints = np.ndarray  # of int64; masks are bool
FACTS = Path(__file__).resolve().parent.parent / "procmon" / "data"

LOG_FROM, LOG_TO = "2023-11-01", "2026-01-01"  # the two months before 2024 complete its baseline
NEW_YEAR_2025, REFORM = "2025-01-01", "2025-07-01"
OPEN_DAY = 28_800  # open seconds of a working day: 07:30-11:30 and 13:00-17:00
OPENING, NOON, LUNCH, CLOSING = 27_000, 14_400, 5_400, 61_200
CUT_DAYS = ("2025-09-03", "2025-05-05", "2025-09-03", "2025-07-01", "2025-09-03")
UNITS_OF_LIMIT = ("hours", "working_days", "days", "months")
WORKING_DAYS_IN = {"hours": 1 / 8, "working_days": 1.0, "days": 5 / 7, "months": 22.0}
CHANGES = ("faster", "unchanged", "faster", "unchanged", "faster", "slower", "faster", "unchanged", "unchanged")
STYLES = ("open", "announced", "open", "refusing", "open", "local", "open", "announced")
MONTH_SEASON = (0.95, 0.75, 1.1, 1.05, 1.05, 1.0, 1.05, 1.05, 1.0, 1.0, 1.05, 1.1)
WEEKDAY_SEASON = (1.25, 1.1, 1.0, 0.95, 0.8, 0.5, 0.5)  # the last two: Saturdays worked in exchange

IN_PERSON, ONLINE, POST = 0, 1, 2
NEVER = np.iinfo(np.int64).max // 4  # later than any log
STATUSES = ["submitted", "received", "refused", "processing", "supplement_requested", "payment_requested",
            "withdrawn", "stopped", "finished", "returned"]  # fmt: skip
STAGES = ["Nộp hồ sơ", "Tiếp nhận", "Chuyển hồ sơ", "Thẩm định", "Yêu cầu bổ sung", "Đã bổ sung", "Lấy ý kiến",
          "Thông báo nghĩa vụ tài chính", "Đã nộp nghĩa vụ tài chính", "Trình ký", "Có kết quả", "Trả kết quả",
          "Kết thúc", "Xử lý lại"]  # fmt: skip
REASONS = ["incomplete", "not_competent", "Người nộp đề nghị rút", "Dừng theo quy định", "Không đủ điều kiện"]


def seconds(day: str) -> int:
    """The first local second of `day`, since 1970."""
    return int(np.datetime64(day, "s").astype(np.int64))


class WorkingCalendar:
    """Working days of 2023 to 2027 as one table; open seconds to wall-clock seconds and back."""

    def __init__(self) -> None:
        vietnam = holidays.country_holidays("VN", years=range(2023, 2028))
        swapped = {on: is_open == "yes" for _, on, is_open, _, _ in data.CALENDAR}
        days = [date(2023, 9, 1) + timedelta(n) for n in range(1_500)]
        worked = [d for d in days if swapped.get(d.isoformat(), vietnam.is_working_day(d))]
        self.days: Ints = np.array(worked, dtype="datetime64[D]")
        self._midnights: Ints = self.days.astype("datetime64[s]").astype(np.int64)

    def index(self, day: np.ndarray | str) -> Ints:
        """Position of `day`, or of the next working day if it is off."""
        return np.searchsorted(self.days, np.asarray(day, dtype="datetime64[D]"))

    def wall(self, w: Ints) -> Ints:
        """The instant of open second `w`; an opening rather than the closing before it."""
        second = w % OPEN_DAY
        return self._midnights[w // OPEN_DAY] + OPENING + second + LUNCH * (second >= NOON)

    def closing(self, day_index: Ints) -> Ints:
        return self._midnights[day_index] + CLOSING

    def after_hours(self, w: Ints, share: Ints) -> Ints:
        """An instant up to five hours after the closing before `w`, which is an opening: costs no open time."""
        return self.closing(w // OPEN_DAY - 1) + 1 + (share * 5 * 3_600).astype(np.int64)

    def due(self, w: Ints, amount: Ints, unit: Ints) -> tuple[Ints, Ints]:
        """(wall-clock second, open second) at which a limit ends that starts at open second `w`."""
        day = w // OPEN_DAY
        on = self.days[day]
        month = on.astype("datetime64[M]")
        then = month + np.where(unit == 3, amount, 0)
        in_months = np.minimum(then + (on - month), (then + 1).astype("datetime64[D]") - np.timedelta64(1, "D"))
        last = np.where(unit == 3, in_months, on + np.where(unit == 2, amount, 0))
        last_day = np.where(unit == 1, day + np.where(unit == 1, amount, 0), self.index(last))
        in_hours = w + amount * 3_600
        wall = np.where(unit == 0, self.wall(in_hours - 1) + 1, self.closing(last_day))
        return wall, np.where(unit == 0, in_hours, (last_day + 1) * OPEN_DAY)


@dataclass(frozen=True)
class Procedure:
    """What is true of one procedure; `limit` and `cut_limit` are (amount, unit)."""

    procedure_id: str
    logged_id: str  # the log may carry the full code where the registry has the national part
    template: data.Template
    case: int
    limit: tuple[int, str]
    cut_limit: tuple[int, str]
    cut_on: str
    ratio: float  # processing time of dossiers received from 2025-01-01, over that of earlier ones
    change: str
    style: str  # open, refusing, announced, local, online: how it meets boundaries
    is_known: bool = True

    def has(self, flag: str) -> bool:
        return flag in self.template.flags

    @property
    def is_announced(self) -> bool:
        return self.style in ("open", "refusing", "announced")

    @property
    def limit_cut(self) -> float:
        """Rulebook 7.1: the cut on paper, a fraction of the limit of 2024 in working days."""
        old, new = (amount * WORKING_DAYS_IN[unit] for amount, unit in (self.limit, self.cut_limit))
        return round(1 - new / old, 9)


def _cut(amount: int, unit: str, position: int) -> tuple[int, str]:
    """The limit after 2025's decision: halved for most, less for some, unchanged for one in ten."""
    if position % 10 == 4:
        return amount, unit
    if position % 25 == 7 and amount >= 4:
        return round(amount * 0.7), unit
    if amount == 1:
        return {"working_days": (4, "hours"), "months": (11, "working_days")}[unit]
    return amount // 2, unit


def _style(template: data.Template, position: int) -> str:
    if "o" in template.flags:
        return "online"
    return STYLES[position % len(STYLES)] if template.weight else "local"


def procedures(n: int, rng: np.random.Generator) -> list[Procedure]:
    """The `n` procedures on offer, then those that are in the log but in no registry row."""
    numbers = rng.choice(np.arange(100_000), size=n, replace=False)
    made = []
    for i in range(n):
        template, case = data.TEMPLATES[i % len(data.TEMPLATES)], i // len(data.TEMPLATES)
        code = f"{i % 2 + 1}.{numbers[i]:06d}"
        full = f"{code}.000.00.00.H24"
        amount = template.amount + (case % 4 if template.unit in ("working_days", "days") else 0)
        change = CHANGES[i % len(CHANGES)]
        span = {"faster": (0.45, 0.65), "unchanged": (1.0, 1.0), "slower": (1.1, 1.3)}[change]
        made.append(
            Procedure(
                procedure_id=full if i % 10 == 7 else code,
                logged_id=full if i % 10 in (3, 7) else code,
                template=template,
                case=case,
                limit=(amount, template.unit),
                cut_limit=_cut(amount, template.unit, i),
                cut_on=CUT_DAYS[i % len(CUT_DAYS)],
                ratio=round(float(rng.uniform(*span)), 2),
                change=change,
                style=_style(template, i),
            )
        )
    stranger = data.Template("", "", "commune", "", 3, "working_days", 0.6, "")
    for code in data.UNKNOWN_PROCEDURES:
        made.append(
            Procedure(code, code, stranger, 0, (3, "working_days"), (3, "working_days"), LOG_TO, 1.0, "unchanged",
                      "local", is_known=False)
        )  # fmt: skip
    return made


@dataclass(frozen=True)
class Places:
    """The 114 communes, wards and special zones, and the old units that each grew from."""

    codes: list[str]  # every unit code of the log; all numbers below are positions in it
    new: Ints  # by place
    ward: Ints  # old wards, grouped by place
    district: Ints  # of `ward`
    first: Ints  # by place: its first old ward
    n_wards: Ints
    departments: dict[str, int]
    centres: Ints  # the two sites
    second_site: Ints  # by place: whether its people go to the second site (old Hải Dương)


def facts(name: str) -> list[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def flat(groups: list[list[str]]) -> list[str]:
    return [member for group in groups for member in group]


def places() -> Places:
    """Read the facts of 1 July 2025."""
    units, successions = facts("haiphong_units.csv"), facts("haiphong_successions.csv")
    parent = {u["unit_id"]: u["parent_unit_id"] for u in units if u["valid_to"]}
    of_haiphong = {u["unit_id"] for u in units if u["kind"] == "district" and u["parent_unit_id"]}
    new = [u["unit_id"] for u in units if u["valid_from"] == REFORM]
    olds = [sorted(s["old_unit_id"] for s in successions if s["new_unit_id"] == code) for code in new]
    districts = [[old if parent[old] == data.CITY else parent[old] for old in group] for group in olds]
    outside = [of_haiphong.isdisjoint(group) for group in districts]
    centres = [centre for centre, *_ in data.CENTRES]
    codes = sorted({*new, *flat(olds), *flat(districts), *data.DEPARTMENTS, *centres})
    at = {code: n for n, code in enumerate(codes)}
    sizes = np.array([len(group) for group in olds])
    return Places(
        codes=codes,
        new=np.array([at[c] for c in new]),
        ward=np.array([at[c] for c in flat(olds)]),
        district=np.array([at[c] for c in flat(districts)]),
        first=np.cumsum(sizes) - sizes,
        n_wards=sizes,
        departments={c: at[c] for c in data.DEPARTMENTS},
        centres=np.array([at[c] for c in centres]),
        second_site=np.array(outside),
    )


def _cumulated(weights: np.ndarray) -> np.ndarray:
    shares = np.cumsum(weights) / weights.sum()
    shares[-1] = 1.0
    return shares


class World:
    """Everything that is fixed before the first dossier is drawn."""

    def __init__(self, dossiers: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 0])
        self.calendar = WorkingCalendar()
        self.places = places()
        self.procedures = procedures(int(np.clip(dossiers // 1_350, 60, 2_200)), rng)
        self.n_applicants = max(10, int(dossiers / 1.5))
        n, n_places = len(self.procedures), len(self.places.new)
        made = self.procedures
        weight = np.array([p.template.weight / (p.case + 1) ** 1.3 for p in made])
        drifted = weight * rng.lognormal(0, 0.15, n)  # the mix of 2025 is not that of 2024
        self.mix = [_cumulated(weight), _cumulated(drifted)]
        self.people = _cumulated(rng.lognormal(0, 0.5, n_places))
        self.departments = np.array([self.places.departments.get(p.template.department, -1) for p in made])
        self.limits = np.array([[p.limit[0], p.cut_limit[0]] for p in made])
        units = UNITS_OF_LIMIT.index
        self.limit_units = np.array([[units(p.limit[1]), units(p.cut_limit[1])] for p in made])
        self.cut_at = np.array([seconds(p.cut_on) for p in made])
        limit = np.array([p.limit[0] * WORKING_DAYS_IN[p.limit[1]] * OPEN_DAY for p in made])
        self.is_short = limit <= OPEN_DAY
        self.typical = limit * rng.uniform(0.35, 0.60, n)  # median open seconds of work in 2024
        self.spread = rng.uniform(0.30, 0.50, n)
        self.ratio = np.array([p.ratio for p in made])
        self.pace = rng.lognormal(0, 0.1, n_places)  # some communes are slower than others
        self.month_pace = rng.lognormal(0, 0.05, (n_places, 64))  # and have good and bad months
        self.online = np.clip(rng.normal(0.45, 0.15, n), 0.05, 0.85)
        self.online[self.flagged("o")] = 2.0
        self.consults = self.is_city & (rng.random(n) < 0.3)
        self.first_day, self.end_day = int(self.calendar.index(LOG_FROM)), int(self.calendar.index(LOG_TO))

    def flagged(self, flag: str) -> Ints:
        return np.array([p.has(flag) for p in self.procedures])

    def styled(self, style: str) -> Ints:
        return np.array([p.style == style for p in self.procedures])

    @property
    def is_city(self) -> Ints:
        return np.array([p.template.level == "city" for p in self.procedures])

    @property
    def is_known(self) -> Ints:
        return np.array([p.is_known for p in self.procedures])

    def receipts(self, dossiers: int, rng: np.random.Generator) -> Ints:
        """Open seconds of receipt, sorted: months, weekdays, mornings, and 6 % more work a year."""
        days = self.calendar.days[self.first_day : self.end_day]
        months = days.astype("datetime64[M]").astype(np.int64) % 12
        weekdays = (days.astype(np.int64) + 3) % 7
        growth = 1.06 ** (np.arange(len(days)) / 250)
        weight = np.array(MONTH_SEASON)[months] * np.array(WEEKDAY_SEASON)[weekdays] * growth
        day = np.searchsorted(_cumulated(weight), rng.random(dossiers), side="right")
        second = (rng.beta(1.2, 1.5, dossiers) * (OPEN_DAY - 1)).astype(np.int64)
        return np.sort((day + self.first_day) * OPEN_DAY + second)
