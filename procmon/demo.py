"""A workspace from sample_logs/: what a newcomer sees first."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from pathlib import Path

from procmon import intake
from procmon.baselines import publish
from procmon.errors import StoreError
from procmon.inputs import midnight
from procmon.run import Night, Say, nightly
from procmon.store import registry
from procmon.store.workspace import create
from procmon.tables import Period

BASELINE = Period(date(2024, 1, 1), date(2025, 1, 1), "2024")
KINDS = ("procedures", "units", "successions", "calendar", "announced", "targets", "recipients")


def sample_logs() -> Path:
    """The shipped sample_logs/: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_shipped" / "sample_logs", package.parent / "sample_logs"):
        if (folder / "city").is_dir():
            return folder
    raise StoreError("sample_logs/ is not installed with this program", remedy="Install procmon anew.")


def make(folder: Path, *, now: datetime, say: Say) -> Night:
    """Make the workspace, load the sample city, publish its baseline and do one nightly run at the log's end."""
    city = sample_logs() / "city"
    workspace = create(folder, now)
    say(f"workspace {folder}")
    with workspace.lock():
        for kind in KINDS:
            registry.load(workspace.ledger_db, kind, city / f"{kind}.csv", replace=False, now=now)
        shutil.copy2(city / "events.csv.gz", workspace.inbox)
        intake.take_inbox(workspace, now=now)
    say("publishing the baseline of 2024")
    publish(workspace, BASELINE, now=now, say=say)
    planted = json.loads((city / "planted.json").read_text("utf-8"))
    ends_at = midnight(workspace, date.fromisoformat(planted["log_to"][:10]))
    return nightly(workspace, now=now, as_of=ends_at, is_sending=True, say=say)
