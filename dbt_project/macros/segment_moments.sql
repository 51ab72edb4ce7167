{#
  One mart of one dimension: its segments' figures at equal age beside their effects. The effects
  are joined when the mart is read, so that they are those of the same published copy.

  A dimension is data: a new mart is one line. The caller opens no CTE; what it selects from is
  named segment_performance, so that a mart may add columns of its own.
#}
{% macro segment_effects_of(dimension) -%}
    select
        account_name,
        platform,
        segment
        {%- for outcome in main_outcomes() %}
        {%- for figure in ['n', 'account_n', 'effect', 'effect_low', 'effect_high', 'null_best', 'q_value', 'verdict', 'posts_needed'] %},
        max(case when outcome = '{{ outcome }}' then {{ figure }} end) as {{ outcome }}_{{ figure }}
        {%- endfor %}
        {%- endfor %}
    from {{ source('stats', 'segment_effects') }}
    where dimension = '{{ dimension }}'
    group by account_name, platform, segment
{%- endmacro %}

{#
  How many more posts a verdict needs: enough in the segment, or enough outside of it. Null where
  no post of the account has the outcome: more posts would not bring it.
#}
{% macro posts_needed(n, account_n) -%}
    case
        when {{ account_n }} is not null
            then
                cast(
                    greatest(
                        {{ minimum_posts_for_verdict() }} - coalesce({{ n }}, 0),
                        {{ minimum_posts() }} - ({{ account_n }} - coalesce({{ n }}, 0)),
                        0
                    ) as integer
                )
    end
{%- endmacro %}

{% macro segment_performance(dimension, name, type='string') -%}
figures as (

    select * from {{ ref('int_segments__figures') }}
    where dimension = '{{ dimension }}'

),

effects as (

    {{ segment_effects_of(dimension) }}

),

segment_performance as (

    select
        figures.account_name,
        figures.platform,
        cast(figures.segment as {{ type }}) as {{ name }},
        figures.post_count,
        figures.post_count_views_7d,
        figures.post_count_engagement_7d,
        figures.view_7d_median,
        figures.view_7d_quartile_low,
        figures.view_7d_quartile_high,
        figures.engagement_7d_median,
        figures.engagement_7d_quartile_low,
        figures.engagement_7d_quartile_high,
        figures.engagement_rate_7d_median,
        figures.engagement_rate_7d_pooled,
        figures.save_rate_7d_median,
        figures.save_rate_7d_pooled,
        figures.share_rate_7d_median,
        figures.log_view_7d_mean,
        figures.log_view_7d_variance,
        figures.share_of_posts,
        figures.share_of_posts_7d,
        figures.share_of_engagement_7d,
        figures.share_of_saves_7d,
        figures.engagement_lift,
        figures.engagement_lift_low,
        figures.engagement_lift_high,
        figures.save_lift,
        figures.save_lift_low,
        figures.save_lift_high,
        figures.engagement_rank,
        figures.cumulative_share_of_engagement_7d,
        {%- for outcome in main_outcomes() %}
        effects.{{ outcome }}_n,
        {%- for figure in ['effect', 'effect_low', 'effect_high', 'null_best', 'q_value'] %}
        effects.{{ outcome }}_{{ figure }},
        {%- endfor %}
        case
            when effects.{{ outcome }}_verdict is null then 'not_enough_data'
            else effects.{{ outcome }}_verdict
        end as {{ outcome }}_verdict,
        case
            when effects.{{ outcome }}_verdict is not null then effects.{{ outcome }}_posts_needed
            -- Other segments have the outcome, so posts of this one can get it too.
            when
                max(effects.{{ outcome }}_account_n) over (
                    partition by figures.account_name, figures.platform
                ) is not null
                then {{ minimum_posts() }}
        end as {{ outcome }}_posts_needed,
        {%- endfor %}
        figures.newest_scraped_at
    from figures
    left join effects
        on
            figures.account_name = effects.account_name
            and figures.platform = effects.platform
            and figures.segment = effects.segment

)
{%- endmacro %}
