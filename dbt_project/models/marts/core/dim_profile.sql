-- Grain: one row per account and platform that the account posts on.
with

profiles as (

    select * from {{ source('raw', 'account_profiles') }}

),

seen as (

    select
        account_name,
        platform,
        max_by(profile_id, scraped_at) filter (where profile_id is not null) as profile_id,
        max_by(follower_count, scraped_at) filter (where follower_count is not null)
            as follower_count,
        max(scraped_at) filter (where follower_count is not null) as follower_count_at,
        min(scraped_at) as first_seen_at,
        max(scraped_at) as last_seen_at
    from {{ ref('int_profiles__snapshots') }}
    group by account_name, platform

)

select
    profiles.account_name,
    profiles.platform,
    lower(profiles.handle) as handle,
    seen.profile_id,
    seen.follower_count,
    seen.follower_count_at,
    seen.first_seen_at,
    seen.last_seen_at
from profiles
left join seen
    on
        profiles.account_name = seen.account_name
        and profiles.platform = seen.platform
