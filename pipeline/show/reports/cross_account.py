"""What accounts have in common: a segment's effect across them, and whether it holds within each.

A segment counts as universal only when it does well or badly inside of the accounts. Posts of all
accounts in one heap would also show which accounts use it most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class CommonEffect:
    """One segment on one platform over all accounts, each compared with its own usual."""

    platform: str
    dimension: str
    segment: str
    outcome: str
    age_hours: int
    n: int | None
    """Posts behind the common effect."""
    effect: float | None
    """Effect common to the accounts, a ratio; None with one account."""
    effect_low: float | None
    effect_high: float | None
    """With ``effect_low``: the 90 % interval."""
    q_value: float | None
    verdict: str
    account_count: int
    """Accounts that have an effect of their own."""
    better_account_count: int
    worse_account_count: int
    """Accounts whose own effect is clear."""
    same_sign_share: float | None
    """Part of the accounts on the common effect's side, a fraction."""
    i_squared: float | None
    """How much of the spread between accounts is more than their uncertainty, a fraction."""
    scope: str
    """universal, account_specific, no_clear_difference or not_enough_data."""
    pooled_ratio: float | None
    """What one heap of all posts would show."""
    is_simpson_reversal: bool | None
    """Whether the heap shows the opposite of what holds within the accounts."""


_COMMON = """
select distinct
    platform, dimension, segment, outcome, $age_hours as age_hours, common_n as n,
    common_effect as effect, common_effect_low as effect_low, common_effect_high as effect_high,
    common_q_value as q_value, common_verdict as verdict,
    measured_account_count as account_count, better_account_count, worse_account_count,
    same_sign_share, i_squared, scope, pooled_ratio, is_simpson_reversal
from marts.mart_cross_account
where list_contains($outcomes, outcome)
  and ($dimensions is null or list_contains($dimensions, dimension))
order by platform, dimension, outcome, effect desc nulls last, segment
"""

OUTCOMES_AT_7_DAYS = (
    "views_7d",
    "engagement_7d",
    "engagement_rate_7d",
    "save_rate_7d",
    "share_rate_7d",
)


def common_effects(
    connection: "duckdb.DuckDBPyConnection",
    dimensions: Sequence[str] | None = None,
    *,
    outcomes: Sequence[str] = OUTCOMES_AT_7_DAYS,
) -> list[CommonEffect]:
    """One row per platform, dimension, segment and outcome, the best first.

    Args:
        connection: To a published copy.
        dimensions: Only these; all when left out.
        outcomes: Only these; at 7 days of age.
    """
    values = {
        "outcomes": list(outcomes),
        "dimensions": list(dimensions) if dimensions is not None else None,
        "age_hours": 168,
    }
    return read_rows(connection, CommonEffect, _COMMON, values)


@dataclass(frozen=True)
class AccountHighlight:
    """An account's clearest effect in one direction."""

    account_name: str
    platform: str
    dimension: str
    segment: str
    outcome: str
    age_hours: int
    n: int
    effect: float
    effect_low: float
    effect_high: float
    """With ``effect_low``: the 90 % interval."""
    verdict: str
    """better or worse."""
    clear_count: int
    """How many of the account's effects are as clear in that direction, other outcomes too."""


_HIGHLIGHTS = """
with ranked as (
    select
        account_name, platform, dimension, segment, outcome, age_hours, n, effect, effect_low,
        effect_high, verdict,
        count(*) over account as clear_count,
        row_number() over (
            account order by
                abs(ln(case when verdict = 'better' then effect_low else effect_high end)) desc,
                platform, dimension, segment, outcome
        ) as place
    from stats.segment_effects
    where account_name <> $across and age_hours = 168 and effect_low > 0
      and list_contains(['better', 'worse'], verdict)
    window account as (partition by account_name, verdict)
)
select * exclude (place) from ranked
where place = 1
order by account_name, verdict
"""


def account_highlights(connection: "duckdb.DuckDBPyConnection") -> list[AccountHighlight]:
    """Of each account with a verdict what does best and what does worst, by its cautious bound.

    Args:
        connection: To a published copy.
    """
    return read_rows(connection, AccountHighlight, _HIGHLIGHTS, {"across": "*"})
