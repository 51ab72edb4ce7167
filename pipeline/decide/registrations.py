"""What an approved change will be judged by, fixed at its approval.

The claim is the finding's: posts of the segment get more (or less) of the outcome than what they
take the place of. Metric, direction, smallest useful size, horizon, rule and arms are stored with
a hash before any of the posts exist that will tell.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import datetime
from statistics import NormalDist
from typing import Any

from pipeline.clock import utc_text
from pipeline.decide.briefs import Account
from pipeline.decide.context_id import context_id_of
from pipeline.decide.draw import format_shares
from pipeline.learn.recommend.recommendation import Category, Recommendation
from pipeline.learn.thompson import PRIOR_SD
from pipeline.measure.intervals import log_error
from pipeline.measure.verdict_rule import (
    FINAL_DEVIATIONS,
    HORIZON_WEEKS,
    MINIMUM_POSTS,
    RULE,
    SMALLEST_USEFUL_RATIO,
)

_DIMENSIONS = frozenset(
    {"format", "pillar", "topic", "hook_style", "slide_count", "cta", "daypart"}
)
_NOT_JUDGED = frozenset({Category.SAVE_VS_SHARE, Category.FORMAT_EXPERIMENT})
"""Lists that steer no pick, and tries that claim nothing."""
REVERT = "revert:"
"""How the target of a recommendation begins that takes a change back; it is not judged again."""

_HOURS_PER_WEEK = 168


def judged_finding(recommendation: Recommendation) -> Mapping[str, Any] | None:
    """The finding that a verdict would be about; None when there is nothing to judge."""
    if recommendation.category in _NOT_JUDGED or recommendation.target.startswith(REVERT):
        return None
    finding = recommendation.findings[0] if recommendation.findings else {}
    if finding.get("kind") != "effect" or finding.get("dimension") not in _DIMENSIONS:
        return None
    return finding


def registration_row(
    recommendation: Recommendation,
    document: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    now: datetime,
) -> dict[str, Any] | None:
    """The row of ``verdict_registrations`` for an approval; None when there is nothing to judge.

    Args:
        recommendation: What was approved.
        document: The context before the approval, as JSON; the holdout follows it.
        after: The context that the approval made.
        now: The moment of the approval.
    """
    finding = judged_finding(recommendation)
    if finding is None:
        return None
    row = {
        "recommendation_id": recommendation.recommendation_id,
        "account_name": recommendation.account_name,
        "registered_at": now,
        "platform": finding["platform"],
        "dimension": finding["dimension"],
        "segment": finding["segment"],
        "outcome": finding["outcome"],
        "direction": finding["direction"],
        "smallest_useful_ratio": SMALLEST_USEFUL_RATIO,
        "horizon_days": 7 * HORIZON_WEEKS,
        "control_shares": _control_shares(finding, document),
        "context_id_before": context_id_of(document),
        "context_id_after": context_id_of(after),
        "rule": RULE,
        "posts_per_week": recommendation.posts_per_week,
        "expected_share_decided": expected_share_decided(recommendation, document, after),
    }
    return {**row, "sha256": row_sha256(row)}


def row_sha256(row: Mapping[str, Any]) -> str:
    """The hash of a registration: of everything but ``sha256`` itself."""
    content = {
        key: utc_text(value) if isinstance(value, datetime) else value
        for key, value in row.items()
        if key != "sha256"
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def expected_share_decided(
    recommendation: Recommendation,
    document: Mapping[str, Any],
    after: Mapping[str, Any],
) -> float | None:
    """The chance that a verdict falls within eight weeks, at the account's pace.

    The true contrast is taken as normal around the finding's own, pulled in because findings are
    the luckiest of many; what the posts will show, around that with its own error. The chance is
    that the interval leaves out either no difference or everything useful. Formats get the posts
    that draws from the context would give them.

    Args:
        recommendation: With the finding, and the posts per week.
        document: The context before, which the holdout follows.
        after: The context as the approval would make it.

    Returns:
        None when there is nothing to judge or the pace is not known.
    """
    finding = judged_finding(recommendation)
    pace = recommendation.posts_per_week
    if finding is None or not pace or not _has_error(finding):
        return None
    before = finding["n"] / finding["account_n"]
    # An effect is against the usual, of which the segment is a part; the claim is against the rest.
    found_error = log_error(finding["effect_low"], finding["effect_high"])
    error = found_error / (1 - before)
    middle = math.log(finding["effect_low"] * finding["effect_high"]) / 2
    claimed = middle if finding["direction"] == "better" else -middle
    variance = 1 / (1 / PRIOR_SD**2 + 1 / error**2)
    gain = variance / error**2 * claimed / (1 - before)
    spread = found_error / math.sqrt(1 / finding["n"] - 1 / finding["account_n"])
    posts = pace * (HORIZON_WEEKS - _age_weeks(finding))
    own, others = _shares_after(finding, document, after, before)
    control = posts * sum(share for share, _ in others)
    if posts * own < MINIMUM_POSTS or control < MINIMUM_POSTS:
        return 0.0
    # A segment with hardly a post counts as having one: less would not be seen at all.
    inverse = sum(part**2 / max(1.0, posts * share) for share, part in others)
    later = spread * math.sqrt(1 / (posts * own) + inverse)
    shown = NormalDist(gain, math.sqrt(variance + later**2))
    reach = FINAL_DEVIATIONS * later
    low = shown.cdf(math.log(SMALLEST_USEFUL_RATIO) - reach)
    return round(min(1.0, low + 1 - shown.cdf(reach)), 4)


def _age_weeks(finding: Mapping[str, Any]) -> float:
    return float(finding.get("age_hours") or _HOURS_PER_WEEK) / _HOURS_PER_WEEK


def _has_error(finding: Mapping[str, Any]) -> bool:
    low, high = finding.get("effect_low"), finding.get("effect_high")
    return bool(low and high and high > low > 0 and 0 < finding["n"] < finding["account_n"])


def _control_shares(finding: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, float]:
    """How the former context shares the other formats' posts; empty: as the posts have it."""
    if finding["dimension"] != "format":
        return {}
    weights = document.get("format_weights", {})
    others = {name: float(w) for name, w in sorted(weights.items()) if name != finding["segment"]}
    whole = sum(others.values())
    return {name: round(weight / whole, 6) for name, weight in others.items()}


def _shares_after(
    finding: Mapping[str, Any],
    document: Mapping[str, Any],
    after: Mapping[str, Any],
    before: float,
) -> tuple[float, list[tuple[float, float]]]:
    """The segment's part of the posts to come, and of each other its part and its weight.

    The weight is that in the comparison; the weights sum to 1.
    """
    if finding["dimension"] != "format":
        return before, [(1 - before, 1.0)]
    account = Account("", tuple(after.get("format_weights", {})))
    shares = format_shares(after, account, previous=document)
    control = _control_shares(finding, document)
    return shares.get(finding["segment"], 0.0), [
        (shares.get(name, 0.0), weight) for name, weight in control.items()
    ]
