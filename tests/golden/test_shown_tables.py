"""Tables of the sample city as last reviewed, to the byte. `make golden` writes them anew; the diff is the review."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from office import CITY, load_city, procmon, shown

GOLDEN = Path(__file__).parent
TABLES = {
    "form-06-2025-05.csv": ("form-06", "--period", "2025-05"),
    "form-06-by-unit-2025-05.csv": ("form-06", "--period", "2025-05", "--by", "unit"),
    "on-time-2025-05.csv": ("on-time", "--period", "2025-05"),
    "bridge-2025.csv": ("bridge", "--period", "2025"),
    "reductions-2025.csv": ("reductions", "--period", "2025"),
    "targets.csv": ("targets",),
    "pending-work-2025.csv": ("pending-work", "--period", "2025"),
    "open-stock-2025.csv": ("open-stock", "--period", "2025"),
    "change-2025.csv": ("change", "--period", "2025"),
    "ranking-2025.csv": ("ranking", "--period", "2025"),
    "way-2025-Q3.csv": ("way", "--period", "2025-Q3"),
    "boundaries.csv": ("boundaries",),
    "boundary-shares.csv": ("boundary-shares",),
    "parity.csv": ("parity",),
    "roles.csv": ("roles",),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("golden") / "office"
    procmon("init", workspace)
    load_city(workspace)
    procmon("ingest", CITY / "events.csv.gz", "--workspace", workspace)
    procmon("baseline", "publish", "--workspace", workspace)
    return workspace


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_sample_city_is_as_last_reviewed(workspace: Path, name: str) -> None:
    path, text = GOLDEN / name, shown(workspace, *TABLES[name])
    if os.environ.get("PROCMON_TESTS_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path} is missing: run `make golden` and review it"
    assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()
