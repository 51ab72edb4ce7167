"""Errors as answers: one shape for all of them, and never a trace of the inside."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException as StarletteHTTPException

from pipeline import errors
from pipeline.errors import AfterpostError, Retry
from pipeline.learn.experiments.registering import (
    ExperimentError,
    ExperimentNotFoundError,
    RefusedDesignError,
)
from pipeline.learn.experiments.registration import ChangedRegistrationError

_LOG = logging.getLogger(__name__)
_LONGEST_MESSAGE = 2_000


class ProblemDetail(BaseModel):
    """One fault of a request."""

    loc: list[str | int]
    """Where: ``body``, ``query`` or ``path``, then the names down to the value."""
    msg: str
    type: str


class Problem(BaseModel):
    """Every answer whose status is 400 or more."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "not_found",
                    "message": "There is no action plan 'plan_0000000000000000'.",
                    "detail": [],
                }
            ]
        }
    )

    code: str
    """A word that stays the same between versions."""
    message: str
    """One sentence for a person."""
    detail: list[ProblemDetail] = []
    """The faults of a request that cannot be taken, each with its place."""


CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "timeout",
    409: "conflict",
    411: "length_required",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    501: "not_implemented",
    503: "unavailable",
}
"""What a status is called in an answer that has no better word."""

_STATUSES: Sequence[tuple[type[AfterpostError], int, str]] = (
    (errors.UnknownAccountError, 404, "not_found"),
    (ExperimentNotFoundError, 404, "not_found"),
    (RefusedDesignError, 422, "refused_design"),
    (ExperimentError, 409, "conflict"),
    (ChangedRegistrationError, 409, "changed_registration"),
    (errors.PlanNotFoundError, 404, "not_found"),
    (errors.PlanConflictError, 409, "conflict"),
    (errors.PlanError, 422, "invalid"),
    (errors.UsageError, 422, "invalid"),
    (errors.ImportFileError, 422, "invalid"),
    (errors.CorrectionError, 422, "invalid"),
    (errors.DecisionError, 409, "conflict"),
    (errors.ContextError, 409, "conflict"),
    (errors.NothingPublishedError, 409, "nothing_published"),
    (errors.PublishedCopyOutdatedError, 409, "published_copy_outdated"),
    (errors.WarehouseLockedError, 409, "busy"),
    (errors.BuildFailedError, 409, "build_failed"),
    (errors.NotConfiguredError, 409, "not_configured"),
)
"""Status and code of each expected error, the special ones first; others are 503."""


def problem_answer(
    status_code: int,
    message: str,
    *,
    code: str | None = None,
    detail: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error in the documented shape."""
    content = {
        "code": code or CODES.get(status_code, "error"),
        "message": message[:_LONGEST_MESSAGE].encode("utf-8", "replace").decode(),
        "detail": list(detail),
    }
    return JSONResponse(content, status_code, None if headers is None else dict(headers))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route answers with, for its documentation."""
    always = (400, 401, 403, 408, 413, 422)
    return {
        one: {"model": Problem, "description": CODES[one].replace("_", " ").capitalize()}
        for one in sorted({*always, *statuses})
    }


def add_error_answers(app: FastAPI, home: Path) -> None:
    """Let an application answer all errors in the documented shape.

    Args:
        app: The application.
        home: Whose folders are named from there on: where it lies is nobody's business.
    """

    async def expected(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, AfterpostError)
        return _expected(error, str(error).replace(f"{home}/", ""))

    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AfterpostError, expected)
    app.add_exception_handler(Exception, _unexpected)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    detail = error.detail
    message = detail if isinstance(detail, str) else CODES.get(error.status_code, "error")
    return problem_answer(error.status_code, message, headers=error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # The input itself is left out: it may be large, secret, or nothing that JSON can hold.
    detail = [
        {
            "loc": [_text(part) for part in one["loc"]],
            "msg": _text(one["msg"]),
            "type": str(one["type"]),
        }
        for one in list(error.errors())[:50]
    ]
    first = detail[0] if detail else None
    where = ".".join(str(part) for part in first["loc"]) if first else "the request"
    what = first["msg"] if first else "it cannot be taken"
    return problem_answer(422, f"{where}: {what}", detail=detail)


def _expected(error: AfterpostError, message: str) -> JSONResponse:
    status_code, code = status.HTTP_503_SERVICE_UNAVAILABLE, "unavailable"
    for kind, known_status, known_code in _STATUSES:
        if isinstance(error, kind):
            status_code, code = known_status, known_code
            break
    headers = {"Retry-After": "5"} if error.retry is Retry.LATER else None
    detail = [
        {"loc": ["body"], "msg": reason, "type": "refused_design"}
        for reason in (error.reasons if isinstance(error, RefusedDesignError) else ())
    ]
    return problem_answer(status_code, message, code=code, detail=detail, headers=headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_answer(500, "Something went wrong inside; the server's log says what.")


def _text(part: Any) -> Any:
    if isinstance(part, int):
        return part
    return str(part)[:200].encode("utf-8", "replace").decode()
