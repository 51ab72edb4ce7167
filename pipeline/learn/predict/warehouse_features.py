"""Posts of a published copy as the tables that predictions are learned from and asked with.

A row holds only what was known when its post went out:

* its own segments, words, hour, weekday, slides and length, on the account's clock;
* the followers of the newest profile snapshot that is not later than the post;
* numbers of the account's earlier posts whose outcome was known by then. An outcome at 7 days is a
  value between two snapshots, so it is known from the later one on, not from the seventh day;
* how the account stood and its rhythm, which :mod:`pipeline.learn.predict.standing` adds from the
  outcomes and the times at which they were known.

Outcomes of posts whose counts are impossible (``stats.broken_counts``) are left out altogether:
they teach nothing, and no account stands by them.

Scores of trends, hashtags and audio, and averages of competitors, are null: there are no marts of
them yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from pipeline.clients.warehouse import published_database, reading
from pipeline.learn.predict.earlier import EarlierRates
from pipeline.learn.predict.post_features import (
    CATEGORY_PERFORMANCE,
    CONTEXT_NUMBERS,
    DIMENSIONS,
    NUMBERS,
    PLATFORM_MULTIPLIER,
    PostFacts,
)
from pipeline.learn.predict.posts import COUNT, RATE, LogScale, Posts, Texts
from pipeline.measure.broken_counts import BROKEN_POSTS
from pipeline.measure.effects import Floats
from pipeline.settings import Settings

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""What the hours of all tables count from."""


class Target(StrEnum):
    """What is predicted: outcomes of the warehouse."""

    VIEWS = "views_7d"
    ENGAGEMENT_RATE = "engagement_rate_7d"

    @property
    def scale(self) -> LogScale:
        """The logarithm on which it is modelled."""
        return COUNT if self is Target.VIEWS else RATE


OUTCOME_AGE_HOURS = 168

POSTS_QUERY = """
select
    account_name, platform, post_id, posted_at, local_posted_at,
    format, pillar, topic, hook_style, cta, media_type,
    hook_text, caption, slide_count, duration_s
from marts.dim_post
where posted_at is not null and is_ad is distinct from true
order by posted_at, account_name, platform, post_id
"""

OUTCOMES_QUERY = f"""
with

snapshots as (
    select
        account_name, platform, post_id,
        min(scraped_at) filter (where view_count is not null) as views_at,
        min(scraped_at) filter (where like_count is not null) as likes_at,
        min(scraped_at) filter (where comment_count is not null) as comments_at,
        min(scraped_at) filter (where share_count is not null) as shares_at,
        min(scraped_at) filter (where save_count is not null) as saves_at
    from intermediate.int_snapshots__published
    where age_hours >= {OUTCOME_AGE_HOURS}
    group by account_name, platform, post_id
)

select
    account_name, platform, post_id, outcome, value,
    case outcome
        when 'views_7d' then views_at
        else greatest(views_at, likes_at, comments_at, shares_at, saves_at)
    end as known_at
from intermediate.int_post_outcomes
inner join snapshots using (account_name, platform, post_id)
where
    outcome in ('views_7d', 'engagement_rate_7d')
    and value >= 0
    and (account_name, platform, post_id) not in ({BROKEN_POSTS})
"""  # noqa: S608 (constants)

FOLLOWERS_QUERY = """
select account_name, platform, scraped_at, follower_count
from marts.fct_profile_snapshot
where follower_count is not null
order by scraped_at
"""


@dataclass(frozen=True)
class Queries:
    """The questions to the copy; a test asks wrong ones, to see that they are found out."""

    posts: str = POSTS_QUERY
    outcomes: str = OUTCOMES_QUERY
    followers: str = FOLLOWERS_QUERY


