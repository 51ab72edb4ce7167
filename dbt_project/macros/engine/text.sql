{# Whether the whole text matches a pattern made of plain character classes. #}
{% macro matches_whole(text, pattern) -%}
    {{ return(adapter.dispatch('matches_whole', 'afterpost')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches_whole(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}

{# Whether a text holds another, letter for letter; null when either is null. #}
{% macro contains_text(text, part) -%}
    {{ return(adapter.dispatch('contains_text', 'afterpost')(text, part)) }}
{%- endmacro %}

{% macro duckdb__contains_text(text, part) -%}
    contains({{ text }}, {{ part }})
{%- endmacro %}

{# What the first bracket of a pattern catches in a text; null when the pattern is not in it. #}
{% macro captured(text, pattern) -%}
    {{ return(adapter.dispatch('captured', 'afterpost')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__captured(text, pattern) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern }}', 1), '')
{%- endmacro %}
