"""YouTube rows: of the Data API where a key is set, else of Apify's scraper.

The Data API's rows land as they come, with one key added: ``channelHandle``, the handle that was
asked for, because a video's own row only knows its channel by id. Likes and comments are absent
where the channel hides them. Nothing tells Shorts from other videos for sure.
"""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import (
    Actor,
    ActorInput,
    ActorKind,
    Classified,
    Item,
    ItemKind,
    KeyContract,
    PostFacts,
    Service,
    key_names,
)
from pipeline.collect.platform_rows import (
    IdReading,
    count_of,
    dig,
    error_reason,
    handle_of,
    is_yes,
    mentions_site,
    outcome_in,
    outcome_of_errors,
    read_named_id,
    read_time,
    settle_id,
    text_of,
)
from pipeline.settings import Settings

_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_VIDEO_ADDRESS = re.compile(
    r"(?:[?&]v=|youtu\.be/|/shorts/|/embed/|/live/)([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])"
)
_CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
_CHANNEL_ADDRESS = re.compile(r"youtube\.com/@([^/?#]+)", re.IGNORECASE)
_VIDEO_KEYS = ("title", "viewCount", "view_count", "statistics", "snippet", "date", "published_at")
_CHANNEL = "youtube#channel"


class Address(ActorInput):
    """One page to start from."""

    url: str


class ScraperInput(ActorInput):
    """Input of ``streamers/youtube-scraper``; a date filter would cost extra."""

    start_urls: tuple[Address, ...] = Field(min_length=1)
    max_results: int = Field(ge=1)
    max_results_shorts: int = Field(ge=0)
    max_result_streams: int = Field(default=0, ge=0)
    sort_videos_by: str = Field(default="NEWEST", alias="sortVideosBy")


class ApiInput(ActorInput):
    """What the Data API is asked for."""

    for_handle: str
    max_results: int = Field(ge=1)


def _scraper_input(handle: str, limit: int) -> dict[str, Any]:
    is_id = _CHANNEL_ID.fullmatch(handle)
    address = Address(url=f"https://www.youtube.com/{'channel/' if is_id else '@'}{handle}")
    return ScraperInput(
        start_urls=(address,), max_results=limit, max_results_shorts=limit
    ).as_json()


def _api_input(handle: str, limit: int) -> dict[str, Any]:
    return ApiInput(for_handle=handle, max_results=limit).as_json()


def _has_key(settings: Settings, account: AccountConfig, handle: str) -> bool:  # noqa: ARG001
    key = settings.youtube_api_key
    return key is not None and bool(key.get_secret_value().strip())


def _has_no_key(settings: Settings, account: AccountConfig, handle: str) -> bool:
    return not _has_key(settings, account, handle)


_API_CONTRACT = KeyContract(
    required=key_names(
        "kind id snippet snippet.publishedAt snippet.channelId snippet.title "
        "statistics statistics.viewCount"
    ),
    known=key_names(
        """
        kind etag id channelHandle status contentDetails paidProductPlacementDetails
        snippet.publishedAt snippet.channelId snippet.title snippet.description snippet.thumbnails
        snippet.channelTitle snippet.tags snippet.categoryId snippet.liveBroadcastContent
        snippet.localized snippet.defaultLanguage snippet.defaultAudioLanguage
        statistics.viewCount statistics.likeCount statistics.dislikeCount statistics.favoriteCount
        statistics.commentCount
        """
    ),
    types={
        "id": str,
        "snippet": dict,
        "statistics": dict,
        # The API writes its 64-bit counts as text.
        "statistics.viewCount": str,
        "statistics.likeCount": str,
        "statistics.commentCount": str,
        "snippet.publishedAt": str,
    },
    applies=lambda item: item.get("kind") != _CHANNEL,
)
_SCRAPER_CONTRACT = KeyContract(
    required=key_names("id url title viewCount channelName"),
    known=key_names(
        """
        id url title text date duration viewCount likes commentsCount thumbnailUrl type order
        channelId channelName channelUsername channelUrl numberOfSubscribers channelTotalVideos
        channelTotalViews channelJoinedDate channelLocation channelDescription
        channelDescriptionLinks isChannelVerified isAgeRestricted isMembersOnly isMonetized
        commentsTurnedOff aboutChannelInfo subtitles comments descriptionLinks hashtags location
        input inputChannelUrl fromYTUrl fromChannelListPage translatedTitle translatedText
        formats collaborators channelAvatarUrl channelBannerUrl inputUrl channelSocials
        """
    ),
    types={
        "viewCount": int,
        "likes": int,
        "commentsCount": int,
        "numberOfSubscribers": int,
        "id": str,
        "title": str,
        "date": str,
        "duration": str,
    },
    applies=lambda item: not _is_channel(item),
)
_SIGNS = (
    (r"quota|too many requests|429", RunOutcome.THROTTLED),
    (r"members.only|private", RunOutcome.PRIVATE),
    (r"no videos|NO_VIDEOS", RunOutcome.EMPTY),
    (r"404|not[ _]found|does ?n[o']t exist|knows no channel|NO_RESULTS", RunOutcome.NOT_FOUND),
)


