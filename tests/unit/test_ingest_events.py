"""What the rows of each kind of file become: a row in, its events out (rulebook 9)."""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_files import NOW, ZONE, Store, cells, mapping_of, read_here, write_csv

from procmon.engine import Engine
from procmon.errors import InputError
from procmon.ingest.columns import PROBLEMS
from procmon.ingest.mapping import Mapping, parse_mapping
from procmon.ingest.take import Taken, Terms, take
from procmon.tables import EVENTS, STATUSES

Cells = Dict[str, str]
Told = list[str]

EXPORTED = datetime(2025, 4, 1, tzinfo=ZoneInfo(ZONE))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def mapping(text: str) -> Mapping:
    return parse_mapping(text.encode(), "the test's mapping")


def ingest(store: Store, of: Mapping, rows: Sequence[Dict[str, Any]]) -> Taken:
    """Take rows in: as CSV, those of the portal as JSON Lines."""
    path = store.folder / f"given-{len(store.done) + 1}"
    if of.kind == "dvcqg":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        names = dict.fromkeys(name for row in rows for name in row)
        write_csv(path, [dict.fromkeys(names, "") | row for row in rows], names)
    taken = store.ingest(path, mapping=of, exported_at=EXPORTED)
    assert taken.n_read == len(rows)
    assert taken.n_read == taken.n_stored + taken.n_repeated + taken.n_amended + taken.n_refused
    return taken


def told(taken: Taken) -> dict[str, Told]:
    """Dossier → its events as «status moment → due», in the order of the file."""
    events: dict[str, Told] = {}
    for event in taken.events.to_pylist():
        due = _moment(event["due_at"], event["due_on"])
        line = f"{event['status']} {_moment(event['occurred_at'], event['occurred_on'])}" + (f" → {due}" if due else "")
        events.setdefault(event["dossier_id"], []).append(line)
    return events


def _moment(instant: datetime | None, day: object) -> str:
    return f"{instant.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M}" if instant else str(day or "")


def column(taken: Taken, name: str) -> list[Any]:
    return list(taken.events[name].to_pylist())


def problems(taken: Taken) -> list[tuple[str, str, str]]:
    """(column, value, problem) of each refused row."""
    code = {reason: problem for problem, (reason, _) in PROBLEMS.items()}
    return [(bad["column"], bad["value"], code[bad["reason"]]) for bad in taken.rejects.to_pylist()]


# ---- A row a dossier

LIST = mapping(
    """
    name = "list"
    kind = "dossiers"
    columns = { dossier_id = "id", procedure_id = "procedure", submitted_at = "submitted", received_at = "received",
                due_at = "due", finished_at = "finished", returned_at = "returned", status = "status",
                status_at = "since", exported_at = "exported", reason = "reason" }
    """.replace("\n                ", " ")
)

SUBMITTED, RECEIVED, FINISHED = "2025-03-01 07:00", "2025-03-03 08:00", "2025-03-05 15:00"
RETURNED, SINCE, DUE = "2025-03-06 09:00", "2025-03-04 10:00", "2025-03-10"
EXPORT = "2025-04-01 00:00"

