-- Grain: one row per account, platform, post and own figure that lies outside of what the middle
-- 80 % of the account's posts on that platform have at the same age.
with

own_posts as (

    select engagement.*
    from {{ ref('int_posts__engagement') }} as engagement
    inner join {{ ref('int_posts__labelled') }} as labelled
        on
            engagement.account_name = labelled.account_name
            and engagement.platform = labelled.platform
            and engagement.post_id = labelled.post_id
    -- Paid reach is another population; "not told" is not "paid".
    where labelled.is_ad is distinct from true

),

counted_terms as (

    select
        account_name,
        platform,
        engagement_terms as usual_terms,
        row_number() over (
            partition by account_name, platform
            order by count(*) desc nulls last, engagement_terms asc nulls last
        ) as place
    from own_posts
    where engagement_terms is not null
    group by account_name, platform, engagement_terms

),

posts as (

    select
        own_posts.*,
        counted_terms.usual_terms
    from own_posts
    left join counted_terms
        on
            own_posts.account_name = counted_terms.account_name
            and own_posts.platform = counted_terms.platform
            and counted_terms.place = 1

),

long as (

    {% for figure in own_figures() %}{% set outer = loop %}{% for age in figure.ages %}
    select
        account_name,
        platform,
        post_id,
        '{{ figure.name }}' as figure,
        {{ {'24h': 24, '72h': 72, '7d': 168, '28d': 672}[age] }} as age_hours,
        {% set over = figure.over | replace('{age}', age) %}
        {{ over }} as numerator,
        {% if figure.per %}
        {% set per = figure.per | replace('{age}', age) %}
        {{ per }} as denominator,
        {{ ratio(over, per) }} as value
        {% else %}
        cast(null as double) as denominator,
        cast({{ over }} as double) as value
        {% endif %}
    from posts
    {% if figure.has_terms %}
    -- A sum of other terms is another quantity.
    where engagement_terms = usual_terms
    {% endif %}
    {{ 'union all' if not (outer.last and loop.last) }}
    {% endfor %}{% endfor %}

),

usual as (

    select
        account_name,
        platform,
        figure,
        age_hours,
        count(*) as peer_count,
        cast(percentile_cont(0.5) within group (order by value asc) as double) as usual_value,
        cast(percentile_cont(0.1) within group (order by value asc) as double) as usual_low,
        cast(percentile_cont(0.9) within group (order by value asc) as double) as usual_high
    from long
    where value is not null
    group by account_name, platform, figure, age_hours

),

-- Of the ages at which the post can be compared with at least ten, the oldest counts.
compared as (

    select
        long.account_name,
        long.platform,
        long.post_id,
        long.figure,
        long.age_hours,
        long.numerator,
        long.denominator,
        long.value,
        usual.peer_count,
        usual.usual_value,
        usual.usual_low,
        usual.usual_high,
        row_number() over (
            partition by long.account_name, long.platform, long.post_id, long.figure
            order by long.age_hours desc nulls last
        ) as age_rank
    from long
    inner join usual
        on
            long.account_name = usual.account_name
            and long.platform = usual.platform
            and long.figure = usual.figure
            and long.age_hours = usual.age_hours
    where
        long.value is not null
        and usual.peer_count >= 10
        and usual.usual_value > 0

),

-- A figure made of few events says little: half an event is added, and the logarithm of a count
-- has a standard error of about one over its root. That of the usual is small beside it, because
-- the figure lies outside of the middle 80 % of at least ten.
measured as (

    select
        account_name,
        platform,
        post_id,
        figure,
        age_hours,
        peer_count,
        value,
        usual_value,
        usual_low,
        usual_high,
        case
            when denominator is null then (numerator + 0.5e0) / nullif(usual_value, 0)
            else (numerator + 0.5e0) / (denominator + 0.5e0) / nullif(usual_value, 0)
        end as careful_ratio,
        sqrt(
            1e0 / (numerator + 0.5e0)
            + case when denominator is null then 0e0 else 1e0 / (denominator + 0.5e0) end
        ) as log_ratio_error
    from compared
    where
        age_rank = 1
        and numerator >= 0
        and (value < usual_low or value > usual_high)

)

select
    account_name,
    platform,
    post_id,
    figure,
    cast(age_hours as integer) as age_hours,
    cast(peer_count as integer) as peer_count,
    {{ stable('value') }} as value,
    {{ stable('usual_value') }} as usual_value,
    {{ stable('usual_low') }} as usual_low,
    {{ stable('usual_high') }} as usual_high,
    {{ stable(ratio('value', 'usual_value')) }} as usual_ratio,
    {{ stable('careful_ratio * exp(-1.645e0 * log_ratio_error)') }} as usual_ratio_low,
    {{ stable('careful_ratio * exp(1.645e0 * log_ratio_error)') }} as usual_ratio_high,
    {{ stable('abs(ln(careful_ratio)) / nullif(log_ratio_error, 0)') }} as log_ratio_errors
from measured
where
    -- The figure's own noise does not reach the account's usual, on the side that it lies on.
    (value > usual_high and ln(careful_ratio) >= 1.645e0 * log_ratio_error)
    or (value < usual_low and ln(careful_ratio) <= -1.645e0 * log_ratio_error)
