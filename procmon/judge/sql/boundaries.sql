-- Per procedure: was it done at any counter, by evidence, now and at each month's end (rulebook 8).
-- Sees: came and at_counters (counters.sql), procedure_versions, unit_versions, announced, question,
-- boundary_months (day, until, window_at: the month ends asked about, `until` the midnight after).
-- Receiving units are counted as what stands for them today (`receiving_told`): a ward and the one that took it over
-- whole prove as one, and one of which that cannot be told proves nothing of a second unit.

-- step: windows_seen
SELECT m.day, false AS is_now, min(c.came_on) AS data_from
FROM came AS c
JOIN boundary_months AS m ON c.came_at >= m.window_at AND c.came_at < m.until
GROUP BY m.day
UNION ALL
SELECT q.today AS day, true AS is_now, min(c.came_on) AS data_from
FROM at_counters AS c
CROSS JOIN question AS q
GROUP BY q.today

-- step: boundary_counts
SELECT
    procedure_key,
    count(*) AS n_dossiers,
    count(*) FILTER (WHERE channel = 'online') AS n_online,
    count(*) FILTER (WHERE is_cross_boundary) AS n_cross,
    count(*) FILTER (WHERE is_cross_boundary IS NULL) AS n_undetermined,
    count(*) FILTER (WHERE is_cross_boundary AND is_finished) AS n_cross_finished,
    count(DISTINCT nullif(receiving_told, 'undetermined')) FILTER (WHERE is_cross_boundary AND is_finished)
        AS n_receiving_units,
    count(*) FILTER (WHERE is_cross_boundary AND outcome = 'refused' AND refusal_reason = 'not_competent')
        AS n_refused_elsewhere,
    count(*) FILTER (WHERE is_returned_elsewhere) AS n_returned_elsewhere,
    count(*) FILTER (WHERE is_cross_boundary AND outcome = 'refused') AS n_cross_refused,
    count(*) FILTER (WHERE is_cross_boundary IS NULL AND receiving_unit_id IS NULL) AS n_without_receiving_unit,
    count(*) FILTER (
        WHERE is_cross_boundary IS NULL AND receiving_unit_id IS NOT NULL AND resolving_unit_id IS NULL
    ) AS n_without_resolving_unit,
    count(*) FILTER (
        WHERE is_cross_boundary IS NULL AND receiving_unit_id IS NOT NULL AND resolving_unit_id IS NOT NULL
            AND applicant_unit_id IS NULL
    ) AS n_without_applicant_unit
FROM at_counters
WHERE procedure_key <> ''
GROUP BY procedure_key

-- step: month_counts
-- What a month's end would have counted, of what is known now: a dossier had ended if its end came before.
SELECT
    m.day,
    c.procedure_key,
    count(*) AS n_dossiers,
    count(*) FILTER (WHERE c.channel = 'online') AS n_online,
    count(*) FILTER (WHERE c.is_cross_boundary) AS n_cross,
    count(*) FILTER (WHERE c.is_cross_boundary IS NULL) AS n_undetermined,
    count(*) FILTER (WHERE c.is_cross_boundary AND c.is_finished AND c.ended_at < m.until) AS n_cross_finished,
    count(DISTINCT nullif(c.receiving_told, 'undetermined')) FILTER (
        WHERE c.is_cross_boundary AND c.is_finished AND c.ended_at < m.until
    ) AS n_receiving_units,
    count(*) FILTER (
        WHERE c.is_cross_boundary AND c.outcome = 'refused' AND c.refusal_reason = 'not_competent'
            AND c.ended_at < m.until
    ) AS n_refused_elsewhere
FROM came AS c
JOIN boundary_months AS m ON c.came_at >= m.window_at AND c.came_at < m.until
WHERE c.procedure_key <> ''
GROUP BY m.day, c.procedure_key

-- step: asked_days
SELECT day, false AS is_now FROM boundary_months
UNION ALL
SELECT today AS day, true AS is_now FROM question

