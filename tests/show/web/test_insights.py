"""What is working, as the API tells it, is what the published copy says."""

import json
from typing import Any

import duckdb
import pytest
from fastapi.testclient import TestClient

from pipeline.settings import Settings
from tests.fakes.dashboard_copy import HOSTILE_SEGMENT, HOSTILE_TEXTS, OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import POST, VERSION, api_client, publish_changed

DASHBOARD = "/api/v1/insights/dashboard"
CONTENT = "/api/v1/insights/content"

_EXPECTED = """
select
    count(*) as total_content,
    count(*) filter (category = 'overperforming') as overperforming_count,
    count(*) filter (category = 'normal') as normal_count,
    count(*) filter (category = 'underperforming') as underperforming_count,
    count(*) filter (category is null) as unscored_count,
    avg(engagement_rate_views) as avg_engagement_rate,
    count(engagement_rate_views) as avg_engagement_rate_n,
    sum(view_count)::bigint as total_views,
    count(view_count) as total_views_n,
    avg(score) as avg_score
from marts.fct_post_performance
where posted_at > timestamptz '2026-11-20 08:00Z' - to_days($days::integer)
    and ($account is null or account_name = $account)
    and ($platform is null or platform = $platform)
"""


def _row(marts: duckdb.DuckDBPyConnection, sql: str, **values: Any) -> dict[str, Any]:
    cursor = marts.execute(sql, values)
    names = [column[0] for column in cursor.description]
    (row,) = cursor.fetchall()
    return dict(zip(names, row, strict=True))


@pytest.mark.parametrize("days", [7, 30, 90])
@pytest.mark.parametrize("account", [None, ACCOUNT, OTHER_ACCOUNT])
@pytest.mark.parametrize("platform", [None, "tiktok", "instagram"])
def test_the_cards_are_the_marts(
    reader: TestClient,
    marts: duckdb.DuckDBPyConnection,
    days: int,
    account: str | None,
    platform: str | None,
):
    asked = {"time_period": f"{days}d", "account": account, "platform_filter": platform}
    answer = reader.get(DASHBOARD, params={k: v for k, v in asked.items() if v})
    told = answer.json()["summary"]
    expected = _row(marts, _EXPECTED, days=days, account=account, platform=platform)

    assert answer.status_code == 200
    assert {name: told[name] for name in expected} == pytest.approx(expected)


def test_the_dashboard_has_the_fields_that_were_asked_for(reader: TestClient):
    told = reader.get(DASHBOARD, params={"time_period": "90d", "account": ACCOUNT}).json()

    assert set(told["summary"]) >= {
        "total_content", "overperforming_count", "normal_count", "underperforming_count",
        "avg_engagement_rate", "total_views", "total_reach", "engagement_trend",
    }  # fmt: skip
    best = told["top_performers"][0]
    assert set(best) >= {"id", "title", "platform", "performance", "insights"}
    assert set(best["performance"]) >= {
        "performance_score", "percentile_rank", "views", "engagement_rate",
    }  # fmt: skip
    (insight, *_) = next(one["insights"] for one in told["top_performers"] if one["insights"])
    assert set(insight) >= {"title", "description", "impact_level", "is_positive"}
    assert insight["impact_level"] == "high"
    assert insight["n"] == 40
    assert told["meta"]["warehouse_version"] == VERSION
    assert told["meta"]["as_of"] == "2026-11-20T08:00:00Z"
    assert told["meta"]["is_simulated"] is False


def test_best_come_first_and_worst_need_attention(
    reader: TestClient, marts: duckdb.DuckDBPyConnection
):
    told = reader.get(DASHBOARD, params={"time_period": "90d"}).json()
    best, worst = marts.execute(
        "select max(score), min(score) from marts.fct_post_performance "
        "where posted_at > timestamptz '2026-11-20 08:00Z' - interval 90 day"
    ).fetchall()[0]

    scores = [one["performance"]["performance_score"] for one in told["top_performers"]]
    assert scores[0] == best
    assert scores == sorted(scores, reverse=True)
    lowest = [one["performance"]["performance_score"] for one in told["needs_attention"]]
    assert lowest[0] == worst
    assert lowest == sorted(lowest)
    assert {one["performance"]["performance_category"] for one in told["needs_attention"]} == {
        "underperforming"
    }


