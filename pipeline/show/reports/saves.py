"""Which formats, hooks and pillars are saved, and which are passed on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class SaveVsShare:
    """One segment's saves and shares per view at 7 days, against the account's own usual."""

    account_name: str
    platform: str
    dimension: str
    segment: str
    age_hours: int
    post_count: int
    save_n: int | None
    save_effect: float | None
    save_effect_low: float | None
    save_effect_high: float | None
    """Ratio to the account's usual save rate, with its 90 % interval."""
    share_n: int | None
    share_effect: float | None
    share_effect_low: float | None
    share_effect_high: float | None
    classification: str
    """high_save, high_share, high_both, neither, not_enough_data or unclassified.

    The last is where the platform does not publish both.
    """
    posts_needed: int | None


_SAVES = """
select
    account_name, platform, dimension, segment, 168 as age_hours, post_count,
    save_n, save_effect, save_effect_low, save_effect_high,
    share_n, share_effect, share_effect_low, share_effect_high, classification, posts_needed
from marts.mart_save_vs_share
where $account_name is null or account_name = $account_name
order by
    account_name, platform, list_position(['format', 'hook_style', 'pillar'], dimension), dimension,
    save_effect desc nulls last, segment
"""


def saves_and_shares(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[SaveVsShare]:
    """Per account, platform and dimension the segments, the most saved first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, SaveVsShare, _SAVES, {"account_name": account_name})
