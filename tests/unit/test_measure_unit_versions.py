"""A unit is its code on the day of the event that states it, and whoever has taken it over by then (rulebook 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import product

import pytest
from log_files import Store

UNITS = [
    ("OLD", "ward", "", "2020-01-01", "2025-07-01"),
    ("NEW", "ward", "", "2025-07-01", ""),
    ("TWICE", "ward", "", "2020-01-01", ""),
    ("TWICE", "ward", "", "2025-07-01", ""),
    ("AT-OLD", "centre", "OLD", "2020-01-01", ""),
    ("AT-NEW", "centre", "NEW", "2020-01-01", ""),
]
LAST_OF_OLD, FIRST_OF_NEW = "2025-06-30", "2025-07-01"


def registry_of(
    units: Sequence[tuple[str, ...]], successions: Sequence[tuple[str, ...]] = ()
) -> dict[str, list[dict[str, str]]]:
    """The registry of such rows; a unit's name is its code."""
    unit_columns = ("unit_id", "kind", "parent_unit_id", "valid_from", "valid_to")
    columns = ("old_unit_id", "new_unit_id", "effective_on", "extent")
    return {
        "units": [dict(zip(unit_columns, unit, strict=True)) | {"name": unit[0]} for unit in units],
        "successions": [dict(zip(columns, row, strict=True)) for row in successions],
    }


@cache
def measured() -> dict[str, dict[str, object]]:
    """A dossier for each unit and day: received at it, resolved by its ward, for somebody who lives there."""
    registry = registry_of(UNITS)
    rows = []
    for unit_id in sorted({unit[0] for unit in UNITS}):
        for day in (LAST_OF_OLD, FIRST_OF_NEW):
            ward = unit_id.removeprefix("AT-")
            rows.append(
                {
                    "dossier_id": f"{unit_id} {day}", "procedure_id": "1.001", "status": "received",
                    "occurred_at": f"{day}T08:00", "receiving_unit_id": unit_id, "resolving_unit_id": ward,
                    "applicant_unit_id": ward,
                }
            )  # fmt: skip
    store = Store()
    store.ingest_rows(rows)
    dossiers = store.dossiers(registry, datetime(2025, 8, 1, tzinfo=UTC)).to_pylist()
    return {row["dossier_id"]: row for row in dossiers}


@pytest.mark.parametrize(
    ("unit_id", "day", "key"),
    [
        ("OLD", LAST_OF_OLD, "OLD@2020-01-01"),
        ("OLD", FIRST_OF_NEW, "OLD@"),  # no more
        ("NEW", LAST_OF_OLD, "NEW@"),  # not yet
        ("NEW", FIRST_OF_NEW, "NEW@2025-07-01"),
        ("TWICE", LAST_OF_OLD, "TWICE@2020-01-01"),
        ("TWICE", FIRST_OF_NEW, "TWICE@2025-07-01"),
    ],
)
def test_a_unit_is_the_version_in_force_on_the_day(unit_id: str, day: str, key: str) -> None:
    assert measured()[f"{unit_id} {day}"]["receiving_unit_key"] == key
    assert measured()[f"{unit_id} {day}"]["resolving_unit_key"] == key


@pytest.mark.parametrize(
    ("unit_id", "day", "is_cross_boundary"),
    [
        ("AT-OLD", LAST_OF_OLD, False),
        ("AT-OLD", FIRST_OF_NEW, None),  # its ward is no more, so nobody can say
        ("AT-NEW", LAST_OF_OLD, None),
        ("AT-NEW", FIRST_OF_NEW, False),
    ],
)
def test_a_centre_has_the_territory_of_its_parent_on_the_day(
    unit_id: str, day: str, is_cross_boundary: bool | None
) -> None:
    assert measured()[f"{unit_id} {day}"]["is_cross_boundary"] is is_cross_boundary


