"""Typed rows → events: what one row of each kind of file says happened (rulebook 1 and 9).

The SELECTs below see `rows`, the parsed rows with `rule`, the number of the first rule that the row's record breaks
(NULL: none, and only these become events). Each gives the columns of `EVENT`, one row for each event.
"""

from __future__ import annotations

from datetime import datetime

from procmon.engine import quoted
from procmon.ingest.mapping import Mapping
from procmon.tables import EVENT_COLUMNS

EVENT = (*(name for name, _, _ in EVENT_COLUMNS), "n", "line", "row_no", "source", "exported_at")

ENDS = "('refused', 'withdrawn', 'stopped', 'finished', 'returned')"
UNRESOLVED = "('refused', 'withdrawn', 'stopped')"
OF_THE_DOSSIER = (
    "dossier_id", "procedure_id", "receiving_unit_id", "resolving_unit_id", "returning_unit_id", "applicant_unit_id",
    "applicant_id",
)  # fmt: skip


def events_sql(mapping: Mapping, exported_at: datetime, zone: str) -> str:
    """SQL for the events of `rows`, in no order.

    Args:
        exported_at: when the file was exported, unless it says so; of a bare day in it the end, in `zone`.
    """
    if mapping.kind == "events":
        return _numbered(_of_activities()) if mapping.columns.activity else _of_steps()
    return _numbered(_of_dossiers(mapping, exported_at, zone))


def is_row_an_event(mapping: Mapping) -> bool:
    """Whether each row of such a file is one event."""
    return mapping.kind == "events" and not mapping.columns.activity


def _numbered(events: str) -> str:
    """Several events may stand on one line, so that they are numbered through, in the file's order."""
    names = ", ".join(name for name in EVENT if name != "row_no")
    return f"""
        SELECT {names}, row_number() OVER (ORDER BY n NULLS FIRST, item NULLS FIRST, place NULLS FIRST) AS row_no
        FROM ({events})
    """


def _select(given: dict[str, str], source: str) -> str:
    """One SELECT of events: `given` are SQL expressions by column; the others are NULL."""
    types = {name: str(type_) for name, type_, _ in EVENT_COLUMNS}
    empty = {"string": "NULL::VARCHAR", "date32[day]": "NULL::DATE"}
    columns = []
    for name in (*EVENT, "item", "place"):
        if (name == "row_no" and name not in given) or (name == "place" and name not in given):
            continue
        value = given.get(name) or empty.get(types.get(name, "string"), "NULL::TIMESTAMPTZ")
        columns.append(f"{value} AS {name}")
    return f"SELECT {', '.join(columns)} FROM {source}"


def _instant(column: str, key: str) -> dict[str, str]:
    """`occurred` or `due` from the instant and the day of a key."""
    return {f"{column}_at": f"{key}_instant", f"{column}_on": f"{key}_day"}


# The end of a bare day: nothing is called recorded sooner than it may have been.
RECORDED = "coalesce(recorded_at_instant, (recorded_at_day + INTERVAL 1 DAY)::TIMESTAMPTZ)"
AS_GIVEN = {name: name for name in ("n", "line", "item")}
NO_EXPORT = {"source": "NULL::VARCHAR", "exported_at": "NULL::TIMESTAMPTZ"}


def _step_columns() -> dict[str, str]:
    """The columns of an event that a log's row states itself."""
    return {
        **AS_GIVEN,
        **{name: name for name in (*OF_THE_DOSSIER, "unit_id", "stage", "handler_id", "reason")},
        **_instant("occurred", "occurred_at"),
        **_instant("due", "due_at"),
        **NO_EXPORT,
        "channel": "channel_means",
        "status": "status_means",
        "recorded_at": RECORDED,
    }


def _of_steps() -> str:
    """A row a step, with its status."""
    return _select({**_step_columns(), "row_no": "line"}, "rows WHERE rule IS NULL")


def _of_activities() -> str:
    """A row a step, with its activity: a dossier's first is its receipt, also where it is an end or a pause as well.

    Which of several first steps at one instant it is goes by what they say, so that the order of rows does not matter;
    rows that say the same are one step.
    """
    steps = {**_step_columns(), "status": "activity_means", "stage": "coalesce(stage, activity)"}
    names = [name for name, _, _ in EVENT_COLUMNS if name in steps and name != "recorded_at"]
    said = ", ".join(f"{steps[name]} NULLS FIRST" for name in names)
    first = f"""
        SELECT *, NOT bool_or(activity_means = 'received') OVER (PARTITION BY dossier_id)
            AND activity_means <> 'submitted'
            AND rank() OVER (
                PARTITION BY dossier_id, activity_means = 'submitted'
                ORDER BY coalesce(occurred_at_instant, occurred_at_day::TIMESTAMPTZ) NULLS FIRST,
                    activity NULLS FIRST, unit_id NULLS FIRST, {said}
            ) = 1 AS is_first
        FROM rows WHERE rule IS NULL
    """
    received = _select({**steps, "status": "'received'", "place": "1"}, "first_steps WHERE is_first")
    named = _select({**steps, "place": "2"}, "first_steps WHERE NOT (is_first AND activity_means = 'processing')")
    return f"WITH first_steps AS ({first}) {received} UNION ALL {named}"


