{# A number made of the values of some columns: the same for the same values, null being one. #}
{% macro number_of_key(columns) -%}
    {{ return(adapter.dispatch('number_of_key', 'afterpost')(columns)) }}
{%- endmacro %}

{% macro duckdb__number_of_key(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__number_of_key(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
