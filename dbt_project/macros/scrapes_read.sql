{#
  Which scrapes an incremental model holds, and which it has yet to read.

  Each such model notes the scrapes that it holds in a table beside the models, in the very
  transaction that puts their rows in: a build that is killed has either read a scrape into a model
  or not, and the next one goes on from there, model by model. A stamp says what a scrape was judged
  by. A scrape that is judged otherwise, or gone, takes a full refresh, which the pipeline asks for.
  is_checked says that the tests were green over its rows.

  An engine without transactions over two tables keeps no such notes: it makes whole months anew,
  and the pipeline names them (macros/engine/increments.sql).
#}
{% macro scrapes_read() -%}
    intermediate.scrapes_read
{%- endmacro %}

{#
  Every scrape with its stamp. Made before the models, because models and tests ask it before their
  own SQL runs.
#}
{% macro scrapes_stamped() -%}
    intermediate.scrapes_stamped
{%- endmacro %}

{% macro create_scrapes_read() -%}
    {%- if not notes_scrapes_read() -%}
    {{ return('') }}
    {%- endif -%}
    create schema if not exists intermediate;

    create table if not exists {{ scrapes_read() }} (
        model_name string, scrape_id string, stamp string, is_checked boolean
    );

    create or replace view {{ scrapes_stamped() }} as
    select
        scrapes.scrape_id,
        scrapes.account_name,
        scrapes.platform,
        scrapes.scraped_at,
        coalesce(scrapes.handle, '')
        || '|' || coalesce(lower(profiles.handle), '')
        || '|' || cast(scrapes.post_count as string)
        || '|' || cast(scrapes.foreign_post_count as string)
        || '|' || cast(scrapes.profile_count as string) as stamp
    from {{ source('raw', 'scrapes') }} as scrapes
    left join {{ source('raw', 'account_profiles') }} as profiles
        on
            scrapes.account_name = profiles.account_name
            and scrapes.platform = profiles.platform
{%- endmacro %}

{# Scrapes that a model could hold: those of the model that it reads, or all that were loaded. #}
{% macro readable_scrapes(upstream) -%}
    {%- if upstream -%}
    (select scrape_id, stamp from {{ scrapes_read() }} where model_name = '{{ upstream }}')
    {%- else -%}
    (select scrape_id, stamp from {{ scrapes_stamped() }})
    {%- endif -%}
{%- endmacro %}

{# For an incremental model's post_hook: it now holds all that it could. #}
{% macro note_scrapes_read(model_name, upstream=none) -%}
    {%- if not notes_scrapes_read() -%}
    {{ return('') }}
    {%- endif -%}
    insert into {{ scrapes_read() }}
    select '{{ model_name }}', readable.scrape_id, readable.stamp, false
    from {{ readable_scrapes(upstream) }} as readable
    left join {{ scrapes_read() }} as held
        on
            held.model_name = '{{ model_name }}'
            and readable.scrape_id = held.scrape_id
            and readable.stamp = held.stamp
    where held.scrape_id is null
{%- endmacro %}

{#
  Condition on a model's input: rows of scrapes that the model does not hold yet; all rows when it
  is made anew. With is_by_moment also those of every scrape of the same profile and moment, with
  which they compete.
#}
{% macro of_new_scrapes(column, model_name, upstream=none, is_by_moment=false) -%}
    {%- if not execute or not is_incremental() -%}
    {{ return('true') }}
    {%- endif -%}
    {%- if not notes_scrapes_read() -%}
    {{ return(of_months_made_anew()) }}
    {%- endif -%}
    {%- set query -%}
    with

    unread as (

        select scrapes.*
        from {{ scrapes_stamped() }} as scrapes
        inner join {{ readable_scrapes(upstream) }} as readable
            on
                scrapes.scrape_id = readable.scrape_id
                and scrapes.stamp = readable.stamp
        left join {{ scrapes_read() }} as held
            on
                held.model_name = '{{ model_name }}'
                and scrapes.scrape_id = held.scrape_id
                and scrapes.stamp = held.stamp
        where held.scrape_id is null

    )

    {% if is_by_moment %}
    select distinct scrapes.scrape_id
    from {{ scrapes_stamped() }} as scrapes
    inner join unread
        on
            scrapes.account_name = unread.account_name
            and scrapes.platform = unread.platform
            and scrapes.scraped_at = unread.scraped_at
    {% else %}
    select scrape_id from unread
    {% endif %}
    order by scrape_id asc nulls last
    {%- endset -%}
    {{ return(is_one_of(column, query)) }}
{%- endmacro %}

{#
  Condition for tests: rows that no green build has tested. Takes the column scrape_id, or
  scraped_at where a key holds the moment and not the scrape.
#}
{% macro of_unchecked_scrapes(column, model_name) -%}
    {%- if not execute or not notes_scrapes_read() -%}
    {{ return('true') }}
    {%- endif -%}
    {%- set query -%}
    select distinct scrapes.{{ column }}
    from {{ scrapes_stamped() }} as scrapes
    left join {{ scrapes_read() }} as held
        on
            held.model_name = '{{ model_name }}'
            and scrapes.scrape_id = held.scrape_id
            and held.is_checked
    where held.scrape_id is null
    order by 1 asc nulls last
    {%- endset -%}
    {{ return(is_one_of(column, query)) }}
{%- endmacro %}

{#
  column in (what a query gives), written out, so that the engine skips all other parts of a large
  table; beyond some hundreds as the query itself.
#}
{% macro is_one_of(column, query) -%}
    {%- set most_written_out = 500 -%}
    {%- set found = run_query('select * from (' ~ query ~ ') as found limit ' ~ (most_written_out + 1)) -%}
    {%- set values = found.columns[0].values() -%}
    {%- if values | length == 0 -%}
    {{ return('false') }}
    {%- elif values | length > most_written_out -%}
    {{ return(column ~ ' in (select * from (' ~ query ~ ') as found)') }}
    {%- endif -%}
    {%- set written = [] -%}
    {%- for value in values -%}
        {%- do written.append(quoted_text(value)) -%}
    {%- endfor -%}
    {{ return(column ~ ' in (' ~ written | join(', ') ~ ')') }}
{%- endmacro %}

{# Whether a row of raw.scrapes is a listing that tells which of a profile's posts stand. #}
{% macro is_listing() -%}
    source = 'apify'
    and source_kind = 'posts'
    and outcome = 'items'
    -- Throttled, partial or drifted answers say nothing about what is missing in them.
    and (run_outcome is null or run_outcome in ('new_posts', 'no_new_posts'))
{%- endmacro %}
