{{ config(materialized='view') }}
-- Grain: one row per account and format, means of the latest numbers. For display only: means of
-- posts of different ages say little about formats; stats.segment_effects does.
select
    account_name,
    format,
    count(*) as post_count,
    avg(views) as avg_views,
    avg(likes) as avg_likes,
    avg(saves) as avg_saves,
    {{ stable('avg(engagement_rate)') }} as avg_engagement_rate
from {{ ref('v_post_performance') }}
group by account_name, format
