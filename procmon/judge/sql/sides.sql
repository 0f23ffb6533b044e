-- Finished dossiers of both sides (rulebook 7.2): the baseline's are frozen, its months are those of the period compared.
-- Sees: figured, baseline_rows (BASELINE_DOSSIERS with units of today, in scope), caps, compared_months, question.

-- step: sides
SELECT
    b.dossier_id, b.procedure_key, b.unit_today, false AS is_now, b.ended_on, b.working_seconds, b.cap_seconds,
    b.paused_seconds
FROM baseline_rows AS b
CROSS JOIN question AS q
WHERE month(b.ended_on) IN (SELECT m.month FROM compared_months AS m)
UNION ALL
SELECT
    f.dossier_id, f.procedure_key, f.unit_today, true AS is_now, f.ended_on, f.working_seconds,
    coalesce(c.cap_seconds, f.working_seconds) AS cap_seconds, f.paused_seconds
FROM figured AS f
LEFT JOIN caps AS c ON c.procedure_key = f.procedure_key
CROSS JOIN question AS q
WHERE f.outcome IN ('finished', 'returned')
    AND f.received_at IS NOT NULL
    AND f.ended_on >= q.compare_from
    AND f.ended_on < q.compare_to
    AND month(f.ended_on) IN (SELECT m.month FROM compared_months AS m)
