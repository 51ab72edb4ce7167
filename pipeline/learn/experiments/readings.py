"""What an experiment's reading is made of, as it is shown and stored."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipeline.clock import utc_text
from pipeline.learn.experiments.verdicts import Size, Verdict


@dataclass(frozen=True)
class FixedReading:
    """The analysis at the planned end.

    Attributes:
        p_value: As any statistics package gives it.
        p_value_adjusted: Times the number of contrasts, 1 at most.
        effect_low: Lower end of the interval of the absolute effect, at alpha over the contrasts.
        effect_high: Upper end.
        ratio_low: Lower end of the ratio's interval.
        ratio_high: Upper end.
    """

    p_value: float
    p_value_adjusted: float
    effect_low: float | None
    effect_high: float | None
    ratio_low: float | None
    ratio_high: float | None


@dataclass(frozen=True)
class ContrastReading:
    """One declared contrast. Ends are None where nothing is excluded; intervals are anytime."""

    usual: str
    tried: str
    usual_n: int
    tried_n: int
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p_value_anytime: float
    p_value_anytime_adjusted: float
    fixed: FixedReading | None
    size: Size
    verdict: Verdict
    because: str


@dataclass(frozen=True)
class ArmReading:
    """One arm.

    Attributes:
        name: Its name.
        assigned_n: Drafts drawn for it.
        posted_n: Posts that count.
        n: Those that are old enough and have the metric.
        mean: In the metric's own unit; for views and engagement the typical (geometric) mean.
        median: Of the posts' values; of a rate, of the posts' rates.
        chance_best: Probability that its mean is the best of all arms; None with fewer than two
            posts in any arm.
    """

    name: str
    assigned_n: int
    posted_n: int
    n: int
    mean: float | None
    median: float | None
    chance_best: float | None


@dataclass(frozen=True)
class GuardReading:
    """A metric that must not get worse, in one contrast; the interval is anytime."""

    metric: str
    usual: str
    tried: str
    smallest_allowed_ratio: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    is_harmed: bool


@dataclass(frozen=True)
class ExperimentReading:
    """All that an experiment says.

    Attributes:
        experiment_id: The experiment.
        read_at: The moment that was asked for.
        ended_at: The look that ended it, to which everything here belongs; None while it goes on.
        warehouse_version: The published copy.
        arms: The usual one first.
        contrasts: As declared.
        guards: Of every contrast.
        verdict: Over all.
        winner: Name of the arm that won.
        because: The sentence.
        faults: What makes it invalid.
        notes: What one should know beside.
        looks: Per contrast ``usual``, ``tried`` and ``looks`` (``known_at``, ``n``, ``p_value``,
            ``ratio_low``, ``ratio_high``).
        progress: Share of the planned posts that are known; 1 at most.
        weeks_left: Until the planned end, and behind it until the latest end, at the pace so far.
    """

    experiment_id: str
    read_at: datetime
    ended_at: datetime | None
    warehouse_version: str
    arms: tuple[ArmReading, ...]
    contrasts: tuple[ContrastReading, ...]
    guards: tuple[GuardReading, ...]
    verdict: Verdict
    winner: str | None
    because: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    looks: tuple[dict[str, Any], ...]
    progress: float
    weeks_left: float | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            **asdict(self),
            "read_at": utc_text(self.read_at),
            "ended_at": None if self.ended_at is None else utc_text(self.ended_at),
            "verdict": self.verdict.value,
            "contrasts": [
                {**asdict(one), "size": one.size.value, "verdict": one.verdict.value}
                for one in self.contrasts
            ],
            "arms": [asdict(one) for one in self.arms],
            "guards": [asdict(one) for one in self.guards],
            "faults": list(self.faults),
            "notes": list(self.notes),
            "looks": list(self.looks),
        }
