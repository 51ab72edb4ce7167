"""The models' SQL means the same on both engines, and the check of that finds what does not."""

import re
from pathlib import Path

import pytest

from dbt_project.lint.two_engines.check import sentences
from dbt_project.lint.two_engines.rules import findings

PIECES = [
    # What is wrong, SQL that has it, and SQL that says the same on both engines.
    (
        "where nulls go",
        "select a from t order by a desc",
        "select a from t order by a asc nulls last",
    ),
    (
        "where nulls go",
        "select sum(a) over (partition by b order by c, d asc nulls last) as s from t",
        "select sum(a) over (partition by b order by c nulls first, d nulls last) as s from t",
    ),
    (
        "where nulls go",
        "select a from t order by greatest(b, c) limit 3",
        "select percentile_cont(0.5) within group (order by a asc) as m from t",
    ),
    (
        "row_number ends with views",
        "select row_number() over (order by views desc nulls last) as n from t",
        "select row_number() over (order by views desc nulls last, post_id nulls last) as n from t",
    ),
    (
        "lag ends with nothing",
        "select lag(a) over (partition by b) as f from t",
        "select lag(a) over (partition by b order by scraped_at asc nulls last) as f from t",
    ),
    (
        "sum ends with posted_at",
        "select sum(a) over (order by posted_at nulls last rows unbounded preceding) as s from t",
        "select sum(a) over (order by posted_at nulls last) as s from t",
    ),
    (
        "max_by ends with views",
        "select max_by(a, views) as m from t",
        "select max_by(a, scraped_at) as m from t",
    ),
    ("division by b", "select a / b as r from t", "select a / nullif(b, 0) as r from t"),
    ("division by b", "select a % b as r from t", "select a % 7 as r from t"),
    (
        "division by b",
        "select case when c > 0 then a / b end as r from t",
        "select case when c > 0 and (b) > 0 then a / (2 * b) end as r from t",
    ),
    (
        "division by b",
        "select case when b > 0 or c > 0 then a / b end as r from t",
        "select case when b >= 5 then a / sqrt(b) end as r from t",
    ),
    (
        "division by (b - 1)",
        "select a / (b - 1) as r from t",
        "select a / (1 + exp(b)) + a / count(*) over () + a / greatest(b, 1) as r from t",
    ),
    ("0.5 is a decimal", "select 0.5 * a as h from t", "select 5e-1 * a as h from t"),
    (
        "10.0 is a decimal",
        "select a / 10.0 as h from t",
        "select a / 10e0 as h, '10.0' as s from t",
    ),
    ("is a text on Spark", 'select "a" from t', "select a from t"),
    (
        "regexp_replace() is",
        "select regexp_replace(a, 'b', 'c') as d from t",
        "select replace(a, 'b', 'c') as d from t",
    ),
    ("concat() is", "select concat(a, b) as c from t", "select a || b as c from t"),
    ("log() is", "select log(a) as b from t", "select log10(a) as b from t"),
    (
        "date_diff() is",
        "select date_diff('day', a, b) as c from t",
        "select coalesce(a, b) as c from t",
    ),
    ("unnest() is", "select unnest(a) as b from t", "select a as b from t"),
    ("rounded()", "select round(a, 2) as b from t", "select round(coalesce(a, 2)) as b from t"),
    (
        "ltrim() takes",
        "select ltrim(a, '@') as b from t",
        "select ltrim(replace(a, 'x', 'y')) as b from t",
    ),
    ("^ is not the same", "select a ^ 2 as b from t", "select power(a, 2) as b from t"),
    ("// is not known", "select a // 2 as b from t", "select floor(a / 2) as b from t"),
    ("->> is not the same", "select a ->> 'b' as c from t", "select '->>' as c from t"),
    ("[ ] is not the same", "select [1, 2] as a", "select 1 as a"),
    (
        "at time zone",
        "select a at time zone 'UTC' as b from t",
        "select 'at time zone' as b from t",
    ),
    ("distinct on", "select distinct on (a) a, b from t", "select distinct a, b from t"),
    ("exclude", "select * exclude (a) from t", "select b, 'exclude' as c from t"),
    ("by name", "select 1 as a union all by name select 2 as a", "select a from t group by name"),
    (
        "not materialized",
        "with a as not materialized (select 1 as b) select b from a",
        "with a as (select 1 as b) select b from a",
    ),
    (
        "interval of",
        "select a + interval (b) day as c from t",
        "select a + interval '1 day' as c from t",
    ),
    ("backslash", r"select a like '\d' as b from t", "select a like '[0-9]' as b from t"),
    ("another type", "select week_start + 7 as a from t", "select post_count + 7 as a from t"),
    (
        "another type",
        "select a_at - b_at as c from t",
        "select a_at - interval '3 hours' as c from t",
    ),
    (
        "another type",
        "select cast(a as date) - b as c from t",
        "select cast(a as date) as c from t",
    ),
    (
        "whole number",
        "select cast(a / 24 as integer) as b from t",
        "select cast(floor(a / 24) as integer) as b from t",
    ),
    (
        "whole number",
        "select (avg(a) + 1)::bigint as b from t",
        "select (sum(a) + 1)::bigint as b from t",
    ),
    (
        "type varchar",
        "select cast(a as varchar) as b from t",
        "select cast(a as string) as b from t",
    ),
    ("type timestamptz", "select a::timestamptz as b from t", "select a::date as b from t"),
    ("type timestamp", "select timestamp '2026-01-01' as a", "select date '2026-01-01' as a"),
    ("type varchar", "create table t (a bigint, b varchar)", "create table t (a bigint, b string)"),
    ("cannot be parsed", "select from where", "select a from t where b"),
]


