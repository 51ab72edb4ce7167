-- Grain: one row per account, platform and scrape moment that tells about the profile.
select
    account_name,
    platform,
    scraped_at,
    scrape_id,
    handle,
    profile_id,
    follower_count,
    following_count,
    post_count,
    like_count_total
from {{ ref('int_profiles__snapshots') }}
