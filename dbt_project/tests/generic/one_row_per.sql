{#
  Fails with every combination of the columns that stands in more than one row, or is null.

  With scrapes_of, the name of an incremental model, only rows of scrapes that no green build has
  tested there are looked at: by scrape_id, or by scraped_at where the key holds the moment.
#}
{% test one_row_per(model, columns, scrapes_of=none) %}
{%- if scrapes_of -%}
{%- set is_unchecked = of_unchecked_scrapes(
    'scraped_at' if 'scraped_at' in columns else 'scrape_id', scrapes_of
) -%}
{#- These are many. A number made of a key takes half the time of the key to group by. -#}
with

unchecked as {{ not_kept() }} (

    select {{ columns | join(', ') }}
    from {{ model }}
    where {{ is_unchecked }}

),

repeated as (

    select {{ number_of_key(columns) }} as key_number
    from unchecked
    group by 1
    having count(*) > 1

)

select {{ columns | join(', ') }}, count(*) as row_count
from unchecked
where {{ number_of_key(columns) }} in (select key_number from repeated)
group by {{ columns | join(', ') }}
having count(*) > 1
union all
select {{ columns | join(', ') }}, 1 as row_count
from unchecked
where false {% for column in columns %} or {{ column }} is null {% endfor %}
{%- else -%}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %} or {{ column }} is null {% endfor %}
{%- endif %}
{% endtest %}
