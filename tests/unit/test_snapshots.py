"""Row-a-dossier exports in the lake: the later one stands whole, the older stays as a correction (rulebook 1).

The lake is written by hand here, each event whole when it is first said and as a reference afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_files import Store, cells
from pyarrow import parquet

from procmon import ask
from procmon.config import EngineSettings
from procmon.engine import Engine
from procmon.measure.log import give_log, superseded
from procmon.store import ledger, workspace
from procmon.store.database import writing
from procmon.store.workspace import batch_commit
from procmon.tables import EVENTS

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
LIST = "danh-sach-ho-so"

Event = Mapping[str, object]


def exported(month: int) -> datetime:
    return datetime(2025, month, 1, tzinfo=UTC)


def event(status: str, day: int, dossier_id: str = "1", **more: object) -> Event:
    at = datetime(2025, 3, day, 3, tzinfo=UTC)
    return {"dossier_id": dossier_id, "status": status, "occurred_at": at, "procedure_id": "p"} | more


RECEIVED, FINISHED, WITHDRAWN = event("received", 3), event("finished", 5), event("withdrawn", 6)


@dataclass
class Book:
    """A lake and what each of its batches says."""

    store: Store
    places: dict[tuple[object, ...], tuple[int, int]] = field(default_factory=dict)

    def log(self, *events: Event) -> int:
        """A batch of a log."""
        return self._write(events, {})

    def export(self, month: int, *events: Event, source: str = LIST) -> int:
        """A batch of a row-a-dossier export, made on the first of a month."""
        return self._write(events, {"source": source, "exported_at": exported(month)})

    def retract(self, batch: int) -> None:
        self.store.live.remove(batch)

    def restore(self, batch: int) -> None:
        self.store.live.append(batch)

    def _write(self, events: Iterable[Event], made: Mapping[str, object]) -> int:
        batch = len(self.store.done) + 1
        rows = [self._row(said, batch, number, made) for number, said in enumerate(events, 1)]
        parquet.write_table(EVENTS.from_rows(rows), self.store.folder / f"{batch}.parquet")
        self.store.done.append(batch)
        self.store.live.append(batch)
        return batch

    def _row(self, said: Event, batch: int, number: int, made: Mapping[str, object]) -> dict[str, object]:
        key = tuple(said.get(name) for name in EVENTS.names)
        place = self.places.setdefault(key, (batch, number))
        row: dict[str, object] = {**made, "batch_id": batch, "row_no": number}
        if place == (batch, number):
            return row | dict(said)
        whose = {"dossier_id": said["dossier_id"]} if made else {}
        return row | whose | {"repeat_of_batch": place[0], "repeat_of_row": place[1]}

    def shown(self) -> list[dict[str, str]]:
        return cells(self.store.dossiers({}, AS_OF))

    def outcomes(self) -> dict[str, str]:
        return {dossier["dossier_id"]: dossier["outcome"] for dossier in self.shown()}

    def superseded(self) -> dict[int, int]:
        with Engine(EngineSettings(threads=1)) as engine:
            return superseded(engine, lake_files=self.store.lake_files, live=self.store.live)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(Store(tmp_path))


# ---- one source, one export after the other


def test_the_later_export_stands_whole(book: Book) -> None:
    first = book.export(4, RECEIVED, FINISHED)
    assert book.outcomes() == {"1": "finished"}
    book.export(5, RECEIVED)
    assert book.outcomes() == {"1": "pending"}
    assert book.superseded() == {first: 1}


def test_the_order_of_exports_never_changes_a_figure(tmp_path: Path) -> None:
    exports = [(4, (RECEIVED, FINISHED)), (5, (RECEIVED, WITHDRAWN)), (6, (event("received", 4), FINISHED))]
    seen = []
    for number, order in enumerate(permutations(exports)):
        folder = tmp_path / str(number)
        folder.mkdir()
        book = Book(Store(folder))
        for month, events in order:
            book.export(month, *events)
        seen.append(book.shown())
    assert [dossier["received_at"][:10] for dossier in seen[0]] == ["2025-03-04"]
    assert all(shown == seen[0] for shown in seen)


def test_an_event_that_comes_back_counts_again(book: Book) -> None:
    outcomes = []
    for month, events in ((4, [RECEIVED, FINISHED]), (5, [RECEIVED]), (6, [RECEIVED, FINISHED])):
        book.export(month, *events)
        outcomes.append(book.outcomes()["1"])
    assert outcomes == ["finished", "pending", "finished"]
    assert book.superseded() == {1: 1, 2: 1}


def test_a_dossier_that_a_later_export_does_not_list_stays_as_it_was(book: Book) -> None:
    first = book.export(4, RECEIVED, FINISHED, event("received", 3, "2"), event("finished", 5, "2"))
    book.export(5, RECEIVED)
    assert book.outcomes() == {"1": "pending", "2": "finished"}
    assert book.superseded() == {first: 1}


def test_exports_of_one_instant_stand_together(book: Book) -> None:
    book.export(4, RECEIVED)
    book.export(5, RECEIVED)
    book.export(5, FINISHED)
    assert book.outcomes() == {"1": "finished"}
    assert book.superseded() == {1: 1}


def test_a_superseded_row_lends_nothing(book: Book) -> None:
    book.export(4, event("received", 3, channel="online", receiving_unit_id="a"), FINISHED)
    book.export(5, RECEIVED, event("finished", 5, returning_unit_id="b"))
    (dossier,) = book.shown()
    assert (dossier["channel"], dossier["receiving_unit_id"], dossier["returning_unit_id"]) == ("in_person", "", "b")


# ---- with other batches and sources


def test_another_source_is_not_superseded(book: Book) -> None:
    book.export(4, RECEIVED, FINISHED)
    book.export(5, RECEIVED, source="one-stop")
    assert book.outcomes() == {"1": "finished"}
    assert book.superseded() == {}


def test_an_export_does_not_stand_because_another_source_exported_on_that_day(book: Book) -> None:
    book.export(4, RECEIVED, FINISHED)
    book.export(5, RECEIVED)
    book.export(4, RECEIVED, source="one-stop")
    assert book.outcomes() == {"1": "pending"}
    assert book.superseded() == {1: 1}


@pytest.mark.parametrize("is_log_first", [True, False])
def test_what_a_log_says_no_export_takes_away(book: Book, is_log_first: bool) -> None:
    if is_log_first:
        log = book.log(FINISHED)
        book.export(4, RECEIVED, FINISHED)
    else:
        book.export(4, RECEIVED, FINISHED)
        log = book.log(FINISHED)
    book.export(5, RECEIVED)
    assert book.outcomes() == {"1": "finished"}
    book.retract(log)
    assert book.outcomes() == {"1": "pending"}


def test_without_the_later_export_the_older_stands_again(book: Book) -> None:
    book.export(4, RECEIVED, FINISHED)
    later = book.export(5, RECEIVED, WITHDRAWN)
    before = book.shown()
    book.retract(later)
    assert book.outcomes() == {"1": "finished"}
    assert book.superseded() == {}
    book.restore(later)
    assert book.shown() == before
    assert book.outcomes() == {"1": "withdrawn"}


def test_what_a_retracted_batch_brought_counts_while_an_export_that_stands_says_it(book: Book) -> None:
    wrong = book.log(RECEIVED, FINISHED)
    book.export(4, RECEIVED, FINISHED)
    book.retract(wrong)
    assert book.outcomes() == {"1": "finished"}
    book.export(5, RECEIVED)
    assert book.outcomes() == {"1": "pending"}


def test_a_batch_that_is_not_done_supersedes_nothing(book: Book) -> None:
    book.export(4, RECEIVED, FINISHED)
    pending = book.export(5, RECEIVED)
    book.store.live.remove(pending)
    book.store.done.remove(pending)
    assert book.outcomes() == {"1": "finished"}


def test_files_of_an_earlier_release_are_logs(book: Book) -> None:
    book.log(RECEIVED, FINISHED)
    path = book.store.folder / "1.parquet"
    old = EVENTS.names[: EVENTS.names.index("source")]
    parquet.write_table(parquet.read_table(path).select(old), path)
    assert book.outcomes() == {"1": "finished"}
    assert book.superseded() == {}
    book.export(4, RECEIVED)
    assert book.outcomes() == {"1": "finished"}


# ---- against a plain twin


@dataclass(frozen=True)
class Batch:
    """What a batch says, as (dossier, day) pairs; a month for an export of `source`."""

    says: frozenset[tuple[str, int]]
    source: str | None
    month: int
    is_live: bool
    is_stored_anew: bool  # as where all that said it before was retracted when this one came


BATCHES = st.lists(
    st.builds(
        Batch,
        st.frozensets(st.tuples(st.sampled_from("xy"), st.integers(1, 3)), max_size=4),
        st.sampled_from([None, "a", "b"]),
        st.integers(1, 3),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
)


def counted(batches: list[Batch]) -> set[tuple[str, int]]:
    """The events that count, said plainly."""
    live = [(said, batch) for batch in batches if batch.is_live for said in batch.says]

    def stands(said: tuple[str, int], batch: Batch) -> bool:
        rivals = [other.month for (dossier, _), other in live if (dossier, other.source) == (said[0], batch.source)]
        return batch.source is None or batch.month == max(rivals)

    return {said for said, batch in live if stands(said, batch)}


@given(BATCHES)
def test_the_events_that_count_are_those_of_a_plain_twin(batches: list[Batch]) -> None:
    book = Book(Store())
    for batch in batches:
        if batch.is_stored_anew:
            book.places.clear()
        events = [event("processing", day, dossier) for dossier, day in sorted(batch.says)]
        number = book.export(batch.month, *events, source=batch.source) if batch.source else book.log(*events)
        if not batch.is_live:
            book.retract(number)
    with Engine(EngineSettings(threads=1)) as engine:
        give_log(engine, lake_files=book.store.lake_files, done=book.store.done, live=book.store.live)
        found = engine.query("SELECT dossier_id, day(occurred_at) AS day FROM live_rows").to_pylist()
    assert {(row["dossier_id"], row["day"]) for row in found} == counted(batches)


# ---- shown


def test_batches_are_shown_with_the_dossiers_that_a_later_export_took_over(tmp_path: Path, book: Book) -> None:
    book.export(4, RECEIVED, FINISHED, event("received", 3, "2"))
    book.export(5, RECEIVED)
    office = workspace.create(tmp_path / "office", AS_OF)
    for number, path in enumerate(book.store.lake_files, 1):
        batch = ledger.Batch(file="list.xlsx", mapping=LIST, kind="dossiers", status="done", began_at=AS_OF)
        batch.exported_at = exported(number + 3)
        with writing(office.ledger_db) as session:
            session.add(batch)
        office.lake.append(EVENTS, parquet.read_table(path), batch_commit(number))
    shown = ask.show(office, "batches", ask.Filters(), now=AS_OF)
    assert shown["n_superseded"].to_pylist() == [1, 0]
    assert shown["exported_at"].to_pylist() == [exported(4), exported(5)]
    assert shown["is_held"].to_pylist() == [False, False]
    counting, _ = ask.query(office, "SELECT dossier_id, status FROM events ORDER BY ALL", now=AS_OF)
    assert [tuple(row.values()) for row in counting.to_pylist()] == [("1", "received"), ("2", "received")]
