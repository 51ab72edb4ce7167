{{ config(materialized='view') }}
-- Grain: one row per account, platform, post and standard age that the post's snapshots bracket.
with

aged as (

    select * from {{ ref('int_posts__aged') }}

),

long as (

    {% for age in standard_age_labels() %}
    select
        account_name,
        platform,
        post_id,
        '{{ age }}' as age_label
        {%- for metric in aged_metrics() %},
        {{ metric }}_{{ age }} as {{ metric }}_count
        {%- endfor %}
    from aged
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    long.account_name,
    long.platform,
    long.post_id,
    long.age_label,
    ages.age_hours
    {%- for metric in aged_metrics() %},
    long.{{ metric }}_count
    {%- endfor %}
from long
inner join {{ ref('standard_ages') }} as ages
    on long.age_label = ages.age_label
where
    false
    {%- for metric in aged_metrics() %}
    or long.{{ metric }}_count is not null
    {%- endfor %}
