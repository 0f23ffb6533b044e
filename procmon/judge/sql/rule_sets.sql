-- On time under each rule set, over form 06's dossiers of the period, and the bridge between them (rulebook 6).
-- A verdict is true (on time), false (late) or NULL (in no share). Sees: in_period (form_06.sql), question.

-- step: verdicts
-- Each dossier under the three rule sets, and by rules that stand between index_766 and form_06.
SELECT
    dossier_id,
    field,
    level,
    unit_told,
    outcome,
    current_due_at IS NULL AS is_without_stated_due,
    last_status = 'supplement_requested' AS is_waiting,
    on_time_766 AS index_766,
    CASE WHEN apart IS NULL THEN on_time_766 END AS strict,
    class_06 IN ('early', 'on_time', 'pending_in_time') AS form_06,
    apart,
    judged_due_at > received_at AND open_seconds - waited_seconds <= open_seconds_to_due AS by_minutes_less_pauses,
    judged_due_at > received_at AND open_seconds <= open_seconds_to_due AS by_minutes,
    last_day <= local_day(first_due_at, zone) AS by_days
FROM (
    SELECT
        i.*,
        q.zone,
        coalesce(i.ended_on, local_day(q.as_of, q.zone)) AS last_day,
        CASE
            WHEN i.outcome IN ('stopped', 'refused', 'withdrawn') THEN i.outcome
            WHEN i.judged_due_at IS NULL THEN 'without_due_date'
        END AS apart
    FROM in_period AS i
    CROSS JOIN question AS q
)

-- step: told
-- Each dossier under each rule set; `apart` is why it is in no share.
SELECT 'index_766' AS rule_set, index_766 AS is_on_time, CASE WHEN index_766 IS NULL THEN 'without_due_date' END AS apart,
    outcome, dossier_id, field, level, unit_told
FROM verdicts
UNION ALL
SELECT 'form_06' AS rule_set, form_06 AS is_on_time, NULL AS apart, outcome, dossier_id, field, level, unit_told
FROM verdicts
UNION ALL
SELECT 'strict' AS rule_set, strict AS is_on_time, apart, outcome, dossier_id, field, level, unit_told
FROM verdicts

-- step: on_time
-- What a row is not grouped by is NULL there.
SELECT
    rule_set,
    level,
    field,
    unit_told,
    count(*) AS n_dossiers,
    count(is_on_time) AS n_judged,
    count(*) FILTER (WHERE is_on_time) AS n_on_time,
    count(*) FILTER (WHERE NOT is_on_time) AS n_late,
    count(*) FILTER (WHERE is_on_time AND outcome = 'pending') AS n_pending_on_time,
    count(*) FILTER (WHERE NOT is_on_time AND outcome = 'pending') AS n_pending_late,
    count(*) FILTER (WHERE apart = 'without_due_date') AS n_without_due_date,
    count(*) FILTER (WHERE apart = 'stopped') AS n_stopped,
    count(*) FILTER (WHERE apart = 'refused') AS n_refused,
    count(*) FILTER (WHERE apart = 'withdrawn') AS n_withdrawn
FROM told
GROUP BY GROUPING SETS ((rule_set), (rule_set, level), (rule_set, field), (rule_set, unit_told))

-- step: bridge
-- From index_766 to another rule set every dossier whose verdict differs moves in one step: what form 06 (or strict)
-- lays down for its outcome or for want of a due date; else, of the clock's rules taken over one by one (two supplement
-- requests, pauses, days, current due date), the one from which on its verdict stays form 06's.
SELECT
    to_rule_set,
    step,
    count(*) AS n_moved,
    count(*) FILTER (WHERE is_on_time AND was_on_time IS DISTINCT FROM true) AS n_into_on_time,
    count(*) FILTER (WHERE was_on_time AND is_on_time IS DISTINCT FROM true) AS n_out_of_on_time,
    count(*) FILTER (WHERE was_on_time IS NULL) AS n_into_judged,
    count(*) FILTER (WHERE is_on_time IS NULL) AS n_out_of_judged
FROM (
    SELECT dossier_id, 'strict' AS to_rule_set, apart AS step, index_766 AS was_on_time, strict AS is_on_time
    FROM verdicts
    UNION ALL
    SELECT
        dossier_id,
        'form_06' AS to_rule_set,
        CASE
            WHEN outcome IN ('stopped', 'refused', 'withdrawn') THEN outcome
            WHEN is_waiting THEN 'waiting'
            WHEN is_without_stated_due THEN 'without_due_date'
            WHEN by_days <> form_06 THEN 'current_due_date'
            WHEN by_minutes <> form_06 THEN 'days'
            WHEN by_minutes_less_pauses <> form_06 THEN 'pauses'
            ELSE 'two_supplements'
        END AS step,
        index_766 AS was_on_time,
        form_06 AS is_on_time
    FROM verdicts
)
WHERE was_on_time IS DISTINCT FROM is_on_time
GROUP BY to_rule_set, step
