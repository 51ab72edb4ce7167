"""How long an experiment of an account takes, from the account's own posts, before it starts."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.accounts import AccountConfig, load_account
from pipeline.clients.state_experiments import experiment_rows
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.learn.experiments.arms import NotComparableError
from pipeline.learn.experiments.designs import (
    PlanRequest,
    against_arms,
    against_metrics,
    against_numbers,
    against_question,
    against_segments,
    contrasts_of,
    known_segments,
    published_metrics,
)
from pipeline.learn.experiments.expected import outcomes
from pipeline.learn.experiments.plan_words import (
    LONG_WEEKS,
    answer,
    warnings_of_arms,
    warnings_of_length,
)
from pipeline.learn.experiments.planning import Plan, plan
from pipeline.learn.experiments.registering import (
    RefusedDesignError,
    new_experiment_id,
    overlapping,
    store,
)
from pipeline.learn.experiments.registration import (
    ACTIVE,
    Metric,
    Registration,
    dimensions_of,
    metric_named,
)
from pipeline.learn.experiments.units import version_of
from pipeline.learn.experiments.usual import Usual, against_usual, per_arm, usual_of
from pipeline.learn.pace import posts_per_week
from pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

MOST_WEEKS = 260
"""Nothing stays the same for five years."""
MOST_PER_ARM = 100_000


@dataclass(frozen=True)
class Planned:
    """An experiment as it would be registered, and what it takes.

    Attributes:
        request: What was asked for, with the metrics' own names and the platform.
        platform: Where the posts go.
        metric: The primary metric.
        usual: What posts get without the experiment.
        plan: Posts per arm and weeks.
        posts_per_week: Posts of the platform in a week; None where there were none lately.
        sentences: The answer, for people.
        warnings: What to know before starting, a sentence each.
        warehouse_version: The published copy that the figures are from.
    """

    request: PlanRequest
    platform: str
    metric: Metric
    usual: Usual
    plan: Plan
    posts_per_week: float | None
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    warehouse_version: str

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON."""
        request, sizes = self.request, self.plan
        return {
            "account": request.account_name,
            "platform": self.platform,
            "question": request.question,
            "arms": [{**asdict(arm), "choices": dict(arm.choices)} for arm in request.arms],
            "contrasts": [list(pair) for pair in contrasts_of(request.arms)],
            "metric": self.metric.name,
            "metric_kind": self.metric.kind.value,
            "age_hours": self.metric.age_hours,
            "smallest_useful_ratio": request.smallest_useful_ratio,
            "guards": [asdict(guard) for guard in request.guards],
            "alpha": request.alpha,
            "power": request.power,
            "draw_share": request.draw_share,
            "posts_per_arm": sizes.per_arm,
            "posts_in_all": sizes.per_arm * len(request.arms),
            "longest_posts_per_arm": sizes.longest_per_arm,
            "posts_per_week": self.posts_per_week,
            "weeks": None if sizes.weeks is None else round(sizes.weeks, 1),
            "longest_weeks": None if sizes.longest_weeks is None else round(sizes.longest_weeks, 1),
            "known_posts": self.usual.n,
            "usual": self.usual.shown,
            "usual_mean": self.usual.mean,
            "unit_variance": self.usual.variance,
            "adjustment": None if self.usual.adjustment is None else asdict(self.usual.adjustment),
            "sentences": list(self.sentences),
            "warnings": list(self.warnings),
            "warehouse_version": self.warehouse_version,
        }


def plan_experiment(
    settings: Settings, request: PlanRequest, *, now: datetime | None = None
) -> Planned:
    """What an experiment takes; nothing is written.

    Args:
        settings: Where the account and the published copy are.
        request: What is asked for.
        now: The present moment; the clock's when left out.

    Raises:
        RefusedDesignError: The design could not answer its question; all reasons are in it.
        UnknownAccountError: There is no such account.
        NothingPublishedError: Nothing has been built yet.
    """
    account = load_account(settings.accounts_dir, request.account_name)
    with reading(settings) as connection:
        return _planned(connection, settings, account, request, utc_now() if now is None else now)


def register(settings: Settings, planned: Planned, *, by: str, now: datetime) -> Registration:
    """Freeze a plan, and store it with its hash.

    Args:
        settings: Where the state database is.
        planned: As :func:`plan_experiment` gave it.
        by: Who registers it.
        now: When.

    Returns:
        What was stored. One that comes from a gap is only proposed.

    Raises:
        RefusedDesignError: Another experiment of the profile fixes the same dimension by now.
    """
    request = planned.request
    registration = Registration(
        experiment_id=new_experiment_id(),
        account_name=request.account_name,
        platform=planned.platform,
        question=request.question,
        arms=request.arms,
        contrasts=contrasts_of(request.arms),
        metric=planned.metric.name,
        metric_kind=planned.metric.kind,
        age_hours=planned.metric.age_hours,
        smallest_useful_ratio=request.smallest_useful_ratio,
        guards=request.guards,
        alpha=request.alpha,
        power=request.power,
        planned_per_arm=planned.plan.per_arm,
        longest_per_arm=planned.plan.longest_per_arm,
        usual_mean=planned.usual.mean,
        unit_variance=planned.usual.variance,
        adjustment=planned.usual.adjustment,
        draw_share=request.draw_share,
        seed=secrets.randbits(48),
        origin=request.origin.value,
        created_by=by,
        created_at=now,
        warehouse_version=planned.warehouse_version,
    )
    store(settings, registration)
    return registration


