"""``afterpost web``: the web server."""

from typing import Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import output

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def web(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve the web app, its API and metrics; ends with Ctrl-C.

    Pages: what is working, review, action plans, chat, operations. /api/v1 is the same for
    programs, /docs describes it; /metrics, /api/metrics, /healthz and /readyz are for monitoring.
    With AFTERPOST_API_TOKEN or AFTERPOST_TOKEN_FILE, people log in by a token; without one, only
    this machine is answered.

    Example: afterpost web --port 8000
    """
    import uvicorn

    from pipeline.settings import load_settings
    from pipeline.show.web.api.tokens import asks_for_token
    from pipeline.show.web.app import create_app

    settings = load_settings()
    if not asks_for_token(settings) and host not in _LOOPBACK:
        raise UsageError(
            f"Everybody who can reach {host} could read and change everything: set "
            "AFTERPOST_API_TOKEN first, or leave out --host."
        )
    output.note(f"http://{'[' + host + ']' if ':' in host else host}:{port} is open; Ctrl-C ends.")
    uvicorn.run(create_app(settings), host=host, port=port, log_level="warning")
