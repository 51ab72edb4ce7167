"""How much of everything the best fifth of an account's posts brings, beside what luck gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Pareto:
    """One account on one platform by one outcome at 7 days; shares are fractions."""

    account_name: str
    platform: str
    outcome: str
    age_hours: int
    n: int
    top_n: int | None
    """Posts in the best fifth."""
    top_share: float | None
    """Part of the total that they brought."""
    top_share_low: float | None
    top_share_high: float | None
    """With ``top_share_low``: the 90 % interval."""
    top_share_without_top_post: float | None
    top_share_without_top_post_low: float | None
    top_share_without_top_post_high: float | None
    top_post_id: str | None
    top_post_share: float | None
    noise_top_share: float | None
    """What the best fifth brings where nothing but luck of the same spread sets posts apart."""
    noise_top_share_low: float | None
    noise_top_share_high: float | None
    verdict: str
    """as_noise, more_than_noise, less_than_noise or not_enough_data."""
    posts_needed: int | None


_PARETO = """
select
    account_name, platform, outcome, 168 as age_hours, n, top_n, top_share, top_share_low,
    top_share_high, top_share_without_top_post, top_share_without_top_post_low,
    top_share_without_top_post_high, top_post_id, top_post_share, noise_top_share,
    noise_top_share_low, noise_top_share_high, verdict, posts_needed
from marts.mart_pareto
where $account_name is null or account_name = $account_name
order by account_name, platform, outcome desc
"""


def paretos(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[Pareto]:
    """One row per account, platform and outcome, views first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, Pareto, _PARETO, {"account_name": account_name})
