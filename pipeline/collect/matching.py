"""Which published post came from which planned post.

Candidates lie at most two local days apart; their texts are compared; the whole assignment is
made at once, one to one, so that the sum of scores is highest. A pair that has an equally good
rival stays unmatched: a wrong label is worse than none. What a person said stands as it is, and
neither its post nor its plan takes part in the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.match_scores import ScoredDays, Scores, pair_scores
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost

AMBIGUITY_MARGIN = 0.04
"""Two candidates whose scores differ by no more are not told apart."""

PersonMatches = Mapping[tuple[Platform, str], str | None]
"""What people said, by platform and post id: the planned id, or None for no plan."""


class MatchSource(StrEnum):
    """Who found that a post and a plan belong together."""

    TEXT = "text"
    PERSON = "person"


@dataclass(frozen=True)
class PostMatch:
    """One post and the planned post it came from."""

    account_name: str
    platform: Platform
    post_id: str
    planned_id: str
    score: float
    """Likeness of the texts less the distance in time, 0 to 1; 1 where a person said so."""
    source: MatchSource = MatchSource.TEXT

    def row(self) -> dict[str, Any]:
        """The row of ``raw.post_matches``."""
        values = {key: value for key, value in vars(self).items() if key != "source"}
        return {**values, "platform": self.platform.value, "match_source": self.source.value}


@dataclass(frozen=True)
class AmbiguousPost:
    """A post that has likely plans, of which none can be told to be the one."""

    platform: Platform
    post_id: str
    candidates: tuple[tuple[str, float], ...]
    """Planned ids and scores, the best first."""


@dataclass(frozen=True)
class Matching:
    """All that matching one account's posts gave."""

    matches: tuple[PostMatch, ...]
    ambiguous: tuple[AmbiguousPost, ...]
    scored: Mapping[Platform, ScoredDays] = field(default_factory=dict)
    """What the next matching of the account can go on from."""


def match_posts(
    account: AccountConfig,
    plans: Sequence[PlannedPost],
    posts: Sequence[OwnPost],
    person: PersonMatches | None = None,
) -> list[PostMatch]:
    """Match planned posts to posts, one to one on each platform.

    A plan that names no platform may have been published on each of them.
    """
    return list(find_matches(account, plans, posts, person).matches)


def find_matches(
    account: AccountConfig,
    plans: Sequence[PlannedPost],
    posts: Sequence[OwnPost],
    person: PersonMatches | None = None,
    former: Mapping[Platform, ScoredDays] | None = None,
) -> Matching:
    """Match planned posts to posts, and tell which could not be decided.

    Args:
        account: Whose posts; its zone says what a day is.
        plans: What the generator made.
        posts: What was published.
        person: What people said about some posts. A plan of which somebody said that another post
            of the platform came from it is no candidate there any more.
        former: What an earlier matching under the same zone scored; it only saves work.
    """
    said = person or {}
    scored: dict[Platform, ScoredDays] = {}
    matches: list[PostMatch] = []
    ambiguous: list[AmbiguousPost] = []
    known_plans = {plan.planned_id for plan in plans}
    for platform in Platform:
        theirs = [post for post in posts if post.platform is platform]
        by_person = {
            post.post_id: said[platform, post.post_id]
            for post in theirs
            if (platform, post.post_id) in said
        }
        matches.extend(
            PostMatch(account.name, platform, post_id, planned_id, 1.0, MatchSource.PERSON)
            for post_id, planned_id in by_person.items()
            if planned_id in known_plans
        )
        taken = set(by_person.values())
        if not theirs:
            continue
        candidates = [
            plan
            for plan in plans
            if plan.platform in (None, platform.value) and plan.planned_id not in taken
        ]
        free = [post for post in theirs if post.post_id not in by_person]
        scores, scored[platform] = pair_scores(
            account, candidates, free, former.get(platform) if former else None
        )
        found = _match_platform(account, platform, candidates, free, scores)
        matches.extend(found.matches)
        ambiguous.extend(found.ambiguous)
    return Matching(tuple(matches), tuple(ambiguous), scored)


def _match_platform(
    account: AccountConfig,
    platform: Platform,
    plans: Sequence[PlannedPost],
    posts: Sequence[OwnPost],
    scores: Scores,
) -> Matching:
    if not scores:
        return Matching((), ())
    kept = _unrivalled(scores, _assign(scores))
    matched = set(kept.values())
    candidates: dict[int, list[tuple[str, float]]] = {}
    for (plan, post), score in scores.items():
        if plan not in kept and post not in matched:
            candidates.setdefault(post, []).append((plans[plan].planned_id, score))
    return Matching(
        tuple(
            PostMatch(
                account.name,
                platform,
                posts[post].post_id,
                plans[plan].planned_id,
                scores[plan, post],
            )
            for plan, post in sorted(kept.items())
        ),
        tuple(
            AmbiguousPost(
                platform,
                posts[post].post_id,
                tuple(sorted(found, key=lambda one: (-one[1], one[0]))),
            )
            for post, found in sorted(candidates.items())
        ),
    )


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


def _assign(scores: Scores) -> dict[int, int]:
    """The one-to-one assignment with the highest sum of scores: post by plan.

    Solved by scipy's Hungarian method in each group of pairs that touch each other, so that the
    matrix stays as small as the window of days makes it.
    """
    import numpy
    from scipy.optimize import linear_sum_assignment

    chosen: dict[int, int] = {}
    for group in _groups(scores):
        if len(group) == 1:  # most are, and nothing is to be solved there
            chosen.update(group)
            continue
        plans = sorted({plan for plan, _ in group})
        posts = sorted({post for _, post in group})
        row_of = {plan: row for row, plan in enumerate(plans)}
        column_of = {post: column for column, post in enumerate(posts)}
        matrix = numpy.zeros((len(plans), len(posts)))
        for plan, post in group:
            matrix[row_of[plan], column_of[post]] = scores[plan, post]
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
