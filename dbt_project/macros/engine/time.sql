{# Hours between two instants, with fraction. #}
{% macro hours_between(earlier, later) -%}
    {{ return(adapter.dispatch('hours_between', 'afterpost')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__hours_between(earlier, later) -%}
    ((epoch({{ later }}) - epoch({{ earlier }})) / 3600.0)
{%- endmacro %}

{% macro spark__hours_between(earlier, later) -%}
    ((unix_micros({{ later }}) / 1e6 - unix_micros({{ earlier }}) / 1e6) / 3600e0)
{%- endmacro %}

{# The instant that lies a number of seconds after 1970-01-01 UTC. #}
{% macro instant_of_epoch_s(seconds) -%}
    {{ return(adapter.dispatch('instant_of_epoch_s', 'afterpost')(seconds)) }}
{%- endmacro %}

{% macro duckdb__instant_of_epoch_s(seconds) -%}
    to_timestamp({{ seconds }})
{%- endmacro %}

{% macro spark__instant_of_epoch_s(seconds) -%}
    timestamp_seconds({{ seconds }})
{%- endmacro %}

{# Wall-clock time of an instant in an IANA zone, without zone. #}
{% macro local_time(instant, zone) -%}
    {{ return(adapter.dispatch('local_time', 'afterpost')(instant, zone)) }}
{%- endmacro %}

{% macro duckdb__local_time(instant, zone) -%}
    timezone({{ zone }}, {{ instant }})
{%- endmacro %}

{% macro spark__local_time(instant, zone) -%}
    -- The session's zone is UTC, so that the wall-clock time stays as it is when the zone is dropped.
    cast(from_utc_timestamp({{ instant }}, {{ zone }}) as timestamp_ntz)
{%- endmacro %}

{# ISO weekday of a wall-clock time: Monday = 1, Sunday = 7. #}
{% macro iso_weekday(local_timestamp) -%}
    {{ return(adapter.dispatch('iso_weekday', 'afterpost')(local_timestamp)) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(local_timestamp) -%}
    cast(isodow({{ local_timestamp }}) as integer)
{%- endmacro %}

{% macro spark__iso_weekday(local_timestamp) -%}
    cast(weekday({{ local_timestamp }}) + 1 as integer)
{%- endmacro %}

{# The instant that a text tells in a form with an offset from UTC; null for any other text. #}
{% macro instant_of_text(text, form) -%}
    {{ return(adapter.dispatch('instant_of_text', 'afterpost')(text, form)) }}
{%- endmacro %}

{% macro duckdb__instant_of_text(text, form) -%}
    try_strptime({{ text }}, '{{ form }}')
{%- endmacro %}

{# Spark reads no names of weekdays; they say nothing that the date does not. #}
{% macro spark__instant_of_text(text, form) -%}
    {%- if form != '%a %b %d %H:%M:%S %z %Y' -%}
        {{ exceptions.raise_compiler_error('no pattern of Spark is known for the form ' ~ form) }}
    {%- endif -%}
    try_to_timestamp(
        nullif(regexp_extract({{ text }}, r'\A[A-Z][a-z]{2} (.*)\z', 1), ''),
        'MMM dd HH:mm:ss Z yyyy'
    )
{%- endmacro %}

{# The instant that a text tells in ISO 8601, in UTC where it has no offset; null for other texts. #}
{% macro instant_of_iso_text(text) -%}
    {{ return(adapter.dispatch('instant_of_iso_text', 'afterpost')(text)) }}
{%- endmacro %}

{% macro duckdb__instant_of_iso_text(text) -%}
    try_cast({{ text }} as timestamptz)
{%- endmacro %}

{% macro spark__instant_of_iso_text(text) -%}
    try_cast({{ text }} as timestamp)
{%- endmacro %}

{# An instant some days later. #}
{% macro instant_plus_days(instant, days) -%}
    {{ return(adapter.dispatch('instant_plus_days', 'afterpost')(instant, days)) }}
{%- endmacro %}

{% macro duckdb__instant_plus_days(instant, days) -%}
    {{ instant }} + interval ({{ days }}) day
{%- endmacro %}

{% macro spark__instant_plus_days(instant, days) -%}
    {{ instant }} + make_dt_interval({{ days }})
{%- endmacro %}
