{{ config(
    post_hook="{{ note_scrapes_read('int_profiles__snapshots') }}",
    **grows_by(
        ['account_name', 'platform', 'scraped_at'],
        grain=['account_name', 'platform', 'scraped_at'],
        is_by_month=true,
    )
) }}
-- Grain: one row per account, platform and scrape moment that tells about the profile.
{% set is_to_be_read = of_new_scrapes('scrape_id', 'int_profiles__snapshots', is_by_moment=true) %}

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
    where {{ is_to_be_read }}

),

-- Every post of a scrape can carry its profile: the last one with a number of followers speaks.
scrapes as (

    select
        account_name,
        platform,
        scraped_at,
        scrape_id,
        max(case when follower_count is not null then item_index end) as told_item_index,
        max(item_index) as last_item_index
    from own_items
    group by account_name, platform, scraped_at, scrape_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by account_name, platform, scraped_at
            order by (told_item_index is null) asc nulls last, scrape_id desc nulls last
        ) as duplicate_rank
    from scrapes

)

select
    own_items.account_name,
    own_items.platform,
    own_items.scraped_at,
    own_items.scrape_id,
    own_items.handle,
    own_items.profile_id,
    own_items.follower_count,
    own_items.following_count,
    own_items.post_count,
    own_items.like_count_total,
    own_items.is_verified,
    own_items.is_private
    {{ month_column('own_items.scraped_at') }}
from ranked
inner join own_items
    on
        ranked.scrape_id = own_items.scrape_id
        and coalesce(ranked.told_item_index, ranked.last_item_index) = own_items.item_index
where ranked.duplicate_rank = 1
