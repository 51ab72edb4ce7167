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
        last_seen_at,
        last_listed_at
    from {{ ref('int_posts__labelled') }}

),

listings as (

    select
        account_name,
        platform,
        scraped_at,
        oldest_posted_at
    from {{ ref('int_scrapes__listed') }}
    -- Pinned posts alone do not tell how far a listing reaches.
    where unpinned_count > 0

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
        posts.last_listed_at,
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
