-- Grain: one row per X post item, which carries its author's profile. Rename and cast only.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'x'
        and item_kind = 'post'

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower({{ payload_text('$.author.userName') }})          as handle,
        {{ payload_text('$.author.id') }}                       as profile_id,
        {{ payload_count('$.author.followers') }}               as follower_count,
        {{ payload_count('$.author.following') }}               as following_count,
        {{ payload_count('$.author.statusesCount') }}           as post_count,
        cast(null as bigint)                                    as like_count_total,
        coalesce(
            {{ payload_flag('$.author.isBlueVerified') }}, {{ payload_flag('$.author.isVerified') }}
        )                                                       as is_verified,
        {{ payload_flag('$.author.protected') }}                as is_private,
        scraped_at
    from items

)

select * from renamed
