"""The shapes of experiments: what was planned and registered, and what the posts say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.learn.experiments.planning_for_account import Planned
from pipeline.learn.experiments.reading_stored import StoredExperiment
from pipeline.learn.experiments.registration import (
    ChangedRegistrationError,
    Registration,
    Status,
    load,
)
from pipeline.show.web.api.answers import Answer, Figure, Meta, PageInfo


class Arm(Answer):
    """One arm."""

    name: str
    """Somebody's text, as are the other texts: escape them."""
    choices: dict[str, str]
    instructions: str | None


class Contrast(Answer):
    """Two arms that are held against each other."""

    usual: str
    tried: str


class Guard(Answer):
    """A metric that must not get worse."""

    metric: str
    smallest_allowed_ratio: float


class Design(Answer):
    """What was registered, and never changes."""

    question: str
    arms: list[Arm]
    contrasts: list[Contrast]
    metric: str
    metric_kind: str
    age_hours: float
    """At which posts are compared."""
    smallest_useful_ratio: float
    guards: list[Guard]
    alpha: float
    power: float
    planned_per_arm: int
    longest_per_arm: int
    """Posts per arm after which it ends when it has shown nothing."""
    usual_mean: Figure
    unit_variance: Figure
    is_adjusted: bool
    """Whether values are adjusted by what was predicted of the posts."""
    draw_share: float
    warehouse_version: str
    """The published copy whose posts gave the sizes."""
    sha256: str

    @classmethod
    def of(cls, registration: Registration) -> "Design":
        """From the domain."""
        fields = registration.to_json()
        return cls.model_validate(
            {
                **fields,
                "contrasts": _contrasts(fields["contrasts"]),
                "is_adjusted": registration.adjustment is not None,
                "sha256": registration.sha256(),
            }
        )


class PlannedExperiment(Answer):
    """What an experiment would take; nothing is stored."""

    account: str
    platform: str
    question: str
    arms: list[Arm]
    contrasts: list[Contrast]
    metric: str
    metric_kind: str
    age_hours: float
    smallest_useful_ratio: float
    guards: list[Guard]
    alpha: float
    power: float
    draw_share: float
    posts_per_arm: int
    posts_in_all: int
    longest_posts_per_arm: int
    """After which it ends when it has shown nothing."""
    posts_per_week: Figure
    weeks: Figure
    """Until the planned end at the account's pace; null where it has none."""
    longest_weeks: Figure
    known_posts: int
    """Posts of the account that the figures are from."""
    usual: Figure
    """What a post usually gets, in the metric's own unit."""
    sentences: list[str]
    warnings: list[str]
    warehouse_version: str

    @classmethod
    def of(cls, planned: Planned) -> "PlannedExperiment":
        """From the domain."""
        fields = planned.to_json()
        return cls.model_validate({**fields, "contrasts": _contrasts(fields["contrasts"])})


class Event(Answer):
    """What happened to an experiment."""

    event: str
    happened_at: datetime
    done_by: str | None
    """Null: the hourly job."""
    details: dict[str, Any] | None


class ArmReading(Answer):
    """What is known of an arm."""

    name: str
    assigned_n: int
    posted_n: int
    n: int
    """Posts that are old enough to be read."""
    mean: Figure
    median: Figure
    chance_best: Figure


class Look(Answer):
    """What one contrast said when one more post had become old enough."""

    known_at: datetime
    n: int
    p_value: Figure
    ratio_low: Figure
    ratio_high: Figure


class FixedReading(Answer):
    """The analysis at the planned end, of the first posts only."""

    p_value: Figure
    p_value_adjusted: Figure
    effect_low: Figure
    effect_high: Figure
    ratio_low: Figure
    ratio_high: Figure


class ContrastReading(Answer):
    """The tried arm against the usual one; intervals hold at whatever time they are read."""

    usual: str
    tried: str
    usual_n: int
    tried_n: int
    effect: Figure
    effect_low: Figure
    effect_high: Figure
    ratio: Figure
    ratio_low: Figure
    ratio_high: Figure
    p_value_anytime: Figure
    p_value_anytime_adjusted: Figure
    fixed: FixedReading | None
    """Null until the planned size is there."""
    size: str
    """useful, negligible or unclear: the interval against the smallest useful effect."""
    verdict: str
    because: str
    looks: list[Look]


