"""The tables in which the rooms meet: every column with its type and its meaning.

A table leaves a room with exactly these columns, in this order and of these types (`Table.conform`).
Instants are UTC timestamps in microseconds (`_at`), days are dates (`_on`), durations carry their unit,
counts start with `n_`. Ranges of time are half-open everywhere. The documentation's table pages are printed
from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

TEXT = pa.string()
INT = pa.int64()
REAL = pa.float64()
FLAG = pa.bool_()
DAY = pa.date32()
INSTANT = pa.timestamp("us", tz="UTC")
BIG = pa.decimal128(38, 0)  # sums of squares of seconds outgrow 64 bits


@dataclass(frozen=True)
class Column:
    """One column: what it is called, holds and means."""

    name: str
    type: pa.DataType
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table that crosses a room; `shown` is how many leading columns `procmon show` prints (0: all)."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    shown: int = 0

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return [column.name for column in self.columns]

    @property
    def shown_names(self) -> list[str]:
        """The columns that people are shown, in order."""
        return self.names[: self.shown or None]

    @property
    def schema(self) -> pa.Schema:
        """The table's Arrow schema."""
        return pa.schema([(column.name, column.type) for column in self.columns])

    def conform(self, data: pa.Table) -> pa.Table:
        """`data` with exactly this table's columns and types; a missing column is a bug and raises KeyError."""
        return data.select(self.names).cast(self.schema)

    def from_rows(self, rows: Sequence[Mapping[str, object]]) -> pa.Table:
        """Rows of plain values as this table; a missing key is empty."""
        columns = {c.name: [row.get(c.name) for row in rows] for c in self.columns}
        return pa.table({c.name: pa.array(columns[c.name], c.type) for c in self.columns})


def table(name: str, meaning: str, *columns: tuple[str, pa.DataType, str], shown: int = 0) -> Table:
    """A `Table` from (name, type, meaning) triples."""
    return Table(name, meaning, tuple(Column(*column) for column in columns), shown)


STATUSES = {
    "submitted": 1,
    "received": 2,
    "refused": 3,
    "processing": 4,
    "supplement_requested": 5,
    "payment_requested": 6,
    "withdrawn": 7,
    "stopped": 8,
    "finished": 9,
    "returned": 10,
}
"""Status → national code, which is also its place in the order of events (rulebook 2)."""

CHANNELS = ("in_person", "online", "post")
UNIT_KINDS = ("city", "department", "commune", "ward", "special_zone", "district", "centre")
COMMUNE_KINDS = ("commune", "ward", "special_zone")
LIMIT_UNITS = ("hours", "working_days", "days", "months")

FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2060, 1, 1)
"""Instants are taken from FIRST_DAY up to LAST_DAY (excluded); calendars cover just these days."""

RULE_SETS = ("index_766", "form_06", "strict")
"""What "on time" may mean (rulebook 6)."""

OLD_LIMITS_ON = date(2024, 12, 31)
"""The day whose limits every later limit is compared with (rulebook 7.1, 7.3)."""

EVENT_COLUMNS = (
    ("dossier_id", TEXT, "dossier code, opaque text"),
    ("status", TEXT, "one of the ten statuses"),
    ("occurred_at", INSTANT, "when it happened; empty where only the day is known"),
    ("occurred_on", DAY, "the day it happened, where only the day is known"),
    ("procedure_id", TEXT, "procedure code, opaque"),
    ("unit_id", TEXT, "unit that holds the dossier at this step"),
    ("due_at", INSTANT, "the appointment stated at this step, as an instant"),
    ("due_on", DAY, "the appointment stated at this step, as a bare day"),
    ("receiving_unit_id", TEXT, "unit that received the dossier"),
    ("resolving_unit_id", TEXT, "unit that resolves it"),
    ("returning_unit_id", TEXT, "unit that returns the result"),
    ("applicant_unit_id", TEXT, "unit where the applicant lives"),
    ("channel", TEXT, "in_person, online or post"),
    ("stage", TEXT, "name of the step, free text"),
    ("applicant_id", TEXT, "keyed hash of who applies"),
    ("handler_id", TEXT, "keyed hash of who did the step"),
    ("reason", TEXT, "code or text, e.g. why refused"),
    ("recorded_at", INSTANT, "when the step was entered"),
)

EVENTS = table(
    "events",
    "One row for each event that was taken; a repeat of an earlier batch's event is a reference to it.",
    *EVENT_COLUMNS,
    ("batch_id", INT, "the batch that brought the event"),
    ("row_no", INT, "number of the event within its batch; the row's line where a row is one event"),
    ("repeat_of_batch", INT, "for a repeat: the batch of the event that it repeats; a log's repeat is empty else"),
    ("repeat_of_row", INT, "for a repeat: the number of the event that it repeats"),
    (
        "source",
        TEXT,
        "for a row-a-dossier export: the mapping's name, whose later export of the dossier stands instead; empty for "
        "a log. A repeat from such an export has its dossier_id, source and exported_at as well",
    ),
    ("exported_at", INSTANT, "when that export was made"),
)

REJECTS = table(
    "rejects",
    "Rows that were refused, with the reason and the remedy.",
    ("file", TEXT, "file name"),
    ("line", INT, "line in the file, as an editor counts; row of a sheet; number of the record elsewhere"),
    ("column", TEXT, "the offending column"),
    ("value", TEXT, "the offending cell, cut to 200 characters; *** where the column is personal"),
    ("reason", TEXT, "what is wrong"),
    ("remedy", TEXT, "what to do"),
    ("batch", INT, "the batch"),
)

