{{ config(materialized='view') }}
-- Grain: one row per account, platform, outcome, weekday and daypart, on the account's own clock,
-- that has posts.
with

{{ cell_performance('weekday', 'daypart', first_type='integer') }}

select * from cell_performance
