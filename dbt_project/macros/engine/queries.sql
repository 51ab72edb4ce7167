{#
  For a CTE that is read several times: it is worked out anew each time instead of being kept,
  because its rows are many and wide. Spark keeps none unless it is told to.
#}
{% macro not_kept() -%}
    {{ return(adapter.dispatch('not_kept', 'afterpost')()) }}
{%- endmacro %}

{% macro duckdb__not_kept() -%}
    not materialized
{%- endmacro %}

{% macro spark__not_kept() -%}
{%- endmacro %}
