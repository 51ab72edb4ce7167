-- Grain: one row per post item of a LinkedIn scrape. Rename and cast only; times are UTC.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'linkedin'
        and item_kind in ('post', 'foreign_post')

),

media as (

    select
        *,
        -- One vintage writes the time as text too, in a zone that it does not name.
        coalesce(
            {{ payload_instant_of_ms('$.postedAt.timestamp') }},
            {{ payload_instant('$.postedAt.date') }},
            {{ payload_instant_of_ms('$.posted_at.timestamp') }}
        ) as told_posted_at,
        {{ payload_count('$.document.totalPageCount') }}        as page_count,
        coalesce(
            {{ json_length('payload', '$.postImages') }},
            case
                when {{ payload_text('$.media.type') }} = 'image'
                    then {{ json_length('payload', '$.media.items') }}
            end
        )                                                       as image_count,
        {{ payload_text('$.media.type') }}                      as told_media_type
    from items

),

kinds as (

    select
        *,
        case
            when {{ payload_text('$.document') }} is not null then 'carousel'
            when
                told_media_type like '%video%'
                or {{ payload_text('$.postVideo') }} is not null
                or {{ payload_text('$.video') }} is not null
                then 'video'
            when image_count > 1 then 'carousel'
            when image_count = 1 then 'image'
            when told_media_type = 'article' or {{ payload_text('$.article') }} is not null
                then 'link'
            -- Only a row that lists its media, and lists none, is known to be text alone.
            when image_count = 0 or {{ payload_text('$.media') }} = '{}' then 'text'
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
        lower(coalesce(
            {%- for key in ['linkedinUrl', 'company_url', 'profile_url', 'url'] %}
            {{ captured(
                payload_text('$.author.' ~ key),
                'linkedin[.]com/((?:in|company|school|showcase)/[^/?#]+)'
            ) }},
            {%- endfor %}
            'company/' || {{ payload_text('$.author.universalName') }},
            'in/' || {{ payload_text('$.author.publicIdentifier') }}
        ))                                                      as author_handle,

        ---------- what it is
        coalesce({{ payload_text('$.content') }}, {{ payload_text('$.text') }})
                                                                as caption,
        coalesce({{ payload_text('$.linkedinUrl') }}, {{ payload_text('$.post_url') }})
                                                                as post_url,
        media_type,
        case
            when media_type = 'carousel'
                then cast(coalesce(page_count, nullif(image_count, 0)) as integer)
            when media_type = 'image' then image_count
        end                                                     as slide_count,
        case
            when media_type = 'video'
                then {{ payload_count('$.media.items[0].duration') }} / 1000e0
        end                                                     as duration_s,
        cast(null as boolean)                                   as is_pinned,
        cast(null as boolean)                                   as is_ad,
        cast(null as string)                                   as audio_id,

        ---------- numbers, as reported; likes are reactions of every kind
        cast(null as bigint)                                    as view_count,
        cast(null as bigint)                                    as video_view_count,
        coalesce(
            {{ payload_count('$.engagement.likes') }},
            {{ payload_count('$.stats.total_reactions') }}
        )                                                       as like_count,
        coalesce(
            {{ payload_count('$.engagement.comments') }}, {{ payload_count('$.stats.comments') }}
        )                                                       as comment_count,
        coalesce(
            {{ payload_count('$.engagement.shares') }}, {{ payload_count('$.stats.reposts') }}
        )                                                       as share_count,
        cast(null as bigint)                                    as save_count,
        cast(null as bigint)                                    as repost_count,
        false                                                   as is_like_count_hidden,
        {{ payload_count('$.author.follower_count') }}          as follower_count,

        ---------- times
        {{ plausible_instant('told_posted_at') }}                as posted_at,
        scraped_at
    from kinds

)

select * from renamed
