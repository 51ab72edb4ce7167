"""Slack: one message with its pictures, taken once or refused with a reason.

A message that may have been posted is never sent again: only what Slack refused for sure, or what
never reached it, is repeated. The token never is part of a message.
"""

import logging
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from pipeline.clients.slack_errors import lost, refusal, unreachable
from pipeline.errors import (
    ConfigurationError,
    NotConfiguredError,
    SlackError,
    SlackUnclearError,
)
from pipeline.settings import Settings

if TYPE_CHECKING:
    from slack_sdk import WebClient

LONGEST_TEXT = 3_000
"""Characters of a message's plain text, which notifications and screen readers get."""
_LONGEST_ALT_TEXT = 1_000
_REQUEST_S = 30
_MOST_WAITS = 20
_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, TimeoutError, ssl.SSLError)
"""Reasons for which a request ended before Slack could have read it, when urllib wraps them."""


@dataclass(frozen=True)
class Picture:
    """A PNG that goes below a message."""

    filename: str
    title: str
    alt_text: str
    """What it shows, in words, for people who do not see it."""
    png: bytes


@dataclass(frozen=True)
class PostedMessage:
    """A message that Slack took."""

    channel_id: str
    ts: str
    """Slack's id of the message in its channel."""
    pictures_problem: str | None = None
    """Why its pictures are not below it; None when they are, or when there were none."""


def is_configured(settings: Settings) -> bool:
    """Whether there is a token and a channel to send to."""
    return bool(_token(settings) and (settings.slack_channel or "").strip())


def channel_of(settings: Settings) -> str:
    """The channel that messages go to.

    Raises:
        NotConfiguredError: No token or no channel is set.
    """
    if not _token(settings):
        raise NotConfiguredError(
            "Slack needs a bot token: set SLACK_BOT_TOKEN in the environment or in .env "
            "(api.slack.com/apps, OAuth & Permissions, with chat:write and files:write)."
        )
    channel = (settings.slack_channel or "").strip()
    if not channel:
        raise NotConfiguredError(
            "Slack needs a channel: set SLACK_CHANNEL to its id or its name with #, and invite "
            "the app there."
        )
    return channel


def post(
    settings: Settings,
    *,
    text: str,
    blocks: Sequence[dict[str, Any]],
    pictures: Sequence[Picture] = (),
    thread: PostedMessage | None = None,
) -> PostedMessage:
    """Send one message, with its pictures in its thread.

    When Slack asks to wait, it is waited for as long as the deadline allows. Pictures that cannot
    be uploaded do not undo the message: the result says why they are missing.

    Args:
        settings: Token, channel, address and deadline.
        text: What notifications show; cut at `LONGEST_TEXT`.
        blocks: Block Kit, within Slack's limits.
        pictures: PNGs below the message.
        thread: Message that this one answers; its channel is used.

    Raises:
        NotConfiguredError: No token or no channel.
        SlackRefusedError: Refused for sure; the sentence says what to change.
        SlackUnavailableError: For sure not posted; it can be tried later.
        SlackUnclearError: It may have been posted.
    """
    channel = thread.channel_id if thread else channel_of(settings)
    client = _client(settings)
    arguments: dict[str, Any] = {
        "channel": channel,
        "text": text[:LONGEST_TEXT],
        "blocks": list(blocks),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if thread is not None:
        arguments["thread_ts"] = thread.ts
    answer = _called(client.chat_postMessage, arguments, channel)
    posted = PostedMessage(str(answer.get("channel") or channel), str(answer.get("ts") or ""))
    problem = upload(settings, pictures, thread or posted) if pictures else None
    return replace(posted, pictures_problem=problem)


def upload(settings: Settings, pictures: Sequence[Picture], thread: PostedMessage) -> str | None:
    """Put pictures below a message.

    Returns:
        Why they are missing there; None when they are not.
    """
    uploads = [
        {
            "filename": picture.filename,
            "title": picture.title,
            "alt_txt": picture.alt_text[:_LONGEST_ALT_TEXT],
            "content": picture.png,
        }
        for picture in pictures
    ]
    arguments = {
        "file_uploads": uploads,
        # The id that the answer named: uploads know no channel by its name.
        "channel": thread.channel_id,
        "thread_ts": thread.ts,
    }
    try:
        _called(_client(settings).files_upload_v2, arguments, thread.channel_id)
    except SlackUnclearError:
        return "The upload of the pictures got lost on the way."
    except SlackError as error:
        return str(error)
    return None


def _called(method: Any, arguments: dict[str, Any], channel: str) -> Any:
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        return method(**arguments)
    except SlackApiError as error:
        raise refusal(error, channel) from None
    except (SlackClientError, HTTPError, HTTPException, UnicodeDecodeError) as error:
        raise lost(error) from None
    except URLError as error:
        if isinstance(error.reason, _NEVER_SENT):
            raise unreachable(error.reason) from None
        raise lost(error) from None
    except OSError as error:  # the answer did not come, or was cut off
        raise lost(error) from None


def _client(settings: Settings) -> "WebClient":
    from slack_sdk import WebClient

    address = settings.slack_api_base_url.rstrip("/") + "/"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{address!r} is no usable address: correct SLACK_API_BASE_URL.")
    logger = logging.getLogger("afterpost.slack")
    logger.setLevel(logging.CRITICAL)  # our errors say it, and the library's lines say it again
    client = WebClient(
        token=_token(settings),
        base_url=address,
        timeout=int(min(_REQUEST_S, settings.slack_deadline_s)) or 1,
        # The library's own handler repeats what may have been posted: it is left out.
        retry_handlers=[_waiting(settings.slack_deadline_s)],
        logger=logger,
    )
    if proxy_bypass(parts.hostname):  # the library knows HTTPS_PROXY, and not NO_PROXY
        client.proxy = None
    return client


def _waiting(deadline_s: float) -> Any:
    """A handler that waits as long as Slack asks for, and no longer than the deadline."""
    from slack_sdk.http_retry import RateLimitErrorRetryHandler

    class WaitingHandler(RateLimitErrorRetryHandler):
        """Obeys Retry-After while the deadline allows it."""

        def __init__(self) -> None:
            super().__init__(max_retry_count=_MOST_WAITS)
            self._until = time.monotonic() + deadline_s

        def _can_retry(self, *, response: Any = None, **others: Any) -> bool:
            if not super()._can_retry(response=response, **others):
                return False
            return time.monotonic() + _retry_after(response.headers) <= self._until

        def prepare_for_next_attempt(self, *, state: Any, response: Any = None, **_: Any) -> None:
            """Wait, then ask again."""
            state.next_attempt_requested = True
            time.sleep(_retry_after(response.headers))
            state.increment_current_attempt()

    return WaitingHandler()


def _retry_after(headers: dict[str, list[str]]) -> float:
    for name, values in headers.items():
        if name.lower() == "retry-after" and values:
            try:
                return max(0.0, float(values[0]))
            except ValueError:
                break
    return 1.0


def _token(settings: Settings) -> str:
    token = settings.slack_bot_token
    return token.get_secret_value().strip() if token else ""
