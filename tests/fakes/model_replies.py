"""Replies as a model would write them, made for the findings that a request tells of."""

import json
import string
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.claude_server import Scripted, message

GOOD_TEMPLATE = (
    "Make {segment} posts more often: on {platform} they get {effect} the usual {outcome} "
    "({interval}, {n} posts)."
)

Reply = Callable[[dict[str, Any]], Scripted]


def told(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings in a request, as the model reads them."""
    text = request["messages"][0]["content"]
    data = json.loads(text.removeprefix("<findings>").removesuffix("</findings>"))
    findings: list[dict[str, Any]] = data["findings"]
    return findings


def item(finding: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A faultless item about a finding, but for the changes."""
    return {
        "finding_id": finding["finding_id"],
        "category": finding["category"],
        "insight_template": GOOD_TEMPLATE,
        "operations": finding["proposed_operations"],
        **changes,
    }


def about_the_first(**changes: Any) -> Reply:
    """A reply with one item about the best finding."""
    return lambda request: message({"items": [item(told(request)[0], **changes)]})


CASES = Path(__file__).resolve().parents[2] / "evals" / "cases"


@cache
def recorded_sentences() -> dict[str, str]:
    """A sentence of each category that a recorded, accepted answer holds."""
    sentences: dict[str, str] = {}
    for path in sorted(CASES.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        if case["expected"]["writer"] != "claude":
            continue
        for one in json.loads(case["replies"][-1]["content"][0]["text"])["items"]:
            sentences.setdefault(one["category"], one["insight_template"])
    return sentences


def replayed(request: dict[str, Any]) -> Scripted:
    """An answer about as many findings as are wanted, in the words of recorded answers."""
    text = request["messages"][0]["content"]
    data = json.loads(text.removeprefix("<findings>").removesuffix("</findings>"))
    items = [item(one, insight_template=_sentence(one)) for one in data["findings"]]
    return message({"items": items[: data["limit"]]})


def _sentence(finding: dict[str, Any]) -> str:
    names = finding["placeholders"]
    recorded = recorded_sentences().get(finding["category"])
    needed = {"segment", "effect", "ratio", "interval", "n"} & names.keys()
    if recorded is not None and finding.get("direction") != "worse":
        used = {name for _, name, _, _ in string.Formatter().parse(recorded) if name}
        if needed <= used <= names.keys():
            return recorded
    # What no recorded answer is about: everything that there is to tell, in a row.
    return ", ".join(f"{{{name}}}" for name in sorted(names))
