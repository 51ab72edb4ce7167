-- Grain: one row per account, platform, post and dimension. A new dimension is one line here.
{% set dimensions = {
    'format': 'format',
    'pillar': 'pillar',
    'hook_style': 'hook_style',
    'weekday': 'cast(local_weekday as varchar)',
    'daypart': 'daypart',
    'media_type': 'media_type',
    'slide_count': "case when media_type = 'carousel' then cast(slide_count as varchar) end",
} %}
{# An image is a media type, not a carousel of one slide: its posts would be found twice. #}

with

posts as (

    select * from {{ ref('int_posts__labelled') }}

),

long as (

    {% for dimension, segment in dimensions.items() %}
    select
        account_name,
        platform,
        post_id,
        '{{ dimension }}' as dimension,
        {{ segment }} as segment
    from posts
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select *
from long
where segment is not null
