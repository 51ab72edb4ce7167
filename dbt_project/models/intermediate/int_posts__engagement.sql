-- Grain: one row per account, platform and post: which terms its engagement has, and their sum
-- now and at each standard age. A sum with a missing term is null, not a smaller sum.
with

terms as (

    select
        account_name,
        platform,
        post_id,
        last_seen_at as scraped_at,
        age_hours,
        view_count,
        like_count,
        comment_count,
        share_count,
        save_count,
        repost_count,
        case
            when like_count is null or comment_count is null then null
            when share_count is null and save_count is null then 'likes+comments'
            when save_count is null then 'likes+comments+shares'
            when share_count is null then 'likes+comments+saves'
            else 'likes+comments+shares+saves'
        end as engagement_terms
    from {{ ref('int_posts__tracked') }}

),

aged as (

    select * from {{ ref('int_posts__aged') }}

),

{% set sum_of_terms -%}
    case terms.engagement_terms
        when 'likes+comments' then {like} + {comment}
        when 'likes+comments+shares' then {like} + {comment} + {share}
        when 'likes+comments+saves' then {like} + {comment} + {save}
        when 'likes+comments+shares+saves' then {like} + {comment} + {share} + {save}
    end
{%- endset %}

summed as (

    select
        terms.*
        {%- for age in standard_age_labels() %}{% for metric in aged_metrics() %},
        aged.{{ metric }}_{{ age }}
        {%- endfor %}{% endfor %},
        {{ sum_of_terms
            | replace('{like}', 'terms.like_count') | replace('{comment}', 'terms.comment_count')
            | replace('{share}', 'terms.share_count') | replace('{save}', 'terms.save_count') }}
            as engagement_count
        {%- for age in standard_age_labels() %},
        {{ sum_of_terms
            | replace('{like}', 'aged.like_' ~ age) | replace('{comment}', 'aged.comment_' ~ age)
            | replace('{share}', 'aged.share_' ~ age) | replace('{save}', 'aged.save_' ~ age) }}
            as engagement_{{ age }}
        {%- endfor %}
    from terms
    left join aged
        on
            terms.account_name = aged.account_name
            and terms.platform = aged.platform
            and terms.post_id = aged.post_id

)

select * from summed
