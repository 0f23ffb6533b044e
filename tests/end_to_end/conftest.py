"""What the tests of whole commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office import copy_of


@pytest.fixture
def office(first_office: Path, tmp_path: Path) -> Path:
    """A copy of the module's first office, to change as a test likes."""
    return copy_of(first_office, tmp_path)
