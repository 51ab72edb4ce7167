"""Scored predictions in alerts and metrics."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.accounts import AlertKind
from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from pipeline.show.alerts.watch import watch
from tests.show.metric_series import NOW, series_of, value_of
from tests.show.published_copies import ACCOUNT, publish_night_owls

SCORES = """
insert into marts.fct_prediction_score by name
select 'prd_' || i as prediction_id, $account as account_name, 'tiktok' as platform,
    'views_7d' as target, $now - to_days(case when i <= 100 then 60 else 5 end) as scored_at,
    true as is_counted, i <= 80 or i between 101 and 120 as is_within_25_percent
from range(1, 141) as numbers (i)
union all by name
select 'prd_early_' || i as prediction_id, $account as account_name, 'tiktok' as platform,
    'views_7d' as target, $now - to_days(5) as scored_at, false as is_counted,
    true as is_within_25_percent
from range(1, 200) as numbers (i)
"""
SKILL = """
insert into marts.mart_prediction_skill by name
select $account as account_name, 'tiktok' as platform, * from (values
    ('views_7d', '*', 'all', 30::bigint, 0.96::double, 0.80::double, 0.40::double),
    ('engagement_rate_7d', '*', 'all', 10, 1.02, 0.70, 0.80),
    ('views_7d', '*', '28d', 5, 2.0, 0.10, 0.10),
    ('views_7d', 'baseline', 'all', 20, 1.0, 0.10, 0.10)
) as rows (target, model_name, period, n, pinball_ratio, coverage, close_share)
"""
VERDICT = """
insert into stats.verdicts by name
select 'rec_1' as recommendation_id, $account as account_name, 'tiktok' as platform,
    'format' as dimension, 'scripts' as segment, 'views_7d' as outcome, 'up' as direction,
    '2026-05-01 08:00Z'::timestamptz as registered_at, '2026-05-20 08:00Z'::timestamptz
    as horizon_at, 'worked' as verdict, true as is_final, 'holdout' as evidence, 9 as n,
    9 as control_n, 1.1 as smallest_useful_ratio
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return publish_night_owls(tmp_path)


def add(settings: Settings, version: str, *statements: str) -> None:
    with writing(settings, "test") as connection:
        for statement in statements:
            values = {"account": ACCOUNT, "now": NOW}
            known = {name: value for name, value in values.items() if f"${name}" in statement}
            connection.execute(statement, known)
    publish(settings, version)


def test_a_round_tells_that_predictions_became_worse_and_that_they_are_good_again(
    settings: Settings,
):
    add(settings, "v2", SCORES)

    (alert,) = [one for one in watch(settings, NOW).opened if one.kind is AlertKind.ACCURACY_DROP]

    assert (alert.account_name, alert.figures["late_n"], alert.figures["earlier_n"]) == (
        ACCOUNT, 40, 100,
    )  # fmt: skip
    assert "50 % of 40 came within 25 % of the outcome" in alert.sentence
    assert "after 80 % of 100." in alert.sentence
    add(settings, "v3", "delete from marts.fct_prediction_score where scored_at > '2026-04-01'")
    over = watch(settings, NOW + timedelta(hours=1)).resolved
    assert alert.alert_id in [one.alert_id for one in over]


def test_a_copy_from_before_predictions_were_scored_hides_no_other_alert(settings: Settings):
    add(settings, "v2", "drop table marts.fct_prediction_score")

    assert watch(settings, NOW).problems == []


def test_the_accuracy_is_that_of_predictions_where_some_are_scored(settings: Settings):
    add(settings, "v2", VERDICT)
    assert value_of(series_of(settings), "reflexion_accuracy") == 100
    add(settings, "v3", SKILL)

    series = series_of(settings)

    assert value_of(series, "reflexion_accuracy") == pytest.approx(100 * (12 + 8) / 40)
    assert value_of(series, "afterpost_verdict_accuracy_ratio") == 1
    labels = {"account": ACCOUNT, "platform": "tiktok", "target": "views_7d"}
    assert value_of(series, "afterpost_predictions_scored", **labels) == 30
    assert value_of(series, "afterpost_prediction_loss_ratio", **labels) == 0.96
    assert value_of(series, "afterpost_prediction_coverage_ratio", **labels) == 0.8
    assert value_of(series, "afterpost_prediction_within_25_percent_ratio", **labels) == 0.4
