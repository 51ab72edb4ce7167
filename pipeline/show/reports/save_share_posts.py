"""Each post's save rate and share rate at 7 days: what is kept, and what is passed on."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class SaveSharePost:
    """A post of which saves, shares and views at 7 days are known."""

    account_name: str
    platform: str
    post_id: str
    local_date: date | None
    text: str | None
    """The hook, else the caption; untrusted."""
    view_7d: float
    save_rate_7d: float
    share_rate_7d: float
    """Fractions of the views."""
    save_rate_7d_usual: float | None
    share_rate_7d_usual: float | None
    """The account's usual on that platform."""
    classification: str
    """high_save, high_share, high_both, neither or not_enough_data."""


_POSTS = """
select
    rates.account_name, rates.platform, rates.post_id, posts.local_date,
    coalesce(nullif(trim(posts.hook_text), ''), nullif(trim(posts.caption), '')) as text,
    rates.view_7d, rates.save_rate_7d, rates.share_rate_7d,
    rates.save_rate_7d_usual, rates.share_rate_7d_usual, rates.classification
from marts.mart_save_vs_share_posts as rates
left join marts.dim_post as posts using (account_name, platform, post_id)
where ($account_name is null or rates.account_name = $account_name)
  and rates.save_rate_7d is not null and rates.share_rate_7d is not null
  and rates.view_7d is not null
  and ($since is null or posts.local_date >= $since)
order by
    rates.platform, posts.local_date desc nulls last, rates.account_name, rates.post_id
"""


def save_share_posts(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    since: date | None = None,
) -> list[SaveSharePost]:
    """Posts with both rates, by platform, the newest first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        since: Only posts of this local day and later.
    """
    parameters = {"account_name": account_name, "since": since}
    return read_rows(connection, SaveSharePost, _POSTS, parameters)