DOSSIERS = table(
    "dossiers",
    "One row for each dossier with an event seen, as of an instant (rulebook 3 to 6 and 8).",
    ("dossier_id", TEXT, "dossier code"),
    ("procedure_id", TEXT, "procedure code as logged"),
    ("outcome", TEXT, "finished, returned, stopped, withdrawn, refused, pending or not_received"),
    ("received_at", INSTANT, "first `received`"),
    ("ended_at", INSTANT, "the end that gave the outcome"),
    ("working_minutes", INT, "processing time: open time from receipt to end less pauses, whole minutes"),
    ("paused_minutes", INT, "open time inside pauses, whole minutes"),
    ("elapsed_minutes", INT, "receipt to end by the wall clock, whole minutes"),
    ("n_supplements", INT, "supplement requests at or after receipt"),
    ("n_due_moves", INT, "changes between consecutive stated due dates"),
    ("first_due_at", INSTANT, "first stated appointment"),
    ("current_due_at", INSTANT, "last stated appointment"),
    ("computed_due_at", INSTANT, "due date by the limit in force on the day of receipt"),
    ("judged_due_at", INSTANT, "first stated appointment, else the computed one"),
    ("on_time_766", FLAG, "on time under index_766; empty where there is nothing to judge by"),
    ("class_06", TEXT, "form 06: early, on_time, late, pending_in_time, pending_overdue"),
    ("is_reopened", FLAG, "work resumed after an end"),
    ("receiving_unit_id", TEXT, "unit that received it"),
    ("resolving_unit_id", TEXT, "unit that resolves it"),
    ("returning_unit_id", TEXT, "unit that returns the result"),
    ("applicant_unit_id", TEXT, "unit where the applicant lives"),
    ("channel", TEXT, "in_person, online, post"),
    ("is_cross_boundary", FLAG, "received across a boundary; empty where it cannot be told"),
    ("reception_minutes", INT, "first `submitted` to receipt, open time, whole minutes"),
    ("return_minutes", INT, "end to `returned`, open time, whole minutes"),
    # Not shown: what judge needs to the second, and where the figures lead.
    ("registry_procedure_id", TEXT, "the registry's procedure that the code finds; empty: unknown"),
    ("calendar_id", TEXT, "the dossier's calendar"),
    ("working_seconds", INT, "processing time in seconds"),
    ("paused_seconds", INT, "paused time in seconds"),
    ("discarded_seconds", INT, "open time before the clock was restarted, in seconds"),
    ("waited_seconds", INT, "open time in supplement pauses from receipt to end, whatever the policies"),
    ("open_seconds", INT, "open time from receipt as logged to the end (or the as-of instant)"),
    ("open_seconds_to_due", INT, "open time from receipt as logged to the judged due date"),
    ("open_seconds_to_computed_due", INT, "open time from receipt as logged to the computed due date"),
    ("open_seconds_to_old_due", INT, "the same to the due date by the limit before the cut (rulebook 7.3)"),
    ("last_status", TEXT, "status of the last event"),
    ("holding_unit_id", TEXT, "last non-empty unit of its events"),
    ("last_event_at", INSTANT, "instant of the last event"),
    ("refusal_reason", TEXT, "reason of the refusal that ended it"),
    ("n_bare_days", INT, "events known by their day only"),
    ("received_on", DAY, "local day of receipt"),
    ("ended_on", DAY, "local day of the end"),
    ("receiving_unit_key", TEXT, "receiving unit as code@valid_from; code@ where unknown on that day"),
    ("resolving_unit_key", TEXT, "resolving unit as code@valid_from"),
    ("returning_unit_key", TEXT, "returning unit as code@valid_from"),
    ("applicant_unit_key", TEXT, "unit where the applicant lives, as code@valid_from"),
    ("is_returned_elsewhere", FLAG, "result returned in another territory than the resolving unit's; empty: unknown"),
    shown=25,
)

UNIT_HEIRS = table(
    "unit_heirs",
    "Of each unit that was taken over, the units that stand for it in time: one heir that has it whole, or those that"
    " share it (rulebook 8).",
    ("unit_key", TEXT, "the unit that was taken over, as code@valid_from"),
    ("heir_key", TEXT, "a unit that stands for it, successions followed to the last"),
    ("from_on", DAY, "first day on which it does"),
    ("to_on", DAY, "day after the last"),
    ("since", DAY, "the last day by then on which anything of it went that way"),
    ("is_whole", FLAG, "it stands for all of it"),
    ("share", REAL, "its share of it by the loaded weights; empty: not weighed"),
)

STRETCHES = table(
    "stretches",
    "A received dossier's time from one event to the next, up to its end or the as-of instant (rulebook 10).",
    ("dossier_id", TEXT, "dossier code"),
    ("seq", INT, "place of the event that opens it, among the dossier's events"),
    ("from_at", INSTANT, "when that event happened"),
    ("to_at", INSTANT, "when the next one happened; else the as-of instant"),
    ("unit_id", TEXT, "unit that holds it: the last one stated up to the event that opens the stretch"),
    ("stage", TEXT, "stage of the event that opens it"),
    ("status", TEXT, "status of that event"),
    ("kind", TEXT, "working; waiting: a pause; discarded: before the clock was restarted"),
    ("open_seconds", INT, "open time in it that its kind counts, seconds; none before a late receipt counts"),
)

BASELINE_DOSSIERS = table(
    "baseline_dossiers",
    "The finished dossiers of a frozen baseline, each with its processing time and its procedure's cap.",
    ("baseline_id", INT, "the baseline"),
    ("dossier_id", TEXT, "dossier code"),
    ("procedure_key", TEXT, "the registry's procedure, else the code as logged"),
    ("unit_key", TEXT, "resolving unit, else receiving unit, as code@valid_from"),
    ("receiving_unit_key", TEXT, "receiving unit as code@valid_from"),
    ("received_on", DAY, "local day of receipt"),
    ("ended_on", DAY, "local day of the end"),
    ("working_seconds", INT, "processing time, seconds"),
    ("cap_seconds", INT, "the procedure's cap, seconds; one for all codes behind one procedure when it was published"),
    ("limit_on_time", FLAG, "on time by the computed due date; empty where there is none"),
    ("paused_seconds", INT, "open time inside pauses, seconds; empty in baselines of release 0.1"),
)

BASELINE_STATES = table(
    "baseline_states",
    "The dossiers received in a frozen baseline as each month's end saw them: one row for each change (rulebook 7d).",
    ("baseline_id", INT, "the baseline"),
    ("dossier_id", TEXT, "dossier code"),
    ("procedure_key", TEXT, "the registry's procedure, else the code as logged"),
    ("unit_key", TEXT, "resolving unit, else receiving unit, as code@valid_from"),
    ("receiving_unit_key", TEXT, "receiving unit as code@valid_from"),
    ("received_on", DAY, "local day of receipt"),
    ("seen_from", DAY, "day after the first month (or baseline) whose end saw it so"),
    ("seen_to", DAY, "the next such day on which it was seen otherwise; 9999-12-31: none"),
    ("outcome", TEXT, "finished, returned, stopped, withdrawn, refused or pending"),
    ("working_seconds", INT, "processing time up to its end, or up to `seen_from` while pending, seconds"),
)

