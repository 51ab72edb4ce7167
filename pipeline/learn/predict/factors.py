"""Why a post is expected to do better or worse than the account's usual.

A factor is what the prediction would lose if one thing about the post were as it usually is in
the account: all of the model's parts are asked again with that thing replaced. Factors are about
what the model says, not about causes, and do not multiply to the whole where things work together.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.learn.predict.design import STANDING_NAME, Situation
from pipeline.learn.predict.posts import UNKNOWN, Posts, together
from pipeline.learn.predict.predictor import FittedModel
from pipeline.measure.effects import Floats

LEAST_RATIO = 1.01
"""A factor that moves the prediction by less, up or down, is not told."""


@dataclass(frozen=True)
class Factor:
    """One thing about a post, and what it does to the prediction."""

    feature: str
    value: str
    usual: str
    """What the account's posts usually have there."""
    impact_ratio: float
    """Of the expected value to what it would be with the usual: 1.2 is 20 % more."""

    @property
    def description(self) -> str:
        """The factor as a sentence part."""
        change = 100 * (self.impact_ratio - 1)
        if self.feature == STANDING_NAME:
            return f"{change:+.0f} %: the account's latest posts against all before"
        name = self.feature.replace("_", " ")
        return f"{change:+.0f} %: {name} {self.value} (usually {self.usual})"


@dataclass(frozen=True)
class _Change:
    """A post with one thing as it usually is."""

    feature: str
    value: str
    usual: str
    segments: tuple[str, ...]
    numbers: tuple[float, ...]
    is_standing_usual: bool = False


def factors(
    model: FittedModel,
    asked: Posts,
    history: Posts | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> tuple[tuple[Factor, ...], ...]:
    """The factors of each post, the strongest first; none where they change nothing.

    Args:
        model: As fitted.
        asked: Posts.
        history: As for :meth:`FittedModel.predict`.
        groups: Names for features that belong together, such as the two coordinates of an hour.
            Features that no group holds stand for themselves.
    """
    known = model.training if history is None else history
    situation = Situation.of(asked, together(known, asked.without_outcomes())[0], model.scale)
    named = _named(asked, groups or {})
    found = []
    for row in range(len(asked)):
        usual = _Usual.of(known, str(asked.account[row]))
        changes = usual.changes(asked, row, named)
        one = situation.rows(np.zeros(len(changes) + 1, dtype=np.int64) + row)
        middle = model.mixture(_changed(one, changes))[:, 1]
        found.append(_strongest(changes, middle))
    return tuple(found)


def _named(asked: Posts, groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    taken = {name for names in groups.values() for name in names}
    alone = [name for name in (*asked.dimension_names, *asked.number_names) if name not in taken]
    return {
        **{name: (name,) for name in alone},
        **{key: tuple(names) for key, names in groups.items()},
    }


def _strongest(changes: list[_Change], middle: Floats) -> tuple[Factor, ...]:
    told = []
    for change, without in zip(changes, middle[1:], strict=True):
        ratio = math.exp(float(middle[0] - without))
        if max(ratio, 1 / ratio) >= LEAST_RATIO:
            told.append(Factor(change.feature, change.value, change.usual, ratio))
    return tuple(
        sorted(told, key=lambda factor: (-abs(math.log(factor.impact_ratio)), factor.feature))
    )


@dataclass(frozen=True)
class _Usual:
    """What the posts of an account usually have: the commonest segments, the middle numbers."""

    segments: tuple[str, ...]
    numbers: tuple[float, ...]

    @classmethod
    def of(cls, known: Posts, account: str) -> "_Usual":
        own = known.account == account
        chosen = known.rows(own) if own.any() else known
        segments = []
        for column in chosen.segments.T:
            counted = Counter(name for name in column.tolist() if name != UNKNOWN)
            ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
            segments.append(ranked[0][0] if ranked else UNKNOWN)
        numbers = [
            float(np.median(column[~np.isnan(column)])) if (~np.isnan(column)).any() else math.nan
            for column in chosen.numbers.T
        ]
        return cls(tuple(segments), tuple(numbers))

    def changes(
        self, asked: Posts, row: int, named: Mapping[str, tuple[str, ...]]
    ) -> list[_Change]:
        """The post with each named thing made usual, where it is not."""
        segments = tuple(asked.segments[row].tolist())
        numbers = tuple(asked.numbers[row].tolist())
        found = [_Change(STANDING_NAME, "", "", segments, numbers, is_standing_usual=True)]
        for name, members in named.items():
            new_segments, new_numbers = list(segments), list(numbers)
            values, usual = [], []
            for member in members:
                if member in asked.dimension_names:
                    place = asked.dimension_names.index(member)
                    new_segments[place] = self.segments[place]
                    values.append(segments[place] or "unknown")
                    usual.append(self.segments[place] or "unknown")
                else:
                    place = asked.number_names.index(member)
                    new_numbers[place] = self.numbers[place]
                    values.append(f"{numbers[place]:g}")
                    usual.append(f"{self.numbers[place]:g}")
            if values != usual:
                found.append(
                    _Change(
                        name,
                        ", ".join(values),
                        ", ".join(usual),
                        tuple(new_segments),
                        tuple(new_numbers),
                    )
                )
        return found


def _changed(same: Situation, changes: list[_Change]) -> Situation:
    """The post as it is in the first row, and with one change in each of the others."""
    posts, known = same.posts, same.standing
    segments = np.array(
        [posts.segments[0].tolist(), *(change.segments for change in changes)], dtype=np.str_
    ).reshape(posts.segments.shape)
    numbers = np.array([posts.numbers[0].tolist(), *(change.numbers for change in changes)])
    levels, recent = known.levels.copy(), known.recent_quantiles.copy()
    for place, change in enumerate(changes, start=1):
        if change.is_standing_usual:
            levels[place] = 0.0
            recent[place] = known.quantiles[place]
    return Situation(
        replace(posts, segments=segments, numbers=numbers.reshape(posts.numbers.shape)),
        replace(known, levels=levels, recent_quantiles=recent),
    )
