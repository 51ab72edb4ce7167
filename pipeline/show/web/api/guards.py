"""Who may ask, and what no request may do: tokens, origins, hosts, sizes and slowness."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.accounts import account_dir, account_names
from pipeline.errors import UnknownAccountError
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import problem_answer
from pipeline.show.web.api.tokens import MAIN, asks_for_token, caller_with, same_secret

__all__ = (
    "Caller", "Fence", "asks_for_token", "bearer_of", "caller_with", "chosen_accounts",
    "same_secret",
)  # fmt: skip

MAX_BODY_BYTES = 256 * 1024
BODY_DEADLINE_S = 15.0
"""Longest wait for a whole body, however slowly it drips."""

PREFIX = "/api/v1"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_API_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def bearer_of(settings: Settings) -> Callable[..., Any]:
    """A dependency that gives the `Caller`, or refuses.

    Args:
        settings: Whose tokens are asked for; without one, everybody on this machine may ask.
    """
    bearer = HTTPBearer(
        auto_error=False,
        description="The value of AFTERPOST_API_TOKEN, or a token of AFTERPOST_TOKEN_FILE.",
    )

    async def caller(
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    ) -> Caller:
        if not asks_for_token(settings):
            return Caller(MAIN)
        found = caller_with(settings, credentials.credentials if credentials else "")
        if found is None:
            raise HTTPException(
                401,
                "Show the token of AFTERPOST_API_TOKEN: Authorization: Bearer …",
                {"WWW-Authenticate": "Bearer"},
            )
        return found

    return caller


def chosen_accounts(settings: Settings, caller: Caller, account: str | None) -> tuple[str, ...]:
    """The accounts that a question is about: the named one, or all that the caller may see.

    Raises:
        UnknownAccountError: No such account, or not even a possible name.
        HTTPException: The account is not open to the caller.
    """
    if account is None:
        return tuple(name for name in account_names(settings.accounts_dir) if caller.may_see(name))
    try:
        account_dir(settings.accounts_dir, account)
    except UnknownAccountError:
        # Its own words name folders of the server and accounts of other people.
        raise UnknownAccountError(f"There is no account {account!r}.") from None
    if not caller.may_see(account):
        raise HTTPException(403, f"The account {account!r} is not open to this token.")
    return (account,)


class Fence:
    """ASGI middleware: refuses what no browser page or client of ours would send.

    - A body over `MAX_BODY_BYTES`, or one that is not there by `BODY_DEADLINE_S`.
    - A change that a page of another site makes a browser send (``Origin``, ``Sec-Fetch-Site``).
    - Without a token, a ``Host`` that is not this machine: a name that somebody points here.
    """

    def __init__(self, app: ASGIApp, *, has_token: bool) -> None:
        self._app = app
        self._has_token = has_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_api = scope["path"].startswith(PREFIX)

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = SECURITY_HEADERS + (_API_HEADERS if is_api else ())
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in extra if header[0] not in present),
                ]
            await send(message)

        refusal = self._refusal(scope, headers, is_api=is_api)
        if refusal is not None:
            status_code, words = refusal
            await problem_answer(status_code, words)(scope, receive, guarded_send)
            return
        await self._app(scope, self._limited(receive), guarded_send)

    def _refusal(self, scope: Scope, headers: Headers, *, is_api: bool) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if is_api and not self._has_token and _host_name(host) not in LOOPBACK_HOSTS:
            return 403, "Without AFTERPOST_API_TOKEN only this machine itself is answered."
        if scope["method"] not in SAFE_METHODS:
            origin = headers.get("origin")
            if origin is not None and not _is_same_origin(origin, scope["scheme"], host):
                return 403, "The request comes from a page of another site."
            if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
                return 403, "The request comes from a page of another site."
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            return 400, "Content-Length is no number."
        if len(length) > 15 or int(length) > MAX_BODY_BYTES:
            return 413, f"The body is larger than {MAX_BODY_BYTES // 1024} KiB."
        return None

    def _limited(self, receive: Receive) -> Receive:
        size = 0
        is_whole = False
        deadline: float | None = None

        async def limited() -> Message:
            nonlocal size, is_whole, deadline
            if is_whole:
                return await receive()
            now = asyncio.get_running_loop().time()
            deadline = deadline or now + BODY_DEADLINE_S
            try:
                message = await asyncio.wait_for(receive(), max(0.001, deadline - now))
            except TimeoutError:
                raise HTTPException(408, "The body did not arrive in time.") from None
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
                if size > MAX_BODY_BYTES:
                    words = f"The body is larger than {MAX_BODY_BYTES // 1024} KiB."
                    raise HTTPException(413, words)
            return message

        return limited


def _host_name(host: str) -> str:
    """The name in a Host header, without its port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_same_origin(origin: str, scheme: str, host: str) -> bool:
    return bool(host) and origin.lower() == f"{scheme}://{host}".lower()
