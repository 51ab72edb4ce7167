-- Grain: one row per account, platform and post that is not paid for, with its labels and, side by
-- side, the outcomes at 7 days of age that it is compared by.
with

posts as (

    select * from {{ ref('int_posts__labelled') }}
    -- Paid reach is another population; "not told" is not "paid".
    where is_ad is distinct from true

),

outcomes as (

    select
        account_name,
        platform,
        post_id,
        max(case when outcome = 'views_7d' then value end) as view_7d,
        max(case when outcome = 'engagement_7d' then value end) as engagement_7d,
        max(case when outcome = 'save_rate_7d' then numerator end) as save_7d,
        max(case when outcome = 'share_rate_7d' then numerator end) as share_7d
        {%- for outcome in compared_outcomes() if '_rate_' in outcome %},
        max(case when outcome = '{{ outcome }}' then value end) as {{ outcome }}
        {%- endfor %}
        {%- for outcome in compared_outcomes() %},
        max(case when outcome = '{{ outcome }}' then log_value end) as log_{{ outcome }}
        {%- endfor %}
    from {{ ref('int_post_outcomes') }}
    group by account_name, platform, post_id

)

select
    posts.account_name,
    posts.platform,
    posts.post_id,
    posts.posted_at,
    posts.local_date,
    posts.local_weekday,
    posts.daypart,
    posts.media_type,
    posts.slide_count,
    posts.format,
    posts.pillar,
    posts.topic,
    posts.hook_style,
    posts.hook_text,
    posts.hook_score,
    posts.cta,
    posts.is_pinned,
    posts.last_seen_at,
    cast({{ local_time('posts.last_seen_at', 'posts.timezone') }} as date) as last_seen_date,
    outcomes.view_7d,
    outcomes.engagement_7d,
    outcomes.save_7d,
    outcomes.share_7d
    {%- for outcome in compared_outcomes() if '_rate_' in outcome %},
    outcomes.{{ outcome }}
    {%- endfor %}
    {%- for outcome in compared_outcomes() %},
    outcomes.log_{{ outcome }}
    {%- endfor %}
from posts
left join outcomes
    on
        posts.account_name = outcomes.account_name
        and posts.platform = outcomes.platform
        and posts.post_id = outcomes.post_id
