-- Grain: one row per account, dimension and segment of planned posts that somebody judged.
{% set dimensions = ['format', 'pillar', 'hook_style'] %}
{% set z = 1.644854 %}
with

ranked as (

    select
        *,
        row_number() over (
            partition by account_name, planned_id
            order by sequence desc nulls last
        ) as recency_rank
    from {{ source('raw', 'state_feedback') }}

),

judged as (

    select
        planned.account_name,
        planned.format,
        planned.pillar,
        planned.hook_style,
        ranked.feedback
    from ranked
    inner join {{ source('raw', 'planned_posts') }} as planned
        on
            ranked.account_name = planned.account_name
            and ranked.planned_id = planned.planned_id
    -- Somebody who changed their mind has said one thing.
    where ranked.recency_rank = 1

),

long as (

    {% for dimension in dimensions %}
    select
        account_name,
        '{{ dimension }}' as dimension,
        {{ dimension }} as segment,
        feedback
    from judged
    where {{ dimension }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        account_name,
        dimension,
        segment,
        count(*) as judged_count,
        count(case when feedback = 'approve' then 1 end) as approved_count,
        count(case when feedback = 'edit' then 1 end) as edited_count,
        count(case when feedback = 'reject' then 1 end) as rejected_count
    from long
    group by account_name, dimension, segment

),

rated as (

    select
        *,
        cast({{ ratio('approved_count', 'judged_count') }} as double) as approval_rate,
        {{ z * z }}e0 / nullif(judged_count, 0) as z_squared_per_n
    from counted

)

select
    account_name,
    dimension,
    segment,
    judged_count,
    approved_count,
    edited_count,
    rejected_count,
    {{ stable('approval_rate') }} as approval_rate,
    {% for name, sign in [('approval_rate_low', '-'), ('approval_rate_high', '+')] %}
    {{ stable(
        '(approval_rate + z_squared_per_n / 2 ' ~ sign ~ ' sqrt(approval_rate * (1 - approval_rate)'
        ~ ' * z_squared_per_n + z_squared_per_n * z_squared_per_n / 4)) / (1 + z_squared_per_n)'
    ) }} as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from rated
