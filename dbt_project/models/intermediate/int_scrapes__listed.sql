{{ config(
    post_hook="{{ note_scrapes_read('int_scrapes__listed', 'int_snapshots__published') }}",
    **grows_by(
        ['scrape_id'],
        grain=['scrape_id'],
        is_by_month=true,
    )
) }}
-- Grain: one row per scrape that listed a profile's posts, newest first: how far back it reached.
{% set is_new = of_new_scrapes(
    'scrape_id', 'int_scrapes__listed', 'int_snapshots__published', is_by_moment=true
) %}

with

listings as (

    select
        scrape_id,
        account_name,
        platform,
        scraped_at
    from {{ source('raw', 'scrapes') }}
    where
        {{ is_listing() }}
        and {{ is_new }}

),

-- Pinned posts come first, however old they are.
unpinned as (

    select
        scrape_id,
        count(*) as unpinned_count,
        min(posted_at) as oldest_posted_at
    from {{ ref('int_snapshots__published') }}
    where
        is_pinned is distinct from true
        and {{ is_new }}
    group by scrape_id

)

select
    listings.scrape_id,
    listings.account_name,
    listings.platform,
    listings.scraped_at,
    unpinned.unpinned_count,
    unpinned.oldest_posted_at
    {{ month_column('listings.scraped_at') }}
from listings
left join unpinned
    on listings.scrape_id = unpinned.scrape_id
