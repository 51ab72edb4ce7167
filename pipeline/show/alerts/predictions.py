"""Whether predictions have become worse than they were. Rules are pure: scores in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.accounts import AccountConfig, AlertKind
from pipeline.learn.predict.skill import counted_scores
from pipeline.measure.intervals import share_of
from pipeline.show.alerts.findings import Finding, Severity

if TYPE_CHECKING:
    import duckdb

FEWEST_LATE = 20
FEWEST_EARLIER = 40
LATE_DAYS = 28


@dataclass(frozen=True)
class ScoredPrediction:
    """A prediction whose outcome has become known."""

    account_name: str
    target: str
    """What was predicted, such as ``views_7d``."""
    scored_at: datetime
    is_right: bool
    """Whether the expected value was off the outcome by 25 % of it or less."""


def prediction_findings(
    connection: "duckdb.DuckDBPyConnection", accounts: Sequence[AccountConfig], now: datetime
) -> list[Finding]:
    """Alerts about the predictions of each account, a post counting once.

    Args:
        connection: To a published copy.
        accounts: Whose thresholds to use.
        now: The moment.
    """
    scored: dict[str, list[ScoredPrediction]] = {account.name: [] for account in accounts}
    for row in counted_scores(connection, now):
        if row["account_name"] in scored:
            scored[row["account_name"]].append(
                ScoredPrediction(
                    account_name=row["account_name"],
                    target=row["target"],
                    scored_at=row["scored_at"],
                    is_right=row["is_within_25_percent"],
                )
            )
    return [
        finding
        for account in accounts
        for finding in accuracy_findings(scored[account.name], now, account.alerts.accuracy_drop)
    ]


def accuracy_findings(
    predictions: Sequence[ScoredPrediction], now: datetime, smallest_drop: float
) -> list[Finding]:
    """Alerts about targets whose share of right predictions has surely fallen.

    The last `LATE_DAYS` are held against everything before. An alert needs the 90 % interval of the
    difference of the two shares (Newcombe's hybrid of Wilson intervals, 1998, method 10,
    https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I) to lie
    below no difference, and the difference itself to be at least ``smallest_drop``.

    Args:
        predictions: Of one account.
        now: The moment.
        smallest_drop: Difference of the two shares; 0.05 are five points.
    """
    since = now - timedelta(days=LATE_DAYS)
    found = []
    for target in sorted({one.target for one in predictions}):
        own = [one for one in predictions if one.target == target and one.scored_at <= now]
        late = [one.is_right for one in own if one.scored_at > since]
        earlier = [one.is_right for one in own if one.scored_at <= since]
        if len(late) < FEWEST_LATE or len(earlier) < FEWEST_EARLIER:
            continue
        now_right = share_of(sum(late), len(late))
        before = share_of(sum(earlier), len(earlier))
        drop = before.value - now_right.value
        surely = drop - math.hypot(before.value - before.low, now_right.high - now_right.value)
        if drop < smallest_drop or surely <= 0:
            continue
        figures = {
            "target": target,
            "late_n": now_right.whole,
            "late_share": now_right.value,
            "late_low": now_right.low,
            "late_high": now_right.high,
            "earlier_n": before.whole,
            "earlier_share": before.value,
            "drop": drop,
        }
        found.append(
            Finding(
                kind=AlertKind.ACCURACY_DROP,
                account_name=own[0].account_name,
                platform=None,
                subject=target,
                severity=Severity.CRITICAL,
                figures=figures,
            )
        )
    return found
