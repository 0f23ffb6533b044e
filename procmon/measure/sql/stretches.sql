-- Open time from receipt to end shared out among the stretches between one event and the next (rulebook 10). Over a
-- dossier the kinds add up to working, paused and discarded seconds.
-- Sees: events (events.sql), clocks (dossiers.sql), asked.

-- step: stretches
-- A restarted clock discards all that came before the last resumption; a late receipt's hours cost nothing.
SELECT
    h.dossier_id,
    h.seq,
    h.happened_at AS from_at,
    coalesce(h.next_at, a.as_of) AS to_at,
    h.unit_id,
    h.stage,
    h.status,
    CASE
        WHEN c.supplement = 'restart' AND h.seq <= h.last_request_seq THEN 'discarded'
        WHEN h.status = 'supplement_requested' AND c.supplement = 'pause' THEN 'waiting'
        WHEN h.status = 'payment_requested' AND c.payment = 'pause' THEN 'waiting'
        ELSE 'working'
    END AS kind,
    overlap(h.opened, coalesce(h.next_opened, c.end_opened), c.start_opened, c.end_opened) AS open_seconds
FROM (
    -- The holding unit: each stated unit holds the dossier until another one is stated.
    SELECT n.* EXCLUDE (unit_id), max(n.unit_id) OVER (PARTITION BY n.dossier_id, n.n_units) AS unit_id
    FROM (
        SELECT
            e.dossier_id,
            e.seq,
            e.status,
            e.stage,
            e.unit_id,
            e.happened_at,
            e.opened,
            lead(e.happened_at) OVER in_order AS next_at,
            lead(e.opened) OVER in_order AS next_opened,
            count(e.unit_id) OVER so_far AS n_units,
            count(*) FILTER (WHERE e.status = 'received') OVER so_far AS n_receipts,
            max(e.seq) FILTER (WHERE e.status = 'supplement_requested') OVER (PARTITION BY e.dossier_id)
                AS last_request_seq
        FROM events AS e
        WHERE e.is_new
        WINDOW
            in_order AS (PARTITION BY e.dossier_id ORDER BY e.seq NULLS FIRST),
            so_far AS (PARTITION BY e.dossier_id ORDER BY e.seq NULLS FIRST ROWS UNBOUNDED PRECEDING)
    ) AS n
) AS h
JOIN clocks AS c ON c.dossier_id = h.dossier_id
CROSS JOIN asked AS a
WHERE h.n_receipts > 0 AND (c.ended_seq IS NULL OR h.seq < c.ended_seq)
