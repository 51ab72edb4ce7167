{{ config(materialized='view') }}
-- Grain: one row per account, over the latest numbers of its posts.
select
    account_name,
    count(*) as total_posts,
    avg(views) as avg_views,
    {{ stable('avg(engagement_rate)') }} as avg_engagement_rate,
    cast(sum(views) as bigint) as total_views,
    max(views) as best_views
from {{ ref('v_post_performance') }}
group by account_name
