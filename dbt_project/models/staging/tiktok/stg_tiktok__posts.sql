-- Grain: one row per post item of a TikTok scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'tiktok'
        and item_kind in ('post', 'foreign_post')

),

texts as (

    {{ with_json_texts('items', 'payload', {
        'author_id_text': '$.authorMeta.id',
        'author_name_text': '$.authorMeta.name',
        'fans_text': '$.authorMeta.fans',
        'caption_text': '$.text',
        'url_text': '$.webVideoUrl',
        'iso_time_text': '$.createTimeISO',
        'epoch_time_text': '$.createTime',
        'slideshow_text': '$.isSlideshow',
        'slides_text': '$.slideshowImageLinks',
        'first_slide_text': '$.slideshowImageLinks[0]',
        'duration_text': '$.videoMeta.duration',
        'pinned_text': '$.isPinned',
        'ad_text': '$.isAd',
        'music_id_text': '$.musicMeta.musicId',
        'play_text': '$.playCount',
        'digg_text': '$.diggCount',
        'comment_text': '$.commentCount',
        'share_text': '$.shareCount',
        'collect_text': '$.collectCount',
        'repost_text': '$.repostCount',
    }) }}

),

times as (

    select
        *,
        coalesce(
            {{ instant_of_iso_text('iso_time_text') }},
            {{ instant_of_epoch_s(payload_count('epoch_time_text')) }},
            -- The upper half of a TikTok id is its creation time in seconds.
            {{ instant_of_epoch_s('cast(floor(cast(post_id as bigint) / 4294967296) as bigint)') }}
        )                                                       as created_at,
        {{ payload_flag('slideshow_text') }}                    as is_slideshow,
        case
            -- The list alone is short to read; without a first element it may be a text like one.
            when first_slide_text is not null then {{ json_length('slides_text', '$') }}
            when slides_text is not null
                then {{ json_length('payload', '$.slideshowImageLinks') }}
        end                                                     as slideshow_image_count,
        {{ payload_seconds('duration_text') }}                  as video_duration_s
    from texts

),

media as (

    select
        *,
        case
            when is_slideshow or slideshow_image_count > 0 then 'carousel'
            when is_slideshow = false then 'video'
            -- Exports without the flag: a slideshow has no duration. Slideshows came in
            -- August 2022; a few older videos have a zero too.
            when
                video_duration_s = 0
                and created_at >= cast('2022-08-01 00:00:00+00' as {{ type_instant() }})
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
        author_id_text                                          as author_id,
        lower(author_name_text)                                 as author_handle,

        ---------- what it is
        caption_text                                            as caption,
        url_text                                                as post_url,
        media_type,
        case
            when media_type = 'carousel' then nullif(slideshow_image_count, 0)
        end                                                     as slide_count,
        case when media_type = 'video' then video_duration_s end as duration_s,
        {{ payload_flag('pinned_text') }}                       as is_pinned,
        {{ payload_flag('ad_text') }}                           as is_ad,
        music_id_text                                           as audio_id,

        ---------- numbers, as reported
        {{ payload_count('play_text') }}                        as view_count,
        cast(null as bigint)                                    as video_view_count,
        {{ payload_count('digg_text') }}                        as like_count,
        {{ payload_count('comment_text') }}                     as comment_count,
        {{ payload_count('share_text') }}                       as share_count,
        {{ payload_count('collect_text') }}                     as save_count,
        {{ payload_count('repost_text') }}                      as repost_count,
        false                                                   as is_like_count_hidden,
        {{ payload_count('fans_text') }}                        as follower_count,

        ---------- times
        {{ plausible_instant('created_at') }}                   as posted_at,
        scraped_at
    from media

)

select * from renamed
