"""What effects do where the truth is known holds on a fixed seed; `make bench-truth` shows more."""

import numpy as np
import pytest

from bench import truth_figures
from bench.post_moments import NO_SEGMENT, moments_of_posts
from bench.truth_age import AdoptedFormat, adopted_formats
from pipeline.clients.warehouse import reading
from pipeline.settings import Settings

SEED = 20261101


def test_intervals_cover_nine_times_in_ten_at_every_size_and_in_every_dimension() -> None:
    found = truth_figures.coverage(SEED, 120)

    assert found.intervals > 40_000
    assert 0.87 <= found.overall <= 0.93
    assert 0.87 <= found.own_dimension_overall <= 0.93
    for share in (
        *found.by_band.values(),
        *found.by_dimension.values(),
        *found.by_noise.values(),
        *found.by_outcome.values(),
        *found.own_dimension_by_band.values(),
    ):
        assert 0.87 <= share <= 0.93


def test_worlds_without_effects_yield_findings_one_time_in_twenty_at_most() -> None:
    found = truth_figures.noise(SEED, 400)

    assert found.any_finding <= 0.05
    # The rule that this replaces finds something in nearly every one of them.
    assert found.source_rule_formats > 0.8


def test_strong_effects_in_some_dimensions_give_no_credit_to_the_others() -> None:
    found = truth_figures.false_findings(SEED, 60)

    assert found.true_per_world > 20
    assert found.false_share <= 0.03


@pytest.mark.parametrize(
    ("ratio", "sigma", "posts_per_segment", "floor"),
    [
        (2.0, 1.3, 30, 0.5),
        (2.0, 1.3, 60, 0.85),
        (2.0, 1.3, 120, 0.99),
        (1.3, 0.5, 30, 0.5),
        (1.3, 0.5, 60, 0.85),
        (1.3, 0.5, 120, 0.98),
    ],
)
def test_a_raised_format_is_found(
    ratio: float, sigma: float, posts_per_segment: int, floor: float
) -> None:
    shares = [
        truth_figures.power(
            SEED, 300, ratio=ratio, sigma=sigma, posts_per_segment=posts_per_segment, noise=noise
        )
        for noise in truth_figures.NOISES
    ]
    assert np.mean(shares) >= floor


def test_choosing_by_the_posterior_regrets_less_than_choosing_by_means() -> None:
    found = truth_figures.choice(SEED, 400)

    assert found.against_account_means <= 0.6
    assert found.against_raw_means <= 0.35


def test_accounts_that_share_nothing_lose_little_by_being_compared() -> None:
    found = truth_figures.choice(SEED, 400, common=0.001, peculiar=0.3)

    assert found.against_account_means <= 1.1


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, AdoptedFormat]:
    """A built home of one account that took up its best format a week ago."""
    home = tmp_path_factory.mktemp("adopted")
    (found,) = adopted_formats(home, account_count=1)
    return Settings(home=home), found


@pytest.mark.slow
def test_a_format_adopted_last_week_is_last_by_latest_means_and_first_at_equal_age(
    adopted: tuple[Settings, AdoptedFormat],
) -> None:
    _, found = adopted

    assert found.planted_place == 1
    assert found.place_by_latest_means == 5
    assert found.place_at_equal_age == 1


@pytest.mark.slow
def test_the_moments_that_worlds_are_judged_by_are_those_of_the_models(
    adopted: tuple[Settings, AdoptedFormat],
) -> None:
    settings, _ = adopted
    outcomes = ("views_72h", "views_7d", "engagement_7d", "engagement_rate_7d", "save_rate_7d")
    dimensions = ("format", "pillar", "slide_count", "cadence", "duration")
    with reading(settings) as connection:
        values = connection.execute(
            "select post_id, outcome, log_value from intermediate.int_post_outcomes"
        ).fetchall()
        segments = connection.execute(
            "select post_id, dimension, segment from intermediate.int_post_segments"
        ).fetchall()
        modelled = {
            (dimension, segment, outcome): figures
            for dimension, segment, outcome, *figures in connection.execute(
                "select dimension, segment, outcome, n, log_mean, log_squared_deviations "
                "from intermediate.int_segment_moments"
            ).fetchall()
        }
    posts = {post: place for place, post in enumerate(sorted({post for post, _, _ in values}))}
    names = sorted({segment for _, dimension, segment in segments if dimension in dimensions})
    value = np.full((len(posts), len(outcomes)), np.nan)
    for post, outcome, log_value in values:
        if outcome in outcomes:
            value[posts[post], outcomes.index(outcome)] = log_value
    segment = np.full((len(posts), len(dimensions)), NO_SEGMENT)
    for post, dimension, name in segments:
        if dimension in dimensions and post in posts:
            segment[posts[post], dimensions.index(dimension)] = names.index(name)
    rows = moments_of_posts(np.zeros(len(posts), dtype=np.int64), segment, value)

    assert len(rows.account) > 80
    compared = set()
    for at in range(len(rows.account)):
        outcome = outcomes[rows.outcome[at]]
        key = (dimensions[rows.dimension[at]], names[rows.segment[at]], outcome)
        moments = rows.moments
        assert modelled[key] == pytest.approx(
            [moments.n[at], moments.log_mean[at], moments.log_squared_deviations[at]], abs=1e-7
        )
        assert modelled["all_posts", "all_posts", outcome] == pytest.approx(
            [
                moments.all_n[at],
                moments.all_log_mean[at],
                moments.all_log_squared_deviations[at],
            ],
            abs=1e-7,
        )
        compared.add(key)
    expected = {key for key in modelled if key[0] in dimensions and key[2] in outcomes}
    assert compared == expected
