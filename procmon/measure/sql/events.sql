-- The log as of an instant: when each row that counts happened, in which order (rulebook 1 and 3).
-- Sees: live_rows (log.sql), asked (one row), calendar_days, calendar_minutes, dossier_calendars (dossier_id,
-- calendar_id; only dossiers whose calendar is not the default).

-- step: statuses
SELECT *
FROM (VALUES
    ('submitted', 1, false, false, 0),
    ('received', 2, true, false, 0),
    ('refused', 3, false, true, 5),
    ('processing', 4, true, false, 0),
    ('supplement_requested', 5, true, false, 0),
    ('payment_requested', 6, true, false, 0),
    ('withdrawn', 7, false, true, 4),
    ('stopped', 8, false, true, 3),
    ('finished', 9, false, true, 1),
    ('returned', 10, false, true, 2)
) AS s (status, code, is_open, is_end, end_rank)

-- step: bare_days
-- A bare day means opening time for submitted and received, closing time for every other status.
SELECT
    r.batch_id,
    r.row_no,
    r.dossier_id,
    r.status,
    r.occurred_on,
    instant_at(r.occurred_on,
        CASE WHEN r.status IN ('submitted', 'received') THEN d.opens_second ELSE d.closes_second END, a.zone) AS meant_at
FROM live_rows AS r
LEFT JOIN dossier_calendars AS c ON c.dossier_id = r.dossier_id
JOIN calendar_days AS d ON d.calendar_id = coalesce(c.calendar_id, 'default') AND d.day = r.occurred_on
CROSS JOIN asked AS a
WHERE r.occurred_on IS NOT NULL

-- step: receipts_of_bare_days
-- Of dossiers with a bare day: the first receipt in the whole log, whatever the as-of instant.
SELECT r.dossier_id, min(coalesce(b.meant_at, r.occurred_at)) AS received_at
FROM live_rows AS r
LEFT JOIN bare_days AS b ON b.batch_id = r.batch_id AND b.row_no = r.row_no
WHERE r.status = 'received' AND r.dossier_id IN (SELECT x.dossier_id FROM bare_days AS x)
GROUP BY r.dossier_id

-- step: resolved_days
-- On the day of receipt a bare day is never before the receipt.
SELECT
    b.batch_id,
    b.row_no,
    CASE
        WHEN b.occurred_on = local_day(r.received_at, a.zone) THEN greatest(b.meant_at, r.received_at)
        ELSE b.meant_at
    END AS happened_at
FROM bare_days AS b
LEFT JOIN receipts_of_bare_days AS r ON r.dossier_id = b.dossier_id
CROSS JOIN asked AS a

-- step: seen
SELECT
    r.dossier_id,
    coalesce(c.calendar_id, 'default') AS calendar_id,
    r.status,
    s.code,
    s.is_open,
    s.is_end,
    s.end_rank,
    r.occurred_at,
    r.occurred_on,
    r.unit_id,
    r.stage,
    r.due_at,
    r.due_on,
    r.procedure_id,
    r.receiving_unit_id,
    r.resolving_unit_id,
    r.returning_unit_id,
    r.applicant_unit_id,
    r.channel,
    r.applicant_id,
    r.handler_id,
    r.reason,
    coalesce(b.happened_at, r.occurred_at) AS happened_at
FROM live_rows AS r
JOIN statuses AS s ON s.status = r.status
LEFT JOIN dossier_calendars AS c ON c.dossier_id = r.dossier_id
LEFT JOIN resolved_days AS b ON b.batch_id = r.batch_id AND b.row_no = r.row_no
CROSS JOIN asked AS a
WHERE coalesce(b.happened_at, r.occurred_at) < a.seen_before

-- step: events
-- In the total order; `opened` puts each event on its calendar's prefix sum, so that durations are differences.
SELECT
    e.*,
    d.open_before + m.open_before + m.is_open * second_of(e.local_at) AS opened
FROM (
    SELECT
        s.*,
        timezone(a.zone, s.happened_at) AS local_at,
        row_number() OVER in_order AS seq,
        NOT coalesce(
            lag(s.status) OVER in_order = s.status
            AND lag(s.occurred_at) OVER in_order IS NOT DISTINCT FROM s.occurred_at
            AND lag(s.occurred_on) OVER in_order IS NOT DISTINCT FROM s.occurred_on
            AND lag(s.unit_id) OVER in_order IS NOT DISTINCT FROM s.unit_id
            AND lag(s.stage) OVER in_order IS NOT DISTINCT FROM s.stage
            AND lag(s.due_at) OVER in_order IS NOT DISTINCT FROM s.due_at
            AND lag(s.due_on) OVER in_order IS NOT DISTINCT FROM s.due_on, false
        ) AS is_new
    FROM seen AS s CROSS JOIN asked AS a
    WINDOW in_order AS (
        PARTITION BY s.dossier_id
        ORDER BY
            s.happened_at NULLS FIRST, s.code NULLS FIRST, s.unit_id NULLS FIRST, s.stage NULLS FIRST,
            coalesce(s.due_on, utc_day(s.due_at)) NULLS FIRST, s.due_at NULLS FIRST,
            s.occurred_at NULLS FIRST, s.procedure_id NULLS FIRST, s.receiving_unit_id NULLS FIRST,
            s.resolving_unit_id NULLS FIRST, s.returning_unit_id NULLS FIRST, s.applicant_unit_id NULLS FIRST,
            s.channel NULLS FIRST, s.applicant_id NULLS FIRST, s.handler_id NULLS FIRST, s.reason NULLS FIRST
    )
) AS e
JOIN calendar_days AS d ON d.calendar_id = e.calendar_id AND d.day = CAST(e.local_at AS DATE)
JOIN calendar_minutes AS m ON m.pattern_id = d.pattern_id AND m.minute = minute_of(e.local_at)
