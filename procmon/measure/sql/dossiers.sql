-- One row for each dossier with an event seen (rulebook 3 to 6, and 8 for the boundary).
-- Sees: events (events.sql), firsts, ends and roles (facts.sql), asked, calendar_days, calendar_minutes, open_hours,
-- procedures, unit_versions and unit_heirs (units.sql, heirs.py).

-- step: procedure_versions
SELECT
    *,
    least(
        coalesce(valid_to, DATE '9999-12-31'),
        coalesce(lead(valid_from) OVER (PARTITION BY procedure_id ORDER BY valid_from NULLS FIRST), DATE '9999-12-31')
    ) AS ends_on
FROM (SELECT * REPLACE (coalesce(valid_from, DATE '0001-01-01') AS valid_from) FROM procedures)

-- step: after_end
-- The first return after the end, in order.
SELECT e.dossier_id, min_by(e.opened, e.seq) AS returned_opened
FROM events AS e
JOIN ends AS n ON n.dossier_id = e.dossier_id
WHERE e.status = 'returned' AND e.is_new AND e.seq > n.ended_seq
GROUP BY e.dossier_id

-- step: refusals
-- The reason of a refusal that is the end: the first that its row or an amendment of it gives.
SELECT dossier_id, min_by(reason, seq) AS refusal_reason
FROM (
    SELECT
        e.dossier_id,
        e.seq,
        e.reason,
        sum(CASE WHEN e.is_new THEN 1 ELSE 0 END) OVER (PARTITION BY e.dossier_id ORDER BY e.seq NULLS FIRST) AS place
    FROM events AS e
    JOIN ends AS n ON n.dossier_id = e.dossier_id
    WHERE n.ended_as = 'refused' AND e.seq >= n.ended_seq
)
WHERE place = 1 AND reason IS NOT NULL
GROUP BY dossier_id

-- step: stated_dues
-- Each stated due date as an instant: a bare day is closing time of that day, or of the next working day.
SELECT
    e.dossier_id,
    e.seq,
    coalesce(e.due_at, instant_at(w.day, w.closes_second, a.zone)) AS due,
    lag(e.dossier_id) OVER in_order IS NOT NULL
        AND (
            lag(e.due_at) OVER in_order IS DISTINCT FROM e.due_at
            OR lag(e.due_on) OVER in_order IS DISTINCT FROM e.due_on
        ) AS is_move
FROM events AS e
LEFT JOIN calendar_days AS d ON d.calendar_id = e.calendar_id AND d.day = e.due_on
LEFT JOIN calendar_days AS w ON w.calendar_id = e.calendar_id AND w.day = d.next_open_day
CROSS JOIN asked AS a
WHERE e.due_at IS NOT NULL OR e.due_on IS NOT NULL
WINDOW in_order AS (PARTITION BY e.dossier_id ORDER BY e.seq NULLS FIRST)

-- step: dues
SELECT
    dossier_id,
    min_by(due, seq) AS first_due_at,
    max_by(due, seq) AS current_due_at,
    count(*) FILTER (WHERE is_move) AS n_due_moves
FROM stated_dues
GROUP BY dossier_id

-- step: ruled
-- The registry's procedure, its version on the day of receipt, and the policies it sets.
SELECT
    f.dossier_id,
    r.procedure_id AS registry_procedure_id,
    v.limit_amount,
    v.limit_unit,
    coalesce(a.forced_supplement, v.supplement, a.supplement) AS supplement,
    coalesce(a.forced_payment, v.payment, a.payment) AS payment,
    coalesce(a.forced_late_receipt, v.late_receipt, a.late_receipt) AS late_receipt
FROM firsts AS f
CROSS JOIN asked AS a
LEFT JOIN (SELECT DISTINCT procedure_id FROM procedures) AS exact ON exact.procedure_id = f.procedure_id
LEFT JOIN (SELECT DISTINCT procedure_id FROM procedures) AS r
    ON r.procedure_id = coalesce(exact.procedure_id, national_part(f.procedure_id))