ROWS: list[tuple[Cells, Told]] = [
    ({"received": RECEIVED}, [f"received {RECEIVED}"]),
    ({"received": RECEIVED, "due": DUE}, [f"received {RECEIVED} → {DUE}"]),
    ({"submitted": SUBMITTED, "status": "submitted"}, [f"submitted {SUBMITTED}"]),
    ({"since": SINCE, "status": "submitted"}, [f"submitted {SINCE}"]),
    ({"received": "2025-03-03", "returned": "2025-03-03"}, ["received 2025-03-03", "returned 2025-03-03"]),
    (
        {"received": RECEIVED, "due": DUE, "finished": FINISHED, "returned": RETURNED, "status": "returned"},
        [f"received {RECEIVED} → {DUE}", f"finished {FINISHED}", f"returned {RETURNED}"],
    ),
    # Mere work since an unknown instant changes nothing, so it stands at the receipt.
    (
        {"received": RECEIVED, "due": DUE, "status": "processing"},
        [f"received {RECEIVED} → {DUE}", f"processing {RECEIVED}"],
    ),
    ({"received": RECEIVED, "since": SINCE, "status": "processing"}, [f"received {RECEIVED}", f"processing {SINCE}"]),
    # A pause since an unknown instant begins at the export: nothing before is known to be one.
    (
        {"received": RECEIVED, "due": DUE, "status": "supplement_requested"},
        [f"received {RECEIVED} → {DUE}", f"supplement_requested {EXPORT} → {DUE}"],
    ),
    (
        {"received": RECEIVED, "since": "2025-03-04", "status": "payment_requested"},
        [f"received {RECEIVED}", "payment_requested 2025-03-04"],
    ),
    # An end without a result has one day, wherever it stands.
    ({"received": "2025-03-03", "finished": DUE, "status": "refused"}, ["received 2025-03-03", f"refused {DUE}"]),
    ({"received": "2025-03-03", "returned": DUE, "status": "stopped"}, ["received 2025-03-03", f"stopped {DUE}"]),
    (
        {"received": RECEIVED, "finished": FINISHED, "returned": RETURNED, "status": "withdrawn"},
        [f"received {RECEIVED}", f"withdrawn {FINISHED}"],
    ),
    ({"since": SINCE, "status": "refused"}, [f"refused {SINCE}"]),
    # Taken up again after a result.
    (
        {"received": RECEIVED, "finished": FINISHED, "status": "processing"},
        [f"received {RECEIVED}", f"finished {FINISHED}", f"processing {EXPORT}"],
    ),
    # The export says itself when it was made; of a bare day its end.
    (
        {"received": RECEIVED, "status": "payment_requested", "exported": "2025-03-20 06:00"},
        [f"received {RECEIVED}", "payment_requested 2025-03-20 06:00"],
    ),
    (
        {"received": RECEIVED, "status": "payment_requested", "exported": "2025-03-20"},
        [f"received {RECEIVED}", "payment_requested 2025-03-21 00:00"],
    ),
]


def test_a_row_of_a_list_becomes_what_its_dates_and_its_status_say(store: Store) -> None:
    rows = [{"id": f"{n:02d}", "procedure": "p", **row} for n, (row, _) in enumerate(ROWS)]
    assert told(ingest(store, LIST, rows)) == {f"{n:02d}": events for n, (_, events) in enumerate(ROWS)}


ENDS = ("refused", "withdrawn", "stopped", "finished", "returned")
DATES = {"submitted": SUBMITTED, "received": RECEIVED, "finished": FINISHED, "returned": RETURNED, "since": SINCE}


def expected(status: str, row: Cells) -> tuple[Told, str]:
    """The events of a row of a list, or the problem for which it is refused: rulebook 9 once more, in plain words."""
    end = {name: row[name] for name in ("finished", "returned") if name in row}
    if status in ENDS and not end and "since" not in row:
        return [], "undated_end"
    if status == "received" and "received" not in row:
        return [], "undated_receipt"
    events = [f"submitted {SUBMITTED}"] if "submitted" in row else []
    events += [f"received {RECEIVED} → {DUE}"] if "received" in row else []
    if status in ("refused", "withdrawn", "stopped"):
        events += [f"{status} {at}" for at in list(end.values())[:1]]
    else:
        events += [f"{name} {at}" for name, at in end.items()]
    is_undated_work = status == "processing" and "since" not in row and "received" in row and not end
    is_only_submitted = status == "submitted" and not {"submitted", "received"} & set(row)
    if is_undated_work:
        events.append(f"processing {RECEIVED}")
    elif status in ("processing", "supplement_requested", "payment_requested"):
        events.append(f"{status} {row.get('since', EXPORT)} → {DUE}")
    elif "since" in row and ((status in ENDS and not end) or is_only_submitted):
        events.append(f"{status} {SINCE} → {DUE}")
    return events, "" if events else "no_event"


def test_every_status_with_every_choice_of_dates_is_told_or_refused(store: Store) -> None:
    rows, events, refused = [], {}, []
    for status in ("", *STATUSES):
        for n in range(len(DATES) + 1):
            for names in itertools.combinations(DATES, n):
                given = {name: DATES[name] for name in names}
                row = {"id": f"{len(rows):03d}", "procedure": "p", "due": DUE, "status": status} | given
                happened, problem = expected(status, given)
                rows.append(row)
                if problem:
                    refused.append(problem)
                else:
                    events[row["id"]] = happened
    assert len(rows) == 11 * 2**5
    taken = ingest(store, LIST, rows)
    assert told(taken) == events
    assert [problem for _, _, problem in problems(taken)] == refused


