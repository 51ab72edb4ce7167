{{ config(materialized='view') }}
-- Grain: one row per approved change that is judged: what was claimed, and what it did.
select
    verdicts.recommendation_id,
    verdicts.account_name,
    recommendations.category,
    recommendations.target,
    recommendations.confidence,
    recommendations.insight,
    decisions.decided_by as approved_by,
    verdicts.registered_at as approved_at,
    verdicts.platform,
    verdicts.dimension,
    verdicts.segment,
    verdicts.outcome,
    verdicts.direction,
    verdicts.smallest_useful_ratio,
    verdicts.horizon_at,
    verdicts.verdict,
    verdicts.is_final,
    verdicts.decided_at,
    verdicts.evidence,
    verdicts.n,
    verdicts.control_n,
    verdicts.effect,
    verdicts.effect_low,
    verdicts.effect_high,
    verdicts.more_posts_needed,
    verdicts.posts_per_week,
    verdicts.expected_share_decided
from {{ source('stats', 'verdicts') }} as verdicts
left join {{ source('raw', 'state_recommendations') }} as recommendations
    on verdicts.recommendation_id = recommendations.recommendation_id
left join {{ source('raw', 'state_decisions') }} as decisions
    on verdicts.recommendation_id = decisions.recommendation_id
