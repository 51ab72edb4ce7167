"""One experiment from its plan to the context, with real runs and a manager that is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AccountConfig, AlertKind, Platform, load_account
from pipeline.clients.state_alerts import alert_event_rows, alert_rows
from pipeline.clients.state_experiments import assignment_rows, event_rows, experiment_row
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.collect.imports import import_file
from pipeline.decide.briefs import Brief
from pipeline.decide.context import context_path, ensure_context
from pipeline.decide.experiment_draws import DrawRequest, draw_for_account
from pipeline.decide.review import approve, pending
from pipeline.defs.runs import run_build, run_experiments
from pipeline.learn.experiments.designs import PlanRequest
from pipeline.learn.experiments.planning_for_account import plan_experiment, register
from pipeline.learn.experiments.registration import ArmDesign, Registration
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.experiment_posts import (
    Planted,
    make_posts,
    with_drawn_posts,
    write_scrapes,
)
from pipeline.simulate.plans import AccountPlan, PlatformPlan
from pipeline.simulate.world import World, build_world
from tests.fakes.recomputed import wrong_figures

NAME, PLATFORM = "slumbersongs", Platform.TIKTOK
HISTORY_DAYS, DAYS, A_DAY = 50, 24, 4
ARMS = (
    ArmDesign("statement", {"hook_style": "statement"}),
    ArmDesign("question", {"hook_style": "question"}),
)
KILLED_INSIDE = ("change_experiment", "recommendation")
"""Points of the transaction that ends the experiment."""
KILLED_BEHIND = "_conclude"
"""It is committed, and neither the alert nor the policy has come yet."""


@dataclass(frozen=True)
class Begun:
    """A home with a history, in which an experiment is registered and started."""

    settings: Settings
    account: AccountConfig
    history: World
    registration: Registration
    first: datetime


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """Everything lies in the past of now, because the job asks the clock."""
    settings = Settings(home=tmp_path_factory.mktemp("life"), lock_timeout_s=60)
    copy_accounts(settings.accounts_dir)
    for folder in settings.accounts_dir.iterdir():
        if folder.name != NAME:
            shutil.rmtree(folder)
    account = load_account(settings.accounts_dir, NAME)
    first = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 9)
    history = _history(account, first)
    _land(settings, history, first - timedelta(days=HISTORY_DAYS - 3), first)
    run_build(settings)
    planned = plan_experiment(
        settings,
        PlanRequest(
            account_name=NAME,
            question="Do questions as first lines get more views?",
            arms=ARMS,
            metric="views",
            smallest_useful_ratio=1.8,
            platform=PLATFORM.value,
        ),
        now=first,
    )
    assert planned.plan.weeks is not None
    assert 1 < planned.plan.weeks < 10
    registration = register(settings, planned, by="ann", now=first)
    run_experiments(settings)
    return Begun(settings, account, history, registration, first)


def _history(account: AccountConfig, first: datetime) -> World:
    plan = AccountPlan(
        platforms={
            Platform.TIKTOK: PlatformPlan(1.8, 4000.0, 9000, video_share=0.0),
            Platform.INSTAGRAM: PlatformPlan(0.0, 2000.0, 5000, video_share=0.0),
        }
    )
    start = first - timedelta(days=HISTORY_DAYS)
    return build_world(3, [account], plans={NAME: plan}, start=start, end=first)


def _land(settings: Settings, world: World, first: datetime, last: datetime) -> None:
    account = load_account(settings.accounts_dir, NAME)
    moments = [first + timedelta(hours=36 * step) for step in range(1000)]
    moments = [moment for moment in moments if moment < last] + [last]
    folder = settings.home / "exports"
    for export in write_scrapes(world, folder, NAME, PLATFORM, moments):
        import_file(settings, account, export.path, platform=export.platform)


def _draw_and_post(begun: Begun) -> None:
    """A generator that asks for posts every day, and makes them as it is told."""
    for day in range(DAYS):
        at = begun.first + timedelta(days=day)
        request = DrawRequest(number=A_DAY, seed=day, planned_at=at)
        drawn = draw_for_account(begun.settings, begun.account, request, at)
        assert drawn.notes == ()
        briefs = [_printed(one) for one in drawn.briefs]
        make_posts(begun.settings.accounts_dir, begun.account, briefs, at)


def _printed(brief: Brief) -> dict[str, object]:
    told = json.dumps({**brief.to_json(), "stamp": brief.stamp()})
    return dict(json.loads(told))


def _killed(settings: Settings, *arguments: str) -> int:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.end_to_end.killed_manager", *arguments],
        env={**os.environ, "AFTERPOST_HOME": str(settings.home)},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=120,
    )
    return process.returncode


def _status(settings: Settings, experiment_id: str) -> str:
    row = experiment_row(settings, experiment_id)
    assert row is not None
    return str(row["status"])


def _events(settings: Settings, experiment_id: str) -> Counter[str]:
    return Counter(row["event"] for row in event_rows(settings, experiment_id))


@pytest.mark.timeout(300)
def test_an_experiment_lives_from_its_plan_to_the_context_though_its_manager_is_killed(
    begun: Begun,
) -> None:
    settings, experiment_id = begun.settings, begun.registration.experiment_id
    assert _status(settings, experiment_id) == "running"
    ensure_context(settings, begun.account, begun.first)
    assert "question" not in _best_styles(settings)

    _draw_and_post(begun)
    assignments = assignment_rows(settings, experiment_id)
    arms = Counter(row["arm"] for row in assignments)
    assert abs(arms["statement"] - arms["question"]) <= 2
    planted = {f"{experiment_id}/question": Planted(views=2.6)}
    end = begun.first + timedelta(days=DAYS + 8)
    world = with_drawn_posts(begun.history, settings.accounts_dir, planted, end=end)
    _land(settings, world, begun.first, end)
    run_build(settings)
    assert _stamped_count(settings, experiment_id) >= 0.95 * len(assignments)

    for point in KILLED_INSIDE:
        assert _killed(settings, point) == -signal.SIGKILL, point
        assert _status(settings, experiment_id) == "running", point
        assert pending(settings) == []
    assert _killed(settings, KILLED_BEHIND, "--job") == -signal.SIGKILL
    assert _status(settings, experiment_id) == "concluded"
    assert _alerts(settings) == []  # nobody has heard of it yet
    for _ in range(2):
        run_experiments(settings)

    row = experiment_row(settings, experiment_id)
    assert row is not None
    assert (row["status"], row["verdict"]) == ("concluded", "winner"), row["because"]
    assert row["result"]["winner"] == "question"
    events = _events(settings, experiment_id)
    assert events.pop("progress", 0) <= 3
    assert events.pop("planned_end", 0) <= 1
    assert events == {"registered": 1, "started": 1, "concluded": 1, "recommended": 1}
    (alert,) = _alerts(settings)
    assert alert["subject"] == experiment_id
    told = alert_event_rows(settings, [alert["alert_id"]])
    assert [event["event"] for event in told] == ["opened"]
    (recommendation,) = pending(settings)
    assert recommendation.recommendation_id == row["recommendation_id"]
    assert wrong_figures(settings, recommendation) == []
    figures = recommendation.figures
    assert figures["effect_low"] < 2.6 < figures["effect_high"]

    approve(settings, recommendation.recommendation_id, by="ann", now=utc_now())
    assert "question" in _best_styles(settings)


def _alerts(settings: Settings) -> list[dict[str, Any]]:
    kind = AlertKind.EXPERIMENT_CONCLUDED.value
    return [row for row in alert_rows(settings, only_open=True) if row["kind"] == kind]


def _best_styles(settings: Settings) -> Sequence[str]:
    document = json.loads(context_path(settings, NAME).read_bytes())
    return [str(style) for style in document["hook_insights"]["best_styles"]]


def _stamped_count(settings: Settings, experiment_id: str) -> int:
    with reading(settings) as connection:
        (row,) = connection.execute(
            "select count(distinct assignment_id) from marts.dim_post where experiment_id = ?",
            [experiment_id],
        ).fetchall()
    return int(row[0])
