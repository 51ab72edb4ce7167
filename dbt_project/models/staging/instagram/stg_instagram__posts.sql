-- Grain: one row per post item of an Instagram scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'instagram'
        and item_kind in ('post', 'foreign_post')

),

texts as (

    {{ with_json_texts('items', 'payload', {
        'type_text': '$.type',
        'owner_id_text': '$.ownerId',
        'owner_name_text': '$.ownerUsername',
        'caption_text': '$.caption',
        'url_text': '$.url',
        'children_text': '$.childPosts',
        'images_text': '$.images',
        'carousel_text': '$.carouselImageCount',
        'duration_text': '$.videoDuration',
        'pinned_text': '$.isPinned',
        'sponsored_text': '$.isSponsored',
        'partnership_text': '$.paidPartnership',
        'audio_id_text': '$.musicInfo.audio_id',
        'play_text': '$.videoPlayCount',
        'video_view_text': '$.videoViewCount',
        'like_text': '$.likesCount',
        'comment_text': '$.commentsCount',
        'share_text': '$.sharesCount',
        'time_text': '$.timestamp',
    }) }}

),

media as (

    select
        *,
        case type_text
            when 'Image' then 'image'
            when 'GraphImage' then 'image'
            when 'Sidecar' then 'carousel'
            when 'GraphSidecar' then 'carousel'
            when 'Video' then 'video'
            when 'GraphVideo' then 'video'
        end                                                     as media_type,
        case when children_text like '[%' then {{ json_length('payload', '$.childPosts') }} end
            as child_post_count,
        case when images_text like '[%' then {{ json_length('payload', '$.images') }} end
            as image_count
    from texts

),

renamed as (

    select
        ---------- ids
        scrape_id,
        item_index,
        item_kind,
        account_name,
        platform,
        post_id,
        owner_id_text                                           as author_id,
        lower(owner_name_text)                                  as author_handle,

        ---------- what it is
        caption_text                                            as caption,
        url_text                                                as post_url,
        media_type,
        case media_type
            when 'image' then 1
            when 'carousel'
                then coalesce(
                    nullif(child_post_count, 0),
                    nullif(image_count, 0),
                    cast({{ payload_count('carousel_text') }} as integer)
                )
        end                                                     as slide_count,
        {{ payload_seconds('duration_text') }}                  as duration_s,
        {{ payload_flag('pinned_text') }}                       as is_pinned,
        coalesce(
            {{ payload_flag('sponsored_text') }}, {{ payload_flag('partnership_text') }}
        )                                                       as is_ad,
        audio_id_text                                           as audio_id,

        ---------- numbers, as reported
        -- Plays are the views that Instagram shows; the older view count is another quantity.
        {{ payload_count('play_text') }}                        as view_count,
        {{ payload_count('video_view_text') }}                  as video_view_count,
        {{ payload_count('like_text') }}                        as like_count,
        {{ payload_count('comment_text') }}                     as comment_count,
        {{ payload_count('share_text') }}                       as share_count,
        cast(null as bigint)                                    as save_count,
        cast(null as bigint)                                    as repost_count,
        like_text = '-1'                                        as is_like_count_hidden,
        cast(null as bigint)                                    as follower_count,

        ---------- times
        {{ plausible_instant(instant_of_iso_text('time_text')) }}
                                                                as posted_at,
        scraped_at
    from media

)

select * from renamed
