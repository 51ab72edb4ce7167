{{ config(materialized='view') }}
-- Grain: one row per account, platform, outcome, format and slide count of its carousels.
with

{{ cell_performance('format', 'slide_count', relative_to='first', second_type='integer') }}

select * from cell_performance
