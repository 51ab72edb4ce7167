-- Grain: one row per account, platform, post and dimension. A new dimension is one line here.
{% set dimensions = {
    'format': 'format',
    'pillar': 'pillar',
    'topic': 'topic',
    'hook_style': 'hook_style',
    'cta': 'cta',
    'weekday': 'cast(local_weekday as string)',
    'daypart': 'daypart',
    'media_type': 'media_type',
    'slide_count': "case when media_type = 'carousel' then cast(slide_count as string) end",
    'caption_length': 'caption_length',
    'duration': 'duration',
    'cadence': 'cadence',
} %}
{# An image is a media type, not a carousel of one slide: its posts would be found twice. #}

with

posts as (

    select * from {{ ref('int_posts__labelled') }}

),

-- A pinned post is shown out of turn: those around it may never have been seen. A paid one is
-- shown by another plan.
in_turn as (

    select
        account_name,
        platform,
        post_id,
        {{ hours_between(
            'lag(posted_at) over ('
            ~ 'partition by account_name, platform order by posted_at asc nulls last, post_id asc nulls last)',
            'posted_at'
        ) }} as gap_hours
    from posts
    where
        is_pinned is distinct from true
        and is_ad is distinct from true
        and posted_at is not null

),

banded as (

    select
        posts.*,
        case
            when length(posts.caption) = 0 then 'no_caption'
            when length(posts.caption) <= 80 then 'short_caption'
            when length(posts.caption) <= 240 then 'medium_caption'
            when length(posts.caption) > 240 then 'long_caption'
        end as caption_length,
        case
            when posts.media_type <> 'video' or posts.duration_s <= 0 then null
            when posts.duration_s < 15 then 'under_15_s'
            when posts.duration_s < 30 then '15_to_30_s'
            when posts.duration_s < 60 then '30_to_60_s'
            when posts.duration_s < 180 then '60_to_180_s'
            when posts.duration_s >= 180 then 'over_180_s'
        end as duration,
        case
            when in_turn.gap_hours < 12 then 'gap_under_12_h'
            when in_turn.gap_hours < 24 then 'gap_12_to_24_h'
            when in_turn.gap_hours < 48 then 'gap_1_to_2_d'
            when in_turn.gap_hours < 96 then 'gap_2_to_4_d'
            when in_turn.gap_hours >= 96 then 'gap_over_4_d'
        end as cadence
    from posts
    left join in_turn
        on
            posts.account_name = in_turn.account_name
            and posts.platform = in_turn.platform
            and posts.post_id = in_turn.post_id

),

long as (

    {% for dimension, segment in dimensions.items() %}
    select
        account_name,
        platform,
        post_id,
        '{{ dimension }}' as dimension,
        {{ segment }} as segment
    from banded
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select *
from long
where segment is not null
