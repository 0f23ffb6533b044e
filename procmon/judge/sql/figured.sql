-- The dossiers that a question is about, each with its procedure, field, level and today's units.
-- Sees: dossiers, procedure_versions, unit_today (unit_key, today_key: whole successions followed), scope_units
-- (today_key), question (one row).

-- step: all_figured
SELECT
    d.*,
    coalesce(d.registry_procedure_id, d.procedure_id, '') AS procedure_key,
    coalesce(p.field, '') AS field,
    coalesce(p.level, '') AS level,
    coalesce(p.name, '') AS procedure_name,
    coalesce(c.today_key, d.receiving_unit_key, '') AS receiving_today,
    coalesce(s.today_key, d.resolving_unit_key, '') AS resolving_today,
    coalesce(s.today_key, d.resolving_unit_key, c.today_key, d.receiving_unit_key, '') AS unit_today
FROM dossiers AS d
LEFT JOIN procedure_versions AS p
    ON p.procedure_id = d.registry_procedure_id AND p.valid_from <= d.received_on AND p.ends_on > d.received_on
LEFT JOIN unit_today AS c ON c.unit_key = d.receiving_unit_key
LEFT JOIN unit_today AS s ON s.unit_key = d.resolving_unit_key

-- step: figured
SELECT f.*
FROM all_figured AS f
CROSS JOIN question AS q
WHERE q.side = 'all'
    OR (q.side = 'receiving' AND f.receiving_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'resolving' AND f.unit_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'field' AND f.field = q.field)

-- step: in_period
-- Form 06's dossiers: received by the end, and not ended before the period.
SELECT f.*
FROM figured AS f
CROSS JOIN question AS q
WHERE f.received_at IS NOT NULL
    AND f.received_on < q.period_to
    AND (f.ended_on IS NULL OR f.ended_on >= q.period_from)