IS_PROGRESS = """(
    (progress_occurred_at IS NOT NULL OR progress_status IS NOT NULL) AND status IS NULL AND received_at IS NULL
)"""
"""Whether a record is the portal's progress message, and not a dossier as it stands."""

HAS_END = "coalesce(finished_at, returned_at) IS NOT NULL"


def record_rules() -> list[tuple[str, str, str]]:
    """(key, SQL condition, problem) of rows of dossiers that say nothing that could be dated."""
    is_dossier = f"item = 0 AND NOT {IS_PROGRESS}"
    undated = f"{is_dossier} AND status_at IS NULL"
    return [
        ("status", f"{undated} AND status_means IN {ENDS} AND NOT {HAS_END}", "undated_end"),
        ("status", f"{is_dossier} AND status_means = 'received' AND received_at IS NULL", "undated_receipt"),
        ("progress_status", f"{IS_PROGRESS} AND progress_status IS NULL", "unknown_status"),
        ("progress_occurred_at", f"{IS_PROGRESS} AND progress_occurred_at IS NULL", "missing_instant"),
    ]


def _of_dossiers(mapping: Mapping, exported_at: datetime, zone: str) -> str:
    """A row a dossier: what its dates say, its supplements, and its present status where no date says it."""
    moment = f"TIMESTAMPTZ '{exported_at.isoformat()}'"
    exported = f"coalesce(exported_at_instant, instant_at(exported_at_day, 86400, {quoted(zone)}), {moment})"
    of_dossier = {
        **AS_GIVEN,
        **{name: name for name in OF_THE_DOSSIER},
        "channel": "channel_means",
        "recorded_at": RECORDED,
        "source": quoted(mapping.name),
        "exported_at": exported,
    }
    holding = {"unit_id": "unit_id", "stage": "stage"}
    ended = {**holding, "reason": "reason"}
    selects = [
        _event(of_dossier, 1, "'submitted'", "submitted_at", "submitted_at IS NOT NULL"),
        _select(
            {
                **of_dossier, **_instant("occurred", "received_at"), "status": "'received'", "place": "2",
                "unit_id": "receiving_unit_id", "due_at": "first_due_at", "due_on": "first_due_on",
            },
            "dossiers WHERE received_at IS NOT NULL",
        ),
        _event(
            {**of_dossier, **ended}, 3, f"CASE WHEN status_means IN {UNRESOLVED} THEN status_means ELSE 'finished' END",
            "finished_at", "finished_at IS NOT NULL",
        ),
        _event(
            {**of_dossier, **ended}, 4, f"CASE WHEN status_means IN {UNRESOLVED} THEN status_means ELSE 'returned' END",
            "returned_at",
            f"returned_at IS NOT NULL AND NOT (coalesce(status_means, '') IN {UNRESOLVED} AND finished_at IS NOT NULL)",
        ),
        _present({**of_dossier, **ended}, exported),
    ]  # fmt: skip
    if mapping.supplements:
        selects += _of_supplements({**of_dossier, "channel": "channel_means"})
    if mapping.progress:
        selects.append(_of_progress())
    return f"WITH dossiers AS ({_dossiers()}) {' UNION ALL '.join(selects)}"


def _event(given: dict[str, str], place: int, status: str, key: str, condition: str) -> str:
    return _select(
        {**given, **_instant("occurred", key), "status": status, "place": str(place)}, f"dossiers WHERE {condition}"
    )


