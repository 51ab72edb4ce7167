"""What every page's answer has: its errors as pages, and a strict policy for the browser."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from pipeline.errors import AfterpostError, PlanConflictError
from pipeline.show.web.api.errors import Problem
from pipeline.show.web.api.guards import PREFIX
from pipeline.show.web.pages.rendering import Renderer

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Our own files and nothing else: no inline script or style, no eval, no other site."""

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # Without it, as under no-referrer, browsers send a form's Origin as "null".
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class NotLoggedInError(Exception):
    """The page wants the token first."""


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with everything around it."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                response = await handler(request)
            except NotLoggedInError:
                response = _to_login(request)
            except ValidationError as error:
                # A form's values, put together as the body that the API takes.
                invalid = RequestValidationError(error.errors(include_url=False))
                response = await _error_page(request, invalid)
            except (HTTPException, RequestValidationError, AfterpostError) as error:
                response = await _error_page(request, error)
            except Exception as error:
                response = await _error_page(request, error)
            for name, value in PAGE_HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return answered


class PagesRouter(APIRouter):
    """A router of pages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=PageRoute, **options)


def answer_errors_with_pages(app: FastAPI, renderer: Renderer) -> None:
    """Let addresses that nobody answers give a page to browsers; the API keeps its own form."""
    app.state.renderer = renderer
    app.state.api_errors = dict(app.exception_handlers)

    async def handle(request: Request, error: Exception) -> Response:
        is_page = not request.url.path.startswith((PREFIX, "/api/", "/metrics"))
        if is_page and "text/html" in request.headers.get("accept", ""):
            response = await _error_page(request, error)
            response.headers.update(PAGE_HEADERS)
            return response
        return await _api_answer(request, error)

    app.add_exception_handler(HTTPException, handle)


def back_to(path: str, **parameters: str | None) -> RedirectResponse:
    """The answer to a form that was taken: go and look (303), so that a reload sends nothing again.

    Args:
        path: On this server.
        parameters: Of the address; those that are None are left out.
    """
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items()
                     if value is not None)  # fmt: skip
    return RedirectResponse(f"{path}?{query}" if query else path, 303)


def _to_login(request: Request) -> Response:
    if request.method != "GET":
        return back_to("/login")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return back_to("/login", next=wanted[:500])


async def _error_page(request: Request, error: Exception) -> Response:
    """The page of an error: what the API would answer, for people."""
    answer = await _api_answer(request, error)
    problem = Problem.model_validate_json(bytes(answer.body))
    renderer: Renderer = request.app.state.renderer
    sent = await _sent(request) if isinstance(error, PlanConflictError) else None
    return renderer.error(request, answer.status_code, problem, sent)


async def _sent(request: Request) -> dict[str, str]:
    """The texts of a form that could not be taken, so that nobody has to write them again."""
    form = await request.form()
    return {
        name: value
        for name, value in form.items()
        if isinstance(value, str) and value and name != "version"
    }


async def _api_answer(request: Request, error: Exception) -> Response:
    handlers = request.app.state.api_errors
    handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    answer: Response = await handler(request, error)
    return answer
