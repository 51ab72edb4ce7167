-- Grain: one row per account, platform, outcome and post among the account's worst fifth by that
-- outcome at 7 days of age.
with

ranked as (

    select
        outcomes.account_name,
        outcomes.platform,
        outcomes.outcome,
        outcomes.post_id,
        outcomes.value,
        outcomes.log_value,
        row_number() over (
            partition by outcomes.account_name, outcomes.platform, outcomes.outcome
            order by outcomes.log_value asc nulls last, outcomes.post_id asc nulls last
        ) as failure_rank,
        count(*) over (
            partition by outcomes.account_name, outcomes.platform, outcomes.outcome
        ) as account_n,
        median(outcomes.value) over (
            partition by outcomes.account_name, outcomes.platform, outcomes.outcome
        ) as account_median
    from {{ ref('int_post_outcomes') }} as outcomes
    where outcomes.outcome in ({{ quoted(main_outcomes()) }})

)

select
    ranked.account_name,
    ranked.platform,
    ranked.outcome,
    ranked.post_id,
    ranked.failure_rank,
    ranked.account_n,
    ranked.value,
    {{ stable('cast(ranked.account_median as double)') }} as account_median,
    {{ stable(ratio('ranked.value', 'ranked.account_median')) }} as multiple_of_median,
    posts.posted_at,
    posts.media_type,
    posts.format,
    posts.pillar,
    posts.topic,
    posts.hook_style,
    posts.cta,
    posts.slide_count,
    listing.listing_state
from ranked
inner join {{ ref('int_posts__comparable') }} as posts
    on
        ranked.account_name = posts.account_name
        and ranked.platform = posts.platform
        and ranked.post_id = posts.post_id
left join {{ ref('fct_post_listing') }} as listing
    on
        ranked.account_name = listing.account_name
        and ranked.platform = listing.platform
        and ranked.post_id = listing.post_id
where
    ranked.account_n >= {{ minimum_pairs() }}
    -- A fifth, rounded down: never more than a fifth.
    and 5 * ranked.failure_rank <= ranked.account_n
