"""Drafting a mapping from a look at a file: names first, content next, and what stays open is said, not guessed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import PurePath

from procmon.ingest.dates import DAY_FIRST
from procmon.ingest.look import ColumnProfile, mirrored
from procmon.ingest.mapping import (
    DOSSIERS_ONLY,
    EVENTS_ONLY,
    INSTANT_ROLES,
    NEEDED,
    PERSONAL,
    UNIT_ROLES,
    Columns,
    EventColumns,
    Kind,
    Supplements,
)
from procmon.tables import CHANNELS, STATUSES
from procmon.text import fold, words

ALSO_CALLED: dict[str, str] = {
    "dossier_id": "case concept name, case id, caseid, case, case number, ticket id, ticket, incident id, request id, "
    "application id, order id, trace id, mã biên nhận, số hs, mã hs",
    "procedure_id": "case procedure id, procedure, procedure code, procedure name, case type, case case type, "
    "process id, mã tthc, tên thủ tục hành chính, loại hồ sơ",
    "activity": "concept name, activity, activity name, task, task name, step, action, event, event name, hoạt động, "
    "bước, tên bước, bước xử lý, công việc, công đoạn",
    "occurred_at": "time timestamp, timestamp, complete timestamp, end timestamp, event time, date time, datetime, "
    "time, date, thời điểm xử lý, thời điểm, thời gian, thời gian xử lý, ngày giờ, ngày xử lý, ngày thực hiện",
    "status": "case status, state",
    "unit_id": "org group, group, department, unit, team, đơn vị, phòng ban xử lý, phòng ban, đơn vị xử lý, bộ phận",
    "handler_id": "org resource, resource, user, handler, performer, agent, employee, người xử lý, người thực hiện, "
    "cán bộ xử lý, cán bộ, chuyên viên, cán bộ thụ lý",
    "stage": "giai đoạn, phase",
    "channel": "case channel, kênh, hình thức",
    "reason": "lý do trả lại, lý do trễ hạn",
    "recorded_at": "entered at, ngày cập nhật, thời điểm ghi nhận",
    "due_at": "due date, due, deadline, case deadline, promised date, ngày trả dự kiến, ngày trả kết quả dự kiến, "
    "ngày dự kiến trả, ngày dự kiến trả kết quả, ngày hẹn trả hồ sơ, hẹn trả, ngày giờ hẹn, thời hạn, "
    "thời hạn xử lý, hạn trả",
    "received_at": "received, received date, date received, start date, created, created at, opened, opened at, "
    "registered",
    "finished_at": "finished, closed, closed at, closed date, completed, completed at, completion date, end date, "
    "resolved at, ngày kết thúc, ngày xong",
    "returned_at": "returned, returned date, delivered, delivered at, ngày giờ trả, ngày trả hồ sơ, ngày giao trả",
    "submitted_at": "submitted, submitted date, date submitted",
}
"""Role → what a column of it is called besides what the shipped mappings say, best first."""

CALLED_STATUS: dict[str, str] = {
    "submitted": "submitted",
    "received": "new, open, opened, received, registered",
    "refused": "refused, rejected, denied, declined",
    "processing": "in progress, processing, assigned, pending, under review",
    "supplement_requested": "waiting for customer, awaiting customer, waiting for applicant, awaiting information",
    "payment_requested": "awaiting payment, waiting for payment",
    "withdrawn": "withdrawn, cancelled by applicant",
    "stopped": "stopped, cancelled, canceled, aborted",
    "finished": "finished, completed, complete, closed, resolved, done, hoàn thành, đã hoàn thành, kết thúc",
    "returned": "returned, delivered, trả kết quả",
}
CALLED_CHANNEL: dict[str, str] = {
    "in_person": "in person, desk, counter, walk-in, tại chỗ, một cửa",
    "online": "online, internet, web, portal, e-mail, email, app, trực tuyến (dvc)",
    "post": "post, by post, mail, postal, bưu điện",
}
END_WORDS = {
    "refused": re.compile(r"\b(reject|rejected|refuse|refused|deny|denied|tu choi)\b"),
    "withdrawn": re.compile(r"\b(withdraw|withdrawn|withdrawal|rut ho so)\b"),
    "stopped": re.compile(r"\b(abort|aborted|cancel|canceled|cancelled|dung xu ly|huy ho so)\b"),
    "returned": re.compile(r"(?<!cho )(?<!phieu )(?<!bo phan )(?<!va )\b(tra ket qua|giao ket qua|deliver result)\b"),
    "finished": re.compile(
        r"^(end|close|done)$|(?<!chua )(?<!not )\b(closed|close case|finished|completed|hoan thanh|ket thuc)\b"
    ),
}
"""Words of activities and labels that end a dossier."""

PORTAL = {"MaTTHC", "NgayTiepNhan", "TrangThaiHoSo", "ThoiDiemXuLy"}
"""Members of the portal's messages, as they are written there."""

