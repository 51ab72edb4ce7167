-- Grain: one row per account, platform and post, for profiles that have been scraped by listing:
-- whether the post still stands in the listing, and if not, what that means.
with

posts as (

    select
        account_name,
        platform,
        post_id,
        posted_at,
        post_url,
        coalesce(is_pinned, false) as was_pinned,
        last_seen_at
    from {{ ref('int_posts__labelled') }}

),

listings as (

    select
        scrapes.account_name,
        scrapes.platform,
        scrapes.scrape_id,
        scrapes.scraped_at,
        min(snapshots.posted_at) as oldest_posted_at
    from {{ source('raw', 'scrapes') }} as scrapes
    inner join {{ ref('int_snapshots__published') }} as snapshots
        on scrapes.scrape_id = snapshots.scrape_id
    where
        scrapes.source = 'apify'
        and scrapes.source_kind = 'posts'
        and scrapes.outcome = 'items'
        -- Throttled, partial or drifted answers say nothing about what is missing in them.
        and (scrapes.run_outcome is null or scrapes.run_outcome in ('new_posts', 'no_new_posts'))
        -- Pinned posts come first, however old they are.
        and snapshots.is_pinned is distinct from true
    group by
        scrapes.account_name,
        scrapes.platform,
        scrapes.scrape_id,
        scrapes.scraped_at

),

newest as (

    select
        account_name,
        platform,
        max(scraped_at) as scraped_at,
        max_by(oldest_posted_at, scraped_at) as oldest_posted_at
    from listings
    group by account_name, platform

),

-- A post that was looked up by its address is seen, but not listed.
listed as (

    select
        snapshots.account_name,
        snapshots.platform,
        snapshots.post_id,
        max(snapshots.scraped_at) as last_listed_at
    from {{ ref('int_snapshots__published') }} as snapshots
    inner join listings
        on snapshots.scrape_id = listings.scrape_id
    group by snapshots.account_name, snapshots.platform, snapshots.post_id

),

-- Listings after the post was last seen that reached further back than the post.
missed as (

    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        count(*) as missed_listing_count
    from posts
    inner join listings
        on
            posts.account_name = listings.account_name
            and posts.platform = listings.platform
            and posts.last_seen_at < listings.scraped_at
            and posts.posted_at > listings.oldest_posted_at
    group by posts.account_name, posts.platform, posts.post_id

),

-- Look-ups by address after the post was last seen: they asked for it and did not get it.
looked_up as (

    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        count(*) as direct_look_count
    from posts
    inner join {{ source('raw', 'scrapes') }} as scrapes
        on
            posts.account_name = scrapes.account_name
            and posts.platform = scrapes.platform
            and posts.last_seen_at < scrapes.scraped_at
    where
        scrapes.source_kind = 'direct'
        and {{ contains_text('scrapes.input', 'posts.post_url') }}
    group by posts.account_name, posts.platform, posts.post_id

),

joined as (

    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        posts.was_pinned,
        posts.posted_at,
        posts.last_seen_at,
        listed.last_listed_at,
        newest.scraped_at as newest_listing_at,
        newest.oldest_posted_at,
        case when missed.missed_listing_count is null then 0 else missed.missed_listing_count end
            as missed_listing_count,
        case when looked_up.direct_look_count is null then 0 else looked_up.direct_look_count end
            as direct_look_count
    from posts
    inner join newest
        on
            posts.account_name = newest.account_name
            and posts.platform = newest.platform
    left join listed
        on
            posts.account_name = listed.account_name
            and posts.platform = listed.platform
            and posts.post_id = listed.post_id
    left join missed
        on
            posts.account_name = missed.account_name
            and posts.platform = missed.platform
            and posts.post_id = missed.post_id
    left join looked_up
        on
            posts.account_name = looked_up.account_name
            and posts.platform = looked_up.platform
            and posts.post_id = looked_up.post_id

)

select
    account_name,
    platform,
    post_id,
    case
        when last_listed_at >= newest_listing_at then 'listed'
        when missed_listing_count >= 2 and direct_look_count >= 1 then 'gone'
        when missed_listing_count >= 1 then 'missing'
        when was_pinned then 'unpinned'
        else 'outside_window'
    end as listing_state,
    missed_listing_count,
    direct_look_count,
    last_seen_at,
    newest_listing_at
from joined
