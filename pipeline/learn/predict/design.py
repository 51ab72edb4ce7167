"""The columns that models are fitted on, made from posts and how their accounts stood."""

from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.posts import UNKNOWN, LogScale, Posts
from pipeline.learn.predict.standing import Standing, standing
from pipeline.measure.effects import Flags, Floats, Integers

MINIMUM_SEGMENT_POSTS = 5
"""A segment with fewer posts in training has no column of its own."""
STANDING_NAME = "recent_form"
"""The group of all columns that come from the account's own earlier outcomes."""
RHYTHM_NAME = "posting_rhythm"
_STANDING_COLUMNS = 6
_RHYTHM_COLUMNS = 2


@dataclass(frozen=True)
class Situation:
    """Posts with the standing of their accounts; the two have the same rows."""

    posts: Posts
    standing: Standing

    @classmethod
    def of(cls, asked: Posts, history: Posts, scale: LogScale) -> "Situation":
        """Look up how the accounts of posts stood, from a history of outcomes."""
        return cls(asked, standing(asked, history, scale))

    def __len__(self) -> int:
        return len(self.posts)

    def rows(self, chosen: Integers) -> "Situation":
        """The chosen rows; indices must be ascending."""
        return Situation(self.posts.rows(chosen), self.standing.rows(chosen))


@dataclass(frozen=True)
class Design:
    """Which columns there are, learned from training posts; any posts can then be put in them."""

    segments: tuple[tuple[str, ...], ...]
    """By dimension, those with a column."""
    told_numbers: Integers
    """Places of the numbers that were known of any training post."""
    usual_numbers: Floats
    """Their training means, which stand in where one is not known."""

    @classmethod
    def learn(cls, training: Situation) -> "Design":
        """The columns that the training posts can say something about."""
        posts = training.posts
        told = np.flatnonzero(~np.isnan(posts.numbers).all(axis=0))
        segments = []
        for column in posts.segments.T:
            names, counts = np.unique(column, return_counts=True)
            segments.append(
                tuple(
                    str(name)
                    for name, count in zip(names, counts, strict=True)
                    if name != UNKNOWN and count >= MINIMUM_SEGMENT_POSTS
                )
            )
        return cls(tuple(segments), told, np.nanmean(posts.numbers[:, told], axis=0))

    def indicators(self, posts: Posts) -> Floats:
        """One column for each segment of each dimension; shape (rows, segments)."""
        columns: list[Flags] = [
            posts.segments[:, dimension] == name
            for dimension, names in enumerate(self.segments)
            for name in names
        ]
        return np.array(columns, dtype=np.float64).reshape(-1, len(posts)).T

    def own(self, posts: Posts) -> Floats:
        """Numbers and segments, without anything that comes from outcomes."""
        numbers = posts.numbers[:, self.told_numbers]
        filled = np.where(np.isnan(numbers), self.usual_numbers, numbers)
        return np.column_stack([filled, self.indicators(posts)])

    def __call__(self, situation: Situation) -> Floats:
        """All columns; shape (rows, columns)."""
        known = situation.standing
        return np.column_stack(
            [
                self.own(situation.posts),
                known.levels,
                known.quantiles[:, 1],
                known.quantiles[:, 2] - known.quantiles[:, 0],
                np.log1p(np.nan_to_num(known.days_since_last)),
                np.log1p(known.posts_last_week),
            ]
        )

    def groups(self, posts: Posts) -> dict[str, Integers]:
        """Places of the columns by what a person would call them: one number, one dimension."""
        found = {
            posts.number_names[number]: np.array([place])
            for place, number in enumerate(self.told_numbers)
        }
        start = len(self.told_numbers)
        for name, segments in zip(posts.dimension_names, self.segments, strict=True):
            if segments:
                found[name] = np.arange(start, start + len(segments))
            start += len(segments)
        found[STANDING_NAME] = np.arange(start, start + _STANDING_COLUMNS)
        start += _STANDING_COLUMNS
        found[RHYTHM_NAME] = np.arange(start, start + _RHYTHM_COLUMNS)
        return found