BY_PART = ("dossier_id", "procedure_id", "occurred_at", "received_at", "due_at", "finished_at", "returned_at", "status")
"""Roles that a column may have by a part of its name, where no column has it by the whole."""


@dataclass(frozen=True)
class Draft:
    """A drafted mapping: its text, and sentences on what could not be decided or was assumed."""

    toml: str
    undecided: list[str]


@dataclass
class _Sketch:
    """What is decided so far."""

    kind: Kind
    name: str
    columns: dict[str, ColumnProfile] = field(default_factory=dict)
    progress: dict[str, ColumnProfile] = field(default_factory=dict)
    supplements: dict[str, ColumnProfile] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    dates: dict[str, list[str]] = field(default_factory=dict)
    comments: dict[str, list[str]] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        self.undecided.append(_comment(sentence))


def draft(profiles: Sequence[ColumnProfile], *, file: str, format: str, n_rows: int, sheet: str = "") -> Draft:
    """Draft a mapping for `file`, whose `format` is csv, excel, json or xes, from the look at its columns.

    The text is a mapping that `parse_mapping` takes, unless a needed column was not found: its line then stands as a
    comment, and `undecided` names it.
    """
    names = {profile.name for profile in profiles}
    if format == "json" and "MaHoSo" in names and PORTAL & names:
        sketch = _portal(profiles, _name(file))
    else:
        found = _by_name(profiles, format)
        sketch = _Sketch(_kind(found, n_rows, format), _name(file))
        _choose_columns(sketch, found, profiles)
    _choose_dates(sketch)
    body = [*_columns(sketch), *_labels(sketch)]
    _name_unused(sketch, profiles)
    keep = "" if sketch.kind == "events" else "  # keep it for later exports of this list"
    head = [
        f"# Drafted from {_comment(PurePath(file).name)} ({n_rows:,} rows): see each line, then try it:",
        "# procmon mapping check FILE --mapping THIS",
        f"name = {_text(sketch.name)}{keep}",
        f'kind = "{sketch.kind}"',
    ]
    if sheet:
        head.append(f"excel.sheet = {_text(sheet)}")
    if _holds_names(sketch):
        head.append('unit_columns = "names"  # those of the registry; codes may stand among them')
    return Draft("\n".join([*head, *_dates(sketch), "", *body]).rstrip() + "\n", sketch.undecided)


def _holds_names(sketch: _Sketch) -> bool:
    """Whether a column of units holds names: a code has no blank."""
    columns = [columns.get(role) for columns in (sketch.columns, sketch.progress) for role in UNIT_ROLES]
    return any(" " in label for column in columns if column for label in column.labels)


# Columns


def _by_name(profiles: Sequence[ColumnProfile], format: str) -> dict[str, list[tuple[int, ColumnProfile]]]:
    """Role → its columns by their whole names, the best name first."""
    found: dict[str, list[tuple[int, ColumnProfile]]] = {}
    for profile in profiles:
        for role, names in _dictionary().items():
            called = words(profile.name)
            if called not in names and called.startswith("case ") and role not in ("activity", "occurred_at", "status"):
                called = called.removeprefix("case ")  # an attribute of the trace
            if called in names and (role in PERSONAL or not profile.is_personal or role == "dossier_id"):
                if format == "xes" and role == "due_at" and not profile.name.startswith("case:"):
                    continue  # a step's, not the dossier's
                found.setdefault(role, []).append((names.index(called), profile))
    for role, columns in list(found.items()):
        if role in INSTANT_ROLES:
            found[role] = [column for column in columns if _may_be(role, column[1])] or columns
    return {role: sorted(columns, key=lambda column: column[0]) for role, columns in found.items()}


@cache
def _dictionary() -> dict[str, list[str]]:
    """Role → what a column of it is called, in small plain words, best first."""
    called: dict[str, list[str]] = {role: [] for role in Columns.model_fields}
    for mapping in ("xes", "canonical", "danh-sach-ho-so"):
        for role, names in _shipped(mapping)["columns"].items():
            called[role] += [words(name) for name in ([names] if isinstance(names, str) else names)]
    return {role: [*names, words(role), *_split(ALSO_CALLED.get(role, ""))] for role, names in called.items()}