class GuardReading(Answer):
    """A guarded metric in one contrast; the interval holds at whatever time it is read."""

    metric: str
    usual: str
    tried: str
    smallest_allowed_ratio: float
    ratio: Figure
    ratio_low: Figure
    ratio_high: Figure
    is_harmed: bool


class Reading(Answer):
    """What the posts say until now."""

    read_at: datetime
    ended_at: datetime | None
    """The look that ended it, to which everything here belongs; null while it goes on."""
    warehouse_version: str | None
    verdict: str
    winner: str | None
    because: str
    progress: Figure
    """Share of the planned posts that are old enough."""
    weeks_left: Figure
    arms: list[ArmReading]
    contrasts: list[ContrastReading]
    guards: list[GuardReading]
    faults: list[str]
    """Why the experiment says nothing."""
    notes: list[str]

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> "Reading":
        """From the domain's JSON, each contrast with its looks."""
        contrasts = [
            {**one, "looks": looked["looks"]}
            for one, looked in zip(result["contrasts"], result["looks"], strict=True)
        ]
        return cls.model_validate({**result, "contrasts": contrasts})


class Experiment(Answer):
    """An experiment as it stands."""

    id: str
    account: str
    platform: str
    status: str
    origin: str
    version: int
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    started_at: datetime | None
    concluded_at: datetime | None
    verdict: str | None
    because: str | None
    progress: Figure
    recommendation_id: str | None
    design: Design | None
    """Null where the registration was changed after it was frozen."""
    fault: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any], progress: float | None) -> "Experiment":
        """A row of the state database."""
        return cls(**_fields(row), progress=progress)


class ExperimentDetail(Experiment):
    """An experiment with what its posts say and what happened to it."""

    reading: Reading | None
    """Of one that has ended as it was then; null before it is approved, while nothing is published
    and where the registration was changed."""
    events: list[Event]
    weeks: Figure
    """Of one that has not begun, until the planned end at the account's present pace."""
    longest_weeks: Figure
    meta: Meta | None

    @classmethod
    def of_stored(
        cls, stored: StoredExperiment, meta: Meta | None, posts_per_week: float | None
    ) -> "ExperimentDetail":
        """From the domain.

        Args:
            stored: The experiment.
            meta: Where its figures come from.
            posts_per_week: Of its profile; None where nothing was posted lately.
        """
        weeks, longest_weeks = _weeks(stored, posts_per_week)
        result = stored.result
        reading = None if result is None else Reading.of(result)
        return cls(
            **_fields(stored.row),
            progress=None if reading is None else reading.progress,
            reading=reading,
            events=Event.all_of(stored.events),
            weeks=weeks,
            longest_weeks=longest_weeks,
            meta=meta,
        )


class Results(Answer):
    """What an experiment says, as one document."""

    experiment_id: str
    account: str
    platform: str
    status: str
    question: str | None
    metric: str | None
    metric_words: str | None
    verdict: str | None
    winner: str | None
    because: str | None
    is_final: bool
    """Whether the experiment has ended with this verdict."""
    posts_drawn: int
    result: dict[str, Any] | None
    """Arms, contrasts, guards and looks; null before there are any."""
    recommendation_id: str | None
    events: list[Event]


class ExperimentPage(PageInfo):
    """A page of experiments."""

    items: list[Experiment]


def _weeks(
    stored: StoredExperiment, posts_per_week: float | None
) -> tuple[float | None, float | None]:
    """How long the planned and the longest size take."""
    found = stored.registration
    is_ahead = stored.row["status"] in {Status.PROPOSED, Status.REGISTERED}
    if found is None or not is_ahead or not posts_per_week:
        return None, None
    all_arms = len(found.arms) / (posts_per_week * found.draw_share)
    return found.planned_per_arm * all_arms, found.longest_per_arm * all_arms


def _contrasts(pairs: list[list[str]]) -> list[dict[str, str]]:
    return [{"usual": usual, "tried": tried} for usual, tried in pairs]


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Experiment` but the progress."""
    same = (
        "platform", "status", "origin", "version", "created_by", "created_at", "decided_by",
        "decided_at", "started_at", "concluded_at", "verdict", "because", "recommendation_id",
    )  # fmt: skip
    design, fault = None, None
    try:
        design = Design.of(load(row))
    except ChangedRegistrationError as error:
        fault = str(error)
    return {
        **{name: row[name] for name in same},
        "id": row["experiment_id"],
        "account": row["account_name"],
        "design": design,
        "fault": fault,
    }
