-- What a frozen baseline keeps of its finished dossiers: each one with its procedure's cap, and their working time by
-- stage (rulebook 7a, 7e, 7f).
-- Sees: dossiers, stretches, frozen_period (first, last), frozen_heirs (procedure_key, heir_key: the codes that another
-- one stands for on the day of publishing).

-- step: finished
SELECT f.*, coalesce(h.heir_key, f.procedure_key) AS pool_key
FROM (
    SELECT
        d.*,
        coalesce(d.registry_procedure_id, d.procedure_id, '') AS procedure_key
    FROM dossiers AS d
    CROSS JOIN frozen_period AS p
    WHERE d.outcome IN ('finished', 'returned')
        AND d.received_at IS NOT NULL
        AND d.ended_on >= p.first
        AND d.ended_on < p.last
) AS f
LEFT JOIN frozen_heirs AS h ON h.procedure_key = f.procedure_key

-- step: finished_placed
SELECT
    pool_key,
    working_seconds,
    row_number() OVER (PARTITION BY pool_key ORDER BY working_seconds NULLS FIRST, dossier_id NULLS FIRST) - 1 AS place,
    count(*) OVER (PARTITION BY pool_key) - 1 AS last_place
FROM finished

-- step: finished_caps
-- The 99th percentile, interpolated between integers and cut to whole seconds; of a merged procedure that of all its
-- predecessors' dossiers pooled.
SELECT pool_key, sum(working_seconds * interpolation(place, last_place, 99)) // 100 AS cap_seconds
FROM finished_placed
GROUP BY pool_key

-- step: frozen
SELECT
    f.dossier_id,
    f.procedure_key,
    coalesce(f.resolving_unit_key, f.receiving_unit_key) AS unit_key,
    f.receiving_unit_key,
    f.received_on,
    f.ended_on,
    f.working_seconds,
    c.cap_seconds,
    CASE
        WHEN f.open_seconds_to_computed_due IS NOT NULL
            THEN f.n_supplements < 2 AND f.open_seconds - f.waited_seconds <= f.open_seconds_to_computed_due
    END AS limit_on_time,
    f.paused_seconds
FROM finished AS f
JOIN finished_caps AS c ON c.pool_key = f.pool_key

-- step: frozen_stages
SELECT
    f.procedure_key,
    f.unit_key,
    f.receiving_unit_key,
    days_after(f.ended_on, 1 - CAST(day(f.ended_on) AS INTEGER)) AS month_on,
    coalesce(s.stage, '') AS stage,
    CASE WHEN f.working_seconds > f.cap_seconds THEN f.working_seconds END AS capped_from_seconds,
    CAST(sum(s.open_seconds) AS BIGINT) AS seconds
FROM frozen AS f
JOIN stretches AS s ON s.dossier_id = f.dossier_id
WHERE s.kind = 'working' AND s.open_seconds > 0
GROUP BY
    f.procedure_key,
    f.unit_key,
    f.receiving_unit_key,
    days_after(f.ended_on, 1 - CAST(day(f.ended_on) AS INTEGER)),
    coalesce(s.stage, ''),
    CASE WHEN f.working_seconds > f.cap_seconds THEN f.working_seconds END
