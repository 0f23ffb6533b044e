"""A mapping is drafted from what a file holds: what is sure is written, what is open is said, nobody is named."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping as Labelled
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procmon.errors import SettingsError
from procmon.ingest.guess import Draft, draft
from procmon.ingest.look import PATTERNS, ColumnProfile, profile
from procmon.ingest.mapping import Mapping, parse_mapping, read_mapping

File = Labelled[str, Sequence[str | None]]
NAMES = ["Nguyễn Thị Bí Mật", "TRẦN VĂN KÍN", "Lê Đức Ẩn", "Nguyen Van Khuat", "Phạm Thị Che Giấu"]
PHONES = ["0912345678", "0987 654 321", "+84912345679", "0225.3821.055"]
CITIZENS = ["031088001234", "031199005678", "012345678"]
MAILS = ["bi.mat@example.vn", "kin@haiphong.gov.vn"]
connection = duckdb.connect()
SECRETS = [*NAMES, *PHONES, *CITIZENS, *MAILS]


def look(file: File) -> list[ColumnProfile]:
    """The profiles of a file, given by its columns, as they come out of the reading process: through JSON."""
    columns = {f"c{place}": pa.array(list(cells), pa.string()) for place, cells in enumerate(file.values())}
    connection.register("given", pa.table(columns))
    connection.execute("CREATE OR REPLACE TABLE looked_at AS SELECT * FROM given").fetchall()
    found = profile(connection, "looked_at", list(file))
    return [ColumnProfile(**json.loads(json.dumps(asdict(one)))) for one in found]


def drafted(file: File, name: str = "list.xlsx", form: str = "excel") -> Draft:
    n_rows = max(len(cells) for cells in file.values())
    return draft(look(file), file=name, format=form, n_rows=n_rows)


def mapped(file: File, name: str = "list.xlsx", form: str = "excel") -> Mapping:
    return parse_mapping(drafted(file, name, form).toml.encode(), "draft")


def repeated(values: Sequence[str], n: int) -> list[str]:
    return list(islice(cycle(values), n))


def days(n: int, form: str, start: datetime = datetime(2026, 3, 1, 8, 30)) -> list[str]:
    return [(start + timedelta(days=day)).strftime(form) for day in range(n)]


def vietnamese_list(n: int = 40) -> dict[str, Sequence[str | None]]:
    return {
        "STT": [str(row + 1) for row in range(n)],
        "Số hồ sơ": [f"H24.12-250425-{row:04}" for row in range(n)],
        "Tên thủ tục": repeated(["Cấp bản sao trích lục hộ tịch", "Đăng ký khai sinh"], n),
        "Chủ hồ sơ": repeated(NAMES, n),
        "SĐT": repeated(PHONES, n),
        "Ngày tiếp nhận": days(n, "%d/%m/%Y %H:%M"),
        "Ngày hẹn trả": days(n, "%d/%m/%Y", datetime(2026, 3, 8)),
        "Ngày trả": [*days(n - 5, "%d/%m/%Y %H:%M", datetime(2026, 3, 7, 9)), *[None] * 5],
        "Trạng thái": repeated(["Đã trả kết quả", "Đang xử lý", "Yêu cầu bổ sung giấy tờ"], n),
        "Hình thức nộp": repeated(["Trực tiếp", "Trực tuyến"], n),
        "Đơn vị giải quyết": ["UBND phường Hồng Bàng"] * n,
    }


def test_a_vietnamese_list_is_read_as_the_shipped_mapping_reads_it(tmp_path: Path) -> None:
    file = vietnamese_list()
    found = mapped(file)
    ours = read_mapping("danh-sach-ho-so", tmp_path)
    assert found.kind == ours.kind == "dossiers"
    for source in found.sources():
        theirs = next(one for one in ours.sources() if one.key == source.key)
        assert next(name for name in theirs.names if name in file) == source.names[0]
    assert {source.key for source in found.sources()} == {
        "dossier_id", "procedure_id", "received_at", "due_at", "returned_at", "status", "channel", "resolving_unit_id",
    }  # fmt: skip
    assert found.statuses == {label: ours.statuses[label] for label in file["Trạng thái"] if label}
    assert found.channels == {"Trực tiếp": "in_person", "Trực tuyến": "online"}
    assert found.dates == {}
    assert found.unit_columns == ours.unit_columns == "names"


def test_a_column_of_codes_of_units_is_drafted_as_one() -> None:
    assert mapped(vietnamese_list() | {"Đơn vị giải quyết": ["H24.12"] * 40}).unit_columns == "codes"


def test_a_draft_that_is_sure_of_all_says_only_what_was_left_out() -> None:
    said = drafted(vietnamese_list())
    assert said.undecided == ["Left out as personal data: Chủ hồ sơ, SĐT."]
    assert len([line for line in said.toml.splitlines() if line and not line.startswith("#")]) < 22


# Dates


@pytest.mark.parametrize(
    ("values", "patterns", "order"),
    [
        (["05/06/2026", "07/08/2026"], ["dd/MM/yyyy"], ""),
        (["05/06/2026", "23/06/2026"], ["dd/MM/yyyy"], "day"),
        (["05/06/2026", "06/23/2026"], ["MM/dd/yyyy"], "month"),
        (["06/23/2026", "23/06/2026", "24/06/2026"], ["dd/MM/yyyy"], "mixed"),
        (["2026-06-23", "2026-06-23T08:00:00+07:00", "2026-06-23 08:00"], ["iso"], ""),
        (["23/06/2026", "23/06/2026 08:00", "2026-06-23"], ["iso", "dd/MM/yyyy", "dd/MM/yyyy HH:mm"], "day"),
        (["20260623080000"], ["yyyyMMddHHmmss"], ""),
        (["46196", "46196.354"], ["excel"], ""),
        (["23/06/2026 08:00 SA", "05/06/2026 01:15 CH"], ["dd/MM/yyyy hh:mm a"], "day"),
        (["6/23/2026 8:00:00 AM"], ["MM/dd/yyyy hh:mm:ss a"], "month"),
        (["08:00 23/06/2026", "3/6/2026"], ["dd/MM/yyyy", "HH:mm dd/MM/yyyy"], "day"),
        (["0912345678", "12"], [], ""),
        (["31/31/2026"], [], ""),
    ],
)
def test_patterns_are_proven_over_the_whole_column(values: list[str], patterns: list[str], order: str) -> None:
    (found,) = look({"Ngày": values})
    assert (found.patterns, found.order) == (patterns, order)


def test_values_that_are_no_dates_are_counted() -> None:
    (found,) = look({"Ngày trả": ["23/06/2026", "24/06/2026", "chưa trả", "30/02/2026", None]})
    assert (found.patterns, found.n_filled, found.n_unread) == (["dd/MM/yyyy"], 4, 2)
    said = drafted(vietnamese_list() | {"Ngày trả": [*days(38, "%d/%m/%Y"), "chưa trả", "30/02/2026"]})
    assert "2 of 40 values of 'Ngày trả' are no dates that are known; their rows will be refused." in said.undecided


def test_a_column_that_fits_both_orders_is_said_and_taken_day_first() -> None:
    said = drafted(vietnamese_list() | {"Ngày hẹn trả": ["05/06/2026"] * 40})
    assert "'Ngày hẹn trả' fits day-first and month-first; day-first was assumed." in said.undecided
    assert "dates." not in said.toml


def test_a_column_where_one_value_decides_is_not_in_doubt() -> None:
    said = drafted(vietnamese_list() | {"Ngày hẹn trả": [*["05/06/2026"] * 39, "23/06/2026"]})
    assert not any("fits" in sentence for sentence in said.undecided)


def test_a_month_first_column_is_written_out() -> None:
    found = mapped(vietnamese_list() | {"Ngày hẹn trả": [*["05/06/2026"] * 39, "06/23/2026"]})
    assert found.dates == {"due_at": ("MM/dd/yyyy",)}


def test_a_doubtful_column_follows_the_others_of_its_file() -> None:
    file = vietnamese_list() | {
        "Ngày tiếp nhận": days(40, "%m/%d/%Y"),
        "Ngày hẹn trả": ["05/06/2026"] * 40,
        "Ngày trả": days(40, "%m/%d/%Y"),
    }
    assert mapped(file).dates == {"all": ("MM/dd/yyyy",)}
    assert any("'Ngày hẹn trả' fits" in said and "month-first was assumed" in said for said in drafted(file).undecided)


def test_a_column_of_both_orders_is_said() -> None:
    said = drafted(vietnamese_list() | {"Ngày hẹn trả": repeated(["23/06/2026", "06/23/2026"], 40)})
    assert any("'Ngày hẹn trả' holds day-first and month-first dates" in sentence for sentence in said.undecided)


@settings(max_examples=25)
@given(st.lists(st.text(alphabet="0123456789/-.: TZAPM+", min_size=1, max_size=22), min_size=1, max_size=12))
def test_what_is_said_of_a_column_is_true(values: list[str]) -> None:
    (found,) = look({"x": values})
    assert set(found.patterns) <= set(PATTERNS)
    assert found.n_filled == len(values)
    assert found.n_distinct == len(set(values))
    assert found.n_unread <= found.n_filled // 2
    parse_mapping(drafted({"Mã hồ sơ": ["a"] * len(values), "Ngày tiếp nhận": days(len(values), "%Y-%m-%d"),
                           "Ngày trả": values}).toml.encode(), "draft")  # fmt: skip


# Personal data


def test_personal_columns_are_never_mapped_and_their_values_never_leave() -> None:
    file = vietnamese_list(60) | {
        "Địa chỉ": ["Số 5 Lê Lợi"] * 60,
        "ten_nguoi_nop": repeated(NAMES, 60),
        "Cột A": repeated(NAMES, 60),
        "Cột B": repeated(PHONES, 60),
        "Cột C": repeated(CITIZENS, 60),
        "Cột D": repeated(MAILS, 60),
        "Người xử lý": repeated(["canbo1", "canbo2"], 60),
        "Ngày sinh": days(60, "%d/%m/%Y", datetime(1990, 1, 1)),
        "Ghi chú": repeated([f"Gọi {NAMES[0]} số {PHONES[0]}", "đã gọi", "", "x", "y", "z", "t", "u", "v", "w"], 60),
    }
    profiles = look(file)
    left = repr(profiles)
    assert not any(secret in left for secret in [*SECRETS, "Lê Lợi", "canbo1"])
    personal = {"Chủ hồ sơ", "SĐT", "Địa chỉ", "ten_nguoi_nop", "Cột A", "Cột B", "Cột C", "Cột D", "Ngày sinh"}
    assert {one.name for one in profiles if one.is_personal} == personal
    said = draft(profiles, file="list.xlsx", format="excel", n_rows=60)
    assert not any(name in said.toml for name in personal)
    assert any(sentence.startswith("Left out as personal data: ") for sentence in said.undecided)


def test_the_identity_number_of_the_applicant_is_mapped_as_a_hash() -> None:
    said = drafted(vietnamese_list() | {"Số CCCD": repeated(CITIZENS, 40)})
    assert 'applicant_id = "Số CCCD"  # kept as a keyed hash only' in said.toml


@pytest.mark.parametrize("secret", SECRETS)
def test_a_label_that_names_a_person_stays_behind(secret: str) -> None:
    (found,) = look({"Trạng thái": [*["Đang xử lý"] * 30, f"chuyển {secret}"]})
    assert found.labels == {"Đang xử lý": 30}


@pytest.mark.parametrize(
    "label",
    ["Đang Xử Lý", "ĐÃ TRẢ KẾT QUẢ", "Từ chối", "Hồ sơ mới", "Chờ bổ sung", "Phường Hồng Bàng", "1.004222", "10"],
)
def test_labels_that_name_nobody_are_kept(label: str) -> None:
    (found,) = look({"Trạng thái": [label, label]})
    assert found.labels == {label: 2}
    assert not found.is_personal


def test_many_different_values_are_no_labels() -> None:
    many, unique, few = look(
        {
            "a": [str(row) for row in range(61)] * 3,
            "b": [f"text {row}" for row in range(30)] + [None] * 153,
            "c": repeated([f"label {row}" for row in range(60)], 183),
        }
    )
    assert not many.labels
    assert not unique.labels
    assert len(few.labels) == 60


# Codes and labels


def test_codes_are_recognised() -> None:
    procedures, dossiers, neither = look(
        {
            "a": ["1.004222", "2.002492.000.00.00.H24", "3.000181.000.00.00.H22"],
            "b": ["000.00.12.H24-250425-0001", "G09.20-20260609-0092637", "H24.12-250425-0001"],
            "c": ["1.5", "50000", "abc"],
        }
    )
    assert (procedures.procedure_codes, procedures.dossier_codes) == (1, 0)
    assert (dossiers.procedure_codes, dossiers.dossier_codes) == (0, 1)
    assert (neither.procedure_codes, neither.dossier_codes) == (0, 0)


def test_columns_without_telling_names_are_found_by_content() -> None:
    n = 40
    file = {
        "A": [f"G09.20-20260609-{row:07}" for row in range(n)],
        "B": repeated(["1.004222", "2.002492"], n),
        "C": days(n, "%d/%m/%Y"),
        "D": repeated(["Đang xử lý", "Đã trả kết quả"], n),
    }
    said = drafted(file, form="csv")
    assert "'A' was taken as dossier_id, by what it holds; check it." in said.undecided
    found = parse_mapping(said.toml.encode(), "draft")
    assert [source.names for source in found.sources()][:2] == [("A",), ("B",)]
    assert found.columns.status == ("D",)


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("Mã số hồ sơ", "dossier_id"),
        ("SỐ HỒ SƠ (*)", "dossier_id"),
        ("so_ho_so", "dossier_id"),
        ("SoHoSo", "dossier_id"),
        ("Số hồ sơ một cửa", "dossier_id"),
    ],
)
def test_a_name_is_known_whatever_its_writing(column: str, role: str) -> None:
    file = dict(vietnamese_list())
    file[column] = file.pop("Số hồ sơ")
    assert getattr(mapped(file).columns, role) == (column,)


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("Ngày giờ hẹn trả kết quả", "due_at"),
        ("Ngày trả kết quả dự kiến", "due_at"),
        ("Ngày trả kết quả cho dân", "returned_at"),
        ("Ngày hoàn thành hồ sơ", "finished_at"),
    ],
)
def test_a_date_is_known_by_a_part_of_its_name_and_said(column: str, role: str) -> None:
    file = {"Số hồ sơ": [str(row) for row in range(9)], "Ngày nhận": days(9, "%d/%m/%Y"), column: days(9, "%d/%m/%Y")}
    assert getattr(mapped(file).columns, role) == (column,)


def test_a_term_in_days_is_no_appointment() -> None:
    file = {name: cells for name, cells in vietnamese_list().items() if name != "Ngày hẹn trả"}
    said = drafted(file | {"Thời hạn": ["15 ngày"] * 40})
    assert "due_at" not in said.toml
    assert "'Thời hạn' is called like due_at but holds no dates that are known; it was left out." in said.undecided


def test_unknown_statuses_are_named_and_stand_as_comments() -> None:
    said = drafted(vietnamese_list() | {"Trạng thái": repeated(["Đang xử lý", "Chờ ký số"], 40)})
    assert '# "Chờ ký số" = "?"  # 20 rows' in said.toml
    assert any(sentence.startswith("Status not known: 'Chờ ký số'") for sentence in said.undecided)
    assert parse_mapping(said.toml.encode(), "draft").statuses == {"Đang xử lý": "processing"}


def test_national_codes_are_taken_with_a_warning() -> None:
    said = drafted(vietnamese_list() | {"Trạng thái": repeated(["1", "10", "11"], 40)})
    assert parse_mapping(said.toml.encode(), "draft").statuses == {"1": "submitted", "10": "returned"}
    assert any("local systems give codes other meanings" in sentence for sentence in said.undecided)
    assert any(sentence.startswith("Status not known: '11'") for sentence in said.undecided)


def test_statuses_that_are_the_ten_themselves_need_no_table() -> None:
    file = {
        "dossier_id": repeated([str(row) for row in range(10)], 40),
        "procedure_id": ["p"] * 40,
        "status": repeated(["received", "finished"], 40),
        "occurred_at": days(40, "%Y-%m-%dT%H:%M"),
        "due_at": [None] * 40,
    }
    said = drafted(file, "log.csv", "csv")
    assert said.undecided == []
    found = parse_mapping(said.toml.encode(), "draft")
    assert (found.kind, found.statuses, found.columns.due_at) == ("events", {}, ("due_at",))


# Logs


def activity_log(n: int = 60) -> dict[str, Sequence[str | None]]:
    return {
        "Mã hồ sơ": [f"HS{row // 3}" for row in range(n)],
        "Mã thủ tục": ["1.004222"] * n,
        "Bước xử lý": repeated(["Tiếp nhận hồ sơ", "Thẩm định", "Trả kết quả"], n),
        "Thời điểm xử lý": days(n, "%d/%m/%Y %H:%M:%S"),
        "Người xử lý": repeated(["canbo1", "canbo2"], n),
        "Phòng ban": ["Một cửa"] * n,
    }


def test_a_log_of_activities_is_drafted_with_its_ends_by_their_words() -> None:
    said = drafted(activity_log(), "nhat-ky.csv", "csv")
    found = parse_mapping(said.toml.encode(), "draft")
    assert found.kind == "events"
    assert found.columns.activity == ("Bước xử lý",)
    assert found.columns.handler_id == ("Người xử lý",)
    assert found.columns.unit_id == ("Phòng ban",)
    assert found.activities
    assert found.activities.returned == ("Trả kết quả",)
    assert found.activities.received == ()
    assert '#   "Thẩm định"' in said.toml
    assert any("taken as ends, by their words (returned: Trả kết quả)" in sentence for sentence in said.undecided)


def test_a_log_with_statuses_keeps_its_activities_as_stages() -> None:
    n = 60
    log = activity_log(n) | {"Trạng thái": repeated(["Đã tiếp nhận", "Đang xử lý", "Đã trả kết quả"], n)}
    found = mapped(log, "nhat-ky.csv", "csv")
    assert (found.columns.status, found.columns.stage, found.columns.activity) == (("Trạng thái",), ("Bước xử lý",), ())


XES = {
    "case:concept:name": [f"case-{row // 4}" for row in range(80)],
    "case:deadline": ["2012-01-01T00:00:00.000+01:00"] * 80,
    "case:channel": repeated(["Internet", "Desk", "Intern"], 80),
    "concept:name": repeated(["register request", "examine", "decide", "Closed"], 80),
    "time:timestamp": days(80, "%Y-%m-%dT%H:%M:%S.000+01:00"),
    "org:resource": repeated(["Pete", "Sue"], 80),
    "org:group": repeated(["Group 1", "EMPTY"], 80),
    "lifecycle:transition": ["complete"] * 80,
    "dueDate": days(80, "%Y-%m-%dT%H:%M:%S.000+01:00"),
}


def test_an_xes_log_without_vietnamese_gives_a_draft_that_can_be_used() -> None:
    said = drafted(XES, "Receipt Log.xes.gz", "xes")
    found = parse_mapping(said.toml.encode(), "draft")
    assert {source.key: source.names[0] for source in found.sources()} == {
        "dossier_id": "case:concept:name",
        "unit_id": "org:group",
        "due_at": "case:deadline",
        "channel": "case:channel",
        "handler_id": "org:resource",
        "activity": "concept:name",
        "occurred_at": "time:timestamp",
    }
    assert found.name == "receipt-log"
    assert found.constants == {"procedure_id": "receipt-log"}
    assert found.channels == {"Internet": "online", "Desk": "in_person"}
    assert found.activities
    assert found.activities.finished == ("Closed",)
    assert "Pete" not in said.toml
    assert any(sentence.startswith("No column holds the procedure") for sentence in said.undecided)
    assert any(sentence.startswith("Channel not known: 'Intern'") for sentence in said.undecided)


def test_a_log_without_telling_ends_says_so() -> None:
    said = drafted(XES | {"concept:name": repeated(["A1", "A2", "T06 stop advice"], 80)}, "log.xes", "xes")
    assert '# finished = ["?"]' in said.toml
    assert any(sentence.startswith("No activity of 'concept:name' could be told") for sentence in said.undecided)


def test_english_names_are_known() -> None:
    log = {
        "Case ID": XES["case:concept:name"],
        "Activity": XES["concept:name"],
        "Complete Timestamp": days(80, "%Y/%m/%d %H:%M:%S"),
        "Resource": XES["org:resource"],
    }
    found = mapped(log, "log.csv", "csv")
    assert found.columns.dossier_id == ("Case ID",)
    assert found.columns.activity == ("Activity",)
    assert found.columns.occurred_at == ("Complete Timestamp",)
    assert found.dates == {"occurred_at": ("yyyy/MM/dd HH:mm:ss",)}


# The portal's messages

PORTAL = {
    "MaHoSo": [f"G09.20-20260609-{row:07}" for row in range(10)],
    "MaTTHC": ["1.005129"] * 10,
    "ChuHoSo": repeated(NAMES, 10),
    "SoDienThoai": repeated(PHONES, 10),
    "KenhThucHien": repeated(["1", "2"], 10),
    "NgayTiepNhan": days(10, "%Y%m%d%H%M%S"),
    "NgayHenTra": days(10, "%Y%m%d%H%M%S"),
    "TrangThaiHoSo": repeated(["2", "4", "10"], 10),
    "DonViXuLy": ["UBND phường"] * 10,
}


def test_a_message_of_the_portal_is_read_as_the_shipped_mapping_reads_it(tmp_path: Path) -> None:
    found = mapped(PORTAL, "messages.json", "json")
    ours = read_mapping("dvcqg", tmp_path)
    assert found.kind == "dvcqg"
    assert found.progress is None
    assert found.supplements is None
    assert {source.key: source.names for source in found.sources()}.items() <= {
        source.key: source.names for source in ours.sources()
    }.items()
    assert found.statuses == {code: ours.statuses[code] for code in ("2", "4", "10")}
    assert found.channels == {"1": "in_person", "2": "online"}


def test_progress_messages_and_supplements_are_recognised() -> None:
    messages = PORTAL | {
        "TrangThai": repeated(["4", "9"], 10),
        "ThoiDiemXuLy": days(10, "%Y%m%d%H%M%S"),
        "NguoiXuLy": repeated(NAMES, 10),
        "DanhSachHoSoBoSung[].NgayBoSung": days(10, "%Y%m%d%H%M%S"),
    }
    found = mapped(messages, "messages.jsonl", "json")
    assert found.progress
    assert found.progress.occurred_at == ("ThoiDiemXuLy",)
    assert found.progress.handler_id == ("NguoiXuLy",)
    assert found.supplements
    assert found.supplements.requested_at == ("DanhSachHoSoBoSung[].NgayBoSung",)
    assert set(found.statuses) == {"2", "4", "9", "10"}


# What is missing


def test_a_needed_column_that_is_not_there_stands_as_a_comment() -> None:
    said = drafted({"Số hồ sơ": [str(row) for row in range(5)], "Trạng thái": ["Đang xử lý"] * 5})
    assert '# received_at = "?"  # missing: dossiers: when it was received (ngày tiếp nhận)' in said.toml
    assert any(sentence.startswith("No column could be decided for received_at") for sentence in said.undecided)
    with pytest.raises(SettingsError, match="columns: received_at is missing"):
        parse_mapping(said.toml.encode(), "draft")


def test_several_columns_that_may_be_it_are_named() -> None:
    file = {"Số hồ sơ": [str(row) for row in range(20)], "A": days(20, "%d/%m/%Y"), "B": days(20, "%d/%m/%Y")}
    said = drafted(file)
    assert any("received_at" in sentence and "one of A, B" in sentence for sentence in said.undecided)
    assert "Dates that were not used: A, B." in said.undecided


def test_an_empty_file_is_drafted_as_far_as_its_names_go() -> None:
    found = mapped({name: [None] for name in vietnamese_list()})
    assert found.columns.dossier_id == ("Số hồ sơ",)


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(["Số hồ sơ", "Ngày nhận", "Trạng thái", "activity", "MaHoSo"]), st.text(max_size=12)),
        st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=10)), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["csv", "excel", "json", "xes"]),
    st.text(max_size=12),
)
def test_every_draft_is_toml_and_a_mapping_but_for_what_it_says_is_missing(
    file: dict[str, list[str | None]], form: str, name: str
) -> None:
    said = drafted(file, name, form)
    tomllib.loads(said.toml)
    if not any("cannot be used before it is named" in sentence for sentence in said.undecided):
        parse_mapping(said.toml.encode(), "draft")


def test_a_sheet_that_was_named_is_kept() -> None:
    found = draft(look(vietnamese_list()), file="a/Tháng 6 (2).xlsx", format="excel", n_rows=40, sheet='Tờ "1"')
    mapping = parse_mapping(found.toml.encode(), "draft")
    assert (mapping.name, mapping.excel.sheet) == ("thang-6-2", 'Tờ "1"')