def test_what_a_row_tells_of_its_dossier_stands_on_all_its_events(store: Store) -> None:
    of = mapping_of("danh-sach-ho-so")
    row = {
        "Số hồ sơ": "1", "Mã thủ tục": "1.001", "Ngày tiếp nhận": "03/03/2025 08:00", "Ngày trả": "05/03/2025",
        "Trạng thái": "Đã trả", "Đơn vị tiếp nhận": "A", "Đơn vị giải quyết": "B", "Đơn vị trả kết quả": "C",
        "Nơi cư trú": "D", "Hình thức nộp": "Qua mạng", "Đơn vị đang giữ hồ sơ": "E", "Lý do": "x",
    }  # fmt: skip
    taken = ingest(store, of, [row])
    assert told(taken) == {"1": ["received 2025-03-03 08:00", "returned 2025-03-05"]}
    roles = [f"{role}_unit_id" for role in ("receiving", "resolving", "returning", "applicant")]
    of_dossier = [column(taken, name) for name in ("procedure_id", *roles, "channel")]
    assert of_dossier == [[v, v] for v in ("1.001", "A", "B", "C", "D", "online")]
    # Who holds it, and why, belong to the end; the receipt is at the unit that received it.
    assert column(taken, "unit_id") == ["A", "E"]
    assert column(taken, "reason") == [None, "x"]
    assert column(taken, "source") == ["danh-sach-ho-so"] * 2
    assert column(taken, "exported_at") == [EXPORTED.astimezone(UTC)] * 2


def test_a_row_of_several_events_counts_once(store: Store) -> None:
    row = {"id": "1", "procedure": "p", "received": RECEIVED, "status": "processing"}
    first = ingest(store, LIST, [row, row])
    assert (first.n_stored, first.n_repeated) == (1, 1)
    again = ingest(store, LIST, [row, row | {"finished": FINISHED, "status": "finished"}])
    assert (again.n_stored, again.n_repeated) == (1, 1)


# ---- The portal's messages

DOSSIER: dict[str, Any] = {
    "MaHoSo": "1", "MaTTHC": "1.001", "TrangThaiHoSo": "4", "NgayTiepNhan": "20250303080000",
    "NgayHenTra": "20250310170000",
}  # fmt: skip


def supplement(asked: str, resumed: str = "", before: str = "", after: str = "") -> dict[str, str]:
    return {"NgayBoSung": asked, "NgayTiepNhanBoSung": resumed, "NgayHenTraTruoc": before, "NgayHenTraMoi": after}


MESSAGES: list[tuple[dict[str, Any], Told]] = [
    ({}, ["received 2025-03-03 08:00 → 2025-03-10 17:00", "processing 2025-03-03 08:00"]),
    # A moved appointment: the receipt was promised what stood before the first request.
    (
        {
            "NgayHenTra": "20250320170000",
            "DanhSachHoSoBoSung": [
                supplement("20250307080000", "20250310080000", "20250312170000", "20250320170000"),
                supplement("20250304080000", "20250305080000", "20250310170000", "20250312170000"),
            ],
        },
        [
            "received 2025-03-03 08:00 → 2025-03-10 17:00", "processing 2025-03-03 08:00",
            "supplement_requested 2025-03-07 08:00",
            "processing 2025-03-10 08:00 → 2025-03-20 17:00",
            "supplement_requested 2025-03-04 08:00",
            "processing 2025-03-05 08:00 → 2025-03-12 17:00",
        ],
    ),
    # Where only the new one is told, the receipt's is unknown.
    (
        {"DanhSachHoSoBoSung": [supplement("20250304080000", "20250305080000", "", "20250310170000")]},
        [
            "received 2025-03-03 08:00", "processing 2025-03-03 08:00",
            "supplement_requested 2025-03-04 08:00", "processing 2025-03-05 08:00 → 2025-03-10 17:00",
        ],
    ),
    # Where supplements move nothing, it is the one of the dossier.
    (
        {"DanhSachHoSoBoSung": [supplement("20250304080000", "20250305080000")]},
        [
            "received 2025-03-03 08:00 → 2025-03-10 17:00", "processing 2025-03-03 08:00",
            "supplement_requested 2025-03-04 08:00", "processing 2025-03-05 08:00",
        ],
    ),
    # An open request is the present status, and is not told twice.
    (
        {"TrangThaiHoSo": "5", "DanhSachHoSoBoSung": [supplement("20250304080000", "", "20250310170000")]},
        ["received 2025-03-03 08:00 → 2025-03-10 17:00", "supplement_requested 2025-03-04 08:00"],
    ),
    (
        {
            "TrangThaiHoSo": "5", "NgayHenTra": "20250312170000",
            "DanhSachHoSoBoSung": [supplement("20250304080000", "", "20250310170000", "20250312170000")],
        },
        [
            "received 2025-03-03 08:00 → 2025-03-10 17:00", "supplement_requested 2025-03-04 08:00",
            "processing 2025-03-04 08:00 → 2025-03-12 17:00",
        ],
    ),
    # One that the list of requests does not show begins at the export.
    (
        {"TrangThaiHoSo": "5", "DanhSachHoSoBoSung": []},
        ["received 2025-03-03 08:00 → 2025-03-10 17:00", f"supplement_requested {EXPORT} → 2025-03-10 17:00"],
    ),
    (
        {"TrangThaiHoSo": "10", "NgayKetThucXuLy": "20250306153000", "NgayTra": "2025-03-07"},
        ["received 2025-03-03 08:00 → 2025-03-10 17:00", "finished 2025-03-06 15:30", "returned 2025-03-07"],
    ),
    ({"TrangThaiHoSo": "3", "NgayTiepNhan": "", "NgayKetThucXuLy": "20250303081000"}, ["refused 2025-03-03 08:10"]),
    ({"TrangThaiHoSo": None, "NgayHenTra": ""}, ["received 2025-03-03 08:00"]),
]  # fmt: skip


