"""Mappings: how a file of some kind becomes events (rulebook 9), written in TOML, checked whole when read.

A mapping names columns of the file by the words of this project and says what local labels mean. The models below are
the JSON Schema that is published (docs/mapping.schema.json) and the reference that is printed (docs/mappings.md).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from procmon.errors import SettingsError, UsageProblem
from procmon.ingest.dates import DAY_FIRST, Pattern, order_of, parse
from procmon.ingest.rows import Format, SourceColumn, Wanted
from procmon.text import bare, fold, words

Kind = Literal["events", "dossiers", "dvcqg"]
Status = Literal[
    "submitted", "received", "refused", "processing", "supplement_requested", "payment_requested", "withdrawn",
    "stopped", "finished", "returned",
]  # fmt: skip
Channel = Literal["in_person", "online", "post"]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])]
"""One column name of the file, or several of which the first that the file has is read."""


class Part(BaseModel):
    """A table of a mapping; a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DossierColumns(Part):
    """What describes a dossier, whatever the kind of file."""

    dossier_id: Names = Field((), description="dossier code (số hồ sơ)")
    procedure_id: Names = Field((), description="procedure code (mã thủ tục)")
    unit_id: Names = Field((), description="unit that holds the dossier at this step")
    due_at: Names = Field((), description="appointment (ngày hẹn trả)")
    receiving_unit_id: Names = Field((), description="unit that received it (đơn vị tiếp nhận)")
    resolving_unit_id: Names = Field((), description="unit that resolves it (đơn vị giải quyết)")
    returning_unit_id: Names = Field((), description="unit that returns the result (đơn vị trả kết quả)")
    applicant_unit_id: Names = Field((), description="unit where the applicant lives (nơi cư trú)")
    channel: Names = Field((), description="how it was handed in (kênh, hình thức nộp)")
    stage: Names = Field((), description="name of the step")
    applicant_id: Names = Field((), description="who applies; kept as a keyed hash only")
    handler_id: Names = Field((), description="who did the step; kept as a keyed hash only")
    reason: Names = Field((), description="reason, e.g. of a refusal")
    recorded_at: Names = Field((), description="when the step was entered")


class EventColumns(DossierColumns):
    """Columns of a log: a row a step."""

    status: Names = Field((), description="status of the step")
    activity: Names = Field((), description="activity of the step, where the log has no statuses; see [activities]")
    occurred_at: Names = Field((), description="when the step happened")


class Columns(EventColumns):
    """[columns]: which column of the file is what."""

    submitted_at: Names = Field((), description="dossiers: when it was handed in (ngày nộp)")
    received_at: Names = Field((), description="dossiers: when it was received (ngày tiếp nhận)")
    finished_at: Names = Field((), description="dossiers: when work on it ended (ngày kết thúc xử lý)")
    returned_at: Names = Field((), description="dossiers: when the result was returned (ngày trả)")
    status_at: Names = Field((), description="dossiers: since when it has its present status")
    exported_at: Names = Field((), description="dossiers: when the list was exported")


class Supplements(Part):
    """[supplements]: the list of supplement requests inside a dossier (kind dvcqg)."""

    list: str = Field("DanhSachHoSoBoSung", description="name of the list")
    requested_at: Names = Field((), description="when the supplement was asked for")
    resumed_at: Names = Field((), description="when it was handed in")
    due_before: Names = Field((), description="appointment before")
    due_after: Names = Field((), description="appointment after")


class Activities(Part):
    """[activities]: what the activities of a log without statuses mean; all others are `processing`."""

    submitted: Names = ()
    received: Names = Field((), description="empty: the first step of each dossier")
    refused: Names = ()
    supplement_requested: Names = ()
    payment_requested: Names = ()
    withdrawn: Names = ()
    stopped: Names = ()
    finished: Names = ()
    returned: Names = ()


class CsvFormat(Part):
    """[csv]"""

    delimiter: str = Field("", max_length=1, description="what separates cells; empty: found among , ; TAB |")
    encoding: str = Field("", description="encoding of files that are not Unicode, e.g. windows-1258")
    header_row: int = Field(0, ge=0, description="line of the column names; 0: found by them")


class ExcelFormat(Part):
    """[excel]"""

    sheet: str = Field("", description="name of the sheet; empty: the first that has cells")
    header_row: int = Field(0, ge=0, description="row of the column names; 0: found by them")


class JsonFormat(Part):
    """[json]"""

    records: str = Field("", description="name of the member that lists the records, e.g. data; empty: found")


