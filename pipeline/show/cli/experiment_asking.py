"""What somebody says of an experiment: read from options, and asked for where it is missing.

An arm is written ``NAME=DIMENSION:SEGMENT``, with commas between several choices, such as
``question=hook_style:question,daypart:evening``; a name alone leaves everything to the draw.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import UsageError
from pipeline.show.cli import output

if TYPE_CHECKING:
    from pipeline.learn.experiments.registration import ArmDesign, GuardDesign

ARM_FORM = "NAME=DIMENSION:SEGMENT"
GUARD_FORM = "METRIC:RATIO"

_Parsed = TypeVar("_Parsed")


class NoMoreAnswersError(Exception):
    """The input ended, or was interrupted, while something was asked for."""


@dataclass(frozen=True)
class Answers:
    """What is known of a design."""

    question: str
    arms: "tuple[ArmDesign, ...]"
    metric: str
    guards: "tuple[GuardDesign, ...]"
    smallest_useful_ratio: float
    was_asked: bool
    """Whether anything was asked for, so that a further question makes sense."""


@dataclass(frozen=True)
class Given:
    """What the options say; None and empty where they say nothing."""

    question: str | None
    arms: Sequence[str]
    instructions: Sequence[str]
    metric: str | None
    guards: Sequence[str]
    smallest_useful: str | None
    may_ask: bool
    """False where stdout is data for a program."""


def complete(given: Given) -> Answers:
    """The design, after asking for what the options leave out.

    A question and arms are asked for wherever they are missing; what has a default only on a
    terminal, or together with them. Answers may be piped.

    Raises:
        UsageError: An option is not of its form, or something is missing that may not be asked for.
        NoMoreAnswersError: The input ended before everything was known.
    """
    from pipeline.learn.experiments.registration import SMALLEST_USEFUL_RATIO

    arms = [parsed_arm(text) for text in given.arms]
    guards = tuple(parsed_guard(text) for text in given.guards)
    ratio = None if given.smallest_useful is None else parsed_ratio(given.smallest_useful)
    is_short = not given.question or not arms
    if is_short and not given.may_ask:
        missing = "--question" if not given.question else "--arm, twice or more"
        raise UsageError(f"Say what is to be compared: {missing} is missing.")
    asks = given.may_ask and (is_short or sys.stdin.isatty())
    question = given.question or _ask("Question: ", _some_text)
    if not arms:
        arms = _asked_arms()
    metric = given.metric
    if metric is None:
        metric = _asked_metric() if asks else "engagement_rate_7d"
    if not given.guards and asks:
        guards = _ask(
            f"Guardrails ({GUARD_FORM}, commas between; empty for none): ", _parsed_guards
        )
    if ratio is None:
        ratio = SMALLEST_USEFUL_RATIO
        if asks:
            ratio = _ask(
                f"Smallest useful effect, as a ratio or in percent [{ratio:g}]: ", _ratio_or_usual
            )
    return Answers(
        question=question,
        arms=with_instructions(arms, given.instructions),
        metric=metric,
        guards=guards,
        smallest_useful_ratio=ratio,
        was_asked=asks,
    )


def parsed_arm(text: str) -> "ArmDesign":
    """An arm of its text form.

    Raises:
        UsageError: It is not of that form.
    """
    from pipeline.learn.experiments.registration import ArmDesign

    name, _, rest = text.partition("=")
    choices: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in rest.split(","))):
        dimension, colon, segment = (piece.strip() for piece in part.partition(":"))
        if not (dimension and colon and segment) or dimension in choices:
            raise UsageError(
                f"{part!r} is no choice of an arm: write {ARM_FORM}, such as "
                "question=hook_style:question."
            )
        choices[dimension] = segment
    if not name.strip() or ("=" in text and not choices):
        raise UsageError(
            f"{text!r} is no arm: write {ARM_FORM}, or a name alone for one that leaves "
            "everything to the draw."
        )
    return ArmDesign(name=name.strip(), choices=choices)


def parsed_guard(text: str) -> "GuardDesign":
    """A guardrail of its text form; 0.9 when no ratio is given.

    Raises:
        UsageError: It is not of that form.
    """
    from pipeline.learn.experiments.registration import GuardDesign

    metric, colon, ratio = (piece.strip() for piece in text.partition(":"))
    try:
        return GuardDesign(metric, float(ratio) if colon else 0.9)
    except ValueError:
        raise UsageError(
            f"{text!r} is no guardrail: write {GUARD_FORM}, such as save_rate:0.9."
        ) from None


def parsed_ratio(text: str) -> float:
    """A smallest useful effect: ``1.2``, or ``20%`` for the same.

    Raises:
        UsageError: It is neither.
    """
    plain = text.strip()
    try:
        if plain.endswith("%"):
            return 1 + float(plain[:-1]) / 100
        return float(plain)
    except ValueError:
        raise UsageError(
            f"{text!r} is no smallest useful effect: write a ratio such as 1.2, or 20%."
        ) from None


def with_instructions(
    arms: "Sequence[ArmDesign]", instructions: Sequence[str]
) -> "tuple[ArmDesign, ...]":
    """The arms with what is to be said to who writes their posts (``NAME=TEXT``).

    Raises:
        UsageError: There is no arm of such a name, or no text.
    """
    from dataclasses import replace

    told: dict[str, str] = {}
    for text in instructions:
        name, _, words = (piece.strip() for piece in text.partition("="))
        if not words or name in told or name not in {arm.name for arm in arms}:
            raise UsageError(
                f"{text!r} instructs no arm: write NAME=TEXT with the name of one, once."
            )
        told[name] = words
    return tuple(replace(arm, instructions=told.get(arm.name)) for arm in arms)


def typed(prompt: str) -> str:
    """What was typed.

    Raises:
        NoMoreAnswersError: There will be nothing more.
    """
    try:
        answer = input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        output.say()
        raise NoMoreAnswersError from None
    if not sys.stdin.isatty():
        output.say()  # nobody typed the line break that ends the prompt's line
    return answer


def agrees(prompt: str) -> bool:
    """Whether somebody says yes; whatever else they say, or nothing more, is no."""
    try:
        return typed(prompt)[:1].casefold() == "y"
    except NoMoreAnswersError:
        return False


def _ask(prompt: str, parse: Callable[[str], _Parsed]) -> _Parsed:
    """An answer that can be read; what cannot is told and asked for again."""
    while True:
        answer = typed(prompt)
        try:
            return parse(answer)
        except UsageError as error:
            output.say(output.plain(str(error)))


def _some_text(text: str) -> str:
    if not text:
        raise UsageError("An experiment needs a question.")
    return text


def _asked_arms() -> "list[ArmDesign]":
    output.say(f"Arms are written {ARM_FORM}, such as usual=hook_style:statement.")
    arms = [_ask("The usual arm: ", parsed_arm), _ask("An arm to try: ", parsed_arm)]
    while True:
        another = _ask("Another one (empty for none): ", _arm_or_none)
        if another is None:
            return arms
        arms.append(another)


def _arm_or_none(text: str) -> "ArmDesign | None":
    return parsed_arm(text) if text else None


def _asked_metric() -> str:
    from pipeline.learn.experiments.registration import METRICS

    output.say(f"Metrics: {', '.join(METRICS)}.")
    return _ask("Metric [engagement_rate_7d]: ", _known_metric)


def _known_metric(text: str) -> str:
    from pipeline.learn.experiments.registration import metric_named

    metric = metric_named(text or "engagement_rate_7d")
    if metric is None:
        raise UsageError(f"There is no metric {text!r}.")
    return metric.name


def _parsed_guards(text: str) -> "tuple[GuardDesign, ...]":
    return tuple(parsed_guard(part) for part in filter(None, map(str.strip, text.split(","))))


def _ratio_or_usual(text: str) -> float:
    from pipeline.learn.experiments.registration import SMALLEST_USEFUL_RATIO

    ratio = parsed_ratio(text) if text else SMALLEST_USEFUL_RATIO
    if not ratio > 1:
        raise UsageError("It must be more than the usual, such as 1.2 or 20%.")
    return ratio
