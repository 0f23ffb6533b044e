-- Per procedure: was it done at any counter, by evidence (rulebook 8).
-- Sees: figured, procedure_versions, unit_versions, announced, question.

-- step: unit_territories
-- What each unit stands for in time: a commune-level unit or district itself, a centre its parent, else the city.
SELECT
    v.unit_key,
    CASE
        WHEN v.kind IN ('commune', 'ward', 'special_zone', 'district') THEN v.unit_key
        WHEN v.kind IN ('city', 'department') OR p.kind IN ('city', 'department') THEN 'city'
        WHEN p.kind IN ('commune', 'ward', 'special_zone', 'district') THEN p.unit_key
    END AS territory,
    greatest(v.valid_from, coalesce(p.valid_from, v.valid_from)) AS valid_from,
    least(v.ends_on, coalesce(p.ends_on, v.ends_on)) AS ends_on
FROM unit_versions AS v
LEFT JOIN unit_versions AS p
    ON v.kind = 'centre' AND p.unit_id = v.parent_unit_id AND p.valid_from < v.ends_on AND p.ends_on > v.valid_from

-- step: at_counters
SELECT
    f.dossier_id,
    f.procedure_key,
    f.channel,
    f.outcome,
    f.refusal_reason,
    f.is_cross_boundary,
    f.receiving_unit_key,
    f.outcome IN ('finished', 'returned') AS is_finished,
    coalesce(f.outcome IN ('finished', 'returned') AND b.territory <> s.territory, false) AS is_returned_elsewhere
FROM figured AS f
CROSS JOIN question AS q
LEFT JOIN unit_territories AS b
    ON b.unit_key = f.returning_unit_key AND b.valid_from <= f.ended_on AND b.ends_on > f.ended_on
LEFT JOIN unit_territories AS s
    ON s.unit_key = f.resolving_unit_key AND s.valid_from <= f.ended_on AND s.ends_on > f.ended_on
WHERE (f.received_at IS NOT NULL OR f.outcome = 'refused')
    AND coalesce(f.received_at, f.ended_at) >= q.window_at
    AND coalesce(f.received_at, f.ended_at) <= q.as_of

-- step: boundary_counts
SELECT
    procedure_key,
    count(*) AS n_dossiers,
    count(*) FILTER (WHERE channel = 'online') AS n_online,
    count(*) FILTER (WHERE is_cross_boundary) AS n_cross,
    count(*) FILTER (WHERE is_cross_boundary IS NULL) AS n_undetermined,
    count(*) FILTER (WHERE is_cross_boundary AND is_finished) AS n_cross_finished,
    count(DISTINCT receiving_unit_key) FILTER (WHERE is_cross_boundary AND is_finished) AS n_receiving_units,
    count(*) FILTER (WHERE is_cross_boundary AND outcome = 'refused' AND refusal_reason = 'not_competent')
        AS n_refused_elsewhere,
    count(*) FILTER (WHERE is_returned_elsewhere) AS n_returned_elsewhere
FROM at_counters
WHERE procedure_key <> ''
GROUP BY procedure_key

-- step: on_offer
SELECT v.procedure_id, v.name, v.field, v.level
FROM procedure_versions AS v
CROSS JOIN question AS q
WHERE v.valid_from <= q.today
    AND v.ends_on > q.today
    AND (q.side = 'all' OR (q.side = 'field' AND v.field = q.scope_id))

-- step: announced_today
SELECT DISTINCT n.procedure_id
FROM announced AS n
CROSS JOIN question AS q
WHERE n.announced_on <= q.today AND coalesce(n.valid_to, DATE '9999-12-31') > q.today

-- step: newest_versions
SELECT procedure_id, max_by(name, valid_from) AS name, max_by(field, valid_from) AS field,
    max_by(level, valid_from) AS level
FROM procedure_versions
GROUP BY procedure_id

-- step: boundaries_judged
SELECT
    coalesce(c.procedure_key, o.procedure_id) AS procedure_id,
    CASE
        WHEN coalesce(c.n_refused_elsewhere, 0) > 0 THEN 'refused_elsewhere'
        WHEN coalesce(c.n_cross_finished, 0) >= q.min_cross AND coalesce(c.n_receiving_units, 0) >= q.min_units
            THEN 'proven'
        WHEN a.procedure_id IS NOT NULL THEN 'announced_only'
        WHEN c.n_dossiers > 0 AND c.n_online = c.n_dossiers THEN 'online_only'
        WHEN c.n_dossiers > c.n_undetermined THEN 'local_only'
        ELSE 'no_data'
    END AS verdict,
    a.procedure_id IS NOT NULL AS is_announced,
    coalesce(c.n_cross_finished, 0) AS n_cross_finished,
    coalesce(c.n_receiving_units, 0) AS n_receiving_units,
    coalesce(c.n_refused_elsewhere, 0) AS n_refused_elsewhere,
    coalesce(c.n_dossiers, 0) AS n_dossiers,
    coalesce(c.n_online, 0) AS n_online,
    coalesce(c.n_cross, 0) AS n_cross,
    coalesce(c.n_undetermined, 0) AS n_undetermined,
    (
        SELECT count(*) FROM unit_versions AS u
        WHERE u.valid_from <= q.today AND u.ends_on > q.today
            AND u.kind IN ('commune', 'ward', 'special_zone', 'centre')
    ) AS n_units_that_could,
    coalesce(c.n_returned_elsewhere, 0) AS n_returned_elsewhere,
    o.procedure_id IS NOT NULL AS is_on_offer,
    coalesce(o.name, v.name, '') AS name,
    coalesce(o.field, v.field, '') AS field,
    coalesce(o.level, v.level, '') AS level,
    q.window_from,
    q.today AS window_to
FROM boundary_counts AS c
FULL JOIN on_offer AS o ON o.procedure_id = c.procedure_key
CROSS JOIN question AS q
LEFT JOIN announced_today AS a ON a.procedure_id = coalesce(c.procedure_key, o.procedure_id)
LEFT JOIN newest_versions AS v ON v.procedure_id = c.procedure_key
