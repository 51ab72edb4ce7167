"""A scrape: the real client, a local Apify, and what lands of its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.landing import Outcome, manifest_files, read_lines
from pipeline.collect.platform_interface import Actor
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.scrape import scrape
from pipeline.collect.scrape_report import ScrapeReport
from pipeline.errors import ConfigurationError, ScrapeFailedError, ScrapeRejectedError
from pipeline.settings import Settings
from pipeline.simulate.apify_server import ActorAnswer, ApifyServer, error_reply
from tests.collect.samples import instagram_profile, instagram_row, make_account, tiktok_row

FINISHED_AT = datetime(2026, 10, 1, 8, 0, 30, 500_000, tzinfo=UTC)
TIKTOK_POSTS = SOURCES[Platform.TIKTOK].actors[0]
INSTAGRAM_POSTS, INSTAGRAM_PROFILES, *_ = SOURCES[Platform.INSTAGRAM].actors


class World:
    """A local Apify whose next answer can be set, and an account to scrape."""

    def __init__(self, home: Path) -> None:
        self.answer = ActorAnswer([], FINISHED_AT, FINISHED_AT)
        self.server = ApifyServer(lambda *_: self.answer, token="secret")
        self.settings = Settings(
            home=home, apify_token=SecretStr("secret"), apify_api_base_url=self.server.url
        )
        self.account: AccountConfig = make_account(self.settings, scrape={"limit": 24})

    def says(self, items: list[Any], *, at: datetime = FINISHED_AT, **changes: Any) -> None:
        self.answer = ActorAnswer(items, at - timedelta(seconds=30), at, **changes)

    def scrape(self, actor: Actor = TIKTOK_POSTS) -> ScrapeReport:
        platform = Platform.TIKTOK if actor is TIKTOK_POSTS else Platform.INSTAGRAM
        return scrape(self.settings, self.account, platform, actor)

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        before = list(manifest_files(self.settings))
        yield
        assert list(manifest_files(self.settings)) == before


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with world.server:
        yield world


def test_a_scrape_lands_and_says_how_many_posts_are_new(world: World) -> None:
    world.says([tiktok_row(number) for number in range(21)], usage_total_usd=0.06)
    assert world.scrape().line == "Scraped 21 posts for lullabies on tiktok, 21 new"
    world.says([tiktok_row(number) for number in range(24)], at=FINISHED_AT + timedelta(days=1))
    report = world.scrape()
    assert report.line == "Scraped 24 posts for lullabies on tiktok, 3 new"
    assert report.is_new
    manifest = report.manifest
    assert manifest.scraped_at == datetime(2026, 10, 2, 8, 0, 30, tzinfo=UTC)
    assert (manifest.items_asked, manifest.items_got) == (24, 24)
    assert manifest.input == world.server.starts[1].run_input
    assert world.server.starts[1].parameters["maxItems"] == "24"
    assert len(read_lines(world.settings, manifest)) == 24


def test_the_same_run_twice_is_one_scrape(world: World) -> None:
    world.says([tiktok_row()])
    assert world.scrape().is_new
    again = world.scrape()
    assert (again.is_new, again.new_post_count) == (False, 0)
    assert len(list(manifest_files(world.settings))) == 1


def test_only_own_posts_count_and_the_rest_is_told(world: World) -> None:
    rows = [tiktok_row(), tiktok_row(1, authorMeta={"name": "x"}), {"error": "Oops", "url": "u"}]
    world.says(rows)
    assert world.scrape().line == (
        "Scraped 1 post for lullabies on tiktok, 1 new "
        "(1 of other authors; 1 rejected: error row: Oops)"
    )


def test_posts_and_profile_of_instagram_are_two_scrapes(world: World) -> None:
    world.says([instagram_row(number) for number in range(3)])
    assert world.scrape(INSTAGRAM_POSTS).line == "Scraped 3 posts for lullabies on instagram, 3 new"
    world.says([instagram_profile()])
    report = world.scrape(INSTAGRAM_PROFILES)
    assert report.line == "Scraped the profile of lullabies on instagram, 12,345 followers"
    assert report.manifest.post_ids == ()
    actors = [start.actor_id for start in world.server.starts]
    assert actors == ["apify/instagram-post-scraper", "apify/instagram-profile-scraper"]


def test_a_run_that_found_nothing_lands_as_empty(world: World) -> None:
    world.says([])
    report = world.scrape()
    assert report.manifest.outcome is Outcome.EMPTY
    assert report.line.startswith("Scraped 0 posts for lullabies on tiktok, 0 new")


def test_a_dataset_read_in_part_lands_as_partial(world: World) -> None:
    world.says([tiktok_row()], items_total=3)
    report = world.scrape()
    assert report.manifest.outcome is Outcome.PARTIAL
    assert "incomplete" in report.line


@pytest.mark.parametrize(
    ("items", "changes", "words"),
    [
        ([], {"status": "FAILED", "status_message": "Proxy gone"}, "Proxy gone"),
        ([], {"status": "ABORTED"}, "ABORTED"),
        ([{"error": "no_items", "errorDescription": "Empty or private data"}], {}, "no_items"),
        ([{"noResults": True}], {}, "no results"),
        ([], {"status_message": "Finished! 0 succeeded, 4 failed."}, "blocked"),
    ],
)
def test_a_scrape_without_usable_rows_fails_and_lands_nothing(
    world: World, items: list[Any], changes: dict[str, Any], words: str
) -> None:
    world.says(items, **changes)
    with world.unharmed(), pytest.raises(ScrapeFailedError, match=words):
        world.scrape()


def test_a_refused_scrape_lands_nothing(world: World) -> None:
    world.server.intercept = lambda *_: error_reply(401, "x", "Bad token")
    with world.unharmed(), pytest.raises(ScrapeRejectedError, match="APIFY_TOKEN"):
        world.scrape()


def test_a_missing_token_or_profile_is_told_before_anything_is_paid(world: World) -> None:
    world.account = make_account(world.settings, platform_profiles={"instagram": "quietnights"})
    with pytest.raises(ConfigurationError, match="platform_profiles"):
        world.scrape()
    world.account = make_account(world.settings)
    world.settings = Settings(home=world.settings.home, apify_api_base_url=world.server.url)
    with pytest.raises(ConfigurationError, match="APIFY_TOKEN"):
        world.scrape()
    assert world.server.requests == []
