"""Boundaries beyond the verdict: proof by day, list and practice, reasons, roles, flows, units in time (rulebook 8)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from judged import NO_BATCHES, YEAR_2025, City, midnight

from procmon.config import PolicySettings
from procmon.judge import Judge
from procmon.judge.boundaries import month_ends
from procmon.judge.form_06 import UNIT_COLUMNS
from procmon.tables import UNDETERMINED, Period

JULY = "2025-07-01"
PROCEDURES = [
    {"procedure_id": code, "name": f"Thủ tục {code}", "field": field, "level": "commune", "limit_amount": "3",
     "limit_unit": "working_days", "valid_from": "2024-01-01"}
    for code, field in (("1.001", "Hộ tịch"), ("1.002", "Hộ tịch"), ("1.003", "Đất đai"))
]  # fmt: skip
UNITS = [
    {"unit_id": code, "name": f"{kind} {code}", "kind": kind, "parent_unit_id": parent, "valid_from": "2020-01-01"}
    for code, kind, parent in (
        ("CITY", "city", ""), ("DEPT", "department", "CITY"), ("CC", "centre", "CITY"), ("W1", "ward", "CITY"),
        ("W2", "ward", "CITY"), ("W3", "ward", "CITY"), ("C1", "centre", "W1"),
    )
]  # fmt: skip
Rows = list[dict[str, str]]


def dossier(code: str, *, on: str, procedure: str = "1.001", last: str = "finished", until: str = "", reason: str = "",
            **roles: str) -> Rows:  # fmt: skip
    """A dossier received at W1 for W2, where its applicant lives, on a day and ended then or on `until`."""
    said = {"receiving_unit_id": "W1", "resolving_unit_id": "W2", "applicant_unit_id": "W2", "unit_id": ""} | roles
    first = {"dossier_id": code, "procedure_id": procedure, "status": "received", "occurred_at": f"{on}T08:00",
             "reason": "", "channel": roles.get("channel", "")} | said  # fmt: skip
    end = first | {"status": last, "occurred_at": f"{until or on}T10:00", "reason": reason}
    return [first] if last == "pending" else [first, end]


@contextmanager
def judging(rows: Rows, as_of: date, **registry: Sequence[Mapping[str, str]]) -> Iterator[tuple[City, Judge]]:
    city = City({"procedures": PROCEDURES, "units": UNITS, **registry}, has_baseline=False)
    try:
        city.store.ingest_rows(rows)
        with city.judge(midnight(as_of)) as judge:
            yield city, judge
    finally:
        shutil.rmtree(city.store.folder)


def tables(rows: Rows, as_of: date = YEAR_2025.to, side: str = "all", scope_id: str = "", **registry: Any) -> Any:
    with judging(rows, as_of, **registry) as (city, judge):
        question = city.question(midnight(as_of), YEAR_2025, side=side, scope_id=scope_id)  # type: ignore[arg-type]
        found = judge.tables(question, batches=NO_BATCHES)
    return {name: table.to_pylist() for name, table in found.items()}


def row_of(found: Any, procedure: str) -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in found["boundaries"] if row["procedure_id"] == procedure)
    return row


# ---- the day of the proof


PROOF = [
    *dossier("1", on="2025-09-01"), *dossier("2", on="2025-09-02"), *dossier("3", on="2025-09-03"),
    *dossier("4", on="2025-09-04", until="2025-10-20"),
    *dossier("5", on="2025-09-05", until="2025-10-07", receiving_unit_id="W3"),
    *dossier("6", on="2025-09-08", until="2025-10-09"),
]  # fmt: skip


def test_a_procedure_is_proven_on_the_day_on_which_its_last_needed_dossier_had_ended() -> None:
    """The fifth to end is 6, on 9 October; by then 5 has brought the second unit."""
    row = row_of(tables(PROOF), "1.001")
    assert (row["verdict"], row["first_proven_on"], row["why"]) == ("proven", date(2025, 10, 9), "")


def test_the_fifth_dossier_waits_for_the_second_unit() -> None:
    late = [row | {"occurred_at": row["occurred_at"].replace("10-07", "11-03")} for row in PROOF]
    assert row_of(tables(late), "1.001")["first_proven_on"] == date(2025, 11, 3)


def test_the_day_is_that_of_the_end_not_of_the_receipt() -> None:
    assert row_of(tables(PROOF[:-2]), "1.001")["first_proven_on"] == date(2025, 10, 20)


def test_what_is_not_proven_has_no_day() -> None:
    few = row_of(tables(PROOF[:-4]), "1.001")
    assert (few["verdict"], few["first_proven_on"], few["why"]) == ("local_only", None, "few_finished")


ONE_UNIT = [row for n in range(6) for row in dossier(f"u{n}", on="2025-09-01")]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no_dossiers"),
        (dossier("o", on="2025-09-01", channel="online"), "only_online"),
        (dossier("l", on="2025-09-01", receiving_unit_id="W2"), "none_crossed"),
        (ONE_UNIT, "few_units"),
        ([*PROOF, *dossier("r", on="2025-09-01", last="refused", reason="not_competent")], "refused"),
        (dossier("a", on="2025-09-01", receiving_unit_id="", resolving_unit_id="W1"), "without_receiving_unit"),
        (dossier("b", on="2025-09-01", resolving_unit_id="", applicant_unit_id="W1"), "without_resolving_unit"),
        (dossier("c", on="2025-09-01", resolving_unit_id="W1", applicant_unit_id=""), "without_applicant_unit"),
        (dossier("d", on="2025-09-01", resolving_unit_id="X", applicant_unit_id="W1"), "unknown_unit"),
        # Of several missing roles the most frequent one is named.
        ([*dossier("e", on="2025-09-01", resolving_unit_id="W1", applicant_unit_id=""),
          *dossier("f", on="2025-09-01", resolving_unit_id="", applicant_unit_id=""),
          *dossier("g", on="2025-09-01", resolving_unit_id="", applicant_unit_id="")], "without_resolving_unit"),
    ],
)  # fmt: skip
def test_an_announced_procedure_that_is_not_proven_says_why(rows: Rows, why: str) -> None:
    """Another procedure's dossier keeps the log from being empty."""
    announced = [{"procedure_id": "1.001", "announced_on": JULY}]
    found = tables([*rows, *dossier("z", on="2025-09-01", procedure="1.003")], announced=announced)
    row = row_of(found, "1.001")
    assert (row["difference"], row["why"]) == ("announced_not_proven", why)


