-- The received dossiers of both sides, each side as of its own period's end, counted by time and fate (rulebook 7d).
-- Sees: figured, baseline_states (in scope, units of today), compared_months, question.

-- step: received
-- Who was refused, stopped or withdrew has ended, and never counts as having got a result.
SELECT
    procedure_key,
    unit_today,
    is_now,
    year(received_on) * 12 + month(received_on) AS month_no,
    working_seconds,
    count(*) FILTER (WHERE outcome IN ('finished', 'returned')) AS n_result,
    count(*) FILTER (WHERE outcome IN ('refused', 'stopped', 'withdrawn')) AS n_no_result,
    count(*) FILTER (WHERE outcome = 'pending') AS n_pending
FROM (
    SELECT b.dossier_id, b.procedure_key, b.unit_today, false AS is_now, b.received_on, b.outcome, b.working_seconds
    FROM baseline_states AS b
    CROSS JOIN question AS q
    WHERE b.seen_from <= q.baseline_seen_on
        AND b.seen_to > q.baseline_seen_on
        AND month(b.received_on) IN (SELECT m.month FROM compared_months AS m)
    UNION ALL
    SELECT f.dossier_id, f.procedure_key, f.unit_today, true AS is_now, f.received_on, f.outcome, f.working_seconds
    FROM figured AS f
    CROSS JOIN question AS q
    WHERE f.received_at IS NOT NULL
        AND f.received_on >= q.compare_from
        AND f.received_on < q.compare_to
        AND month(f.received_on) IN (SELECT m.month FROM compared_months AS m)
)
GROUP BY procedure_key, unit_today, is_now, year(received_on) * 12 + month(received_on), working_seconds
