"""A local server that speaks the Messages API as far as the client asks it.

It answers ``POST /v1/messages`` from a script, one entry per request (the last one again and
again), and keeps what it was asked. The questions of a batch are answered from the same script.
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
from tests.fakes.claude_batches import Batch, Batching

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
    method: str = "POST"


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

    def __init__(self, *script: Scripted | Answering, batching: Batching | None = None) -> None:
        self.script: Sequence[Scripted | Answering] = script
        self.batching = batching or Batching()
        self.asked: list[Asked] = []
        self.question_count = 0
        self.stopping = threading.Event()
        self._server = _Listener(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.batching.url = self.url

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
                "anthropic_batch_poll_s": 0.01,
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
        path = asked.path.partition("?")[0]
        refusal = _refusal(asked)
        if refusal is not None:
            return refusal
        if path == "/v1/messages" and asked.method == "POST":
            return _not_a_message(asked.body) or self._next(asked.body)
        if path.startswith("/v1/messages/batches"):
            return self._batches(asked, [part for part in path.split("/") if part][3:])
        return error(404, "not_found_error", f"no {asked.path}")

    @property
    def questions(self) -> list[Asked]:
        """What was asked, without the looks at batches."""
        return [asked for asked in self.asked if asked.method == "POST"]

    def _next(self, body: dict[str, Any]) -> Scripted:
        self.question_count += 1
        entry = self.script[min(self.question_count, len(self.script)) - 1]
        return entry if isinstance(entry, Scripted) else entry(body)

    def _batches(self, asked: Asked, parts: list[str]) -> Scripted:
        batching = self.batching
        if not parts:
            requests = asked.body["requests"]
            wrong = [_not_a_message(request["params"]) for request in requests]
            refusal = next((one for one in wrong if one is not None), None)
            return refusal or _json(batching.start(requests))
        batch: Batch | None = batching.batches.get(parts[0])
        if batch is None:
            return error(404, "not_found_error", f"no batch {parts[0]}")
        match parts[1:], asked.method:
            case [], "GET":
                return _json(batching.look(batch))
            case ["cancel"], "POST":
                batch.is_cancelled = True
                return _json(batching.shown(batch))
            case ["results"], "GET" if batch.has_ended:
                body = batching.results(batch, lambda params: self._next(params).body)
                return Scripted(body=body, headers={"content-type": "application/x-jsonl"})
        return error(404, "not_found_error", f"no {asked.path}")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: ClaudeServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        self._reply({})

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._reply(json.loads(text) if text else {})

    def _reply(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        scripted = self.server.fake.answer(Asked(self.path, headers, body, self.command))
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


def _json(value: dict[str, Any]) -> Scripted:
    return Scripted(body=json.dumps(value).encode())


def _refusal(asked: Asked) -> Scripted | None:
    """What the real service refuses whatever is asked."""
    if not asked.headers.get("authorization", "").startswith("Bearer "):
        return error(401, "authentication_error", "no bearer token")
    if "anthropic-version" not in asked.headers:
        return error(400, "invalid_request_error", "anthropic-version is missing")
    return None


def _not_a_message(body: dict[str, Any]) -> Scripted | None:
    gone = {"temperature", "top_p", "top_k"} & body.keys()
    if gone or not {"model", "max_tokens", "messages"} <= body.keys():
        return error(400, "invalid_request_error", f"fields {sorted(body)}")
    return None
