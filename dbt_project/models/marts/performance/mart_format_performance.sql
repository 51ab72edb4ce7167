-- Grain: one row per account, platform and format.
{{ segment_moments('format', 'format') }}