SECOND_OF_NEW = "2025-07-02"
STORIES = {
    "refused where it was not filed": [("submitted", LAST_OF_OLD, "OLD"), ("refused", FIRST_OF_NEW, "TWICE")],
    "refused where it was filed": [("submitted", LAST_OF_OLD, "TWICE"), ("refused", FIRST_OF_NEW, "TWICE")],
    "refused twice": [("refused", FIRST_OF_NEW, "TWICE"), ("refused", SECOND_OF_NEW, "NEW")],
    "received where it was filed": [("submitted", LAST_OF_OLD, "TWICE"), ("received", FIRST_OF_NEW, "TWICE")],
    "received twice": [("received", FIRST_OF_NEW, "TWICE"), ("received", SECOND_OF_NEW, "NEW")],
}
SAME_UNIT_TWICE = {
    "refused twice there": [("refused", LAST_OF_OLD, "TWICE"), ("refused", FIRST_OF_NEW, "TWICE")],
    "received twice there": [("received", LAST_OF_OLD, "TWICE"), ("received", FIRST_OF_NEW, "TWICE")],
}


@pytest.mark.parametrize(
    ("stories", "key"), [(STORIES, "TWICE@2025-07-01"), (SAME_UNIT_TWICE, "TWICE@2020-01-01")], ids=["one", "other"]
)
def test_the_receiving_unit_is_that_of_the_first_receipt_or_refusal_on_its_day(
    stories: dict[str, list[tuple[str, str, str]]], key: str
) -> None:
    """Not the unit at which it was filed a day before, when the code meant another unit (rulebook 1)."""
    registry = registry_of(UNITS)
    store = Store()
    store.ingest_rows(
        [
            {
                "dossier_id": story, "procedure_id": "1.001", "status": status, "occurred_at": f"{day}T08:00",
                "unit_id": unit_id,
            }
            for story, steps in stories.items()
            for status, day, unit_id in steps
        ]
    )  # fmt: skip
    dossiers = store.dossiers(registry, datetime(2025, 8, 1, tzinfo=UTC)).to_pylist()
    assert {row["dossier_id"]: row["receiving_unit_key"] for row in dossiers} == dict.fromkeys(stories, key)


# ---- stated before a reform, and after it

OLD_CITY = [
    ("A", "ward", "", "2020-01-01", "2025-07-01"),
    ("B", "ward", "", "2020-01-01", "2025-07-01"),
    ("S", "ward", "", "2020-01-01", "2025-07-01"),
    ("D", "district", "", "2020-01-01", "2025-07-01"),
    ("AT-A", "centre", "A", "2020-01-01", "2025-07-01"),
    ("N", "ward", "", "2025-07-01", ""),
    ("A", "ward", "", "2025-07-01", ""),  # another ward, by a code used again
    ("M", "ward", "", "2025-07-01", ""),
    ("Z", "ward", "", "2026-01-01", ""),
]
SUCCESSIONS = [
    ("A", "N", "2025-07-01", "whole"),
    ("B", "N", "2025-07-01", "whole"),
    ("S", "N", "2025-07-01", "part"),
    ("S", "A", "2025-07-01", "part"),
    ("N", "Z", "2026-01-01", "whole"),
]


@pytest.mark.parametrize(
    ("received_by", "resolved_by", "resolved_on", "is_cross_boundary"),
    [
        ("A", "N", FIRST_OF_NEW, False),  # the ward that has taken it over whole
        ("AT-A", "N", FIRST_OF_NEW, False),  # received at its centre
        ("A", "A", FIRST_OF_NEW, True),  # the same code, another ward
        ("A", "B", LAST_OF_OLD, True),  # both are in N by now, but were two wards then
        ("A", "M", FIRST_OF_NEW, True),
        ("S", "N", FIRST_OF_NEW, None),  # split: perhaps this part, perhaps the other
        ("S", "A", FIRST_OF_NEW, None),
        ("S", "M", FIRST_OF_NEW, True),  # neither part
        ("A", "Z", "2026-01-05", False),  # taken over twice
        ("S", "Z", "2026-01-05", None),
        ("D", "N", FIRST_OF_NEW, True),  # nobody took it over: filed at another level
    ],
)
def test_a_dossier_does_not_cross_a_boundary_because_its_ward_was_taken_over_whole(
    received_by: str, resolved_by: str, resolved_on: str, is_cross_boundary: bool | None
) -> None:
    """Received on 30 June 2025 by an old unit for one of its own; the resolving unit is stated later."""
    lives_in = received_by.removeprefix("AT-")
    registry = registry_of(OLD_CITY, SUCCESSIONS)
    shared = {"dossier_id": "d", "procedure_id": "1.001"}
    store = Store()
    store.ingest_rows([
        shared | {"status": "received", "occurred_at": f"{LAST_OF_OLD}T08:00", "receiving_unit_id": received_by,
                  "applicant_unit_id": lives_in, "resolving_unit_id": ""},
        shared | {"status": "processing", "occurred_at": f"{resolved_on}T16:00", "resolving_unit_id": resolved_by,
                  "receiving_unit_id": "", "applicant_unit_id": ""},
    ])  # fmt: skip
    (row,) = store.dossiers(registry, datetime(2026, 2, 1, tzinfo=UTC)).to_pylist()
    assert row["is_cross_boundary"] is is_cross_boundary