# ---- list and practice, level, field, month


def test_the_list_and_the_practice_differ_both_ways() -> None:
    """The list is read as it stands on the day: 1.001 was struck off in November."""
    announced = [
        {"procedure_id": "1.001", "announced_on": JULY, "valid_to": "2025-11-01"},
        {"procedure_id": "1.002", "announced_on": JULY},
    ]
    found = tables(PROOF, announced=announced)
    assert [(row["procedure_id"], row["difference"]) for row in found["boundaries"]] == [
        ("1.001", "proven_not_announced"), ("1.002", "announced_not_proven"), ("1.003", ""),
    ]  # fmt: skip
    shares = {(row["scope"], row["scope_id"]): row for row in found["boundary_shares"]}
    city = shares["city", ""]
    assert (city["n_on_offer"], city["n_announced"], city["n_proven"]) == (3, 1, 1)
    assert (city["n_announced_not_proven"], city["n_proven_not_announced"]) == (1, 1)
    assert city["proven"] == pytest.approx(1 / 3)
    assert (shares["field", "Hộ tịch"]["n_proven"], shares["field", "Hộ tịch"]["n_on_offer"]) == (1, 2)
    assert (shares["field", "Đất đai"]["n_proven"], shares["level", "commune"]["n_on_offer"]) == (0, 3)
    months = {name: row for (scope, name), row in shares.items() if scope == "month"}
    assert [months[name]["n_announced"] for name in ("2025-06", "2025-07", "2025-10", "2025-11")] == [0, 2, 2, 1]
    assert [months[name]["n_proven"] for name in ("2025-09", "2025-10", "2025-12")] == [0, 1, 1]
    assert {key: value for key, value in months["2025-12"].items() if key not in ("scope", "scope_id")} == {
        key: value for key, value in city.items() if key not in ("scope", "scope_id")
    }


