{# Hours between two instants, with fraction. #}
{% macro hours_between(earlier, later) -%}
    {{ return(adapter.dispatch('hours_between', 'afterpost')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__hours_between(earlier, later) -%}
    ((epoch({{ later }}) - epoch({{ earlier }})) / 3600.0)
{%- endmacro %}

{# The instant that lies a number of seconds after 1970-01-01 UTC. #}
{% macro instant_of_epoch_s(seconds) -%}
    {{ return(adapter.dispatch('instant_of_epoch_s', 'afterpost')(seconds)) }}
{%- endmacro %}

{% macro duckdb__instant_of_epoch_s(seconds) -%}
    to_timestamp({{ seconds }})
{%- endmacro %}

{# Wall-clock time of an instant in an IANA zone, without zone. #}
{% macro local_time(instant, zone) -%}
    {{ return(adapter.dispatch('local_time', 'afterpost')(instant, zone)) }}
{%- endmacro %}

{% macro duckdb__local_time(instant, zone) -%}
    timezone({{ zone }}, {{ instant }})
{%- endmacro %}

{# ISO weekday of a wall-clock time: Monday = 1, Sunday = 7. #}
{% macro iso_weekday(local_timestamp) -%}
    {{ return(adapter.dispatch('iso_weekday', 'afterpost')(local_timestamp)) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(local_timestamp) -%}
    cast(isodow({{ local_timestamp }}) as integer)
{%- endmacro %}

{# The instant that a text tells in a form with an offset from UTC; null for any other text. #}
{% macro instant_of_text(text, form) -%}
    {{ return(adapter.dispatch('instant_of_text', 'afterpost')(text, form)) }}
{%- endmacro %}

{% macro duckdb__instant_of_text(text, form) -%}
    try_strptime({{ text }}, '{{ form }}')
{%- endmacro %}
