"""How much the best fifth of an account's posts brings, and how much of that is mere spread.

With heavy-tailed views the best fifth of any posts brings most of them: log-normal noise with a
spread of 1.3 gives two thirds. The share alone therefore says nothing; it stands beside what noise
of the account's own spread gives, and beside the share without the one best post.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.measure.statistics_rows import replace_rows
from pipeline.measure.statistics_tables import PARETO

TOP_SHARE = 0.2
MINIMUM_POSTS = 10
"""The best fifth of fewer posts is one post."""
_OUTCOMES = ("views_7d", "engagement_7d")
_COVERAGE = 0.90
_SPREADS = np.linspace(0.0, 3.0, 16)
_SIZES = np.array([10, 14, 20, 30, 45, 70, 110, 180, 300, 500])
_DRAWS = 300
_NORMAL_Z = float(special.ndtri(0.95))
_TOP_Z = float(special.ndtri(1 - TOP_SHARE))

_VALUES = """
select account_name, platform, outcome, post_id, value
from intermediate.int_post_outcomes
where list_contains($outcomes, outcome)
order by account_name, platform, outcome, value desc, post_id
"""


@dataclass(frozen=True)
class ShareInterval:
    """A share of the total, a fraction, with its 90 % interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class ParetoRow:
    """One row of ``stats.pareto``; figures are None with fewer than ten posts."""

    account_name: str
    platform: str
    outcome: str
    n: int
    top_n: int | None = None
    top_share: float | None = None
    top_share_low: float | None = None
    top_share_high: float | None = None
    top_share_without_top_post: float | None = None
    top_share_without_top_post_low: float | None = None
    top_share_without_top_post_high: float | None = None
    top_post_id: str | None = None
    top_post_share: float | None = None
    log_spread: float | None = None
    noise_top_share: float | None = None
    noise_top_share_low: float | None = None
    noise_top_share_high: float | None = None
    verdict: str = "not_enough_data"
    posts_needed: int = 0


def top_share(descending: NDArray[np.float64]) -> float:
    """Share of the total that the best fifth brings; the post on the border counts in part.

    Args:
        descending: Values, shape (..., posts), the largest first, with a total above 0.
    """
    return float(_top_shares(descending[np.newaxis, :])[0])


def top_share_interval(descending: NDArray[np.float64]) -> ShareInterval:
    """The best fifth's share of a total, with a 90 % interval for posts like these.

    Two intervals, and the hull of both: the delete-one jackknife on the log-odds (Efron and Stein,
    1981, https://doi.org/10.1214/aos/1176345462), which takes no distribution for granted and is
    far too narrow for heavy tails; and the interval of the spread of the logarithms by Bonett
    (2006), https://doi.org/10.1016/j.csda.2004.10.003, carried over to the share that log-normal
    posts of that spread have, Phi(spread - z). The share itself stays inside.

    Args:
        descending: Values, shape (posts,), at least 10, the largest first, not negative, with a
            total above 0.
    """
    n = len(descending)
    share = top_share(descending)
    left_out = _log_odds(_shares_without_each(descending))
    error = float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))
    width = float(special.stdtrit(n - 1, (1 + _COVERAGE) / 2)) * error
    centre = float(_log_odds(np.array(share)))
    log_low, log_high = _spread_interval(np.log1p(descending))
    low = min(_from_log_odds(centre - width), float(special.ndtr(log_low - _TOP_Z)), share)
    high = max(_from_log_odds(centre + width), float(special.ndtr(log_high - _TOP_Z)), share)
    return ShareInterval(share, low, high)


def noise_interval(log_spread: float, n: int) -> ShareInterval:
    """What the best fifth of n posts brings when nothing but log-normal noise sets them apart.

    The middle and 90 % of simulated shares, read off a grid of spreads and sizes that is drawn once
    with a fixed seed.

    Args:
        log_spread: Standard deviation of the posts' natural logarithms, at least 0.
        n: Number of posts, at least 10.
    """
    grid = _noise_grid()
    sizes = np.log(_SIZES)
    size = float(np.clip(np.log(n), sizes[0], sizes[-1]))
    above = int(np.clip(np.searchsorted(sizes, size), 1, len(sizes) - 1))
    weight = (size - sizes[above - 1]) / (sizes[above] - sizes[above - 1])
    low, middle, high = (
        float(
            np.interp(log_spread, _SPREADS, (1 - weight) * part[:, above - 1])
            + np.interp(log_spread, _SPREADS, weight * part[:, above])
        )
        for part in grid
    )
    return ShareInterval(middle, low, high)