def test_a_months_end_is_what_one_who_asked_then_would_have_been_told() -> None:
    """So long as nothing came late and nothing was reopened."""
    refused = dossier("r", on="2025-09-05", procedure="1.002", last="refused", until="2025-11-05")
    refused = [row | {"reason": "not_competent"} for row in refused]
    rows = [*PROOF, *refused, *dossier("o", on="2024-11-20", procedure="1.003", channel="online")]
    announced = [{"procedure_id": "1.003", "announced_on": "2025-10-15"}]
    found = tables(rows, announced=announced)
    months = {row["scope_id"]: row for row in found["boundary_shares"] if row["scope"] == "month"}
    assert len(months) == 12
    for year, month in ((2025, 10), (2025, 11), (2025, 12)):
        asked = tables(rows, date(year, month, 1), announced=announced)["boundary_shares"][0]
        name = f"{date(year, month - 1, 1):%Y-%m}"
        assert {**months[name], "scope": "city", "scope_id": ""} == asked


def test_a_share_of_what_no_dossier_tells_is_empty() -> None:
    """The list stands since July, the first dossier came in September: August proves nothing and refutes nothing."""
    announced = [{"procedure_id": "1.001", "announced_on": JULY}]
    found = tables(dossier("a", on="2025-09-10", procedure="1.002"), announced=announced)
    shares = {row["scope_id"]: row for row in found["boundary_shares"] if row["scope"] == "month"}
    august, september = shares["2025-08"], shares["2025-09"]
    assert (august["n_told"], august["announced"], august["proven"]) == (0, pytest.approx(1 / 3), None)
    assert (august["refused_elsewhere"], august["data_from"]) == (None, None)
    assert (september["n_told"], september["proven"], september["refused_elsewhere"]) == (1, 0, 0)
    assert (september["window_from"], september["data_from"]) == (date(2024, 10, 1), date(2025, 9, 10))


def test_months_end_with_the_last_one_that_is_over() -> None:
    city = City({})
    for as_of, newest in ((date(2026, 1, 1), date(2025, 12, 31)), (date(2025, 12, 31), date(2025, 11, 30))):
        days = month_ends(city.question(midnight(as_of), YEAR_2025))["day"].to_pylist()
        assert (days[0], len(days)) == (newest, 12)
    shutil.rmtree(city.store.folder)


# ---- refusals and roles


def test_every_reason_of_a_cross_boundary_refusal_is_counted() -> None:
    rows = [
        *dossier("1", on="2025-09-01", last="refused", reason="not_competent"),
        *dossier("2", on="2025-09-01", last="refused", reason="thiếu giấy tờ"),
        *dossier("3", on="2025-09-02", last="refused", reason="thiếu giấy tờ"),
        *dossier("4", on="2025-09-02", last="refused"),
        *dossier("5", on="2025-09-02", last="refused", reason="at home", receiving_unit_id="W2"),
        *dossier("6", on="2025-09-02", last="refused", reason="thiếu giấy tờ")[1:],  # at reception
    ]
    found = tables(rows)
    assert [(row["reason"], row["n"], row["n_at_reception"]) for row in found["boundary_refusals"]] == [
        ("thiếu giấy tờ", 3, 1), ("", 1, 0), ("not_competent", 1, 0),
    ]  # fmt: skip
    row = row_of(found, "1.001")
    assert (row["n_cross_refused"], row["n_refused_elsewhere"], row["why"]) == (5, 1, "refused")


def test_a_role_that_the_log_lacks_says_what_it_makes_unanswerable() -> None:
    rows = [
        *dossier("1", on="2025-09-01", returning_unit_id="W1"),
        *dossier("2", on="2025-09-01", resolving_unit_id=""),  # the applicant lives elsewhere: it can be told
        *dossier("3", on="2025-09-01", resolving_unit_id="", applicant_unit_id="W1"),
        *dossier("4", on="2025-09-01", resolving_unit_id="W1", applicant_unit_id="X", last="pending"),
        *dossier("5", on="2025-09-01", channel="online", resolving_unit_id="", receiving_unit_id=""),
    ]
    roles = {row.pop("role"): row for row in tables(rows)["roles"]}
    counts = ("n_dossiers", "n_missing", "n_unknown", "n_unanswerable")
    assert {role: tuple(row[name] for name in counts) for role, row in roles.items()} == {
        "receiving": (4, 0, 0, 0), "resolving": (4, 2, 0, 1), "applicant": (4, 0, 1, 0), "returning": (4, 3, 0, 3),
    }  # fmt: skip


