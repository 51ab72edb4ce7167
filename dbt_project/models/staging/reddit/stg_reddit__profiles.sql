-- Grain: one row per Reddit post item, which names its author. Rename and cast only.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'reddit'
        and item_kind = 'post'

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower({{ payload_text('$.username') }})                 as handle,
        {{ payload_text('$.userId') }}                          as profile_id,
        cast(null as bigint)                                    as follower_count,
        cast(null as bigint)                                    as following_count,
        cast(null as bigint)                                    as post_count,
        cast(null as bigint)                                    as like_count_total,
        cast(null as boolean)                                   as is_verified,
        cast(null as boolean)                                   as is_private,
        scraped_at
    from items

)

select * from renamed
