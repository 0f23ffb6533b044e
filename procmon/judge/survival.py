"""Times until an end, some not ended yet: Kaplan–Meier, Aalen–Johansen, restricted means (rulebook 7d).

Everything is done for many groups of dossiers at once, over flat arrays: first one element for each dossier (or for
several alike), then one for each group and distinct time, a *step*. Times are whole seconds from 0; groups are numbered
from 0 without a gap. Within a group floats are accumulated in the order of time, so that neither the order of rows nor
the other groups move a digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)

NEVER = -1
"""The time of what does not happen."""
CLOSE = 1e-9
"""How near to ½ a curve of floats is looked at again in whole numbers; its own error is a thousandth of that."""


@dataclass(frozen=True)
class Steps:
    """The distinct times of each group in order; group g has the steps `starts[g]` up to `starts[g + 1]`."""

    starts: Ints
    time: Ints
    results: Ints
    """Dossiers that ended with a result just then."""
    others: Ints
    """Dossiers that ended without one."""
    pending: Ints
    """Dossiers last seen then, not ended: at one time ends come first."""
    at_risk: Ints
    """Dossiers whose time is this one or longer."""

    @property
    def ends(self) -> Ints:
        """Dossiers that ended, however."""
        return self.results + self.others

    @property
    def n(self) -> Ints:
        """By group: its dossiers."""
        return self.at_risk[self.starts[:-1]]

    def of_groups(self, by_group: NDArray[Number]) -> NDArray[Number]:
        """A value of each group, repeated for its steps."""
        return np.repeat(by_group, np.diff(self.starts))

    def last_where(self, holds: NDArray[np.bool_]) -> Ints:
        """By group: the last step of which `holds`, which once false stays false; NEVER where it is at once."""
        n = np.add.reduceat(holds.astype(np.int64), self.starts[:-1])
        return np.where(n > 0, self.starts[:-1] + n - 1, NEVER)

    def longest(self, least: int) -> Ints:
        """By group: the longest time with `least` dossiers still at risk, else NEVER."""
        last = self.last_where(self.at_risk >= least)
        return np.where(last == NEVER, NEVER, self.time[last])

    def before(self, values: Floats, first: float) -> Floats:
        """The value of the step before within the group; `first` for a group's first step."""
        shifted = np.empty_like(values)
        shifted[1:] = values[:-1]
        shifted[self.starts[:-1]] = first
        return shifted


def steps(group: Ints, time: Ints, results: Ints, others: Ints, pending: Ints) -> tuple[Steps, Ints]:
    """The steps of rows that say group, time and how many dossiers; and for each row the number of its step."""
    key = group * (int(time.max()) + 1) + time
    order = np.argsort(key)
    in_order = key[order]
    is_new = np.concatenate([[True], in_order[1:] != in_order[:-1]])
    first_rows = np.flatnonzero(is_new)
    step_of_row = np.empty_like(order)
    step_of_row[order] = np.cumsum(is_new) - 1
    ended, left, open_ = (np.add.reduceat(count[order], first_rows) for count in (results, others, pending))
    of_step = group[order[first_rows]]
    starts = np.concatenate([np.flatnonzero(np.diff(of_step, prepend=-1)), [len(of_step)]])
    here = ended + left + open_
    gone = np.cumsum(here) - here  # over all groups: whole numbers lose nothing
    n = np.add.reduceat(here, starts[:-1])
    at_risk = np.repeat(n + gone[starts[:-1]], np.diff(starts)) - gone
    return Steps(starts, time[order[first_rows]], ended, left, open_, at_risk), step_of_row


def accumulate(operation: np.ufunc, values: Floats, starts: Ints) -> Floats:
    """Running product or sum within each group, from its first step on, one after the other.

    Groups of like length are laid side by side as the rows of one block: numpy accumulates along a row in order, and
    what fills a short row up comes after its end.
    """
    lengths = np.diff(starts)
    size = np.frexp(lengths - 1)[1]  # lengths of 2^(size - 1) + 1 to 2^size
    size_of_value = np.repeat(size.astype(np.int8), lengths)
    found = np.empty_like(values)
    for kind in np.unique(size):
        chosen = np.flatnonzero(size_of_value == kind)
        of_kind = lengths[size == kind]
        inside = np.arange(of_kind.max()) < of_kind[:, np.newaxis]
        block = np.full(inside.shape, float(operation.identity))
        block[inside] = values[chosen]
        found[chosen] = operation.accumulate(block, axis=1)[inside]
    return found


def survival(at: Steps, ends: Ints) -> Floats:
    """S by Kaplan and Meier at each step, where `ends` end and all others that leave are censored."""
    return accumulate(np.multiply, (at.at_risk - ends) / at.at_risk, at.starts)


def share_ended(at: Steps, still_open: Floats, ends: Ints) -> Floats:
    """F by Aalen and Johansen at each step: the share that has ended like `ends`; `still_open` is S over all ends."""
    return accumulate(np.add, at.before(still_open, 1.0) * ends / at.at_risk, at.starts)