LEFT JOIN procedure_versions AS v
    ON v.procedure_id = r.procedure_id
    AND v.valid_from <= CAST(f.received_local AS DATE)
    AND v.ends_on > CAST(f.received_local AS DATE)

-- step: now_opened
SELECT
    d.calendar_id,
    d.open_before + m.open_before + m.is_open * second_of(timezone(a.zone, a.as_of)) AS opened
FROM asked AS a
JOIN calendar_days AS d ON d.day = local_day(a.as_of, a.zone)
JOIN calendar_minutes AS m ON m.pattern_id = d.pattern_id AND m.minute = minute_of(timezone(a.zone, a.as_of))

-- step: bounds
-- From where and to where a dossier's clock runs; a late receipt counts from the next opening of a later day.
SELECT
    f.dossier_id,
    f.calendar_id,
    f.received_opened,
    CASE WHEN f.is_late_receipt THEN next.open_before ELSE f.received_opened END AS start_opened,
    CASE WHEN f.is_late_receipt THEN next.day ELSE CAST(f.received_local AS DATE) END AS start_day,
    coalesce(n.ended_opened, o.opened) AS end_opened,
    n.ended_seq,
    f.received_at
FROM (
    SELECT
        f.*,
        r.late_receipt <> 'none'
        AND (NOT d.is_open OR CAST(f.received_local AS TIME) > try_cast(r.late_receipt AS TIME)) AS is_late_receipt,
        d.following_open_day
    FROM firsts AS f
    JOIN ruled AS r ON r.dossier_id = f.dossier_id
    JOIN calendar_days AS d ON d.calendar_id = f.calendar_id AND d.day = CAST(f.received_local AS DATE)
    WHERE f.received_at IS NOT NULL
) AS f
JOIN calendar_days AS next ON next.calendar_id = f.calendar_id AND next.day = f.following_open_day
JOIN now_opened AS o ON o.calendar_id = f.calendar_id
LEFT JOIN ends AS n ON n.dossier_id = f.dossier_id

-- step: waits
-- Each wait for the applicant: from a waiting status to the dossier's next event, or to the end of the clock.
SELECT
    w.dossier_id,
    w.status,
    w.seq,
    w.is_new,
    w.happened_at >= b.received_at AS is_after_receipt,
    w.opened,
    coalesce(w.next_opened, b.end_opened) AS until_opened
FROM (
    SELECT *, lead(opened) OVER (PARTITION BY dossier_id ORDER BY seq NULLS FIRST) AS next_opened
    FROM events
    WHERE dossier_id IN (
        SELECT x.dossier_id FROM events AS x WHERE x.status IN ('supplement_requested', 'payment_requested')
    )
) AS w
JOIN bounds AS b ON b.dossier_id = w.dossier_id
WHERE w.status IN ('supplement_requested', 'payment_requested')

-- step: supplements
SELECT
    dossier_id,
    count(*) FILTER (WHERE is_new) AS n_supplements,
    max_by(until_opened, seq) AS resumed_opened
FROM waits
WHERE status = 'supplement_requested' AND is_after_receipt
GROUP BY dossier_id

-- step: clocks
-- Under `restart` the clock runs from the last resumption; an open request's is the end, so it does not run at all.
SELECT
    b.*,
    CASE
        WHEN r.supplement = 'restart' AND s.dossier_id IS NOT NULL THEN greatest(b.start_opened, s.resumed_opened)
        ELSE b.start_opened
    END AS counted_from,
    r.supplement,
    r.payment
FROM bounds AS b
JOIN ruled AS r ON r.dossier_id = b.dossier_id
LEFT JOIN supplements AS s ON s.dossier_id = b.dossier_id

