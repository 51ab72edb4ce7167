{{ config(
    post_hook="{{ note_scrapes_read('int_snapshots__first_day', 'int_snapshots__published') }}",
    **grows_by(
        ['account_name', 'platform', 'scraped_at'],
        grain=['account_name', 'platform', 'post_id', 'scraped_at'],
        is_by_month=true,
    )
) }}
-- Grain: one row per account, platform, post and scrape moment within the post's first 24 hours.
-- Growth before the first standard age is known from these alone, and they never change later.
{% set is_new = of_new_scrapes(
    'scrape_id', 'int_snapshots__first_day', 'int_snapshots__published', is_by_moment=true
) %}

select
    account_name,
    platform,
    post_id,
    scraped_at,
    age_hours
    {%- for metric in aged_metrics() %},
    {{ metric }}_count
    {%- endfor %}
    {{ month_column('scraped_at') }}
from {{ ref('int_snapshots__published') }}
where
    age_hours > 0
    and age_hours < 24
    and {{ is_new }}
