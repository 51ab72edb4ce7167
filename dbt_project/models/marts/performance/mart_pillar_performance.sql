{{ config(materialized='view') }}
-- Grain: one row per account, platform and content pillar.
with

{{ segment_performance('pillar', 'pillar') }},

weighed as (

    select
        *,
        case
            when engagement_7d_verdict = 'not_enough_data' then 'not_enough_data'
            when
                engagement_7d_verdict = 'worse'
                and share_of_posts_7d >= {{ minimum_share_of_posts() }}
                and engagement_lift < 1e0
                and (save_lift is null or save_lift < 1e0)
                and views_7d_verdict <> 'better'
                and engagement_rate_7d_verdict <> 'better'
                and save_rate_7d_verdict <> 'better'
                then 'dead_weight'
            when engagement_7d_verdict = 'better' then 'carries'
            else 'no_clear_difference'
        end as weight_verdict
    from segment_performance

)

select
    *,
    case
        when weight_verdict <> 'not_enough_data' then weight_verdict = 'dead_weight'
    end as is_dead_weight
from weighed
