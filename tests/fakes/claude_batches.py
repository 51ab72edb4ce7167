"""The Message Batches API of the local server: batches end after some looks at them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

STARTED_AT = "2026-11-20T09:00:00Z"


@dataclass
class Batching:
    """How the server's batches go."""

    looks_until_end: int = 1
    """Looks at a batch before it has ended; a cancelled one ends at the next look."""
    ends_when_cancelled: bool = True
    fates: dict[int, str] = field(default_factory=dict)
    """What comes of the n-th question (from 0) instead of an answer: ``errored``, ``expired``,
    ``canceled``, or ``missing``, then it has no result at all."""
    results_body: bytes | None = None
    """What the results are instead of lines of JSON."""
    url: str = ""
    batches: dict[str, "Batch"] = field(default_factory=dict)

    def start(self, requests: list[dict[str, Any]]) -> dict[str, Any]:
        """Take a batch in."""
        batch = Batch(f"msgbatch_{len(self.batches) + 1:02d}", requests)
        self.batches[batch.batch_id] = batch
        return self.shown(batch)

    def look(self, batch: "Batch") -> dict[str, Any]:
        """What is said about a batch at one look."""
        batch.looks += 1
        if batch.looks >= self.looks_until_end or (batch.is_cancelled and self.ends_when_cancelled):
            batch.has_ended = True
        return self.shown(batch)

    def shown(self, batch: "Batch") -> dict[str, Any]:
        """A batch as the service shows it."""
        ongoing = "canceling" if batch.is_cancelled else "in_progress"
        results = f"{self.url}/v1/messages/batches/{batch.batch_id}/results"
        return {
            "id": batch.batch_id,
            "type": "message_batch",
            "processing_status": "ended" if batch.has_ended else ongoing,
            "request_counts": {
                "processing": 0 if batch.has_ended else len(batch.requests),
                "succeeded": 0,
                "errored": 0,
                "canceled": 0,
                "expired": 0,
            },
            "created_at": STARTED_AT,
            "expires_at": "2026-11-21T09:00:00Z",
            "ended_at": STARTED_AT if batch.has_ended else None,
            "archived_at": None,
            "cancel_initiated_at": STARTED_AT if batch.is_cancelled else None,
            "results_url": results if batch.has_ended else None,
        }

    def results(self, batch: "Batch", answer: Callable[[dict[str, Any]], bytes]) -> bytes:
        """The results as lines of JSON, the last question first: their order means nothing."""
        if self.results_body is not None:
            return self.results_body
        lines = []
        for place, request in enumerate(batch.requests):
            fate = self.fates.get(place, "canceled" if batch.is_cancelled else "succeeded")
            if fate == "missing":
                continue
            result: dict[str, Any] = {"type": fate}
            if fate == "succeeded":
                result["message"] = json.loads(answer(request["params"]))
            if fate == "errored":
                result["error"] = {
                    "type": "error",
                    "error": {"type": "invalid_request_error", "message": "no such thing"},
                }
            lines.append(json.dumps({"custom_id": request["custom_id"], "result": result}))
        return "".join(f"{line}\n" for line in reversed(lines)).encode()


@dataclass
class Batch:
    """One batch that was handed in."""

    batch_id: str
    requests: list[dict[str, Any]]
    looks: int = 0
    is_cancelled: bool = False
    has_ended: bool = False
