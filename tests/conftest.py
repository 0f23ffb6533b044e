"""What holds for every test: no network beyond loopback, no hidden skips, the same examples again in CI."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

import hypothesis
import pytest

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib: charts need no screen

# Machines of CI are slow and uneven, so no deadline; a failure there must be the same one here.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
# Under mutation (tests/mutation) any failure will do; to make it small would take minutes.
any_failure = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, phases=any_failure)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

SKIP_NOTHING = "PROCMON_TESTS_SKIP_NOTHING"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Only loopback and local sockets can be reached: no test may depend on the world, nor tell it anything.

    Holds for Python code in the test's own process; child processes are not guarded.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        yield


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def connect_to_loopback(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
            raise PermissionError(f"tests reach loopback only, not {address[0]}")
        return connect(self, address)

    return connect_to_loopback


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test has failed where nothing may be skipped."""
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So has a skipped module."""
    return _fail_if_skipped((yield))


def _fail_if_skipped(report: Report) -> Report:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(SKIP_NOTHING):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{reason}\n{SKIP_NOTHING} is set: install what is missing."
    return report
