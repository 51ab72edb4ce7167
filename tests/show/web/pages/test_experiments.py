"""Pages of experiments: what is asked, how far it is, what it says; people's texts stay texts."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from pipeline.clients.state_experiments import experiment_row, experiment_rows
from pipeline.clock import utc_now
from pipeline.learn.experiments.registering import store
from pipeline.learn.experiments.registration import ArmDesign
from pipeline.settings import Settings
from pipeline.show.charts import colours, style
from pipeline.show.charts.experiment_looks import experiment_looks_chart
from pipeline.show.charts.pictures import spec_of
from pipeline.show.web.api.experiment_answers import Look
from tests.fakes.published import ACCOUNT
from tests.show.web.experiments import (
    CAME_OF_IT,
    CONCLUDED,
    HOSTILE_INSTRUCTIONS,
    HOSTILE_QUESTION,
    OTHERS,
    PROPOSED,
    RUNNING,
    begin,
    change_registration,
    change_row,
    registration,
)
from tests.show.web.pages.conftest import Open
from tests.show.web.pages.html import Page
from tests.show.web.pages.test_changing import send

FORM: dict[str, str | list[str]] = {
    "account": ACCOUNT,
    "platform": "tiktok",
    "question": "Do longer <b>guides</b> do better?",
    "metric": "engagement_rate_7d",
    "smallest_useful_ratio": "1.3",
    "dimension": "slide_count",
    "arm_name": ["usual", "long", "", ""],
    "arm_segment": ["5", "9", "", ""],
    "arm_instructions": ["", 'Tell <i>more</i> "of it"', "", ""],
    "guard_metric": "views_7d",
    "guard_ratio": "0.8",
    "alpha": "0.05",
    "power": "0.8",
    "draw_share": "1",
}


def _plain(page: Page) -> str:
    return page.text.replace("\u00a0", " ")


def test_the_list_shows_status_progress_and_verdict(look: Open):
    page = look("/experiments")
    text = _plain(page)

    assert set(page.links("/experiments/exp_")) == {
        f"/experiments/{one}" for one in (OTHERS, PROPOSED, RUNNING, CONCLUDED)
    }
    assert "Waits for approval" in text
    assert HOSTILE_QUESTION in text
    assert "20 % of the planned posts can be read" in text
    assert "No verdict yet." in text
    assert "a winner" in text
    assert _plain(look("/experiments", status="rejected")).count("No experiment is rejected.") == 1
    assert look("/experiments", account="nappy").links("/experiments/exp_") == [
        f"/experiments/{OTHERS}"
    ]


def test_a_page_says_what_the_api_says(look: Open, looking: TestClient):
    told = looking.get(f"/api/v1/experiments/{CONCLUDED}").json()
    page = look(f"/experiments/{CONCLUDED}")
    text = _plain(page)
    (contrast,) = told["reading"]["contrasts"]

    assert "question wins" in text
    assert told["because"] in text
    assert f"{contrast['ratio']:.2f}×" in text
    assert f"{contrast['ratio_low']:.2f}–{contrast['ratio_high']:.2f}" in text
    assert f"{contrast['tried_n']} against {contrast['usual_n']}" in text
    for arm in told["reading"]["arms"]:
        assert f"{arm['name']}" in text
        assert f"{100 * arm['mean']:.2f} %" in text
    assert "views after 7 days may not fall below 0.80× the usual arm’s" in text
    assert "25 posts per arm" in text
    assert page.links("/review/") == [f"/review/{CAME_OF_IT}"]
    assert "Stop the experiment" not in text
    assert told["design"]["sha256"][:12] in text


def test_the_looks_are_a_chart_and_a_table(look: Open, looking: TestClient):
    looks = looking.get(f"/api/v1/experiments/{CONCLUDED}").json()["reading"]["contrasts"][0][
        "looks"
    ]
    page = look(f"/experiments/{CONCLUDED}")
    (chart,) = [
        json.loads(tag.attributes["data-spec"]) for tag in page.all("div")
        if "data-spec" in tag.attributes
    ]  # fmt: skip

    known = [look for look in looks if look["ratio_low"] is not None]
    values = chart["data"]["values"]
    assert [value["n"] for value in values] == [look["n"] for look in known]
    assert values[-1]["low"] == known[-1]["ratio_low"]
    words = json.dumps(chart, ensure_ascii=False)
    for name in ("no difference", "smallest useful 1.20×", "planned end"):
        assert name in words
    assert f"The looks at question against plain ({len(looks)})" in _plain(page)


@pytest.mark.parametrize("planned_n", [10, 60, 400])
def test_the_chart_is_one_that_vega_takes(looking: TestClient, planned_n: int):
    import altair as alt

    told = looking.get(f"/api/v1/experiments/{CONCLUDED}").json()["reading"]["contrasts"][0]
    looks = [Look.model_validate(look) for look in told["looks"]]
    chart = experiment_looks_chart(looks, smallest_useful_ratio=1.2, planned_n=planned_n)

    assert chart is not None
    spec = spec_of(chart)
    alt.LayerChart.from_dict({**spec, "config": dict(style.CONFIG)}, validate=True)
    assert set(re.findall(r"var\((--[\w-]+)\)", str(spec))) <= set(colours.LIGHT)
    unsure = [look for look in looks if look.ratio_low is None]
    assert unsure
    assert experiment_looks_chart(unsure, smallest_useful_ratio=1.2, planned_n=planned_n) is None


def test_one_without_enough_data_says_so(look: Open):
    text = _plain(look(f"/experiments/{OTHERS}"))

    assert "begins with the next hourly run" in text
    assert "weeks at the account’s present pace" in text
    assert "Stop the experiment" in text
    running = _plain(look(f"/experiments/{RUNNING}"))
    assert "Not enough data yet, keep going" in running
    assert "20 % of the planned posts can be read" in running


def test_peoples_texts_are_texts(look: Open):
    page = look(f"/experiments/{PROPOSED}")

    assert HOSTILE_QUESTION in page.text
    assert HOSTILE_INSTRUCTIONS.split("</td>")[1] in page.text
    assert "<b>tried</b>" in page.text
    assert page.all("img") == page.all("b") == []
    assert [tag for tag in page.all("script") if not tag.attributes.get("src")] == []


def test_from_a_question_to_a_registered_experiment(browser: TestClient, home: Settings):
    before = len(experiment_rows(home))
    shown = browser.post("/experiments/plan", data=FORM)
    page = Page(shown.text)
    text = _plain(page)

    assert shown.status_code == 200
    assert "What it takes" in text
    assert "posts per arm" in text
    assert "weeks" in text
    assert "Do longer <b>guides</b> do better?" in text
    assert len(experiment_rows(home)) == before, "nothing is stored before it is registered"
    hidden = [
        (tag.attributes["name"], tag.attributes["value"])
        for tag in page.all("input", type="hidden")
    ]
    fields: dict[str, list[str]] = {}
    for name, value in hidden:
        fields.setdefault(name, []).append(value)
    made = browser.post("/experiments", data=fields)

    assert made.status_code == 200
    assert [one.status_code for one in made.history] == [303]
    assert "Registered. The next hourly run begins it." in made.text
    row = experiment_rows(home)[0]
    design = row["registration"]
    assert design["question"] == FORM["question"]
    assert [arm["instructions"] for arm in design["arms"]] == [None, 'Tell <i>more</i> "of it"']
    assert [arm["choices"] for arm in design["arms"]] == [
        {"slide_count": "5"}, {"slide_count": "9"},
    ]  # fmt: skip
    twice = browser.post("/experiments", data=fields)
    assert (twice.status_code, "wait for its end or stop it" in twice.text) == (422, True)
    assert len(experiment_rows(home)) == before + 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arm_name": ["only", "", "", ""], "arm_segment": ["5", "", "", ""],
          "arm_instructions": [""] * 4}, "at least two arms"),
        ({"smallest_useful_ratio": "0.5"}, "must be more than 1"),
        ({"smallest_useful_ratio": "many"}, "smallest useful ratio"),
        ({"question": " "}, "question"),
        ({"alpha": "nan"}, "alpha"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_keeps_what_was_written(
    browser: TestClient, change: dict[str, str | list[str]], words: str
):
    answer = browser.post("/experiments/plan", data={**FORM, **change})
    page = Page(answer.text)

    assert answer.status_code == 422
    assert "It cannot be done so" in page.text
    assert words in page.text
    assert "Register it" not in page.text
    values = [tag.attributes.get("value") for tag in page.all("input")]
    assert FORM["question"] in values or "question" in change
    assert "Register" not in [tag.attributes.get("value") for tag in page.all("button")]


def test_a_proposal_is_approved_and_stopped(browser: TestClient):
    path = f"/experiments/{PROPOSED}"
    page = Page(browser.get(path).text)

    after = send(browser, f"{path}/decide", version=page.value("version"), decision="approve",
                 note="worth a try")  # fmt: skip
    assert "Approved. The next hourly run begins it." in after.text
    assert "worth a try" in after.text
    late = browser.post(f"{path}/decide", data={"version": "1", "decision": "reject"})
    assert (late.status_code, "Not possible now" in late.text) == (409, True)
    stopped = send(browser, f"{path}/decide", version=after.value("version"), decision="stop")
    assert "Stopped. Posts are drawn as always again." in stopped.text
    assert re.search(r"stopped by web .* approved by web worth a try .* proposed", stopped.text)
    assert (
        browser.post(f"{path}/decide", data={"decision": "burn", "version": "1"}).status_code == 422
    )


def test_a_changed_registration_is_shown_as_one_that_says_nothing(
    browser: TestClient, home: Settings
):
    change_registration(home, RUNNING, smallest_useful_ratio=1.01)

    listed = _plain(Page(browser.get("/experiments?status=running").text))
    page = Page(browser.get(f"/experiments/{RUNNING}").text)

    assert "was changed after it was frozen" in listed
    assert "was changed after it was frozen" in page.text
    assert f"Experiment {RUNNING}" in page.text
    assert "What was planned" not in page.text


def test_three_arms_are_two_contrasts_each_with_its_own_verdict(
    browser: TestClient, home: Settings
):
    arms = tuple(ArmDesign(name, {"cta": name}) for name in ("none", "<i>ask</i>", "invite"))
    pairs = tuple(("none", arm.name) for arm in arms[1:])
    three = registration("exp_00000000000e", arms=arms, contrasts=pairs, created_at=utc_now())
    store(home, three)
    begin(home, three.experiment_id, three.created_at)
    page = Page(browser.get("/experiments/exp_00000000000e").text)

    assert "<i>ask</i> against none" in page.text
    assert "invite against none" in page.text
    assert page.text.count("Not enough data for a picture") == 2
    assert page.all("i") == []


def test_everything_that_a_reading_may_say_is_shown_as_text(browser: TestClient, home: Settings):
    row = experiment_row(home, CONCLUDED)
    assert row is not None
    result = row["result"]
    fixed = dict.fromkeys(("effect_low", "effect_high"), 0.01)
    result["contrasts"][0]["fixed"] = {
        **fixed, "p_value": 0.0143, "p_value_adjusted": 0.0143, "ratio_low": 1.05,
        "ratio_high": 1.5,
    }  # fmt: skip
    result["guards"][0]["is_harmed"] = True
    result |= {"faults": ["<u>Unequal</u> arms."], "notes": ["One <u>post</u> is young."]}
    change_row(home, CONCLUDED, result=result, verdict="invalid", because="<u>Unequal</u> arms.")
    page = Page(browser.get(f"/experiments/{CONCLUDED}").text)
    text = _plain(page)

    assert "Invalid" in text
    assert "Why nothing can be concluded <u>Unequal</u> arms." in text
    assert "Worth knowing One <u>post</u> is young." in text
    assert "interval of the ratio 1.05–1.50, p = 0.014." in text
    assert "worse than allowed" in text
    assert page.all("u") == []


def test_a_recommendation_says_which_experiment_it_comes_from(look: Open):
    for path in ("/review", f"/review/{CAME_OF_IT}"):
        assert look(path).links("/experiments/exp_") == [f"/experiments/{CONCLUDED}"], path
