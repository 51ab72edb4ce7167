-- Grain: one row per post item of a YouTube scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'youtube'
        and item_kind in ('post', 'foreign_post')

),

times as (

    select
        *,
        coalesce(
            {{ payload_instant('$.snippet.publishedAt') }},
            {{ payload_instant('$.date') }},
            {{ payload_instant('$.published_at') }}
        ) as told_posted_at
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
        coalesce(
            {{ payload_text('$.snippet.channelId') }}, {{ payload_text('$.channelId') }}
        )                                                       as author_id,
        lower(coalesce(
            {{ payload_text('$.channelHandle') }},
            trim(leading '@' from {{ payload_text('$.channelUsername') }}),
            {{ captured(payload_text('$.channelUrl'), 'youtube[.]com/@([^/?#]+)') }}
        ))                                                      as author_handle,

        ---------- what it is
        case
            when {{ payload_text('$.snippet.title') }} is not null
                then
                    {{ payload_text('$.snippet.title') }}
                    || coalesce(
                        chr(10) || nullif({{ payload_text('$.snippet.description') }}, ''), ''
                    )
            else
                {{ payload_text('$.title') }}
                || coalesce(chr(10) || nullif({{ payload_text('$.text') }}, ''), '')
        end                                                     as caption,
        coalesce(
            {{ payload_text('$.url') }}, 'https://www.youtube.com/watch?v=' || post_id
        )                                                       as post_url,
        -- Nothing tells Shorts from other videos for sure.
        'video'                                                 as media_type,
        cast(null as integer)                                   as slide_count,
        coalesce(
            {{ payload_duration('$.contentDetails.duration') }},
            {{ payload_duration('$.duration') }}
        )                                                       as duration_s,
        cast(null as boolean)                                   as is_pinned,
        {{ payload_flag('$.paidProductPlacementDetails.hasPaidProductPlacement') }}
                                                                as is_ad,
        cast(null as string)                                   as audio_id,

        ---------- numbers, as reported; a vintage has one of the names
        coalesce(
            {{ payload_count('$.statistics.viewCount') }},
            {{ payload_count('$.viewCount') }},
            {{ payload_count('$.view_count') }}
        )                                                       as view_count,
        cast(null as bigint)                                    as video_view_count,
        coalesce(
            {{ payload_count('$.statistics.likeCount') }},
            {{ payload_count('$.likes') }},
            {{ payload_count('$.like_count') }}
        )                                                       as like_count,
        coalesce(
            {{ payload_count('$.statistics.commentCount') }},
            {{ payload_count('$.commentsCount') }},
            {{ payload_count('$.comment_count') }}
        )                                                       as comment_count,
        cast(null as bigint)                                    as share_count,
        cast(null as bigint)                                    as save_count,
        cast(null as bigint)                                    as repost_count,
        -- The Data API leaves the likes of a video out only where its channel hides them.
        {{ payload_text('$.statistics.viewCount') }} is not null
        and {{ payload_text('$.statistics.likeCount') }} is null as is_like_count_hidden,
        {{ payload_count('$.numberOfSubscribers') }}            as follower_count,

        ---------- times
        {{ plausible_instant('told_posted_at') }}                as posted_at,
        scraped_at
    from times

)

select * from renamed
