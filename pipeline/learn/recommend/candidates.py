"""Which findings may become recommendations, and with which change.

Everything that makes a proposal impossible or pointless is settled here, before anybody words it:
the writers choose among candidates and never see anything else.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.learn.findings import Confidence, Direction, Finding
from pipeline.learn.operations import (
    SEGMENT_PATTERN,
    AddExperimentSuggestion,
    AddHighSaveFormat,
    AddHighShareFormat,
    AddTopPillar,
    AddUnderperformingPillar,
    Operation,
    OperationError,
    RemovePillar,
    SetFormatWeight,
    SetSlideCount,
    compile_patch,
    current_weight,
    proposed_weight,
)
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.recommend.rendering import figures_of
from pipeline.learn.untried import UntriedFormat

MAX_EXPERIMENTS = 1
"""Untried formats proposed at a time: trying several at once teaches less about each."""


@dataclass(frozen=True)
class Candidate:
    """A finding, the change that follows from it, and the figures that may be told."""

    finding: Finding | UntriedFormat
    category: Category
    target: str
    operations: tuple[Operation, ...]
    figures: dict[str, Any]

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


def candidates(
    findings: Sequence[Finding],
    untried: Sequence[UntriedFormat],
    document: Mapping[str, Any],
    *,
    taken: frozenset[tuple[str, str]],
) -> list[Candidate]:
    """What could be recommended, the most worth while first.

    Args:
        findings: Ranked, as `pipeline.learn.findings.find` gives them.
        untried: Formats worth a try.
        document: The account's context as JSON.
        taken: Category and target of what waits for a decision or was refused lately.
    """
    proposals = [
        *(_from_finding(finding, document) for finding in _proposable(findings, document)),
        *(_from_untried(item) for item in untried),
    ]
    chosen: dict[tuple[str, str], Candidate] = {}
    experiment_count = 0
    for candidate in proposals:
        if candidate is None:
            continue
        key = (candidate.category.value, candidate.target)
        is_experiment = candidate.category is Category.FORMAT_EXPERIMENT
        if key in taken or key in chosen or not _fits(candidate, document):
            continue
        if is_experiment and experiment_count >= MAX_EXPERIMENTS:
            continue
        experiment_count += is_experiment
        chosen[key] = candidate
    return list(chosen.values())


def _proposable(findings: Sequence[Finding], document: Mapping[str, Any]) -> list[Finding]:
    """Findings whose change is clear: no contradictions, and one slide count at most."""
    clear = _without_contradictions(findings)
    better_counts = [
        finding
        for finding in clear
        if finding.dimension == "slide_count" and finding.direction is Direction.BETTER
    ]
    best = _best_slide_count(better_counts, document)
    return [finding for finding in clear if finding is best or finding not in better_counts]


def _best_slide_count(better: Sequence[Finding], document: Mapping[str, Any]) -> Finding | None:
    """The count to take as the default, or None when the present one is not clearly beaten.

    There is one default for all carousels, so it is the best that counts, not the most used.
    """
    best = max(better, key=lambda finding: finding.cautious_effect, default=None)
    present = str(document.get("optimal_slide_count"))
    if best is not None and any(
        finding.segment == present and finding.effect >= best.cautious_effect for finding in better
    ):
        return None
    return best


def _without_contradictions(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out segments that are better in one respect and worse in another.

    The context holds one weight per format and one place per pillar, for all platforms together:
    where the findings pull both ways there is no change that is right. A rate gives way to a
    count, because it falls by itself when more people see a post.
    """
    kept = [
        finding
        for finding in findings
        if finding.outcome != "engagement_rate_7d"
        or not any(
            _pulls_apart(finding, other) and other.outcome != "engagement_rate_7d"
            for other in findings
        )
    ]
    return [finding for finding in kept if not any(_pulls_apart(finding, other) for other in kept)]


def _pulls_apart(finding: Finding, other: Finding) -> bool:
    return (
        (finding.dimension, finding.segment) == (other.dimension, other.segment)
        and finding.direction is not other.direction
        and category_of(finding) is category_of(other)
    )


def category_of(finding: Finding) -> Category | None:
    """The category whose change a finding could justify; None for what is only shown."""
    if finding.dimension == "format":
        if finding.outcome in ("save_rate_7d", "share_rate_7d"):
            return Category.SAVE_VS_SHARE
        return Category.FORMAT_WEIGHT
    if finding.dimension == "pillar":
        return Category.PILLAR_REBALANCE
    if finding.dimension == "slide_count":
        return Category.SLIDE_COUNT
    return None


def _from_finding(finding: Finding, document: Mapping[str, Any]) -> Candidate | None:
    category = category_of(finding)
    if category is None or not re.fullmatch(SEGMENT_PATTERN, finding.segment):
        return None
    proposal = _PROPOSALS[category](finding, document)
    if proposal is None:
        return None
    target, operations = proposal
    return Candidate(finding, category, target, operations, figures_of(finding))


def _weight_proposal(finding: Finding, document: Mapping[str, Any]) -> "_Proposal | None":
    weight = proposed_weight(current_weight(document, finding.segment), finding.effect)
    if weight is None:
        return None
    operation = SetFormatWeight(format=finding.segment, weight=weight)
    return f"format:{finding.segment}", (operation,)


def _save_share_proposal(finding: Finding, _: Mapping[str, Any]) -> "_Proposal | None":
    if finding.direction is Direction.WORSE:
        return None
    if finding.outcome == "save_rate_7d":
        return (
            f"high_save_formats:{finding.segment}",
            (AddHighSaveFormat(format=finding.segment),),
        )
    return f"high_share_formats:{finding.segment}", (AddHighShareFormat(format=finding.segment),)


def _pillar_proposal(finding: Finding, document: Mapping[str, Any]) -> "_Proposal | None":
    is_better = finding.direction is Direction.BETTER
    return (
        f"pillar:{finding.segment}",
        _pillar_operations(finding.segment, is_better, document),
    )


def _slide_count_proposal(finding: Finding, _: Mapping[str, Any]) -> "_Proposal | None":
    is_count = finding.segment.isdecimal() and 1 <= int(finding.segment) <= 35
    if finding.direction is Direction.WORSE or not is_count:
        return None
    return "slide_count", (SetSlideCount(slide_count=int(finding.segment)),)


_Proposal = tuple[str, tuple[Operation, ...]]
"""What a change is about, and the change."""

_PROPOSALS: dict[Category, Callable[[Finding, Mapping[str, Any]], _Proposal | None]] = {
    Category.FORMAT_WEIGHT: _weight_proposal,
    Category.SAVE_VS_SHARE: _save_share_proposal,
    Category.PILLAR_REBALANCE: _pillar_proposal,
    Category.SLIDE_COUNT: _slide_count_proposal,
}


def _pillar_operations(
    pillar: str, is_better: bool, document: Mapping[str, Any]
) -> tuple[Operation, ...]:
    opposite = "underperforming_pillars" if is_better else "top_pillars"
    addition: Operation = (
        AddTopPillar(pillar=pillar) if is_better else AddUnderperformingPillar(pillar=pillar)
    )
    if pillar not in document.get(opposite, []):
        return (addition,)
    removal = RemovePillar.model_validate({"list": opposite, "pillar": pillar})
    return (removal, addition)


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


def _fits(candidate: Candidate, document: Mapping[str, Any]) -> bool:
    """Whether the change is allowed and would change anything."""
    try:
        compile_patch(candidate.operations, document)
    except OperationError:
        return False
    return True
