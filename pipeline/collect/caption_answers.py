"""What the model was asked about captions, and which of its answers still hold.

An answer is kept under a hash of everything that it depends on: the caption, the names that the
account allows, and the instructions. So the same caption is never paid for twice, and an answer
that was given under other lists is not used.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.accounts import AccountConfig
from pipeline.collect.labels import ModelLabels, label_lists
from pipeline.collect.own_posts import OwnPost
from pipeline.settings import Settings

PROMPT_PATH = Path(__file__).with_name("label_prompt.md")

LONGEST_CAPTION = 2000
"""Characters of a caption that are shown; what a post is about stands at the beginning."""


def shown_caption(post: OwnPost) -> str | None:
    """The part of a post's caption that a model sees, or None when there are no words in it."""
    caption = (post.caption or "").strip()[:LONGEST_CAPTION]
    return caption if any(character.isalnum() for character in caption) else None


def allowed_names(account: AccountConfig) -> dict[str, dict[str, list[str]]]:
    """Names and their keywords by dimension, without the dimensions that list none."""
    return {
        dimension.value: {one.name: list(one.keywords) for one in names}
        for dimension, names in label_lists(account).items()
        if names
    }


def content_sha256(account: AccountConfig, caption: str) -> str:
    """Hash of a caption and of all that its labels depend on, but for the model."""
    return _sha256(lists_text(account), caption)


def content_hashes(account: AccountConfig, posts: Iterable[OwnPost]) -> dict[str, list[OwnPost]]:
    """Posts by the hash of their caption; posts without words are left out."""
    lists = lists_text(account)
    posts_of: dict[str, list[OwnPost]] = {}
    for post in posts:
        caption = shown_caption(post)
        if caption is not None:
            posts_of.setdefault(_sha256(lists, caption), []).append(post)
    return posts_of


def model_labels(
    settings: Settings, account: AccountConfig, posts: Iterable[OwnPost]
) -> ModelLabels:
    """The stored answers about some posts: those of the present model, else the newest ones."""
    from pipeline.clients.state_labels import has_model_labels, model_label_rows

    if not has_model_labels(settings):
        return {}
    posts_of = content_hashes(account, posts)
    found: dict[str, dict[str, str]] = {}
    rows = model_label_rows(settings, list(posts_of))
    for row in sorted(rows, key=lambda row: row["model"] == settings.model):
        if row["labels"] is not None:
            found[row["content_sha256"]] = row["labels"]
    return {
        (post.platform, post.post_id): labels
        for content, labels in found.items()
        for post in posts_of[content]
    }


def lists_text(account: AccountConfig) -> str:
    """All that the labels of a caption depend on beside it, as one text."""
    prompt = PROMPT_PATH.read_text(encoding="utf-8")
    return json.dumps([prompt, allowed_names(account)], ensure_ascii=False, sort_keys=True)


def _sha256(lists: str, caption: str) -> str:
    text = f"{lists}\0{caption}"
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()
