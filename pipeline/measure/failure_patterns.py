"""What an account's worst posts have in common, and whether that is more than chance.

The worst fifth by an outcome is a draw of fixed size from the account's posts. When a segment has
nothing to do with failing, how many of its posts are among them is hypergeometric (Fisher's exact
test). False discoveries are controlled over all segments of an account, and over accounts.
"""

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.measure.effects import (
    FALSE_DISCOVERY_RATE,
    MINIMUM_POSTS,
    MINIMUM_POSTS_FOR_VERDICT,
)
from pipeline.measure.multiplicity import q_values
from pipeline.measure.statistics_rows import replace_rows
from pipeline.measure.statistics_tables import FAILURE_PATTERNS

_COVERAGE = 0.90

_COUNTS = """
with worst as (
    select account_name, platform, outcome, post_id from marts.mart_failure_posts
),
posts as (
    select
        outcomes.account_name,
        outcomes.platform,
        outcomes.outcome,
        outcomes.post_id,
        worst.post_id is not null as is_worst
    from intermediate.int_post_outcomes as outcomes
    left join worst using (account_name, platform, outcome, post_id)
    where outcomes.outcome in (select distinct outcome from worst)
),
accounts as (
    select
        account_name,
        platform,
        outcome,
        count(*) as account_n,
        count_if(is_worst) as account_worst_n
    from posts
    group by all
),
segments as (
    select
        posts.account_name,
        posts.platform,
        posts.outcome,
        segments.dimension,
        segments.segment,
        count(*) as n,
        count_if(posts.is_worst) as worst_n
    from posts
    inner join intermediate.int_post_segments as segments
        using (account_name, platform, post_id)
    group by all
)
select segments.*, accounts.account_n, accounts.account_worst_n
from segments
inner join accounts using (account_name, platform, outcome)
where accounts.account_worst_n > 0
order by account_name, platform, outcome, dimension, segment
"""


def share_bounds(
    events: NDArray[np.float64], trials: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact 90 % bounds of a share, shapes as given; fractions.

    Args:
        events: How often it happened, shape (segments,).
        trials: Out of how many, at least 1, shape (segments,).

    Source: Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404
    """
    tail = (1 - _COVERAGE) / 2
    missed = trials - events
    low = np.where(events > 0, special.betaincinv(np.maximum(events, 1), missed + 1, tail), 0.0)
    high = np.where(
        missed > 0, special.betaincinv(events + 1, np.maximum(missed, 1), 1 - tail), 1.0
    )
    return low, high


def over_representation(
    n: NDArray[np.float64],
    worst_n: NDArray[np.float64],
    account_n: NDArray[np.float64],
    account_worst_n: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Chance of at least so many of a segment's posts among the worst, all shapes (segments,).

    Args:
        n: Posts of the segment.
        worst_n: Of these, among the account's worst.
        account_n: Posts of the account.
        account_worst_n: How many of them are called the worst.
    """
    others = account_n - account_worst_n
    # The chance of exactly so many, and from there the ratio of each chance to the next: the sum
    # has no subtraction, so that small chances keep their digits.
    term = np.exp(
        _log_choose(account_worst_n, worst_n)
        + _log_choose(others, n - worst_n)
        - _log_choose(account_n, n)
    )
    total = term.copy()
    last = np.minimum(n, account_worst_n)
    place = worst_n.copy()
    while np.any(place < last):
        ratio = (
            (account_worst_n - place)
            * (n - place)
            / ((place + 1) * np.maximum(others - n + place + 1, 1))
        )
        term = np.where(place < last, term * ratio, 0.0)
        total += term
        place += 1
    return np.clip(total, 0.0, 1.0)


def write_failure_patterns(connection: duckdb.DuckDBPyConnection) -> None:
    """Recompute ``stats.failure_patterns`` from the models of the same database.

    The caller's transaction decides when readers of the file see it.
    """
    found = connection.execute(_COUNTS).fetchnumpy()
    n, worst_n, account_n, account_worst_n = (
        np.asarray(found[name], dtype=np.float64)
        for name in ("n", "worst_n", "account_n", "account_worst_n")
    )
    base = account_worst_n / np.maximum(account_n, 1)
    is_tested = (n >= MINIMUM_POSTS) & (account_n - n >= MINIMUM_POSTS)
    low, high = share_bounds(worst_n, n)
    p_values = over_representation(n, worst_n, account_n, account_worst_n)
    adjusted = np.ones_like(p_values)
    adjusted[is_tested] = q_values(
        p_values[is_tested],
        np.unique(found["account_name"].astype(str)[is_tested], return_inverse=True)[1],
    )
    is_found = is_tested & (adjusted <= FALSE_DISCOVERY_RATE) & (n >= MINIMUM_POSTS_FOR_VERDICT)
    verdicts = np.where(
        is_found, "over_represented", np.where(is_tested, "no_clear_difference", "not_enough_data")
    )
    shown = np.where(is_tested, 1.0, np.nan)
    replace_rows(
        connection,
        FAILURE_PATTERNS,
        {
            **{
                name: found[name]
                for name in ("account_name", "platform", "outcome", "dimension", "segment")
            },
            "n": n,
            "worst_n": worst_n,
            "account_n": account_n,
            "account_worst_n": account_worst_n,
            "expected_worst_n": n * base,
            "worst_share": worst_n / np.maximum(n, 1) * shown,
            "ratio": worst_n / np.maximum(n * base, 1e-9) * shown,
            "ratio_low": low / np.maximum(base, 1e-9) * shown,
            "ratio_high": high / np.maximum(base, 1e-9) * shown,
            "p_value": p_values * shown,
            "q_value": adjusted * shown,
            "verdict": verdicts,
        },
    )


def _log_choose(total: NDArray[np.float64], chosen: NDArray[np.float64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = (
        special.gammaln(total + 1)
        - special.gammaln(chosen + 1)
        - special.gammaln(total - chosen + 1)
    )
    return logs
