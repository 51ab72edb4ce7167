"""The posts of an experiment, as the published copy has them.

A post belongs to an experiment by the stamp that its draft carried. Values are read at one age, so
that a post that is older has no advantage, and never pulled in: what an earlier look saw does not
depend on later posts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.learn.experiments.expected import PostOutcome, outcomes
from pipeline.learn.experiments.registration import METRICS, Metric, Registration

if TYPE_CHECKING:
    import duckdb

_DIMENSIONS = ("format", "pillar", "hook_style", "slide_count", "cta", "daypart")

_POSTS_SQL = f"""
select post_id, assignment_id, experiment_arm, posted_at, local_weekday, last_seen_at, is_ad,
    {", ".join(_DIMENSIONS)}
from marts.dim_post
where account_name = $account_name and platform = $platform and experiment_id = $experiment_id
    and posted_at is not null
order by posted_at, post_id
"""  # noqa: S608 (our own columns)

_VERSION_SQL = "select warehouse_version from stats.build_info"


@dataclass(frozen=True)
class Post:
    """A post that carries an experiment's stamp.

    Attributes:
        post_id: On the experiment's platform.
        assignment_id: That the stamp names.
        arm: That the stamp names.
        posted_at: With its zone.
        weekday: 1 for Monday, where the account is.
        daypart: Where the account is.
        last_seen_at: Newest snapshot.
        is_paid: Whether reach was paid for.
        labels: Segment by dimension, those that are known.
        outcomes: By metric, each with what was to be expected; unknown ones are left out.
    """

    post_id: str
    assignment_id: str | None
    arm: str | None
    posted_at: datetime
    weekday: int
    daypart: str
    last_seen_at: datetime
    is_paid: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, PostOutcome] = field(default_factory=dict)

    def known_at(self, metric: Metric) -> datetime:
        """When it is old enough for a metric."""
        return self.posted_at + timedelta(hours=metric.age_hours)


def metrics_of(registration: Registration) -> tuple[Metric, ...]:
    """The primary metric and those of the guards, each once."""
    names = (registration.metric, *(guard.metric for guard in registration.guards))
    return tuple(METRICS[name] for name in dict.fromkeys(names))


def posts_of(connection: "duckdb.DuckDBPyConnection", registration: Registration) -> list[Post]:
    """All posts with the experiment's stamp, the oldest first.

    Args:
        connection: To a published copy.
        registration: The experiment.
    """
    profile = {"account_name": registration.account_name, "platform": registration.platform}
    rows = _rows(connection, _POSTS_SQL, {**profile, "experiment_id": registration.experiment_id})
    known = _outcomes(connection, registration, [row["post_id"] for row in rows])
    return [
        Post(
            post_id=row["post_id"],
            assignment_id=row["assignment_id"],
            arm=row["experiment_arm"],
            posted_at=row["posted_at"],
            weekday=row["local_weekday"],
            daypart=row["daypart"],
            last_seen_at=row["last_seen_at"],
            is_paid=bool(row["is_ad"]),
            labels={name: str(row[name]) for name in _DIMENSIONS if row[name] is not None},
            outcomes=known[row["post_id"]],
        )
        for row in rows
    ]


def version_of(connection: "duckdb.DuckDBPyConnection") -> str:
    """The version of a published copy."""
    (row,) = connection.execute(_VERSION_SQL).fetchall()
    return str(row[0])


def _outcomes(
    connection: "duckdb.DuckDBPyConnection", registration: Registration, post_ids: Sequence[str]
) -> dict[str, dict[str, PostOutcome]]:
    found: dict[str, dict[str, PostOutcome]] = {post_id: {} for post_id in post_ids}
    for metric in metrics_of(registration) if found else ():
        own = outcomes(connection, registration.account_name, registration.platform, metric)
        for outcome in own:
            if outcome.post_id in found:
                found[outcome.post_id][metric.name] = outcome
    return found


def _rows(
    connection: "duckdb.DuckDBPyConnection", query: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    cursor = connection.execute(query, dict(parameters))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
