-- Grain: one row per account, platform, other platform of the account, and metric that both
-- publish, at 7 days of age where it has an age.
{# name: (count, per, only these posts) #}
{% set metrics = {
    'like_comment_rate_views_7d': ('like_7d + comment_7d', 'view_7d', "media_type = 'video'"),
    'like_comment_rate_followers_7d':
        ('like_7d + comment_7d', 'follower_count_at_posting', 'true'),
    'like_comment_count_7d': ('like_7d + comment_7d', none, 'true'),
} %}
with

posts as (

    select * from {{ ref('fct_post_performance') }}
    where is_ad is distinct from true

),

valued as (

    {% for metric, (count, per, kind) in metrics.items() %}
    select
        account_name,
        platform,
        '{{ metric }}' as metric,
        {% if per %}
        {{ ratio(count, per) }} as value,
        ln(({{ count }} + 0.5e0) / (nullif({{ per }}, 0) + 1e0)) as log_value
        {% else %}
        {{ count }} as value,
        ln({{ count }} + 1e0) as log_value
        {% endif %}
    from posts
    where {{ kind }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

of_posts as (

    select
        account_name,
        platform,
        metric,
        count(*) as n,
        cast(percentile_cont(0.5) within group (order by value asc) as double) as median,
        exp(avg(log_value)) as usual,
        avg(log_value) as log_usual,
        var_samp(log_value) as log_variance
    from valued
    where value is not null
    group by account_name, platform, metric

),

weeks as (

    select
        account_name,
        platform,
        {{ week_of('local_date') }} as week_start,
        max(last_seen_date) as last_seen_date,
        count(*) as post_count
    from {{ ref('int_posts__comparable') }}
    where local_date is not null and is_pinned is distinct from true
    group by account_name, platform, {{ week_of('local_date') }}

),

spans as (

    select
        account_name,
        platform,
        min(week_start) as first_week,
        {{ week_of('max(last_seen_date)') }} as last_week
    from weeks
    group by account_name, platform

),

-- Whole weeks between the first and the newest, those without any post among them.
counted_weeks as (

    select
        spans.account_name,
        spans.platform,
        max({{ days_between('spans.first_week', 'spans.last_week') }}) / 7 - 1 as n,
        sum(weeks.post_count) as post_sum,
        sum(weeks.post_count * weeks.post_count) as post_squares
    from spans
    inner join weeks
        on
            spans.account_name = weeks.account_name
            and spans.platform = weeks.platform
            and spans.first_week < weeks.week_start
            and spans.last_week > weeks.week_start
    group by spans.account_name, spans.platform

),

of_weeks as (

    select
        account_name,
        platform,
        'posts_per_week' as metric,
        cast(n as bigint) as n,
        cast(null as double) as median,
        {{ ratio('post_sum', 'n') }} as usual,
        ln({{ ratio('post_sum', 'n') }}) as log_usual,
        -- Spread of a mean as that of its logarithm.
        greatest(
            {{ ratio('post_squares - ' ~ ratio('post_sum * post_sum', 'n'), 'n - 1') }}, 0e0
        ) / nullif({{ ratio('post_sum', 'n') }} * {{ ratio('post_sum', 'n') }}, 0) as log_variance
    from counted_weeks
    where n > 0

),

all_metrics as (

    select * from of_posts
    union all
    select * from of_weeks

),

paired as (

    select
        a.account_name,
        a.platform,
        b.platform as other_platform,
        a.metric,
        a.n,
        b.n as n_other,
        a.median,
        b.median as median_other,
        a.usual,
        b.usual as usual_other,
        a.log_usual,
        a.log_variance,
        a.log_usual - b.log_usual as log_ratio,
        a.n >= {{ minimum_posts() }} and b.n >= {{ minimum_posts() }} as is_enough,
        sqrt({{ welch_variance('a.n', 'a.log_variance', 'b.n', 'b.log_variance') }}) as log_error,
        {{ welch_degrees('a.n', 'a.log_variance', 'b.n', 'b.log_variance') }} as degrees
    from all_metrics as a
    inner join all_metrics as b
        on
            a.account_name = b.account_name
            and a.metric = b.metric
            and a.platform <> b.platform

),

bounded as (

    select
        *,
        ({{ student_quantile('n - 1') }}) * sqrt(log_variance / nullif(n, 0)) as usual_half_width,
        ({{ student_quantile('degrees') }}) * log_error as half_width_90,
        ({{ student_quantile('degrees', z_99()) }}) * log_error as half_width_99
    from paired

)

select
    account_name,
    platform,
    other_platform,
    metric,
    n,
    n_other,
    {{ stable('median') }} as median,
    {{ stable('median_other') }} as median_other,
    {{ stable('usual') }} as usual,
    {{ stable('usual * exp(-usual_half_width)') }} as usual_low,
    {{ stable('usual * exp(usual_half_width)') }} as usual_high,
    {{ stable('usual_other') }} as usual_other,
    case when is_enough then {{ stable('exp(log_ratio)') }} end as ratio,
    case when is_enough then {{ stable('exp(log_ratio - half_width_90)') }} end as ratio_low,
    case when is_enough then {{ stable('exp(log_ratio + half_width_90)') }} end as ratio_high,
    case
        when not is_enough or half_width_99 is null then 'not_enough_data'
        when log_ratio - half_width_99 > 0 then 'higher'
        when log_ratio + half_width_99 < 0 then 'lower'
        else 'no_clear_difference'
    end as verdict,
    cast(greatest({{ minimum_posts() }} - n, {{ minimum_posts() }} - n_other, 0) as integer)
        as needed
from bounded
