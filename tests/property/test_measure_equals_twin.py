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
from twin.dossiers import CANONICAL, show_dossiers

EXAMPLES = int(os.environ.get("PROCMON_TESTS_EXAMPLES", "120"))
as_often_as_asked = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def new_store() -> Iterator[Store]:
    store = Store()
    try:
        yield store
    finally:
        shutil.rmtree(store.folder)


@as_often_as_asked
@given(strategies.cases(), st.booleans())
def test_show_dossiers_equals_the_plain_twin(case: strategies.Case, is_period_end: bool) -> None:
    with new_store() as store:
        taken = store.ingest_rows(case.event_rows, CANONICAL)
        assert taken.n_refused == 0
        ours = cells(store.dossiers(case.registry, case.as_of, is_period_end=is_period_end))
    instant: dict[str, Any] = {"to" if is_period_end else "as_of": case.as_of}
    assert ours == show_dossiers(case.event_rows, case.registry, **instant)
