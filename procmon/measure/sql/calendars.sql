-- The calendar of each dossier whose unit has one of its own: its resolving unit's, or its receiving unit's
-- where no resolving unit is stated (rulebook 4). Bare days stand on the default calendar for this one question.
-- Sees: provisional_events (the events of events.sql on the default calendar), unit_calendars.

-- step: stated_units
SELECT
    dossier_id,
    min_by(resolving_unit_id, seq) FILTER (WHERE resolving_unit_id IS NOT NULL) AS resolving_unit_id,
    coalesce(
        min_by(receiving_unit_id, seq) FILTER (WHERE receiving_unit_id IS NOT NULL),
        min_by(unit_id, seq) FILTER (WHERE status = 'received' AND unit_id IS NOT NULL),
        min_by(unit_id, seq) FILTER (WHERE status = 'refused' AND unit_id IS NOT NULL)
    ) AS receiving_unit_id
FROM provisional_events
GROUP BY dossier_id

-- step: dossier_calendars
SELECT s.dossier_id, u.calendar_id
FROM stated_units AS s
JOIN unit_calendars AS u ON u.unit_id = coalesce(s.resolving_unit_id, s.receiving_unit_id)
