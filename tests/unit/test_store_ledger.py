"""The ledger: what counts, figures under their run, deliveries claimed once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import IntegrityError

from procmon.errors import StoreError
from procmon.store import ledger
from procmon.store.database import writing
from procmon.store.ledger import Batch, Delivery, Run
from procmon.tables import FIGURES

pytest_plugins = ["postgres"]

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_run() -> Run:
    return Run(started_at=NOW, as_of=NOW)


def a_delivery(**values: object) -> Delivery:
    plain: dict[str, object] = {
        "key": "city daily 2026-11-22 a@haiphong.example",
        "email": "a@haiphong.example",
        "audience": "city",
        "schedule": "daily",
        "period": "2026-11-22",
        "created_at": NOW,
        "updated_at": NOW,
        "mime": b"From: procmon",
    }
    return Delivery(**plain | values)


def add(engine: Engine, row: Run | Batch | Delivery) -> int:
    with writing(engine) as session:
        session.add(row)
        session.flush()
        assert row.id is not None
        return row.id


def deliveries(engine: Engine) -> list[dict[str, object]]:
    return list(ledger.read_table(engine, "deliveries").to_pylist())


def delivery(engine: Engine) -> dict[str, object]:
    return deliveries(engine)[0]


def test_the_table_of_figures_has_the_columns_that_cross_the_rooms(engine: Engine) -> None:
    found = ledger.read_table(engine, "figures")
    assert found.schema.names == ["id", "run_id", *FIGURES.names]
    assert found.select(FIGURES.names).schema.equals(FIGURES.schema)
    assert {tuple(index["column_names"]) for index in inspect(engine).get_indexes("figures")} == {("run_id",)}


def test_figures_come_back_as_they_were_given(engine: Engine) -> None:
    figures = FIGURES.from_rows(
        [
            {
                "figure": "reductions.actual_cut",
                "scope": "field",
                "scope_id": "Đất đai",
                "period_from": date(2025, 1, 1),
                "period_to": date(2026, 1, 1),
                "numerator": 0.1 + 0.2,
                "value": 0.300000001,
                "n": 2**40,
                "verdict": "met",
            },
            {"figure": "boundaries.proven"},
        ]
    )
    first, second = add(engine, a_run()), add(engine, a_run())
    with writing(engine) as session:
        ledger.add_figures(session, first, figures)
        ledger.add_figures(session, second, figures.slice(1))
        ledger.add_figures(session, second, figures.slice(0, 0))
    assert FIGURES.conform(ledger.read_table(engine, "figures", run_id=first)).equals(figures)
    assert ledger.read_table(engine, "figures")["run_id"].to_pylist() == [first, first, second]


def test_figures_need_a_run(engine: Engine) -> None:
    def add_astray() -> None:
        with writing(engine) as session:
            ledger.add_figures(session, 7, FIGURES.from_rows([{"figure": "x"}]))

    with pytest.raises(IntegrityError):
        add_astray()


def test_only_done_batches_that_were_not_retracted_count(engine: Engine) -> None:
    def batch(**values: object) -> int:
        return add(engine, Batch(**{"file": "log.csv", "mapping": "canonical", "began_at": NOW} | values))

    batch()
    batch(status="failed")
    good = batch(status="done", done_at=NOW)
    batch(status="done", done_at=NOW, retracted_at=NOW, retracted_why="sent twice")
    restored = batch(status="done", done_at=NOW)
    assert ledger.live_batches(engine) == [good, restored]


def test_a_held_file_is_known_by_its_content_and_its_mapping(engine: Engine) -> None:
    def batch(**values: object) -> int:
        made = {"file": "list.xlsx", "mapping": "list", "began_at": NOW, "sha256": "f", "mapping_digest": "m"}
        return add(engine, Batch(**made | {"status": "done", "is_held": True} | values))

    batch(status="pending")
    batch(status="failed")
    batch(is_held=False)
    batch(sha256="g")
    batch(mapping_digest="n")
    assert ledger.held_batch(engine, "f", "m") is None
    held = batch()
    batch()
    found = ledger.held_batch(engine, "f", "m")
    assert found is not None
    assert (found.id, found.is_held, found.kind) == (held, True, "events")


def test_the_same_file_is_the_same_export(engine: Engine) -> None:
    def batch(hours: int, **values: object) -> None:
        made = {"file": "list.xlsx", "mapping": "list", "began_at": NOW, "sha256": "f", "status": "done"}
        add(engine, Batch(**made | {"exported_at": NOW + hours * HOUR} | values))

    batch(1, status="failed")
    batch(2, mapping="other")
    batch(3, sha256="g")
    assert ledger.exported_before(engine, "f", "list") is None
    batch(5)
    batch(4)
    assert ledger.exported_before(engine, "f", "list") == NOW + 5 * HOUR


@pytest.mark.parametrize(
    ("ids", "text"), [([], ""), ([7], "7"), ([1, 2, 3, 5], "1-3,5"), ([122, 2, 1, 2], "1-2,122"), ([1, 3], "1,3")]
)
def test_batches_are_written_as_ranges(ids: list[int], text: str) -> None:
    assert ledger.format_batches(ids) == text
    assert ledger.parse_batches(text) == sorted(set(ids))


@given(st.sets(st.integers(1, 60)))
def test_batches_written_are_batches_read(ids: set[int]) -> None:
    assert ledger.parse_batches(ledger.format_batches(ids)) == sorted(ids)


@pytest.mark.parametrize("text", ["x", "1,,2", "1-", "-3", "5-3", "1-2-3", "2,1", "1-3,3", " 1", "+1"])
def test_text_that_is_no_batches_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="batches"):
        ledger.parse_batches(text)


def test_every_table_can_be_read_while_empty(engine: Engine) -> None:
    for name in ledger.TABLES:
        found = ledger.read_table(engine, name)
        assert found.num_rows == 0
        assert found.schema.names[0] == "id"


def test_the_bytes_of_mails_are_not_shown(engine: Engine) -> None:
    add(engine, a_delivery())
    assert "mime" not in ledger.read_table(engine, "deliveries").schema.names


@pytest.mark.parametrize("other", [{"key": "another"}, {"email": "b@haiphong.example"}])
def test_one_delivery_for_each_recipient_report_scope_and_period(engine: Engine, other: dict[str, object]) -> None:
    add(engine, a_delivery())
    with pytest.raises(IntegrityError):
        add(engine, a_delivery(**other))


def test_a_delivery_is_claimed_by_one_of_many(engine: Engine) -> None:
    number = add(engine, a_delivery())
    won: list[bool] = []
    threads = [threading.Thread(target=lambda: won.append(ledger.claim(engine, number, NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    assert delivery(engine)["n_attempts"] == 1


def test_only_what_is_due_can_be_claimed(engine: Engine) -> None:
    for status in ("sending", "sent", "written", "failed", "unknown"):
        number = add(engine, a_delivery(key=status, email=f"{status}@haiphong.example", status=status))
        assert not ledger.claim(engine, number, NOW)
    assert [row["status"] for row in deliveries(engine)] == ["sending", "sent", "written", "failed", "unknown"]


def test_a_deferred_delivery_waits_for_its_hour(engine: Engine) -> None:
    number = add(engine, a_delivery())
    assert ledger.claim(engine, number, NOW)
    ledger.settle(engine, number, "deferred", "451 later", NOW, next_at=NOW + HOUR)
    assert not ledger.claim(engine, number, NOW + HOUR - timedelta(seconds=1))
    assert ledger.claim(engine, number, NOW + HOUR)
    assert (delivery(engine)["n_attempts"], delivery(engine)["next_at"]) == (2, None)


def test_a_status_is_what_the_server_said(engine: Engine) -> None:
    number = add(engine, a_delivery())
    ledger.claim(engine, number, NOW)
    ledger.settle(engine, number, "sent", "250 2.0.0 Ok: queued as 4XyZ", NOW + HOUR)
    found = delivery(engine)
    assert (found["status"], found["reply"]) == ("sent", "250 2.0.0 Ok: queued as 4XyZ")
    assert found["updated_at"] == NOW + HOUR


def test_what_is_not_being_sent_cannot_be_settled(engine: Engine) -> None:
    number = add(engine, a_delivery())
    with pytest.raises(StoreError, match=f"delivery {number} is not being sent, so it cannot become sent"):
        ledger.settle(engine, number, "sent", "250", NOW)


def test_failed_and_unknown_deliveries_can_be_queued_again(engine: Engine) -> None:
    for status, after in [("failed", "queued"), ("unknown", "queued"), ("sent", "sent"), ("sending", "sending")]:
        number = add(engine, a_delivery(key=status, email=f"{status}@haiphong.example", status=status))
        assert ledger.requeue(engine, number, NOW) is (after == "queued")
        assert deliveries(engine)[-1]["status"] == after
