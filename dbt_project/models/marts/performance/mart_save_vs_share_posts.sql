-- Grain: one row per account, platform and post that has views at 7 days: whether people saved it
-- or passed it on more than the account's posts usually are.
{% set actions = ['save', 'share'] %}
with

posts as (

    select
        account_name,
        platform,
        post_id,
        format,
        pillar,
        hook_style,
        view_7d,
        {%- for action in actions %}
        {{ action }}_7d,
        {{ action }}_rate_7d,
        {{ wilson_bound('least(' ~ action ~ '_7d, view_7d)', 'view_7d', '-') }}
            as {{ action }}_rate_low,
        {{ wilson_bound('least(' ~ action ~ '_7d, view_7d)', 'view_7d', '+') }}
            as {{ action }}_rate_high
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_posts__comparable') }}
    where view_7d is not null

),

usual as (

    select
        account_name,
        platform
        {%- for action in actions %},
        count({{ action }}_rate_7d) as {{ action }}_n,
        cast(percentile_cont(0.5) within group (order by {{ action }}_rate_7d asc) as double)
            as {{ action }}_rate_usual
        {%- endfor %}
    from posts
    group by account_name, platform

),

compared as (

    select
        posts.*,
        {%- for action in actions %}
        usual.{{ action }}_n,
        usual.{{ action }}_rate_usual,
        {{ ratio('posts.' ~ action ~ '_rate_7d', 'usual.' ~ action ~ '_rate_usual') }}
            as {{ action }}_multiple,
        -- High only when the post's own chance is too: a few saves of few views are luck.
        posts.{{ action }}_rate_7d >= {{ high_rate_multiple() }} * usual.{{ action }}_rate_usual
        and posts.{{ action }}_rate_low > usual.{{ action }}_rate_usual as is_high_{{ action }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from posts
    inner join usual
        on
            posts.account_name = usual.account_name
            and posts.platform = usual.platform

)

select
    account_name,
    platform,
    post_id,
    format,
    pillar,
    hook_style,
    view_7d
    {%- for action in actions %},
    {{ action }}_7d,
    {{ stable(action ~ '_rate_7d') }} as {{ action }}_rate_7d,
    case when {{ action }}_rate_7d is not null then {{ stable(action ~ '_rate_low') }} end
        as {{ action }}_rate_7d_low,
    case when {{ action }}_rate_7d is not null then {{ stable(action ~ '_rate_high') }} end
        as {{ action }}_rate_7d_high,
    {{ action }}_n as account_{{ action }}_n,
    {{ stable(action ~ '_rate_usual') }} as {{ action }}_rate_7d_usual,
    {{ stable(action ~ '_multiple') }} as {{ action }}_multiple
    {%- endfor %},
    case
        when save_rate_7d is null or share_rate_7d is null then 'unclassified'
        when least(save_n, share_n) < {{ minimum_pairs() }} then 'not_enough_data'
        when is_high_save and is_high_share then 'high_both'
        when is_high_save then 'high_save'
        when is_high_share then 'high_share'
        else 'neither'
    end as classification
from compared
