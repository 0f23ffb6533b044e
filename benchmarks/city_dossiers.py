"""Draw one chunk of dossiers of the made-up city, and its events.

A dossier is drawn in three steps, each a frozen table with one array a column: how it was filed, what became of
it, and what it was promised. `events` lays these out as one row a step and cuts what lies after the log's end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import city_model as model
from benchmarks.city_model import NEVER, ONLINE, OPEN_DAY, POST, Ints, World

BASELINE, NEW_YEAR, REFORM, END = (
    model.seconds(d) for d in ("2024-01-01", model.NEW_YEAR_2025, model.REFORM, model.LOG_TO)
)
STATUS = {name: n for n, name in enumerate(model.STATUSES)}
STAGE = {name: n for n, name in enumerate(model.STAGES)}
REASON = {name: n for n, name in enumerate(model.REASONS)}
REASON_OF_END = {"withdrawn": model.REASONS[2], "stopped": model.REASONS[3], "refused": model.REASONS[4]}
NOTHING = -1  # an empty cell
FIFTEEN_HUNDRED = 21_600  # in open seconds of the day

SHARE_UNANSWERED, SHARE_REFUSED, SHARE_CROSSING = 0.003, 0.015, 0.35
SHARE_SUPPLEMENT, SHARE_SECOND_SUPPLEMENT, SHARE_ABANDONED = 0.08, 0.12, 0.05
SHARE_WITHDRAWN, SHARE_STOPPED, SHARE_REFUSED_LATER = 0.015, 0.010, 0.007
SHARE_OWING, SHARE_RETURNED, SHARE_ONLY_RETURNED, SHARE_REOPENED = 0.8, 0.88, 0.09, 0.006
SHARE_EVENING_ANSWER, SHARE_HANDED_OUT = 0.3, 0.04  # out of hours, also on Saturdays
SHARE_OVERTIME, SHARE_BARE_DAY, SHARE_APPLICANT_UNKNOWN = 0.03, 0.015, 0.02
SHARE_DUE_UNSTATED, SHARE_DUE_BARE, SHARE_DUE_MOVED, SHARE_DUE_GENEROUS = 0.03, 0.06, 0.015, 0.01
# where in the work a step happens
TRANSFER, APPRAISAL, SUPPLEMENT, SECOND, CONSULT, PAYMENT, SIGNING = 0.05, 0.15, 0.35, 0.55, 0.65, 0.75, 0.9


def up(w: Ints) -> Ints:
    """The next opening at or after open second `w`."""
    return -(-w // OPEN_DAY) * OPEN_DAY


@dataclass(frozen=True)
class Filing:
    """How each dossier was filed; units are positions in `Places.codes`."""

    procedure: Ints
    place: Ints  # where the applicant lives
    channel: Ints
    received_w: Ints
    received_at: Ints  # of the refusal, where refused at reception
    submitted_at: Ints  # NEVER unless online
    is_unanswered: Ints  # filed online, never received
    refused_for: Ints  # reason of a refusal at reception, else NOTHING
    is_bare: Ints  # logged by day only
    is_crossing: Ints  # received across a boundary
    receiving: Ints
    resolving: Ints  # on the day of receipt
    resolving_later: Ints  # since 1 July 2025
    returning_later: Ints
    applicant_unit: Ints  # NOTHING where not stated
    pace: Ints  # of the resolving unit in that month

    @property
    def is_received(self) -> Ints:
        return ~self.is_unanswered & (self.refused_for == NOTHING)


def filing(world: World, received_w: Ints, rng: np.random.Generator) -> Filing:
    """Who files what where: boundaries are crossed since 1 July 2025, in person and by post."""
    n, calendar = len(received_w), world.calendar
    received_at = calendar.wall(received_w)
    is_2025, is_reformed = received_at >= NEW_YEAR, received_at >= REFORM
    procedure = np.where(is_2025, *(np.searchsorted(mix, rng.random(n), side="right") for mix in world.mix[::-1]))
    place = np.searchsorted(world.people, rng.random(n), side="right")
    is_online = rng.random(n) < world.online[procedure] + 0.15 * is_2025
    channel = np.where(is_online, ONLINE, np.where(rng.random(n) < 0.06, POST, model.IN_PERSON))
    refusing, opened = world.styled("refusing")[procedure], world.styled("open")[procedure]
    may_cross = is_reformed & ~is_online & (refusing | opened)
    is_crossing = may_cross & (rng.random(n) < SHARE_CROSSING)
    is_incompetent = is_crossing & refusing & (rng.random(n) < 0.5)
    is_refused = ~is_incompetent & (rng.random(n) < SHARE_REFUSED)
    is_last_days = received_w >= (world.end_day - 2) * OPEN_DAY
    is_unanswered = is_online & (rng.random(n) < np.where(is_last_days, 0.3, SHARE_UNANSWERED))
    refused_for = np.select([is_incompetent, is_refused], [REASON["not_competent"], REASON["incomplete"]], NOTHING)
    is_bare = (channel == model.IN_PERSON) & (refused_for == NOTHING) & (rng.random(n) < SHARE_BARE_DAY)
    received_w = np.where(is_bare, received_w // OPEN_DAY * OPEN_DAY, received_w)
    units = _units(world, procedure, place, is_crossing, is_reformed, rng)
    is_unknown = ~is_crossing & (rng.random(n) < SHARE_APPLICANT_UNKNOWN)
    month = ((received_at - model.seconds(model.LOG_FROM)) // (31 * 86_400)).astype(np.int64)
    return Filing(
        procedure=procedure,
        place=place,
        channel=channel,
        received_w=received_w,
        received_at=calendar.wall(received_w),
        submitted_at=np.where(is_online, _submitted(world, received_w, rng), NEVER),
        is_unanswered=is_unanswered,
        refused_for=np.where(is_unanswered, NOTHING, refused_for),
        is_bare=is_bare,
        is_crossing=is_crossing,
        receiving=units["receiving"],
        resolving=np.where(is_reformed, units["resolving_later"], units["resolving"]),
        resolving_later=units["resolving_later"],
        returning_later=units["returning_later"],
        applicant_unit=np.where(is_unknown, NOTHING, units["applicant"]),
        pace=world.pace[place] * world.month_pace[place, month],
    )


def _units(
    world: World, procedure: Ints, place: Ints, is_crossing: Ints, is_reformed: Ints, rng: np.random.Generator
) -> dict[str, Ints]:
    """The unit roles: a place's old codes before 1 July 2025, its new one since; departments keep theirs."""
    n, where = len(place), world.places
    old = where.first[place] + (rng.random(n) * where.n_wards[place]).astype(np.int64)
    home, ward = where.new[place], where.ward[old]
    elsewhere = where.new[(place + 1 + (rng.random(n) * (len(where.new) - 1)).astype(np.int64)) % len(where.new)]
    is_city, department = world.is_city[procedure], world.departments[procedure]
    centre = np.where(where.second_site[place] & is_reformed, where.centres[1], where.centres[0])
    old_desk = np.where(world.flagged("d")[procedure], where.district[old], ward)
    # four in five file at another commune for their own; the others are also resolved there
    is_resolved_there = is_crossing & ~is_city & (rng.random(n) < 0.2)
    desk = np.where(is_city, np.where(is_crossing, home, centre), np.where(is_crossing, elsewhere, home))
    resolving_later = np.where(is_city, department, np.where(is_resolved_there, elsewhere, home))
    return {
        "receiving": np.where(is_reformed, desk, np.where(is_city, centre, old_desk)),
        "resolving": np.where(is_city, department, old_desk),
        "resolving_later": resolving_later,
        "returning_later": np.where(is_city & ~is_reformed, centre, desk),
        "applicant": np.where(is_reformed, home, ward),
    }


