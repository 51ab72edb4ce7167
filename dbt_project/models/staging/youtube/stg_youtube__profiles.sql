-- Grain: one row per YouTube channel item and per video item, which carries its channel.
-- Rename and cast only.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'youtube'
        and item_kind in ('post', 'profile')

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower(coalesce(
            {{ payload_text('$.channelHandle') }},
            trim(leading '@' from {{ payload_text('$.channelUsername') }}),
            {{ captured(payload_text('$.channelUrl'), 'youtube[.]com/@([^/?#]+)') }}
        ))                                                      as handle,
        coalesce(
            {{ payload_text('$.snippet.channelId') }},
            {{ payload_text('$.channelId') }},
            case when item_kind = 'profile' then {{ payload_text('$.id') }} end
        )                                                       as profile_id,
        -- Rounded by YouTube to three digits; absent or meaningless where the channel hides it.
        case
            when {{ payload_flag('$.statistics.hiddenSubscriberCount') }} then null
            else coalesce(
                {{ payload_count('$.statistics.subscriberCount') }},
                {{ payload_count('$.numberOfSubscribers') }}
            )
        end                                                     as follower_count,
        cast(null as bigint)                                    as following_count,
        coalesce(
            {{ payload_count('$.statistics.videoCount') }},
            {{ payload_count('$.channelTotalVideos') }}
        )                                                       as post_count,
        cast(null as bigint)                                    as like_count_total,
        {{ payload_flag('$.isChannelVerified') }}               as is_verified,
        cast(null as boolean)                                   as is_private,
        scraped_at
    from items

)

select * from renamed
