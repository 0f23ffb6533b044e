-- What made the change: integer sums by procedure, unit, stage and side (rulebook 7f).
-- Sees: sides, unit_today, baseline_stages (working seconds of the baseline's finished dossiers), stretches, compared_months.

-- step: change_units
-- A dossier's time up to its cap, by procedure and unit; what no unit of the day stands for is one unit.
SELECT
    s.procedure_key,
    coalesce(t.told_key, s.unit_today) AS unit_told,
    count(*) FILTER (WHERE NOT is_now) AS n_baseline,
    count(*) FILTER (WHERE is_now) AS n_period,
    sum(CASE WHEN is_now THEN 0 ELSE least(working_seconds, cap_seconds) END) AS seconds_baseline,
    sum(CASE WHEN is_now THEN least(working_seconds, cap_seconds) ELSE 0 END) AS seconds_period,
    sum(CASE WHEN is_now THEN 0 ELSE coalesce(paused_seconds, 0) END) AS paused_baseline,
    sum(CASE WHEN is_now THEN coalesce(paused_seconds, 0) ELSE 0 END) AS paused_period,
    count(*) - count(paused_seconds) AS n_pauses_unknown  -- a baseline of before they were kept
FROM sides AS s
LEFT JOIN unit_today AS t ON t.unit_key = s.unit_today
GROUP BY s.procedure_key, coalesce(t.told_key, s.unit_today)

-- step: change_stages
-- Working time by procedure and stage; of dossiers above the cap by their own time too, as each is scaled by itself.
-- The baseline's stood above the cap when it was published: that of codes merged since may be larger.
SELECT
    procedure_key,
    stage,
    is_now,
    capped_from_seconds,
    cap_seconds,
    sum(seconds) AS seconds
FROM (
    SELECT
        b.procedure_key,
        b.stage,
        false AS is_now,
        CASE WHEN b.capped_from_seconds > b.cap_seconds THEN b.capped_from_seconds END AS capped_from_seconds,
        CASE WHEN b.capped_from_seconds > b.cap_seconds THEN b.cap_seconds END AS cap_seconds,
        b.seconds
    FROM baseline_stages AS b
    WHERE month(b.month_on) IN (SELECT m.month FROM compared_months AS m)
    UNION ALL
    SELECT
        s.procedure_key,
        coalesce(t.stage, '') AS stage,
        true AS is_now,
        CASE WHEN s.working_seconds > s.cap_seconds THEN s.working_seconds END AS capped_from_seconds,
        CASE WHEN s.working_seconds > s.cap_seconds THEN s.cap_seconds END AS cap_seconds,
        t.open_seconds AS seconds
    FROM sides AS s
    JOIN stretches AS t ON t.dossier_id = s.dossier_id
    WHERE s.is_now AND t.kind = 'working'
)
GROUP BY procedure_key, stage, is_now, capped_from_seconds, cap_seconds
