"""The rule-based writer: fixed sentences for each category, best findings first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.learn.findings import Direction, Finding
from pipeline.learn.operations import ExperimentReason, Operation
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.untried import UntriedFormat

_EVIDENCE = "({interval}, {n} posts sampled)"

_TEMPLATES = {
    (Category.FORMAT_WEIGHT, Direction.BETTER): (
        "{segment} posts on {platform} get {effect} the account's usual {outcome} " + _EVIDENCE
    ),
    (Category.FORMAT_WEIGHT, Direction.WORSE): (
        "{segment} posts on {platform} get only {effect} the account's usual {outcome} " + _EVIDENCE
    ),
    (Category.PILLAR_REBALANCE, Direction.BETTER): (
        "{segment} is {share} of the posts on {platform} and gets {effect} the account's usual "
        "{outcome} " + _EVIDENCE
    ),
    (Category.PILLAR_REBALANCE, Direction.WORSE): (
        "{segment} is {share} of the posts on {platform} and gets only {effect} the account's "
        "usual {outcome} " + _EVIDENCE
    ),
    (Category.SAVE_VS_SHARE, Direction.BETTER): (
        "{segment} posts on {platform} have {effect} the account's usual {outcome} " + _EVIDENCE
    ),
    (Category.SLIDE_COUNT, Direction.BETTER): (
        "{segment} posts on {platform} get {effect} the account's usual {outcome} " + _EVIDENCE
    ),
}

_EXPERIMENT_TEMPLATES = {
    ExperimentReason.UNTESTED: "The {segment} format is listed and untested ({n} posts sampled)",
    ExperimentReason.RARELY_USED: (
        "The {segment} format has {post_count}, too few to learn from ({n} posts sampled)"
    ),
    ExperimentReason.NOT_USED_LATELY: (
        "The {segment} format was {last_used} and has {post_count} ({n} posts sampled)"
    ),
}


@dataclass(frozen=True)
class Draft:
    """A candidate with the words and the change that a writer chose for it."""

    candidate: Candidate
    insight_template: str
    operations: tuple[Operation, ...]


def template_for(candidate: Candidate) -> str:
    """The fixed sentence of a candidate's category."""
    finding = candidate.finding
    if isinstance(finding, UntriedFormat):
        return _EXPERIMENT_TEMPLATES[finding.reason]
    assert isinstance(finding, Finding)
    return _TEMPLATES[candidate.category, finding.direction]


def write(candidates: Sequence[Candidate], limit: int) -> list[Draft]:
    """The first candidates, each in its category's words."""
    return [
        Draft(candidate, template_for(candidate), candidate.operations)
        for candidate in candidates[:limit]
    ]
