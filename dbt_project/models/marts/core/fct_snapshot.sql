{{ config(materialized='view') }}
-- Grain: one row per account, platform, post and scrape moment. Counts stand as observed.
with

snapshots as (

    select
        *,
        {%- for metric in aged_metrics() %}
        {{ metric }}_count < lag({{ metric }}_count) over (
            partition by account_name, platform, post_id order by scraped_at asc nulls last
        ) as is_{{ metric }}_count_lower{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_snapshots__published') }}

)

select
    account_name,
    platform,
    post_id,
    scraped_at,
    scrape_id,
    age_hours,
    view_count,
    video_view_count,
    like_count,
    comment_count,
    share_count,
    save_count,
    repost_count,
    is_like_count_hidden,
    view_definition_id,
    -- An unknown count before or after is no drop.
    coalesce(is_view_count_lower, false)
    or coalesce(is_like_count_lower, false)
    or coalesce(is_comment_count_lower, false)
    or coalesce(is_share_count_lower, false)
    or coalesce(is_save_count_lower, false) as has_count_drop
from snapshots
