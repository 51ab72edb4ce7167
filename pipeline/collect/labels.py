"""Labels of posts: a person's word, else the matched plan, else rules, else the model.

A rule label needs a clear winner: the name with most whole-word hits in the caption, hashtags
included; a tie gives no label. Hook styles have rules of their own (``hook_styles``), of which the
last, that a line is a statement, only says that no sign was found: it stands behind the model.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pipeline.accounts import AccountConfig, Labelled, Platform
from pipeline.collect.hook_styles import HookStyle, hook_style
from pipeline.collect.matching import PostMatch
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost
from pipeline.collect.text_likeness import plain_text


class LabelSource(StrEnum):
    """Where a label comes from; the first that has one wins."""

    PERSON = "person"
    PLANNED = "planned"
    RULE = "rule"
    MODEL = "model"


class Dimension(StrEnum):
    """What a post gets labels for."""

    FORMAT = "format"
    PILLAR = "pillar"
    TOPIC = "topic"
    HOOK_STYLE = "hook_style"
    CTA = "cta"


PostKey = tuple[Platform, str]
"""Platform and post id."""
PersonLabels = Mapping[tuple[Platform, str, str], str | None]
"""What people said, by platform, post id and dimension; None: no label fits."""
ModelLabels = Mapping[PostKey, Mapping[str, str]]
"""What the model said, by post and dimension; a dimension that it left open is missing."""

HOOK_STYLES = tuple(Labelled(name=style.value) for style in HookStyle)


def label_lists(account: AccountConfig) -> dict[Dimension, tuple[Labelled, ...]]:
    """The names that an account allows in each dimension; empty where it lists none."""
    return {
        Dimension.FORMAT: account.formats,
        Dimension.PILLAR: account.content_pillars,
        Dimension.TOPIC: account.topics,
        Dimension.HOOK_STYLE: HOOK_STYLES,
        Dimension.CTA: account.cta,
    }


def label_rows(
    account: AccountConfig,
    plans: Iterable[PlannedPost],
    posts: Iterable[OwnPost],
    matches: Iterable[PostMatch],
    *,
    person: PersonLabels | None = None,
    model: ModelLabels | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of ``raw.post_labels``: at most one label per post and dimension."""
    plan_by_id = {plan.planned_id: plan for plan in plans}
    plan_of_post = {
        (match.platform, match.post_id): plan_by_id[match.planned_id] for match in matches
    }
    lists = label_lists(account)
    person, model = person or {}, model or {}
    for post in posts:
        key = (post.platform, post.post_id)
        plan, answered = plan_of_post.get(key), model.get(key, {})
        for dimension, names in lists.items():
            if (*key, dimension.value) in person:
                label, source = person[*key, dimension.value], LabelSource.PERSON
            else:
                label, source = _found_label(dimension, names, post, plan, answered)
            if label is not None:
                yield {
                    "account_name": account.name,
                    "platform": post.platform.value,
                    "post_id": post.post_id,
                    "dimension": dimension.value,
                    "label": label,
                    "label_source": source.value,
                }


def open_dimensions(account: AccountConfig, post: OwnPost, person: PersonLabels) -> list[Dimension]:
    """The dimensions of a post without a plan that nobody and no rule has labelled.

    Only those whose allowed names are listed: nothing can be asked about the others.
    """
    return [
        dimension
        for dimension, names in label_lists(account).items()
        if names
        and (post.platform, post.post_id, dimension.value) not in person
        and _by_rule(dimension, names, post, None) in (None, HookStyle.STATEMENT.value)
    ]


def _found_label(
    dimension: Dimension,
    names: Sequence[Labelled],
    post: OwnPost,
    plan: PlannedPost | None,
    answered: Mapping[str, str],
) -> tuple[str | None, LabelSource]:
    planned = _planned(dimension, names, plan)
    if planned is not None:
        return planned, LabelSource.PLANNED
    ruled = _by_rule(dimension, names, post, plan)
    is_only_rest = dimension is Dimension.HOOK_STYLE and ruled == HookStyle.STATEMENT.value
    if ruled is not None and not is_only_rest:
        return ruled, LabelSource.RULE
    asked = answered.get(dimension.value)
    # What was answered under a former list of names is no label any more.
    if asked is not None and any(one.name == asked for one in names):
        return asked, LabelSource.MODEL
    return ruled, LabelSource.RULE


def _planned(
    dimension: Dimension, names: Sequence[Labelled], plan: PlannedPost | None
) -> str | None:
    label = None if plan is None else getattr(plan, dimension.value)
    if label is None:
        return None
    listed = _as_listed(label, names)
    is_fixed = dimension is Dimension.HOOK_STYLE
    return None if is_fixed and all(one.name != listed for one in names) else listed


def _by_rule(
    dimension: Dimension, names: Sequence[Labelled], post: OwnPost, plan: PlannedPost | None
) -> str | None:
    if dimension is not Dimension.HOOK_STYLE:
        return rule_label(post.caption, names)
    style = hook_style(plan.hook_text if plan is not None and plan.hook_text else post.caption)
    return None if style is None else style.value


def _as_listed(label: str, names: Sequence[Labelled]) -> str:
    """A plan's label in the account's own spelling where it lists it ("Step Guide", step_guide)."""
    slug = re.sub(r"[\s_-]+", "_", plain_text(label))
    return next((one.name for one in names if one.name == slug), label)


def rule_label(caption: str | None, names: Sequence[Labelled]) -> str | None:
    """The name whose keywords the caption has most often, None without hits or on a tie.

    Keywords match whole words whatever their case, with or without ``#``; a keyword of several
    words also matches the hashtag that joins them.
    """
    if not caption or not names:
        return None
    text = plain_text(caption)
    hits = {
        one.name: sum(_hits(keyword, text) for keyword in dict.fromkeys(one.keywords))
        for one in names
    }
    most = max(hits.values(), default=0)
    winners = [name for name, count in hits.items() if count == most]
    return winners[0] if most and len(winners) == 1 else None


def _hits(keyword: str, text: str) -> int:
    pattern = _keyword_pattern(keyword)
    return len(pattern.findall(text)) if pattern else 0


@lru_cache(maxsize=4096)
def _keyword_pattern(keyword: str) -> re.Pattern[str] | None:
    forms = keyword_forms(keyword)
    if not forms:
        return None
    patterns = (r"\s".join(re.escape(word) for word in form.split(" ")) for form in forms)
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")


def keyword_forms(keyword: str) -> tuple[str, ...]:
    """How a keyword stands in plain text: its words, and as the hashtag that joins several.

    Empty where nothing is left of it.
    """
    plain = plain_text(keyword).lstrip("#").strip()
    words = plain.split(" ")
    if not plain:
        return ()
    return (plain, "#" + "".join(words)) if len(words) > 1 else (plain,)
