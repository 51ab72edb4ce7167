{#
  Replace, in a table that grows, all rows of the keys that the new rows have.

  An incremental model that is configured with incremental_strategy='replace_keys' and a unique_key
  gets its rows in this way, in one transaction. The key need not be the model's grain: it names
  what is made anew as a whole, such as a moment with all of its posts.
#}
{% macro get_incremental_replace_keys_sql(arg_dict) -%}
    {{ return(adapter.dispatch('replace_keys', 'afterpost')(
        arg_dict['target_relation'],
        arg_dict['temp_relation'],
        arg_dict['unique_key'],
        arg_dict['dest_columns'] | map(attribute='quoted') | join(', '),
    )) }}
{%- endmacro %}

{% macro duckdb__replace_keys(target, source, key_columns, columns) -%}
    delete from {{ target }} as former
    using (select distinct {{ key_columns | join(', ') }} from {{ source }}) as renewed
    where
        {%- for column in key_columns %}
        former.{{ column }} = renewed.{{ column }}
        {{ 'and' if not loop.last }}
        {%- endfor %};

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ source }}
{%- endmacro %}

{% macro spark__replace_keys(target, source, key_columns, columns) -%}
    {{ exceptions.raise_compiler_error('Spark makes whole months anew: see grows_by') }}
{%- endmacro %}

{# A text, safe between quotes. #}
{% macro quoted_text(text) -%}
    '{{ text | string | replace("'", "''") }}'
{%- endmacro %}
