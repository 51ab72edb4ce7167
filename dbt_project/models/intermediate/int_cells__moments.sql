-- Grain: one row per account, platform, pair of dimensions, pair of their segments and outcome: the
-- posts that are in both. A new pair of dimensions is one line.
{% set pairs = [('weekday', 'daypart'), ('format', 'slide_count')] %}
with

segments as (

    select * from {{ ref('int_post_segments') }}
    where
        dimension in (
            {% for first, second in pairs %}'{{ first }}', '{{ second }}'
            {{- ', ' if not loop.last }}{% endfor %}
        )

),

pairs as (

    select
        a.account_name,
        a.platform,
        a.post_id,
        a.dimension as first_dimension,
        b.dimension as second_dimension,
        a.segment as first_segment,
        b.segment as second_segment
    from segments as a
    inner join segments as b
        on
            a.account_name = b.account_name
            and a.platform = b.platform
            and a.post_id = b.post_id
    where
        false
        {%- for first, second in pairs %}
        or (a.dimension = '{{ first }}' and b.dimension = '{{ second }}')
        {%- endfor %}

),

{% set medians = {
    'views_7d': 'view_7d', 'engagement_7d': 'engagement_7d',
    'engagement_rate_7d': 'engagement_rate_7d', 'save_rate_7d': 'save_rate_7d',
} %}
summed as (

    select
        pairs.account_name,
        pairs.platform,
        pairs.first_dimension,
        pairs.second_dimension,
        pairs.first_segment,
        pairs.second_segment,
        count(*) as post_count
        {%- for outcome in main_outcomes() %},
        count(posts.log_{{ outcome }}) as n_{{ outcome }},
        {{ mean_of_logs('posts.log_' ~ outcome) }} as mean_{{ outcome }},
        var_pop(posts.log_{{ outcome }}) * count(posts.log_{{ outcome }}) as squares_{{ outcome }},
        percentile_cont(0.5) within group (order by posts.{{ medians[outcome] }} asc)
            as median_{{ outcome }}
        {%- endfor %}
    from pairs
    inner join {{ ref('int_posts__comparable') }} as posts
        on
            pairs.account_name = posts.account_name
            and pairs.platform = posts.platform
            and pairs.post_id = posts.post_id
    group by
        pairs.account_name,
        pairs.platform,
        pairs.first_dimension,
        pairs.second_dimension,
        pairs.first_segment,
        pairs.second_segment

),

long as (

    {% for outcome in main_outcomes() %}
    select
        account_name,
        platform,
        first_dimension,
        second_dimension,
        first_segment,
        second_segment,
        '{{ outcome }}' as outcome,
        post_count,
        n_{{ outcome }} as n,
        {{ stable('cast(median_' ~ outcome ~ ' as double)') }} as median,
        {{ stable('mean_' ~ outcome) }} as log_mean,
        {{ stable('squares_' ~ outcome) }} as log_squared_deviations
    from summed
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from long
