-- Grain: one row per profile item of an Instagram scrape. Rename and cast only.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'instagram'
        and item_kind = 'profile'

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower({{ payload_text('$.username') }})                 as handle,
        {{ payload_text('$.id') }}                              as profile_id,
        {{ payload_count('$.followersCount') }}                 as follower_count,
        {{ payload_count('$.followsCount') }}                   as following_count,
        {{ payload_count('$.postsCount') }}                     as post_count,
        cast(null as bigint)                                    as like_count_total,
        {{ payload_flag('$.verified') }}                        as is_verified,
        {{ payload_flag('$.private') }}                         as is_private,
        scraped_at
    from items

)

select * from renamed