# ---- flows


def test_flows_tell_from_where_to_where_and_of_a_unit_both_ways() -> None:
    rows = [
        *dossier("1", on="2025-09-01"), *dossier("2", on="2025-09-01", last="refused"),
        *dossier("3", on="2025-09-01", receiving_unit_id="W2"),
        *dossier("4", on="2025-09-01", receiving_unit_id="C1", resolving_unit_id="W1", applicant_unit_id="W3"),
        *dossier("5", on="2025-09-01", receiving_unit_id="W3", resolving_unit_id="W1", applicant_unit_id="W1"),
        *dossier("6", on="2025-09-01", channel="online"),
        *dossier("7", on="2025-09-01", receiving_unit_id="W3", applicant_unit_id="", last="pending"),
    ]  # fmt: skip
    names = ("receiving_unit_id", "resolving_unit_id", "applicant_unit_id", "is_cross_boundary", "n", "n_finished",
             "n_refused")  # fmt: skip
    flows = tables(rows)["flows"]
    assert [tuple(row[name] for name in names) for row in flows] == [
        ("W1", "W2", "W2", True, 2, 1, 1),
        ("C1", "W1", "W3", True, 1, 1, 0),
        ("W2", "W2", "W2", False, 1, 1, 0),
        ("W3", "W1", "W1", True, 1, 1, 0),
        ("W3", "W2", "", True, 1, 0, 0),
    ]
    assert {row["direction"] for row in flows} == {""}
    assert (flows[0]["receiving_name"], flows[4]["applicant_name"]) == ("ward W1", "")
    for side, home in (("receiving", "W1"), ("receiving", "C1"), ("resolving", "W1")):
        own = tables(rows, side=side, scope_id=home)["flows"]
        assert [(row["receiving_unit_id"], row["n"], row["direction"]) for row in own] == [
            ("W1", 2, "for_others"), ("C1", 1, "for_others"), ("W3", 1, "by_others"),
        ]  # fmt: skip


# ---- units in time: 2024 by old codes, 2025 by new ones, one code in both

OLD = {"valid_from": "2000-01-01", "valid_to": JULY}
WARDS = [
    *({"unit_id": code, "name": f"cũ {code}", "kind": "ward"} | OLD for code in ("10525", "10528", "10531", "10534")),
    {"unit_id": "299", "name": "huyện", "kind": "district"} | OLD,
    *({"unit_id": code, "name": f"mới {code}", "kind": "ward", "valid_from": JULY} for code in ("10525", "10540")),
]
SUCCESSIONS = [
    {"old_unit_id": old, "new_unit_id": new, "effective_on": JULY, "extent": extent, "weight": weight}
    for old, new, extent, weight in (
        ("10525", "10540", "whole", ""),  # the code 10525 is another ward's afterwards
        ("10528", "10525", "whole", ""),
        ("10531", "10525", "part", "0.75"),
        ("10531", "10540", "part", "0.25"),
        ("10534", "10540", "whole", ""),
    )
]
HELD = {"10525": 7, "10528": 11, "10531": 8, "10534": 5, "299": 6}  # dossiers of 2024, by old code
HELD_NOW = {"10525": 13, "10540": 17}
LEFT_OVER = 8  # dossiers of spring 2025 of the split ward


def two_years() -> Rows:
    rows: Rows = []
    for on, held in (("2024-09-02", HELD), ("2025-09-02", HELD_NOW), ("2025-04-01", {"10531": LEFT_OVER})):
        for unit, n in held.items():
            for i in range(n):
                roles = dict.fromkeys(("receiving_unit_id", "resolving_unit_id", "applicant_unit_id"), unit)
                until = on.replace("-02", f"-0{3 + i % 2}").replace("04-01", "04-02")
                rows += dossier(f"{on}-{unit}-{i}", on=on, until=until, **roles)
    return rows


