"""Every way in which a request to Apify can fail, in our own words.

What matters to the caller is whether the request can have been carried out: a start whose reply
got lost may be running, and paid, all the same.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import ScrapeRejectedError, ScrapeUnavailableError

if TYPE_CHECKING:
    from apify_client.errors import ApifyApiError

_Result = TypeVar("_Result")

_LONGEST_QUOTE = 300
_SERVER_ERROR = 500
_WAIT_STATUSES = frozenset({408, 429})
_WAIT_TYPES = frozenset(
    {"actor-memory-limit-exceeded", "concurrent-runs-limit-exceeded", "rate-limit-exceeded"}
)
_SETTING_BY_STATUS = {
    400: "check the handle and the limit in account.yaml, and AFTERPOST_APIFY_MAX_CHARGE_USD",
    401: "set APIFY_TOKEN to a valid token (console.apify.com, Settings, API)",
    402: "check the plan and usage limit of the Apify account, and AFTERPOST_APIFY_MAX_CHARGE_USD",
    403: "give the token in APIFY_TOKEN the right to run this actor, or rent the actor at Apify",
    404: "check APIFY_API_BASE_URL and that the actor still exists at Apify",
}


class LostReplyError(Exception):
    """Whether the request was carried out is unknown: its answer got lost or is broken."""


class PlainErrors:
    """Makes requests and turns their failures into the program's own errors."""

    def __init__(self, base_url: str, token: str) -> None:
        """Remember what to name in messages (the address) and what never to (the token)."""
        self._base_url = base_url
        self._token = token

    def call(self, request: Callable[[], _Result], purpose: str) -> _Result:
        """One request through apify-client.

        Args:
            request: Makes the request.
            purpose: What it is for, to follow "when": ``starting owner/name``.

        Raises:
            ScrapeRejectedError: Refused.
            ScrapeUnavailableError: Surely not carried out: asked to wait, or no connection.
            LostReplyError: Perhaps carried out.
        """
        import impit
        from apify_client.errors import ApifyApiError, ApifyClientError

        try:
            return request()
        except ApifyApiError as error:
            raise self._refusal(error, purpose) from error
        except (impit.ConnectError, impit.ConnectTimeout) as error:
            raise ScrapeUnavailableError(
                f"Apify at {self._base_url} cannot be reached when {purpose}. Check the network "
                "and APIFY_API_BASE_URL."
            ) from error
        except (impit.InvalidURL, impit.UnsupportedProtocol) as error:
            raise ScrapeRejectedError(
                f"{self._base_url!r} is no usable address: correct APIFY_API_BASE_URL."
            ) from error
        except impit.HTTPError as error:
            raise LostReplyError(f"the connection broke, {type(error).__name__}") from error
        # A body that is no JSON, of another shape, or without its headers: ValueError covers
        # pydantic's ValidationError and the client's InvalidResponseBodyError.
        except (ApifyClientError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LostReplyError("the answer is not what Apify's API gives") from error

    def _refusal(self, error: "ApifyApiError", purpose: str) -> Exception:
        words = self.quoted(error.message) or "no message"
        status, is_wait = error.status_code, error.type in _WAIT_TYPES
        if status in _WAIT_STATUSES or is_wait:
            waiting = ScrapeUnavailableError(
                f"Apify asked to wait when {purpose} ({status}): {words}. Try again later."
            )
            waiting.status = status
            return waiting
        if status >= _SERVER_ERROR:
            return LostReplyError(f"{status}: {words}")
        advice = _SETTING_BY_STATUS.get(status, "check APIFY_API_BASE_URL and the account at Apify")
        rejected = ScrapeRejectedError(f"Apify refused {purpose} ({status}): {words}: {advice}.")
        rejected.status = status
        return rejected

    def quoted(self, words: str | None) -> str:
        """The platform's words on one line, without the token and without markup."""
        text = (words or "").replace(self._token, "[token]")
        if "<html" in text.lower() or "<!doctype" in text.lower():
            return "an HTML page instead of an answer"
        text = re.sub(r"\s+", " ", text).strip()
        cut = text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
        return f'"{cut}"' if cut else ""
