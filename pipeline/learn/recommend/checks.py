"""What a model's answer must hold before a word of it is stored.

The checks are stricter than good style needs: a rejected sentence costs one more question or the
rules' own wording, an accepted wrong one costs a person's trust.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline.learn.findings import Direction
from pipeline.learn.operations import (
    ModelOperation,
    Operation,
    OperationError,
    SetFormatWeight,
    current_weight,
)
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.recommend.rendering import (
    TemplateError,
    literal_text,
    placeholders,
    used_placeholders,
)
from pipeline.learn.recommend.rules import Draft

MAX_TEMPLATE_CHARACTERS = 400

_NUMBER_WORDS = re.compile(
    r"""\b(?:
        zero | one | two | three | four | five | six | seven | eight | nine | ten | eleven | twelve
        | (?:thir|four|fif|six|seven|eigh|nine)teen\w*
        | (?:twen|thir|for|fif|six|seven|eigh|nine)ty\w*
        | hundred\w* | thousand\w* | million\w* | billion\w* | dozen\w* | \w+fold
        | once | twice | thrice | doubl\w+ | tripl\w+ | quadrupl\w+ | half | halv\w+ | thirds?
        | quarters? | fifths? | tenths? | percent\w* | couple | pair
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WORDS_OF_WORSE = re.compile(
    r"""\b(?:
        not? | never | worse | worst | fewer | less | low(?:er|est)? | underperform\w* | below
        | drop\w* | declin\w+ | weak\w* | poor\w* | lag\w* | behind | hurts? | falls? | bad(?:ly)?
        | only
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WORDS_OF_BETTER = re.compile(
    r"""\b(?:
        not? | never | better | best | more | high(?:er|est)? | outperform\w* | above | beats?
        | strong\w* | top | lead(?:s|ing)? | ahead | wins? | winning | exceed\w* | excellent | great
        | good | well
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WORDS_OF_ORDERS = re.compile(
    r"\b(?: ignor\w+ | instruct\w* | prompts? | approv\w+ | reject\w* | passwords? )\b",
    re.IGNORECASE | re.VERBOSE,
)
"""An insight tells what was measured; it asks nothing of its reader, nor of another program."""

_FORBIDDEN_TEXT = re.compile(r"[<>`@×%‰{}?]|://|www\.", re.IGNORECASE)


class AnswerItem(BaseModel):
    """One finding that the model takes up."""

    model_config = ConfigDict(extra="forbid")

    finding_id: str = Field(description="Copied from the finding.")
    category: Literal[
        "format_weight",
        "hook_style",
        "topic_priority",
        "pillar_rebalance",
        "format_experiment",
        "failure_pattern",
        "80_20_insight",
        "save_vs_share",
        "slide_count",
        "cta_strategy",
    ] = Field(description="Copied from the finding.")
    insight_template: str = Field(
        description="One sentence with placeholders in braces instead of figures and names."
    )
    operations: list[ModelOperation] = Field(description="The finding's proposed operations.")


class RecommendationAnswer(BaseModel):
    """The model's choice, best first."""

    model_config = ConfigDict(extra="forbid")

    items: list[AnswerItem]


_ANSWERABLE: TypeAdapter[tuple[ModelOperation, ...]] = TypeAdapter(tuple[ModelOperation, ...])


def may_be_answered(candidate: Candidate) -> bool:
    """Whether a model may word a candidate: no sentence of its own, and only plain operations."""
    if candidate.template is not None:
        return False
    try:
        _ANSWERABLE.validate_python([item.model_dump() for item in candidate.operations])
    except ValidationError:
        return False
    return True


def check_answer(
    answer: RecommendationAnswer,
    candidates: Sequence[Candidate],
    document: Mapping[str, Any],
    *,
    limit: int,
    names: frozenset[str],
) -> tuple[list[Draft], list[str]]:
    """The drafts of an answer, and everything that is wrong with it.

    Args:
        answer: What the model said.
        candidates: What it was given to choose from.
        document: The account's context as JSON.
        limit: Most items allowed.
        names: Formats, pillars and platforms, which a sentence may only name by placeholder.

    Returns:
        Drafts that may be stored, and reasons against the others; use the drafts only when there
        are no reasons.
    """
    known = {candidate.finding.finding_id: candidate for candidate in candidates}
    drafts: list[Draft] = []
    reasons: list[str] = []
    if len(answer.items) > limit:
        reasons.append(f"{len(answer.items)} items where at most {limit} are allowed")
    seen: set[str] = set()
    for item in answer.items:
        shown = item.finding_id[:40]
        candidate = known.get(item.finding_id)
        if candidate is None:
            reasons.append(f"{shown!r} is no finding that was given")
            continue
        if item.finding_id in seen:
            reasons.append(f"{shown} is used more than once")
            continue
        seen.add(item.finding_id)
        wrong = [
            *_wrong_category(item, candidate),
            *wrong_template(item.insight_template, candidate, names),
            *_wrong_operations(item.operations, candidate, document),
        ]
        reasons.extend(f"{shown}: {reason}" for reason in wrong)
        if not wrong:
            drafts.append(Draft(candidate, item.insight_template.strip(), tuple(item.operations)))
    return drafts, reasons


def wrong_template(template: str, candidate: Candidate, names: frozenset[str]) -> list[str]:
    """Reasons against a model's sentence; none when it may be shown."""
    allowed = placeholders(candidate.figures)
    try:
        used = set(used_placeholders(template))
    except TemplateError as error:
        return [f"insight_template: {error}"]
    reasons = [
        f"insight_template: {{{name[:40]}}} is none of {', '.join(sorted(allowed))}"
        for name in sorted(used - set(allowed))
    ]
    needed = {"segment", "effect", "ratio", "interval", "n"} & set(allowed)
    reasons += [f"insight_template: {{{name}}} is missing" for name in sorted(needed - used)]
    if len(template) > MAX_TEMPLATE_CHARACTERS:
        reasons.append(f"insight_template: longer than {MAX_TEMPLATE_CHARACTERS} characters")
    text = literal_text(template)
    reasons += [f"insight_template: {reason}" for reason in wrong_words(text)]
    reasons += [
        f"insight_template: {name!r} in words instead of a placeholder"
        for name in sorted(names)
        if _mentions(text, name)
    ]
    return reasons + _wrong_direction(text, candidate)


def wrong_words(text: str) -> list[str]:
    """Reasons against a sentence's own words, outside of its placeholders."""
    reasons = []
    if any(character.isnumeric() for character in text):
        reasons.append("a number that is no placeholder")
    if _FORBIDDEN_TEXT.search(text) or not text.isprintable():
        reasons.append("a sign that is not allowed in a plain sentence")
    reasons += [f"the number word {word!r}" for word in _found(_NUMBER_WORDS, text)]
    reasons += [f"{word!r} is an order, no finding" for word in _found(_WORDS_OF_ORDERS, text)]
    return reasons


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    return sorted({word.lower() for word in pattern.findall(text)})


def _mentions(text: str, name: str) -> bool:
    """Whether a name stands in a text, however its parts are joined."""
    pattern = r"[\s_-]+".join(re.escape(part) for part in name.split("_") if part)
    return re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) is not None


def _wrong_direction(text: str, candidate: Candidate) -> list[str]:
    if candidate.direction is None:
        return []
    is_better = candidate.direction is Direction.BETTER
    contrary = _WORDS_OF_WORSE if is_better else _WORDS_OF_BETTER
    return [
        f"insight_template: {word!r} says the opposite of a finding that is "
        f"{candidate.direction.value}"
        for word in _found(contrary, text)
    ]


def _wrong_category(item: AnswerItem, candidate: Candidate) -> list[str]:
    if Category(item.category) is candidate.category:
        return []
    return [f"category {item.category} where the finding is {candidate.category.value}"]


def _wrong_operations(
    operations: Sequence[Operation], candidate: Candidate, document: Mapping[str, Any]
) -> list[str]:
    """A model may leave the change as it is or choose another weight on the same side."""
    proposed = candidate.operations
    if len(operations) != len(proposed) or not all(
        _is_allowed(given, expected, document)
        for given, expected in zip(operations, proposed, strict=True)
    ):
        return ["operations are not those that the finding allows"]
    try:
        compile_patch(operations, document)
    except OperationError as error:
        return [f"operations: {error}"]
    return []


def _is_allowed(given: Operation, expected: Operation, document: Mapping[str, Any]) -> bool:
    if not isinstance(given, SetFormatWeight) or not isinstance(expected, SetFormatWeight):
        return given == expected
    current = current_weight(document, expected.format)
    same_side = (given.weight > current) is (expected.weight > current)
    return given.format == expected.format and same_side and round(given.weight, 2) == given.weight
