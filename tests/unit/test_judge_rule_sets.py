"""One dossier under three rule sets: what each says of it, and in which one step of the bridge it moves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from judged import NO_BATCHES, City, midnight, registry_of

from procmon.errors import StoreError
from procmon.judge import rule_sets
from procmon.tables import ON_TIME, RULE_SETS, Period

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "city"
MAY = Period(date(2025, 5, 1), date(2025, 6, 1), "2025-05")


@dataclass(frozen=True)
class Story:
    """A dossier's steps (`status day hour`, `… due day hour`), and what is to be said of it."""

    what: str
    steps: tuple[str, ...]
    index_766: bool | None
    form_06: bool | None
    strict: bool | None
    to_form_06: str = ""
    to_strict: str = ""
    limit: str = ""


STORIES = (
    Story("finished in time", ("received 05T08 due 09T17", "finished 08T10"), True, True, True),
    Story("finished days late", ("received 05T08 due 09T17", "finished 12T10"), False, False, False),
    Story("pending late", ("received 05T08 due 09T17",), False, False, False),
    Story("pending in time", ("received 26T08 due 20260105T17",), True, True, True),
    Story(
        "stopped in time: pending in time for the form",
        ("received 05T08 due 09T17", "stopped 07T10"), True, True, None, "", "stopped",
    ),
    Story("stopped late", ("received 05T08 due 09T17", "stopped 13T10"), False, True, None, "stopped", "stopped"),
    Story("refused late", ("received 05T08 due 09T17", "refused 13T10"), False, True, None, "refused", "refused"),
    Story(
        "withdrawn late", ("received 05T08 due 09T17", "withdrawn 13T10"), False, True, None, "withdrawn", "withdrawn"
    ),
    Story(
        "stopped, and nothing to judge by: apart as stopped",
        ("received 05T08", "stopped 13T10"), None, True, None, "stopped", "",
    ),
    Story(
        "waits for a supplement that was asked for too late",
        ("received 05T08 due 09T17", "supplement_requested 13T10"), False, True, False, "waiting",
    ),
    Story(
        "late by the computed due date, none stated",
        ("received 05T08", "finished 13T10"), False, True, False, "without_due_date", limit="3",
    ),
    Story("nothing to judge by", ("received 05T08", "finished 13T10"), None, True, None, "without_due_date", ""),
    Story(
        "two supplements, in time by any clock",
        ("received 05T08 due 23T17", "supplement_requested 06T08", "processing 06T09", "supplement_requested 07T08",
         "processing 07T09", "finished 08T10"),
        False, True, False, "two_supplements",
    ),
    Story(
        "two supplements, no due date: late for the index, apart for strict",
        ("received 05T08", "supplement_requested 06T08", "processing 06T09", "supplement_requested 07T08",
         "processing 07T09", "finished 08T10"),
        False, True, None, "without_due_date", "without_due_date",
    ),
    Story(
        "late by the calendar only: a pause is subtracted",
        ("received 05T08 due 09T17", "supplement_requested 06T08", "processing 13T08", "finished 14T10"),
        True, False, True, "pauses",
    ),
    Story(
        "hours late on the due day", ("received 05T08 due 09T10", "finished 09T15"), False, True, False, "days",
    ),
    Story(
        "finished on the day off after the due day: that costs no minute, but a day",
        ("received 05T08 due 09T17", "finished 10T10"), True, False, True, "days",
    ),
    Story(
        "in time only after the due date moved",
        ("received 05T08 due 09T17", "processing 08T10 due 16T17", "finished 14T10"),
        False, True, False, "current_due_date",
    ),
    Story(
        "a due date before receipt is late, but by days it can be met",
        ("received 05T15 due 05T08", "finished 05T16"), False, True, False, "days",
    ),
    Story(
        "a due date before receipt, all on a day off: no minute passed, and still it is the days that forgive",
        ("received 10T10 due 10T09", "finished 10T11"), False, True, False, "days",
    ),
    Story(
        "two supplements that cost no open time, finished at the very second that was due",
        ("received 05T08 due 09T10", "supplement_requested 05T18", "processing 05T19", "supplement_requested 05T20",
         "processing 05T21", "finished 09T10"),
        False, True, False, "two_supplements",
    ),
    Story(
        "two supplements and a pause: late by days too, so it does not move",
        ("received 05T08 due 09T17", "supplement_requested 06T08", "processing 13T08", "supplement_requested 13T09",
         "processing 13T10", "finished 14T10"),
        False, False, False,
    ),
)  # fmt: skip


