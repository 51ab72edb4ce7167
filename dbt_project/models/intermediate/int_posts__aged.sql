{{ config(
    post_hook="{{ note_scrapes_read('int_posts__aged', 'int_snapshots__published') }}",
    **grows_by(
        ['account_name', 'platform', 'post_id'],
        grain=['account_name', 'platform', 'post_id'],
    )
) }}
-- Grain: one row per account, platform and post that was seen near a standard age: its counts at
-- each of them. Between the two snapshots around an age, ln(1 + count) is taken as linear in
-- ln(age). A post that was seen at no such age lately stays as it is: those before are frozen.
{% set is_new = of_new_scrapes('scrape_id', 'int_posts__aged', 'int_snapshots__published') %}

with

ages as (

    select * from {{ ref('standard_ages') }}

),

every_snapshot as (

    select snapshots.*
    from {{ ref('int_snapshots__published') }} as snapshots
    -- A scrape can see a post seconds after, or by a derived time even before, its publication.
    -- What lies further from every age than its bracket may be wide can never be an end of one.
    where
        snapshots.age_hours > 0
        and snapshots.age_hours <= (select max(age_hours + max_gap_hours) from ages)

),

{% if is_incremental() %}
touched as (

    select distinct
        account_name,
        platform,
        post_id
    from every_snapshot
    where {{ is_new }}

),

snapshots as (

    select every_snapshot.*
    from every_snapshot
    inner join touched
        on
            every_snapshot.account_name = touched.account_name
            and every_snapshot.platform = touched.platform
            and every_snapshot.post_id = touched.post_id

),
{% else %}
snapshots as (

    select * from every_snapshot

),
{% endif %}

brackets as (

    select
        snapshots.account_name,
        snapshots.platform,
        snapshots.post_id,
        ages.age_label,
        ages.age_hours,
        ages.max_gap_hours
        {%- for metric in aged_metrics() %},
        max(snapshots.age_hours) filter (
            where snapshots.age_hours <= ages.age_hours and snapshots.{{ metric }}_count is not null
        ) as {{ metric }}_age_before,
        max_by(snapshots.{{ metric }}_count, snapshots.age_hours) filter (
            where snapshots.age_hours <= ages.age_hours and snapshots.{{ metric }}_count is not null
        ) as {{ metric }}_before,
        min(snapshots.age_hours) filter (
            where snapshots.age_hours >= ages.age_hours and snapshots.{{ metric }}_count is not null
        ) as {{ metric }}_age_after,
        min_by(snapshots.{{ metric }}_count, snapshots.age_hours) filter (
            where snapshots.age_hours >= ages.age_hours and snapshots.{{ metric }}_count is not null
        ) as {{ metric }}_after
        {%- endfor %}
    from snapshots
    -- A bracket that ends further away than it may be wide is none.
    left join ages
        on
            snapshots.age_hours >= ages.age_hours - ages.max_gap_hours
            and snapshots.age_hours <= ages.age_hours + ages.max_gap_hours
    group by
        snapshots.account_name,
        snapshots.platform,
        snapshots.post_id,
        ages.age_label,
        ages.age_hours,
        ages.max_gap_hours

),

interpolated as (

    select
        account_name,
        platform,
        post_id,
        age_label
        {%- for metric in aged_metrics() %},
        case
            when {{ metric }}_age_after - {{ metric }}_age_before > max_gap_hours then null
            when {{ metric }}_age_after = {{ metric }}_age_before
                then cast({{ metric }}_before as double)
            -- Rounded to a millionth of a count, so that the last bits of exp and ln, which differ
            -- between machines, never reach a mart.
            else
                {{ rounded(
                    'exp(ln(1e0 + ' ~ metric ~ '_before)'
                    ~ ' + (ln(1e0 + ' ~ metric ~ '_after) - ln(1e0 + ' ~ metric ~ '_before))'
                    ~ ' * (ln(age_hours) - ln(' ~ metric ~ '_age_before))'
                    ~ ' / nullif(ln(' ~ metric ~ '_age_after) - ln(' ~ metric ~ '_age_before), 0)'
                    ~ ') - 1e0', 6
                ) }}
        end as {{ metric }}_count
        {%- endfor %}
    from brackets

)

select
    account_name,
    platform,
    post_id
    {%- for age in standard_age_labels() %}{% for metric in aged_metrics() %},
    max(case when age_label = '{{ age }}' then {{ metric }}_count end) as {{ metric }}_{{ age }}
    {%- endfor %}{% endfor %}
from interpolated
group by account_name, platform, post_id
