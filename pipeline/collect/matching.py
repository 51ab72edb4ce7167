"""Which published post came from which planned post.

Candidates lie at most two local days apart; their texts are compared; the whole assignment is
made at once, one to one, so that the sum of scores is highest. A pair that has an equally good
rival stays unmatched: a wrong label is worse than none.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rapidfuzz import fuzz

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost

LEAST_SCORE = 0.6
"""Below, two texts only share common words."""
AMBIGUITY_MARGIN = 0.03
"""Two candidates whose scores differ by no more are not told apart."""
MOST_DAYS = 2
_DAY_PENALTY = 0.05
"""Taken off per day between plan and post: similar texts on neighbouring days stay apart."""
_HOOK_WEIGHT = 0.9
_TOPIC_WEIGHT = 0.8
_LEAST_TOPIC_LENGTH = 8
"""A shorter hook or topic is inside too many captions."""
_SPACE = re.compile(r"\s+")

Scores = dict[tuple[int, int], float]
"""Scores of the pairs that can belong together, by position of plan and of post."""


@dataclass(frozen=True)
class PostMatch:
    """One post and the planned post it came from."""

    account_name: str
    platform: Platform
    post_id: str
    planned_id: str
    score: float
    """Likeness of the texts less the distance in days, 0 to 1."""

    def row(self) -> dict[str, Any]:
        """The row of ``raw.post_matches``."""
        return {**vars(self), "platform": self.platform.value}


def match_posts(
    account: AccountConfig, plans: Sequence[PlannedPost], posts: Sequence[OwnPost]
) -> list[PostMatch]:
    """Match planned posts to posts, one to one on each platform.

    A plan that names no platform may have been published on each of them.
    """
    matches: list[PostMatch] = []
    for platform in Platform:
        ours = [plan for plan in plans if plan.platform in (None, platform.value)]
        theirs = [post for post in posts if post.platform is platform]
        matches.extend(_match_platform(account, platform, ours, theirs))
    return matches


def _match_platform(
    account: AccountConfig,
    platform: Platform,
    plans: Sequence[PlannedPost],
    posts: Sequence[OwnPost],
) -> list[PostMatch]:
    scores = _scores(account, plans, posts)
    if not scores:
        return []
    chosen = _assign(scores)
    return [
        PostMatch(
            account.name, platform, posts[post].post_id, plans[plan].planned_id, scores[plan, post]
        )
        for plan, post in sorted(_unrivalled(scores, chosen).items())
    ]


def _unrivalled(scores: Scores, chosen: dict[int, int]) -> dict[int, int]:
    """The chosen pairs without the ambiguous ones.

    A rival of a pair shares its plan or its post, scores about as high, and is not clearly better
    placed elsewhere itself.
    """
    best_of_plan = {plan: scores[plan, post] for plan, post in chosen.items()}
    best_of_post = {post: scores[plan, post] for plan, post in chosen.items()}
    rivals_of_plan: dict[int, list[float]] = {}
    rivals_of_post: dict[int, list[float]] = {}
    for (plan, post), score in scores.items():
        if chosen.get(plan) == post:
            continue
        if score >= best_of_post.get(post, 0) - AMBIGUITY_MARGIN:
            rivals_of_plan.setdefault(plan, []).append(score)
        if score >= best_of_plan.get(plan, 0) - AMBIGUITY_MARGIN:
            rivals_of_post.setdefault(post, []).append(score)
    return {
        plan: post
        for plan, post in chosen.items()
        if max(rivals_of_plan.get(plan, [0]) + rivals_of_post.get(post, [0]))
        < scores[plan, post] - AMBIGUITY_MARGIN
    }


def _scores(
    account: AccountConfig, plans: Sequence[PlannedPost], posts: Sequence[OwnPost]
) -> Scores:
    """All pairs that lie close enough and are alike enough."""
    by_day: dict[date, list[int]] = {}
    captions: dict[int, str] = {}
    for number, post in enumerate(posts):
        if post.posted_at is not None and post.caption:
            by_day.setdefault(post.posted_at.astimezone(account.zone).date(), []).append(number)
            captions[number] = plain_text(post.caption)
    scores: Scores = {}
    for index, plan in enumerate(plans):
        if plan.planned_at is None:
            continue
        day = plan.planned_at.astimezone(account.zone).date()
        for days in range(-MOST_DAYS, MOST_DAYS + 1):
            for number in by_day.get(day + timedelta(days=days), []):
                score = _likeness(plan, captions[number]) - _DAY_PENALTY * abs(days)
                if score >= LEAST_SCORE:
                    scores[index, number] = round(score, 4)
    return scores


def _likeness(plan: PlannedPost, caption: str) -> float:
    """How alike a plan's texts and a caption are, 0 to 1; the best of caption, hook and topic."""
    best = 0.0
    if plan.caption:
        planned = plain_text(plan.caption)
        best = max(fuzz.ratio(planned, caption), fuzz.token_sort_ratio(planned, caption)) / 100
    for text, weight in ((plan.hook_text, _HOOK_WEIGHT), (plan.topic, _TOPIC_WEIGHT)):
        planned = plain_text(text or "").replace("_", " ")
        if len(planned) >= _LEAST_TOPIC_LENGTH:
            if len(planned) <= len(caption):
                likeness = fuzz.partial_ratio(planned, caption)
            else:
                likeness = fuzz.ratio(planned, caption)
            best = max(best, weight * likeness / 100)
    return best


def plain_text(text: str) -> str:
    """Text in the form that texts are compared in: NFKC, case folded, single spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _assign(scores: Scores) -> dict[int, int]:
    """The one-to-one assignment with the highest sum of scores: post by plan.

    Solved by scipy's Hungarian method in each group of pairs that touch each other, so that the
    matrix stays as small as the window of days makes it.
    """
    import numpy
    from scipy.optimize import linear_sum_assignment

    chosen: dict[int, int] = {}
    for group in _groups(scores):
        plans = sorted({plan for plan, _ in group})
        posts = sorted({post for _, post in group})
        matrix = numpy.zeros((len(plans), len(posts)))
        for plan, post in group:
            matrix[plans.index(plan), posts.index(post)] = scores[plan, post]
        rows, columns = linear_sum_assignment(matrix, maximize=True)
        for row, column in zip(rows, columns, strict=True):
            if matrix[row, column] > 0:
                chosen[plans[row]] = posts[column]
    return chosen


def _groups(scores: Scores) -> list[list[tuple[int, int]]]:
    """Pairs that are connected through common plans or posts, group by group."""
    by_plan: dict[int, list[int]] = {}
    by_post: dict[int, list[int]] = {}
    for plan, post in scores:
        by_plan.setdefault(plan, []).append(post)
        by_post.setdefault(post, []).append(plan)
    groups: list[list[tuple[int, int]]] = []
    seen: set[int] = set()
    for first in by_plan:
        if first in seen:
            continue
        seen.add(first)
        waiting, group = [first], []
        while waiting:
            plan = waiting.pop()
            for post in by_plan[plan]:
                group.append((plan, post))
                for neighbour in by_post[post]:
                    if neighbour not in seen:
                        seen.add(neighbour)
                        waiting.append(neighbour)
        groups.append(group)
    return groups
