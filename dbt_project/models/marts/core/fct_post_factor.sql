{{ config(materialized='view') }}
-- Grain: one row per account, platform, post, kind (success or failure) and cause: what speaks for
-- or against the post, from the effects of its segments and from its own figures.
-- A factor is a difference that was found, not a proof that it caused the post's result.
with

-- Effects with a verdict: the others are not told apart from chance.
effects as (

    select
        *,
        case when verdict = 'better' then 'success' else 'failure' end as kind,
        case
            {%- for dimension, cause in causes_of_dimensions().items() %}
            when dimension = '{{ dimension }}' then '{{ cause }}'
            {%- endfor %}
            else dimension
        end as cause,
        case when effect >= 1 then probability_better else 1 - probability_better end
            as probability_of_sign
    from {{ source('stats', 'segment_effects') }}
    where
        account_name <> '*'
        and verdict in ('better', 'worse')

),

segment_factors as (

    select
        segments.account_name,
        segments.platform,
        segments.post_id,
        effects.kind,
        effects.cause,
        effects.dimension as factor_type,
        effects.segment,
        effects.outcome,
        effects.age_hours,
        effects.n,
        effects.median as value,
        cast(null as double) as usual_value,
        cast(null as double) as usual_low,
        cast(null as double) as usual_high,
        effects.effect as usual_ratio,
        effects.effect_low as usual_ratio_low,
        effects.effect_high as usual_ratio_high,
        effects.q_value,
        {{ confidence_level(
            'effects.probability_of_sign >= 0.99e0', 'effects.probability_of_sign >= 0.95e0',
            'effects.n', 'effects.effect') }} as confidence,
        row_number() over (
            partition by
                segments.account_name,
                segments.platform,
                segments.post_id,
                effects.kind,
                effects.cause
            -- The strongest by the cautious end of its interval speaks for its cause.
            order by
                least(abs(ln(effects.effect_low)), abs(ln(effects.effect_high))) desc nulls last,
                effects.dimension asc nulls last,
                effects.outcome asc nulls last
        ) as strength_rank
    from {{ ref('int_post_segments') }} as segments
    inner join effects
        on
            segments.account_name = effects.account_name
            and segments.platform = effects.platform
            and segments.dimension = effects.dimension
            and segments.segment = effects.segment
    inner join {{ ref('int_posts__labelled') }} as labelled
        on
            segments.account_name = labelled.account_name
            and segments.platform = labelled.platform
            and segments.post_id = labelled.post_id
    where labelled.is_ad is distinct from true

),

own as (

    select
        *,
        case when value > usual_value then 'success' else 'failure' end as kind,
        case
            {%- for figure in own_figures() %}
            when figure = '{{ figure.name }}' then '{{ figure.cause }}'
            {%- endfor %}
        end as cause
    from {{ ref('int_posts__unusual_figures') }}

),

own_factors as (

    select
        account_name,
        platform,
        post_id,
        kind,
        cause,
        figure as factor_type,
        cast(null as string) as segment,
        figure as outcome,
        age_hours,
        peer_count as n,
        value,
        usual_value,
        usual_low,
        usual_high,
        usual_ratio,
        usual_ratio_low,
        usual_ratio_high,
        cast(null as double) as q_value,
        {{ confidence_level(
            'log_ratio_errors >= 2.326e0', 'log_ratio_errors >= 1.645e0', 'peer_count',
            'usual_ratio') }} as confidence,
        row_number() over (
            partition by account_name, platform, post_id, kind, cause
            order by
                log_ratio_errors desc nulls last,
                age_hours desc nulls last,
                figure asc nulls last
        ) as strength_rank,
        -- Reactions as a whole are said where no kind of them stands out by itself.
        count(case when cause in ('saving', 'sharing', 'conversation') then 1 end) over (
            partition by account_name, platform, post_id, kind
        ) as single_reaction_count
    from own
    -- A post whose views came early has no fault by that.
    where not (cause = 'staying_power' and kind = 'failure')

),

told as (

    select
        account_name,
        platform,
        post_id,
        kind,
        cause,
        factor_type,
        segment,
        outcome,
        age_hours,
        n,
        value,
        usual_value,
        usual_low,
        usual_high,
        usual_ratio,
        usual_ratio_low,
        usual_ratio_high,
        q_value,
        confidence,
        {{ segment_words('factor_type', 'segment') }}
            || case when kind = 'success' then ' do better' else ' do worse' end as title,
        {{ segment_words('factor_type', 'segment') }} || ' on ' || platform || ' get '
            || {{ shown_decimal('usual_ratio') }} || '× the account''s usual '
            || {{ outcome_words('outcome') }} || ' (90 % interval '
            || {{ shown_decimal('usual_ratio_low') }} || '–'
            || {{ shown_decimal('usual_ratio_high') }} || '×, ' || {{ shown_count('n') }}
            || ' posts).' as description
    from segment_factors
    where strength_rank = 1
    union all
    select
        account_name,
        platform,
        post_id,
        kind,
        cause,
        factor_type,
        segment,
        outcome,
        age_hours,
        n,
        value,
        usual_value,
        usual_low,
        usual_high,
        usual_ratio,
        usual_ratio_low,
        usual_ratio_high,
        q_value,
        confidence,
        case when kind = 'success' then 'More ' else 'Fewer ' end
            || {{ figure_words('factor_type') }} || ' than usual' as title,
        {{ shown_figure('factor_type', 'value') }} || ' ' || {{ figure_words('factor_type') }}
            || ' at ' || {{ age_words('age_hours') }} || ', ' || {{ shown_decimal('usual_ratio') }}
            || '× the account''s usual ' || {{ shown_figure('factor_type', 'usual_value') }}
            || ' (90 % interval ' || {{ shown_decimal('usual_ratio_low') }} || '–'
            || {{ shown_decimal('usual_ratio_high') }} || '×; the middle 80 % of '
            || {{ shown_count('n') }} || ' posts have '
            || {{ shown_figure('factor_type', 'usual_low') }} || ' to '
            || {{ shown_figure('factor_type', 'usual_high') }} || ').' as description
    from own_factors
    where
        strength_rank = 1
        and not (cause = 'response' and single_reaction_count > 0)

)

select
    account_name,
    platform,
    post_id,
    kind,
    cause,
    factor_type,
    title,
    description,
    {{ stable('usual_ratio - 1') }} as impact,
    {{ stable('usual_ratio_low - 1') }} as impact_low,
    {{ stable('usual_ratio_high - 1') }} as impact_high,
    confidence,
    n,
    segment,
    outcome,
    age_hours,
    value,
    usual_value,
    usual_low,
    usual_high,
    q_value
from told
