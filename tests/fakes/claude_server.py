"""A local server that speaks the Messages API as far as the client asks it.

It answers ``POST /v1/messages`` from a script, one entry per request (the last one again and
again), and keeps what it was asked.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from pydantic import SecretStr

from pipeline.settings import Settings

KEY = "sk-ant-planted-secret"


@dataclass(frozen=True)
class Scripted:
    """What one request is answered with."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    drip: bool = False
    """Send a byte now and then, for ``hang_s``."""
    cut_body: bool = False
    """Promise more bytes than are sent."""


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Answering = Callable[[dict[str, Any]], Scripted]


def message(
    content: str | dict[str, Any],
    *,
    stop_reason: str | None = "end_turn",
    model: str = "claude-sonnet-5-5",
    input_tokens: int = 1000,
    output_tokens: int = 200,
) -> Scripted:
    """A message as the service sends it; a dict is sent as its JSON text."""
    text = content if isinstance(content, str) else json.dumps(content)
    body = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        },
    }
    return Scripted(body=json.dumps(body).encode())


def error(status: int, kind: str, text: str = "no", **headers: str) -> Scripted:
    """An error as the service sends it; headers with ``_`` for ``-``."""
    body = {
        "type": "error",
        "error": {"type": kind, "message": text},
        "request_id": "req_01",
    }
    return Scripted(
        status=status,
        body=json.dumps(body).encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class ClaudeServer:
    """The server, as a context manager."""

    def __init__(self, *script: Scripted | Answering) -> None:
        self.script: Sequence[Scripted | Answering] = script
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        self._server = _Listener(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self, settings: Settings, deadline_s: float = 10.0) -> Settings:
        """Settings that ask this server."""
        return settings.model_copy(
            update={
                "anthropic_base_url": self.url,
                "anthropic_api_key": SecretStr(KEY),
                "anthropic_deadline_s": deadline_s,
            }
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> Scripted:
        """The next entry of the script, or what the real service would refuse."""
        self.asked.append(asked)
        refusal = _refusal(asked)
        if refusal is not None:
            return refusal
        entry = self.script[min(len(self.asked), len(self.script)) - 1]
        return entry if isinstance(entry, Scripted) else entry(asked.body)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: ClaudeServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        headers = {name.lower(): value for name, value in self.headers.items()}
        scripted = self.server.fake.answer(Asked(self.path, headers, body))
        try:
            self._send(scripted)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, scripted: Scripted) -> None:
        stopping = self.server.fake.stopping
        if scripted.hang_s and not scripted.drip:
            stopping.wait(scripted.hang_s)
        is_short = scripted.cut_body or scripted.drip
        self.send_response(scripted.status)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(scripted.body) + 1000 * is_short),
        }
        for name, value in {**headers, **scripted.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        ends = time.monotonic() + scripted.hang_s
        while scripted.drip and time.monotonic() < ends and not stopping.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()
        self.wfile.write(scripted.body)
        self.close_connection = is_short

    def log_message(self, *_: object) -> None:
        pass


def _refusal(asked: Asked) -> Scripted | None:
    """What the real service refuses whatever is asked."""
    if asked.path.partition("?")[0] != "/v1/messages":
        return error(404, "not_found_error", f"no {asked.path}")
    if not asked.headers.get("authorization", "").startswith("Bearer "):
        return error(401, "authentication_error", "no bearer token")
    if "anthropic-version" not in asked.headers:
        return error(400, "invalid_request_error", "anthropic-version is missing")
    gone = {"temperature", "top_p", "top_k"} & asked.body.keys()
    if gone or not {"model", "max_tokens", "messages"} <= asked.body.keys():
        return error(400, "invalid_request_error", f"fields {sorted(asked.body)}")
    return None
