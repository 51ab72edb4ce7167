-- Grain: one row per account, platform, target, model (* for whatever was served) and period:
-- all, or 28 days, of which periods_ago 0 are the latest. A post counts once.
with

ends as (

    select
        account_name,
        platform,
        cast({{ local_time('max(last_seen_at)', "'UTC'") }} as date) as as_of_date
    from {{ ref('dim_post') }}
    group by account_name, platform

),

scores as (

    select
        scores.*,
        ends.as_of_date,
        cast({{ local_time('scores.scored_at', "'UTC'") }} as date) as scored_date
    from {{ ref('fct_prediction_score') }} as scores
    inner join ends
        on
            scores.account_name = ends.account_name
            and scores.platform = ends.platform
    where scores.is_counted

),

windowed as (

    select
        *,
        cast(floor({{ days_between('scored_date', 'as_of_date') }} / 28e0) as integer)
            as windows_ago
    from scores

),

periods as (

    select
        *,
        'all' as period,
        0 as periods_ago,
        cast(null as date) as period_start,
        as_of_date as period_end
    from windowed
    union all
    select
        *,
        '28d' as period,
        windows_ago as periods_ago,
        {{ date_plus_days('as_of_date', '-28 * windows_ago - 27') }} as period_start,
        {{ date_plus_days('as_of_date', '-28 * windows_ago') }} as period_end
    from windowed

),

models as (

    select
        *,
        model_name as scored_model
    from periods
    union all
    select
        *,
        '*' as scored_model
    from periods

),

summed as (

    select
        account_name,
        platform,
        target,
        scored_model,
        period,
        periods_ago,
        period_start,
        period_end,
        count(*) as n,
        count(model_version) as model_n,
        avg(pinball_loss) as pinball_loss,
        avg(baseline_pinball_loss) as baseline_pinball_loss,
        sum(pinball_loss * pinball_loss) as loss_squares,
        sum(pinball_loss * baseline_pinball_loss) as loss_products,
        sum(baseline_pinball_loss * baseline_pinball_loss) as baseline_squares,
        count(case when is_within_interval then 1 end) as within_interval_count,
        count(case when is_within_25_percent then 1 end) as within_25_percent_count,
        count(case when is_baseline_within_25_percent then 1 end)
            as baseline_within_25_percent_count,
        avg(log_gap) as log_gap,
        count(breakout_brier) as breakout_n,
        count(case when is_breakout then 1 end) as breakout_count,
        avg(breakout_brier) as breakout_brier
    from models
    group by
        account_name,
        platform,
        target,
        scored_model,
        period,
        periods_ago,
        period_start,
        period_end

),

compared as (

    select
        *,
        {{ ratio('pinball_loss', 'baseline_pinball_loss') }} as pinball_ratio,
        {{ ratio('breakout_count', 'breakout_n') }} as breakout_share
    from summed

),

-- A ratio of two means over the same posts: Cochran (1977), Sampling Techniques, 6.4.
erred as (

    select
        *,
        case
            when n >= 10 and pinball_ratio > 0
                then
                    sqrt(
                        greatest(
                            loss_squares - 2 * pinball_ratio * loss_products
                            + pinball_ratio * pinball_ratio * baseline_squares,
                            0e0
                        ) / nullif(n * (n - 1e0), 0)
                    ) / nullif(pinball_loss, 0)
        end as log_ratio_error
    from compared

)

select
    account_name,
    platform,
    target,
    scored_model as model_name,
    period,
    periods_ago,
    period_start,
    period_end,
    n,
    model_n,
    {{ stable('pinball_loss') }} as pinball_loss,
    {{ stable('baseline_pinball_loss') }} as baseline_pinball_loss,
    {{ stable('pinball_ratio') }} as pinball_ratio,
    {%- for name, sign in [('low', '-'), ('high', '+')] %}
    {{ stable(
        'pinball_ratio * exp(' ~ sign ~ '(' ~ student_quantile('n - 1') ~ ') * log_ratio_error)'
    ) }} as pinball_ratio_{{ name }},
    {%- endfor %}
    {{ stable(ratio('within_interval_count', 'n')) }} as coverage,
    {{ stable(wilson_bound('within_interval_count', 'n', '-')) }} as coverage_low,
    {{ stable(wilson_bound('within_interval_count', 'n', '+')) }} as coverage_high,
    {{ stable(ratio('within_25_percent_count', 'n')) }} as close_share,
    {{ stable(wilson_bound('within_25_percent_count', 'n', '-')) }} as close_share_low,
    {{ stable(wilson_bound('within_25_percent_count', 'n', '+')) }} as close_share_high,
    {{ stable(ratio('baseline_within_25_percent_count', 'n')) }}
        as baseline_close_share,
    {{ stable('log_gap') }} as mean_log_gap,
    breakout_n,
    {{ stable('breakout_share') }} as breakout_share,
    {{ stable('breakout_brier') }} as breakout_brier,
    {{ stable('breakout_share * (1e0 - breakout_share)') }} as breakout_brier_of_share
from erred
