-- Medians and 90th percentiles, and the months of the trend (rulebook 7a). Sees: sides, figured, baseline_rows, caps, question.

-- step: placed
SELECT
    procedure_key,
    is_now,
    working_seconds,
    row_number() OVER (
        PARTITION BY procedure_key, is_now ORDER BY working_seconds NULLS FIRST, dossier_id NULLS FIRST
    ) - 1 AS place,
    count(*) OVER (PARTITION BY procedure_key, is_now) - 1 AS last_place
FROM sides

-- step: quantiles
-- Hundredths of seconds, interpolated between integers: a quantile q lies at place q (n - 1).
SELECT
    procedure_key,
    is_now,
    sum(working_seconds * interpolation(place, last_place, 50)) AS median_hundredths,
    sum(working_seconds * interpolation(place, last_place, 90)) AS p90_hundredths
FROM placed
GROUP BY procedure_key, is_now

-- step: trend_cells
-- The baseline's months as frozen, the months after it as they stand now.
SELECT
    procedure_key,
    is_baseline,
    month_no,
    count(*) AS n,
    sum(least(working_seconds, cap_seconds)) AS seconds
FROM (
    SELECT procedure_key, true AS is_baseline, year(ended_on) * 12 + month(ended_on) AS month_no, working_seconds,
        cap_seconds
    FROM baseline_rows
    UNION ALL
    SELECT f.procedure_key, false AS is_baseline, year(f.ended_on) * 12 + month(f.ended_on) AS month_no,
        f.working_seconds, c.cap_seconds
    FROM figured AS f
    JOIN caps AS c ON c.procedure_key = f.procedure_key
    CROSS JOIN question AS q
    WHERE f.outcome IN ('finished', 'returned')
        AND f.received_at IS NOT NULL
        AND f.ended_on >= q.baseline_to
        AND f.ended_on < q.compare_to
)
GROUP BY procedure_key, is_baseline, month_no