@dataclass(frozen=True, eq=False)
class Knowledge:
    """All posts of a published copy with what was known of each; rows in the order of time."""

    warehouse_version: str
    account: Texts
    platform: Texts
    post_id: Texts
    posted_at_hours: Floats
    segments: Texts
    numbers: Floats
    outcomes: dict[Target, Floats]
    known_at_hours: dict[Target, Floats]
    follower_hours: dict[tuple[str, str], tuple[Floats, Floats]]
    """By account and platform: when profiles were seen, and their followers then."""
    _tables: dict[tuple[str, Target, str | None], Posts] = field(default_factory=dict, repr=False)
    """Those that were asked for."""

    def posts(self, platform: str, target: Target) -> Posts:
        """The table of one platform, over all accounts."""
        return self._table(platform, target, None)

    def posts_of(self, account_name: str, platform: str, target: Target) -> Posts:
        """The table of one account on one platform."""
        return self._table(platform, target, account_name)

    def platforms(self) -> tuple[str, ...]:
        """Those with posts, in order of name."""
        return tuple(sorted(set(self.platform.tolist())))

    @cached_property
    def known_until_hours(self) -> float:
        """Right after the newest post and outcome; what came later, no row can tell."""
        moments = [self.posted_at_hours, *self.known_at_hours.values()]
        newest = max((hours[np.isfinite(hours)].max(initial=0.0) for hours in moments), default=0.0)
        return float(np.nextafter(newest, np.inf))

    def followers_at(self, account_name: str, platform: str, hours: float) -> int | None:
        """The followers of the newest profile snapshot that is not later, or None."""
        return _followers_at(self.follower_hours.get((account_name, platform)), hours)

    def asked(self, facts: Sequence[PostFacts]) -> Posts:
        """A table of posts to ask about, in the order of their times, which they must have.

        Their outcomes are not known. What the account's earlier posts say is looked up here.
        """
        hours = np.array([hours_of(one.posted_at) for one in facts], dtype=np.float64)
        account = _texts([one.account_name for one in facts])
        segments = _texts([one.segments() for one in facts]).reshape(len(facts), len(DIMENSIONS))
        platform = _texts([one.platform for one in facts])
        context = _context(self._earlier, account, platform, _pillars(segments), hours)
        nothing = np.full(len(facts), np.nan)
        return Posts(
            account=account,
            posted_at_hours=hours,
            known_at_hours=np.full(len(facts), np.inf),
            outcome=nothing,
            segments=segments,
            numbers=np.column_stack([_own_numbers(facts), context]),
            dimension_names=DIMENSIONS,
            number_names=NUMBERS,
        )

    def _table(self, platform: str, target: Target, account_name: str | None) -> Posts:
        key = (platform, target, account_name)
        if key not in self._tables:
            is_own = self.platform == platform
            if account_name is not None:
                is_own &= self.account == account_name
            rows = np.flatnonzero(is_own)
            self._tables[key] = Posts(
                account=self.account[rows],
                posted_at_hours=self.posted_at_hours[rows],
                known_at_hours=self.known_at_hours[target][rows],
                outcome=self.outcomes[target][rows],
                segments=self.segments[rows],
                numbers=self.numbers[rows],
                dimension_names=DIMENSIONS,
                number_names=NUMBERS,
            )
        return self._tables[key]

    @cached_property
    def _earlier(self) -> EarlierRates:
        return EarlierRates(
            account=self.account,
            platform=self.platform,
            pillar=_pillars(self.segments),
            known_at_hours=self.known_at_hours[Target.ENGAGEMENT_RATE],
            rate=self.outcomes[Target.ENGAGEMENT_RATE],
        )


def hours_of(moment: datetime) -> float:
    """Hours since :data:`EPOCH` of a moment with its zone."""
    return (moment - EPOCH).total_seconds() / 3600


def load_knowledge(settings: Settings) -> Knowledge:
    """What the newest published copy knows; read once per copy and process.

    Raises:
        NothingPublishedError: No build has been green yet.
        PublishedCopyOutdatedError: The copy lacks a table that is read here.
    """
    return _load(settings, published_database(settings))


@lru_cache(maxsize=2)
def _load(settings: Settings, path: Path) -> Knowledge:
    with reading(settings) as connection:
        return read_knowledge(connection, path.parent.name)


