{#
  Fails with every combination of the columns that stands in more than one row, or is null.

  With scrapes_of, the name of an incremental model, only rows of scrapes that no green build has
  tested there are looked at: by scrape_id, or by scraped_at where the key holds the moment.
#}
{% test one_row_per(model, columns, scrapes_of=none) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
{%- if scrapes_of %}
where {{ of_unchecked_scrapes('scraped_at' if 'scraped_at' in columns else 'scrape_id', scrapes_of) }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %} or {{ column }} is null {% endfor %}
{% endtest %}
