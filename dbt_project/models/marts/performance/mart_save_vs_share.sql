{{ config(materialized='view') }}
-- Grain: one row per account, platform, dimension (format, hook_style, pillar) and segment: whether
-- its posts are saved or passed on more than the account's usual post.
{% set dimensions = ['format', 'hook_style', 'pillar'] %}
{% set actions = ['save', 'share'] %}
{% set post_numbers = ['classified_post_count', 'high_save_post_count', 'high_share_post_count'] %}
{% set figures = [
    'n', 'account_n', 'effect', 'effect_low', 'effect_high', 'null_best', 'q_value', 'verdict',
] %}
with

tagged as (

    {% for dimension in dimensions %}
    select
        account_name,
        platform,
        '{{ dimension }}' as dimension,
        {{ dimension }} as segment,
        classification
    from {{ ref('mart_save_vs_share_posts') }}
    where {{ dimension }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        account_name,
        platform,
        dimension,
        segment,
        count(case when classification in ('high_save', 'high_both') then 1 end)
            as high_save_post_count,
        count(case when classification in ('high_share', 'high_both') then 1 end)
            as high_share_post_count,
        count(case when classification not in ('unclassified', 'not_enough_data') then 1 end)
            as classified_post_count
    from tagged
    group by account_name, platform, dimension, segment

),

effects as (

    select
        account_name,
        platform,
        dimension,
        segment
        {%- for action in actions %}
        {%- for figure in figures %},
        max(case when outcome = '{{ action }}_rate_7d' then {{ figure }} end)
            as {{ action }}_{{ figure }}
        {%- endfor %}
        {%- endfor %}
    from {{ source('stats', 'segment_effects') }}
    where dimension in ({{ quoted(dimensions) }})
    group by account_name, platform, dimension, segment

),

published as (

    select
        account_name,
        platform,
        max(case when save_rate_7d is not null then 1 else 0 end) = 1 as has_saves,
        max(case when share_rate_7d is not null then 1 else 0 end) = 1 as has_shares
    from {{ ref('int_posts__comparable') }}
    group by account_name, platform

),

joined as (

    select
        figures.account_name,
        figures.platform,
        figures.dimension,
        figures.segment,
        figures.post_count,
        -- Numbers of posts, which are known: a segment without classified posts has none.
        {%- for number in post_numbers %}
        case when counted.segment is null then 0 else counted.{{ number }} end as {{ number }},
        {%- endfor %}
        published.has_saves and published.has_shares as has_both,
        least(
            max(effects.save_account_n) over (
                partition by figures.account_name, figures.platform
            ),
            max(effects.share_account_n) over (
                partition by figures.account_name, figures.platform
            )
        ) as both_account_n,
        figures.save_rate_7d_median,
        figures.share_rate_7d_median,
        {%- for action in actions %}
        {%- for figure in figures %}
        effects.{{ action }}_{{ figure }}
        {{- ',' if not loop.last }}
        {%- endfor %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_segments__figures') }} as figures
    inner join published
        on
            figures.account_name = published.account_name
            and figures.platform = published.platform
    left join counted
        on
            figures.account_name = counted.account_name
            and figures.platform = counted.platform
            and figures.dimension = counted.dimension
            and figures.segment = counted.segment
    left join effects
        on
            figures.account_name = effects.account_name
            and figures.platform = effects.platform
            and figures.dimension = effects.dimension
            and figures.segment = effects.segment
    where figures.dimension in ({{ quoted(dimensions) }})

)

select
    account_name,
    platform,
    dimension,
    segment,
    post_count,
    classified_post_count,
    high_save_post_count,
    high_share_post_count,
    save_rate_7d_median,
    share_rate_7d_median,
    {%- for action in actions %}
    {{ action }}_n,
    {%- for figure in ['effect', 'effect_low', 'effect_high', 'null_best', 'q_value'] %}
    {{ action }}_{{ figure }},
    {%- endfor %}
    {%- endfor %}
    case
        when not has_both then 'unclassified'
        when save_verdict is null or share_verdict is null then 'not_enough_data'
        when save_verdict = 'better' and share_verdict = 'better' then 'high_both'
        when save_verdict = 'better' then 'high_save'
        when share_verdict = 'better' then 'high_share'
        when save_verdict = 'not_enough_data' or share_verdict = 'not_enough_data'
            then 'not_enough_data'
        else 'neither'
    end as classification,
    {{ posts_needed('least(save_n, share_n)', 'case when has_both then both_account_n end') }}
        as posts_needed
from joined
