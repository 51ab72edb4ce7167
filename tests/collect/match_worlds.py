"""Accounts whose planned posts and posts are known to belong together, in many ways of posting.

The captions are the simulator's. What a person does to them before posting, and when, is drawn
here: the truth is by construction, and nothing of the matcher is used.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.matching import match_posts
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost
from pipeline.simulate.posts import Post
from pipeline.simulate.seeds import pick, stream
from pipeline.simulate.world import DEFAULT_END, build_world

PLANNED_COUNT = 300


@dataclass(frozen=True)
class MatchWorld:
    """Plans and posts of one account on TikTok, and which belong together."""

    account: AccountConfig
    plans: tuple[PlannedPost, ...]
    posts: tuple[OwnPost, ...]
    truth: dict[str, str]
    """Planned id by post id, of the posts that have a plan."""


@dataclass(frozen=True)
class Figures:
    """How well a matching meets the truth."""

    precision: float
    recall: float
    wrong_without_plan: int
    """Matches of posts that have no plan."""
    match_count: int


def measured(world: MatchWorld) -> Figures:
    """The matcher's figures in a world."""
    found = match_posts(world.account, world.plans, world.posts)
    right = sum(world.truth.get(match.post_id) == match.planned_id for match in found)
    return Figures(
        precision=right / max(1, len(found)),
        recall=right / max(1, len(world.truth)),
        wrong_without_plan=sum(match.post_id not in world.truth for match in found),
        match_count=len(found),
    )


def ordinary_world(seed: int, planned_share: float = 0.7) -> MatchWorld:
    """Captions of their own, edited by hand, on other days than planned; many posts unplanned."""
    world, posts = _world(seed, int(PLANNED_COUNT / planned_share))
    rng = stream(seed, "ordinary")
    planned = {int(i) for i in rng.choice(len(posts), PLANNED_COUNT, replace=False)}
    return _built(
        world,
        [
            _Pair(_text(post), post.local_at, post, index in planned)
            for index, post in enumerate(posts)
        ],
        rng,
    )


def mixed_world(seed: int) -> MatchWorld:
    """As the ordinary one, with series, reposts, doubled plans and posts without a caption."""
    world, posts = _world(seed, int(PLANNED_COUNT / 0.75))
    rng = stream(seed, "mixed")
    pairs: list[_Pair] = []
    series, number = _text(posts[0]), 0
    for index, post in enumerate(posts):
        mark = float(rng.random())
        is_planned = float(rng.random()) < 0.75
        text = _text(post)
        if mark < 0.15:  # the next part of a series, alike but for its number
            number += 1
            text = f"Bedtime diary, day {number}\n{series}"
        elif mark < 0.18:
            text = ""
        pairs.append(_Pair(text, post.local_at, post, is_planned))
        if 0.18 <= mark < 0.22:  # posted again unplanned, some days later
            again = post.local_at + timedelta(days=int(rng.integers(3, 30)))
            pairs.append(_Pair(text, again, post, False, f"{index}_again"))
    return _built(world, pairs, rng, doubled_share=0.02)


@dataclass(frozen=True)
class _Pair:
    text: str
    local_at: datetime
    post: Post
    is_planned: bool
    suffix: str = ""


def _world(seed: int, count: int) -> tuple[AccountConfig, list[Post]]:
    days = int(count / 1.6) + 10
    world = build_world(seed, start=DEFAULT_END - timedelta(days=days))
    account = world.account("dreamtimelullabies")
    return account, list(world.profile_posts(account.name, Platform.TIKTOK))[:count]


def _text(post: Post) -> str:
    return post.caption.text


