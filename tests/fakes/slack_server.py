"""A stand-in for Slack's Web API on the loopback address: messages, uploads, limits, refusals.

It keeps Slack's rules: JSON or form bodies, a bearer token, Block Kit's limits, uploads in three
steps to a channel's id. Answers other than the usual one are put into ``replies`` by method.
"""

import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

from pipeline.settings import Settings

TOKEN = "xoxb-planted-token"
CHANNEL = "#reports"
CHANNEL_ID = "C0123456789"
HANG_UP = "hang up"
"""A reply: the connection closes without an answer, though the message was taken."""
STALL = "stall"
"""A reply: the message was taken, and the answer waits for ``SlackServer.go_on``."""

_HEADER, _SECTION, _FIELD, _FIELDS, _BLOCKS, _CONTEXT = 150, 3000, 2000, 10, 50, 10
_CHARACTERS = 13_200
"""Of all blocks of a message, containers included."""


@dataclass(frozen=True)
class Reply:
    """An answer in place of the usual one."""

    status: int = 200
    body: dict[str, Any] | str = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def refused(code: str, **more: Any) -> Reply:
    """An answer that is not ok."""
    return Reply(200, {"ok": False, "error": code, **more})


def too_many(seconds: int) -> Reply:
    """Slack asks to wait."""
    return Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})


class SlackServer:
    """What was asked, what was posted and what was uploaded."""

    def __init__(self) -> None:
        self.replies: dict[str, deque[Reply | str | None]] = defaultdict(deque)
        """By method, the next ones first; None is the usual answer."""
        self.called: list[tuple[str, dict[str, Any]]] = []
        """Methods in the order in which they were called, with their arguments."""
        self.messages: list[dict[str, Any]] = []
        """Messages that were taken."""
        self.files: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.stalled, self.go_on = threading.Event(), threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with server.lock:
                    reply = server._answer(self.path, dict(self.headers), body)
                if reply == STALL:
                    server.stalled.set()
                    server.go_on.wait(30)
                if isinstance(reply, str):
                    self.close_connection = True
                    return
                text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """The API's base address."""
        return f"http://127.0.0.1:{self._http.server_port}/api/"

    def settings(self, settings: Settings, **more: Any) -> Settings:
        """``settings`` with this server, a token and a channel."""
        return settings.model_validate(
            settings.model_dump()
            | {
                "slack_bot_token": TOKEN,
                "slack_api_base_url": self.url,
                "slack_channel": CHANNEL,
                **more,
            }
        )

    def environment(self) -> dict[str, str]:
        """The same for a program, as variables."""
        return {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_BASE_URL": self.url,
            "SLACK_CHANNEL": CHANNEL,
        }

    def __enter__(self) -> "SlackServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.go_on.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> Reply | str:
        if path.startswith("/upload/"):
            self.files[path.removeprefix("/upload/")]["content"] = body
            return Reply(200, f"OK - {len(body)}")
        method = path.removeprefix("/api/")
        arguments = _arguments(headers, body)
        self.called.append((method, arguments))
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return refused("invalid_auth")
        if self.replies[method]:
            reply = self.replies[method].popleft()
            if reply in (HANG_UP, STALL):
                self._usual(method, arguments)
            return self._usual(method, arguments) if reply is None else reply
        return self._usual(method, arguments)

    def _usual(self, method: str, arguments: dict[str, Any]) -> Reply:
        if method == "chat.postMessage":
            return self._post(arguments)
        if method == "files.getUploadURLExternal":
            name = f"F{len(self.files):09d}"
            self.files[name] = {**arguments, "content": None}
            return _ok(upload_url=f"{self.url.removesuffix('api/')}upload/{name}", file_id=name)
        if method == "files.completeUploadExternal":
            return self._complete(arguments)
        return refused("unknown_method")

    def _post(self, arguments: dict[str, Any]) -> Reply:
        if arguments.get("channel") not in (CHANNEL, CHANNEL_ID):
            return refused("channel_not_found")
        if not arguments.get("text") and not arguments.get("blocks"):
            return refused("no_text")
        if len(json.dumps(arguments.get("blocks") or [], ensure_ascii=False)) > _CHARACTERS:
            return refused("msg_blocks_too_long")
        problems = block_problems(arguments.get("blocks") or [])
        if problems:
            return refused("invalid_blocks", errors=problems)
        ts = f"1779400000.{len(self.messages):06d}"
        self.messages.append({**arguments, "ts": ts})
        return _ok(channel=CHANNEL_ID, ts=ts, message={"text": arguments.get("text")})

    def _complete(self, arguments: dict[str, Any]) -> Reply:
        if arguments.get("channel_id") not in (CHANNEL_ID, None):
            return refused("channel_not_found")  # a channel's name is none to this method
        done = []
        for one in json.loads(arguments["files"]):
            stored = self.files.get(one["id"])
            if stored is None or len(stored["content"] or b"") != int(stored["length"]):
                return refused("file_not_found")
            stored |= {"title": one.get("title"), "thread_ts": arguments.get("thread_ts")}
            done.append({"id": one["id"], "title": one.get("title")})
        return _ok(files=done)


def block_problems(blocks: list[dict[str, Any]]) -> list[str]:
    """What Slack would not accept about blocks; empty when it takes them."""
    problems = [f"{len(blocks)} blocks"] if len(blocks) > _BLOCKS else []
    for place, block in enumerate(blocks):
        problems += [f"block {place}: {problem}" for problem in _problems_of(block)]
    return problems


def _problems_of(block: dict[str, Any]) -> list[str]:
    if block.get("type") == "divider":
        return []
    checks = {"header": _of_header, "context": _of_context, "section": _of_section}
    check = checks.get(block.get("type", ""))
    return check(block) if check else [f"unknown block {block.get('type')!r}"]


def _of_header(block: dict[str, Any]) -> list[str]:
    if block["text"]["type"] != "plain_text":
        return ["a header takes plain_text"]
    return _too_long("header", block["text"]["text"], _HEADER)


def _of_context(block: dict[str, Any]) -> list[str]:
    elements = block["elements"]
    found = [] if 1 <= len(elements) <= _CONTEXT else [f"{len(elements)} elements"]
    return found + [p for one in elements for p in _too_long("element", one["text"], _SECTION)]


def _of_section(block: dict[str, Any]) -> list[str]:
    if not block.get("text") and not block.get("fields"):
        return ["a section takes text or fields"]
    found = _too_long("text", block["text"]["text"], _SECTION) if block.get("text") else []
    fields = block.get("fields", [])
    if len(fields) > _FIELDS or block.get("fields") == []:
        found.append(f"{len(fields)} fields")
    return found + [p for one in fields for p in _too_long("field", one["text"], _FIELD)]


def _too_long(what: str, text: str, most: int) -> list[str]:
    return [] if 0 < len(text) <= most else [f"{what} of {len(text)} characters"]


def _arguments(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("Content-Type", "").startswith("application/json"):
        loaded = json.loads(body or b"{}")
        assert isinstance(loaded, dict)
        return loaded
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _ok(**more: Any) -> Reply:
    return Reply(200, {"ok": True, **more})
