"""The YouTube Data API's client, against a local server that speaks as the API does."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.clients.youtube import YouTubeService
from pipeline.errors import (
    ConfigurationError,
    Retry,
    ScrapeRejectedError,
    ScrapeUnavailableError,
)
from pipeline.settings import Settings
from tests.fakes.youtube_server import Channel, Reply, YouTubeServer, listing, refusal

KEY = "AIza-secret-key"


def service(url: str, deadline_s: float = 10.0) -> YouTubeService:
    settings = Settings(
        home=Path(),
        youtube_api_key=SecretStr(KEY),
        youtube_api_base_url=url,
        youtube_deadline_s=deadline_s,
    )
    return YouTubeService(settings, first_retry_s=0.01)


def failing(reply: Reply, on: str = "channels") -> Callable[[str, dict[str, str]], Reply]:
    channel = Channel(3)
    return lambda path, parameters: reply if path == on else channel(path, parameters)


def test_a_channel_gives_its_row_and_its_newest_videos_in_order() -> None:
    with YouTubeServer(Channel(130)) as server:
        run = service(server.url).read_channel("quietnights", 120)
    assert [row["kind"] for row in run.items[:2]] == ["youtube#channel", "youtube#video"]
    assert [row["id"] for row in run.items[1:]] == [f"video{n:06d}" for n in range(120)]
    assert {row["channelHandle"] for row in run.items} == {"quietnights"}
    assert run.items[1]["statistics"]["viewCount"] == "9007199254740993"
    asked = [path for path, _ in server.asked]
    assert asked == ["channels", *["playlistItems"] * 3, *["videos"] * 3]
    assert run.quota_units == 7
    assert (run.status, run.cost_usd, run.is_complete) == ("SUCCEEDED", Decimal(0), True)
    assert set(server.keys) == {KEY}
    assert all(KEY not in str(parameters) for _, parameters in server.asked)


def test_videos_that_are_private_by_now_are_left_out() -> None:
    with YouTubeServer(Channel(5, hidden=2)) as server:
        run = service(server.url).read_channel("quietnights", 30)
    assert len(run.items) == 1 + 3


def test_a_channel_without_videos_is_a_channel() -> None:
    for answer in (Channel(0), failing(refusal(404, "playlistNotFound"), on="playlistItems")):
        with YouTubeServer(answer) as server:
            run = service(server.url).read_channel("quietnights", 30)
        assert [row["kind"] for row in run.items] == ["youtube#channel"]
        assert "no videos" in (run.status_message or "")


def test_an_unknown_handle_is_said_to_be_unknown() -> None:
    with YouTubeServer(Channel(3)) as server:
        run = service(server.url).read_channel("nobody", 30)
    assert run.items == []
    assert "no channel" in (run.status_message or "")
    assert run.quota_units == 1


def test_a_channel_id_is_asked_for_as_an_id() -> None:
    with YouTubeServer(lambda *_: listing("channelListResponse", [])) as server:
        service(server.url).read_channel("UC" + "b" * 22, 30)
    assert server.asked[0][1]["id"] == "UC" + "b" * 22


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(400, "keyInvalid", f"API key {KEY} not valid"), ScrapeRejectedError),
        (refusal(401, "authError"), ScrapeRejectedError),
        (refusal(403, "accessNotConfigured"), ScrapeRejectedError),
        (refusal(404, "notFound"), ScrapeRejectedError),
        ((404, b"<html>nginx</html>"), ScrapeRejectedError),
        (refusal(403, "quotaExceeded"), ScrapeUnavailableError),
        (refusal(429, "rateLimitExceeded"), ScrapeUnavailableError),
        (refusal(500, "backendError"), ScrapeUnavailableError),
        ((503, b""), ScrapeUnavailableError),
        ((200, b"{"), ScrapeUnavailableError),
        ((200, b"[]"), ScrapeUnavailableError),
        ((200, b"{}"), ScrapeUnavailableError),
        ((200, b'{"kind": "youtube#channelListResponse", "items": 3}'), ScrapeUnavailableError),
        ((206, b"cut"), ScrapeUnavailableError),
        ((0, b""), ScrapeUnavailableError),
    ],
)
def test_a_failure_carries_its_retry_decision_and_never_the_key(
    reply: Reply, error: type[Exception]
) -> None:
    with YouTubeServer(failing(reply)) as server, pytest.raises(error) as caught:
        service(server.url).read_channel("quietnights", 30)
    assert KEY not in str(caught.value)
    is_refusal = error is ScrapeRejectedError
    assert caught.value.retry is (Retry.NEVER if is_refusal else Retry.LATER)  # type: ignore[attr-defined]
    assert len(server.asked) == (1 if reply[0] in range(400, 500) else 3)


def test_a_lost_answer_is_asked_for_again() -> None:
    channel, failures = Channel(3), iter([True, True, False])

    def answer(path: str, parameters: dict[str, str]) -> Reply:
        if path == "videos" and next(failures):
            return 502, b""
        return channel(path, parameters)

    with YouTubeServer(answer) as server:
        run = service(server.url).read_channel("quietnights", 30)
    assert len(run.items) == 4
    assert run.quota_units == 3


def test_a_page_that_repeats_itself_ends() -> None:
    repeated = listing(
        "playlistItemListResponse",
        [{"contentDetails": {"videoId": "video000001"}}],
        nextPageToken="again",
    )
    with YouTubeServer(failing(repeated, on="playlistItems")) as server:
        run = service(server.url).read_channel("quietnights", 30)
    assert len(run.items) == 2


def test_no_server_is_said_in_a_sentence() -> None:
    with pytest.raises(ScrapeUnavailableError, match="Try again later"):
        service("http://127.0.0.1:9").read_channel("quietnights", 30)


def test_no_key_and_no_address_are_settings_to_fix() -> None:
    with pytest.raises(ConfigurationError, match="YOUTUBE_API_KEY"):
        YouTubeService(Settings(home=Path()))
    with pytest.raises(ConfigurationError, match="YOUTUBE_API_BASE_URL"):
        service("file:///etc")
