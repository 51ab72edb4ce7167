-- Grain: one row per post item of a TikTok scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'tiktok'
        and item_kind in ('post', 'foreign_post')

),

times as (

    select
        *,
        coalesce(
            try_cast({{ payload_text('$.createTimeISO') }} as timestamptz),
            {{ instant_of_epoch_s(payload_count('$.createTime')) }},
            -- The upper half of a TikTok id is its creation time in seconds.
            {{ instant_of_epoch_s('cast(floor(cast(post_id as bigint) / 4294967296) as bigint)') }}
        )                                                       as created_at,
        {{ payload_flag('$.isSlideshow') }}                     as is_slideshow,
        {{ json_length('payload', '$.slideshowImageLinks') }}   as slideshow_image_count,
        {{ payload_seconds('$.videoMeta.duration') }}           as video_duration_s
    from items

),

media as (

    select
        *,
        case
            when is_slideshow or slideshow_image_count > 0 then 'carousel'
            when is_slideshow = false then 'video'
            -- Exports without the flag: a slideshow has no duration. Slideshows came in
            -- August 2022; a few older videos have a zero too.
            when video_duration_s = 0 and created_at >= timestamptz '2022-08-01 00:00:00+00'
                then 'carousel'
            when video_duration_s is not null then 'video'
        end as media_type
    from times

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
        {{ payload_text('$.authorMeta.id') }}                   as author_id,
        lower({{ payload_text('$.authorMeta.name') }})          as author_handle,

        ---------- what it is
        {{ payload_text('$.text') }}                            as caption,
        {{ payload_text('$.webVideoUrl') }}                     as post_url,
        media_type,
        case
            when media_type = 'carousel' then nullif(slideshow_image_count, 0)
        end                                                     as slide_count,
        case when media_type = 'video' then video_duration_s end as duration_s,
        {{ payload_flag('$.isPinned') }}                        as is_pinned,
        {{ payload_flag('$.isAd') }}                            as is_ad,
        {{ payload_text('$.musicMeta.musicId') }}               as audio_id,

        ---------- numbers, as reported
        {{ payload_count('$.playCount') }}                      as view_count,
        cast(null as bigint)                                    as video_view_count,
        {{ payload_count('$.diggCount') }}                      as like_count,
        {{ payload_count('$.commentCount') }}                   as comment_count,
        {{ payload_count('$.shareCount') }}                     as share_count,
        {{ payload_count('$.collectCount') }}                   as save_count,
        {{ payload_count('$.repostCount') }}                    as repost_count,
        false                                                   as is_like_count_hidden,
        {{ payload_count('$.authorMeta.fans') }}                as follower_count,

        ---------- times
        {{ plausible_instant('created_at') }}                   as posted_at,
        scraped_at
    from media

)

select * from renamed
