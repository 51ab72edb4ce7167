"""What was known of a post when it went out is the same in a warehouse that never saw a later day.

Two homes are built by the real steps: one that ends at a moment, and one that goes on for weeks.
Then later snapshots, later effects and later follower counts are let in, one at a time, to see that
each is found out.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.accounts import load_account
from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.learn.predict.post_features import DIMENSIONS
from pipeline.learn.predict.warehouse_features import (
    FOLLOWERS_QUERY,
    OUTCOMES_QUERY,
    POSTS_QUERY,
    Knowledge,
    Queries,
    Target,
    hours_of,
    read_knowledge,
)
from pipeline.measure.as_of import build_home, prepare_home
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.exports import write_exports
from pipeline.simulate.planned import write_planned
from pipeline.simulate.world import build_world
from tests.learn.predict.leaks import leaking_columns
from tests.made_once import made_once

ACCOUNT = "mymomskills"
KNOWN_AT = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
HONEST = Queries()


def _build(folder: Path) -> None:
    world = build_world(
        start=datetime(2026, 8, 3, 4, tzinfo=UTC), end=datetime(2026, 10, 1, 13, tzinfo=UTC)
    )
    whole = Settings(home=folder / "whole")
    copy_accounts(whole.accounts_dir)
    write_planned(world, whole.accounts_dir)
    account = load_account(whole.accounts_dir, ACCOUNT)
    for export in write_exports(world, folder / "exports"):
        if export.account_name == ACCOUNT:
            import_file(whole, account, export.path, platform=export.platform)
    load_raw(whole)
    build_models(whole)
    build_statistics(whole)
    publish_build(whole)
    build_home(prepare_home(whole, folder / "then", KNOWN_AT))


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """The home that ends at the moment, and the one that goes on."""
    folder = made_once(tmp_path_factory, "leakage_homes", _build)
    return Settings(home=folder / "then"), Settings(home=folder / "whole")


def _known(homes: tuple[Settings, Settings], queries: Queries) -> tuple[Knowledge, Knowledge]:
    found = []
    for home in homes:
        with reading(home) as connection:
            found.append(read_knowledge(connection, "test", queries))
    return found[0], found[1]


def test_no_feature_of_a_post_differs_in_a_warehouse_that_saw_later_days(
    homes: tuple[Settings, Settings],
):
    then, later = _known(homes, HONEST)

    assert leaking_columns(then, later) == set()
    assert len(then.account) > 50
    assert len(later.account) > len(then.account) + 20
    assert then.posted_at_hours.max() <= hours_of(KNOWN_AT)


def test_the_features_that_are_compared_are_known_and_differ_between_posts(
    homes: tuple[Settings, Settings],
):
    then, _ = _known(homes, HONEST)
    posts = then.posts("tiktok", Target.VIEWS)

    for name in ("follower_count_log10", "category_performance", "text_length_characters"):
        column = posts.numbers[:, posts.number_names.index(name)]
        assert np.isfinite(column).sum() > 20, name
        assert np.nanstd(column) > 0, name
    assert np.isfinite(posts.known_at_hours).sum() > 20


def test_an_outcome_is_known_when_the_snapshot_after_the_seventh_day_was_taken(
    homes: tuple[Settings, Settings],
):
    for known in _known(homes, HONEST):
        for target in Target:
            hours = known.known_at_hours[target]
            has_outcome = np.isfinite(known.outcomes[target])
            assert (np.isfinite(hours) == has_outcome).all()
            assert (hours[has_outcome] >= known.posted_at_hours[has_outcome] + 168).all()


def test_dayparts_and_weekdays_are_the_warehouses_own(homes: tuple[Settings, Settings]):
    _, later = _known(homes, HONEST)
    with reading(homes[1]) as connection:
        rows = connection.execute(
            "select platform, post_id, daypart, local_weekday::varchar from marts.dim_post"
        ).fetchall()
    labels = {(platform, post_id): tuple(names) for platform, post_id, *names in rows}

    for row, (platform, post_id) in enumerate(
        zip(later.platform.tolist(), later.post_id.tolist(), strict=True)
    ):
        said = dict(zip(DIMENSIONS, later.segments[row].tolist(), strict=True))
        assert (said["daypart"], said["weekday"]) == labels[platform, post_id]


EARLY = OUTCOMES_QUERY.replace("end as known_at", "end - interval 7 day as known_at")
LETS_IN = {
    "a later snapshot: an outcome counts from before it could be seen": (
        Queries(outcomes=EARLY),
        {"category_performance", "standing.known_posts", "standing.quantiles"},
    ),
    "a later snapshot: the newest count of the post itself": (
        Queries(
            posts=POSTS_QUERY.replace(
                "slide_count, duration_s",
                "slide_count, (select max(view_count) from intermediate.int_snapshots__published s "
                "where s.post_id = dim_post.post_id)::double as duration_s",
            )
        ),
        {"duration_s"},
    ),
    "a later effect: what the post's format does by all that is known today": (
        Queries(
            posts=POSTS_QUERY.replace(
                "slide_count, duration_s",
                "slide_count, (select max(effect) from stats.segment_effects e where "
                "e.account_name = dim_post.account_name and e.platform = dim_post.platform and "
                "e.dimension = 'format' and e.segment = dim_post.format and "
                "e.outcome = 'views_7d') as duration_s",
            )
        ),
        {"duration_s"},
    ),
    "a later follower count: of a profile that was seen days after the post": (
        Queries(
            followers=FOLLOWERS_QUERY.replace(
                "platform, scraped_at,", "platform, scraped_at - interval 3 day as scraped_at,"
            )
        ),
        {"follower_count_log10"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("queries", "columns"), LETS_IN.values(), ids=list(LETS_IN))
def test_a_build_that_lets_in_a_later_day_is_found_out(
    homes: tuple[Settings, Settings], queries: Queries, columns: set[str]
):
    assert queries != HONEST, "the query was not changed"

    assert columns <= leaking_columns(*_known(homes, queries))


def test_the_answer_to_a_question_sees_no_later_profile_and_no_later_outcome(
    homes: tuple[Settings, Settings],
):
    then, later = _known(homes, HONEST)
    hours = hours_of(KNOWN_AT - timedelta(hours=1))

    assert then.followers_at(ACCOUNT, "tiktok", hours) is not None
    assert then.followers_at(ACCOUNT, "tiktok", hours) == later.followers_at(
        ACCOUNT, "tiktok", hours
    )
    assert later.followers_at(ACCOUNT, "tiktok", hours) != later.followers_at(
        ACCOUNT, "tiktok", hours_of(datetime(2026, 10, 1, tzinfo=UTC))
    )