def crossing(units: list[tuple[str, ...]], successions: list[tuple[str, ...]], *steps: dict[str, str]) -> object:
    """Whether a dossier of these steps, the first of them its receipt, crossed a boundary."""
    return dossier_of(units, successions, *steps)["is_cross_boundary"]


def dossier_of(
    units: list[tuple[str, ...]], successions: list[tuple[str, ...]], *steps: dict[str, str]
) -> dict[str, object]:
    """The dossier of these steps, the first of them its receipt."""
    registry = registry_of(units, successions)
    roles = dict.fromkeys(("receiving_unit_id", "resolving_unit_id", "returning_unit_id", "applicant_unit_id"), "")
    store = Store()
    store.ingest_rows([
        {"dossier_id": "d", "procedure_id": "1.001", "status": "processing" if place else "received"} | roles | step
        for place, step in enumerate(steps)
    ])  # fmt: skip
    (row,) = store.dossiers(registry, datetime(2026, 2, 1, tzinfo=UTC)).to_pylist()
    return row


LIVES_IN = [
    ("CITY", "city", "", "2020-01-01", ""),
    ("DEPT", "department", "CITY", "2020-01-01", ""),
    ("CC", "centre", "CITY", "2020-01-01", ""),
    ("D", "district", "CITY", "2020-01-01", ""),
    ("AT-D", "centre", "D", "2020-01-01", ""),
    ("W", "ward", "D", "2020-01-01", ""),
    ("V", "ward", "D", "2020-01-01", ""),
]


@pytest.mark.parametrize("lives_in", ["CITY", "DEPT", "CC", "D", "AT-D"])
@pytest.mark.parametrize(
    ("received_by", "resolved_by", "is_cross_boundary"),
    [("W", "W", None), ("W", "V", True), ("D", "D", False), ("CC", "DEPT", False)],
)
def test_an_applicant_known_by_city_or_district_only_cannot_be_told_to_live_elsewhere(
    lives_in: str, received_by: str, resolved_by: str, is_cross_boundary: bool | None
) -> None:
    step = {"occurred_at": f"{FIRST_OF_NEW}T08:00", "receiving_unit_id": received_by,
            "resolving_unit_id": resolved_by, "applicant_unit_id": lives_in}  # fmt: skip
    assert crossing(LIVES_IN, [], step) is is_cross_boundary


ROLES = ("resolving_unit_id", "applicant_unit_id", "returning_unit_id")
NEIGHBOURS = [("A", "ward", "", "2020-01-01", ""), ("B", "ward", "", "2020-01-01", "")]


