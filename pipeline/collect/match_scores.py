"""How well plans and posts go together, pair by pair, for all that lie a few days apart.

A pair's score depends on its two texts and, through the rarity of their words, on what the account
planned and posted in the weeks around. So what is planned or posted today changes no old score, and
scores of days with nothing new within those weeks can be taken as they were.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from rapidfuzz import fuzz

from pipeline.accounts import AccountConfig
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost
from pipeline.collect.text_likeness import Text, WordWeights, is_other_part, likeness

LEAST_LIKENESS = 0.68
"""Below, two texts only share common words."""
MOST_DAYS = 2
WEIGHT_DAYS = 45
"""Before and after a plan's day: the texts among which a word is rare or not."""
_DAY_PENALTY = 0.06
"""Taken off per day between plan and post: similar texts on neighbouring days stay apart."""
_NEAR = timedelta(hours=3)
_FAR_PENALTY = 0.05
"""Taken off where the plan names an hour and the post went out at another one."""
_HOOK_WEIGHT = 0.9
_TOPIC_WEIGHT = 0.8
_LEAST_TOPIC_LENGTH = 8
"""A shorter hook or topic is inside too many captions."""

Scores = dict[tuple[int, int], float]
"""Scores of the pairs that can belong together, by position of plan and of post."""


@dataclass
class ScoredDays:
    """Scores of one account and platform, and what they were found from."""

    fingerprints: dict[date, str] = field(default_factory=dict)
    """Hash of all plans and posts of a day, by local day."""
    scores: dict[tuple[str, str], float] = field(default_factory=dict)
    """By planned id and post id."""


def pair_scores(
    account: AccountConfig,
    plans: Sequence[PlannedPost],
    posts: Sequence[OwnPost],
    former: ScoredDays | None = None,
) -> tuple[Scores, ScoredDays]:
    """All pairs that lie close enough and are alike enough.

    Args:
        account: Its zone says what a day is.
        plans: The candidates of one platform.
        posts: The candidates of one platform.
        former: What was found the last time, under the same zone; it saves work and changes
            nothing.

    Returns:
        The scores, and what to give as ``former`` the next time.
    """
    days = _Days(account, plans, posts)
    prints = {day: days.fingerprint(day) for day in days.all}
    known = former or ScoredDays()
    changed = {
        day for day in prints.keys() | known.fingerprints.keys()
        if prints.get(day) != known.fingerprints.get(day)
    }  # fmt: skip
    afresh = {
        day + timedelta(days=distance)
        for day in changed
        for distance in range(-WEIGHT_DAYS, WEIGHT_DAYS + 1)
    }
    plan_numbers = {
        plan.planned_id: number
        for number, plan in enumerate(plans)
        if number in days.of_plan and days.of_plan[number] not in afresh
    }
    post_numbers = {post.post_id: number for number, post in enumerate(posts)}
    scores: Scores = {
        (plan_numbers[planned_id], post_numbers[post_id]): score
        for (planned_id, post_id), score in known.scores.items()
        if planned_id in plan_numbers
    }
    scores.update(days.scores(sorted(afresh & days.plans.keys())))
    named = {
        (plans[plan].planned_id, posts[post].post_id): score
        for (plan, post), score in scores.items()
    }
    return dict(sorted(scores.items())), ScoredDays(prints, named)