@pytest.mark.parametrize(("said", "bad", "good"), PIECES, ids=[piece[1] for piece in PIECES])
def test_sql_of_two_meanings_is_found_and_what_replaces_it_is_not(said, bad, good) -> None:
    assert [one for _, one in findings(bad) if said in one]
    assert list(findings(good)) == []


def test_no_sql_of_the_project_means_two_things() -> None:
    assert sentences() == []


def test_a_finding_names_the_line_of_the_model_or_macro(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "models/doubled.sql": """
                {{ config(post_hook="{{ noted() }}") }}
                -- Grain: one row.
                select
                    {%- for name in ['a', 'b'] %}
                    {{ doubled(name) }} as {{ name }}{{ ',' if not loop.last }}
                    {%- endfor %},
                    log(c) as d
                from {{ ref('other') }}
                {% if is_incremental() %}
                where e > 1.5
                {% endif %}
            """,
            "macros/numbers.sql": """
                {# A comment. #}
                {% macro factor() -%} {{ return('2e0') }} {%- endmacro %}

                {% macro doubled(value) -%}
                    {{ factor() }}
                    * {{ value }} / {{ whole(value) }}
                {%- endmacro %}

                {% macro noted() -%} insert into notes select concat('a', 'b') {%- endmacro %}

                {% macro forgotten() -%} 1.5 {%- endmacro %}
            """,
            "macros/engine/numbers.sql": """
                {% macro whole(value) -%}
                    {{ return(adapter.dispatch('whole', 'afterpost')(value)) }}
                {%- endmacro %}

                {% macro duckdb__whole(value) -%} list_sum([{{ value }}]) {%- endmacro %}
            """,
        },
    )

    found = [
        re.sub(r"( is|, which| calls).*?(?= \(called|$)", "", one) for one in sentences(tmp_path)
    ]

    project = tmp_path.name
    called = f"(called from {project}/models/doubled.sql:6)"
    assert found == [
        f"{project}/macros/numbers.sql:7: division by whole(a) {called}",
        f"{project}/macros/numbers.sql:7: division by whole(b) {called}",
        f"{project}/macros/numbers.sql:10: concat() (called from dbt_project.yml:1)",
        f"{project}/macros/numbers.sql:12: no model, test or hook",
        f"{project}/models/doubled.sql:8: log()",
        f"{project}/models/doubled.sql:11: 1.5",
    ]


def _write(folder: Path, files: dict[str, str]) -> None:
    (folder / "dbt_project.yml").write_text("vars: {}\n")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