def test_a_dossiers_message_becomes_its_dates_its_supplements_and_its_status(store: Store) -> None:
    messages = [DOSSIER | {"MaHoSo": f"{n:02d}"} | message for n, (message, _) in enumerate(MESSAGES)]
    taken = ingest(store, mapping_of("dvcqg"), messages)
    assert told(taken) == {f"{n:02d}": events for n, (_, events) in enumerate(MESSAGES)}


def test_a_progress_message_is_a_step_and_may_stand_among_dossiers(store: Store) -> None:
    step = {"MaHoSo": "1", "TrangThai": "6", "ThoiDiemXuLy": "20250304100000", "PhongBanXuLy": "Phòng A"}
    taken = ingest(store, mapping_of("dvcqg"), [step, DOSSIER, step | {"MaHoSo": "2", "TrangThai": "9"}])
    assert told(taken) == {
        "1": [
            "payment_requested 2025-03-04 10:00", "received 2025-03-03 08:00 → 2025-03-10 17:00",
            "processing 2025-03-03 08:00",
        ],
        "2": ["finished 2025-03-04 10:00"],
    }  # fmt: skip
    assert column(taken, "unit_id") == ["Phòng A", None, None, "Phòng A"]
    # A step stands for good; a dossier as it stood gives way to its later export.
    assert column(taken, "source") == [None, "dvcqg", "dvcqg", None]


def test_what_both_messages_tell_is_one_event(store: Store) -> None:
    asked, ended = "20250304080000", "20250306080000"
    dossier = DOSSIER | {"TrangThaiHoSo": "10", "NgayTra": ended, "DanhSachHoSoBoSung": [supplement(asked)]}
    steps = [
        {"MaHoSo": "1", "TrangThai": status, "ThoiDiemXuLy": at, "PhongBanXuLy": "Phòng A"}
        for status, at in (("2", "20250303080000"), ("5", asked), ("10", ended))
    ]
    ingest(store, mapping_of("dvcqg"), [dossier, *steps])
    (seen,) = cells(store.dossiers({}, NOW))
    assert (seen["n_supplements"], seen["return_minutes"], seen["receiving_unit_id"]) == ("1", "", "Phòng A")


BROKEN_MESSAGES = [
    ({"TrangThaiHoSo": "11"}, ("TrangThaiHoSo", "11", "unmapped_status")),
    ({"KenhThucHien": "9"}, ("KenhThucHien", "9", "unmapped_channel")),
    ({"NgayTra": "202503"}, ("NgayTra", "202503", "unreadable_instant")),
    ({"NgayTiepNhan": "20250230080000"}, ("NgayTiepNhan", "20250230080000", "unreadable_instant")),
    ({"TrangThaiHoSo": "9"}, ("TrangThaiHoSo", "9", "undated_end")),
    ({"TrangThaiHoSo": "2", "NgayTiepNhan": ""}, ("TrangThaiHoSo", "2", "undated_receipt")),
    ({"MaHoSo": ""}, ("MaHoSo", "", "missing_dossier_id")),
    (
        {"DanhSachHoSoBoSung": [supplement("20250304080000"), supplement("soon")]},
        ("DanhSachHoSoBoSung[].NgayBoSung", "soon", "unreadable_instant"),
    ),
]


