"""Scripts and styles: our own files, the dashboard's look, and the Vega runtime."""

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from starlette.staticfiles import StaticFiles

from pipeline.settings import Settings
from pipeline.show.charts.colours import DARK, LIGHT
from pipeline.show.dashboard.embedding import vega_runtime

STATIC = Path(__file__).parents[1] / "static"
_DASHBOARD = Path(__file__).parents[2] / "dashboard" / "page"
_A_YEAR = "public, max-age=31536000, immutable"


def vega_path() -> str:
    """The address of the Vega runtime, another one for each version of it."""
    return f"/assets/vega-{version('vl-convert-python')}.js"


@lru_cache
def asset_mark() -> str:
    """Changes with any file of ours, so that browsers never mix two versions."""
    files = sorted(path for path in STATIC.rglob("*") if path.is_file())
    content = b"".join(path.read_bytes() for path in files)
    return hashlib.sha256(content + _look().encode()).hexdigest()[:12]


def asset_routes(settings: Settings) -> APIRouter:
    """``/assets``: what the pages load; it is the same for everybody and tells nothing."""
    router = APIRouter(include_in_schema=False)

    @router.get(vega_path())
    def vega() -> Response:
        runtime = vega_runtime(settings.warehouse_dir / "dashboards" / ".runtime")
        return _kept(runtime, "text/javascript")

    @router.get("/assets/look.css")
    def look() -> Response:
        return _kept(_look(), "text/css")

    @router.get("/assets/theme.js")
    def theme() -> Response:
        return _kept((_DASHBOARD / "theme.js").read_text(encoding="utf-8"), "text/javascript")

    return router


def mount_static(app: FastAPI) -> None:
    """Serve the files of ``static/``."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _kept(text: str, media_type: str) -> Response:
    return Response(text, media_type=media_type, headers={"Cache-Control": _A_YEAR})


def _look() -> str:
    """The dashboard's colours and style sheet."""
    light = "".join(f"{name}:{colour};" for name, colour in LIGHT.items())
    dark = "".join(f"{name}:{colour};" for name, colour in DARK.items())
    return (
        f":root{{{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark)"
        f"{{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n"
        + (_DASHBOARD / "page.css").read_text(encoding="utf-8")
    )
