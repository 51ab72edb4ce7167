{{ config(materialized='view') }}
-- Grain: one row per account, platform and topic.
with

{{ segment_performance('topic', 'topic') }}

select * from segment_performance
