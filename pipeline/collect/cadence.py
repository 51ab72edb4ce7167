"""How often a profile is worth a scrape, and which posts need a look of their own.

A listing shows the newest posts only. While a profile has young posts it is scraped densely, then
daily, then weekly; posts that have left the listing are looked up by their addresses at 30, 60
and 90 days, because a curve that ends when the post leaves the listing makes every post look like
a flash in the pan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import duckdb

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.warehouse import reading
from pipeline.collect.landing import Source, SourceKind, manifests
from pipeline.collect.platform_registry import SOURCES
from pipeline.errors import NothingPublishedError
from pipeline.settings import Settings


class Pace(StrEnum):
    """How often a profile is scraped."""

    DENSE = "dense"
    DAILY = "daily"
    WEEKLY = "weekly"


_INTERVALS = {
    Pace.DENSE: timedelta(hours=6),
    Pace.DAILY: timedelta(days=1),
    Pace.WEEKLY: timedelta(days=7),
}
LONGEST_INTERVAL = max(_INTERVALS.values())
_SLACK = timedelta(hours=1)
"""A schedule that ticks a little early must not skip a whole interval."""
_DENSE_UNTIL = timedelta(hours=48)
_DAILY_UNTIL = timedelta(days=14)

MILESTONES_DAYS = (30, 60, 90)
_MILESTONE_OPEN = timedelta(days=14)
"""A milestone that nobody looked at for this long is let go: history that comes in as files must
not start hundreds of paid look-ups."""
MOST_LOOKS = 30
"""Addresses per profile and run."""


@dataclass(frozen=True)
class ProfileDue:
    """One profile's pace, and whether it is due."""

    account_name: str
    platform: Platform
    pace: Pace
    newest_post_at: datetime | None
    """Publication of the newest post that is not pinned; None when no post is known."""
    last_scraped_at: datetime | None
    is_due: bool


@dataclass(frozen=True)
class DirectLook:
    """One post to look up by its address."""

    post_id: str
    post_url: str
    why: str


def pace_of(newest_post_at: datetime | None, now: datetime) -> Pace:
    """Dense for 48 hours after the newest post, daily to 14 days, then weekly.

    A profile without known posts is scraped daily: nothing says that it is asleep.
    """
    if newest_post_at is None:
        return Pace.DAILY
    age = now - newest_post_at
    if age <= _DENSE_UNTIL:
        return Pace.DENSE
    return Pace.DAILY if age <= _DAILY_UNTIL else Pace.WEEKLY


def is_due(pace: Pace, last_scraped_at: datetime | None, now: datetime) -> bool:
    """Whether the pace's interval has passed since the last scrape."""
    return last_scraped_at is None or now - last_scraped_at >= _INTERVALS[pace] - _SLACK


def profiles_due(
    settings: Settings, accounts: Sequence[AccountConfig], now: datetime
) -> list[ProfileDue]:
    """The pace of every profile of the accounts, from the published copy and the landing files.

    Raises:
        LandingError: A manifest is damaged.
    """
    newest = _newest_posts(settings)
    profiles = []
    for account in accounts:
        for platform in sorted(account.platform_profiles):
            listings = [
                manifest.scraped_at
                for manifest in manifests(settings, platform, account.name)
                if manifest.source is Source.APIFY
                and manifest.source_kind is SourceKind.POSTS
                and manifest.post_count
                and (manifest.run_outcome is None or manifest.run_outcome.moves_baselines)
            ]
            last_scraped_at = max(listings, default=None)
            newest_post_at = newest.get((account.name, platform.value))
            pace = pace_of(newest_post_at, now)
            profiles.append(
                ProfileDue(
                    account_name=account.name,
                    platform=platform,
                    pace=pace,
                    newest_post_at=newest_post_at,
                    last_scraped_at=last_scraped_at,
                    is_due=is_due(pace, last_scraped_at, now),
                )
            )
    return profiles


def _newest_posts(settings: Settings) -> dict[tuple[str, str], datetime]:
    try:
        with reading(settings) as connection:
            rows = connection.execute(
                """
                select account_name, platform, max(posted_at)
                from marts.dim_post
                -- A pinned post comes first in the listing and can be years old, or newer than
                -- the others by chance: it says nothing about the profile's pace.
                where is_pinned is distinct from true and posted_at is not null
                group by account_name, platform
                """
            ).fetchall()
    except NothingPublishedError:
        return {}
    return {(account, platform): posted_at for account, platform, posted_at in rows}


_DIRECT_LOOKS = """
with last_seen as (
    select account_name, platform, post_id, max(age_hours) as age_hours
    from marts.fct_snapshot
    where account_name = $account_name and platform = $platform
    group by account_name, platform, post_id
),
candidates as (
    select
        posts.post_id,
        posts.post_url,
        posts.posted_at,
        listing.listing_state,
        listing.missed_listing_count,
        listing.direct_look_count,
        last_seen.age_hours
    from marts.dim_post as posts
    inner join marts.fct_post_listing as listing using (account_name, platform, post_id)
    inner join last_seen using (account_name, platform, post_id)
    where listing.listing_state <> 'listed' and posts.post_url is not null
),
milestones as (
    select unnest($milestones::integer[]) as days
)
select
    candidates.post_id,
    candidates.post_url,
    max(milestones.days) as milestone_days,
    any_value(candidates.listing_state = 'missing' and candidates.missed_listing_count >= 2
        and candidates.direct_look_count = 0) as is_suspect
from candidates
left join milestones
    on $now >= candidates.posted_at + milestones.days * interval '1 day'
    and $now <= candidates.posted_at + milestones.days * interval '1 day' + $open
    and candidates.age_hours < milestones.days * 24
    and candidates.listing_state <> 'gone'
group by candidates.post_id, candidates.post_url, candidates.posted_at
having max(milestones.days) is not null or bool_or(
    candidates.listing_state = 'missing' and candidates.missed_listing_count >= 2
    and candidates.direct_look_count = 0
)
order by candidates.posted_at desc nulls last, candidates.post_id
limit $most
"""


def direct_looks(
    connection: duckdb.DuckDBPyConnection, account_name: str, platform: Platform, now: datetime
) -> list[DirectLook]:
    """Posts of one profile to look up by their addresses, newest first, at most 30.

    Those that left the listing and have reached 30, 60 or 90 days without a snapshot since, and
    those that were missing from two listings in which they should have stood: a post is only
    called gone after a direct look found nothing.

    Args:
        connection: A published copy.
        account_name: Whose posts.
        platform: Where.
        now: The moment that ages count to.
    """
    rows = connection.execute(
        _DIRECT_LOOKS,
        {
            "account_name": account_name,
            "platform": platform.value,
            "milestones": list(MILESTONES_DAYS),
            "now": now,
            "open": _MILESTONE_OPEN,
            "most": MOST_LOOKS,
        },
    ).fetchall()
    return [
        DirectLook(
            post_id=post_id,
            post_url=post_url,
            why="missing from two listings" if is_suspect else f"{milestone_days} days old",
        )
        for post_id, post_url, milestone_days, is_suspect in rows
    ]


def accounts_with_looks(
    settings: Settings, accounts: Sequence[AccountConfig], now: datetime
) -> list[str]:
    """Names of the accounts that have a post to look up; none before the first build."""
    try:
        with reading(settings) as connection:
            return [
                account.name
                for account in accounts
                if any(
                    SOURCES[platform].direct
                    and direct_looks(connection, account.name, platform, now)
                    for platform in account.platform_profiles
                )
            ]
    except NothingPublishedError:
        return []
