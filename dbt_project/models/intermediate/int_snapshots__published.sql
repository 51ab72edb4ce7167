{{ config(
    post_hook="{{ note_scrapes_read('int_snapshots__published') }}",
    **grows_by(
        ['account_name', 'platform', 'scraped_at'],
        grain=['account_name', 'platform', 'post_id', 'scraped_at'],
        is_by_month=true,
    )
) }}
-- Grain: one row per account, platform, post and scrape moment, own posts only.
-- Counts that the platform does not publish for the kind of post are null here and downstream.
{% set is_to_be_read = of_new_scrapes('scrape_id', 'int_snapshots__published', is_by_moment=true) %}
{% set key_number = number_of_key([
    'keys.account_name', 'keys.platform', 'keys.post_id', 'keys.scraped_at',
]) %}

with

all_items as (

    {{ staging_union('posts') }}

),

own_items as (

    select *
    from all_items
    where
        item_kind = 'post'
        and {{ is_to_be_read }}

),

-- The same post can stand twice in one scrape, and two files can claim the same moment. Few do:
-- ranking those alone spares sorting all the others. Asked of keys, which no payload is read for,
-- and first of a number made of each, which is grouped in half the time.
keys as {{ not_kept() }} (

    select *
    from (
        {{ staging_union('posts', [
            'scrape_id', 'item_index', 'item_kind', 'account_name', 'platform', 'post_id',
            'scraped_at',
        ]) }}
    ) as all_keys
    where
        item_kind = 'post'
        and {{ is_to_be_read }}

),

repeated as (

    select {{ key_number }} as key_number
    from keys
    group by {{ key_number }}
    having count(*) > 1

),

ranked as (

    select
        keys.scrape_id,
        keys.item_index,
        row_number() over (
            partition by keys.account_name, keys.platform, keys.post_id, keys.scraped_at
            order by keys.scrape_id desc nulls last, keys.item_index desc nulls last
        ) as duplicate_rank
    from keys
    inner join repeated
        on {{ key_number }} = repeated.key_number

),

superseded as (

    select
        scrape_id,
        item_index
    from ranked
    where duplicate_rank > 1

),

published_metrics as (

    select
        platform,
        media_type,
        valid_from,
        valid_to
        {%- for metric in count_metrics() %},
        bool_or(metric = '{{ metric }}') as is_{{ metric }}_published
        {%- endfor %},
        max(case when metric = 'view_count' then definition_id end) as view_definition_id
    from (
        -- Each metric's periods are cut at every start of any metric's, so that one period of a
        -- platform and kind of post holds all that is published in it.
        select
            availability.platform,
            availability.media_type,
            availability.metric,
            availability.definition_id,
            periods.valid_from,
            periods.valid_to
        from {{ ref('metric_availability') }} as availability
        inner join (
            select
                platform,
                media_type,
                valid_from,
                coalesce(
                    {{ date_plus_days(
                        'lead(valid_from) over ('
                        ~ 'partition by platform, media_type order by valid_from asc nulls last)', -1
                    ) }},
                    date '9999-12-31'
                ) as valid_to
            from (
                select distinct
                    platform,
                    media_type,
                    valid_from
                from {{ ref('metric_availability') }}
            ) as starts
        ) as periods
            on
                availability.platform = periods.platform
                and availability.media_type = periods.media_type
                and availability.valid_from <= periods.valid_from
                and availability.valid_to >= periods.valid_from
    ) as cut
    group by platform, media_type, valid_from, valid_to

),

published as (

    select
        items.account_name,
        items.platform,
        items.post_id,
        items.scraped_at,
        items.scrape_id,
        items.item_index,
        items.author_id,
        items.author_handle,
        items.caption,
        items.post_url,
        items.media_type,
        items.slide_count,
        items.duration_s,
        items.is_pinned,
        items.is_ad,
        items.audio_id,
        items.posted_at,
        {{ hours_between('items.posted_at', 'items.scraped_at') }} as age_hours
        {%- for metric in count_metrics() %},
        case
            when published_metrics.is_{{ metric }}_published then items.{{ metric }}
        end as {{ metric }}
        {%- endfor %},
        case
            when published_metrics.is_view_count_published then published_metrics.view_definition_id
        end as view_definition_id,
        coalesce(items.is_like_count_hidden, false) as is_like_count_hidden
        {{ month_column('items.scraped_at') }}
    from own_items as items
    left join superseded
        on
            items.scrape_id = superseded.scrape_id
            and items.item_index = superseded.item_index
    left join published_metrics
        on
            items.platform = published_metrics.platform
            and coalesce(items.media_type, 'unknown') = published_metrics.media_type
            and cast(items.scraped_at as date) >= published_metrics.valid_from
            and cast(items.scraped_at as date) <= published_metrics.valid_to
    where superseded.scrape_id is null

)

select * from published
