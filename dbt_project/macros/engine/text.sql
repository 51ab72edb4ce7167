{# Whether the whole text matches a pattern made of plain character classes. #}
{% macro matches_whole(text, pattern) -%}
    {{ return(adapter.dispatch('matches_whole', 'afterpost')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches_whole(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}
