"""Columns are followed to the tables that they are made of."""

import pytest

from pipeline.defs.column_lineage import origins_of_columns

TABLES = (
    (("raw", "posts"), ("post_id", "views", "likes")),
    (("raw", "labels"), ("post_id", "format")),
)


def _told(sql: str) -> dict[str, list[str]]:
    return {
        column: sorted(f"{table}.{name}" for _, table, name in found)
        for column, found in origins_of_columns(sql, TABLES).items()
    }


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select post_id, views as seen from raw.posts",
         {"post_id": ["posts.post_id"], "seen": ["posts.views"]}),
        ('select * from "afterpost"."raw"."labels"',
         {"post_id": ["labels.post_id"], "format": ["labels.format"]}),
        (("with a as (select *, views + likes as both from raw.posts), "
         "b as (select both * 2 as twice from a) select twice, 1 as one from b"),
         {"twice": ["posts.likes", "posts.views"], "one": []}),
        ("select p.post_id, l.format from raw.posts p left join raw.labels l using (post_id)",
         {"post_id": ["posts.post_id"], "format": ["labels.format"]}),
        (("select post_id, views as what from raw.posts union all "
         "select post_id, format from raw.labels"),
         {"post_id": ["labels.post_id", "posts.post_id"],
          "what": ["labels.format", "posts.views"]}),
        ("select count(*) as n, max(likes) filter (where views > 1) as most from raw.posts",
         {"n": [], "most": ["posts.likes", "posts.views"]}),
        ("select post_id, sum(views) over (partition by likes) as total from raw.posts",
         {"post_id": ["posts.post_id"], "total": ["posts.likes", "posts.views"]}),
        (("select (select max(format) from raw.labels l where l.post_id = p.post_id) as f "
         "from raw.posts p"),
         {"f": ["labels.format", "labels.post_id", "posts.post_id"]}),
        (("with recursive r as (select 1 as i union all select i + 1 from r where i < 3) "
         "select i from r"), {"i": []}),
    ],
)  # fmt: skip
def test_columns_are_followed(sql: str, expected: dict[str, list[str]]):
    assert _told(sql) == expected


def test_what_cannot_be_read_has_no_lineage():
    assert _told("select from where (") == {}
