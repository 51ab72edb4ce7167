"""The YouTube Data API v3: a channel, and the public counts of its newest uploads.

Three kinds of question, one unit of the daily quota each: the channel by its handle, the ids of
its uploads in pages of 50, and 50 videos at a time. All of them only read, so a failed one is
simply asked again. The key travels in a header and is never part of an address or a message.
"""

import json
import re
import secrets
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from pipeline.clients.apify import ActorRun
from pipeline.clock import utc_now
from pipeline.errors import (
    ConfigurationError,
    ScrapeRejectedError,
    ScrapeUnavailableError,
)
from pipeline.settings import Settings

_REQUEST_S = 20.0
_TRIES = 3
_FIRST_RETRY_S = 0.5
_PAGE = 50
_CHUNK_BYTES = 65536
_MOST_BYTES = 32 * 1024 * 1024
_LONGEST_QUOTE = 300
_NO_PLAYLIST = "playlistNotFound"
"""A channel that never uploaded anything."""
_TOO_MANY = 429
_SERVER_ERROR = 500
_CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
_VIDEO_PARTS = "snippet,contentDetails,statistics,status,paidProductPlacementDetails"
_WAIT_REASONS = frozenset(
    {"quotaExceeded", "dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded"}
)


class _NotFoundError(Exception):
    """The API knows no such playlist."""


class _LostError(Exception):
    """No usable answer; the same question may be asked again."""


class YouTubeService:
    """Asks the Data API, within a deadline."""

    def __init__(self, settings: Settings, *, first_retry_s: float = _FIRST_RETRY_S) -> None:
        """Take key and address.

        Args:
            settings: Key, base URL and deadline.
            first_retry_s: Wait before the first retry; doubles from there.

        Raises:
            ConfigurationError: No key is set, or the address is none.
        """
        key = settings.youtube_api_key
        self._key = key.get_secret_value().strip() if key else ""
        if not self._key:
            raise ConfigurationError(
                "The YouTube Data API needs a key: set YOUTUBE_API_KEY in the environment or in "
                ".env (console.cloud.google.com, APIs and services, Credentials)."
            )
        self._base_url = settings.youtube_api_base_url.rstrip("/")
        if urlsplit(self._base_url).scheme not in ("http", "https"):
            raise ConfigurationError(
                f"{self._base_url!r} is no usable address: correct YOUTUBE_API_BASE_URL."
            )
        self._deadline_s = settings.youtube_deadline_s
        self._first_retry_s = first_retry_s

    def read_channel(self, handle: str, limit: int) -> ActorRun:
        """The channel and its newest videos, in the shape of a run of an actor.

        The channel's row comes first, then the videos, newest first. Every row gets the key
        ``channelHandle``: the handle that was asked for.

        Args:
            handle: A handle without ``@``, or a channel's id (``UC…``).
            limit: Most videos.

        Raises:
            ScrapeRejectedError: The API refuses the key or the question.
            ScrapeUnavailableError: No usable answer in time, or the quota is used up.
        """
        asking = _Asking(self, time.monotonic() + self._deadline_s)
        started_at = utc_now()
        channel = asking.channel(handle)
        message = None
        rows: list[dict[str, Any]] = []
        if channel is None:
            message = '"YouTube knows no channel with this handle"'
        else:
            videos = asking.videos(asking.upload_ids(channel, limit))
            rows = [{**row, "channelHandle": handle} for row in (channel, *videos)]
            if not videos:
                message = '"the channel shows no videos"'
        return ActorRun(
            run_id=f"youtube-{secrets.token_hex(8)}",
            status="SUCCEEDED",
            status_message=message,
            started_at=started_at,
            finished_at=utc_now(),
            dataset_id="",
            cost_usd=Decimal(0),
            items=rows,
            items_total=len(rows),
            quota_units=asking.quota_units,
        )

    def ask(self, path: str, parameters: dict[str, str], deadline: float) -> dict[str, Any]:
        """One question, asked again while it gets lost.

        Raises:
            ScrapeRejectedError: Refused.
            ScrapeUnavailableError: No usable answer in time.
        """
        for attempt in range(_TRIES):
            if attempt:
                wait = self._first_retry_s * 2 ** (attempt - 1)
                time.sleep(max(0.0, min(wait, deadline - time.monotonic())))
            try:
                return self._ask_once(path, parameters, deadline)
            except _LostError as error:
                reason = str(error)
            if time.monotonic() >= deadline:
                break
        raise ScrapeUnavailableError(
            f"YouTube at {self._base_url} gave no usable answer when asked for {path} ({reason}). "
            "Try again later."
        )

    def _ask_once(self, path: str, parameters: dict[str, str], deadline: float) -> dict[str, Any]:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        request = Request(  # noqa: S310 - the scheme was checked
            f"{self._base_url}/youtube/v3/{path}?{urlencode(parameters)}",
            headers={"X-Goog-Api-Key": self._key, "Accept": "application/json"},
        )
        patience = max(0.1, min(_REQUEST_S, deadline - time.monotonic()))
        try:
            with urlopen(request, timeout=patience) as response:  # noqa: S310
                body = _read_within(response, time.monotonic() + patience)
        except HTTPError as error:
            with error:
                raise self._refusal(error.code, _body_of(error), path) from error
        except (OSError, HTTPException) as error:
            raise _LostError(f"the connection broke, {type(error).__name__}") from error
        try:
            document = json.loads(body)
        except ValueError as error:
            raise _LostError("the answer is no JSON") from error
        kind = document.get("kind") if isinstance(document, dict) else None
        if not isinstance(kind, str) or not isinstance(document.get("items", []), list):
            raise _LostError("the answer is not what the API gives")
        answer: dict[str, Any] = document
        return answer

    def _refusal(self, status: int, body: bytes, path: str) -> Exception:
        reason, words = _told(body)
        quote = self._quoted(words)
        if reason == _NO_PLAYLIST:
            return _NotFoundError(quote)
        if status >= _SERVER_ERROR:
            return _LostError(f"{status}: {quote}")
        error: ScrapeUnavailableError | ScrapeRejectedError
        if status == _TOO_MANY or reason in _WAIT_REASONS:
            error = ScrapeUnavailableError(
                f"YouTube asked to wait when asked for {path} ({status}): {quote}. The daily quota "
                "begins anew at midnight Pacific time; try again then."
            )
        else:
            error = ScrapeRejectedError(
                f"YouTube refused {path} ({status}): {quote}: check YOUTUBE_API_KEY, "
                "YOUTUBE_API_BASE_URL, and that the YouTube Data API v3 is enabled for the key."
            )
        error.status = status
        return error

    def _quoted(self, words: str) -> str:
        text = re.sub(r"\s+", " ", words.replace(self._key, "[key]")).strip() or "no message"
        return f'"{text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"}"'