def _built(
    account: AccountConfig,
    pairs: Sequence[_Pair],
    rng: np.random.Generator,
    *,
    doubled_share: float = 0.0,
) -> MatchWorld:
    plans: list[PlannedPost] = []
    posts: list[OwnPost] = []
    truth: dict[str, str] = {}
    for index, pair in enumerate(pairs):
        post_id = f"{pair.post.post_id}{pair.suffix}"
        published = pair.text
        if pair.is_planned:
            plan = _plan(account, f"plan_{index:04}", pair, rng)
            published = edited(pair.text, rng) if pair.text else ""
            plans.append(plan)
            truth[post_id] = plan.planned_id
            if float(rng.random()) < doubled_share:
                plans.append(_plan(account, f"plan_{index:04}_copy", pair, rng))
        posts.append(OwnPost(Platform.TIKTOK, post_id, pair.local_at.astimezone(UTC), published))
    return MatchWorld(account, tuple(plans), tuple(posts), truth)


def _plan(
    account: AccountConfig, planned_id: str, pair: _Pair, rng: np.random.Generator
) -> PlannedPost:
    """Planned up to two days from the posting; a quarter carry a plain date, a tenth no caption."""
    shift = pick(rng, (-2, -1, -1, 0, 0, 0, 0, 1, 1, 2))
    local = pair.local_at + timedelta(days=shift, minutes=int(rng.integers(-60, 10)))
    local = local.replace(
        day=(pair.local_at + timedelta(days=shift)).day,
        month=(pair.local_at + timedelta(days=shift)).month,
        year=(pair.local_at + timedelta(days=shift)).year,
    )
    if float(rng.random()) < 0.25:
        local = local.replace(hour=0, minute=0, second=0)
    has_caption = float(rng.random()) >= 0.1
    return PlannedPost(
        account_name=account.name,
        planned_id=planned_id,
        platform="tiktok",
        planned_at=local.astimezone(UTC),
        topic=pair.post.caption.topic,
        format=pair.post.format,
        hook_text=pair.text.partition("\n")[0] if pair.text else None,
        caption=pair.text if has_caption else None,
    )


def edited(caption: str, rng: np.random.Generator) -> str:
    """The caption as a person posted it: a tenth each of ten ways of touching it up."""
    return pick(rng, _EDITS)(caption, rng)


def _body(caption: str) -> str:
    return caption.partition("\n#")[0]


def _same(caption: str, _: np.random.Generator) -> str:
    return caption


def _without_tags(caption: str, _: np.random.Generator) -> str:
    return _body(caption)


def _other_tags(caption: str, rng: np.random.Generator) -> str:
    tags = ("viral", "foryou", "explore", "mom", "baby", "tips", "toddler", "family", "home")
    return _body(caption) + " " + " ".join(f"#{pick(rng, tags)}" for _ in range(8))


def _without_signs(caption: str, _: np.random.Generator) -> str:
    return re.sub(r"[^\w\s]", "", caption)


def _more_emoji(caption: str, _: np.random.Generator) -> str:
    return "✨ " + caption.replace("\n\n", "\n") + " 💛💛"


def _reworded(caption: str, rng: np.random.Generator) -> str:
    words = _body(caption).split(" ")
    for place in rng.choice(len(words), max(1, len(words) // 7), replace=False):
        words[int(place)] = pick(rng, ("really", "always", "some", "little", "ours"))
    return " ".join(words)


def _typos(caption: str, rng: np.random.Generator) -> str:
    letters = list(caption)
    for place in rng.choice(len(letters), max(1, len(letters) // 25), replace=False):
        letters[int(place)] = pick(rng, "aeinrst")
    return "".join(letters)


def _cut(caption: str, _: np.random.Generator) -> str:
    body = _body(caption)
    return body[: max(30, int(len(body) * 0.55))].rstrip() + "…"


def _longer(caption: str, _: np.random.Generator) -> str:
    return caption + "\nTell me how it went for you this week, I read every single answer. Promise!"


def _reordered(caption: str, rng: np.random.Generator) -> str:
    parts = re.split(r"(?<=[.!?])\s+|\n+", _body(caption))
    return "\n".join(parts[int(place)] for place in rng.permutation(len(parts)))


_EDITS: tuple[Callable[[str, np.random.Generator], str], ...] = (
    _same, _without_tags, _other_tags, _without_signs, _more_emoji, _reworded, _typos, _cut,
    _longer, _reordered,
)  # fmt: skip
