"""What an experiment is registered with: frozen before its first post, and hashed.

**Units' values.** A continuous metric is read as ``int_post_outcomes.log_value`` and not as
``log_value_pulled_in``: pulled-in values depend on all of an account's posts, so that a later post
would change what an earlier look had seen. A rate is read from ``numerator`` and ``denominator``
of each post, a count from ``value``.

**Scales.** ``unit_variance`` and ``usual_mean`` are on the scale of the arm's kind: logarithms for
continuous metrics, the variance of (numerator - ratio · denominator) / mean denominator and the
ratio itself for rates, and plain values for counts.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.clock import utc_text
from pipeline.errors import AfterpostError
from pipeline.learn.experiments.adjusting import Adjustment

ALPHA, POWER = 0.05, 0.8
SMALLEST_USEFUL_RATIO = 1.2


class ChangedRegistrationError(AfterpostError):
    """A stored registration is not what was registered."""


class MetricKind(StrEnum):
    """What a metric's values are, which decides how arms are compared."""

    CONTINUOUS = "continuous"
    PROPORTION = "proportion"
    COUNT = "count"


class Status(StrEnum):
    """How far an experiment is."""

    PROPOSED = "proposed"
    REGISTERED = "registered"
    RUNNING = "running"
    CONCLUDED = "concluded"
    STOPPED = "stopped"
    REJECTED = "rejected"


ACTIVE = (Status.REGISTERED, Status.RUNNING)
"""States in which draws belong to an experiment, or soon will."""


class Origin(StrEnum):
    """Where an experiment came from."""

    PERSON = "person"
    GAP = "gap"
    VARIATIONS = "variations"


@dataclass(frozen=True)
class Metric:
    """An outcome that experiments can be read by; of all of them more is better.

    Attributes:
        name: The outcome in ``intermediate.int_post_outcomes``.
        kind: What its values are.
        age_hours: Age of a post at which it is read.
        label: What people read.
        aliases: What people may write for it.
    """

    name: str
    kind: MetricKind
    age_hours: float
    label: str
    aliases: tuple[str, ...] = ()


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("views_72h", MetricKind.CONTINUOUS, 72, "views after 3 days", ("views",)),
        Metric("views_7d", MetricKind.CONTINUOUS, 168, "views after 7 days"),
        Metric(
            "engagement_72h", MetricKind.CONTINUOUS, 72, "engagement after 3 days", ("engagement",)
        ),
        Metric("engagement_7d", MetricKind.CONTINUOUS, 168, "engagement after 7 days"),
        Metric(
            "engagement_rate_7d", MetricKind.PROPORTION, 168, "engagement rate after 7 days",
            ("engagement_rate",),
        ),
        Metric(
            "save_rate_7d", MetricKind.PROPORTION, 168, "save rate after 7 days",
            ("save_rate", "saves"),
        ),
        Metric(
            "share_rate_7d", MetricKind.PROPORTION, 168, "share rate after 7 days",
            ("share_rate", "shares"),
        ),
        Metric("comments_72h", MetricKind.COUNT, 72, "comments after 3 days", ("comments",)),
    )
}  # fmt: skip
"""All metrics by name."""

ALIASES: Mapping[str, str] = {
    alias: metric.name for metric in METRICS.values() for alias in (metric.name, *metric.aliases)
}
"""The metric's name by everything that people may write for it."""


def metric_named(text: str) -> Metric | None:
    """The metric of a name or an alias, in any case, with spaces or hyphens; None if none."""
    plain = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    return METRICS[ALIASES[plain]] if plain in ALIASES else None


@dataclass(frozen=True)
class ArmDesign:
    """One way to make posts.

    Attributes:
        name: What it is called.
        choices: Segment by dimension: what every post of the arm has. May be empty.
        instructions: A person's own words to who writes the posts; untrusted text.
    """

    name: str
    choices: Mapping[str, str]
    instructions: str | None = None


def dimensions_of(arms: Iterable[ArmDesign]) -> frozenset[str]:
    """What arms fix; ``instructions`` where one says in words what to do."""
    fixed: set[str] = set()
    for arm in arms:
        fixed.update(arm.choices)
        if arm.instructions:
            fixed.add("instructions")
    return frozenset(fixed)


@dataclass(frozen=True)
class GuardDesign:
    """A metric that must not get worse, and how much it may: 0.9 allows it to fall to 0.9 times."""

    metric: str
    smallest_allowed_ratio: float