-- step: pauses
SELECT
    w.dossier_id,
    sum(overlap(w.opened, w.until_opened, c.counted_from, c.end_opened)) FILTER (
        WHERE (w.status = 'supplement_requested' AND c.supplement = 'pause')
        OR (w.status = 'payment_requested' AND c.payment = 'pause')
    ) AS paused,
    sum(overlap(w.opened, w.until_opened, c.received_opened, c.end_opened)) FILTER (
        WHERE w.status = 'supplement_requested'
    ) AS waited
FROM waits AS w
JOIN clocks AS c ON c.dossier_id = w.dossier_id
GROUP BY w.dossier_id

-- step: limits
-- The limit in force on the day of receipt, and the old one that it is compared with (rulebook 7.3).
SELECT r.dossier_id, 'at_receipt' AS version, r.limit_amount, r.limit_unit
FROM ruled AS r
WHERE r.limit_amount IS NOT NULL
UNION ALL
SELECT r.dossier_id, 'old' AS version, v.limit_amount, v.limit_unit
FROM ruled AS r
CROSS JOIN asked AS a
JOIN procedure_versions AS v
    ON v.procedure_id = r.registry_procedure_id
    AND v.valid_from <= a.old_limits_on
    AND v.ends_on > a.old_limits_on
WHERE v.limit_amount IS NOT NULL

-- step: terms
-- The due date by a limit: hours by the prefix sum turned round, all else closing time of the last day.
SELECT
    t.dossier_id,
    t.version,
    instant_at(
        coalesce(h.day, w.day, x.day),
        CASE
            WHEN h.day IS NOT NULL THEN h.starts_second + (t.target - h.open_from)
            ELSE coalesce(w.closes_second, x.closes_second)
        END,
        t.zone
    ) AS due_at
FROM (
    SELECT
        b.*,
        l.version,
        a.zone,
        CASE WHEN l.limit_unit = 'hours' THEN b.start_opened + CAST(round(l.limit_amount * 3600) AS BIGINT) END AS target,
        CASE WHEN l.limit_unit = 'working_days' THEN s.working_days_through + CAST(l.limit_amount AS BIGINT) END AS nth,
        CASE
            WHEN l.limit_unit = 'days' THEN days_after(b.start_day, CAST(l.limit_amount AS INTEGER))
            WHEN l.limit_unit = 'months' THEN months_after(b.start_day, CAST(l.limit_amount AS INTEGER))
        END AS last_day
    FROM bounds AS b
    JOIN limits AS l ON l.dossier_id = b.dossier_id
    JOIN calendar_days AS s ON s.calendar_id = b.calendar_id AND s.day = b.start_day
    CROSS JOIN asked AS a
) AS t
LEFT JOIN open_hours AS h
    ON h.calendar_id = t.calendar_id
    AND h.hour_no = (t.target - 1) // 3600
    AND h.open_from < t.target
    AND h.open_to >= t.target
LEFT JOIN calendar_days AS w
    ON w.calendar_id = t.calendar_id AND w.working_days_through = t.nth AND w.is_open
LEFT JOIN calendar_days AS l ON l.calendar_id = t.calendar_id AND l.day = t.last_day
LEFT JOIN calendar_days AS x ON x.calendar_id = t.calendar_id AND x.day = l.next_open_day

-- step: judged
SELECT
    f.dossier_id,
    f.calendar_id,
    d.first_due_at,
    d.current_due_at,
    coalesce(d.n_due_moves, 0) AS n_due_moves,
    t.due_at AS computed_due_at,
    coalesce(d.first_due_at, t.due_at) AS judged_due_at,
    o.due_at AS old_due_at
FROM firsts AS f
LEFT JOIN dues AS d ON d.dossier_id = f.dossier_id
LEFT JOIN terms AS t ON t.dossier_id = f.dossier_id AND t.version = 'at_receipt'
LEFT JOIN terms AS o ON o.dossier_id = f.dossier_id AND o.version = 'old'

