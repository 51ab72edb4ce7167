-- Grain: one row per account, platform, metric and standard age: how much of its 7-day value a
-- post usually has at that age.
with

posts as (

    select * from {{ ref('int_posts__engagement') }}

),

shares as (

    {% for metric in ['view', 'engagement'] %}{% for age in ['24h', '72h', '28d'] %}
    select
        account_name,
        platform,
        '{{ metric }}' as metric,
        '{{ age }}' as age_label,
        {{ ratio(metric ~ '_' ~ age, metric ~ '_7d') }} as share_of_7d
    from posts
    union all
    {% endfor %}{% endfor %}
    select
        account_name,
        platform,
        metric,
        '7d' as age_label,
        share_of_7d
    from (
        select
            account_name,
            platform,
            'view' as metric,
            {{ ratio('view_7d', 'view_7d') }} as share_of_7d
        from posts
        union all
        select
            account_name,
            platform,
            'engagement' as metric,
            {{ ratio('engagement_7d', 'engagement_7d') }} as share_of_7d
        from posts
    ) as at_7d

)

select
    shares.account_name,
    shares.platform,
    shares.metric,
    ages.age_hours,
    count(*) as post_count,
    cast(percentile_cont(0.5) within group (order by shares.share_of_7d) as double)
        as share_of_7d_median,
    cast(percentile_cont(0.1) within group (order by shares.share_of_7d) as double)
        as share_of_7d_p10,
    cast(percentile_cont(0.9) within group (order by shares.share_of_7d) as double)
        as share_of_7d_p90
from shares
inner join {{ ref('standard_ages') }} as ages
    on shares.age_label = ages.age_label
where shares.share_of_7d is not null
group by shares.account_name, shares.platform, shares.metric, ages.age_hours
