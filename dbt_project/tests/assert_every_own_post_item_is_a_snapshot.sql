-- Nothing between raw and the marts may lose a post's snapshot or make one up.
with

items as (

    select distinct account_name, platform, post_id, scraped_at
    from {{ source('raw', 'scrape_items') }}
    where item_kind = 'post'

),

snapshots as (

    select account_name, platform, post_id, scraped_at
    from {{ ref('fct_snapshot') }}

)

(select * from items except select * from snapshots)
union all
(select * from snapshots except select * from items)
