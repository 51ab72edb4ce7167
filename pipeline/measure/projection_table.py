"""The table ``stats.post_projection``: what young posts are expected to reach at 7 and 28 days.

Each platform's posts that are old enough teach one projection per metric. Their number is bounded,
newest first and the same number of each account as far as there are so many, so that the cost is
one of platforms and not of posts. Without a young post nothing is read or learned.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.measure import projection
from pipeline.measure.projection_features import Histories
from pipeline.measure.statistics_rows import replace_rows
from pipeline.measure.statistics_tables import POST_PROJECTION, STATISTICS_TABLES

TARGET_AGES = {"7d": 168, "28d": 672}
"""Standard ages that are projected, with their hours."""
METRICS = {"view": "engagement", "engagement": "view"}
"""What is projected, each with its companion."""
CAN_FALL = {"view": False, "engagement": True}
"""Likes are taken back and comments deleted; views are looked at again only in rare audits."""
TRAINING_POSTS = 600
"""Of one platform, at most."""
_MOMENTS_PER_POST = 2
"""At which a training post is looked at for each target age."""

_OLDEST_AGE_HOURS = max(TARGET_AGES.values())
_AGE_NOW = "age_hours + (epoch(as_of) - epoch(scraped_at)) / 3600.0"

_POSTS = f"""
create or replace temp table projected_posts as
with posts as (
    select
        engagement.account_name, engagement.platform, engagement.post_id,
        engagement.engagement_terms, engagement.scraped_at, engagement.age_hours,
        engagement.view_7d, engagement.view_28d,
        engagement.engagement_7d, engagement.engagement_28d,
        labelled.is_ad,
        max(engagement.scraped_at) over () as as_of
    from intermediate.int_posts__engagement as engagement
    inner join intermediate.int_posts__labelled as labelled
        using (account_name, platform, post_id)
    where engagement.age_hours > 0
),
young as (
    select *, {_AGE_NOW} as age_now_hours
    from posts
    where {_AGE_NOW} < {_OLDEST_AGE_HOURS} and age_hours < {_OLDEST_AGE_HOURS}
),
-- Round after round, one more post of every account; half of all have their 28-day value.
ranked as (
    select
        *,
        coalesce(view_28d, engagement_28d) is not null as is_old,
        row_number() over (
            partition by account_name, platform, is_old
            order by {_AGE_NOW} asc nulls last, post_id asc nulls last
        ) as round
    from posts
    where coalesce(view_7d, engagement_7d, view_28d, engagement_28d) is not null
        and is_ad is distinct from true
        and platform in (select platform from young)
),
taken as (
    select
        *,
        row_number() over (
            partition by platform, is_old
            order by round asc nulls last, account_name asc nulls last
        ) as place
    from ranked
)
select account_name, platform, post_id, engagement_terms, true as is_young,
    age_now_hours, scraped_at, age_hours, null::double as view_7d, null::double as view_28d,
    null::double as engagement_7d, null::double as engagement_28d
from young
union all
select account_name, platform, post_id, engagement_terms, false,
    null, scraped_at, age_hours, view_7d, view_28d, engagement_7d, engagement_28d