@pytest.mark.parametrize(("message", "problem"), BROKEN_MESSAGES)
def test_a_message_is_refused_whole_with_its_supplements(
    store: Store, message: dict[str, Any], problem: tuple[str, str, str]
) -> None:
    asked = {"DanhSachHoSoBoSung": [supplement("20250304080000", "20250305080000")]}
    taken = ingest(store, mapping_of("dvcqg"), [DOSSIER | asked | message, DOSSIER | asked | {"MaHoSo": "good"}])
    assert problems(taken) == [problem]
    assert set(told(taken)) == {"good"}


BROKEN_STEPS = [
    ({"TrangThai": "11"}, ("TrangThai", "11", "unmapped_status")),
    ({"TrangThai": ""}, ("TrangThai", "", "unknown_status")),
    ({"ThoiDiemXuLy": ""}, ("ThoiDiemXuLy", "", "missing_instant")),
]


@pytest.mark.parametrize(("message", "problem"), BROKEN_STEPS)
def test_a_progress_message_that_says_too_little_is_refused(
    store: Store, message: dict[str, str], problem: tuple[str, str, str]
) -> None:
    step = {"MaHoSo": "1", "TrangThai": "4", "ThoiDiemXuLy": "20250304100000"} | message
    assert problems(ingest(store, mapping_of("dvcqg"), [step, DOSSIER])) == [problem]


# ---- A log of activities

ACTIVITIES = """
    name = "permits"
    columns = { dossier_id = "case", procedure_id = "permit", activity = "activity", occurred_at = "at",
                due_at = "due", unit_id = "office", stage = "stage" }
    [activities]
    submitted = "Hand in"
    supplement_requested = ["Ask for plan", "Ask for photo"]
    withdrawn = "Withdraw"
    finished = "Decide"
""".replace("\n                ", " ")
LOG = mapping(ACTIVITIES)
NAMED = mapping(ACTIVITIES + '    received = "Register"\n')


def log(*steps: str, case: str = "1") -> list[dict[str, str]]:
    """Steps «hour activity» of one day as rows."""
    parts = [step.partition(" ") for step in steps]
    return [{"case": case, "permit": "p", "activity": name, "at": f"2025-03-03T{hour}:00"} for hour, _, name in parts]


LOGS: list[tuple[Mapping, list[dict[str, str]], Told]] = [
    (LOG, log("08 Look", "09 Inspect", "10 Decide"), ["08 received", "09 processing", "10 finished"]),
    (LOG, log("09 Inspect", "08 Look"), ["09 processing", "08 received"]),
    (LOG, log("08 Decide"), ["08 received", "08 finished"]),
    (LOG, log("08 Ask for plan", "09 Look"), ["08 received", "08 supplement_requested", "09 processing"]),
    (LOG, log("08 Ask for photo"), ["08 received", "08 supplement_requested"]),
    (LOG, log("07 Hand in", "08 Look"), ["07 submitted", "08 received"]),
    (LOG, log("07 Hand in"), ["07 submitted"]),
    (LOG, log("08 Look", "09 Hand in"), ["08 received", "09 submitted"]),
    (LOG, log("08 look", "09  DECIDE "), ["08 received", "09 finished"]),
    # Named, it need not be the first; a dossier without it has its first step.
    (NAMED, log("08 Look", "09 Register", "10 Decide"), ["08 processing", "09 received", "10 finished"]),
    (NAMED, log("08 Look", "10 Decide"), ["08 received", "10 finished"]),
    (LOG, [*log("08 Look"), *log("08 Look")], ["08 received"]),
]


@pytest.mark.parametrize(("of", "rows", "events"), LOGS)
def test_the_first_step_is_the_receipt_and_named_activities_are_ends_and_pauses(
    store: Store, of: Mapping, rows: list[dict[str, str]], events: Told
) -> None:
    found = told(ingest(store, of, rows))["1"]
    assert [f"{line.split()[2][:2]} {line.split()[0]}" for line in found] == events


def test_the_activity_is_the_stage_unless_the_log_has_one(store: Store) -> None:
    rows = [*log("08 Look", "09 Decide"), *log("08 Look", case="2")]
    rows[2]["stage"] = "Phase 1"
    assert column(ingest(store, LOG, rows), "stage") == ["Look", "Decide", "Phase 1"]


