"""Every error that a user can meet, with the exit code that scripts can act on.

    ProcmonError
    ├── UsageProblem      2   the command's words are off (click's own code), or a refused query
    ├── SettingsError    10   procmon.toml, environment or registry file is wrong
    │   └── RegistryError     a row of a registry file cannot be taken
    ├── InputError       11   no usable input: a log or file that cannot be read
    ├── StoreError       12   the workspace, its registry, ledger or lake
    ├── DeliveryError    13   a mail was not delivered
    └── LockedError      14   another run holds the workspace

Exit 0 is done, 1 a bug (with its traceback), 3 done but `--fail-on` found something (design, section 5).
A message says what, where, and the remedy; `remedy` is printed on a line of its own.
"""


class ProcmonError(Exception):
    """The family: `exit_code` is for scripts, `remedy` tells a person what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageProblem(ProcmonError):  # noqa: N818 - a problem with the words, not an error in the program
    """The words of the command cannot be acted on."""

    exit_code = 2


class SettingsError(ProcmonError):
    """A setting or a registry file is missing or wrong."""

    exit_code = 10


class RegistryError(SettingsError):
    """A registry file has a wrong column or a row that cannot be taken; nothing of it was loaded."""


class InputError(ProcmonError):
    """Nothing usable came in."""

    exit_code = 11


class StoreError(ProcmonError):
    """The workspace or one of its stores is missing, of another version, or failed to write."""

    exit_code = 12


class DeliveryError(ProcmonError):
    """At least one mail was not delivered; the deliveries ledger says which and why."""

    exit_code = 13


class LockedError(ProcmonError):
    """Another process holds the workspace's lock."""

    exit_code = 14