class _Days:
    """Plans and posts of one platform by local day; posts only where a plan is near."""

    def __init__(
        self, account: AccountConfig, plans: Sequence[PlannedPost], posts: Sequence[OwnPost]
    ) -> None:
        self._zone = account.zone
        self._plans, self._posts = plans, posts
        self._texts: tuple[dict[int, Text], dict[int, Text]] = ({}, {})
        self.of_plan = {
            number: self._day(plan.planned_at)
            for number, plan in enumerate(plans)
            if plan.planned_at is not None
        }
        self.plans = _by_day(self.of_plan)
        near = {day + timedelta(days=days) for day in self.plans for days in _around(MOST_DAYS)}
        of_post = {
            number: self._day(post.posted_at)
            for number, post in enumerate(posts)
            if near and post.posted_at is not None and post.caption
        }
        self.posts = {day: numbers for day, numbers in _by_day(of_post).items() if day in near}
        self.all = sorted(self.plans.keys() | self.posts.keys())

    def fingerprint(self, day: date) -> str:
        """Hash of all that a day's plans and posts say."""
        said: list[tuple[str, datetime | None, str | None, str | None, str | None]] = []
        for number in self.plans.get(day, ()):
            plan = self._plans[number]
            text = plan.caption, plan.hook_text, plan.topic
            said.append((plan.planned_id, plan.planned_at, *text))
        for number in self.posts.get(day, ()):
            post = self._posts[number]
            said.append((post.post_id, post.posted_at, post.caption, None, None))
        # A moment as a number: the same one comes with different zone objects.
        told = [(name, moment and moment.timestamp(), *text) for name, moment, *text in said]
        return hashlib.sha256(repr(told).encode("utf-8", errors="replace")).hexdigest()

    def scores(self, days: Sequence[date]) -> Scores:
        """The scores of the plans of some days, which are in order."""
        scores: Scores = {}
        for day, weights in self._weights(days):
            for index in self.plans[day]:
                for distance in _around(MOST_DAYS):
                    for number in self.posts.get(day + timedelta(days=distance), ()):
                        alike = self._likeness(index, number, weights)
                        if alike >= LEAST_LIKENESS:
                            is_far = self._is_far(self._plans[index], self._posts[number])
                            penalty = _DAY_PENALTY * abs(distance) + _FAR_PENALTY * is_far
                            scores[index, number] = round(alike - penalty, 4)
        return scores

    def _weights(self, days: Sequence[date]) -> Iterator[tuple[date, WordWeights]]:
        """Each day with the weights of the words around it; texts come in and go out in turn."""
        weights = WordWeights()
        counted: list[date] = []
        waiting = iter(self.all)
        coming = next(waiting, None)
        for day in days:
            first, last = (day + timedelta(days=far) for far in (-WEIGHT_DAYS, WEIGHT_DAYS))
            while counted and counted[0] < first:
                self._count(weights, counted.pop(0), -1)
            while coming is not None and coming <= last:
                if coming >= first:
                    self._count(weights, coming, 1)
                    counted.append(coming)
                coming = next(waiting, None)
            yield day, weights

    def _count(self, weights: WordWeights, day: date, times: int) -> None:
        weights.add_plans((self._plan_text(one) for one in self.plans.get(day, ())), times)
        weights.add_posts((self._post_text(one) for one in self.posts.get(day, ())), times)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _plan_text(self, number: int) -> Text:
        texts = self._texts[0]
        if number not in texts:
            texts[number] = Text.of(self._plans[number].caption)
        return texts[number]

    def _post_text(self, number: int) -> Text:
        texts = self._texts[1]
        if number not in texts:
            texts[number] = Text.of(self._posts[number].caption)
        return texts[number]

    def _likeness(self, plan: int, post: int, weights: WordWeights) -> float:
        planned, posted = self._plan_text(plan), self._post_text(post)
        if planned.plain:
            return likeness(planned, posted, weights)
        return _hook_likeness(self._plans[plan], posted)

    def _is_far(self, plan: PlannedPost, post: OwnPost) -> bool:
        """Whether a post went out at another hour than planned.

        A plan of a plain date names no hour: it stands at the day's beginning.
        """
        if plan.planned_at is None or post.posted_at is None:
            return True
        local = plan.planned_at.astimezone(self._zone)
        return local.time() != time(0) and abs(post.posted_at - local) > _NEAR


def _around(days: int) -> range:
    return range(-days, days + 1)


def _by_day(days: Mapping[int, date]) -> dict[date, list[int]]:
    numbers: dict[date, list[int]] = {}
    for number, day in days.items():
        numbers.setdefault(day, []).append(number)
    return numbers


def _hook_likeness(plan: PlannedPost, caption: Text) -> float:
    """How clearly a caption has the hook of a plan that has no caption, 0 to 1.

    The topic counts only where there is no hook: several posts in a few days may share one.
    """
    for text, weight in ((plan.hook_text, _HOOK_WEIGHT), (plan.topic, _TOPIC_WEIGHT)):
        planned = Text.of((text or "").replace("_", " "))
        if len(planned.body) >= _LEAST_TOPIC_LENGTH:
            is_inside = len(planned.body) <= len(caption.body)
            compare = fuzz.partial_ratio if is_inside else fuzz.ratio
            alike = weight * compare(planned.body, caption.body) / 100
            return 0.0 if is_other_part(planned, caption) else alike
    return 0.0