@pytest.fixture(scope="module")
def reform() -> Iterator[tuple[City, dict[str, Any]]]:
    city = City({"procedures": PROCEDURES, "units": WARDS, "successions": SUCCESSIONS})
    city.store.ingest_rows(two_years())
    as_of = midnight(YEAR_2025.to)
    with city.judge(as_of) as judge:
        question = city.question(as_of, YEAR_2025)
        found = {name: table.to_pylist() for name, table in judge.tables(question, batches=NO_BATCHES).items()}
        found["form_06_units"] = judge.form_06_by_unit(question, "unit").to_pylist()
    yield city, found
    shutil.rmtree(city.store.folder)


def test_no_dossier_of_an_old_unit_counts_for_a_new_one_of_the_same_code(reform: Any) -> None:
    _, found = reform
    rows = {row["scope_id"]: row for row in found["reductions"] if row["scope"] == "unit"}
    assert {code: (row["n_baseline"], row["n_period"]) for code, row in rows.items()} == {
        "10525": (11, 13),  # the old 10528
        "10540": (7 + 5, 17),  # the old 10525 and 10534
        UNDETERMINED: (8 + 6, LEFT_OVER),
    }
    assert rows["10525"]["name"] == "mới 10525"


def test_the_units_add_up_to_the_city_in_both_years(reform: Any) -> None:
    city, found = reform
    assert found["reductions"][0]["scope"] == "city"
    for name, n in (("n_baseline", sum(HELD.values())), ("n_period", sum(HELD_NOW.values()) + LEFT_OVER)):
        assert found["reductions"][0][name] == n
        assert sum(row[name] for row in found["reductions"] if row["scope"] == "unit") == n
    strict = [row for row in found["on_time"] if row["rule_set"] == "strict"]
    assert sum(row["n_dossiers"] for row in strict if row["scope"] == "unit") == strict[0]["n_dossiers"]
    received = {row["unit_id"]: row["received"] for row in found["form_06_units"]}
    assert received == {"10525": 13, "10540": 17, UNDETERMINED: LEFT_OVER}
    year = Period(date(2024, 1, 1), date(2025, 1, 1), "2024")
    with city.judge(midnight(year.to)) as judge:  # as of its own end 2024 is told by its own units
        question = city.question(midnight(year.to), year)
        for by in UNIT_COLUMNS:
            then = judge.form_06_by_unit(question, by).to_pylist()
            assert {row["unit_id"]: row["received"] for row in then} == HELD


def test_what_is_undetermined_is_shown_by_its_old_unit(reform: Any) -> None:
    _, found = reform
    names = ("unit_key", "why", "n_baseline", "n_period", "heir_unit_id", "share", "n_baseline_shared")
    assert [tuple(row[name] for name in names) for row in found["undetermined_units"]] == [
        ("10531@2000-01-01", "split", 8, LEFT_OVER, "10525", None, None),
        ("10531@2000-01-01", "split", 8, LEFT_OVER, "10540", None, None),
        ("299@2000-01-01", "no_successor", 6, 0, "", None, None),
    ]


def test_weights_share_out_what_was_split_and_change_no_other_table(reform: Any) -> None:
    city, before = reform
    weighed = replace(city, policies=PolicySettings(split_units="weights"))
    as_of = midnight(YEAR_2025.to)
    with weighed.judge(as_of) as judge:
        question = weighed.question(as_of, YEAR_2025)
        found = {name: table.to_pylist() for name, table in judge.tables(question, batches=NO_BATCHES).items()}
    names = ("unit_key", "heir_unit_id", "share", "n_baseline_shared", "n_period_shared")
    assert [tuple(row[name] for name in names) for row in found.pop("undetermined_units")] == [
        ("10531@2000-01-01", "10525", 0.75, 6, 6),
        ("10531@2000-01-01", "10540", 0.25, 2, 2),
        ("299@2000-01-01", "", None, None, None),
    ]
    assert found == {name: before[name] for name in found}


def test_nothing_crosses_a_boundary_for_a_code_used_again(reform: Any) -> None:
    _, found = reform
    assert [row["is_cross_boundary"] for row in found["flows"]] == [False] * len(found["flows"])
    by_code = {row["receiving_unit_id"]: row["n"] for row in found["flows"]}
    assert by_code == {"10525": 13, "10540": 17, UNDETERMINED: LEFT_OVER}


