"""What is asked of an experiment that ran elsewhere, and what is answered."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pipeline.learn.experiments.registration import MetricKind
from pipeline.learn.experiments.verdicts import Size, Verdict

PLANNED = {MetricKind.PROPORTION: 1000, MetricKind.CONTINUOUS: 100, MetricKind.COUNT: 100}
"""Units per arm that are taken as planned where nobody says: numbers that do not depend on the
file, because a size that is chosen anew at each look is none that was planned. Far from it costs
little: a difference is shown from 3.0 standard errors at the planned size, from 3.5 at a tenth, 3.3
at ten times and 3.9 at a thousand times as many units."""


class Contrasts(StrEnum):
    """Which arms are compared: each with the usual one, or each with each."""

    CONTROL = "control"
    ALL = "all"


class Correction(StrEnum):
    """What is done about the number of contrasts."""

    HOLM = "holm"
    BONFERRONI = "bonferroni"
    NONE = "none"


@dataclass(frozen=True)
class Question:
    """How an experiment is to be read.

    Attributes:
        metric: What its arms are.
        control: The usual arm; the file's first when None.
        contrasts: Each arm with the usual one, or each with each.
        alpha: Chance of any false winner among the contrasts.
        correction: For their number; intervals are at alpha over it, except for ``none``.
        smallest_useful_ratio: Smallest effect worth acting on, over 1; None: not judged.
        planned: Units per arm that were planned; :data:`PLANNED` when None.
        shares: Declared shares of units by arm; equal when None.
        logarithms: Continuous values are compared by the means of their logarithms.
    """

    metric: MetricKind
    control: str | None = None
    contrasts: Contrasts = Contrasts.CONTROL
    alpha: float = 0.05
    correction: Correction = Correction.HOLM
    smallest_useful_ratio: float | None = None
    planned: float | None = None
    shares: Mapping[str, float] | None = None
    logarithms: bool = False


@dataclass(frozen=True)
class ImportedArm:
    """An arm.

    Attributes:
        arm: Its name.
        units: Trials, or units with a value.
        successes: Of trials.
        mean: Share of successes, or mean value, or mean logarithm.
        standard_error: Of the mean.
        chance_best: Probability that its mean is the largest.
    """

    arm: str
    units: int
    successes: int | None
    mean: float
    standard_error: float
    chance_best: float


@dataclass(frozen=True)
class ImportedContrast:
    """Two arms; ends of intervals are None where nothing is excluded or there is no ratio.

    Attributes:
        usual: The arm compared with.
        tried: The arm compared.
        usual_units: Units of the first.
        tried_units: Units of the second.
        usual_mean: As in :class:`ImportedArm`.
        tried_mean: Likewise.
        effect: Second mean less the first.
        effect_low_fixed: Lower end at the one planned end.
        effect_high_fixed: Upper end.
        effect_low_anytime: Lower end that holds at every look.
        effect_high_anytime: Upper end.
        ratio: Second mean over the first; of logarithms, the ratio of geometric means.
        ratio_low_fixed: Lower end at the one planned end.
        ratio_high_fixed: Upper end.
        ratio_low_anytime: Lower end that holds at every look.
        ratio_high_anytime: Upper end.
        p_value_fixed: Right at the one planned end.
        p_value_fixed_adjusted: For the number of contrasts.
        p_value_anytime: Right at every look.
        p_value_anytime_adjusted: For the number of contrasts.
        size: How the anytime interval lies to the smallest useful effect; None where none is named.
        verdict: By the reading at any time.
        because: The sentence.
    """

    usual: str
    tried: str
    usual_units: int
    tried_units: int
    usual_mean: float
    tried_mean: float
    effect: float
    effect_low_fixed: float | None
    effect_high_fixed: float | None
    effect_low_anytime: float | None
    effect_high_anytime: float | None
    ratio: float | None
    ratio_low_fixed: float | None
    ratio_high_fixed: float | None
    ratio_low_anytime: float | None
    ratio_high_anytime: float | None
    p_value_fixed: float
    p_value_fixed_adjusted: float
    p_value_anytime: float
    p_value_anytime_adjusted: float
    size: Size | None
    verdict: Verdict
    because: str


@dataclass(frozen=True)
class ImportedExperiment:
    """An experiment's reading.

    Attributes:
        experiment: Its name in a file of many.
        arms: In the order of the file.
        contrasts: In the order of the arms.
        sample_ratio_p: P-value of the split of units; None with one arm.
        chances_best: Probability of each arm that its mean is the largest.
        planned: Units per arm that the reading at any time took as planned.
        confidence: Of each interval.
        winner: The arm that won and lost to none; None without one.
        verdict: Of the contrasts together.
        because: The sentence.
        faults: Sentences that make it invalid.
        notes: Sentences that do not.
    """

    experiment: str | None
    arms: tuple[ImportedArm, ...]
    contrasts: tuple[ImportedContrast, ...]
    sample_ratio_p: float | None
    chances_best: Mapping[str, float]
    planned: float
    confidence: float
    winner: str | None
    verdict: Verdict
    because: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON; one probability of being best per arm."""
        return asdict(self)
