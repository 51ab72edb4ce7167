-- Grain: one row per account, platform, dimension, segment and outcome that has posts: all that
-- effects are computed from. The dimension all_posts has one segment with every post.
-- Log values are summed as decimals: exact, so in whatever order the rows come.
with

wide as (

    select
        account_name,
        platform,
        post_id
        {%- for outcome in post_outcomes() %},
        max(case when outcome = '{{ outcome.name }}' then value end) as {{ outcome.name }},
        max(
            case
                when outcome = '{{ outcome.name }}'
                    then cast(log_value_pulled_in as decimal(12, 6))
            end
        ) as log_{{ outcome.name }}
        {%- endfor %}
    from {{ ref('int_post_outcomes') }}
    group by account_name, platform, post_id

),

segments as (

    select
        account_name,
        platform,
        post_id,
        dimension,
        segment
    from {{ ref('int_post_segments') }}
    union all
    select
        account_name,
        platform,
        post_id,
        'all_posts' as dimension,
        'all_posts' as segment
    from wide

),

-- All outcomes of a post are read at once: a join of posts, dimensions and outcomes would be ten
-- times as long.
summed as (

    select
        segments.account_name,
        segments.platform,
        segments.dimension,
        segments.segment
        {%- for outcome in post_outcomes() %},
        count(wide.{{ outcome.name }}) as n_{{ outcome.name }},
        cast(sum(wide.log_{{ outcome.name }}) as double) as sum_{{ outcome.name }},
        cast(sum(wide.log_{{ outcome.name }} * wide.log_{{ outcome.name }}) as double)
            as squares_{{ outcome.name }},
        percentile_cont(0.5) within group (order by wide.{{ outcome.name }} asc)
            as median_{{ outcome.name }}
        {%- endfor %}
    from wide
    inner join segments
        on
            wide.account_name = segments.account_name
            and wide.platform = segments.platform
            and wide.post_id = segments.post_id
    group by segments.account_name, segments.platform, segments.dimension, segments.segment

),

long as (

    {% for outcome in post_outcomes() %}
    select
        account_name,
        platform,
        dimension,
        segment,
        '{{ outcome.name }}' as outcome,
        {{ outcome.age_hours }} as age_hours,
        n_{{ outcome.name }} as n,
        sum_{{ outcome.name }} as log_sum,
        squares_{{ outcome.name }} as log_squares,
        -- Engines interpolate with other last bits, which must not reach a table.
        {{ rounded('cast(median_' ~ outcome.name ~ ' as double)', 9 if outcome.per else 8) }}
            as median
    from summed
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    account_name,
    platform,
    dimension,
    segment,
    outcome,
    age_hours,
    cast(n as integer) as n,
    median,
    {{ stable(ratio('log_sum', 'n')) }} as log_mean,
    greatest({{ stable('log_squares - log_sum * log_sum / nullif(n, 0)') }}, 0e0)
        as log_squared_deviations
from long
where n > 0
