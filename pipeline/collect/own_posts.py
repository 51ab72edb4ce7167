"""The account's own posts as the raw tables know them, for matching and labelling."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb
import orjson

from pipeline.accounts import Platform
from pipeline.collect.platform_registry import SOURCES

_PAYLOADS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class OwnPost:
    """One post as its newest scrape shows it."""

    platform: Platform
    post_id: str
    posted_at: datetime | None
    """In UTC with its zone."""
    caption: str | None


def own_posts(connection: duckdb.DuckDBPyConnection, account_name: str) -> list[OwnPost]:
    """All posts of an account, each once, in order of platform and id."""
    # Only keys are sorted, and payloads are read in portions: both together may be large.
    newest = connection.execute(
        "select rowid from raw.scrape_items where account_name = ? and item_kind = 'post' "
        "qualify row_number() over (partition by platform, post_id "
        "order by scraped_at desc, scrape_id desc, item_index desc) = 1 order by rowid",
        [account_name],
    ).fetchall()
    numbers = [number for (number,) in newest]
    posts = [
        post
        for first in range(0, len(numbers), _PAYLOADS_AT_ONCE)
        for post in _posts_in(connection, numbers[first : first + _PAYLOADS_AT_ONCE])
    ]
    return sorted(posts, key=lambda post: (post.platform.value, post.post_id))


def _posts_in(connection: duckdb.DuckDBPyConnection, numbers: list[int]) -> Iterator[OwnPost]:
    rows = connection.execute(
        "select platform, post_id, payload from raw.scrape_items "
        "where rowid between ? and ? and rowid in (select unnest(?::bigint[]))",
        [numbers[0], numbers[-1], numbers],
    ).fetchall()
    for platform_name, post_id, payload in rows:
        platform = Platform(platform_name)
        facts = SOURCES[platform].facts(orjson.loads(payload))
        yield OwnPost(platform, post_id, facts.posted_at, facts.caption)
