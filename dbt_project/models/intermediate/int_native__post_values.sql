-- Grain: one row per account, platform and post that a platform's own export tells about: the
-- newest export's value since publication of each metric.
with

ranked as (

    select
        *,
        row_number() over (
            partition by account_name, platform, post_id, metric
            order by
                exported_at desc nulls last,
                scrape_id desc nulls last,
                source_label asc nulls last
        ) as age_rank
    from {{ source('raw', 'native_metrics') }}
    where
        scope = 'post'
        -- Values of single days do not add up to those since publication.
        and day is null
        and value is not null

)

select
    account_name,
    platform,
    post_id,
    {%- for metric in native_post_metrics() %}
    max(case when metric = '{{ metric }}' then value end) as {{ metric }},
    {%- endfor %}
    max(exported_at) as exported_at
from ranked
where age_rank = 1
group by account_name, platform, post_id
