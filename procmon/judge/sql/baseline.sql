-- The dossiers that a frozen baseline keeps, each with its procedure's cap (rulebook 7a, 7e).
-- Sees: dossiers, frozen_period (first, last).

-- step: finished
SELECT
    d.*,
    coalesce(d.registry_procedure_id, d.procedure_id, '') AS procedure_key
FROM dossiers AS d
CROSS JOIN frozen_period AS p
WHERE d.outcome IN ('finished', 'returned')
    AND d.received_at IS NOT NULL
    AND d.ended_on >= p.first
    AND d.ended_on < p.last

-- step: finished_placed
SELECT
    procedure_key,
    working_seconds,
    row_number() OVER (PARTITION BY procedure_key ORDER BY working_seconds NULLS FIRST, dossier_id NULLS FIRST) - 1
        AS place,
    count(*) OVER (PARTITION BY procedure_key) - 1 AS last_place
FROM finished

-- step: finished_caps
-- The 99th percentile, interpolated between integers and cut to whole seconds.
SELECT procedure_key, sum(working_seconds * interpolation(place, last_place, 99)) // 100 AS cap_seconds
FROM finished_placed
GROUP BY procedure_key

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
    END AS limit_on_time
FROM finished AS f
JOIN finished_caps AS c ON c.procedure_key = f.procedure_key
