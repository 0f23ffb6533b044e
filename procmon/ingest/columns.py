"""Why a record of a received file is refused, and what to do."""

from __future__ import annotations

INSTANT_REMEDY = "Write 2025-04-25T16:00:00, with +07:00 where the zone is not the office's, or the day 2025-04-25."

Problems = dict[str, tuple[str, str]]
"""Code → (reason, remedy)."""

PROBLEMS: Problems = {
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
    "unmapped_status": ("a status that the mapping does not know", "Say under [statuses] which of the ten it means."),
    "unmapped_channel": (
        "a channel that the mapping does not know",
        "Say under [channels] whether it is in_person, online or post.",
    ),
    "ambiguous_unit": (
        "a name that several units have on that day",
        "Write its code, or behind its name that of the unit in which it lies: Xã Hòa Bình, Huyện Vĩnh Bảo; "
        "or say under [units] which code it means.",
    ),
    "missing_activity": ("the activity is empty", "Give every row the name of its step."),
    "in_the_future": (
        "lies in the future: it cannot have happened",
        "Mend the date; policies.future_hours says how far clocks may be ahead.",
    ),
    "undated_end": (
        "the status is an end, but no column says when it ended",
        "Export the dates too: ngày trả, ngày kết thúc xử lý, or since when the status holds.",
    ),
    "undated_receipt": ("the status is received, but the day of receipt is empty", "Fill in the day of receipt."),
    "no_event": ("nothing in the row has a date", "Fill in at least the day of receipt."),
    "held": (
        "the file is held: more of its rows were refused than policies.max_refused allows",
        "Mend the rows that have other reasons, or the mapping, and ingest the file again.",
    ),
    "too_long": ("longer than 1,000 characters", "Shorten the text; is a quote missing?"),
    "control_character": ("holds a control character", "Remove it from the cell."),
    "missing_columns": ("the row has fewer cells than the header", "Write a cell, empty or not, for each column."),
    "too_many_columns": (
        "the row has more cells than the header",
        'Put cells that hold a comma in quotes: "a, b".',
    ),
    "bad_quotes": ("quotes open or close in the wrong place", 'Double a quote inside a quoted cell: "a ""b"" c".'),
    "bad_encoding": ("the row is not valid UTF-8", "Save the file as UTF-8."),
    "unreadable_json": ("the record is not a readable JSON object", "Look at the place that the line names."),
    "unreadable_xml": ("the record is not a readable event", "Look at the event that the number names."),
    "duplicate_key": ("a name stands twice in the record", "Keep one of them."),
    "too_deep": ("the record is nested more deeply than anything that is read", "Export it flat."),
    "unreadable_row": (
        "the row cannot be read as CSV, or is longer than 1 MiB",
        "Open the line in an editor and compare it with its neighbours.",
    ),
}
"""As `show rejects` prints them."""
