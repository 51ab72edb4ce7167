-- Grain: one row per account, platform and post, as last seen, with its labels.
with

tracked as (

    select * from {{ ref('int_posts__tracked') }}

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
        tracked.account_name,
        tracked.platform,
        tracked.post_id,
        tracked.author_handle,
        tracked.posted_at,
        {{ local_time('tracked.posted_at', 'accounts.timezone') }} as local_posted_at,
        accounts.timezone,
        tracked.caption,
        tracked.post_url,
        tracked.media_type,
        tracked.slide_count,
        tracked.duration_s,
        tracked.is_pinned,
        tracked.is_ad,
        tracked.audio_id,
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
        tracked.slide_count <> planned.slide_count as has_slide_count_mismatch,
        planned.context_id,
        planned.pick_probability,
        planned.ai_confidence,
        planned.source_credibility,
        planned.content_quality_score,
        planned.experiment_id,
        planned.experiment_arm,
        planned.assignment_id,
        (tracked.lowest_view_definition_id is distinct from tracked.highest_view_definition_id)
            as has_definition_change,
        tracked.snapshot_count,
        tracked.first_seen_at,
        tracked.last_seen_at,
        tracked.last_listed_at
    from tracked
    inner join {{ source('raw', 'accounts') }} as accounts
        on tracked.account_name = accounts.account_name
    left join labels
        on
            tracked.account_name = labels.account_name
            and tracked.platform = labels.platform
            and tracked.post_id = labels.post_id
    left join {{ source('raw', 'post_matches') }} as matches
        on
            tracked.account_name = matches.account_name
            and tracked.platform = matches.platform
            and tracked.post_id = matches.post_id
    left join {{ source('raw', 'planned_posts') }} as planned
        on
            matches.account_name = planned.account_name
            and matches.planned_id = planned.planned_id

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