@dataclass(frozen=True)
class Registration:
    """Everything about an experiment that is settled before it starts.

    Attributes:
        experiment_id: ``exp_`` and 12 hexadecimal digits.
        account_name: Whose posts.
        platform: On which platform.
        question: What somebody wants to know.
        arms: The first is the usual one.
        contrasts: Pairs of arm names, the usual one first.
        metric: A name in :data:`METRICS`.
        metric_kind: Its kind.
        age_hours: Age at which posts are read.
        smallest_useful_ratio: Smallest effect worth acting on, over 1.
        guards: Metrics that must not get worse.
        alpha: Chance of a winner where there is no difference, over all contrasts.
        power: Chance of showing the smallest useful effect at the planned end.
        planned_per_arm: Posts per arm at the planned end.
        longest_per_arm: Posts per arm at the latest end.
        usual_mean: What posts of the account usually get, on the arm kind's scale.
        unit_variance: Variance between posts on that scale that the sizes are from: of what the
            reading will analyse, so after the adjustment where there is one.
        adjustment: Frozen slope and centre of the covariate; None for none.
        draw_share: Share of draws that belong to the experiment.
        seed: Of the randomised order.
        origin: Where it came from.
        created_by: Who asked for it.
        created_at: When.
        warehouse_version: The published copy that the figures are from.
    """

    experiment_id: str
    account_name: str
    platform: str
    question: str
    arms: tuple[ArmDesign, ...]
    contrasts: tuple[tuple[str, str], ...]
    metric: str
    metric_kind: MetricKind
    age_hours: float
    smallest_useful_ratio: float
    guards: tuple[GuardDesign, ...]
    alpha: float
    power: float
    planned_per_arm: int
    longest_per_arm: int
    usual_mean: float | None
    unit_variance: float
    adjustment: Adjustment | None
    draw_share: float
    seed: int
    origin: str
    created_by: str
    created_at: datetime
    warehouse_version: str

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON."""
        return {
            **asdict(self),
            "arms": [{**asdict(arm), "choices": dict(arm.choices)} for arm in self.arms],
            "contrasts": [list(pair) for pair in self.contrasts],
            "guards": [asdict(guard) for guard in self.guards],
            "metric_kind": self.metric_kind.value,
            "created_at": utc_text(self.created_at),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Registration":
        """The registration of its JSON.

        Raises:
            KeyError: A field is missing.
            TypeError: A field is unknown or of another type.
            ValueError: A field's value is none of its kind.
        """
        adjustment = content["adjustment"]
        return cls(
            **{
                **content,
                "arms": tuple(ArmDesign(**arm) for arm in content["arms"]),
                "contrasts": tuple((usual, tried) for usual, tried in content["contrasts"]),
                "metric_kind": MetricKind(content["metric_kind"]),
                "guards": tuple(GuardDesign(**guard) for guard in content["guards"]),
                "adjustment": None if adjustment is None else Adjustment(**adjustment),
                "created_at": datetime.fromisoformat(content["created_at"]),
            }
        )

    def sha256(self) -> str:
        """The hash of the content, whatever the order of its keys."""
        return content_sha256(self.to_json())

    @property
    def smallest_useful(self) -> float:
        """The smallest useful effect on the scale of the arms' kind.

        A difference of logarithms, or of ratios where the usual mean is known to compare with.
        """
        if self.metric_kind is MetricKind.CONTINUOUS or self.usual_mean is None:
            return math.log(self.smallest_useful_ratio)
        return self.usual_mean * (self.smallest_useful_ratio - 1)

    @property
    def dimensions(self) -> frozenset[str]:
        """What the arms fix; ``instructions`` where one says in words what to do."""
        return dimensions_of(self.arms)


def content_sha256(content: Mapping[str, Any]) -> str:
    """The hash of a registration's JSON: canonical, with sorted keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load(row: Mapping[str, Any]) -> Registration:
    """The registration of a row of ``experiments``; every reader goes through here.

    Raises:
        ChangedRegistrationError: The stored content is not what was registered.
    """
    changed = ChangedRegistrationError(
        f"The registration of {row['experiment_id']} was changed after it was frozen: its content "
        "does not fit its hash, so nothing can be concluded from it."
    )
    content = row["registration"]
    try:
        if content_sha256(content) != row["registration_sha256"]:
            raise changed
        registration = Registration.from_json(content)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise changed from None
    if any(
        getattr(registration, name) != row[name]
        for name in ("experiment_id", "account_name", "platform", "origin")
    ):
        raise changed
    return registration
