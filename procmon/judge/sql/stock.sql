-- The open stock at each month's end: received by then, not ended by then, with its age in days (rulebook 7d).
-- Of the time before the first receipt nothing is known, which is not the same as nothing open.
-- Sees: figured, month_ends (month_end_on: a month's last day).

-- step: open_ages
SELECT
    m.month_end_on,
    f.dossier_id,
    date_diff('day', f.received_on, m.month_end_on) AS age_days
FROM figured AS f
CROSS JOIN month_ends AS m
WHERE f.received_at IS NOT NULL
    AND f.received_on <= m.month_end_on
    AND (f.ended_on IS NULL OR f.ended_on > m.month_end_on)

-- step: open_placed
SELECT
    month_end_on,
    dossier_id,
    age_days,
    row_number() OVER (PARTITION BY month_end_on ORDER BY age_days NULLS FIRST, dossier_id NULLS FIRST) - 1 AS place,
    count(*) OVER (PARTITION BY month_end_on) - 1 AS last_place
FROM open_ages

-- step: open_stock
-- Quantiles in hundredths of days, interpolated between integers.
SELECT
    m.month_end_on,
    count(p.age_days) AS n_open,
    count(*) FILTER (WHERE p.age_days > 30) AS n_over_30,
    count(*) FILTER (WHERE p.age_days > 90) AS n_over_90,
    count(*) FILTER (WHERE p.age_days > 180) AS n_over_180,
    sum(p.age_days * interpolation(p.place, p.last_place, 50)) AS median_hundredths,
    sum(p.age_days * interpolation(p.place, p.last_place, 90)) AS p90_hundredths
FROM month_ends AS m
LEFT JOIN open_placed AS p ON p.month_end_on = m.month_end_on
WHERE m.month_end_on >= (SELECT min(f.received_on) FROM figured AS f)
GROUP BY m.month_end_on
