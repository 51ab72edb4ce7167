"""What is asked of predictions, and the shapes of what they say."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_validator

from pipeline.accounts import AccountConfig, Platform
from pipeline.learn.predict.answers import Prediction, TargetPrediction
from pipeline.learn.predict.close_chance import close_chance
from pipeline.learn.predict.requests import MOST_SLIDES, PredictionRequest
from pipeline.learn.predict.stored_answers import SaidBefore, WaitingPost
from pipeline.learn.predict.warehouse_features import Target
from pipeline.show.web.api.answers import Answer, Figure, Meta, PageInfo, Request

Hashtag = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
_YEARS = range(2000, 2101)

_FACTORS = [
    {
        "feature": "format",
        "impact": 0.12,
        "description": "+12 %: format step_guide (usually habit_list)",
    }
]
_SAID: dict[str, Any] = {
    "account": "dreamtimelullabies",
    "platform": "tiktok",
    "planned_id": None,
    "post_id": None,
    "planned_at": "2026-11-22T23:30:00Z",
    "predicted_at": "2026-11-20T12:00:00Z",
    "predictedEngagement": 6.2,
    "confidence": 61.0,
    "factors": _FACTORS,
    "target": "engagement_rate_7d",
    "expected": 0.062,
    "interval": {"low": 0.044, "high": 0.085, "level": 0.8},
    "breakout_probability": 0.03,
    "breakout_threshold": 0.17,
    "baseline": {"expected": 0.056, "low": 0.041, "high": 0.078},
    "model": {"name": "model", "version": "3f2a9c1b7d5e", "trained_at": "2026-11-16T04:00:00Z"},
    "explained_share": 0.21,
    "note": "What is known before posting explains 21 % of the spread around this account's "
    "usual: a lean, not a forecast.",
    "is_new": True,
    "prediction_id": "prd_3f2a9c1b7d5e",
    "targets": {},
}


class PredictBody(Request):
    """A post that is to go out; all but the account may be left out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "category": "sleep_routines",
                    "platform": "tiktok",
                    "hashtags": ["sleep", "babysleep"],
                    "postingTime": "2026-11-22T18:30:00-05:00",
                    "format": "step_guide",
                    "hook": "3 quiet naps",
                }
            ]
        },
    )

    account: Annotated[str, Field(max_length=63)]
    concept_id: Annotated[str | None, Field(alias="conceptId", min_length=1, max_length=300)] = None
    """Name of a folder under the account's ``output/``: what the other fields leave out is read
    there."""
    category: Name | None = None
    """One of the account's content pillars."""
    platform: Platform | None = None
    """Where the account posts most when left out."""
    hashtags: list[Hashtag] = Field(default_factory=list, max_length=100)
    posting_time: Annotated[datetime | None, Field(alias="postingTime")] = None
    """On the account's clock where it names no zone; now when left out."""
    audio_id: Annotated[str | None, Field(alias="audioId", max_length=100)] = None
    format: Name | None = None
    """One of the account's formats."""
    topic: Name | None = None
    cta: Name | None = None
    """One of the account's calls to action."""
    hook: Annotated[str, Field(max_length=2_000)] | None = None
    """The first words."""
    caption: Annotated[str, Field(max_length=10_000)] | None = None
    slides: Annotated[int, Field(ge=1, le=MOST_SLIDES)] | None = None
    duration_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] | None = None

    @field_validator("posting_time")
    @classmethod
    def _in_a_usual_year(cls, value: datetime | None) -> datetime | None:
        """Years at the ends of the calendar have no equal in another zone."""
        if value is not None and value.year not in _YEARS:
            raise ValueError(f"its year is to lie between {_YEARS[0]} and {_YEARS[-1]}")
        return value

    def told(self, account: AccountConfig) -> dict[str, Any]:
        """What the body says of the post, as the domain names it; without what it leaves out."""
        at = self.posting_time
        fields = {
            "platform": None if self.platform is None else self.platform.value,
            "pillar": self.category,
            "hashtags": tuple(self.hashtags),
            "planned_at": at.replace(tzinfo=account.zone) if at and at.tzinfo is None else at,
            "audio_id": self.audio_id,
            "format": self.format,
            "topic": self.topic,
            "cta": self.cta,
            "hook": self.hook,
            "caption": self.caption,
            "slide_count": self.slides,
            "duration_s": self.duration_s,
        }
        return {name: value for name, value in fields.items() if value not in (None, ())}

    def request(self, account: AccountConfig) -> PredictionRequest:
        """As the domain has it, without a plan."""
        return PredictionRequest(account=account.name, **self.told(account))


class Factor(Answer):
    """What moves a prediction away from the account's usual."""

    feature: str
    impact: float
    """Change as a share of the expected value: 0.2 is 20 % more."""
    description: str
    """Names of the account are in it: escape it."""


class Interval(Answer):
    """Within which the outcome lies in 8 of 10 cases."""

    low: float
    high: float
    level: float


class Usual(Answer):
    """The account's own earlier outcomes: the middle and the ends of 80 % of them."""

    expected: float
    low: float
    high: float


class Model(Answer):
    """What made a prediction."""

    name: str
    """``account_quantiles``: no model does better for the account, or there are too few posts."""
    version: str | None
    trained_at: datetime | None


class SaidOfTarget(Answer):
    """What is said of one outcome, in its own unit: views, or a fraction."""

    target: Target
    prediction_id: str | None
    expected: Figure
    interval: Interval | None
    breakout_probability: Figure
    breakout_threshold: Figure
    baseline: Usual | None
    factors: list[Factor]
    model: Model | None
    explained_share: Figure
    """Of the account's spread around its usual, out of time; null where it is not known."""
    note: str
    """What has to be said beside the numbers; empty where nothing has."""
    is_new: bool
    """Whether it was kept as the first one about the post on its day."""