-- step: on_offer
SELECT d.day, d.is_now, v.procedure_id, v.name, v.field, v.level
FROM procedure_versions AS v
JOIN asked_days AS d ON v.valid_from <= d.day AND v.ends_on > d.day
CROSS JOIN question AS q
WHERE q.side = 'all' OR (q.side = 'field' AND v.field = q.scope_id)

-- step: announced_then
-- The list as it stood on each day, each code found in the registry as a dossier's is (step `ruled` of dossiers.sql).
SELECT DISTINCT d.day, d.is_now, coalesce(exact.procedure_id, part.procedure_id, n.procedure_id) AS procedure_id
FROM announced AS n
LEFT JOIN (SELECT DISTINCT procedure_id FROM procedure_versions) AS exact ON exact.procedure_id = n.procedure_id
LEFT JOIN (SELECT DISTINCT procedure_id FROM procedure_versions) AS part
    ON part.procedure_id = national_part(n.procedure_id)
JOIN asked_days AS d ON n.announced_on <= d.day AND coalesce(n.valid_to, DATE '9999-12-31') > d.day

-- step: evidence
SELECT
    q.today AS day, true AS is_now, c.procedure_key, c.n_dossiers, c.n_online, c.n_cross, c.n_undetermined,
    c.n_cross_finished, c.n_receiving_units, c.n_refused_elsewhere
FROM boundary_counts AS c
CROSS JOIN question AS q
UNION ALL
SELECT
    day, false AS is_now, procedure_key, n_dossiers, n_online, n_cross, n_undetermined, n_cross_finished,
    n_receiving_units, n_refused_elsewhere
FROM month_counts

-- step: verdicts_then
-- The first that holds; and of what is not proven why.
SELECT
    *,
    CASE
        WHEN verdict = 'proven' THEN ''
        WHEN verdict = 'refused_elsewhere' THEN 'refused'
        WHEN n_dossiers = 0 THEN 'no_dossiers'
        WHEN n_online = n_dossiers THEN 'only_online'
        WHEN n_undetermined = n_dossiers - n_online THEN 'undetermined'
        WHEN n_cross = 0 THEN 'none_crossed'
        WHEN n_cross_finished < min_cross THEN 'few_finished'
        ELSE 'few_units'
    END AS why_not_proven
FROM (
    SELECT
        *,
        CASE
            WHEN n_refused_elsewhere > 0 THEN 'refused_elsewhere'
            WHEN n_cross_finished >= min_cross AND n_receiving_units >= min_units THEN 'proven'
            WHEN is_announced THEN 'announced_only'
            WHEN n_dossiers > 0 AND n_online = n_dossiers THEN 'online_only'
            WHEN n_dossiers > n_undetermined THEN 'local_only'
            ELSE 'no_data'
        END AS verdict
    FROM (
        SELECT
            coalesce(e.day, o.day) AS day,
            coalesce(e.is_now, o.is_now) AS is_now,
            coalesce(e.procedure_key, o.procedure_id) AS procedure_id,
            a.procedure_id IS NOT NULL AS is_announced,
            o.procedure_id IS NOT NULL AS is_on_offer,
            o.name,
            o.field,
            o.level,
            coalesce(e.n_dossiers, 0) AS n_dossiers,
            coalesce(e.n_online, 0) AS n_online,
            coalesce(e.n_cross, 0) AS n_cross,
            coalesce(e.n_undetermined, 0) AS n_undetermined,
            coalesce(e.n_cross_finished, 0) AS n_cross_finished,
            coalesce(e.n_receiving_units, 0) AS n_receiving_units,
            coalesce(e.n_refused_elsewhere, 0) AS n_refused_elsewhere,
            q.min_cross,
            q.min_units
        FROM evidence AS e
        FULL JOIN on_offer AS o
            ON o.procedure_id = e.procedure_key AND o.day = e.day AND o.is_now = e.is_now
        CROSS JOIN question AS q
        LEFT JOIN announced_then AS a
            ON a.procedure_id = coalesce(e.procedure_key, o.procedure_id)
            AND a.day = coalesce(e.day, o.day)
            AND a.is_now = coalesce(e.is_now, o.is_now)
    )
)

