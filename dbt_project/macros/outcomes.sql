{#
  What segments of posts are compared by, in one place: name, age in hours, and the columns of
  int_posts__engagement that make it. A rate has a column below the line too.
#}
{% macro post_outcomes() -%}
    {{ return([
        {'name': 'views_72h', 'age_hours': 72, 'count': 'view_72h'},
        {'name': 'views_7d', 'age_hours': 168, 'count': 'view_7d'},
        {'name': 'engagement_72h', 'age_hours': 72, 'count': 'engagement_72h'},
        {'name': 'engagement_7d', 'age_hours': 168, 'count': 'engagement_7d'},
        {'name': 'engagement_rate_7d', 'age_hours': 168, 'count': 'engagement_7d', 'per': 'view_7d'},
        {'name': 'save_rate_7d', 'age_hours': 168, 'count': 'save_7d', 'per': 'view_7d'},
        {'name': 'share_rate_7d', 'age_hours': 168, 'count': 'share_7d', 'per': 'view_7d'},
    ]) }}
{%- endmacro %}

{#
  A logarithm to a millionth: sums of such values are exact as decimals, so that they are the same
  in whatever order an engine adds the rows.
#}
{% macro stable_log(expression) -%}
    {{ rounded('ln(' ~ expression ~ ')', 6) }}
{%- endmacro %}

{# Mean of logarithms that stable_log made: their sum, as decimals, is exact in whatever order. #}
{% macro mean_of_logs(expression) -%}
    (
        cast(sum(cast({{ expression }} as decimal(12, 6))) as double)
        / nullif(count({{ expression }}), 0)
    )
{%- endmacro %}
