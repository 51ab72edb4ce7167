"""The rule-based writer: fixed sentences for each category, best findings first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.learn.concentration import Concentration
from pipeline.learn.failure_findings import FailurePattern
from pipeline.learn.findings import Direction, Finding
from pipeline.learn.operations import ExperimentReason, Operation
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.untried import UntriedFormat

_EVIDENCE = "({interval}, {n} posts sampled)"

_SUBJECTS = {
    Category.FORMAT_WEIGHT: "{segment} posts on {platform} get",
    Category.HOOK_STYLE: "Posts on {platform} with {segment} hooks get",
    Category.TOPIC_PRIORITY: "Posts about {segment} on {platform} get",
    Category.PILLAR_REBALANCE: "{segment} is {share} of the posts on {platform} and gets",
    Category.SAVE_VS_SHARE: "{segment} posts on {platform} have",
    Category.SLIDE_COUNT: "{segment} posts on {platform} get",
    Category.CTA_STRATEGY: "Posts on {platform} that end with {segment} get",
}
_USUAL = " {effect} the account's usual {outcome} "
_ONLY_USUAL = " only {effect} the account's usual {outcome} "

_TEMPLATES = {
    (category, direction): subject + usual + _EVIDENCE
    for category, subject in _SUBJECTS.items()
    for direction, usual in ((Direction.BETTER, _USUAL), (Direction.WORSE, _ONLY_USUAL))
}

_PILLAR_SHARES = (
    "{segment} is {share} of the posts on {platform} and {engagement_share} of the engagement; it "
    "gets"
)
_PILLAR_TEMPLATES = {
    Direction.BETTER: _PILLAR_SHARES + _USUAL + _EVIDENCE,
    Direction.WORSE: _PILLAR_SHARES + _ONLY_USUAL + _EVIDENCE,
}
"""Where it is known what the pillar brings."""

_FAILURE_SUBJECTS = {
    "hook_style": "Posts on {platform} with {segment} hooks",
    "topic": "Posts about {segment} on {platform}",
    "cta": "Posts on {platform} that end with {segment}",
}
_FAILURE = (
    " are among the weakest by {outcome} in {worst_share} of the cases, {ratio} as often as the "
    "account's posts are in all " + _EVIDENCE
)

_CONCENTRATION = (
    "{segment}, {segment_count} of {all_segment_count} %s, are {share} of the posts on {platform} "
    "and {engagement_share} of the engagement: typically {effect} the {outcome} of the others "
    + _EVIDENCE
)

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
    """The candidate's own sentence, or the fixed one of its category."""
    if candidate.template is not None:
        return candidate.template
    finding = candidate.finding
    match finding:
        case UntriedFormat():
            return _EXPERIMENT_TEMPLATES[finding.reason]
        case Concentration():
            return _CONCENTRATION % f"{finding.carriers[0].dimension}s"
        case FailurePattern():
            subject = _FAILURE_SUBJECTS.get(
                finding.effect.dimension, "{segment} posts on {platform}"
            )
            return subject + _FAILURE
        case Finding() if finding.engagement_share is not None:
            return _PILLAR_TEMPLATES[finding.direction]
        case Finding():
            return _TEMPLATES[candidate.category, finding.direction]


def write(candidates: Sequence[Candidate], limit: int) -> list[Draft]:
    """The first candidates, each in its category's words."""
    return [
        Draft(candidate, template_for(candidate), candidate.operations)
        for candidate in candidates[:limit]
    ]
