{#
  What a post's own figures are compared by: name, the cause that it speaks for, its words in a
  sentence, how it is shown (count, per_100 or number), and the columns of int_posts__engagement
  that make it at an age. A new one is one line here.
#}
{% macro own_figures() -%}
    {{ return([
        {'name': 'views', 'cause': 'reach', 'words': 'views', 'shown': 'count',
         'ages': ['7d', '72h', '24h'], 'over': 'view_{age}'},
        {'name': 'engagement', 'cause': 'reach', 'words': 'reactions', 'shown': 'count',
         'ages': ['7d', '72h', '24h'],
         'over': 'case when view_{age} is null then engagement_{age} end', 'has_terms': true},
        {'name': 'first_day_views', 'cause': 'reach', 'words': 'views in its first day',
         'shown': 'count', 'ages': ['24h'], 'over': 'view_{age}'},
        {'name': 'save_rate', 'cause': 'saving', 'words': 'saves per 100 views', 'shown': 'per_100',
         'ages': ['7d', '72h', '24h'], 'over': 'save_{age}', 'per': 'view_{age}'},
        {'name': 'share_rate', 'cause': 'sharing', 'words': 'shares per 100 views', 'shown': 'per_100',
         'ages': ['7d', '72h', '24h'], 'over': 'share_{age}', 'per': 'view_{age}'},
        {'name': 'engagement_rate', 'cause': 'response', 'words': 'reactions per 100 views',
         'shown': 'per_100', 'ages': ['7d', '72h', '24h'], 'over': 'engagement_{age}',
         'per': 'view_{age}', 'has_terms': true},
        {'name': 'comments_per_like', 'cause': 'conversation', 'words': 'comments per like',
         'shown': 'number', 'ages': ['7d', '72h', '24h'], 'over': 'comment_{age}',
         'per': 'like_{age}'},
        {'name': 'late_views', 'cause': 'staying_power', 'words': 'late views per 100 views',
         'shown': 'per_100', 'ages': ['28d'], 'over': 'view_{age} - view_7d', 'per': 'view_{age}'},
    ]) }}
{%- endmacro %}

{# A value of one of the figures above, as a sentence shows it. #}
{% macro shown_figure(figure, value) -%}
    case
        when
            {{ figure }} in (
                {%- for one in own_figures() if one.shown == 'count' %}
                '{{ one.name }}'{{ ',' if not loop.last }}
                {%- endfor %}
            )
            then {{ shown_count(value) }}
        when
            {{ figure }} in (
                {%- for one in own_figures() if one.shown == 'per_100' %}
                '{{ one.name }}'{{ ',' if not loop.last }}
                {%- endfor %}
            )
            then {{ shown_decimal('100 * ' ~ value) }}
        else {{ shown_decimal(value) }}
    end
{%- endmacro %}

{% macro figure_words(figure) -%}
    case {{ figure }}
        {%- for one in own_figures() %}
        when '{{ one.name }}' then '{{ one.words }}'
        {%- endfor %}
    end
{%- endmacro %}

{# A standard age as a sentence names it. #}
{% macro age_words(age_hours) -%}
    case
        when {{ age_hours }} >= 168 then cast(round({{ age_hours }} / 24) as integer) || ' days'
        else cast({{ age_hours }} as integer) || ' hours'
    end
{%- endmacro %}

{# Dimensions that speak for one cause; any other dimension is a cause of its own. #}
{% macro causes_of_dimensions() -%}
    {{ return({
        'format': 'form', 'media_type': 'form', 'slide_count': 'form', 'length': 'form',
        'pillar': 'subject', 'topic': 'subject',
        'weekday': 'time', 'daypart': 'time',
    }) }}
{%- endmacro %}

{# The posts of a segment as the subject of a sentence. #}
{% macro segment_words(dimension, segment) -%}
    case
        when {{ dimension }} = 'slide_count' then {{ segment }} || '-slide posts'
        {%- for day in ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
        when {{ dimension }} = 'weekday' and {{ segment }} = '{{ loop.index }}' then '{{ day }} posts'
        {%- endfor %}
        else {{ segment }} || ' posts'
    end
{%- endmacro %}

{# An outcome of stats.segment_effects as a sentence names it. #}
{% macro outcome_words(outcome) -%}
    case {{ outcome }}
        when 'views_72h' then 'views at 72 hours'
        when 'views_7d' then 'views at 7 days'
        when 'engagement_72h' then 'engagement at 72 hours'
        when 'engagement_7d' then 'engagement at 7 days'
        when 'engagement_rate_7d' then 'engagement rate at 7 days'
        when 'save_rate_7d' then 'save rate at 7 days'
        when 'share_rate_7d' then 'share rate at 7 days'
        else replace({{ outcome }}, '_', ' ')
    end
{%- endmacro %}

{#
  How sure a difference is: high asks for probability, size and n at once; medium leaves out the
  size. The same limits decide about the confidence of a recommendation.
#}
{% macro confidence_level(is_sure, is_likely, n, ratio) -%}
    case
        when {{ is_sure }} and {{ n }} >= 20 and ({{ ratio }} >= 1.25e0 or {{ ratio }} <= 0.8e0)
            then 'high'
        when {{ is_likely }} and {{ n }} >= 10 then 'medium'
        else 'low'
    end
{%- endmacro %}
