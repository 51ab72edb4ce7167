"""What the models of outcomes, breakouts and followers come to out of time."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.predict_posts import News, simulated
from pipeline.learn.predict import breakout, forecast
from pipeline.learn.predict.compared import COMPARED
from pipeline.learn.predict.conformal import corrected
from pipeline.learn.predict.design import Situation
from pipeline.learn.predict.mixing import fit_all, learnable
from pipeline.learn.predict.posts import COUNT, Posts, together
from pipeline.learn.predict.predictor import FittedModel, Predictions, fit
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.scoring import Score, score

TRAINING_SHARE = 0.7
POPULAR_SHARES = 1400.0
"""The published benchmark calls an article with as many shares popular."""
FOLDS = 5
MINIMUM_ACCOUNT_POSTS = 30
"""Scored posts of an account, below which its own figure is all luck."""
_RESAMPLES = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """What was said of the later posts, by model; the baseline is the account's own quantiles."""

    posts: int
    accounts: int
    training_posts: int
    scores: Mapping[str, Score]
    below_baseline: Mapping[str, float]
    """Shares by which the mean pinball loss is below the baseline's."""
    served_standard_error: float
    """Of the served share below, over resampled posts."""
    model_share: float
    """Of the posts, those that the model served."""
    worst_account: float
    """Share by which the served loss of an account is above the baseline's, the largest."""
    weights: Mapping[str, float]
    seconds: float


def out_of_time(posts: Posts) -> Comparison:
    """Learn from the earlier posts and score the later ones.

    Nothing is chosen by the later posts: models and weights come from what was known when the
    first of them was posted. Quantiles of accounts, the gate and the correction of intervals go on
    with each outcome that becomes known, as in the product.
    """
    begins = float(posts.posted_at_hours[int(TRAINING_SHARE * len(posts))])
    started = time.perf_counter()
    model = fit(posts, COUNT, trained_at_hours=begins)
    seconds = time.perf_counter() - started
    later = posts.rows(~(posts.known_at_hours < begins))
    asked = later.posted_at_hours >= begins
    situation = Situation.of(
        later, together(model.training.known_by(begins), later)[0], model.scale
    )
    outcomes = COUNT.to_log(later.outcome)
    served = model.replay(later)
    said = {name: expert(situation) for name, expert in model.experts.items()}
    said |= {name: other(situation) for name, other in _compared(posts, begins).items()}
    baseline = said["account_quantiles"]
    record = model.record
    _, ends = corrected(
        record.baseline, record.log_outcome, record.known_at_hours, record.posted_at_hours
    )
    said["baseline_corrected"], _ = corrected(
        baseline, outcomes, later.known_at_hours, later.posted_at_hours, ends
    )
    said["average"] = model.mixture(situation)
    said["served"] = served.log_quantiles
    scores = {
        name: score(outcomes[asked], quantiles[asked], baseline[asked, 1])
        for name, quantiles in said.items()
    }
    losses = {name: pinball(outcomes, found)[asked] for name, found in said.items()}
    return Comparison(
        posts=int(asked.sum()),
        accounts=len(np.unique(later.account[asked])),
        training_posts=model.training_post_count,
        scores=scores,
        below_baseline={
            name: found.below(scores["account_quantiles"]) for name, found in scores.items()
        },
        served_standard_error=_standard_error(losses["served"], losses["account_quantiles"]),
        model_share=float(served.is_model[asked].mean()),
        worst_account=_worst(later.account[asked], losses["served"], losses["account_quantiles"]),
        weights=model.weights,
        seconds=seconds,
    )


def _compared(posts: Posts, begins: float) -> dict[str, object]:
    known = posts.known_by(begins)
    situation = Situation.of(known, known, COUNT)
    chosen = learnable(situation)
    return dict(fit_all(COMPARED, situation.rows(chosen), COUNT.to_log(known.outcome)[chosen]))


def _standard_error(losses: Floats, baseline: Floats) -> float:
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, len(losses), (_RESAMPLES, len(losses)))
    return float(np.std(losses[drawn].mean(axis=1) / baseline[drawn].mean(axis=1)))


def _worst(accounts: NDArray[np.str_], losses: Floats, baseline: Floats) -> float:
    shares = []
    for account in np.unique(accounts):
        own = accounts == account
        if own.sum() >= MINIMUM_ACCOUNT_POSTS:
            shares.append(float(losses[own].mean() / baseline[own].mean() - 1))
    return max(shares, default=float("nan"))


