"""The disputed rules, as small cases: what happened, and what must come out.

tests/spec/test_disputed_rules.py measures them twice, docs/generate.py prints them into docs/measures.md.
"""

from __future__ import annotations

from typing import NamedTuple

HAND = "worked out by hand"
DECREE = "Decree 118/2025/NĐ-CP"
CIVIL_CODE = "Civil Code 2015, arts. 147 and 148"
INDEX = "Decision 766/QĐ-TTg, item 2.1"


class Case(NamedTuple):
    """One dossier: its events, and the cells that `procmon show dossiers` must print for it.

    `events` are lines of "day time status", with "column=value" behind; times without an offset are of `zone`.
    `limit` and `policies` are those of its procedure. With `to` it is seen as of a period's end, else as of `as_of`.
    """

    title: str
    rule: str
    source: str
    events: str
    expected: dict[str, str]
    limit: str = ""
    policies: str = ""
    zone: str = ""
    as_of: str = "2026-03-01 00:00"
    to: str = ""


CASES = [
    Case(
        "At closing time",
        "A session is half-open: the last open minute ends at 17:00, and what happens at 17:00 costs nothing more",
        "rulebook 4",
        """
        2025-03-03 16:00 received
        2025-03-03 17:00 finished
        """,
        {"working_minutes": "60", "elapsed_minutes": "60"},
    ),
    Case(
        "Between closing and opening",
        "From closing time to the next opening no open time passes",
        "rulebook 4",
        """
        2025-03-03 17:00 received
        2025-03-04 07:30 finished
        """,
        {"working_minutes": "0", "elapsed_minutes": "870"},
    ),
    Case(
        "Seconds",
        "Time is summed in seconds, and shown in whole minutes, rounded down once",
        "rulebook 1",
        """
        2025-03-03 08:00:00.900 received
        2025-03-03 08:00:59.999 supplement_requested
        2025-03-03 08:02:00.100 processing
        2025-03-03 08:02:02 finished
        """,
        {"working_minutes": "1", "paused_minutes": "1", "elapsed_minutes": "2"},
    ),
    Case(
        "On a holiday",
        "An event on a day off is legal; it just costs nothing until the next opening",
        "rulebook 4; 2 May 2025 was off, worked on Saturday 26 April",
        """
        2025-05-01 09:00 received
        2025-05-02 10:00 processing
        2025-05-05 08:00 finished
        """,
        {"working_minutes": "30", "received_at": "2025-05-01T09:00:00+07:00"},
    ),
    Case(
        "Across New Year",
        "Days off of both years count, and the day that was swapped a week before it came",
        "letter 12729/VPCP-KGVX of 25 December 2025",
        """
        2025-12-31 16:00 received
        2026-01-05 08:30 finished
        """,
        {"working_minutes": "120"},
    ),
    Case(
        "Over a worked Saturday",
        "Friday 25 April 2025 16:00 to Monday 28 April 08:00 is 570 minutes: Saturday 26 April was worked",
        HAND,
        """
        2025-04-25 16:00 received
        2025-04-28 08:00 finished
        """,
        {"working_minutes": "570"},
    ),
    Case(
        "Two events at one instant",
        "They stand in the order of their statuses: processing before the request, so that the wait is still open",
        "rulebook 1",
        """
        2025-03-03 08:00 received
        2025-03-03 10:00 supplement_requested
        2025-03-03 10:00 processing
        2025-03-03 11:00 finished
        """,
        {"working_minutes": "120", "paused_minutes": "60"},
    ),
    Case(
        "End before receipt",
        "Only what follows the last open event can end a dossier: it is pending, and measured to the as-of instant",
        "rulebook 3",
        """
        2025-03-03 09:00 finished
        2025-03-03 10:00 received
        """,
        {"outcome": "pending", "working_minutes": "60", "is_reopened": "false", "ended_at": ""},
        as_of="2025-03-03 11:00",
    ),
    Case(
        "Reopened",
        "Work after an end undoes it: the last end counts, and the time between is processing time",
        "rulebook 3",
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 finished
        2025-03-04 08:00 processing
        2025-03-04 09:00 finished
        """,
        {"outcome": "finished", "is_reopened": "true", "working_minutes": "540"},
    ),
    Case(
        "Finished, then returned",
        "The first finish of the tail is the end, and the return after it costs the office no processing time",
        "rulebook 3",
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 finished
        2025-03-03 10:00 returned
        """,
        {"outcome": "finished", "working_minutes": "60", "return_minutes": "60"},
    ),
    Case(
        "Due on a day off",
        "A stated day that is off means closing time of the next working day",
        CIVIL_CODE,
        """
        2025-04-29 09:00 received due_at=2025-05-01
        2025-05-05 17:00 finished
        """,
        {"judged_due_at": "2025-05-05T17:00:00+07:00", "on_time_766": "true", "class_06": "on_time"},
    ),
    Case(
        "A term that ends on a day off",
        "The last day of a term moves to the next working day",
        CIVIL_CODE,
        "2025-04-24 16:00 received",
        {"computed_due_at": "2025-04-28T17:00:00+07:00"},
        limit="3 days",
    ),
    Case(
        "Month ends",
        "A month ends on the day of the same number, else on the month's last day",
        CIVIL_CODE,
        "2025-01-31 09:00 received",
        {"computed_due_at": "2025-02-28T17:00:00+07:00"},
        limit="1 months",
    ),
    Case(
        "Month ends in a leap year",
        "2024 has a 29 February",
        CIVIL_CODE,
        "2024-01-31 09:00 received",
        {"computed_due_at": "2024-02-29T17:00:00+07:00"},
        limit="1 months",
    ),
    Case(
        "Working days into a worked Saturday",
        "Received 6 January 2026 with 4 working days: due on Saturday 10 January",
        HAND,
        "2026-01-06 09:00 received",
        {"computed_due_at": "2026-01-10T17:00:00+07:00"},
        limit="4 working_days",
    ),
    Case(
        "Working days over Tết",
        "Received 22 January 2025 16:30 with 3 working days: due on Monday 3 February",
        HAND,
        "2025-01-22 16:30 received",
        {"computed_due_at": "2025-02-03T17:00:00+07:00"},
        limit="3 working_days",
    ),
    Case(
        "Hours over days off",
        "Received 29 April 2025 16:30 with 8 working hours: due on 5 May 16:30",
        HAND,
        "2025-04-29 16:30 received",
        {"computed_due_at": "2025-05-05T16:30:00+07:00"},
        limit="8 hours",
    ),
    Case(
        "Hours that end at closing time",
        "The earliest instant by which the hours have passed: 17:00, not the next opening",
        "rulebook 5",
        "2025-04-24 16:00 received",
        {"computed_due_at": "2025-04-25T17:00:00+07:00"},
        limit="9 hours",
    ),
    Case(
        "Receipt after hours",
        "The clock starts at the next opening by itself; the day of receipt does not count in the term anyway",
        "rulebook 5",
        """
        2025-03-03 18:00 received
        2025-03-04 08:30 finished
        """,
        {"working_minutes": "60", "computed_due_at": "2025-03-04T17:00:00+07:00"},
        limit="1 working_days",
    ),
    Case(
        "Late receipt, by policy",
        "Received after 15:00 counts from the opening of the next day, in time and term; the receipt stays as logged",
        "policy `late_receipt`",
        """
        2025-03-03 15:30 received
        2025-03-04 08:30 finished
        """,
        {
            "received_at": "2025-03-03T15:30:00+07:00",
            "working_minutes": "60",
            "computed_due_at": "2025-03-05T17:00:00+07:00",
        },
        limit="1 working_days",
        policies="late_receipt=15:00",
    ),
    Case(
        "Receipt at 15:00 sharp",
        "Late is what comes strictly after the hour",
        "policy `late_receipt`",
        """
        2025-03-03 15:00 received
        2025-03-04 08:30 finished
        """,
        {"working_minutes": "180", "computed_due_at": "2025-03-04T17:00:00+07:00"},
        limit="1 working_days",
        policies="late_receipt=15:00",
    ),
    Case(
        "A supplement pauses",
        "From the request to the dossier's next event the clock stands still",
        INDEX,
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 supplement_requested
        2025-03-04 08:00 processing
        2025-03-04 09:00 finished
        """,
        {"working_minutes": "120", "paused_minutes": "420"},
    ),
    Case(
        "A supplement restarts, by policy",
        "What was worked before the papers were complete is discarded",
        f"policy `supplement`; wording of {DECREE}",
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 supplement_requested
        2025-03-04 08:00 processing
        2025-03-04 09:00 finished
        """,
        {"working_minutes": "60", "paused_minutes": "0"},
        policies="supplement=restart",
    ),
    Case(
        "A supplement runs on, by policy",
        "The applicant's time is the office's",
        "policy `supplement`",
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 supplement_requested
        2025-03-04 08:00 processing
        2025-03-04 09:00 finished
        """,
        {"working_minutes": "540", "paused_minutes": "0"},
        policies="supplement=run",
    ),
    Case(
        "Second supplement",
        "A second request makes the dossier late, however soon it ends",
        INDEX,
        """
        2025-03-03 08:00 received due_at=2025-03-31
        2025-03-03 09:00 supplement_requested
        2025-03-03 10:00 processing
        2025-03-03 11:00 supplement_requested
        2025-03-03 13:30 processing
        2025-03-03 14:00 finished
        """,
        {"n_supplements": "2", "working_minutes": "150", "paused_minutes": "120", "on_time_766": "false"},
    ),
    Case(
        "Second supplement under restart",
        "The clock runs from the last resumption",
        f"policy `supplement`; wording of {DECREE}",
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 supplement_requested
        2025-03-03 10:00 processing
        2025-03-03 11:00 supplement_requested
        2025-03-03 13:30 processing
        2025-03-03 14:00 finished
        """,
        {"working_minutes": "30", "paused_minutes": "0"},
        policies="supplement=restart",
    ),
    Case(
        "Pause open at the end of the period",
        "It counts up to the period's end, and what comes then is not seen",
        "rulebook 3",
        """
        2025-03-31 08:00 received
        2025-03-31 10:00 supplement_requested
        2025-04-01 08:00 processing
        """,
        {"outcome": "pending", "working_minutes": "120", "paused_minutes": "330", "class_06": "pending_in_time"},
        to="2025-04-01 00:00",
    ),
    Case(
        "An event at the period's end",
        "A period is half-open: what happens at its end belongs to the next one",
        "rulebook 3",
        """
        2025-03-31 08:00 received
        2025-04-01 00:00 finished
        """,
        {"outcome": "pending", "working_minutes": "450"},
        to="2025-04-01 00:00",
    ),
    Case(
        "An event at the as-of instant",
        "A single instant sees what happens at it",
        "rulebook 3",
        """
        2025-03-31 08:00 received
        2025-03-31 09:00 finished
        """,
        {"outcome": "finished", "working_minutes": "60"},
        as_of="2025-03-31 09:00",
    ),
    Case(
        "Waiting for a payment",
        "It runs, unless the procedure's policy says that it pauses",
        "policy `payment`",
        """
        2025-03-03 08:00 received
        2025-03-03 09:00 payment_requested
        2025-03-03 10:00 processing
        2025-03-03 11:00 finished
        """,
        {"working_minutes": "180", "paused_minutes": "0"},
    ),
    Case(
        "Waiting for a payment, paused by policy",
        "As land law has it; the national index subtracts supplements only, whatever the policy",
        f"policy `payment`; {INDEX}",
        """
        2025-03-03 08:00 received due_at=2025-03-03T10:30
        2025-03-03 09:00 payment_requested
        2025-03-03 10:00 processing
        2025-03-03 11:00 finished
        """,
        {"working_minutes": "120", "paused_minutes": "60", "on_time_766": "false"},
        policies="payment=pause",
    ),
    Case(
        "A bare day",
        "Without an hour a receipt is at opening time, every other event at closing time",
        "rulebook 1",
        """
        2025-03-03 received
        2025-03-04 finished
        """,
        {"received_at": "2025-03-03T07:30:00+07:00", "ended_at": "2025-03-04T17:00:00+07:00", "working_minutes": "960"},
    ),
    Case(
        "A bare day on the day of receipt",
        "Closing time would be before the receipt, so the event is at the receipt",
        "rulebook 1",
        """
        2025-03-03 18:00 received
        2025-03-03 finished
        """,
        {"outcome": "finished", "ended_at": "2025-03-03T18:00:00+07:00", "elapsed_minutes": "0"},
    ),
    Case(
        "A due date before the receipt",
        "It cannot be kept: late",
        "rulebook 6",
        """
        2025-03-03 08:00 received due_at=2025-03-03T08:00
        2025-03-03 08:00 finished
        """,
        {"working_minutes": "0", "on_time_766": "false", "class_06": "on_time"},
    ),
    Case(
        "An end outside opening hours",
        "It costs nothing after closing time: on time by the index, though later by the clock",
        INDEX,
        """
        2025-03-03 08:00 received due_at=2025-03-03T17:00
        2025-03-03 21:00 finished
        """,
        {"working_minutes": "450", "on_time_766": "true"},
    ),
    Case(
        "A foreign log over the start of summer time",
        "A time without an offset is of the log's own zone, each by the offset of its own day",
        "rulebook 1; 04:30 is 10:30 here on 28 March, 09:30 on 31 March",
        """
        2025-03-28 04:30 received
        2025-03-31 04:30 finished
        """,
        {
            "received_at": "2025-03-28T10:30:00+07:00",
            "ended_at": "2025-03-31T09:30:00+07:00",
            "working_minutes": "420",
            "elapsed_minutes": "4260",
        },
        zone="Europe/Amsterdam",
    ),
    Case(
        "An hour that a foreign clock shows twice",
        "The second one is meant, in standard time",
        "ours: nothing in such a log can tell",
        """
        2025-10-26 02:30 received
        2025-10-27 02:30 finished
        """,
        {"received_at": "2025-10-26T08:30:00+07:00", "working_minutes": "60", "elapsed_minutes": "1440"},
        zone="Europe/Amsterdam",
    ),
]
