"""An experiment from a few texts: which way to write does better?

The texts are examples of a way to write, not two posts about one subject: who has seen one of two
posts about the same thing sees the other with other eyes, so one subject never goes to the same
audience twice. What the texts differ in (style of the hook, number of hashtags, length) becomes
the arms, and posts about different subjects are written in one way or the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.clock import utc_now
from pipeline.collect.hook_styles import hook_style
from pipeline.learn.experiments.designs import LONGEST_NAME, PlanRequest
from pipeline.learn.experiments.planning_for_account import Planned, plan_experiment, register
from pipeline.learn.experiments.registering import RefusedDesignError
from pipeline.learn.experiments.registration import (
    SMALLEST_USEFUL_RATIO,
    ArmDesign,
    Origin,
    metric_named,
)
from pipeline.settings import Settings

SHORT, MEDIUM = 80, 240
"""Characters of a caption up to which it is short or medium; longer ones are long."""
LONGEST_CONTENT = 1000
"""Characters of an example; more tell no more about the way to write."""
MOST_HASHTAGS = 50

Variation = Mapping[str, Any]
"""``content``, the text, and ``hashtags``, a list of words, which may be left out."""


@dataclass(frozen=True)
class _Text:
    """One variation, and what it is like."""

    content: str
    hashtags: tuple[str, ...]
    hook_style: str
    length: str

    @property
    def plain(self) -> tuple[str, tuple[str, ...]]:
        """What makes two variations the same."""
        words = " ".join(self.content.casefold().split())
        return words, tuple(sorted({tag.casefold() for tag in self.hashtags}))


def test_content_variations(
    settings: Settings,
    account_name: str,
    variations: Sequence[Variation],
    target_metric: str = "engagement_rate",
    *,
    platform: str | None = None,
    smallest_useful_ratio: float = SMALLEST_USEFUL_RATIO,
    by: str = "a program",
    now: datetime | None = None,
) -> str:
    """Register an experiment that compares ways to write.

    Args:
        settings: Where the account and its figures are.
        account_name: Whose posts.
        variations: An example of each way, ``{"content": …, "hashtags": […]}``; the first is the
            usual one.
        target_metric: What more of is better.
        platform: On which platform; may be left out where the account has one.
        smallest_useful_ratio: Smallest effect worth acting on: 1.2 is 20 % more.
        by: Who asks for it.
        now: The present moment; the clock's when left out.

    Returns:
        The experiment's id; it starts by itself.

    Raises:
        RefusedDesignError: The variations are the same, or the experiment could not tell.
    """
    now = utc_now() if now is None else now
    planned = plan_variations(
        settings,
        account_name,
        variations,
        target_metric,
        platform=platform,
        smallest_useful_ratio=smallest_useful_ratio,
        now=now,
    )
    return register(settings, planned, by=by, now=now).experiment_id


test_content_variations.__test__ = False  # type: ignore[attr-defined] # a name like a test's


def plan_variations(
    settings: Settings,
    account_name: str,
    variations: Sequence[Variation],
    target_metric: str = "engagement_rate",
    *,
    platform: str | None = None,
    smallest_useful_ratio: float = SMALLEST_USEFUL_RATIO,
    now: datetime | None = None,
) -> Planned:
    """What :func:`test_content_variations` would register; nothing is written.

    Raises:
        RefusedDesignError: The variations are the same, or the experiment could not tell.
    """
    arms = arms_of(variations)
    metric = metric_named(target_metric)
    better = metric.label if metric else target_metric
    request = PlanRequest(
        account_name=account_name,
        question=f"Which of {len(arms)} ways to write gets more {better}?",
        arms=arms,
        metric=target_metric,
        smallest_useful_ratio=smallest_useful_ratio,
        platform=platform,
        origin=Origin.VARIATIONS,
    )
    return plan_experiment(settings, request, now=now)


def arms_of(variations: Sequence[Variation]) -> tuple[ArmDesign, ...]:
    """The arms that texts are examples of.

    Raises:
        RefusedDesignError: There are fewer than two texts, two are the same, or one is no text.
    """
    if not isinstance(variations, list | tuple):
        raise RefusedDesignError(["Variations are a list of objects with content and hashtags."])
    reasons: list[str] = []
    texts = [_text(number, variation, reasons) for number, variation in enumerate(variations, 1)]
    known = [text for text in texts if text is not None]
    if len(variations) < 2:
        reasons.append("An experiment compares at least two variations.")
    seen: dict[object, int] = {}
    for number, text in enumerate(texts, 1):
        if text is None:
            continue
        if text.plain in seen:
            reasons.append(f"Variations {seen[text.plain]} and {number} are the same.")
        seen.setdefault(text.plain, number)
    if reasons:
        raise RefusedDesignError(reasons)
    return tuple(_arm(number, text, known) for number, text in enumerate(known, 1))


def _text(number: int, variation: object, reasons: list[str]) -> _Text | None:
    """One variation; None, and the reason, where it is none."""
    if not isinstance(variation, Mapping) or set(variation) - {"content", "hashtags"}:
        reasons.append(f"Variation {number} is no object with content and hashtags alone.")
        return None
    content, tags = variation.get("content"), variation.get("hashtags") or []
    style = hook_style(content) if isinstance(content, str) else None
    if not isinstance(content, str) or style is None:
        reasons.append(f"Variation {number} has no words in its content.")
        return None
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        reasons.append(f"The hashtags of variation {number} are no list of words.")
        return None
    words = tuple(dict.fromkeys(tag.strip().lstrip("#＃") for tag in tags if tag.strip(" #＃")))
    if len(words) > MOST_HASHTAGS:
        reasons.append(f"Variation {number} has more than {MOST_HASHTAGS} hashtags.")
        return None
    caption = " ".join([content.strip(), *(f"#{word}" for word in words)])
    length = "short" if len(caption) <= SHORT else "medium" if len(caption) <= MEDIUM else "long"
    return _Text(content.strip()[:LONGEST_CONTENT], words, style.value, length)


def _arm(number: int, text: _Text, texts: Sequence[_Text]) -> ArmDesign:
    """The way to write that a text is an example of: what it does otherwise than the others."""
    choices, words, asked = {}, [], []
    if len({other.hook_style for other in texts}) > 1:
        choices["hook_style"] = text.hook_style
        words.append(text.hook_style.replace("_", " "))
    if len({len(other.hashtags) for other in texts}) > 1:
        count = len(text.hashtags)
        words.append("no hashtags" if count == 0 else f"{count} hashtag{'s' * (count != 1)}")
        asked.append(f"Use {words[-1]}.")
    if len({other.length for other in texts}) > 1:
        words.append(f"{text.length} caption")
        limits = {"short": f"at most {SHORT}", "medium": f"{SHORT + 1} to {MEDIUM}"}
        limit = limits.get(text.length, f"more than {MEDIUM}")
        asked.append(f"Write a {text.length} caption ({limit} characters, hashtags included).")
    example = " ".join([" ".join(text.content.split()), *(f"#{tag}" for tag in text.hashtags)])
    asked.append(f"Write about the post's own subject in the way of this example: {example}")
    name = f"variation {number}" + (f" ({', '.join(words)})" if words else "")
    return ArmDesign(
        name=name[:LONGEST_NAME].rstrip(), choices=choices, instructions=" ".join(asked)
    )
