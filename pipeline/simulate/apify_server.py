"""A local Apify: speaks on loopback what apify-client 3.4 asks, and answers as it is told.

It starts runs, lets clients wait for them, serves datasets page by page with Apify's headers,
keeps each run's input record, lists an actor's runs and aborts. Faults are made by an intercept
that stands before every request.
"""

import gzip
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

_FINISHED = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class ActorAnswer:
    """How one run ends and what it found.

    A status that is no end (``RUNNING``) makes a run that goes on until somebody aborts it.
    """

    items: list[Any]
    started_at: datetime
    finished_at: datetime | None
    status: str = "SUCCEEDED"
    status_message: str | None = None
    usage_total_usd: float | None = 0.0
    run_id: str | None = None
    items_total: int | None = None
    """What the dataset claims to hold; its number of items when left out."""


@dataclass(frozen=True)
class Start:
    """One run that was started."""

    run_id: str
    actor_id: str
    run_input: dict[str, Any]
    parameters: dict[str, str]


@dataclass(frozen=True)
class ApiRequest:
    """One request as the server got it."""

    method: str
    path: str
    """Without ``/v2`` and without the query, for example ``/datasets/d1/items``."""
    parameters: dict[str, str]
    body: bytes
    authorization: str | None


@dataclass(frozen=True)
class ApiReply:
    """One reply; ``cut_after`` bytes of the body the connection breaks, if it is set."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None


Answer = Callable[[str, dict[str, Any]], ActorAnswer]
"""From actor id (``owner/name``) and input to the run's end; LookupError: no such actor."""

Intercept = Callable[[ApiRequest, Callable[[], ApiReply]], ApiReply]
"""Gets each request and the way to have it carried out; what it returns is sent."""


def json_reply(status: int, document: object, **headers: str) -> ApiReply:
    """A reply with a JSON body."""
    body = json.dumps(document, ensure_ascii=True).encode()
    return ApiReply(status, body, {"Content-Type": "application/json; charset=utf-8", **headers})


def error_reply(status: int, kind: str, message: str) -> ApiReply:
    """An error in the form of Apify's API."""
    return json_reply(status, {"error": {"type": kind, "message": message}})


@dataclass
class _Run:
    start: Start
    answer: ActorAnswer
    is_aborted: bool = False
    was_asked_for: bool = False