def test_each_dossier_has_its_own_first_step_and_an_empty_activity_is_refused(store: Store) -> None:
    taken = ingest(store, LOG, [*log("08 Look"), *log("09 ", case="2"), *log("10 Look", case="2")])
    assert told(taken) == {"1": ["received 2025-03-03 08:00"], "2": ["received 2025-03-03 10:00"]}
    assert problems(taken) == [("activity", "", "missing_activity")]


# ---- The order of rows


def stored(of: Mapping, rows: Sequence[Dict[str, Any]]) -> list[str]:
    """The events that a file of rows leaves, but for where they stood in it."""
    with TemporaryDirectory(prefix="procmon-test-") as folder:
        events = ingest(Store(Path(folder)), of, rows).events
    return sorted(map(repr, events.drop_columns(["batch_id", "row_no"]).to_pylist()))


CASES = st.sampled_from(["1", "2"])
CLOCKS = st.sampled_from(["", "2025-03-03", "2025-03-03 07:00", "2025-03-03 08:00", "2025-03-04 08:00"])
STEPS = st.fixed_dictionaries(
    {
        "case": CASES,
        "permit": st.sampled_from(["p", "q"]),
        "activity": st.sampled_from(["Look", "Hand in", "Ask for plan", "Decide", "Register"]),
        "at": CLOCKS,
        "due": CLOCKS,
        "office": st.sampled_from(["", "A", "B"]),
        "stage": st.sampled_from(["", "s"]),
    }
)
LINES = st.fixed_dictionaries(
    {
        "id": CASES,
        "procedure": st.just("p"),
        "status": st.sampled_from(["", *STATUSES]),
        "due": CLOCKS,
        **dict.fromkeys(DATES, CLOCKS),
    }
)


@settings(max_examples=25)
@given(of=st.sampled_from([LOG, NAMED]), rows=st.lists(STEPS, min_size=1, max_size=8), data=st.data())
def test_the_order_of_a_logs_rows_changes_no_event(
    of: Mapping, rows: list[dict[str, str]], data: st.DataObject
) -> None:
    assert stored(of, data.draw(st.permutations(rows))) == stored(of, rows)


@settings(max_examples=15)
@given(rows=st.lists(LINES, min_size=1, max_size=6), data=st.data())
def test_the_order_of_a_lists_rows_changes_no_event(rows: list[dict[str, str]], data: st.DataObject) -> None:
    assert stored(LIST, data.draw(st.permutations(rows))) == stored(LIST, rows)


@settings(max_examples=15)
@given(data=st.data())
def test_the_order_of_messages_and_of_their_supplements_changes_no_event(data: st.DataObject) -> None:
    moments = st.sampled_from(["", "20250304080000", "20250305080000", "2025-03-05"])
    asked = st.builds(supplement, moments, moments, moments, moments)
    supplements = data.draw(st.lists(asked, max_size=4))
    step = {"MaHoSo": "1", "TrangThai": "6", "ThoiDiemXuLy": "20250304100000"}
    status = {"TrangThaiHoSo": data.draw(st.sampled_from(["2", "4", "5", "6"]))}
    messages = [DOSSIER | status | {"DanhSachHoSoBoSung": supplements}, DOSSIER | {"MaHoSo": "2"}, step]
    messages[0]["NgayHenTra"] = data.draw(moments)
    mixed = [messages[0] | {"DanhSachHoSoBoSung": data.draw(st.permutations(supplements))}, *messages[1:]]
    assert stored(mapping_of("dvcqg"), data.draw(st.permutations(mixed))) == stored(mapping_of("dvcqg"), messages)


# ---- Labels, constants

LABELLED = mapping(
    """
    name = "list"
    kind = "dossiers"
    columns = { dossier_id = "id", received_at = "received", status = "status", resolving_unit_id = "unit" }
    constants = { procedure_id = "Cấp giấy phép" }
    statuses = { "Đã hoà giải" = "finished", "Chờ xử lý" = "processing" }
    units = { "UBND phường Hoà Bình" = "10507" }
    procedures = { "cấp giấy phép" = "1.001" }
    """
)


