-- Instagram publishes no views of images and carousels, so no table may say how often one was seen
-- or divide by it. Which columns are about views is read from the tables' own descriptions.
{% set post_tables = [
    'fct_snapshot', 'fct_post_performance', 'v_post_performance', 'mart_save_vs_share_posts',
] %}
{% set about_views = '(?:^|_)views?(?:_|$)|(?:^|_)(?:save|share|engagement)_rate(?!_followers)' %}

with

images as (

    select
        account_name,
        platform,
        post_id
    from {{ ref('int_posts__labelled') }}
    where
        platform = 'instagram'
        and media_type in ('image', 'carousel')

),

found as (

    {% for table in post_tables %}
    select
        '{{ table }}' as table_name,
        images.post_id
    from {{ ref(table) }} as numbers
    inner join images
        on
            numbers.account_name = images.account_name
            and numbers.platform = images.platform
            and numbers.post_id = images.post_id
    where
        false
        {%- if execute %}
        {%- for column in (graph.nodes.get('model.afterpost.' ~ table) or {}).get('columns', {}) %}
        {%- if modules.re.search(about_views, column)
            and not modules.re.match('(?:native|is|has)_|.*_definition_id$', column) %}
        or numbers.{{ column }} is not null
        {%- endif %}
        {%- endfor %}
        {%- endif %}
    union all
    {% endfor %}
    select
        'int_post_outcomes' as table_name,
        images.post_id
    from {{ ref('int_post_outcomes') }} as outcomes
    inner join images
        on
            outcomes.account_name = images.account_name
            and outcomes.platform = images.platform
            and outcomes.post_id = images.post_id
    where
        outcomes.outcome like 'view%'
        -- All rates that are compared are per view.
        or outcomes.denominator is not null

)

select *
from found
