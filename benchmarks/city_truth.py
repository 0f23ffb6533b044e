"""Count what was planted while the city is drawn, chunk by chunk, and say it as one dictionary."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks import city_dossiers as drawn
from benchmarks.city_model import NEVER, ONLINE, OPEN_DAY, REASONS, STATUSES, Ints, World

MIN_MIX, MIN_CROSS, MIN_UNITS = 5, 5, 2  # rulebook 7a and 8


class Truth:
    """What an exact measurement must find as of the log's end; all sums are integers."""

    def __init__(self, world: World) -> None:
        n, n_units = len(world.procedures), len(world.places.codes)
        self.world = world
        self.counts: dict[str, Counter[str]] = {}
        self.n_dossiers = np.zeros(n, dtype=np.int64)
        self.done = np.zeros((2, 2, n), dtype=np.int64)  # (2024, 2025) x (n, working seconds)
        self.cross = {name: np.zeros(n, dtype=np.int64) for name in ("known", "all", "finished", "refused", "offline")}
        self.crossed_at = np.zeros((n, n_units), dtype=bool)

    def add(self, filed: drawn.Filing, run: drawn.Course, due: drawn.Promise, log: drawn.Events) -> None:
        """Count one chunk."""
        self.n_dossiers += self._per_procedure(filed)
        is_seen = {name: wall < drawn.END for name, wall in run.walls.items()}
        is_ended = np.where(is_seen["reopened"], is_seen["end_again"], is_seen["end"])
        end_w = np.where(is_seen["reopened"], run.steps["end_again"], run.steps["end"])
        outcome = np.select(
            [filed.is_unanswered, ~filed.is_received, ~is_ended], ["not_received", "refused", "pending"],
            np.array(STATUSES)[run.end_status],
        )  # fmt: skip
        asked = is_seen["supplement"].astype(np.int64) + is_seen["second"]
        self._count("outcomes", outcome)
        self._count("n_supplements", asked[filed.is_received])
        self._count("channels", np.array(["in_person", "online", "post"])[filed.channel])
        self._count("events", np.array(STATUSES)[log.status])
        self._count("on_time_766", self._on_time(run, due, is_ended, end_w, asked)[filed.is_received])
        self._appointments(filed, due, is_seen)
        self._singles(filed, is_seen, outcome)
        self._processing(filed, run, is_ended, end_w, outcome)
        self._boundaries(filed, outcome)

    def _per_procedure(self, filed: drawn.Filing, rows: Ints | None = None) -> Ints:
        chosen = filed.procedure if rows is None else filed.procedure[rows]
        return np.bincount(chosen, minlength=len(self.n_dossiers))

    def _count(self, what: str, values: Ints) -> None:
        found, n = np.unique(values, return_counts=True)
        self.counts.setdefault(what, Counter()).update(dict(zip(map(str, found), n.tolist(), strict=True)))

    def _pauses(self, run: drawn.Course, now: int) -> Ints:
        """Open seconds of supplement pauses, an unanswered one up to `now`."""
        total = np.zeros(len(run.end_status), dtype=np.int64)
        for asked, answered in (("supplement", "answer"), ("second", "second_answer")):
            total += np.minimum(run.steps[answered], now) - np.minimum(run.steps[asked], now)
        return total

    def _on_time(self, run: drawn.Course, due: drawn.Promise, is_ended: Ints, end_w: Ints, asked: Ints) -> Ints:
        now = self.world.end_day * OPEN_DAY
        until = np.where(is_ended, end_w, now)
        in_time = until - self._pauses(run, now) <= due.judged_w
        return np.select([asked >= 2, due.judged_w == drawn.NOTHING, in_time], ["false", "empty", "true"], "false")

    def _appointments(self, filed: drawn.Filing, due: drawn.Promise, is_seen: dict[str, Ints]) -> None:
        stated = np.select([due.first == drawn.NOTHING, due.is_bare], ["unstated", "bare_day"], "instant")
        self._count("first_due", stated[filed.is_received])
        moves = is_seen["answer"] & (due.on_answer != drawn.NOTHING)
        moves = moves.astype(np.int64) + (is_seen["signing"] & (due.on_signing != drawn.NOTHING))
        self._count("n_due_moves", moves[filed.is_received])

    def _singles(self, filed: drawn.Filing, is_seen: dict[str, Ints], outcome: Ints) -> None:
        refused = filed.refused_for != drawn.NOTHING
        for name, rows in {
            "reopened": is_seen["reopened"],
            "refused_at_reception": refused,
            "refused_elsewhere": filed.refused_for == REASONS.index("not_competent"),
            "waiting_for_supplement": is_seen["supplement"] & ~is_seen["answer"] & (outcome == "pending"),
            "finished_not_returned": (outcome == "finished") & ~is_seen["returned"],
            "bare_day_receipts": filed.is_bare,
            "crossing": filed.is_crossing & ~filed.is_unanswered,
        }.items():
            self.counts.setdefault("dossiers_that_are", Counter())[name] += int(rows.sum())

    def _processing(self, filed: drawn.Filing, run: drawn.Course, is_ended: Ints, end_w: Ints, outcome: Ints) -> None:
        """Sum working time under each procedure's policies, by the year of the end."""
        world, steps = self.world, run.steps
        paid = np.where(steps["paid"] < NEVER, steps["paid"] - steps["payment"], 0)
        start = drawn.start_w(world, filed)
        resumed = np.where(steps["second_answer"] < NEVER, steps["second_answer"], steps["answer"])
        restarts = world.flagged("r")[filed.procedure] & (resumed < NEVER)
        paused = np.where(restarts, 0, self._pauses(run, NEVER)) + paid
        working = np.maximum(0, end_w - np.where(restarts, resumed, start) - paused)
        is_done = is_ended & np.isin(outcome, ["finished", "returned"])
        ended_at = np.where(run.walls["end_again"] < drawn.END, run.walls["end_again"], run.walls["end"])
        for year in (0, 1):
            rows = is_done & ((ended_at >= drawn.NEW_YEAR) == year) & (ended_at >= drawn.BASELINE)
            self.done[year, 0] += self._per_procedure(filed, rows)
            np.add.at(self.done[year, 1], filed.procedure[rows], working[rows])

    def _boundaries(self, filed: drawn.Filing, outcome: Ints) -> None:
        recent = (filed.received_at >= drawn.NEW_YEAR) & ~filed.is_unanswered
        is_online = filed.channel == ONLINE
        is_city = self.world.is_city[filed.procedure]
        known = is_online | filed.is_crossing | is_city | (filed.applicant_unit != drawn.NOTHING)
        finished = filed.is_crossing & np.isin(outcome, ["finished", "returned"])
        refused = filed.refused_for == REASONS.index("not_competent")
        for name, rows in {"known": known, "all": filed.is_crossing, "finished": finished, "refused": refused,
                           "offline": ~is_online}.items():  # fmt: skip
            self.cross[name] += self._per_procedure(filed, rows & recent)
        rows = finished & recent
        self.crossed_at[filed.procedure[rows], filed.receiving[rows]] = True

    def boundary(self, p: int) -> str:
        """Rulebook 8: the first verdict that holds."""
        cross = {name: int(count[p]) for name, count in self.cross.items()}
        if cross["refused"]:
            return "refused_elsewhere"
        if cross["finished"] >= MIN_CROSS and self.crossed_at[p].sum() >= MIN_UNITS:
            return "proven"
        if self.world.procedures[p].is_announced:
            return "announced_only"
        if cross["known"] and not cross["offline"]:
            return "online_only"
        return "local_only" if cross["known"] else "no_data"

    def _procedure(self, p: int) -> dict[str, object]:
        made = self.world.procedures[p]
        (n_2024, seconds_2024), (n_2025, seconds_2025) = self.done[:, :, p].tolist()
        return {
            "logged_as": made.logged_id,
            "change": made.change,
            "ratio": made.ratio,
            "limit_2024": list(made.limit),
            "limit_2025": list(made.cut_limit),
            "limit_cut": made.limit_cut,
            "cut_on": made.cut_on if made.limit_cut else None,
            "boundary": self.boundary(p),
            "is_announced": made.is_announced,
            "n_dossiers": int(self.n_dossiers[p]),
            "n_cross_finished": int(self.cross["finished"][p]),
            "n_receiving_units": int(self.crossed_at[p].sum()),
            "n_refused_elsewhere": int(self.cross["refused"][p]),
            "done_2024": {"n": n_2024, "working_seconds": seconds_2024},
            "done_2025": {"n": n_2025, "working_seconds": seconds_2025},
        }

    def _actual_cut(self) -> dict[str, object]:
        """Rulebook 7a without the cap: the cut at the mix of 2024, over procedures with enough on both sides."""
        (n0, s0), (n1, s1) = self.done
        covered = (n0 >= MIN_MIX) & (n1 >= MIN_MIX)
        base, now = s0[covered].sum(), (n0[covered] * (s1[covered] / n1[covered])).sum()
        return {
            "reduction_uncapped": round(float(1 - now / base), 6) if base else None,
            "n_procedures": int(covered.sum()),
            "coverage_of_2024": round(float(n0[covered].sum() / max(1, n0.sum())), 6),
        }

    def planted(self) -> dict[str, object]:
        """All of it, in the order in which `planted.json` shows it."""
        known = [p for p, made in enumerate(self.world.procedures) if made.is_known]
        strangers = [p for p, made in enumerate(self.world.procedures) if not made.is_known]
        by_id = {self.world.procedures[p].procedure_id: self._procedure(p) for p in known}
        cuts = [entry["limit_cut"] for entry in by_id.values()]
        verdicts = Counter(str(entry["boundary"]) for entry in by_id.values())
        return {
            **{what: dict(sorted(count.items())) for what, count in self.counts.items()},
            "unknown_procedures": {self.world.procedures[p].procedure_id: int(self.n_dossiers[p]) for p in strangers},
            "limit_cut_mean": round(sum(cuts) / len(cuts), 9),
            "actual_cut": self._actual_cut(),
            "boundaries": dict(sorted(verdicts.items())),
            "procedures": by_id,
        }
