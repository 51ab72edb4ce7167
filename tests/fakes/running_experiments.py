"""Experiments put into the state database as if they had been planned, registered and started."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pipeline.clients.state import writing_state
from pipeline.clients.state_experiments import add_experiment
from pipeline.learn.experiments.registration import (
    METRICS,
    ArmDesign,
    Registration,
    Status,
)
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT

STARTED = datetime(2026, 11, 1, 9, tzinfo=UTC)
HOOKS = (
    ArmDesign("usual", {"hook_style": "statement"}),
    ArmDesign("tried", {"hook_style": "question"}),
)


def registered(
    experiment_id: str = "exp_000000000001",
    *,
    account_name: str = ACCOUNT,
    platform: str = "tiktok",
    arms: tuple[ArmDesign, ...] = HOOKS,
    draw_share: float = 0.5,
    seed: int = 11,
) -> Registration:
    """A registration whose figures matter to nobody here."""
    metric = METRICS["views_72h"]
    return Registration(
        experiment_id=experiment_id,
        account_name=account_name,
        platform=platform,
        question="Does a question as the first line work better?",
        arms=arms,
        contrasts=tuple((arms[0].name, arm.name) for arm in arms[1:]),
        metric=metric.name,
        metric_kind=metric.kind,
        age_hours=metric.age_hours,
        smallest_useful_ratio=1.5,
        guards=(),
        alpha=0.05,
        power=0.8,
        planned_per_arm=40,
        longest_per_arm=80,
        usual_mean=8.0,
        unit_variance=0.5,
        adjustment=None,
        draw_share=draw_share,
        seed=seed,
        origin="person",
        created_by="ann",
        created_at=STARTED,
        warehouse_version="20261101T090000_abcdef",
    )


def add_running(
    settings: Settings, registration: Registration, status: Status = Status.RUNNING
) -> Registration:
    """Store an experiment that runs, or is in another state."""
    row: Mapping[str, object] = {
        "experiment_id": registration.experiment_id,
        "account_name": registration.account_name,
        "platform": registration.platform,
        "status": status.value,
        "origin": registration.origin,
        "registration": registration.to_json(),
        "registration_sha256": registration.sha256(),
        "created_by": registration.created_by,
        "created_at": registration.created_at,
        "started_at": STARTED,
    }
    with writing_state(settings) as state:
        add_experiment(state, dict(row))
    return registration
