-- The dossiers that a question is about, each with its procedure, field, level and today's units; of the frozen
-- baseline's the same. A procedure's are also those of the codes that it stands for on the compared period's last day,
-- a field's those of the procedures that belong to it on that day.
-- Sees: dossiers, procedure_versions, baseline_files, baseline_state_files, baseline_stage_files, chosen_baseline (one
-- row), procedure_heirs (procedure_key, heir_key), unit_today (unit_key, today_key: whole successions followed up to
-- the as-of day; told_key: the same, but `undetermined` where no unit of that day can be told), scope_units (today_key),
-- scope_procedures (procedure_key), question.
-- Shocks move together by `unit_today`; what is told by unit goes by the `told` ones.

-- step: caps
-- Each procedure's cap, as frozen with the chosen baseline (rulebook 7a). The codes behind a procedure had one cap when
-- it was published; of those merged since the largest stands, until the baseline is published anew.
SELECT coalesce(h.heir_key, b.procedure_key) AS procedure_key, max(b.cap_seconds) AS cap_seconds
FROM baseline_files AS b
LEFT JOIN procedure_heirs AS h ON h.procedure_key = b.procedure_key
WHERE b.baseline_id = (SELECT k.baseline_id FROM chosen_baseline AS k)
GROUP BY coalesce(h.heir_key, b.procedure_key)

-- step: figured
SELECT a.*
FROM (
    SELECT
        d.*,
        coalesce(h.heir_key, d.registry_procedure_id, d.procedure_id, '') AS procedure_key,
        coalesce(p.field, '') AS field,
        coalesce(p.level, '') AS level,
        coalesce(p.name, '') AS procedure_name,
        coalesce(c.today_key, d.receiving_unit_key, '') AS receiving_today,
        coalesce(s.today_key, d.resolving_unit_key, c.today_key, d.receiving_unit_key, '') AS unit_today,
        coalesce(c.told_key, d.receiving_unit_key, '') AS receiving_told,
        coalesce(s.told_key, d.resolving_unit_key, '') AS resolving_told,
        coalesce(s.told_key, d.resolving_unit_key, c.told_key, d.receiving_unit_key, '') AS unit_told,
        coalesce(l.told_key, d.applicant_unit_key, '') AS applicant_told
    FROM dossiers AS d
    LEFT JOIN procedure_heirs AS h ON h.procedure_key = d.registry_procedure_id
    LEFT JOIN procedure_versions AS p
        ON p.procedure_id = d.registry_procedure_id AND p.valid_from <= d.received_on AND p.ends_on > d.received_on
    LEFT JOIN unit_today AS c ON c.unit_key = d.receiving_unit_key
    LEFT JOIN unit_today AS s ON s.unit_key = d.resolving_unit_key
    LEFT JOIN unit_today AS l ON l.unit_key = d.applicant_unit_key
) AS a
CROSS JOIN question AS q
WHERE q.side = 'all'
    OR (q.side = 'receiving' AND a.receiving_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'resolving' AND a.unit_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'field' AND a.procedure_key IN (SELECT o.procedure_key FROM scope_procedures AS o))

-- step: baseline_places
-- Where the dossiers of a baseline stand today, and those of them that the question is about.
SELECT a.*
FROM (
    SELECT
        b.procedure_key AS own_procedure_key,
        b.unit_key,
        b.receiving_unit_key,
        coalesce(h.heir_key, b.procedure_key) AS procedure_key,
        coalesce(t.today_key, b.unit_key, '') AS unit_today,
        coalesce(c.today_key, b.receiving_unit_key, '') AS receiving_today
    FROM (
        SELECT procedure_key, unit_key, receiving_unit_key, baseline_id FROM baseline_files
        UNION
        SELECT procedure_key, unit_key, receiving_unit_key, baseline_id FROM baseline_state_files
    ) AS b
    LEFT JOIN procedure_heirs AS h ON h.procedure_key = b.procedure_key
    LEFT JOIN unit_today AS t ON t.unit_key = b.unit_key
    LEFT JOIN unit_today AS c ON c.unit_key = b.receiving_unit_key
    WHERE b.baseline_id = (SELECT k.baseline_id FROM chosen_baseline AS k)
) AS a
CROSS JOIN question AS q
WHERE q.side = 'all'
    OR (q.side = 'receiving' AND a.receiving_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'resolving' AND a.unit_today IN (SELECT u.today_key FROM scope_units AS u))
    OR (q.side = 'field' AND a.procedure_key IN (SELECT o.procedure_key FROM scope_procedures AS o))

-- step: baseline_rows
SELECT
    b.* REPLACE (p.procedure_key AS procedure_key, k.cap_seconds AS cap_seconds),
    p.own_procedure_key,
    p.unit_today,
    p.receiving_today
FROM baseline_files AS b
JOIN baseline_places AS p
    ON p.own_procedure_key = b.procedure_key
    AND p.unit_key IS NOT DISTINCT FROM b.unit_key
    AND p.receiving_unit_key IS NOT DISTINCT FROM b.receiving_unit_key
JOIN caps AS k ON k.procedure_key = p.procedure_key
WHERE b.baseline_id = (SELECT c.baseline_id FROM chosen_baseline AS c)

-- step: baseline_states
-- The baseline's received dossiers as each month's end saw them; one end D saw those with seen_from <= D < seen_to.
SELECT b.dossier_id, p.procedure_key, p.unit_today, b.received_on, b.seen_from, b.seen_to, b.outcome, b.working_seconds
FROM baseline_state_files AS b
JOIN baseline_places AS p
    ON p.own_procedure_key = b.procedure_key
    AND p.unit_key IS NOT DISTINCT FROM b.unit_key
    AND p.receiving_unit_key IS NOT DISTINCT FROM b.receiving_unit_key
WHERE b.baseline_id = (SELECT c.baseline_id FROM chosen_baseline AS c)

-- step: baseline_stages
-- Working time by stage of the baseline's finished dossiers; what is above the frozen cap stands apart, to be scaled.
SELECT
    p.procedure_key,
    p.unit_today,
    b.month_on,
    b.stage,
    b.capped_from_seconds,
    k.cap_seconds,
    CAST(sum(b.seconds) AS BIGINT) AS seconds
FROM baseline_stage_files AS b
JOIN baseline_places AS p
    ON p.own_procedure_key = b.procedure_key
    AND p.unit_key IS NOT DISTINCT FROM b.unit_key
    AND p.receiving_unit_key IS NOT DISTINCT FROM b.receiving_unit_key
JOIN caps AS k ON k.procedure_key = p.procedure_key
WHERE b.baseline_id = (SELECT c.baseline_id FROM chosen_baseline AS c)
GROUP BY p.procedure_key, p.unit_today, b.month_on, b.stage, b.capped_from_seconds, k.cap_seconds
