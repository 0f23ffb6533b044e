"""The SQL measure against the plain twin, cell by cell, on logs in which every rule meets every other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_files import Store, cells
from twin import strategies
from twin.dossiers import CANONICAL, Dossier, measure_dossiers, show_dossiers

EXAMPLES = int(os.environ.get("PROCMON_TESTS_EXAMPLES", "100"))
as_often_as_asked = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def new_store() -> Iterator[Store]:
    store = Store()
    try:
        yield store
    finally:
        shutil.rmtree(store.folder)


@as_often_as_asked
@given(strategies.cases(7), st.booleans())
def test_show_dossiers_equals_the_plain_twin(case: strategies.Case, is_period_end: bool) -> None:
    with new_store() as store:
        taken = store.ingest_rows(case.event_rows, CANONICAL)
        assert taken.n_refused == 0
        ours = store.dossiers(case.registry, case.as_of, is_period_end=is_period_end)
    instant: dict[str, Any] = {"to" if is_period_end else "as_of": case.as_of}
    assert cells(ours) == show_dossiers(case.event_rows, case.registry, **instant)
    dossiers = measure_dossiers(case.event_rows, case.registry, **instant)
    assert ours.select(UNSHOWN).to_pylist() == [unshown(dossier) for dossier in dossiers]


UNSHOWN = [
    "registry_procedure_id",
    "calendar_id",
    "working_seconds",
    "paused_seconds",
    "last_status",
    "holding_unit_id",
    "refusal_reason",
]


def unshown(dossier: Dossier) -> dict[str, object]:
    """The columns UNSHOWN, which judge reads beside those that are shown, by the twin."""
    units = [event.unit_id for event in dossier.events if event.unit_id]
    reason = dossier.end.texts["reason"] if dossier.end and dossier.outcome == "refused" else ""
    return {
        "registry_procedure_id": dossier.registered_id or None,
        "calendar_id": dossier.calendar.calendar_id,
        "working_seconds": dossier.working_seconds,
        "paused_seconds": dossier.paused_seconds,
        "last_status": dossier.events[-1].status,
        "holding_unit_id": units[-1] if units else None,
        "refusal_reason": reason or None,
    }
