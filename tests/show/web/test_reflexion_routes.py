"""Skill and corrections of predictions over HTTP, and on the page of operations."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.clients.state_predictions import adjustment_rows
from pipeline.clients.state_reflexion import add_adjustments
from pipeline.settings import Settings
from pipeline.show.web.app import create_app
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import LOOPBACK, publish_changed

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REFLEXION = "/api/v1/reflexion"
_SCORED = f"""
delete from marts.mart_prediction_skill;
insert into marts.mart_prediction_skill by name
select '{ACCOUNT}' as account_name, 'tiktok' as platform, 'views_7d' as target, * from (values
    ('*', 'all', 0, null::date, 40::bigint, 0.93::double, 0.88::double, 0.98::double,
        0.80::double, 0.425::double),
    ('*', '28d', 0, date '2026-10-24', 12, 1.01, 0.9, 1.1, 0.70, 0.25),
    ('baseline', 'all', 0, null, 10, 1.0, 1.0, 1.0, 0.9, 0.5)
) as rows (model_name, period, periods_ago, period_start, n, pinball_ratio, pinball_ratio_low,
    pinball_ratio_high, coverage, close_share);
update marts.mart_prediction_skill set period_end = date '2026-11-20', model_n = 30,
    pinball_loss = 0.2, baseline_pinball_loss = 0.21;
insert into marts.fct_prediction_score by name
select 'prd_' || i as prediction_id, '{ACCOUNT}' as account_name, 'tiktok' as platform,
    'views_7d' as target, now() - to_days(10 + i::integer) as posted_at,
    now() - to_days(11 + i::integer) as predicted_at, now() - to_days(2 + i::integer) as scored_at,
    true as is_counted, 1000.0 * (case when i % 5 = 0 then 0.4 else 1.0 end)
    * (0.5 + 0.17 * (i % 7)) as outcome, 600.0 as low, 1000.0 as expected,
    1600.0 as high, 1.0 as reflexion_weight
from range(1, 101) as numbers (i);
insert into raw.state_predictions
select 'prd_' || i, case when i % 5 = 0 then '{{"format": "scripts"}}'
    else '{{"format": "step_guide"}}' end
from range(1, 101) as numbers (i)
"""


@pytest.fixture
def scored(home: Settings) -> Settings:
    publish_changed(home, "v3", _SCORED)
    row = {
        "adjustment_id": "adj_1", "account_name": ACCOUNT, "platform": "tiktok",
        "target": "views_7d", "dimension": "format", "segment": "scripts", "factor": 0.7,
        "proposed_at": NOW, "status": "proposed", "applied_at": None, "ended_at": None,
        "evidence": {"n": 20}, "recommendation_id": None,
    }  # fmt: skip
    add_adjustments(home, [row])
    return home


def test_skill_gaps_and_corrections_are_told(scored: Settings, client: TestClient):
    found = client.get(REFLEXION, params={"account": ACCOUNT}).json()
    skill = client.get(f"{REFLEXION}/skill").json()

    assert [one["period"] for one in skill["items"]] == ["all", "28d"]
    assert skill["items"][0]["description"].startswith("40 posts: better than the account's own")
    assert {one["model_name"] for one in found["skill"]} == {"*", "baseline"}
    (gap,) = [one for one in found["gaps"] if one["segment"] == "scripts"]
    assert gap["is_found"]
    assert 0.4 < gap["ratio"] < 0.65
    assert "too much was said of posts with the format scripts" in gap["description"]
    (adjustment,) = found["adjustments"]
    assert adjustment["posts"] == "with the format scripts"
    assert adjustment["trial"]["n"] == 0
    other = client.get(REFLEXION, params={"account": OTHER_ACCOUNT}).json()
    assert (other["skill"], other["gaps"], other["adjustments"]) == ([], [], [])
    assert client.get(REFLEXION, params={"account": "nobody"}).status_code == 404


def test_a_correction_is_applied_and_ended_by_whoever_asks(scored: Settings, client: TestClient):
    applied = client.post(f"{REFLEXION}/adj_1/apply").json()
    again = client.post(f"{REFLEXION}/adj_1/apply").json()
    ended = client.post(f"{REFLEXION}/adj_1/end").json()
    late = client.post(f"{REFLEXION}/adj_1/apply")

    assert (applied["status"], applied["evidence"]["applied_by"]) == ("applied", "web")
    assert again["applied_at"] == applied["applied_at"]
    assert ended["status"] == "ended"
    assert late.status_code == 409
    assert client.post(f"{REFLEXION}/adj_2/end").status_code == 404
    (row,) = adjustment_rows(scored)
    assert row["ended_at"] is not None
    audit = client.get("/api/v1/operations/audit").json()["items"]
    assert {"reflexion.apply", "reflexion.end"} <= {one["action"] for one in audit}


def test_the_page_of_operations_shows_how_good_predictions_were(scored: Settings, tmp_path: Path):
    page = TestClient(create_app(scored), base_url=LOOPBACK).get("/operations").text

    assert "marts.mart_prediction_skill" in page
    assert "0.93×" in page
    assert "1.01×" not in page, "of all posts, not of the latest"
