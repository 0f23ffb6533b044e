"""Settings: flag, then environment, then `procmon.toml`, then default; checked whole at the door.

Each field carries its meaning; `docs/settings.md` and the commented `procmon.toml` of `procmon init` are printed
from here. Secrets come from the environment, a file of mode 600 or a command, never from `procmon.toml`.
"""

from __future__ import annotations

import json
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as VariableError

from procmon.errors import SettingsError

SETTINGS_FILE = "procmon.toml"


class Section(BaseModel):
    """A table of `procmon.toml`; a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkspaceSettings(Section):
    """[workspace]: where things are and how they are said."""

    timezone: str = Field("Asia/Ho_Chi_Minh", description="time zone of the office; bare times are read in it")
    database_url: str = Field("", description="SQLAlchemy URL of registry and ledger; empty: SQLite in the workspace")
    lake_url: str = Field("", description="folder of the Delta lake; empty: lake/ in the workspace")
    language: Literal["vi"] = Field("vi", description="language of pages and mails")
    city_name: str = Field("thành phố Hải Phòng", description="the city's name as pages print it")
    keep_inputs: int = Field(
        0, ge=0, description="days for which files taken from inbox/ are kept in kept_inputs/; 0: deleted at once"
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone of the IANA list, such as Asia/Ho_Chi_Minh") from error
        return value


class PolicySettings(Section):
    """[policies]: rules that an office may see otherwise; printed in every report that used them."""

    supplement: Literal["pause", "restart", "run"] = Field(
        "pause", description="what a supplement request does to the clock (rulebook 3)"
    )
    payment: Literal["run", "pause"] = Field("run", description="what a financial obligation does to the clock")
    late_receipt: Literal["none", "15:00"] = Field(
        "none", description="receipt strictly after that hour counts from the next opening of a later day"
    )
    min_n_mix: int = Field(5, ge=2, description="dossiers a procedure needs on both sides to enter the mix")
    min_n_verdict: int = Field(100, ge=2, description="dossiers on both sides for a procedure's own verdict")
    min_coverage: float = Field(0.6, ge=0, le=1, description="share of baseline dossiers the mix must cover")
    min_cross: int = Field(5, ge=1, description="finished cross-boundary dossiers that prove a procedure")
    min_units: int = Field(2, ge=1, description="receiving units that prove a procedure")
    boundary_days: int = Field(365, ge=1, description="days before the as-of instant that boundaries look at")
    split_units: Literal["undetermined", "weights"] = Field(
        "undetermined",
        description="dossiers of a unit that was split: undetermined, counted apart; or shared out among its "
        "successors by the weights of `successions`, where an office loaded them",
    )
    max_refused: float = Field(
        0.2, ge=0, le=1, description="share of a file's rows that may be refused; above it the file is held whole"
    )
    future_hours: int = Field(
        24, ge=0, description="hours after now up to which an event may lie; later ones are refused"
    )


class SmtpSettings(Section):
    """[smtp]: without `host` the mails go to outbox/ as .eml files."""

    host: str = Field("", description="name of the mail server as its certificate has it; empty: no sending")
    port: int = Field(587, ge=1, le=65535, description="port: 587 for starttls, 465 for tls")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the connection is protected; none on loopback only"
    )
    username: str = Field("", description="login name; empty: no login")
    password: str = Field("", description="password; only from the environment PROCMON_SMTP__PASSWORD", repr=False)
    password_file: str = Field("", description="file of mode 600 whose first line is the password")
    password_command: str = Field("", description="command that prints the password")
    sender: str = Field("", description="From address; empty: procmon@ this host's name")
    reply_to: str = Field("", description="address of a person who answers replies; empty: none")
    allowed_domains: list[str] = Field([], description="domains that mails may go to; empty: all")
    ca_file: str = Field("", description="certificates to trust instead of the system's; empty: the system's")
    timeout: float = Field(60, gt=0, description="seconds to connect and for each answer")
    data_timeout: float = Field(600, gt=0, description="seconds to wait for the answer after the mail's text")


class ScheduleSettings(Section):
    """[schedule]: when `procmon schedule` does what is due."""

    nightly_at: str = Field(
        "01:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="the nightly run, local; as of the midnight before"
    )
    mail_at: str = Field("07:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="mails go out from, local")
    every_seconds: int = Field(60, ge=1, description="how often the ticker asks the ledger what is due")


class EngineSettings(Section):
    """[engine]: limits of the embedded engine."""

    memory_limit: str = Field("", description="DuckDB's memory, e.g. 8GB; empty: DuckDB's own rule")
    threads: int = Field(0, ge=0, description="DuckDB's threads; 0: one for each core")
    query_seconds: float = Field(60, gt=0, description="longest `procmon query`")
    query_rows: int = Field(100_000, ge=1, description="most rows that `procmon query` prints")
    read_seconds: int = Field(3600, ge=1, description="longest reading of one received file, processor seconds")
    read_memory: int = Field(8 * 1024, ge=1536, description="most memory for reading one received file, MiB")
    read_size: int = Field(64 * 1024, ge=1, description="largest unpacked size of a received file, MiB")
    read_wall_seconds: int = Field(7200, ge=1, description="longest reading of one received file by the wall clock")
    read_ratio: int = Field(
        200, ge=2, description="most that a gzip or a part of an Excel file may unpack to, times its size"
    )
    read_cells: int = Field(50_000_000, ge=1, description="most cells of an Excel sheet")
    settle_seconds: float = Field(
        2, ge=0, description="a file in inbox/ that changes within these seconds is still being written"
    )


class Settings(BaseSettings):
    """All settings of a workspace."""

    model_config = SettingsConfigDict(env_prefix="PROCMON_", env_nested_delimiter="__", extra="ignore", frozen=True)

    workspace: WorkspaceSettings = WorkspaceSettings()
    policies: PolicySettings = PolicySettings()
    smtp: SmtpSettings = SmtpSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    engine: EngineSettings = EngineSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the names are pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file, whose values arrive as `init_settings`.

        A setting's variable has two underscores (PROCMON_SMTP__HOST); one with less, such as PROCMON_WORKSPACE, is
        a command's option.
        """
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = {name: text for name, text in env_settings.env_vars.items() if "__" in name}
        return env_settings, init_settings

    @model_validator(mode="after")
    def _security_none_stays_on_loopback(self) -> Settings:
        if self.smtp.security == "none" and self.smtp.host not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError('smtp.security = "none" is for a server on this machine only; write "starttls" or "tls"')
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.workspace.timezone)


