"""A stand-in for the YouTube Data API on the loopback address."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, bytes]
"""Status and body."""


def listing(kind: str, items: list[dict[str, Any]], **more: Any) -> Reply:
    """An answer of the API with these items."""
    return 200, json.dumps({"kind": f"youtube#{kind}", "items": items, **more}).encode()


def refusal(status: int, reason: str, message: str = "no") -> Reply:
    """A refusal as the API words it."""
    error = {"code": status, "message": message, "errors": [{"reason": reason}]}
    return status, json.dumps({"error": error}).encode()


class YouTubeServer:
    """Answers each request with what ``answer(path, parameters)`` returns; keeps what was asked."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Reply]) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.keys: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                parameters = {key: one[0] for key, one in parse_qs(address.query).items()}
                path = address.path.removeprefix("/youtube/v3/")
                server.asked.append((path, parameters))
                server.keys.append(self.headers.get("X-Goog-Api-Key"))
                status, body = answer(path, parameters)
                if status == 0:  # hang up without an answer
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) + (status == 206)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "YouTubeServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Channel:
    """A channel with videos, as the API shows it, newest first."""

    def __init__(self, video_count: int, hidden: int = 0) -> None:
        self.ids = [f"video{number:06d}" for number in range(video_count)]
        self.hidden = set(self.ids[:hidden])
        """In the playlist, but without a row of their own: private or removed."""

    def __call__(self, path: str, parameters: dict[str, str]) -> Reply:
        return getattr(self, f"_{path}")(parameters)

    def _channels(self, parameters: dict[str, str]) -> Reply:
        if parameters.get("forHandle") != "@quietnights":
            return listing("channelListResponse", [])
        statistics = {"subscriberCount": "12300", "videoCount": str(len(self.ids))}
        row = {
            "kind": "youtube#channel",
            "id": "UC" + "a" * 22,
            "snippet": {"title": "Quiet Nights", "customUrl": "@quietnights"},
            "statistics": statistics,
            "contentDetails": {"relatedPlaylists": {"uploads": "UU1"}},
        }
        return listing("channelListResponse", [row])

    def _playlistItems(self, parameters: dict[str, str]) -> Reply:  # noqa: N802 - the API's name
        start, size = int(parameters.get("pageToken", "0")), int(parameters["maxResults"])
        page = self.ids[start : start + size]
        items = [{"contentDetails": {"videoId": video_id}} for video_id in page]
        more = {"nextPageToken": str(start + size)} if start + size < len(self.ids) else {}
        return listing("playlistItemListResponse", items, **more)

    def _videos(self, parameters: dict[str, str]) -> Reply:
        wanted = [one for one in parameters["id"].split(",") if one not in self.hidden]
        assert len(parameters["id"].split(",")) <= 50
        rows = [
            {
                "kind": "youtube#video",
                "id": video_id,
                "snippet": {
                    "publishedAt": "2026-09-01T08:00:00Z",
                    "channelId": "UC" + "a" * 22,
                    "title": "Bedtime",
                },
                "statistics": {"viewCount": "9007199254740993"},
                "contentDetails": {"duration": "PT58S"},
            }
            for video_id in reversed(wanted)
        ]
        return listing("videoListResponse", rows)
