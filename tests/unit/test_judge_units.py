"""Units in time: who stands for a unit of then, and whose page a dossier is on (rulebook 8)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest
from judged import NO_BATCHES, City, midnight

from procmon.judge.units import Units
from procmon.measure.heirs import unit_heirs
from procmon.tables import Period

JUNE, JULY, LATER = date(2025, 6, 30), date(2025, 7, 1), date(2026, 1, 1)
NEVER = date(9999, 12, 31)


def units(*successions: tuple[str, str, str]) -> Units:
    """Old codes A, B, C until 1 July 2025; new N, M, and B used again; X known on no day."""
    known = [("A", date(2000, 1, 1), JULY), ("B", date(2000, 1, 1), JULY), ("C", date(2000, 1, 1), JULY)]
    known += [("N", JULY, NEVER), ("M", JULY, NEVER), ("B", JULY, NEVER), ("Z", LATER, NEVER)]
    versions = pa.table(
        {
            "unit_id": [code for code, _, _ in known],
            "valid_from": [first for _, first, _ in known],
            "ends_on": [last for _, _, last in known],
            "unit_key": [f"{code}@{first}" for code, first, _ in known],
            "name": [f"Phường {code} {first.year}" for code, first, _ in known],
        }
    )
    rows = [
        {"old_unit_id": old, "new_unit_id": new, "effective_on": LATER if new == "Z" else JULY, "extent": extent}
        for old, new, extent in successions
    ]
    columns = ("old_unit_id", "new_unit_id", "effective_on", "extent")
    table = pa.table({name: [row[name] for row in rows] for name in columns})
    return Units(versions, unit_heirs(versions, table))


def test_a_code_used_again_is_another_unit() -> None:
    found = units(("A", "B", "whole"))
    assert found.key("B", JUNE) == "B@2000-01-01"
    assert found.key("B", JULY) == "B@2025-07-01"
    assert found.heirs(JULY) == {"A@2000-01-01": "B@2025-07-01"}
    assert found.said("B@2025-07-01", JULY) == "B"
    assert found.said("B@2000-01-01", JULY) == "B@2000-01-01"
    assert found.name("B@2000-01-01") == "Phường B 2000"


def test_a_split_unit_is_never_guessed() -> None:
    assert units(("A", "N", "part"), ("A", "M", "part")).heirs(JULY) == {}
    assert units(("A", "N", "part")).heirs(JULY) == {}
    assert units(("A", "N", "whole"), ("A", "M", "whole")).heirs(JULY) == {}


def test_a_unit_stands_for_itself_until_the_day_it_is_taken_over() -> None:
    found = units(("A", "N", "whole"), ("B", "N", "whole"))
    assert found.heirs(JUNE) == {}
    assert found.heirs(JULY) == {"A@2000-01-01": "N@2025-07-01", "B@2000-01-01": "N@2025-07-01"}


def test_successions_are_followed_to_the_last() -> None:
    found = units(("A", "N", "whole"), ("N", "Z", "whole"))
    assert found.heirs(JULY) == {"A@2000-01-01": "N@2025-07-01"}
    assert found.heirs(LATER) == dict.fromkeys(("A@2000-01-01", "N@2025-07-01"), "Z@2026-01-01")


def test_an_unknown_unit_has_a_key_of_its_own() -> None:
    assert units().key("X", JULY) == "X@"
    assert units().name("X@") == ""
    assert units().said("X@", JULY) == "X"


# ---- on pages

UNITS = [
    {"unit_id": "CITY", "name": "Thành phố", "kind": "city", "valid_from": "2000-01-01"},
    {"unit_id": "W", "name": "Phường cũ", "kind": "ward", "valid_from": "2000-01-01", "valid_to": "2025-07-01"},
    {"unit_id": "N", "name": "Phường mới", "kind": "ward", "valid_from": "2025-07-01"},
]
SUCCESSION = {"old_unit_id": "W", "new_unit_id": "N", "effective_on": "2025-07-01", "extent": "whole"}
PROCEDURES = [
    {"procedure_id": "1.001", "name": "Một", "field": "Đất đai", "level": "commune", "limit_amount": "3",
     "limit_unit": "working_days", "valid_from": "2024-01-01", "valid_to": "2025-07-01"},
    {"procedure_id": "1.001", "name": "Một", "field": "Hộ tịch", "level": "commune", "limit_amount": "2",
     "limit_unit": "working_days", "valid_from": "2025-07-01"},
]  # fmt: skip


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    city = City({"procedures": PROCEDURES, "units": UNITS, "successions": [SUCCESSION]})
    rows = []
    for year, unit in (("2024", "W"), ("2025", "W")):
        for n in range(6):
            for status, at in (("received", "04-07T08:00"), ("finished", f"04-08T{9 + n % 2}:00")):
                rows.append(
                    {"dossier_id": f"{year}-{n}", "procedure_id": "1.001", "status": status, "unit_id": unit,
                     "occurred_at": f"{year}-{at}".replace("T9", "T09"), "resolving_unit_id": unit}
                )  # fmt: skip
    city.store.ingest_rows(rows)
    yield city
    shutil.rmtree(city.store.folder)


@pytest.mark.parametrize(
    ("to", "side", "scope_id", "n"),
    [
        (date(2025, 5, 1), "resolving", "W", (6, 6)),  # a month before the merger is the old unit's
        (date(2025, 5, 1), "receiving", "W", (6, 6)),
        (date(2025, 5, 1), "resolving", "N", (0, 0)),
        (date(2026, 1, 1), "resolving", "N", (6, 6)),  # afterwards the new one has the old one's past
        (date(2026, 1, 1), "receiving", "N", (6, 6)),
        (date(2026, 1, 1), "resolving", "W", (0, 0)),
        (date(2025, 5, 1), "field", "Đất đai", (6, 6)),  # a procedure goes with its field of the period's last day
        (date(2026, 1, 1), "field", "Hộ tịch", (6, 6)),
        (date(2026, 1, 1), "field", "Đất đai", (0, 0)),
    ],
)
def test_both_sides_of_a_page_are_of_the_same_unit_or_field(
    city: City, to: date, side: str, scope_id: str, n: tuple[int, int]
) -> None:
    as_of = midnight(to)
    question = city.question(as_of, Period(date(2025, 1, 1), to), side=side, scope_id=scope_id)  # type: ignore[arg-type]
    with city.judge(as_of) as judge:
        row = judge.tables(question, batches=NO_BATCHES)["reductions"].to_pylist()[0]
    assert (row["scope_id"], row["n_baseline"], row["n_period"]) == (scope_id, *n)
