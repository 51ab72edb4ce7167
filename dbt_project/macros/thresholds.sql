{#
  From how many posts on a figure is given. The first two are those of the effects
  (pipeline/measure/effects.py); a test holds them equal.
#}
{% macro minimum_posts() -%}
    {{ return(5) }}
{%- endmacro %}

{% macro minimum_posts_for_verdict() -%}
    {{ return(8) }}
{%- endmacro %}

{# A correlation of fewer pairs is anything. #}
{% macro minimum_pairs() -%}
    {{ return(10) }}
{%- endmacro %}

{# A slope over fewer weeks is anything. #}
{% macro minimum_weeks() -%}
    {{ return(8) }}
{%- endmacro %}

{# What exploration is judged by: the newest posts, and days without use. #}
{% macro recent_post_count() -%}
    {{ return(20) }}
{%- endmacro %}

{% macro long_unused_days() -%}
    {{ return(21) }}
{%- endmacro %}

{# A smaller share of posts is no weight worth shedding. #}
{% macro minimum_share_of_posts() -%}
    {{ return('0.05e0') }}
{%- endmacro %}

{# How far a post's own rate must be from the account's usual one to be called high. #}
{% macro high_rate_multiple() -%}
    {{ return('1.25e0') }}
{%- endmacro %}

{# What marts show effects of, and compare windows by. #}
{% macro main_outcomes() -%}
    {{ return(['views_7d', 'engagement_7d', 'engagement_rate_7d', 'save_rate_7d']) }}
{%- endmacro %}

{% macro compared_outcomes() -%}
    {{ return(main_outcomes() + ['share_rate_7d']) }}
{%- endmacro %}

{# Names as a list of SQL texts, for "in". #}
{% macro quoted(names) -%}
    '{{ names | join("', '") }}'
{%- endmacro %}
