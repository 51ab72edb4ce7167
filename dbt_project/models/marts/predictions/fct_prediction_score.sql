-- Grain: one row per stored prediction whose outcome became known after it was stored.
-- Losses are on the log scale that predictions are made on: ln(views + 1), ln(rate + 0.001).
{% set logged = ['outcome', 'expected', 'low', 'high'] %}
{% set baseline_logged = ['baseline_expected', 'baseline_low', 'baseline_high'] %}
{% set quantiles = {'10': ['low', 0.1], '50': ['expected', 0.5], '90': ['high', 0.9]} %}
{% set nearness = "case when predictions.predicted_at <= posts.posted_at then 0 else 1 end" %}
with

predictions as (

    select * from {{ source('raw', 'state_predictions') }}

),

posts as (

    select
        account_name,
        platform,
        post_id,
        planned_id,
        posted_at
    from {{ ref('dim_post') }}

),

of_plans as (

    select
        predictions.prediction_id,
        posts.post_id,
        -- One plan has one post on a platform; if a person says otherwise, the first one counts.
        row_number() over (
            partition by predictions.prediction_id
            order by posts.posted_at asc nulls last, posts.post_id asc nulls last
        ) as place
    from predictions
    inner join posts
        on
            predictions.account_name = posts.account_name
            and predictions.platform = posts.platform
            and predictions.planned_id = posts.planned_id

),

matched as (

    select
        predictions.*,
        coalesce(predictions.post_id, of_plans.post_id) as scored_post_id
    from predictions
    left join of_plans
        on
            predictions.prediction_id = of_plans.prediction_id
            and of_plans.place = 1

),

matched_posts as (

    select distinct
        account_name,
        platform,
        scored_post_id as post_id
    from matched
    where scored_post_id is not null

),

-- An outcome lies between two snapshots: it is known from the later one on.
seen as (

    select
        snapshots.account_name,
        snapshots.platform,
        snapshots.post_id,
        min(case when snapshots.view_count is not null then snapshots.scraped_at end) as views_at,
        min(case when snapshots.like_count is not null then snapshots.scraped_at end) as likes_at,
        min(case when snapshots.comment_count is not null then snapshots.scraped_at end)
            as comments_at,
        min(case when snapshots.share_count is not null then snapshots.scraped_at end)
            as shares_at,
        min(case when snapshots.save_count is not null then snapshots.scraped_at end) as saves_at
    from {{ ref('int_snapshots__published') }} as snapshots
    inner join matched_posts
        on
            snapshots.account_name = matched_posts.account_name
            and snapshots.platform = matched_posts.platform
            and snapshots.post_id = matched_posts.post_id
    where snapshots.age_hours >= 168
    group by snapshots.account_name, snapshots.platform, snapshots.post_id

),

known as (

    select
        outcomes.account_name,
        outcomes.platform,
        outcomes.post_id,
        outcomes.outcome as target,
        outcomes.value as outcome,
        case
            when outcomes.outcome = 'views_7d' then seen.views_at
            else
                greatest(
                    seen.views_at, seen.likes_at, seen.comments_at, seen.shares_at, seen.saves_at
                )
        end as scored_at
    from {{ ref('int_post_outcomes') }} as outcomes
    inner join seen
        on
            outcomes.account_name = seen.account_name
            and outcomes.platform = seen.platform
            and outcomes.post_id = seen.post_id
    where
        outcomes.outcome in ('views_7d', 'engagement_rate_7d')
        and outcomes.value >= 0

),

scored as (

    select
        predictions.prediction_id,
        predictions.account_name,
        predictions.platform,
        predictions.scored_post_id as post_id,
        predictions.planned_id,
        predictions.target,
        predictions.model_name,
        predictions.model_version,
        predictions.predicted_at,
        posts.posted_at,
        known.scored_at,
        known.outcome,
        predictions.expected,
        predictions.low,
        predictions.high,
        predictions.baseline_expected,
        predictions.baseline_low,
        predictions.baseline_high,
        predictions.breakout_threshold,
        predictions.breakout_probability,
        cast({{ json_text('predictions.features', '$.reflexion_weight') }} as double)
            as reflexion_weight,
        case when predictions.target = 'views_7d' then 1e0 else 0.001e0 end as log_offset,
        row_number() over (
            partition by
                predictions.account_name,
                predictions.platform,
                predictions.scored_post_id,
                predictions.target
            -- The last word before the post went out, or else the first one after it.
            order by
                {{ nearness }} asc nulls last,
                abs({{ hours_between('predictions.predicted_at', 'posts.posted_at') }})
                asc nulls last,
                predictions.prediction_id asc nulls last
        ) as place
    from matched as predictions
    inner join posts
        on
            predictions.account_name = posts.account_name
            and predictions.platform = posts.platform
            and predictions.scored_post_id = posts.post_id
    inner join known
        on
            predictions.account_name = known.account_name
            and predictions.platform = known.platform
            and predictions.scored_post_id = known.post_id
            and predictions.target = known.target
    -- What was said when the outcome was known is no prediction.
    where predictions.predicted_at < known.scored_at

),

on_log_scale as (

    select
        *
        {%- for name in logged + baseline_logged %},
        {{ stable_log(name ~ ' + log_offset') }} as log_{{ name }}
        {%- endfor %}
    from scored

),

lost as (

    select
        *
        {%- for before in ['', 'baseline_'] %}
        {%- for level, quantile in quantiles.items() %}
        {%- set missed = '(log_outcome - log_' ~ before ~ quantile[0] ~ ')' %},
        greatest(
            {{ quantile[1] }}e0 * {{ missed }}, ({{ quantile[1] }}e0 - 1e0) * {{ missed }}
        ) as {{ before }}pinball_loss_{{ level }}
        {%- endfor %}
        {%- endfor %}
    from on_log_scale

)

select
    prediction_id,
    account_name,
    platform,
    post_id,
    planned_id,
    target,
    model_name,
    model_version,
    predicted_at,
    posted_at,
    scored_at,
    place = 1 as is_counted,
    outcome,
    expected,
    low,
    high,
    baseline_expected,
    baseline_low,
    baseline_high,
    reflexion_weight,
    {{ stable('log_outcome - log_expected') }} as log_gap,
    {%- for before in ['', 'baseline_'] %}
    {%- for level in quantiles %}
    {{ stable(before ~ 'pinball_loss_' ~ level) }} as {{ before }}pinball_loss_{{ level }},
    {%- endfor %}
    {{ stable(
        '(' ~ before ~ 'pinball_loss_10 + ' ~ before ~ 'pinball_loss_50 + ' ~ before
        ~ 'pinball_loss_90) / 3e0'
    ) }} as {{ before }}pinball_loss,
    {%- endfor %}
    outcome >= low and outcome <= high as is_within_interval,
    outcome >= baseline_low and outcome <= baseline_high as is_within_baseline_interval,
    abs(exp(log_expected - log_outcome) - 1e0) <= 0.25e0 as is_within_25_percent,
    abs(exp(log_baseline_expected - log_outcome) - 1e0) <= 0.25e0 as is_baseline_within_25_percent,
    breakout_probability,
    -- Without a threshold nothing was said about a breakout.
    outcome >= breakout_threshold as is_breakout,
    {{ stable(
        '(breakout_probability - case when outcome >= breakout_threshold then 1e0 else 0e0 end)'
        ~ ' * (breakout_probability - case when outcome >= breakout_threshold then 1e0'
        ~ ' else 0e0 end)'
    ) }} as breakout_brier
from lost