-- step: offered_verdicts
-- The procedures on offer by verdict, now and at each month's end.
SELECT
    t.day,
    t.is_now,
    t.field,
    t.level,
    w.data_from,
    count(*) AS n_on_offer,
    count(*) FILTER (WHERE t.is_announced) AS n_announced,
    count(*) FILTER (WHERE t.verdict = 'refused_elsewhere') AS n_refused_elsewhere,
    count(*) FILTER (WHERE t.verdict = 'proven') AS n_proven,
    count(*) FILTER (WHERE t.verdict = 'announced_only') AS n_announced_only,
    count(*) FILTER (WHERE t.verdict = 'online_only') AS n_online_only,
    count(*) FILTER (WHERE t.verdict = 'local_only') AS n_local_only,
    count(*) FILTER (WHERE t.verdict = 'no_data') AS n_no_data,
    count(*) FILTER (WHERE t.n_dossiers > t.n_undetermined) AS n_told,
    count(*) FILTER (WHERE t.is_announced AND t.verdict <> 'proven') AS n_announced_not_proven,
    count(*) FILTER (WHERE NOT t.is_announced AND t.verdict = 'proven') AS n_proven_not_announced
FROM verdicts_then AS t
LEFT JOIN windows_seen AS w ON w.day = t.day AND w.is_now = t.is_now
WHERE t.is_on_offer
GROUP BY t.day, t.is_now, t.field, t.level, w.data_from

