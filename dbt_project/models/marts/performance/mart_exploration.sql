-- Grain: one row per account, platform, dimension and segment that the account lists or has used:
-- how its newest posts are spread, and what was never or long not tried.
{% set dimensions = ['format', 'pillar', 'cta'] %}
with

listed as (

    select distinct
        account_name,
        dimension,
        segment
    from {{ source('raw', 'account_segments') }}

),

used as (

    select
        segments.account_name,
        segments.platform,
        segments.dimension,
        segments.segment,
        posts.local_date,
        row_number() over (
            partition by segments.account_name, segments.platform, segments.dimension
            order by posts.posted_at desc nulls last, segments.post_id asc nulls last
        ) as place
    from {{ ref('int_post_segments') }} as segments
    inner join {{ ref('int_posts__comparable') }} as posts
        on
            segments.account_name = posts.account_name
            and segments.platform = posts.platform
            and segments.post_id = posts.post_id
    where
        posts.posted_at is not null
        and segments.dimension in ({{ quoted(dimensions) }})

),

uses as (

    select
        account_name,
        platform,
        dimension,
        segment,
        count(*) as post_count,
        count(case when place <= {{ recent_post_count() }} then 1 end) as recent_post_count,
        max(local_date) as last_used_date
    from used
    group by account_name, platform, dimension, segment

),

-- A platform on which the account has labelled posts; the others have tried nothing yet.
profiles as (

    select
        account_name,
        platform,
        dimension,
        sum(post_count) as labelled_post_count,
        sum(recent_post_count) as recent_n,
        max(last_used_date) as newest_date
    from uses
    group by account_name, platform, dimension

),

segments as (

    select
        profiles.account_name,
        profiles.platform,
        profiles.dimension,
        listed.segment
    from profiles
    inner join listed
        on
            profiles.account_name = listed.account_name
            and profiles.dimension = listed.dimension
    union distinct
    select
        account_name,
        platform,
        dimension,
        segment
    from uses

),

joined as (

    select
        segments.account_name,
        segments.platform,
        segments.dimension,
        segments.segment,
        listed.segment is not null as is_listed,
        coalesce(uses.post_count, 0) as post_count,
        coalesce(uses.recent_post_count, 0) as recent_post_count,
        uses.last_used_date,
        {{ days_between('uses.last_used_date', 'profiles.newest_date') }} as days_since_used,
        cast(profiles.labelled_post_count as bigint) as labelled_post_count,
        cast(profiles.recent_n as bigint) as recent_n,
        count(*) over (partition by segments.account_name, segments.platform, segments.dimension)
            as segment_count,
        {{ ratio('coalesce(uses.recent_post_count, 0)', 'profiles.recent_n') }} as recent_share
    from segments
    inner join profiles
        on
            segments.account_name = profiles.account_name
            and segments.platform = profiles.platform
            and segments.dimension = profiles.dimension
    left join uses
        on
            segments.account_name = uses.account_name
            and segments.platform = uses.platform
            and segments.dimension = uses.dimension
            and segments.segment = uses.segment
    left join listed
        on
            segments.account_name = listed.account_name
            and segments.dimension = listed.dimension
            and segments.segment = listed.segment

),

{% set profile = 'account_name, platform, dimension' %}
logged as (

    select
        *,
        case when recent_share > 0 then recent_share * ln(recent_share) else 0e0 end as p_log_p,
        case
            when recent_share > 0 then recent_share * ln(recent_share) * ln(recent_share) else 0e0
        end as p_log_squared
    from joined

),

spread as (

    select
        *,
        -- With Miller's (1955) correction: a sample shows less spread than there is.
        -sum(p_log_p) over (partition by {{ profile }})
        + (count(case when recent_share > 0 then 1 end) over (partition by {{ profile }}) - 1)
        / (2e0 * nullif(recent_n, 0)) as entropy,
        -- Its variance of first and of second order (Harris, 1975): where all are used alike, the
        -- first alone would be no spread at all.
        sqrt(
            greatest(
                sum(p_log_squared) over (partition by {{ profile }})
                - sum(p_log_p) over (partition by {{ profile }})
                * sum(p_log_p) over (partition by {{ profile }}),
                0e0
            ) / nullif(recent_n, 0)
            + (segment_count - 1) / (2e0 * nullif(recent_n * recent_n, 0))
        ) as entropy_error,
        {{ wilson_bound('recent_post_count', 'recent_n', '-') }} as recent_share_low,
        {{ wilson_bound('recent_post_count', 'recent_n', '+') }} as recent_share_high,
        -- Every segment is looked at: at 90 % an even spread would be told off now and then.
        {{ wilson_bound('recent_post_count', 'recent_n', '-', z_99()) }} as recent_share_surely,
        ln(segment_count) as entropy_most
    from logged

)

select
    account_name,
    platform,
    dimension,
    segment,
    is_listed,
    post_count,
    labelled_post_count,
    segment_count,
    last_used_date,
    cast(days_since_used as integer) as days_since_used,
    recent_post_count,
    recent_n,
    {{ stable('recent_share') }} as recent_share,
    {{ stable('recent_share_low') }} as recent_share_low,
    {{ stable('recent_share_high') }} as recent_share_high,
    {{ stable(ratio('1', 'segment_count')) }} as even_share,
    {{ stable('least(entropy / nullif(entropy_most, 0), 1e0)') }} as entropy_normalised,
    {{ stable(
        'least(greatest((entropy - ' ~ z_90()
        ~ ' * entropy_error) / nullif(entropy_most, 0), 0e0), 1e0)'
    ) }}
        as entropy_normalised_low,
    {{ stable(
        'least((entropy + ' ~ z_90() ~ ' * entropy_error) / nullif(entropy_most, 0), 1e0)'
    ) }}
        as entropy_normalised_high,
    case
        when labelled_post_count < {{ minimum_pairs() }} then 'not_enough_data'
        when post_count = 0 then 'untested'
        when days_since_used >= {{ long_unused_days() }} then 'long_unused'
        when post_count < 3 then 'rarely_used'
        when segment_count > 1 and recent_share_surely > 1e0 / segment_count then 'over_indexed'
        else 'in_use'
    end as status,
    cast(greatest({{ minimum_pairs() }} - labelled_post_count, 0) as integer) as posts_needed
from spread
