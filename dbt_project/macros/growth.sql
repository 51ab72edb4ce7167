{#
  The sum of the counts that a post's engagement_terms name; null when one of them is unknown. The
  terms are a column of one relation, the counts <term><suffix> are columns of another.
#}
{% macro sum_of_engagement_terms(terms_relation, counts_relation, suffix) -%}
    case {{ terms_relation }}.engagement_terms
        {%- for terms in [
            ['like', 'comment'], ['like', 'comment', 'share'], ['like', 'comment', 'save'],
            ['like', 'comment', 'share', 'save'],
        ] %}
        when '{{ terms | join('s+') }}s'
            then
            {%- for term in terms %} {{ counts_relation }}.{{ term }}{{ suffix }}
            {%- if not loop.last %} +{% endif %}{% endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{# How a post's growth is spread over time; the words of int_posts__growth. #}
{% macro growth_shapes() -%}
    {{ return(['too_young', 'spike', 'steady', 'long_tail']) }}
{%- endmacro %}
