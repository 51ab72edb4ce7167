{{ config(materialized='view') }}
-- Grain: one row per account, platform and outcome: how much of it the account's best fifth of
-- posts brought, at 7 days of age.
select
    account_name,
    platform,
    outcome,
    n,
    top_n,
    top_share,
    top_share_low,
    top_share_high,
    top_share_without_top_post,
    top_share_without_top_post_low,
    top_share_without_top_post_high,
    top_post_id,
    top_post_share,
    log_spread,
    noise_top_share,
    noise_top_share_low,
    noise_top_share_high,
    verdict,
    posts_needed
from {{ source('stats', 'pareto') }}
