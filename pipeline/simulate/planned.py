"""What the generator left behind: a folder per planned post under ``accounts/<name>/output``."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pipeline.simulate.posts import MediaType, Post
from pipeline.simulate.seeds import stream
from pipeline.simulate.world import World

PLANNED_SHARE = 0.7
"""Share of posts that were planned; the others get their labels from the caption's words."""


def write_planned(world: World, accounts_dir: Path) -> list[Path]:
    """Write ``meta.json`` and ``carousel_data.json`` for most posts.

    The planned caption differs lightly from the published one, and the planned time by minutes, as
    when a person posts by hand. A video has no ``carousel_data.json``.

    Args:
        world: The world.
        accounts_dir: The home's ``accounts`` folder.

    Returns:
        The folders, by account and time.

    Raises:
        OSError: The folder is not writable.
    """
    folders = []
    for post in world.posts:
        rng = stream(world.seed, "planned", post.platform.value, post.post_id)
        if float(rng.random()) >= PLANNED_SHARE:
            continue
        output = accounts_dir / post.account_name / "output"
        slug = re.sub(r"[^a-z0-9]+", "_", post.caption.topic.lower()).strip("_")
        name = f"{post.local_at:%Y-%m-%d}_{post.local_at:%H%M}_{post.platform.value}_{slug}"
        folder = output / name
        folder.mkdir(parents=True, exist_ok=True)
        options = orjson.OPT_INDENT_2
        (folder / "meta.json").write_bytes(orjson.dumps(_meta(post, rng), option=options))
        if post.media_type is not MediaType.VIDEO:
            (folder / "carousel_data.json").write_bytes(
                orjson.dumps({"slides": _slides(post)}, option=options)
            )
        folders.append(folder)
    return folders


def _meta(post: Post, rng: np.random.Generator) -> dict[str, Any]:
    planned_at = post.local_at + timedelta(minutes=int(rng.integers(-40, 5)))
    return {
        "published_at": planned_at.isoformat(timespec="seconds"),
        "platform": post.platform.value,
        "topic": post.caption.topic,
        "format": post.format,
        "pillar": post.pillar,
        "hook_text": post.caption.hook,
        "hook_score": round(float(np.clip(rng.normal(13.0, 2.5), 0.0, 20.0)), 1),
        "slide_count": post.slide_count,
        "cta": post.call,
        "caption": _edited(post.caption.text, rng),
    }


def _slides(post: Post) -> list[dict[str, Any]]:
    texts = [post.caption.hook, *post.caption.lines][: post.slide_count or 1]
    return [{"slide": number, "text": text} for number, text in enumerate(texts, start=1)]


def _edited(caption: str, rng: np.random.Generator) -> str:
    """The caption before somebody touched it up in the app."""
    edit = int(rng.integers(4))
    if edit == 0:
        return caption
    if edit == 1:
        return caption.partition("\n#")[0]
    if edit == 2:
        return re.sub(r"[^\w\s'’:,.!?()#<>/=-]", "", caption)
    return caption.replace("\n\n", "\n") + " "
