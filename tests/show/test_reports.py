"""What the reports read from a published copy."""

import duckdb
import pytest

from pipeline.clients.warehouse import reading
from pipeline.show.reports.growth import growth_points
from pipeline.show.reports.overview import profile_overviews, published_build
from pipeline.show.reports.segments import (
    ACROSS_ACCOUNTS,
    DIMENSIONS,
    OUTCOMES,
    Focus,
    most_telling,
    segment_tables,
)
from tests.show.published_copies import ACCOUNT, publish_night_owls


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return publish_night_owls(tmp_path_factory.mktemp("home"))


@pytest.fixture
def copy(settings):
    with reading(settings) as connection:
        yield connection


def test_the_overview_has_a_row_per_profile_even_without_posts(copy):
    instagram, tiktok = profile_overviews(copy, ACCOUNT)

    assert (tiktok.post_count, tiktok.snapshot_count, tiktok.follower_count) == (40, 120, 12900)
    assert (tiktok.views_7d_median, tiktok.views_7d_count) == (1550.0, 30)
    assert (tiktok.views_7d_median_low, tiktok.views_7d_median_high) == (1000.0, 2100.0)
    assert (instagram.post_count, instagram.snapshot_count) == (0, 0)
    assert instagram.follower_count is None
    assert instagram.views_7d_median is None
    assert instagram.last_scraped_at is None


def test_the_overview_of_another_account_is_empty(copy):
    assert profile_overviews(copy, "nobody") == []


def test_the_build_says_up_to_when_its_data_go(copy):
    build = published_build(copy)

    assert build is not None
    assert build.warehouse_version == "v1"


def test_segments_stand_from_the_best_down_and_unknown_ones_last(copy):
    (table,) = segment_tables(copy, ACCOUNT, Focus.FORMATS)

    assert [row.segment for row in table.rows] == ["step_guide", "scripts", "how_to"]
    assert table.has_enough_data
    assert table.rows[-1].effect is None


def test_weekdays_stand_in_the_order_of_the_week_by_name(copy):
    (table,) = segment_tables(copy, ACCOUNT, Focus.TIMING)

    assert [row.name for row in table.rows] == ["Monday", "Sunday"]


def test_a_table_without_enough_data_says_so(copy):
    (table,) = segment_tables(copy, ACCOUNT, Focus.PILLARS)

    assert not table.has_enough_data
    assert table.rows[0].n == 4


def test_the_most_telling_table_is_one_per_platform_and_dimension(copy):
    tables = segment_tables(copy, ACROSS_ACCOUNTS, Focus.FORMATS)

    assert most_telling([*tables, *tables]) == tables


def test_growth_points_are_fractions(copy):
    (point,) = growth_points(copy, ACCOUNT)

    assert point.share_of_7d_median == pytest.approx(0.63)
    assert growth_points(copy, "nobody") == []


def test_every_focus_knows_its_dimensions_and_outcomes():
    assert set(DIMENSIONS) == set(OUTCOMES) == set(Focus)


def test_an_account_name_is_a_value_and_never_sql(copy):
    assert profile_overviews(copy, "' or 1 = 1 --") == []
    with pytest.raises(duckdb.Error):
        copy.execute("drop table marts.dim_profile")
