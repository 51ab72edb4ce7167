"""A format that was adopted last week, seen by latest numbers and at equal age.

The posts go the product's whole way: answers of an actor, landing files, models, statistics.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.growth import Curve
from pipeline.simulate.planned import write_planned
from pipeline.simulate.plans import AccountPlan, PlatformPlan
from pipeline.simulate.posts import Post
from pipeline.simulate.world import World, build_world, demo_accounts

START = datetime(2026, 9, 1, 4, tzinfo=UTC)
END = datetime(2026, 9, 25, 13, 0, 5, tzinfo=UTC)
ADOPTED = timedelta(days=7)
ROWS_PER_SCRAPE = 90
_THREE_DAYS = Curve(fast_share=1.0, fast_hours=72.0, slow_hours=72.0)
"""A post has 28 % of its views after a day, 63 % after three and 90 % after a week."""
_OTHERS: tuple[tuple[float, ...], ...] = (
    (1.0, 0.95, 0.91, 0.87),
    (1.35, 1.0, 0.93, 0.87),
    (1.55, 1.35, 1.0, 0.87),
)
"""By account: true ratios of the formats that were used all along."""
_ADOPTED_RATIO = 1.15


@dataclass(frozen=True)
class AdoptedFormat:
    """Where one account's new format stands among its five, from 1 for the best."""

    account_name: str
    planted_place: int
    place_by_latest_means: int
    place_at_equal_age: int
    posts: int


def adopted_formats(home: Path, account_count: int = 3, seed: int = 11) -> list[AdoptedFormat]:
    """Build a home in which each account took up a format a week ago, and rank its formats.

    About 12 posts a day whose views vary little (standard deviation 0.2 on the log scale), so that
    places tell of age and not of luck; a scrape of 90 posts each morning.

    Args:
        home: An empty folder.
        account_count: 1 to 3; the new format is truly first, second and third in them.
        seed: The world's seed.
    """
    settings = Settings(home=home)
    copy_accounts(settings.accounts_dir)
    tiktok = Platform.TIKTOK
    accounts = [
        account.model_copy(
            update={"platform_profiles": {tiktok: account.platform_profiles[tiktok]}}
        )
        for account in demo_accounts()[:account_count]
    ]
    new = {account.name: account.formats[-1].name for account in accounts}
    plans = {
        account.name: _plan(account, ratios)
        for account, ratios in zip(accounts, _OTHERS, strict=False)
    }
    world = _since_last_week(
        build_world(seed, accounts, start=START, end=END, plans=plans, views_sigma=0.2), new
    )
    write_planned(world, settings.accounts_dir)
    for account in accounts:
        _import_scrapes(settings, world, account.name)
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)
    return [
        _places(settings, world, account.name, new[account.name], plans[account.name])
        for account in accounts
    ]


def _plan(account: AccountConfig, others: tuple[float, ...]) -> AccountPlan:
    names = [item.name for item in account.formats]
    ratios = dict(zip(names, (*others, _ADOPTED_RATIO), strict=True))
    return AccountPlan(
        platforms={Platform.TIKTOK: PlatformPlan(12.0, 5000.0, 8_000, video_share=0.2)},
        view_effects={"format": ratios},
        format_weights={names[-1]: 4.0},
        daily_growth=0.0,
    )


def _since_last_week(world: World, new: dict[str, str]) -> World:
    """The world without the new format's posts of before, and with views that take days to come."""
    posts: dict[tuple[str, Platform], tuple[Post, ...]] = {
        (name, platform): tuple(
            replace(post, curve=_THREE_DAYS)
            for post in world.profile_posts(name, platform)
            if post.format != new[name] or post.posted_at >= world.end - ADOPTED
        )
        for name, platform in world.profiles
    }
    return World(
        seed=world.seed,
        start=world.start,
        end=world.end,
        accounts=world.accounts,
        plans={name: world.plan(name) for name, _ in world.profiles},
        posts=posts,
    )


def _import_scrapes(settings: Settings, world: World, name: str) -> None:
    account = load_account(settings.accounts_dir, name)
    folder = settings.home / "exports" / name
    folder.mkdir(parents=True)
    at = world.start + timedelta(days=1)
    while at <= world.end:
        rows = world.scrape_rows(name, Platform.TIKTOK, "posts", at, ROWS_PER_SCRAPE)
        path = folder / f"dataset_tiktok_{at:%Y-%m-%d_%H-%M-%S}-000.json"
        path.write_bytes(orjson.dumps(rows))
        import_file(settings, account, path, platform=Platform.TIKTOK)
        at += timedelta(days=1)


def _places(
    settings: Settings, world: World, name: str, new: str, plan: AccountPlan
) -> AdoptedFormat:
    with reading(settings) as connection:
        latest = dict(
            connection.execute(
                "select format, avg_views from marts.v_format_comparison "
                "where account_name = ? and format is not null",
                [name],
            ).fetchall()
        )
        at_equal_age = dict(
            connection.execute(
                "select segment, effect from stats.segment_effects where account_name = ? "
                "and dimension = 'format' and outcome = 'views_72h' and effect is not null",
                [name],
            ).fetchall()
        )
    return AdoptedFormat(
        account_name=name,
        planted_place=_place(dict(plan.view_effects["format"]), new),
        place_by_latest_means=_place(latest, new),
        place_at_equal_age=_place(at_equal_age, new),
        posts=sum(post.format == new for post in world.profile_posts(name, Platform.TIKTOK)),
    )


def _place(values: dict[str, float], name: str) -> int:
    return 1 + sum(value > values[name] for value in values.values())