from taken
where place <= {TRAINING_POSTS // 2}
"""  # noqa: S608 (numbers of our own)

_SNAPSHOTS = f"""
create or replace temp table projected_snapshots as
select
    posts.is_young, posts.account_name, posts.platform, posts.post_id, snapshots.age_hours,
    snapshots.view_count as observed_view,
    case posts.engagement_terms
        when 'likes+comments' then like_count + comment_count
        when 'likes+comments+shares' then like_count + comment_count + share_count
        when 'likes+comments+saves' then like_count + comment_count + save_count
        when 'likes+comments+shares+saves'
            then like_count + comment_count + share_count + save_count
    end as observed_engagement,
    max(observed_view) over earlier as view,
    max(observed_engagement) over earlier as engagement
from intermediate.int_snapshots__published as snapshots
inner join projected_posts as posts using (account_name, platform, post_id)
where snapshots.age_hours > 0
    and snapshots.age_hours < {_OLDEST_AGE_HOURS}
    -- Older parts of the table are skipped as a whole.
    and snapshots.scraped_at
        >= $first_posted_at
window earlier as (
    partition by posts.is_young, account_name, platform, post_id
    order by snapshots.age_hours asc nulls last
    rows between unbounded preceding and current row
)
"""  # noqa: S608 (numbers of our own)

_MOMENTS = f"""
with targets as (
    select * from (values {", ".join(f"('{k}', {v})" for k, v in TARGET_AGES.items())})
        as ages (age_label, target_age_hours)
),
moments as (
    select
        snapshots.*,
        targets.target_age_hours,
        case targets.age_label
            {" ".join(f"when '{k}' then posts.view_{k}" for k in TARGET_AGES)}
        end as target_view,
        case targets.age_label
            {" ".join(f"when '{k}' then posts.engagement_{k}" for k in TARGET_AGES)}
        end as target_engagement,
        row_number() over (
            partition by snapshots.is_young, account_name, platform, post_id, target_age_hours
            -- The newest of a young post; of the others any, by a rule that is the same each time.
            order by
                case when snapshots.is_young then -snapshots.age_hours end asc nulls last,
                md5(post_id || '|' || round(snapshots.age_hours, 3)::varchar) asc nulls last
        ) as place
    from projected_snapshots as snapshots
    inner join projected_posts as posts using (is_young, account_name, platform, post_id)
    inner join targets
        on snapshots.age_hours < 0.98 * targets.target_age_hours
            and (posts.age_now_hours is null or posts.age_now_hours < targets.target_age_hours)
),
chosen as (
    select *
    from moments
    where (is_young and place = 1)
        or (
            not is_young and place <= {_MOMENTS_PER_POST}
            and coalesce(target_view, target_engagement) is not null
        )
),
-- The earlier one of two moments is the one nearest to half the age, at least six hours before.
paired as (
    select
        chosen.*,
        earlier.age_hours as first_age_hours,
        earlier.view as first_view,
        earlier.engagement as first_engagement,
        row_number() over (
            partition by chosen.is_young, account_name, platform, post_id,
                chosen.target_age_hours, chosen.age_hours
            order by
                abs(ln(2 * earlier.age_hours / chosen.age_hours)) asc nulls last,
                earlier.age_hours asc nulls last
        ) as nearness
    from chosen
    left join projected_snapshots as earlier
        using (is_young, account_name, platform, post_id)
    where earlier.age_hours <= chosen.age_hours - 6
),
nearest as (
    select * from paired where nearness = 1
)
select
    chosen.is_young, chosen.account_name, chosen.platform, chosen.post_id,
    chosen.target_age_hours::double as target_age_hours,
    chosen.target_view::double as target_view,
    chosen.target_engagement::double as target_engagement,
    chosen.age_hours as last_age_hours,
    chosen.view::double as last_view,
    chosen.engagement::double as last_engagement,
    chosen.observed_view::double as observed_view,
    chosen.observed_engagement::double as observed_engagement,
    nearest.first_age_hours,
    nearest.first_view::double as first_view,
    nearest.first_engagement::double as first_engagement
from chosen
left join nearest
    using (is_young, account_name, platform, post_id, target_age_hours, age_hours)
order by all
"""  # noqa: S608 (numbers and names of our own)

Table = Mapping[str, NDArray[Any]]


def write_post_projection(connection: duckdb.DuckDBPyConnection) -> int:
    """Recompute ``stats.post_projection`` from the intermediate tables of the same database.

    The caller's transaction decides when readers of the file see it.

    Returns:
        How many rows were written: one per young post, metric and standard age ahead of it.
    """
    columns = project_young(_moments(connection))
    replace_rows(connection, POST_PROJECTION, columns)
    return len(columns["metric"])


def _moments(connection: duckdb.DuckDBPyConnection) -> Table | None:
    connection.execute(_POSTS)
    try:
        summary = connection.execute(
            "select min(scraped_at - to_seconds(age_hours * 3600)), bool_or(is_young) "
            "from projected_posts"
        ).fetchone()
        if summary is None or not summary[1]:
            return None
        connection.execute(_SNAPSHOTS, {"first_posted_at": summary[0]})
        return _filled(connection.execute(_MOMENTS).fetchnumpy())
    finally:
        connection.execute("drop table if exists projected_posts")
        connection.execute("drop table if exists projected_snapshots")


def _filled(table: dict[str, Any]) -> Table:
    """Arrays of objects, booleans and floats, in which NaN stands for null."""
    filled: dict[str, NDArray[Any]] = {}
    for name, column in table.items():
        is_number = np.asarray(column).dtype.kind == "f"
        filled[name] = (
            np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
            if is_number
            else np.asarray(column)
        )
    return filled


def project_young(moments: Table | None) -> dict[str, NDArray[Any]]:
    """The table's columns, from moments of young posts and of those to learn from.

    Args:
        moments: One row per post, moment and target age, or None when there is no young post:
            ``is_young``, the post's key, ``target_age_hours``, and for each metric
            ``target_<metric>`` (known for training posts), ``last_<metric>``, ``first_<metric>``
            and ``observed_<metric>``, with ``last_age_hours`` and ``first_age_hours``.
    """
    parts: list[dict[str, NDArray[Any]]] = []
    if moments is not None:
        for platform in sorted({str(name) for name in moments["platform"]}):
            own = {
                name: column[moments["platform"] == platform] for name, column in moments.items()
            }
            parts += [part for metric in METRICS for part in _of_metric(own, metric)]
    columns = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.array([])
        for name in STATISTICS_TABLES[POST_PROJECTION]
    }
    order = np.lexsort(
        [columns[name] for name in ("age_hours", "metric", "post_id", "platform", "account_name")]
    )
    return {name: column[order] for name, column in columns.items()}


def _of_metric(moments: Table, metric: str) -> list[dict[str, NDArray[Any]]]:
    """The rows of one platform and metric, one part per standard age."""
    known = ~np.isnan(moments[f"last_{metric}"])
    is_young = moments["is_young"].astype(np.bool_)
    young = is_young & known & ~np.isnan(moments[f"observed_{metric}"])
    training = ~is_young & known & ~np.isnan(moments[f"target_{metric}"])
    if not young.any():
        return []
    accounts = _codes(moments["account_name"])
    posts = _codes(moments["account_name"], moments["post_id"])
    histories = _histories(moments, metric)

    def learned_from(rows: NDArray[np.bool_]) -> projection.Projector:
        return projection.fit(
            histories.rows(rows),
            moments[f"target_{metric}"][rows],
            posts[rows],
            accounts[rows],
            can_fall=CAN_FALL[metric],
        )

    learned, built_in = learned_from(training), learned_from(np.zeros_like(training))
    parts = []
    for age_hours in TARGET_AGES.values():
        at_age = moments["target_age_hours"] == age_hours
        asked, taught = young & at_age, training & at_age
        post_count = len(np.unique(posts[taught]))
        # What is known of 7 days alone says nothing of 28.
        is_known = post_count >= projection.MINIMUM_POSTS_FOR_CURVE
        projector = learned if is_known else built_in
        found = projector.project(histories.rows(asked), accounts[asked])
        _, first = np.unique(posts[taught], return_index=True)
        of_account = np.bincount(accounts[taught][first], minlength=accounts.max() + 1)
        rows = int(asked.sum())
        parts.append(
            {
                "account_name": moments["account_name"][asked],
                "platform": moments["platform"][asked],
                "post_id": moments["post_id"][asked],
                "metric": np.full(rows, metric, dtype=object),
                "age_hours": np.full(rows, age_hours),
                "observed_age_hours": moments["last_age_hours"][asked],
                "observed_count": moments[f"observed_{metric}"][asked],
                "expected_count": found.expected,
                "expected_count_low_80": found.low,
                "expected_count_high_80": found.high,
                "training_post_count": np.full(rows, post_count),
                "account_training_post_count": of_account[accounts[asked]],
                "method": np.full(rows, projector.method.value, dtype=object),
            }
        )
    return parts


def _codes(*keys: NDArray[Any]) -> NDArray[np.int64]:
    """One number per different row of keys, in their order, shape (rows,)."""
    joined = ["\n".join(row) for row in zip(*keys, strict=True)]
    return np.unique(np.array(joined, dtype=str), return_inverse=True)[1].astype(np.int64)


def _histories(moments: Table, metric: str) -> Histories:
    companion = METRICS[metric]
    # A count that was not told at the first moment makes the post one that was seen once.
    is_told = ~np.isnan(moments[f"first_{metric}"])

    def first(name: str) -> NDArray[np.float64]:
        return np.where(is_told, moments[name], np.nan)

    return Histories(
        first_age_hours=first("first_age_hours"),
        first_count=first(f"first_{metric}"),
        first_companion=first(f"first_{companion}"),
        last_age_hours=moments["last_age_hours"],
        last_count=moments[f"last_{metric}"],
        last_companion=moments[f"last_{companion}"],
        target_age_hours=moments["target_age_hours"],
    )
