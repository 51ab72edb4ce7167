"""The account's own posts as the raw tables know them, for matching and labelling."""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import orjson

from pipeline.accounts import Platform
from pipeline.collect.platform_registry import SOURCES


@dataclass(frozen=True)
class OwnPost:
    """One post as its newest scrape shows it."""

    platform: Platform
    post_id: str
    posted_at: datetime | None
    """In UTC with its zone."""
    caption: str | None


def own_posts(connection: duckdb.DuckDBPyConnection, account_name: str) -> list[OwnPost]:
    """All posts of an account, each once, in order of platform and id."""
    rows = connection.execute(
        "select platform, post_id, payload from raw.scrape_items "
        "where account_name = ? and item_kind = 'post' "
        "qualify row_number() over (partition by platform, post_id "
        "order by scraped_at desc, scrape_id desc, item_index desc) = 1 "
        "order by platform, post_id",
        [account_name],
    ).fetchall()
    posts = []
    for platform_name, post_id, payload in rows:
        platform = Platform(platform_name)
        facts = SOURCES[platform].facts(orjson.loads(payload))
        posts.append(OwnPost(platform, post_id, facts.posted_at, facts.caption))
    return posts
