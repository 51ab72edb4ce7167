"""The FastAPI application.

``/healthz`` says that the process answers, ``/readyz`` that it has something to answer with;
neither asks for the token, because a load balancer has none. Everything else does, where
``AFTERPOST_API_TOKEN`` is set.
"""

import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response, status
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from pipeline.clock import utc_now
from pipeline.settings import Settings
from pipeline.show.cli.output import as_json
from pipeline.show.monitoring.alerts import open_alerts
from pipeline.show.monitoring.exposition import metrics_figures, metrics_text
from pipeline.show.monitoring.readiness import why_not_ready
from pipeline.show.web.api import add_api
from pipeline.show.web.pages import add_pages


class MetricsFormat(StrEnum):
    """How ``/api/metrics`` answers."""

    PROMETHEUS = "prometheus"
    JSON = "json"
    ALERTS = "alerts"


class State(BaseModel):
    """An answer of ``/healthz`` and ``/readyz``."""

    status: str
    reason: str | None = None


def create_app(settings: Settings) -> FastAPI:
    """The application for one home.

    Args:
        settings: Whose home, and the token that readers must show.
    """
    app = FastAPI(title="afterpost", description=__doc__, docs_url=None, redoc_url=None)
    guard = Depends(_guard(settings))

    @app.get("/healthz")
    def healthz() -> State:
        """Whether the process answers."""
        return State(status="ok")

    @app.get("/readyz", responses={503: {"model": State}})
    def readyz(response: Response) -> State:
        """Whether there is a published copy and a state database to answer from."""
        reason = why_not_ready(settings)
        if reason is None:
            return State(status="ready")
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return State(status="not ready", reason=reason)

    @app.get("/metrics", dependencies=[guard], response_class=Response)
    def metrics(request: Request) -> Response:
        """The metrics of this moment, as Prometheus reads them."""
        return _prometheus(settings, request)

    @app.get("/api/metrics", dependencies=[guard], response_class=Response)
    def api_metrics(
        request: Request,
        shape: Annotated[MetricsFormat, Query(alias="format")] = MetricsFormat.PROMETHEUS,
    ) -> Response:
        """The metrics as Prometheus reads them or as JSON, or the alerts that are open."""
        if shape is MetricsFormat.PROMETHEUS:
            return _prometheus(settings, request)
        if shape is MetricsFormat.JSON:
            now = utc_now()
            return _json({"at": now, "metrics": metrics_figures(settings, now)})
        return _json({"at": utc_now(), "alerts": open_alerts(settings)})

    add_api(app, settings)
    add_pages(app, settings)
    return app


def _prometheus(settings: Settings, request: Request) -> Response:
    text, media_type = metrics_text(settings, request.headers.get("accept", ""))
    return Response(text, media_type=media_type)


def _json(value: Any) -> Response:
    return JSONResponse(as_json(value))


def _guard(settings: Settings) -> Callable[..., None]:
    """What refuses a request without the token, where one is set."""
    bearer = HTTPBearer(auto_error=False, description="AFTERPOST_API_TOKEN")

    def check(
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    ) -> None:
        if settings.api_token is None:
            return
        shown = credentials.credentials if credentials else ""
        wanted = settings.api_token.get_secret_value()
        # Headers are read as Latin-1: this gives back the bytes that were sent.
        if not hmac.compare_digest(shown.encode("latin-1", "replace"), wanted.encode()):
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                "Show the token of AFTERPOST_API_TOKEN: Authorization: Bearer …",
                {"WWW-Authenticate": "Bearer"},
            )

    return check