-- step: due_instants
SELECT j.dossier_id, j.calendar_id, j.due, timezone(a.zone, j.due_at) AS local_at
FROM (
    SELECT dossier_id, calendar_id, 'judged' AS due, judged_due_at AS due_at FROM judged
    UNION ALL
    SELECT dossier_id, calendar_id, 'computed' AS due, computed_due_at AS due_at FROM judged
    UNION ALL
    SELECT dossier_id, calendar_id, 'old' AS due, old_due_at AS due_at FROM judged
) AS j
CROSS JOIN asked AS a
WHERE j.due_at IS NOT NULL

-- step: due_opened
-- The due dates on the calendar's prefix sum.
SELECT
    dossier_id,
    max(opened) FILTER (WHERE due = 'judged') AS judged_opened,
    max(opened) FILTER (WHERE due = 'computed') AS computed_opened,
    max(opened) FILTER (WHERE due = 'old') AS old_opened
FROM (
    SELECT i.dossier_id, i.due, d.open_before + m.open_before + m.is_open * second_of(i.local_at) AS opened
    FROM due_instants AS i
    JOIN calendar_days AS d ON d.calendar_id = i.calendar_id AND d.day = CAST(i.local_at AS DATE)
    JOIN calendar_minutes AS m ON m.pattern_id = d.pattern_id AND m.minute = minute_of(i.local_at)
)
GROUP BY dossier_id

-- step: territories
-- A commune-level unit, a district, or the city; a centre has its parent's (rulebook 8), none without a known parent.
SELECT
    u.unit_id,
    u.day,
    v.unit_key,
    CASE
        WHEN v.kind IN ('commune', 'ward', 'special_zone', 'district') THEN v.unit_key
        WHEN v.kind IN ('city', 'department') THEN 'city'
        WHEN v.kind = 'centre' AND p.kind IN ('commune', 'ward', 'special_zone', 'district') THEN p.unit_key
        WHEN v.kind = 'centre' AND p.kind IN ('city', 'department') THEN 'city'
    END AS territory,
    v.kind IN ('commune', 'ward', 'special_zone')
        OR (v.kind = 'centre' AND p.kind IN ('commune', 'ward', 'special_zone')) AS is_commune
FROM (
    SELECT receiving_unit_id AS unit_id, receiving_on AS day FROM roles
    UNION SELECT resolving_unit_id, resolving_on FROM roles
    UNION SELECT returning_unit_id, returning_on FROM roles
    UNION SELECT applicant_unit_id, applicant_on FROM roles
) AS u
JOIN unit_versions AS v ON v.unit_id = u.unit_id AND v.valid_from <= u.day AND v.ends_on > u.day
LEFT JOIN unit_versions AS p ON p.unit_id = v.parent_unit_id AND p.valid_from <= u.day AND p.ends_on > u.day
WHERE u.unit_id IS NOT NULL

-- step: same_grounds
-- Two territories of which, on these days, one stands for the other or for a part of it: either way round.
-- `one_since`: the last day on which anything of one went the other's way; `other_since`: the other way round.
SELECT
    one,
    other,
    from_on,
    to_on,
    count(*) FILTER (WHERE NOT is_whole) = 0 AS is_whole,
    min(one_since) AS one_since,
    min(other_since) AS other_since
FROM (
    SELECT unit_key AS one, heir_key AS other, from_on, to_on, is_whole, since AS one_since, NULL AS other_since
    FROM unit_heirs
    UNION ALL
    SELECT heir_key AS one, unit_key AS other, from_on, to_on, is_whole, NULL AS one_since, since AS other_since
    FROM unit_heirs
)
GROUP BY one, other, from_on, to_on

