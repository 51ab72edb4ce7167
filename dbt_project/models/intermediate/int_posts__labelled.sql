-- Grain: one row per account, platform and post, as last seen, with its labels.
with

snapshots as (

    select * from {{ ref('int_snapshots__published') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by account_name, platform, post_id
            order by scraped_at desc
        ) as recency_rank
    from snapshots

),

-- Exports differ in what they tell; what any of them told about the post stays known.
known as (

    select
        account_name,
        platform,
        post_id,
        min(posted_at) as posted_at,
        max_by(media_type, scraped_at) filter (where media_type is not null) as media_type,
        max_by(slide_count, scraped_at) filter (where slide_count is not null) as slide_count,
        max_by(duration_s, scraped_at) filter (where duration_s is not null) as duration_s,
        max_by(is_ad, scraped_at) filter (where is_ad is not null) as is_ad,
        min(scraped_at) as first_seen_at,
        max(scraped_at) as last_seen_at,
        count(*) as snapshot_count,
        count(distinct view_definition_id) > 1 as has_definition_change
    from snapshots
    group by account_name, platform, post_id

),

labels as (

    select
        account_name,
        platform,
        post_id
        {%- for dimension in ['format', 'pillar', 'topic', 'hook_style', 'cta'] %},
        max(case when dimension = '{{ dimension }}' then label end) as {{ dimension }},
        max(case when dimension = '{{ dimension }}' then label_source end) as {{ dimension }}_source
        {%- endfor %}
    from {{ source('raw', 'post_labels') }}
    group by account_name, platform, post_id

),

joined as (

    select
        ranked.account_name,
        ranked.platform,
        ranked.post_id,
        ranked.author_handle,
        known.posted_at,
        {{ local_time('known.posted_at', 'accounts.timezone') }} as local_posted_at,
        accounts.timezone,
        ranked.caption,
        ranked.post_url,
        known.media_type,
        known.slide_count,
        known.duration_s,
        ranked.is_pinned,
        known.is_ad,
        ranked.audio_id,
        labels.format,
        labels.format_source,
        labels.pillar,
        labels.pillar_source,
        labels.topic,
        labels.topic_source,
        labels.hook_style,
        labels.hook_style_source,
        labels.cta,
        labels.cta_source,
        matches.planned_id,
        matches.score as match_score,
        matches.match_source,
        planned.hook_text,
        planned.hook_score,
        planned.slide_count as planned_slide_count,
        known.slide_count <> planned.slide_count as has_slide_count_mismatch,
        planned.context_id,
        planned.pick_probability,
        planned.ai_confidence,
        planned.source_credibility,
        planned.content_quality_score,
        known.has_definition_change,
        known.snapshot_count,
        known.first_seen_at,
        known.last_seen_at
    from ranked
    inner join known
        on
            ranked.account_name = known.account_name
            and ranked.platform = known.platform
            and ranked.post_id = known.post_id
    inner join {{ source('raw', 'accounts') }} as accounts
        on ranked.account_name = accounts.account_name
    left join labels
        on
            ranked.account_name = labels.account_name
            and ranked.platform = labels.platform
            and ranked.post_id = labels.post_id
    left join {{ source('raw', 'post_matches') }} as matches
        on
            ranked.account_name = matches.account_name
            and ranked.platform = matches.platform
            and ranked.post_id = matches.post_id
    left join {{ source('raw', 'planned_posts') }} as planned
        on
            matches.account_name = planned.account_name
            and matches.planned_id = planned.planned_id
    where ranked.recency_rank = 1

),

timed as (

    select
        *,
        cast(local_posted_at as date) as local_date,
        {{ iso_weekday('local_posted_at') }} as local_weekday,
        cast(extract(hour from local_posted_at) as integer) as local_hour
    from joined

)

select
    *,
    case
        when local_hour is null then null
        when local_hour < 6 then 'night'
        when local_hour < 10 then 'morning'
        when local_hour < 14 then 'midday'
        when local_hour < 18 then 'afternoon'
        when local_hour < 21 then 'evening'
        else 'late'
    end as daypart
from timed
