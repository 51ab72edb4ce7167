"""What the pages show: the API's figures, with n, interval and age, and hostile texts as text."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.settings import Settings
from pipeline.show.charts.pictures import spec_of
from pipeline.show.dashboard.facts import gather
from pipeline.show.dashboard.page import panels
from pipeline.show.web.app import create_app
from pipeline.show.web.pages.rendering import FOLDER
from tests.fakes.dashboard_copy import HOSTILE_SEGMENT, HOSTILE_TEXTS
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import LOOPBACK, POST
from tests.show.web.experiments import CONCLUDED, PROPOSED
from tests.show.web.pages.conftest import Open

PATHS = (
    "/insights", "/insights?tab=attention&period=90d", "/insights?tab=themes",
    f"/insights?tab=platforms&account={ACCOUNT}&platform=tiktok", f"/insights/content/{POST}",
    "/insights/posts?order=best&time_period=90d",
    f"/insights/compare?content_id={POST}&content_id=tiktok:7300000000000000101",
    "/review", "/review?tab=decided", "/review?tab=history", "/review?tab=verdicts",
    "/review/rec_000000000001", "/experiments", "/experiments?status=running", "/experiments/new",
    f"/experiments/{PROPOSED}", f"/experiments/{CONCLUDED}", "/action-plans",
    "/action-plans?status=all", "/action-plans/new",
    "/chat", f"/chat?account={ACCOUNT}&content_id={POST}&purpose=diagnose", "/operations",
    "/operations?over=true&days=7", "/login", "/docs",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_page_keeps_the_strict_policy(looking: TestClient, look: Open, path: str):
    answer = looking.get(path)
    page = look(path)

    policy = answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert [tag.attributes for tag in page.all("script") if not tag.attributes.get("src")] == []
    assert page.all("style") == []
    loud = [
        (tag.name, name)
        for tag in page.tags
        for name in tag.attributes
        if name == "style" or name.startswith(("on", "hx-on"))
    ]
    assert loud == []
    assert [
        address
        for tag in page.tags
        for name in ("src", "href", "action")
        if (address := tag.attributes.get(name, "")).startswith(("http:", "//", "javascript:"))
        and not address.startswith("http://127.0.0.1:3000")
    ] == []


def test_the_cards_say_what_the_api_says(looking: TestClient, look: Open):
    asked = {"period": "90d", "account": ACCOUNT, "platform": "tiktok"}
    told = looking.get(
        "/api/v1/insights/dashboard",
        params={"time_period": "90d", "account": ACCOUNT, "platform_filter": "tiktok"},
    ).json()
    page = look("/insights", **asked)

    summary = told["summary"]
    rate = 100 * summary["avg_engagement_rate"]
    low, high = (100 * summary[f"avg_engagement_rate_{end}"] for end in ("low", "high"))
    text = page.text.replace("\u00a0", " ")
    assert f"Posts {summary['total_content']} {summary['overperforming_count']} over" in text
    assert f"Engaged per view {rate:.2f} %" in text
    assert f"mean of {summary['avg_engagement_rate_n']} posts, 90 % interval" in text
    assert f"{low:.2f}" in text
    assert f"{high:.2f} %" in text
    assert f"Views {summary['total_views']:,} of {summary['total_views_n']} posts" in text
    shown = page.links("/insights/content/")
    assert [one["id"] for one in told["top_performers"]] == [
        link.removeprefix("/insights/content/").split("?")[0] for link in shown
    ]
    assert "data as of 2026-11-20 08:00 UTC" in text


def test_charts_are_the_dashboards(template: Settings, look: Open):
    page = look("/insights", account=ACCOUNT, tab="themes")

    shown = [json.loads(tag.attributes["data-spec"]) for tag in page.all("div")
             if "data-spec" in tag.attributes]  # fmt: skip
    made = {panel.key: panel for panel in panels(gather(template, ACCOUNT, None))}
    wanted = [variant.spec() for key in ("pillars", "mix") for variant in made[key].variants]
    assert wanted
    assert shown == json.loads(json.dumps(wanted))


def test_a_post_says_what_is_not_published(look: Open, looking: TestClient):
    instagram = looking.get(
        "/api/v1/insights/content", params={"platform": "instagram", "account": ACCOUNT}
    ).json()["items"][0]
    page = look(f"/insights/content/{instagram['id']}")

    assert "views – the platform does not publish it for such posts" in page.text
    for heading in ("Why it worked", "Areas for improvement", "Similar posts", "Metrics",
                    "How it grew", "Create plan", "Make more like this", "Diagnose"):  # fmt: skip
        assert heading in page.text


def test_a_young_post_shows_its_projection_with_the_interval(look: Open, looking: TestClient):
    young = looking.get(
        "/api/v1/insights/content", params={"platform": "tiktok", "account": ACCOUNT}
    ).json()["items"][0]
    text = look(f"/insights/content/{young['id']}").text.replace("\u00a0", " ")

    assert "Expected views at 7 days:" in text
    assert "(80 % interval" in text
    assert "learned from 200 posts" in text


def test_the_record_says_shares_with_their_counts_and_intervals(look: Open):
    text = look("/review", tab="verdicts").text.replace("\u00a0", " ")

    assert "Got a verdict 100 % 1 of 1 whose time is over" in text
    assert "step_guide" in text
    assert "1.50× (1.20–1.80)" in text


def test_hostile_texts_are_text(look: Open):
    listed = look("/insights/posts", limit="50")

    for text in HOSTILE_TEXTS[:3]:
        assert " ".join(text.split())[:30] in listed.text
    assert HOSTILE_SEGMENT in look("/insights", account=ACCOUNT, tab="attention").text
    opened = look("/insights/content/tiktok:7300000000000000001")
    assert HOSTILE_TEXTS[1] in opened.text
    for page in (listed, opened):
        assert page.all("img") == []
        assert "window.hacked" not in "".join(
            value for tag in page.tags for name, value in tag.attributes.items()
            if name not in {"data-spec", "aria-label", "value"}
        )  # fmt: skip
    assert look("/insights/content/tiktok:7300000000000000005").links("javascript") == []


def test_the_api_is_described_without_anybody_elses_scripts(looking: TestClient, look: Open):
    page = look("/docs")
    document = looking.get("/openapi.json").json()

    for path in document["paths"]:
        assert f" {path} " in page.text
    assert "More step guides" in page.text, "examples of what is sent and answered"


def test_templates_mark_nothing_as_safe():
    for path in FOLDER.glob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|{%-?\s*autoescape|<script(?![^>]*\bsrc=)", source), path


def test_errors_are_pages_with_their_status(looking: TestClient):
    html = {"Accept": "text/html,*/*"}
    for path, status, words in (
        ("/nowhere", 404, "Not found"),
        ("/action-plans/plan_00", 404, "There is no action plan"),
        ("/insights/content/tiktok:1", 404, "There is no post"),
        ("/experiments/exp_000000000000", 404, "There is no experiment"),
        ("/experiments?status=lost", 422, "Not taken"),
        ("/insights?period=3d", 422, "Not taken"),
        ("/insights?account=../../etc", 404, "Not found"),
        ("/insights/compare?content_id=a&content_id=b", 422, "is no post"),
        ("/review/rec_nope", 404, "There is no recommendation"),
    ):
        answer = looking.get(path, headers=html)
        assert (answer.status_code, words in answer.text) == (status, True), (path, answer.text)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert looking.get("/nowhere").headers["Content-Type"] == "application/json"
    assert looking.get("/api/v1/nowhere", headers=html).json()["code"] == "not_found"


def test_before_the_first_build_the_page_says_so(tmp_path: Path):
    empty = TestClient(create_app(Settings(home=tmp_path)), base_url=LOOPBACK)

    answer = empty.get("/insights")

    assert answer.status_code == 409
    assert "afterpost demo" in answer.text
    for path in ("/review", "/action-plans", "/experiments", "/chat", "/operations"):
        assert empty.get(path).status_code == 200


def test_scripts_and_styles_are_ours(looking: TestClient, look: Open):
    page = look("/insights")
    own = [tag.attributes["src"] for tag in page.all("script")]
    own += [tag.attributes["href"] for tag in page.all("link")]

    assert any("htmx" in address for address in own)
    for address in own:
        if "vega" not in address:  # it takes seconds to bundle; the browser tests load it
            assert looking.get(address).status_code == 200, address
    assert looking.get("/static/../app.py").status_code == 404
    assert looking.get("/static/%2e%2e/app.py").status_code == 404


def test_the_growth_chart_is_one_that_vega_takes():
    import altair as alt

    from pipeline.show.charts.post_growth import post_growth_chart
    from pipeline.show.web.api.content_answers import GrowthPoint, Projection

    seen = {"scraped_at": "2026-11-20T08:00:00Z", "like_count": 3, "comment_count": 0,
            "share_count": 0, "save_count": 0, "has_count_drop": False}  # fmt: skip
    looks = [
        GrowthPoint.model_validate({**seen, "age_hours": age, "view_count": views})
        for age, views in ((5, 90), (30, 700))
    ]
    ahead = Projection(
        metric="view", age_hours=168, observed_age_hours=30, observed_count=700,
        expected_count=2000, expected_count_low_80=1500, expected_count_high_80=2600, n=80,
        method="boosting",
    )  # fmt: skip

    chart = post_growth_chart(looks, [ahead])
    assert chart is not None
    alt.Chart.from_dict(spec_of(chart))
    assert post_growth_chart([], []) is None


def test_the_package_brings_templates_and_scripts():
    from hatchling.builders.wheel import WheelBuilder

    from pipeline.settings import REPOSITORY

    files = {one.relative_path for one in WheelBuilder(str(REPOSITORY)).recurse_included_files()}
    for name in ("templates/base.html", "static/app.css", "static/vendor/htmx.min.js",
                 "static/vendor/htmx.LICENSE.txt"):  # fmt: skip
        assert f"pipeline/show/web/{name}" in files
