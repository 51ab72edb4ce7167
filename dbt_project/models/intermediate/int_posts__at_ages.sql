-- Grain: one row per account, platform, post and standard age that the post's snapshots bracket.
-- Between the two snapshots around the age, ln(1 + count) is taken as linear in ln(age).
with

snapshots as (

    select *
    from {{ ref('int_snapshots__published') }}
    -- A scrape can see a post seconds after, or by a derived time even before, its publication.
    where age_hours > 0

),

ages as (

    select * from {{ ref('standard_ages') }}

),

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
    cross join ages
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
        age_label,
        age_hours
        {%- for metric in aged_metrics() %},
        case
            when {{ metric }}_age_after - {{ metric }}_age_before > max_gap_hours then null
            when {{ metric }}_age_after = {{ metric }}_age_before
                then cast({{ metric }}_before as double)
            -- Rounded to a millionth of a count, so that the last bits of exp and ln, which differ
            -- between machines, never reach a mart.
            else
                round(
                    exp(
                        ln(1.0 + {{ metric }}_before)
                        + (ln(1.0 + {{ metric }}_after) - ln(1.0 + {{ metric }}_before))
                        * (ln(age_hours) - ln({{ metric }}_age_before))
                        / (ln({{ metric }}_age_after) - ln({{ metric }}_age_before))
                    ) - 1.0,
                    6
                )
        end as {{ metric }}_count
        {%- endfor %}
    from brackets

)

select *
from interpolated
where
    false
    {%- for metric in aged_metrics() %}
    or {{ metric }}_count is not null
    {%- endfor %}
