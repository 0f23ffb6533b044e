-- Units as (code, date): a code means another unit from the day of its next version on (rulebook 8). Sees: units.

-- step: unit_versions
SELECT
    unit_id,
    valid_from,
    least(
        coalesce(valid_to, DATE '9999-12-31'),
        coalesce(lead(valid_from) OVER (PARTITION BY unit_id ORDER BY valid_from NULLS FIRST), DATE '9999-12-31')
    ) AS ends_on,
    kind,
    parent_unit_id,
    unit_id || '@' || CAST(valid_from AS VARCHAR) AS unit_key,
    name
FROM (SELECT * REPLACE (coalesce(valid_from, DATE '0001-01-01') AS valid_from) FROM units)
