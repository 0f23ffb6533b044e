"""The measure of stages: a dossier's open time by stretch between one event and the next (rulebook 10)."""

from __future__ import annotations

from procmon.engine import Engine, sql_text

NEEDED_STEPS = ("clocks",)
"""What `measure` must keep for it."""


def stretches(engine: Engine) -> None:
    """Make the table `stretches` (tables.STRETCHES) in an engine that `measure` left with `keep=NEEDED_STEPS`.

    A dossier that was not received has none.
    """
    engine.steps(sql_text("measure", "stretches"))
