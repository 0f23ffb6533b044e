-- Biểu số 06 by field and level, by resolving unit and by reception point (rulebook 6). Sees: figured, question.

-- step: in_period
-- Received by the end, and not ended before the period: form 06's dossiers, over which every on-time share is told.
SELECT
    f.dossier_id,  -- which they are: `explain` lists them
    f.field,
    f.level,
    f.unit_told,
    f.receiving_told,
    f.channel,
    f.outcome,
    f.last_status,
    f.class_06,
    f.on_time_766,
    f.received_at,
    f.ended_on,
    f.first_due_at,
    f.current_due_at,
    f.judged_due_at,
    f.open_seconds,
    f.waited_seconds,
    f.open_seconds_to_due,
    f.received_on < q.period_from AS is_carried_over
FROM figured AS f
CROSS JOIN question AS q
WHERE f.received_at IS NOT NULL
    AND f.received_on < q.period_to
    AND (f.ended_on IS NULL OR f.ended_on >= q.period_from)

-- step: form_06
-- What a row is not grouped by is NULL there; `field`, `level` and the units are never NULL themselves.
SELECT
    field,
    level,
    unit_told,
    receiving_told,
    count(*) AS received,
    count(*) FILTER (WHERE NOT is_carried_over AND channel = 'online') AS received_online,
    count(*) FILTER (WHERE NOT is_carried_over AND channel <> 'online') AS received_in_person_post,
    count(*) FILTER (WHERE is_carried_over) AS carried_over,
    count(*) FILTER (WHERE class_06 IN ('early', 'on_time', 'late')) AS resolved,
    count(*) FILTER (WHERE class_06 = 'early') AS resolved_early,
    count(*) FILTER (WHERE class_06 = 'on_time') AS resolved_on_time,
    count(*) FILTER (WHERE class_06 = 'late') AS resolved_overdue,
    count(*) FILTER (WHERE class_06 IN ('pending_in_time', 'pending_overdue')) AS pending,
    count(*) FILTER (WHERE class_06 = 'pending_in_time') AS pending_in_time,
    count(*) FILTER (WHERE class_06 = 'pending_overdue') AS pending_overdue
FROM in_period
GROUP BY GROUPING SETS ((field, level), (unit_told), (receiving_told))
