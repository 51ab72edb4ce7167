-- Grain: one row per account, platform and local day on which followers were seen.
with

days as (

    select
        profiles.account_name,
        profiles.platform,
        cast({{ local_time('profiles.scraped_at', 'accounts.timezone') }} as date) as local_date,
        profiles.scraped_at,
        profiles.follower_count
    from {{ ref('int_profiles__snapshots') }} as profiles
    inner join {{ ref('dim_account') }} as accounts
        on profiles.account_name = accounts.account_name
    where profiles.follower_count is not null

),

last_of_day as (

    select
        account_name,
        platform,
        local_date,
        max_by(follower_count, scraped_at) as follower_count,
        max(scraped_at) as scraped_at
    from days
    group by account_name, platform, local_date

),

beside_the_day_before as (

    select
        *,
        lag(follower_count) over (
            partition by account_name, platform order by local_date asc nulls last
        ) as former_follower_count,
        lag(scraped_at) over (
            partition by account_name, platform order by local_date asc nulls last
        ) as former_scraped_at
    from last_of_day

)

select
    account_name,
    platform,
    local_date,
    follower_count,
    follower_count - former_follower_count as follower_change,
    {{ hours_between('former_scraped_at', 'scraped_at') }} as hours_since_last,
    scraped_at
from beside_the_day_before
