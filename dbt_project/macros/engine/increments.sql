{#
  How a model that grows with every scrape gets its new rows, as a part of its configuration.

  DuckDB deletes and inserts the rows of the given keys in one transaction. Spark, whose Parquet
  tables know no delete, writes whole months anew: is_by_month says that a row is made of the scrapes
  of one month, and month_column() has to end the model's columns. What is made of all months
  (a post's newest snapshot) is made anew as a whole there. With the variable spark_table_format set
  to iceberg or delta, Spark merges by the grain instead.
#}
{% macro grows_by(keys, grain, is_by_month=false) -%}
    {{ return(adapter.dispatch('grows_by', 'afterpost')(keys, grain, is_by_month)) }}
{%- endmacro %}

{% macro duckdb__grows_by(keys, grain, is_by_month) -%}
    {{ return({
        'materialized': 'incremental', 'incremental_strategy': 'replace_keys', 'unique_key': keys,
    }) }}
{%- endmacro %}

{% macro spark__grows_by(keys, grain, is_by_month) -%}
    {%- set table_format = var('spark_table_format', 'parquet') -%}
    {%- if not is_by_month -%}
        {{ return({'materialized': 'table'}) }}
    {%- elif table_format == 'parquet' -%}
        {{ return({
            'materialized': 'incremental', 'incremental_strategy': 'insert_overwrite',
            'file_format': 'parquet', 'partition_by': ['scraped_month'],
        }) }}
    {%- endif -%}
    {{ return({
        'materialized': 'incremental', 'incremental_strategy': 'merge', 'unique_key': grain,
        'file_format': table_format, 'partition_by': ['scraped_month'],
    }) }}
{%- endmacro %}

{# The last column of a model that grows by months, with the comma before it. #}
{% macro month_column(instant) -%}
    {{ return(adapter.dispatch('month_column', 'afterpost')(instant)) }}
{%- endmacro %}

{% macro duckdb__month_column(instant) -%}
{%- endmacro %}

{% macro spark__month_column(instant) -%}
    , date_format({{ instant }}, 'yyyy-MM') as scraped_month
{%- endmacro %}

{# Whether the engine can note in one transaction which scrapes a model holds. #}
{% macro notes_scrapes_read() -%}
    {{ return(adapter.dispatch('notes_scrapes_read', 'afterpost')()) }}
{%- endmacro %}

{% macro duckdb__notes_scrapes_read() -%}
    {{ return(true) }}
{%- endmacro %}

{% macro spark__notes_scrapes_read() -%}
    {{ return(false) }}
{%- endmacro %}

{#
  Condition on a model's input that has a column scraped_at: rows of the months that are made anew,
  which the variable months_made_anew names (as in 2026-11); all rows when nobody named any. As
  bounds, because an engine skips the parts of files that lie outside of them.
#}
{% macro of_months_made_anew() -%}
    {%- set months = var('months_made_anew', none) -%}
    {%- if months is none -%}
    {{ return('true') }}
    {%- elif months | length == 0 -%}
    {{ return('false') }}
    {%- endif -%}
    {%- set conditions = [] -%}
    {%- for month in months -%}
        {%- set first_day = "cast('" ~ month ~ "-01' as date)" -%}
        {%- do conditions.append(
            '(scraped_at >= cast(' ~ first_day ~ ' as ' ~ type_instant() ~ ') and scraped_at < cast('
            ~ date_plus_months(first_day, 1) ~ ' as ' ~ type_instant() ~ '))'
        ) -%}
    {%- endfor -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')') }}
{%- endmacro %}