class _Asking:
    """One channel's questions, counted."""

    def __init__(self, service: YouTubeService, deadline: float) -> None:
        self._service = service
        self._deadline = deadline
        self.quota_units = 0

    def channel(self, handle: str) -> dict[str, Any] | None:
        """The channel's row, or None when there is no such channel."""
        by = {"id": handle} if _CHANNEL_ID.fullmatch(handle) else {"forHandle": f"@{handle}"}
        found = _objects(self._ask("channels", {"part": "snippet,contentDetails,statistics", **by}))
        return found[0] if found else None

    def upload_ids(self, channel: dict[str, Any], limit: int) -> list[str]:
        """Ids of the newest uploads, newest first, each once."""
        details = channel.get("contentDetails")
        lists = details.get("relatedPlaylists") if isinstance(details, dict) else None
        playlist = lists.get("uploads") if isinstance(lists, dict) else None
        if not isinstance(playlist, str) or not playlist:
            return []
        ids: dict[str, None] = {}
        token = ""
        while len(ids) < limit:
            page = {"pageToken": token} if token else {}
            size = str(min(_PAGE, limit - len(ids)))
            answer = self._ask(
                "playlistItems",
                {"part": "contentDetails", "playlistId": playlist, "maxResults": size, **page},
            )
            before = len(ids)
            for item in _objects(answer):
                told = item.get("contentDetails")
                video_id = told.get("videoId") if isinstance(told, dict) else None
                if isinstance(video_id, str):
                    ids[video_id] = None
            following = answer.get("nextPageToken")
            if not isinstance(following, str) or not following or len(ids) == before:
                break
            token = following
        return list(ids)[:limit]

    def videos(self, ids: list[str]) -> list[dict[str, Any]]:
        """The videos' rows in the order of their ids; a removed or private one has none."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), _PAGE):
            batch = ids[start : start + _PAGE]
            answer = self._ask("videos", {"part": _VIDEO_PARTS, "id": ",".join(batch)})
            found.update((str(row.get("id")), row) for row in _objects(answer))
        return [found[video_id] for video_id in ids if video_id in found]

    def _ask(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """One question; a playlist that is not there has no items."""
        self.quota_units += 1
        try:
            return self._service.ask(path, parameters, self._deadline)
        except _NotFoundError:
            return {}


def _objects(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in answer.get("items", []) if isinstance(item, dict)]


def _read_within(response: Any, deadline: float) -> bytes:
    """The whole body; a server that drips it byte by byte is given up."""
    parts: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK_BYTES):
        parts.append(chunk)
        size += len(chunk)
        if time.monotonic() > deadline:
            raise _LostError("the answer took too long")
        if size > _MOST_BYTES:
            raise _LostError("the answer is too large")
    expected = response.headers.get("Content-Length")
    if expected is not None and expected.isdigit() and int(expected) != size:
        raise _LostError("the answer was cut off")
    return b"".join(parts)


def _body_of(error: Any) -> bytes:
    try:
        body: bytes = error.read(_CHUNK_BYTES)
    except OSError:
        return b""
    return body


def _told(body: bytes) -> tuple[str, str]:
    """Reason and message of a refusal; empty where the body tells none."""
    try:
        document = json.loads(body)
    except ValueError:
        return "", ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", ""
    listed = error.get("errors")
    first = listed[0] if isinstance(listed, list) and listed else {}
    reason = first.get("reason") if isinstance(first, dict) else None
    return str(reason or error.get("status") or ""), str(error.get("message") or "")
