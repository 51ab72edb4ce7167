-- Grain: one row per post item of an Instagram scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'instagram'
        and item_kind in ('post', 'foreign_post')

),

media as (

    select
        *,
        case {{ payload_text('$.type') }}
            when 'Image' then 'image'
            when 'GraphImage' then 'image'
            when 'Sidecar' then 'carousel'
            when 'GraphSidecar' then 'carousel'
            when 'Video' then 'video'
            when 'GraphVideo' then 'video'
        end                                                     as media_type,
        {{ json_length('payload', '$.childPosts') }}            as child_post_count,
        {{ json_length('payload', '$.images') }}                as image_count
    from items

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
        {{ payload_text('$.ownerId') }}                         as author_id,
        lower({{ payload_text('$.ownerUsername') }})            as author_handle,

        ---------- what it is
        {{ payload_text('$.caption') }}                         as caption,
        {{ payload_text('$.url') }}                             as post_url,
        media_type,
        case media_type
            when 'image' then 1
            when 'carousel'
                then coalesce(
                    nullif(child_post_count, 0),
                    nullif(image_count, 0),
                    cast({{ payload_count('$.carouselImageCount') }} as integer)
                )
        end                                                     as slide_count,
        {{ payload_seconds('$.videoDuration') }}                as duration_s,
        {{ payload_flag('$.isPinned') }}                        as is_pinned,
        coalesce(
            {{ payload_flag('$.isSponsored') }}, {{ payload_flag('$.paidPartnership') }}
        )                                                       as is_ad,
        {{ payload_text('$.musicInfo.audio_id') }}              as audio_id,

        ---------- numbers, as reported
        -- Plays are the views that Instagram shows; the older view count is another quantity.
        {{ payload_count('$.videoPlayCount') }}                 as view_count,
        {{ payload_count('$.videoViewCount') }}                 as video_view_count,
        {{ payload_count('$.likesCount') }}                     as like_count,
        {{ payload_count('$.commentsCount') }}                  as comment_count,
        {{ payload_count('$.sharesCount') }}                    as share_count,
        cast(null as bigint)                                    as save_count,
        cast(null as bigint)                                    as repost_count,
        {{ payload_text('$.likesCount') }} = '-1'               as is_like_count_hidden,
        cast(null as bigint)                                    as follower_count,

        ---------- times
        {{ plausible_instant("try_cast(" ~ payload_text('$.timestamp') ~ " as timestamptz)") }}
                                                                as posted_at,
        scraped_at
    from media

)

select * from renamed
