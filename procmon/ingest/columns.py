"""The canonical log's columns as a file has them (rulebook 1), and why a row of it is refused."""

from __future__ import annotations

REQUIRED = ("dossier_id", "status", "occurred_at", "procedure_id")
"""Columns that a log must have; `procedure_id` may be empty in all but one row of a dossier."""

COLUMNS = (
    "dossier_id",
    "status",
    "occurred_at",
    "procedure_id",
    "unit_id",
    "due_at",
    "receiving_unit_id",
    "resolving_unit_id",
    "returning_unit_id",
    "applicant_unit_id",
    "channel",
    "stage",
    "applicant_id",
    "handler_id",
    "reason",
    "recorded_at",
)

PERSONAL = ("applicant_id", "handler_id")
"""Stored only as keyed hashes; masked where a row is refused for them."""

INSTANTS = ("occurred_at", "due_at", "recorded_at")

INSTANT_REMEDY = "Write 2025-04-25T16:00:00, with +07:00 where the zone is not the office's, or the day 2025-04-25."

PROBLEMS: dict[str, tuple[str, str]] = {
    "missing_dossier_id": ("the dossier code is empty", "Give every row its dossier code."),
    "unknown_status": (
        "not one of the ten statuses",
        "Write submitted, received, refused, processing, supplement_requested, payment_requested, withdrawn, "
        "stopped, finished or returned.",
    ),
    "missing_instant": ("the instant is empty", INSTANT_REMEDY),
    "unreadable_instant": ("not a readable instant or day", INSTANT_REMEDY),
    "instant_out_of_range": (
        "lies before 2000 or after 2059, which no calendar covers",
        "Mend the year; if the date is right, it is not a date of this log.",
    ),
    "unknown_channel": ("not one of the three channels", "Write in_person, online or post, or leave it empty."),
    "too_long": ("longer than 1,000 characters", "Shorten the text; is a quote missing?"),
    "control_character": ("holds a control character", "Remove it from the cell."),
    "missing_columns": ("the row has fewer cells than the header", "Write a cell, empty or not, for each column."),
    "too_many_columns": (
        "the row has more cells than the header",
        'Put cells that hold a comma in quotes: "a, b".',
    ),
    "bad_quotes": ("quotes open or close in the wrong place", 'Double a quote inside a quoted cell: "a ""b"" c".'),
    "bad_encoding": ("the row is not valid UTF-8", "Save the file as UTF-8."),
    "unreadable_row": (
        "the row cannot be read as CSV, or is longer than 1 MiB",
        "Open the line in an editor and compare it with its neighbours.",
    ),
}
"""Code → (reason, remedy), as `show rejects` prints them."""