def median_time(at: Steps, still_open: Floats, ends: Ints) -> Ints:
    """By group: the smallest time with S <= 1/2, else NEVER; S is `survival(at, ends)`."""

    def has_fallen(steps_of: slice) -> bool:
        open_, _, out_of = _exactly(at.at_risk[steps_of], ends[steps_of], ends[steps_of])
        return 2 * open_ <= out_of

    return _first_time(at, still_open - 0.5, has_fallen)


def half_time(at: Steps, share: Floats) -> Ints:
    """By group: the smallest time by which half had a result, else NEVER; `share` is F of the results."""

    ends = at.ends

    def has_risen(steps_of: slice) -> bool:
        _, got, out_of = _exactly(at.at_risk[steps_of], ends[steps_of], at.results[steps_of])
        return 2 * got >= out_of

    return _first_time(at, 0.5 - share, has_risen)


def _first_time(at: Steps, left: Floats, is_there: Callable[[slice], bool]) -> Ints:
    """By group: the first time at which what is `left` is used up; exactly told where floats cannot tell."""
    n = len(left)
    first = np.minimum.reduceat(np.where(left <= CLOSE, np.arange(n), n), at.starts[:-1])
    found = np.where(first < n, at.time[np.minimum(first, n - 1)], NEVER)
    for group in np.flatnonzero((first < n) & (left[np.minimum(first, n - 1)] > -CLOSE)):
        start, stop = int(at.starts[group]), int(at.starts[group + 1])
        step = int(first[group])
        while step < stop and left[step] > -CLOSE and not is_there(slice(start, step + 1)):
            step += 1
        found[group] = at.time[step] if step < stop else NEVER
    return found


def _exactly(at_risk: Ints, ends: Ints, results: Ints) -> tuple[int, int, int]:
    """S and F after these steps as whole numbers: (open, got a result, out of).

    Between two censored times the steps' factors cancel to (still at risk) ÷ (at risk at first), so that only
    censoring makes the numbers long.
    """
    begins = np.flatnonzero(np.concatenate([[True], at_risk[1:] != at_risk[:-1] - ends[:-1]]))
    n_at_first, n_ends, n_results = at_risk[begins], np.add.reduceat(ends, begins), np.add.reduceat(results, begins)
    moves = n_ends > 0
    open_, got, out_of = 1, 0, 1
    for first, ended, with_result in np.stack([n_at_first, n_ends, n_results], axis=1)[moves].tolist():
        got = got * first + open_ * with_result
        open_, out_of = open_ * (first - ended), out_of * first
    return open_, got, out_of


@dataclass(frozen=True)
class RestrictedMeans:
    """Mean time up to τ, and how far each dossier moves it.

    A dossier's deviation is its pseudo-value n·RM - (n - 1)·RM(without it) less RM; all dossiers of a step with the
    same fate have the same.
    """

    mean: Floats
    """By group, seconds."""
    of_ended: Floats
    """By step: the deviation of one that ended then."""
    of_pending: Floats
    """By step: the deviation of one last seen then."""
    squares: Floats
    """By group: the deviations' squares, summed over its dossiers."""


def restricted(at: Steps, tau: Ints) -> RestrictedMeans:
    """The area under S up to each group's τ, which is at most the group's longest time.

    Without one dossier seen until x the risk is r - 1 instead of r at every time up to x: up to x S falls as
    A = S·Q with Q the product of 1 - d ÷ ((r - 1)(r - d)), and after x as S does. So no mean is computed anew.
    """
    limit = at.of_groups(tau)
    ends, risk = at.ends, at.at_risk
    is_inside = at.time < limit  # ends at τ or later change nothing: there is no area after it
    others = np.where(is_inside, risk - 1, 1)
    lost = np.where(is_inside, ends, 0) / (others * np.where(is_inside, risk - ends, 1))
    still_open = survival(at, np.where(is_inside, ends, 0))
    kept = accumulate(np.multiply, 1 - lost, at.starts)
    clipped = np.minimum(at.time, limit)
    width = clipped - at.before(clipped.astype(np.float64), 0.0)
    height = at.before(still_open, 1.0)
    kept_before = at.before(kept, 1.0)
    area = accumulate(np.add, height * width, at.starts)
    lost_area = accumulate(np.add, height * (1 - kept_before) * width, at.starts)
    mean = area[at.starts[1:] - 1]
    rest = at.of_groups(mean) - area
    others_of_group = at.of_groups(at.n) - 1
    of_ended = others_of_group * (lost_area + rest * (1 - kept_before * np.where(is_inside, risk, others) / others))
    of_pending = others_of_group * (lost_area + rest * (1 - kept))
    squares = np.add.reduceat(ends * of_ended**2 + at.pending * of_pending**2, at.starts[:-1])
    return RestrictedMeans(mean, of_ended, of_pending, squares)