def instant(text: str) -> str:
    """`05T08` is 5 May 2025 08:00."""
    day, _, hour = text.partition("T")
    whole = day if len(day) == 8 else f"202505{day}"
    return f"{whole[:4]}-{whole[4:6]}-{whole[6:]}T{hour}:00:00"


def event_rows(story: Story, code: str) -> Iterator[dict[str, str]]:
    for step in story.steps:
        status, at, *due = step.split()
        yield {
            "dossier_id": f"D-{code}", "procedure_id": code, "status": status, "occurred_at": instant(at),
            "due_at": instant(due[1]) if due else "", "unit_id": "",
        }  # fmt: skip


def judged(stories: tuple[Story, ...]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Tables on_time and bridge of May 2025; each story is a field of its own."""
    procedures = [
        {
            "procedure_id": f"1.{n:03}", "name": story.what, "field": story.what, "level": "city",
            "limit_amount": story.limit, "limit_unit": "working_days" if story.limit else "",
            "valid_from": "2020-01-01",
        }
        for n, story in enumerate(stories)
    ]  # fmt: skip
    city = City({"procedures": procedures}, has_baseline=False)
    try:
        city.store.ingest_rows([row for n, story in enumerate(stories) for row in event_rows(story, f"1.{n:03}")])
        with city.judge(midnight(MAY.to)) as judge:
            tables = judge.tables(city.question(midnight(MAY.to), MAY), batches=NO_BATCHES)
    finally:
        shutil.rmtree(city.store.folder)
    return tables["on_time"].to_pylist(), tables["bridge"].to_pylist()


@pytest.fixture(scope="module")
def verdicts() -> dict[tuple[str, str], dict[str, Any]]:
    """The row of each story and rule set."""
    return {(row["scope_id"], row["rule_set"]): row for row in judged(STORIES)[0] if row["scope"] == "field"}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.what)
def test_each_rule_set_says_its_own_of_a_dossier(story: Story, verdicts: dict[tuple[str, str], Any]) -> None:
    for rule_set in RULE_SETS:
        row = verdicts[story.what, rule_set]
        expected = getattr(story, rule_set)
        assert (row["n_on_time"], row["n_late"]) == (int(expected is True), int(expected is False)), rule_set
        assert row["n_judged"] == int(expected is not None)
        assert row["on_time"] == (None if expected is None else float(expected))
        assert row["n_dossiers"] == 1
        is_pending = story.steps[-1].split()[0] in ("received", "supplement_requested")
        assert row["n_pending_on_time"] == row["n_on_time"] * is_pending
        assert row["n_pending_late"] == row["n_late"] * is_pending


def test_what_strict_puts_apart_stands_in_one_column_of_its_own(verdicts: dict[tuple[str, str], Any]) -> None:
    names = ("n_without_due_date", "n_stopped", "n_refused", "n_withdrawn")
    told = {
        story.what: [name for name in names if verdicts[story.what, "strict"][name]]
        for story in STORIES
        if story.strict is None
    }
    assert told == {
        "stopped in time: pending in time for the form": ["n_stopped"],
        "stopped late": ["n_stopped"],
        "refused late": ["n_refused"],
        "withdrawn late": ["n_withdrawn"],
        "stopped, and nothing to judge by: apart as stopped": ["n_stopped"],
        "nothing to judge by": ["n_without_due_date"],
        "two supplements, no due date: late for the index, apart for strict": ["n_without_due_date"],
    }


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.what)
def test_a_dossier_whose_verdict_differs_moves_in_one_step(story: Story) -> None:
    _, bridge = judged((story,))
    moved = {(row["to_rule_set"], row["step"]): row for row in bridge if row["n_moved"]}
    expected = {("form_06", story.to_form_06), ("strict", story.to_strict)} - {("form_06", ""), ("strict", "")}
    assert set(moved) == expected
    for (rule_set, _), row in moved.items():
        was, now = story.index_766, getattr(story, rule_set)
        assert row["n_moved"] == 1
        assert (row["n_into_on_time"], row["n_out_of_on_time"]) == (int(now is True), int(was is True))
        assert (row["n_into_judged"], row["n_out_of_judged"]) == (int(was is None), int(now is None))


def test_steps_stand_in_the_order_in_which_they_are_taken() -> None:
    _, bridge = judged(STORIES)
    for rule_set, steps in rule_sets.STEPS.items():
        rows = [row for row in bridge if row["to_rule_set"] == rule_set]
        assert [row["step"] for row in rows] == ["start", *steps]
        n_judged = sum(getattr(story, rule_set) is not None for story in STORIES)
        n_on_time = sum(getattr(story, rule_set) is True for story in STORIES)
        assert (rows[-1]["n_on_time"], rows[-1]["n_judged"]) == (n_on_time, n_judged)


def test_a_period_without_dossiers_has_neither_shares_nor_a_bridge() -> None:
    city = City({}, has_baseline=False)
    try:
        city.store.ingest_rows(list(event_rows(STORIES[0], "1.000")))
        end = midnight(date(2025, 4, 1))
        with city.judge(end) as judge:
            question = city.question(end, Period(date(2025, 3, 1), date(2025, 4, 1), "2025-03"))
            tables = judge.tables(question, batches=NO_BATCHES)
    finally:
        shutil.rmtree(city.store.folder)
    assert tables["on_time"].num_rows == tables["bridge"].num_rows == tables["form_06"].num_rows == 0


def test_a_bridge_that_does_not_arrive_is_a_bug_said_aloud() -> None:
    question = City({}, has_baseline=False).question(midnight(MAY.to), MAY)
    counts = {"n_dossiers": 3, "n_judged": 3, "n_late": 1, "n_on_time": 2}
    told = ON_TIME.from_rows(
        [{"rule_set": name, "scope": "city", "scope_id": ""} | counts for name in ("index_766", "strict")]
        + [{"rule_set": "form_06", "scope": "city", "scope_id": ""} | counts | {"n_on_time": 3, "n_late": 0}]
    )
    nothing = pa.table({"to_rule_set": pa.array([], pa.string()), "step": pa.array([], pa.string())})
    with pytest.raises(StoreError, match="the bridge to form_06 ends at 2 of 3 on time, but form_06 has 3 of 3"):
        rule_sets.bridge(nothing, told, question)


# ---- the sample city


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City(registry_of(SAMPLE), has_baseline=False)
    city.store.ingest(SAMPLE / "events.csv.gz")
    yield city
    shutil.rmtree(city.store.folder)


def test_what_a_unit_resolves_has_its_own_bridge(city: City) -> None:
    """Its row stands first and once, and says what the city's table says of the unit."""
    as_of, code = midnight(MAY.to), "H24.18"
    question = city.question(as_of, MAY)
    with city.judge(as_of) as judge:
        whole = judge.tables(question, batches=NO_BATCHES)["on_time"].to_pylist()
        tables = judge.tables(replace(question, side="resolving", scope_id=code), batches=NO_BATCHES)
    counts = [name for name in ON_TIME.names if name.startswith("n_")]
    own = [[row[name] for name in counts] for row in whole if (row["scope"], row["scope_id"]) == ("unit", code)]
    rows = tables["on_time"].to_pylist()
    assert [[row[name] for name in counts] for row in rows[:3]] == own
    assert rows[0]["n_dossiers"] > 20
    assert {row["scope"] for row in rows[:3]} == {"unit"}
    assert {row["scope"] for row in rows[3:]} == {"level", "field"}
    assert {(row["scope"], row["scope_id"]) for row in tables["bridge"].to_pylist()} == {("unit", code)}
