"""Streamed answers as the Messages API sends them, for `tests.fakes.claude_server`."""

import json
from collections.abc import Sequence
from typing import Any

from tests.fakes.claude_server import Scripted


def streamed(
    *texts: str,
    tools: Sequence[tuple[str, dict[str, Any]]] = (),
    stop_reason: str | None = None,
    model: str = "claude-sonnet-5-5",
    hang_s: float = 0.0,
    cut: bool = False,
) -> Scripted:
    """One turn: words, then questions to tools.

    Args:
        texts: Deltas of one block of text.
        tools: Names and arguments.
        stop_reason: ``tool_use`` or ``end_turn`` by default.
        model: Who answers.
        hang_s: Wait before the answer.
        cut: End in the middle, as a broken connection does.
    """
    usage = {"input_tokens": 1000, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {
                "id": "msg_01", "type": "message", "role": "assistant", "model": model,
                "content": [], "stop_reason": None, "stop_sequence": None,
                "usage": {**usage, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": text}}
            for text in texts
        ),
        {"type": "content_block_stop", "index": 0},
    ]  # fmt: skip
    for place, (name, arguments) in enumerate(tools, start=1):
        events += [
            {"type": "content_block_start", "index": place,
             "content_block": {"type": "tool_use", "id": f"toolu_{place}", "name": name,
                               "input": {}}},
            {"type": "content_block_delta", "index": place,
             "delta": {"type": "input_json_delta", "partial_json": json.dumps(arguments)}},
            {"type": "content_block_stop", "index": place},
        ]  # fmt: skip
    reason = stop_reason or ("tool_use" if tools else "end_turn")
    events += [
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {**usage, "output_tokens": 200},
        },
        {"type": "message_stop"},
    ]
    if cut:
        events = events[:3]
    body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
    headers = {"content-type": "text/event-stream"}
    return Scripted(body=body.encode(), headers=headers, hang_s=hang_s, cut_body=cut)
