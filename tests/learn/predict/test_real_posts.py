"""What models come to on real posts that they had not seen."""

from typing import Any

import numpy as np
import pytest

from bench.predict_figures import growth, out_of_time
from bench.predict_posts import DATA, coded_videos, followers, tweets


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "least_below"), [(coded_videos, 0.025), (tweets, 0.05)], ids=["coded", "exports"]
)
def test_later_posts_are_predicted_better_than_by_the_accounts_own_quantiles(
    read: Any, least_below: float
):
    posts = read(DATA, 0.0)
    if posts is None:
        pytest.skip("the real posts are not beside the repository")
    found = out_of_time(posts)
    assert found.below_baseline["served"] >= least_below
    assert 0.77 <= found.scores["served"].coverage <= 0.83
    assert found.below_baseline["network"] < found.below_baseline["served"]


@pytest.mark.parametrize("horizon_days", [7, 30])
def test_followers_are_forecast_better_than_by_no_change(horizon_days: int):
    series = followers(DATA)
    if not series:
        pytest.skip("the real series are not beside the repository")
    found = [growth(counts, horizon_days) for counts in series.values()]
    assert max(row.scaled_error for row in found) < 1
    assert 0.75 <= np.mean([row.coverage for row in found]) <= 0.9
