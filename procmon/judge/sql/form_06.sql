-- Biểu số 06 by field and level (rulebook 6). Sees: figured, question.

-- step: in_period
-- Received by the end, and not ended before the period.
SELECT f.field, f.level, f.received_on, f.channel, f.class_06
FROM figured AS f
CROSS JOIN question AS q
WHERE f.received_at IS NOT NULL
    AND f.received_on < q.period_to
    AND (f.ended_on IS NULL OR f.ended_on >= q.period_from)

-- step: form_06
SELECT
    i.field,
    i.level,
    count(*) AS received,
    count(*) FILTER (WHERE received_on >= q.period_from AND channel = 'online') AS received_online,
    count(*) FILTER (WHERE received_on >= q.period_from AND channel <> 'online') AS received_in_person_post,
    count(*) FILTER (WHERE received_on < q.period_from) AS carried_over,
    count(*) FILTER (WHERE class_06 IN ('early', 'on_time', 'late')) AS resolved,
    count(*) FILTER (WHERE class_06 = 'early') AS resolved_early,
    count(*) FILTER (WHERE class_06 = 'on_time') AS resolved_on_time,
    count(*) FILTER (WHERE class_06 = 'late') AS resolved_overdue,
    count(*) FILTER (WHERE class_06 IN ('pending_in_time', 'pending_overdue')) AS pending,
    count(*) FILTER (WHERE class_06 = 'pending_in_time') AS pending_in_time,
    count(*) FILTER (WHERE class_06 = 'pending_overdue') AS pending_overdue
FROM in_period AS i CROSS JOIN question AS q
GROUP BY i.field, i.level
