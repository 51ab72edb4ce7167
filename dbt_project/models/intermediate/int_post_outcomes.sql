-- Grain: one row per account, platform, post and outcome. What effects are measured on.
-- value is in the outcome's own unit; a rate keeps the counts that it was made of.
with

posts as (

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
        engagement_terms,
        row_number() over (
            partition by account_name, platform
            order by count(*) desc nulls last, engagement_terms asc nulls last
        ) as place
    from posts
    where engagement_terms is not null
    group by account_name, platform, engagement_terms

),

comparable as (

    select
        posts.*,
        -- A sum of other terms is another quantity.
        counted_terms.place = 1 as has_usual_terms
    from posts
    left join counted_terms
        on
            posts.account_name = counted_terms.account_name
            and posts.platform = counted_terms.platform
            and posts.engagement_terms = counted_terms.engagement_terms

),

long as (

    {% for outcome in post_outcomes() %}
    select
        account_name,
        platform,
        post_id,
        '{{ outcome.name }}' as outcome,
        {{ outcome.age_hours }} as age_hours,
        {% if outcome.per %}
        {{ ratio(outcome.count, outcome.per) }} as value,
        {{ outcome.count }} as numerator,
        {{ outcome.per }} as denominator
        {% else %}
        {{ outcome.count }} as value,
        {{ outcome.count }} as numerator,
        cast(null as double) as denominator
        {% endif %}
    from comparable
    {% if outcome.name.startswith('engagement') %}
    where has_usual_terms
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

logged as (

    select
        *,
        -- Half an event more, so that a post without any save has a place on the scale.
        case
            when denominator is null then {{ stable_log('value + 1e0') }}
            else {{ stable_log('(numerator + 0.5e0) / (denominator + 1e0)') }}
        end as log_value
    from long
    where value is not null

),

centres as (

    select
        account_name,
        platform,
        outcome,
        percentile_cont(0.5) within group (order by log_value asc) as log_centre
    from logged
    group by account_name, platform, outcome

),

centred as (

    select
        logged.*,
        centres.log_centre
    from logged
    inner join centres
        on
            logged.account_name = centres.account_name
            and logged.platform = centres.platform
            and logged.outcome = centres.outcome

),

spreads as (

    select
        account_name,
        platform,
        outcome,
        percentile_cont(0.5) within group (order by abs(log_value - log_centre) asc)
            as log_deviation
    from centred
    group by account_name, platform, outcome

)

select
    centred.account_name,
    centred.platform,
    centred.post_id,
    centred.outcome,
    centred.age_hours,
    centred.value,
    centred.numerator,
    centred.denominator,
    centred.log_value,
    -- Outliers are pulled in to 3.5 robust standard deviations around the account's own median. The
    -- rule knows no dimension, so that all of them see the same value of a post.
    case
        when spreads.log_deviation = 0 then centred.log_value
        else
            {{ rounded(
                'least(greatest('
                ~ 'centred.log_value, centred.log_centre - 3.5e0 * 1.4826e0 * spreads.log_deviation'
                ~ '), centred.log_centre + 3.5e0 * 1.4826e0 * spreads.log_deviation)', 6
            ) }}
    end as log_value_pulled_in
from centred
inner join spreads
    on
        centred.account_name = spreads.account_name
        and centred.platform = spreads.platform
        and centred.outcome = spreads.outcome
