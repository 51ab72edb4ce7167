"""How the pages of experiments name things."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.learn.experiments.registering import Word
from pipeline.learn.experiments.registration import METRICS, MetricKind, Origin, Status
from pipeline.learn.experiments.verdicts import Verdict
from pipeline.show.figure_words import MISSING, count, percent
from pipeline.show.web.api.experiment_answers import Design, Event

STATUSES: Mapping[str, str] = {
    Status.PROPOSED: "Waits for approval",
    Status.REGISTERED: "Registered",
    Status.RUNNING: "Running",
    Status.CONCLUDED: "Concluded",
    Status.STOPPED: "Stopped",
    Status.REJECTED: "Rejected",
}
VERDICTS: Mapping[str, str] = {
    Verdict.WINNER: "a winner",
    Verdict.NO_USEFUL_DIFFERENCE: "no useful difference",
    Verdict.KEEP_GOING: "not enough data yet, keep going",
    Verdict.STOPPED_FOR_HARM: "stopped for harm",
    Verdict.INVALID: "invalid",
}
ORIGINS: Mapping[str, str] = {
    Origin.PERSON: "planned by a person",
    Origin.GAP: "proposed for a gap",
    Origin.VARIATIONS: "variations of content",
}
DONE: Mapping[str, str] = {
    "registered": "Registered. The next hourly run begins it.",
    Word.APPROVE: "Approved. The next hourly run begins it.",
    Word.REJECT: "Rejected. No post is made for it.",
    Word.STOP: "Stopped. Posts are drawn as always again.",
}
"""What a page says after a change, by its word in the address."""

WORDS: Mapping[str, Any] = {
    "statuses": STATUSES,
    "verdicts": VERDICTS,
    "origins": ORIGINS,
    "metrics": {name: metric.label for name, metric in METRICS.items()},
}
"""What all templates of experiments name things by."""

_ORDER = (
    "proposed", "registered", "approved", "rejected", "started", "progress", "planned_end",
    "concluded", "stopped", "recommended", "not_recommended",
)  # fmt: skip
"""Of what happened in the same run."""


class ToldEvent(NamedTuple):
    """An event, and what else there is to say of it."""

    event: Event
    more: str | None


def told_events(events: Iterable[Event]) -> list[ToldEvent]:
    """What happened, the newest first."""

    def place(event: Event) -> tuple[object, ...]:
        rank = _ORDER.index(event.event) if event.event in _ORDER else len(_ORDER)
        return event.happened_at, rank, (event.details or {}).get("percent", 0)

    return [ToldEvent(one, _more(one)) for one in sorted(events, key=place, reverse=True)]


def _more(event: Event) -> str | None:
    """The details of an event in words; people's texts among them are as they wrote them."""
    details = event.details or {}
    match event.event:
        case "progress":
            return f"{details.get('percent')} % of the planned posts can be read"
        case "planned_end":
            p_value = details.get("p_value_fixed_adjusted")
            shown = f"p = {p_value:.3f}" if isinstance(p_value, float) else "no p-value"
            return f"{details.get('tried')} against {details.get('usual')}: {shown}"
        case "concluded":
            verdict = str(details.get("verdict"))
            words = VERDICTS.get(verdict, verdict)
            return f"{words}: {details['winner']}" if details.get("winner") else words
        case "recommended":
            return str(details.get("recommendation_id"))
        case _:
            told = details.get("note") or details.get("because")
            return None if told is None else str(told)


def usual_words(design: Design | None) -> str:
    """What posts of the account usually get, in the metric's own unit."""
    if design is None or design.usual_mean is None:
        return MISSING
    match design.metric_kind:
        case MetricKind.PROPORTION:
            return percent(design.usual_mean, 2)
        case MetricKind.COUNT:
            return f"{design.usual_mean:.1f}"
        case _:
            return count(math.expm1(design.usual_mean))
