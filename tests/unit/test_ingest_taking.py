"""Repeats, amendments and references: what a batch brings against what the lake holds (rulebook 1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from log_files import Store, cells

from procmon.ingest.take import Taken

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def row(status: str = "received", at: str = "2025-03-03T08:00", **cells: str) -> dict[str, str]:
    empty = dict.fromkeys(("unit_id", "due_at", "channel", "stage", "reason", "recorded_at"), "")
    return empty | {"dossier_id": "1", "status": status, "occurred_at": at, "procedure_id": "p"} | cells


def counts(taken: Taken) -> dict[str, int]:
    """What is not zero."""
    found = {name: getattr(taken, f"n_{name}") for name in ("stored", "repeated", "amended", "refused")}
    assert taken.n_read == sum(found.values())
    return {name: n for name, n in found.items() if n}


def shown(store: Store) -> list[dict[str, str]]:
    return cells(store.dossiers({}, AS_OF))


def references(taken: Taken) -> list[tuple[int, int]]:
    rows: list[dict[str, Any]] = taken.events.to_pylist()
    return [(e["repeat_of_batch"], e["repeat_of_row"]) for e in rows if e["repeat_of_batch"] is not None]


# ---- within a file


def test_a_repeat_in_the_file_is_counted_and_stored_once(store: Store) -> None:
    taken = store.ingest_rows([row(), row(), row("finished", "2025-03-04T08:00"), row()])
    assert counts(taken) == {"stored": 2, "repeated": 2}
    assert taken.events.num_rows == 2


def test_the_earliest_record_of_a_repeat_stands(store: Store) -> None:
    days = ("2025-03-05T08:00", "2025-03-04T08:00", "2025-03-06T08:00")
    taken = store.ingest_rows([row(recorded_at=day) for day in days])
    assert counts(taken) == {"stored": 1, "repeated": 2}
    assert taken.events["recorded_at"].to_pylist() == [datetime(2025, 3, 4, 1, tzinfo=UTC)]


def test_the_same_instant_written_otherwise_is_a_repeat(store: Store) -> None:
    same = ["2025-03-03T08:00", "2025-03-03 08:00:00", "2025-03-03T01:00Z", "2025-03-03T08:00:00.000+07:00"]
    assert counts(store.ingest_rows([row(at=text) for text in same])) == {"stored": 1, "repeated": 3}


def test_a_day_is_not_the_instant_that_it_will_mean(store: Store) -> None:
    assert counts(store.ingest_rows([row(at="2025-03-03"), row(at="2025-03-03T07:30")])) == {"stored": 2}


def test_the_same_event_with_more_said_amends_it(store: Store) -> None:
    taken = store.ingest_rows([row(), row(reason="x"), row(channel="post"), row(reason="x")])
    assert counts(taken) == {"stored": 1, "amended": 2, "repeated": 1}
    assert taken.events.num_rows == 3


@pytest.mark.parametrize("other", [{"unit_id": "u"}, {"stage": "s"}, {"due_at": "2025-03-05"}])
def test_another_unit_stage_or_due_date_is_another_event(store: Store, other: dict[str, str]) -> None:
    assert counts(store.ingest_rows([row(), row(**other)])) == {"stored": 2}


# ---- against the lake


def test_the_same_file_twice_stores_references_only(store: Store) -> None:
    rows = [row(), row("finished", "2025-03-04T08:00")]
    store.ingest_rows(rows)
    before = shown(store)
    again = store.ingest_rows(rows)
    assert counts(again) == {"repeated": 2}
    assert references(again) == [(1, 2), (1, 3)]
    assert again.events["dossier_id"].null_count == 2
    assert shown(store) == before


def test_a_third_batch_refers_to_the_row_itself_and_not_to_a_reference(store: Store) -> None:
    taken = [store.ingest_rows([row()]) for _ in range(3)]
    assert [references(batch) for batch in taken] == [[], [(1, 2)], [(1, 2)]]


def test_a_later_batch_amends_an_event_of_an_earlier(store: Store) -> None:
    store.ingest_rows([row()])
    assert counts(store.ingest_rows([row(channel="online")])) == {"amended": 1}
    assert [dossier["channel"] for dossier in shown(store)] == ["online"]


def test_an_earlier_record_is_kept_with_the_reference(store: Store) -> None:
    store.ingest_rows([row(recorded_at="2025-03-05T08:00")])
    kept = [
        store.ingest_rows([row(recorded_at=day)]).events["recorded_at"][0].as_py()
        for day in ("2025-03-06T08:00", "2025-03-04T08:00")
    ]
    assert kept == [None, datetime(2025, 3, 4, 1, tzinfo=UTC)]


def test_a_batch_that_never_was_done_is_not_there(store: Store) -> None:
    store.ingest_rows([row()])
    store.live.remove(1)
    (store.folder / "1.parquet").rename(store.folder / "2.parquet")
    store.done[:] = [2]  # the ledger lists another batch; the rows of 1 are an interrupted one's
    taken = store.take_rows([row()], batch=3)
    assert counts(taken) == {"stored": 1}
    assert references(taken) == []


# ---- retracted batches


def test_a_retracted_batch_counts_no_more_and_counts_again_when_restored(store: Store) -> None:
    store.ingest_rows([row()])
    store.ingest_rows([row("finished", "2025-03-04T08:00")])
    both = shown(store)
    store.live.remove(2)
    assert [dossier["outcome"] for dossier in shown(store)] == ["pending"]
    store.live.append(2)
    assert shown(store) == both


def test_what_a_good_batch_said_again_stays_when_the_first_is_retracted(store: Store) -> None:
    store.ingest_rows([row(), row("stopped", "2025-03-04T08:00")])
    store.ingest_rows([row()])
    store.live.remove(1)
    assert [(dossier["outcome"], dossier["received_at"]) for dossier in shown(store)] == [
        ("pending", "2025-03-03T08:00:00+07:00")
    ]
    store.live.remove(2)
    assert shown(store) == []


def test_a_row_that_only_a_retracted_batch_said_is_new_again_by_reference(store: Store) -> None:
    store.ingest_rows([row()])
    store.live.remove(1)
    again = store.ingest_rows([row()])
    assert counts(again) == {"stored": 1}
    assert references(again) == [(1, 2)]
    once = shown(store)
    assert len(once) == 1
    store.live.append(1)
    assert shown(store) == once


def test_an_amendment_of_a_retracted_event_is_an_event(store: Store) -> None:
    store.ingest_rows([row()])
    store.live.remove(1)
    assert counts(store.ingest_rows([row(channel="online")])) == {"stored": 1}
