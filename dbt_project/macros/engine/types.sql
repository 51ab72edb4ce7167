{# Type of an instant: a time with zone, which is the same everywhere. #}
{% macro type_instant() -%}
    {{ return(adapter.dispatch('type_instant', 'afterpost')()) }}
{%- endmacro %}

{% macro duckdb__type_instant() -%}
    timestamptz
{%- endmacro %}

{% macro spark__type_instant() -%}
    timestamp
{%- endmacro %}
