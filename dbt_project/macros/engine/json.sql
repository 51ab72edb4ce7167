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

{#
  A relation's columns and beside them texts out of its JSON column, null where a key is missing or
  null. A document is read once for all of them, which takes a tenth of asking for each alone.
  Arguments: fields, paths by column name.
#}
{% macro with_json_texts(relation, column, fields) -%}
    {{ return(adapter.dispatch('with_json_texts', 'afterpost')(relation, column, fields)) }}
{%- endmacro %}

{% macro duckdb__with_json_texts(relation, column, fields) -%}
    select
        *
        {%- for name in fields %},
        json_texts[{{ loop.index }}] as {{ name }}
        {%- endfor %}
    from (
        select
            *,
            json_extract_string({{ column }}, [
                {%- for path in fields.values() %}
                '{{ path }}'{{ ',' if not loop.last }}
                {%- endfor %}
            ]) as json_texts
        from {{ relation }}
    ) as extracted
{%- endmacro %}
