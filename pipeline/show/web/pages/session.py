"""Who looks at the pages: whoever is on this machine, or who has shown a token.

The cookie holds a random number and no secret. What it stands for is kept in this process alone,
and the token behind it is asked for again on every request: one that is taken out of the token
file opens nothing any more.
"""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.guards import LOOPBACK_HOSTS, SAFE_METHODS
from pipeline.show.web.api.tokens import MAIN, asks_for_token, caller_with
from pipeline.show.web.pages.answering import NotLoggedInError, PagesRouter, back_to
from pipeline.show.web.pages.rendering import Renderer

COOKIE = "afterpost_session"
LASTS_S = 12 * 3600
MOST_SESSIONS = 1_000
_WRONG_TOKEN_WAIT_S = 0.5
"""Guessing is slow."""


@dataclass(frozen=True)
class _Session:
    token: str
    ends_at: float


class Sessions:
    """Who is logged in to one server."""

    def __init__(self, settings: Settings) -> None:
        """Nobody is.

        Args:
            settings: Whose tokens open a session.
        """
        self._settings = settings
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def begin(self, token: str) -> str | None:
        """The cookie of a new session; None where the token is nobody's."""
        if caller_with(self._settings, token) is None:
            return None
        cookie = secrets.token_urlsafe(32)
        self._sessions[_key(cookie)] = _Session(token, time.monotonic() + LASTS_S)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return cookie

    def caller(self, cookie: str) -> Caller | None:
        """Who a cookie belongs to; None where it is over, or its token is known no more."""
        found = self._sessions.get(_key(cookie))
        if found is None or time.monotonic() > found.ends_at:
            return None
        return caller_with(self._settings, found.token)

    def end(self, cookie: str) -> None:
        """Forget a session."""
        self._sessions.pop(_key(cookie), None)


def caller_of_session(settings: Settings, sessions: Sessions) -> Callable[..., Any]:
    """A dependency that gives the `Caller` of a page, or sends to the login.

    Args:
        settings: Whose tokens are asked for; without one, only this machine is answered.
        sessions: Who is logged in.
    """

    async def caller(request: Request) -> Caller:
        check_origin(request)
        if not asks_for_token(settings):
            if (request.url.hostname or "").lower() not in LOOPBACK_HOSTS:
                words = "Without AFTERPOST_API_TOKEN only this machine itself is answered."
                raise HTTPException(403, words)
            return Caller(MAIN)
        found = sessions.caller(request.cookies.get(COOKIE, ""))
        if found is None:
            raise NotLoggedInError
        return found

    return caller


def check_origin(request: Request) -> None:
    """Refuse a change that does not say which page it comes from.

    The fence refuses those that say another site; every browser says one or the other header.
    """
    if request.method in SAFE_METHODS:
        return
    if "origin" not in request.headers and "sec-fetch-site" not in request.headers:
        raise HTTPException(403, "The request does not say which page it comes from (Origin).")


def session_pages(settings: Settings, renderer: Renderer, sessions: Sessions) -> APIRouter:
    """``/login`` and ``/logout``."""
    router = PagesRouter(include_in_schema=False)

    @router.get("/login")
    def form(request: Request, next_: Annotated[str, Query(alias="next")] = "/") -> Response:
        return _form(request, own_path(next_))

    @router.post("/login")
    async def login(
        request: Request,
        token: Annotated[str, Form(max_length=2_000)] = "",
        next_: Annotated[str, Form(alias="next", max_length=2_000)] = "/",
    ) -> Response:
        check_origin(request)
        path = own_path(next_)
        if not asks_for_token(settings):
            return back_to(path)
        cookie = sessions.begin(token)
        if cookie is None:
            await asyncio.sleep(_WRONG_TOKEN_WAIT_S)
            return _form(request, path, fault="That is not the token.")
        response = back_to(path)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=LASTS_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    @router.post("/logout")
    def logout(request: Request) -> Response:
        check_origin(request)
        sessions.end(request.cookies.get(COOKIE, ""))
        response = back_to("/login")
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def _form(request: Request, path: str, fault: str | None = None) -> HTMLResponse:
        return renderer.page(
            request,
            "login.html",
            status_code=200 if fault is None else 401,
            next=path,
            fault=fault,
            is_needed=asks_for_token(settings),
        )

    return router


def own_path(wanted: str) -> str:
    """An address on this server, else its first page: a login must not lead anywhere else."""
    is_own = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if is_own and wanted.isprintable() and "\\" not in wanted else "/"


def _key(cookie: str) -> str:
    """What a session is found by: nobody who sees the keys has a cookie."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