class ApifyServer:
    """The server, on a free port of 127.0.0.1, running while the context is entered."""

    def __init__(
        self, answer: Answer, *, token: str | None = None, intercept: Intercept | None = None
    ) -> None:
        """Prepare a server.

        Args:
            answer: What each started run gives.
            token: The only token that is let in; any when left out.
            intercept: Stands before every request, to break things on purpose.
        """
        self._answer = answer
        self._token = token
        self.intercept = intercept
        """Can be set and changed while the server runs."""
        self._runs: dict[str, _Run] = {}
        self._guard = threading.Lock()
        self._changed = threading.Condition(self._guard)
        self._is_closing = False
        self.starts: list[Start] = []
        """Every run that was started, in order."""
        self.aborts: list[str] = []
        """Ids of the runs that clients aborted."""
        self.requests: list[ApiRequest] = []
        """Every request, in order of arrival."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        """Base URL for a client, without ``/v2``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving; waiting requests are let go."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(self, request: ApiRequest) -> ApiReply:
        """The reply to one request, with the intercept's say."""
        with self._guard:
            self.requests.append(request)
        if self.intercept is None:
            return self._carry_out(request)
        return self.intercept(request, lambda: self._carry_out(request))

    def _carry_out(self, request: ApiRequest) -> ApiReply:
        allowed = f"Bearer {self._token}" if self._token else request.authorization
        if not request.authorization or request.authorization != allowed:
            kind = "user-or-token-not-found" if request.authorization else "token-not-provided"
            return error_reply(401, kind, "User was not found or authentication token is not valid")
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        match (request.method, parts):
            case ("POST", ["actors" | "acts", actor, "runs"]):
                reply = self._start(actor.replace("~", "/"), request)
            case ("GET", ["actors" | "acts", actor, "runs"]):
                reply = self._list(actor.replace("~", "/"), request.parameters)
            case ("GET", ["actor-runs", run_id]) if run_id in self._runs:
                reply = self._wait(self._runs[run_id], request.parameters)
            case ("POST", ["actor-runs", run_id, "abort"]) if run_id in self._runs:
                reply = self._abort(self._runs[run_id])
            case ("GET", ["datasets", store, "items"]) if store[1:] in self._runs:
                reply = self._items(self._runs[store[1:]], request.parameters)
            case ("GET", ["datasets", store]) if store[1:] in self._runs:
                reply = self._dataset(store, self._runs[store[1:]])
            case ("GET", ["key-value-stores", store, "records", "INPUT"]) if (
                store[1:] in self._runs
            ):
                reply = json_reply(200, self._runs[store[1:]].start.run_input)
            case _:
                reply = error_reply(404, "record-not-found", f"{request.path} was not found")
        return reply

    def _start(self, actor_id: str, request: ApiRequest) -> ApiReply:
        try:
            run_input = json.loads(request.body or b"{}")
        except ValueError:
            return error_reply(400, "invalid-input", "The input is not valid JSON")
        try:
            answer = self._answer(actor_id, run_input)
        except LookupError:
            return error_reply(404, "record-not-found", "Actor was not found")
        with self._changed:
            run_id = answer.run_id or f"run{len(self._runs) + 1:06d}"
            start = Start(run_id, actor_id, run_input, request.parameters)
            self._runs[run_id] = _Run(start, answer)
            self.starts.append(start)
            return json_reply(201, {"data": self._run_document(self._runs[run_id])})

    def _wait(self, run: _Run, parameters: Mapping[str, str]) -> ApiReply:
        patience = min(float(parameters.get("waitForFinish", 0)), _LONGEST_WAIT_S)
        with self._changed:
            run.was_asked_for = True
            self._changed.wait_for(
                lambda: self._is_closing or self._status(run) in _FINISHED, timeout=patience
            )
            return json_reply(200, {"data": self._run_document(run)})

    def _abort(self, run: _Run) -> ApiReply:
        with self._changed:
            if self._status(run) not in _FINISHED:
                run.is_aborted = True
                self.aborts.append(run.start.run_id)
                self._changed.notify_all()
            return json_reply(200, {"data": self._run_document(run)})

    def _list(self, actor_id: str, parameters: Mapping[str, str]) -> ApiReply:
        with self._guard:
            runs = [run for run in self._runs.values() if run.start.actor_id == actor_id]
            after = parameters.get("startedAfter")
            if after:
                since = datetime.fromisoformat(after)
                runs = [run for run in runs if run.answer.started_at >= since]
            is_descending = parameters.get("desc") in ("1", "true")
            runs.sort(key=lambda run: run.answer.started_at, reverse=is_descending)
            offset, limit = int(parameters.get("offset", 0)), int(parameters.get("limit", 1000))
            page = [self._run_document(run) for run in runs[offset : offset + limit]]
        return json_reply(
            200,
            {
                "data": {
                    "total": len(runs),
                    "offset": offset,
                    "limit": limit,
                    "desc": is_descending,
                    "count": len(page),
                    "items": page,
                }
            },
        )

    def _items(self, run: _Run, parameters: Mapping[str, str]) -> ApiReply:
        items = run.answer.items
        offset, limit = int(parameters.get("offset", 0)), int(parameters.get("limit", 10**12))
        page = items[offset : offset + limit]
        claimed = run.answer.items_total
        headers = {
            "x-apify-pagination-total": len(items) if claimed is None else claimed,
            "x-apify-pagination-offset": offset,
            "x-apify-pagination-limit": limit,
            "x-apify-pagination-count": len(page),
            "x-apify-pagination-desc": "false",
        }
        return json_reply(200, page, **{name: str(value) for name, value in headers.items()})

    def _dataset(self, store: str, run: _Run) -> ApiReply:
        claimed = run.answer.items_total
        count = len(run.answer.items) if claimed is None else claimed
        moment = _iso(run.answer.started_at)
        document = {
            "id": store,
            "userId": "user1",
            "createdAt": moment,
            "modifiedAt": moment,
            "accessedAt": moment,
            "itemCount": count,
            "cleanItemCount": count,
            "actId": run.start.actor_id,
            "actRunId": run.start.run_id,
            "consoleUrl": f"{self.url}/console/{store}",
            "stats": {"readCount": 0, "writeCount": count, "storageBytes": 0},
        }
        return json_reply(200, {"data": document})

    def _status(self, run: _Run) -> str:
        if run.is_aborted:
            return "ABORTED"
        return run.answer.status if run.was_asked_for else "READY"

    def _run_document(self, run: _Run) -> dict[str, Any]:
        """A run as the API gives it. It is over once somebody has asked for it again."""
        status = self._status(run)
        run_id, answer = run.start.run_id, run.answer
        is_over = status in _FINISHED
        document: dict[str, Any] = {
            "id": run_id,
            "actId": run.start.actor_id.replace("/", "~"),
            "userId": "user1",
            "startedAt": _iso(answer.started_at),
            "finishedAt": None,
            "status": status,
            "meta": {"origin": "API"},
            "stats": {"inputBodyLen": len(json.dumps(run.start.run_input)), "restartCount": 0},
            "options": {
                "build": "latest",
                "timeoutSecs": 3600,
                "memoryMbytes": 1024,
                "diskMbytes": 2048,
            },
            "buildId": "build1",
            "buildNumber": "0.0.1",
            "defaultKeyValueStoreId": f"k{run_id}",
            "defaultDatasetId": f"d{run_id}",
            "defaultRequestQueueId": f"q{run_id}",
            "usageTotalUsd": 0.0,
        }
        if is_over:
            document["finishedAt"] = _iso(answer.finished_at) if answer.finished_at else None
            document["statusMessage"] = answer.status_message
            document["exitCode"] = 0 if status == "SUCCEEDED" else 1
            document["usageTotalUsd"] = answer.usage_total_usd
        return document

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # A body that waits until the headers are acknowledged comes 40 ms late.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                address = urlsplit(self.path)
                request = ApiRequest(
                    method=self.command,
                    path=address.path.removeprefix("/v2"),
                    parameters=dict(parse_qsl(address.query, keep_blank_values=True)),
                    body=body,
                    authorization=self.headers.get("Authorization"),
                )
                self._send(outer.respond(request))

            def _send(self, reply: ApiReply) -> None:
                if reply.cut_after is not None:
                    self.close_connection = True
                    if reply.cut_after <= 0:
                        return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                # A client that was killed or lost patience leaves nobody to answer.
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(reply.body[: reply.cut_after])

            def log_message(self, *_: object) -> None:
                """Be quiet: the requests are kept in ``requests``."""

        return Handler


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
