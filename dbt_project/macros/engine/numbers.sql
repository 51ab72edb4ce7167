{#
  A number rounded to some decimals, halves away from zero. Both engines take the same steps: Spark's
  own round goes by the number's decimal form, and so gives other last bits.
#}
{% macro rounded(value, decimals) -%}
    {{ return(adapter.dispatch('rounded', 'afterpost')(value, decimals)) }}
{%- endmacro %}

{% macro duckdb__rounded(value, decimals) -%}
    round({{ value }}, {{ decimals }})
{%- endmacro %}

{% macro spark__rounded(value, decimals) -%}
    (round(cast({{ value }} as double) * 1e{{ decimals }}, 0) / 1e{{ decimals }})
{%- endmacro %}
