-- Each procedure's cap, as frozen with the chosen baseline (rulebook 7a). Sees: baseline_files, chosen_baseline.

-- step: caps
SELECT procedure_key, max(cap_seconds) AS cap_seconds
FROM baseline_files
WHERE baseline_id = (SELECT k.baseline_id FROM chosen_baseline AS k)
GROUP BY procedure_key