-- step: boundaries
-- Territories stated on different days are the same where one has taken the other over whole by the later day, and
-- where a part went its way since the other was stated nobody can say: of one stated afterwards, that part is gone.
-- An applicant known by district or city only may live in the receiving ward or not: that cannot be told.
SELECT
    r.*,
    coalesce(c.unit_key, r.receiving_unit_id || '@') AS receiving_unit_key,
    coalesce(s.unit_key, r.resolving_unit_id || '@') AS resolving_unit_key,
    coalesce(t.unit_key, r.returning_unit_id || '@') AS returning_unit_key,
    coalesce(p.unit_key, r.applicant_unit_id || '@') AS applicant_unit_key,
    CASE
        WHEN NOT r.is_at_counter THEN NULL
        WHEN r.is_online THEN false
        ELSE
            CASE
                WHEN c.territory = s.territory THEN false
                WHEN c.territory IS NOT NULL AND s.territory IS NOT NULL THEN
                    CASE WHEN cs.one IS NULL THEN true WHEN cs.is_whole THEN false END
                WHEN c.territory IS NULL AND s.territory IS NULL AND r.receiving_unit_id = r.resolving_unit_id
                    THEN false
            END
            OR CASE
                WHEN c.territory IS NOT NULL AND NOT c.is_commune THEN false
                WHEN p.territory IS NOT NULL AND NOT p.is_commune THEN NULL
                WHEN c.territory = p.territory THEN false
                WHEN c.territory IS NOT NULL AND p.territory IS NOT NULL THEN
                    CASE WHEN cp.one IS NULL THEN true WHEN cp.is_whole THEN false END
                WHEN p.territory IS NULL AND r.receiving_unit_id = r.applicant_unit_id THEN false
            END
    END AS is_cross_boundary,
    CASE
        WHEN t.territory = s.territory THEN false
        WHEN t.territory IS NOT NULL AND s.territory IS NOT NULL THEN
            CASE WHEN ts.one IS NULL THEN true WHEN ts.is_whole THEN false END
        WHEN t.territory IS NULL AND s.territory IS NULL AND r.returning_unit_id = r.resolving_unit_id THEN false
    END AS is_returned_elsewhere
FROM roles AS r
LEFT JOIN territories AS c ON c.unit_id = r.receiving_unit_id AND c.day = r.receiving_on
LEFT JOIN territories AS s ON s.unit_id = r.resolving_unit_id AND s.day = r.resolving_on
LEFT JOIN territories AS t ON t.unit_id = r.returning_unit_id AND t.day = r.returning_on
LEFT JOIN territories AS p ON p.unit_id = r.applicant_unit_id AND p.day = r.applicant_on
LEFT JOIN same_grounds AS cs
    ON cs.one = c.territory AND cs.other = s.territory
    AND cs.from_on <= greatest(c.day, s.day) AND cs.to_on > greatest(c.day, s.day)
    AND (cs.is_whole OR cs.one_since > c.day OR cs.other_since > s.day)
LEFT JOIN same_grounds AS cp
    ON cp.one = c.territory AND cp.other = p.territory
    AND cp.from_on <= greatest(c.day, p.day) AND cp.to_on > greatest(c.day, p.day)
    AND (cp.is_whole OR cp.one_since > c.day OR cp.other_since > p.day)
LEFT JOIN same_grounds AS ts
    ON ts.one = t.territory AND ts.other = s.territory
    AND ts.from_on <= greatest(t.day, s.day) AND ts.to_on > greatest(t.day, s.day)
    AND (ts.is_whole OR ts.one_since > t.day OR ts.other_since > s.day)

-- step: seconds
SELECT
    f.dossier_id,
    greatest(c.end_opened - c.counted_from, 0) - coalesce(p.paused, 0) AS working,
    coalesce(p.paused, 0) AS paused,
    greatest(least(c.counted_from, c.end_opened) - c.start_opened, 0) AS discarded,
    coalesce(p.waited, 0) AS waited,
    c.end_opened - c.received_opened AS open_time,
    o.judged_opened - c.received_opened AS to_judged_due,
    o.computed_opened - c.received_opened AS to_computed_due,
    o.old_opened - c.received_opened AS to_old_due,
    whole_second(coalesce(n.ended_at, a.as_of)) - whole_second(f.received_at) AS elapsed,
    CASE WHEN f.submitted_at < f.received_at THEN f.received_opened - f.submitted_opened END AS reception,
    x.returned_opened - n.ended_opened AS returning
