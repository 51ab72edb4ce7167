{#
  Tables and views take the place of their former ones in one transaction. dbt's own ways make each
  under another name and rename twice, for engines that cannot do this; that takes as long as all
  the rest of a small model. A model that fails leaves the former table as it was.
#}
{% materialization table, adapter='duckdb' %}
    {{ return(in_place_of_former('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(in_place_of_former('view')) }}
{% endmaterialization %}

{% macro in_place_of_former(kind) -%}
    {%- set former = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type=kind) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {%- if former is not none %}
        drop {{ former.type }} if exists {{ former }};
        {%- endif %}
        {{ create_table_as(False, target_relation, sql) if kind == 'table'
            else get_create_view_as_sql(target_relation, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{%- endmacro %}