@dataclass(frozen=True)
class Ranking:
    """How well breakouts are told apart from other posts: areas under the curve, and a Brier."""

    auc: float
    brier: float | None
    mean_probability: float | None
    popular_share: float


def news_out_of_time(articles: News) -> Ranking:
    """Learn from the earliest 70 % of articles, and rank the others."""
    from sklearn.metrics import roc_auc_score

    begins = int(TRAINING_SHARE * len(articles.shares))
    model = breakout.fit(articles.columns[:begins], articles.shares[:begins], POPULAR_SHARES)
    later = articles.columns[begins:]
    popular = articles.shares[begins:] >= POPULAR_SHARES
    probability = model.probability(later)
    return Ranking(
        auc=float(roc_auc_score(popular, model.score(later))),
        brier=float(((probability - popular) ** 2).mean()),
        mean_probability=float(probability.mean()),
        popular_share=float(popular.mean()),
    )


def news_in_folds(articles: News) -> Ranking:
    """Mean over five folds, each ranked by what the others taught."""
    from sklearn.metrics import roc_auc_score

    popular = articles.shares >= POPULAR_SHARES
    fold = np.random.default_rng(0).permutation(len(popular)) % FOLDS
    areas = []
    for place in range(FOLDS):
        kept, held = fold != place, fold == place
        vote = breakout.ranking(articles.columns[kept], articles.shares[kept], POPULAR_SHARES)
        areas.append(float(roc_auc_score(popular[held], vote(articles.columns[held]))))
    return Ranking(statistics.mean(areas), None, None, float(popular.mean()))


@dataclass(frozen=True)
class Growth:
    """Forecasts of one series at one horizon, from every day that has enough days before."""

    origins: int
    scaled_error: float
    """Mean absolute error over that of no change at the same horizon and origins."""
    hyndman_scaled_error: float
    """The same over the mean absolute change over the horizon in the days before each origin."""
    coverage: float


def growth(counts: Floats, horizon_days: int) -> Growth:
    """Forecast a series from all its days."""
    found = forecast.forecasts(counts, horizon_days)
    origins = np.arange(forecast.MINIMUM_DAYS - 1, len(counts) - horizon_days)
    truth, now = counts[origins + horizon_days], counts[origins]
    is_known = ~(np.isnan(truth) | np.isnan(now))
    origins, truth, now = origins[is_known], truth[is_known], now[is_known]
    errors = np.abs(found.expected[origins] - truth)
    changes = np.abs(counts[horizon_days:] - counts[:-horizon_days])
    scales = np.array([np.nanmean(changes[: origin - horizon_days + 1]) for origin in origins])
    inside = (found.low[origins] <= truth) & (truth <= found.high[origins])
    return Growth(
        origins=len(origins),
        scaled_error=float(errors.mean() / np.abs(truth - now).mean()),
        hyndman_scaled_error=float((errors / scales).mean()),
        coverage=float(inside.mean()),
    )


@dataclass(frozen=True)
class Speed:
    """Wall times on this machine, one thread."""

    training_posts: int
    training_s: float
    prediction_ms: float
    """Median of a prediction of one post, warm."""
    prediction_slowest_ms: float


def speed(posts: int = 10_000, accounts: int = 10) -> Speed:
    """Train once, then ask for one post after the other."""
    table = simulated(posts + 20, accounts, seed=3)
    training = table.rows(slice(0, posts))
    started = time.perf_counter()
    model = fit(training, COUNT)
    training_s = time.perf_counter() - started
    taken = [_seconds(model, table.rows(slice(row, row + 1))) for row in range(posts, posts + 20)]
    warm = taken[5:]
    return Speed(posts, training_s, 1000 * statistics.median(warm), 1000 * max(warm))


def _seconds(model: FittedModel, asked: Posts) -> float:
    moved = max(0.0, model.trained_at_hours - float(asked.posted_at_hours[0]))
    asked = Posts(
        asked.account, asked.posted_at_hours + moved, asked.known_at_hours + moved, asked.outcome,
        asked.segments, asked.numbers, asked.dimension_names, asked.number_names,
    )  # fmt: skip
    started = time.perf_counter()
    found: Predictions = model.predict(asked)
    assert np.isfinite(found.expected).all()
    return time.perf_counter() - started
