-- Grain: one row per account, platform, post and scrape moment, own posts only.
-- Counts that the platform does not publish for the kind of post are null here and downstream.
with

all_items as (

    {{ staging_union('posts') }}

),

own_items as (

    select *
    from all_items
    where item_kind = 'post'

),

-- The same post can stand twice in one scrape, and two files can claim the same moment.
ranked as (

    select
        *,
        row_number() over (
            partition by account_name, platform, post_id, scraped_at
            order by scrape_id desc, item_index desc
        ) as duplicate_rank
    from own_items

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
                    lead(valid_from) over (
                        partition by platform, media_type order by valid_from asc nulls last
                    ) - interval '1 day',
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
        ranked.account_name,
        ranked.platform,
        ranked.post_id,
        ranked.scraped_at,
        ranked.scrape_id,
        ranked.item_index,
        ranked.author_id,
        ranked.author_handle,
        ranked.caption,
        ranked.post_url,
        ranked.media_type,
        ranked.slide_count,
        ranked.duration_s,
        ranked.is_pinned,
        ranked.is_ad,
        ranked.audio_id,
        ranked.posted_at,
        {{ hours_between('ranked.posted_at', 'ranked.scraped_at') }} as age_hours
        {%- for metric in count_metrics() %},
        case
            when published_metrics.is_{{ metric }}_published then ranked.{{ metric }}
        end as {{ metric }}
        {%- endfor %},
        case
            when published_metrics.is_view_count_published then published_metrics.view_definition_id
        end as view_definition_id,
        coalesce(ranked.is_like_count_hidden, false) as is_like_count_hidden
    from ranked
    left join published_metrics
        on
            ranked.platform = published_metrics.platform
            and coalesce(ranked.media_type, 'unknown') = published_metrics.media_type
            and cast(ranked.scraped_at as date) >= published_metrics.valid_from
            and cast(ranked.scraped_at as date) <= published_metrics.valid_to
    where ranked.duplicate_rank = 1

)

select * from published
