-- Grain: one row per account, platform and outcome: how the posts of a week went along with what
-- each of them and all of them together reached.
{% set slopes = {'per_post': 'log_mean', 'per_week': 'log_total'} %}
with

weeks as (

    select
        account_name,
        platform,
        outcome,
        post_count,
        n,
        week_start,
        ln(post_count) as log_posts,
        {{ days_between("cast('2000-01-03' as date)", 'week_start') }} / 7e0 as week_number,
        log_mean,
        -- Posts without a value are taken to have done as the others of their week.
        ln(1e0 + total * post_count / nullif(n, 0)) as log_total
    from {{ ref('mart_cadence_weekly') }}
    where is_compared

),

{% set account = 'account_name, platform, outcome' %}
-- The trend of the weeks is taken out of both sides first (Frisch and Waugh, 1933): an account that
-- grows and posts more and more would else seem to grow because it posts more.
centred as (

    select
        *,
        week_number - avg(week_number) over (partition by {{ account }}) as time_residual,
        log_posts - avg(log_posts) over (partition by {{ account }}) as posts_residual
        {%- for slope, value in slopes.items() %},
        {{ value }} - avg({{ value }}) over (partition by {{ account }}) as {{ slope }}_residual
        {%- endfor %}
    from weeks

),

trends as (

    select
        {{ account }},
        count(*) as week_count,
        sum(time_residual * time_residual) as time_squares,
        {{ ratio(
            'sum(time_residual * posts_residual)', 'sum(time_residual * time_residual)'
        ) }} as posts_trend
        {%- for slope in slopes %},
        {{ ratio(
            'sum(time_residual * ' ~ slope ~ '_residual)', 'sum(time_residual * time_residual)'
        ) }} as {{ slope }}_trend
        {%- endfor %}
    from centred
    group by {{ account }}

),

detrended as (

    select
        centred.account_name,
        centred.platform,
        centred.outcome,
        centred.post_count,
        trends.week_count,
        trends.time_squares,
        centred.time_residual,
        centred.posts_residual - trends.posts_trend * centred.time_residual as x
        {%- for slope in slopes %},
        centred.{{ slope }}_residual - trends.{{ slope }}_trend * centred.time_residual
            as {{ slope }}_y
        {%- endfor %}
    from centred
    inner join trends
        on
            centred.account_name = trends.account_name
            and centred.platform = trends.platform
            and centred.outcome = trends.outcome

),

sloped as (

    select
        *,
        sum(x * x) over (partition by {{ account }}) as x_squares
        {%- for slope in slopes %},
        sum(x * {{ slope }}_y) over (partition by {{ account }})
        / nullif(sum(x * x) over (partition by {{ account }}), 0) as {{ slope }}_slope
        {%- endfor %}
    from detrended

),

residuals as (

    select
        *,
        greatest(
            1e0
            - 1e0 / nullif(week_count, 0)
            - time_residual * time_residual / nullif(time_squares, 0)
            - x * x / nullif(x_squares, 0),
            1e-6
        ) as leverage_left
        {%- for slope in slopes %},
        {{ slope }}_y - {{ slope }}_slope * x as {{ slope }}_rest
        {%- endfor %}
    from sloped

),

-- Weeks with few posts vary more: the error of a slope is MacKinnon and White's (1985) HC3,
-- https://doi.org/10.1016/0304-4076(85)90158-7 , which takes no spread for equal.
summed as (

    select
        {{ account }},
        max(week_count) as week_count,
        sum(post_count) as post_count,
        percentile_cont(0.5) within group (order by post_count asc) as posts_per_week_median,
        avg(post_count) as posts_per_week_mean,
        var_samp(post_count) as posts_per_week_variance,
        min(post_count) as posts_per_week_least,
        max(post_count) as posts_per_week_most,
        max(x_squares) as x_squares
        {%- for slope in slopes %},
        max({{ slope }}_slope) as {{ slope }}_slope,
        sqrt(
            sum(
                x * x * {{ slope }}_rest * {{ slope }}_rest
                / nullif(leverage_left * leverage_left, 0)
            )
        ) / nullif(max(x_squares), 0) as {{ slope }}_error
        {%- endfor %}
    from residuals
    group by {{ account }}

),

decided as (

    select
        *,
        -- Weeks that all have about as many posts say nothing about more or fewer.
        week_count >= {{ minimum_weeks() }}
        and x_squares / nullif(week_count, 0) >= 0.01e0 as is_enough,
        ({{ student_quantile('week_count - 1') }})
        * sqrt(posts_per_week_variance / nullif(week_count, 0)) as posts_per_week_half_width,
        ({{ student_quantile('week_count - 3') }}) as t_90,
        ({{ student_quantile('week_count - 3', z_99()) }}) as t_99
    from summed

)

select
    account_name,
    platform,
    outcome,
    week_count,
    cast(post_count as bigint) as post_count,
    cast(posts_per_week_median as double) as posts_per_week_median,
    {{ stable('posts_per_week_mean') }} as posts_per_week_mean,
    {{ stable('greatest(posts_per_week_mean - posts_per_week_half_width, 0e0)') }}
        as posts_per_week_mean_low,
    {{ stable('posts_per_week_mean + posts_per_week_half_width') }}
        as posts_per_week_mean_high,
    posts_per_week_least,
    posts_per_week_most
    {%- for slope in slopes %},
    case when is_enough then {{ stable(slope ~ '_slope') }} end as {{ slope }}_slope,
    case when is_enough then {{ stable(slope ~ '_slope - t_90 * ' ~ slope ~ '_error') }} end
        as {{ slope }}_slope_low,
    case when is_enough then {{ stable(slope ~ '_slope + t_90 * ' ~ slope ~ '_error') }} end
        as {{ slope }}_slope_high
    {%- endfor %},
    case
        when not is_enough or per_post_slope is null then 'not_enough_data'
        when per_post_slope + t_99 * per_post_error < 0 then 'diminishing'
        when per_post_slope - t_99 * per_post_error > 0 then 'growing'
        else 'no_clear_difference'
    end as verdict,
    cast(greatest({{ minimum_weeks() }} - week_count, 0) as integer) as weeks_needed
from decided