BASELINE_STAGES = table(
    "baseline_stages",
    "Working time of a frozen baseline's finished dossiers by stage (rulebook 7f, 10); pauses and discarded time are"
    " left out.",
    ("baseline_id", INT, "the baseline"),
    ("procedure_key", TEXT, "the registry's procedure, else the code as logged"),
    ("unit_key", TEXT, "resolving unit, else receiving unit, as code@valid_from"),
    ("receiving_unit_key", TEXT, "receiving unit as code@valid_from"),
    ("month_on", DAY, "first day of the month in which the dossiers ended"),
    ("stage", TEXT, "stage of the event that opens the stretch; empty for none"),
    ("capped_from_seconds", INT, "processing time of the dossiers where it is above the cap; empty below it"),
    ("seconds", INT, "sum of the working stretches' open time, seconds"),
)

BASELINE_TABLES = (BASELINE_DOSSIERS, BASELINE_STATES, BASELINE_STAGES)
"""What the lake keeps of a published baseline."""

PREDECESSORS = table(
    "predecessors",
    "The codes that stand behind one procedure since a merger (rulebook 7e): their dossiers are pooled, the shortest"
    " limit stands. Only procedures with another code behind them have rows.",
    ("procedure_id", TEXT, "the procedure on offer"),
    ("predecessor_id", TEXT, "a code behind it; its own, where that was in use before"),
    ("name", TEXT, "the predecessor's name on 31 December 2024, else the last one"),
    ("limit_before", TEXT, "the predecessor's limit on 31 December 2024, e.g. '10 working_days'"),
    ("is_shortest", FLAG, "no other one's limit was shorter: the one that stands"),
    ("n_baseline", INT, "its own finished dossiers of the baseline (same months, in the question's scope)"),
    ("mean_minutes", REAL, "their mean processing time, capped, minutes; never what is compared with"),
    ("is_fastest", FLAG, "no other one's mean was smaller"),
)

UNIT_PREDECESSORS = table(
    "unit_predecessors",
    "The old units whose dossiers stand behind one unit's baseline since a merger (rulebook 7e, 8): theirs are pooled."
    " Only units that took over others whole have rows.",
    ("unit_id", TEXT, "code of the unit today"),
    ("name", TEXT, "its name"),
    ("predecessor_key", TEXT, "the old unit as code@valid_from; its own, where it was there before"),
    ("predecessor_name", TEXT, "the old unit's name"),
    ("n_baseline", INT, "the old unit's own finished dossiers of the baseline (same months, in the question's scope)"),
    ("mean_minutes", REAL, "their mean processing time, capped, minutes, at their own mix: not to be compared"),
)

FORM_06_COUNTS = (
    ("received", INT, "column 3: received, total"),
    ("received_online", INT, "column 4: received online in the period"),
    ("received_in_person_post", INT, "column 5: received in person or by post in the period"),
    ("carried_over", INT, "column 6: received before the period"),
    ("resolved", INT, "column 7: resolved, total"),
    ("resolved_early", INT, "column 8: before the due day"),
    ("resolved_on_time", INT, "column 9: on the due day (and refused, withdrawn, without due date)"),
    ("resolved_overdue", INT, "column 10: after the due day"),
    ("pending", INT, "column 11: being processed, total"),
    ("pending_in_time", INT, "column 12: in time (and waiting for supplements, stopped)"),
    ("pending_overdue", INT, "column 13: past the due day"),
)

FORM_06 = table(
    "form_06",
    "Biểu số 06/VPCP/KSTT by field and level; 3 = 4+5+6 = 7+11, 7 = 8+9+10, 11 = 12+13 (rulebook 6).",
    ("field", TEXT, "field of the procedure; empty: unknown procedure"),
    ("level", TEXT, "city or commune; empty: unknown procedure"),
    *FORM_06_COUNTS,
)

FORM_06_UNITS = table(
    "form_06_units",
    "The same by unit: what `show form-06 --by unit` (or `receiving-unit`) prints.",
    (
        "unit_id",
        TEXT,
        "code of the unit that resolves it, else received it (or the reception point); empty: unknown; undetermined:"
        " old units that no unit of the day stands for",
    ),
    ("name", TEXT, "its name"),
    *FORM_06_COUNTS,
)

ON_TIME = table(
    "on_time",
    "On time under each rule set, over form 06's dossiers of the period (rulebook 6); in every row n_dossiers ="
    " n_judged + those apart, n_judged = n_on_time + n_late, on_time = n_on_time / n_judged.",
    ("rule_set", TEXT, "index_766, form_06 or strict"),
    ("scope", TEXT, "city, level, field or unit; centre for what a reception point received"),
    ("scope_id", TEXT, "which one; empty: city, or unknown; undetermined: old units that no unit of today stands for"),
    ("n_dossiers", INT, "received by the end of the period and not ended before it"),
    ("n_judged", INT, "the denominator: those that the rule set judges"),
    ("n_on_time", INT, "the numerator: of these on time"),
    ("n_late", INT, "of these late"),
    ("n_pending_on_time", INT, "of those on time: still pending"),
    ("n_pending_late", INT, "of those late: still pending"),
    ("n_without_due_date", INT, "apart, in no share: nothing to judge by"),
    ("n_stopped", INT, "apart, in no share: stopped"),
    ("n_refused", INT, "apart, in no share: refused"),
    ("n_withdrawn", INT, "apart, in no share: withdrawn"),
    ("on_time", REAL, "n_on_time / n_judged; empty of nothing"),
    ("name", TEXT, "of a unit its name, of a level or field itself"),
)

