{#
  Moments of one dimension's segments: counts, medians and spread at equal age. Verdicts and
  intervals are stats.segment_effects.
#}
{% macro segment_moments(dimension, name) -%}
with

posts as (

    select
        segments.segment,
        performance.*
    from {{ ref('int_post_segments') }} as segments
    inner join {{ ref('int_posts__engagement') }} as performance
        on
            segments.account_name = performance.account_name
            and segments.platform = performance.platform
            and segments.post_id = performance.post_id
    where segments.dimension = '{{ dimension }}'

),

totals as (

    select
        account_name,
        platform,
        count(*) as post_count,
        sum(engagement_7d) as engagement_7d,
        sum(save_7d) as save_7d
    from posts
    group by account_name, platform

)

select
    posts.account_name,
    posts.platform,
    posts.segment as {{ name }},
    count(*) as post_count,
    count(posts.view_7d) as post_count_views_7d,
    count(posts.engagement_7d) as post_count_engagement_7d,
    cast(percentile_cont(0.5) within group (order by posts.view_7d) as double)
        as view_7d_median,
    cast(percentile_cont(0.25) within group (order by posts.view_7d) as double)
        as view_7d_quartile_low,
    cast(percentile_cont(0.75) within group (order by posts.view_7d) as double)
        as view_7d_quartile_high,
    cast(percentile_cont(0.5) within group (order by posts.engagement_7d) as double)
        as engagement_7d_median,
    {{ stable('avg(ln(1.0 + posts.view_7d))') }} as log_view_7d_mean,
    {{ stable('var_samp(ln(1.0 + posts.view_7d))') }} as log_view_7d_variance,
    {{ stable(ratio('sum(case when posts.view_7d is not null then posts.engagement_7d end)',
                    'sum(case when posts.engagement_7d is not null then posts.view_7d end)')) }}
        as engagement_rate_7d_pooled,
    {{ stable(ratio('sum(case when posts.view_7d is not null then posts.save_7d end)',
                    'sum(case when posts.save_7d is not null then posts.view_7d end)')) }}
        as save_rate_7d_pooled,
    {{ ratio('count(*)', 'max(totals.post_count)') }} as share_of_posts,
    {{ stable(ratio('sum(posts.engagement_7d)', 'max(totals.engagement_7d)')) }} as share_of_engagement_7d,
    {{ stable(ratio('sum(posts.save_7d)', 'max(totals.save_7d)')) }} as share_of_saves_7d,
    max(posts.scraped_at) as newest_scraped_at
from posts
inner join totals
    on
        posts.account_name = totals.account_name
        and posts.platform = totals.platform
group by posts.account_name, posts.platform, posts.segment
{%- endmacro %}
