"""What reflexion found, in sentences and as a program reads it."""

import math
from typing import Any

from pipeline.clock import utc_text
from pipeline.learn.predict.corrections import Trial
from pipeline.learn.predict.reflecting import Adjustment, Reflexion
from pipeline.learn.predict.reflexion import Gap
from pipeline.learn.predict.skill import ANY_MODEL, Row, skill_in_words

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_PARTS = {
    "night": "at night",
    "morning": "in the morning",
    "midday": "at midday",
    "afternoon": "in the afternoon",
    "evening": "in the evening",
    "late": "late in the evening",
}
_NAMES = {"cta": "call to action", "hook_style": "hook style", "media_type": "media type"}
_DATES = ("proposed_at", "applied_at", "ended_at")


def where_in_words(dimension: str, segment: str) -> str:
    """The posts of a segment, such as ``on Sundays`` or ``with the format scripts``."""
    if dimension == "weekday" and segment in {str(day) for day in range(1, 8)}:
        return f"on {_DAYS[int(segment) - 1]}"
    if dimension == "daypart" and segment in _PARTS:
        return _PARTS[segment]
    name = _NAMES.get(dimension, dimension.replace("_", " "))
    return f"with the {name} {segment}"


def gap_in_words(gap: Gap) -> str:
    """In which direction predictions of a segment were off, and by how much."""
    much = "too much" if gap.log_gap < 0 else "too little"
    return (
        f"{much} was said of posts {where_in_words(gap.dimension, gap.segment)}: against the "
        f"others they reached {math.exp(gap.log_gap):.2f}× what was expected (90 % interval "
        f"{math.exp(gap.low):.2f}–{math.exp(gap.high):.2f}×, {gap.n} posts)"
    )


def trial_in_words(trial: Trial, *, was_applied: bool) -> str:
    """What a correction did to the loss."""
    if trial.n == 0:
        return "no post has been scored with it yet" if was_applied else "not tried on a post yet"
    change = 100 * (trial.loss_with / trial.loss_without - 1)
    verb = "is" if was_applied else "would have been"
    posts = "1 post" if trial.n == 1 else f"{trial.n} posts"
    return f"the loss {verb} {change:+.1f} % with it ({posts})".replace("-", "−")


def reflexion_json(found: Reflexion) -> dict[str, Any]:
    """For a program."""
    return {
        "account": found.account_name,
        "skill": [_skill_json(row) for row in found.skill],
        "gaps": [_gap_json(place, gap) for place, own in found.gaps.items() for gap in own],
        "adjustments": [adjustment_json(one) for one in found.adjustments],
    }


def adjustment_json(one: Adjustment) -> dict[str, Any]:
    """A stored correction with its trial."""
    row, trial = one.row, one.trial
    return {
        **{name: row[name] for name in row if name not in _DATES},
        **{name: None if row[name] is None else utc_text(row[name]) for name in _DATES},
        "posts": where_in_words(row["dimension"], row["segment"]),
        "trial": {
            "n": trial.n,
            "loss_with": _known(trial.loss_with),
            "loss_without": _known(trial.loss_without),
            "change_low": _known(trial.change_low),
            "change_high": _known(trial.change_high),
            "description": trial_in_words(trial, was_applied=row["applied_at"] is not None),
        },
    }


def _skill_json(row: Row) -> dict[str, Any]:
    dates = {
        name: None if row[name] is None else row[name].isoformat()
        for name in ("period_start", "period_end")
    }
    is_told = row["model_name"] == ANY_MODEL and row["period"] == "all"
    return {**row, **dates, "description": skill_in_words(row) if is_told else None}


def _gap_json(place: tuple[str, str], gap: Gap) -> dict[str, Any]:
    return {
        "platform": place[0],
        "target": place[1],
        "dimension": gap.dimension,
        "segment": gap.segment,
        "n": gap.n,
        "ratio": math.exp(gap.log_gap),
        "ratio_low": math.exp(gap.low),
        "ratio_high": math.exp(gap.high),
        "q_value": gap.q_value,
        "shrunk_ratio": math.exp(gap.shrunk),
        "is_found": gap.is_found,
        "description": gap_in_words(gap),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
