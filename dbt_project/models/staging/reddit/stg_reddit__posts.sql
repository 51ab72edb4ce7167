-- Grain: one row per post item of a Reddit scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'reddit'
        and item_kind in ('post', 'foreign_post')

),

media as (

    select
        *,
        {{ payload_instant('$.createdAt') }} as told_posted_at,
        {{ json_length('payload', '$.imageUrls') }}             as image_count,
        {{ payload_text('$.link') }}                            as link
    from items

),

kinds as (

    select
        *,
        case
            when {{ payload_flag('$.isVideo') }} then 'video'
            when image_count > 1 then 'carousel'
            when image_count = 1 then 'image'
            when link like 'http%' and link not like '%//www.reddit.com/%' then 'link'
            when {{ payload_text('$.body') }} <> '' then 'text'
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
        {{ payload_text('$.userId') }}                          as author_id,
        lower({{ payload_text('$.username') }})                 as author_handle,

        ---------- what it is
        {{ payload_text('$.title') }}
        || coalesce(chr(10) || nullif({{ payload_text('$.body') }}, ''), '')
                                                                as caption,
        {{ payload_text('$.url') }}                             as post_url,
        media_type,
        case when media_type in ('image', 'carousel') then image_count end
                                                                as slide_count,
        cast(null as double)                                    as duration_s,
        cast(null as boolean)                                   as is_pinned,
        {{ payload_flag('$.isAd') }}                            as is_ad,
        cast(null as string)                                   as audio_id,

        ---------- numbers, as reported; likes are votes, net of down votes
        cast(null as bigint)                                    as view_count,
        cast(null as bigint)                                    as video_view_count,
        {{ payload_count('$.upVotes') }}                        as like_count,
        {{ payload_count('$.numberOfComments') }}               as comment_count,
        cast(null as bigint)                                    as share_count,
        cast(null as bigint)                                    as save_count,
        cast(null as bigint)                                    as repost_count,
        false                                                   as is_like_count_hidden,
        cast(null as bigint)                                    as follower_count,

        ---------- times
        {{ plausible_instant('told_posted_at') }}                as posted_at,
        scraped_at
    from kinds

)

select * from renamed
