"""Labels of posts: from the matched plan, else from words in the caption.

A rule label needs a clear winner: the name with most whole-word hits in the caption, hashtags
included; a tie gives no label.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pipeline.accounts import AccountConfig, Labelled
from pipeline.collect.matching import PostMatch, plain_text
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost


class LabelSource(StrEnum):
    """Where a label comes from."""

    PLANNED = "planned"
    RULE = "rule"


def label_rows(
    account: AccountConfig,
    plans: Iterable[PlannedPost],
    posts: Iterable[OwnPost],
    matches: Iterable[PostMatch],
) -> list[dict[str, Any]]:
    """Rows of ``raw.post_labels``: at most one label per post and dimension."""
    plan_by_id = {plan.planned_id: plan for plan in plans}
    plan_of_post = {
        (match.platform, match.post_id): plan_by_id[match.planned_id] for match in matches
    }
    listed = {
        "format": account.formats,
        "pillar": account.content_pillars,
        "topic": (),
        "cta": account.cta,
    }
    rows = []
    for post in posts:
        plan = plan_of_post.get((post.platform, post.post_id))
        for dimension, names in listed.items():
            label, source = None, LabelSource.PLANNED
            if plan is not None:
                label = _as_listed(getattr(plan, dimension), names)
            if label is None:
                label, source = rule_label(post.caption, names), LabelSource.RULE
            if label is not None:
                rows.append(
                    {
                        "account_name": account.name,
                        "platform": post.platform.value,
                        "post_id": post.post_id,
                        "dimension": dimension,
                        "label": label,
                        "label_source": source.value,
                    }
                )
    return rows


def _as_listed(label: str | None, names: Sequence[Labelled]) -> str | None:
    """A plan's label in the account's own spelling where it lists it ("Step Guide", step_guide)."""
    if label is None:
        return None
    slug = re.sub(r"[\s_-]+", "_", plain_text(label))
    return next((one.name for one in names if one.name == slug), label)


def rule_label(caption: str | None, names: Sequence[Labelled]) -> str | None:
    """The name whose keywords the caption has most often, None without hits or on a tie.

    Keywords match whole words whatever their case, with or without ``#``; a keyword of several
    words also matches the hashtag that joins them.
    """
    if not caption:
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
    plain = plain_text(keyword).lstrip("#").strip()
    if not plain:
        return None
    words = plain.split(" ")
    forms = [r"\s".join(re.escape(word) for word in words)]
    if len(words) > 1:
        forms.append("#" + re.escape("".join(words)))
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)")
