-- The dossiers received in a baseline period that a month's end sees otherwise than the month ends before it
-- (rulebook 7d). Sees: dossiers, frozen_period (first, last), earlier_states (what the earlier ends saw anew),
-- seen (one row: seen_from).

-- step: frozen_received
SELECT
    dossier_id,
    coalesce(registry_procedure_id, procedure_id, '') AS procedure_key,
    coalesce(resolving_unit_key, receiving_unit_key) AS unit_key,
    receiving_unit_key,
    received_on,
    outcome,
    working_seconds
FROM dossiers
CROSS JOIN frozen_period AS p
WHERE received_on >= p.first AND received_on < p.last

-- step: last_states
SELECT * EXCLUDE (place)
FROM (
    SELECT e.*, row_number() OVER (PARTITION BY e.dossier_id ORDER BY e.seen_from DESC NULLS LAST) AS place
    FROM earlier_states AS e
)
WHERE place = 1

-- step: changed_states
SELECT r.*, s.seen_from
FROM frozen_received AS r
CROSS JOIN seen AS s
LEFT JOIN last_states AS l ON l.dossier_id = r.dossier_id
WHERE l.dossier_id IS NULL
    OR r.procedure_key IS DISTINCT FROM l.procedure_key
    OR r.unit_key IS DISTINCT FROM l.unit_key
    OR r.receiving_unit_key IS DISTINCT FROM l.receiving_unit_key
    OR r.received_on IS DISTINCT FROM l.received_on
    OR r.outcome IS DISTINCT FROM l.outcome
    OR r.working_seconds IS DISTINCT FROM l.working_seconds
