"""What Slack's refusals mean, in one sentence each.

Source: Slack's lists of errors of chat.postMessage and of the files methods,
https://docs.slack.dev/reference/methods/chat.postMessage
"""

import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import SlackError, SlackRefusedError, SlackUnavailableError, SlackUnclearError

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError

_TOO_MANY = 429
_SERVER_ERROR = 500
_LONGEST_QUOTE = 300
_CODE = re.compile(r"[a-z0-9_]+")
"""The library puts a sentence of its own there when the answer was no JSON."""
_PERHAPS_POSTED = frozenset({"internal_error", "fatal_error", "service_unavailable"})
"""Slack says of these that part of the work may have been done."""

_NEW_TOKEN = "put the app's present bot token (xoxb-…) into SLACK_BOT_TOKEN."  # noqa: S105
_SENTENCES = {
    "channel_not_found": "There is no channel {channel} that the app can see: correct "
    "SLACK_CHANNEL, or invite the app there when the channel is private.",
    "not_in_channel": "The app is not in {channel}: invite it there with /invite.",
    "is_archived": "{channel} is archived: choose another channel in SLACK_CHANNEL.",
    "restricted_action": "A rule of the workspace does not let the app post in {channel}: ask its "
    "admins, or choose another channel.",
    "invalid_auth": f"Slack does not know the token: {_NEW_TOKEN}",
    "not_authed": f"Slack got no token: {_NEW_TOKEN}",
    "token_revoked": f"The token was revoked: {_NEW_TOKEN}",
    "token_expired": f"The token has expired: {_NEW_TOKEN}",
    "account_inactive": f"The token's app or workspace is gone: {_NEW_TOKEN}",
    "missing_scope": "The token may not do this: give the app {needed} and install it again.",
    "no_permission": "The token may not do this: give the app chat:write and files:write and "
    "install it again.",
    "ekm_access_denied": "The workspace's admins have suspended posting.",
    "msg_too_long": "The message is longer than Slack takes.",
    "msg_blocks_too_long": "The message's blocks are longer than Slack takes.",
    "invalid_blocks": "Slack does not accept the message's blocks{details}.",
    "invalid_blocks_format": "Slack does not accept the form of the message's blocks{details}.",
    "no_text": "The message has no text.",
    "thread_not_found": "The message that this one answers is gone from {channel}.",
    "messages_tab_disabled": "The app takes no direct messages: choose a channel in SLACK_CHANNEL.",
    "file_uploads_disabled": "The workspace does not allow files, so there are no pictures.",
    "storage_limit_reached": "The workspace has no room for files, so there are no pictures.",
    "team_access_not_granted": "The app is not installed in this workspace: install it there.",
}


def refusal(error: "SlackApiError", channel: str) -> SlackError:
    """The error for an answer that is not ok."""
    answer: Any = error.response
    data = answer.data if hasattr(answer, "data") else answer
    data = data if isinstance(data, dict) else {}
    status = int(getattr(answer, "status_code", None) or data.get("status") or 0)
    told = str(data.get("error") or "")
    code = told if _CODE.fullmatch(told) else ""
    if status == _TOO_MANY or code in ("ratelimited", "rate_limited"):
        return _coded(
            SlackUnavailableError(
                "Slack asks to wait longer than AFTERPOST_SLACK_DEADLINE_S allows: nothing was "
                "posted, try again later."
            ),
            "ratelimited",
        )
    if not code or status >= _SERVER_ERROR or code in _PERHAPS_POSTED:
        what = code or f"HTTP {status or 'status unknown'} without an answer that can be read"
        return _coded(_unclear(what), code)
    template = _SENTENCES.get(code, "Slack refused the message: {code}{details}.")
    sentence = template.format(
        channel=channel,
        needed=data.get("needed") or "chat:write and files:write",
        details=_details(data),
        code=code,
    )
    return _coded(SlackRefusedError(f"{sentence} (Slack: {code})"), code)


def unreachable(reason: BaseException) -> SlackUnavailableError:
    """The error for a request that never reached Slack."""
    return SlackUnavailableError(
        f"Slack cannot be reached ({reason}): nothing was posted. Check the network and "
        "SLACK_API_BASE_URL, and try again."
    )


def lost(error: BaseException) -> SlackUnclearError:
    """The error for an answer that did not come."""
    return _unclear(str(error)[:_LONGEST_QUOTE] or type(error).__name__)


def _unclear(what: str) -> SlackUnclearError:
    return SlackUnclearError(
        f"Slack gave no usable answer ({what}): the message may have been posted, so it is not "
        "sent again. Look into the channel."
    )


def _details(data: dict[str, Any]) -> str:
    messages = (data.get("response_metadata") or {}).get("messages") or data.get("errors") or []
    told = "; ".join(str(message) for message in messages)[:_LONGEST_QUOTE]
    return f" ({told})" if told else ""


def _coded(error: SlackError, code: str) -> SlackError:
    error.code = code or None
    return error
