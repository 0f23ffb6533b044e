-- Cross-boundary dossiers against local ones, filed in person or by post: times, shares and steps (rulebook 8).
-- Sees: at_counters (counters.sql), caps, unit_today (figured.sql), events and unit_versions (of the measure).

-- step: compared
SELECT
    c.dossier_id,
    c.procedure_key,
    c.unit_today,
    c.is_cross_boundary AS is_now,
    c.ended_on,
    c.received_at IS NOT NULL AS is_received,
    c.received_at IS NOT NULL AND c.is_finished AS is_timed,
    c.received_at IS NOT NULL AND c.n_supplements > 0 AS is_supplemented,
    c.outcome = 'refused' AS is_refused,
    c.working_seconds,
    coalesce(k.cap_seconds, c.working_seconds) AS cap_seconds
FROM at_counters AS c
LEFT JOIN caps AS k ON k.procedure_key = c.procedure_key
WHERE c.channel <> 'online' AND c.is_cross_boundary IS NOT NULL AND c.procedure_key <> ''

-- step: parity_cells
-- As step `cells` of times.sql; `is_now` is the cross-boundary side.
SELECT
    procedure_key,
    unit_today,
    is_now,
    year(ended_on) * 12 + month(ended_on) AS month_no,
    count(*) AS n,
    CAST(sum(capped) AS BIGINT) AS seconds,
    CAST(sum(capped * capped // 2147483648) AS BIGINT) AS squares_high,
    CAST(sum(capped * capped % 2147483648) AS BIGINT) AS squares_low,
    CAST(sum(working_seconds) AS BIGINT) AS uncapped_seconds,
    count(*) FILTER (WHERE working_seconds > cap_seconds) AS n_capped,
    CAST(coalesce(sum(working_seconds) FILTER (WHERE working_seconds > cap_seconds), 0) AS BIGINT) AS capped_seconds
FROM (SELECT c.*, least(c.working_seconds, c.cap_seconds) AS capped FROM compared AS c WHERE c.is_timed)
GROUP BY procedure_key, unit_today, is_now, year(ended_on) * 12 + month(ended_on)

-- step: handovers
-- How often a dossier's holding unit changes from one event that states it to the next. A holder is the unit that a
-- code means on the event's day, and the one that has taken it over whole is the same.
SELECT dossier_id, count(*) FILTER (WHERE holder <> holder_before) AS n_handovers
FROM (
    SELECT dossier_id, holder, lag(holder) OVER (PARTITION BY dossier_id ORDER BY seq NULLS FIRST) AS holder_before
    FROM (
        SELECT e.dossier_id, e.seq, coalesce(t.today_key, v.unit_key, e.unit_id || '@') AS holder
        FROM events AS e
        LEFT JOIN unit_versions AS v
            ON v.unit_id = e.unit_id
            AND v.valid_from <= CAST(e.local_at AS DATE)
            AND v.ends_on > CAST(e.local_at AS DATE)
        LEFT JOIN unit_today AS t ON t.unit_key = v.unit_key
        WHERE e.unit_id IS NOT NULL AND e.dossier_id IN (SELECT c.dossier_id FROM compared AS c WHERE c.is_timed)
    )
)
GROUP BY dossier_id

-- step: parity_counts
SELECT
    c.procedure_key,
    c.is_now,
    count(*) AS n_came,
    count(*) FILTER (WHERE c.is_refused) AS n_refused,
    count(*) FILTER (WHERE c.is_received) AS n_received,
    count(*) FILTER (WHERE c.is_supplemented) AS n_supplemented,
    count(h.dossier_id) AS n_routed,
    coalesce(sum(h.n_handovers), 0) AS n_handovers
FROM compared AS c
LEFT JOIN handovers AS h ON h.dossier_id = c.dossier_id
GROUP BY c.procedure_key, c.is_now
