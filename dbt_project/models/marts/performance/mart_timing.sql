-- Grain: one row per account, platform, weekday and daypart in the account's zone, each compared
-- with the account's usual post there. Which differences are more than chance is in
-- stats.segment_effects, per weekday and per daypart: single cells hold too few posts.
with

posts as (

    select
        labelled.account_name,
        labelled.platform,
        labelled.local_weekday,
        labelled.daypart,
        coalesce(engagement.view_7d, engagement.engagement_7d) as reach_7d,
        engagement.view_7d is not null as is_reach_views
    from {{ ref('int_posts__labelled') }} as labelled
    inner join {{ ref('int_posts__engagement') }} as engagement
        on
            labelled.account_name = engagement.account_name
            and labelled.platform = engagement.platform
            and labelled.post_id = engagement.post_id
    where labelled.local_weekday is not null

),

relative as (

    select
        *,
        {{ ratio(
            'reach_7d',
            'median(reach_7d) over (partition by account_name, platform, is_reach_views)'
        ) }} as reach_multiple
    from posts

)

select
    account_name,
    platform,
    local_weekday,
    daypart,
    count(*) as post_count,
    count(reach_multiple) as post_count_7d,
    cast(percentile_cont(0.5) within group (order by reach_multiple) as double)
        as reach_multiple_median
from relative
group by account_name, platform, local_weekday, daypart
