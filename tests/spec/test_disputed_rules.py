"""Each disputed rule of docs/measures.md, measured by SQL and by the plain twin."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from shutil import rmtree
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from log_files import NOW, ZONE, Rows, Store, cells, mapping_of, write_csv
from twin.dossiers import CANONICAL, show_dossiers

from procmon.store.registry import seed_file
from tests.spec.cases import CASES, Case

CALENDAR = list(csv.DictReader(seed_file("calendar").open(encoding="utf-8")))


def rows_of(case: Case) -> list[dict[str, str]]:
    """The case's events as a canonical log of one dossier, with a procedure of its own."""
    return [event_row(line, str(CASES.index(case))) for line in case.events.strip().splitlines()]


def event_row(line: str, number: str) -> dict[str, str]:
    words = line.split()
    more = dict(word.split("=") for word in words if "=" in word)
    *when, status = [word for word in words if "=" not in word]
    stated = {"dossier_id": number, "procedure_id": number, "status": status, "occurred_at": " ".join(when)} | more
    return dict.fromkeys(CANONICAL, "") | stated


def registry_of(cases: Iterable[Case]) -> dict[str, Rows]:
    return {"calendar": CALENDAR, "procedures": [procedure_of(case) for case in cases]}


def procedure_of(case: Case) -> dict[str, str]:
    amount, _, unit = case.limit.partition(" ")
    return {
        "procedure_id": str(CASES.index(case)), "valid_from": "2020-01-01", "valid_to": "", "limit_amount": amount,
        "limit_unit": unit, "supplement": "", "payment": "", "late_receipt": "",
    } | dict(policy.split("=") for policy in case.policies.split())  # fmt: skip


def moment(case: Case) -> datetime:
    return datetime.fromisoformat(case.to or case.as_of).replace(tzinfo=ZoneInfo(ZONE))


@cache
def measured(zone: str, as_of: datetime, is_period_end: bool) -> dict[str, dict[str, str]]:
    """The dossiers of all cases of a zone as of an instant, by number: one log, as setting up costs most."""
    cases = [case for case in CASES if case.zone == zone]
    store = Store()
    log = write_csv(store.folder / "log.csv", [row for case in cases for row in rows_of(case)], CANONICAL)
    mapping = mapping_of().model_copy(update={"timezone": zone})
    assert store.ingest(log, mapping=mapping, exported_at=NOW).n_refused == 0
    dossiers = cells(store.dossiers(registry_of(cases), as_of, is_period_end=is_period_end))
    rmtree(store.folder)
    return {dossier["dossier_id"]: dossier for dossier in dossiers}


def by_sql(case: Case) -> Mapping[str, str]:
    return measured(case.zone, moment(case), bool(case.to))[str(CASES.index(case))]


def by_twin(case: Case) -> Mapping[str, str]:
    rows = [row | {"occurred_at": with_offset(row["occurred_at"], case.zone)} for row in rows_of(case)]
    instant: dict[str, Any] = {"to" if case.to else "as_of": moment(case)}
    (dossier,) = show_dossiers(rows, registry_of([case]), **instant)
    return dossier


def with_offset(text: str, zone: str) -> str:
    """A time of a foreign zone with its offset; one that its clock shows twice is the second."""
    if not zone:
        return text
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=1).isoformat()


def of_interest(case: Case, dossier: Mapping[str, str]) -> dict[str, str]:
    return {name: dossier[name] for name in case.expected}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_disputed_rule_is_measured_as_the_page_says(case: Case) -> None:
    assert of_interest(case, by_sql(case)) == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_plain_twin_says_the_same(case: Case) -> None:
    assert of_interest(case, by_twin(case)) == case.expected


def test_every_case_has_its_own_title() -> None:
    assert len({case.title for case in CASES}) == len(CASES)
