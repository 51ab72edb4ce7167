"""How long an experiment takes, in sentences."""

import math
from collections.abc import Iterator, Mapping

from pipeline.learn.experiments.arms import NotComparableError
from pipeline.learn.experiments.designs import PlanRequest
from pipeline.learn.experiments.planning import Plan
from pipeline.learn.experiments.registration import Metric, MetricKind
from pipeline.learn.experiments.usual import Usual, per_arm, smallest_ratio_seen

LONG_WEEKS = 12
"""An experiment that takes longer is warned of."""
SHORT_WEEKS = 8
"""What could be seen in this time is said of a long one."""


def answer(
    request: PlanRequest, metric: Metric, usual: Usual, sizes: Plan, pace: float | None
) -> tuple[str, ...]:
    """Posts and weeks, and what they are for."""
    needs = f"Needs {sizes.per_arm:,} posts per arm, {sizes.per_arm * len(request.arms):,} in all"
    if sizes.weeks is None or sizes.longest_weeks is None or pace is None:
        time = (
            f"{needs}; how many weeks that is cannot be told, because nothing was posted on "
            f"{request.platform} lately."
        )
    else:
        share = "" if request.draw_share == 1 else f", of which {request.draw_share:.0%} join"
        time = (
            f"{needs}: about {weeks_words(sizes.weeks)} at {pace:.1f} posts a week{share}; at the "
            f"latest after {weeks_words(sizes.longest_weeks)}."
        )
    return (time, _effect(request, metric, usual), _age(metric))


def _effect(request: PlanRequest, metric: Metric, usual: Usual) -> str:
    ratio = request.smallest_useful_ratio
    before, after = _amount(metric, usual.shown), _amount(metric, usual.shown * ratio)
    typical = "A typical post has" if metric.kind is MetricKind.CONTINUOUS else "Posts have"
    return (
        f"{typical} {before} {metric.label} (from {usual.n} posts); {ratio:g} times that, {after}, "
        f"would be shown with a chance of {request.power:.0%}."
    )


def _amount(metric: Metric, value: float) -> str:
    if metric.kind is MetricKind.PROPORTION:
        return f"{value:.2%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def _age(metric: Metric) -> str:
    days = round(metric.age_hours / 24)
    return f"A post counts when it is {days} days old, so the last answer comes {days} days later."


def weeks_words(weeks: float) -> str:
    """Weeks in whole numbers."""
    whole = max(1, round(weeks))
    return "1 week" if whole == 1 else f"{whole:,} weeks"


def warnings_of_length(
    request: PlanRequest,
    metric: Metric,
    usual: Usual,
    sizes: Plan,
    pace: float | None,
    others: Mapping[str, tuple[Metric, Usual]],
) -> Iterator[str]:
    """That an experiment takes long, and what would make it shorter.

    Args:
        request: What was asked for.
        metric: Its metric.
        usual: What posts get of it.
        sizes: What it takes.
        pace: Posts a week.
        others: Other metrics that the platform publishes, with what posts get of them.
    """
    if sizes.weeks is None or pace is None or sizes.weeks <= LONG_WEEKS:
        return
    arms, joining = len(request.arms), pace * request.draw_share
    yield f"This would take {weeks_words(sizes.weeks)}."
    errors = {"alpha": request.alpha, "power": request.power}
    ratio = smallest_ratio_seen(
        usual, metric, math.floor(SHORT_WEEKS * joining / arms), contrasts=arms - 1, **errors
    )
    if ratio is not None:
        yield (
            f"In {SHORT_WEEKS} weeks an effect of {ratio:g} times could be shown instead of "
            f"{request.smallest_useful_ratio:g} times."
        )
    ratio = request.smallest_useful_ratio
    if arms > 2:
        size = 2 * per_arm(usual, metric, ratio, contrasts=1, **errors)
        yield f"With two arms instead of {arms} it would take {weeks_words(size / joining)}."
    if request.draw_share < 1:
        yield (
            f"If all draws joined it would take {weeks_words(sizes.weeks * request.draw_share)}."
        )
    shorter = {
        name: arms * _size(other, theirs, ratio, arms, errors) / joining
        for name, (other, theirs) in others.items()
    }
    name = min(shorter, key=lambda name: (shorter[name], name), default=None)
    if name is not None and shorter[name] < sizes.weeks / 1.5:
        yield (
            f"The same effect on {name} would take {weeks_words(shorter[name])}, if that answers "
            "the question as well."
        )


def _size(
    metric: Metric, usual: Usual, ratio: float, arms: int, errors: Mapping[str, float]
) -> float:
    try:
        return per_arm(
            usual,
            metric,
            ratio,
            contrasts=arms - 1,
            alpha=errors["alpha"],
            power=errors["power"],
        )
    except NotComparableError:
        return math.inf


def warnings_of_arms(request: PlanRequest) -> Iterator[str]:
    """What the arms do that makes the answer less clear."""
    usual, *tried = request.arms
    for arm in tried:
        free = sorted(set(arm.choices) - set(usual.choices))
        if free:
            yield (
                f"The arm {usual.name!r} leaves {' and '.join(free)} to the draw, which may pick "
                f"what {arm.name!r} fixes: the difference will look smaller."
            )
        differing = sorted(
            dimension
            for dimension in {*arm.choices, *usual.choices}
            if arm.choices.get(dimension) != usual.choices.get(dimension)
        )
        if len(differing) > 1:
            yield (
                f"{arm.name!r} differs from {usual.name!r} in {' and '.join(differing)} at once: "
                "which of them makes a difference will not be known."
            )