BRIDGE = table(
    "bridge",
    "From index_766 to each other rule set, step by step: how many dossiers each step moves (rulebook 6). A dossier"
    " moves in one step only; the last step's counts are the other rule set's.",
    ("from_rule_set", TEXT, "index_766"),
    ("to_rule_set", TEXT, "form_06 or strict"),
    (
        "step",
        TEXT,
        "start, then in this order stopped, refused, withdrawn (form_06: pending or on time; strict: apart), waiting"
        " (for a supplement: in time), without_due_date (form_06: none stated, on time; strict: apart),"
        " two_supplements (no longer late), pauses (no longer subtracted), days (compared instead of minutes),"
        " current_due_date (instead of the first)",
    ),
    ("n_moved", INT, "dossiers whose verdict the step changes"),
    ("n_into_on_time", INT, "of these on time from now on"),
    ("n_out_of_on_time", INT, "of these no longer on time"),
    ("n_into_judged", INT, "of these judged from now on"),
    ("n_out_of_judged", INT, "of these no longer judged"),
    ("n_on_time", INT, "on time after the step"),
    ("n_judged", INT, "judged after the step"),
    ("scope", TEXT, "city, field or unit; centre for what a reception point received"),
    ("scope_id", TEXT, "which one; empty: city"),
)

REDUCTIONS = table(
    "reductions",
    "The three reductions by procedure, and at fixed mix for a scope (rulebook 7.1 to 7.3, 7a to 7c).",
    (
        "scope",
        TEXT,
        "city, level, field, tag, department (with the units below it), unit or procedure; centre for what a reception"
        " point received",
    ),
    (
        "scope_id",
        TEXT,
        "which one: the level, field or tag, the unit's or the procedure's code; empty: city, or no unit stated;"
        " undetermined: old units that no unit of the day stands for",
    ),
    ("name", TEXT, "its name"),
    ("period_from", DAY, "first day of the period compared"),
    ("period_to", DAY, "day after its last"),
    ("target", TEXT, "the actual target in force for the period; empty: none"),
    ("target_reduction", REAL, "its reduction, a fraction"),
    ("n_baseline", INT, "finished dossiers of the baseline (same months)"),
    ("n_period", INT, "finished dossiers of the period"),
    ("n_covered_baseline", INT, "of these in procedures with enough dossiers on both sides"),
    ("n_covered_period", INT, "the same for the period"),
    ("coverage", REAL, "share of baseline dossiers covered"),
    ("coverage_period", REAL, "share of the period's dossiers covered"),
    ("coverage_minutes_baseline", REAL, "share of the baseline's minutes covered"),
    ("coverage_minutes_period", REAL, "share of the period's minutes covered"),
    ("numerator_seconds", REAL, "N: sum of weight times the period's capped mean, seconds"),
    ("denominator_seconds", REAL, "D: sum of weight times the baseline's capped mean, seconds"),
    ("actual_cut", REAL, "C = 1 - N / D"),
    ("cut_lower", REAL, "lower end of the cut's 95 % interval"),
    ("cut_upper", REAL, "upper end of the cut's 95 % interval"),
    ("verdict", TEXT, "met, missed, inconclusive or no_data; no_target where none is in force"),
    (
        "why",
        TEXT,
        "why there is no verdict: no_baseline, few_dossiers, coverage, no_interval or undetermined; else empty",
    ),
    ("mean_baseline_minutes", REAL, "capped mean of the baseline (a procedure's own; at fixed mix D / weights)"),
    ("mean_period_minutes", REAL, "capped mean of the period (at fixed mix N / weights)"),
    ("median_baseline_minutes", REAL, "median of the baseline, procedures only"),
    ("median_period_minutes", REAL, "median of the period, procedures only"),
    ("p90_baseline_minutes", REAL, "90th percentile of the baseline, procedures only"),
    ("p90_period_minutes", REAL, "90th percentile of the period, procedures only"),
    ("cap_minutes", REAL, "the procedure's cap"),
    ("n_capped_baseline", INT, "baseline dossiers above the cap"),
    ("n_capped_period", INT, "period dossiers above the cap"),
    ("capped_minutes_baseline", REAL, "their minutes in the baseline"),
    ("capped_minutes_period", REAL, "their minutes in the period"),
    ("uncapped_ratio", REAL, "N / D without the cap"),
    ("limit_before", TEXT, "limit on 31 December 2024, e.g. '10 working_days'; procedures only"),
    ("limit_now", TEXT, "limit on the period's last day; procedures only"),
    ("limit_cut", REAL, "1 - now / before in working days; over a scope the plain mean"),
    ("limit_class", TEXT, "50, 30, less, unchanged, longer, no_limit_2024; procedures only"),
    ("n_limit_50", INT, "procedures whose limit was cut by 50 % or more"),
    ("n_limit_30", INT, "by 30 % or more, less than 50 %"),
    ("n_limit_less", INT, "by less than 30 %"),
    ("n_limit_unchanged", INT, "unchanged"),
    ("n_limit_longer", INT, "made longer"),
    ("n_no_limit", INT, "without a limit on 31 December 2024"),
    ("n_judged_both", INT, "finished dossiers with a due date under the old and the new limit"),
    ("n_on_time_old", INT, "of these on time under the limit of 31 December 2024"),
    ("n_on_time_new", INT, "of these on time under the limit in force at receipt"),
    ("n_baseline_judged", INT, "finished dossiers of the baseline with a computed due date"),
    ("n_baseline_on_time", INT, "of these on time"),
)

