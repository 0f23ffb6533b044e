"""Figures computed again: a recorded run repeated to the digit, and what a change to the batches moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from procmon.corrections import Difference, differences
from procmon.inputs import find_run, nightly_period, read_inputs
from procmon.pages import Ask
from procmon.run import asks_of_tonight, judge_night
from procmon.store import ledger
from procmon.store.workspace import Workspace
from procmon.tables import FIGURES


@dataclass(frozen=True)
class Repeat:
    """A run done again: how many figures, and those that differ from what was recorded."""

    n_figures: int
    differing: list[str]


def repeat(workspace: Workspace, run: ledger.Run) -> Repeat:
    """Compute run N's figures again from what it saw, and compare them with the ledger, to the digit."""
    seen = read_inputs(workspace, run)
    as_of = run.as_of.astimezone(workspace.settings.zone)
    found = judge_night(workspace, seen, as_of, asks_of_tonight(seen, as_of), run_id=run.id, keep_dossiers=False)
    recorded = ledger.read_table(workspace.ledger_db, "figures", run_id=run.id).select(FIGURES.names)
    return Repeat(found.figures.num_rows, [_named(moved.row) for moved in differences(recorded, found.figures)])


@dataclass(frozen=True)
class Moved:
    """The figures that a change moved."""

    rows: list[Difference]

    @property
    def n(self) -> int:
        """How many."""
        return len(self.rows)

    def table(self) -> pa.Table:
        """figure, scope, scope_id, number (which of the figure's), before, after."""
        columns: dict[str, pa.Array] = {
            name: pa.array([moved.row[name] for moved in self.rows], pa.string())
            for name in ("figure", "scope", "scope_id")
        }
        columns["number"] = pa.array([moved.number for moved in self.rows], pa.string())
        columns["before"] = pa.array([moved.before for moved in self.rows], pa.float64())
        columns["after"] = pa.array([moved.after for moved in self.rows], pa.float64())
        return pa.table(columns)


def moved_by(workspace: Workspace, change: Callable[[], None], *, now: datetime) -> Moved:
    """Make a change to what counts, and say which of the city's figures move, as of the last done run (else now)."""
    last = find_run(workspace)
    as_of = (last.as_of if last else now).astimezone(workspace.settings.zone)
    ask = Ask("city", "", nightly_period(as_of))

    def found() -> pa.Table:
        seen = read_inputs(workspace)
        return judge_night(workspace, seen, as_of, [ask], run_id=None, keep_dossiers=False).figures

    before = found()
    change()
    return Moved(differences(before, found()))


def _named(row: Mapping[str, object]) -> str:
    return f"{row['figure']} {row['scope'] or ''}:{row['scope_id'] or ''}"
