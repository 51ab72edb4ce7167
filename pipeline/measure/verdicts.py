"""The table ``stats.verdicts``: what each approved change did, by what was fixed at its approval.

Looks are at fixed moments after the approval, each with the posts that were old enough by then, so
that building more often does not mean looking more often, and a later build says the same.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np

from pipeline.measure.contrasts import Contrast, Judgement, contrast, judge
from pipeline.measure.statistics_tables import STATISTICS_TABLES, VERDICTS, create_empty
from pipeline.measure.verdict_rule import (
    EARLY_DEVIATIONS,
    FINAL_DEVIATIONS,
    FIRST_LOOK_WEEK,
    MINIMUM_POSTS,
    Evidence,
    Verdict,
)

_WEEK = timedelta(weeks=1)

_REGISTRATIONS = "select * from raw.state_verdict_registrations order by recommendation_id"

_POSTS = """
select
    epoch(posts.posted_at) as posted_at,
    epoch(posts.posted_at) + outcomes.age_hours * 3600 as known_at,
    segments.segment,
    outcomes.log_value_pulled_in as log_value,
    case
        when segments.dimension = 'format' and posts.format_source = 'planned'
            then posts.pick_probability
    end as probability
from intermediate.int_post_outcomes as outcomes
inner join intermediate.int_post_segments as segments
    on outcomes.account_name = segments.account_name
    and outcomes.platform = segments.platform
    and outcomes.post_id = segments.post_id
inner join intermediate.int_posts__labelled as posts
    on outcomes.account_name = posts.account_name
    and outcomes.platform = posts.platform
    and outcomes.post_id = posts.post_id
where outcomes.account_name = $account_name
    and outcomes.platform = $platform
    and outcomes.outcome = $outcome
    and segments.dimension = $dimension
    and posts.posted_at is not null
