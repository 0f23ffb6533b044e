-- The dossiers that a question is about, each with its procedure, field, level and today's units; of the frozen
-- baseline's the same. A field's are those of the procedures that belong to it on the compared period's last day.
-- Sees: dossiers, procedure_versions, baseline_files, chosen_baseline (one row), unit_today (unit_key, today_key: whole
-- successions followed up to the as-of day), scope_units (today_key), scope_procedures (procedure_key), question.

-- step: figured
SELECT a.*
FROM (
    SELECT
        d.*,
        coalesce(d.registry_procedure_id, d.procedure_id, '') AS procedure_key,
        coalesce(p.field, '') AS field,
        coalesce(p.level, '') AS level,
        coalesce(p.name, '') AS procedure_name,
        coalesce(c.today_key, d.receiving_unit_key, '') AS receiving_today,
        coalesce(s.today_key, d.resolving_unit_key, c.today_key, d.receiving_unit_key, '') AS unit_today
    FROM dossiers AS d
    LEFT JOIN procedure_versions AS p
        ON p.procedure_id = d.registry_procedure_id AND p.valid_from <= d.received_on AND p.ends_on > d.received_on
    LEFT JOIN unit_today AS c ON c.unit_key = d.receiving_unit_key
    LEFT JOIN unit_today AS s ON s.unit_key = d.resolving_unit_key
) AS a
CROSS JOIN question AS q
WHERE q.side = 'all'
    OR (q.side = 'receiving' AND a.receiving_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'resolving' AND a.unit_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'field' AND a.procedure_key IN (SELECT o.procedure_key FROM scope_procedures AS o))

-- step: baseline_rows
SELECT a.*
FROM (
    SELECT
        b.*,
        coalesce(t.today_key, b.unit_key, '') AS unit_today,
        coalesce(c.today_key, b.receiving_unit_key, '') AS receiving_today
    FROM baseline_files AS b
    LEFT JOIN unit_today AS t ON t.unit_key = b.unit_key
    LEFT JOIN unit_today AS c ON c.unit_key = b.receiving_unit_key
    WHERE b.baseline_id = (SELECT k.baseline_id FROM chosen_baseline AS k)
) AS a
CROSS JOIN question AS q
WHERE q.side = 'all'
    OR (q.side = 'receiving' AND a.receiving_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'resolving' AND a.unit_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'field' AND a.procedure_key IN (SELECT o.procedure_key FROM scope_procedures AS o))
