{# Text of one value of a JSON document; null when the key is missing or null. #}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text', 'afterpost')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%}
    json_extract_string({{ column }}, '{{ path }}')
{%- endmacro %}

{# Number of elements of a JSON array; null when the key is missing, 0 when the array is empty. #}
{% macro json_length(column, path) -%}
    {{ return(adapter.dispatch('json_length', 'afterpost')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_length(column, path) -%}
    case
        when json_type({{ column }}, '{{ path }}') = 'ARRAY'
            then cast(json_array_length({{ column }}, '{{ path }}') as integer)
    end
{%- endmacro %}
