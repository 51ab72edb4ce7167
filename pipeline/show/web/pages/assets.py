"""Scripts and styles: our own files, the dashboard's look, and the Vega runtime."""

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from starlette.staticfiles import StaticFiles

from pipeline.settings import Settings
from pipeline.show.dashboard.embedding import vega_runtime
from pipeline.show.dashboard.page import look, part

STATIC = Path(__file__).parents[1] / "static"
_SHARED = ("charts.js", "theme.js")
"""Scripts of the dashboard that the pages run too."""
_A_YEAR = "public, max-age=31536000, immutable"


def vega_path() -> str:
    """The address of the Vega runtime, another one for each version of it."""
    return f"/assets/vega-{version('vl-convert-python')}.js"


@lru_cache
def asset_mark() -> str:
    """Changes with any file of ours, so that browsers never mix two versions."""
    files = sorted(path for path in STATIC.rglob("*") if path.is_file())
    content = b"".join(path.read_bytes() for path in files)
    shared = look() + "".join(map(part, _SHARED))
    return hashlib.sha256(content + shared.encode()).hexdigest()[:12]


def asset_routes(settings: Settings) -> APIRouter:
    """``/assets``: what the pages load; it is the same for everybody and tells nothing."""
    router = APIRouter(include_in_schema=False)

    @router.get(vega_path())
    def vega() -> Response:
        runtime = vega_runtime(settings.warehouse_dir / "dashboards" / ".runtime")
        return _kept(runtime, "text/javascript")

    @router.get("/assets/look.css")
    def style() -> Response:
        return _kept(look(), "text/css")

    @router.get("/assets/charts.js")
    def charts() -> Response:
        return _kept(part("charts.js"), "text/javascript")

    @router.get("/assets/theme.js")
    def theme() -> Response:
        return _kept(part("theme.js"), "text/javascript")

    return router


def mount_static(app: FastAPI) -> None:
    """Serve the files of ``static/``."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _kept(text: str, media_type: str) -> Response:
    return Response(text, media_type=media_type, headers={"Cache-Control": _A_YEAR})
