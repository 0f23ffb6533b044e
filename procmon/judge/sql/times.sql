-- Processing times and on-time counts by cell: procedure, unit, side and month (rulebook 7a, 7b, 7.3).
-- Sees: sides, figured, baseline_rows, compared_months, question.

-- step: cells
SELECT
    procedure_key,
    unit_today,
    is_now,
    year(ended_on) * 12 + month(ended_on) AS month_no,
    count(*) AS n,
    CAST(sum(capped) AS BIGINT) AS seconds,
    CAST(sum(capped * capped // 2147483648) AS BIGINT) AS squares_high,  -- in halves of 31 bits: sums of squares outgrow 64 bits
    CAST(sum(capped * capped % 2147483648) AS BIGINT) AS squares_low,
    CAST(sum(working_seconds) AS BIGINT) AS uncapped_seconds,
    count(*) FILTER (WHERE working_seconds > cap_seconds) AS n_capped,
    CAST(coalesce(sum(working_seconds) FILTER (WHERE working_seconds > cap_seconds), 0) AS BIGINT) AS capped_seconds
FROM (SELECT s.*, least(s.working_seconds, s.cap_seconds) AS capped FROM sides AS s)
GROUP BY procedure_key, unit_today, is_now, year(ended_on) * 12 + month(ended_on)

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

-- step: baseline_on_time_cells
SELECT
    b.procedure_key,
    b.unit_today,
    count(b.limit_on_time) AS n_baseline_judged,
    count(*) FILTER (WHERE b.limit_on_time) AS n_baseline_on_time
FROM baseline_rows AS b
WHERE month(b.ended_on) IN (SELECT m.month FROM compared_months AS m)
GROUP BY b.procedure_key, b.unit_today