def _submitted(world: World, received_w: Ints, rng: np.random.Generator) -> Ints:
    """When an online dossier was filed: an hour or two before receipt, a third of them after hours."""
    n = len(received_w)
    filed_w = received_w - np.clip(rng.lognormal(8.3, 1.0, n), 60, 5 * OPEN_DAY).astype(np.int64)
    evening_w = filed_w // OPEN_DAY * OPEN_DAY
    is_evening = rng.random(n) < 0.35
    evening = world.calendar.after_hours(evening_w, rng.random(n))
    return np.where(is_evening, evening, world.calendar.wall(filed_w))


@dataclass(frozen=True)
class Plan:
    """What will happen to each dossier, before it is placed in time."""

    work: Ints  # open seconds, without pauses
    end_status: Ints
    end_share: Ints  # of the work, done by the end
    is_short: Ints  # a procedure of a day or less: few steps
    is_asked: Ints  # for a supplement
    is_asked_again: Ints
    is_abandoned: Ints  # never answers
    owes: Ints  # a payment
    is_reopened: Ints
    is_collected: Ints

    @property
    def completes(self) -> Ints:
        return self.end_status == STATUS["finished"]


def plan(world: World, filed: Filing, rng: np.random.Generator) -> Plan:
    """Work is lognormal per procedure, faster or slower for what was received in 2025."""
    n, procedure = len(filed.place), filed.procedure
    ratio = np.where(filed.received_at >= NEW_YEAR, world.ratio[procedure], 1.0)
    luck = np.exp(world.spread[procedure] * rng.standard_normal(n))
    end_status, end_share = _ends(n, rng)
    completes, is_short = end_status == STATUS["finished"], world.is_short[procedure]

    def happens(chance: float, among: Ints, share: float = 0.0) -> Ints:
        return among & (share < end_share) & (rng.random(n) < chance)

    is_asked = happens(SHARE_SUPPLEMENT, ~is_short, SUPPLEMENT)
    is_abandoned = happens(SHARE_ABANDONED, is_asked)
    return Plan(
        work=np.maximum(600, world.typical[procedure] * ratio * filed.pace * luck).astype(np.int64),
        end_status=end_status,
        end_share=end_share,
        is_short=is_short,
        is_asked=is_asked,
        is_asked_again=happens(SHARE_SECOND_SUPPLEMENT, is_asked & ~is_abandoned, SECOND),
        is_abandoned=is_abandoned,
        owes=happens(SHARE_OWING, world.flagged("p")[procedure] & ~is_abandoned, PAYMENT),
        is_reopened=happens(SHARE_REOPENED, completes & ~is_short & ~filed.is_bare & ~is_abandoned),
        is_collected=happens(SHARE_RETURNED, completes),
    )


