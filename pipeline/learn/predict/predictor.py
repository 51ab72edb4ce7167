"""Fitting and asking: what a post is expected to reach, between which values, and served by what.

A fitted model holds what it learned until one moment. Asked later, it takes the outcomes that came
in since then from the history it is given: for the account's own quantiles, for the correction of
the intervals and for the gate. What it learned from features stays as it was fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.learn.predict import gate
from pipeline.learn.predict.conformal import Ends, corrected
from pipeline.learn.predict.design import Situation
from pipeline.learn.predict.mixing import (
    MINIMUM_TRAINING_POSTS,
    OutOfTime,
    average,
    fit_all,
    learnable,
    out_of_time,
    weights_of,
)
from pipeline.learn.predict.models import EXPERTS, Fitted, Learner
from pipeline.learn.predict.posts import LogScale, Posts, Texts, together
from pipeline.learn.predict.quantiles import at_levels, pinball, share_above
from pipeline.learn.predict.standing import OWN_POSTS_FOR_QUANTILES
from pipeline.measure.effects import Flags, Floats, Integers

_FEW_POSTS = 3.0


BASELINE = "account_quantiles"
"""Name of what serves where no model does better."""


@dataclass(frozen=True)
class Predictions:
    """What posts are expected to reach; one row each."""

    scale: LogScale
    log_quantiles: Floats
    """At the levels 0.1, 0.5 and 0.9; shape (rows, 3)."""
    is_model: Flags
    """Whether the model serves the post, else the account's own quantiles; shape (rows,)."""
    known_posts: Integers
    """Posts of the account with known outcomes; shape (rows,)."""

    @property
    def expected(self) -> Floats:
        """The medians, in the outcome's unit; shape (rows,)."""
        return self.scale.from_log(self.log_quantiles[:, 1])

    @property
    def low(self) -> Floats:
        """The lower ends of the 80 % intervals; shape (rows,)."""
        return self.scale.from_log(self.log_quantiles[:, 0])

    @property
    def high(self) -> Floats:
        """The upper ends of the 80 % intervals; shape (rows,)."""
        return self.scale.from_log(self.log_quantiles[:, 2])

    def quantiles(self, levels: Floats) -> Floats:
        """At any levels between 0 and 1, in the outcome's unit; shape (rows, levels)."""
        return self.scale.from_log(at_levels(self.log_quantiles, levels))

    def share_above(self, value: Floats) -> Floats:
        """The probability of at least a value of the outcome, by row; shape (rows,)."""
        return share_above(self.log_quantiles, self.scale.to_log(value))

    def reason(self, row: int) -> str | None:
        """Why a row is not served by the model; None where it is."""
        if self.is_model[row]:
            return None
        return gate.shortage(int(self.known_posts[row])) or (
            "no model did better than the account's own quantiles out of time"
        )

    def rows(self, chosen: Integers) -> "Predictions":
        """The chosen rows."""
        return Predictions(
            self.scale,
            self.log_quantiles[chosen],
            self.is_model[chosen],
            self.known_posts[chosen],
        )


@dataclass(frozen=True)
class Record:
    """Predictions before the gate and the correction, each made without its own outcome."""

    account: Texts
    posted_at_hours: Floats
    known_at_hours: Floats
    log_outcome: Floats
    known_posts: Floats
    model: Floats
    """Shape (rows, 3), as the baseline's."""
    baseline: Floats


@dataclass(frozen=True)
class Experience:
    """What earlier predictions taught about later ones."""

    ends: Ends = field(default_factory=Ends)
    tallies: gate.Tallies = field(default_factory=dict)


@dataclass(frozen=True)
class FittedModel:
    """The models, their weights, and how they did out of time."""

    scale: LogScale
    trained_at_hours: float
    weights: Mapping[str, float]
    training: Posts
    """All posts until then; those without outcomes too, since they count for the rhythm."""
    training_post_count: int
    record: Record
    """What was said out of time while fitting."""
    served_quantiles: Floats = field(repr=False)
    """What would have been served of the record, on the log scale; shape (rows, 3)."""
    experience: Experience = field(repr=False)
    out_of_time_quantiles: OutOfTime | None = field(repr=False)
    experts: Mapping[str, Fitted] = field(repr=False)
    """The models by name, fitted to all posts."""

    def predict(self, asked: Posts, history: Posts | None = None) -> Predictions:
        """What posts will reach, by what is known when they are posted.

        Args:
            asked: Posts; their outcomes are not looked at.
            history: All posts so far, those of the training among them; the training posts where
                none is given.

        Raises:
            ValueError: A post is from before the model was fitted.
        """
        if (asked.posted_at_hours < self.trained_at_hours).any():
            raise ValueError("a model says nothing of posts from before it was fitted")
        known = self.training if history is None else history
        since = known.rows(~(known.known_at_hours < self.trained_at_hours))
        joined, places = together(since, asked.without_outcomes())
        return self.replay(joined).rows(places)

    def replay(self, later: Posts) -> Predictions:
        """What would have been said of later posts, each when it was posted.

        Args:
            later: All posts whose outcomes were not known when the model was fitted. Outcomes
                count for the posts after them from when they were known; all that was known at
                the fit counts for all of them.
        """
        known = self.training.known_by(self.trained_at_hours)
        situation = Situation.of(later, together(known, later)[0], self.scale)
        logs = self.scale.to_log(later.outcome)
        record = _record(situation, logs, self.mixture(situation))
        is_model, quantiles, _ = served(record, self.experience)
        known_posts = situation.standing.known_posts.astype(np.int64)
        return Predictions(self.scale, quantiles, is_model, known_posts)

    def mixture(self, situation: Situation) -> Floats:
        """The weighted average before gate and correction, log scale; shape (rows, 3)."""
        used = {name: weight for name, weight in self.weights.items() if weight > 0}
        said = {name: self.experts[name](situation) for name in used}
        return average(said, used)


