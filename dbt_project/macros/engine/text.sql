{# Whether the whole text matches a pattern made of plain character classes. #}
{% macro matches_whole(text, pattern) -%}
    {{ return(adapter.dispatch('matches_whole', 'afterpost')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches_whole(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches_whole(text, pattern) -%}
    ({{ text }}) rlike r'\A(?:{{ pattern }})\z'
{%- endmacro %}

{# Whether a text holds another, letter for letter; null when either is null. #}
{% macro contains_text(text, part) -%}
    {{ return(adapter.dispatch('contains_text', 'afterpost')(text, part)) }}
{%- endmacro %}

{% macro duckdb__contains_text(text, part) -%}
    contains({{ text }}, {{ part }})
{%- endmacro %}

{% macro spark__contains_text(text, part) -%}
    contains({{ text }}, {{ part }})
{%- endmacro %}

{# What the first bracket of a pattern catches in a text; null when the pattern is not in it. #}
{% macro captured(text, pattern) -%}
    {{ return(adapter.dispatch('captured', 'afterpost')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__captured(text, pattern) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern }}', 1), '')
{%- endmacro %}

{% macro spark__captured(text, pattern) -%}
    nullif(regexp_extract({{ text }}, r'{{ pattern }}', 1), '')
{%- endmacro %}

{# A whole number as people read it, with separators of thousands. #}
{% macro shown_count(value) -%}
    {{ return(adapter.dispatch('shown_count', 'afterpost')(value)) }}
{%- endmacro %}

{% macro duckdb__shown_count(value) -%}
    format('{:,}', cast(round({{ value }}) as bigint))
{%- endmacro %}

{% macro spark__shown_count(value) -%}
    format_number(cast(round({{ value }}) as bigint), 0)
{%- endmacro %}

{# A number with two decimals. #}
{% macro shown_decimal(value) -%}
    {{ return(adapter.dispatch('shown_decimal', 'afterpost')(value)) }}
{%- endmacro %}

{% macro duckdb__shown_decimal(value) -%}
    format('{:.2f}', {{ rounded('cast(' ~ value ~ ' as double)', 2) }})
{%- endmacro %}

{% macro spark__shown_decimal(value) -%}
    format_string('%.2f', {{ rounded('cast(' ~ value ~ ' as double)', 2) }})
{%- endmacro %}

{# Whether a text is a whole number written in its shortest form, of at most 18 digits. #}
{% macro is_short_whole_number(text) -%}
    {{ return(adapter.dispatch('is_short_whole_number', 'afterpost')(text)) }}
{%- endmacro %}

{% macro duckdb__is_short_whole_number(text) -%}
    (cast(try_cast({{ text }} as ubigint) as varchar) = {{ text }} and length({{ text }}) <= 18)
{%- endmacro %}

{% macro spark__is_short_whole_number(text) -%}
    ({{ text }}) rlike r'\A(?:0|[1-9][0-9]{0,17})\z'
{%- endmacro %}
