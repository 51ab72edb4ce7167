"""The regressions that models are made of; plain data once fitted."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pipeline.learn.predict.quantiles import LEVELS
from pipeline.measure.effects import Floats

SEED = 20260101
_CONSTANT = 1e-9
"""A column whose values vary by less says nothing."""


@dataclass(frozen=True)
class Ridge:
    """Least squares with a penalty on standardised columns, and on the mean.

    Hoerl and Kennard (1970), https://doi.org/10.1080/00401706.1970.10488634
    """

    mean: float
    centre: Floats
    spread: Floats
    weights: Floats

    @classmethod
    def fit(cls, columns: Floats, target: Floats, penalty_posts: float) -> "Ridge":
        """Fit, with a penalty as if so many posts had shown nothing.

        Args:
            columns: Shape (rows, columns).
            target: Shape (rows,).
            penalty_posts: What a standardised column needs to count by half.
        """
        centre, spread = columns.mean(axis=0), columns.std(axis=0)
        spread = np.where(spread < _CONSTANT, 1.0, spread)
        standard = (columns - centre) / spread
        mean = float(target.mean())
        weights = np.linalg.solve(
            standard.T @ standard + penalty_posts * np.eye(columns.shape[1]),
            standard.T @ (target - mean),
        )
        return cls(mean * len(target) / (len(target) + penalty_posts), centre, spread, weights)

    def __call__(self, columns: Floats) -> Floats:
        """What is expected; shape (rows,)."""
        expected: Floats = self.mean + ((columns - self.centre) / self.spread) @ self.weights
        return expected


@dataclass(frozen=True)
class BoostedQuantiles:
    """Boosted trees of the pinball loss, one model of each level.

    Friedman (2001), https://doi.org/10.1214/aos/1013203451
    """

    models: tuple[Any, ...]

    @classmethod
    def fit(
        cls, columns: Floats, targets: Floats, settings: Mapping[str, Any]
    ) -> "BoostedQuantiles":
        """Fit each level to a target of its own.

        Args:
            columns: Shape (rows, columns).
            targets: Shape (rows, levels).
            settings: Of the library's histogram gradient boosting.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor

        with one_thread():
            models = tuple(
                HistGradientBoostingRegressor(
                    loss="quantile",
                    quantile=level,
                    early_stopping=False,
                    random_state=SEED,
                    **settings,
                ).fit(columns, target)
                for level, target in zip(LEVELS, targets.T, strict=True)
            )
        return cls(models)

    def __call__(self, columns: Floats) -> Floats:
        """Quantiles at ``LEVELS``; shape (rows, levels)."""
        # Trees of few posts are done before helpers are awake.
        with one_thread():
            return np.column_stack([model.predict(columns) for model in self.models])


def one_thread() -> AbstractContextManager[Any]:
    """Sums would be in another order with other threads."""
    limits: AbstractContextManager[Any] = _threads().limit(limits=1, user_api="openmp")
    return limits


@cache
def _threads() -> Any:
    # The library comes first, whose threads these are; looking for them takes some milliseconds.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
