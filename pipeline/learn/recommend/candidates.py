"""Which findings may become recommendations, and with which change.

Everything that makes a proposal impossible or pointless is settled here, before anybody words it:
the writers choose among candidates and never see anything else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.learn.causes import Found, effect_of
from pipeline.learn.concentration import Concentration
from pipeline.learn.exploration import Exploration, exploration_finding
from pipeline.learn.failure_findings import FailurePattern
from pipeline.learn.findings import Confidence, Direction, Finding
from pipeline.learn.operations import (
    SEGMENT_PATTERN,
    AddExperimentSuggestion,
    Operation,
    OperationError,
)
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.proposals import category_of, proposal
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.recommend.rendering import figures_of
from pipeline.learn.recommend.taken import NOTHING_TAKEN, Taken
from pipeline.learn.untried import UntriedFormat

MAX_EXPERIMENTS = 1
"""Untried formats proposed at a time: trying several at once teaches less about each."""

_SINGLE = {"slide_count": "optimal_slide_count", "cta": "cta"}
"""Dimensions of which a context prefers one segment at most."""

_EXPLORATION_TEMPLATE = (
    "What is tried can follow newer figures: {segment} posts on {platform} get {effect} the "
    "account's usual {outcome} ({interval}, {n} posts sampled)"
)


@dataclass(frozen=True)
class Candidate:
    """A finding, the change that follows from it, and the figures that may be told."""

    finding: Found | UntriedFormat
    category: Category
    target: str
    operations: tuple[Operation, ...]
    figures: dict[str, Any]
    template: str | None = None
    """The sentence to use, where the category's own does not fit; it is not worded by a model."""

    @property
    def confidence(self) -> Confidence:
        """How sure the finding is; that an experiment pays is a guess by its nature."""
        if isinstance(self.finding, UntriedFormat):
            return Confidence.LOW
        return self.finding.confidence

    @property
    def sample_size(self) -> int:
        """Posts that the insight rests on."""
        if isinstance(self.finding, UntriedFormat):
            return self.finding.account_n
        return self.finding.n

    @property
    def direction(self) -> Direction | None:
        """On which side of the usual the segment is; None where nothing is claimed."""
        if isinstance(self.finding, UntriedFormat):
            return None
        return effect_of(self.finding).direction

    @property
    def expected_gain(self) -> float:
        """Change of the mean log outcome by one step; 0 where nothing is claimed."""
        return 0.0 if isinstance(self.finding, UntriedFormat) else self.finding.expected_gain

    @property
    def names(self) -> frozenset[str]:
        """The segments that it is about."""
        if isinstance(self.finding, Concentration):
            return frozenset(self.finding.segments)
        return frozenset({str(self.figures["segment"])})

    @property
    def stored_findings(self) -> list[dict[str, Any]]:
        """What stands beside the recommendation: first the effect that a verdict will judge."""
        if isinstance(self.finding, FailurePattern | Concentration):
            return [effect_of(self.finding).to_json(), self.finding.to_json()]
        return [self.finding.to_json()]


def candidates(
    findings: Sequence[Found],
    untried: Sequence[UntriedFormat],
    document: Mapping[str, Any],
    *,
    taken: Taken = NOTHING_TAKEN,
    reverts: Sequence[Candidate] = (),
    exploration: Candidate | None = None,
) -> list[Candidate]:
    """What could be recommended, the most worth while first.

    Args:
        findings: Ranked, as `pipeline.learn.causes.find_causes` gives them.
        untried: Formats worth a try.
        document: The account's context as JSON.
        taken: What waits for a decision or was refused lately.
        reverts: What takes back changes that did not work; these come first.
        exploration: What exploration should go by from now on; proposed when nothing else is.
    """
    proposals = [
        *reverts,
        *(_from_finding(finding, document) for finding in _proposable(findings, document)),
        *(_from_untried(item) for item in untried),
        exploration,
    ]
    chosen: dict[tuple[str, str], Candidate] = {}
    experiment_count = 0
    for candidate in proposals:
        if candidate is None:
            continue
        key = (candidate.category.value, candidate.target)
        is_experiment = isinstance(candidate.finding, UntriedFormat)
        if taken.holds(candidate) or key in chosen or not _fits(candidate, document):
            continue
        if is_experiment and experiment_count >= MAX_EXPERIMENTS:
            continue
        if candidate is exploration and chosen:
            continue  # whatever is approved brings the newer figures along
        experiment_count += is_experiment
        chosen[key] = candidate
    return list(chosen.values())