@pytest.mark.parametrize(
    "status",
    [
        "Chờ xử lý", "CHỜ XỬ LÝ", "chờ  xử\u00a0lý", unicodedata.normalize("NFD", "Chờ xử lý"),
        "Chờ\u200b xử lý", "Ch\u1edd xử lý\u2060",
    ],
)  # fmt: skip
def test_a_status_is_known_however_it_is_written(store: Store, status: str) -> None:
    rows = [{"id": "1", "received": RECEIVED, "status": status, "unit": ""}]
    assert told(ingest(store, LABELLED, rows)) == {"1": [f"received {RECEIVED}", f"processing {RECEIVED}"]}


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("UBND phường Hoà Bình", "10507"),
        ("ubnd phường hòa bình", "10507"),
        (unicodedata.normalize("NFD", "UBND  phường Hòa Bình"), "10507"),
        ("10507", "10507"),
        ("UBND  phường\u200b Hòa Bình 2", "UBND phường Hòa Bình 2"),
        (unicodedata.normalize("NFD", "Phường Lạ"), "Phường Lạ"),
    ],
)
def test_a_unit_gets_its_code_and_an_unknown_one_keeps_its_name(store: Store, unit: str, code: str) -> None:
    rows = [{"id": "1", "received": RECEIVED, "status": "", "unit": unit}]
    assert column(ingest(store, LABELLED, rows), "resolving_unit_id") == [code]


@pytest.mark.parametrize("status", ["Ðã hoà giải", "ĐÃ HÒA GIẢI", "Đã hoà giải", "\u0110\u00e3 h\u00f2a giải"])
def test_the_icelandic_letter_is_taken_for_the_vietnamese_one(store: Store, status: str) -> None:
    rows = [{"id": "1", "received": RECEIVED, "status": status, "unit": ""}]
    assert problems(ingest(store, LABELLED, rows)) == [("status", status, "undated_end")]


def test_the_projects_own_statuses_are_known_beside_local_ones_and_others_are_refused(store: Store) -> None:
    rows = [{"id": n, "received": RECEIVED, "status": s, "unit": ""} for n, s in (("1", "processing"), ("2", "Lạ"))]
    taken = ingest(store, LABELLED, rows)
    assert told(taken) == {"1": [f"received {RECEIVED}", f"processing {RECEIVED}"]}
    assert problems(taken) == [("status", "Lạ", "unmapped_status")]


def test_a_constant_stands_where_the_file_is_empty_with_its_meaning(store: Store) -> None:
    of = mapping(
        """
        name = "log"
        columns = { dossier_id = "case", activity = "step", occurred_at = "at", procedure_id = "for", channel = "by" }
        constants = { procedure_id = "giấy  phép", channel = "online", receiving_unit_id = "A" }
        channels = { "Trực tuyến" = "online", "Tại quầy" = "in_person" }
        procedures = { "Giấy phép" = "1.001" }
        """
    )
    empty = {"case": "1", "step": "a", "at": "2025-03-03", "for": "", "by": ""}
    taken = ingest(store, of, [empty, empty | {"case": "2", "for": "1.002", "by": "TẠI QUẦY"}])
    assert column(taken, "procedure_id") == ["1.001", "1.002"]
    assert column(taken, "channel") == ["online", "in_person"]
    assert column(taken, "receiving_unit_id") == ["A", "A"]


# ---- Dates


def dated(more: str = "") -> Mapping:
    return mapping(
        f"""
        name = "list"
        kind = "dossiers"
        columns = {{ dossier_id = "id", received_at = "received", returned_at = "returned", due_at = "due" }}
        constants = {{ procedure_id = "p" }}
        {more}
        """
    )


def dates_of(store: Store, of: Mapping, *received: str) -> list[str]:
    taken = ingest(store, of, [{"id": f"{n}", "received": day, "returned": ""} for n, day in enumerate(received)])
    return [lines[0].removeprefix("received ") for lines in told(taken).values()]


def test_days_come_first_and_the_column_proves_it(store: Store) -> None:
    days = {
        "05/06/2025": "2025-06-05",
        "23/06/2025 08:30": "2025-06-23 08:30",
        "5-6-2025 7:05": "2025-06-05 07:05",
        "20250605080000": "2025-06-05 08:00",
        "2025-06-05": "2025-06-05",
    }
    assert dates_of(store, dated(), *days) == list(days.values())


def test_a_column_of_months_first_is_refused_as_a_file_and_its_remedy_takes_it(store: Store) -> None:
    days = ("05/06/2025", "06/23/2025")
    with pytest.raises(InputError, match="'received' is written month-first, the mapping says day-first") as refused:
        dates_of(store, dated(), *days)
    remedy = str(refused.value.remedy)
    assert remedy == 'Say so in the mapping, e.g. dates.received_at = "MM/dd/yyyy".'
    said = remedy.removeprefix("Say so in the mapping, e.g. ").removesuffix(".")
    assert dates_of(store, dated(said), *days) == ["2025-05-06", "2025-06-23"]


