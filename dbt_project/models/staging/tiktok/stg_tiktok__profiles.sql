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

texts as (

    {{ with_json_texts('items', 'payload', {
        'name_text': '$.authorMeta.name',
        'id_text': '$.authorMeta.id',
        'fans_text': '$.authorMeta.fans',
        'following_text': '$.authorMeta.following',
        'video_text': '$.authorMeta.video',
        'heart_text': '$.authorMeta.heart',
        'verified_text': '$.authorMeta.verified',
        'private_text': '$.authorMeta.privateAccount',
    }) }}

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower(name_text)                                        as handle,
        id_text                                                 as profile_id,
        {{ payload_count('fans_text') }}                        as follower_count,
        {{ payload_count('following_text') }}                   as following_count,
        {{ payload_count('video_text') }}                       as post_count,
        {{ payload_count('heart_text') }}                       as like_count_total,
        {{ payload_flag('verified_text') }}                     as is_verified,
        {{ payload_flag('private_text') }}                      as is_private,
        scraped_at
    from texts

)

select * from renamed
