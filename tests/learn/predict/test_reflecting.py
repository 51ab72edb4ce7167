"""Predictions from the state database through a real build to scores, gaps and corrections."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pytest
import yaml

from pipeline.accounts import AccountConfig, load_account
from pipeline.clients.state_predictions import adjustment_rows, store_predictions
from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.defs.assets.reflexion import reflexion as reflexion_asset
from pipeline.errors import UsageError
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.reflecting import (
    apply_adjustment,
    end_adjustment,
    look_back,
    reflect,
)
from pipeline.learn.predict.requests import PredictionRequest
from pipeline.learn.predict.scoring import score
from pipeline.learn.predict.serving import predict
from pipeline.learn.predict.warehouse_features import Target
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.collect.samples import make_account, tiktok_row

DAY = timedelta(days=1)
START = datetime(2026, 5, 3, 10, 0, tzinfo=UTC)
"""A Sunday; on the account's clock too."""
DAYS = 150
NOW = START + (DAYS + 1) * DAY
ACCOUNT = "lullabies"
SUNDAYS = 0.35
"""What posts on Sundays reach of what is said of them."""


def _views(number: int) -> int:
    luck = float(np.random.default_rng([11, number]).normal(0.0, 0.3))
    return round(8000.0 * math.exp(luck) * (SUNDAYS if number % 7 == 0 else 1.0))


def _row(number: int, age_days: float) -> dict[str, Any]:
    posted_at = START + number * DAY
    views = round(_views(number) * (1.0 if age_days >= 6.9 else 0.8))
    return tiktok_row(
        number,
        createTime=int(posted_at.timestamp()),
        createTimeISO=posted_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        playCount=views,
        diggCount=round(0.08 * views),
        commentCount=round(0.01 * views),
        shareCount=round(0.01 * views),
        collectCount=round(0.01 * views),
    )