order by posts.posted_at, posts.post_id
"""

_AS_OF = "select max(scraped_at) from marts.fct_snapshot"

Posts = Mapping[str, np.ndarray[Any, Any]]
"""``posted_at`` and ``known_at`` (seconds since 1970), ``segment``, ``log_value``, and
``probability`` (NaN where the post was not drawn); one element per post."""


def write_verdicts(connection: duckdb.DuckDBPyConnection) -> int:
    """Recompute ``stats.verdicts`` from the registrations and posts of the same database.

    The caller's transaction decides when readers of the file see it.

    Returns:
        Number of rows, one per registration.
    """
    cursor = connection.execute(_REGISTRATIONS)
    names = [column[0] for column in cursor.description]
    registrations = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    create_empty(connection, VERDICTS)
    if not registrations:
        return 0
    row = connection.execute(_AS_OF).fetchone()
    as_of = row[0] if row and row[0] else datetime.min.replace(tzinfo=UTC)
    columns = list(STATISTICS_TABLES[VERDICTS])
    marks = ", ".join("?" * len(columns))
    for registration in registrations:
        registration["control_shares"] = json.loads(registration["control_shares"])
        parameters = {
            key: registration[key] for key in ("account_name", "platform", "outcome", "dimension")
        }
        verdict = verdict_row(registration, posts_of(connection, parameters), as_of)
        connection.execute(
            f"insert into stats.verdicts values ({marks})",  # noqa: S608 (question marks)
            [verdict[column] for column in columns],
        )
    return len(registrations)


def posts_of(connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]) -> Posts:
    """The posts of one account, platform, dimension and outcome, oldest first."""
    found = connection.execute(_POSTS, dict(parameters)).fetchnumpy()
    return {
        "posted_at": np.asarray(found["posted_at"], dtype=np.float64),
        "known_at": np.asarray(found["known_at"], dtype=np.float64),
        "segment": np.asarray(found["segment"], dtype=object),
        "log_value": np.asarray(found["log_value"], dtype=np.float64),
        "probability": np.ma.filled(
            np.ma.asarray(found["probability"], dtype=np.float64), np.nan
        ).astype(np.float64),
    }


def verdict_row(registration: Mapping[str, Any], posts: Posts, as_of: datetime) -> dict[str, Any]:
    """The row of ``stats.verdicts`` for one registration.

    Args:
        registration: A row of ``raw.state_verdict_registrations``, with ``control_shares`` as dict.
        posts: All posts of its account, platform, dimension and outcome.
        as_of: What is known is known up to here.

    Returns:
        The first verdict that a look gave, or what the last look saw; figures are None before there
        are posts enough.
    """
    registered_at = registration["registered_at"]
    weeks = registration["horizon_days"] // 7
    found: Contrast | None = None
    judged: Judgement | None = None
    evidence = Evidence.BEFORE_AFTER
    decided_at = None
    for week in range(FIRST_LOOK_WEEK, weeks + 1):
        look_at = registered_at + week * _WEEK
        if look_at > as_of:
            break
        found, evidence = _contrast_at(registration, posts, look_at)
        judged = None
        if found is None:
            continue
        judged = judge(
            found,
            is_better=registration["direction"] == "better",
            smallest_useful_ratio=registration["smallest_useful_ratio"],
            deviations=FINAL_DEVIATIONS if week == weeks else EARLY_DEVIATIONS,
        )
        if judged.verdict is not Verdict.CANNOT_TELL:
            decided_at = look_at
            break
    horizon_at = registered_at + weeks * _WEEK
    return {
        **{
            key: registration[key]
            for key in (
                "recommendation_id", "account_name", "platform", "dimension", "segment", "outcome",
                "direction", "registered_at", "smallest_useful_ratio", "posts_per_week",
                "expected_share_decided",
            )
        },
        "horizon_at": horizon_at,
        "verdict": Verdict.CANNOT_TELL.value if judged is None else judged.verdict.value,
        "is_final": decided_at is not None or horizon_at <= as_of,
        "decided_at": decided_at,
        "evidence": evidence.value,
        "n": 0 if found is None else found.n,
        "control_n": 0 if found is None else found.control_n,
        "effect": None if judged is None else judged.ratio,
        "effect_low": None if judged is None else judged.ratio_low,
        "effect_high": None if judged is None else judged.ratio_high,
        "more_posts_needed": None if judged is None else judged.more_posts_needed,
    }  # fmt: skip


def _contrast_at(
    registration: Mapping[str, Any], posts: Posts, look_at: datetime
) -> tuple[Contrast | None, Evidence]:
    """The contrast as a look sees it: by drawn posts where there are enough of them."""
    start, moment = registration["registered_at"].timestamp(), look_at.timestamp()
    is_after = (posts["posted_at"] > start) & (posts["known_at"] <= moment)
    drawn = is_after & np.isfinite(posts["probability"])
    own = posts["segment"] == registration["segment"]
    if min(np.sum(drawn & own), np.sum(drawn & ~own)) >= MINIMUM_POSTS:
        return (
            _contrast(registration, posts, drawn, posts["probability"][drawn],
                      registration["control_shares"]),
            Evidence.DRAWN,
        )  # fmt: skip
    # What the segment took the place of: the others as they were mixed before the approval.
    is_before = (posts["posted_at"] <= start) & ~own
    names, counts = np.unique(posts["segment"][is_before].astype(str), return_counts=True)
    shares = {str(name): float(count) for name, count in zip(names, counts, strict=True)}
    return _contrast(registration, posts, is_after, None, shares), Evidence.BEFORE_AFTER


def _contrast(
    registration: Mapping[str, Any],
    posts: Posts,
    chosen: np.ndarray[Any, Any],
    probabilities: np.ndarray[Any, Any] | None,
    shares: dict[str, float],
) -> Contrast | None:
    return contrast(
        posts["log_value"][chosen],
        posts["segment"][chosen],
        probabilities,
        segment=registration["segment"],
        control_shares=shares,
    )
