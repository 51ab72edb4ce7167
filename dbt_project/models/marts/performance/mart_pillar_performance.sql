-- Grain: one row per account, platform and content pillar.
{{ segment_moments('pillar', 'pillar') }}
