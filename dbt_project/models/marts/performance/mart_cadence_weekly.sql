-- Grain: one row per account, platform, outcome and ISO week of the account's clock in which it
-- posted. Pinned posts are left out: the posts around an old one may never have been seen.
with

posts as (

    select
        *,
        {{ week_of('local_date') }} as week_start,
        max(last_seen_date) over (partition by account_name, platform) as as_of_date
    from {{ ref('int_posts__comparable') }}
    where local_date is not null and is_pinned is distinct from true

),

weeks as (

    select
        account_name,
        platform,
        week_start,
        count(*) as post_count,
        min(week_start) over (partition by account_name, platform) as first_week_start,
        -- A week counts once its youngest possible post has reached seven days.
        {{ days_between('week_start', 'max(as_of_date)') }} >= 14 as is_over
    from posts
    group by account_name, platform, week_start

),

outcomes as (

    select
        posts.account_name,
        posts.platform,
        outcomes.outcome,
        posts.week_start,
        count(*) as n,
        percentile_cont(0.5) within group (order by outcomes.value asc) as median,
        {{ mean_of_logs('outcomes.log_value') }} as log_mean,
        -- As decimals: exact, so in whatever order the rows come.
        sum(
            case
                when outcomes.denominator is null then cast(outcomes.value as decimal(18, 6))
            end
        ) as total
    from posts
    inner join {{ ref('int_post_outcomes') }} as outcomes
        on
            posts.account_name = outcomes.account_name
            and posts.platform = outcomes.platform
            and posts.post_id = outcomes.post_id
    where outcomes.outcome in ({{ quoted(main_outcomes()) }})
    group by posts.account_name, posts.platform, outcomes.outcome, posts.week_start

)

select
    weeks.account_name,
    weeks.platform,
    outcomes.outcome,
    weeks.week_start,
    weeks.post_count,
    outcomes.n,
    {{ stable('cast(outcomes.median as double)') }} as median,
    {{ stable('outcomes.log_mean') }} as log_mean,
    cast(outcomes.total as double) as total,
    -- The first week was hardly seen from its beginning; a total of half the posts is half a total.
    weeks.is_over
    and weeks.week_start > weeks.first_week_start
    and 2 * outcomes.n >= weeks.post_count as is_compared
from weeks
inner join outcomes
    on
        weeks.account_name = outcomes.account_name
        and weeks.platform = outcomes.platform
        and weeks.week_start = outcomes.week_start