def _prediction(number: int, target: Target, **changes: Any) -> dict[str, Any]:
    posted_at = START + number * DAY
    usual = 8000.0 if target is Target.VIEWS else 0.11
    return {
        "prediction_id": f"prd_{target}_{number}",
        "account_name": ACCOUNT,
        "platform": "tiktok",
        "target": target.value,
        "planned_id": None,
        "post_id": str(tiktok_row(number)["id"]),
        "predicted_at": posted_at - timedelta(hours=1),
        "planned_at": posted_at,
        "expected": usual,
        "low": 0.6 * usual,
        "high": 1.6 * usual,
        "quantiles": {},
        "breakout_threshold": 3 * usual,
        "breakout_probability": 0.1,
        "baseline_expected": 0.9 * usual,
        "baseline_low": 0.5 * usual,
        "baseline_high": 1.8 * usual,
        "model_version": "v1",
        "model_name": "weighted_average",
        "features": {"weekday": str(posted_at.isoweekday()), "format": "step_guide",
                     "daypart": "midday" if number % 2 else "morning", "reflexion_weight": 1.0},
        "factors": [],
        "warehouse_version": "v0",
        **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A post a day, each seen shortly before and after its seventh day, and predicted before."""
    settings = Settings(home=tmp_path_factory.mktemp("reflexion"), lock_timeout_s=60)
    make_account(settings, ACCOUNT, platform_profiles={"tiktok": "quietnights"}, timezone="UTC")
    account = load_account(settings.accounts_dir, ACCOUNT)
    for day in range(2, DAYS + 3, 3):
        scraped_at = START + timedelta(days=day, hours=12)
        ages = {n: (scraped_at - START - n * DAY) / DAY for n in range(DAYS)}
        rows = [_row(n, age) for n, age in ages.items() if 0 < age < 10]
        path = settings.home / f"export_{day}.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        import_file(settings, account, path, scraped_at=scraped_at.isoformat())
    said = [_prediction(n, target) for n in range(DAYS) for target in Target]
    late = _prediction(3, Target.VIEWS, prediction_id="late", predicted_at=START + 40 * DAY)
    store_predictions(settings, [*said, late])
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)
    return settings


def with_policy(settings: Settings, policy: str, *, reflexion: bool = True) -> AccountConfig:
    path = settings.accounts_dir / ACCOUNT / "account.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["approval"] = {"policy": policy, "reflexion": reflexion}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_account(settings.accounts_dir, ACCOUNT)


@pytest.fixture
def fresh(home: Settings) -> Settings:
    """The home without corrections."""
    from pipeline.clients.state import writing_state
    from pipeline.clients.state_prediction_tables import reflexion_adjustments

    with writing_state(home) as state:
        state.execute(reflexion_adjustments.delete())
    return home


@pytest.mark.parametrize("target", list(Target))
def test_the_mart_scores_as_the_models_are_scored(home: Settings, target: Target) -> None:
    with reading(home) as connection:
        rows = connection.execute(
            "select outcome, low, expected, high, pinball_loss, prediction_id "
            "from marts.fct_prediction_score where target = $1 and is_counted",
            [target.value],
        ).fetchall()
        (skill,) = connection.execute(
            "select n, pinball_loss, coverage, close_share "
            "from marts.mart_prediction_skill "
            "where target = $1 and period = 'all' and model_name = '*'",
            [target.value],
        ).fetchall()
    figures = np.array([row[:4] for row in rows], dtype=np.float64)
    outcome = target.scale.to_log(figures[:, 0])
    said = target.scale.to_log(figures[:, 1:])
    expected = score(outcome, said, np.zeros(len(outcome)))

    assert len(rows) > 100
    assert "late" not in {row[5] for row in rows}
    assert [row[4] for row in rows] == pytest.approx(list(pinball(outcome, said)), abs=2e-6)
    assert skill == pytest.approx(
        (expected.posts, expected.pinball_loss, expected.coverage, expected.close_share), abs=2e-6
    )


def test_too_much_was_said_of_sundays_and_a_person_decides(
    fresh: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = with_policy(fresh, "manual")
    changes = reflect(fresh, account, NOW)
    again = reflect(fresh, account, NOW + timedelta(hours=1))

    (row,) = [one for one in changes.proposed if one["target"] == "views_7d"]
    assert (row["dimension"], row["segment"], row["status"]) == ("weekday", "7", "proposed")
    assert row["factor"] == 0.5, "as far as a correction may go"
    assert row["evidence"]["tried_loss_with"] < row["evidence"]["tried_loss_without"]
    assert (changes.applied, again.proposed, again.ended) == ([], [], [])

    monkeypatch.setenv("AFTERPOST_HOME", str(fresh.home))
    monkeypatch.setattr("pipeline.clock.utc_now", lambda: NOW)
    name = row["adjustment_id"]
    assert main(["reflexion", "-a", ACCOUNT]) == 0
    printed = capsys.readouterr().out
    assert "Too much was said of posts on Sundays" in printed
    assert f"{name}  proposed; 0.50× views at 7 days on tiktok of posts on Sundays" in printed
    assert main(["reflexion", "-a", ACCOUNT, "--apply", name, "--by", "Ada", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (stored,) = [one for one in found["adjustments"] if one["adjustment_id"] == name]
    assert (stored["status"], stored["evidence"]["applied_by"]) == ("applied", "Ada")
    assert stored["trial"]["n"] == 0, "no prediction had it yet"
    (gap,) = [
        one
        for one in found["gaps"]
        if (one["target"], one["dimension"], one["segment"]) == ("views_7d", "weekday", "7")
    ]
    assert 0.6 < gap["ratio"] < 0.95, "half of the gap is closed"
    overall = [one for one in found["skill"] if one["period"] == "all"]
    assert {one["target"] for one in overall} == {"views_7d", "engagement_rate_7d"}
    assert main(["reflexion", "-a", ACCOUNT, "--end", name]) == 0
    assert "ended: ended by hand" in capsys.readouterr().out
    with pytest.raises(UsageError, match="has ended"):
        apply_adjustment(fresh, ACCOUNT, name, NOW, by="Ada")
    with pytest.raises(UsageError, match="no correction"):
        end_adjustment(fresh, "somebody_else", name, NOW, by="Ada")
    rested = reflect(fresh, account, NOW + 8 * DAY)
    assert [one for one in rested.proposed if one["segment"] == "7"] == []


def test_a_policy_applies_what_it_may_and_the_next_predictions_have_it(fresh: Settings) -> None:
    early = START + 90 * DAY
    proposed = reflect(fresh, with_policy(fresh, "auto"), early)
    unasked = reflect(fresh, with_policy(fresh, "auto", reflexion=False), NOW)
    held_back = reflect(fresh, with_policy(fresh, "auto_high"), NOW)
    changes = reflect(fresh, with_policy(fresh, "auto"), NOW)
    again = reflect(fresh, with_policy(fresh, "auto"), NOW)
    sunday = NOW + timedelta(days=(7 - NOW.isoweekday()) % 7, hours=1)
    said = {
        day: predict(
            fresh,
            PredictionRequest(account=ACCOUNT, platform="tiktok", planned_at=sunday + day * DAY),
            NOW,
            store=False,
        )
        .of(Target.VIEWS)
        .row
        for day in (0, 1)
    }

    assert [row["segment"] for row in proposed.proposed] == ["7"]
    assert proposed.applied == [], "it has not been tried on a later post yet"
    assert unasked.applied == [], "the account has not asked for it"
    assert held_back.applied == [], "too few posts for high confidence"
    (row,) = changes.applied
    assert again.applied == []
    assert said[0] is not None
    assert said[1] is not None
    assert said[0]["features"]["reflexion_weight"] == row["factor"] == 0.5
    assert said[1]["features"]["reflexion_weight"] == 1.0
    assert said[0]["expected"] == pytest.approx(0.5 * said[1]["expected"], rel=1e-3)
    assert row["evidence"]["applied_by"] == "policy:auto"
    assert (row["segment"], row["applied_at"]) == ("7", NOW)


def test_the_daily_run_reflects_for_every_account(fresh: Settings) -> None:
    with_policy(fresh, "manual")
    (fresh.accounts_dir / "broken").mkdir(exist_ok=True)
    (fresh.accounts_dir / "broken" / "account.yaml").write_text("name: [", encoding="utf-8")
    resource = dg.ResourceDefinition.hardcoded_resource(fresh)

    result = dg.materialize([reflexion_asset], resources={"settings": resource})

    (event,) = result.get_asset_materialization_events()
    told = event.materialization.metadata
    assert (told["proposed"].value, told["applied_by_policy"].value) == (1, 0)
    assert "broken" in str(told["problems"].value)
    assert [row["segment"] for row in adjustment_rows(fresh)] == ["7"]


def test_a_correction_that_does_harm_ends_by_itself(fresh: Settings) -> None:
    from pipeline.clients.state_reflexion import add_adjustments

    account = with_policy(fresh, "manual")
    (row,) = [one for one in reflect(fresh, account, NOW).proposed if one["segment"] == "7"]
    harmful = {
        **row,
        "adjustment_id": "adj_harm",
        "segment": "3",
        "factor": 0.5,
        "proposed_at": START,
        "status": "proposed",
    }
    assert add_adjustments(fresh, [harmful, {**row, "adjustment_id": "adj_twice"}]) == [harmful]

    (ended,) = reflect(fresh, account, NOW + timedelta(hours=1)).ended

    assert (ended["adjustment_id"], ended["status"]) == ("adj_harm", "ended")
    assert "surely worse" in ended["evidence"]["ended_because"]
    stored = {one["adjustment_id"]: one for one in adjustment_rows(fresh)}
    assert stored["adj_harm"]["evidence"]["ended_by"] == "afterpost"
    shown = look_back(fresh, account, NOW)
    (trial,) = [one.trial for one in shown.adjustments if one.row["adjustment_id"] == "adj_harm"]
    assert trial.n >= 8
    assert trial.loss_with > trial.loss_without
