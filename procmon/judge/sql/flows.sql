-- From which units to which, by the units of today: dossiers filed in person or by post (rulebook 8).
-- Sees: at_counters.

-- step: flows
SELECT
    receiving_told,
    resolving_told,
    applicant_told,
    is_cross_boundary,
    count(*) AS n,
    count(*) FILTER (WHERE is_finished) AS n_finished,
    count(*) FILTER (WHERE outcome = 'refused') AS n_refused
FROM at_counters
WHERE channel <> 'online'
GROUP BY receiving_told, resolving_told, applicant_told, is_cross_boundary
