-- Grain: one row per account, platform and outcome that posts with a hook score have: whether
-- higher scores went along with better outcomes, formats taken apart.
with

pairs as (

    {% for outcome in compared_outcomes() %}
    select
        account_name,
        platform,
        '{{ outcome }}' as outcome,
        format,
        hook_score,
        log_{{ outcome }} as log_value
    from {{ ref('int_posts__comparable') }}
    where hook_score is not null and log_{{ outcome }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        {{ mid_rank('hook_score', 'account_name, platform, outcome') }} as score_rank,
        {{ mid_rank('log_value', 'account_name, platform, outcome') }} as outcome_rank
    from pairs

),

-- What is left of a rank beside the mean rank of its format: the correlation of what is left is
-- the partial one. Scores differ between formats, and so do outcomes.
within_formats as (

    select
        *,
        score_rank
        - avg(score_rank) over (partition by account_name, platform, outcome, format)
            as score_residual,
        outcome_rank
        - avg(outcome_rank) over (partition by account_name, platform, outcome, format)
            as outcome_residual
    from ranked

),

correlated as (

    select
        account_name,
        platform,
        outcome,
        count(*) as n,
        count(distinct coalesce(format, '')) as format_count,
        {{ ratio(
            'sum(score_residual * outcome_residual)',
            'sqrt(sum(score_residual * score_residual) * sum(outcome_residual * outcome_residual))'
        ) }} as partial_correlation,
        {{ ratio(
            'covar_pop(score_rank, outcome_rank)',
            'sqrt(var_pop(score_rank) * var_pop(outcome_rank))'
        ) }} as plain_correlation
    from within_formats
    group by account_name, platform, outcome

),

-- Interval of a rank correlation on Fisher's scale, with the variance of Bonett and Wright (2000),
-- https://doi.org/10.1007/BF02294183 ; each format beyond the first costs one pair.
scaled as (

    select
        *,
        case
            when n >= {{ minimum_pairs() }} and n - format_count >= 5
                then least(greatest(partial_correlation, -0.999999e0), 0.999999e0)
        end as correlation,
        {{ z_90() }} * sqrt(
            (1e0 + partial_correlation * partial_correlation / 2e0)
            / nullif(greatest(n - 2 - format_count, 0), 0)
        ) as half_width
    from correlated

),

bounded as (

    select
        *,
        0.5e0 * ln((1e0 + correlation) / nullif(1e0 - correlation, 0)) - half_width as z_low,
        0.5e0 * ln((1e0 + correlation) / nullif(1e0 - correlation, 0)) + half_width as z_high,
        -- Twelve correlations are looked at for two accounts: 90 % would cry wolf.
        abs(0.5e0 * ln((1e0 + correlation) / nullif(1e0 - correlation, 0)))
        > half_width * {{ z_99() }} / {{ z_90() }} as is_clear
    from scaled

)

select
    account_name,
    platform,
    outcome,
    n,
    format_count,
    {{ stable('correlation') }} as correlation,
    {{ stable('(exp(2e0 * z_low) - 1e0) / (exp(2e0 * z_low) + 1e0)') }} as correlation_low,
    {{ stable('(exp(2e0 * z_high) - 1e0) / (exp(2e0 * z_high) + 1e0)') }} as correlation_high,
    {{ stable('case when correlation is not null then plain_correlation end') }}
        as plain_correlation,
    case
        when correlation is null then 'not_enough_data'
        when is_clear and correlation > 0 then 'higher_is_better'
        when is_clear then 'higher_is_worse'
        else 'no_clear_difference'
    end as verdict,
    cast(
        greatest({{ minimum_pairs() }} - n, 5 + format_count - n, 0) as integer
    ) as posts_needed
from bounded
