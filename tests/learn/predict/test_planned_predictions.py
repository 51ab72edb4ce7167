"""Planned posts are predicted once, and young posts that nobody planned."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.clients.state_predictions import stored_predictions
from pipeline.errors import NothingPublishedError
from pipeline.learn.predict.planned_predictions import (
    predict_planned,
    predict_young,
    unpredicted_plans,
)
from pipeline.learn.predict.warehouse_features import Target
from pipeline.settings import Settings
from tests.fakes.predicted_copy import BAD, DAY, GOOD, NOW, PLATFORM, add_post, simulated
from tests.fakes.published import add_account

HOUR = timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    for name in ("sleepy", "fresh"):
        add_account(settings, name=name)
    return settings


def _plan(settings: Settings, name: str, planned_at: datetime | None, **values: object) -> None:
    folder = settings.accounts_dir / "sleepy" / "output" / name
    folder.mkdir(parents=True)
    meta = {"format": GOOD, "hook_text": "3 quiet naps", "platform": PLATFORM, **values}
    if planned_at is not None:
        meta["date"] = planned_at.isoformat()
    (folder / "meta.json").write_text(json.dumps(meta))


def _ids(said: object) -> list[str | None]:
    return [one.planned_id for one in said]  # type: ignore[attr-defined]


def test_each_plan_is_predicted_once_and_told_again_as_it_was_said(settings: Settings):
    simulated().publish(settings)
    _plan(settings, "one", NOW + DAY)
    first = predict_planned(settings, ["sleepy", "fresh"], NOW)
    _plan(settings, "two", NOW + 2 * DAY)

    again = predict_planned(settings, ["sleepy"], NOW + HOUR)

    assert (_ids(first.new), _ids(first.earlier)) == (["one"], [])
    assert (_ids(again.new), _ids(again.earlier)) == (["two"], ["one"])
    assert [one.planned_id for one in again.all] == ["one", "two"]
    told, said = again.earlier[0].to_json(), first.new[0].to_json()
    assert told["expected"] == said["expected"]
    assert (
        told["targets"]["engagement_rate_7d"]["interval"]
        == (said["targets"]["engagement_rate_7d"]["interval"])
    )
    assert told["predicted_at"] == said["predicted_at"]
    assert len(stored_predictions(settings)) == 2 * len(Target)


def test_a_plan_of_another_day_is_not_predicted_a_second_time(settings: Settings):
    simulated().publish(settings)
    _plan(settings, "one", NOW + 3 * DAY)
    predict_planned(settings, ["sleepy"], NOW)

    later = predict_planned(settings, ["sleepy"], NOW + DAY)

    assert (_ids(later.new), _ids(later.earlier)) == ([], ["one"])


def test_a_plan_that_is_out_or_over_is_left_out(settings: Settings):
    copy = simulated()
    copy.posts[-1]["planned_id"] = "out"
    copy.posts[-1]["account_name"] = "sleepy"
    copy.publish(settings)
    _plan(settings, "out", NOW - HOUR)
    _plan(settings, "over", NOW - 3 * DAY)
    _plan(settings, "late", NOW - HOUR)
    _plan(settings, "undated", None)

    said = predict_planned(settings, ["sleepy"], NOW)

    assert sorted(one.planned_id or "" for one in said.new) == ["late", "undated"]
    assert said.over_count == 1
    assert {one.planned_at for one in said.new} == {NOW}


def test_a_plan_for_no_platform_is_predicted_on_each_of_the_account(settings: Settings):
    simulated().publish(settings)
    path = settings.accounts_dir / "sleepy" / "account.yaml"
    text = path.read_text().replace("{tiktok: sleepy}", "{tiktok: sleepy, x: sleepy}")
    path.write_text(text)
    _plan(settings, "one", NOW + DAY, platform=None)

    said = predict_planned(settings, ["sleepy"], NOW)

    assert [one.platform for one in said.new] == ["tiktok", "x"]
    assert said.new[1].main.row is None
    assert "Nothing is known of posts there yet." in said.new[1].to_json()["note"]
    assert {row["platform"] for row in stored_predictions(settings)} == {"tiktok"}


def test_a_format_that_the_account_does_not_list_does_not_stop_a_plan(settings: Settings):
    simulated().publish(settings)
    _plan(settings, "one", NOW + DAY, format="brand_new")
    (settings.accounts_dir / "sleepy" / "output" / "broken").mkdir()
    (settings.accounts_dir / "sleepy" / "output" / "broken" / "meta.json").write_text("{")

    said = predict_planned(settings, ["sleepy"], NOW)

    assert _ids(said.new) == ["one"]
    assert len(said.problems) == 1


def test_a_sensor_is_told_of_the_plans_without_a_prediction(settings: Settings):
    simulated().publish(settings)
    _plan(settings, "one", NOW + DAY)
    _plan(settings, "over", NOW - 3 * DAY)

    before = unpredicted_plans(settings, ["sleepy", "fresh"], NOW)
    predict_planned(settings, ["sleepy", "fresh"], NOW)

    assert before == ["sleepy/one"]
    assert unpredicted_plans(settings, ["sleepy", "fresh"], NOW) == []


def test_a_young_post_without_a_plan_is_predicted_as_of_when_it_went_out(settings: Settings):
    copy = simulated()
    add_post(copy, "sleepy", "young", NOW - 5 * HOUR, GOOD)
    add_post(copy, "sleepy", "old", NOW - 25 * HOUR, BAD)
    copy.publish(settings)

    said = predict_young(settings, NOW)
    again = predict_young(settings, NOW + HOUR)

    assert [one.post_id for one in said] == ["young"]
    assert said[0].planned_at == NOW - 5 * HOUR
    assert again == []
    rows = stored_predictions(settings)
    assert {(row["post_id"], row["planned_at"]) for row in rows} == {("young", NOW - 5 * HOUR)}
    # 57 of 160 posts of half a day each were known by the post itself, not by now.
    known = rows[0]["features"]["known_posts"]
    assert known == sum(
        one["scraped_at"] < NOW - 5 * HOUR
        for one in copy.snapshots
        if one["account_name"] == "sleepy"
    )


def test_a_young_post_whose_plan_was_predicted_is_not_predicted_again(settings: Settings):
    simulated().publish(settings)
    _plan(settings, "one", NOW + HOUR)
    predict_planned(settings, ["sleepy"], NOW)
    copy = simulated()
    add_post(copy, "sleepy", "young", NOW + HOUR, GOOD)
    copy.posts[-1]["planned_id"] = "one"
    copy.publish(settings)

    assert predict_young(settings, NOW + 3 * HOUR) == []


def test_before_the_first_build_there_is_nothing_to_predict_from(settings: Settings):
    with pytest.raises(NothingPublishedError):
        predict_planned(settings, ["sleepy"], NOW)