PENDING_WORK = table(
    "pending_work",
    "Pending work counts: restricted means of the dossiers received, each side as of its own period's end, beside the"
    " cut of the finished ones (rulebook 7d). In every row n_received = n_result + n_no_result + n_pending.",
    ("scope", TEXT, "as in reductions"),
    ("scope_id", TEXT, "which one"),
    ("name", TEXT, "its name"),
    ("period_from", DAY, "first day of the period compared"),
    ("period_to", DAY, "day after its last"),
    ("target", TEXT, "the actual target in force for the period; empty: none"),
    ("n_received_baseline", INT, "dossiers received in the same months of the baseline"),
    ("n_received_period", INT, "dossiers received in the period"),
    ("n_result_baseline", INT, "of these finished or returned by their own period's end"),
    ("n_result_period", INT, "the same for the period"),
    ("n_no_result_baseline", INT, "of these stopped, refused or withdrawn"),
    ("n_no_result_period", INT, "the same for the period"),
    ("n_pending_baseline", INT, "of these not ended"),
    ("n_pending_period", INT, "the same for the period"),
    ("n_covered_baseline", INT, "received in procedures of the headline's mix with ten dossiers or more on both sides"),
    ("n_covered_period", INT, "the same for the period"),
    ("coverage", REAL, "share of the baseline's received dossiers covered"),
    ("restricted_baseline_minutes", REAL, "restricted mean of the baseline at fixed mix, minutes"),
    ("restricted_period_minutes", REAL, "restricted mean of the period at fixed mix, minutes"),
    ("restricted_cut", REAL, "1 - restricted mean of the period / that of the baseline, at fixed mix"),
    ("cut_lower", REAL, "lower end of its 95 % interval"),
    ("cut_upper", REAL, "upper end of its 95 % interval"),
    ("verdict", TEXT, "met, missed, inconclusive or no_data; no_target where none is in force"),
    (
        "why",
        TEXT,
        "why it cannot be judged: no_baseline, no_states (published before what was received was kept), few_dossiers,"
        " coverage, no_interval, undetermined; else empty",
    ),
    ("actual_cut", REAL, "the cut of the finished dossiers, as in reductions"),
    ("actual_verdict", TEXT, "its verdict"),
    (
        "agreement",
        TEXT,
        "disagree: verdicts differ, or cuts by more than 10 points, or the finished ones alone say met and nothing more"
        " can be said; agree; empty: one has no data",
    ),
    ("tau_minutes", REAL, "procedures only, as all that follows: where the restricted means end"),
    ("km_median_baseline_minutes", REAL, "Kaplan-Meier median of the time to any end; empty: not reached"),
    ("km_median_period_minutes", REAL, "the same for the period"),
    ("half_with_result_baseline_minutes", REAL, "when half had got a result (Aalen-Johansen); empty: never"),
    ("half_with_result_period_minutes", REAL, "the same for the period"),
    ("share_with_result_baseline", REAL, "share that had got a result by tau (Aalen-Johansen)"),
    ("share_with_result_period", REAL, "the same for the period"),
    ("share_without_result_baseline", REAL, "share stopped, refused or withdrawn by tau"),
    ("share_without_result_period", REAL, "the same for the period"),
    ("median_if_none_withdrawn_baseline_minutes", REAL, "median if nobody had withdrawn or been stopped"),
    ("median_if_none_withdrawn_period_minutes", REAL, "the same for the period"),
)

OPEN_STOCK = table(
    "open_stock",
    "Dossiers that lay open at each month's end, by days since receipt; a reopened one counts as open all through.",
    ("month_end_on", DAY, "the month's last day"),
    ("n_open", INT, "received by then, not ended by then"),
    ("n_over_30", INT, "of these received more than 30 days before"),
    ("n_over_90", INT, "more than 90 days before"),
    ("n_over_180", INT, "more than 180 days before"),
    ("median_age_days", REAL, "median of the days since receipt; empty of nothing"),
    ("p90_age_days", REAL, "90th percentile of the days since receipt"),
)

TARGETS = table(
    "targets",
    "Each loaded target judged for its own period, for the city and each scope it can be told for.",
    ("name", TEXT, "the target's name"),
    ("scope", TEXT, "city, level, field, tag, department (with the units below it) or unit"),
    ("scope_id", TEXT, "which one; empty for the city"),
    ("basis", TEXT, "limit or actual"),
    ("target", REAL, "the reduction promised, a fraction"),
    ("reduction", REAL, "the reduction found, a fraction"),
    ("lower", REAL, "lower end of its 95 % interval"),
    ("upper", REAL, "upper end of its 95 % interval"),
    ("coverage", REAL, "share covered"),
    ("n_baseline", INT, "dossiers of the baseline; procedures for a limit target"),
    ("n_period", INT, "dossiers of the period; procedures for a limit target"),
    ("verdict", TEXT, "met, missed, inconclusive or no_data"),
    ("why", TEXT, "why there is no verdict; else empty"),
    ("period_from", DAY, "first day compared"),
    ("period_to", DAY, "day after the last"),
)

CHANGE = table(
    "change",
    "What made the actual cut of a scope, part by part (rulebook 7f). Within each `parted_by` the contributions of all"
    " rows but the total add up to the total's. The largest stand first: of procedures the first ten gave most, the"
    " last ten cost most.",
    ("scope", TEXT, "city, unit or field; centre for what a reception point received"),
    ("scope_id", TEXT, "which one; empty: city"),
    (
        "parted_by",
        TEXT,
        "procedure, unit or stage (each adds up to the actual cut C); mix (from the plain mean over all dossiers to C);"
        " paused (the paused time of each procedure, as a fraction of the processing time D); with_pauses (the cut of"
        " working and paused time together)",
    ),
    ("part_id", TEXT, "the procedure's or unit's code, or the stage; empty: none stated, or no single one"),
    ("name", TEXT, "its name"),
    (
        "term",
        TEXT,
        "total; pace (faster or slower); moved (work moved between units); mix (the procedure's share of the dossiers"
        " changed); uncovered (what the plain mean owes to dossiers outside the mix); fixed_mix (C, where mix ends)",
    ),
    ("contribution", REAL, "fraction of the baseline's time that the part saved, to 12 decimals; negative: it cost"),
    ("minutes", REAL, "the same in minutes per dossier at fixed mix; empty for mix: its lines are of other dossiers"),
    ("n_baseline", INT, "finished dossiers of the baseline in it (same months): of a procedure its weight"),
    ("n_period", INT, "finished dossiers of the period in it"),
    (
        "mean_baseline_minutes",
        REAL,
        "the baseline's mean: of a procedure its own (capped), of a stage and of the total at fixed mix, of mix's total"
        " and uncovered the plain one; empty for units",
    ),
    ("mean_period_minutes", REAL, "the same of the period"),
)

