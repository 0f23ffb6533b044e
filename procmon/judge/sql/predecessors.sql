-- Whose dossiers stand behind a merged procedure's and a merged unit's baseline (rulebook 7e).
-- Sees: baseline_rows, compared_months.

-- step: predecessor_sums
SELECT
    own_procedure_key,
    count(*) AS n,
    CAST(sum(least(working_seconds, cap_seconds)) AS BIGINT) AS seconds
FROM baseline_rows
WHERE month(ended_on) IN (SELECT m.month FROM compared_months AS m)
GROUP BY own_procedure_key

-- step: old_unit_sums
-- Of the units that stand for others today.
SELECT
    unit_today,
    coalesce(unit_key, '') AS old_unit_key,
    count(*) AS n,
    CAST(sum(least(working_seconds, cap_seconds)) AS BIGINT) AS seconds
FROM baseline_rows
WHERE month(ended_on) IN (SELECT m.month FROM compared_months AS m)
    AND unit_today IN (SELECT r.unit_today FROM baseline_rows AS r WHERE r.unit_today <> r.unit_key)
GROUP BY unit_today, coalesce(unit_key, '')
