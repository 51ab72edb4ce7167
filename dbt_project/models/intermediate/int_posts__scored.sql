-- Grain: one row per account, platform and post that can be ranked among the account's own posts
-- on that platform at equal age (at least five of them have that age's value).
with

posts as (

    select * from {{ ref('int_posts__engagement') }}

),

candidates as (

    {% for age, hours in [('7d', 168), ('28d', 672), ('72h', 72), ('24h', 24)] %}
    select
        account_name,
        platform,
        post_id,
        {{ hours }} as score_age_hours,
        {{ loop.index }} as age_preference,
        coalesce(view_{{ age }}, engagement_{{ age }}) as reach_value,
        view_{{ age }} is not null as is_reach_views,
        {{ ratio('engagement_' ~ age, 'view_' ~ age) }} as engagement_rate_value,
        {{ ratio('save_' ~ age, 'view_' ~ age) }} as save_rate_value,
        {{ ratio('share_' ~ age, 'view_' ~ age) }} as share_rate_value
    from posts
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Posts with views and posts without are ranked apart: views and reactions are other quantities.
ranked as (

    select
        *,
        {% set group = 'account_name, platform, score_age_hours, is_reach_views' %}
        count(*) over (partition by {{ group }}) as peer_count,
        {{ mid_rank('reach_value', group) }} as reach_percentile,
        median(reach_value) over (partition by {{ group }}) as reach_median,
        case when engagement_rate_value is not null then
            {{ mid_rank('engagement_rate_value', group ~ ', engagement_rate_value is null') }}
        end as engagement_rate_percentile,
        case when save_rate_value is not null then
            {{ mid_rank('save_rate_value', group ~ ', save_rate_value is null') }}
        end as save_rate_percentile,
        case when share_rate_value is not null then
            {{ mid_rank('share_rate_value', group ~ ', share_rate_value is null') }}
        end as share_rate_percentile
    from candidates
    where reach_value is not null

),

-- Seven days are compared by most: the other ages speak for posts that nobody saw around day 7.
preferred as (

    select
        *,
        row_number() over (
            partition by account_name, platform, post_id
            order by age_preference asc nulls last
        ) as age_rank
    from ranked
    where peer_count >= 5

),

parts as (

    select
        *,
        (reach_percentile is not null)::integer
        + (engagement_rate_percentile is not null)::integer
        + (save_rate_percentile is not null)::integer
        + (share_rate_percentile is not null)::integer as part_count,
        reach_percentile
        + case when engagement_rate_percentile is null then 0 else engagement_rate_percentile end
        + case when save_rate_percentile is null then 0 else save_rate_percentile end
        + case when share_rate_percentile is null then 0 else share_rate_percentile end as part_sum
    from preferred
    where age_rank = 1

),

scored as (

    select
        *,
        {{ stable('100e0 * part_sum / nullif(part_count, 0)') }} as score
    from parts

)

select
    account_name,
    platform,
    post_id,
    score_age_hours,
    peer_count,
    score,
    {{ mid_rank('score', 'account_name, platform') }} as score_percentile,
    reach_percentile,
    engagement_rate_percentile,
    save_rate_percentile,
    share_rate_percentile,
    {{ stable(ratio('reach_value', 'reach_median')) }} as outlier_multiple
from scored