WAY = table(
    "way",
    "For each actual target not met: how far it is, and what the rest of its period would need.",
    ("name", TEXT, "the target's name"),
    ("scope", TEXT, "city, level, field, tag, department (with the units below it) or unit"),
    ("scope_id", TEXT, "which one; empty for the city"),
    ("verdict", TEXT, "missed or inconclusive"),
    ("reduction", REAL, "the reduction found, a fraction"),
    ("target", REAL, "the reduction promised, a fraction"),
    ("mean_baseline_minutes", REAL, "the baseline's mean at fixed mix, same months"),
    ("mean_period_minutes", REAL, "the period's mean at fixed mix, over its whole months so far"),
    ("target_mean_minutes", REAL, "the mean that would have met the target: (1 - target) times the baseline's"),
    ("gap_days", REAL, "what the period's mean is above it, working days of 480 minutes; negative: below"),
    ("n_done", INT, "dossiers that weigh in these means: the baseline's, same months, procedures of the mix"),
    (
        "n_rest",
        INT,
        "dossiers that the rest of the target's period is assumed to bring: the baseline's of the calendar months that"
        " are not over, same procedures",
    ),
    ("whole_target_mean_minutes", REAL, "(1 - target) times the baseline's mean over done and rest together"),
    (
        "needed_mean_minutes",
        REAL,
        "the mean with which that rest would bring done and rest together to the whole period's target mean",
    ),
    (
        "why",
        TEXT,
        "why there is none: out_of_reach (even 0 minutes would not do), period_over, nothing_to_come (the baseline has"
        " no dossier of these procedures in the months that are not over); else empty",
    ),
    ("period_from", DAY, "first day compared"),
    ("period_to", DAY, "day after the last: only whole months count as done"),
)

RANKING = table(
    "ranking",
    "Units compared at fixed mix, each with its own baseline: places from and to, as far as the data can part them"
    " (rulebook 7c). Two units are ties unless the 95 % interval of the difference of their log ratios excludes 0.",
    ("unit_id", TEXT, "unit"),
    ("name", TEXT, "its name"),
    ("actual_cut", REAL, "C = 1 - N / D over the unit's dossiers"),
    ("lower", REAL, "lower end of its 95 % interval"),
    ("upper", REAL, "upper end of its 95 % interval"),
    ("n_baseline", INT, "finished dossiers of the baseline in its mix (same months)"),
    ("n_period", INT, "finished dossiers of the period in its mix"),
    ("coverage", REAL, "share of its baseline dossiers in the mix"),
    ("rank_from", INT, "best place that it may have: 1 + units that certainly cut more; empty: not ranked"),
    ("rank_to", INT, "worst place that it may have: ranked units less those that certainly cut less"),
    ("n_better", INT, "ranked units that certainly cut more"),
    ("n_worse", INT, "ranked units that certainly cut less"),
    ("n_tied", INT, "ranked units that the data cannot part from it"),
    ("why", TEXT, "why it is listed, not ranked: few_dossiers, coverage, no_interval, alone; else empty"),
)

BOUNDARIES = table(
    "boundaries",
    "Per procedure: whether it was done at any counter, by evidence (rulebook 8).",
    ("procedure_id", TEXT, "procedure code"),
    ("verdict", TEXT, "refused_elsewhere, proven, announced_only, online_only, local_only or no_data"),
    ("is_announced", FLAG, "stands in the announced list on that day"),
    ("n_cross_finished", INT, "finished cross-boundary dossiers"),
    ("n_receiving_units", INT, "units that received those"),
    ("n_refused_elsewhere", INT, "cross-boundary dossiers refused for lack of competence"),
    ("n_dossiers", INT, "dossiers received, or refused at reception, in the window"),
    ("n_online", INT, "of these online"),
    ("n_cross", INT, "of these cross-boundary"),
    ("n_undetermined", INT, "of these where it cannot be told"),
    ("n_units_that_could", INT, "reception points on that day"),
    ("n_returned_elsewhere", INT, "results returned in another territory than the resolving unit's"),
    ("is_on_offer", FLAG, "on offer on that day"),
    ("name", TEXT, "procedure name"),
    ("field", TEXT, "field"),
    ("level", TEXT, "level"),
    ("window_from", DAY, "first day of the window"),
    ("window_to", DAY, "the as-of day"),
    ("first_proven_on", DAY, "day by whose end enough of the window's dossiers at enough units had proven it"),
    (
        "difference",
        TEXT,
        "between list and practice: announced_not_proven or proven_not_announced; empty: they agree",
    ),
    (
        "why",
        TEXT,
        "why it is not proven: refused, no_dossiers, only_online, none_crossed, few_finished, few_units; or, where of"
        " no dossier it can be told, for want of what: without_receiving_unit, without_resolving_unit,"
        " without_applicant_unit, unknown_unit; empty: proven",
    ),
    ("n_cross_refused", INT, "cross-boundary dossiers refused, for whatever reason"),
)

BOUNDARY_SHARES = table(
    "boundary_shares",
    "How many of the procedures on offer have each verdict, now and at the last 12 months' ends; a month's end is told"
    " of what is known now: a dossier had ended if its end came before.",
    ("scope", TEXT, "city, field, centre or unit: all of the question's; level, field: a part of the city's; month"),
    ("scope_id", TEXT, "which one; of a month `2025-06`"),
    ("as_of_on", DAY, "the day at whose end the verdicts stand"),
    ("n_on_offer", INT, "procedures on offer on that day: what every share is of"),
    ("n_announced", INT, "in the announced list on that day"),
    ("n_proven", INT, "verdict proven"),
    ("n_refused_elsewhere", INT, "verdict refused_elsewhere"),
    ("n_announced_only", INT, "verdict announced_only"),
    ("n_online_only", INT, "verdict online_only"),
    ("n_local_only", INT, "verdict local_only"),
    ("n_no_data", INT, "verdict no_data"),
    ("n_told", INT, "with a dossier of which it is known whether it crossed a boundary: without one nothing is proven"),
    ("n_announced_not_proven", INT, "announced, and not proven"),
    ("n_proven_not_announced", INT, "proven, and not announced"),
    ("announced", REAL, "n_announced / n_on_offer; empty of nothing"),
    ("proven", REAL, "n_proven / n_on_offer; empty where n_told is 0"),
    ("refused_elsewhere", REAL, "n_refused_elsewhere / n_on_offer; empty where n_told is 0"),
    ("window_from", DAY, "first day that the verdicts look at"),
    ("data_from", DAY, "day on which the window's first dossier came; of the days before it nothing is known"),
)

