"""What the posts of a plan did, from the published copy, beside what was expected of them."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from pipeline.decide.plans.plan import Plan, PostKey
from pipeline.measure.intervals import student_deviations

if TYPE_CHECKING:
    import duckdb

DEFAULT_OUTCOME = "engagement_7d"
"""Where nobody said what is expected: every platform publishes likes and comments."""

MIN_POSTS = 3
"""Fewer posts have no interval; they are shown one by one."""

SOURCE = "intermediate.int_post_outcomes"


@dataclass(frozen=True)
class PostOutcome:
    """What one linked post did."""

    post: PostKey
    is_known: bool
    """Whether a scrape has seen it as a post of the account."""
    posted_at: datetime | None
    value: float | None
    """In the outcome's own unit, at its age."""
    ratio: float | None
    """To the middle of the account's other posts on the platform; of one post, so no interval."""
    usual_n: int
    """Other posts that it is held against."""
    missing: str | None
    """Why there is no value."""


@dataclass(frozen=True)
class ActualOutcome:
    """What the linked posts did together, against the account's own usual."""

    outcome: str
    n: int
    """Linked posts with a value."""
    linked_count: int
    ratio: float | None
    """Geometric mean of the posts' ratios to the account's usual on their platforms."""
    ratio_low: float | None
    ratio_high: float | None
    """With ``ratio_low``: the 90 % interval (Student's t, spread of the account's posts)."""
    usual_n: int
    missing: str | None
    """Why there is no ratio."""
    posts: tuple[PostOutcome, ...]
    source: str
    warehouse_version: str | None

    def against(self, projected: float | None) -> str:
        """Whether the projection held: ``met``, ``missed``, ``cannot_tell`` or ``no_projection``.

        Args:
            projected: The ratio that was expected.
        """
        if projected is None:
            return "no_projection"
        if self.ratio is None or self.ratio_low is None or self.ratio_high is None:
            return "cannot_tell"
        if self.ratio_low > 1 and self.ratio_high >= projected:
            return "met"
        return "missed" if self.ratio_high < projected else "cannot_tell"


_OUTCOMES = """
with linked as (select unnest($platforms) as platform, unnest($post_ids) as post_id)
select
    outcomes.platform, outcomes.post_id, outcomes.value, outcomes.log_value_pulled_in,
    linked.post_id is not null as is_linked
from intermediate.int_post_outcomes as outcomes
left join linked using (platform, post_id)
where outcomes.account_name = $account_name and outcomes.outcome = $outcome
order by outcomes.platform, outcomes.post_id
"""
_KNOWN = """
with linked as (select unnest($platforms) as platform, unnest($post_ids) as post_id)
select posts.platform, posts.post_id, posts.posted_at, posts.age_hours
from marts.fct_post_performance as posts
inner join linked using (platform, post_id)
where posts.account_name = $account_name
"""


def actual_outcome(connection: "duckdb.DuckDBPyConnection", plan: Plan) -> ActualOutcome:
    """What the posts of a plan did by now.

    Posts are compared within their platform, on the log scale, with the account's posts that do
    not belong to the plan.

    Args:
        connection: To a published copy.
        plan: With its posts.
    """
    outcome = plan.projected.outcome if plan.projected else DEFAULT_OUTCOME
    version = connection.execute("select warehouse_version from stats.build_info").fetchone()
    keys = plan.posts
    parameters = {
        "account_name": plan.account_name,
        "platforms": [key.platform for key in keys],
        "post_ids": [key.post_id for key in keys],
    }
    if not keys:
        return _none(outcome, "no post is linked yet", version)
    known = {
        PostKey(platform, post_id): (posted_at, age_hours)
        for platform, post_id, posted_at, age_hours in connection.execute(
            _KNOWN, parameters
        ).fetchall()
    }
    others: dict[str, list[tuple[float, float]]] = defaultdict(list)
    own: dict[PostKey, tuple[float, float]] = {}
    rows = connection.execute(_OUTCOMES, {**parameters, "outcome": outcome}).fetchall()
    for platform, post_id, value, log_value, is_linked in rows:
        if is_linked:
            own[PostKey(platform, post_id)] = (value, log_value)
        else:
            others[platform].append((value, log_value))
    posts = tuple(_post(key, known, own, others[key.platform], outcome) for key in keys)
    ratio = _pooled(own, others)
    counted = sum(1 for key in own if len(others[key.platform]) > 1)
    missing = None
    if ratio is None:
        missing = f"{MIN_POSTS - counted} more posts with a value at that age are needed"
        if counted >= MIN_POSTS:
            missing = "the account has too few other posts to compare with"
    return ActualOutcome(
        outcome=outcome,
        n=len(own),
        linked_count=len(keys),
        ratio=None if ratio is None else ratio[0],
        ratio_low=None if ratio is None else ratio[1],
        ratio_high=None if ratio is None else ratio[2],
        usual_n=sum(len(others[platform]) for platform in {key.platform for key in keys}),
        missing=missing,
        posts=posts,
        source=SOURCE,
        warehouse_version=version[0] if version else None,
    )


def _none(outcome: str, reason: str, version: tuple[str] | None) -> ActualOutcome:
    return ActualOutcome(
        outcome, 0, 0, None, None, None, 0, reason, (), SOURCE, version[0] if version else None
    )


def _post(
    key: PostKey,
    known: dict[PostKey, tuple[datetime | None, float | None]],
    own: dict[PostKey, tuple[float, float]],
    others: Sequence[tuple[float, float]],
    outcome: str,
) -> PostOutcome:
    posted_at, age_hours = known.get(key, (None, None))
    value = own[key][0] if key in own else None
    usual = median(other for other, _ in others) if others else None
    missing = None
    if key not in known:
        missing = "no scrape has seen it yet"
    elif value is None:
        age = 72 if "72h" in outcome else 168
        is_young = age_hours is not None and age_hours < age
        missing = f"younger than {age} hours" if is_young else "not published or not seen then"
    return PostOutcome(
        post=key,
        is_known=key in known,
        posted_at=posted_at,
        value=value,
        ratio=value / usual if value is not None and usual else None,
        usual_n=len(others),
        missing=missing,
    )


def _pooled(
    own: dict[PostKey, tuple[float, float]], others: dict[str, list[tuple[float, float]]]
) -> tuple[float, float, float] | None:
    """Ratio of the linked posts to the usual with its interval; None with too few of either."""
    logs: dict[str, list[float]] = defaultdict(list)
    for key, (_, log_value) in own.items():
        if len(others[key.platform]) > 1:
            logs[key.platform].append(log_value)
    count = sum(len(values) for values in logs.values())
    if count < MIN_POSTS:
        return None
    squares, freedom, mean, inverse = 0.0, 0, 0.0, 1 / count
    for platform, values in logs.items():
        usual = [log for _, log in others[platform]]
        middle = sum(usual) / len(usual)
        own_middle = sum(values) / len(values)
        squares += sum((log - middle) ** 2 for log in usual)
        squares += sum((log - own_middle) ** 2 for log in values)
        freedom += len(usual) + len(values) - 2
        mean += sum(log - middle for log in values) / count
        inverse += (len(values) / count) ** 2 / len(usual)
    if freedom < 1:
        return None
    reach = student_deviations(freedom) * math.sqrt(squares / freedom * inverse)
    return math.exp(mean), math.exp(mean - reach), math.exp(mean + reach)
