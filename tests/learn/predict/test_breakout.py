"""Whether posts reach a threshold, where there are many posts."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.learn.predict import breakout


def test_breakouts_are_ranked_and_probabilities_are_what_comes():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(900, 6))
    planted = columns[:, 0] + 0.5 * columns[:, 1] * (columns[:, 2] > 0)
    outcomes = np.exp(planted + rng.normal(size=900))
    known, later = slice(0, 600), slice(600, None)
    model = breakout.fit(columns[known], outcomes[known], threshold=2.0)
    reached = outcomes[later] >= 2.0
    probability = model.probability(columns[later])
    best = roc_auc_score(reached, planted[later])
    assert roc_auc_score(reached, probability) >= 0.93 * best
    assert probability.mean() == pytest.approx(reached.mean(), abs=0.06)
    assert ((probability - reached) ** 2).mean() < reached.mean() * (1 - reached.mean())
    again = breakout.ranking(columns[known], outcomes[known], 2.0)
    np.testing.assert_array_equal(again(columns[later]), model.score(columns[later]))


def test_a_threshold_that_all_or_none_reach_cannot_be_learned():
    with pytest.raises(ValueError, match="all posts, or none"):
        breakout.fit(np.ones((20, 2)), np.arange(20.0), threshold=0.0)
