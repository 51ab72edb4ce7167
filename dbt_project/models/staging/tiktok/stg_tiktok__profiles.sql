-- Grain: one row per TikTok item that carries a profile: a post with its author, or a profile's
-- own row. Rename and cast only.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'tiktok'
        and item_kind in ('post', 'profile')

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower({{ payload_text('$.authorMeta.name') }})          as handle,
        {{ payload_text('$.authorMeta.id') }}                   as profile_id,
        {{ payload_count('$.authorMeta.fans') }}                as follower_count,
        {{ payload_count('$.authorMeta.following') }}           as following_count,
        {{ payload_count('$.authorMeta.video') }}               as post_count,
        {{ payload_count('$.authorMeta.heart') }}               as like_count_total,
        {{ payload_flag('$.authorMeta.verified') }}             as is_verified,
        {{ payload_flag('$.authorMeta.privateAccount') }}       as is_private,
        scraped_at
    from items

)

select * from renamed
