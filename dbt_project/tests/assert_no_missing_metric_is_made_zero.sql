-- A missing number is unknown, not zero: no model may turn one into the other. Read from the text
-- of the models themselves, so that it holds for models and columns that are still to be written.
{% set metric = '(?:view|views|video_view|like|likes|comment|comments|share|shares|save|saves'
    ~ '|repost|reposts|follower|followers|engagement|impression|impressions|reach|click|clicks)' %}
{% set age = '(?:24h|72h|7d|28d|[{][{][^{}]*[}][}])' %}
{% set name = '(?:[a-z_]+[.])?(?:native_)?(?:' ~ metric ~ '|[{][{] *metric *[}][}])'
    ~ '(?:_(?:count|rate|views|public|followers|at_posting|' ~ age ~ '))*' %}
{% set patterns = [
    '(?:coalesce|ifnull|nvl) *[(] *(?:[a-z_]+ *[(] *)*' ~ name
        ~ '(?![a-z_])[^,]*(?:,[^,()]*)?, *0(?:[.]0*)? *[)]',
    'case +when +' ~ name ~ ' +is +null +then +0(?:[.]0*)? ',
] %}
{% set offenders = [] %}
{% if execute %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' %}
        {% set plain = modules.re.sub('--[^\n]*|[{]#(?:.|\n)*?#[}]', ' ', node.raw_code) %}
        {% set plain = modules.re.sub('[ \t\r\n]+', ' ', plain).lower() %}
        {% for pattern in patterns %}
            {% for found in modules.re.findall(pattern, plain) %}
                {% do offenders.append((node.name, found)) %}
            {% endfor %}
        {% endfor %}
    {% endfor %}
{% endif %}

{% for model, found in offenders %}
select
    '{{ model }}' as model_name,
    '{{ found | replace("'", "''") }}' as made_zero
{{ 'union all' if not loop.last }}
{% else %}
select
    cast(null as string) as model_name,
    cast(null as string) as made_zero
where false
{% endfor %}
