-- Which rows of the lake count (rulebook 1: repeats, snapshots).
-- Sees: lake (EVENTS), done and live (batch_id).
-- A row is said by its own batch and by every reference to it. What a log says stands while its batch is live; what
-- a row-a-dossier export says also needs that the same source exported the dossier no later. A row counts while
-- anything that says it stands.

-- step: latest_exports
SELECT l.dossier_id, l.source, max(l.exported_at) AS exported_at
FROM lake AS l
WHERE l.source IS NOT NULL AND l.batch_id IN (SELECT v.batch_id FROM live AS v)
GROUP BY l.dossier_id, l.source

-- step: log_batches
-- Those whose rows need nothing else to count.
SELECT v.batch_id
FROM live AS v
WHERE v.batch_id NOT IN (SELECT l.batch_id FROM lake AS l WHERE l.source IS NOT NULL)

-- step: said_rows
SELECT l.repeat_of_batch AS batch_id, l.repeat_of_row AS row_no
FROM lake AS l
WHERE l.repeat_of_batch IS NOT NULL
    AND l.source IS NULL
    AND l.batch_id IN (SELECT v.batch_id FROM live AS v)
    AND l.repeat_of_batch NOT IN (SELECT b.batch_id FROM log_batches AS b)
UNION
SELECT coalesce(l.repeat_of_batch, l.batch_id), coalesce(l.repeat_of_row, l.row_no)
FROM lake AS l
JOIN latest_exports AS e ON e.dossier_id = l.dossier_id AND e.source = l.source AND e.exported_at = l.exported_at
WHERE l.source IS NOT NULL AND l.batch_id IN (SELECT v.batch_id FROM live AS v)

-- step: live_rows
SELECT l.* EXCLUDE (repeat_of_batch, repeat_of_row, source, exported_at)
FROM lake AS l
WHERE l.repeat_of_batch IS NULL
    AND l.batch_id IN (SELECT d.batch_id FROM done AS d)
    AND (
        (l.source IS NULL AND l.batch_id IN (SELECT v.batch_id FROM live AS v))
        OR (l.batch_id, l.row_no) IN (SELECT (s.batch_id, s.row_no) FROM said_rows AS s)
    )
