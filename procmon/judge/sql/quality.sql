-- What the log lacks (stated before results). Sees: figured.

-- step: quality_counts
SELECT
    count(received_at) AS received,
    count(*) AS dossiers,
    count(*) FILTER (WHERE outcome = 'not_received') AS not_received,
    count(*) FILTER (WHERE received_at IS NULL AND outcome NOT IN ('not_received', 'refused')) AS ended_without_receipt,
    count(*) FILTER (WHERE received_at IS NOT NULL AND first_due_at IS NULL) AS without_due_date_stated,
    count(*) FILTER (WHERE received_at IS NOT NULL AND judged_due_at IS NULL) AS without_any_due_date,
    count(*) FILTER (WHERE n_bare_days > 0) AS bare_days,
    count(*) FILTER (WHERE registry_procedure_id IS NULL) AS unknown_procedure,
    count(*) FILTER (WHERE receiving_unit_key LIKE '%@' OR resolving_unit_key LIKE '%@') AS unknown_unit,
    count(*) FILTER (WHERE receiving_unit_id IS NULL) AS without_receiving_unit,
    count(*) FILTER (WHERE resolving_unit_id IS NULL) AS without_resolving_unit,
    count(*) FILTER (WHERE applicant_unit_id IS NULL) AS without_applicant_unit,
    count(*) FILTER (
        WHERE is_cross_boundary IS NULL AND (received_at IS NOT NULL OR outcome = 'refused')
    ) AS boundary_undetermined,
    count(*) FILTER (WHERE is_reopened) AS reopened,
    count(*) FILTER (WHERE outcome = 'pending') AS pending
FROM figured