BOUNDARY_REFUSALS = table(
    "boundary_refusals",
    "Refused cross-boundary dossiers of the window by procedure and reason (rulebook 8).",
    ("procedure_id", TEXT, "procedure code"),
    ("reason", TEXT, "the reason as logged; empty: none given"),
    ("n", INT, "cross-boundary dossiers refused for it"),
    ("n_at_reception", INT, "of these refused at reception"),
    ("name", TEXT, "procedure name"),
)

ROLES = table(
    "roles",
    "What the window's dossiers filed in person or by post say of the four unit roles, and what cannot be answered.",
    ("role", TEXT, "receiving, resolving, applicant or returning"),
    ("n_dossiers", INT, "dossiers asked about; for returning those finished"),
    ("n_missing", INT, "of these without the role"),
    ("n_unknown", INT, "of these with a unit that the registry does not know on that day"),
    ("unanswerable", TEXT, "the question that needs it: cross_boundary or returned_elsewhere"),
    ("n_unanswerable", INT, "dossiers of which it cannot be told, for want of this role before the ones below"),
)

PARITY_MEASURES = ("processing_time", "supplement_share", "refusal_share", "handovers")
"""In what cross-boundary dossiers are compared with local ones (rulebook 8)."""

PARITY = table(
    "parity",
    "Cross-boundary dossiers of the window against local ones at the local ones' mix of procedures (rulebook 8);"
    " those filed online stand apart.",
    ("scope", TEXT, "city or procedure"),
    ("scope_id", TEXT, "procedure code; empty: city"),
    ("measure", TEXT, "processing_time, supplement_share, refusal_share or handovers (changes of the holding unit)"),
    ("n_cross", INT, "cross-boundary dossiers that have the measure"),
    ("n_local", INT, "local ones"),
    ("n_covered_cross", INT, "of these in procedures with enough dossiers on both sides"),
    ("n_covered_local", INT, "the same of the local ones"),
    ("cross_value", REAL, "the cross-boundary dossiers' mean (minutes, handovers) or share"),
    ("local_value", REAL, "the local ones'"),
    ("difference", REAL, "of times cross / local, else cross - local"),
    ("lower_90", REAL, "lower end of the difference's 90 % interval"),
    ("upper_90", REAL, "its upper end"),
    ("lower_95", REAL, "lower end of the 95 % interval"),
    ("upper_95", REAL, "its upper end"),
    ("margin", REAL, "what counts as no difference: 0.1 is 10 % of a time, 0.05 is 5 points of a share"),
    (
        "verdict",
        TEXT,
        "of times equivalent, slower, faster or not_shown; of shares equivalent, higher, lower or not_shown; of"
        " handovers empty",
    ),
    ("why", TEXT, "why not_shown: few_dossiers, no_interval, wide_interval or near_margin; else empty"),
    (
        "n_needed",
        INT,
        "of not_shown: cross-boundary dossiers at which the 90 % interval as seen would be as narrow as the margin"
        " (and as many times the local ones), at least 100; without an interval 100 while there are fewer, else empty",
    ),
    ("name", TEXT, "procedure name"),
)

FLOWS = table(
    "flows",
    "From which units to which: the window's dossiers filed in person or by post, by the units of the as-of day"
    " (rulebook 8).",
    ("receiving_unit_id", TEXT, "receiving unit; undetermined: no unit of that day can be told; empty: not stated"),
    ("resolving_unit_id", TEXT, "resolving unit, the same way"),
    ("applicant_unit_id", TEXT, "unit where the applicant lives, the same way"),
    ("is_cross_boundary", FLAG, "whether they cross a boundary; empty: it cannot be told"),
    ("n", INT, "dossiers"),
    ("n_finished", INT, "of these finished or returned"),
    ("n_refused", INT, "of these refused"),
    (
        "direction",
        TEXT,
        "of a unit's question, across a boundary: for_others (it received them) or by_others (another received what it"
        " resolves, or whose applicant lives there); else empty",
    ),
    ("receiving_name", TEXT, "name of the receiving unit"),
    ("resolving_name", TEXT, "name of the resolving unit"),
    ("applicant_name", TEXT, "name of the unit where the applicant lives"),
)

UNDETERMINED = "undetermined"
"""What stands for a unit where none of the as-of day can be told: the old one was split, or nobody took it over."""

UNDETERMINED_UNITS = table(
    "undetermined_units",
    "The old units behind `undetermined`: how many finished dossiers each has on both sides, and who took it over.",
    ("unit_key", TEXT, "the old unit as code@valid_from"),
    ("name", TEXT, "its name"),
    ("why", TEXT, "split, or no_successor: nobody is known to have taken it over"),
    ("n_baseline", INT, "its finished dossiers of the baseline (same months)"),
    ("n_period", INT, "its finished dossiers of the period compared"),
    ("heir_unit_id", TEXT, "a unit that took a part of it over: one row each; empty: none is known"),
    ("heir_name", TEXT, "that unit's name"),
    ("share", REAL, "that unit's share by the loaded weights, where the policy shares out; else empty"),
    ("n_baseline_shared", REAL, "n_baseline times the share: expected, not counted"),
    ("n_period_shared", REAL, "n_period times the share: expected, not counted"),
)

DUE_SOON = table(
    "due_soon",
    "Pending dossiers by the time left until the judged due date (rulebook 11, without the risk).",
    ("dossier_id", TEXT, "dossier code"),
    ("procedure_id", TEXT, "procedure code"),
    ("state", TEXT, "overdue, due_1, due_2, due_3 (working days), later, waiting or nothing_to_judge_by"),
    ("holding_unit_id", TEXT, "unit that holds it"),
    ("judged_due_at", INSTANT, "judged due date"),
    ("left_minutes", INT, "open minutes left, rounded down; negative: overdue by"),
    ("received_at", INSTANT, "received"),
    ("n_supplements", INT, "supplement requests"),
    ("is_waiting", FLAG, "in a pause: waits for the applicant"),
    ("receiving_unit_id", TEXT, "receiving unit"),
    ("resolving_unit_id", TEXT, "resolving unit"),
    ("procedure_name", TEXT, "procedure name; empty: unknown"),
    ("field", TEXT, "field; empty: unknown"),
    ("holding_unit_name", TEXT, "name of the holding unit; empty: unknown"),
)

