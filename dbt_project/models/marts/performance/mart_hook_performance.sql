{{ config(materialized='view') }}
-- Grain: one row per account, platform and hook style; how far the generator's hook score went
-- along with engagement is the same on all rows of an account and platform.
with

{{ segment_performance('hook_style', 'hook_style') }},

scores as (

    select * from {{ ref('mart_hook_score') }}
    where outcome = 'engagement_7d'

)

select
    segment_performance.*,
    scores.n as hook_score_n,
    scores.correlation as hook_score_correlation,
    scores.correlation_low as hook_score_correlation_low,
    scores.correlation_high as hook_score_correlation_high,
    scores.verdict as hook_score_verdict
from segment_performance
left join scores
    on
        segment_performance.account_name = scores.account_name
        and segment_performance.platform = scores.platform