@pytest.mark.parametrize(
    ("received_by", "received_on", "resolved_by", "resolved_on", "is_cross_boundary"),
    [
        ("A", FIRST_OF_NEW, "B", FIRST_OF_NEW, True),  # what A kept is not B's
        ("B", FIRST_OF_NEW, "A", FIRST_OF_NEW, True),
        ("A", FIRST_OF_NEW, "B", "2025-09-01", True),
        ("A", LAST_OF_OLD, "B", LAST_OF_OLD, True),
        ("A", LAST_OF_OLD, "B", FIRST_OF_NEW, None),  # perhaps from the part that changed hands in between
        ("B", LAST_OF_OLD, "A", FIRST_OF_NEW, True),
        ("A", LAST_OF_OLD, "A", FIRST_OF_NEW, False),
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_two_wards_that_both_still_stand_are_two_after_a_part_changed_hands(
    received_by: str, received_on: str, resolved_by: str, resolved_on: str, is_cross_boundary: bool | None, role: str
) -> None:
    """In whatever role the second is stated."""
    succession = [("A", "B", "2025-07-01", "part")]
    assert apart(NEIGHBOURS, succession, (received_by, received_on), (resolved_by, resolved_on), role) is (
        is_cross_boundary
    )


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("stated_on", ["2025-12-31", "2026-01-01", "2026-01-05"])
def test_what_part_a_ward_became_is_told_once_on_a_day_on_which_others_are_taken_over(
    role: str, stated_on: str
) -> None:
    """Part of S is A since July; N's going over to Z in January changes nothing of that."""
    assert apart(OLD_CITY, SUCCESSIONS, ("S", LAST_OF_OLD), ("A", stated_on), role) is None


def apart(
    units: list[tuple[str, ...]], successions: list[tuple[str, ...]], one: tuple[str, str], other: tuple[str, str],
    role: str,
) -> object:  # fmt: skip
    """Whether a unit of one day is on another ground than one that is stated later, in `role`, on another day."""
    first = dict.fromkeys(ROLES[:2], one[0]) | {"receiving_unit_id": one[0]} | {role: ""}
    steps = ({"occurred_at": f"{one[1]}T08:00"} | first, {"occurred_at": f"{other[1]}T16:00", role: other[0]})
    dossier = dossier_of(units, successions, *steps)
    return dossier["is_returned_elsewhere" if role == "returning_unit_id" else "is_cross_boundary"]


LATER = [*NEIGHBOURS, ("Z", "ward", "", "2026-01-01", "")]


@pytest.mark.parametrize(
    ("received_on", "resolved_by", "is_cross_boundary"),
    [
        (LAST_OF_OLD, "Z", None),  # perhaps from the part that B had in between
        ("2025-09-01", "Z", True),  # that part had gone before
        ("2025-09-01", "C", None),  # a second part went to C since
        (LAST_OF_OLD, "C", None),
        ("2026-01-02", "C", True),
    ],
)
def test_what_a_ward_keeps_after_a_part_of_it_went_is_not_what_the_part_became(
    received_on: str, resolved_by: str, is_cross_boundary: bool | None
) -> None:
    """A gives a part to B and one to C, later another to C; B goes whole to Z."""
    units = [*LATER, ("C", "ward", "", "2020-01-01", "")]
    successions = [
        ("A", "B", "2025-07-01", "part"),
        ("A", "C", "2025-07-01", "part"),
        ("A", "C", "2026-01-01", "part"),
        ("B", "Z", "2026-01-01", "whole"),
    ]
    steps = (
        {"occurred_at": f"{received_on}T08:00", "receiving_unit_id": "A", "applicant_unit_id": "A"},
        {"occurred_at": "2026-01-05T16:00", "resolving_unit_id": resolved_by},
    )
    assert crossing(units, successions, *steps) is is_cross_boundary


@pytest.mark.parametrize("role", ["resolving_unit_id", "applicant_unit_id", "returning_unit_id"])
@pytest.mark.parametrize(("on", "same_ground"), [(LAST_OF_OLD, False), (FIRST_OF_NEW, True), (SECOND_OF_NEW, True)])
def test_a_ward_is_taken_over_from_the_very_day_in_every_role(role: str, on: str, same_ground: bool) -> None:
    """N stands for A from 1 July on; a code named a day too early is a unit that nobody knows yet."""
    others = {"receiving_unit_id": "A", "resolving_unit_id": "A", "returning_unit_id": "", "applicant_unit_id": "A"}
    dossier = dossier_of(
        OLD_CITY,
        SUCCESSIONS,
        {"occurred_at": f"{LAST_OF_OLD}T08:00"} | others | {role: ""},
        {"occurred_at": f"{on}T16:00", role: "N"},
    )
    says = dossier["is_returned_elsewhere" if role == "returning_unit_id" else "is_cross_boundary"]
    assert says is (False if same_ground else None)


# ---- whose ground a unit stands on, by its kind and its parent's

OF_COMMUNE = ("commune", "ward", "special_zone")
OF_GROUND = (*OF_COMMUNE, "district")
OF_CITY = ("city", "department")
GROUNDS = [
    *((f"{kind}{n}", kind, "", "2020-01-01", "") for kind in OF_GROUND for n in (1, 2)),
    *((f"at-{kind}{n}", "centre", f"{kind}{n}", "2020-01-01", "") for kind in OF_GROUND for n in (1, 2)),
    *((kind, kind, "", "2020-01-01", "") for kind in OF_CITY),
    *((f"at-{kind}", "centre", kind, "2020-01-01", "") for kind in OF_CITY),
]
GROUNDS.append(("lost", "centre", "", "2020-01-01", ""))
AT_CITY = [*OF_CITY, *(f"at-{kind}" for kind in OF_CITY)]


@cache
def crossings() -> dict[tuple[str, ...], bool | None]:
    """Whether a dossier crosses a boundary, by its receiving, its resolving and its applicant's unit: all of them."""
    registry = registry_of(GROUNDS)
    roles = ("receiving_unit_id", "resolving_unit_id", "applicant_unit_id")
    every = list(product([unit[0] for unit in GROUNDS], repeat=3))
    event = {"procedure_id": "1.001", "status": "received", "occurred_at": f"{FIRST_OF_NEW}T08:00"}
    store = Store()
    store.ingest_rows(
        [{"dossier_id": " ".join(units)} | event | dict(zip(roles, units, strict=True)) for units in every]
    )
    dossiers = store.dossiers(registry, datetime(2026, 2, 1, tzinfo=UTC)).to_pylist()
    return {tuple(row["dossier_id"].split(" ")): row["is_cross_boundary"] for row in dossiers}


def crosses(received_by: str, resolved_by: str, lives_in: str) -> bool | None:
    return crossings()[received_by, resolved_by, lives_in]


@pytest.mark.parametrize("kind", OF_GROUND)
def test_a_unit_and_its_centre_stand_on_its_own_ground(kind: str) -> None:
    one, other, centre = f"{kind}1", f"{kind}2", f"at-{kind}1"
    assert [crosses(one, one, one), crosses(centre, one, one), crosses(one, centre, one)] == [False] * 3
    assert [crosses(one, other, one), crosses(centre, other, one), crosses(one, f"at-{kind}2", one)] == [True] * 3
    assert [crosses(one, "city", one), crosses("at-city", centre, one)] == [True] * 2


@pytest.mark.parametrize("kind", OF_GROUND)
def test_where_the_applicant_lives_counts_at_communes_wards_and_special_zones(kind: str) -> None:
    """Filed away from home is across a boundary there only; of somebody known by district it cannot be told."""
    is_of_commune = kind in OF_COMMUNE
    for receiving in (f"{kind}1", f"at-{kind}1"):
        lives_elsewhere = [crosses(receiving, receiving, f"{at}{kind}2") for at in ("", "at-")]
        assert lives_elsewhere == [is_of_commune] * 2
    home = "ward1" if kind != "ward" else "commune1"
    assert [crosses(home, home, f"{at}{kind}2") for at in ("", "at-")] == [True if is_of_commune else None] * 2


@pytest.mark.parametrize("receiving", AT_CITY)
@pytest.mark.parametrize("resolving", AT_CITY)
def test_the_city_its_departments_and_their_centres_are_one_ground(receiving: str, resolving: str) -> None:
    assert crosses(receiving, resolving, "ward1") is False


@pytest.mark.parametrize("home", ["ward1", "city"])
def test_a_centre_of_nobody_knows_whom_stands_on_no_ground_that_could_be_told(home: str) -> None:
    assert [crosses("lost", home, home), crosses(home, "lost", home), crosses("lost", "lost", home)] == [None] * 3


def test_a_centre_of_a_ward_that_is_no_more_stands_on_no_ground_that_could_be_told() -> None:
    step = {"receiving_unit_id": "AT-OLD", "resolving_unit_id": "TWICE", "applicant_unit_id": "TWICE"}
    for on, crosses_boundary in ((LAST_OF_OLD, True), (FIRST_OF_NEW, None)):
        assert crossing(UNITS, [], {"occurred_at": f"{on}T08:00"} | step) is crosses_boundary


def test_a_unit_that_nobody_knows_is_on_its_own_ground() -> None:
    """What it received and resolved itself, for one of its own, crossed nothing; of any other it cannot be told."""
    roles = ("receiving_unit_id", "resolving_unit_id", "applicant_unit_id", "returning_unit_id")
    at = {"occurred_at": f"{FIRST_OF_NEW}T08:00"}
    for units, crosses_boundary, is_returned_elsewhere in (
        (("X", "X", "X", "X"), False, False),
        (("X", "Y", "X", "X"), None, None),
        (("X", "X", "Y", "Y"), None, None),
        (("X", "X", "ward1", "ward1"), None, None),
        (("ward1", "X", "ward1", "X"), None, False),
        (("X", "ward1", "X", "ward1"), None, False),
        (("ward1", "ward1", "X", "X"), None, None),
    ):
        dossier = dossier_of(GROUNDS, [], at | dict(zip(roles, units, strict=True)))
        found = dossier["is_cross_boundary"], dossier["is_returned_elsewhere"]
        assert found == (crosses_boundary, is_returned_elsewhere), units


@pytest.mark.parametrize(
    ("returned_by", "is_returned_elsewhere"),
    [("ward1", False), ("at-ward1", False), ("ward2", True), ("at-ward2", True), ("city", True), ("lost", None)],
)
def test_a_result_is_returned_elsewhere_on_another_ground_than_the_resolving_units(
    returned_by: str, is_returned_elsewhere: bool | None
) -> None:
    roles = {"receiving_unit_id": "commune1", "resolving_unit_id": "ward1", "returning_unit_id": returned_by}
    dossier = dossier_of(GROUNDS, [], {"occurred_at": f"{FIRST_OF_NEW}T08:00"} | roles)
    assert dossier["is_returned_elsewhere"] is is_returned_elsewhere


@pytest.mark.parametrize(("lived_on", "is_cross_boundary"), [(LAST_OF_OLD, None), (FIRST_OF_NEW, True)])
def test_who_lived_in_a_ward_on_the_day_a_part_of_it_went_lives_in_what_is_left(
    lived_on: str, is_cross_boundary: bool | None
) -> None:
    """Filed by somebody of A, received by B, which got a part of A on 1 July."""
    steps = (
        {"status": "submitted", "occurred_at": f"{lived_on}T08:00", "applicant_unit_id": "A"},
        {"status": "received", "occurred_at": "2025-09-01T08:00", "receiving_unit_id": "B", "resolving_unit_id": "B"},
    )
    assert crossing(NEIGHBOURS, [("A", "B", "2025-07-01", "part")], *steps) is is_cross_boundary


def test_a_result_meant_to_be_returned_where_a_part_went_from_since_cannot_be_told() -> None:
    """The returning unit stated first, before a part of it came to the one that resolves."""
    steps = (
        {"occurred_at": f"{LAST_OF_OLD}T08:00", "receiving_unit_id": "A", "returning_unit_id": "A"},
        {"occurred_at": f"{FIRST_OF_NEW}T16:00", "resolving_unit_id": "B"},
    )
    for extent, says in (("part", None), ("whole", False)):
        dossier = dossier_of(NEIGHBOURS, [("A", "B", "2025-07-01", extent)], *steps)
        assert dossier["is_returned_elsewhere"] is says


@pytest.mark.parametrize("role", ["receiving_unit_id", *ROLES])
def test_a_unit_named_twice_in_a_role_is_the_one_of_the_first_day(role: str) -> None:
    """The code meant another unit on the second day."""
    steps = ({"occurred_at": f"{on}T08:00", role: "TWICE"} for on in (LAST_OF_OLD, FIRST_OF_NEW))
    assert dossier_of(UNITS, [], *steps)[role.removesuffix("_id") + "_key"] == "TWICE@2020-01-01"


@pytest.mark.parametrize(
    ("status", "is_cross_boundary"), [("submitted", None), ("stopped", None), ("refused", True), ("received", True)]
)
def test_a_dossier_neither_received_nor_refused_crosses_no_boundary_yet(
    status: str, is_cross_boundary: bool | None
) -> None:
    units = {"receiving_unit_id": "A", "resolving_unit_id": "B", "applicant_unit_id": "A"}
    step = {"status": status, "occurred_at": "2025-09-01T08:00"} | units
    assert crossing(NEIGHBOURS, [], step) is is_cross_boundary
