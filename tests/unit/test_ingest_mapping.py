"""A mapping is taken whole or refused with its place and the remedy; the shipped ones and their schema are right."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest

from procmon.errors import SettingsError, UsageProblem
from procmon.ingest.dates import DAY_FIRST
from procmon.ingest.mapping import Channel, Columns, Status, parse_mapping, read_mapping, schema, shipped
from procmon.tables import CHANNELS, STATUSES
from procmon.text import bare

LOG = {
    "name": '"m"',
    "columns.dossier_id": '"a"',
    "columns.procedure_id": '"b"',
    "columns.occurred_at": '"c"',
    "columns.status": '"d"',
}


def written(**entries: str | None) -> str:
    """A small mapping of a log with `entries` (dots written as two underscores) changed; None takes one away."""
    lines = LOG | {name.replace("__", "."): value for name, value in entries.items()}
    return "\n".join(f"{name} = {value}" for name, value in lines.items() if value is not None)


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as error:
        parse_mapping(text.encode(), "my.toml")
    assert error.value.remedy
    said = str(error.value)
    assert said.startswith("my.toml: ")
    return said.removeprefix("my.toml: ")


def shipped_text(name: str) -> bytes:
    return files("procmon.ingest").joinpath("mappings", f"{name}.toml").read_bytes()


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_mapping_is_taken_under_its_own_name(name: str, tmp_path: Path) -> None:
    mapping = read_mapping(name, tmp_path)
    assert mapping.name == name
    assert mapping.title
    assert set(mapping.statuses.values()) <= set(STATUSES)
    assert set(mapping.channels.values()) <= set(CHANNELS)


def test_the_four_mappings_of_the_issue_are_shipped() -> None:
    assert shipped() == ["canonical", "danh-sach-ho-so", "dvcqg", "xes"]


def test_no_name_of_a_column_is_shipped_for_two_roles() -> None:
    for name in shipped():
        columns = parse_mapping(shipped_text(name), name).columns
        called = [bare(column) for role in Columns.model_fields for column in getattr(columns, role)]
        assert len(called) == len(set(called))


def test_the_ten_national_codes_mean_the_ten_statuses_in_order(tmp_path: Path) -> None:
    assert list(read_mapping("dvcqg", tmp_path).statuses.values()) == [
        "submitted", "received", "refused", "processing", "supplement_requested", "payment_requested", "withdrawn",
        "stopped", "finished", "returned",
    ]  # fmt: skip


REFUSED = [
    (written(due_at='"x"'), "due_at: there is no such entry"),
    (written(columns__due='"x"'), "columns.due: there is no such entry"),
    (written(colums__due_at='"x"'), "colums: there is no such entry"),
    (written(json__record='"x"'), "json.record: there is no such entry"),
    (written(name=None), "name: is missing"),
    (written(name='"Danh sách"'), "name: write small letters"),
    (written(kind='"lists"'), "kind: Input should be 'events', 'dossiers' or 'dvcqg'"),
    (written(format='"pdf"'), "format: Input should be"),
    (written(timezone='"Hanoi"'), "timezone: is not a time zone of the IANA list, such as Asia/Ho_Chi_Minh"),
    (written(timezone='"../etc/passwd"'), "timezone: is not a time zone"),
    (written(dates__all='"dd/mm/yyyy"'), "dates: 'dd/mm/yyyy'"),
    (written(dates__all='["iso", "DD/MM/YYYY"]'), "dates: 'DD/MM/YYYY': 'DD/' is not part of a date pattern"),
    (
        written(dates__due_at='["dd/MM/yyyy", "MM/dd/yyyy"]'),
        "dates: dd/MM/yyyy, MM/dd/yyyy: one column cannot be day-first and month-first",
    ),
    (written(dates__due='"iso"'), "dates: 'due' is none of all, occurred_at, due_at"),
    (written(columns__occurred_at=None), "columns: occurred_at is missing"),
    (written(columns__dossier_id=None), "columns: dossier_id is missing"),
    (written(columns__dossier_id="[]"), "columns: dossier_id is missing"),
    (written(kind='"dossiers"', columns__occurred_at=None), "columns: received_at is missing"),
    (written(columns__activity='"e"'), "columns: name either status or activity"),
    (written(columns__status=None), "columns: name either status or activity"),
    (written(constants__status='"received"', columns__status=None, columns__activity='"e"'), "either status or"),
    (written(columns__received_at='"e"'), 'columns: received_at is not for kind = "events"'),
    (written(kind='"dossiers"', columns__received_at='"e"'), 'columns: occurred_at is not for kind = "dossiers"'),
    (written(activities__finished='"e"'), "activities: name the column of activities: columns.activity"),
    (written(statuses__done='"done"'), "statuses.done: Input should be 'submitted', 'received'"),
    (written(channels__web='"web"'), "channels.web: Input should be 'in_person', 'online' or 'post'"),
    (written(constants__dossier_id='"1"'), "constants: 'dossier_id' cannot be one value for a whole file"),
    (written(constants__applicant_id='"1"'), "constants: 'applicant_id' cannot be one value for a whole file"),
    (written(constants__colour='"red"'), "constants: 'colour' cannot be one value for a whole file"),
    (written(supplements__list='"x"'), '[supplements] and [progress] are for kind = "dvcqg"'),
    (written(progress__status='"x"'), '[supplements] and [progress] are for kind = "dvcqg"'),
    (written(csv__delimiter='";;"'), "csv.delimiter: String should have at most 1 character"),
    (written(csv__header_row="-1"), "csv.header_row: Input should be greater than or equal to 0"),
    ("name = ", "not valid TOML: "),
    (written() + '\nname = "twice"', "not valid TOML: "),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[said[:40] for _, said in REFUSED])
def test_what_is_wrong_is_named_with_its_place(text: str, said: str) -> None:
    assert said in refusal(text)


def test_what_is_no_utf_8_is_not_valid_toml() -> None:
    with pytest.raises(SettingsError, match=r"my\.toml: not valid TOML: 'utf-8'"):
        parse_mapping(b'name = "\xff"', "my.toml")


def test_every_wrong_entry_is_named_at_once() -> None:
    said = refusal(written(name='"X"', columns__due='"x"', statuses__done='"done"'))
    assert all(place in said for place in ("name: ", "columns.due: ", "statuses.done: "))


@pytest.mark.parametrize(
    "column",
    [
        "Số điện thoại", "SĐT", "Họ và tên", "HỌ TÊN", "Chủ hồ sơ", "ChuHoSo", "Địa chỉ", "DiaChi", "Email", "E-mail",
        "CCCD", "Số CMND", "phone", "Full name", "so_dien_thoai", "phone_number", "dia_chi", "Họ\u00a0tên",
        "Tên người nộp", "ðịa chỉ", "Điện thoại\u200b di động",
    ],
)  # fmt: skip
def test_a_personal_column_may_be_mapped_as_a_hash_only(column: str) -> None:
    said = refusal(written(columns__reason=f'"{column}"'))
    assert f"columns: reason: the column '{column}' holds personal data" in said
    assert "only applicant_id and handler_id may be, as keyed hashes" in said
    parse_mapping(written(columns__applicant_id=f'"{column}"').encode(), "my.toml")


@pytest.mark.parametrize("column", ["Trạng thái", "Đơn vị tiếp nhận", "Nơi cư trú", "Ngày hẹn trả", "Lý do"])
def test_other_columns_are_not_taken_for_personal_ones(column: str) -> None:
    parse_mapping(written(columns__reason=f'"{column}"').encode(), "my.toml")


def test_a_constant_stands_for_a_column() -> None:
    mapping = parse_mapping(written(columns__procedure_id=None, constants__procedure_id='"1.004222"').encode(), "m")
    assert mapping.constants == {"procedure_id": "1.004222"}
    assert [source.key for source in mapping.sources()] == ["dossier_id", "status", "occurred_at"]


def test_comments_and_order_do_not_change_the_digest() -> None:
    lines = written(columns__stage='"e"').splitlines()
    one = parse_mapping("\n".join(lines).encode(), "m")
    other = parse_mapping("\n".join(["# a comment", *reversed(lines)]).encode(), "m")
    changed = parse_mapping(written(columns__stage='"f"').encode(), "m")
    assert one.digest == other.digest != changed.digest


def test_a_column_is_read_by_its_own_patterns_else_by_all_else_day_first() -> None:
    mapping = parse_mapping(written(dates__all='"iso"', dates__due_at='["dd/MM/yyyy", "excel"]').encode(), "m")
    assert [pattern.text for pattern in mapping.patterns("due_at")] == ["dd/MM/yyyy", "excel"]
    assert [pattern.text for pattern in mapping.patterns("occurred_at")] == ["iso"]
    default = parse_mapping(written().encode(), "m")
    assert tuple(pattern.text for pattern in default.patterns("due_at")) == DAY_FIRST


def test_a_mapping_is_found_by_path_in_the_folder_or_among_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(written(name='"ours"'), "utf-8")
    assert read_mapping("ours", tmp_path).name == "ours"
    assert read_mapping(str(tmp_path / "ours.toml"), tmp_path / "elsewhere").name == "ours"
    with pytest.raises(UsageProblem, match="there is no mapping 'theirs'") as error:
        read_mapping("theirs", tmp_path)
    assert "procmon mapping list" in error.value.remedy


def test_a_refusal_names_the_file_it_was_read_from(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(written(columns__due='"x"'), "utf-8")
    with pytest.raises(SettingsError, match=re.escape(f"{path}: columns.due: there is no such entry")):
        read_mapping("bad", tmp_path)


def test_the_schema_describes_every_shipped_mapping() -> None:
    whole = schema()
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for name in shipped():
        assert problems(tomllib.loads(shipped_text(name).decode()), whole, whole) == []


def test_the_schema_refuses_what_it_does_not_know() -> None:
    whole = schema()
    assert problems({"name": "m", "columns": {"due": "x"}}, whole, whole) == ["due"]
    assert problems({"name": "m", "colums": {}}, whole, whole) == ["colums"]
    assert problems({"columns": {}}, whole, whole) == ["name"]
    assert problems({"name": "m", "kind": "lists"}, whole, whole) == ["'lists'"]


def problems(value: Any, part: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """What of `value` the part of the schema does not allow: the few keywords that ours uses, checked by hand."""
    if "$ref" in part:
        return problems(value, whole["$defs"][part["$ref"].removeprefix("#/$defs/")], whole)
    if "anyOf" in part:
        found = [problems(value, choice, whole) for choice in part["anyOf"]]
        return [] if [] in found else min(found, key=len)
    if "enum" in part and value not in part["enum"]:
        return [repr(value)]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    if "type" in part and not isinstance(value, kinds[part["type"]]):
        return [repr(value)]
    if isinstance(value, list):
        return [problem for item in value for problem in problems(item, part.get("items", {}), whole)]
    if not isinstance(value, dict):
        return []
    known, others = part.get("properties", {}), part.get("additionalProperties", True)
    missing = [name for name in part.get("required", []) if name not in value]
    unknown = [name for name in value if name not in known and others is False]
    inside = [
        problem
        for name, item in value.items()
        if name in known or isinstance(others, dict)
        for problem in problems(item, known.get(name, others), whole)
    ]
    return [*missing, *unknown, *inside]


def test_the_words_of_a_mapping_are_those_of_the_log() -> None:
    assert get_args(Status) == tuple(STATUSES)
    assert get_args(Channel) == CHANNELS