def test_a_doubtful_column_beside_one_of_months_first_is_not_guessed(store: Store) -> None:
    row = {"id": "1", "received": "06/23/2025", "due": "07/05/2025"}
    with pytest.raises(InputError, match="'received' is written month-first") as refused:
        ingest(store, dated(), [row])
    assert 'dates.all = "MM/dd/yyyy"' in str(refused.value.remedy)
    with pytest.raises(InputError, match="'due' fits day-first and month-first, but others are month-first") as refused:
        ingest(store, dated('dates.received_at = "MM/dd/yyyy"'), [row])
    assert 'dates.due_at = "MM/dd/yyyy"' in str(refused.value.remedy)
    named = 'dates = { received_at = "MM/dd/yyyy", due_at = "dd/MM/yyyy" }'
    taken = ingest(store, dated(named), [row])
    assert column(taken, "due_on") == [date(2025, 5, 7)]


def test_a_single_wrong_date_among_days_first_is_refused_as_a_row(store: Store) -> None:
    taken = ingest(store, dated(), [{"id": "1", "received": "06/23/2025"}, {"id": "2", "received": "23/06/2025"}])
    assert problems(taken) == [("received", "06/23/2025", "unreadable_instant")]


def test_each_column_may_have_its_own_patterns(store: Store) -> None:
    of = dated('dates = { all = "iso", received_at = ["MM/dd/yyyy hh:mm a", "MM/dd/yyyy"], due_at = "excel" }')
    row = {"id": "1", "received": "03/04/2025 02:15 CH", "returned": "2025-03-05", "due": "45726"}
    assert told(ingest(store, of, [row])) == {"1": ["received 2025-03-04 14:15 → 2025-03-10", "returned 2025-03-05"]}


def test_bare_times_are_in_the_mappings_zone(store: Store) -> None:
    of = dated('timezone = "Asia/Tokyo"\ndates.received_at = ["iso", "dd/MM/yyyy HH:mm"]')
    given = ("2025-03-03T10:00", "03/03/2025 10:00", "2025-03-03T10:00+07:00", "2025-03-03")
    assert dates_of(store, of, *given) == ["2025-03-03 08:00", "2025-03-03 08:00", "2025-03-03 10:00", "2025-03-03"]


def test_what_has_not_happened_yet_is_refused_but_appointments_may_lie_ahead(tmp_path: Path) -> None:
    store = Store(tmp_path, latest=datetime(2025, 3, 31, 12, tzinfo=ZoneInfo(ZONE)))
    row = {"received": "2025-03-03", "due": "2025-12-31"}
    given = ("2025-03-31 12:00", "2025-03-31 12:01", "2025-03-31", "2025-04-01")
    taken = ingest(store, dated(), [row | {"id": f"{n}", "returned": day} for n, day in enumerate(given)])
    assert set(told(taken)) == {"0", "2"}
    assert problems(taken) == [("returned", given[n], "in_the_future") for n in (1, 3)]


# ---- Held files


@pytest.mark.parametrize(("n_bad", "is_held"), [(2, False), (3, True), (10, True)])
def test_a_file_with_over_a_fifth_of_its_rows_refused_is_held_whole(store: Store, n_bad: int, is_held: bool) -> None:
    rows = [{"id": f"{n}", "received": "soon" if n < n_bad else RECEIVED} for n in range(10)]
    path = write_csv(store.folder / "list.csv", rows)
    raw = read_here(path, Path(mkdtemp(dir=store.folder)), mapping=dated())
    terms = Terms(ZONE, EXPORTED, latest=store.latest, max_refused=0.2)
    with Engine(store.engine_settings) as engine:
        taken = take(engine, raw, dated(), terms, batch_id=1, lake_files=[], done=[], live=[])
    assert taken.is_held == is_held
    assert taken.n_refused == taken.rejects.num_rows == (10 if is_held else n_bad)
    assert taken.n_stored == 10 - taken.n_refused
    assert taken.events.schema == EVENTS.schema
    assert taken.rejects["line"].to_pylist() == list(range(2, 2 + taken.n_refused))
    held = [("", "", "held")] * (10 - n_bad) if is_held else []
    assert problems(taken) == [("received", "soon", "unreadable_instant")] * n_bad + held
