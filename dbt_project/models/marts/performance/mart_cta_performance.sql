{{ config(materialized='view') }}
-- Grain: one row per account, platform and call to action.
with

{{ segment_performance('cta', 'cta') }}

select * from segment_performance