def read_knowledge(
    connection: duckdb.DuckDBPyConnection, warehouse_version: str, queries: Queries | None = None
) -> Knowledge:
    """What a warehouse knows.

    Args:
        connection: To it, with UTC as its zone.
        warehouse_version: What the result is called.
        queries: Other questions than the usual ones.
    """
    queries = queries or Queries()
    followers = _followers(connection, queries.followers)
    facts, ids = [], []
    for row in _rows(connection, queries.posts):
        profile = (row["account_name"], row["platform"])
        seen = _followers_at(followers.get(profile), hours_of(row["posted_at"]))
        facts.append(_facts(row, seen))
        ids.append(row["post_id"])
    posted = np.array([hours_of(one.posted_at) for one in facts], dtype=np.float64)
    outcomes, known = _outcomes(connection, queries.outcomes, facts, ids, posted)
    account = _texts([one.account_name for one in facts])
    platform = _texts([one.platform for one in facts])
    segments = _texts([one.segments() for one in facts]).reshape(len(facts), len(DIMENSIONS))
    rates = EarlierRates(
        account=account,
        platform=platform,
        pillar=_pillars(segments),
        known_at_hours=known[Target.ENGAGEMENT_RATE],
        rate=outcomes[Target.ENGAGEMENT_RATE],
    )
    context = _context(rates, account, platform, _pillars(segments), posted)
    return Knowledge(
        warehouse_version=warehouse_version,
        account=account,
        platform=platform,
        post_id=_texts(ids),
        posted_at_hours=posted,
        segments=segments,
        numbers=np.column_stack([_own_numbers(facts), context]),
        outcomes=outcomes,
        known_at_hours=known,
        follower_hours=followers,
    )


def _facts(row: dict[str, Any], follower_count: int | None) -> PostFacts:
    return PostFacts(
        account_name=row["account_name"],
        platform=row["platform"],
        posted_at=row["posted_at"],
        local_at=row["local_posted_at"],
        format=row["format"],
        pillar=row["pillar"],
        topic=row["topic"],
        hook_style=row["hook_style"],
        cta=row["cta"],
        media_type=row["media_type"],
        hook=row["hook_text"],
        caption=row["caption"],
        slide_count=row["slide_count"],
        duration_s=row["duration_s"],
        follower_count=follower_count,
    )


def _outcomes(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    facts: Sequence[PostFacts],
    ids: Sequence[str],
    posted: Floats,
) -> tuple[dict[Target, Floats], dict[Target, Floats]]:
    """Values and when they were known, by target; NaN and infinite where they are not."""
    place = {
        (one.account_name, one.platform, name): row
        for row, (one, name) in enumerate(zip(facts, ids, strict=True))
    }
    outcomes = {target: np.full(len(facts), np.nan) for target in Target}
    known = {target: np.full(len(facts), np.inf) for target in Target}
    for row in _rows(connection, query):
        found = place.get((row["account_name"], row["platform"], row["post_id"]))
        if found is None or row["known_at"] is None:
            continue
        target = Target(row["outcome"])
        outcomes[target][found] = row["value"]
        known[target][found] = max(hours_of(row["known_at"]), posted[found])
    return outcomes, known


def _followers(
    connection: duckdb.DuckDBPyConnection, query: str
) -> dict[tuple[str, str], tuple[Floats, Floats]]:
    found: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for row in _rows(connection, query):
        hours, counts = found.setdefault((row["account_name"], row["platform"]), ([], []))
        hours.append(hours_of(row["scraped_at"]))
        counts.append(float(row["follower_count"]))
    return {
        profile: (np.array(hours), np.array(counts)) for profile, (hours, counts) in found.items()
    }


def _followers_at(series: tuple[Floats, Floats] | None, hours: float) -> int | None:
    if series is None:
        return None
    before = int(np.searchsorted(series[0], hours, side="right"))
    return int(series[1][before - 1]) if before else None


def _context(
    earlier: EarlierRates, account: Texts, platform: Texts, pillar: Texts, hours: Floats
) -> Floats:
    """The numbers of :data:`CONTEXT_NUMBERS`; shape (rows, numbers)."""
    known = {
        CATEGORY_PERFORMANCE.name: CATEGORY_PERFORMANCE.within(
            earlier.of_pillar(account, platform, pillar, hours)
        ),
        PLATFORM_MULTIPLIER.name: PLATFORM_MULTIPLIER.within(
            earlier.of_platform(account, platform, hours)
        ),
    }
    unknown = np.full(len(hours), np.nan)
    return np.column_stack([known.get(name, unknown) for name in CONTEXT_NUMBERS])


def _own_numbers(facts: Sequence[PostFacts]) -> Floats:
    width = len(NUMBERS) - len(CONTEXT_NUMBERS)
    numbers = np.array([one.own_numbers() for one in facts], dtype=np.float64)
    return numbers.reshape(len(facts), width)


def _pillars(segments: Texts) -> Texts:
    found: Texts = segments[:, DIMENSIONS.index("pillar")]
    return found


def _texts(values: Sequence[Any]) -> Texts:
    return np.array(values, dtype=np.str_)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