class YouTube:
    """Rows of YouTube; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.YOUTUBE
    actors = (
        Actor(
            ActorKind.POSTS,
            "youtube/data-api-v3",
            _api_input,
            _API_CONTRACT,
            is_used=_has_key,
            service=Service.YOUTUBE,
        ),
        Actor(
            ActorKind.POSTS,
            "streamers/youtube-scraper",
            _scraper_input,
            _SCRAPER_CONTRACT,
            is_used=_has_no_key,
            list_count=2,
        ),
    )
    direct = None

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, a channel, somebody else's video, or the account's own."""
        is_own = _is_own(item, handle)
        problem = error_reason(item)
        if problem is None and _is_channel(item):
            if is_own or is_any_author:
                return Classified(ItemKind.PROFILE)
            problem = "the channel of another handle"
        problem = problem or _not_a_video(item)
        reading = IdReading(problem=problem) if problem else _read_video_id(item)
        if reading.problem:
            return Classified(ItemKind.REJECTED, reason=reading.problem)
        if is_own or is_any_author:
            return Classified(ItemKind.POST, reading.post_id)
        return Classified(
            ItemKind.FOREIGN_POST, reading.post_id, "of another channel than the account's handle"
        )

    def facts(self, payload: Item) -> PostFacts:
        """Channel, time, and title with description of a video; "10 months ago" is no time."""
        snippet = payload.get("snippet")
        told = snippet if isinstance(snippet, dict) else payload
        texts = [text_of(told.get("title"))]
        texts.append(text_of(told.get("description")) or text_of(payload.get("text")))
        return PostFacts(
            post_id=_read_video_id(payload).post_id,
            author_handle=_channel_handle(payload),
            posted_at=read_time(
                dig(payload, "snippet", "publishedAt"),
                payload.get("date"),
                payload.get("published_at"),
            ),
            caption="\n".join(text for text in texts if text) or None,
        )

    def outcome_of(
        self,
        rows: Sequence[object],
        handle: str | None,  # noqa: ARG002 - the rows' own words say it
        status_message: str | None,
    ) -> RunOutcome | None:
        """Unknown or empty channels and a used-up quota, by error rows or the run's own words."""
        return outcome_of_errors(rows, _SIGNS) or (
            None if rows else outcome_in(status_message, _SIGNS)
        )

    def follower_count(self, payload: Item) -> int | None:
        """Subscribers, rounded by YouTube to three digits; None where the channel hides them."""
        if is_yes(dig(payload, "statistics", "hiddenSubscriberCount")):
            return None
        told = dig(payload, "statistics", "subscriberCount")
        return count_of(told if told is not None else payload.get("numberOfSubscribers"))

    def recognises(self, item: Item) -> bool:
        """Whether the row has YouTube's own keys or points to YouTube."""
        kind = item.get("kind")
        return (
            (isinstance(kind, str) and kind.startswith("youtube#"))
            or mentions_site(item, ("url", "channelUrl", "input"), "youtube.com")
            or mentions_site(item, ("url",), "youtu.be/")
        )


def _is_channel(item: Item) -> bool:
    if item.get("kind") == _CHANNEL:
        return True
    has_video = any(item.get(key) not in (None, "") for key in ("id", "title", "viewCount"))
    return not has_video and count_of(item.get("numberOfSubscribers")) is not None


def _not_a_video(item: Item) -> str | None:
    if not item:
        return "an empty row"
    if all(item.get(key) in (None, "", {}) for key in _VIDEO_KEYS):
        return "not a YouTube video: it has no title, no counts and no time"
    return None


def _read_video_id(item: Item) -> IdReading:
    given = next(
        (item[key] for key in ("id", "video_id", "videoId") if item.get(key) not in (None, "")),
        None,
    )
    address = item.get("url")
    found = _VIDEO_ADDRESS.search(address) if isinstance(address, str) else None
    return settle_id(
        read_named_id(given, _VIDEO_ID, "YouTube video id"), found.group(1) if found else None
    )


def _channel_handle(item: Item) -> str | None:
    for value in (item.get("channelHandle"), item.get("channelUsername")):
        name = handle_of(value)
        if name:
            return name
    address = item.get("channelUrl")
    found = _CHANNEL_ADDRESS.search(address) if isinstance(address, str) else None
    return handle_of(found.group(1)) if found else None


def _is_own(item: Item, handle: str | None) -> bool:
    own = handle_of(handle)
    if own is None:
        return False
    channel_ids = (item.get("channelId"), dig(item, "snippet", "channelId"))
    return _channel_handle(item) == own or text_of(handle) in channel_ids


SOURCE = YouTube()
