-- Grain: one row per account, platform, format (* for all posts), metric and standard age with at
-- least five posts: how much of its 7-day value a post usually has at that age.
with

posts as (

    select
        engagement.*,
        labelled.format,
        growth.growth_shape
    from {{ ref('int_posts__engagement') }} as engagement
    inner join {{ ref('int_posts__labelled') }} as labelled
        on
            engagement.account_name = labelled.account_name
            and engagement.platform = labelled.platform
            and engagement.post_id = labelled.post_id
    inner join {{ ref('int_posts__growth') }} as growth
        on
            engagement.account_name = growth.account_name
            and engagement.platform = growth.platform
            and engagement.post_id = growth.post_id

),

shares as (

    {% for metric in ['view', 'engagement'] %}{% for age in standard_age_labels() %}
    select
        account_name,
        platform,
        post_id,
        format,
        '{{ metric }}' as metric,
        '{{ age }}' as age_label,
        {{ ratio(metric ~ '_' ~ age, metric ~ '_7d') }} as share_of_7d
    from posts
    {{ 'union all' if not loop.last }}
    {% endfor %}{{ 'union all' if not loop.last }}{% endfor %}

),

grouped as (

    select
        account_name,
        platform,
        '*' as format,
        metric,
        age_label,
        post_id,
        share_of_7d
    from shares
    where share_of_7d is not null
    union all
    select
        account_name,
        platform,
        format,
        metric,
        age_label,
        post_id,
        share_of_7d
    from shares
    where
        share_of_7d is not null
        and format is not null

),

ranked as (

    select
        *,
        count(*) over (
            partition by account_name, platform, format, metric, age_label
        ) as group_count,
        row_number() over (
            partition by account_name, platform, format, metric, age_label
            order by share_of_7d asc nulls last, post_id asc nulls last
        ) as place
    from grouped

),

-- The median lies between two of the posts themselves with a probability that depends on their
-- places alone, whatever the distribution (Conover, 1999, Practical Nonparametric Statistics, 3.2).
bounded as (

    select
        *,
        greatest(1, round(group_count / 2e0 - 1.6449e0 * sqrt(group_count) / 2e0)) as place_low,
        least(group_count, round(1e0 + group_count / 2e0 + 1.6449e0 * sqrt(group_count) / 2e0))
            as place_high
    from ranked
    where group_count >= 5

),

curves as (

    select
        account_name,
        platform,
        format,
        metric,
        age_label,
        count(*) as post_count,
        {%- for name, quantile in [
            ('median', 0.5), ('quartile_low', 0.25), ('quartile_high', 0.75), ('p10', 0.1), ('p90', 0.9),
        ] %}
        {{ stable(
            'cast(percentile_cont(' ~ quantile
            ~ ') within group (order by share_of_7d asc nulls last) as double)'
        ) }}
            as share_of_7d_{{ name }},
        {%- endfor %}
        max(case when place = place_low then share_of_7d end) as share_of_7d_median_low,
        max(case when place = place_high then share_of_7d end) as share_of_7d_median_high
    from bounded
    group by account_name, platform, format, metric, age_label

),

shapes as (

    select
        account_name,
        platform,
        format
        {%- for shape in growth_shapes() %},
        count(case when growth_shape = '{{ shape }}' then 1 end) as {{ shape }}_post_count
        {%- endfor %}
    from (
        select
            account_name,
            platform,
            '*' as format,
            growth_shape
        from posts
        union all
        select
            account_name,
            platform,
            format,
            growth_shape
        from posts
        where format is not null
    ) as shaped
    group by account_name, platform, format

)

select
    curves.account_name,
    curves.platform,
    curves.format,
    curves.metric,
    ages.age_hours,
    curves.post_count,
    curves.share_of_7d_median,
    curves.share_of_7d_median_low,
    curves.share_of_7d_median_high,
    curves.share_of_7d_quartile_low,
    curves.share_of_7d_quartile_high,
    curves.share_of_7d_p10,
    curves.share_of_7d_p90
    {%- for shape in growth_shapes() %},
    shapes.{{ shape }}_post_count
    {%- endfor %}
from curves
inner join {{ ref('standard_ages') }} as ages
    on curves.age_label = ages.age_label
inner join shapes
    on
        curves.account_name = shapes.account_name
        and curves.platform = shapes.platform
        and curves.format = shapes.format