def _proposable(findings: Sequence[Found], document: Mapping[str, Any]) -> list[Found]:
    """Findings whose change is clear: no contradictions, and one slide count and CTA at most."""
    clear = _without_contradictions(findings)
    surplus: list[Found] = []
    for dimension, key in _SINGLE.items():
        better = [
            finding
            for finding in clear
            if isinstance(finding, Finding)
            and finding.dimension == dimension
            and finding.direction is Direction.BETTER
        ]
        best = _best_segment(better, _present(document.get(key)))
        surplus += [finding for finding in better if finding is not best]
    return [finding for finding in clear if finding not in surplus]


def _present(setting: Any) -> str:
    return str(setting.get("preferred") if isinstance(setting, Mapping) else setting)


def _best_segment(better: Sequence[Finding], present: str) -> Finding | None:
    """The segment to prefer, or None when the present one is not clearly beaten.

    There is one setting for all posts, so it is the best that counts, not the most used.
    """
    best = max(better, key=lambda finding: finding.cautious_effect, default=None)
    if best is not None and any(
        finding.segment == present and finding.effect >= best.cautious_effect for finding in better
    ):
        return None
    return best


def _without_contradictions(findings: Sequence[Found]) -> list[Found]:
    """Leave out segments that are better in one respect and worse in another.

    The context holds one weight per format and one place per pillar, for all platforms together:
    where the findings pull both ways there is no change that is right. A rate gives way to a
    count, because it falls by itself when more people see a post.
    """
    effects = [effect for finding in findings for effect in _effects(finding)]
    kept = [
        effect
        for effect in effects
        if effect.outcome != "engagement_rate_7d"
        or not any(
            _pulls_apart(effect, other) and other.outcome != "engagement_rate_7d"
            for other in effects
        )
    ]
    clear = [effect for effect in kept if not any(_pulls_apart(effect, other) for other in kept)]
    return [finding for finding in findings if all(effect in clear for effect in _effects(finding))]


def _effects(finding: Found) -> tuple[Finding, ...]:
    return finding.carriers if isinstance(finding, Concentration) else (effect_of(finding),)


def _pulls_apart(effect: Finding, other: Finding) -> bool:
    return (
        (effect.dimension, effect.segment) == (other.dimension, other.segment)
        and effect.direction is not other.direction
        and category_of(effect) is (category := category_of(other))
        # Saves and shares have a list each: a format may well be kept and not passed on.
        and (category is not Category.SAVE_VS_SHARE or effect.outcome == other.outcome)
    )


def _from_finding(finding: Found, document: Mapping[str, Any]) -> Candidate | None:
    proposed = proposal(finding, document)
    if proposed is None:
        return None
    return Candidate(
        finding, proposed.category, proposed.target, proposed.operations, figures_of(finding)
    )


def _from_untried(untried: UntriedFormat) -> Candidate | None:
    if not re.fullmatch(SEGMENT_PATTERN, untried.format):
        return None
    return Candidate(
        untried,
        Category.FORMAT_EXPERIMENT,
        f"format:{untried.format}",
        (AddExperimentSuggestion(format=untried.format, reason=untried.reason),),
        figures_of(untried),
    )


def exploration_candidate(
    exploration: Exploration, account_name: str, document: Mapping[str, Any]
) -> Candidate | None:
    """That exploration goes by newer figures, where that makes a difference."""
    finding = exploration_finding(exploration, account_name, document)
    if finding is None or not re.fullmatch(SEGMENT_PATTERN, finding.segment):
        return None
    return Candidate(
        finding,
        Category.FORMAT_EXPERIMENT,
        "exploration",
        (exploration.operation,),
        figures_of(finding),
        template=_EXPLORATION_TEMPLATE,
    )


def _fits(candidate: Candidate, document: Mapping[str, Any]) -> bool:
    """Whether the change is allowed and would change anything."""
    try:
        compile_patch(candidate.operations, document)
    except OperationError:
        return False
    return True
