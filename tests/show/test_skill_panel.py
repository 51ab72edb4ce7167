"""The dashboard's learning curve."""

from pathlib import Path

import pytest

from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from pipeline.show.dashboard.facts import gather
from pipeline.show.dashboard.page import page, panels
from tests.fakes.dashboard_copy import publish_dashboard_copy
from tests.fakes.published import ACCOUNT

_SKILL = """
insert into marts.mart_prediction_skill by name
select $account as account_name, 'tiktok' as platform, 20 as model_n, 0.8 as coverage, * from (
    values
    ('views_7d', '*', 'all', 0, null::date, date '2026-11-20', 40::bigint, 0.93::double,
        0.88::double, 0.98::double, 0.425::double),
    ('views_7d', '*', '28d', 0, date '2026-10-24', date '2026-11-20', 12, 0.90, 0.8, 0.99, 0.5),
    ('views_7d', '*', '28d', 1, date '2026-09-26', date '2026-10-23', 9, 1.10, null, null, 0.2),
    ('views_7d', 'baseline', 'all', 0, null, date '2026-11-20', 20, 1.0, 1.0, 1.0, 0.4),
    ('engagement_rate_7d', '*', 'all', 0, null, date '2026-11-20', 4, 1.0, null, null, 0.25),
    ('engagement_rate_7d', '*', '28d', 0, date '2026-10-24', date '2026-11-20', 4, 1.0, null, null,
        0.25)
) as rows (target, model_name, period, periods_ago, period_start, period_end, n, pinball_ratio,
    pinball_ratio_low, pinball_ratio_high, close_share)
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return publish_dashboard_copy(tmp_path, 40)


def test_the_curve_has_a_point_for_each_window_and_a_table_with_all(home: Settings):
    with writing(home, "test") as connection:
        connection.execute(_SKILL, {"account": ACCOUNT})
    publish(home, "v2")
    facts = gather(home, ACCOUNT, None)

    (panel,) = [one for one in panels(facts) if one.key == "skill"]

    views, rate = panel.variants
    assert (views.label, rate.label) == (
        "TikTok, views at 7 days", "TikTok, engagement rate at 7 days",
    )  # fmt: skip
    spec = views.spec()
    assert spec is not None
    assert [one["ratio"] for one in spec["data"]["values"]] == [1.10, 0.90], "oldest first"
    assert rate.spec() is None, "one window is no curve"
    assert [row[0] for row in views.table.rows] == ["2026-10-24", "2026-09-26", "all"]
    assert views.table.rows[1][4] == "–"
    assert "better than the account's own quantiles" in (views.note or "")
    assert "too few to say more" in (rate.note or "")
    assert "How good were the predictions?" in page(home, facts, "")


def test_without_scores_the_panel_says_when_there_will_be_some(home: Settings):
    (panel,) = [one for one in panels(gather(home, ACCOUNT, None)) if one.key == "skill"]

    assert panel.variants == []
    assert "a post is scored when it is a week old" in panel.empty
