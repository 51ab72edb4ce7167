-- Grain: one row per account, platform and scrape moment that tells about the profile.
with

all_items as (

    {{ staging_union('profiles') }}

),

own_items as (

    select all_items.*
    from all_items
    inner join {{ source('raw', 'account_profiles') }} as profiles
        on
            all_items.account_name = profiles.account_name
            and all_items.platform = profiles.platform
            and all_items.handle = lower(profiles.handle)

),

ranked as (

    select
        *,
        row_number() over (
            partition by account_name, platform, scraped_at
            order by (follower_count is null) asc, scrape_id desc, item_index desc
        ) as duplicate_rank
    from own_items

)

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
    like_count_total,
    is_verified,
    is_private
from ranked
where duplicate_rank = 1
