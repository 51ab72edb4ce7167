"""A simulated world: accounts, their posts with growing numbers, and the planted truth.

The calendar is fixed and nothing reads a clock: the same seed gives the same world, byte for byte.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.errors import ConfigurationError
from pipeline.settings import REPOSITORY
from pipeline.simulate import instagram_rows, tiktok_rows
from pipeline.simulate.plans import DEMO_PLANS, AccountPlan, plan_for
from pipeline.simulate.posts import Post, draw_posts
from pipeline.simulate.seeds import stream
from pipeline.simulate.truth import Truth

DEFAULT_START = datetime(2026, 7, 28, 4, 0, 0, tzinfo=UTC)
DEFAULT_END = datetime(2026, 11, 15, 13, 0, 5, tzinfo=UTC)
"""The moment of the newest scrape."""
VIEWS_SIGMA = 0.75
"""Default spread of a post's views: standard deviation of their natural logarithm."""

ScrapeKind = Literal["posts", "profiles"]


class World:
    """Everything that is true, and what a scrape of it would answer."""

    def __init__(
        self,
        *,
        seed: int,
        start: datetime,
        end: datetime,
        accounts: Sequence[AccountConfig],
        plans: Mapping[str, AccountPlan],
        posts: Mapping[tuple[str, Platform], tuple[Post, ...]],
    ) -> None:
        """Use :func:`build_world`."""
        self.seed = seed
        self.start = start
        self.end = end
        self.accounts = tuple(accounts)
        self._by_name = {account.name: account for account in accounts}
        self._plans = dict(plans)
        self._posts = dict(posts)
        self._fixed: dict[str, dict[str, Any]] = {}

    @property
    def profiles(self) -> tuple[tuple[str, Platform], ...]:
        """Every account name and platform that posts, in the order of the accounts."""
        return tuple(self._posts)

    @property
    def posts(self) -> tuple[Post, ...]:
        """All posts, by profile and then by time."""
        return tuple(post for posts in self._posts.values() for post in posts)

    @cached_property
    def truth(self) -> Truth:
        """What is planted, as effects that an estimate can be compared with."""
        return Truth(self.posts, self.end)

    def account(self, account_name: str) -> AccountConfig:
        """One account of the world.

        Raises:
            ValueError: No such account.
        """
        if account_name not in self._by_name:
            known = ", ".join(self._by_name) or "none"
            raise ValueError(f"The world has no account {account_name!r} (accounts: {known}).")
        return self._by_name[account_name]

    def plan(self, account_name: str) -> AccountPlan:
        """What was planted for one account. Raises ValueError for an unknown one."""
        return self._plans[self.account(account_name).name]

    def profile_posts(self, account_name: str, platform: Platform) -> tuple[Post, ...]:
        """All posts of one profile, oldest first.

        Raises:
            ValueError: No such account, or it has no profile on the platform.
        """
        account = self.account(account_name)
        if (account_name, platform) not in self._posts:
            raise ValueError(f"{account.name} has no profile on {platform.value}.")
        return self._posts[account_name, platform]

    def follower_count(self, account_name: str, platform: Platform, at: datetime) -> float:
        """Followers at ``at``, before any rounding; they only grow."""
        plan = self.plan(account_name)
        days = (at - self.start).total_seconds() / 86_400
        return plan.platforms[platform].follower_count * math.exp(plan.daily_growth * days)

    def profile_id(self, account_name: str, platform: Platform) -> str:
        """The platform's own id of a profile."""
        rng = stream(self.seed, "profile", account_name, platform.value)
        digits = 19 if platform is Platform.TIKTOK else 11
        return str(int(rng.integers(6 * 10 ** (digits - 1), 7 * 10 ** (digits - 1))))

    def scrape_rows(
        self, account_name: str, platform: Platform, kind: ScrapeKind, at: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """What the platform's actor would answer at ``at``, in its own full schema.

        Pinned posts come first and count towards the limit, then the newest ones. Now and then an
        ordinary error row follows.

        Args:
            account_name: An account of the world.
            platform: One of its platforms.
            kind: 'posts', or 'profiles' (Instagram only: TikTok repeats the profile in each post).
            at: The moment of the scrape, tz-aware.
            limit: Most posts to answer.

        Raises:
            ValueError: No such profile, or no such kind of scrape on the platform.
        """
        seen = [p for p in self.profile_posts(account_name, platform) if p.posted_at < at]
        if kind == "profiles":
            return [self._profile_row(account_name, platform, at, seen)]
        account = self.account(account_name)
        newest = sorted(seen, key=lambda p: (not p.is_pinned(at), -p.posted_at.timestamp()))
        chosen = newest[:limit]
        if platform is Platform.INSTAGRAM:
            rows = [instagram_rows.row_at(post, self._fixed_part(post), at) for post in chosen]
            trouble = instagram_rows.error_row(account.platform_profiles[platform])
        else:
            author = tiktok_rows.author_meta(
                account,
                profile_id=self.profile_id(account_name, platform),
                follower_count=self.follower_count(account_name, platform, at),
                post_count=len(seen),
            )
            rows = [tiktok_rows.row_at(p, self._fixed_part(p), author, at) for p in chosen]
            trouble = tiktok_rows.trouble_row(account.platform_profiles[platform])
        luck = stream(self.seed, "scrape", account_name, platform.value, at.isoformat())
        return [*rows, trouble] if float(luck.random()) < 0.04 else rows

    def _profile_row(
        self, account_name: str, platform: Platform, at: datetime, seen: Sequence[Post]
    ) -> dict[str, Any]:
        if platform is not Platform.INSTAGRAM:
            raise ValueError(f"There is no scrape of profiles on {platform.value}.")
        latest = [
            instagram_rows.row_at(post, self._fixed_part(post), at) for post in seen[-12:][::-1]
        ]
        return instagram_rows.profile_row(
            self.account(account_name),
            profile_id=self.profile_id(account_name, platform),
            follower_count=self.follower_count(account_name, platform, at),
            post_count=len(seen),
            latest=latest,
        )

    def _fixed_part(self, post: Post) -> dict[str, Any]:
        fixed = self._fixed.get(post.post_id)
        if fixed is None:
            account = self.account(post.account_name)
            if post.platform is Platform.TIKTOK:
                fixed = tiktok_rows.fixed_part(post, account, self.seed)
            else:
                profile_id = self.profile_id(post.account_name, post.platform)
                fixed = instagram_rows.fixed_part(post, account, profile_id, self.seed)
            self._fixed[post.post_id] = fixed
        return fixed


def demo_accounts() -> list[AccountConfig]:
    """The four accounts that the repository ships.

    Raises:
        ConfigurationError: One of their files is not valid.
    """
    return [load_account(REPOSITORY / "accounts", name) for name in sorted(DEMO_PLANS)]


def build_world(
    seed: int = 7,
    accounts: Sequence[AccountConfig] | None = None,
    *,
    start: datetime = DEFAULT_START,
    end: datetime = DEFAULT_END,
    plans: Mapping[str, AccountPlan] | None = None,
    noise: float = 1.0,
    views_sigma: float = VIEWS_SIGMA,
) -> World:
    """Make a world.

    Args:
        seed: 0 or more; the same seed gives the same world.
        accounts: Who posts; default :func:`demo_accounts`.
        start: First moment of posts, tz-aware.
        end: Moment of the newest scrape, tz-aware; nothing is posted at or after it.
        plans: Habits and planted effects by account name; default
            :data:`pipeline.simulate.plans.DEMO_PLANS`. An account without one has no effects.
        noise: Factor on every spread; 0 leaves the planted effects alone.
        views_sigma: Spread of views (standard deviation of their natural logarithm).

    Raises:
        ConfigurationError: ``start`` is not before ``end``, a number is out of range, or a plan
            lacks a platform of its account.
    """
    if start >= end:
        raise ConfigurationError(f"The world would end before it starts ({start} to {end}).")
    if seed < 0 or noise < 0 or views_sigma < 0:
        raise ConfigurationError("Seed, noise and views_sigma of a world must be 0 or more.")
    accounts = demo_accounts() if accounts is None else accounts
    chosen = {account.name: plan_for(account, plans) for account in accounts}
    posts: dict[tuple[str, Platform], tuple[Post, ...]] = {}
    for account in accounts:
        plan = chosen[account.name]
        for platform in account.platform_profiles:
            if platform not in plan.platforms:
                raise ConfigurationError(
                    f"The plan of {account.name} has no {platform.value}: add it or remove the "
                    "profile from its account.yaml."
                )
            drawn = draw_posts(
                account,
                platform,
                plan,
                seed=seed,
                start=start,
                end=end,
                noise=noise,
                views_sigma=views_sigma,
            )
            posts[account.name, platform] = tuple(drawn)
    return World(seed=seed, start=start, end=end, accounts=accounts, plans=chosen, posts=posts)
