"""How reports name segments and outcomes, and say what lacks: alike wherever they are shown."""

from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.show.figure_words import NBSP, plural

DIMENSION_WORDS = {
    "hook_style": "hook style",
    "slide_count": "slide count",
    "media_type": "media type",
    "caption_length": "caption length",
    "cta": "call to action",
    "daypart": "part of the day",
    "cadence": "time since the last post",
}
"""How a sentence names a dimension whose own name is no word."""

_PHRASES = {
    "hook_style": "with a {} hook",
    "cta": "that end with {}",
    "topic": "about \u201c{}\u201d",
    "caption_length": "with {}",
}
"""Dimensions whose segments say little before the word "posts"; formats may have the same names."""

_MEASURED_DIMENSIONS = frozenset({"cadence", "duration", "caption_length"})
"""Their segments are ours, such as gap_1_to_2_d; other names are somebody's own and stay."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def dimension_words(dimension: str) -> str:
    """A dimension as a heading names it."""
    return DIMENSION_WORDS.get(dimension, dimension)


def column_words(dimension: str) -> str:
    """A dimension at the head of a column, where there is little room."""
    return {"cadence": "gap", "daypart": "hours"}.get(dimension, dimension_words(dimension))


def outcome_words(outcome: str) -> str:
    """An outcome with its age, such as "views at 7 days"."""
    return OUTCOME_WORDS.get(outcome, outcome)


def measure_words(outcome: str) -> str:
    """An outcome where its age stands elsewhere, such as "views"."""
    return outcome_words(outcome).split(" at ")[0].replace(" ", NBSP)


def needs(count: int | None, noun: str) -> str:
    """What is missing for a figure, in a table's cell, such as "needs 3 more weeks"."""
    if not count:
        return "not enough data"
    return f"needs {plural(count, f'more {noun}')}"


def segment_words(dimension: str, segment: str) -> str:
    """A segment as a table names it: weekdays by name, slides with their unit."""
    if dimension == "weekday" and segment in {"1", "2", "3", "4", "5", "6", "7"}:
        return WEEKDAYS[int(segment) - 1]
    if dimension == "slide_count":
        return f"{segment} slide" + ("" if segment == "1" else "s")
    if dimension in _MEASURED_DIMENSIONS:
        return segment.removeprefix("gap_").replace("_", " ")
    return segment


def posts_of(dimension: str, segment: str, count: int | None = None) -> str:
    """A segment's posts as part of a sentence, such as "step_guide posts" or "5-slide posts".

    Args:
        dimension: Way of cutting posts.
        segment: Value of it.
        count: How many; the noun is singular for one.
    """
    post = "post" if count == 1 else "posts"
    words = segment_words(dimension, segment)
    if dimension == "slide_count":
        return f"{segment}-slide {post}"
    if dimension == "cadence":
        return f"{post} {words} after the last one"
    if dimension == "duration":
        return f"{'video' if count == 1 else 'videos'} of {words}"
    if dimension in _PHRASES:
        return f"{post} {_PHRASES[dimension].format(words)}"
    return f"{words} {post}"


def verdict_words(verdict: str, *, short: bool = False) -> str:
    """A verdict as a table shows it, ``short`` where there is little room."""
    if short and verdict == "no_clear_difference":
        return f"not{NBSP}clear"
    return verdict.replace("_", " ")


def not_enough(n: int | None, needed: int | None, what: str) -> str:
    """Why there is no figure, and what it takes, such as "needs 12 more step_guide posts".

    Args:
        n: How many there are; None counts as none.
        needed: How many more; None where more do not help.
        what: Of what, in the plural.
    """
    so_far = f"so far {n or 0}"
    if not needed:
        return f"not enough data ({so_far})"
    return f"not enough data (needs {needed} more {what}; {so_far})"
