-- Pending dossiers by the time left (rulebook 11, always on the clock of index_766). Sees: figured, units, question.

-- step: due_soon
SELECT
    p.dossier_id,
    p.procedure_id,
    CASE
        WHEN p.judged_due_at IS NULL THEN 'nothing_to_judge_by'
        WHEN p.left_seconds <= 0 THEN 'overdue'
        WHEN p.is_waiting THEN 'waiting'
        WHEN p.left_seconds <= 28800 THEN 'due_1'
        WHEN p.left_seconds <= 57600 THEN 'due_2'
        WHEN p.left_seconds <= 86400 THEN 'due_3'
        ELSE 'later'
    END AS state,
    p.holding_unit_id,
    p.judged_due_at,
    floor_minutes(p.left_seconds) AS left_minutes,
    p.received_at,
    p.n_supplements,
    p.is_waiting,
    p.receiving_unit_id,
    p.resolving_unit_id,
    p.procedure_name,
    p.field,
    coalesce(u.name, '') AS holding_unit_name
FROM (
    SELECT
        *,
        last_status = 'supplement_requested' AS is_waiting,
        CASE WHEN judged_due_at <= received_at THEN least(open_seconds_to_due, 0) ELSE open_seconds_to_due END
            - (open_seconds - waited_seconds) AS left_seconds
    FROM figured
    WHERE outcome = 'pending'
) AS p
CROSS JOIN question AS q
LEFT JOIN unit_versions AS u ON u.unit_id = p.holding_unit_id AND u.valid_from <= q.today AND u.ends_on > q.today
