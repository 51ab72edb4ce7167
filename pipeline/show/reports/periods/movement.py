"""Movement of a profile against the period before, at equal age."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median
from typing import Any

import numpy as np

from pipeline.measure import period_contrast
from pipeline.measure.effects import MINIMUM_USEFUL_RATIO
from pipeline.measure.multiplicity import q_values
from pipeline.measure.period_contrast import Contrast
from pipeline.show.reports.periods.posts import AGES, CHANGED, ReportPost

FALSE_DISCOVERY_RATE = 0.1
"""Expected share of false alarms among the movements that a report calls up or down."""

_Valued = Callable[[ReportPost, int], tuple[float, float] | None]
"""A post's outcome at an age, and its logarithm; None where it is not known."""


class Direction(StrEnum):
    """What a movement says."""

    UP = "up"
    DOWN = "down"
    NO_CLEAR_CHANGE = "no_clear_change"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True)
class Movement:
    """One outcome of the period's posts against those of the period before.

    Figures are None where there is not enough data.
    """

    outcome: str
    """views, engagement or engagement_rate; reach (views, or engagements) over several profiles."""
    age_hours: int | None
    """Age at which posts are compared; None when profiles have different ones, or none has any."""
    n: int
    former_n: int
    median: float | None
    """Of the period's posts at that age; a count, or a fraction for a rate."""
    former_median: float | None
    ratio: float | None
    """Typical post to typical post of the period before; 1.0 is no movement."""
    ratio_low: float | None
    ratio_high: float | None
    """With ``ratio_low``: the 90 % interval."""
    q_value: float | None
    """Expected share of false alarms among the report's movements up to this one."""
    direction: Direction
    definition_changed: bool
    """Whether posts are left out because the platform counted views otherwise."""
    posts_needed: int
    """Further posts with a value that one of the periods lacks for a figure."""
    contrast: Contrast | None = field(default=None, repr=False, compare=False)
    """What the ratio was made of, to put profiles together."""


def movements(posts: Sequence[ReportPost], former: Sequence[ReportPost]) -> list[Movement]:
    """Reach and engagement rate of one profile, before the report's family is known.

    Reach is views; it is engagements where more posts have those, as on Instagram, which publishes
    views of videos alone. Posts that the platform marks as paid are left out.

    Args:
        posts: Of the period, oldest first.
        former: Of the period before.
    """
    mine = [post for post in posts if not post.is_ad]
    theirs = [post for post in former if not post.is_ad]
    every = [*theirs, *mine]
    # Sums of other terms and views of another definition are other quantities: posts are compared
    # that are counted as the newest one is.
    terms = _newest([post.engagement_terms for post in every])
    defined = [post.view_definition_id for post in every]
    definition = _newest([one for one in defined if one != CHANGED])

    def is_counted_alike(post: ReportPost) -> bool:
        return post.view_definition_id == definition

    here, before = list(filter(is_counted_alike, mine)), list(filter(is_counted_alike, theirs))
    engagement = _movement("engagement", mine, theirs, _engagement_of(terms))
    views = _movement("views", here, before, _views)
    if min(views.n, views.former_n) < min(engagement.n, engagement.former_n) or not views.n:
        return [engagement]
    terms = _newest([post.engagement_terms for post in (*before, *here)])
    has_changed = any(one not in (None, definition) for one in defined)
    return [
        replace(one, definition_changed=has_changed)
        for one in (views, _movement("engagement_rate", here, before, _rate_of(terms)))
    ]


def overall(profiles: Sequence[Sequence[Movement]]) -> list[Movement]:
    """Reach and engagement rate over several profiles, each compared with itself."""
    return [
        _over_profiles(name, [one for profile in profiles for one in profile if one.outcome in own])
        for name, own in (
            ("reach", ("views", "engagement")),
            ("engagement_rate", ("engagement_rate",)),
        )
    ]


def with_directions(families: Sequence[Sequence[Movement]]) -> list[list[Movement]]:
    """The same movements, with what they may say when all of a report's are looked at together.

    A family is a profile, or what several come to together; within and over them false alarms are
    kept in bounds as everywhere (`pipeline.measure.multiplicity`).
    """
    tested = [
        (place, rank, one.contrast.p_value)
        for place, family in enumerate(families)
        for rank, one in enumerate(family)
        if one.contrast is not None
    ]
    places = sorted({place for place, _, _ in tested})
    adjusted = q_values(
        np.array([p_value for _, _, p_value in tested]),
        np.array([places.index(place) for place, _, _ in tested], dtype=np.int64),
    )
    of = {(place, rank): float(q) for (place, rank, _), q in zip(tested, adjusted, strict=True)}
    return [
        [_directed(one, of.get((place, rank))) for rank, one in enumerate(family)]
        for place, family in enumerate(families)
    ]


