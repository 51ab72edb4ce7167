-- Grain: one row per account, platform, outcome, period (7d, 30d, 90d or month) and its first day:
-- the posts of a period against those of the period before it, all at 7 days of age.
{% set windows = [7, 30, 90] %}
with

ends as (

    select
        account_name,
        platform,
        max(last_seen_date) as as_of_date
    from {{ ref('int_posts__comparable') }}
    group by account_name, platform

),

posts as (

    select
        outcomes.account_name,
        outcomes.platform,
        outcomes.outcome,
        outcomes.value,
        outcomes.log_value,
        posts.local_date,
        {{ month_of('posts.local_date') }} as month_start,
        ends.as_of_date,
        -- Posts of the last seven days have not reached the age at which all are read.
        {{ days_between('posts.local_date', 'ends.as_of_date') }} - 8 as days_before_end
    from {{ ref('int_post_outcomes') }} as outcomes
    inner join {{ ref('int_posts__comparable') }} as posts
        on
            outcomes.account_name = posts.account_name
            and outcomes.platform = posts.platform
            and outcomes.post_id = posts.post_id
    inner join ends
        on
            posts.account_name = ends.account_name
            and posts.platform = ends.platform
    where
        posts.local_date is not null
        and outcomes.outcome in ({{ quoted(compared_outcomes()) }})

),

periods as (

    {% for days in windows %}
    select
        *,
        '{{ days }}d' as period,
        case when days_before_end < {{ days }} then 0 else 1 end as periods_ago,
        {{ date_plus_days('as_of_date', '-' ~ (8 + days - 1)) }} as period_start,
        {{ date_plus_days('as_of_date', '-8') }} as period_end,
        {{ date_plus_days('as_of_date', '-' ~ (8 + 2 * days - 1)) }} as before_start,
        {{ date_plus_days('as_of_date', '-' ~ (8 + days)) }} as before_end
    from posts
    where days_before_end >= 0 and days_before_end < {{ 2 * days }}
    union all
    {% endfor %}
    {% for ago in [0, 1] %}
    select
        *,
        'month' as period,
        {{ ago }} as periods_ago,
        {{ date_plus_months('month_start', ago) }} as period_start,
        {{ date_plus_days(date_plus_months('month_start', ago + 1), '-1') }} as period_end,
        {{ date_plus_months('month_start', ago - 1) }} as before_start,
        {{ date_plus_days(date_plus_months('month_start', ago), '-1') }} as before_end
    from posts
    where {{ days_between(date_plus_months('month_start', ago + 1), 'as_of_date') }} >= 7
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

summed as (

    select
        account_name,
        platform,
        outcome,
        period,
        period_start,
        period_end,
        before_start,
        before_end
        {%- for suffix, ago in [('', 0), ('_before', 1)] %},
        count(case when periods_ago = {{ ago }} then 1 end) as n{{ suffix }},
        percentile_cont(0.5) within group (
            order by case when periods_ago = {{ ago }} then value end asc
        ) as median{{ suffix }},
        {{ mean_of_logs('case when periods_ago = ' ~ ago ~ ' then log_value end') }}
            as log_mean{{ suffix }},
        var_samp(case when periods_ago = {{ ago }} then log_value end) as log_variance{{ suffix }}
        {%- endfor %}
    from periods
    group by
        account_name,
        platform,
        outcome,
        period,
        period_start,
        period_end,
        before_start,
        before_end

),

definitions as (

    select
        platform,
        metric,
        valid_from,
        definition_id <> lag(definition_id) over (
            partition by platform, media_type, metric order by valid_from asc nulls last
        ) as is_change
    from {{ ref('metric_availability') }}

),

-- Which counts an outcome is made of.
made_of as (

    {% for outcome in compared_outcomes() %}
    {% set counts = (['view'] if 'views' in outcome or 'rate' in outcome else [])
        + (['like', 'comment', 'share', 'save'] if 'engagement' in outcome else [])
        + (['save'] if outcome.startswith('save') else [])
        + (['share'] if outcome.startswith('share') else []) %}
    {% set last_outcome = loop.last %}
    {% for count in counts %}
    select
        '{{ outcome }}' as outcome,
        '{{ count }}_count' as metric
    {{ 'union all' if not (loop.last and last_outcome) }}
    {% endfor %}
    {% endfor %}

),

changes as (

    select distinct
        platform,
        outcome,
        valid_from as changed_on
    from definitions
    inner join made_of
        on definitions.metric = made_of.metric
    where is_change

),

flagged as (

    select
        summed.account_name,
        summed.platform,
        summed.outcome,
        summed.period,
        summed.period_start,
        max(changes.changed_on) as definition_changed_on
    from summed
    inner join changes
        on
            summed.platform = changes.platform
            and summed.outcome = changes.outcome
            and summed.before_start < changes.changed_on
            -- The last post of the period is read a week later.
            and {{ date_plus_days('summed.period_end', 7) }} >= changes.changed_on
    group by
        summed.account_name,
        summed.platform,
        summed.outcome,
        summed.period,
        summed.period_start

),

compared as (

    select
        summed.*,
        flagged.definition_changed_on,
        summed.n >= {{ minimum_posts() }} and summed.n_before >= {{ minimum_posts() }} as is_enough,
        summed.log_mean - summed.log_mean_before as log_change,
        sqrt({{ welch_variance('n', 'log_variance', 'n_before', 'log_variance_before') }})
            as log_error,
        {{ welch_degrees('n', 'log_variance', 'n_before', 'log_variance_before') }} as degrees
    from summed
    left join flagged
        on
            summed.account_name = flagged.account_name
            and summed.platform = flagged.platform
            and summed.outcome = flagged.outcome
            and summed.period = flagged.period
            and summed.period_start = flagged.period_start

),

bounded as (

    select
        *,
        ({{ student_quantile('degrees') }}) * log_error as half_width_90,
        ({{ student_quantile('degrees', z_99()) }}) * log_error as half_width_99
    from compared

)

select
    account_name,
    platform,
    outcome,
    period,
    period_start,
    period_end,
    before_start,
    before_end,
    n,
    n_before,
    {{ stable('cast(median as double)') }} as median,
    {{ stable('cast(median_before as double)') }} as median_before,
    case when is_enough then {{ stable('exp(log_change)') }} end as change,
    case when is_enough then {{ stable('exp(log_change - half_width_90)') }} end as change_low,
    case when is_enough then {{ stable('exp(log_change + half_width_90)') }} end as change_high,
    definition_changed_on,
    case
        when not is_enough or half_width_99 is null then 'not_enough_data'
        when definition_changed_on is not null then 'definition_changed'
        when log_change - half_width_99 > 0 then 'up'
        when log_change + half_width_99 < 0 then 'down'
        else 'no_clear_difference'
    end as verdict,
    cast(greatest({{ minimum_posts() }} - n, {{ minimum_posts() }} - n_before, 0) as integer)
        as posts_needed
from bounded
-- A month before the first post is no period.
where n > 0
