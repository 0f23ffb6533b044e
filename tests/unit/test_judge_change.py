"""What made the change: each decomposition equals the plain twin's and adds up to its total (rulebook 7f)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from twin.change import Change, Done, Parts, bys, sums

from procmon.config import EngineSettings
from procmon.engine import Engine, sql_text
from procmon.judge.change import Part, decompose
from procmon.tables import DAY, FLAG, INT, TEXT

Case = tuple[list[Done], list[Done], dict[str, int], int]
PROCEDURES, UNITS, STAGES = ["", "a", "b", "c"], ["", "old", "new", "u", "v"], ["", "thẩm định", "ký"]
ALL_BYS = {"procedure", "mix", "unit", "stage", "paused", "with_pauses"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(EngineSettings()) as engine:
        engine.give("compared_months", pa.table({"month": pa.array([4], INT)}))
        yield engine


@st.composite
def dones(draw: DrawFn, units: Sequence[str]) -> Done:
    stages = draw(st.dictionaries(st.sampled_from(STAGES), st.integers(0, 60_000), min_size=1))
    return Done(
        draw(st.sampled_from(PROCEDURES)), draw(st.sampled_from(units)), sum(stages.values()),
        draw(st.integers(0, 40_000)), stages,
    )  # fmt: skip


@st.composite
def cases(draw: DrawFn) -> Case:
    """Both sides of a scope: a unit that closed, one that is new, times above the cap, procedures on one side only."""
    base = draw(st.lists(dones(["", "old", "u", "v"]), min_size=1, max_size=25))
    now = draw(st.lists(dones(["", "new", "u", "v"]), min_size=1, max_size=25))
    codes = {done.procedure for done in base}
    caps = {code: draw(st.integers(0, 90_000)) for code in sorted(codes)}
    return base, now, caps, draw(st.integers(1, 3))


def told(engine: Engine, case: Case, *, are_pauses_known: bool = True) -> list[Part]:
    """What we make of a case, from the tables that stand in the engine."""
    base, now, caps, min_n = case
    sides, kept, stretches = [], [], []
    for is_now, dones in ((False, base), (True, now)):
        for n, done in enumerate(dones):
            cap = caps.get(done.procedure, done.seconds)
            name = f"{is_now}-{n}"
            pause = done.paused if is_now or are_pauses_known else None
            sides.append((name, done.procedure, done.unit, is_now, done.seconds, cap, pause))
            for stage, seconds in done.stages.items():
                own = done.seconds if done.seconds > cap else None
                kept += [] if is_now else [(done.procedure, done.unit, date(2024, 4, 1), stage, own, cap, seconds)]
                stretches.append((name, stage or None, "working", seconds))
            stretches += [(name, "ký", "waiting", done.paused), (name, "ký", "discarded", 77)]
    kept.append(("a", "u", date(2024, 5, 1), "ký", None, 1, 99))  # of a month that is not compared
    engine.give("sides", as_table(sides, SIDES))
    engine.give("baseline_stages", as_table(kept, KEPT))
    engine.give("stretches", as_table(stretches, STRETCHES))
    engine.give("unit_today", as_table([], HEIRS))
    engine.steps(sql_text("judge", "change"))
    units = engine.query("SELECT * FROM change_units ORDER BY procedure_key NULLS FIRST, unit_told NULLS FIRST")
    stages = engine.query("SELECT * FROM change_stages ORDER BY ALL NULLS FIRST")
    return decompose(units, stages, Change(base, now, caps, min_n).mix)


SIDES = (
    ("dossier_id", TEXT), ("procedure_key", TEXT), ("unit_today", TEXT), ("is_now", FLAG), ("working_seconds", INT),
    ("cap_seconds", INT), ("paused_seconds", INT),
)  # fmt: skip
KEPT = (
    ("procedure_key", TEXT), ("unit_today", TEXT), ("month_on", DAY), ("stage", TEXT), ("capped_from_seconds", INT),
    ("cap_seconds", INT), ("seconds", INT),
)  # fmt: skip
HEIRS = (("unit_key", TEXT), ("told_key", TEXT))
STRETCHES = (("dossier_id", TEXT), ("stage", TEXT), ("kind", TEXT), ("open_seconds", INT))


def as_table(rows: Sequence[tuple[object, ...]], columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    return pa.table({name: pa.array([row[n] for row in rows], kind) for n, (name, kind) in enumerate(columns)})


def assert_as_twin(ours: Sequence[Part], theirs: Parts) -> None:
    """Part for part, and no part more; contributions to 1e-9 of what the change is made of."""
    found = {(part.by, part.part_id, part.term): part.contribution for part in ours}
    assert len(found) == len(ours)
    assert set(found) == set(theirs)
    scale = 1 + float(max((abs(value) for value in theirs.values()), default=Fraction()))
    assert {key: pytest.approx(float(value), abs=1e-12 * scale) for key, value in theirs.items()} == found


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_every_part_equals_the_plain_twin(engine: Engine, case: Case) -> None:
    base, now, caps, min_n = case
    theirs = Change(base, now, caps, min_n).parts()
    for by in bys(theirs):
        added, total = sums(theirs, by)
        assert added == total  # the rulebook's formulas are exact
    assert_as_twin(told(engine, case), theirs)


def done(procedure: str, unit: str, seconds: int, *, paused: int = 0, n: int = 1) -> list[Done]:
    return [Done(procedure, unit, seconds, paused, {"ký": seconds})] * n


def contributions(parts: Sequence[Part], by: str) -> dict[tuple[str, str], float]:
    return {(part.part_id, part.term): round(part.contribution, 12) for part in parts if part.by == by}


def test_a_unit_that_closed_and_one_that_opened_are_work_moved(engine: Engine) -> None:
    """The closed unit was slow and the new one is fast; the third did not change, and so gave nothing."""
    base = [*done("a", "old", 300, n=2), *done("a", "u", 200, n=2)]
    now = [*done("a", "new", 100, n=2), *done("a", "u", 200, n=2)]
    found = contributions(told(engine, (base, now, {"a": 900}, 1)), "unit")
    assert found["", "total"] == 0.4
    assert {key: found[key] for key in found if key[1] == "pace"} == dict.fromkeys(
        ((unit, "pace") for unit in ("old", "new", "u")), 0
    )
    assert found["old", "moved"] == found["new", "moved"] == 0.2
    assert found["u", "moved"] == 0


def test_a_mix_that_alone_changed_leaves_no_cut_but_moves_the_plain_mean(engine: Engine) -> None:
    base = [*done("dear", "u", 1000, n=5), *done("cheap", "u", 100, n=5)]
    now = [*done("dear", "u", 1000, n=2), *done("cheap", "u", 100, n=8), *done("new", "u", 10, n=10)]
    found = contributions(told(engine, (base, now, {"dear": 2000, "cheap": 2000}, 1)), "mix")
    assert found["", "fixed_mix"] == 0
    assert found["", "total"] == round(1 - (2900 / 20) / 550, 12)
    assert found["dear", "mix"] + found["cheap", "mix"] == pytest.approx(1 - 280 / 550, abs=1e-12)
    assert found["", "uncovered"] == pytest.approx(280 / 550 - 145 / 550, abs=1e-12)


def test_a_clock_stopped_more_often_shows_beside_the_cut(engine: Engine) -> None:
    """Half of the working time went, and all of it into pauses: with them nothing was gained."""
    base, now = done("a", "u", 1000, n=2), done("a", "u", 500, paused=500, n=2)
    parts = told(engine, (base, now, {"a": 5000}, 1))
    assert contributions(parts, "procedure")["a", "pace"] == 0.5
    assert contributions(parts, "paused")["", "total"] == -0.5
    assert contributions(parts, "with_pauses")["", "total"] == 0
    total = next(part for part in parts if (part.by, part.term) == ("paused", "total"))
    assert (total.mean_baseline, total.mean_period, total.seconds) == (0, 500, -500)


def test_of_a_baseline_that_kept_no_pauses_none_are_told(engine: Engine) -> None:
    case = (done("a", "u", 1000), done("a", "u", 500, paused=500), {"a": 5000}, 1)
    assert {part.by for part in told(engine, case)} == ALL_BYS
    assert {part.by for part in told(engine, case, are_pauses_known=False)} == ALL_BYS - {"paused", "with_pauses"}


def test_of_a_baseline_that_kept_no_stages_none_are_told(engine: Engine) -> None:
    case = (done("a", "u", 1000), done("a", "u", 500), {"a": 5000}, 1)
    assert told(engine, case)
    engine.step("change_stages", "SELECT * FROM change_stages WHERE is_now")
    units = engine.query("SELECT * FROM change_units")
    parts = decompose(units, engine.query("SELECT * FROM change_stages"), ["a"])
    assert {part.by for part in parts} == ALL_BYS - {"stage"}


def test_without_a_cut_there_is_nothing_to_tell(engine: Engine) -> None:
    assert told(engine, ([], [], {}, 1)) == []
    assert told(engine, (done("a", "u", 9), done("b", "u", 9), {"a": 9}, 1)) == []
    assert told(engine, (done("a", "u", 0), done("a", "u", 9), {"a": 0}, 1)) == []


def test_the_largest_contributions_stand_first_and_equal_ones_by_code(engine: Engine) -> None:
    base = [*done("a", "u", 10), *done("b", "u", 10), *done("c", "u", 30)]
    now = [*done("a", "u", 10), *done("b", "u", 10), *done("c", "u", 20)]
    parts = told(engine, (base, now, {"a": 99, "b": 99, "c": 99}, 1))
    assert [part.part_id for part in parts if part.by == "procedure"] == ["", "c", "a", "b"]
