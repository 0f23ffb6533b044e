"""The wheel is whole: installed in an empty environment away from the checkout, `procmon demo` works.

Tests have no network, so the wheel is installed without its dependencies, and a `.pth` file shows the new
environment those of this one. A `.pth` file met in a folder that was itself added by one is not read: the editable
install of the checkout stays out of sight, and a test makes sure of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """What `command` printed; it must succeed, knowing nothing of this environment."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PROCMON_", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=ROOT)
    (built,) = folder.glob("procmon-*.whl")
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of an environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin"


def files_in(folder: Path) -> set[str]:
    """Every file below `folder` that belongs to the project, by its path from there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("procmon", "procmon/"),
        ("templates", "procmon/_shipped/templates/"),
        ("sample_logs", "procmon/_shipped/sample_logs/"),
    ],
)
def test_the_wheel_holds_every_file(wheel: Path, folder: str, place: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {place + name for name in files_in(ROOT / folder)}
    assert wanted
    assert wanted - held == set()


def test_the_wheel_holds_the_licence_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert [name for name in names if not name.startswith(("procmon/", "procmon-"))] == []


def test_the_installed_package_is_not_the_checkout(binaries: Path, tmp_path: Path) -> None:
    place = run(binaries / "python", "-c", "import procmon; print(procmon.__file__)", cwd=tmp_path).strip()
    assert Path(place).is_relative_to(binaries.parent)


def test_the_demo_works_away_from_the_checkout(binaries: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "a demo"
    printed = run(binaries / "procmon", "demo", workspace, cwd=tmp_path)
    pages = sorted(workspace.rglob("*.html"))
    mails = sorted(workspace.rglob("*.eml"))
    assert len(pages) >= 3
    assert len(mails) >= 3
    assert str(workspace) in printed
