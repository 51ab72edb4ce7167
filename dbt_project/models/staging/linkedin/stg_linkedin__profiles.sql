-- Grain: one row per LinkedIn post item, which carries its author. Rename and cast only.
with

items as (

    select *
    from {{ source('raw', 'scrape_items') }}
    where
        platform = 'linkedin'
        and item_kind = 'post'

),

renamed as (

    select
        scrape_id,
        item_index,
        account_name,
        platform,
        lower(coalesce(
            {%- for key in ['linkedinUrl', 'company_url', 'profile_url', 'url'] %}
            {{ captured(
                payload_text('$.author.' ~ key),
                'linkedin[.]com/((?:in|company|school|showcase)/[^/?#]+)'
            ) }},
            {%- endfor %}
            'company/' || {{ payload_text('$.author.universalName') }},
            'in/' || {{ payload_text('$.author.publicIdentifier') }}
        ))                                                      as handle,
        {{ payload_text('$.author.id') }}                       as profile_id,
        {{ payload_count('$.author.follower_count') }}          as follower_count,
        cast(null as bigint)                                    as following_count,
        cast(null as bigint)                                    as post_count,
        cast(null as bigint)                                    as like_count_total,
        cast(null as boolean)                                   as is_verified,
        cast(null as boolean)                                   as is_private,
        scraped_at
    from items

)

select * from renamed