FROM firsts AS f
CROSS JOIN asked AS a
JOIN clocks AS c ON c.dossier_id = f.dossier_id
LEFT JOIN due_opened AS o ON o.dossier_id = f.dossier_id
LEFT JOIN ends AS n ON n.dossier_id = f.dossier_id
LEFT JOIN after_end AS x ON x.dossier_id = f.dossier_id
LEFT JOIN pauses AS p ON p.dossier_id = f.dossier_id

-- step: dossiers
SELECT
    f.dossier_id,
    f.procedure_id,
    coalesce(n.ended_as, CASE WHEN f.received_at IS NULL THEN 'not_received' ELSE 'pending' END) AS outcome,
    f.received_at,
    n.ended_at,
    s.working // 60 AS working_minutes,
    s.paused // 60 AS paused_minutes,
    s.elapsed // 60 AS elapsed_minutes,
    coalesce(m.n_supplements, 0) AS n_supplements,
    j.n_due_moves,
    j.first_due_at,
    j.current_due_at,
    j.computed_due_at,
    j.judged_due_at,
    CASE
        WHEN f.received_at IS NULL THEN NULL
        WHEN coalesce(m.n_supplements, 0) >= 2 THEN false
        WHEN j.judged_due_at IS NULL THEN NULL
        WHEN j.judged_due_at <= f.received_at THEN false
        ELSE s.open_time - s.waited <= s.to_judged_due
    END AS on_time_766,
    CASE
        WHEN f.received_at IS NULL THEN NULL
        WHEN n.ended_as IN ('refused', 'withdrawn') THEN 'on_time'
        WHEN n.ended_as = 'stopped' OR f.last_status = 'supplement_requested' THEN 'pending_in_time'
        WHEN n.ended_as IS NULL THEN
            CASE WHEN local_day(a.as_of, a.zone) > local_day(j.current_due_at, a.zone) THEN 'pending_overdue'
            ELSE 'pending_in_time' END
        WHEN CAST(n.ended_local AS DATE) < local_day(j.current_due_at, a.zone) THEN 'early'
        WHEN CAST(n.ended_local AS DATE) > local_day(j.current_due_at, a.zone) THEN 'late'
        ELSE 'on_time'
    END AS class_06,
    coalesce(n.is_reopened, false) AS is_reopened,
    b.receiving_unit_id,
    b.resolving_unit_id,
    b.returning_unit_id,
    b.applicant_unit_id,
    f.channel,
    b.is_cross_boundary,
    s.reception // 60 AS reception_minutes,
    s.returning // 60 AS return_minutes,
    r.registry_procedure_id,
    f.calendar_id,
    s.working AS working_seconds,
    s.paused AS paused_seconds,
    s.discarded AS discarded_seconds,
    s.waited AS waited_seconds,
    s.open_time AS open_seconds,
    s.to_judged_due AS open_seconds_to_due,
    s.to_computed_due AS open_seconds_to_computed_due,
    s.to_old_due AS open_seconds_to_old_due,
    f.last_status,
    f.holding_unit_id,
    f.last_event_at,
    z.refusal_reason,
    f.n_bare_days,
    CAST(f.received_local AS DATE) AS received_on,
    CAST(n.ended_local AS DATE) AS ended_on,
    b.receiving_unit_key,
    b.resolving_unit_key,
    b.returning_unit_key,
    b.applicant_unit_key,
    b.is_returned_elsewhere
FROM firsts AS f
CROSS JOIN asked AS a
JOIN judged AS j ON j.dossier_id = f.dossier_id
JOIN ruled AS r ON r.dossier_id = f.dossier_id
JOIN boundaries AS b ON b.dossier_id = f.dossier_id
LEFT JOIN ends AS n ON n.dossier_id = f.dossier_id
LEFT JOIN refusals AS z ON z.dossier_id = f.dossier_id
LEFT JOIN supplements AS m ON m.dossier_id = f.dossier_id
LEFT JOIN seconds AS s ON s.dossier_id = f.dossier_id
