{{ config(
    post_hook="{{ note_scrapes_read('int_posts__tracked', 'int_snapshots__published') }}",
    **grows_by(
        ['account_name', 'platform', 'post_id'],
        grain=['account_name', 'platform', 'post_id'],
    )
) }}
-- Grain: one row per account, platform and post: its newest snapshot, and what all of them say.
-- A post that was seen again is brought on from what is known of it here; its snapshots are read
-- from the first one again only where one came late, or twice for a moment.
{% set is_new = of_new_scrapes('scrape_id', 'int_posts__tracked', 'int_snapshots__published') %}
{% set newest_columns = [
    'author_handle', 'caption', 'post_url', 'is_pinned', 'audio_id', 'age_hours',
] + count_metrics() %}
{# Exports differ in what they tell; what any of them told about the post stays known. #}
{% set lasting_columns = ['media_type', 'slide_count', 'duration_s', 'is_ad'] %}

with

-- Read twice rather than kept between: its rows are many and wide.
new_snapshots as {{ not_kept() }} (

    select *
    from {{ ref('int_snapshots__published') }}
    where {{ is_new }}

),

{% if is_incremental() %}
read_again as (

    select
        new_snapshots.account_name,
        new_snapshots.platform,
        new_snapshots.post_id
    from new_snapshots
    inner join {{ this }} as former
        on
            new_snapshots.account_name = former.account_name
            and new_snapshots.platform = former.platform
            and new_snapshots.post_id = former.post_id
            and new_snapshots.scraped_at <= former.last_seen_at
    group by new_snapshots.account_name, new_snapshots.platform, new_snapshots.post_id

),

snapshots as (

    select new_snapshots.*
    from new_snapshots
    left join read_again
        on
            new_snapshots.account_name = read_again.account_name
            and new_snapshots.platform = read_again.platform
            and new_snapshots.post_id = read_again.post_id
    where read_again.post_id is null
    union all
    select every_snapshot.*
    from {{ ref('int_snapshots__published') }} as every_snapshot
    inner join read_again
        on
            every_snapshot.account_name = read_again.account_name
            and every_snapshot.platform = read_again.platform
            and every_snapshot.post_id = read_again.post_id

),

former as (

    select former.*
    from {{ this }} as former
    left join read_again
        on
            former.account_name = read_again.account_name
            and former.platform = read_again.platform
            and former.post_id = read_again.post_id
    where read_again.post_id is null

),
{% else %}
snapshots as {{ not_kept() }} (

    select * from new_snapshots

),
{% endif %}

listings as (

    select scrape_id
    from {{ source('raw', 'scrapes') }}
    where {{ is_listing() }}

),

gathered as (

    select
        snapshots.account_name,
        snapshots.platform,
        snapshots.post_id,
        min(snapshots.posted_at) as posted_at
        {%- for column in lasting_columns %},
        max_by(snapshots.{{ column }}, snapshots.scraped_at) filter (
            where snapshots.{{ column }} is not null
        ) as {{ column }}
        {%- endfor %},
        min(snapshots.view_definition_id) as lowest_view_definition_id,
        max(snapshots.view_definition_id) as highest_view_definition_id,
        count(*) as snapshot_count,
        min(snapshots.scraped_at) as first_seen_at,
        max(snapshots.scraped_at) as last_seen_at,
        -- A post that was looked up by its address is seen, but not listed.
        max(case when listings.scrape_id is not null then snapshots.scraped_at end)
            as last_listed_at
    from snapshots
    left join listings
        on snapshots.scrape_id = listings.scrape_id
    group by snapshots.account_name, snapshots.platform, snapshots.post_id

),

with_newest as (

    select
        gathered.*
        {%- for column in newest_columns %},
        snapshots.{{ column }}
        {%- endfor %}
    from gathered
    inner join snapshots
        on
            gathered.account_name = snapshots.account_name
            and gathered.platform = snapshots.platform
            and gathered.post_id = snapshots.post_id
            and gathered.last_seen_at = snapshots.scraped_at

)

{% if is_incremental() %}
select
    seen.account_name,
    seen.platform,
    seen.post_id,
    least(seen.posted_at, former.posted_at) as posted_at
    {%- for column in lasting_columns %},
    coalesce(seen.{{ column }}, former.{{ column }}) as {{ column }}
    {%- endfor %},
    least(seen.lowest_view_definition_id, former.lowest_view_definition_id)
        as lowest_view_definition_id,
    greatest(seen.highest_view_definition_id, former.highest_view_definition_id)
        as highest_view_definition_id,
    case
        when former.post_id is null then seen.snapshot_count
        else former.snapshot_count + seen.snapshot_count
    end as snapshot_count,
    coalesce(former.first_seen_at, seen.first_seen_at) as first_seen_at,
    seen.last_seen_at,
    coalesce(seen.last_listed_at, former.last_listed_at) as last_listed_at
    {%- for column in newest_columns %},
    seen.{{ column }}
    {%- endfor %}
from with_newest as seen
left join former
    on
        seen.account_name = former.account_name
        and seen.platform = former.platform
        and seen.post_id = former.post_id
{% else %}
select * from with_newest
{% endif %}
