"""The factors of a prediction as people read them."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.learn.predict.design import STANDING_NAME
from pipeline.learn.predict.factors import Factor
from pipeline.learn.predict.post_features import HOOK_FEATURES, PostFacts, daypart
from pipeline.learn.predict.text_features import CLOCK_FEATURES, TEXT_FEATURES

POSTING_TIME = "posting_time"
CAPTION_LENGTH = "caption_length"
CAPTION_WORDS = "caption_words"
HOOK = "hook"
GROUPS: Mapping[str, tuple[str, ...]] = {
    POSTING_TIME: ("weekday", "daypart", *CLOCK_FEATURES, "posting_hour_utc"),
    HOOK: ("hook_style", *HOOK_FEATURES),
    CAPTION_LENGTH: TEXT_FEATURES[:3],
    CAPTION_WORDS: tuple(name for name in TEXT_FEATURES[3:] if name != "text_hashtag_count"),
}
"""Features that are one thing to a person."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMES = {
    "cta": "call to action",
    "slide_count": "slides",
    "duration_s": "seconds of length",
    "text_hashtag_count": "hashtags",
    "platform_multiplier": "the platform against the account's others",
}


def factor_json(factor: Factor, facts: PostFacts) -> dict[str, Any]:
    """A factor for a program: its name, what it does, and a description.

    ``impact`` is the change as a share of the expected value: 0.2 is 20 % more.
    """
    impact = factor.impact_ratio - 1
    return {
        "feature": factor.feature,
        "impact": round(impact, 4),
        "description": f"{100 * impact:+.0f} %: {_what(factor, facts)}",
    }


def is_told(factor: Factor) -> bool:
    """Whether it is about something that is known of the post, and not about its absence."""
    values = set(factor.value.split(", "))
    return factor.feature == STANDING_NAME or not values <= {"unknown", "nan", ""}


def _what(factor: Factor, facts: PostFacts) -> str:
    words = _WORDS.get(factor.feature)
    if words is not None:
        return words(factor.value, factor.usual, facts)
    told = _NAMES.get(factor.feature, factor.feature.replace("_", " "))
    return f"{told} {_known(factor.value)} (usually {_known(factor.usual)})"


def _posting_time(_value: str, usual: str, facts: PostFacts) -> str:
    local = facts.local_at
    day, part = usual.split(", ")[:2]
    return (
        f"{_WEEKDAYS[local.weekday()]} {local:%H:%M}, {daypart(local.hour)} "
        f"(usually {_weekday(day)}, {part})"
    )


def _hook(value: str, usual: str, _facts: PostFacts) -> str:
    style, usual_style = (_first(text).replace("_", " ") for text in (value, usual))
    return f"the hook, {style} (usually {usual_style})"


def _caption_length(value: str, usual: str, _facts: PostFacts) -> str:
    return f"a caption of {_first(value)} characters (usually {_first(usual)})"


def _followers(value: str, usual: str, _facts: PostFacts) -> str:
    return f"{_count(value)} followers (usually {_count(usual)})"


def _category(value: str, usual: str, _facts: PostFacts) -> str:
    return (
        f"the pillar's earlier posts have an engagement rate of {_percent(value)} "
        f"(usually {_percent(usual)})"
    )


_WORDS: Mapping[str, Callable[[str, str, PostFacts], str]] = {
    STANDING_NAME: lambda _value, _usual, _facts: "the account's latest posts against all before",
    POSTING_TIME: _posting_time,
    HOOK: _hook,
    CAPTION_LENGTH: _caption_length,
    CAPTION_WORDS: lambda _value, _usual, _facts: "the caption's words against the usual ones",
    "follower_count_log10": _followers,
    "category_performance": _category,
}


def _first(text: str) -> str:
    return _known(text.split(", ", maxsplit=1)[0])


def _known(text: str) -> str:
    return "unknown" if text in {"", "nan"} else text


def _weekday(text: str) -> str:
    return _WEEKDAYS[int(text) - 1] if text.isdigit() else text


def _count(text: str) -> str:
    return "unknown" if text == "nan" else f"{10 ** float(text) - 1:,.0f}"


def _percent(text: str) -> str:
    return "unknown" if text == "nan" else f"{100 * float(text):.1f} %"
