"""What somebody asks of an experiment, and what speaks against it before any post is counted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, get_args

from pipeline.accounts import AccountConfig
from pipeline.collect.hook_styles import HookStyle
from pipeline.learn.experiments.registration import (
    ALPHA,
    METRICS,
    POWER,
    SMALLEST_USEFUL_RATIO,
    ArmDesign,
    GuardDesign,
    Metric,
    Origin,
    metric_named,
)
from pipeline.learn.operations import Daypart

if TYPE_CHECKING:
    import duckdb

DIMENSIONS = ("format", "pillar", "hook_style", "slide_count", "cta", "daypart")
"""What an arm may fix: what a draw picks."""

MOST_ARMS = 10
MOST_SLIDES = 35
LARGEST_RATIO = 10.0
"""A smallest useful effect above this asks for a miracle, not for a test."""
LONGEST_NAME, LONGEST_QUESTION, LONGEST_TEXT = 60, 500, 2000

_COUNTS = {
    "view_count": "views",
    "like_count": "likes",
    "comment_count": "comments",
    "share_count": "shares",
    "save_count": "saves",
}
_NEEDED = {
    "views": ("view_count",),
    "engagement": ("like_count", "comment_count"),
    "engagement_rate": ("like_count", "comment_count", "view_count"),
    "save_rate": ("save_count", "view_count"),
    "share_rate": ("share_count", "view_count"),
    "comments": ("comment_count",),
}
"""The counts that a platform must publish, by the metric's name without its age."""

_PUBLISHED_SQL = """\
select distinct metric from intermediate.metric_availability
where platform = $platform and $day between valid_from and valid_to"""

_SEEN_SQL = """\
select distinct dimension, segment from intermediate.int_post_segments
where account_name = $account_name and list_contains(['format', 'pillar', 'cta'], dimension)"""


@dataclass(frozen=True)
class PlanRequest:
    """What somebody asks of an experiment.

    Attributes:
        account_name: Whose posts.
        question: What they want to know.
        arms: The first is the usual one.
        metric: A name or an alias; more of it is better.
        smallest_useful_ratio: Smallest effect worth acting on: 1.2 is 20 % more.
        guards: Metrics that must not get worse.
        platform: On which platform; may be left out where the account has one.
        alpha: Chance of a winner where there is no difference.
        power: Chance of showing the smallest useful effect.
        draw_share: Share of draws that belong to the experiment.
        origin: Where it comes from.
    """

    account_name: str
    question: str
    arms: tuple[ArmDesign, ...]
    metric: str
    smallest_useful_ratio: float = SMALLEST_USEFUL_RATIO
    guards: tuple[GuardDesign, ...] = ()
    platform: str | None = None
    alpha: float = ALPHA
    power: float = POWER
    draw_share: float = 1.0
    origin: Origin = Origin.PERSON


def contrasts_of(arms: Sequence[ArmDesign]) -> tuple[tuple[str, str], ...]:
    """The declared comparisons: the usual arm with each of the others."""
    return tuple((arms[0].name, arm.name) for arm in arms[1:])


def against_question(question: str) -> Iterator[str]:
    """What speaks against the question."""
    if not question.strip():
        yield "An experiment needs a question that it is to answer."
    elif len(question) > LONGEST_QUESTION:
        yield f"The question is longer than {LONGEST_QUESTION} characters: shorten it."


def against_numbers(request: PlanRequest) -> Iterator[str]:
    """What speaks against the request's figures."""
    ratio = request.smallest_useful_ratio
    if not 1 < ratio < float("inf"):
        yield (
            f"The smallest useful effect is {ratio:g} times the usual: it must be more than 1, "
            "such as 1.2 for 20 % more."
        )
    elif ratio > LARGEST_RATIO:
        yield (
            f"A smallest useful effect of {ratio:g} times the usual would miss every effect that "
            f"is likely: write one of at most {LARGEST_RATIO:g}."
        )
    if not 0 < request.alpha <= 0.2:
        yield f"The error must lie between 0 and 0.2, and {request.alpha:g} does not."
    if not 0.5 <= request.power < 1:
        yield f"The power must lie between 0.5 and 1, and {request.power:g} does not."
    if not 0 < request.draw_share <= 1:
        yield (
            f"The share of draws must be more than 0 and at most 1, and {request.draw_share:g} "
            "is not."
        )


def against_arms(arms: Sequence[ArmDesign]) -> Iterator[str]:
    """What speaks against the arms themselves."""
    if len(arms) < 2:
        yield "An experiment compares at least two arms."
    if len(arms) > MOST_ARMS:
        yield (
            f"{len(arms)} arms would share the posts until none has enough: "
            f"take at most {MOST_ARMS}."
        )
    for arm in arms:
        yield from _against_words(arm)
    names = Counter(_plain(arm.name) for arm in arms)
    for name, count in names.items():
        if count > 1 and name:
            yield f"{count} arms are named {name!r}: give each a name of its own."
    seen: dict[tuple[object, ...], str] = {}
    for arm in arms:
        content = (tuple(sorted(arm.choices.items())), _plain(arm.instructions or ""))
        if content in seen and _plain(seen[content]) != _plain(arm.name):
            yield f"The arms {seen[content]!r} and {arm.name!r} are alike: nothing would differ."
        seen.setdefault(content, arm.name)