def fit(
    posts: Posts,
    scale: LogScale,
    *,
    trained_at_hours: float | None = None,
    learners: Mapping[str, Learner] = EXPERTS,
) -> FittedModel:
    """Learn from posts, using what was known at one moment.

    The same arguments give the same model, bit for bit.

    Args:
        posts: In the order of time; later ones than the moment are ignored.
        scale: Of the outcome.
        trained_at_hours: Outcomes that were not known before are not used; right after the last
            outcome was known, unless it is given.
        learners: By name; ``account_quantiles`` must be among them.
    """
    if trained_at_hours is None:
        known = posts.known_at_hours[np.isfinite(posts.known_at_hours)]
        trained_at_hours = float(np.nextafter(known.max(), np.inf)) if len(known) else 0.0
    posts = posts.rows(posts.posted_at_hours < trained_at_hours)
    is_known: Flags = posts.known_at_hours < trained_at_hours
    posts = replace(
        posts,
        known_at_hours=np.where(is_known, posts.known_at_hours, np.inf),
        outcome=np.where(is_known, posts.outcome, np.nan),
    )
    situation = Situation.of(posts, posts, scale)
    logs = scale.to_log(posts.outcome)
    said = out_of_time(learners, situation, logs)
    chosen = learnable(situation)
    if said is None or len(chosen) < MINIMUM_TRAINING_POSTS:
        baseline = {"account_quantiles": learners["account_quantiles"]}
        experts = fit_all(baseline, situation, logs)
        weights = {"account_quantiles": 1.0}
        # The baseline learns nothing, so that all posts were predicted out of time.
        scored = situation.rows(np.flatnonzero(is_known & (situation.standing.known_posts > 0)))
        record = _record(scored, scale.to_log(scored.posts.outcome), scored.standing.quantiles)
    else:
        weights = weights_of(said, logs[said.rows])
        experts = fit_all(learners, situation.rows(chosen), logs[chosen])
        record = _record(
            situation.rows(said.rows), logs[said.rows], average(said.quantiles, weights)
        )
    _, quantiles, experience = served(record, Experience())
    return FittedModel(
        scale=scale,
        trained_at_hours=trained_at_hours,
        weights=weights,
        training=posts,
        training_post_count=len(chosen),
        record=record,
        served_quantiles=quantiles,
        experience=experience,
        out_of_time_quantiles=said,
        experts=experts,
    )


def served(record: Record, before: Experience) -> tuple[Flags, Floats, Experience]:
    """Who serves each post of a record, the corrected quantiles, and what all of it taught.

    Args:
        record: In the order of posting.
        before: What earlier predictions taught; it stays as it is.

    Returns:
        Whether the model serves, shape (rows,); quantiles on the log scale, shape (rows, 3).
    """
    losses = gate.Losses(
        accounts=record.account,
        known_posts=record.known_posts,
        model=pinball(record.log_outcome, record.model),
        baseline=pinball(record.log_outcome, record.baseline),
        known_at=record.known_at_hours,
        asked_at=record.posted_at_hours,
    )
    is_model, tallies = gate.open_for(losses, before.tallies)
    # How far off the quantiles of two or three posts are says nothing about later ones.
    teaches = record.known_posts >= OWN_POSTS_FOR_QUANTILES
    quantiles, ends = corrected(
        np.where(is_model[:, None], record.model, _for_few(record)),
        record.log_outcome,
        np.where(teaches, record.known_at_hours, np.inf),
        record.posted_at_hours,
        before.ends,
    )
    return is_model, quantiles, Experience(ends, tallies)


def _for_few(record: Record) -> Floats:
    """The baseline with ends as far out as the next post of few lies; shape (rows, 3).

    The quantiles of a few posts are too near, and their middle is not known well: with normal
    luck, prediction intervals from 5, 10 and 20 posts are about 1.7, 1.3 and 1.15 times as wide.
    """
    known = np.maximum(record.known_posts, OWN_POSTS_FOR_QUANTILES)[:, None]
    middle = record.baseline[:, [1]]
    return middle + (record.baseline - middle) * (1 + _FEW_POSTS / known)


def _record(situation: Situation, logs: Floats, model: Floats) -> Record:
    posts, known = situation.posts, situation.standing
    return Record(
        account=posts.account,
        posted_at_hours=posts.posted_at_hours,
        known_at_hours=posts.known_at_hours,
        log_outcome=logs,
        known_posts=known.known_posts,
        model=model,
        baseline=known.quantiles,
    )
