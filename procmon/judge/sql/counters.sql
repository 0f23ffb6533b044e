-- What came to a counter: the dossiers that boundaries are told of (rulebook 8). Sees: figured, question.

-- step: came
SELECT
    f.dossier_id,
    f.procedure_key,
    f.channel,
    f.outcome,
    f.refusal_reason,
    f.is_cross_boundary,
    f.receiving_unit_id,
    f.resolving_unit_id,
    f.returning_unit_id,
    f.applicant_unit_id,
    f.receiving_unit_key,
    f.resolving_unit_key,
    f.returning_unit_key,
    f.applicant_unit_key,
    f.unit_today,
    f.receiving_told,
    f.resolving_told,
    f.applicant_told,
    f.received_at,
    f.ended_at,
    f.ended_on,
    f.n_supplements,
    f.working_seconds,
    coalesce(f.received_at, f.ended_at) AS came_at,
    coalesce(f.received_on, f.ended_on) AS came_on,
    f.outcome IN ('finished', 'returned') AS is_finished,
    f.outcome IN ('finished', 'returned') AND coalesce(f.is_returned_elsewhere, false) AS is_returned_elsewhere
FROM figured AS f
WHERE f.received_at IS NOT NULL OR f.outcome = 'refused'

-- step: at_counters
-- Those of the window.
SELECT c.*
FROM came AS c
CROSS JOIN question AS q
WHERE c.came_at >= q.window_at AND c.came_at <= q.as_of
