"""Run N stays what it was: ten later batches, one of them retracted, and it repeats to the digit.

The next run lists as corrections exactly the figures that moved: both runs' figures are compared here, one by one.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.office import Rows, city_rows, make_office, procmon, write_log

AS_OF = ("--as-of", "2025-12-31")
KEY = ("figure", "rule_set", "scope", "scope_id", "period_from", "period_to")
TOLD = ("value", "numerator", "denominator", "n", "n_baseline", "lower", "upper", "verdict")
Key = tuple[str, ...]


def figures_of(workspace: Path, run: int) -> dict[Key, tuple[str, ...]]:
    rows = procmon("show", "figures", "--run", str(run), "--format", "csv", "--workspace", workspace).rows
    found = {tuple(row[name] for name in KEY): tuple(row[name] for name in TOLD) for row in rows}
    assert len(found) == len(rows) > 1000
    return found


def later_batches(rows: Rows) -> list[Rows]:
    """Ten: new dossiers, an old log in part once more, steps that came late, amendments, other due dates."""
    new = [row | {"dossier_id": f"N-{row['dossier_id']}"} for row in rows]
    due = [row | {"due_at": "2025-12-30T10:00:00+07:00"} for row in rows if row["status"] == "processing"]
    stopped = [
        row | {"status": "stopped", "occurred_at": "2025-12-29T09:00:00+07:00", "due_at": ""} for row in rows[-60:]
    ]
    elsewhere = [row | {"unit_id": "H24.NEW", "resolving_unit_id": "H24.NEW"} for row in new[-300:-200]]
    return [
        new[:400], rows[:200], new[-900:-700], stopped[:20], [row | {"reason": "bổ sung"} for row in rows[-50:]],
        due[-40:], new[-700:-400], elsewhere, stopped[20:], new[-200:],
    ]  # fmt: skip


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Path:
    """A run, ten batches of which the seventh is taken out again, and a second run as of the same instant."""
    rows = city_rows(16)
    workspace = make_office(tmp_path_factory.mktemp("repeat") / "office", rows)
    procmon("run", *AS_OF, "--workspace", workspace)
    for number, batch in enumerate(later_batches(rows), start=2):
        log = write_log(workspace.parent / f"batch-{number}.csv", batch)
        procmon("ingest", log, "--workspace", workspace)
    procmon("batch", "retract", "8", "--why", "a test export", "--workspace", workspace)
    procmon("run", *AS_OF, "--workspace", workspace)
    return workspace


def test_a_run_repeats_to_the_digit_after_ten_later_batches_and_a_retraction(office):
    recorded = figures_of(office, 1)
    for run in (1, 2):
        said = procmon("run", "--repeat", str(run), "--workspace", office).out
        assert said.startswith(f"run {run} repeated: {len(figures_of(office, run))} figures, 0 differ")
    assert figures_of(office, 1) == recorded


def test_the_corrections_are_exactly_the_figures_that_moved(office):
    """A figure that has come or gone, such as that of a unit without dossiers before, has moved too."""
    before, after = figures_of(office, 1), figures_of(office, 2)
    moved = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    rows = procmon("show", "corrections", "--run", "2", "--format", "csv", "--workspace", office).rows
    listed = Counter(tuple(row[name] for name in KEY) for row in rows)
    assert set(listed.values()) == {1}
    assert set(listed) == moved
    assert len(moved) > 500
    assert moved - before.keys()
    assert {row["batches"] for row in rows} == {"2-7,9-11"}


def test_a_correction_says_from_what_to_what(office):
    before, after = figures_of(office, 1), figures_of(office, 2)
    nothing = ("",) * len(TOLD)
    for row in procmon("show", "corrections", "--run", "2", "--format", "csv", "--workspace", office).rows:
        key = tuple(row[name] for name in KEY)
        was, now = (dict(zip(TOLD, found.get(key, nothing), strict=True)) for found in (before, after))
        number = next((name for name in TOLD if was[name] != now[name]), "value")
        assert row["number"] == number, key
        for side, told in (("before", was), ("after", now)):
            assert row[side] == ("" if number == "verdict" or not told[number] else str(float(told[number]))), key


def test_what_nobody_brought_is_no_correction(office):
    procmon("run", *AS_OF, "--workspace", office)
    assert figures_of(office, 3) == figures_of(office, 2)
    assert procmon("show", "corrections", "--run", "3", "--format", "csv", "--workspace", office).rows == []