# ---- one counter is one, however often it was renamed

RENAMED = [
    *UNITS,
    {"unit_id": "C1", "name": "renamed", "kind": "centre", "parent_unit_id": "W1", "valid_from": "2025-09-05"},
    {"unit_id": "V1", "name": "old ward", "kind": "ward", "valid_from": "2020-01-01", "valid_to": "2025-09-05"},
    {"unit_id": "V2", "name": "old ward", "kind": "ward", "valid_from": "2020-01-01", "valid_to": "2025-09-05"},
    {"unit_id": "N1", "name": "new ward", "kind": "ward", "valid_from": "2025-09-05"},
]  # fmt: skip
TAKEN_OVER = [
    {"old_unit_id": old, "new_unit_id": "N1", "effective_on": "2025-09-05", "extent": "whole"} for old in ("V1", "V2")
]


@pytest.mark.parametrize(
    ("before", "after", "n_units", "first_proven_on"),
    [
        ("C1", "C1", 1, None),  # a renamed centre
        ("V1", "N1", 1, None),  # a ward and the one that took it over whole
        ("V1", "V2", 1, None),  # both are one by now: received at V2 before, as V1
        ("V1", "W3", 2, date(2025, 9, 8)),
    ],
)
def test_units_that_are_one_today_prove_as_one(
    before: str, after: str, n_units: int, first_proven_on: date | None
) -> None:
    days = ["2025-09-01"] * 4 + ["2025-09-08" if after != "V2" else "2025-09-02"] * 2
    rows = [
        row
        for n, day in enumerate(days)
        for row in dossier(f"{n}", on=day, receiving_unit_id=before if n < 4 else after)
    ]
    found = tables(rows, units=RENAMED, successions=TAKEN_OVER)
    row = row_of(found, "1.001")
    assert (row["n_cross_finished"], row["n_receiving_units"], row["first_proven_on"]) == (6, n_units, first_proven_on)
    assert row["verdict"] == ("proven" if n_units == 2 else "local_only")
    proven = {share["scope_id"]: share["n_proven"] for share in found["boundary_shares"] if share["scope"] == "month"}
    assert proven["2025-12"] == n_units - 1


@pytest.mark.parametrize(
    ("listed", "announced"),
    [
        ("1.001.000.00.00.H24", {"1.001"}),  # the registry knows its national part
        ("1.002.000.00.00.H24", {"1.002.000.00.00.H24"}),  # it knows the code itself
        ("1.009.000.00.00.H24", set()),  # it knows neither
    ],
)
def test_the_announced_list_finds_its_procedures_as_a_dossier_does(listed: str, announced: set[str]) -> None:
    procedures = [*PROCEDURES, PROCEDURES[1] | {"procedure_id": "1.002.000.00.00.H24"}]
    found = tables(PROOF, procedures=procedures, announced=[{"procedure_id": listed, "announced_on": JULY}])
    assert {row["procedure_id"] for row in found["boundaries"] if row["is_announced"]} == announced
    assert found["boundary_shares"][0]["n_announced"] == len(announced)


# ---- who holds a dossier


@pytest.mark.parametrize(
    ("before", "after", "n_handovers"),
    [
        ("V1", "V1", 1),  # the code is another ward's by then
        ("V1", "N1", 0),  # the ward that took it over whole
        ("V1", "W3", 1),
        ("W3", "W3", 0),
        ("X", "X", 0),  # nobody knows it
    ],
)
def test_a_dossier_changes_hands_between_units_not_between_codes(before: str, after: str, n_handovers: int) -> None:
    units = [*RENAMED, {"unit_id": "V1", "name": "by a code used again", "kind": "ward", "valid_from": "2025-09-05"}]
    rows: Rows = []
    for n in range(40):
        first, last = dossier(f"{n}", on="2025-09-01", until="2025-09-08", receiving_unit_id="W1" if n % 2 else "W2")
        rows += [first | {"unit_id": before}, last | {"unit_id": after}]
    found = tables(rows, units=units, successions=TAKEN_OVER)
    row = next(row for row in found["parity"] if (row["scope_id"], row["measure"]) == ("", "handovers"))
    assert (row["cross_value"], row["local_value"]) == (n_handovers, n_handovers)
