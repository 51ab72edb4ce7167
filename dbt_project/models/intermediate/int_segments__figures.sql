-- Grain: one row per account, platform, dimension and segment: how its posts did at 7 days of age.
-- Descriptions of what was; which differences are more than chance is in stats.segment_effects.
{% set figures = [
    'view_7d', 'engagement_7d', 'engagement_rate_7d', 'save_rate_7d', 'share_rate_7d',
] %}
with

posts as (

    select
        segments.dimension,
        segments.segment,
        performance.*
    from {{ ref('int_post_segments') }} as segments
    inner join {{ ref('int_posts__comparable') }} as performance
        on
            segments.account_name = performance.account_name
            and segments.platform = performance.platform
            and segments.post_id = performance.post_id

),

totals as (

    select
        account_name,
        platform,
        count(*) as post_count,
        {% for metric in ['engagement', 'save'] %}
        count({{ metric }}_7d) as {{ metric }}_n,
        sum({{ metric }}_7d) as {{ metric }}_sum,
        avg({{ metric }}_7d) as {{ metric }}_mean,
        var_pop({{ metric }}_7d) * count({{ metric }}_7d) as {{ metric }}_squares
        {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_posts__comparable') }}
    group by account_name, platform

),

summed as (

    select
        account_name,
        platform,
        dimension,
        segment,
        count(*) as post_count,
        {%- for outcome in ['view_7d', 'engagement_7d'] %}
        count({{ outcome }}) as post_count_{{ outcome }},
        percentile_cont(0.25) within group (order by {{ outcome }} asc) as {{ outcome }}_low,
        percentile_cont(0.75) within group (order by {{ outcome }} asc) as {{ outcome }}_high,
        {%- endfor %}
        {%- for outcome in figures %}
        percentile_cont(0.5) within group (order by {{ outcome }} asc) as {{ outcome }}_median,
        {%- endfor %}
        {{ mean_of_logs('log_views_7d') }} as log_view_7d_mean,
        var_samp(log_views_7d) as log_view_7d_variance,
        sum(case when view_7d is not null then engagement_7d end) as engagement_of_viewed,
        sum(case when engagement_7d is not null then view_7d end) as views_of_engaged,
        sum(case when view_7d is not null then save_7d end) as saves_of_viewed,
        sum(case when save_7d is not null then view_7d end) as views_of_saved,
        {%- for metric in ['engagement', 'save'] %}
        count({{ metric }}_7d) as {{ metric }}_n,
        sum({{ metric }}_7d) as {{ metric }}_sum,
        avg({{ metric }}_7d) as {{ metric }}_mean,
        var_pop({{ metric }}_7d) * count({{ metric }}_7d) as {{ metric }}_squares,
        var_samp(ln(1e0 + {{ metric }}_7d)) as {{ metric }}_log_variance,
        {%- endfor %}
        max(last_seen_at) as newest_scraped_at
    from posts
    group by account_name, platform, dimension, segment

),

shares as (

    select
        summed.*,
        {{ ratio('summed.post_count', 'totals.post_count') }} as share_of_posts,
        {% for metric in ['engagement', 'save'] %}
        totals.{{ metric }}_n as all_{{ metric }}_n,
        {{ ratio('summed.' ~ metric ~ '_n', 'totals.' ~ metric ~ '_n') }}
            as share_of_{{ metric }}_posts,
        {{ ratio('summed.' ~ metric ~ '_sum', 'totals.' ~ metric ~ '_sum') }}
            as share_of_{{ metric }},
        {{ ratio('summed.' ~ metric ~ '_mean', 'totals.' ~ metric ~ '_mean') }}
            as {{ metric }}_lift,
        -- Variance of the lift's logarithm: by linearisation, and as log-normal posts would
        -- have it (Cox's method). Heavy tails make the first too small in small segments.
        greatest(
            (
                summed.{{ metric }}_squares
                / nullif(summed.{{ metric }}_sum * summed.{{ metric }}_sum, 0)
                - 2e0 * summed.{{ metric }}_squares
                / nullif(summed.{{ metric }}_sum * totals.{{ metric }}_sum, 0)
                + totals.{{ metric }}_squares
                / nullif(totals.{{ metric }}_sum * totals.{{ metric }}_sum, 0)
            ) * {{ ratio('summed.' ~ metric ~ '_n', 'summed.' ~ metric ~ '_n - 1') }},
            (
                {{ ratio('summed.' ~ metric ~ '_log_variance', 'summed.' ~ metric ~ '_n') }}
                + summed.{{ metric }}_log_variance * summed.{{ metric }}_log_variance
                / (2e0 * nullif(summed.{{ metric }}_n - 1, 0))
            ) * (1e0 - {{ ratio('summed.' ~ metric ~ '_n', 'totals.' ~ metric ~ '_n') }})
        ) as {{ metric }}_lift_variance
        {{- ',' if not loop.last }}
        {% endfor %}
    from summed
    inner join totals
        on
            summed.account_name = totals.account_name
            and summed.platform = totals.platform

),

intervals as (

    select
        *,
        {% for metric in ['engagement', 'save'] %}
        -- All posts in one segment: its lift is 1 by arithmetic and says nothing.
        case
            when {{ metric }}_n >= {{ minimum_posts() }} and all_{{ metric }}_n > {{ metric }}_n
                then
                    ({{ student_quantile(metric ~ '_n - 1') }})
                    * sqrt(greatest({{ metric }}_lift_variance, 0e0))
        end as {{ metric }}_half_width,
        {% endfor %}
        -- A sum that nobody knows has no place.
        case
            when engagement_sum is not null
                then row_number() over (
                    partition by account_name, platform, dimension
                    order by engagement_sum desc nulls last, segment asc nulls last
                )
        end as engagement_rank
    from shares

)

select
    account_name,
    platform,
    dimension,
    segment,
    post_count,
    post_count_view_7d as post_count_views_7d,
    post_count_engagement_7d,
    {{ rounded('cast(view_7d_median as double)', 8) }} as view_7d_median,
    {{ rounded('cast(view_7d_low as double)', 8) }} as view_7d_quartile_low,
    {{ rounded('cast(view_7d_high as double)', 8) }} as view_7d_quartile_high,
    {{ rounded('cast(engagement_7d_median as double)', 8) }} as engagement_7d_median,
    {{ rounded('cast(engagement_7d_low as double)', 8) }} as engagement_7d_quartile_low,
    {{ rounded('cast(engagement_7d_high as double)', 8) }} as engagement_7d_quartile_high,
    {%- for outcome in ['engagement_rate_7d', 'save_rate_7d', 'share_rate_7d'] %}
    {{ stable('cast(' ~ outcome ~ '_median as double)') }} as {{ outcome }}_median,
    {%- endfor %}
    {{ stable('log_view_7d_mean') }} as log_view_7d_mean,
    {{ stable('log_view_7d_variance') }} as log_view_7d_variance,
    {{ stable(ratio('engagement_of_viewed', 'views_of_engaged')) }} as engagement_rate_7d_pooled,
    {{ stable(ratio('saves_of_viewed', 'views_of_saved')) }} as save_rate_7d_pooled,
    {{ stable('share_of_posts') }} as share_of_posts,
    {{ stable('share_of_engagement_posts') }} as share_of_posts_7d,
    {{ stable('share_of_engagement') }} as share_of_engagement_7d,
    {{ stable('share_of_save') }} as share_of_saves_7d
    {%- for metric in ['engagement', 'save'] %},
    case when {{ metric }}_half_width is not null then {{ stable(metric ~ '_lift') }} end
        as {{ metric }}_lift,
    {{ stable(metric ~ '_lift * exp(-' ~ metric ~ '_half_width)') }} as {{ metric }}_lift_low,
    {{ stable(metric ~ '_lift * exp(' ~ metric ~ '_half_width)') }} as {{ metric }}_lift_high
    {%- endfor %},
    engagement_rank,
    {{ stable(
        'sum(share_of_engagement) over ('
        ~ 'partition by account_name, platform, dimension order by engagement_rank asc nulls last)'
    ) }} as cumulative_share_of_engagement_7d,
    newest_scraped_at
from intervals
