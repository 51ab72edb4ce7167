"""What a report says: movement at equal age, the best and the worst, what waits, and the money."""

import json
from datetime import date

import pytest

from pipeline.clients.warehouse import reading
from pipeline.show.cli.main import main
from pipeline.show.reports.periods.calendar import PeriodKind, period_of
from pipeline.show.reports.periods.movement import Direction
from pipeline.show.reports.periods.report import PeriodReport, period_report
from pipeline.show.reports.periods.summary import executive_summary
from tests.fakes.recommendations import add_pending
from tests.fakes.reported_world import MONDAY, Reported, publish_world

WEEK = period_of(PeriodKind.WEEKLY, MONDAY)
PLANTED = """
update marts.dim_post set is_ad = true where post_id = 'rising-tiktok-113';
update marts.fct_post_performance set is_ad = true where post_id = 'rising-tiktok-113';
insert into stats.cost_ledger by name select * from (values
    ('rising', date '2026-05-12', 'owner/actor', 0.25::decimal(12, 6), 3::bigint, 1::bigint),
    ('rising', date '2026-05-13', 'claude/recommendations', 0.012, 1, 0),
    ('rising', date '2026-05-05', 'owner/actor', 0.5, 4, 0),
    ('rising', date '2026-05-20', 'owner/actor', 9.0, 4, 0)
) as rows (account_name, local_date, source, cost_usd, run_count, unpriced_run_count);
insert into marts.mart_verdicts by name
select 'rec_' || segment as recommendation_id, 'rising' as account_name, 'tiktok' as platform,
    'format' as dimension, segment, 'views_72h' as outcome, 'better' as direction,
    timestamptz '2026-03-01 09:00Z' as approved_at, horizon::timestamptz as horizon_at, verdict,
    is_final, decided::timestamptz as decided_at, 'drawn' as evidence, 12 as n, 30 as control_n,
    1.45 as effect, 1.1 as effect_low, 1.9 as effect_high, 0 as more_posts_needed
from (values
    ('first_second', 'worked', true, '2026-05-11 04:00:00Z', '2026-07-01 00:00Z'),
    ('before_it', 'worked', true, '2026-05-11 03:59:59Z', '2026-07-01 00:00Z'),
    ('given_up', 'cannot_tell', true, null, '2026-05-14 00:00Z'),
    ('due_soon', 'cannot_tell', false, null, '2026-05-25 00:00Z'),
    ('far_away', 'cannot_tell', false, null, '2026-08-01 00:00Z')
) as rows (segment, verdict, is_final, decided, horizon);
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    accounts = [
        Reported("rising", ratio=3.0),
        Reported("quiet", timezone="Asia/Tokyo"),
        Reported("few", posts_a_week=3, timezone="UTC"),
    ]
    settings = publish_world(tmp_path_factory.mktemp("home"), accounts, PLANTED)
    add_pending(settings)
    return settings


@pytest.fixture(scope="module")
def reports(world) -> dict[str | None, PeriodReport]:
    with reading(world) as connection:
        return {
            name: period_report(world, connection, WEEK, name)
            for name in (None, "rising", "quiet", "few")
        }


def test_a_planted_rise_is_found_at_equal_age_with_n_and_interval(reports):
    ((reach, rate),) = [profile.movements for profile in reports["rising"].accounts[0].profiles]

    assert (reach.outcome, reach.age_hours) == ("views", 72)
    assert (reach.n, reach.former_n) == (13, 14), "a paid post is left out"
    assert reach.direction is Direction.UP
    assert reach.ratio_low < 3.0 < reach.ratio_high
    assert reach.ratio_low > 1.5
    assert rate.direction is Direction.NO_CLEAR_CHANGE


def test_a_quiet_week_is_no_clear_change(reports):
    (profile,) = reports["quiet"].accounts[0].profiles

    assert profile.movements[0].direction is Direction.NO_CLEAR_CHANGE
    assert profile.movements[0].ratio_low < 1 < profile.movements[0].ratio_high


def test_few_posts_give_no_figure_and_say_what_it_takes(reports):
    (profile,) = reports["few"].accounts[0].profiles

    assert profile.movements[0].ratio is None
    assert profile.movements[0].direction is Direction.NOT_ENOUGH_DATA
    assert profile.movements[0].posts_needed == 2
    assert any(
        "not enough data (3 and 3 posts; needs 2 more" in sentence
        for sentence in executive_summary(reports["few"])
    )


def test_several_accounts_are_each_compared_with_themselves(reports):
    whole = reports[None].overall[0]

    assert whole.outcome == "reach"
    assert (whole.n, whole.former_n) == (27, 28), "accounts without a figure of their own are out"
    assert whole.ratio == pytest.approx(3**0.5, rel=0.1)
    assert "Up in reach: rising" in " ".join(executive_summary(reports[None]))


def test_the_best_and_the_worst_share_no_post_and_no_paid_one(reports):
    report = reports["rising"]
    ids = [post.post_id for post in (*report.top, *report.bottom)]

    assert len(ids) == len(set(ids)) == 6
    multiples = [post.outlier_multiple for post in (*report.top, *report.bottom[::-1])]
    assert multiples == sorted(multiples, reverse=True)
    assert not any(post.is_ad for post in (*report.top, *report.bottom))


def test_verdicts_arrive_by_the_accounts_own_midnight(reports):
    trials = reports["rising"].trials

    assert [one.segment for one in trials.arrived] == ["given_up", "first_second"] or [
        one.segment for one in trials.arrived
    ] == ["first_second", "given_up"]
    assert [one.segment for one in trials.running] == ["due_soon", "far_away"]
    assert [one.segment for one in trials.due] == ["due_soon"]


def test_costs_are_of_the_weeks_local_days_and_tell_what_is_not_known(reports):
    scraping, model = reports["rising"].costs

    assert (scraping.kind, float(scraping.cost_usd), float(scraping.former_cost_usd)) == (
        "scraping", 0.25, 0.5,
    )  # fmt: skip
    assert (scraping.run_count, scraping.unpriced_run_count) == (3, 1)
    assert (model.kind, float(model.cost_usd)) == ("model", 0.012)
    assert "Cost at least $0.262 (scraping $0.250, Claude $0.012; 1 run of unknown cost)." in (
        executive_summary(reports["rising"])
    )


def test_parts_without_data_say_which_data_they_would_need(reports):
    assert reports["rising"].returns is None
    assert {one.part for one in reports["rising"].absent} == {"return on cost", "competitors"}


def test_revenue_and_clicks_make_the_part_on_return(tmp_path):
    settings = publish_world(
        tmp_path,
        sql="update marts.fct_post_performance set native_revenue_usd = 2.5, "
        "native_link_clicks = 10 where post_id like '%-1%' and post_id like '%0'",
    )
    with reading(settings) as connection:
        report = period_report(settings, connection, WEEK, "sleepy")

    assert report.returns is not None
    assert report.returns.revenue_usd == 2.5 * report.returns.revenue_post_count
    assert report.returns.revenue_post_count == 2
    assert [one.part for one in report.absent] == ["competitors"]


def test_views_of_another_definition_are_not_compared(tmp_path):
    settings = publish_world(
        tmp_path,
        sql="update marts.fct_snapshot set view_definition_id = 'older' "
        "where post_id like 'sleepy-tiktok-0%'; "
        "update marts.fct_post_performance set engagement_24h = null, engagement_72h = null, "
        "engagement_7d = null",
    )
    with reading(settings) as connection:
        report = period_report(settings, connection, WEEK, "sleepy")
    (profile,) = report.accounts[0].profiles

    assert profile.movements[0].ratio is None
    assert profile.movements[0].definition_changed
    assert "changed what a view is" in executive_summary(report)[1]


def test_a_daily_report_compares_the_week_up_to_its_day(world):
    day = period_of(PeriodKind.DAILY, date(2026, 5, 17))
    with reading(world) as connection:
        report = period_report(world, connection, day, "rising")

    assert report.period.compared == WEEK.days
    assert report.post_count == 14
    assert report.costs == (), "the ledger has nothing of that day or the one before"


def test_an_account_that_was_never_built_is_told_so_without_a_figure(world, capsys, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(world.home))
    assert main(["accounts", "add", "brand_new", "--timezone", "UTC"]) == 0
    capsys.readouterr()

    assert main(["report", "weekly", "--account", "brand_new", "--period-end", "2026-05-17"]) == 0

    assert "No posts in 11–17 May 2026" in capsys.readouterr().out


def test_json_holds_every_figure_that_is_shown_and_no_workings(world, capsys, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(world.home))

    words = ["report", "weekly", "--account", "rising", "--period-end", "2026-05-17", "--json"]
    assert main(words) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["period"]["key"] == "2026-W20"
    (movement, _) = told["accounts"][0]["profiles"][0]["movements"]
    assert {"n", "ratio", "ratio_low", "ratio_high", "age_hours", "direction"} <= set(movement)
    assert "contrast" not in movement
    assert told["build"]["warehouse_version"] == "20260521T120000_abcdef"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["yearly"], "'yearly' is no period"),
        (["weekly", "--to", "fax"], "stdout, slack, html, csv, pdf"),
        (["weekly", "--again"], "--again goes with --to slack"),
        (["weekly", "--period-end", "soon"], "write a day such as"),
        (["weekly", "--period-end", "2999-01-01"], "is not over yet"),
    ],
)
def test_words_that_do_not_fit_are_one_sentence(world, capsys, monkeypatch, words, sentence):
    monkeypatch.setenv("AFTERPOST_HOME", str(world.home))

    assert main(["report", *words]) == 2

    error = " ".join(capsys.readouterr().err.split())
    assert error.startswith("error: ")
    assert sentence in error


def test_runs_of_unknown_cost_alone_have_no_cost_of_zero(tmp_path):
    settings = publish_world(
        tmp_path,
        sql="insert into stats.cost_ledger by name select 'sleepy' as account_name, "
        "date '2026-05-12' as local_date, 'owner/actor' as source, "
        "null::decimal(12, 6) as cost_usd, 2 as run_count, 2 as unpriced_run_count",
    )
    with reading(settings) as connection:
        report = period_report(settings, connection, WEEK, "sleepy")

    assert [(cost.cost_usd, cost.former_cost_usd) for cost in report.costs] == [(None, 0)]
    assert "scraping not known" in executive_summary(report)[-1]


def test_an_unknown_account_is_one_sentence(world, capsys, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(world.home))

    assert main(["report", "weekly", "--account", "nobody"]) == 1

    assert "There is no account 'nobody'" in capsys.readouterr().err


def test_the_terminal_gets_every_figure_within_eighty_columns(world, capsys, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(world.home))
    monkeypatch.setenv("COLUMNS", "80")

    assert main(["report", "weekly", "--account", "rising", "--period-end", "2026-05-17"]) == 0

    shown = capsys.readouterr().out
    assert "▲" in shown
    assert "13 and 14 posts" in shown
    assert "Warehouse 20260521T120000_abcdef" in shown
    tables = [line for line in shown.splitlines() if "  " in line.strip()]
    assert max(len(line) for line in tables) <= 80
