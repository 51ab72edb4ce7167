"""What the readers of each question give from a published copy."""

import shutil

import pytest

from pipeline.clients.warehouse import publish, reading, writing
from pipeline.settings import Settings
from pipeline.show.reports.cadence import cadences
from pipeline.show.reports.cells import slide_cells, time_cells
from pipeline.show.reports.cross_account import account_highlights, common_effects
from pipeline.show.reports.exploration import exploration_segments
from pipeline.show.reports.failures import failed_posts, failure_segments
from pipeline.show.reports.focused import focused
from pipeline.show.reports.growth import projected_posts
from pipeline.show.reports.hook_scores import hook_scores
from pipeline.show.reports.pareto import paretos
from pipeline.show.reports.platforms import METRIC_WORDS, platform_comparisons
from pipeline.show.reports.saves import saves_and_shares
from pipeline.show.reports.segments import Focus
from pipeline.show.reports.short_read import short_read
from pipeline.show.reports.weights import segment_weights
from tests.show.published_copies import ACCOUNT, publish_night_owls


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return publish_night_owls(tmp_path_factory.mktemp("home"))


@pytest.fixture
def copy(settings):
    with reading(settings) as connection:
        yield connection


def test_twice_the_posts_are_told_as_a_ratio_of_what_each_gets(copy):
    known, unknown = cadences(copy, ACCOUNT)

    assert known.doubling == pytest.approx(0.5)
    assert (known.doubling_low, known.doubling_high) == pytest.approx((0.354, 0.707), abs=1e-3)
    assert (unknown.doubling, unknown.weeks_needed) == (None, 1)


def test_times_are_told_by_views_where_views_tell_anything(copy):
    cells = time_cells(copy, ACCOUNT)

    assert {cell.outcome for cell in cells} == {"views_7d"}
    assert [(cell.local_weekday, cell.daypart) for cell in cells] == [(1, "late"), (5, "evening")]
    assert {cell.outcome for cell in time_cells(copy, outcome="engagement_7d")} == {"engagement_7d"}


def test_a_combination_has_a_figure_of_its_own_only_where_the_mart_has(copy):
    few, many = slide_cells(copy, ACCOUNT)

    assert (few.slide_count, few.own_effect, few.posts_needed) == (5, None, 1)
    assert (many.slide_count, many.own_effect) == (7, 1.2)


def test_the_weakest_posts_are_told_by_views_where_there_are_views(copy):
    (post,) = failed_posts(copy, ACCOUNT)

    assert (post.outcome, post.post_id, post.failure_rank) == ("views_7d", "1", 1)
    assert failed_posts(copy, ACCOUNT, outcome="engagement_7d")[0].post_id == "2"
    assert failed_posts(copy, ACCOUNT, most=0) == []


def test_failure_patterns_come_first_and_alone_when_asked_for(copy):
    assert [row.segment for row in failure_segments(copy, ACCOUNT)] == ["sleep", "scripts"]
    (pattern,) = failure_segments(copy, verdict="over_represented")
    assert (pattern.worst_n, pattern.n, pattern.ratio) == (12, 20, 3.0)


def test_each_pair_of_platforms_is_told_once(copy):
    assert [
        (row.platform, row.other_platform, row.metric) for row in platform_comparisons(copy)
    ] == [
        ("tiktok", "instagram", "like_comment_count_7d"),
        ("tiktok", "instagram", "posts_per_week"),
    ]
    assert platform_comparisons(copy)[1].age_hours is None
    assert set(METRIC_WORDS) >= {row.metric for row in platform_comparisons(copy)}


def test_a_common_effect_is_one_row_for_all_accounts(copy):
    rows = common_effects(copy, ("format",))

    assert [(row.segment, row.scope, row.account_count) for row in rows] == [
        ("step_guide", "universal", 2),
        ("scripts", "account_specific", 2),
    ]
    assert common_effects(copy, ("pillar",)) == []
    assert common_effects(copy, outcomes=("save_rate_7d",)) == []


