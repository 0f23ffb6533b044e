-- What a dossier's events say of it: its first and last things, its end, and the four units that have a role in it.
-- Sees: events (events.sql).

-- step: firsts
-- What a dossier's events say of it; an attribute that varies takes its first non-empty value.
SELECT
    dossier_id,
    any_value(calendar_id) AS calendar_id,
    min_by(procedure_id, seq) FILTER (WHERE procedure_id IS NOT NULL) AS procedure_id,
    min(happened_at) FILTER (WHERE status = 'received') AS received_at,
    min(seq) FILTER (WHERE status = 'received') AS received_seq,
    min(opened) FILTER (WHERE status = 'received') AS received_opened,
    min(local_at) FILTER (WHERE status = 'received') AS received_local,
    min(happened_at) FILTER (WHERE status = 'submitted') AS submitted_at,
    min(opened) FILTER (WHERE status = 'submitted') AS submitted_opened,
    coalesce(max(seq) FILTER (WHERE is_open), 0) AS last_open_seq,
    max_by(status, seq) AS last_status,
    max(happened_at) AS last_event_at,
    max_by(unit_id, seq) FILTER (WHERE unit_id IS NOT NULL) AS holding_unit_id,
    coalesce(min_by(channel, seq) FILTER (WHERE channel IS NOT NULL), 'in_person') AS channel,
    min_by(receiving_unit_id, seq) FILTER (WHERE receiving_unit_id IS NOT NULL) AS stated_receiving,
    min_by(CAST(local_at AS DATE), seq) FILTER (WHERE receiving_unit_id IS NOT NULL) AS stated_receiving_on,
    min_by(unit_id, seq) FILTER (WHERE status = 'received' AND unit_id IS NOT NULL) AS receipt_unit,
    min_by(CAST(local_at AS DATE), seq) FILTER (WHERE status = 'received' AND unit_id IS NOT NULL) AS receipt_unit_on,
    min_by(unit_id, seq) FILTER (WHERE status = 'refused' AND unit_id IS NOT NULL) AS refusal_unit,
    min_by(CAST(local_at AS DATE), seq) FILTER (WHERE status = 'refused' AND unit_id IS NOT NULL) AS refusal_unit_on,
    min_by(resolving_unit_id, seq) FILTER (WHERE resolving_unit_id IS NOT NULL) AS resolving_unit_id,
    min_by(CAST(local_at AS DATE), seq) FILTER (WHERE resolving_unit_id IS NOT NULL) AS resolving_on,
    min_by(returning_unit_id, seq) FILTER (WHERE returning_unit_id IS NOT NULL) AS returning_unit_id,
    min_by(CAST(local_at AS DATE), seq) FILTER (WHERE returning_unit_id IS NOT NULL) AS returning_on,
    min_by(applicant_unit_id, seq) FILTER (WHERE applicant_unit_id IS NOT NULL) AS applicant_unit_id,
    min_by(CAST(local_at AS DATE), seq) FILTER (WHERE applicant_unit_id IS NOT NULL) AS applicant_on,
    count(*) FILTER (WHERE occurred_on IS NOT NULL AND is_new) AS n_bare_days
FROM events
GROUP BY dossier_id

-- step: ends
-- The end is found in the tail, after the last event of group open: finished before returned before stopped,
-- withdrawn, refused; of one kind the first.
SELECT
    dossier_id,
    min_by(status, rank) FILTER (WHERE is_tail) AS ended_as,
    min_by(happened_at, rank) FILTER (WHERE is_tail) AS ended_at,
    min_by(local_at, rank) FILTER (WHERE is_tail) AS ended_local,
    min_by(opened, rank) FILTER (WHERE is_tail) AS ended_opened,
    min_by(seq, rank) FILTER (WHERE is_tail) AS ended_seq,
    count(*) FILTER (WHERE seq > received_seq AND NOT is_tail) > 0 AS is_reopened
FROM (
    SELECT
        e.*,
        f.received_seq,
        e.seq > f.last_open_seq AS is_tail,
        CAST(e.end_rank AS BIGINT) * 1000000000 + e.seq AS rank
    FROM events AS e
    JOIN firsts AS f ON f.dossier_id = e.dossier_id
    WHERE e.is_end
)
GROUP BY dossier_id

-- step: roles
-- The four unit roles, each with the day of the event that states it: a code means a unit only on a day.
SELECT
    f.dossier_id,
    coalesce(f.stated_receiving, f.receipt_unit, CASE WHEN at_reception THEN f.refusal_unit END) AS receiving_unit_id,
    CASE
        WHEN f.stated_receiving IS NOT NULL THEN f.stated_receiving_on
        WHEN f.receipt_unit IS NOT NULL THEN f.receipt_unit_on
        WHEN at_reception THEN f.refusal_unit_on
    END AS receiving_on,
    f.resolving_unit_id,
    f.resolving_on,
    f.returning_unit_id,
    f.returning_on,
    f.applicant_unit_id,
    f.applicant_on,
    f.channel = 'online' AS is_online,
    f.received_at IS NOT NULL OR at_reception AS is_at_counter
FROM (
    SELECT f.*, f.received_at IS NULL AND coalesce(n.ended_as = 'refused', false) AS at_reception
    FROM firsts AS f LEFT JOIN ends AS n ON n.dossier_id = f.dossier_id
) AS f
