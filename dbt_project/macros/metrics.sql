{# The public counts of a post, in one place: a new one is one name here. #}
{% macro count_metrics() -%}
    {{ return(['view_count', 'video_view_count', 'like_count', 'comment_count', 'share_count', 'save_count', 'repost_count']) }}
{%- endmacro %}

{# The metrics that get a value at each standard age, by their short names in column names. #}
{% macro aged_metrics() -%}
    {{ return(['view', 'like', 'comment', 'share', 'save']) }}
{%- endmacro %}

{% macro standard_age_labels() -%}
    {{ return(['24h', '72h', '7d', '28d']) }}
{%- endmacro %}

{# a / b as a fraction, or null when either is unknown or nothing was counted below. #}
{% macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as double) / nullif({{ denominator }}, 0)
{%- endmacro %}

{#
  Share of a group's values at or below this one, counting ties half: 0.5 for the middle post.
  Unlike percent_rank it does not put the best of three posts at 1.
#}
{% macro mid_rank(value, group_columns) -%}
    (
        rank() over (partition by {{ group_columns }} order by {{ value }} asc nulls last)
        - 1
        + 0.5e0 * count(*) over (partition by {{ group_columns }}, {{ value }})
    ) / count(*) over (partition by {{ group_columns }})
{%- endmacro %}

{# The last bits of a sum of floats depend on the order of rows: they must not reach a mart. #}
{% macro stable(expression) -%}
    {{ rounded(expression, 9) }}
{%- endmacro %}

{#
  What only a platform's own export knows of a post, with its type in a mart: names of
  raw.native_metrics. A mart's column has native_ before it.
#}
{% macro native_post_metric_types() -%}
    {{ return({
        'impressions': 'bigint', 'reach': 'bigint', 'saves': 'bigint', 'link_clicks': 'bigint',
        'profile_visits': 'bigint', 'follows': 'bigint', 'watch_time_s': 'double',
        'average_view_s': 'double', 'retention_rate': 'double', 'engagements': 'bigint',
        'revenue_usd': 'double',
    }) }}
{%- endmacro %}

{% macro native_post_metrics() -%}
    {{ return((native_post_metric_types().keys() | list) + ['clicks', 'click_through_rate']) }}
{%- endmacro %}
