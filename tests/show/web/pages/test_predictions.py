"""What is expected of planned posts on the review page, and what was said on a post's page."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.settings import Settings
from pipeline.show.figure_words import count, percent
from pipeline.show.web.app import create_app
from tests.fakes.published import ACCOUNT, add_account
from tests.show.web.copies import LOOPBACK, POST
from tests.show.web.pages.html import Page
from tests.show.web.predictions import OTHER, PLAN


@pytest.fixture(scope="module")
def looking(predicted: Settings) -> TestClient:
    return TestClient(create_app(predicted), base_url=LOOPBACK)


def opened(looking: TestClient, path: str, **parameters: str) -> Page:
    answer = looking.get(path, params=parameters)
    assert answer.status_code == 200, answer.text[:3000]
    return Page(answer.text)


def test_planned_posts_wait_with_what_the_api_says_of_them(looking: TestClient):
    page = opened(looking, "/review", tab="planned", account=ACCOUNT)
    told = looking.get("/api/v1/ml/planned", params={"account": ACCOUNT}).json()["items"]
    (views, rate) = (told[0]["prediction"]["targets"][name] for name in
                     ("views_7d", "engagement_rate_7d"))  # fmt: skip

    assert PLAN in page.text
    assert f"Expected views at 7 days {count(views['expected'])}" in page.text
    low, high = (percent(rate["interval"][end], 2, " ") for end in ("low", "high"))
    assert f"80 % interval {low} to {high}" in page.text.replace("\xa0", " ")
    assert rate["note"] in page.text
    assert "explains" in rate["note"]
    assert "60 posts: better than the account's own quantiles" in page.text


def test_a_plan_of_which_nothing_was_said_yet_is_told_with_its_text_unharmed(looking: TestClient):
    page = opened(looking, "/review", tab="planned", account=OTHER)

    assert "<b>Next</b>" in page.text
    assert page.all("b") == []
    assert "Nothing was said of it yet" in page.text


def test_a_post_tells_what_was_said_of_it_and_what_came(looking: TestClient):
    page = opened(looking, f"/insights/content/{POST}", account=ACCOUNT)

    assert "What was predicted" in page.text
    assert "Said on its first day" in page.text
    assert "came to 1,234 , within the interval" in page.text
    assert page.text.count("came to") == 1


def test_a_post_of_which_nothing_was_said_has_no_word_about_it(looking: TestClient):
    page = opened(looking, "/insights/content/tiktok:7300000000000000101")

    assert "What was predicted" not in page.text


def test_before_the_first_build_the_page_says_why_it_is_empty(tmp_path: Path):
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    add_account(settings)

    page = opened(TestClient(create_app(settings), base_url=LOOPBACK), "/review", tab="planned")

    assert "afterpost build" in page.text
