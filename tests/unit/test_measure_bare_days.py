"""Events known by their day only are counted, each once (rulebook 1)."""

from __future__ import annotations

from datetime import UTC, datetime

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