def test_what_is_not_known_is_null_with_the_reason(reader: TestClient):
    told = reader.get(DASHBOARD, params={"time_period": "30d", "account": OTHER_ACCOUNT}).json()

    assert told["summary"]["total_reach"] is None
    assert told["meta"]["missing"]["summary.total_reach"]["code"] == "not_imported"
    assert told["summary"]["engagement_trend"] is None
    assert "summary.engagement_trend" in told["meta"]["missing"]
    items = reader.get(CONTENT, params={"platform": "instagram", "limit": 1}).json()["items"]
    assert items[0]["performance"]["views"] is None
    assert items[0]["performance"]["missing"]["views"]["code"] == "not_published"


def test_one_profile_has_the_trend_of_its_mart(reader: TestClient):
    told = reader.get(DASHBOARD, params={"time_period": "30d", "account": ACCOUNT}).json()

    assert told["summary"]["engagement_trend"] == "up"
    trend = told["engagement_trend"]
    assert (trend["change"], trend["change_low"], trend["change_high"]) == (1.3, 1.1, 1.5)
    assert (trend["n"], trend["n_before"]) == (28, 30)


def test_pages_cover_the_list_once(reader: TestClient, marts: duckdb.DuckDBPyConnection):
    asked: dict[str, Any] = {
        "account": ACCOUNT,
        "performance_category": "overperforming",
        "limit": 7,
    }
    found: list[str] = []
    while True:
        page = reader.get(CONTENT, params={**asked, "offset": len(found)}).json()
        found += [one["id"] for one in page["items"]]
        if len(found) >= page["total"]:
            break
    expected = marts.execute(
        "select platform || ':' || post_id from marts.fct_post_performance "
        "where account_name = ? and category = 'overperforming'",
        [ACCOUNT],
    ).fetchall()

    assert len(found) == len(set(found)) == page["total"]
    assert set(found) == {one for (one,) in expected}
    assert reader.get(CONTENT, params={**asked, "offset": 10_000}).json()["items"] == []


def test_filters_take_names_as_they_are(reader: TestClient, marts: duckdb.DuckDBPyConnection):
    (count,) = marts.execute(
        "select count(*) from marts.dim_post where format = ?", [HOSTILE_SEGMENT]
    ).fetchall()[0]

    page = reader.get(CONTENT, params={"format": HOSTILE_SEGMENT}).json()
    themed = reader.get(CONTENT, params={"theme": "picky_eating"}).json()

    assert page["total"] == count > 0
    assert {one["theme"] for one in themed["items"]} == {"picky_eating"}
    assert reader.get(CONTENT, params={"theme": "nobody's"}).json()["total"] == 0


def test_a_post_is_told_with_its_figures_curve_and_factors(reader: TestClient):
    told = reader.get(f"{CONTENT}/{POST}").json()

    assert told["id"] == POST
    assert told["metrics"]["views"]["value"] == told["performance"]["views"]
    assert told["metrics"]["retention_rate"]["missing"]["code"] == "not_imported"
    assert [one["is_positive"] for one in told["why_it_worked"]] == [True]
    assert [one["is_positive"] for one in told["areas_for_improvement"]] == [False]
    assert len(told["growth_curve"]) == 1
    assert told["url"].startswith("https://www.tiktok.com/")
    assert told["similar"]
    assert POST not in {one["id"] for one in told["similar"]}