def read_settings(workspace: Path) -> Settings:
    """The settings of `workspace`: its `procmon.toml` under the environment.

    Raises: SettingsError naming file, setting and remedy, also for a name nobody knows, and for a secret that
    stands in the file or in a file others can read.
    """
    path = workspace / SETTINGS_FILE
    try:
        values = TomlConfigSettingsSource(Settings, toml_file=path)() if path.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}", remedy="Mend the line it names.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}", remedy="Check the file's mode.") from error
    for name in values:
        if name not in Settings.model_fields:
            known = ", ".join(f"[{section}]" for section in Settings.model_fields)
            raise SettingsError(f"{path}: [{name}] is not a section", remedy=f"The sections are {known}.")
    if isinstance(values.get("smtp"), dict) and values["smtp"].get("password"):
        raise SettingsError(
            f"{path}: smtp.password: a password does not belong in this file",
            remedy="Set PROCMON_SMTP__PASSWORD, or smtp.password_file to a file of mode 600.",
        )
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(
            f"{path} (or a PROCMON_… variable): {_said(error)}", remedy="See docs/settings.md for each setting."
        ) from error
    except VariableError as error:
        raise SettingsError(f"a PROCMON_… variable: {error}", remedy='A list is written ["one", "two"].') from error
    _check_password_file(settings.smtp.password_file)
    return settings


def _said(error: ValidationError) -> str:
    problems = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"]) or "settings"
        said = "there is no such setting" if item["type"] == "extra_forbidden" else item["msg"]
        problems.append(f"{place}: {said.removeprefix('Value error, ')}")
    return "; ".join(problems)


def _check_password_file(name: str) -> None:
    if not name:
        return
    path = Path(name)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise SettingsError(
            f"smtp.password_file: {path}: {error.strerror}", remedy="Write the password to that file, mode 600."
        ) from error
    if mode & 0o077:
        raise SettingsError(
            f"smtp.password_file: {path} has mode {mode:o}, so others can read it", remedy=f"chmod 600 {path}"
        )


def each_setting() -> Iterator[tuple[str, str, Any, str]]:
    """(section, name, default, meaning) of every setting, in the order of this page."""
    for section, holder in Settings.model_fields.items():
        model = holder.annotation
        assert isinstance(model, type)  # noqa: S101 - for the type checker: each field above is a Section
        assert issubclass(model, Section)  # noqa: S101
        for name, item in model.model_fields.items():
            yield section, name, item.default, item.description or ""


def commented_toml() -> str:
    """The `procmon.toml` of a new workspace: every setting commented out, with its meaning."""
    lines = ["# Settings of this workspace. Each is also an environment variable, e.g. PROCMON_SMTP__HOST."]
    current = ""
    for section, name, default, meaning in each_setting():
        if section != current:
            lines += ["", f"[{section}]"]
            current = section
        if (section, name) != ("smtp", "password"):
            lines += [f"# {meaning}", f"# {name} = {json.dumps(default, ensure_ascii=False)}"]
    return "\n".join(lines) + "\n"
