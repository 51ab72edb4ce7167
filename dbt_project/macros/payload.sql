{#
  A count as the source reported it, or null. Accepts digits, digits with thousands separators,
  whole floats ("3.0") and 1.2K / 3.4M. Everything else is unknown: a missing key, a hidden count
  (-1), a boolean, a fraction. Never zero for "not told".
#}
{% macro payload_count(path) -%}
    {%- set text = "replace(" ~ json_text('payload', path) ~ ", ',', '')" -%}
    case
        when {{ matches_whole(text, '[0-9]{1,18}([.]0+)?') }}
            then cast(cast({{ text }} as decimal(38, 6)) as bigint)
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?[Kk]') }}
            then cast(round(cast(left({{ text }}, length({{ text }}) - 1) as double) * 1000) as bigint)
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?[Mm]') }}
            then cast(round(cast(left({{ text }}, length({{ text }}) - 1) as double) * 1000000) as bigint)
    end
{%- endmacro %}

{# A duration in seconds, or null. #}
{% macro payload_seconds(path) -%}
    {%- set text = json_text('payload', path) -%}
    case
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?') }} then cast({{ text }} as double)
    end
{%- endmacro %}

{# True, false, or null when the source did not say: unknown is not false. #}
{% macro payload_flag(path) -%}
    case lower({{ json_text('payload', path) }})
        when 'true' then true
        when 'false' then false
    end
{%- endmacro %}

{# Text, or null when missing; an empty text is kept, because a caption can be empty. #}
{% macro payload_text(path) -%}
    {{ json_text('payload', path) }}
{%- endmacro %}

{# An instant that can be a publication time (2005 to a day after the scrape), or null. #}
{% macro plausible_instant(instant) -%}
    case
        when
            {{ instant }} >= timestamptz '2005-01-01 00:00:00+00'
            and {{ instant }} <= scraped_at + interval '1 day'
            then {{ instant }}
    end
{%- endmacro %}
