"""Batches of questions to Claude: half the price, answered within a day, usually within an hour.

A batch is started once and never blindly again, because two batches are paid for twice. Its
results may come in any order and for fewer questions than were asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.clients.claude import require_key
from pipeline.clients.claude_requests import Deadline, ServiceUnavailableError, send
from pipeline.settings import Settings

if TYPE_CHECKING:
    import anthropic
    from anthropic.types.messages import MessageBatchIndividualResponse


@dataclass(frozen=True)
class BatchItem:
    """What came of one question of a batch."""

    outcome: str
    """``succeeded``, ``errored``, ``canceled`` or ``expired``; only the first is billed."""
    message: object | None
    """The model's message, when it succeeded."""
    reason: str | None
    """Why there is no message."""


def start_batch(settings: Settings, requests: Mapping[str, Mapping[str, Any]]) -> str:
    """Hand in questions and return the batch's id.

    Args:
        settings: Key and base URL.
        requests: Bodies as `pipeline.clients.claude.request_body` makes them, by our own ids.

    Raises:
        ConfigurationError: No key is set.
        ServiceUnavailableError: Refused, or no answer; with a ``lost_count`` the batch may have
            been started all the same.
    """
    require_key(settings)
    entries: Any = [{"custom_id": key, "params": dict(body)} for key, body in requests.items()]
    sent = send(
        settings,
        lambda client: client.messages.batches.create(requests=entries),
        Deadline(settings.anthropic_deadline_s),
        is_repeatable=False,
    )
    batch_id = getattr(sent.value, "id", None)
    if not isinstance(batch_id, str) or not batch_id:
        raise ServiceUnavailableError(
            f"{settings.anthropic_base_url} did not answer as the Message Batches API does "
            "(no id in the body).",
            sent.lost_count + 1,
        )
    return batch_id


def has_ended(settings: Settings, batch_id: str) -> bool:
    """Whether all questions of a batch have an outcome.

    Raises:
        ConfigurationError: No key is set.
        ServiceUnavailableError: The service did not say.
    """
    require_key(settings)
    sent = send(
        settings,
        lambda client: client.messages.batches.retrieve(batch_id),
        Deadline(settings.anthropic_deadline_s),
    )
    return getattr(sent.value, "processing_status", None) == "ended"


def cancel_batch(settings: Settings, batch_id: str) -> None:
    """Ask the service to stop; what is answered already stays answered and billed.

    Raises: as `has_ended`.
    """
    require_key(settings)
    send(
        settings,
        lambda client: client.messages.batches.cancel(batch_id),
        Deadline(settings.anthropic_deadline_s),
    )


def batch_items(settings: Settings, batch_id: str) -> dict[str, BatchItem]:
    """What came of the questions of a batch that has ended, by our own ids.

    A question may be missing.

    Raises: as `has_ended`.
    """
    require_key(settings)
    sent = send(
        settings,
        lambda client: _read_items(client, batch_id),
        Deadline(settings.anthropic_deadline_s),
    )
    items: dict[str, BatchItem] = sent.value  # type: ignore[assignment]
    return items


def _read_items(client: "anthropic.Anthropic", batch_id: str) -> dict[str, BatchItem]:
    # The answer is a stream: it has to be read while the client is open.
    return {
        response.custom_id: _item(response)
        for response in client.messages.batches.results(batch_id)
    }


def _item(response: "MessageBatchIndividualResponse") -> BatchItem:
    result = response.result
    match result.type:
        case "succeeded":
            return BatchItem("succeeded", result.message, None)
        case "errored":
            error = result.error.error
            words = f"{error.type}: {error.message[:200]}"
            return BatchItem("errored", None, f"The batch could not answer this ({words}).")
        case "canceled":
            return BatchItem("canceled", None, "The batch was cancelled before this was answered.")
        case "expired":
            return BatchItem("expired", None, "The batch expired before this was answered.")
        case other:
            raise ValueError(f"unknown result {other}")