TREND = table(
    "trend",
    "Processing time at fixed mix against the baseline, month by month, one set of procedures for all points.",
    ("starts_on", DAY, "first day of the point's month or quarter"),
    ("ends_on", DAY, "day after its last"),
    ("step", TEXT, "month or quarter"),
    ("ratio", REAL, "N / D over the point's set of procedures"),
    ("mean_minutes", REAL, "N / weights, minutes"),
    ("n", INT, "finished dossiers counted in the point"),
    ("n_procedures", INT, "procedures in the set"),
    ("coverage", REAL, "share of baseline dossiers in the set"),
    ("is_baseline", FLAG, "the point lies in the baseline period"),
)

QUALITY = table(
    "quality",
    "What the log lacks, stated before results.",
    ("item", TEXT, "what is counted (see report/words.py)"),
    ("n", INT, "how many"),
    ("n_of", INT, "of how many"),
    ("unit_of_count", TEXT, "dossiers, rows, batches or procedures"),
)

INTAKE = table(
    "intake",
    "The batches that count, for the page: what each brought.",
    ("batch", INT, "the batch"),
    ("is_of_run", FLAG, "this run took it from inbox/; empty where the page is of no run"),
    ("n_read", INT, "rows read"),
    ("n_stored", INT, "rows stored"),
    ("n_repeated", INT, "rows that repeat others"),
    ("n_amended", INT, "rows that amend others"),
    ("n_refused", INT, "rows refused"),
    ("is_held", FLAG, "held whole: too many of its rows were refused"),
)

REFUSALS = table(
    "refusals",
    "Refused rows of these batches by reason, for the page.",
    ("batch", INT, "the batch"),
    ("reason", TEXT, "what is wrong"),
    ("n", INT, "rows refused for it"),
)

FIGURES = table(
    "figures",
    "Every figure of a run, in long form; the ledger keeps it under the run.",
    ("figure", TEXT, "name of the figure: table.column"),
    ("rule_set", TEXT, "index_766, form_06, strict, or empty"),
    ("scope", TEXT, "city, level, field, unit, procedure, target …"),
    ("scope_id", TEXT, "which one"),
    ("period_from", DAY, "first day"),
    ("period_to", DAY, "day after the last"),
    ("numerator", REAL, "what was counted or summed"),
    ("denominator", REAL, "out of what"),
    ("value", REAL, "the figure, rounded half-even to 9 significant digits"),
    ("lower", REAL, "lower end of its 95 % interval"),
    ("upper", REAL, "upper end of its 95 % interval"),
    ("n", INT, "dossiers (or procedures) behind it"),
    ("n_baseline", INT, "dossiers behind its baseline"),
    ("verdict", TEXT, "verdict, where there is one"),
)

CALENDAR_DAYS = table(
    "calendar_days",
    "Each day of each calendar, with the open time before it: the prefix sum that the clock joins.",
    ("calendar_id", TEXT, "calendar"),
    ("day", DAY, "local day"),
    ("open_before", INT, "open seconds from FIRST_DAY to the day's midnight"),
    ("pattern_id", INT, "the day's sessions, in calendar_minutes"),
    ("is_open", FLAG, "whether it has any session"),
    ("opens_second", INT, "second of the day at which it opens; on a day off: usually opens"),
    ("closes_second", INT, "second of the day at which it closes; on a day off: usually closes"),
    ("working_days_through", INT, "open days from FIRST_DAY through this day"),
    ("next_open_day", DAY, "this day if open, else the next open one"),
    ("following_open_day", DAY, "the first open day after this one"),
)

CALENDAR_MINUTES = table(
    "calendar_minutes",
    "Each minute of a pattern of sessions, with the open time before it within the day.",
    ("pattern_id", INT, "pattern of sessions"),
    ("minute", INT, "minute of the day"),
    ("open_before", INT, "open seconds from midnight to the minute"),
    ("is_open", INT, "1 if the minute is open, else 0"),
)

OPEN_HOURS = table(
    "open_hours",
    "The prefix sum turned round: for each full hour of open time, the sessions that it touches.",
    ("calendar_id", TEXT, "calendar"),
    ("hour_no", INT, "bucket: open seconds // 3600"),
    ("day", DAY, "local day of the session"),
    ("starts_second", INT, "second of the day at which the session starts"),
    ("open_from", INT, "open seconds from FIRST_DAY to the session's start"),
    ("open_to", INT, "open seconds from FIRST_DAY to the session's end"),
)


@dataclass(frozen=True)
class Period:
    """Local days [from_, to) with the name by which it was asked for (`2025-05`, `2025-Q2`, `2025-05/15`)."""

    from_: date
    to: date
    name: str = ""


@dataclass(frozen=True)
class Image:
    """A chart: file stem (also its content id), PNG bytes, alternative text, width and height in CSS pixels."""

    name: str
    png: bytes
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Page:
    """What report makes of one audience, scope and period: the page, and the parts of the mail that carries it.

    `mail_html` shows its images as `cid:NAME`; `html` is self-contained. Both, and `mail_text`, hold the same
    headline figures (`headlines`: label → text as printed).
    """

    html: str
    subject: str
    mail_html: str
    mail_text: str
    images: tuple[Image, ...]
    headlines: Mapping[str, str]


@dataclass(frozen=True)
class About:
    """What a page must say of itself (the method note): what was asked, of which inputs, under which rules."""

    audience: str  # city, centre, department
    scope: str  # empty, unit:CODE or field:NAME
    scope_name: str
    city_name: str
    period: Period
    as_of: datetime
    timezone: str
    run_id: int | None
    n_dossiers: int
    rule_sets: tuple[str, ...]
    policies: Mapping[str, str]
    procedure_policies: Mapping[str, int]  # "supplement=restart" → procedures that have it
    calendar_version: str
    registry_version: str
    lake_version: int
    program_version: str
    baseline: str  # in words of data: name of the frozen baseline, empty where none is published
    baseline_from: date | None = None
    baseline_to: date | None = None
    baseline_published_at: datetime | None = None
    baseline_complete: bool | None = None
    changed_policies: tuple[str, ...] = ()  # of the baseline → now, such as "supplement=run → supplement=pause"
    n_baseline: int = 0
    settings: Mapping[str, float] = field(default_factory=dict)  # min_n_mix, min_n_verdict, min_coverage …
