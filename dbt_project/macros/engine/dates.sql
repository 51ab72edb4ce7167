{# The Monday of a date's ISO week. #}
{% macro week_of(local_date) -%}
    {{ return(adapter.dispatch('week_of', 'afterpost')(local_date)) }}
{%- endmacro %}

{% macro duckdb__week_of(local_date) -%}
    cast(date_trunc('week', {{ local_date }}) as date)
{%- endmacro %}

{% macro spark__week_of(local_date) -%}
    cast(trunc({{ local_date }}, 'week') as date)
{%- endmacro %}

{# The first day of a date's month. #}
{% macro month_of(local_date) -%}
    {{ return(adapter.dispatch('month_of', 'afterpost')(local_date)) }}
{%- endmacro %}

{% macro duckdb__month_of(local_date) -%}
    cast(date_trunc('month', {{ local_date }}) as date)
{%- endmacro %}

{% macro spark__month_of(local_date) -%}
    cast(trunc({{ local_date }}, 'month') as date)
{%- endmacro %}

{# Whole days from one date to another, negative when it is earlier. #}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between', 'afterpost')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro %}

{# A date some days later (earlier when negative), and some months later. #}
{% macro date_plus_days(local_date, days) -%}
    {{ return(adapter.dispatch('date_plus_days', 'afterpost')(local_date, days)) }}
{%- endmacro %}

{% macro duckdb__date_plus_days(local_date, days) -%}
    cast({{ local_date }} + interval ({{ days }}) day as date)
{%- endmacro %}

{% macro spark__date_plus_days(local_date, days) -%}
    date_add({{ local_date }}, cast({{ days }} as integer))
{%- endmacro %}

{% macro date_plus_months(local_date, months) -%}
    {{ return(adapter.dispatch('date_plus_months', 'afterpost')(local_date, months)) }}
{%- endmacro %}

{% macro duckdb__date_plus_months(local_date, months) -%}
    cast({{ local_date }} + interval ({{ months }}) month as date)
{%- endmacro %}

{% macro spark__date_plus_months(local_date, months) -%}
    add_months({{ local_date }}, cast({{ months }} as integer))
{%- endmacro %}