def _directed(movement: Movement, q_value: float | None) -> Movement:
    found = movement.contrast
    if found is None or q_value is None:
        return movement
    direction = Direction.NO_CLEAR_CHANGE
    if q_value <= FALSE_DISCOVERY_RATE:
        if found.low > 1 and found.ratio >= MINIMUM_USEFUL_RATIO:
            direction = Direction.UP
        elif found.high < 1 and found.ratio <= 1 / MINIMUM_USEFUL_RATIO:
            direction = Direction.DOWN
    return replace(movement, q_value=q_value, direction=direction)


def _movement(
    outcome: str, posts: Sequence[ReportPost], former: Sequence[ReportPost], valued: _Valued
) -> Movement:
    def known(group: Sequence[ReportPost], age: int) -> list[tuple[float, float]]:
        return [value for post in group if (value := valued(post, age)) is not None]

    def coverage(age: int) -> tuple[int, int, int]:
        here, before = len(known(posts, age)), len(known(former, age))
        return min(here, before), here, age

    # Chosen by how many posts have a value, never by what it is; the oldest of equal ones.
    age = max(AGES, key=coverage)
    mine, theirs = known(posts, age), known(former, age)
    found = period_contrast.contrast(
        np.array([log for _, log in mine]), np.array([log for _, log in theirs])
    )
    return Movement(
        outcome=outcome,
        age_hours=age if mine or theirs else None,
        n=len(mine),
        former_n=len(theirs),
        median=median(value for value, _ in mine) if mine else None,
        former_median=median(value for value, _ in theirs) if theirs else None,
        definition_changed=False,
        posts_needed=max(period_contrast.MINIMUM_POSTS - min(len(mine), len(theirs)), 0),
        **_figures(found),
    )


def _over_profiles(name: str, own: Sequence[Movement]) -> Movement:
    compared = [one for one in own if one.contrast is not None]
    whole = period_contrast.combined([one.contrast for one in compared if one.contrast])
    ages = {one.age_hours for one in compared}
    return Movement(
        outcome=name,
        age_hours=ages.pop() if len(ages) == 1 else None,
        n=whole.n if whole else sum(one.n for one in own),
        former_n=whole.former_n if whole else sum(one.former_n for one in own),
        median=None,
        former_median=None,
        definition_changed=any(one.definition_changed for one in own),
        posts_needed=0 if whole else min((one.posts_needed for one in own), default=0),
        **_figures(whole),
    )


def _newest(values: Sequence[str | None]) -> str | None:
    return next((value for value in reversed(values) if value), None)


def _figures(found: Contrast | None) -> dict[str, Any]:
    if found is None:
        direction = Direction.NOT_ENOUGH_DATA
        return {
            "ratio": None, "ratio_low": None, "ratio_high": None, "q_value": None,
            "direction": direction, "contrast": None,
        }  # fmt: skip
    return {
        "ratio": found.ratio, "ratio_low": found.low, "ratio_high": found.high, "q_value": None,
        "direction": Direction.NO_CLEAR_CHANGE, "contrast": found,
    }  # fmt: skip


def _views(post: ReportPost, age: int) -> tuple[float, float] | None:
    value = post.views[age]
    return None if value is None else (value, math.log1p(max(value, 0.0)))


def _engagement_of(terms: str | None) -> _Valued:
    def valued(post: ReportPost, age: int) -> tuple[float, float] | None:
        value = post.engagements[age]
        if value is None or post.engagement_terms != terms:
            return None
        return value, math.log1p(max(value, 0.0))

    return valued


def _rate_of(terms: str | None) -> _Valued:
    def valued(post: ReportPost, age: int) -> tuple[float, float] | None:
        views, engagements = post.views[age], post.engagements[age]
        if views is None or engagements is None or views <= 0 or post.engagement_terms != terms:
            return None
        # As rates are put on the log scale everywhere (docs/metrics.md, Effects).
        return engagements / views, math.log((max(engagements, 0.0) + 0.5) / (views + 1))

    return valued
