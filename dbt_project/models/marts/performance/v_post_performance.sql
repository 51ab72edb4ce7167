{{ config(materialized='view') }}
-- Grain: one row per account, platform and post with its latest numbers. For display: posts of
-- different ages stand side by side here; compare at equal age with fct_post_performance.
select
    posts.account_name,
    posts.platform,
    posts.post_id,
    posts.topic,
    posts.format,
    posts.hook_text,
    posts.hook_score,
    posts.slide_count,
    posts.pillar as content_pillar,
    posts.posted_at as published_at,
    performance.view_count as views,
    performance.like_count as likes,
    performance.comment_count as comments,
    performance.share_count as shares,
    performance.save_count as saves,
    performance.engagement_rate_views as engagement_rate,
    performance.scraped_at
from {{ ref('dim_post') }} as posts
inner join {{ ref('fct_post_performance') }} as performance
    on
        posts.account_name = performance.account_name
        and posts.platform = performance.platform
        and posts.post_id = performance.post_id