def test_a_young_post_is_told_with_its_projection(reader: TestClient):
    (young, *_) = [
        one
        for one in reader.get(CONTENT, params={"platform": "tiktok", "limit": 50}).json()["items"]
        if one["performance"]["performance_score"] is None
    ]
    told = reader.get(f"{CONTENT}/{young['id']}").json()

    (projection,) = told["projections"]
    assert projection["expected_count_low_80"] < projection["expected_count_high_80"]
    assert projection["n"] == 200
    assert told["performance"]["missing"]["performance_score"]["code"] == "not_compared"


def test_hostile_texts_come_through_as_text(reader: TestClient):
    items = reader.get(CONTENT, params={"limit": 50}).json()["items"]
    captions = [reader.get(f"{CONTENT}/{one['id']}").json()["caption"] for one in items[:10]]

    assert set(HOSTILE_TEXTS) <= set(captions)


def test_an_address_that_is_no_https_link_is_not_told(reader: TestClient):
    urls = [
        reader.get(f"{CONTENT}/{one['id']}").json()["url"]
        for one in reader.get(CONTENT, params={"limit": 10}).json()["items"]
    ]

    assert None in urls
    assert not [url for url in urls if url and not url.startswith("https://")]


def test_posts_side_by_side(reader: TestClient):
    other = "tiktok:7300000000000000101"
    answer = reader.get("/api/v1/insights/compare", params={"content_id": [POST, other]})

    assert [one["id"] for one in answer.json()["items"]] == [POST, other]
    assert all(len(values) == 2 for values in answer.json()["metrics"].values())


def test_themes_and_platforms_are_the_marts(reader: TestClient, marts: duckdb.DuckDBPyConnection):
    themes = reader.get("/api/v1/insights/themes", params={"account": ACCOUNT}).json()["items"]
    platforms = reader.get("/api/v1/insights/platforms").json()["items"]
    expected = dict(
        marts.execute(
            "select pillar, count(*) from marts.dim_post where account_name = ? group by 1",
            [ACCOUNT],
        ).fetchall()
    )

    assert {one["theme"]: one["content_count"] for one in themes} == expected
    effects = {one["theme"]: one["effects"] for one in themes}
    assert effects["sleep_routines"][0]["effect"] == 1.4
    assert effects["sleep_routines"][0]["n"] == 50
    views = {one["platform"]: one["total_views"] for one in platforms}
    assert views == dict(
        marts.execute(
            "select platform, sum(view_count)::bigint from marts.fct_post_performance group by 1"
        ).fetchall()
    )


def test_numbers_that_json_lacks_are_null(home: Settings):
    publish_changed(
        home,
        "v3",
        "update marts.fct_post_performance set engagement_rate_views = 'nan', "
        "view_per_hour_24h = 'inf', score = 'nan'; ;\n"
        "update stats.build_info set warehouse_version = 'v3'",
    )
    client = api_client(home)

    dashboard = client.get(DASHBOARD, params={"time_period": "90d"})
    detail = client.get(f"{CONTENT}/{POST}")

    for answer in (dashboard, detail):
        assert answer.status_code == 200
        json.loads(answer.text, parse_constant=pytest.fail)
    assert dashboard.json()["summary"]["avg_engagement_rate"] is None
    assert detail.json()["metrics"]["views_per_hour_24h"]["value"] is None


def test_a_new_version_is_told_at_once(home: Settings):
    client = api_client(home)
    before = client.get(DASHBOARD).json()

    publish_changed(
        home,
        "v3",
        "delete from marts.fct_post_performance where account_name = 'sleepy';\n"
        "update stats.build_info set warehouse_version = 'v3'",
    )
    after = client.get(DASHBOARD).json()

    assert before["meta"]["warehouse_version"] == VERSION
    assert after["meta"]["warehouse_version"] == "v3"
    assert after["summary"]["total_content"] < before["summary"]["total_content"]


def test_without_a_build_it_says_what_to_do(tmp_path):
    client = api_client(Settings(home=tmp_path))

    answer = client.get(DASHBOARD)

    assert answer.status_code == 409
    assert answer.json()["code"] == "nothing_published"
    assert "afterpost build" in answer.json()["message"]
    assert str(tmp_path) not in answer.text
