"""The rules that tests/conftest.py lays on every test do bite."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


def run_pytest(folder: Path, test: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """pytest's own run of `test` under our conftest, in `folder`."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PROCMON_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", str(folder)],
        env=inherited | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


SKIPPED_TEST = "import pytest\n\ndef test_it():\n    pytest.skip('no chromium here')\n"
SKIPPED_MODULE = "import pytest\n\npytest.importorskip('no_such_module')\n"
FAILS_AS_EXPECTED = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_it():\n    assert False\n"


@pytest.mark.parametrize("test", [SKIPPED_TEST, SKIPPED_MODULE])
def test_a_skip_fails_where_nothing_may_be_skipped(tmp_path: Path, test: str) -> None:
    strict = run_pytest(tmp_path, test, PROCMON_TESTS_SKIP_NOTHING="1")
    assert strict.returncode != 0
    assert "install what is missing" in strict.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    lenient = run_pytest(tmp_path, SKIPPED_TEST)
    assert lenient.returncode == 0
    assert "1 skipped" in lenient.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, FAILS_AS_EXPECTED, PROCMON_TESTS_SKIP_NOTHING="1").returncode == 0


@pytest.mark.parametrize("address", [("192.0.2.1", 25), ("mail.example", 587), ("2001:db8::1", 25)])
def test_the_network_beyond_loopback_is_shut(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(PermissionError, match="loopback only"):
        client.connect(address)


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
