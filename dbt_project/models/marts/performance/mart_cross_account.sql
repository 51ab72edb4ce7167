{{ config(materialized='view') }}
-- Grain: one row per platform, dimension, segment, outcome and account: each account's own effect
-- beside what the accounts have in common.
with

effects as (

    select
        *,
        -- Not the pooled point: accounts that were pulled towards each other look alike.
        ln(effect_unpooled) as log_own,
        standard_error_log as log_error
    from {{ source('stats', 'segment_effects') }}

),

own as (

    select * from effects
    where account_name <> '*'

),

common as (

    select * from effects
    where account_name = '*'

),

-- Segments of a dimension against all posts of the account: the difference splits into what the
-- segment does within accounts and what the accounts that use it most are like anyway.
moments as (

    select
        segments.account_name,
        segments.platform,
        segments.dimension,
        segments.segment,
        segments.outcome,
        segments.n,
        segments.log_mean,
        everything.log_mean as account_log_mean
    from {{ ref('int_segment_moments') }} as segments
    inner join {{ ref('int_segment_moments') }} as everything
        on
            segments.account_name = everything.account_name
            and segments.platform = everything.platform
            and segments.outcome = everything.outcome
            and everything.dimension = 'all_posts'
    where segments.dimension <> 'all_posts'

),

platforms as (

    select
        platform,
        outcome,
        {{ ratio('sum(n * log_mean)', 'sum(n)') }} as log_mean
    from {{ ref('int_segment_moments') }}
    where dimension = 'all_posts'
    group by platform, outcome

),

pooled as (

    select
        moments.platform,
        moments.dimension,
        moments.segment,
        moments.outcome,
        sum(moments.n) as n,
        count(*) as account_count,
        {{ ratio('sum(moments.n * moments.log_mean)', 'sum(moments.n)') }} - max(platforms.log_mean)
            as log_pooled,
        {{ ratio(
            'sum(moments.n * (moments.log_mean - moments.account_log_mean))', 'sum(moments.n)'
        ) }} as log_within
    from moments
    inner join platforms
        on
            moments.platform = platforms.platform
            and moments.outcome = platforms.outcome
    group by moments.platform, moments.dimension, moments.segment, moments.outcome

),

weighted as (

    select
        platform,
        dimension,
        segment,
        outcome,
        count(effect) as measured_account_count,
        count(case when effect > 1e0 then 1 end) as above_count,
        count(case when effect < 1e0 then 1 end) as below_count,
        count(case when verdict = 'better' then 1 end) as better_count,
        count(case when verdict = 'worse' then 1 end) as worse_count,
        sum(1e0 / nullif(log_error * log_error, 0)) as weight_sum,
        sum(log_own / nullif(log_error * log_error, 0)) as weighted_sum,
        sum(log_own * log_own / nullif(log_error * log_error, 0)) as weighted_squares
    from own
    group by platform, dimension, segment, outcome

),

-- Cochran's Q and the I2 of Higgins and Thompson (2002), https://doi.org/10.1002/sim.1186
heterogeneity as (

    select
        *,
        greatest(weighted_squares - weighted_sum * weighted_sum / nullif(weight_sum, 0), 0e0)
            as cochran_q
    from weighted

),

summary as (

    select
        heterogeneity.platform,
        heterogeneity.dimension,
        heterogeneity.segment,
        heterogeneity.outcome,
        heterogeneity.measured_account_count,
        heterogeneity.better_count,
        heterogeneity.worse_count,
        common.n as common_n,
        common.effect as common_effect,
        common.effect_low as common_effect_low,
        common.effect_high as common_effect_high,
        common.q_value as common_q_value,
        coalesce(common.verdict, 'not_enough_data') as common_verdict,
        {{ ratio(
            'case when common.effect >= 1e0 then heterogeneity.above_count'
            ~ ' when common.effect < 1e0 then heterogeneity.below_count end',
            'heterogeneity.measured_account_count'
        ) }} as same_sign_share,
        case
            when heterogeneity.measured_account_count >= 2
                then
                    greatest(
                        1e0 - {{ ratio(
                            'heterogeneity.measured_account_count - 1',
                            'greatest(heterogeneity.cochran_q, 1e-9)'
                        ) }},
                        0e0
                    )
        end as i_squared,
        exp(pooled.log_pooled) as pooled_ratio,
        exp(pooled.log_within) as within_ratio,
        pooled.log_pooled,
        pooled.log_within
    from heterogeneity
    inner join pooled
        on
            heterogeneity.platform = pooled.platform
            and heterogeneity.dimension = pooled.dimension
            and heterogeneity.segment = pooled.segment
            and heterogeneity.outcome = pooled.outcome
    left join common
        on
            heterogeneity.platform = common.platform
            and heterogeneity.dimension = common.dimension
            and heterogeneity.segment = common.segment
            and heterogeneity.outcome = common.outcome

)

select
    summary.platform,
    summary.dimension,
    summary.segment,
    summary.outcome,
    own.account_name,
    own.n,
    own.effect,
    own.effect_low,
    own.effect_high,
    own.q_value,
    own.verdict,
    summary.measured_account_count,
    summary.better_count as better_account_count,
    summary.worse_count as worse_account_count,
    summary.common_n,
    summary.common_effect,
    summary.common_effect_low,
    summary.common_effect_high,
    summary.common_q_value,
    summary.common_verdict,
    {{ stable('summary.same_sign_share') }} as same_sign_share,
    {{ stable('summary.i_squared') }} as i_squared,
    case
        when summary.measured_account_count < 2 or summary.common_verdict = 'not_enough_data'
            then 'not_enough_data'
        when
            summary.same_sign_share >= 0.75e0
            and (
                (summary.common_verdict = 'better' and summary.worse_count = 0)
                or (summary.common_verdict = 'worse' and summary.better_count = 0)
            )
            then 'universal'
        when summary.better_count > 0 or summary.worse_count > 0 then 'account_specific'
        else 'no_clear_difference'
    end as scope,
    {{ stable('summary.pooled_ratio') }} as pooled_ratio,
    {{ stable('summary.within_ratio') }} as within_ratio,
    {{ stable('summary.pooled_ratio / nullif(summary.within_ratio, 0)') }} as account_mix_ratio,
    case
        -- Ten percent either way is what changes a decision; below that signs differ by chance.
        when summary.measured_account_count >= 2
            then
                summary.log_pooled * summary.log_within < 0
                and abs(summary.log_pooled) >= ln(1.1e0)
                and abs(summary.log_within) >= ln(1.1e0)
    end as is_simpson_reversal,
    own.posts_needed
from summary
inner join own
    on
        summary.platform = own.platform
        and summary.dimension = own.dimension
        and summary.segment = own.segment
        and summary.outcome = own.outcome