class Mapping(Part):
    """How a file becomes events."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="its name; for lists of dossiers the source")
    title: str = Field("", description="what it is for, in a line")
    kind: Kind = Field(
        "events", description="events: a row a step; dossiers: a row a dossier; dvcqg: the portal's two messages"
    )
    format: Format = Field("auto", description="form of the file; auto: by its content")
    timezone: str = Field("", description="zone of times without an offset; empty: the workspace's")
    dates: dict[str, Names] = Field(
        {}, description="date patterns, for all columns or for one; empty: ISO 8601 and day-first"
    )
    columns: Columns = Columns()
    supplements: Supplements | None = None
    progress: EventColumns | None = Field(None, description="columns of the portal's progress message (kind dvcqg)")
    activities: Activities | None = None
    statuses: dict[str, Status] = Field({}, description="local status → one of the ten; empty: the ten themselves")
    channels: dict[str, Channel] = Field({}, description="local channel → one of the three; empty: these themselves")
    unit_columns: Literal["codes", "names"] = Field(
        "codes",
        description="what the columns of units hold: codes, or names (codes may stand among them), which become the "
        "code of the unit of that name on the day of the event",
    )
    units: dict[str, str] = Field({}, description="local name of a unit → its code; others stay as they are")
    procedures: dict[str, str] = Field({}, description="local name of a procedure → its code; others stay as they are")
    constants: dict[str, str] = Field({}, description="value of a column that the file does not have")
    csv: CsvFormat = CsvFormat()
    excel: ExcelFormat = ExcelFormat()
    json_: JsonFormat = Field(JsonFormat(), alias="json")

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            if value:
                ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone of the IANA list, such as Asia/Ho_Chi_Minh") from error
        return value

    @field_validator("dates")
    @classmethod
    def _are_patterns(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        known = ["all", *INSTANT_ROLES, "progress_occurred_at", *(f"supplement_{name}" for name in SUPPLEMENT_INSTANTS)]
        for column, patterns in value.items():
            if column not in known:
                raise ValueError(f"'{column}' is none of {', '.join(known)}")
            order_of([parse(pattern) for pattern in patterns])
        return value

    @model_validator(mode="after")
    def _says_enough(self) -> Mapping:
        _check_constants(self)
        _check_labels(self)
        is_log = self.kind == "events"
        _check_columns("columns", self.columns, DOSSIERS_ONLY if is_log else EVENTS_ONLY, self.kind)
        have = {name for name in Columns.model_fields if getattr(self.columns, name)} | set(self.constants)
        missing = [name for name in NEEDED[self.kind] if name not in have]
        if missing:
            hint = "; a whole file's procedure is constants.procedure_id" if "procedure_id" in missing else ""
            raise ValueError(f"columns: {', '.join(missing)} is missing{hint}")
        if is_log and ("status" in have) == bool(self.columns.activity):
            raise ValueError("columns: name either status or activity")
        if self.activities and not self.columns.activity:
            raise ValueError("activities: name the column of activities: columns.activity")
        if (self.supplements or self.progress) and self.kind != "dvcqg":
            raise ValueError('[supplements] and [progress] are for kind = "dvcqg"')
        if self.progress:
            _check_columns("progress", self.progress, ("activity",), self.kind)
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the mapping says, whatever its comments and order."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def is_snapshot(self) -> bool:
        """Whether a later export of a dossier stands instead of an earlier one."""
        return self.kind != "events"

    def sources(self) -> list[SourceColumn]:
        """The columns that are read from a file, by key."""
        needed = (*NEEDED[self.kind], *(("status", "activity") if self.kind == "events" else ()))
        return [
            *_sources(self.columns, "", needed),
            *(_sources(self.progress, "progress_", ()) if self.progress else []),
            *(_sources(self.supplements, "supplement_", ()) if self.supplements else []),
        ]

    def wanted(self) -> Wanted:
        """What the reading process needs to know."""
        return Wanted(
            sources=tuple(self.sources()),
            format=self.format,
            delimiter=self.csv.delimiter,
            encoding=self.csv.encoding,
            csv_header_row=self.csv.header_row,
            sheet=self.excel.sheet,
            excel_header_row=self.excel.header_row,
            records=self.json_.records,
            elements=self.supplements.list if self.supplements else "",
        )

    def patterns(self, key: str) -> list[Pattern]:
        """The date patterns of the column `key` of `sources`."""
        return [parse(text) for text in self.dates.get(key) or self.dates.get("all") or DAY_FIRST]


def _sources(columns: Part, prefix: str, needed: tuple[str, ...]) -> list[SourceColumn]:
    return [
        SourceColumn(prefix + role, getattr(columns, role), role in PERSONAL, role in needed)
        for role in type(columns).model_fields
        if role != "list" and getattr(columns, role)
    ]


PERSONAL = ("applicant_id", "handler_id")
PERSONAL_NAME = re.compile(
    r"\b(ho va ten|ho ten|hoten|ten nguoi|chu ho so|chuhoso|nguoi nop|dia chi|diachi|dien thoai|sodienthoai|sdt|so dt|"
    r"di dong|e-?mail|thu dien tu|cmnd|cccd|can cuoc|chung minh|ho chieu|passport|phone|mobile|address|full ?name)\b"
)
"""Columns that hold names, addresses or numbers of persons: they may be hashed, never kept."""

DOSSIERS_ONLY = ("submitted_at", "received_at", "finished_at", "returned_at", "status_at", "exported_at")
EVENTS_ONLY = ("occurred_at", "activity", "handler_id")
INSTANT_ROLES = ("occurred_at", "due_at", "recorded_at", *DOSSIERS_ONLY)
SUPPLEMENT_INSTANTS = ("requested_at", "resumed_at", "due_before", "due_after")
UNIT_ROLES = ("unit_id", "receiving_unit_id", "resolving_unit_id", "returning_unit_id", "applicant_unit_id")
NEEDED: dict[Kind, tuple[str, ...]] = {
    "events": ("dossier_id", "procedure_id", "occurred_at"),
    "dossiers": ("dossier_id", "procedure_id", "received_at"),
    "dvcqg": ("dossier_id",),  # a file may hold progress messages only
}
"""The columns that a file of each kind must have; a constant does as well."""


def names_persons(name: str) -> bool:
    """Whether a column of this name holds what may be kept as a keyed hash only."""
    return any(PERSONAL_NAME.search(text) for text in (bare(name), words(name)))


def _check_constants(mapping: Mapping) -> None:
    for name, value in mapping.constants.items():
        if name not in Columns.model_fields or name in (*PERSONAL, *INSTANT_ROLES, "dossier_id", "activity"):
            raise ValueError(f"constants: '{name}' cannot be one value for a whole file")
        known = {"status": get_args(Status), "channel": get_args(Channel)}.get(name)
        if known and value not in known:
            raise ValueError(f"constants: {name} is '{value}', which is none of {', '.join(known)}")


def _check_labels(mapping: Mapping) -> None:
    """Two labels that look alike must mean the same."""
    named = {name: status for status in Activities.model_fields for name in getattr(mapping.activities, status, ())}
    for place in ("statuses", "channels", "units", "procedures"):
        _check_alike(place, getattr(mapping, place))
    _check_alike("activities", named)


def _check_alike(place: str, meanings: dict[str, str]) -> None:
    known: dict[str, str] = {}
    for label, meaning in meanings.items():
        if known.setdefault(fold(label), meaning) != meaning:
            raise ValueError(f"{place}: '{label}' looks like another label, but means something else")


def _check_columns(where: str, columns: EventColumns, not_for: tuple[str, ...], kind: Kind) -> None:
    for role in type(columns).model_fields:
        names: tuple[str, ...] = getattr(columns, role)
        if names and role in not_for:
            raise ValueError(f'{where}: {role} is not for kind = "{kind}"')
        for name in names:
            if role not in PERSONAL and names_persons(name):
                raise ValueError(
                    f"{where}: {role}: the column '{name}' holds personal data, which is not kept; "
                    "only applicant_id and handler_id may be, as keyed hashes"
                )


def shipped() -> list[str]:
    """The names of the mappings that come with the program."""
    return sorted(path.name.removesuffix(".toml") for path in files("procmon.ingest").joinpath("mappings").iterdir())


def read_mapping(name: str, folder: Path) -> Mapping:
    """The mapping that `name` says: a TOML file's path, a file in `folder`, or a shipped one.

    Raises: UsageProblem where there is none; SettingsError naming file, place and remedy where it cannot be taken.
    """
    for path in (Path(name), folder / f"{name}.toml"):
        if path.suffix == ".toml" and path.is_file():
            return parse_mapping(path.read_bytes(), str(path))
    if name not in shipped():
        raise UsageProblem(
            f"there is no mapping '{name}'",
            remedy="See `procmon mapping list`, or draft one: `procmon mapping guess FILE`.",
        )
    return parse_mapping(files("procmon.ingest").joinpath("mappings", f"{name}.toml").read_bytes(), name)


def parse_mapping(text: bytes, place: str) -> Mapping:
    """Read a mapping's text. Raises: SettingsError naming `place`, what is wrong and the remedy."""
    try:
        return Mapping(**tomllib.loads(text.decode()))
    except (ValidationError, TypeError) as error:
        said = _said(error) if isinstance(error, ValidationError) else str(error)
        raise SettingsError(f"{place}: {said}", remedy="See docs/mappings.md for what a mapping may say.") from error
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise SettingsError(f"{place}: not valid TOML: {error}", remedy="Mend the line it names.") from error
    except RecursionError as error:
        raise SettingsError(f"{place}: nested too deeply", remedy="A mapping needs two levels.") from error


SAID = {
    "extra_forbidden": "there is no such entry",
    "missing": "is missing",
    "tuple_type": "write a column's name, or a list of names",
    "string_type": "write text in quotes",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "write small letters, digits, - and _",
}
"""Kind of mistake → what is said of it; for others pydantic's own words."""


def _said(error: ValidationError) -> str:
    problems = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        said = SAID.get(item["type"], item["msg"])
        problems.append(f"{place}: {said}".removeprefix(": ").replace("Value error, ", ""))
    return "; ".join(problems)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a mapping file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Mapping.model_json_schema()}
