-- Grain: one row per account, platform and post: numbers now, at standard ages, and their rank
-- among the account's own posts on that platform at equal age.
with

posts as (

    select * from {{ ref('int_posts__labelled') }}

),

engagement as (

    select * from {{ ref('int_posts__engagement') }}

),

scores as (

    select * from {{ ref('int_posts__scored') }}

),

-- Followers when the post went out: those of the newest profile snapshot before it. Posts and
-- snapshots stand in one row of time, in which each snapshot begins a stretch of its own.
stretches as (

    select
        *,
        count(follower_count) over (
            partition by account_name, platform
            order by happened_at asc nulls last, is_post asc nulls last
            rows between unbounded preceding and current row
        ) as stretch
    from (
        select
            account_name,
            platform,
            post_id,
            posted_at as happened_at,
            cast(null as bigint) as follower_count,
            true as is_post
        from posts
        where posted_at is not null
        union all
        select
            account_name,
            platform,
            cast(null as string) as post_id,
            scraped_at as happened_at,
            follower_count,
            false as is_post
        from {{ ref('int_profiles__snapshots') }}
        where follower_count is not null
    ) as happenings

),

followers as (

    select
        account_name,
        platform,
        post_id,
        max(follower_count) over (
            partition by account_name, platform, stretch
        ) as follower_count_at_posting
    from stretches

),

native as (

    select * from {{ ref('int_native__post_values') }}

),

joined as (

    select
        posts.account_name,
        posts.platform,
        posts.post_id,
        posts.posted_at,
        posts.media_type,
        posts.is_ad,
        engagement.scraped_at,
        engagement.age_hours,
        engagement.view_count,
        engagement.like_count,
        engagement.comment_count,
        engagement.share_count,
        engagement.save_count,
        engagement.engagement_count,
        engagement.engagement_terms,
        {%- for age in standard_age_labels() %}{% for metric in aged_metrics() %}
        engagement.{{ metric }}_{{ age }},
        {%- endfor %}
        engagement.engagement_{{ age }},
        {%- endfor %}
        followers.follower_count_at_posting,
        scores.score,
        scores.score_percentile,
        scores.score_age_hours,
        scores.peer_count,
        scores.reach_percentile,
        scores.engagement_rate_percentile,
        scores.save_rate_percentile,
        scores.share_rate_percentile,
        scores.outlier_multiple,
        posts.has_definition_change,
        {%- for metric in native_post_metrics() %}
        native.{{ metric }} as native_{{ metric }},
        {%- endfor %}
        native.exported_at as native_exported_at,
        growth.growth_metric,
        growth.growth_shape,
        growth.view_share_after_7d,
        growth.view_per_hour_24h,
        growth.half_life_hours,
        growth.half_life_of_age_hours
    from posts
    inner join engagement
        on
            posts.account_name = engagement.account_name
            and posts.platform = engagement.platform
            and posts.post_id = engagement.post_id
    left join {{ ref('int_posts__growth') }} as growth
        on
            posts.account_name = growth.account_name
            and posts.platform = growth.platform
            and posts.post_id = growth.post_id
    left join followers
        on
            posts.account_name = followers.account_name
            and posts.platform = followers.platform
            and posts.post_id = followers.post_id
    left join native
        on
            posts.account_name = native.account_name
            and posts.platform = native.platform
            and posts.post_id = native.post_id
    left join scores
        on
            posts.account_name = scores.account_name
            and posts.platform = scores.platform
            and posts.post_id = scores.post_id

),

rated as (

    select
        *,
        {{ ratio('engagement_count', 'view_count') }} as engagement_rate_views,
        {{ ratio('like_count + comment_count + share_count', 'view_count') }}
            as engagement_rate_public,
        {{ ratio('engagement_count', 'follower_count_at_posting') }} as engagement_rate_followers,
        {{ ratio('save_count', 'view_count') }} as save_rate,
        {{ ratio('share_count', 'view_count') }} as share_rate
    from joined

)

select
    account_name,
    platform,
    post_id,
    posted_at,
    media_type,
    is_ad,
    scraped_at,
    age_hours,
    view_count,
    like_count,
    comment_count,
    share_count,
    save_count,
    engagement_count,
    engagement_terms,
    {%- for age in standard_age_labels() %}{% for metric in aged_metrics() + ['engagement'] %}
    {{ metric }}_{{ age }},
    {%- endfor %}{% endfor %}
    follower_count_at_posting,
    engagement_rate_views,
    engagement_rate_public,
    engagement_rate_followers,
    save_rate,
    share_rate,
    score,
    score_percentile,
    score_age_hours,
    peer_count,
    reach_percentile,
    engagement_rate_percentile,
    save_rate_percentile,
    share_rate_percentile,
    case
        when score > 75 then 'overperforming'
        when score >= 40 then 'normal'
        when score < 40 then 'underperforming'
    end as category,
    case
        when engagement_rate_views is null then null
        when engagement_rate_views >= 0.05e0 and engagement_count >= 50 then 'high'
        when engagement_rate_views >= 0.02e0 and engagement_count >= 20 then 'medium'
        else 'low'
    end as tier,
    outlier_multiple,
    growth_metric,
    growth_shape,
    view_share_after_7d,
    view_per_hour_24h,
    half_life_hours,
    half_life_of_age_hours,
    has_definition_change,
    {%- for metric, type in native_post_metric_types().items() %}
    cast(native_{{ metric }} as {{ type }}) as native_{{ metric }},
    {%- endfor %}
    coalesce(
        {{ ratio('coalesce(native_link_clicks, native_clicks)', 'native_impressions') }},
        native_click_through_rate
    ) as click_through_rate,
    native_exported_at
from rated