def pareto_row(
    account_name: str,
    platform: str,
    outcome: str,
    post_ids: NDArray[np.str_],
    descending: NDArray[np.float64],
) -> ParetoRow:
    """The row of one account, platform and outcome.

    Args:
        account_name: The account.
        platform: Its platform.
        outcome: What is summed.
        post_ids: Shape (posts,), in the order of the values.
        descending: Values, shape (posts,), the largest first.
    """
    n = len(descending)
    if n < MINIMUM_POSTS or descending[1:].sum() <= 0:
        needed = max(0, MINIMUM_POSTS - n)
        return ParetoRow(account_name, platform, outcome, n, posts_needed=needed)
    whole = top_share_interval(descending)
    rest = top_share_interval(descending[1:]) if n > MINIMUM_POSTS else None
    spread = float(np.log1p(descending).std(ddof=1))
    noise = noise_interval(spread, n)
    if whole.share > noise.high:
        verdict = "more_than_noise"
    elif whole.share < noise.low:
        verdict = "less_than_noise"
    else:
        verdict = "as_noise"
    return ParetoRow(
        account_name=account_name,
        platform=platform,
        outcome=outcome,
        n=n,
        top_n=int(np.ceil(TOP_SHARE * n - 1e-9)),
        top_share=whole.share,
        top_share_low=whole.low,
        top_share_high=whole.high,
        top_share_without_top_post=rest.share if rest else None,
        top_share_without_top_post_low=rest.low if rest else None,
        top_share_without_top_post_high=rest.high if rest else None,
        top_post_id=str(post_ids[0]),
        top_post_share=float(descending[0] / descending.sum()),
        log_spread=spread,
        noise_top_share=noise.share,
        noise_top_share_low=noise.low,
        noise_top_share_high=noise.high,
        verdict=verdict,
    )


def write_pareto(connection: duckdb.DuckDBPyConnection) -> None:
    """Recompute ``stats.pareto`` from the intermediate tables of the same database.

    The caller's transaction decides when readers of the file see it.
    """
    found = connection.execute(_VALUES, {"outcomes": list(_OUTCOMES)}).fetchnumpy()
    values = np.asarray(found["value"], dtype=np.float64)
    keys = [found[name].astype(str) for name in ("account_name", "platform", "outcome")]
    is_new = np.ones(len(values), dtype=bool)
    is_new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    starts = np.flatnonzero(is_new)
    ends = np.append(starts[1:], len(values))
    rows = [
        pareto_row(
            str(keys[0][start]),
            str(keys[1][start]),
            str(keys[2][start]),
            found["post_id"][start:end].astype(str),
            values[start:end],
        )
        for start, end in zip(starts, ends, strict=False)
    ]
    replace_rows(
        connection,
        PARETO,
        {field.name: [getattr(row, field.name) for row in rows] for field in fields(ParetoRow)},
    )


def _top_shares(descending: NDArray[np.float64]) -> NDArray[np.float64]:
    n = descending.shape[-1]
    whole = int(TOP_SHARE * n + 1e-9)
    part = TOP_SHARE * n - whole
    top = descending[..., :whole].sum(axis=-1) + part * descending[..., min(whole, n - 1)]
    shares: NDArray[np.float64] = top / descending.sum(axis=-1)
    return shares


def _shares_without_each(descending: NDArray[np.float64]) -> NDArray[np.float64]:
    """The best fifth's share with each post left out in turn, shape (posts,)."""
    n = len(descending)
    whole = int(TOP_SHARE * (n - 1) + 1e-9)
    part = TOP_SHARE * (n - 1) - whole
    sums = np.concatenate([[0.0], np.cumsum(descending)])
    place = np.arange(n)
    top = np.where(place < whole, sums[whole + 1] - descending, sums[whole])
    border = np.where(place <= whole, descending[min(whole + 1, n - 1)], descending[whole])
    shares: NDArray[np.float64] = (top + part * border) / (sums[-1] - descending)
    return shares


def _spread_interval(logs: NDArray[np.float64]) -> tuple[float, float]:
    """90 % interval of a standard deviation whose distribution may have heavy tails."""
    n = len(logs)
    variance = float(logs.var(ddof=1))
    if variance == 0:
        return 0.0, 0.0
    # A trimmed mean, so that one far post does not hide how heavy the tail is.
    cut = int(n / (2 * np.sqrt(n - 4)))
    trimmed = float(np.sort(logs)[cut : n - cut].mean())
    kurtosis = n * float(np.sum((logs - trimmed) ** 4)) / ((n - 1) * variance) ** 2
    correction = n / (n - _NORMAL_Z)
    error = correction * np.sqrt(max((kurtosis - (n - 3) / n) / (n - 1), 0.0))
    centre = np.log(correction * variance)
    return (
        float(np.exp((centre - _NORMAL_Z * error) / 2)),
        float(np.exp((centre + _NORMAL_Z * error) / 2)),
    )


@lru_cache(maxsize=1)
def _noise_grid() -> NDArray[np.float64]:
    """Quantiles 5 %, 50 % and 95 % of the share in noise, shape (3, spreads, sizes)."""
    generator = np.random.default_rng(20)
    normals = generator.standard_normal((_DRAWS, int(_SIZES[-1])))
    grid = np.empty((3, len(_SPREADS), len(_SIZES)))
    for column, size in enumerate(_SIZES):
        # Sorting is by the noise alone: it serves every spread.
        drawn = -np.sort(-normals[:, :size], axis=1)
        for row, spread in enumerate(_SPREADS):
            grid[:, row, column] = np.quantile(
                _top_shares(np.exp(spread * drawn)), [0.05, 0.5, 0.95]
            )
    return grid


def _log_odds(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    bounded = np.clip(shares, 1e-9, 1 - 1e-9)
    odds: NDArray[np.float64] = np.log(bounded / (1 - bounded))
    return odds


def _from_log_odds(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
