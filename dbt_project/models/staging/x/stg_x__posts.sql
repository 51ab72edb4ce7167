-- Grain: one row per post item of an X scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'x'
        and item_kind in ('post', 'foreign_post')

),

media as (

    select
        *,
        coalesce(
            {{ instant_of_text(payload_text('$.createdAt'), '%a %b %d %H:%M:%S %z %Y') }},
            {{ payload_instant('$.createdAt') }}
        ) as told_posted_at,
        {{ payload_text('$.extendedEntities.media[0].type') }}  as first_media_type,
        coalesce(
            {{ json_length('payload', '$.extendedEntities.media') }},
            {{ json_length('payload', '$.media') }}
        )                                                       as media_count,
        coalesce(
            {{ payload_text('$.card.rest_id') }}, {{ payload_text('$.entities.urls[0].url') }}
        )                                                       as link
    from items

),

kinds as (

    select
        *,
        case
            when first_media_type in ('video', 'animated_gif') then 'video'
            when media_count > 1 then 'carousel'
            when media_count = 1 then 'image'
            when link is not null then 'link'
            -- Only a row that lists its media, and lists none, is known to be text alone.
            when media_count = 0 then 'text'
        end as media_type
    from media

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
        {{ payload_text('$.author.id') }}                       as author_id,
        lower({{ payload_text('$.author.userName') }})          as author_handle,

        ---------- what it is
        {{ payload_text('$.text') }}                            as caption,
        {{ payload_text('$.url') }}                             as post_url,
        media_type,
        case when media_type in ('image', 'carousel') then media_count end
                                                                as slide_count,
        case
            when media_type = 'video'
                then
                    {{ payload_count('$.extendedEntities.media[0].video_info.duration_millis') }}
                    / 1000e0
        end                                                     as duration_s,
        {{ payload_flag('$.isPinned') }}                        as is_pinned,
        cast(null as boolean)                                   as is_ad,
        cast(null as string)                                   as audio_id,

        ---------- numbers, as reported
        {{ payload_count('$.viewCount') }}                      as view_count,
        cast(null as bigint)                                    as video_view_count,
        {{ payload_count('$.likeCount') }}                      as like_count,
        {{ payload_count('$.replyCount') }}                     as comment_count,
        -- A share is a repost with or without words of one's own; unknown when one of them is.
        {{ payload_count('$.retweetCount') }}
        + {{ payload_count('$.quoteCount') }}                   as share_count,
        {{ payload_count('$.bookmarkCount') }}                  as save_count,
        {{ payload_count('$.retweetCount') }}                   as repost_count,
        false                                                   as is_like_count_hidden,
        {{ payload_count('$.author.followers') }}               as follower_count,

        ---------- times
        {{ plausible_instant('told_posted_at') }}                as posted_at,
        scraped_at
    from kinds

)

select * from renamed
