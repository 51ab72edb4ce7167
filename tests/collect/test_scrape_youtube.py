"""A scrape of YouTube with a key: the Data API is asked, landed, and costs quota, not money."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.accounts import Platform
from pipeline.clients.state_attempts import scrape_attempt_rows
from pipeline.clients.warehouse import writing
from pipeline.collect.landing import Source, manifests
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.raw import load_raw
from pipeline.collect.scrape import scrape, used_actors
from pipeline.errors import Retry, ScrapeError
from pipeline.settings import Settings
from tests.collect.samples import make_account
from tests.fakes.youtube_server import Channel, Reply, YouTubeServer, refusal


def settings_for(home: Path, server: YouTubeServer) -> Settings:
    return Settings(home=home, youtube_api_key=SecretStr("key-1"), youtube_api_base_url=server.url)


def test_a_channel_is_landed_with_its_videos_and_its_quota(tmp_path: Path) -> None:
    with YouTubeServer(Channel(60)) as server:
        settings = settings_for(tmp_path, server)
        account = make_account(settings, platform_profiles={"youtube": "quietnights"})
        [actor] = used_actors(settings, account, Platform.YOUTUBE)
        first = scrape(settings, account, Platform.YOUTUBE, actor)
        second = scrape(settings, account, Platform.YOUTUBE, actor)
    manifest = first.manifest
    assert (first.outcome, first.new_post_count) == (RunOutcome.NEW_POSTS, 30)
    assert (second.outcome, second.new_post_count) == (RunOutcome.NO_NEW_POSTS, 0)
    assert (manifest.source, manifest.cost_usd) == (Source.YOUTUBE, Decimal(0))
    assert manifest.input is not None
    assert manifest.input["quotaUnits"] == 3
    assert (manifest.post_count, manifest.profile_count, manifest.rejected_count) == (30, 1, 0)
    assert not first.drift.is_breaking
    load_raw(settings)
    with writing(settings, "test") as connection:
        kinds = connection.execute(
            "select item_kind, count(*) from raw.scrape_items group by all order by all"
        ).fetchall()
    assert kinds in ([("post", 30), ("profile", 1)], [("post", 60), ("profile", 2)])


@pytest.mark.parametrize(
    ("handle", "reply", "outcome", "retry"),
    [
        ("nobody", None, RunOutcome.NOT_FOUND, Retry.NEVER),
        ("quietnights", refusal(403, "quotaExceeded"), RunOutcome.UNAVAILABLE, Retry.LATER),
        ("quietnights", refusal(400, "keyInvalid"), RunOutcome.REFUSED, Retry.NEVER),
    ],
)
def test_a_scrape_without_rows_lands_nothing_and_says_why(
    tmp_path: Path, handle: str, reply: Reply | None, outcome: RunOutcome, retry: Retry
) -> None:
    answer = Channel(3) if reply is None else lambda *_: reply
    with YouTubeServer(answer) as server:
        settings = settings_for(tmp_path, server)
        account = make_account(settings, platform_profiles={"youtube": handle})
        [actor] = used_actors(settings, account, Platform.YOUTUBE)
        with pytest.raises(ScrapeError) as caught:
            scrape(settings, account, Platform.YOUTUBE, actor)
    assert caught.value.retry is retry
    assert "key-1" not in str(caught.value)
    assert manifests(settings, Platform.YOUTUBE, account.name) == []
    assert [row["outcome"] for row in scrape_attempt_rows(settings)] == [outcome.value]
