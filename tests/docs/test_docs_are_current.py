"""What is written about the code says what the code says."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from procmon.ingest.dates import TOKENS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES: dict[str, str] = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_a_printed_page_is_what_the_code_prints_now(name: str) -> None:
    path = DOCS / name
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    assert written == PAGES[name], f"docs/{name} is stale: run `make docs`"


def test_every_part_of_a_date_pattern_is_explained() -> None:
    assert [token for token in TOKENS if f"`{token}`" not in PAGES["mappings.md"]] == []


def each_page() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "tests" / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", each_page(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_decision_records_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_record_has_its_four_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^\*\*(Status|Context|Decision|Consequences)\.\*\*", text, re.MULTILINE) == [
        "Status",
        "Context",
        "Decision",
        "Consequences",
    ]


def locked(name: str) -> dict[str, set[Version]]:
    """Package → versions that the lock file holds (two where Pythons differ)."""
    found: dict[str, set[Version]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE):
        found.setdefault(canonicalize_name(package), set()).add(Version(version))
    return found


RUNTIME = PROJECT["project"]["dependencies"]
EXTRA = PROJECT["project"]["optional-dependencies"]["postgres"]
DEV = PROJECT["dependency-groups"]["dev"]


@pytest.mark.parametrize(
    ("lock", "requirements"), [("requirements.lock", RUNTIME), ("requirements-dev.lock", [*RUNTIME, *EXTRA, *DEV])]
)
def test_a_lock_file_meets_every_range_of_pyproject(lock: str, requirements: list[str]) -> None:
    versions = locked(lock)
    unmet = [
        line
        for line in requirements
        if not (held := versions.get(canonicalize_name(Requirement(line).name)))
        or not all(version in Requirement(line).specifier for version in held)
    ]
    assert unmet == [], "run `make lock`"


def test_what_is_tested_is_what_is_shipped() -> None:
    tested = locked("requirements-dev.lock")
    assert {name: held for name, held in locked("requirements.lock").items() if tested.get(name) != held} == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_no_place_to_download_from(lock: str) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links", (ROOT / lock).read_text())


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == PROJECT["project"]["version"]