def _split(said: str) -> list[str]:
    return [words(name) for name in said.split(", ") if name]


@cache
def _shipped(name: str) -> dict[str, dict[str, str | list[str]]]:
    text = files("procmon.ingest").joinpath("mappings", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _kind(found: Mapping[str, list[tuple[int, ColumnProfile]]], n_rows: int, format: str) -> Kind:
    """Whether a row is a step or a dossier."""
    first = {role: columns[0][1] for role, columns in found.items() if _may_be(role, columns[0][1])}
    is_unique = "dossier_id" in first and first["dossier_id"].n_distinct >= 0.9 * n_rows > 0
    is_log = "occurred_at" in first and not {"activity", "status"}.isdisjoint(first)
    is_list = is_unique and (not is_log or "received_at" in first)
    if format == "xes" or (not is_list and (is_log or "activity" in first)):
        return "events"
    return "dossiers" if is_list or "received_at" in first else "events"


def _may_be(role: str, profile: ColumnProfile) -> bool:
    """Whether what the column holds does not speak against the role: an instant is written as a date."""
    return role not in INSTANT_ROLES or bool(profile.patterns) or not profile.n_filled


def _choose_columns(
    sketch: _Sketch, found: Mapping[str, list[tuple[int, ColumnProfile]]], profiles: Sequence[ColumnProfile]
) -> None:
    """One column for each role: by its name, then by its content."""
    roles = [role for role in Columns.model_fields if role not in _not_for(sketch.kind)]
    ranked = sorted(
        ((rank, role, profile) for role in roles for rank, profile in found.get(role, ())),
        key=lambda item: (item[0], roles.index(item[1])),
    )
    for _, role, profile in ranked:
        if role in sketch.columns or _is_taken(sketch, profile):
            continue
        if _may_be(role, profile):
            sketch.columns[role] = profile
        else:
            sketch.say(f"'{profile.name}' is called like {role} but holds no dates that are known; it was left out.")
    if not any(profile.name == "case:concept:name" for profile in profiles):  # XES says what its names mean
        _by_part(sketch, profiles, roles)
    _settle_status(sketch, profiles)
    _by_content(sketch, profiles)
    sketch.columns = {role: sketch.columns[role] for role in Columns.model_fields if role in sketch.columns}
    if "procedure_id" not in sketch.columns:
        sketch.constants["procedure_id"] = sketch.name
        sketch.say(
            f"No column holds the procedure: all dossiers were put under '{sketch.name}' ([constants]); "
            "write its code there, or name the column as procedure_id."
        )


def _by_part(sketch: _Sketch, profiles: Sequence[ColumnProfile], roles: Sequence[str]) -> None:
    """Columns whose name contains a name of two words or more, the longest first: «Ngày trả kết quả dự kiến» is due."""
    open_roles = [role for role in BY_PART if role in roles and not (role == "status" and "activity" in sketch.columns)]
    parts = sorted(
        ((called, role) for role in open_roles for called in _dictionary()[role] if " " in called),
        key=lambda part: -len(part[0]),
    )
    for profile in profiles:
        if profile.is_personal or _is_taken(sketch, profile):
            continue
        said = f" {words(profile.name)} "
        role = next((role for called, role in parts if f" {called} " in said), "")
        is_right = bool(profile.patterns) == (role in INSTANT_ROLES)
        if role and is_right and role not in sketch.columns:
            sketch.columns[role] = profile
            sketch.say(f"'{profile.name}' was taken as {role}, by a part of its name; check it.")


def _is_taken(sketch: _Sketch, profile: ColumnProfile) -> bool:
    return any(profile is column for column in sketch.columns.values())


def _not_for(kind: Kind) -> tuple[str, ...]:
    return DOSSIERS_ONLY if kind == "events" else EVENTS_ONLY


def _settle_status(sketch: _Sketch, profiles: Sequence[ColumnProfile]) -> None:
    """A log has statuses or activities: statuses where their labels are known, else its activities."""
    status, activity = sketch.columns.get("status"), sketch.columns.get("activity")
    if not status:
        known = [profile for profile in profiles if not _is_taken(sketch, profile) and _known_share(profile) >= 0.7]
        if known and not activity:
            status = sketch.columns["status"] = known[0]
            sketch.say(f"'{status.name}' was taken as the status, by its labels.")
    if not status or not activity:
        return
    if _known_share(status) >= 0.5 and status.n_distinct > 1:
        del sketch.columns["activity"]
        sketch.columns.setdefault("stage", activity)
        sketch.say(f"'{status.name}' was taken as the status of each step, '{activity.name}' as the step's name.")
    else:
        del sketch.columns["status"]


def _known_share(profile: ColumnProfile) -> float:
    """Share of the labels that are words for a status; codes are not words."""
    if not profile.labels:
        return 0.0
    return sum(not label.isdigit() and fold(label) in _statuses() for label in profile.labels) / len(profile.labels)


def _by_content(sketch: _Sketch, profiles: Sequence[ColumnProfile]) -> None:
    """The needed columns that no name gives away, where exactly one column can be it."""
    is_log = sketch.kind == "events"
    moment = "occurred_at" if is_log else "received_at"
    candidates = {
        "dossier_id": [profile for profile in profiles if profile.dossier_codes >= 0.8],
        "procedure_id": [profile for profile in profiles if profile.procedure_codes >= 0.8],
        moment: [profile for profile in profiles if profile.patterns and list(profile.patterns) != ["excel"]],
    }
    if is_log and "status" not in sketch.columns:
        candidates["activity"] = [profile for profile in profiles if len(profile.labels) > 1 and not _is_code(profile)]
    for role, columns in candidates.items():
        free = [profile for profile in columns if not profile.is_personal and not _is_taken(sketch, profile)]
        if role in sketch.columns or not free:
            continue
        if len(free) == 1:
            sketch.columns[role] = free[0]
            sketch.say(f"'{free[0].name}' was taken as {role}, by what it holds; check it.")
        else:
            sketch.comments[role] = [profile.name for profile in free]


def _is_code(profile: ColumnProfile) -> bool:
    return all(re.fullmatch(r"[\d.,-]+", label) for label in profile.labels)


def _columns(sketch: _Sketch) -> list[str]:
    """The tables of columns, with a comment where a needed one is missing."""
    lines = ["[columns]", *_entries(sketch.columns)]
    for role in NEEDED[sketch.kind]:
        if role not in sketch.columns and role not in sketch.constants:
            lines.append(_missing(sketch, role, sketch.comments.get(role, [])))
    if sketch.kind == "events" and not {"status", "activity"} & set(sketch.columns):
        lines.append(_missing(sketch, "activity", sketch.comments.get("activity", [])))
    if sketch.kind == "dossiers" and not {"finished_at", "returned_at", "status"} & set(sketch.columns):
        sketch.say("No column says whether or when a dossier was finished or returned: all of them would stay pending.")
    for title, columns in (("supplements", sketch.supplements), ("progress", sketch.progress)):
        if columns:
            lines += ["", f"[{title}]", *_entries(columns)]
    if sketch.constants:
        lines += ["", "[constants]", *(f"{role} = {_text(value)}" for role, value in sketch.constants.items())]
    return lines


def _entries(columns: Mapping[str, ColumnProfile]) -> list[str]:
    hashed = "  # kept as a keyed hash only"
    return [f"{role} = {_text(column.name)}{hashed if role in PERSONAL else ''}" for role, column in columns.items()]


def _missing(sketch: _Sketch, role: str, candidates: Sequence[str]) -> str:
    said = Columns.model_fields[role].description
    which = f": one of {', '.join(candidates)}" if candidates else ""
    sketch.say(f"No column could be decided for {role} ({said}){which}. The draft cannot be used before it is named.")
    return f'# {role} = "?"  # missing: {said}{_comment(which)}'


def _name_unused(sketch: _Sketch, profiles: Iterable[ColumnProfile]) -> None:
    """Say which columns of dates, and which of personal data, were left out."""
    used = [*sketch.columns.values(), *sketch.progress.values(), *sketch.supplements.values()]
    unused = [profile for profile in profiles if not any(profile is one for one in used)]
    if dates := [one.name for one in unused if one.patterns and "excel" not in one.patterns and not one.is_personal]:
        sketch.say(f"Dates that were not used: {', '.join(dates)}.")
    if personal := [one.name for one in unused if one.is_personal]:
        sketch.say(f"Left out as personal data: {', '.join(personal)}.")


# The portal's messages


def _portal(profiles: Sequence[ColumnProfile], name: str) -> _Sketch:
    """The shipped mapping's columns, as far as the file has them."""
    sketch = _Sketch("dvcqg", name)
    have = {profile.name: profile for profile in profiles}
    portal = _shipped("dvcqg")
    for table, columns, roles in (
        ("columns", sketch.columns, Columns.model_fields),
        ("supplements", sketch.supplements, Supplements.model_fields),
        ("progress", sketch.progress, EventColumns.model_fields),
    ):
        for role in roles:
            column = portal[table].get(role)
            if isinstance(column, str) and column in have:
                columns[role] = have[column]
    if "occurred_at" not in sketch.progress:
        sketch.progress.clear()
    sketch.say("This looks like the national portal's messages: the shipped mapping `dvcqg` may do as it stands.")
    return sketch


# Dates


def _choose_dates(sketch: _Sketch) -> None:
    """The patterns of each date column that the day-first default does not read, and what is open about them."""
    keyed = [
        *sketch.columns.items(),
        *((f"progress_{role}", column) for role, column in sketch.progress.items()),
        *((f"supplement_{role}", column) for role, column in sketch.supplements.items()),
    ]
    dates = {key: column for key, column in keyed if _is_instant(key)}
    orders = {column.order for column in dates.values()}
    for key, column in dates.items():
        patterns = list(column.patterns)
        if not patterns and column.n_filled:
            sketch.say(f"'{column.name}' is not written as dates that are known: give its pattern, dates.{key}.")
        elif column.order == "mixed":
            sketch.say(f"'{column.name}' holds day-first and month-first dates; day-first was assumed.")
        elif column.is_ambiguous and "month" in orders and "day" not in orders:
            patterns = [mirrored(pattern) for pattern in patterns]
            sketch.say(f"'{column.name}' fits day-first and month-first; month-first was assumed, as in other columns.")
        elif column.is_ambiguous:
            sketch.say(f"'{column.name}' fits day-first and month-first; day-first was assumed.")
        if patterns and column.n_unread:
            said = f"{column.n_unread:,} of {column.n_filled:,} values of '{column.name}'"
            sketch.say(f"{said} are no dates that are known; their rows will be refused.")
        if not set(patterns) <= set(DAY_FIRST):
            sketch.dates[key] = patterns
    if len(dates) > 1 and set(sketch.dates) == set(dates) and len({tuple(said) for said in sketch.dates.values()}) == 1:
        sketch.dates = {"all": next(iter(sketch.dates.values()))}


def _is_instant(key: str) -> bool:
    role = key.removeprefix("progress_")
    return role in INSTANT_ROLES or key.startswith("supplement_")


def _dates(sketch: _Sketch) -> list[str]:
    return [
        f"dates.{key} = {_text(patterns[0]) if len(patterns) == 1 else _list(patterns)}"
        for key, patterns in sketch.dates.items()
    ]


# Labels


@cache
def _statuses() -> dict[str, str]:
    """Folded label → status: the shipped mapping's, the ten themselves, and the commonest English ones."""
    local = {fold(label): str(status) for label, status in _shipped("danh-sach-ho-so")["statuses"].items()}
    return _folded(CALLED_STATUS) | local | {status: status for status in STATUSES}


@cache
def _channels() -> dict[str, str]:
    local = {fold(label): str(channel) for label, channel in _shipped("danh-sach-ho-so")["channels"].items()}
    return _folded(CALLED_CHANNEL) | local | {channel: channel for channel in CHANNELS}


def _folded(called: Mapping[str, str]) -> dict[str, str]:
    return {fold(label): meaning for meaning, labels in called.items() for label in labels.split(", ")}


def _labels(sketch: _Sketch) -> list[str]:
    """The tables of labels."""
    status = sketch.columns.get("status") or sketch.progress.get("status")
    activity = sketch.columns.get("activity")
    return [
        *(_status_lines(sketch, status) if status else []),
        *(_channel_lines(sketch, sketch.columns["channel"]) if "channel" in sketch.columns else []),
        *(_activity_lines(sketch, activity) if activity else []),
    ]


def _unlike(labels: Mapping[str, int]) -> dict[str, int]:
    """The labels, of those that are compared as one the most frequent, with their rows together."""
    first: dict[str, str] = {}
    counts: dict[str, int] = {}
    for label, n in labels.items():
        label = first.setdefault(fold(label), label)
        counts[label] = counts.get(label, 0) + n
    return counts


def _status_lines(sketch: _Sketch, column: ColumnProfile) -> list[str]:
    """[statuses]: the known labels of the column, the others as comments."""
    labels = _unlike({**column.labels, **(sketch.progress["status"].labels if "status" in sketch.progress else {})})
    if not labels:
        if column.n_filled:
            sketch.say(f"'{column.name}' has {column.n_distinct:,} different values; say what they mean: [statuses].")
        return []
    if set(labels) <= set(STATUSES):
        return []
    codes = _shipped("dvcqg")["statuses"] if all(label.isdigit() for label in labels) else {}
    known = {label: str(codes.get(label) or _statuses().get(fold(label), "")) for label in labels}
    lines = ["", "[statuses]"]
    if codes and sketch.kind != "dvcqg":
        lines[-1] += "  # the national codes; local systems give them other meanings: check"
        sketch.say(
            f"'{column.name}' holds codes: they were read as the national portal's 1 to 10, but local systems give "
            "codes other meanings; ask who runs it."
        )
    lines += [f"{_text(label)} = {_text(status)}" for label, status in known.items() if status]
    unknown = [label for label, status in known.items() if not status]
    lines += [f'# {_text(label)} = "{_ends_as(label) or "?"}"  # {labels[label]:,} rows' for label in unknown]
    if unknown:
        sketch.say(
            f"Status not known: {', '.join(repr(label) for label in unknown)}; say under [statuses] what each means "
            f"({', '.join(STATUSES)}), or their rows are refused."
        )
    elif not codes and any(fold(label) in _folded(CALLED_STATUS) for label in labels):
        sketch.say("Statuses were read by common words for them; check what they mean in your software.")
    return lines


def _channel_lines(sketch: _Sketch, column: ColumnProfile) -> list[str]:
    """[channels]: the known labels of the column, the others as comments."""
    if set(column.labels) <= set(CHANNELS) and (column.labels or not column.n_filled):
        return []
    codes = _shipped("dvcqg")["channels"]
    known = {label: str(codes.get(label) or _channels().get(fold(label), "")) for label in column.labels}
    unknown = [label for label, channel in known.items() if not channel]
    if unknown or not known:
        said = ", ".join(map(repr, unknown)) or "too many to list"
        sketch.say(
            f"Channel not known: {said}; say under [channels] what each means ({', '.join(CHANNELS)}), "
            "or their rows are refused."
        )
    if sketch.kind != "dvcqg" and any(label in codes for label in known):
        sketch.say(f"Codes in '{column.name}' were read as the national portal's: 1 in person, 2 online, 3 by post.")
    lines = [f"{_text(label)} = {_text(channel)}" for label, channel in known.items() if channel]
    lines += [f'# {_text(label)} = "?"  # {column.labels[label]:,} rows' for label in unknown]
    return ["", "[channels]", *lines]


def _activity_lines(sketch: _Sketch, column: ColumnProfile) -> list[str]:
    """[activities]: ends by their words; all others as comments, for the user to move."""
    ends: dict[str, list[str]] = {}
    for label in column.labels:
        if status := _ends_as(label):
            ends.setdefault(status, []).append(label)
    others = [label for label in column.labels if not _ends_as(label)]
    lines = ["", "[activities]  # the first step of a dossier is its receipt; what is not named here is processing"]
    lines += [f"{status} = {_list(labels)}" for status, labels in ends.items()]
    if not {"finished", "returned"} & set(ends):
        lines.append('# finished = ["?"]  # which activity ends a dossier?')
        which = "" if column.labels else f" (there are {column.n_distinct:,})"
        sketch.say(
            f"No activity of '{column.name}' could be told to finish a dossier{which}: name it under [activities] as "
            "finished, or every dossier stays pending."
        )
    if ends:
        said = "; ".join(f"{status}: {', '.join(labels)}" for status, labels in ends.items())
        sketch.say(f"These activities were taken as ends, by their words ({said}); check them.")
    return [*lines, *(["# the others:"] if others else []), *(f"#   {_text(label)}" for label in others)]


def _ends_as(label: str) -> str:
    """The status in which an activity or label ends a dossier, by its words; empty where it does not."""
    said = words(label)
    return next((status for status, pattern in END_WORDS.items() if pattern.search(said)), "")


# TOML


def _name(file: str) -> str:
    """A mapping's name from the file's."""
    stem = PurePath(file).name.split(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", words(stem)).strip("-")[:64] or "list"


def _text(value: str) -> str:
    """A TOML basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"


def _comment(text: str) -> str:
    """Text that is safe in a comment: a column's name may hold a line break."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", text)