def _planned(
    connection: "duckdb.DuckDBPyConnection",
    settings: Settings,
    account: AccountConfig,
    request: PlanRequest,
    now: datetime,
) -> Planned:
    platform, reasons = _platform(account, request)
    reasons += against_question(request.question)
    reasons += against_numbers(request)
    reasons += against_arms(request.arms)
    reasons += against_segments(request.arms, known_segments(account, connection), account.name)
    if platform is None:
        raise RefusedDesignError(reasons)
    reasons += against_metrics(connection, request, platform, now.date())
    active = experiment_rows(settings, accounts=[account.name], platform=platform, statuses=ACTIVE)
    reasons += overlapping(dimensions_of(request.arms), active)
    published = published_metrics(connection, platform, now.date())
    metric = metric_named(request.metric)
    usual = None
    if metric in published:
        posts = outcomes(connection, account.name, platform, metric)
        usual = usual_of(posts, metric)
        profile = f"{account.name} on {platform}"
        reasons += against_usual(usual, len(posts), profile=profile, metric=metric)
    if reasons or metric is None or usual is None:
        raise RefusedDesignError(reasons)
    request = _in_own_names(request, platform)
    pace = posts_per_week(connection, account.name).get(platform) or None
    sizes = _sizes(request, metric, usual, pace)
    others = {}
    if sizes.weeks is not None and sizes.weeks > LONG_WEEKS:
        others = _others(connection, request, metric, published)
    return Planned(
        request=request,
        platform=platform,
        metric=metric,
        usual=usual,
        plan=sizes,
        posts_per_week=pace,
        sentences=answer(request, metric, usual, sizes, pace),
        warnings=(
            *warnings_of_length(request, metric, usual, sizes, pace, others),
            *warnings_of_arms(request),
        ),
        warehouse_version=version_of(connection),
    )


def _platform(account: AccountConfig, request: PlanRequest) -> tuple[str | None, list[str]]:
    profiles = [platform.value for platform in account.platform_profiles]
    if request.platform is None and len(profiles) == 1:
        return profiles[0], []
    if request.platform in profiles:
        return request.platform, []
    have = ", ".join(profiles) or "none"
    if request.platform is None:
        return None, [f"Say on which platform: {account.name} has the profiles {have}."]
    return None, [f"{account.name} has no profile on {request.platform} (it has {have})."]


def _in_own_names(request: PlanRequest, platform: str) -> PlanRequest:
    """The request with the metrics' own names instead of their aliases, and its platform."""
    guards = [(metric_named(guard.metric), guard) for guard in request.guards]
    arms = tuple(
        replace(
            arm,
            name=" ".join(arm.name.split()),
            choices=dict(sorted(arm.choices.items())),
            instructions=(arm.instructions or "").strip() or None,
        )
        for arm in request.arms
    )
    return replace(
        request,
        question=" ".join(request.question.split()),
        arms=arms,
        guards=tuple(
            replace(guard, metric=metric.name) for metric, guard in guards if metric is not None
        ),
        platform=platform,
    )


def _sizes(request: PlanRequest, metric: Metric, usual: Usual, pace: float | None) -> Plan:
    arms = len(request.arms)
    try:
        size = per_arm(
            usual,
            metric,
            request.smallest_useful_ratio,
            contrasts=arms - 1,
            alpha=request.alpha,
            power=request.power,
        )
    except NotComparableError as error:
        raise RefusedDesignError([str(error)]) from None
    joining = None if pace is None else pace * request.draw_share
    sizes = plan(size, arms=arms, units_per_week=joining)
    if (sizes.weeks or 0) > MOST_WEEKS or size > MOST_PER_ARM:
        long = "" if sizes.weeks is None else f", {sizes.weeks / 52:,.0f} years at the present pace"
        wanted = f"An effect of {request.smallest_useful_ratio:g} times on {metric.name}"
        raise RefusedDesignError(
            [f"{wanted} would need {size:,} posts per arm{long}: ask for a larger one."]
        )
    return sizes


def _others(
    connection: "duckdb.DuckDBPyConnection",
    request: PlanRequest,
    metric: Metric,
    published: Sequence[Metric],
) -> dict[str, tuple[Metric, Usual]]:
    """The other metrics that sizes can be told for, with what posts get of them."""
    assert request.platform is not None
    found = {}
    for other in published:
        if other == metric:
            continue
        usual = usual_of(outcomes(connection, request.account_name, request.platform, other), other)
        if usual is not None and usual.variance > 0 and usual.shown > 0:
            found[other.name] = (other, usual)
    return found