def _dossiers() -> str:
    """Records that are dossiers, with the first appointment: where supplements moved it, the one before the first."""
    moved = """
        SELECT n,
            bool_or(supplement_requested_at IS NOT NULL AND supplement_resumed_at IS NULL) AS is_waiting,
            bool_or(supplement_due_after_instant IS NOT DISTINCT FROM due_at_instant
                AND supplement_due_after_day IS NOT DISTINCT FROM due_at_day) AS is_moved,
            min(supplement_due_before_instant) FILTER (WHERE is_first) AS before_at,
            min(supplement_due_before_day) FILTER (WHERE is_first) AS before_on
        FROM (
            SELECT *, row_number() OVER (
                PARTITION BY n
                ORDER BY coalesce(supplement_requested_at_instant, supplement_requested_at_day::TIMESTAMPTZ) NULLS LAST,
                    coalesce(supplement_due_before_instant, supplement_due_before_day::TIMESTAMPTZ) NULLS LAST,
                    item NULLS LAST
            ) = 1 AS is_first
            FROM rows WHERE item > 0 AND rule IS NULL
        )
        GROUP BY n
    """
    is_stated = "coalesce(m.before_at, m.before_on::TIMESTAMPTZ) IS NOT NULL"
    first = f"CASE WHEN {is_stated} THEN m.{{}} WHEN m.is_moved THEN NULL ELSE r.{{}} END"
    return f"""
        SELECT r.*, coalesce(m.is_waiting, false) AS is_waiting,
            {first.format("before_at", "due_at_instant")} AS first_due_at,
            {first.format("before_on", "due_at_day")} AS first_due_on
        FROM rows AS r LEFT JOIN ({moved}) AS m USING (n)
        WHERE r.item = 0 AND r.rule IS NULL AND NOT {IS_PROGRESS}
    """


def _present(given: dict[str, str], exported: str) -> str:
    """The present status, unless dates say it: since when it says itself, else when the list was exported.

    Mere processing since an unknown instant is put at the receipt, where it changes nothing; a pause at the export:
    nothing before that is known to be a pause. The appointment stands beside it as the export states it.
    """
    is_open = "status_means IN ('processing', 'supplement_requested', 'payment_requested')"
    is_said = "status_means = 'supplement_requested' AND is_waiting"
    since_receipt = f"(status_at IS NULL AND status_means = 'processing' AND received_at IS NOT NULL AND NOT {HAS_END})"
    by_itself = (
        f"status_at IS NOT NULL AND (status_means IN {ENDS} AND NOT {HAS_END} "
        "OR status_means = 'submitted' AND submitted_at IS NULL AND received_at IS NULL)"
    )
    return _select(
        {
            **given,
            "status": "status_means",
            "place": "5",
            "occurred_at": f"CASE WHEN {since_receipt} THEN received_at_instant WHEN status_at IS NOT NULL "
            f"THEN status_at_instant ELSE {exported} END",
            "occurred_on": f"CASE WHEN {since_receipt} THEN received_at_day ELSE status_at_day END",
            "due_at": f"CASE WHEN NOT {since_receipt} THEN due_at_instant END",
            "due_on": f"CASE WHEN NOT {since_receipt} THEN due_at_day END",
        },
        f"dossiers WHERE ({is_open} AND NOT ({is_said})) OR ({by_itself})",
    )


def _of_supplements(given: dict[str, str]) -> list[str]:
    """A supplement asked for; handed in, with the appointment after.

    The request states no appointment: the portal's progress message tells the same request without one, so that the
    two would be two requests (rulebook 1: an amendment is equal in its due date). One that is still open but has its
    new appointment states that by a step of its own at the same instant, which comes before the request and costs
    nothing.
    """
    asked = {
        **given, **_instant("occurred", "supplement_requested_at"), "status": "'supplement_requested'", "place": "6",
    }  # fmt: skip
    resumed = {
        **given, **_instant("occurred", "supplement_resumed_at"), **_instant("due", "supplement_due_after"),
        "status": "'processing'", "place": "7",
    }  # fmt: skip
    moved = {**resumed, **_instant("occurred", "supplement_requested_at"), "place": "8"}
    items = "rows WHERE item > 0 AND rule IS NULL"
    is_open = "supplement_requested_at IS NOT NULL AND supplement_resumed_at IS NULL"
    return [
        _select(moved, f"{items} AND {is_open} AND supplement_due_after IS NOT NULL"),
        _select(asked, f"{items} AND supplement_requested_at IS NOT NULL"),
        _select(resumed, f"{items} AND supplement_resumed_at IS NOT NULL"),
    ]


def _of_progress() -> str:
    """The portal's progress message: a row a step, as in a log.

    The dossier's own message tells requests and returns as well, without unit or stage. Rows that differ in these are
    two events (rulebook 1): a request would count twice, a return follow itself. So they are left out there.
    """
    is_told_twice = "progress_status_means IN ('supplement_requested', 'returned')"
    given = {
        **AS_GIVEN,
        **NO_EXPORT,
        **{name: f"progress_{name}" for name in (*OF_THE_DOSSIER, "handler_id", "reason")},
        **{name: f"CASE WHEN NOT ({is_told_twice}) THEN progress_{name} END" for name in ("unit_id", "stage")},
        **_instant("occurred", "progress_occurred_at"),
        **_instant("due", "progress_due_at"),
        "channel": "progress_channel_means",
        "status": "progress_status_means",
        "recorded_at": RECORDED.replace("recorded_at", "progress_recorded_at"),
        "place": "1",
    }
    return _select(given, f"rows WHERE item = 0 AND rule IS NULL AND {IS_PROGRESS}")