class Said(SaidOfTarget):
    """What is said of a post: of its engagement rate at 7 days, and of each target by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SAID]})

    account: str
    platform: str
    planned_id: str | None
    """The planned post, where it was asked about as it is planned."""
    post_id: str | None
    planned_at: datetime
    predicted_at: datetime
    predicted_engagement: Annotated[Figure, Field(serialization_alias="predictedEngagement")]
    """Engagement rate at 7 days in percent; ``expected`` is the same as a fraction."""
    confidence: Figure
    """Chance in percent that the prediction is off the outcome by a quarter of it or less."""
    targets: dict[Target, SaidOfTarget]

    @classmethod
    def of(cls, said: Prediction) -> "Said":
        """From the domain."""
        rate = said.of(Target.ENGAGEMENT_RATE)
        row = rate.row
        return cls(
            **_fields(rate),
            account=said.account_name,
            platform=said.platform,
            planned_id=said.planned_id,
            post_id=said.post_id,
            planned_at=said.planned_at,
            predicted_at=said.predicted_at,
            predicted_engagement=None if row is None else 100 * row["expected"],
            confidence=None if row is None else 100 * close_chance(row),
            targets={one.target: SaidOfTarget(**_fields(one)) for one in said.targets},
        )


class PlannedPost(Answer):
    """A planned post that is not out yet."""

    account: str
    planned_id: str
    """Name of its folder under the account's ``output/``; somebody's text, as are the others."""
    platform: str
    planned_at: datetime | None
    format: str | None
    pillar: str | None
    hook: str | None
    caption: str | None
    prediction: Said | None
    """The newest that is kept; null until the job ``predict_posts`` has run."""

    @classmethod
    def of(cls, waiting: WaitingPost) -> "PlannedPost":
        """From the domain."""
        plan = waiting.plan
        return cls(
            account=plan.account_name,
            planned_id=plan.planned_id,
            platform=waiting.platform,
            planned_at=plan.planned_at,
            format=plan.format,
            pillar=plan.pillar,
            hook=plan.hook_text,
            caption=plan.caption,
            prediction=None if waiting.prediction is None else Said.of(waiting.prediction),
        )


class PlannedPage(PageInfo):
    """A page of planned posts, the next one first."""

    items: list[PlannedPost]


class Score(Answer):
    """What came of one prediction."""

    outcome: float
    scored_at: datetime
    is_within_interval: bool
    is_within_25_percent: bool


class SaidOfPost(Answer):
    """What was said of a post that is out."""

    prediction: Said | None
    """Null where nothing was said in time to be scored."""
    is_before: bool
    """Whether it was said before the post went out, and not on its first day."""
    scores: dict[Target, Score]
    """Of the targets whose outcome is known."""
    meta: Meta

    @classmethod
    def of(cls, said: SaidBefore | None, meta: Meta) -> "SaidOfPost":
        """From the domain."""
        if said is None:
            return cls(prediction=None, is_before=False, scores={}, meta=meta)
        return cls(
            prediction=Said.of(said.prediction),
            is_before=said.is_before,
            scores={Target(name): Score(**row) for name, row in said.scores.items()},
            meta=meta,
        )


class Skill(Answer):
    """How good predictions of one profile were in one period, with 90 % intervals."""

    account_name: str
    platform: str
    target: Target
    model_name: str
    """What served them; ``*``: whatever did."""
    period: str
    periods_ago: int
    period_start: date | None
    period_end: date | None
    n: int
    """Posts; each counts once."""
    model_n: int
    pinball_loss: Figure
    baseline_pinball_loss: Figure
    pinball_ratio: Figure
    """Below 1 is better than the account's own quantiles."""
    pinball_ratio_low: Figure
    pinball_ratio_high: Figure
    coverage: Figure
    """Share of outcomes within the 80 % intervals."""
    coverage_low: Figure
    coverage_high: Figure
    close_share: Figure
    """Share of predictions within 25 % of the outcome."""
    close_share_low: Figure
    close_share_high: Figure
    baseline_close_share: Figure
    mean_log_gap: Figure
    breakout_n: int
    breakout_share: Figure
    breakout_brier: Figure
    breakout_brier_of_share: Figure
    description: str | None
    """In words; of the rows over all only."""


class RegisteredModel(Answer):
    """The newest model of a platform and target, as it did out of time."""

    model_version: str
    platform: str
    target: Target
    trained_at: datetime
    training_from: datetime
    training_to: datetime
    post_count: int
    serves: list[str]
    """Accounts for which it did better than their own quantiles."""
    explained_shares: dict[str, Figure]
    """By account: how much of the spread around its usual it explains."""

    @classmethod
    def of(cls, row: Mapping[str, Any], accounts: frozenset[str]) -> "RegisteredModel":
        """A row of the registry, as far as it is about these accounts."""
        figures = row["figures"]["accounts"]
        return cls(
            **{name: row[name] for name in (
                "model_version", "platform", "target", "trained_at", "training_from",
                "training_to", "post_count",
            )},
            serves=[name for name in row["serves"] if name in accounts],
            explained_shares={
                name: own["explained_share"] for name, own in figures.items() if name in accounts
            },
        )  # fmt: skip


class Skills(Answer):
    """How good predictions were; without rows until some have been scored."""

    items: list[Skill]
    models: list[RegisteredModel]
    meta: Meta


def _fields(said: TargetPrediction) -> dict[str, Any]:
    return said.to_json()
