-- Processing times of finished dossiers, baseline against period, by cell (rulebook 7.2, 7a, 7b).
-- Sees: figured, baseline_rows (BASELINE_DOSSIERS with units of today, in scope), question.

-- step: caps
SELECT procedure_key, max(cap_seconds) AS cap_seconds
FROM all_baseline
GROUP BY procedure_key

-- step: sides
-- Finished dossiers of both sides; the baseline's are frozen, its months are those of the period compared.
SELECT
    b.dossier_id, b.procedure_key, b.unit_today, false AS is_now, b.ended_on, b.working_seconds, b.cap_seconds
FROM baseline_rows AS b
CROSS JOIN question AS q
WHERE month(b.ended_on) IN (SELECT m.month FROM compared_months AS m)
UNION ALL
SELECT
    f.dossier_id, f.procedure_key, f.unit_today, true AS is_now, f.ended_on, f.working_seconds,
    coalesce(c.cap_seconds, f.working_seconds) AS cap_seconds
FROM figured AS f
LEFT JOIN caps AS c ON c.procedure_key = f.procedure_key
CROSS JOIN question AS q
WHERE f.outcome IN ('finished', 'returned')
    AND f.received_at IS NOT NULL
    AND f.ended_on >= q.compare_from
    AND f.ended_on < q.compare_to

-- step: cells
SELECT
    procedure_key,
    unit_today,
    is_now,
    year(ended_on) * 12 + month(ended_on) AS month_no,
    count(*) AS n,
    sum(least(working_seconds, cap_seconds)) AS seconds,
    sum(CAST(least(working_seconds, cap_seconds) AS HUGEINT) * least(working_seconds, cap_seconds)) AS squares,
    sum(working_seconds) AS uncapped_seconds,
    count(*) FILTER (WHERE working_seconds > cap_seconds) AS n_capped,
    coalesce(sum(working_seconds) FILTER (WHERE working_seconds > cap_seconds), 0) AS capped_seconds
FROM sides
GROUP BY procedure_key, unit_today, is_now, year(ended_on) * 12 + month(ended_on)
ORDER BY procedure_key NULLS FIRST, unit_today NULLS FIRST, is_now NULLS FIRST, month_no NULLS FIRST

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
ORDER BY procedure_key NULLS FIRST, is_now NULLS FIRST

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
ORDER BY procedure_key NULLS FIRST, month_no NULLS FIRST

-- step: on_time_cells
-- On time under the old limit and the one at receipt, over form 06's dossiers of the compared period (rulebook 7.3).
SELECT
    f.procedure_key,
    f.unit_today,
    count(*) AS n_judged_both,
    count(*) FILTER (WHERE f.n_supplements < 2 AND f.open_seconds - f.waited_seconds <= f.open_seconds_to_old_due)
        AS n_on_time_old,
    count(*) FILTER (WHERE f.n_supplements < 2 AND f.open_seconds - f.waited_seconds <= f.open_seconds_to_computed_due)
        AS n_on_time_new
FROM figured AS f
CROSS JOIN question AS q
WHERE f.received_at IS NOT NULL
    AND f.received_on < q.compare_to
    AND (f.ended_on IS NULL OR f.ended_on >= q.compare_from)
    AND f.open_seconds_to_old_due IS NOT NULL
    AND f.open_seconds_to_computed_due IS NOT NULL
GROUP BY f.procedure_key, f.unit_today
ORDER BY f.procedure_key NULLS FIRST, f.unit_today NULLS FIRST

-- step: baseline_on_time_cells
SELECT
    b.procedure_key,
    b.unit_today,
    count(b.limit_on_time) AS n_baseline_judged,
    count(*) FILTER (WHERE b.limit_on_time) AS n_baseline_on_time
FROM baseline_rows AS b
WHERE month(b.ended_on) IN (SELECT m.month FROM compared_months AS m)
GROUP BY b.procedure_key, b.unit_today
ORDER BY b.procedure_key NULLS FIRST, b.unit_today NULLS FIRST