def _against_words(arm: ArmDesign) -> Iterator[str]:
    if not _plain(arm.name) or len(arm.name) > LONGEST_NAME or not arm.name.isprintable():
        yield (
            f"{arm.name[:LONGEST_NAME]!r} is no name for an arm: write one line of at most "
            f"{LONGEST_NAME} characters."
        )
    if len(arm.instructions or "") > LONGEST_TEXT:
        yield (
            f"The instructions of {arm.name!r} are longer than {LONGEST_TEXT} characters: shorten "
            "them."
        )


def against_segments(
    arms: Sequence[ArmDesign], known: Mapping[str, Sequence[str]], account_name: str
) -> Iterator[str]:
    """What speaks against the arms' choices: dimensions and segments that there are not."""
    unknown = {
        (dimension, segment)
        for arm in arms
        for dimension, segment in arm.choices.items()
        if segment not in known.get(dimension, ())
    }
    for dimension, segment in sorted(unknown):
        if dimension not in DIMENSIONS:
            yield (
                f"An arm cannot fix {dimension!r}: it can fix {', '.join(DIMENSIONS[:-1])} or "
                f"{DIMENSIONS[-1]}."
            )
        elif dimension == "slide_count":
            yield f"{segment!r} is no number of slides from 1 to {MOST_SLIDES}."
        elif dimension in ("hook_style", "daypart"):
            yield f"There is no {dimension} {segment!r}: there are {', '.join(known[dimension])}."
        else:
            names = ", ".join(known.get(dimension, ())) or "none yet"
            yield (
                f"{account_name} does not list the {dimension} {segment!r} in its account.yaml "
                f"(it lists {names})."
            )


def known_segments(
    account: AccountConfig, connection: "duckdb.DuckDBPyConnection"
) -> dict[str, tuple[str, ...]]:
    """The segments that an arm may fix, by dimension.

    Formats, pillars and calls to action are the account's; where it lists none, those of its posts.
    """
    listed = {
        "format": tuple(item.name for item in account.formats),
        "pillar": tuple(item.name for item in account.content_pillars),
        "cta": tuple(item.name for item in account.cta),
    }
    rows = connection.execute(_SEEN_SQL, {"account_name": account.name}).fetchall()
    seen = {
        dimension: tuple(sorted(segment for other, segment in rows if other == dimension))
        for dimension in listed
    }
    return {
        **{dimension: names or seen[dimension] for dimension, names in listed.items()},
        "hook_style": tuple(style.value for style in HookStyle),
        "daypart": tuple(get_args(Daypart)),
        "slide_count": tuple(str(count) for count in range(1, MOST_SLIDES + 1)),
    }


def published_metrics(
    connection: "duckdb.DuckDBPyConnection", platform: str, day: date
) -> list[Metric]:
    """The metrics that a platform publishes the counts for on a day."""
    counts = _published_counts(connection, platform, day)
    return [metric for metric in METRICS.values() if not _missing(metric, counts)]


def against_metrics(
    connection: "duckdb.DuckDBPyConnection", request: PlanRequest, platform: str, day: date
) -> Iterator[str]:
    """What speaks against the metric and the guards."""
    counts = _published_counts(connection, platform, day)
    readable = ", ".join(name for name, metric in METRICS.items() if not _missing(metric, counts))
    taken: dict[str, str] = {}
    for what, name in (("metric", request.metric), *(("guard", g.metric) for g in request.guards)):
        metric = metric_named(name)
        if metric is None:
            yield f"There is no {what} {name!r}: take one of {', '.join(METRICS)}."
            continue
        missing = _missing(metric, counts)
        if missing:
            yield (
                f"{metric.name} cannot be read on {platform}, which does not publish "
                f"{' or '.join(_COUNTS[count] for count in missing)}: there it can be "
                f"{readable or 'nothing yet'}."
            )
        if metric.name in taken:
            yield f"{metric.name} is the {taken[metric.name]} already: it cannot be a {what} too."
        taken.setdefault(metric.name, what)
    for guard in request.guards:
        if not 0 < guard.smallest_allowed_ratio <= 1:
            yield (
                f"The guard {guard.metric} may fall to {guard.smallest_allowed_ratio:g} times: "
                "write more than 0 and at most 1, such as 0.9."
            )


def _published_counts(
    connection: "duckdb.DuckDBPyConnection", platform: str, day: date
) -> frozenset[str]:
    rows = connection.execute(_PUBLISHED_SQL, {"platform": platform, "day": day}).fetchall()
    return frozenset(name for (name,) in rows)


def _missing(metric: Metric, published: frozenset[str]) -> list[str]:
    needed = _NEEDED[metric.name.rsplit("_", 1)[0]]
    return [count for count in needed if count not in published]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
