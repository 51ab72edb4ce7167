{# Text of one value of a JSON document; null when the key is missing or null. #}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text', 'afterpost')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%}
    json_extract_string({{ column }}, '{{ path }}')
{%- endmacro %}

{% macro spark__json_text(column, path) -%}
    get_json_object({{ column }}, '{{ path }}')
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

{% macro spark__json_length(column, path) -%}
    {%- if path == '$' -%}
    json_array_length({{ column }})
    {%- else -%}
    case
        -- Of a text, quotes are gone here, so that it may look like an array.
        when get_json_object({{ column }}, '{{ path }}') like '[%'
            then size(try_variant_get(try_parse_json({{ column }}), '{{ path }}', 'array<variant>'))
    end
    {%- endif -%}
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

{#
  A document is read once, into texts as deep as two names. What is in a list is taken out of the
  list's own text where that is asked for too, and out of the whole document where it is not.
#}
{% macro spark__with_json_texts(relation, column, fields) -%}
    {%- set plain = '[$][.][A-Za-z_][A-Za-z0-9_]*(?:[.][A-Za-z_][A-Za-z0-9_]*)?' -%}
    {%- set nested = {} -%}
    {%- for path in fields.values() if modules.re.fullmatch(plain, path) -%}
        {%- set names = path[2:].split('.') -%}
        {%- do nested.setdefault(names[0], []).extend(names[1:]) -%}
    {%- endfor -%}
    {%- set shape = [] -%}
    {%- for name, inner in nested.items() -%}
        {%- set kind = 'struct<' ~ inner | unique | join(':string,') ~ ':string>' -%}
        {%- do shape.append(name ~ ':' ~ (kind if inner else 'string')) -%}
    {%- endfor -%}
    select
        *
        {%- for name, path in fields.items() %}
        {%- set list_path = path.split('[')[0] -%}
        {%- set is_plain = modules.re.fullmatch(plain, path) and ('.' in path[2:] or not nested[path[2:]]) -%}
        {%- set is_of_read_list = '[' in path and list_path in fields.values() and not nested[list_path[2:]] %},
        {% if is_plain -%}
        json_texts.{{ path[2:] }} as {{ name }}
        {%- elif is_of_read_list -%}
        get_json_object(json_texts.{{ list_path[2:] }}, '${{ path[list_path | length:] }}') as {{ name }}
        {%- else -%}
        get_json_object({{ column }}, '{{ path }}') as {{ name }}
        {%- endif %}
        {%- endfor %}
    from (
        select
            *,
            from_json({{ column }}, 'struct<{{ shape | join(',') }}>') as json_texts
        from {{ relation }}
    ) as read_once
{%- endmacro %}
