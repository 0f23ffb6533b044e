"""Days that figures stand on: of events known by their day only, and of a receipt told twice (rulebook 1, 3)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from log_files import Store


def test_an_event_known_by_its_day_is_counted_once_however_often_it_is_amended() -> None:
    received = {
        "dossier_id": "1", "procedure_id": "1.001", "status": "received", "occurred_at": "2025-03-03", "channel": "",
    }  # fmt: skip
    finished = received | {"status": "finished", "occurred_at": "2025-03-04T09:00"}
    store = Store()
    store.ingest_rows([received, received | {"channel": "post"}, finished, finished | {"dossier_id": "2"}])
    dossiers = store.dossiers({}, datetime(2025, 8, 1, tzinfo=UTC)).to_pylist()
    assert {row["dossier_id"]: row["n_bare_days"] for row in dossiers} == {"1": 1, "2": 0}


def test_a_dossier_received_twice_was_received_on_the_first_day() -> None:
    received = {"dossier_id": "1", "procedure_id": "1.001", "status": "received", "occurred_at": "2025-03-03T08:00"}
    store = Store()
    store.ingest_rows([received, received | {"occurred_at": "2025-03-05T08:00"}])
    (dossier,) = store.dossiers({}, datetime(2025, 8, 1, tzinfo=UTC)).to_pylist()
    assert dossier["received_on"] == date(2025, 3, 3)