-- step: first_proofs
-- The day by whose end min_cross of them, received by min_units units, had ended.
SELECT n.procedure_key, min(n.ended_on) AS first_proven_on
FROM (
    SELECT
        procedure_key,
        ended_on,
        row_number() OVER by_end AS n_finished,
        sum(CASE WHEN is_new_unit THEN 1 ELSE 0 END) OVER by_end AS n_units
    FROM (
        SELECT
            procedure_key,
            dossier_id,
            ended_on,
            row_number() OVER (
                PARTITION BY procedure_key, receiving_told ORDER BY ended_on NULLS LAST, dossier_id NULLS FIRST
            ) = 1 AND receiving_told <> 'undetermined' AS is_new_unit
        FROM at_counters
        WHERE is_cross_boundary AND is_finished
    )
    WINDOW by_end AS (
        PARTITION BY procedure_key ORDER BY ended_on NULLS LAST, dossier_id NULLS FIRST
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
) AS n
CROSS JOIN question AS q
WHERE n.n_finished >= q.min_cross AND n.n_units >= q.min_units
GROUP BY n.procedure_key

-- step: boundary_refusals
-- Every reason for which a counter refused a cross-boundary dossier; empty where none is given.
SELECT
    procedure_key AS procedure_id,
    coalesce(refusal_reason, '') AS reason,
    count(*) AS n,
    count(*) FILTER (WHERE received_at IS NULL) AS n_at_reception
FROM at_counters
WHERE is_cross_boundary AND outcome = 'refused' AND procedure_key <> ''
GROUP BY procedure_key, coalesce(refusal_reason, '')

-- step: roles_stated
-- Each role by itself: how often it is missing or unknown, and what cannot be answered for want of it first of all.
SELECT
    count(*) FILTER (WHERE channel <> 'online') AS n_dossiers,
    count(*) FILTER (WHERE channel <> 'online' AND receiving_unit_id IS NULL) AS n_missing_receiving,
    count(*) FILTER (WHERE channel <> 'online' AND resolving_unit_id IS NULL) AS n_missing_resolving,
    count(*) FILTER (WHERE channel <> 'online' AND applicant_unit_id IS NULL) AS n_missing_applicant,
    count(*) FILTER (WHERE channel <> 'online' AND receiving_unit_key LIKE '%@') AS n_unknown_receiving,
    count(*) FILTER (WHERE channel <> 'online' AND resolving_unit_key LIKE '%@') AS n_unknown_resolving,
    count(*) FILTER (WHERE channel <> 'online' AND applicant_unit_key LIKE '%@') AS n_unknown_applicant,
    count(*) FILTER (WHERE is_cross_boundary IS NULL) AS n_undetermined,
    count(*) FILTER (WHERE is_cross_boundary IS NULL AND receiving_unit_id IS NULL) AS n_for_want_of_receiving,
    count(*) FILTER (
        WHERE is_cross_boundary IS NULL AND receiving_unit_id IS NOT NULL AND resolving_unit_id IS NULL
    ) AS n_for_want_of_resolving,
    count(*) FILTER (
        WHERE is_cross_boundary IS NULL AND receiving_unit_id IS NOT NULL AND resolving_unit_id IS NOT NULL
            AND applicant_unit_id IS NULL
    ) AS n_for_want_of_applicant,
    count(*) FILTER (WHERE is_finished) AS n_finished,
    count(*) FILTER (WHERE is_finished AND returning_unit_id IS NULL) AS n_missing_returning,
    count(*) FILTER (WHERE is_finished AND returning_unit_key LIKE '%@') AS n_unknown_returning
FROM at_counters

-- step: newest_versions
SELECT procedure_id, max_by(name, valid_from) AS name, max_by(field, valid_from) AS field,
    max_by(level, valid_from) AS level
FROM procedure_versions
GROUP BY procedure_id

-- step: boundaries_judged
SELECT
    t.procedure_id,
    t.verdict,
    t.is_announced,
    t.n_cross_finished,
    t.n_receiving_units,
    t.n_refused_elsewhere,
    t.n_dossiers,
    t.n_online,
    t.n_cross,
    t.n_undetermined,
    (
        SELECT count(*) FROM unit_versions AS u
        WHERE u.valid_from <= q.today AND u.ends_on > q.today
            AND u.kind IN ('commune', 'ward', 'special_zone', 'centre')
    ) AS n_units_that_could,
    coalesce(c.n_returned_elsewhere, 0) AS n_returned_elsewhere,
    t.is_on_offer,
    coalesce(t.name, v.name, '') AS name,
    coalesce(t.field, v.field, '') AS field,
    coalesce(t.level, v.level, '') AS level,
    q.window_from,
    q.today AS window_to,
    p.first_proven_on,
    CASE
        WHEN t.is_announced AND t.verdict <> 'proven' THEN 'announced_not_proven'
        WHEN NOT t.is_announced AND t.verdict = 'proven' THEN 'proven_not_announced'
        ELSE ''
    END AS difference,
    CASE
        WHEN t.why_not_proven <> 'undetermined' THEN t.why_not_proven
        WHEN c.n_without_receiving_unit > 0
            AND c.n_without_receiving_unit >= greatest(c.n_without_resolving_unit, c.n_without_applicant_unit)
            THEN 'without_receiving_unit'
        WHEN c.n_without_resolving_unit > 0 AND c.n_without_resolving_unit >= c.n_without_applicant_unit
            THEN 'without_resolving_unit'
        WHEN c.n_without_applicant_unit > 0 THEN 'without_applicant_unit'
        ELSE 'unknown_unit'
    END AS why,
    coalesce(c.n_cross_refused, 0) AS n_cross_refused
FROM verdicts_then AS t
CROSS JOIN question AS q
LEFT JOIN boundary_counts AS c ON c.procedure_key = t.procedure_id
LEFT JOIN first_proofs AS p ON p.procedure_key = t.procedure_id
LEFT JOIN newest_versions AS v ON v.procedure_id = t.procedure_id
WHERE t.is_now
