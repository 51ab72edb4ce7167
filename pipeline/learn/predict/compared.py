"""Models to compare with, from which nothing is served."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.learn.predict.design import Design, Situation
from pipeline.learn.predict.models import Fitted, Learner
from pipeline.learn.predict.quantiles import LEVELS, in_order
from pipeline.learn.predict.regressions import SEED, BoostedQuantiles, one_thread
from pipeline.measure.effects import Floats

INPUT_COUNT = 8
HIDDEN_UNITS = (16, 8)
EPOCHS = 50
BATCH_POSTS = 32


def plain_boosting(training: Situation, logs: Floats) -> Fitted:
    """Boosted trees as the library sets them, of the outcome itself, each account a column."""
    inputs = _Inputs.learn(training)
    targets = np.repeat(logs[:, None], len(LEVELS), axis=1)
    return _PlainTrees(inputs, BoostedQuantiles.fit(inputs(training), targets, {}))


def network(training: Situation, logs: Floats) -> Fitted:
    """A network of 8, 16, 8 and 1 units, with the quantiles of its training errors around it.

    Trained by Adam (learning rate 0.001, batches of 32) for 50 epochs. Its eight inputs are the
    principal components of all columns. The library's has no dropout: a small penalty on weights
    stands in, and a linear end for the sigmoid.
    """
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs = _Inputs.learn(training)
    columns = inputs(training)
    layers = MLPRegressor(
        hidden_layer_sizes=HIDDEN_UNITS,
        solver="adam",
        learning_rate_init=0.001,
        alpha=0.01,
        batch_size=min(BATCH_POSTS, len(columns)),
        max_iter=EPOCHS,
        random_state=SEED,
    )
    components = PCA(min(INPUT_COUNT, *columns.shape), random_state=SEED)
    model = make_pipeline(StandardScaler(), components, StandardScaler(), layers)
    centre, spread = float(logs.mean()), float(logs.std()) or 1.0
    with one_thread(), warnings.catch_warnings():
        # It is given 50 epochs, not until it has converged.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(columns, (logs - centre) / spread)
    fitted = _Network(inputs, model, centre, spread, np.zeros(len(LEVELS)))
    errors = logs - fitted(training)[:, 1]
    return _Network(inputs, model, centre, spread, np.quantile(errors, LEVELS))


COMPARED: dict[str, Learner] = {"plain_boosting": plain_boosting, "network": network}


@dataclass(frozen=True)
class _Inputs:
    """All columns and one for each account."""

    design: Design
    accounts: tuple[str, ...]

    @classmethod
    def learn(cls, training: Situation) -> "_Inputs":
        accounts = tuple(np.unique(training.posts.account).tolist())
        return cls(Design.learn(training), accounts)

    def __call__(self, asked: Situation) -> Floats:
        own = np.array([asked.posts.account == name for name in self.accounts]).T
        return np.column_stack([self.design(asked), own.astype(np.float64)])


@dataclass(frozen=True)
class _PlainTrees:
    inputs: _Inputs
    trees: BoostedQuantiles

    def __call__(self, asked: Situation) -> Floats:
        return in_order(self.trees(self.inputs(asked)))


@dataclass(frozen=True)
class _Network:
    inputs: _Inputs
    model: Any
    centre: float
    spread: float
    around: Floats

    def __call__(self, asked: Situation) -> Floats:
        with one_thread():
            said = self.model.predict(self.inputs(asked))
        middle: Floats = self.centre + self.spread * said
        return middle[:, None] + self.around