def test_highlights_are_the_clearest_effect_in_each_direction(copy):
    better, worse = account_highlights(copy)

    assert (better.account_name, better.segment, better.clear_count) == (ACCOUNT, "step_guide", 1)
    assert (worse.dimension, worse.segment, worse.effect) == ("hook_style", "how_to", 0.71)


def test_other_readers_give_the_rows_of_their_marts(copy):
    assert [row.segment for row in segment_weights(copy, Focus.FORMATS, ACCOUNT)] == [
        "step_guide",
        "how_to",
    ]
    assert segment_weights(copy, Focus.GROWTH, ACCOUNT) == []
    assert [row.correlation for row in hook_scores(copy, ACCOUNT)] == [0.25, None]
    assert [row.classification for row in saves_and_shares(copy, ACCOUNT)] == [
        "unclassified",
        "high_save",
        "not_enough_data",
    ]
    assert [row.verdict for row in paretos(copy, ACCOUNT)] == ["not_enough_data", "as_noise"]
    assert [row.status for row in exploration_segments(copy)] == ["over_indexed", "untested"]
    (young,) = projected_posts(copy, ACCOUNT)
    assert (young.expected_count, young.n) == (410.0, 200)
    assert projected_posts(copy, ACCOUNT, age_hours=672) == []


def test_the_short_read_names_what_works_what_does_not_and_what_to_try(copy):
    short = short_read(copy, ACCOUNT)

    assert [line.sentence for line in short.works] == [
        (
            "step_guide posts on tiktok get 1.62× the account's usual views at 7 days "
            "(90 % interval 1.31–2.05, 30 posts)"
        )
    ]
    assert [line.sentence for line in short.does_not_work] == [
        (
            "posts with a how_to hook on tiktok get 0.71× the account's usual share rate at 7 days "
            "(90 % interval 0.60–0.80, 25 posts)"
        ),
        (
            "sleep posts on tiktok are among the weakest fifth by views at 7 days 3.00× as often "
            "as by chance (90 % interval 2.10–3.90, 12 of 20 posts)"
        ),
    ]
    assert [line.sentence for line in short.try_next] == [
        (
            "scripts posts on tiktok look like 1.17× the usual views at 7 days (90 % interval "
            "0.90–1.45, 30 posts): about 21 more would tell"
        ),
        "the format quotes is listed and was never tried: 0 of 60 posts on tiktok",
        (
            "fewer step_guide posts on tiktok: they are 15 of the newest 20 (90 % interval "
            "56–88\xa0%; evenly it would be 25\xa0%)"
        ),
        (
            "sleep posts on instagram, views at 7 days: not enough data (needs 1 more sleep post; "
            "so far 4)"
        ),
        (
            "how_to posts on tiktok, views at 7 days: not enough data (needs 12 more how_to posts; "
            "so far 3)"
        ),
    ]
    assert all(line.n is not None for line in (*short.works, *short.does_not_work, *short.try_next))


def test_a_profile_that_is_seldom_scraped_is_told_so(settings, tmp_path):
    shutil.copytree(settings.home, tmp_path / "home")
    own = Settings(home=tmp_path / "home")
    with writing(own, "test") as connection:
        connection.execute(
            "update marts.fct_post_performance set view_7d = null where view_7d > 900"
        )
        connection.execute("update marts.fct_post_performance set engagement_7d = view_7d")
    publish(own, "v2")

    with reading(own) as connection:
        short = short_read(connection, ACCOUNT)

    assert short.try_next[0].sentence == (
        "scrape daily: only 9 of 40 posts on tiktok have a value at 7 days, which takes scrapes "
        "around that age"
    )


def test_the_short_read_of_an_unknown_account_is_empty(copy):
    short = short_read(copy, "nobody")

    assert (short.works, short.does_not_work, short.try_next) == ((), (), ())


@pytest.mark.parametrize("focus", list(Focus))
@pytest.mark.parametrize("account", [ACCOUNT, "nobody", None])
def test_every_focus_reads_what_its_json_names(copy, focus, account):
    found = focused(copy, focus, account)

    figures = found.to_json()
    assert figures["focus"] == focus.value
    assert set(figures) >= {"segments", "growth"}
    if account == "nobody":
        assert not any(figures[name] for name in figures if name != "focus")
