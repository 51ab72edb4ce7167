{#
  The macros below read one value of a payload: by a path ('$.likes'), or by a column that
  with_json_texts made of it.
#}
{% macro payload_text_of(value) -%}
    {{ return(json_text('payload', value) if value.startswith('$') else value) }}
{%- endmacro %}

{#
  A count as the source reported it, or null. Accepts digits, digits with thousands separators,
  whole floats ("3.0") and 1.2K / 3.4M. Everything else is unknown: a missing key, a hidden count
  (-1), a boolean, a fraction. Never zero for "not told".
#}
{% macro payload_count(value) -%}
    {%- set as_told = payload_text_of(value) -%}
    {%- set text = "replace(" ~ as_told ~ ", ',', '')" -%}
    case
        -- Nearly all are plain numbers, which need no pattern.
        when {{ is_short_whole_number(as_told) }} then cast({{ as_told }} as bigint)
        when {{ matches_whole(text, '[0-9]{1,18}([.]0+)?') }}
            then cast(cast({{ text }} as decimal(38, 6)) as bigint)
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?[Kk]') }}
            then cast(round(cast(left({{ text }}, length({{ text }}) - 1) as double) * 1000) as bigint)
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?[Mm]') }}
            then cast(round(cast(left({{ text }}, length({{ text }}) - 1) as double) * 1000000) as bigint)
    end
{%- endmacro %}

{# A duration in seconds, or null. #}
{% macro payload_seconds(value) -%}
    {%- set text = payload_text_of(value) -%}
    case
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?') }} then cast({{ text }} as double)
    end
{%- endmacro %}

{#
  A duration in seconds that is written as seconds, as a clock ("12:34", "1:02:03") or as ISO 8601
  ("PT1H2M3S"), or null.
#}
{% macro payload_duration(value) -%}
    {%- set text = payload_text_of(value) -%}
    {%- set iso = '^P(?:[0-9]{1,5}D)?(?:T(?:[0-9]{1,5}H)?(?:[0-9]{1,5}M)?(?:[0-9]{1,5}(?:[.][0-9]+)?S)?)?$' -%}
    case
        when {{ matches_whole(text, '[0-9]{1,9}([.][0-9]+)?') }} then cast({{ text }} as double)
        when {{ matches_whole(text, '([0-9]{1,3}:)?[0-9]{1,3}:[0-9]{2}') }}
            then
                coalesce(cast({{ captured(text, '^([0-9]{1,3}):[0-9]+:') }} as double), 0) * 3600
                + cast({{ captured(text, '([0-9]{1,3}):[0-9]{2}$') }} as double) * 60
                + cast({{ captured(text, ':([0-9]{2})$') }} as double)
        when {{ matches_whole(text, iso) }} and {{ matches_whole(text, '.*[0-9].*') }}
            then
                coalesce(cast({{ captured(text, '([0-9]+)D') }} as double), 0) * 86400
                + coalesce(cast({{ captured(text, '([0-9]+)H') }} as double), 0) * 3600
                + coalesce(cast({{ captured(text, 'T.*?([0-9]+)M') }} as double), 0) * 60
                + coalesce(cast({{ captured(text, '([0-9.]+)S') }} as double), 0)
    end
{%- endmacro %}

{#
  An instant written in ISO 8601 with a time of day, or null: a day alone, or "10 months ago", is
  no instant. Without an offset it is UTC.
#}
{% macro payload_instant(value) -%}
    {%- set text = payload_text_of(value) -%}
    case
        when {{ matches_whole(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*') }}
            then {{ instant_of_iso_text(text) }}
    end
{%- endmacro %}

{# An instant written as milliseconds since 1970, or null. #}
{% macro payload_instant_of_ms(value) -%}
    {{ instant_of_epoch_s('cast(floor(' ~ payload_count(value) ~ ' / 1000e0) as bigint)') }}
{%- endmacro %}

{# True, false, or null when the source did not say: unknown is not false. #}
{% macro payload_flag(value) -%}
    case lower({{ payload_text_of(value) }})
        when 'true' then true
        when 'false' then false
    end
{%- endmacro %}

{# Text, or null when missing; an empty text is kept, because a caption can be empty. #}
{% macro payload_text(value) -%}
    {{ payload_text_of(value) }}
{%- endmacro %}

{# An instant that can be a publication time (2005 to a day after the scrape), or null. #}
{% macro plausible_instant(instant) -%}
    case
        when
            {{ instant }} >= cast('2005-01-01 00:00:00+00' as {{ type_instant() }})
            and {{ instant }} <= {{ instant_plus_days('scraped_at', 1) }}
            then {{ instant }}
    end
{%- endmacro %}
