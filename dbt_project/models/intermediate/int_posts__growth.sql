-- Grain: one row per account, platform and post: how it grew, in views, or in engagement where
-- views are not published. Counts go down at times; growth is that of the running maximum.
{% set ages = standard_age_labels() %}

with

posts as (

    select
        *,
        coalesce(view_count, view_24h, view_72h, view_7d, view_28d) is not null as is_in_views
    from {{ ref('int_posts__engagement') }}

),

-- Every point of a post's curve. The stage is the number of standard ages that it has reached:
-- where one of them is missing between two points, they are too far apart to be read between.
points as (

    {% for age in ages %}
    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        {{ loop.index }} as stage,
        ages.age_hours,
        case when posts.is_in_views then posts.view_{{ age }} else posts.engagement_{{ age }} end
            as grown_count
    from posts
    inner join {{ ref('standard_ages') }} as ages
        on ages.age_label = '{{ age }}'
    union all
    {% endfor %}
    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        0 as stage,
        snapshots.age_hours,
        cast(
            case
                when posts.is_in_views then snapshots.view_count
                else {{ sum_of_engagement_terms('posts', 'snapshots', '_count') }}
            end as double
        ) as grown_count
    from posts
    inner join {{ ref('int_snapshots__first_day') }} as snapshots
        on
            posts.account_name = snapshots.account_name
            and posts.platform = snapshots.platform
            and posts.post_id = snapshots.post_id

),

running as (

    select
        account_name,
        platform,
        post_id,
        stage,
        age_hours,
        max(grown_count) over (
            partition by account_name, platform, post_id
            order by age_hours asc nulls last
            rows between unbounded preceding and current row
        ) as reached_count
    from points
    where grown_count is not null

),

steps as (

    select
        *,
        lag(stage) over (
            partition by account_name, platform, post_id
            order by age_hours asc nulls last
        ) as stage_before,
        lag(age_hours) over (
            partition by account_name, platform, post_id
            order by age_hours asc nulls last
        ) as age_hours_before,
        lag(reached_count) over (
            partition by account_name, platform, post_id
            order by age_hours asc nulls last
        ) as reached_before,
        max(case when stage > 0 then age_hours end) over (
            partition by account_name, platform, post_id
        ) as reference_age_hours,
        max(case when stage > 0 then reached_count end) over (
            partition by account_name, platform, post_id
        ) as reference_count
    from running

),

-- The first point at or above half; the half lies between it and the point before.
halves as (

    select
        account_name,
        platform,
        post_id,
        reference_age_hours,
        case
            when reached_count = reference_count / 2e0 then age_hours
            when stage - stage_before <= 1
                then {{ rounded(
                    'exp(ln(age_hours_before)'
                    ~ ' + (ln(1e0 + reference_count / 2e0) - ln(1e0 + reached_before))'
                    ~ ' * (ln(age_hours) - ln(age_hours_before))'
                    ~ ' / nullif(ln(1e0 + reached_count) - ln(1e0 + reached_before), 0))', 6
                ) }}
        end as half_life_hours
    from steps
    where
        reference_count > 0
        and reached_count >= reference_count / 2e0
        and (reached_before is null or reached_before < reference_count / 2e0)

),

at_ages as (

    select
        account_name,
        platform,
        post_id
        {%- for age in ages %},
        max(case when stage = {{ loop.index }} then reached_count end) as reached_{{ age }}
        {%- endfor %}
    from running
    group by account_name, platform, post_id

),

grown as (

    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        case
            when posts.is_in_views then 'view'
            when posts.engagement_terms is not null then 'engagement'
        end as growth_metric,
        posts.age_hours,
        {{ ratio('at_ages.reached_24h', 'at_ages.reached_7d') }} as share_of_7d_at_24h,
        -- Rounded, so that a fifth is a fifth when it is compared.
        {{ stable('1e0 - ' ~ ratio('at_ages.reached_7d', 'at_ages.reached_28d')) }}
            as share_after_7d,
        posts.is_in_views,
        posts.view_24h / 24e0 as view_per_hour_24h,
        halves.half_life_hours,
        halves.reference_age_hours as half_life_of_age_hours
    from posts
    left join at_ages
        on
            posts.account_name = at_ages.account_name
            and posts.platform = at_ages.platform
            and posts.post_id = at_ages.post_id
    left join halves
        on
            posts.account_name = halves.account_name
            and posts.platform = halves.platform
            and posts.post_id = halves.post_id

)

select
    account_name,
    platform,
    post_id,
    growth_metric,
    case
        when age_hours < 168 then 'too_young'
        when share_after_7d >= 0.2e0 then 'long_tail'
        when share_of_7d_at_24h >= 0.8e0 then 'spike'
        when share_of_7d_at_24h is not null then 'steady'
    end as growth_shape,
    share_of_7d_at_24h,
    share_after_7d,
    case when is_in_views then share_after_7d end as view_share_after_7d,
    view_per_hour_24h,
    half_life_hours,
    half_life_of_age_hours
from grown