def _ends(n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """How each dossier will end, and the share of its work done by then."""
    shares = np.cumsum([SHARE_WITHDRAWN, SHARE_STOPPED, SHARE_REFUSED_LATER])
    kind = np.searchsorted(shares, rng.random(n), side="right")
    ends = np.array([STATUS[s] for s in ("withdrawn", "stopped", "refused", "finished")])
    return ends[kind], np.where(kind == 3, 1.0, rng.uniform(0.2, 0.95, n))


@dataclass(frozen=True)
class Course:
    """What became of each received dossier: open seconds of its steps, NEVER for what does not happen."""

    steps: dict[str, Ints]
    walls: dict[str, Ints]  # the same steps as wall-clock seconds
    end_status: Ints


def course(world: World, filed: Filing, rng: np.random.Generator) -> Course:
    """Place the steps of each dossier in time: work, with the pauses on top."""
    n, planned = len(filed.place), plan(world, filed, rng)
    completes, is_evening = planned.completes, rng.random(n) < SHARE_EVENING_ANSWER
    is_overtime = completes & ~planned.is_short & ~filed.is_bare & (rng.random(n) < SHARE_OVERTIME)
    is_by_day = completes & filed.is_bare
    is_handed_out = rng.random(n) < SHARE_HANDED_OUT

    def some(days: float, least: float = 600) -> Ints:
        return (rng.random(n) * days * OPEN_DAY + least).astype(np.int64)

    chosen = _worked_steps(world, filed, planned, is_evening, rng)
    end = np.where(is_overtime | is_by_day, up(chosen["end"][0]), chosen["end"][0])
    reopened = end + some(5)
    end_again = reopened + some(2)
    waited = np.clip(rng.lognormal(9.2, 1.2, n), 60, 30 * OPEN_DAY).astype(np.int64)
    collected = np.where(planned.is_reopened, end_again, end) + waited
    chosen |= {
        "end": (end, ~planned.is_abandoned),
        "reopened": (reopened, planned.is_reopened),
        "end_again": (end_again, planned.is_reopened),
        "returned": (
            np.where(is_handed_out, up(collected), collected),
            planned.is_collected & ~planned.is_abandoned,
        ),
    }
    steps = {name: np.where(has & filed.is_received, w, NEVER) for name, (w, has) in chosen.items()}
    after_hours = {"answer": is_evening, "end": is_overtime, "returned": is_handed_out}
    walls = {name: _wall(world, w, after_hours.get(name), rng) for name, w in steps.items()}
    # a bare day means closing time: one second after the last open one
    closing = _wall(world, np.where(steps["end"] < NEVER, steps["end"] - 1, NEVER), None, rng) + 1
    walls["end"] = np.where(is_by_day & (steps["end"] < NEVER), closing, walls["end"])
    is_unsigned = completes & ~planned.is_reopened & ~planned.is_collected & ~filed.is_bare
    is_only_returned = is_unsigned & (rng.random(n) < SHARE_ONLY_RETURNED)
    end_status = np.where(is_only_returned, STATUS["returned"], planned.end_status)
    return Course(steps, walls, end_status)


def _worked_steps(
    world: World, filed: Filing, planned: Plan, is_evening: Ints, rng: np.random.Generator
) -> dict[str, tuple[Ints, Ints]]:
    """(open second, whether it happens) of each step up to the first end."""
    n, share, goes_on = len(filed.place), planned.end_share, ~planned.is_abandoned

    def at(done: float | Ints) -> Ints:
        return filed.received_w + (planned.work * done).astype(np.int64)

    p1, p2, p3 = (np.clip(rng.lognormal(11.3, 0.9, n), 1_800, 60 * OPEN_DAY).astype(np.int64) for _ in range(3))
    answer = at(SUPPLEMENT) + p1  # in the evening it counts from the next opening
    p1 = (np.where(is_evening, up(answer), answer) - at(SUPPLEMENT)) * planned.is_asked
    p2, p3 = p2 * planned.is_asked_again, p3 * planned.owes
    consults = world.consults[filed.procedure]
    return {
        "transfer": (at(TRANSFER), ~planned.is_short & (share > TRANSFER)),
        "appraisal": (at(APPRAISAL), share > APPRAISAL),
        "supplement": (at(SUPPLEMENT), planned.is_asked),
        "answer": (at(SUPPLEMENT) + p1, planned.is_asked & goes_on),
        "second": (at(SECOND) + p1, planned.is_asked_again),
        "second_answer": (at(SECOND) + p1 + p2, planned.is_asked_again),
        "consult": (at(CONSULT) + p1 + p2, consults & goes_on & (share > CONSULT)),
        "payment": (at(PAYMENT) + p1 + p2, planned.owes),
        "paid": (at(PAYMENT) + p1 + p2 + p3, planned.owes),
        "signing": (at(SIGNING) + p1 + p2 + p3, goes_on & ~planned.is_short & (share > SIGNING)),
        "end": (at(share) + p1 + p2 + p3, goes_on),
    }


def _wall(world: World, w: Ints, is_after_hours: Ints | None, rng: np.random.Generator) -> Ints:
    happens = w < (world.end_day + 5) * OPEN_DAY  # later ones are cut anyway
    safe = np.where(happens, w, world.first_day * OPEN_DAY)
    wall = world.calendar.wall(safe)
    if is_after_hours is not None:
        late = world.calendar.after_hours(safe, rng.random(len(w)) * 0.5)
        wall = np.where(is_after_hours, late, wall)
    return np.where(happens, wall, NEVER)


def start_w(world: World, filed: Filing) -> Ints:
    """Where the clock starts: at receipt, or tomorrow for what comes after 15:00 under that policy."""
    is_late = world.flagged("l")[filed.procedure] & (filed.received_w % OPEN_DAY > FIFTEEN_HUNDRED)
    return np.where(is_late, (filed.received_w // OPEN_DAY + 1) * OPEN_DAY, filed.received_w)


@dataclass(frozen=True)
class Promise:
    """The appointments of each dossier: wall-clock seconds, NOTHING where none is stated."""

    first: Ints
    is_bare: Ints  # the first one is stated as a day
    on_answer: Ints  # moved by the pause when the supplement came in
    on_signing: Ints  # moved without a cause in the log
    judged_w: Ints  # open second of the first, else of what the limit says; NOTHING for unknown procedures


def promise(world: World, filed: Filing, run: Course, rng: np.random.Generator) -> Promise:
    """State the appointment that the limit in force on the day of receipt asks for, mostly."""
    n, procedure, calendar = len(filed.place), filed.procedure, world.calendar
    version = (filed.received_at >= world.cut_at[procedure]).astype(np.int64)
    amount, unit = world.limits[procedure, version], world.limit_units[procedure, version]
    wall, judged_w = calendar.due(start_w(world, filed), amount, unit)
    is_known, is_hours = world.is_known[procedure], unit == 0
    is_generous = is_known & ~is_hours & (rng.random(n) < SHARE_DUE_GENEROUS)
    is_stated = is_known & (rng.random(n) >= SHARE_DUE_UNSTATED)
    day = calendar.index(wall.astype("datetime64[s]")) + 4 * is_generous
    moves = is_stated & ~is_hours
    pause = np.where(run.steps["answer"] < NEVER, run.steps["answer"] - run.steps["supplement"], 0)
    shift = -(-pause // OPEN_DAY)
    answered = moves & (shift > 0) & (rng.random(n) < 0.6)
    extended = moves & (run.steps["signing"] < NEVER) & (rng.random(n) < SHARE_DUE_MOVED)
    later = day + shift * answered
    return Promise(
        first=np.where(is_stated, np.where(is_hours, wall, calendar.closing(day)), NOTHING),
        is_bare=moves & (rng.random(n) < SHARE_DUE_BARE),
        on_answer=np.where(answered, calendar.closing(later), NOTHING),
        on_signing=np.where(extended, calendar.closing(later + 3), NOTHING),
        judged_w=np.where(is_known, np.where(is_generous & is_stated, (day + 1) * OPEN_DAY, judged_w), NOTHING),
    )


@dataclass(frozen=True)
class Events:
    """One row a step, in the order of the log; `dossier` is a position in the chunk."""

    dossier: Ints
    status: Ints
    at: Ints
    unit: Ints
    stage: Ints
    due: Ints
    is_due_bare: Ints
    is_at_bare: Ints
    reason: Ints

    def only(self, rows: Ints) -> Events:
        return Events(**{name: column[rows] for name, column in vars(self).items()})


class _Layout:
    """Collects one block of rows for each kind of step; what lies after the log's end is cut."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.blocks: list[list[Ints]] = []

    def _filled(self, value: Ints | int | bool) -> Ints:
        return value if isinstance(value, np.ndarray) else np.full(self.n, value)

    def add(
        self,
        at: Ints,
        status: str | Ints,
        stage: str | Ints,
        unit: Ints,
        *,
        due: Ints | int = NOTHING,
        is_due_bare: Ints | bool = False,
        is_at_bare: Ints | bool = False,
        reason: Ints | int = NOTHING,
    ) -> None:
        statuses = STATUS[status] if isinstance(status, str) else status
        stages = STAGE[stage] if isinstance(stage, str) else stage
        cells = (np.arange(self.n), statuses, at, unit, stages, due, is_due_bare, is_at_bare, reason)
        self.blocks.append([self._filled(cell)[at < END] for cell in cells])

    def events(self) -> Events:
        whole = Events(*(np.concatenate(columns) for columns in zip(*self.blocks, strict=True)))
        return whole.only(np.argsort(whole.at, kind="stable"))


WORK = [  # step, status, stage, who holds the dossier
    ("transfer", "processing", "Chuyển hồ sơ", "desk"),
    ("appraisal", "processing", "Thẩm định", "resolver"),
    ("supplement", "supplement_requested", "Yêu cầu bổ sung", "resolver"),
    ("answer", "processing", "Đã bổ sung", "resolver"),
    ("second", "supplement_requested", "Yêu cầu bổ sung", "resolver"),
    ("second_answer", "processing", "Đã bổ sung", "resolver"),
    ("consult", "processing", "Lấy ý kiến", "adviser"),
    ("payment", "payment_requested", "Thông báo nghĩa vụ tài chính", "resolver"),
    ("paid", "processing", "Đã nộp nghĩa vụ tài chính", "resolver"),
    ("signing", "processing", "Trình ký", "resolver"),
]


def events(world: World, filed: Filing, run: Course, due: Promise) -> Events:
    """Every step before the log's end, ordered by instant."""
    layout, walls = _Layout(len(filed.place)), run.walls
    departments = np.array(list(world.places.departments.values()))

    def holder(role: str, at: Ints) -> Ints:
        if role == "adviser":  # another agency, asked for its opinion
            return departments[filed.procedure % len(departments)]
        early, later = {
            "desk": (filed.receiving, filed.returning_later),
            "resolver": (filed.resolving, filed.resolving_later),
        }[role]
        return np.where(at >= REFORM, later, early)

    refused_at = np.where(filed.refused_for != NOTHING, filed.received_at, NEVER)
    received_at = np.where(filed.is_received, filed.received_at, NEVER)
    layout.add(filed.submitted_at, "submitted", "Nộp hồ sơ", filed.receiving)
    layout.add(refused_at, "refused", "Tiếp nhận", filed.receiving, reason=filed.refused_for)
    stated = {"due": due.first, "is_due_bare": due.is_bare, "is_at_bare": filed.is_bare}
    layout.add(received_at, "received", "Tiếp nhận", filed.receiving, **stated)
    moved = {"answer": due.on_answer, "signing": due.on_signing}
    for step, status, stage, role in WORK:
        layout.add(walls[step], status, stage, holder(role, walls[step]), due=moved.get(step, NOTHING))
    _add_ends(layout, filed, run, holder)
    return layout.events()


def _add_ends(layout: _Layout, filed: Filing, run: Course, holder: Callable[[str, Ints], Ints]) -> None:
    walls, status = run.walls, run.end_status
    is_finished, is_returned = status == STATUS["finished"], status == STATUS["returned"]
    stage = np.select([is_finished, is_returned], [STAGE["Có kết quả"], STAGE["Trả kết quả"]], STAGE["Kết thúc"])
    reason = np.full(layout.n, NOTHING)
    for ended, why in REASON_OF_END.items():
        reason[status == STATUS[ended]] = REASON[why]
    unit = np.where(is_returned, holder("desk", walls["end"]), holder("resolver", walls["end"]))
    layout.add(walls["end"], status, stage, unit, is_at_bare=filed.is_bare & is_finished, reason=reason)
    layout.add(walls["reopened"], "processing", "Xử lý lại", holder("resolver", walls["reopened"]))
    layout.add(walls["end_again"], "finished", "Có kết quả", holder("resolver", walls["end_again"]))
    layout.add(walls["returned"], "returned", "Trả kết quả", holder("desk", walls["returned"]))
