-- Grain: one row per account, platform, post and outcome. What effects are measured on.
-- value is in the outcome's own unit; a rate keeps the counts that it was made of.
{% set outcomes = [
    ('views_72h', 72, 'view_72h', none),
    ('views_7d', 168, 'view_7d', none),
    ('engagement_72h', 72, 'engagement_72h', none),
    ('engagement_7d', 168, 'engagement_7d', none),
    ('engagement_rate_7d', 168, 'engagement_7d', 'view_7d'),
    ('save_rate_7d', 168, 'save_7d', 'view_7d'),
    ('share_rate_7d', 168, 'share_7d', 'view_7d'),
] %}

with

posts as (

    select
        engagement.*,
        mode(engagement.engagement_terms) over (
            partition by engagement.account_name, engagement.platform
        ) as usual_terms
    from {{ ref('int_posts__engagement') }} as engagement
    inner join {{ ref('int_posts__labelled') }} as labelled
        on
            engagement.account_name = labelled.account_name
            and engagement.platform = labelled.platform
            and engagement.post_id = labelled.post_id
    -- Paid reach is another population; "not told" is not "paid".
    where labelled.is_ad is distinct from true

),

long as (

    {% for outcome, age_hours, numerator, denominator in outcomes %}
    select
        account_name,
        platform,
        post_id,
        '{{ outcome }}' as outcome,
        {{ age_hours }} as age_hours,
        {% if denominator %}
        {{ ratio(numerator, denominator) }} as value,
        {{ numerator }} as numerator,
        {{ denominator }} as denominator
        {% else %}
        {{ numerator }} as value,
        {{ numerator }} as numerator,
        cast(null as double) as denominator
        {% endif %}
    from posts
    {% if outcome.startswith('engagement') %}
    -- A sum of other terms is another quantity.
    where engagement_terms = usual_terms
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select *
from long
where value is not null
