"""What each rule says about rows that are made up, where the right answer is known."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.accounts import AlertKind, AlertThresholds
from pipeline.measure.intervals import share_of
from pipeline.show.alerts.breakouts import breakout_findings, chance_of
from pipeline.show.alerts.drops import NEW_USUAL_DAYS, drop_findings, find_fall, posts_needed
from pipeline.show.alerts.findings import Finding, Says
from pipeline.show.alerts.low_engagement import low_engagement_findings
from pipeline.show.alerts.posts import post_findings
from pipeline.show.alerts.predictions import ScoredPrediction, accuracy_findings
from pipeline.show.alerts.robust import Usual, usual_of
from pipeline.show.alerts.series import ProfileSeries
from pipeline.show.alerts.wording import ended_sentence, sentence

DAY_S = 86_400.0
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOW_S = NOW.timestamp()


def luck(n: int, spread: float, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, spread, n)


def made(
    logs: np.ndarray,
    *,
    every_days: float = 1.0,
    rates: np.ndarray | None = None,
    now_s: float = NOW_S,
) -> ProfileSeries:
    """A profile whose posts all have the same value at every age; the last is five days old."""
    n = len(logs)
    posted_at = np.array([now_s - DAY_S * (5 + every_days * place) for place in range(n)][::-1])
    return ProfileSeries(
        account_name="night_owls",
        platform="tiktok",
        metric="views",
        post_ids=np.arange(n).astype(str),
        posted_at=posted_at,
        age_hours=(now_s - posted_at) / 3600,
        log_now=logs,
        log_at={24: logs, 72: logs, 168: logs},
        engagement_rate=np.full(n, np.nan) if rates is None else rates,
    )


def drops(series: ProfileSeries, standing=None, now_s: float = NOW_S) -> list[Finding]:
    return drop_findings(series, now_s, 0.25, standing)


def test_a_fall_to_a_fifth_is_told_with_its_size_its_posts_and_an_interval_that_has_it():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)

    (found,) = drops(made(fallen))

    figures = found.figures
    assert (found.says, found.subject) == (Says.RAISE, "tiktok/views")
    assert figures["ratio_low"] < 0.2 < figures["ratio_high"]
    assert figures["late_n"] >= 8
    assert f"The last {figures['late_n']} posts on tiktok" in sentence(
        found.kind, found.platform, figures
    )


def test_the_posts_after_a_record_are_no_fall():
    for position in (20, 30, 45, 55, 59):
        with_record = 8 + luck(60, 0.4)
        with_record[position] += math.log(200)

        assert drops(made(with_record)) == []


def test_a_naive_mean_would_call_the_posts_after_a_record_a_fall():
    with_record = 8 + luck(60, 0.4)
    with_record[45] += math.log(200)
    views = np.exp(with_record)

    assert views[-10:].mean() < 0.75 * views[-20:-10].mean()


def test_fewer_than_twenty_earlier_posts_tell_nothing():
    short = 8 + luck(23, 0.1)
    short[-4:] -= 3

    assert drops(made(short)) == []
    assert drops(made(np.concatenate([8 + luck(2, 0.1, 9), short]), every_days=3.0)) != []


def test_a_weekend_is_no_fall_however_many_posts_it_has():
    quick = 8 + luck(90, 0.2)
    quick[-12:] -= 1.0

    assert drops(made(quick, every_days=0.1)) == []


def test_posts_of_a_past_that_went_quiet_are_no_news():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)

    assert drops(made(fallen), now_s=NOW_S + 40 * DAY_S) == []


def test_posts_that_are_all_alike_are_no_reason_to_divide_by_nothing():
    assert drops(made(np.full(60, 8.0))) == []
    assert breakout_findings(made(np.full(60, 8.0)), NOW_S, 7.0, 3.0) == []


def test_an_alert_that_stands_is_held_against_the_usual_from_before_the_fall():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)
    (first,) = drops(made(fallen))

    longer = np.concatenate([fallen, 8 + math.log(0.2) + luck(110, 0.4, 5)])
    # By now all the posts that the last ones would be held against have fallen too.
    assert find_fall(DAY_S * np.arange(float(len(longer))), longer, 0.25) is None
    later_s = NOW_S + 40 * DAY_S
    (later,) = drops(made(longer, now_s=later_s), first.figures, later_s)

    assert (later.says, later.figures["usual"]) == (Says.KEEP, first.figures["usual"])
    assert later.figures["ratio_high"] < 0.5


def test_an_alert_ends_when_reach_is_back_and_says_so_with_figures():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)
    (first,) = drops(made(fallen))

    later_s = NOW_S + 20 * DAY_S
    recovered = made(np.concatenate([fallen, 8 + luck(20, 0.4, 6)]), now_s=later_s)
    (back,) = drops(recovered, first.figures, later_s)

    assert (back.says, back.figures["ended"]) == (Says.END, "back")
    words = ended_sentence(back.kind, back.platform, back.figures, with_figures=True)
    assert words.startswith("Reach on tiktok has come back: the last ")
    assert "90 % interval of the ratio" in words


def test_a_fall_that_stays_becomes_the_usual():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)
    (first,) = drops(made(fallen))
    later_s = NOW_S + NEW_USUAL_DAYS * DAY_S
    longer = made(np.concatenate([fallen, 8 + math.log(0.2) + luck(60, 0.4, 5)]), now_s=later_s)

    (over,) = drops(longer, first.figures, later_s)

    assert (over.says, over.figures["ended"]) == (Says.END, "new_usual")


def test_without_new_posts_a_standing_alert_stays_as_it_is():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)
    (first,) = drops(made(fallen))

    (kept,) = drops(made(fallen), first.figures)

    assert (kept.says, kept.figures) == (Says.KEEP, first.figures)


def test_the_more_posts_differ_the_more_of_them_a_fall_takes():
    needed = [
        posts_needed(Usual(8.0, spread, 8.0, spread, 60), 1 / 3) for spread in (0.3, 0.5, 0.7, 1.0)
    ]

    assert needed == [4, 6, 16, 40]
    assert posts_needed(Usual(8.0, 1.3, 8.0, 1.3, 60), 1 / 3) is None
    assert posts_needed(Usual(8.0, 0.3, 8.0, 0.3, 60), 0.8) is None


def test_luck_that_lasts_from_post_to_post_makes_a_fall_take_more_posts():
    apart, together = luck(60, 0.4), np.repeat(luck(20, 0.4), 3)
    usuals = [usual_of(values) for values in (apart, together)]

    assert [round(usual.inflation, 1) for usual in usuals if usual] == [1.0, 2.5]
    apart_n, together_n = (posts_needed(usual, 1 / 3) for usual in usuals if usual)
    assert apart_n is not None
    assert together_n is not None
    assert apart_n < together_n


def test_a_breakout_is_told_at_the_youngest_age_that_shows_it():
    logs = 8 + luck(60, 0.4)
    series = made(logs)
    now = logs.copy()
    now[-1] = 8 + 3.5
    young = replace(
        series,
        age_hours=np.append(series.age_hours[:-1], 9.0),
        log_now=now,
        log_at={age: np.append(logs[:-1], np.nan) for age in (24, 72, 168)},
    )

    (found,) = breakout_findings(young, NOW_S, 7.0, 3.0)

    assert (found.subject, found.figures["age_hours"], found.figures["n"]) == ("tiktok/59", 24, 59)
    assert found.figures["ratio_low"] < math.exp(3.5) * 1.2
    words = sentence(found.kind, found.platform, {**found.figures, "ratio": 33.1})
    assert "views at 9 h already, 33× what is usual at 24 h (" in words


def test_heavy_tails_make_the_same_post_less_of_a_breakout():
    places = (np.arange(100) + 0.5) / 100
    chances = []
    for values in (stats.norm.ppf(places), stats.t.ppf(places, 3)):
        usual = usual_of(values)
        assert usual is not None
        chances.append(chance_of(5.0, values, usual))

    assert chances[1] > 10 * chances[0]


def test_the_same_post_is_less_of_a_breakout_among_more_posts():
    logs = 8 + luck(60, 0.4)
    logs[-1] = 8 + 1.75

    assert len(breakout_findings(made(logs), NOW_S, 1.0, 3.0)) == 1
    assert breakout_findings(made(logs), NOW_S, 500.0, 3.0) == []


def test_small_counts_and_old_posts_are_no_breakouts():
    tiny = np.log1p(np.round(np.exp(1 + luck(60, 0.3))))
    tiny[-1] = math.log(80)
    assert breakout_findings(made(tiny), NOW_S, 7.0, 3.0) == []

    logs = 8 + luck(60, 0.4)
    logs[-10] += 4
    assert breakout_findings(made(logs), NOW_S, 7.0, 3.0) == []


def test_low_engagement_needs_most_posts_and_stays_until_few_are_low():
    logs = 8 + luck(40, 0.4)
    good, bad = np.full(40, 0.05), np.full(40, 0.05)
    bad[-16:] = 0.004

    def low(rates: np.ndarray, standing=None) -> list[Finding]:
        return low_engagement_findings(made(logs, rates=rates), NOW_S, 0.01, standing)

    (found,) = low(bad)
    assert (found.figures["low_n"], found.figures["n"], found.figures["is_usual"]) == (
        16,
        20,
        False,
    )
    assert low(good) == []
    mixed = good.copy()
    mixed[-10:] = 0.004
    assert low(mixed) == []  # the interval of 10 in 20 has one half
    assert [one.says for one in low(mixed, found.figures)] == [Says.KEEP]
    assert [one.says for one in low(good, found.figures)] == [Says.END]


def test_an_account_that_is_always_low_is_told_that_it_is_usual():
    logs = 8 + luck(40, 0.4)

    (found,) = low_engagement_findings(made(logs, rates=np.full(40, 0.004)), NOW_S, 0.01, None)

    assert found.figures["is_usual"]
    assert "That is usual here" in sentence(found.kind, found.platform, found.figures)


def test_where_no_rate_is_published_nothing_is_said_about_it():
    assert low_engagement_findings(made(8 + luck(40, 0.4)), NOW_S, 0.01, None) == []


def test_muted_kinds_are_not_found():
    fallen = 8 + luck(60, 0.4)
    fallen[-10:] += math.log(0.2)
    series = [made(fallen)]

    assert len(post_findings(series, AlertThresholds(), {}, NOW_S)) == 1
    muted = AlertThresholds(muted=(AlertKind.PERFORMANCE_DROP,))
    assert post_findings(series, muted, {}, NOW_S) == []


@given(
    st.lists(st.floats(0, 20), max_size=80),
    st.floats(0.05, 3.0),
    st.lists(st.sampled_from([math.nan, 0.0, 0.004, 0.5]), min_size=80, max_size=80),
)
def test_the_rules_take_any_history_and_give_finite_figures(values, every_days, rates):
    series = made(np.array(values), every_days=every_days, rates=np.array(rates)[: len(values)])

    for one in post_findings([series], AlertThresholds(), {}, NOW_S):
        numbers = [value for value in one.figures.values() if isinstance(value, float)]
        assert all(math.isfinite(value) for value in numbers)
        assert sentence(one.kind, one.platform, one.figures)


def predictions(right: int, wrong: int, days_ago: float) -> list[ScoredPrediction]:
    moment = NOW - timedelta(days=days_ago)
    return [
        ScoredPrediction("night_owls", "views_7d", moment, place < right)
        for place in range(right + wrong)
    ]


def test_predictions_that_are_right_less_often_are_told():
    earlier = predictions(80, 20, 60)

    (found,) = accuracy_findings([*earlier, *predictions(20, 20, 5)], NOW, 0.05)

    assert found.figures["drop"] == pytest.approx(0.3)
    assert (found.figures["late_n"], found.figures["earlier_n"]) == (40, 100)
    assert accuracy_findings([*earlier, *predictions(30, 10, 5)], NOW, 0.05) == []
    assert accuracy_findings([*earlier, *predictions(2, 10, 5)], NOW, 0.05) == []


@pytest.mark.parametrize(("part", "whole"), [(0, 10), (10, 10), (3, 10), (1, 1)])
def test_shares_lie_in_their_intervals(part: int, whole: int):
    share = share_of(part, whole)

    assert 0 <= share.low <= share.value <= share.high <= 1
