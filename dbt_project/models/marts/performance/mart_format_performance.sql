{{ config(materialized='view') }}
-- Grain: one row per account, platform and format.
with

{{ segment_performance('format', 'format') }}

select * from segment_performance
