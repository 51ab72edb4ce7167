-- Nothing between raw and the marts may lose a post's snapshot or make one up.
{% set is_unchecked = of_unchecked_scrapes('scraped_at', 'int_snapshots__published') %}

with

items as (

    select distinct
        account_name,
        platform,
        post_id,
        scraped_at
    from {{ source('raw', 'scrape_items') }}
    where
        item_kind = 'post'
        and {{ is_unchecked }}

),

snapshots as (

    select
        account_name,
        platform,
        post_id,
        scraped_at
    from {{ ref('fct_snapshot') }}
    where {{ is_unchecked }}

)

select
    coalesce(items.account_name, snapshots.account_name) as account_name,
    coalesce(items.platform, snapshots.platform) as platform,
    coalesce(items.post_id, snapshots.post_id) as post_id,
    coalesce(items.scraped_at, snapshots.scraped_at) as scraped_at
from items
full outer join snapshots
    on
        items.account_name = snapshots.account_name
        and items.platform = snapshots.platform
        and items.post_id = snapshots.post_id
        and items.scraped_at = snapshots.scraped_at
where items.post_id is null or snapshots.post_id is null
