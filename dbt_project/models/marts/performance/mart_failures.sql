{{ config(materialized='view') }}
-- Grain: one row per account, platform, outcome, dimension and segment: how often its posts are
-- among the account's worst fifth by that outcome at 7 days of age.
select
    patterns.account_name,
    patterns.platform,
    patterns.outcome,
    patterns.dimension,
    patterns.segment,
    patterns.n,
    patterns.worst_n,
    patterns.account_n,
    patterns.account_worst_n,
    patterns.expected_worst_n,
    patterns.worst_share,
    patterns.ratio,
    patterns.ratio_low,
    patterns.ratio_high,
    patterns.p_value,
    patterns.q_value,
    patterns.verdict,
    effects.effect,
    effects.effect_low,
    effects.effect_high,
    {{ posts_needed('patterns.n', 'patterns.account_n') }} as posts_needed
from {{ source('stats', 'failure_patterns') }} as patterns
left join {{ source('stats', 'segment_effects') }} as effects
    on
        patterns.account_name = effects.account_name
        and patterns.platform = effects.platform
        and patterns.outcome = effects.outcome
        and patterns.dimension = effects.dimension
        and patterns.segment = effects.segment
